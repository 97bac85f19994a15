//! A list of names as Connect gave it last, and when it is read again.
//!
//! A read is a task of its own: it goes on although the request that began it stops
//! waiting, other requests wait for the same one, and no lock is held meanwhile.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use super::list::List;
use crate::{connect::NamedResource, reconcile::Failure};

/// How long a list is used before it is read again.
const TIME_TO_LIVE: Duration = Duration::from_secs(300);

/// A list without a name that is needed is read again if it is at least this old.
const REFRESH_INTERVAL: Duration = Duration::from_secs(10);

/// How long a request waits for a new list if it can use an old one.
const PATIENCE: Duration = Duration::from_millis(1500);

/// The time from a failed read to the next one.
const OUTAGE_PAUSE: Duration = Duration::from_secs(10);

/// Longer than a read takes, timeouts included. A read that is older was frozen together
/// with its function, and its connection is broken.
const LONGEST_READ: Duration = Duration::from_secs(15);

/// Which list a request can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// One that is at most five minutes old, or an older one if that cannot be read soon.
    Known,
    /// One that is at most ten seconds old.
    New,
    /// One that is at most this old.
    Within(Duration),
}

/// The list of one kind of resource.
#[derive(Debug)]
pub(super) struct Cache {
    /// The operation that lists the resources, for error codes.
    operation: &'static str,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    known: Option<Arc<List>>,
    failed: Option<(Instant, Failure)>,
    reading: Option<Reading>,
    /// Counts the reads and the calls of [`Cache::forget`]: only the result of the latest
    /// read is stored.
    generation: u64,
}

#[derive(Debug, Clone)]
struct Reading {
    began: Instant,
    /// Its sender is dropped at the end of the read.
    end: watch::Receiver<()>,
}

impl Cache {
    pub(super) fn new(operation: &'static str) -> Arc<Self> {
        Arc::new(Self {
            operation,
            state: Mutex::default(),
        })
    }

    /// Discards the list: Connect contradicted it.
    pub(super) fn forget(&self) {
        let mut state = self.lock();
        state.known = None;
        state.reading = None;
        state.generation += 1;
    }

    /// The list, if it is at most this old; nothing is read.
    pub(super) fn known(&self, age: Duration) -> Option<Arc<List>> {
        self.lock().usable(Need::Within(age))
    }

    /// The list, read by `read` if that is needed.
    ///
    /// # Errors
    /// When the list cannot be read by the deadline, or could not be read in the last ten
    /// seconds, and no known list satisfies the need.
    pub(super) async fn get<R>(
        self: &Arc<Self>,
        need: Need,
        deadline: Instant,
        read: impl Fn() -> R,
    ) -> Result<Arc<List>, Failure>
    where
        R: Future<Output = Result<Vec<NamedResource>, Failure>> + Send + 'static,
    {
        let began = Instant::now();
        let patience = began + PATIENCE;
        loop {
            let (mut reading, has_old) = {
                let mut state = self.lock();
                if let Some(list) = state.usable(need).or_else(|| state.newer_than(began)) {
                    return Ok(list);
                }
                if let Some(failure) = state.recent_failure() {
                    return state.instead(need, failure);
                }
                let has_old = need == Need::Known && state.known.is_some();
                (self.reading(&mut state, &read), has_old)
            };
            let limit = if has_old {
                deadline.min(patience)
            } else {
                deadline
            };
            // An error of `changed` is the end of the read.
            if timeout_at(limit, reading.end.changed()).await.is_err() {
                let code = format!("{}OutOfTime", self.operation);
                return self.lock().instead(need, Failure::Transient(code));
            }
        }
    }

    /// The read in progress, or a new one.
    fn reading<R>(self: &Arc<Self>, state: &mut State, read: impl Fn() -> R) -> Reading
    where
        R: Future<Output = Result<Vec<NamedResource>, Failure>> + Send + 'static,
    {
        if let Some(reading) = &state.reading
            && reading.began.elapsed() < LONGEST_READ
        {
            return reading.clone();
        }
        state.generation += 1;
        let generation = state.generation;
        let (sender, end) = watch::channel(());
        let began = Instant::now();
        let reading = Reading { began, end };
        state.reading = Some(reading.clone());
        let cache = Arc::clone(self);
        let read = read();
        tokio::spawn(async move {
            let outcome = read.await;
            cache.store(generation, began, outcome);
            drop(sender);
        });
        reading
    }

    fn store(&self, generation: u64, began: Instant, outcome: Result<Vec<NamedResource>, Failure>) {
        let mut state = self.lock();
        if state.generation != generation {
            return;
        }
        state.reading = None;
        match outcome {
            Ok(items) => {
                state.known = Some(Arc::new(List::new(items, began)));
                state.failed = None;
            }
            Err(failure) => {
                tracing::warn!(
                    operation = self.operation,
                    ?failure,
                    "a list of names cannot be read"
                );
                state.failed = Some((Instant::now(), failure));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn usable(&self, need: Need) -> Option<Arc<List>> {
        let maximum_age = match need {
            Need::Known => TIME_TO_LIVE,
            Need::New => REFRESH_INTERVAL,
            Need::Within(age) => age,
        };
        self.known.clone().filter(|list| list.age() < maximum_age)
    }

    /// The list, if its read began after this time. It satisfies every need of a request
    /// that began at this time.
    fn newer_than(&self, time: Instant) -> Option<Arc<List>> {
        self.known.clone().filter(|list| list.is_newer_than(time))
    }

    fn recent_failure(&self) -> Option<Failure> {
        let (at, failure) = self.failed.as_ref()?;
        (at.elapsed() < OUTAGE_PAUSE).then(|| failure.clone())
    }

    /// An old list in place of one that cannot be read, unless Connect refused the read.
    fn instead(&self, need: Need, failure: Failure) -> Result<Arc<List>, Failure> {
        match (&self.known, &failure) {
            (Some(list), Failure::Transient(_)) if need == Need::Known => Ok(Arc::clone(list)),
            _ => Err(failure),
        }
    }
}

#[cfg(test)]
mod tests;
