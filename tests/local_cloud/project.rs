//! A project of its own for one test: the real binary, an environment file, a local
//! cloud, and the means to look into that cloud.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

/// A directory with `environments/local.yaml`, and a local cloud once something started it.
pub struct Project {
    directory: TempDir,
}

/// What a run of the binary left.
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// The function packages, built once for all tests.
pub fn artifacts() -> &'static Path {
    static ARTIFACTS: OnceLock<PathBuf> = OnceLock::new();
    ARTIFACTS.get_or_init(|| {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("artifacts");
        let run = finish(
            connect_scim(Path::new(env!("CARGO_MANIFEST_DIR")))
                .args(["build", "--out"])
                .arg(&directory),
        );
        assert_eq!(
            run.code,
            Some(0),
            "the functions could not be built:\n{}",
            run.stderr
        );
        directory
    })
}

/// The image of the directory sync, built once for all tests. Rust's musl target need not be
/// there: the C library of this machine does.
pub fn image() -> &'static Path {
    static IMAGE: OnceLock<PathBuf> = OnceLock::new();
    IMAGE.get_or_init(|| {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("image");
        let run = finish(
            connect_scim(Path::new(env!("CARGO_MANIFEST_DIR")))
                .args(["build", "--image", "--c-library", "glibc", "--out"])
                .arg(&directory),
        );
        assert_eq!(
            run.code,
            Some(0),
            "the image could not be built:\n{}",
            run.stderr
        );
        directory
    })
}

impl Project {
    /// A project with the repository's own `environments/local.yaml`.
    pub fn new() -> Self {
        let project = Self {
            directory: TempDir::with_prefix("connect-scim-").unwrap(),
        };
        fs::create_dir(project.directory.path().join("environments")).unwrap();
        let local = Path::new(env!("CARGO_MANIFEST_DIR")).join("environments/local.yaml");
        project.write_environment("local", &fs::read_to_string(local).unwrap());
        project
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn write_environment(&self, name: &str, text: &str) {
        fs::write(self.environment_file(name), text).unwrap();
    }

    /// Rewrites `environments/local.yaml`, and insists that there was something to replace.
    pub fn edit_environment(&self, from: &str, to: &str) {
        let file = self.environment_file("local");
        let text = fs::read_to_string(&file).unwrap();
        assert!(
            text.contains(from),
            "environments/local.yaml has no {from:?}"
        );
        fs::write(file, text.replace(from, to)).unwrap();
    }

    fn environment_file(&self, name: &str) -> PathBuf {
        self.path().join(format!("environments/{name}.yaml"))
    }

    /// The binary, in this project, with a scrubbed environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = connect_scim(self.path());
        command.args(arguments);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        finish(&mut self.command(arguments))
    }

    /// `deploy --env local` with the packages built once for all tests.
    pub fn deploy_command(&self) -> Command {
        let mut command = self.command(&["deploy", "--env", "local", "--artifacts"]);
        command.arg(artifacts());
        command
    }

    /// Deploys, and expects success.
    pub fn deploy(&self) -> Run {
        finish(&mut self.deploy_command()).expect_code(0)
    }

    /// The stack's outputs.
    pub fn outputs(&self) -> Value {
        let run = self
            .run(&["outputs", "--env", "local", "--format", "json"])
            .expect_code(0);
        serde_json::from_str(&run.stdout).unwrap()
    }

    /// The token of the default client.
    pub fn token(&self) -> String {
        let run = self
            .run(&["token", "show", "--env", "local", "--reveal"])
            .expect_code(0);
        run.stdout.trim_end().to_owned()
    }

    /// The URL of the local cloud.
    pub fn cloud_url(&self) -> String {
        let run = self
            .run(&["local", "status", "--format", "json"])
            .expect_code(0);
        let status: Value = serde_json::from_str(&run.stdout).unwrap();
        service_url(&status, "ministack")
    }

    /// The URL of the Connect simulator.
    pub fn simulator_url(&self) -> String {
        let run = self
            .run(&["local", "status", "--format", "json"])
            .expect_code(0);
        let status: Value = serde_json::from_str(&run.stdout).unwrap();
        service_url(&status, "connect-simulator")
    }

    /// Changes settings of the Connect simulator, such as `{"throttle": null}`.
    pub fn change_simulator(&self, settings: &Value) {
        let url = format!("{}/_simulator/settings", self.simulator_url());
        ureq::patch(&url)
            .content_type("application/json")
            .send(settings.to_string())
            .unwrap();
    }
}

fn service_url(status: &Value, service: &str) -> String {
    status["services"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["service"] == service)
        .and_then(|entry| entry["url"].as_str())
        .unwrap()
        .to_owned()
}

impl Drop for Project {
    fn drop(&mut self) {
        let _the_test_may_have_stopped_it = self.run(&["local", "down"]);
    }
}

impl Run {
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }
}

/// Variables that would let the machine's own settings into a test.
const FOREIGN: [&str; 10] = [
    "CI",
    "GITHUB_ACTIONS",
    "NO_COLOR",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_ENDPOINT_URL",
];

fn connect_scim(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_connect-scim"));
    command.current_dir(directory).stdin(Stdio::null());
    for variable in FOREIGN {
        command.env_remove(variable);
    }
    command
}

/// Runs a command to its end.
pub fn finish(command: &mut Command) -> Run {
    ended(command.output().unwrap())
}

/// Runs a command to its end, with something to read on standard input.
pub fn finish_with_input(command: &mut Command, input: &str) -> Run {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _it_may_have_left_unread = child.stdin.take().unwrap().write_all(input.as_bytes());
    ended(child.wait_with_output().unwrap())
}

fn ended(output: Output) -> Run {
    let Output {
        status,
        stdout,
        stderr,
    } = output;
    Run {
        code: status.code(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}
