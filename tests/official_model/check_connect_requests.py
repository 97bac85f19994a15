"""Checks requests to Amazon Connect against the API model of AWS's own client.

Reads from standard input a JSON array of requests, each with `method`, `target` (path and
query) and `body`. Prints the operation of each, one a line; or says what does not fit the
model, and ends with 1.
"""

import json
import re
import sys
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator


def pattern(request_uri):
    """A regular expression for a path such as /users/{InstanceId}/{UserId}."""
    path = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", request_uri.split("?")[0])
    return re.compile(f"^{path}$")


def find(model, method, path):
    """The operation of a method and path, and the values of the path's labels."""
    for name in model.operation_names:
        operation = model.operation_model(name)
        if operation.http["method"] == method:
            match = pattern(operation.http["requestUri"]).match(path)
            if match:
                return operation, {key: unquote(value) for key, value in match.groupdict().items()}
    raise SystemExit(f"no operation of the model is {method} {path}")


def convert(shape, values):
    """A value of the query string as the type that the model gives it."""
    if shape.type_name == "list":
        return values
    return int(values[0]) if shape.type_name == "integer" else values[0]


def parameters(operation, labels, query, body):
    """All parameters of a request, by the names of the model's members."""
    members = operation.input_shape.members
    parameters = dict(body or {})
    for name, shape in members.items():
        location = shape.serialization.get("location")
        wire_name = shape.serialization.get("name", name)
        if location == "uri":
            parameters[name] = labels[wire_name]
        elif location == "querystring" and wire_name in query:
            parameters[name] = convert(shape, query.pop(wire_name))
    if query:
        raise SystemExit(f"{operation.name} knows no query parameter {', '.join(query)}")
    return parameters


def check(model, request):
    target = urlsplit(request["target"])
    operation, labels = find(model, request["method"], target.path)
    sent = parameters(operation, labels, parse_qs(target.query), request["body"])
    report = ParamValidator().validate(sent, operation.input_shape)
    if report.has_errors():
        raise SystemExit(f"{operation.name}: {report.generate_report()}")
    return operation.name


def main():
    model = ServiceModel(Loader().load_service_model("connect", "service-2"))
    try:
        for request in json.load(sys.stdin):
            print(check(model, request))
    except SystemExit as problem:
        print(problem)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
