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
        let deployed = [
            "CREATE_COMPLETE",
            "UPDATE_COMPLETE",
            "UPDATE_ROLLBACK_COMPLETE",
            "IMPORT_COMPLETE",
            "IMPORT_ROLLBACK_COMPLETE",
        ];
        let in_progress = [
            "CREATE_IN_PROGRESS",
            "ROLLBACK_IN_PROGRESS",
            "DELETE_IN_PROGRESS",
            "UPDATE_IN_PROGRESS",
            "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
            "UPDATE_ROLLBACK_IN_PROGRESS",
            "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
            "IMPORT_IN_PROGRESS",
            "IMPORT_ROLLBACK_IN_PROGRESS",
        ];
        let failed = [
            "CREATE_FAILED",
            "ROLLBACK_FAILED",
            "DELETE_FAILED",
            "UPDATE_FAILED",
            "UPDATE_ROLLBACK_FAILED",
            "IMPORT_ROLLBACK_FAILED",
        ];
        let class = |words: &[&str], make: fn(String) -> StackStatus| {
            for word in words {
                assert_eq!(StackStatus::parse(word), make((*word).to_owned()));
                assert_eq!(StackStatus::parse(word).to_string(), *word);
            }
        };
        class(&deployed, StackStatus::Deployed);
        class(&in_progress, StackStatus::InProgress);
        class(&failed, StackStatus::Failed);
        class(&["SOMETHING_NEW"], StackStatus::Other);
        class(&["REVIEW_IN_PROGRESS"], |_| StackStatus::ReviewInProgress);
        class(&["ROLLBACK_COMPLETE"], |_| StackStatus::RollbackComplete);
        class(&["DELETE_COMPLETE"], |_| StackStatus::DeleteComplete);
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
