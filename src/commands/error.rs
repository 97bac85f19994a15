//! Everything that can go wrong in a command, with its exit code and the next step.

use std::process::ExitCode;

use crate::artifact::{self, UploadError};
use crate::cloud::{self, ServiceError, ServiceErrorKind};
use crate::exit_code::Exit;
use crate::report::github::{Annotation, Level};
use crate::stack::{FollowError, Followed, StackStatus, first_cause};
use crate::token::{MalformedToken, NoRandomness};
use crate::{environment, local_cloud, smoke, template};

/// A failure of a command.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written, or the operating system refused something.
    #[error("failed to {action}")]
    Io {
        /// What was tried, with the path.
        action: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The environment file is invalid.
    #[error(transparent)]
    Environment(#[from] environment::Error),
    /// The template could not be rendered.
    #[error(transparent)]
    Template(#[from] template::Error),
    /// The functions could not be built or their packages not be read.
    #[error(transparent)]
    Artifact(#[from] artifact::Error),
    /// The packages could not be uploaded.
    #[error(transparent)]
    Upload(#[from] UploadError),
    /// A deployed template could not be read.
    #[error("failed to read the deployed template")]
    DeployedTemplate(#[from] template::CanonicalError),
    /// The local cloud could not be started or asked.
    #[error(transparent)]
    LocalCloud(#[from] local_cloud::Error),
    /// There is no way to the cloud.
    #[error(transparent)]
    Cloud(#[from] cloud::Error),
    /// A service refused or could not be reached.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The environment lives in the local cloud, and that does not run.
    #[error("the local cloud is not running")]
    LocalCloudDown {
        /// The environment's name.
        environment: String,
    },
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
    },
    /// The operation goes on, but this run will not see its end.
    #[error("{stack}: {source}")]
    NotSeenThrough {
        /// The stack's name.
        stack: String,
        /// Why.
        source: FollowError,
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
    /// CloudFormation refused the change set.
    #[error("CloudFormation refused the change set for {stack}: {reason}")]
    ChangeSetRefused {
        /// The stack's name.
        stack: String,
        /// The service's reason.
        reason: String,
    },
    /// The operation failed. The first real cause comes last.
    #[error("{stack} ended in the state {status}\n{cause}")]
    OperationFailed {
        /// The stack's name.
        stack: String,
        /// The state that it came to rest in.
        status: StackStatus,
        /// The first event that was no echo of another one.
        cause: String,
    },
    /// The stack is protected from deletion.
    #[error("{stack} is protected")]
    Protected {
        /// The stack's name.
        stack: String,
    },
    /// A question could not be asked.
    #[error("nobody can be asked here, and {flag} was not given")]
    ConfirmationNeeded {
        /// The flag that answers the question.
        flag: &'static str,
    },
    /// The answer was no.
    #[error("not confirmed; nothing was changed")]
    NotConfirmed,
    /// The account has no API Gateway logging role.
    #[error(
        "access logs need the account's API Gateway logging role, and this account and region have none"
    )]
    NoLoggingRole,
    /// It is not clear which client is meant.
    #[error("{}", match .named { Some(name) => format!("the environment has no client {name}"), None => "the environment has several clients".to_owned() })]
    WhichClient {
        /// What was asked for.
        named: Option<String>,
        /// What there is.
        clients: Vec<String>,
    },
    /// The client's token is not there.
    #[error("there is no token in the SSM parameter {parameter}")]
    NoToken {
        /// The parameter's name.
        parameter: String,
    },
    /// The stack knows no such token parameter.
    #[error("the stack {stack} has no token for the client {client}")]
    ClientNotDeployed {
        /// The client.
        client: String,
        /// The stack's name.
        stack: String,
    },
    /// What was to become a token is none.
    #[error("that is no token that the endpoint accepts: {0}")]
    MalformedToken(#[from] MalformedToken),
    /// No token could be made.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// The client's token is with its issuer.
    #[error("a token of the client {client} is needed, and only {issuer} makes them")]
    TokenNeeded {
        /// The client.
        client: String,
        /// Who makes its JWTs.
        issuer: String,
    },
    /// The stack has no such log.
    #[error("the stack {stack} has no log group of {source_name}")]
    NoLogGroup {
        /// What was asked for.
        source_name: String,
        /// The stack's name.
        stack: String,
    },
    /// The endpoint did not do what it should.
    #[error("the endpoint failed to {step}")]
    SmokeFailed {
        /// What was tried.
        step: &'static str,
        /// What happened.
        source: Box<smoke::Failure>,
    },
    /// The client has no token that could be shown.
    #[error("the client {client} has no token: it signs in with JWTs of {issuer}")]
    SignsInWithJwts {
        /// The client.
        client: String,
        /// Who makes its JWTs.
        issuer: String,
    },
    /// Ctrl-C or SIGTERM.
    #[error("{}", match .in_cloud { Some(what) => format!("interrupted; {what} goes on in the cloud"), None => "interrupted; nothing is going on in the cloud".to_owned() })]
    Interrupted {
        /// Which signal.
        exit: Exit,
        /// What goes on.
        in_cloud: Option<String>,
    },
}

impl Error {
    pub(super) fn follow(source: FollowError, stack: &str) -> Self {
        Self::NotSeenThrough {
            stack: stack.to_owned(),
            source,
        }
    }

    pub(super) fn operation_failed(stack: &str, followed: &Followed) -> Self {
        let cause = match first_cause(&followed.events) {
            Some(event) => format!(
                "{} {} {}: {}",
                event.resource_type,
                event.logical_id,
                event.status,
                event
                    .reason
                    .as_deref()
                    .unwrap_or("the service gave no reason")
            ),
            None => "the service reported no failed resource".to_owned(),
        };
        Self::OperationFailed {
            stack: stack.to_owned(),
            status: followed.status.clone(),
            cause,
        }
    }

    /// What the shell sees.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        self.exit().into()
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Environment(_)
            | Self::Template(_)
            | Self::NoLoggingRole
            | Self::ChangeSetRefused { .. } => Exit::InvalidEnvironment,
            Self::Cloud(cloud::Error::WrongAccount { .. }) => Exit::Credentials,
            Self::Cloud(cloud::Error::Identity(error))
            | Self::Service(error)
            | Self::Upload(UploadError::Service(error))
            | Self::NotSeenThrough {
                source: FollowError::Service(error),
                ..
            } => match error.kind {
                ServiceErrorKind::Credentials => Exit::Credentials,
                _ => Exit::Failure,
            },
            Self::Busy { .. } | Self::NotSeenThrough { .. } => Exit::Busy,
            Self::NeedsHuman { .. } => Exit::NeedsHuman,
            Self::OperationFailed { status, .. } => match status {
                StackStatus::Failed(_) | StackStatus::Other(_) => Exit::NeedsHuman,
                _ => Exit::RolledBack,
            },
            Self::WhichClient { .. }
            | Self::SignsInWithJwts { .. }
            | Self::MalformedToken(_)
            | Self::TokenNeeded { .. }
            | Self::ConfirmationNeeded { .. } => Exit::Usage,
            Self::Interrupted { exit, .. } => *exit,
            Self::Io { .. }
            | Self::Artifact(_)
            | Self::Upload(_)
            | Self::DeployedTemplate(_)
            | Self::LocalCloud(_)
            | Self::LocalCloudDown { .. }
            | Self::NotDeployed { .. }
            | Self::NoToken { .. }
            | Self::ClientNotDeployed { .. }
            | Self::NoRandomness(_)
            | Self::SmokeFailed { .. }
            | Self::NoLogGroup { .. }
            | Self::Protected { .. }
            | Self::NotConfirmed => Exit::Failure,
        }
    }

    /// What to do next, if there is something.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Io { .. }
            | Self::NotConfirmed
            | Self::Template(_)
            | Self::DeployedTemplate(_)
            | Self::NoRandomness(_) => return None,
            Self::Environment(error) => return error.hint(),
            Self::Artifact(error) => return error.hint(),
            Self::Upload(error) => return error.hint(),
            Self::LocalCloud(error) => return error.hint(),
            Self::Cloud(error) => return error.hint(),
            Self::Service(error) => return error.hint(),
            Self::LocalCloudDown { environment } => {
                format!("`connect-scim deploy --env {environment}` starts it and deploys into it")
            }
            Self::NotDeployed { .. } => "`connect-scim deploy` makes it".to_owned(),
            Self::NoToken { .. } => {
                "somebody deleted it; `connect-scim token rotate` writes a new one".to_owned()
            }
            Self::Busy { .. } => "wait for it with `--wait`, or try again later".to_owned(),
            Self::NotSeenThrough { .. } | Self::Interrupted { in_cloud: Some(_), .. } => {
                "the operation goes on in the cloud; run the same command again to follow it to its end".to_owned()
            }
            Self::Interrupted { in_cloud: None, .. } => "run the same command again to finish the job".to_owned(),
            Self::NeedsHuman { advice, .. } => advice.clone(),
            Self::ChangeSetRefused { .. } => {
                "nothing was changed; mend what the reason names and deploy again".to_owned()
            }
            Self::OperationFailed { status, .. } => match status {
                StackStatus::Failed(_) | StackStatus::Other(_) => {
                    "mend the cause; `connect-scim status` shows where the stack stands".to_owned()
                }
                _ => "the stack is back where it was; mend the cause and deploy again".to_owned(),
            },
            Self::Protected { .. } => {
                "set `protected: false` in the environment file, deploy, and destroy then".to_owned()
            }
            Self::ConfirmationNeeded { flag } => format!("add {flag} if that is what you want"),
            Self::NoLoggingRole => {
                "set `api.createAccountLoggingRole: true` to have the stack make it, or `api.accessLogs: false`".to_owned()
            }
            Self::ClientNotDeployed { .. } => {
                "`connect-scim deploy` first: the client, or `token.parameterName`, is not deployed as the environment file has it".to_owned()
            }
            Self::TokenNeeded { .. } => {
                "get one from the issuer and pipe it in with --token-stdin, or put it into the variable CONNECT_SCIM_TOKEN".to_owned()
            }
            Self::NoLogGroup { .. } => {
                "the access log is there with `api.accessLogs: true`; a function's log is made by the next `connect-scim deploy`".to_owned()
            }
            Self::SmokeFailed { .. } => {
                "`connect-scim logs --since 5m` shows what the functions did; docs/operations.md has a table of causes".to_owned()
            }
            Self::MalformedToken(_) => {
                "it needs 43 to 4096 letters, digits, `-` and `_`, such as 32 random bytes in base64url without padding; leave `Bearer` out".to_owned()
            }
            Self::SignsInWithJwts { .. } => {
                "the issuer hands its JWTs to the identity provider; there is nothing to enter".to_owned()
            }
            Self::WhichClient { clients, .. } => {
                format!("name one with --client: {}", clients.join(", "))
            }
        })
    }

    /// The error drawn with its source snippet, where it lies in a file that a person wrote.
    #[must_use]
    pub fn diagnostic(&self) -> Option<String> {
        match self {
            Self::Environment(error) => error.diagnostic(),
            _ => None,
        }
    }

    /// The failure as GitHub Actions shows it: beside the lines of the file where it is
    /// about some.
    #[must_use]
    pub fn annotations(&self) -> Vec<Annotation> {
        let annotation = |message: String, help: Option<&str>, place| Annotation {
            level: Level::Error,
            title: "connect-scim".to_owned(),
            message: match help {
                Some(help) => format!("{message}\n{help}"),
                None => message,
            },
            place,
        };
        if let Self::Environment(environment::Error::Invalid(problems)) = self {
            let beside_its_line = |problem: &environment::Problem| {
                let place = (problems.file.clone(), problems.position(problem));
                annotation(
                    problem.message.clone(),
                    problem.help.as_deref(),
                    Some(place),
                )
            };
            return problems.problems.iter().map(beside_its_line).collect();
        }
        let mut message = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            message.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        vec![annotation(message, self.hint().as_deref(), None)]
    }
}

#[cfg(test)]
mod tests {
    use super::Error;
    use crate::cloud::{ServiceError, ServiceErrorKind};
    use crate::exit_code::Exit;
    use crate::stack::{FollowError, Followed, StackStatus};

    fn service_error(kind: ServiceErrorKind) -> ServiceError {
        ServiceError {
            action: "try".to_owned(),
            kind,
            code: None,
            message: String::new(),
        }
    }

    fn ended(status: &str) -> Error {
        let followed = Followed {
            status: StackStatus::parse(status),
            events: Vec::new(),
        };
        Error::operation_failed("scim", &followed)
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

    #[test]
    fn credentials_that_expire_while_following_are_told_from_a_timeout() {
        let expired = FollowError::Service(service_error(ServiceErrorKind::Credentials));
        assert_eq!(Error::follow(expired, "scim").exit(), Exit::Credentials);
        let late = FollowError::StillRunning(std::time::Duration::from_secs(60));
        assert_eq!(Error::follow(late, "scim").exit(), Exit::Busy);
    }

    #[test]
    fn every_failure_of_credentials_has_its_own_exit_code() {
        for (kind, exit) in [
            (ServiceErrorKind::Credentials, Exit::Credentials),
            (ServiceErrorKind::Denied, Exit::Failure),
            (ServiceErrorKind::Throttled, Exit::Failure),
            (ServiceErrorKind::Unreachable, Exit::Failure),
            (ServiceErrorKind::Refused, Exit::Failure),
        ] {
            assert_eq!(Error::Service(service_error(kind)).exit(), exit, "{kind:?}");
        }
    }
}
