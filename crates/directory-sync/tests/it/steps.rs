//! A directory that changes step by step, with a run after each step.

use std::path::PathBuf;
use std::vec::IntoIter;

use serde_json::Value;

use crate::stage::{Stage, finish, writable};

/// The steps of a file: LDIF records below a line `# step N`.
pub struct Steps {
    pub stage: Stage,
    pub configuration: PathBuf,
    rest: IntoIter<String>,
}

/// The result of a step.
#[derive(Debug)]
pub struct Outcome {
    /// Exit code of `run`.
    pub exit: i32,
    /// Number of write calls.
    pub writes: usize,
    /// The report; `null` if the run ended with an error.
    pub report: Value,
    /// Standard error.
    pub errors: String,
}

impl Steps {
    /// `source` has lines of the section `source`, and `more` lines of the root.
    pub async fn new(ldif: &str, source: &str, more: &str) -> Self {
        let stage = Stage::with_entries("", &writable()).await;
        let configuration = stage.configuration_of(source, more);
        let steps: Vec<String> = ldif
            .split("# step ")
            .skip(1)
            .map(|step| step.split_once('\n').unwrap().1.to_owned())
            .collect();
        Self {
            stage,
            configuration,
            rest: steps.into_iter(),
        }
    }

    /// Applies the next step and runs twice: the second run has the same exit code and sends no
    /// write.
    pub async fn next(&mut self) -> Outcome {
        self.next_with(&[]).await
    }

    /// The same, with arguments for both runs.
    pub async fn next_with(&mut self, arguments: &[&str]) -> Outcome {
        self.stage.modify(&self.rest.next().unwrap());
        let first = self.run(arguments).await;
        let second = self.run(arguments).await;
        assert_eq!((second.exit, second.writes), (first.exit, 0), "{second:?}");
        first
    }

    /// One run.
    pub async fn run(&self, arguments: &[&str]) -> Outcome {
        self.stage.simulator.forget_calls();
        let mut command = self.stage.command("run", &self.configuration);
        command.args(["--format", "json"]).args(arguments);
        let output = finish(command).await;
        Outcome {
            exit: output.status.code().unwrap(),
            writes: self.stage.simulator.writes(),
            report: serde_json::from_slice(&output.stdout).unwrap_or_default(),
            errors: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The user names of all active users, sorted.
    pub fn active(&self) -> Vec<String> {
        let users = self.stage.simulator.users().into_iter();
        let active = users.filter(|user| user["active"] == true);
        let mut names: Vec<String> = active
            .map(|user| user["userName"].as_str().unwrap().to_owned())
            .collect();
        names.sort_unstable();
        names
    }

    /// The user names of the active members of a group, sorted.
    pub fn members(&self, group: &str) -> Vec<String> {
        let members = self.stage.simulator.members(group).unwrap();
        let active = self.active();
        active
            .into_iter()
            .filter(|name| members.contains(name))
            .collect()
    }
}
