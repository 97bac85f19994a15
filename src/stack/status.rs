//! The states of a CloudFormation stack, and what may be done in each.

use std::fmt;

/// `StackStatus` of a stack, matched in full; a state that AWS adds later is [`StackStatus::Other`].
///
/// Source: AWS CloudFormation User Guide, "Stack status codes".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StackStatus {
    /// An empty shell that a change set of type CREATE left behind.
    ReviewInProgress,
    /// Deployed, and open for updates: `CREATE_COMPLETE`, `UPDATE_COMPLETE`, `UPDATE_ROLLBACK_COMPLETE`, `IMPORT_COMPLETE`, `IMPORT_ROLLBACK_COMPLETE`.
    Deployed(String),
    /// The first deployment failed; the stack can only be deleted.
    RollbackComplete,
    /// An operation is going on: every `*_IN_PROGRESS` but `REVIEW_IN_PROGRESS`.
    InProgress(String),
    /// An operation stopped half way and somebody has to decide: every `*_FAILED`.
    Failed(String),
    /// Gone.
    DeleteComplete,
    /// A state unknown to this program.
    Other(String),
}

impl StackStatus {
    /// Reads the service's word.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        match word {
            "REVIEW_IN_PROGRESS" => Self::ReviewInProgress,
            "ROLLBACK_COMPLETE" => Self::RollbackComplete,
            "DELETE_COMPLETE" => Self::DeleteComplete,
            "CREATE_COMPLETE"
            | "UPDATE_COMPLETE"
            | "UPDATE_ROLLBACK_COMPLETE"
            | "IMPORT_COMPLETE"
            | "IMPORT_ROLLBACK_COMPLETE" => Self::Deployed(word.to_owned()),
            _ if word.ends_with("_IN_PROGRESS") => Self::InProgress(word.to_owned()),
            _ if word.ends_with("_FAILED") => Self::Failed(word.to_owned()),
            _ => Self::Other(word.to_owned()),
        }
    }

    /// Whether an operation is still going on.
    #[must_use]
    pub fn is_in_progress(&self) -> bool {
        matches!(self, Self::InProgress(_))
    }

    /// Whether the stack stands as its last operation intended.
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Deployed(word) if !word.contains("ROLLBACK"))
    }

    /// The service's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::ReviewInProgress => "REVIEW_IN_PROGRESS",
            Self::RollbackComplete => "ROLLBACK_COMPLETE",
            Self::DeleteComplete => "DELETE_COMPLETE",
            Self::Deployed(word)
            | Self::InProgress(word)
            | Self::Failed(word)
            | Self::Other(word) => word,
        }
    }
}

impl fmt::Display for StackStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::StackStatus;

    #[test]
    fn every_documented_state_has_a_class_and_keeps_its_word() {
        let classes: [(&str, fn(&StackStatus) -> bool); 23] = [
            ("CREATE_COMPLETE", |s| matches!(s, StackStatus::Deployed(_))),
            ("UPDATE_COMPLETE", |s| matches!(s, StackStatus::Deployed(_))),
            ("UPDATE_ROLLBACK_COMPLETE", |s| {
                matches!(s, StackStatus::Deployed(_))
            }),
            ("IMPORT_COMPLETE", |s| matches!(s, StackStatus::Deployed(_))),
            ("IMPORT_ROLLBACK_COMPLETE", |s| {
                matches!(s, StackStatus::Deployed(_))
            }),
            ("REVIEW_IN_PROGRESS", |s| {
                *s == StackStatus::ReviewInProgress
            }),
            ("ROLLBACK_COMPLETE", |s| *s == StackStatus::RollbackComplete),
            ("DELETE_COMPLETE", |s| *s == StackStatus::DeleteComplete),
            ("CREATE_IN_PROGRESS", StackStatus::is_in_progress),
            ("ROLLBACK_IN_PROGRESS", StackStatus::is_in_progress),
            ("DELETE_IN_PROGRESS", StackStatus::is_in_progress),
            ("UPDATE_IN_PROGRESS", StackStatus::is_in_progress),
            (
                "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
                StackStatus::is_in_progress,
            ),
            ("UPDATE_ROLLBACK_IN_PROGRESS", StackStatus::is_in_progress),
            (
                "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
                StackStatus::is_in_progress,
            ),
            ("IMPORT_IN_PROGRESS", StackStatus::is_in_progress),
            ("IMPORT_ROLLBACK_IN_PROGRESS", StackStatus::is_in_progress),
            ("CREATE_FAILED", |s| matches!(s, StackStatus::Failed(_))),
            ("ROLLBACK_FAILED", |s| matches!(s, StackStatus::Failed(_))),
            ("DELETE_FAILED", |s| matches!(s, StackStatus::Failed(_))),
            ("UPDATE_FAILED", |s| matches!(s, StackStatus::Failed(_))),
            ("UPDATE_ROLLBACK_FAILED", |s| {
                matches!(s, StackStatus::Failed(_))
            }),
            ("SOMETHING_NEW", |s| matches!(s, StackStatus::Other(_))),
        ];
        for (word, belongs) in classes {
            let status = StackStatus::parse(word);
            assert!(belongs(&status), "{word} became {status:?}");
            assert_eq!(status.to_string(), word);
        }
    }

    #[test]
    fn only_a_state_that_the_operation_intended_is_a_success() {
        for word in ["CREATE_COMPLETE", "UPDATE_COMPLETE"] {
            assert!(StackStatus::parse(word).is_success());
        }
        for word in [
            "UPDATE_ROLLBACK_COMPLETE",
            "ROLLBACK_COMPLETE",
            "DELETE_COMPLETE",
        ] {
            assert!(!StackStatus::parse(word).is_success());
        }
    }
}
