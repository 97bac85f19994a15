//! Everything that can go wrong in a command, with its exit code and the next step.

use std::process::ExitCode;

use crate::environment;
use crate::exit_code::Exit;
use crate::{artifact, local_cloud, template};

/// A failure of a command.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The environment is not there or not valid.
    #[error(transparent)]
    Environment(#[from] environment::Error),
    /// A file could not be read or written.
    #[error("failed to {action}")]
    Io {
        /// What was tried, with the path.
        action: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The local cloud could not be started, looked at or stopped.
    #[error(transparent)]
    LocalCloud(#[from] local_cloud::Error),
    /// There are no packages of the functions to deploy.
    #[error(transparent)]
    Artifact(#[from] artifact::Error),
    /// The environment cannot be made a template.
    #[error(transparent)]
    Template(#[from] template::Error),
}

impl Error {
    /// What the shell sees.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Environment(_) | Self::Template(_) => Exit::InvalidEnvironment,
            Self::Io { .. } | Self::LocalCloud(_) | Self::Artifact(_) => Exit::Failure,
        }
        .into()
    }

    /// What to do next, if there is something.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Environment(error) => error.hint(),
            Self::Io { .. } | Self::Template(_) => None,
            Self::LocalCloud(error) => error.hint(),
            Self::Artifact(error) => error.hint(),
        }
    }

    /// The error drawn with its source snippet, where it lies in a file that a person wrote.
    #[must_use]
    pub fn diagnostic(&self) -> Option<String> {
        match self {
            Self::Environment(error) => error.diagnostic(),
            Self::Io { .. } | Self::LocalCloud(_) | Self::Artifact(_) | Self::Template(_) => None,
        }
    }
}
