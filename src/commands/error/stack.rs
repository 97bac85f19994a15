//! What is wrong with a stack, or went wrong with it.

use super::list;
use crate::commands::operation::Failure;
use crate::exit_code::Exit;
use crate::stack::{RetainedResource, StackStatus, ValidationProblem};

/// A stack that is not there, not free, not as it should be, or could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// The stack is not there.
    #[error("there is no stack {stack}")]
    NotDeployed {
        /// Its name.
        stack: String,
    },
    /// Another operation holds the stack.
    #[error("{stack} is busy: {status}{}", .token.as_deref().map(|token| format!(", operation {token}")).unwrap_or_default())]
    Busy {
        /// The stack's name.
        stack: String,
        /// Its state.
        status: String,
        /// The token of the operation that holds it.
        token: Option<String>,
        /// The environment, as it was named on the command line.
        environment: String,
    },
    /// The stack is in a state that this program must not change.
    #[error("{stack} is in the state {status}, which needs somebody's decision")]
    NeedsHuman {
        /// The stack's name.
        stack: String,
        /// The state.
        status: String,
        /// What to do.
        advice: String,
    },
    /// What a failed first deployment left in the account may hold data.
    #[error("{stack} was rolled back, and left data in the account: {}", list(.resources.iter().map(|resource| format!("{} {}", resource.resource_type, resource.physical_id))))]
    DataRetained {
        /// The stack's name.
        stack: String,
        /// The environment, as it was named on the command line.
        environment: String,
        /// What was left.
        resources: Vec<RetainedResource>,
    },
    /// Only what could not be undone can be left as it is.
    #[error("{} cannot be skipped", list(.named))]
    NotSkippable {
        /// What was to be skipped.
        named: Vec<String>,
        /// What can be.
        skippable: Vec<String>,
    },
    /// CloudFormation refused the change set.
    #[error("CloudFormation refused the change set for {stack}: {reason}{}", .problems.iter().map(|problem| format!("\n  {problem}")).collect::<String>())]
    ChangeSetRefused {
        /// The stack's name.
        stack: String,
        /// The service's reason.
        reason: String,
        /// What its validation found.
        problems: Vec<ValidationProblem>,
    },
    /// The operation failed. The first real cause comes last.
    #[error("{stack} {failure}")]
    OperationFailed {
        /// The stack's name.
        stack: String,
        /// The environment, as it was named on the command line.
        environment: String,
        /// How.
        failure: Box<Failure>,
    },
    /// The stack is protected from deletion.
    #[error("{stack} is protected")]
    Protected {
        /// The stack's name.
        stack: String,
    },
    /// The stack lacks an output or a resource that this program's templates have.
    #[error("the stack {stack} has no {what}")]
    Incomplete {
        /// The stack's name.
        stack: String,
        /// What it lacks.
        what: &'static str,
    },
    /// The stack has no such log.
    #[error("the stack {stack} has no log group of {source_name}")]
    NoLogGroup {
        /// What was asked for.
        source_name: String,
        /// The stack's name.
        stack: String,
    },
    /// The account has no API Gateway logging role.
    #[error(
        "access logs need the account's API Gateway logging role, and this account and region have none"
    )]
    NoLoggingRole,
}

impl StackError {
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::NoLoggingRole | Self::ChangeSetRefused { .. } => Exit::InvalidEnvironment,
            Self::Busy { .. } => Exit::Busy,
            Self::NeedsHuman { .. } | Self::DataRetained { .. } => Exit::NeedsHuman,
            Self::OperationFailed { failure, .. } => match failure.status {
                StackStatus::Failed(_) | StackStatus::Other(_) => Exit::NeedsHuman,
                _ => Exit::RolledBack,
            },
            Self::NotSkippable { .. } => Exit::Usage,
            Self::NotDeployed { .. }
            | Self::Protected { .. }
            | Self::Incomplete { .. }
            | Self::NoLogGroup { .. } => Exit::Failure,
        }
    }

    pub(super) fn hint(&self) -> String {
        match self {
            Self::NotDeployed { .. } => "`connect-scim deploy` makes it".to_owned(),
            Self::Busy { environment, .. } => format!(
                "`connect-scim watch --env {environment}` follows it; `deploy --wait` waits for it to end and deploys then"
            ),
            Self::NeedsHuman { advice, .. } => advice.clone(),
            Self::DataRetained { environment, .. } => format!(
                "`connect-scim recover --env {environment}` deletes the stack and leaves that in the account; `deploy` makes a new one then"
            ),
            Self::NotSkippable { skippable, .. } if skippable.is_empty() => {
                "nothing can be skipped in this state; leave `--skip` away".to_owned()
            }
            Self::NotSkippable { skippable, .. } => format!(
                "only what failed to be undone can be skipped: {}",
                list(skippable)
            ),
            Self::ChangeSetRefused { .. } => {
                "nothing was changed; mend what the reason names and deploy again".to_owned()
            }
            Self::OperationFailed {
                failure,
                environment,
                ..
            } => match failure.status {
                StackStatus::Failed(_) => {
                    format!("mend the cause, then `connect-scim recover --env {environment}`")
                }
                StackStatus::Other(_) => {
                    "mend the cause; `connect-scim status` shows where the stack stands".to_owned()
                }
                _ => "the stack is back where it was; mend the cause and deploy again".to_owned(),
            },
            Self::Protected { .. } => {
                "set `protected: false` in the environment file, deploy, and destroy then"
                    .to_owned()
            }
            Self::Incomplete { .. } => {
                "`connect-scim deploy` brings the stack up to date".to_owned()
            }
            Self::NoLogGroup { .. } => {
                "the access log is there with `api.accessLogs: true`; a function's log is made by the next `connect-scim deploy`".to_owned()
            }
            Self::NoLoggingRole => {
                "set `api.createAccountLoggingRole: true` to have the stack make it, or `api.accessLogs: false`".to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::StackError;
    use crate::commands::operation::Failure;
    use crate::exit_code::Exit;
    use crate::stack::StackStatus;

    fn ended(status: &str) -> StackError {
        StackError::OperationFailed {
            stack: "scim".to_owned(),
            environment: "prod".to_owned(),
            failure: Box::new(Failure {
                status: StackStatus::parse(status),
                cause: Vec::new(),
                not_undone: Vec::new(),
                logs: Vec::new(),
            }),
        }
    }

    #[test]
    fn how_an_operation_ended_decides_the_exit_code() {
        for status in ["ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"] {
            assert_eq!(ended(status).exit(), Exit::RolledBack, "{status}");
        }
        for status in [
            "UPDATE_ROLLBACK_FAILED",
            "ROLLBACK_FAILED",
            "DELETE_FAILED",
            "SOMETHING_NEW",
        ] {
            assert_eq!(ended(status).exit(), Exit::NeedsHuman, "{status}");
        }
    }
}
