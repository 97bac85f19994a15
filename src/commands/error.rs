//! Everything that can go wrong in a command, with its exit code and the next step.
//!
//! What several commands share stands here; what belongs to one matter has a type of its
//! own in a file of its own, which knows its messages, exit codes and next steps.

mod annotation;
mod guardrail;
mod health;
mod init;
mod leaving;
mod question;
mod review;
mod stack;
mod sync;
mod token;
mod users;

use std::process::ExitCode;

use connect_directory::store::StoreError;

pub use self::guardrail::GuardrailError;
pub use self::health::HealthError;
pub use self::init::InitError;
pub use self::leaving::LeavingError;
pub use self::question::QuestionError;
pub use self::review::ReviewError;
pub use self::stack::StackError;
pub use self::sync::SyncError;
pub use self::token::TokenError;
pub use self::users::UsersError;
use crate::artifact::{self, PushError, UploadError};
use crate::cloud::{self, ServiceError, ServiceErrorKind};
use crate::exit_code::Exit;
use crate::{environment, local_cloud, template};

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
    /// The functions or the image could not be built, or what was built not be read.
    #[error(transparent)]
    Artifact(#[from] artifact::Error),
    /// The packages could not be uploaded.
    #[error(transparent)]
    Upload(#[from] UploadError),
    /// The image could not be pushed.
    #[error(transparent)]
    Push(#[from] PushError),
    /// A deployed template could not be read.
    #[error("failed to read the deployed template")]
    DeployedTemplate(#[from] template::CanonicalError),
    /// The local cloud could not be started or asked.
    #[error(transparent)]
    LocalCloud(#[from] local_cloud::Error),
    /// The environment lives in the local cloud, and that does not run.
    #[error("the local cloud is not running")]
    LocalCloudDown {
        /// The environment's name.
        environment: String,
    },
    /// There is no way to the cloud.
    #[error(transparent)]
    Cloud(#[from] cloud::Error),
    /// A service refused or could not be reached.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The directory table could not be used.
    #[error(transparent)]
    Directory(#[from] StoreError),
    /// Amazon Connect or the queue refused or could not be reached.
    #[error(transparent)]
    Call(#[from] aws_json_client::Error),
    /// The stack is not as it should be, or could not be changed.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// The plan was not carried out.
    #[error(transparent)]
    Review(#[from] ReviewError),
    /// A question to the person got no answer, or a no.
    #[error(transparent)]
    Question(#[from] QuestionError),
    /// Something is wrong with a client's token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// No environment file was written.
    #[error(transparent)]
    Init(#[from] InitError),
    /// The directory's users could not be seen to.
    #[error(transparent)]
    Users(#[from] UsersError),
    /// The directory sync could not do its work.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// A check found something wrong.
    #[error(transparent)]
    Health(#[from] HealthError),
    /// The guardrails could not be put in place.
    #[error(transparent)]
    Guardrail(#[from] GuardrailError),
    /// The run left before what it began had ended.
    #[error(transparent)]
    Leaving(#[from] LeavingError),
    /// A command for several targets did not succeed for all of them.
    #[error("failed: {}{}", failed.join(", "), if not_started.is_empty() { String::new() } else { format!("; not started: {}", not_started.join(", ")) })]
    Targets {
        /// The targets whose runs failed; each has told why.
        failed: Vec<String>,
        /// Those of later waves.
        not_started: Vec<String>,
        /// How the first of those that failed ended.
        exit: Exit,
    },
}

fn list(words: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let words: Vec<_> = words.into_iter().collect();
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    words.join(", ")
}

/// How the shell hears of a service that refused or could not be reached.
fn exit_of_service(error: &ServiceError) -> Exit {
    match error.kind {
        ServiceErrorKind::Credentials => Exit::Credentials,
        _ => Exit::Failure,
    }
}

impl Error {
    /// What the shell sees.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        self.exit().into()
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Environment(environment::Error::OtherKind { .. }) => Exit::Usage,
            Self::Environment(_) | Self::Template(_) => Exit::InvalidEnvironment,
            Self::Cloud(
                cloud::Error::WrongAccount { .. }
                | cloud::Error::NoCredentials
                | cloud::Error::MfaNeeded { .. },
            ) => Exit::Credentials,
            Self::Cloud(cloud::Error::Identity(error))
            | Self::Service(error)
            | Self::Upload(UploadError::Service(error))
            | Self::Push(PushError::Service(error)) => exit_of_service(error),
            Self::Stack(error) => error.exit(),
            Self::Review(error) => error.exit(),
            Self::Question(error) => error.exit(),
            Self::Token(error) => error.exit(),
            Self::Init(error) => error.exit(),
            Self::Users(_) => UsersError::EXIT,
            Self::Sync(error) => error.exit(),
            Self::Health(_) => HealthError::EXIT,
            Self::Guardrail(error) => error.exit(),
            Self::Leaving(error) => error.exit(),
            Self::Targets { exit, .. } => *exit,
            Self::Io { .. }
            | Self::Artifact(_)
            | Self::Upload(_)
            | Self::Push(_)
            | Self::DeployedTemplate(_)
            | Self::LocalCloud(_)
            | Self::LocalCloudDown { .. }
            | Self::Directory(_)
            | Self::Call(_) => Exit::Failure,
        }
    }

    /// What to do next, if there is something.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Io { .. } | Self::Template(_) | Self::DeployedTemplate(_) => None,
            Self::Environment(error) => error.hint(),
            Self::Artifact(error) => error.hint(),
            Self::Upload(error) => error.hint(),
            Self::Push(error) => error.hint(),
            Self::LocalCloud(error) => error.hint(),
            Self::LocalCloudDown { environment } => Some(format!(
                "`connect-scim deploy --env {environment}` starts it and deploys into it"
            )),
            Self::Cloud(error) => error.hint(),
            Self::Service(error) => error.hint(),
            Self::Call(error) if matches!(error.status(), Some(401 | 403)) => Some(format!(
                "use credentials that are permitted {}",
                error.operation()
            )),
            Self::Directory(_) | Self::Call(_) => {
                Some("nothing is half done; run the same command again".to_owned())
            }
            Self::Stack(error) => Some(error.hint()),
            Self::Review(error) => Some(error.hint()),
            Self::Question(error) => error.hint(),
            Self::Token(error) => error.hint(),
            Self::Init(error) => Some(error.hint()),
            Self::Users(error) => Some(error.hint()),
            Self::Sync(error) => error.hint(),
            Self::Health(error) => error.hint(),
            Self::Guardrail(error) => Some(error.hint()),
            Self::Leaving(error) => Some(error.hint()),
            Self::Targets { .. } => Some(
                "mend what stands above, and run it again: targets that are done stay as they are"
                    .to_owned(),
            ),
        }
    }

    /// The error drawn with its source snippet, where it lies in a file that a person wrote.
    #[must_use]
    pub fn diagnostic(&self) -> Option<String> {
        match self {
            Self::Environment(error) => error.diagnostic(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Error;
    use crate::cloud::{ServiceError, ServiceErrorKind};
    use crate::exit_code::Exit;

    #[test]
    fn every_failure_of_credentials_has_its_own_exit_code() {
        for (kind, exit) in [
            (ServiceErrorKind::Credentials, Exit::Credentials),
            (ServiceErrorKind::Denied, Exit::Failure),
            (ServiceErrorKind::Throttled, Exit::Failure),
            (ServiceErrorKind::Unreachable, Exit::Failure),
            (ServiceErrorKind::Refused, Exit::Failure),
        ] {
            let error = ServiceError {
                action: "try".to_owned(),
                kind,
                code: None,
                message: String::new(),
            };
            assert_eq!(Error::Service(error).exit(), exit, "{kind:?}");
        }
    }
}
