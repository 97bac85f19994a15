//! Somebody with AWS's own client, who knows how to tamper with a stack.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use super::INSTANCE;
use crate::project::Project;

/// The process of `drift/somebody.py` with one of its tables.
pub struct Somebody {
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Somebody {
    /// Somebody with a table of tamperings, before a stack.
    pub fn with(project: &Project, table: &str, stack: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = test_support::python(&root.join("tests/requirements.txt"));
        let mut process = Command::new(python)
            .arg(root.join("tests/local_cloud/drift").join(table))
            .args([&project.cloud_url(), &project.simulator_url()])
            .args([stack, INSTANCE, env!("CARGO_BIN_EXE_connect-scim")])
            .args(["users", "reconcile", "--env", "local"])
            // No compiled module of the table beside it.
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(project.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            orders: process.stdin.take().unwrap(),
            answers: BufReader::new(process.stdout.take().unwrap()),
            process,
        }
    }

    /// Has an order carried out.
    pub fn say(&mut self, order: &str) -> Value {
        writeln!(self.orders, "{order}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{order} failed: see above"))
    }
}

impl Drop for Somebody {
    fn drop(&mut self) {
        let _it_may_have_ended = self.process.kill();
        let _it_was_killed = self.process.wait();
    }
}
