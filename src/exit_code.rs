//! The exit codes: a public interface that pipelines rely on. `docs/exit-codes.md` is made
//! of what stands here.

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

impl Exit {
    /// Every exit code.
    pub const ALL: [Self; 13] = [
        Self::Success,
        Self::Failure,
        Self::Usage,
        Self::InvalidEnvironment,
        Self::Changes,
        Self::NotFullyChecked,
        Self::RolledBack,
        Self::NeedsHuman,
        Self::Busy,
        Self::Credentials,
        Self::ApprovalNeeded,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// The number that the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// What it means, in Markdown.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Success => "Done, or nothing to do",
            Self::Failure => "Unexpected failure; a check of `doctor` or a step of `smoke` failed",
            Self::Usage => {
                "Wrong usage of the command line, or a question that nobody can be asked (`--yes`)"
            }
            Self::InvalidEnvironment => {
                "The environment file or the template is invalid, or CloudFormation refused the change set"
            }
            Self::Changes => "Changes are pending, or drift was found",
            Self::NotFullyChecked => "Drift could not be checked in full",
            Self::RolledBack => "The deployment failed and was rolled back",
            Self::NeedsHuman => "The stack is in a state that needs a person",
            Self::Busy => {
                "Another operation holds the stack, or `--timeout` passed while ours goes on"
            }
            Self::Credentials => "Credentials are missing, expired, or belong to another account",
            Self::ApprovalNeeded => {
                "The plan has to be approved, and nobody could be asked; nothing was changed"
            }
            Self::Interrupted => "Interrupted by Ctrl-C",
            Self::Terminated => "Interrupted by SIGTERM",
        }
    }

    /// What to do then, in Markdown.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Success => "",
            Self::Failure => "Read the last lines; repeating is safe.",
            Self::Usage => "`connect-scim help`",
            Self::InvalidEnvironment => "Correct the file; every problem has its line.",
            Self::Changes => "Look at them. Deploy changes; mend drift as each finding says.",
            Self::NotFullyChecked => "What could not be checked is named, with the reason.",
            Self::RolledBack => "The stack is as before; mend the cause and repeat.",
            Self::NeedsHuman => "The message says which, and what to do.",
            Self::Busy => "`deploy --wait`, or later; `watch` follows what goes on.",
            Self::Credentials => "Sign in; compare `account`.",
            Self::ApprovalNeeded => {
                "Review it with `plan`; the message names the flags that approve it."
            }
            Self::Interrupted => "What goes on in the cloud goes on there; `watch` follows it.",
            Self::Terminated => "The same.",
        }
    }

    /// The meaning of a code that this program ended with.
    #[must_use]
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|exit| i32::from(exit.code()) == code)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}
