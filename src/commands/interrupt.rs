//! Ctrl-C and SIGTERM: the deployer leaves, the operation in the cloud goes on, and the
//! person is told so.

use std::future::Future;
use std::sync::Mutex;

use tokio::signal::unix::{SignalKind, signal};

use super::Error;
use crate::exit_code::Exit;

/// What is going on in the cloud at this moment, for the message of an interruption.
#[derive(Debug, Default)]
pub(super) struct InCloud(Mutex<Option<String>>);

impl InCloud {
    /// From now on an interruption leaves something running: `what` reads as a sentence.
    pub(super) fn begin(&self, what: impl Into<String>) {
        self.set(Some(what.into()));
    }

    /// From now on an interruption leaves nothing running.
    pub(super) fn end(&self) {
        self.set(None);
    }

    fn set(&self, what: Option<String>) {
        match self.0.lock() {
            Ok(mut current) => *current = what,
            Err(poisoned) => *poisoned.into_inner() = what,
        }
    }

    fn current(&self) -> Option<String> {
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
            _ = interrupt.recv() => Err(Error::Interrupted { exit: Exit::Interrupted, in_cloud: in_cloud.current() }),
            _ = terminate.recv() => Err(Error::Interrupted { exit: Exit::Terminated, in_cloud: in_cloud.current() }),
        }
    });
    // A blocking task (a build) must not keep an interrupted deployer alive.
    runtime.shutdown_background();
    outcome
}
