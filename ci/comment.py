#!/usr/bin/env python3
"""Shows a Markdown file in the pull request (GitHub) or merge request (GitLab) that the
pipeline runs for: one comment for each title, rewritten by every later run.

    comment.py TITLE FILE

Outside of a pull or merge request, and without a token, nothing happens. A token that may
not comment (that of a fork's pull request) is a warning, not a failure: the plan stands in
the job's summary all the same.
"""

import json
import os
import pathlib
import sys
import urllib.error
import urllib.parse
import urllib.request

# GitHub takes 65,536 characters, GitLab a million.
LONGEST = 65_000
PAGE = 100


class GitHub:
    """https://docs.github.com/rest/issues/comments"""

    def __init__(self, environment, number):
        repository = environment["GITHUB_REPOSITORY"]
        api = environment.get("GITHUB_API_URL", "https://api.github.com")
        self.repository = f"{api}/repos/{repository}"
        self.comments = f"{self.repository}/issues/{number}/comments"
        self.headers = {
            "Authorization": f"Bearer {environment['GITHUB_TOKEN']}",
            "Accept": "application/vnd.github+json",
        }

    def update(self, identifier):
        return "PATCH", f"{self.repository}/issues/comments/{identifier}"


class GitLab:
    """https://docs.gitlab.com/api/notes/#merge-requests"""

    def __init__(self, environment, number):
        project = urllib.parse.quote(environment["CI_PROJECT_ID"], safe="")
        api = environment["CI_API_V4_URL"]
        self.comments = f"{api}/projects/{project}/merge_requests/{number}/notes"
        # The job's own token may not write notes.
        self.headers = {"PRIVATE-TOKEN": environment["GITLAB_TOKEN"]}

    def update(self, identifier):
        return "PUT", f"{self.comments}/{identifier}"


def forge(environment):
    """Where this pipeline's request is, or None."""
    if environment.get("GITHUB_ACTIONS") == "true":
        event = json.loads(pathlib.Path(environment["GITHUB_EVENT_PATH"]).read_text())
        number = event.get("pull_request", {}).get("number")
        if number and environment.get("GITHUB_TOKEN"):
            return GitHub(environment, number)
    elif environment.get("GITLAB_CI") == "true":
        number = environment.get("CI_MERGE_REQUEST_IID")
        if number and environment.get("GITLAB_TOKEN"):
            return GitLab(environment, number)
    return None


def call(forge, method, url, body=None):
    request = urllib.request.Request(
        url,
        method=method,
        headers={**forge.headers, "Content-Type": "application/json"},
        data=None if body is None else json.dumps(body).encode(),
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def earlier(forge, mark):
    """The comment that an earlier run wrote."""
    page = 1
    while True:
        comments = call(forge, "GET", f"{forge.comments}?per_page={PAGE}&page={page}")
        for comment in comments:
            if comment["body"].startswith(mark):
                return comment["id"]
        if len(comments) < PAGE:
            return None
        page += 1


def main(title, path):
    target = forge(os.environ)
    if target is None:
        return
    mark = f"<!-- connect-scim: {title} -->"
    text = pathlib.Path(path).read_text()
    if len(text) > LONGEST:
        text = text[:LONGEST] + "\n\n(cut; the whole plan is in the job's files)\n"
    body = {"body": f"{mark}\n### connect-scim: {title}\n\n{text}"}
    try:
        identifier = earlier(target, mark)
        method, url = ("POST", target.comments) if identifier is None else target.update(identifier)
        call(target, method, url, body)
    except urllib.error.HTTPError as error:
        if error.code not in (401, 403):
            raise
        print(
            f"warning: the token may not comment ({error.code}); the plan is in the job's summary",
            file=sys.stderr,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
