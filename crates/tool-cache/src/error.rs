//! What can go wrong when a tool is installed, and what to do about it.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::python::{NEWEST_PYTHON, OLDEST_PYTHON};

/// A tool could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No environment variable says where the cache is.
    #[error("no place for the tool cache is known: HOME is not set")]
    NoCacheDirectory,
    /// A file or directory of the cache could not be used.
    #[error("failed to {action} {path} in the tool cache")]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// An interpreter could not be started.
    #[error("failed to run {}", program.display())]
    NoPython {
        /// Its name or path.
        program: OsString,
        /// What the operating system said.
        source: io::Error,
    },
    /// The interpreter starts, but does not work.
    #[error("python3 does not work:\n{log}")]
    BrokenPython {
        /// What it printed.
        log: String,
    },
    /// The interpreter is too old for the pinned packages.
    #[error("python3 is Python {version}, which is too old")]
    OldPython {
        /// Its major and minor version.
        version: String,
    },
    /// The interpreter cannot make virtual environments.
    #[error("python3 has no complete venv module")]
    NoVenvModule,
    /// The virtual environment could not be made.
    #[error("failed to make a Python environment in {}:\n{log}", directory.display())]
    VirtualEnvironment {
        /// Where.
        directory: PathBuf,
        /// What `venv` printed last.
        log: String,
    },
    /// The packages could not be installed.
    #[error("failed to install {name} from the Python package index:\n{log}")]
    Install {
        /// Whose environment it is.
        name: String,
        /// What `pip` printed last.
        log: String,
    },
    /// A package lacks another one, or has a version of it that it does not support.
    #[error("the packages of {name} are installed, but do not fit together:\n{log}")]
    Inconsistent {
        /// Whose environment it is.
        name: String,
        /// The output of `pip check`.
        log: String,
    },
}

impl Error {
    /// What to do next, if there is something.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let (major, minor) = OLDEST_PYTHON;
        match self {
            Self::NoCacheDirectory | Self::Io { .. } => {
                Some("name a writable directory in CONNECT_SCIM_CACHE".to_owned())
            }
            Self::NoPython { .. } | Self::BrokenPython { .. } => Some(format!(
                "install Python {major}.{minor} or newer with its venv module (Debian, Ubuntu: apt-get install python3 python3-venv)"
            )),
            Self::OldPython { .. } => Some(format!(
                "put Python {major}.{minor} or newer first on PATH as python3"
            )),
            Self::NoVenvModule => Some(
                "install Python's venv module (Debian, Ubuntu: apt-get install python3-venv)"
                    .to_owned(),
            ),
            Self::VirtualEnvironment { .. } => None,
            Self::Install { log, .. } if log.contains("DO NOT MATCH THE HASHES") => Some(
                "the package index served other files than the pinned ones; check which index or mirror pip is configured with"
                    .to_owned(),
            ),
            // pip prints the same for an index that it cannot reach, after its retries.
            Self::Install { log, .. }
                if log.contains("No matching distribution found") && !log.contains("Retrying") =>
            {
                Some(wheels_hint())
            }
            Self::Inconsistent { .. } => Some(wheels_hint()),
            Self::Install { .. } => Some(
                "check the connection to https://pypi.org, or name a mirror in PIP_INDEX_URL"
                    .to_owned(),
            ),
        }
    }

    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}

fn wheels_hint() -> String {
    let ((oldest_major, oldest), (newest_major, newest)) = (OLDEST_PYTHON, NEWEST_PYTHON);
    format!(
        "the pinned packages support Python {oldest_major}.{oldest} to {newest_major}.{newest} on Linux and macOS (x86-64 and ARM64); put one of these versions first on PATH as python3"
    )
}
