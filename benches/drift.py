#!/usr/bin/env python3
"""How long `drift` takes, what it asks of Amazon Connect, and what CloudFormation finds.

    target/debug/connect-scim build --out /tmp/packages
    python3 -m venv /tmp/peers && /tmp/peers/bin/pip install --no-deps --require-hashes -r benches/requirements.txt
    /tmp/peers/bin/python benches/drift.py target/debug/connect-scim /tmp/packages

In a local cloud of its own:

- a stack that nobody touched, looked at ten times;
- every tampering of the table that the tests use, one at a time: `drift`, and CloudFormation's
  DetectStackDrift with DescribeStackResourceDrifts, as its console and its command line show
  it. A tampering is found if the resources that it was done to are told; whatever else is told
  is a false alarm. What no stack holds (users and profiles in Connect) CloudFormation cannot
  find, and is counted as missed;
- an instance with ten thousand users: the calls that the simulator counts.
"""

import fcntl
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

repository = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(repository / "tests/local_cloud/drift"))

import tamperings  # noqa: E402

STACK = "connect-scim-local"
INSTANCE = "11111111-2222-4333-8444-555555555555"
RUNS = 10
USERS = 10_000

program, packages = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])


class Project:
    """A project with a local cloud of its own, and the stack that the tests tamper with."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        (self.directory / "environments").mkdir()
        text = (repository / "environments/local.yaml").read_text()
        settings = "drift:\n  watch: {}\n\nguardrails:\n  attachTo: {roles: [Administrator]}\n"
        text = text.replace("\nguardrails:\n", "\n" + settings)
        (self.directory / "environments/local.yaml").write_text(text)
        self.up()
        trust = {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::000000000000:root"},
            "Action": "sts:AssumeRole",
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        url, simulator = self.urls["ministack"], self.urls["connect-simulator"]
        bare = tamperings.Cloud.__new__(tamperings.Cloud)
        bare.url, bare.simulator = url, simulator
        bare.client("iam").create_role(
            RoleName="Administrator", AssumeRolePolicyDocument=document
        )
        self.run("deploy", "--env", "local", "--artifacts", packages, "--yes")
        # The command looks for its project in the current directory.
        reconcile = ["env", "-C", directory, program, "users", "reconcile", "--env", "local"]
        self.cloud = tamperings.Cloud(url, simulator, STACK, INSTANCE, reconcile)
        for name in tamperings.USERS:
            self.provision(name)

    def up(self):
        self.run("local", "up")
        status = json.loads(self.run("local", "status", "--format", "json").stdout)
        self.urls = {service["service"]: service["url"] for service in status["services"]}
        self.processes = {one["service"]: one["processId"] for one in status["services"]}
        self.simulator("settings", "PATCH", {"throttle": None})

    def run(self, *arguments, codes=(0,)):
        command = [str(part) for part in (program, *arguments)]
        done = subprocess.run(command, cwd=self.directory, capture_output=True, text=True)
        if done.returncode not in codes:
            sys.exit(f"{command} ended with {done.returncode}:\n{done.stderr}")
        return done

    def provision(self, name):
        """Has the endpoint make a user, as an identity provider would."""
        outputs = json.loads(self.run("outputs", "--env", "local", "--format", "json").stdout)
        token = self.run("token", "show", "--env", "local", "--reveal").stdout.strip()
        user = {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": f"{name}@example.com",
            "name": {"givenName": name.title(), "familyName": "Example"},
            "emails": [{"value": f"{name}@example.org", "type": "work", "primary": True}],
        }
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/scim+json",
        }
        send(outputs["OktaBaseUrl"] + "/Users", "POST", user, headers)

    def simulator(self, path, method="GET", body=None):
        url = f"{self.urls['connect-simulator']}/_simulator/{path}"
        return send(url, method, body, {"Content-Type": "application/json"})

    def drift(self):
        """The ids of all findings."""
        run = self.run(
            *("drift", "--env", "local", "--artifacts", packages),
            *("--no-trail", "--format", "json"),
            codes=(0, 4),
        )
        return {finding["id"] for finding in json.loads(run.stdout)["findings"]}

    def timed(self, codes=(0,)):
        """Seconds of one run, and the most memory that it had resident, in MB."""
        command = [program, "drift", "--env", "local", "--artifacts", packages]
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=self.directory,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        if os.waitstatus_to_exitcode(status) not in codes:
            sys.exit(f"drift ended with {os.waitstatus_to_exitcode(status)}, not {codes}")
        return time.perf_counter() - started, usage.ru_maxrss / 1024

    def cloudformation(self):
        """The logical ids of all resources that CloudFormation says have drifted."""
        client = self.cloud.cloudformation
        detection = client.detect_stack_drift(StackName=STACK)["StackDriftDetectionId"]
        while (
            client.describe_stack_drift_detection_status(StackDriftDetectionId=detection)[
                "DetectionStatus"
            ]
            == "DETECTION_IN_PROGRESS"
        ):
            time.sleep(0.1)
        drifts = client.describe_stack_resource_drifts(
            StackName=STACK, StackResourceDriftStatusFilters=["MODIFIED", "DELETED"]
        )
        return {drift["LogicalResourceId"] for drift in drifts["StackResourceDrifts"]}


def send(url, method, body, headers):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    with urllib.request.urlopen(request) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def untouched(project):
    runs = [project.timed() for _ in range(RUNS)]
    seconds, memory = zip(*runs)
    print(f"untouched: {statistics.median(seconds):.2f} s (median of {RUNS}), ", end="")
    print(f"at most {max(seconds):.2f} s and {max(memory):.0f} MB")


def side_by_side(project):
    counts = {"drift": [0, 0, 0], "CloudFormation": [0, 0, 0]}
    table = [function for functions in tamperings.TAMPERINGS.values() for function in functions]
    for function in table:
        tampering = function(project.cloud)
        expected = set(next(tampering))
        resources = {id.split(":")[1] for id in expected}
        results = {
            "drift": (expected, project.drift()),
            "CloudFormation": (resources, project.cloudformation()),
        }
        for name, (wanted, told) in results.items():
            counts[name][0 if wanted <= told else 1] += 1
            counts[name][2] += len(told - wanted)
        next(tampering, None)
    print(f"\n| {len(table)} tamperings | found | missed | false alarms |\n|---|---|---|---|")
    for name, numbers in counts.items():
        print(f"| {name} | " + " | ".join(map(str, numbers)) + " |")


def ten_thousand_users(project):
    """Fills the instance through the file in which the simulator keeps it."""
    file = project.directory / ".connect-scim/local/connect-simulator.json"
    port = project.urls["connect-simulator"].rsplit(":", 1)[1]
    os.kill(project.processes["connect-simulator"], signal.SIGTERM)
    state = json.loads(file.read_text())
    template = json.dumps(next(iter(state["users"].values())))
    for number in range(USERS):
        user = json.loads(template)
        id = f"00000000-0000-4000-8000-{number:012}"
        user["user"].update(
            Id=id,
            Arn=f"arn:aws:connect:us-east-1:000000000000:instance/{INSTANCE}/agent/{id}",
            Username=f"user{number}@example.com",
            Tags={},
        )
        state["users"][id] = user
    time.sleep(1)
    file.write_text(json.dumps(state))
    command = [program, "local", "connect-simulator", "--port", port, "--state", file]
    log = open(file.with_suffix(".log"), "a")
    # The sign of life by which the deployer knows its processes.
    fcntl.flock(log, fcntl.LOCK_EX)
    simulator = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    log.close()
    file.with_suffix(".pid").write_text(str(simulator.pid))
    try:
        time.sleep(5)
        project.simulator("settings", "PATCH", {"throttle": None})
        project.simulator("calls", "DELETE")
        seconds, memory = project.timed(codes=(4,))
        counts = project.simulator("calls")["counts"]
    finally:
        simulator.terminate()
    calls = {name: count["calls"] for name, count in counts.items() if count["calls"]}
    print(f"\n{USERS} users: {seconds:.2f} s, {memory:.0f} MB, calls of Amazon Connect: {calls}")


def main():
    with tempfile.TemporaryDirectory(prefix="drift-") as directory:
        project = Project(directory)
        try:
            untouched(project)
            side_by_side(project)
            ten_thousand_users(project)
        finally:
            project.run("local", "down")


if __name__ == "__main__":
    main()
