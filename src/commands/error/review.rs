//! Why a plan was not carried out.

use std::path::PathBuf;

use crate::exit_code::Exit;
use crate::plan::Approval;

/// A plan that could not be read, no longer holds, or was not approved.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// The file is no plan.
    #[error("{} is no plan", .path.display())]
    NotAPlan {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The plan was made by another version of this program.
    #[error("{} is a plan of version {version}, which this connect-scim cannot carry out", .path.display())]
    PlanVersion {
        /// The file.
        path: PathBuf,
        /// The version of its format.
        version: u32,
    },
    /// What a saved plan rests on has changed.
    #[error("{} cannot be carried out: {change}; nothing was changed", .path.display())]
    StalePlan {
        /// The file.
        path: PathBuf,
        /// The environment.
        environment: String,
        /// What has changed.
        change: &'static str,
    },
    /// The plan has to be approved, and nobody can be asked.
    #[error(
        "{}; nobody can be asked here, and nothing was changed",
        approval_needed(stack, missing)
    )]
    ApprovalNeeded {
        /// The stack.
        stack: String,
        /// Whether `--yes` was given.
        yes: bool,
        /// What has to be approved by name.
        missing: Vec<Approval>,
    },
    /// Users would be removed, and their number was not confirmed.
    #[error(
        "{users} would be removed from Amazon Connect for good, and {}; nothing was changed",
        match confirmed {
            None => "that has not been confirmed".to_owned(),
            Some(number) => format!("--confirm-removals says {number}"),
        }
    )]
    RemovalsNotConfirmed {
        /// How many would be removed, in words.
        users: String,
        /// How many would be.
        number: usize,
        /// How many were confirmed.
        confirmed: Option<usize>,
        /// The environment, as it was named on the command line.
        environment: String,
    },
}

impl ReviewError {
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::NotAPlan { .. } | Self::PlanVersion { .. } => Exit::Usage,
            Self::StalePlan { .. } => Exit::Failure,
            Self::ApprovalNeeded { .. } | Self::RemovalsNotConfirmed { .. } => Exit::ApprovalNeeded,
        }
    }

    pub(super) fn hint(&self) -> String {
        match self {
            Self::NotAPlan { .. } | Self::PlanVersion { .. } => {
                "`connect-scim plan --out FILE` makes one".to_owned()
            }
            Self::StalePlan {
                path, environment, ..
            } => format!(
                "review a new one: `connect-scim plan --env {environment} --out {}`",
                path.display()
            ),
            Self::RemovalsNotConfirmed {
                number,
                environment,
                ..
            } => format!(
                "`connect-scim users list --env {environment} --unmanaged` names them; if that is what you want, add --yes --confirm-removals {number}"
            ),
            Self::ApprovalNeeded { yes, missing, .. } => {
                let flags = (!yes).then(|| "--yes".to_owned()).into_iter().chain(
                    missing
                        .iter()
                        .map(|approval| format!("--approve {}", approval.word())),
                );
                format!(
                    "if that is what you want, add {}",
                    flags.collect::<Vec<_>>().join(" ")
                )
            }
        }
    }
}

/// `scim-prod: permissions are broadened, and resources are replaced or data is lost`
fn approval_needed(stack: &str, missing: &[Approval]) -> String {
    let reasons: Vec<&str> = missing
        .iter()
        .map(|approval| approval.describes())
        .collect();
    if reasons.is_empty() {
        format!("{stack} would change, and that has not been approved")
    } else {
        format!("{stack} would change so that {}", reasons.join(", and "))
    }
}
