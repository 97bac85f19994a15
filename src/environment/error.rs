//! Why there is no environment.

use std::path::PathBuf;

use super::StackKind;
use super::problem::Problems;
use super::suggestion::nearest;

/// Why an environment could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No file has that name.
    #[error("there is no environment `{name}` in {}", directory.display())]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// Where it was looked for.
        directory: PathBuf,
        /// What to do instead: the name that was meant, or all there are.
        advice: String,
    },
    /// There is no `environments` directory here or above.
    #[error("there is no directory `environments` in {} or above it", start.display())]
    NoDirectory {
        /// Where the search began.
        start: PathBuf,
    },
    /// The file or directory could not be read.
    #[error("failed to read {}", path.display())]
    Unreadable {
        /// What was read.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file describes several stacks, and one has to be chosen.
    #[error("{file} has several targets: {}", names.join(", "))]
    SeveralTargets {
        /// The file.
        file: String,
        /// The names of its targets.
        names: Vec<String>,
    },
    /// The file has no target of that name.
    #[error("{file} has no target `{name}`")]
    UnknownTarget {
        /// The file.
        file: String,
        /// The name that was asked for.
        name: String,
        /// The names of its targets.
        names: Vec<String>,
    },
    /// The command is for stacks of another kind.
    #[error("{stack} is {kind}")]
    OtherKind {
        /// The stack's name.
        stack: String,
        /// What it is.
        kind: StackKind,
    },
    /// The file says something that it may not.
    #[error("{0}")]
    Invalid(Box<Problems>),
}

impl Error {
    /// What to do next, if there is something that the problems do not say themselves.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { advice, .. } => Some(advice.clone()),
            Self::NoDirectory { .. } => Some(
                "run it inside the project, or give the path of a file: --env ./my.yaml".into(),
            ),
            Self::Unreadable { .. } => {
                Some("--env takes the name of a file in environments/, or the path of one".into())
            }
            Self::SeveralTargets { .. } => Some("choose one with --target NAME".into()),
            Self::UnknownTarget { name, names, .. } => Some(
                match (
                    nearest(name, names.iter().map(String::as_str)),
                    names.as_slice(),
                ) {
                    (Some(meant), _) => {
                        format!("did you mean `{meant}`? there are: {}", names.join(", "))
                    }
                    (None, []) => {
                        "the file describes one stack and has no `targets`: leave out --target"
                            .to_owned()
                    }
                    (None, _) => format!("there are: {}", names.join(", ")),
                },
            ),
            Self::OtherKind {
                kind: StackKind::Endpoint,
                ..
            } => Some(
                "this is for an environment with `directorySync`; an endpoint has users and tokens of its own"
                    .to_owned(),
            ),
            Self::OtherKind {
                kind: StackKind::DirectorySync,
                ..
            } => Some(
                "this is for an environment with `connect`; what a directory sync does, `connect-scim sync` shows"
                    .to_owned(),
            ),
            Self::Invalid(_) => None,
        }
    }

    /// The problems with the lines that they concern.
    #[must_use]
    pub fn diagnostic(&self) -> Option<String> {
        match self {
            Self::Invalid(problems) => Some(problems.draw()),
            _ => None,
        }
    }
}
