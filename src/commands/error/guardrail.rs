//! Why the guardrails could not be put in place.

use crate::exit_code::Exit;
use crate::guardrail::{Missing, TooLarge, Use};

/// A guardrail that could not be rendered or applied.
#[derive(Debug, thiserror::Error)]
pub enum GuardrailError {
    /// The stack lacks what the guardrail is about.
    #[error("{source}")]
    Incomplete {
        /// What it lacks.
        #[from]
        source: Missing,
    },
    /// The policy is larger than the service takes.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// A service control policy would bind whoever deploys.
    #[error(
        "the environment names nobody who deploys, and a service control policy binds everybody in the account"
    )]
    NobodyDeploys,
    /// The environment names nobody whose boundary the guardrail would be.
    #[error("the stack {stack} has no guardrail for use as a permissions boundary")]
    NoBoundary {
        /// The stack's name.
        stack: String,
    },
    /// Somebody has another permissions boundary.
    #[error(
        "{principal} has the permissions boundary {boundary}, which the guardrail would replace; nothing was changed"
    )]
    OtherBoundary {
        /// Who has it.
        principal: String,
        /// Its ARN.
        boundary: String,
    },
    /// The plan has to be approved, and nobody can be asked.
    #[error(
        "{changes} would change, and that has not been approved; nobody can be asked here, and nothing was changed"
    )]
    ApprovalNeeded {
        /// What would change: `2 attachments`.
        changes: String,
    },
    /// Some of the changes failed.
    #[error("{failed} of {changes} failed")]
    PartlyFailed {
        /// How many.
        failed: usize,
        /// Of how many.
        changes: usize,
    },
}

impl GuardrailError {
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::TooLarge(_) | Self::NobodyDeploys => Exit::InvalidEnvironment,
            Self::ApprovalNeeded { .. } => Exit::ApprovalNeeded,
            Self::Incomplete { .. }
            | Self::NoBoundary { .. }
            | Self::OtherBoundary { .. }
            | Self::PartlyFailed { .. } => Exit::Failure,
        }
    }

    pub(super) fn hint(&self) -> String {
        match self {
            Self::Incomplete { .. } => {
                "another version of connect-scim deployed it; `connect-scim deploy` brings it up to date"
            }
            Self::TooLarge(TooLarge { used_as: Use::ManagedPolicy | Use::ServiceControlPolicy, .. }) => {
                "name fewer principals under `guardrails.exemptPrincipals` and `guardrails.deployers`: a pattern such as role/break-glass/* stands for several"
            }
            Self::NobodyDeploys => {
                "name the role that deploys under `guardrails.deployers`, or as `roleArn`, and deploy"
            }
            Self::NoBoundary { .. } => {
                "name roles or users under `guardrails.boundaryOf`, and deploy"
            }
            Self::OtherBoundary { .. } => {
                "a principal has one boundary: add the statements of `connect-scim guardrails render --boundary` to that one, or attach the guardrail to the principal (`guardrails.attachTo`)"
            }
            Self::ApprovalNeeded { .. } => "if that is what you want, add --yes",
            Self::PartlyFailed { .. } => {
                "mend what stands above, and run it again: what is done stays as it is"
            }
        }
        .to_owned()
    }
}
