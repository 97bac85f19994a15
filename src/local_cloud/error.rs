//! What can go wrong with the local cloud.

use std::path::PathBuf;

use super::service::Service;

/// A failure to start, look at or stop the local cloud.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file, a lock or a process could not be dealt with.
    #[error("failed to {action}")]
    Io {
        /// What was tried, with the path.
        action: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// MiniStack could not be installed.
    #[error(transparent)]
    Tool(#[from] tool_cache::Error),
    /// The Connect simulator could not serve.
    #[error(transparent)]
    Simulator(#[from] connect_simulator::ServeError),
    /// A process ended, or stayed silent, before it served its first request.
    #[error("{service} did not start: {failure}{}", indented(.log_end))]
    NotStarted {
        /// Which of the processes.
        service: Service,
        /// How it failed.
        failure: StartFailure,
        /// The last lines of its log.
        log_end: String,
        /// Its log.
        log: PathBuf,
    },
    /// A process outlived SIGKILL, or nothing tells which process to stop.
    #[error("{service} cannot be stopped: {reason}")]
    NotStopped {
        /// Which of the processes.
        service: Service,
        /// Why not.
        reason: String,
        /// Its log, which the process holds open.
        log: PathBuf,
    },
}

/// How a process failed to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StartFailure {
    /// It ended by itself.
    #[error("it ended at once")]
    Ended,
    /// It runs, and does nothing that can be seen.
    #[error("it runs, but does not answer")]
    Silent,
}

impl Error {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Io { .. } | Self::Simulator(_) => None,
            Self::Tool(error) => error.hint(),
            Self::NotStarted { log, .. } => Some(format!("its log is {}", log.display())),
            Self::NotStopped { log, .. } => Some(format!(
                "`fuser {}` names the process; end it and try again",
                log.display()
            )),
        }
    }

    /// An adapter for `map_err`; the action is worded to read after "failed to".
    pub(super) fn io(action: impl FnOnce() -> String) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io {
            action: action(),
            source,
        }
    }
}

fn indented(lines: &str) -> String {
    lines.lines().map(|line| format!("\n  {line}")).collect()
}
