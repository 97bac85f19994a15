//! A cloud that is played: it has one stack, or none, and answers what a deployer asks
//! before it changes anything. Whatever would change something is refused, and noted.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use test_support::{HttpAnswer, HttpRequest, HttpServer};

use crate::connect_scim;

/// How long a program on a terminal may take until it listens.
const PATIENCE: Duration = Duration::from_secs(60);

/// An environment without access logs needs nothing of the account's settings.
pub const BASE: &str = "api: {accessLogs: false}";

/// One throttle differs.
pub const THROTTLED: &str = "api: {accessLogs: false, throttle: {rate: 20, burst: 50}}";

/// What only looks.
const READING: [&str; 9] = [
    "GetCallerIdentity",
    "DescribeStacks",
    "DescribeStackEvents",
    "DescribeChangeSet",
    "DescribeEvents",
    "GetTemplate",
    "ListChangeSets",
    "ListStackResources",
    "GetStackPolicy",
];

/// The stack that the cloud has.
#[derive(Clone)]
pub struct PlayedStack {
    /// As YAML or JSON.
    pub template: String,
    /// `CREATE_COMPLETE`, …
    pub status: &'static str,
}

/// A project with the environment `test`, on a cloud that is played.
pub struct PlayedProject {
    directory: TempDir,
    server: HttpServer,
}

impl PlayedProject {
    /// A project whose environment file has more lines, on a cloud with this stack.
    pub fn new(lines: &str, stack: Option<PlayedStack>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("environments")).unwrap();
        write_artifacts(&directory.path().join("packages"));
        let project = Self {
            directory,
            server: HttpServer::start(move |request| answer(request, stack.as_ref())),
        };
        project.write_environment(lines);
        project
    }

    /// The same on a cloud that knows more answers: `more` is asked first, by the name of
    /// the call and with the number of such calls before it.
    pub fn answering(
        lines: &str,
        stack: Option<PlayedStack>,
        more: impl Fn(&str, usize) -> Option<HttpAnswer> + Send + Sync + 'static,
    ) -> Self {
        let mut project = Self::new(lines, None);
        let counts: Mutex<BTreeMap<String, usize>> = Mutex::default();
        project.server = HttpServer::start(move |request| {
            let call = call(request);
            let before = {
                let mut counts = counts.lock().unwrap();
                let count = counts.entry(call.clone()).or_default();
                *count += 1;
                *count - 1
            };
            more(&call, before).unwrap_or_else(|| answer(request, stack.as_ref()))
        });
        project
    }

    /// What was asked of the cloud.
    pub fn requests(&self) -> Vec<HttpRequest> {
        self.server.requests()
    }

    /// `connect-scim VERB --env test …`, for verbs that take no packages, such as `token show`.
    pub fn bare_command(&self, verb: &str, arguments: &[&str]) -> assert_cmd::Command {
        let mut command = connect_scim();
        command
            .current_dir(self.path())
            .envs(self.variables())
            .args(verb.split(' '))
            .args(["--env", "test"])
            .args(arguments);
        command
    }

    /// The same with the stack that another environment file would have made.
    pub fn deployed_as(deployed: &str, lines: &str) -> Self {
        let template = Self::new(deployed, None).render();
        Self::new(
            lines,
            Some(PlayedStack {
                template,
                status: "UPDATE_COMPLETE",
            }),
        )
    }

    /// The same on a cloud that knows more answers.
    pub fn deployed_as_answering(
        deployed: &str,
        lines: &str,
        more: impl Fn(&str, usize) -> Option<HttpAnswer> + Send + Sync + 'static,
    ) -> Self {
        let template = Self::new(deployed, None).render();
        let stack = PlayedStack {
            template,
            status: "UPDATE_COMPLETE",
        };
        Self::answering(lines, Some(stack), more)
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes `environments/test.yaml`.
    pub fn write_environment(&self, lines: &str) {
        fs::write(
            self.path().join("environments/test.yaml"),
            format!(
                "account: \"111122223333\"\nregion: eu-central-1\nstackName: scim\n\
                 connect: {{instanceId: 11111111-2222-4333-8444-555555555555}}\n{lines}\n"
            ),
        )
        .unwrap();
    }

    /// `connect-scim VERB --env test --artifacts packages …`
    pub fn command(&self, verb: &str, arguments: &[&str]) -> assert_cmd::Command {
        let mut command = connect_scim();
        command
            .current_dir(self.path())
            .envs(self.variables())
            .args([verb, "--env", "test", "--artifacts", "packages"])
            .args(arguments);
        command
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", self.server.url()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("NO_COLOR", "1".to_owned()),
        ]
    }

    pub fn render(&self) -> String {
        let output = self.command("render", &[]).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    }

    /// What was asked of the cloud that would have changed something.
    pub fn writing_calls(&self) -> Vec<String> {
        self.server
            .requests()
            .iter()
            .map(call)
            .filter(|call| !READING.contains(&call.as_str()))
            .collect()
    }

    /// Runs `connect-scim VERB …` on a terminal of so many columns, typing `answer` when
    /// something is asked. Returns the exit code and what the terminal shows.
    pub fn on_terminal(
        &self,
        columns: u16,
        verb: &str,
        arguments: &[&str],
        answer: &str,
    ) -> (Option<i32>, String) {
        let packages = match verb {
            "watch" | "recover" => "",
            _ => "--artifacts packages",
        };
        let line = format!("{verb} --env test {packages} {}", arguments.join(" "));
        let variables = self.variables();
        on_terminal(
            self.path(),
            &variables,
            columns,
            &line,
            &[(" go on: ", &format!("{answer}\n"))],
        )
    }
}

/// Runs `connect-scim LINE` on a terminal of so many columns. Each time that the next of the
/// `answers` is asked for (what is shown contains its first half), its second is typed: a
/// line, or keys that are heard one by one.
pub fn on_terminal(
    directory: &Path,
    variables: &[(&str, String)],
    columns: u16,
    line: &str,
    answers: &[(&str, &str)],
) -> (Option<i32>, String) {
    let program = env!("CARGO_BIN_EXE_connect-scim");
    let terminal_name = tempfile::NamedTempFile::new().unwrap();
    let line = format!(
        "tty > '{}'; stty -echo cols {columns} rows 50; exec '{program}' {line}",
        terminal_name.path().display()
    );
    let mut terminal = Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .current_dir(directory)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("SHELL", "/bin/sh")
        .env("TERM", "xterm")
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut keyboard = terminal.stdin.take().unwrap();
    let mut screen = terminal.stdout.take().unwrap();
    let mut answers = answers.iter().peekable();
    let mut shown = String::new();
    let mut seen = 0;
    let mut chunk = [0; 4096];
    loop {
        let length = screen.read(&mut chunk).unwrap();
        if length == 0 {
            break;
        }
        shown.push_str(&String::from_utf8_lossy(&chunk[..length]));
        while let Some((prompt, keys)) = answers.peek()
            && let Some(position) = shown[seen..].find(prompt)
        {
            seen += position + prompt.len();
            if !keys.ends_with('\n') {
                wait_until_keys_are_heard(terminal_name.path());
            }
            keyboard.write_all(keys.as_bytes()).unwrap();
            keyboard.flush().unwrap();
            answers.next();
        }
    }
    (terminal.wait().unwrap().code(), shown.replace('\r', ""))
}

/// Waits until the program has told the terminal to give it keys instead of lines: what is
/// typed between the question and that moment is lost.
fn wait_until_keys_are_heard(terminal_name: &Path) {
    let terminal = fs::read_to_string(terminal_name).unwrap();
    let begin = Instant::now();
    loop {
        let settings = Command::new("stty")
            .args(["--all", "--file", terminal.trim()])
            .output()
            .unwrap();
        if String::from_utf8_lossy(&settings.stdout).contains("-icanon") {
            return;
        }
        assert!(begin.elapsed() < PATIENCE, "no key is waited for");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// `DescribeStacks`, or method and path where the protocol names no operation.
fn call(request: &HttpRequest) -> String {
    let action = request.body.strip_prefix("Action=");
    // `AmazonSSM.GetParameter`
    let target = request.header("x-amz-target");
    action
        .and_then(|rest| rest.split('&').next())
        .or_else(|| Some(target?.rsplit_once('.')?.1))
        .map_or_else(
            || format!("{} {}", request.method, request.target),
            str::to_owned,
        )
}

fn answer(request: &HttpRequest, stack: Option<&PlayedStack>) -> HttpAnswer {
    let call = call(request);
    match (call.as_str(), stack) {
        ("GetCallerIdentity", _) => result(
            &call,
            "<Arn>arn:aws:iam::111122223333:user/deployer</Arn><UserId>AIDA</UserId><Account>111122223333</Account>",
        ),
        ("DescribeStacks", Some(stack)) => result(
            &call,
            &format!(
                "<Stacks><member><StackName>scim</StackName>\
                 <StackId>arn:aws:cloudformation:eu-central-1:111122223333:stack/scim/5d3e7c60</StackId>\
                 <CreationTime>2026-11-01T08:00:00Z</CreationTime>\
                 <StackStatus>{}</StackStatus></member></Stacks>",
                stack.status
            ),
        ),
        ("DescribeStacks", None) => refusal("ValidationError", "Stack with id scim does not exist"),
        ("GetTemplate", Some(stack)) => result(
            &call,
            &format!("<TemplateBody>{}</TemplateBody>", escaped(&stack.template)),
        ),
        ("ListChangeSets", _) => result(&call, "<Summaries></Summaries>"),
        _ => refusal("AccessDenied", "nothing can be changed here"),
    }
}

/// The answer to a call of CloudFormation or STS.
pub fn result(call: &str, body: &str) -> HttpAnswer {
    HttpAnswer::ok(format!(
        "<{call}Response><{call}Result>{body}</{call}Result>\
         <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></{call}Response>"
    ))
}

/// The refusal of a call of CloudFormation or STS.
pub fn refusal(code: &str, message: &str) -> HttpAnswer {
    HttpAnswer::Respond(
        400,
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
             <RequestId>1</RequestId></ErrorResponse>"
        ),
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// Packages that have nothing but a digest.
fn write_artifacts(directory: &Path) {
    fs::create_dir(directory).unwrap();
    let functions: serde_json::Map<_, _> = [
        "reconciler",
        "token-authorizer",
        "token-generator",
        "user-provisioning",
    ]
    .map(|function| {
        let file = format!("{function}.zip");
        fs::write(directory.join(&file), function).unwrap();
        let digest: String = Sha256::digest(function)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let entry = serde_json::json!({
            "file": file, "size": function.len(), "sha256": digest, "codeSha256": "",
        });
        (function.to_owned(), entry)
    })
    .into_iter()
    .collect();
    let manifest = serde_json::json!({
        "version": 1, "architecture": "x86_64", "inputs": "0".repeat(64), "functions": functions,
    });
    fs::write(directory.join("artifacts.json"), manifest.to_string()).unwrap();
}
