//! Why `init` wrote no environment file.

use std::path::PathBuf;

use crate::exit_code::Exit;

/// A file that is in the way, or no Connect instance to write about.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// A file is there already.
    #[error("{} is there already", .path.display())]
    FileExists {
        /// Where.
        path: PathBuf,
    },
    /// The account has no Connect instance.
    #[error("the account has no Amazon Connect instance in {region}")]
    NoInstance {
        /// Where none was found.
        region: String,
    },
    /// Connect did not answer a question about its instances.
    #[error("failed to {action}")]
    Connect {
        /// What was tried.
        action: &'static str,
        /// What Connect said.
        source: Box<aws_json_client::Error>,
    },
}

impl InitError {
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::FileExists { .. } => Exit::Usage,
            Self::NoInstance { .. } | Self::Connect { .. } => Exit::Failure,
        }
    }

    pub(super) fn hint(&self) -> String {
        match self {
            Self::FileExists { .. } => "edit it, or choose another name",
            Self::NoInstance { .. } => {
                "make one in the Amazon Connect console, or name another region or profile"
            }
            Self::Connect { .. } => {
                "check --region and --profile; the action connect:ListInstances must be allowed"
            }
        }
        .to_owned()
    }
}
