//! What a deployment has to do first, given the state that it finds the stack in.

use crate::stack::{StackEvent, StackStatus};

/// How a deployment begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Start {
    /// There is no stack, or an empty shell of one.
    Create,
    /// The stack stands; it may have to change.
    Update,
    /// The first deployment failed and what is left can only be deleted.
    DeleteThenCreate,
    /// Another operation is going on.
    Busy,
    /// Somebody has to decide.
    NeedsHuman,
}

impl Start {
    /// Whether what follows may change the stack.
    pub(super) fn changes_the_stack(&self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::DeleteThenCreate)
    }

    /// Decides by the state alone.
    pub(super) fn from(status: Option<&StackStatus>) -> Self {
        match status {
            None | Some(StackStatus::ReviewInProgress | StackStatus::DeleteComplete) => {
                Self::Create
            }
            Some(StackStatus::Deployed(_)) => Self::Update,
            Some(StackStatus::RollbackComplete) => Self::DeleteThenCreate,
            Some(StackStatus::InProgress(_)) => Self::Busy,
            Some(StackStatus::Failed(_) | StackStatus::Other(_)) => Self::NeedsHuman,
        }
    }
}

/// Who holds a busy stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Holder {
    /// An earlier run of this program that was bringing the very same thing: to be followed.
    SameDeployment {
        /// The token that all events of the operation carry.
        token: String,
    },
    /// Anybody else; with the operation's token if it carries one.
    Other(Option<String>),
}

impl Holder {
    /// Tells by the newest event of the stack; `token_prefix` marks the operations that
    /// bring what this run would bring.
    pub(super) fn from(newest: Option<&StackEvent>, token_prefix: &str) -> Self {
        match newest.and_then(|event| event.client_request_token.clone()) {
            Some(token) if token.starts_with(token_prefix) => Self::SameDeployment { token },
            token => Self::Other(token),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Start;
    use crate::stack::StackStatus;

    #[test]
    fn every_state_of_a_stack_has_a_defined_beginning() {
        let begin = |word: &str| Start::from(Some(&StackStatus::parse(word)));
        assert_eq!(Start::from(None), Start::Create);
        for word in ["REVIEW_IN_PROGRESS", "DELETE_COMPLETE"] {
            assert_eq!(begin(word), Start::Create, "{word}");
        }
        for word in [
            "CREATE_COMPLETE",
            "UPDATE_COMPLETE",
            "UPDATE_ROLLBACK_COMPLETE",
            "IMPORT_COMPLETE",
            "IMPORT_ROLLBACK_COMPLETE",
        ] {
            assert_eq!(begin(word), Start::Update, "{word}");
        }
        assert_eq!(begin("ROLLBACK_COMPLETE"), Start::DeleteThenCreate);
        for word in [
            "CREATE_IN_PROGRESS",
            "DELETE_IN_PROGRESS",
            "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        ] {
            assert_eq!(begin(word), Start::Busy, "{word}");
        }
        for word in [
            "CREATE_FAILED",
            "UPDATE_FAILED",
            "ROLLBACK_FAILED",
            "UPDATE_ROLLBACK_FAILED",
            "DELETE_FAILED",
            "A_STATE_OF_TOMORROW",
        ] {
            assert_eq!(begin(word), Start::NeedsHuman, "{word}");
        }
    }
}
