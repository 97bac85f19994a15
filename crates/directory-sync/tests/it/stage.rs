//! The program between a real slapd and the simulator.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use identity_center_simulator::{Options, Simulator};
use serde_json::Value;

use crate::slapd::{PASSWORD, READER, Slapd};

pub struct Stage {
    pub slapd: Slapd,
    pub simulator: Simulator,
    pub directory: tempfile::TempDir,
}

impl Stage {
    /// A directory with `count` people, all in the group `aws-all`, and an empty server.
    pub async fn new(count: usize) -> Self {
        Self::with_entries(&ldif(count), &writable()).await
    }

    /// A directory with the entries of `ldif`, and lines of the configuration of slapd.
    pub async fn with_entries(ldif: &str, slapd: &str) -> Self {
        Self {
            slapd: Slapd::start(ldif, slapd),
            simulator: Simulator::start(Options::default()).await.unwrap(),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub fn configuration(&self, more: &str) -> PathBuf {
        self.configuration_of(
            "users: {searches: [{base: 'ou=People,dc=example,dc=test'}]}
groups: {names: ['aws-*']}",
            more,
        )
    }

    /// A configuration with lines of the section `source`, and lines of the root.
    pub fn configuration_of(&self, source: &str, more: &str) -> PathBuf {
        let path = self.directory.path().join("sync.yaml");
        let text = format!(
            "owner: corp
source:
  flavor: openLdap
  servers: ['ldaps://127.0.0.1:{}']
  certificateAuthorityFile: {}
  bindName: {READER}
  searchBases: ['dc=example,dc=test']
  {}
target:
  endpoint: {}
{more}",
            self.slapd.tls_port,
            self.slapd.authority().display(),
            source.replace('\n', "\n  "),
            self.simulator.endpoint()
        );
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Changes the directory. A record without a `changetype` is added.
    pub fn modify(&self, ldif: &str) {
        let file = self.directory.path().join("change.ldif");
        std::fs::write(&file, ldif).unwrap();
        let output = Command::new("ldapmodify")
            .args([
                "-a",
                "-x",
                "-H",
                &format!("ldap://127.0.0.1:{}", self.slapd.port),
            ])
            .args(["-D", READER, "-w", PASSWORD, "-f"])
            .arg(file)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    pub fn command(&self, verb: &str, configuration: &Path) -> Command {
        let mut command = program();
        command
            .arg(verb)
            .arg("--config")
            .arg(configuration)
            .env("DIRECTORY_SYNC_BIND_PASSWORD", PASSWORD)
            .env("DIRECTORY_SYNC_TOKEN", self.simulator.token());
        command
    }

    pub async fn json(&self, verb: &str, configuration: &Path) -> (i32, Value) {
        let mut command = self.command(verb, configuration);
        command.args(["--format", "json"]);
        let output = finish(command).await;
        let report = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code().unwrap(), report)
    }
}

pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_directory-sync"));
    for variable in [
        "DIRECTORY_SYNC_BIND_PASSWORD",
        "DIRECTORY_SYNC_TOKEN",
        "DIRECTORY_SYNC_CONFIG",
        "DIRECTORY_SYNC_CONFIGURATION",
        "DIRECTORY_SYNC_LOG_FORMAT",
        "DIRECTORY_SYNC_METRICS",
        "DIRECTORY_SYNC_TOKEN_EXPIRES",
    ] {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null());
    command
}

/// Runs it while the simulator goes on answering.
pub async fn finish(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

/// The account that reads may write as well, for the tests to change what it reads.
pub fn writable() -> String {
    format!("access to * by dn.exact=\"{READER}\" write by anonymous auth by * read")
}

fn ldif(count: usize) -> String {
    let mut ldif = String::new();
    let mut members = String::new();
    for number in 0..count {
        let name = format!("uid=u{number},ou=People,dc=example,dc=test");
        let _ = write!(
            ldif,
            "dn: {name}
objectClass: inetOrgPerson
uid: u{number}
cn: User {number}
givenName: Given
sn: Surname {number}
mail: u{number}@example.test

"
        );
        let _ = writeln!(members, "member: {name}");
    }
    let _ = write!(
        ldif,
        "dn: cn=aws-all,ou=Groups,dc=example,dc=test\nobjectClass: groupOfNames\ncn: aws-all\n{members}\n"
    );
    ldif
}
