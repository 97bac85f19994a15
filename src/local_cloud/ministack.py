"""MiniStack, with one route more: whether the signer of a request may make it. Systems Manager
authorizes reading parameters by a path against that path, as on AWS.

Amazon Connect is none of MiniStack's services, so that its IAM engine is never asked
about calls to Connect. The Connect simulator asks here, and so what a policy denies is
denied on this machine too. Signatures are not verified: that takes the secret key of the
signer, which only MiniStack has, and a request as it was signed, which only the simulator
has.

POST /_connect-scim/authorize
    {"accessKeyId": "...", "sessionToken": "..." or null,
     "action": "connect:CreateUser", "resources": ["arn:...", ...],
     "context": {"connect:InstanceId": "..."}}
answers
    {"principal": "arn:..."}                                     allowed on all resources
    {"principal": "arn:...", "denied": {"resource": "arn:...", "explicit": true}}
    {"error": {"code": "...", "message": "..."}}                 nobody's credentials
"""

import json

import ministack.app as ministack
from ministack.core import iam_actions
from ministack.core import iam_evaluator as iam
from ministack.core.responses import get_region, set_request_account_id
from ministack.services import iam as iam_service

PATH = "/_connect-scim/authorize"
LARGEST_BODY = 1 << 20

answer_of_ministack = ministack.app
resource_of_ministack = iam_actions.extract_resource_arn


def resource_arn(service, method, path, headers, body, query_params, region, account_id):
    """The resource that a request is authorized against.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-retrieval-authorization.html
    """
    arn = resource_of_ministack(service, method, path, headers, body, query_params, region, account_id)
    if service != "ssm" or arn != "*":
        return arn
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return arn
    names = request.get("Names") if isinstance(request, dict) else None
    name = names[0] if isinstance(names, list) and len(names) == 1 else None
    requested = request.get("Path") if isinstance(request, dict) else None
    parameter = requested or name
    if not isinstance(parameter, str):
        return arn
    return f"arn:aws:ssm:{region}:{account_id}:parameter/{parameter.lstrip('/')}"


iam_actions.extract_resource_arn = resource_arn


def principal_arn(principal):
    """`aws:PrincipalArn`: of a role's session the ARN of the role, which MiniStack does not have so."""
    if principal.type != "AssumedRole":
        return principal.arn
    name = iam._role_name_from_assumed_arn(principal.arn)
    role = iam_service._roles.get_scoped(principal.account, None, name) or {}
    return role.get("Arn", principal.arn)


def authorize(question):
    key = question["accessKeyId"]
    set_request_account_id(key)
    account = iam.find_iam_access_key_account(key)
    credential = iam.resolve_credential(key, account, question.get("sessionToken") or "")
    if isinstance(credential, iam.CredentialResolutionError):
        return {"error": {"code": credential.code, "message": credential.message}}
    set_request_account_id(credential.account_id)
    principal = iam.resolve_principal(key, credential.account_id, credential)
    if isinstance(principal, iam.AuthError):
        return {"error": {"code": principal.code, "message": principal.message}}
    answer = {"principal": principal.arn}
    if principal.policies is None:
        return answer
    given = {name.lower(): value for name, value in question.get("context", {}).items()}
    for resource in question["resources"]:
        context = iam.EvalContext(
            principal_arn=principal_arn(principal),
            principal_type=principal.type,
            principal_account=principal.account,
            action=question["action"],
            resource_arn=resource,
            region=get_region(),
            service_context={"aws:tagkeys": None, **given},
            principal_keys=principal.keys,
        )
        decision = iam.evaluate(context, principal.policies, *principal.limits).decision
        if decision != "Allow":
            return {**answer, "denied": {"resource": resource, "explicit": decision == "Deny"}}
    return answer


async def body_of(receive):
    body = b""
    while len(body) < LARGEST_BODY:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return body


async def app(scope, receive, send):
    if scope["type"] != "http" or scope["path"] != PATH:
        await answer_of_ministack(scope, receive, send)
        return
    answer = json.dumps(authorize(json.loads(await body_of(receive)))).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


ministack.app = app

if __name__ == "__main__":
    ministack.main()
