#!/usr/bin/env python3
"""PyPI's scim2-server, given the requests of `cargo bench -p endpoint-load`, which runs
this where SCIM2_SERVER_PYTHON names an interpreter that has scim2-server.

As there, no network is in the figures: the WSGI application is called in this process,
from the request's bytes to the answer's. Its store is memory, with 100 users.
"""

import io
import json
import os
import resource
import time
import urllib.parse

from scim2_models import ScimProvider
from scim2_server.applications.wsgi import WSGIApplication
from scim2_server.memory import InMemoryStorage
from scim2_server.service import ScimService
from scim2_server.utils import (
    load_default_resource_types,
    load_default_schemas,
    load_default_service_provider_config,
)

REQUESTS, PAGES, WARM_UP, PAGE = 400, 30, 10, 100
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

provider = ScimProvider.from_discovery(
    load_default_schemas().values(),
    load_default_resource_types().values(),
    config=load_default_service_provider_config(),
)
application = WSGIApplication(
    InMemoryStorage(), provider, ScimService(provider, secret="not a secret, only a bench")
)


def user(number):
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "userName": f"user{number}@example.com",
        "externalId": f"00u{number}",
        "name": {"givenName": "Ada", "familyName": "Lovelace", "formatted": "Ada Lovelace"},
        "displayName": "Ada Lovelace",
        "emails": [{"value": f"user{number}@example.com", "type": "work", "primary": True}],
        "phoneNumbers": [{"value": "+4930123456", "type": "work"}],
        "title": "Countess",
        "locale": "en-GB",
        ENTERPRISE: {"employeeNumber": str(number), "organization": "Analytical Engines"},
        "active": True,
    }


def send(method, path, query="", body=b""):
    status = []
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_TYPE": "application/scim+json",
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    answer = b"".join(application(environ, lambda line, headers, *rest: status.append(line)))
    assert status[0].startswith("2"), (status, answer)
    return answer


def measure(name, requests, make):
    for number in range(WARM_UP):
        send(*make(number))
    times, used = [], 0.0
    for number in range(WARM_UP, WARM_UP + requests):
        request = make(number)
        used_before, started = time.thread_time(), time.perf_counter()
        send(*request)
        times.append(time.perf_counter() - started)
        used += time.thread_time() - used_before
    times.sort()
    print(
        f"| {name} | {times[requests // 2] * 1e3:.3f} | {times[requests * 99 // 100] * 1e3:.3f}"
        f" | {requests / used:.0f} |"
    )


def main():
    ids = []
    for number in range(PAGE):
        answer = send("POST", "/v2/Users", body=json.dumps(user(number)).encode())
        ids.append(json.loads(answer)["id"])
    target = f"/v2/Users/{ids[0]}"
    filtered = urllib.parse.urlencode({"filter": 'userName eq "user0@example.com"'})
    patch = json.dumps(
        {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "title", "value": "Engineer"}],
        }
    ).encode()
    print(f"load of the machine: {os.getloadavg()[0]:.1f}")
    print("| request | median ms | 99th percentile ms | per second of processor time |")
    print("|---|---|---|---|")
    measure("get", REQUESTS, lambda _: ("GET", target))
    measure("filter", REQUESTS, lambda _: ("GET", "/v2/Users", filtered))
    measure("PATCH", REQUESTS, lambda _: ("PATCH", target, "", patch))
    measure("page of 100", PAGES, lambda _: ("GET", "/v2/Users", "startIndex=1&count=100"))
    # Last, because it adds users.
    measure(
        "create",
        REQUESTS,
        lambda number: ("POST", "/v2/Users", "", json.dumps(user(PAGE + number)).encode()),
    )
    most_resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(f"resident at most: {most_resident:.1f} MB")


main()
