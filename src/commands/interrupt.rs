//! Ctrl-C, SIGTERM and the end of the time: the deployer leaves, the operation in the
//! cloud goes on, and the person is told so.

use std::fmt;
use std::future::Future;
use std::sync::Mutex;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Error;
use super::error::LeavingError;
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

/// The asynchronous runtime of a command.
pub(super) fn runtime(builder: &mut Builder) -> Result<Runtime, Error> {
    builder.enable_all().build().map_err(|source| Error::Io {
        action: "start the asynchronous runtime".to_owned(),
        source,
    })
}

/// The signals that ask a command to leave.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// From now on none of them ends the process by itself.
    pub(super) fn listen() -> Result<Self, Error> {
        let listen = |kind| {
            signal(kind).map_err(|source| Error::Io {
                action: "listen for signals".to_owned(),
                source,
            })
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    /// Waits for the next one, and says with which exit code it ends a command.
    pub(super) async fn next(&mut self) -> Exit {
        tokio::select! {
            _ = self.interrupt.recv() => Exit::Interrupted,
            _ = self.terminate.recv() => Exit::Terminated,
        }
    }
}

/// Runs `work` on a runtime of its own until it ends or a signal comes.
///
/// # Errors
/// Those of `work`, and [`LeavingError::Interrupted`].
pub(super) fn run_interruptibly<T>(
    in_cloud: &InCloud,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let runtime = runtime(Builder::new_multi_thread().worker_threads(2))?;
    let outcome = runtime.block_on(async {
        let mut signals = Signals::listen()?;
        tokio::select! {
            outcome = work => outcome,
            exit = signals.next() => Err(LeavingError::Interrupted { exit, ongoing: in_cloud.current() }.into()),
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
/// Those of `work`, and [`LeavingError::TimedOut`].
pub(super) async fn within<T>(
    timeout: Duration,
    in_cloud: &InCloud,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    match tokio::time::timeout(timeout, work).await {
        Ok(outcome) => outcome,
        Err(_elapsed) => Err(LeavingError::TimedOut {
            timeout,
            ongoing: in_cloud.current(),
        }
        .into()),
    }
}
