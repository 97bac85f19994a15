#!/usr/bin/env python3
"""How long a deployment takes, beside the tools that people would otherwise use.

    cargo build --release
    target/release/connect-scim build --out /tmp/packages
    python3 -m venv /tmp/peers && /tmp/peers/bin/pip install --no-deps --require-hashes -r benches/requirements.txt
    cp -r benches/cdk /tmp/peers && npm ci --prefix /tmp/peers/cdk
    /tmp/peers/bin/python benches/deployers.py target/release/connect-scim /tmp/packages /tmp/peers

The same template and the same packages for all, each tool in an empty local cloud of its
own, one after another, in rounds. In a round each tool

- makes the stack (`first`),
- changes one property of it (`change`: the threshold of an alarm),
- finds nothing to change (`unchanged`).

`plain` is no tool: a client that creates a change set, executes it and polls every 100 ms.
What it takes is the local cloud's own time. Printed are seconds (median) and the most
memory that the tool's process had resident.
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
STACK = "connect-scim-local"
BUCKET = "packages"
POLL_SECONDS = 0.1

program, packages, peers = (pathlib.Path(argument).resolve() for argument in sys.argv[1:4])
repository = pathlib.Path(__file__).resolve().parent.parent

CDK_APP = """
const cdk = require("aws-cdk-lib");
const assets = require("aws-cdk-lib/aws-s3-assets");
const include = require("aws-cdk-lib/cloudformation-include");
const [, , templateFile] = process.argv;
const app = new cdk.App();
const stack = new cdk.Stack(app, "%(stack)s", {
  env: { account: "000000000000", region: "us-east-1" },
  // The roles of the bootstrap are not let in by the local cloud.
  synthesizer: new cdk.CliCredentialsStackSynthesizer(),
});
const template = new include.CfnInclude(stack, "template", { templateFile });
for (const [id, zip] of Object.entries(require(templateFile + ".code.json"))) {
  const asset = new assets.Asset(stack, id + "Code", { path: zip });
  const resource = template.getResource(id);
  resource.addPropertyOverride("Code.S3Bucket", asset.s3BucketName);
  resource.addPropertyOverride("Code.S3Key", asset.s3ObjectKey);
}
""" % {"stack": STACK}


class Cloud:
    """A project with a local cloud of its own, and both templates of the stack."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        environments = self.directory / "environments"
        environments.mkdir()
        self.environment = environments / "local.yaml"
        shutil.copy(repository / "environments/local.yaml", self.environment)
        self.connect_scim("local", "up")
        status = json.loads(self.connect_scim("local", "status", "--format", "json"))
        self.url = next(s["url"] for s in status["services"] if s["service"] == "ministack")
        self.variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REGION": "us-east-1",
            "AWS_ACCOUNT_ID": "000000000000",
            "SAM_CLI_TELEMETRY": "0",
        }
        self.original = self.environment.read_text()

    def connect_scim(self, *arguments):
        return subprocess.run(
            [program, *arguments], cwd=self.directory, capture_output=True, text=True, check=True
        ).stdout

    def set_changed(self, changed):
        more = "alarms: { pendingMaxMinutes: 45 }\n" if changed else ""
        self.environment.write_text(f"{self.original}\n{more}")

    def template(self, changed):
        self.set_changed(changed)
        return json.loads(
            self.connect_scim(
                "render", "--env", "local", "--artifacts", str(packages), "--format", "json"
            )
        )

    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def timed(self, command, **variables):
        """Seconds, and the largest resident set in MB."""
        with open(self.directory / "log", "w") as log:
            started = time.perf_counter()
            process = subprocess.Popen(
                [str(part) for part in command],
                cwd=self.directory,
                env={**self.variables, **variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
        if os.waitstatus_to_exitcode(status) != 0:
            sys.exit(f"{command[0]} failed:\n{(self.directory / 'log').read_text()[-3000:]}")
        return seconds, usage.ru_maxrss / 1024

    def down(self):
        subprocess.run([program, "local", "down"], cwd=self.directory, capture_output=True)


def code_of(template):
    """The package of each function, by logical id."""
    zips = {path.stem.rsplit("-", 1)[0]: path for path in packages.glob("*.zip")}
    found = {}
    for identifier, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Lambda::Function":
            key = resource["Properties"]["Code"]["S3Key"]
            found[identifier] = next(path for name, path in zips.items() if name in key)
    return found


class ConnectScim:
    name = "connect-scim deploy"

    def __init__(self, cloud):
        self.cloud = cloud

    def deploy(self, changed):
        self.cloud.set_changed(changed)
        return self.cloud.timed(
            [program, "deploy", "--env", "local", "--artifacts", packages]
        )


class WithTemplate:
    """A tool that is given the template with the packages' paths in it."""

    def __init__(self, cloud):
        self.cloud = cloud
        cloud.client("s3").create_bucket(Bucket=BUCKET)
        for changed in (False, True):
            template = cloud.template(changed)
            for identifier, path in code_of(template).items():
                template["Resources"][identifier]["Properties"]["Code"] = str(path)
            self.file(changed).write_text(json.dumps(template))

    def file(self, changed):
        return self.cloud.directory / f"template-{'changed' if changed else 'first'}.json"


class Sam(WithTemplate):
    name = "sam deploy"

    def deploy(self, changed):
        return self.cloud.timed(
            [
                peers / "bin/sam", "deploy", "--template-file", self.file(changed),
                "--stack-name", STACK, "--s3-bucket", BUCKET, "--capabilities",
                "CAPABILITY_NAMED_IAM", "--no-confirm-changeset", "--no-fail-on-empty-changeset",
                "--region", "us-east-1",
            ]
        )


class AwsCli(WithTemplate):
    name = "aws cloudformation package && deploy"

    def deploy(self, changed):
        packaged = self.cloud.directory / "packaged.json"
        one = self.cloud.timed(
            [
                peers / "bin/aws", "cloudformation", "package", "--template-file",
                self.file(changed), "--s3-bucket", BUCKET, "--use-json",
                "--output-template-file", packaged,
            ]
        )
        two = self.cloud.timed(
            [
                peers / "bin/aws", "cloudformation", "deploy", "--template-file", packaged,
                "--stack-name", STACK, "--s3-bucket", BUCKET, "--capabilities",
                "CAPABILITY_NAMED_IAM", "--no-fail-on-empty-changeset",
            ]
        )
        return one[0] + two[0], max(one[1], two[1])


class Cdk:
    name = "cdk deploy"

    def __init__(self, cloud):
        self.cloud = cloud
        (cloud.directory / "app.js").write_text(CDK_APP)
        (cloud.directory / "node_modules").symlink_to(peers / "cdk/node_modules")
        for changed in (False, True):
            template = cloud.template(changed)
            file = self.file(changed)
            file.write_text(json.dumps(template))
            code = {name: str(path) for name, path in code_of(template).items()}
            pathlib.Path(f"{file}.code.json").write_text(json.dumps(code))
        cloud.timed([self.cdk(), "bootstrap", "aws://000000000000/us-east-1", "--app", ""])

    def cdk(self):
        return peers / "cdk/node_modules/.bin/cdk"

    def file(self, changed):
        return self.cloud.directory / f"template-{'changed' if changed else 'first'}.json"

    def deploy(self, changed):
        return self.cloud.timed(
            [
                self.cdk(), "deploy", STACK, "--app", f"node app.js {self.file(changed)}",
                "--require-approval", "never", "--no-notices",
            ]
        )


class Plain:
    name = "plain"

    def __init__(self, cloud):
        self.cloud = cloud
        self.cloudformation, self.s3 = cloud.client("cloudformation"), cloud.client("s3")
        self.runs = 0
        buckets = set()
        for changed in (False, True):
            template = cloud.template(changed)
            for identifier, path in code_of(template).items():
                code = template["Resources"][identifier]["Properties"]["Code"]
                if code["S3Bucket"] not in buckets:
                    self.s3.create_bucket(Bucket=code["S3Bucket"])
                    buckets.add(code["S3Bucket"])
                self.s3.upload_file(str(path), code["S3Bucket"], code["S3Key"])
            self.bucket = code["S3Bucket"]
            self.s3.put_object(
                Bucket=self.bucket, Key=str(changed), Body=json.dumps(template).encode()
            )

    def wait(self, describe, pending):
        while (status := describe()) in pending:
            time.sleep(POLL_SECONDS)
        return status

    def deploy(self, changed):
        started = time.perf_counter()
        self.runs += 1
        name = f"run{self.runs}"
        self.cloudformation.create_change_set(
            StackName=STACK,
            ChangeSetName=name,
            ChangeSetType="CREATE" if self.runs == 1 else "UPDATE",
            TemplateURL=f"{self.cloud.url}/{self.bucket}/{changed}",
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        status = self.wait(
            lambda: self.cloudformation.describe_change_set(StackName=STACK, ChangeSetName=name)[
                "Status"
            ],
            {"CREATE_PENDING", "CREATE_IN_PROGRESS"},
        )
        if status == "CREATE_COMPLETE":
            self.cloudformation.execute_change_set(StackName=STACK, ChangeSetName=name)
            status = self.wait(
                lambda: self.cloudformation.describe_stacks(StackName=STACK)["Stacks"][0][
                    "StackStatus"
                ],
                {
                    "REVIEW_IN_PROGRESS",
                    "CREATE_IN_PROGRESS",
                    "UPDATE_IN_PROGRESS",
                    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
                },
            )
            if status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
                sys.exit(f"the plain client's stack is {status}")
        return time.perf_counter() - started, 0.0


def main():
    wanted = sys.argv[4:]
    tools = [ConnectScim, Plain, Sam, AwsCli, Cdk]
    tools = [tool for tool in tools if not wanted or any(word in tool.name for word in wanted)]
    seconds, memory = {}, {}
    print(f"load of the machine: {os.getloadavg()[0]:.1f}", flush=True)
    for _ in range(ROUNDS):
        for tool in tools:
            with tempfile.TemporaryDirectory() as directory:
                cloud = Cloud(directory)
                try:
                    deployer = tool(cloud)
                    for step, changed in [
                        ("first", False), ("change", True), ("unchanged", True), ("unchanged", True),
                    ]:
                        took, resident = deployer.deploy(changed)
                        seconds.setdefault((tool.name, step), []).append(took)
                        memory[tool.name] = max(resident, memory.get(tool.name, 0))
                finally:
                    cloud.down()
    print("| | first | one property | unchanged | MB |\n|---|---|---|---|---|")
    for tool in tools:
        row = [f"{statistics.median(seconds[tool.name, step]):.2f}" for step in ("first", "change", "unchanged")]
        print(f"| {tool.name} | {' | '.join(row)} | {memory[tool.name]:.0f} |")
    print(f"load of the machine: {os.getloadavg()[0]:.1f}")


main()
