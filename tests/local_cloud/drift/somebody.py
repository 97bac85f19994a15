"""Somebody who goes past the deployment, through the plain AWS APIs.

A table of tamperings is a module of functions. Each is one tampering: it does it, yields the
ids of the findings that `drift` has to come to, and undoes it. Those of one run touch different
things, so that one run of `drift` checks all of them.

The caller speaks one line at a time, and each answer is one line of JSON: `users` the names of
the users that there have to be, `runs` the names of the runs, `apply RUN` what is to be found
(tampering -> ids), `undo` when all is as before.
"""

import inspect
import json
import subprocess
import sys

import boto3

EVERYTHING = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)

TAMPERINGS = {}


def tampering(run):
    """Puts a function into the table."""

    def register(function):
        TAMPERINGS.setdefault(run, []).append(function)
        return function

    return register


class Cloud:
    """The cloud in the hands of somebody who goes past the deployment."""

    def __init__(self, url, simulator, stack, instance, reconcile):
        self.url, self.simulator, self.instance = url, simulator, instance
        self._reconcile = reconcile
        resources = self.client("cloudformation").get_paginator("list_stack_resources")
        pages = resources.paginate(StackName=stack)
        self.ids = {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for page in pages
            for resource in page["StackResourceSummaries"]
        }

    def client(self, service):
        url = self.simulator if service == "connect" else self.url
        return boto3.client(
            service,
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def __getattr__(self, service):
        client = self.client({"lambda_": "lambda"}.get(service, service))
        setattr(self, service, client)
        return client

    def user(self, name):
        """The Connect user of a name, and its SCIM id."""
        users = self.connect.search_users(InstanceId=self.instance, MaxResults=500)["Users"]
        user = next(user for user in users if user["Username"] == name)
        described = self.connect.describe_user(InstanceId=self.instance, UserId=user["Id"])
        return described["User"], described["User"]["Tags"]["scim:id"]

    def profile(self, name):
        """The id of a security profile."""
        profiles = self.connect.list_security_profiles(InstanceId=self.instance)
        summaries = profiles["SecurityProfileSummaryList"]
        return next(profile["Id"] for profile in summaries if profile["Name"] == name)

    def reconcile(self, scim_id):
        """Has the operator's command bring the user back."""
        subprocess.run([*self._reconcile, scim_id], check=True, capture_output=True)


def main(users=()):
    cloud = Cloud(*sys.argv[1:5], sys.argv[5:])
    applied = []
    for line in sys.stdin:
        command, _, run = line.strip().partition(" ")
        if command == "users":
            answer = list(users)
        elif command == "runs":
            answer = list(TAMPERINGS)
        elif command == "apply":
            applied = [(function.__name__, function(cloud)) for function in TAMPERINGS[run]]
            answer = {name: next(one) for name, one in applied}
        else:
            # The last one first, as with everything that is put on top of another.
            for _, one in reversed(applied):
                next(one, None)
                assert inspect.getgeneratorstate(one) == inspect.GEN_CLOSED
            answer = None
        print(json.dumps(answer), flush=True)
