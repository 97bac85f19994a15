"""Simulates policies by PMapper: an engine that shares nothing with the local cloud's.

Reads {"guardrail": document, "boundary": document, "cases": [{"use", "principal", "action",
"resource", "context", "allowed"}]} from standard input. Each case is tried in the uses that it
names: with the guardrail attached to the principal, as a service control policy next to
FullAWSAccess, and as a permissions boundary. Other policies allow the principal everything.
Prints each difference, one case a line.
"""

import collections
import collections.abc
import json
import sys

# PMapper 1.1.5 imports these from where they were until Python 3.10.
collections.Mapping = collections.abc.Mapping
collections.MutableMapping = collections.abc.MutableMapping

from principalmapper.common import Node, Policy  # noqa: E402
from principalmapper.util.case_insensitive_dict import CaseInsensitiveDict  # noqa: E402
from principalmapper.querying.query_interface import local_check_authorization_full  # noqa: E402

EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def policy(document):
    return Policy("arn:aws:iam::000000000000:policy/p", "p", document)


def node(arn, policies, boundary):
    return Node(arn, "AROA", policies, [], {}, [], 0, False, False, boundary, False, {})


given = json.load(sys.stdin)
everything, guardrail = policy(EVERYTHING), policy(given["guardrail"])
boundary = policy({**EVERYTHING, "Statement": EVERYTHING["Statement"] + given["boundary"]["Statement"]})
uses = {
    "attached": ([everything, guardrail], None, None),
    "service control policy": ([everything], None, [[everything, guardrail]]),
    "boundary": ([everything], boundary, None),
}
for case in given["cases"]:
    for use, (policies, limit, organization) in uses.items():
        if case["use"] != "Every" and (case["use"] == "Boundary") != (use == "boundary"):
            continue
        arn = f"arn:aws:iam::000000000000:role/{case['principal']}"
        allowed = local_check_authorization_full(
            node(arn, policies, limit),
            case["action"],
            case["resource"],
            CaseInsensitiveDict({"aws:PrincipalArn": arn, **case["context"]}),
            service_control_policy_groups=organization,
        )
        if allowed != case["allowed"]:
            print(f"{use}: {case['principal']} {case['action']} {case['resource']} {case['context']}: {allowed}")
