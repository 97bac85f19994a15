#!/usr/bin/env python3
"""How long `deploy --env local` takes, beside the local cloud's own time for the stack.

    target/debug/connect-scim build --out /tmp/packages
    python3 benches/deploy.py target/debug/connect-scim /tmp/packages

Needs boto3 (tests/requirements.txt). Works in a temporary project with a local cloud of
its own. Each round measures

- the first deployment, with the local cloud running and empty;
- deployments with nothing to change;
- the stack alone: the same template, given to CloudFormation by a plain client that
  creates a change set, executes it and polls every 100 ms.
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import boto3

ROUNDS = 3
UNCHANGED = 10
STACK = "connect-scim-local"
POLL_SECONDS = 0.1

program, packages = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
repository = pathlib.Path(__file__).resolve().parent.parent


def run(project, *arguments):
    """Runs the deployer; answers its standard output and the seconds it took."""
    started = time.perf_counter()
    done = subprocess.run(
        [program, *arguments], cwd=project, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        sys.exit(f"{arguments[0]} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout, seconds


def wait(describe, pending):
    while (status := describe()) in pending:
        time.sleep(POLL_SECONDS)
    return status


def create_stack(cloudformation, template_url):
    """Seconds from the change set to the finished stack."""
    started = time.perf_counter()
    cloudformation.create_change_set(
        StackName=STACK,
        ChangeSetName="first",
        ChangeSetType="CREATE",
        TemplateURL=template_url,
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    wait(
        lambda: cloudformation.describe_change_set(StackName=STACK, ChangeSetName="first")["Status"],
        {"CREATE_PENDING", "CREATE_IN_PROGRESS"},
    )
    cloudformation.execute_change_set(StackName=STACK, ChangeSetName="first")
    status = wait(
        lambda: cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"],
        {"REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS"},
    )
    seconds = time.perf_counter() - started
    if status != "CREATE_COMPLETE":
        sys.exit(f"the plain client's stack is {status}")
    return seconds


def clients(project):
    """CloudFormation and S3 of the project's local cloud."""
    status = json.loads(run(project, "local", "status", "--format", "json")[0])
    url = next(s["url"] for s in status["services"] if s["service"] == "ministack")
    return [
        boto3.client(
            service,
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        for service in ("cloudformation", "s3")
    ]


def deployed(project):
    """The template, and the packages by bucket and key."""
    cloudformation, s3 = clients(project)
    template = cloudformation.get_template(StackName=STACK)["TemplateBody"]
    objects = {
        (bucket["Name"], item["Key"]): s3.get_object(Bucket=bucket["Name"], Key=item["Key"])["Body"].read()
        for bucket in s3.list_buckets()["Buckets"]
        for item in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", [])
    }
    return template if isinstance(template, str) else json.dumps(template), objects


def measure(project):
    deploy = ("deploy", "--env", "local", "--artifacts", str(packages))
    first, unchanged, alone = [], [], []
    for _ in range(ROUNDS):
        run(project, "local", "up")
        first.append(run(project, *deploy)[1])
        unchanged += [run(project, *deploy)[1] for _ in range(UNCHANGED)]
        template, objects = deployed(project)
        run(project, "local", "down")

        # The plain client has as new a cloud, and finds the packages there.
        run(project, "local", "up")
        cloudformation, s3 = clients(project)
        for bucket in {bucket for bucket, _ in objects}:
            s3.create_bucket(Bucket=bucket)
        for (bucket, key), body in objects.items():
            s3.put_object(Bucket=bucket, Key=key, Body=body)
        # Beyond 51,200 bytes CloudFormation takes a template from S3 only.
        s3.put_object(Bucket=bucket, Key="plain.template", Body=template.encode())
        template_url = f"{s3.meta.endpoint_url}/{bucket}/plain.template"
        alone.append(create_stack(cloudformation, template_url))
        run(project, "local", "down")
    return first, unchanged, alone


def main():
    print(f"load of the machine: {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as project:
        environments = pathlib.Path(project, "environments")
        environments.mkdir()
        shutil.copy(repository / "environments/local.yaml", environments)
        try:
            first, unchanged, alone = measure(project)
        finally:
            subprocess.run([program, "local", "down"], cwd=project, capture_output=True, check=False)
    for name, seconds in [
        ("first deployment", first),
        ("the stack alone", alone),
        ("nothing to change", unchanged),
    ]:
        print(
            f"{name}: median {statistics.median(seconds):.2f} s of {len(seconds)}"
            f" ({min(seconds):.2f} to {max(seconds):.2f})"
        )
    print(f"load of the machine: {os.getloadavg()[0]:.1f}")


main()
