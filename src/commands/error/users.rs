//! Why `users` could not do its work.

use connect_directory::configuration::ConfigurationError;
use connect_directory::connect::InstanceArnError;

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
        }
        .to_owned()
    }
}
