//! Ctrl-C, SIGTERM and the end of the time: the deployer leaves, the operation in the
//! cloud goes on, and the person is told so.

use std::fmt;
use std::future::Future;
use std::sync::Mutex;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use super::Error;
use crate::exit_code::Exit;

/// Something that goes on in the cloud without us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ongoing {
    /// What it is, as words that read before "goes on in the cloud".
    pub what: String,
    /// The environment, as it was named on the command line.
    pub environment: String,
}

impl Ongoing {
    /// The command that follows it to its end.
    #[must_use]
    pub fn resume_command(&self) -> String {
        format!("connect-scim watch --env {}", self.environment)
    }
}

impl fmt::Display for Ongoing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} goes on in the cloud", self.what)
    }
}

/// What is going on in the cloud at this moment, for whoever has to leave.
#[derive(Debug, Default)]
pub(super) struct InCloud(Mutex<Option<Ongoing>>);

impl InCloud {
    /// From now on whoever leaves leaves this running.
    pub(super) fn begin(&self, ongoing: Ongoing) {
        self.set(Some(ongoing));
    }

    /// From now on whoever leaves leaves nothing running.
    pub(super) fn end(&self) {
        self.set(None);
    }

    fn set(&self, ongoing: Option<Ongoing>) {
        match self.0.lock() {
            Ok(mut current) => *current = ongoing,
            Err(poisoned) => *poisoned.into_inner() = ongoing,
        }
    }

    fn current(&self) -> Option<Ongoing> {
        match self.0.lock() {
            Ok(current) => current.clone(),
            Err(poisoned) => poisoned.into_inner().clone(),
        }
    }
}

/// Runs `work` on a runtime of its own until it ends or a signal comes.
///
/// # Errors
/// Those of `work`, and [`Error::Interrupted`].
pub(super) fn run_interruptibly<T>(
    in_cloud: &InCloud,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|source| Error::Io {
            action: "start the asynchronous runtime".to_owned(),
            source,
        })?;
    let outcome = runtime.block_on(async {
        let (mut interrupt, mut terminate) = match (
            signal(SignalKind::interrupt()),
            signal(SignalKind::terminate()),
        ) {
            (Ok(interrupt), Ok(terminate)) => (interrupt, terminate),
            (Err(source), _) | (_, Err(source)) => {
                return Err(Error::Io {
                    action: "listen for signals".to_owned(),
                    source,
                });
            }
        };
        tokio::select! {
            outcome = work => outcome,
            _ = interrupt.recv() => Err(Error::Interrupted { exit: Exit::Interrupted, ongoing: in_cloud.current() }),
            _ = terminate.recv() => Err(Error::Interrupted { exit: Exit::Terminated, ongoing: in_cloud.current() }),
        }
    });
    // A blocking task (a build) must not keep an interrupted deployer alive.
    runtime.shutdown_background();
    outcome
}

/// Gives `work` so much time for everything it does in the cloud: uploads, change sets,
/// other people's operations, its own.
///
/// # Errors
/// Those of `work`, and [`Error::TimedOut`].
pub(super) async fn within<T>(
    timeout: Duration,
    in_cloud: &InCloud,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    match tokio::time::timeout(timeout, work).await {
        Ok(outcome) => outcome,
        Err(_elapsed) => Err(Error::TimedOut {
            timeout,
            ongoing: in_cloud.current(),
        }),
    }
}
