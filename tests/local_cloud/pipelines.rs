//! The scripts of `ci/` as GitHub and GitLab run them: with their variables, their files
//! and, for comments, a server that plays their API.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use test_support::{HttpAnswer, HttpServer};

use crate::project::{Project, Run, artifacts, finish};

/// A step of a job: its variables, and the files that it may write to.
struct Step<'a> {
    project: &'a Project,
    variables: Vec<(String, String)>,
}

impl<'a> Step<'a> {
    /// On GitHub, for the pull request 7 of a repository whose API is at `api`.
    fn on_github(project: &'a Project, api: &str) -> Self {
        let event = project.path().join("event.json");
        fs::write(&event, json!({"pull_request": {"number": 7}}).to_string()).unwrap();
        let step = Self {
            project,
            variables: Vec::new(),
        };
        step.with("GITHUB_ACTIONS", "true")
            .with("GITHUB_API_URL", api)
            .with("GITHUB_REPOSITORY", "example/contact-centre")
            .with("GITHUB_TOKEN", "a-token-of-github")
            .with("GITHUB_EVENT_PATH", event.to_str().unwrap())
            .with(
                "GITHUB_STEP_SUMMARY",
                project.file("summary").to_str().unwrap(),
            )
            .with("GITHUB_OUTPUT", project.file("output").to_str().unwrap())
    }

    fn with(mut self, variable: &str, value: &str) -> Self {
        self.variables.push((variable.to_owned(), value.to_owned()));
        self
    }

    /// Runs a script, and hands back what it appended to the summary and the outputs.
    fn run(&self, script: &str) -> (Run, String, String) {
        for file in ["summary", "output"] {
            fs::write(self.project.file(file), "").unwrap();
        }
        // The binary under test is `connect-scim` of this path.
        let binary = Path::new(env!("CARGO_BIN_EXE_connect-scim"));
        let path = format!(
            "{}:{}",
            binary.parent().unwrap().display(),
            std::env::var("PATH").unwrap()
        );
        let mut command = Command::new(repository().join("ci").join(script));
        command
            .current_dir(self.project.path())
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.project.path())
            .env("CI", "true")
            .env("CONNECT_SCIM_ENV", "local")
            .env("CONNECT_SCIM_TARGET", "")
            .env("CONNECT_SCIM_ARTIFACTS", artifacts())
            .env("CONNECT_SCIM_APPROVE", "")
            .envs(self.variables.iter().cloned());
        let cache = ["CONNECT_SCIM_CACHE", "XDG_CACHE_HOME"];
        for variable in cache {
            if let Some(value) = std::env::var_os(variable) {
                command.env(variable, value);
            }
        }
        let run = finish(&mut command);
        let read = |file: &str| fs::read_to_string(self.project.file(file)).unwrap();
        (run, read("summary"), read("output"))
    }
}

impl Project {
    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// GitHub with these comments; whatever is written is answered with an id.
fn github(comments: Value) -> HttpServer {
    HttpServer::start(move |request| match request.target.as_str() {
        "/graphql" => {
            let page = json!({"hasNextPage": false, "endCursor": null});
            let comments = json!({"nodes": comments, "pageInfo": page});
            let request = json!({"pullRequest": {"comments": comments}});
            HttpAnswer::ok(json!({"data": {"repository": request}}).to_string())
        }
        _ => HttpAnswer::ok(json!({"id": 1}).to_string()),
    })
}

/// A comment, by the token of the job or by someone else.
fn comment(id: u32, body: &str, own: bool) -> Value {
    json!({"databaseId": id, "body": body, "viewerDidAuthor": own})
}

/// The calls that a run made, without the one that lists comments.
fn written(api: &HttpServer) -> Vec<(String, String)> {
    let requests = api.requests().into_iter();
    let writes = requests.filter(|request| request.target != "/graphql" && request.method != "GET");
    writes
        .map(|request| (request.method, request.target))
        .collect()
}

#[test]
fn a_pull_request_is_shown_its_plan_and_main_deploys_it() {
    let project = Project::new();
    project.run(&["local", "up"]).expect_code(0);

    let api = github(json!([comment(3, "looks good", false)]));
    let (run, summary, output) = Step::on_github(&project, &api.url()).run("plan.sh");
    run.expect_code(0);
    assert!(summary.contains("connect-scim-local"), "{summary}");
    assert_eq!(output, "changes=true\n");
    let requests = api.requests();
    let [list, create] = requests.as_slice() else {
        panic!("{requests:?}");
    };
    let comments = "/repos/example/contact-centre/issues/7/comments";
    let query: Value = serde_json::from_str(&list.body).unwrap();
    assert_eq!(
        query["variables"],
        json!({
            "owner": "example", "name": "contact-centre", "number": 7, "page": 100, "after": null,
        })
    );
    assert_eq!(
        (create.method.as_str(), create.target.as_str()),
        ("POST", comments)
    );
    assert_eq!(
        create.header("authorization"),
        Some("Bearer a-token-of-github")
    );
    let body: Value = serde_json::from_str(&create.body).unwrap();
    let body = body["body"].as_str().unwrap();
    assert!(body.starts_with("<!-- connect-scim: local -->"), "{body}");
    assert!(
        body.ends_with(&summary),
        "the comment says what the summary says"
    );

    // The next push rewrites the comment, and no comment of someone else.
    let rewritten = "/repos/example/contact-centre/issues/comments/4";
    for (existing, method, target) in [
        (
            json!([comment(3, body, false), comment(4, body, true)]),
            "PATCH",
            rewritten,
        ),
        (json!([comment(3, body, false)]), "POST", comments),
    ] {
        let api = github(existing);
        let (run, ..) = Step::on_github(&project, &api.url()).run("plan.sh");
        run.expect_code(0);
        assert_eq!(written(&api), [(method.to_owned(), target.to_owned())]);
    }

    let (run, summary, output) = Step::on_github(&project, &api.url()).run("deploy.sh");
    run.expect_code(0);
    assert!(summary.contains("connect-scim-local"), "{summary}");
    assert_eq!(output, "changes=true\n");
    let (run, _, output) = Step::on_github(&project, &api.url()).run("deploy.sh");
    run.expect_code(0);
    assert_eq!(output, "changes=false\n", "it is deployed");
    the_drift_run_leaves_a_report_for_everybody(&project);
}

fn the_drift_run_leaves_a_report_for_everybody(project: &Project) {
    let (run, summary, output) = Step::on_github(project, "http://127.0.0.1:9").run("drift.sh");
    run.expect_code(0);
    assert_eq!(output, "drift=false\n");
    let report = |file: &str| {
        let path = project.file("connect-scim-out").join(file);
        fs::read_to_string(path).unwrap()
    };
    assert_eq!(report("drift.md"), summary);
    assert!(report("drift.html").starts_with("<!doctype html>"));
    assert!(report("drift.xml").contains("<testsuites>"));
    let sarif: Value = serde_json::from_str(&report("drift.sarif")).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
}

#[test]
fn a_wrong_environment_file_fails_the_job_and_is_annotated() {
    let project = Project::new();
    project.edit_environment("stackName:", "stakName:");
    let (run, _, output) = Step::on_github(&project, "http://127.0.0.1:9").run("plan.sh");
    let run = run.expect_code(3);
    assert!(
        run.stderr
            .contains("::error title=connect-scim,file=environments/local.yaml,line="),
        "{}",
        run.stderr
    );
    assert_eq!(output, "");
}

#[test]
fn gitlab_is_shown_the_plan_as_well_and_a_token_that_may_not_comment_is_no_failure() {
    let project = Project::new();
    fs::write(project.file("plan.md"), "nothing to do\n").unwrap();
    let show = |api: &HttpServer| {
        finish(
            Command::new("python3")
                .arg(repository().join("ci/comment.py"))
                .args(["prod", "plan.md"])
                .current_dir(project.path())
                .env("GITLAB_CI", "true")
                .env_remove("GITHUB_ACTIONS")
                .env("CI_API_V4_URL", api.url())
                .env("CI_PROJECT_ID", "42")
                .env("CI_MERGE_REQUEST_IID", "7")
                .env("GITLAB_TOKEN", "a-token-of-gitlab"),
        )
    };
    let gitlab = |notes: Value, update: u16| {
        HttpServer::start(
            move |request| match (request.method.as_str(), request.target.as_str()) {
                ("GET", "/user") => HttpAnswer::ok(json!({"id": 11}).to_string()),
                ("GET", _) => HttpAnswer::ok(notes.to_string()),
                ("PUT", _) => HttpAnswer::Respond(update, "{}".to_owned()),
                _ => HttpAnswer::ok(json!({"id": 1}).to_string()),
            },
        )
    };
    let note = |id: u32, author: u32| {
        let body = "<!-- connect-scim: prod -->\nold";
        json!({"id": id, "body": body, "author": {"id": author}})
    };
    let notes = "/projects/42/merge_requests/7/notes";
    let create = ("POST".to_owned(), notes.to_owned());
    let update = ("PUT".to_owned(), format!("{notes}/5"));
    for (existing, status, expected) in [
        (json!([note(4, 12), note(5, 11)]), 200, vec![update.clone()]),
        (json!([note(4, 12)]), 200, vec![create.clone()]),
        (json!([note(5, 11)]), 403, vec![update, create]),
    ] {
        let api = gitlab(existing, status);
        show(&api).expect_code(0);
        assert_eq!(written(&api), expected);
        for request in api.requests() {
            assert_eq!(request.header("private-token"), Some("a-token-of-gitlab"));
        }
    }

    let api = HttpServer::start(|_| HttpAnswer::Respond(403, "{}".to_owned()));
    let run = show(&api).expect_code(0);
    assert!(
        run.stderr.contains("the token may not comment"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("a-token-of-gitlab"));
}

/// What the action and the template say about scripts, inputs and variables holds together.
#[test]
fn the_action_and_the_template_run_scripts_that_are_there() {
    let text = fs::read_to_string(repository().join("action.yml")).unwrap();
    let action: Value = serde_yaml::from_str(&text).unwrap();
    for input in action["inputs"].as_object().unwrap().keys() {
        assert!(
            text.contains(&format!("${{{{ inputs.{input} }}}}")),
            "the input {input} is not used"
        );
    }
    let gitlab = fs::read_to_string(repository().join("ci/gitlab.yml")).unwrap();
    let jobs: Value = serde_yaml::from_str(&gitlab).unwrap();
    for command in ["plan", "deploy", "drift"] {
        let script = format!("ci/{command}.sh");
        assert_eq!(
            jobs[format!("connect-scim {command}")]["script"],
            json!(script)
        );
        assert!(repository().join(script).is_file());
    }
}

/// The files of the repository that have pipelines in them.
const PIPELINES: [&str; 4] = [
    "action.yml",
    "ci/gitlab.yml",
    "docs/ci.md",
    "docs/guardrails.md",
];

fn text(file: &str) -> String {
    fs::read_to_string(repository().join(file)).unwrap()
}

/// The blocks of a language in a document.
fn blocks(document: &str, language: &str) -> Vec<Value> {
    document
        .split(&format!("```{language}\n"))
        .skip(1)
        .map(|block| serde_yaml::from_str(block.split("\n```").next().unwrap()).unwrap())
        .collect()
}

/// The action or image that a line names, without the comment.
fn used(line: &str) -> Option<&str> {
    let line = line.trim_start().trim_start_matches("- ");
    let used = line
        .strip_prefix("uses: ")
        .or_else(|| line.strip_prefix("image: "))?;
    used.split(" # ").next()
}

#[test]
fn pipelines_use_actions_and_images_by_digest() {
    let mut files: Vec<String> = ["", ".github", ".github/workflows", "ci", "docs"]
        .into_iter()
        .filter_map(|directory| {
            let entries = fs::read_dir(repository().join(directory)).ok()?;
            Some(entries.map(move |entry| {
                let name = entry.unwrap().file_name();
                Path::new(directory).join(name).to_str().unwrap().to_owned()
            }))
        })
        .flatten()
        .filter(|file| {
            [".md", ".yml", ".yaml"]
                .iter()
                .any(|end| file.ends_with(end))
        })
        .filter(|file| text(file).lines().any(|line| used(line).is_some()))
        .collect();
    files.sort();
    assert_eq!(files, PIPELINES);
    let mut pinned = 0;
    for file in files {
        for used in text(&file).lines().filter_map(used) {
            if used.starts_with("./") {
                continue;
            }
            let (_, digest) = used.rsplit_once('@').unwrap_or_default();
            let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
            assert!(
                [40, 64].contains(&hex.len()) && hex.chars().all(|digit| digit.is_ascii_hexdigit()),
                "{file}: {used}"
            );
            pinned += 1;
        }
    }
    assert!(pinned > 10, "{pinned}");
}

#[test]
fn each_job_on_github_has_the_permissions_that_it_needs() {
    let both = [text("docs/ci.md"), text("docs/guardrails.md")];
    let workflows = both.iter().flat_map(|document| blocks(document, "yaml"));
    let mut found = Vec::new();
    for workflow in workflows.filter(|block| block["on"].is_object() || block["jobs"].is_object()) {
        assert_eq!(workflow["permissions"], json!({}), "{workflow}");
        for (name, job) in workflow["jobs"].as_object().unwrap() {
            let permissions = job["permissions"].as_object().unwrap().iter();
            let mut permissions: Vec<String> = permissions
                .map(|(permission, access)| format!("{permission}: {}", access.as_str().unwrap()))
                .collect();
            permissions.sort();
            found.push((name.clone(), permissions.join(", ")));
        }
    }
    found.sort();
    let expected = [
        ("advisories", "contents: read"),
        ("deploy", "contents: read, id-token: write"),
        (
            "drift",
            "actions: read, contents: read, id-token: write, security-events: write",
        ),
        ("guardrails", "contents: read, id-token: write"),
        (
            "plan",
            "contents: read, id-token: write, pull-requests: write",
        ),
    ]
    .map(|(job, permissions)| (job.to_owned(), permissions.to_owned()));
    assert_eq!(found, expected);
}

#[test]
fn code_that_is_not_reviewed_never_has_the_role_that_deploys() {
    let jobs: Value = serde_yaml::from_str(&text("ci/gitlab.yml")).unwrap();
    for (job, role) in [
        ("connect-scim plan", "$AWS_PLAN_ROLE_ARN"),
        ("connect-scim drift", "$AWS_PLAN_ROLE_ARN"),
        ("connect-scim deploy", "$AWS_DEPLOY_ROLE_ARN"),
    ] {
        assert_eq!(jobs[job]["variables"], json!({"AWS_ROLE_ARN": role}));
    }
    let shared = &jobs[".connect-scim"];
    assert!(!shared["variables"].to_string().contains("ROLE_ARN"));
    // Without a role, a job ends before it does anything. GitLab may pass the name of a variable
    // that is not set.
    let check = shared["before_script"][0].as_str().unwrap();
    for (role, code) in [
        ("", 2),
        ("$AWS_PLAN_ROLE_ARN", 2),
        ("arn:aws:iam::123456789012:role/connect-scim-plan", 0),
    ] {
        let mut command = Command::new("sh");
        let run = finish(command.args(["-c", check]).env("AWS_ROLE_ARN", role));
        run.expect_code(code);
    }

    let github: Value = blocks(&text("docs/ci.md"), "yaml").swap_remove(0);
    for (job, role) in [("plan", "plan"), ("drift", "plan"), ("deploy", "deploy")] {
        let steps = github["jobs"][job]["steps"].as_array().unwrap().iter();
        let roles: Vec<&str> = steps
            .filter_map(|step| step["with"]["role-to-assume"].as_str())
            .collect();
        let expected = format!("arn:aws:iam::123456789012:role/connect-scim-{role}");
        assert_eq!(roles, [expected.as_str()], "{job}");
    }

    // Whom the deploying role trusts: a protected environment, and a branch.
    let subjects: Vec<String> = blocks(&text("docs/ci.md"), "json")
        .iter()
        .map(|policy| {
            let condition = policy["Condition"]["StringEquals"].as_object().unwrap();
            let subject = condition.iter().find(|(key, _)| key.ends_with(":sub"));
            subject.unwrap().1.as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(
        subjects,
        [
            "repo:example/connect-scim:environment:prod",
            "project_path:example/connect-scim:ref_type:branch:ref:main",
        ]
    );
}
