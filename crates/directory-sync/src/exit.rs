//! How the program ends: the codes of `connect-scim`, as far as they apply.

use std::process::ExitCode;

/// How a command ended, as seen by the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or nothing to do.
    Success = 0,
    /// Unexpected failure, such as a directory that cannot be reached. Nothing was written.
    Failure = 1,
    /// Wrong usage of the command line.
    Usage = 2,
    /// The configuration is invalid.
    InvalidConfiguration = 3,
    /// Changes are pending (`plan`), or the server differs from the directory (`verify`).
    Changes = 4,
    /// Something could not be done or checked; the report says what.
    Incomplete = 5,
    /// A password or token is missing or refused.
    Credentials = 9,
    /// The removals exceed a safety limit and are not confirmed; nothing was written.
    ApprovalNeeded = 10,
    /// Interrupted by Ctrl-C.
    Interrupted = 130,
    /// Interrupted by SIGTERM.
    Terminated = 143,
}

impl Exit {
    /// The number that the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shell_sees_the_number() {
        let shown = |code: ExitCode| format!("{code:?}");
        for (exit, number) in [
            (Exit::Success, 0),
            (Exit::Incomplete, 5),
            (Exit::ApprovalNeeded, 10),
            (Exit::Terminated, 143),
        ] {
            assert_eq!(exit.code(), number);
            assert_eq!(shown(exit.into()), shown(ExitCode::from(number)));
        }
    }
}
