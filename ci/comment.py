#!/usr/bin/env python3
"""Shows a Markdown file in the pull request (GitHub) or merge request (GitLab) that the
pipeline runs for: one comment for each title, rewritten by every later run.

    comment.py TITLE FILE

Only a comment that the token itself has written is rewritten: someone else could write one
that looks the same, and edit the plan in it later.

Outside of a pull or merge request, and without a token, nothing happens. A token that may
not comment (that of a fork's pull request) is a warning, not a failure: the plan is in the
job's summary as well.
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
    """https://docs.github.com/rest/issues/comments, and GraphQL for `viewerDidAuthor`"""

    # The token of a job belongs to an app, which REST does not name.
    COMMENTS = """
        query($owner: String!, $name: String!, $number: Int!, $page: Int!, $after: String) {
          repository(owner: $owner, name: $name) {
            pullRequest(number: $number) {
              comments(first: $page, after: $after) {
                nodes { databaseId body viewerDidAuthor }
                pageInfo { hasNextPage endCursor }
              }
            }
          }
        }"""

    def __init__(self, environment, number):
        repository = environment["GITHUB_REPOSITORY"]
        api = environment.get("GITHUB_API_URL", "https://api.github.com")
        self.graphql = environment.get("GITHUB_GRAPHQL_URL", f"{api}/graphql")
        self.repository = f"{api}/repos/{repository}"
        self.comments = f"{self.repository}/issues/{number}/comments"
        owner, name = repository.split("/", 1)
        self.variables = {"owner": owner, "name": name, "number": number, "page": PAGE}
        self.headers = {
            "Authorization": f"Bearer {environment['GITHUB_TOKEN']}",
            "Accept": "application/vnd.github+json",
        }

    def own_comments(self):
        after = None
        while True:
            variables = {**self.variables, "after": after}
            body = {"query": self.COMMENTS, "variables": variables}
            answer = call(self, "POST", self.graphql, body)
            comments = answer["data"]["repository"]["pullRequest"]["comments"]
            for comment in comments["nodes"]:
                if comment["viewerDidAuthor"]:
                    yield comment["databaseId"], comment["body"]
            if not comments["pageInfo"]["hasNextPage"]:
                return
            after = comments["pageInfo"]["endCursor"]

    def update(self, identifier):
        return "PATCH", f"{self.repository}/issues/comments/{identifier}"


class GitLab:
    """https://docs.gitlab.com/api/notes/#merge-requests"""

    def __init__(self, environment, number):
        project = urllib.parse.quote(environment["CI_PROJECT_ID"], safe="")
        self.api = environment["CI_API_V4_URL"]
        self.comments = f"{self.api}/projects/{project}/merge_requests/{number}/notes"
        # The job's own token may not write notes.
        self.headers = {"PRIVATE-TOKEN": environment["GITLAB_TOKEN"]}

    def own_comments(self):
        user = call(self, "GET", f"{self.api}/user")["id"]
        page = 1
        while True:
            notes = call(self, "GET", f"{self.comments}?per_page={PAGE}&page={page}")
            for note in notes:
                if note["author"]["id"] == user:
                    yield note["id"], note["body"]
            if len(notes) < PAGE:
                return
            page += 1

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


def write(forge, mark, body):
    """Rewrites the comment of an earlier run, or writes a new one."""
    own = (identifier for identifier, text in forge.own_comments() if text.startswith(mark))
    identifier = next(own, None)
    if identifier is not None:
        try:
            call(forge, *forge.update(identifier), body)
            return
        except urllib.error.HTTPError as error:
            # Locked, or deleted since it was listed.
            if error.code not in (403, 404):
                raise
    call(forge, "POST", forge.comments, body)


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
        write(target, mark, body)
    except urllib.error.HTTPError as error:
        if error.code not in (401, 403):
            raise
        print(
            f"warning: the token may not comment ({error.code}); the plan is in the job's summary",
            file=sys.stderr,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
