//! Questions to the person at the terminal that got no answer, or a no.

use crate::exit_code::Exit;

/// A question that could not be asked, or was not answered with yes.
#[derive(Debug, thiserror::Error)]
pub enum QuestionError {
    /// A confirmation could not be asked for.
    #[error("nobody can be asked here, and {flag} was not given")]
    ConfirmationNeeded {
        /// The flag that answers the question.
        flag: &'static str,
    },
    /// Something has to be known, and nobody can be asked.
    #[error("nobody can be asked here, and {flag} was not given")]
    AnswerNeeded {
        /// The flag that answers the question.
        flag: &'static str,
    },
    /// The answer was no.
    #[error("not confirmed; nothing was changed")]
    NotConfirmed,
}

impl QuestionError {
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::ConfirmationNeeded { .. } | Self::AnswerNeeded { .. } => Exit::Usage,
            Self::NotConfirmed => Exit::Failure,
        }
    }

    pub(super) fn hint(&self) -> Option<String> {
        match self {
            Self::ConfirmationNeeded { flag } => {
                Some(format!("add {flag} if that is what you want"))
            }
            Self::AnswerNeeded { flag } => Some(format!("add {flag}, or run it on a terminal")),
            Self::NotConfirmed => None,
        }
    }
}
