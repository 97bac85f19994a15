//! Why `sync` could not do its work.

use directory_sync::run;
use directory_sync::token::InvalidTokenExpiry;

use crate::cli::SyncSecret;
use crate::exit_code::Exit;

/// A directory or a server that could not be read, or a secret that is not there.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// There is no report: nothing was written.
    #[error(transparent)]
    Run(#[from] run::Error),
    /// A secret was never handed over.
    #[error("the stack does not have the {secret} yet")]
    NoSecret {
        /// Which.
        secret: SyncSecret,
        /// The environment, as it is named on a command line.
        environment: String,
    },
    /// Nothing was given.
    #[error("the given {secret} is empty")]
    EmptySecret {
        /// Which.
        secret: SyncSecret,
    },
    /// `--expires` is no date.
    #[error(transparent)]
    Expires(#[from] InvalidTokenExpiry),
    /// `--expires` is over.
    #[error("the token has expired: {0} is over")]
    Expired(String),
    /// `--expires` with the password.
    #[error("--expires is of the token: what becomes of the password, the directory decides")]
    PasswordExpires,
}

impl SyncError {
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Run(error) => error.exit().into(),
            Self::NoSecret { .. } => Exit::Credentials,
            Self::EmptySecret { .. }
            | Self::Expires(_)
            | Self::Expired(_)
            | Self::PasswordExpires => Exit::Usage,
        }
    }

    pub(super) fn hint(&self) -> Option<String> {
        match self {
            Self::Run(error) => error.hint(),
            Self::NoSecret {
                secret,
                environment,
            } => Some(format!(
                "`connect-scim sync secret set {} --env {environment}` hands it over",
                secret.word()
            )),
            Self::EmptySecret { .. } => {
                Some("write it to standard input, or type it when asked".to_owned())
            }
            Self::Expired(_) => Some("make a new token at the SCIM server".to_owned()),
            Self::Expires(_) | Self::PasswordExpires => None,
        }
    }
}
