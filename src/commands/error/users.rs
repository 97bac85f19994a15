//! Why `users` could not do its work.

use std::path::PathBuf;

use connect_directory::configuration::ConfigurationError;
use connect_directory::connect::InstanceArnError;
use connect_directory::store::{CopyError, RestoreError};

use crate::exit_code::Exit;

/// A directory that cannot be found or does not know who was asked for.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    /// The deployed functions have a configuration that this program does not understand.
    #[error("the function {function} is configured otherwise than this program does it")]
    FunctionConfiguration {
        /// The function's name.
        function: String,
        /// What is wrong.
        source: ConfigurationError,
    },
    /// The deployed functions have an instance ARN that is none.
    #[error(transparent)]
    InstanceArn(#[from] InstanceArnError),
    /// The directory has no such user. Who was asked for stands in no log.
    #[error("the directory has no user of this id or userName")]
    NoSuchUser,
    /// A copy is never written over another one.
    #[error("{} exists already", .0.display())]
    FileExists(PathBuf),
    /// A file is not a copy of a directory, or not a complete one.
    #[error("{} cannot be restored: {reason}; nothing was written", .path.display())]
    NotACopy {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The directory was not copied.
    #[error("{}", explained(.0))]
    Copy(#[from] CopyError),
    /// The copy was not restored.
    #[error("{}", explained(.0))]
    Restore(#[from] RestoreError),
}

/// An error with its cause.
fn explained(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

impl UsersError {
    pub(super) const EXIT: Exit = Exit::Failure;

    pub(super) fn hint(&self) -> String {
        match self {
            Self::FunctionConfiguration { .. } | Self::InstanceArn(_) => {
                "`connect-scim deploy` brings the stack up to date"
            }
            Self::NoSuchUser => {
                "`connect-scim users list` shows those it has, with --unmanaged those that only Amazon Connect has"
            }
            Self::FileExists(_) => "name another file with --out",
            Self::NotACopy { .. } => "name a file that `connect-scim users export` has written",
            Self::Copy(CopyError::Changing) => {
                "stop provisioning at the identity providers, wait until `connect-scim users list --pending` is empty, and repeat"
            }
            Self::Restore(RestoreError::NotEmpty(_)) => {
                "nothing was written; restore into a new stack, or add --merge to add the items that the table lacks"
            }
            Self::Restore(RestoreError::Conflicts(_)) => {
                "nothing more was written; restore into a new stack, which has an empty table"
            }
            Self::Restore(RestoreError::Differs(_)) => {
                "requests have changed the directory meanwhile: stop provisioning at the identity providers before a restore"
            }
            Self::Copy(CopyError::Store(_)) | Self::Restore(RestoreError::Store(_)) => {
                "the caller needs dynamodb:Scan on the table, and to restore also dynamodb:PutItem and dynamodb:UpdateItem; a repeated restore needs --merge"
            }
        }
        .to_owned()
    }
}
