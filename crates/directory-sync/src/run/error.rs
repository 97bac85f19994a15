//! Errors that end a command before anything is written, so that there is no report.

use crate::configuration;
use crate::exit::Exit;
use crate::source;
use crate::target;

/// The directory or the server could not be read whole.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration is wrong.
    #[error(transparent)]
    Configuration(#[from] configuration::Error),
    /// The directory.
    #[error(transparent)]
    Source(#[from] source::Error),
    /// The server.
    #[error(transparent)]
    Target(#[from] target::Error),
}

impl Error {
    /// The exit code for this error.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Configuration(configuration::Error::NoSecret { .. }) => Exit::Credentials,
            Self::Configuration(_) => Exit::InvalidConfiguration,
            Self::Source(source::Error::UnknownAttribute { .. }) => Exit::InvalidConfiguration,
            Self::Source(source::Error::BindRefused { .. }) => Exit::Credentials,
            Self::Target(error) if error.is_credentials() => Exit::Credentials,
            Self::Source(_) | Self::Target(_) => Exit::Failure,
        }
    }

    /// The next step, if the message does not contain it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Target(error) => error.hint(),
            Self::Configuration(_) | Self::Source(_) => None,
        }
    }
}
