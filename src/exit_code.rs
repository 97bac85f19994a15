//! The exit codes: a public interface that pipelines rely on.

use std::process::ExitCode;

/// How a command ended, as seen by the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or nothing to do.
    Success = 0,
    /// Unexpected failure.
    Failure = 1,
    /// Wrong usage of the command line.
    Usage = 2,
    /// The environment file or the template is invalid.
    InvalidEnvironment = 3,
    /// Changes are pending (`plan`) or drift was found (`drift`).
    Changes = 4,
    /// Drift could not be checked in full.
    NotFullyChecked = 5,
    /// The deployment failed and was rolled back.
    RolledBack = 6,
    /// The stack is in a state that needs a person.
    NeedsHuman = 7,
    /// Another operation holds the stack.
    Busy = 8,
    /// Credentials are missing, expired, or belong to another account.
    Credentials = 9,
    /// The plan needs an approval, and nobody could be asked for it; nothing was changed.
    ApprovalNeeded = 10,
    /// Interrupted by Ctrl-C; the operation in the cloud goes on.
    Interrupted = 130,
    /// Interrupted by SIGTERM; the operation in the cloud goes on.
    Terminated = 143,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}
