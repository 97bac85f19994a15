//! What `doctor` and `smoke` found to be wrong.

use crate::exit_code::Exit;
use crate::smoke;

/// Something that does not work as it should.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// `doctor` found what has to be mended.
    #[error("{failures} of the checks failed")]
    Unwell {
        /// How many.
        failures: usize,
    },
    /// The endpoint did not do what it should.
    #[error("the endpoint failed to {step}")]
    SmokeFailed {
        /// What was tried.
        step: &'static str,
        /// What happened.
        source: Box<smoke::Failure>,
    },
}

impl HealthError {
    pub(super) const EXIT: Exit = Exit::Failure;

    pub(super) fn hint(&self) -> Option<String> {
        match self {
            Self::Unwell { .. } => None,
            Self::SmokeFailed { .. } => Some(
                "`connect-scim logs --since 5m` shows what the functions did; docs/operations.md has a table of causes".to_owned(),
            ),
        }
    }
}
