//! A checkout of its own for each test, whose cloud ends with the test.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tempfile::TempDir;

/// A temporary directory that looks like a checkout.
pub struct Checkout {
    directory: TempDir,
}

/// How a command ended and what it wrote.
pub struct Ended {
    pub exit_code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// What `local status --format json` says.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    pub health: Health,
    started_at: Option<String>,
    services: Vec<Service>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Service {
    service: String,
    health: Health,
    process_id: Option<i32>,
    url: Option<String>,
    log: PathBuf,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Health {
    Running,
    Stopped,
    Dead,
    Silent,
}

impl Checkout {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for name in ["environments", "crates/scim"] {
            fs::create_dir_all(directory.path().join(name)).unwrap();
        }
        Self { directory }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// `connect-scim local <verb>`, run in the checkout by somebody with AWS credentials.
    pub fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_connect-scim"));
        command
            .arg("local")
            .args(verb.split(' '))
            .current_dir(self.directory.path())
            .env("AWS_ACCESS_KEY_ID", "canary")
            .env("AWS_SECRET_ACCESS_KEY", "canary")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub fn run(&self, verb: &str) -> Ended {
        Ended::from(self.command(verb).output().unwrap())
    }

    pub fn run_in(&self, directory: &str, verb: &str) -> Ended {
        let mut command = self.command(verb);
        Ended::from(command.current_dir(self.path(directory)).output().unwrap())
    }

    pub fn succeed(&self, verb: &str) -> Ended {
        let ended = self.run(verb);
        assert_eq!(ended.exit_code, 0, "{verb}: {}", ended.stderr);
        ended
    }

    pub fn status(&self) -> Status {
        let ended = self.run("status --format json");
        serde_json::from_str(&ended.stdout).unwrap()
    }

    /// The pids of everything that was started for this checkout and still runs, in order.
    pub fn processes(&self) -> Vec<i32> {
        let folder = self.path(".connect-scim/local");
        let folder = folder.to_str().unwrap();
        let mut processes: Vec<i32> = fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(|process_id| {
                ["cmdline", "environ"].iter().any(|file| {
                    fs::read(format!("/proc/{process_id}/{file}"))
                        .is_ok_and(|content| String::from_utf8_lossy(&content).contains(folder))
                })
            })
            .collect();
        processes.sort_unstable();
        processes
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        let ended = self.run("down");
        if !thread::panicking() {
            assert_eq!(ended.exit_code, 0, "{}", ended.stderr);
            assert!(self.processes().is_empty());
        }
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            exit_code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Status {
    fn service(&self, name: &str) -> &Service {
        let of_name = |service: &&Service| service.service == name;
        self.services.iter().find(of_name).unwrap()
    }

    pub fn url(&self, service: &str) -> String {
        self.service(service).url.clone().unwrap()
    }

    /// The pids of the services, in order.
    pub fn process_ids(&self) -> Vec<i32> {
        let mut process_ids: Vec<_> = self
            .services
            .iter()
            .filter_map(|service| service.process_id)
            .collect();
        process_ids.sort_unstable();
        process_ids
    }

    /// Sends a signal to a service; after SIGKILL, waits until it has let go of its log.
    pub fn kill(&self, service: &str, signal: Signal) {
        let service = self.service(service);
        let process_id = Pid::from_raw(service.process_id.unwrap()).unwrap();
        kill_process(process_id, signal).unwrap();
        if signal == Signal::KILL {
            fs::File::open(&service.log).unwrap().lock_shared().unwrap();
        }
    }
}
