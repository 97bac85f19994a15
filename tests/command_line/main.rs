//! The real binary, from the outside: exit code, standard output, standard error.

#[expect(clippy::unwrap_used, reason = "a test's panic is its report")]
mod browser;
#[expect(clippy::unwrap_used, reason = "a test's panic is its report")]
mod cloud;
#[expect(clippy::unwrap_used, reason = "a test's panic is its report")]
mod command_reference;
mod completions;
mod documentation;
mod drift_page;
mod environment_reference;
mod environment_schema;
mod follow_up;
mod gate;
#[expect(clippy::unwrap_used, reason = "a test's panic is its report")]
mod guardrail_page;
#[expect(clippy::unwrap_used, reason = "a test's panic is its report")]
mod init;
mod installations;
mod plan;
mod plan_page;
#[expect(clippy::unwrap_used, reason = "a test's panic is its report")]
mod recreation;
mod render;
mod states;
mod token;
mod validate;

use std::path::{Path, PathBuf};

use assert_cmd::Command;

/// The binary, run from the root of the project, in an environment that does not know
/// whose machine this is.
pub fn connect_scim() -> Command {
    #[expect(clippy::expect_used, reason = "cargo built the binary for this test")]
    let mut command = Command::cargo_bin("connect-scim").expect("the binary is built");
    command.current_dir(root()).env_clear().env("NO_COLOR", "1");
    command
}

/// The root of the project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Exit code, standard output and standard error, to compare with a snapshot.
pub fn outcome(command: &mut Command) -> String {
    #[expect(clippy::expect_used, reason = "a test's panic is its report")]
    let output = command.output().expect("the binary starts");
    let lines = |bytes: &[u8]| -> String {
        String::from_utf8_lossy(bytes)
            .lines()
            .map(|line| format!("{}\n", line.trim_end()))
            .collect()
    };
    format!(
        "exit code: {}\n--- stdout\n{}--- stderr\n{}",
        output
            .status
            .code()
            .map_or("none".into(), |code| code.to_string()),
        lines(&output.stdout),
        lines(&output.stderr)
    )
}
