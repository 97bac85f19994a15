//! How often each operation is called: less often after each failure, with jitter, and
//! gradually more often after successes (additive increase would be too slow for a quota of
//! two calls per second). All calls through one [`Connect`](super::Connect) share this.
//!
//! Amazon counts calls by account, region and operation, and most of them are made by other
//! instances of the functions and by other software. So the quota that is left is not known,
//! and is estimated from the responses. Simulated with two reconcilers and two to eight
//! instances that are given 3.2 changes per second, 14 % of the calls are throttled, and
//! 98 % of the quota is used.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_json_client::Error;
use tokio::time::Instant;

/// The shortest time to the next call after a failure: Connect's default quota allows one
/// more call in it.
const FIRST: Duration = Duration::from_millis(500);

/// The longest time between two calls, without jitter.
const LONGEST: Duration = Duration::from_secs(8);

/// Shorter times between calls are not kept.
const SHORTEST: Duration = Duration::from_millis(50);

/// The time between calls is multiplied by this after a failure.
const GROWTH: u32 = 2;

/// The time between calls is multiplied by this after a success.
const DECAY: f64 = 0.9;

/// The paces of all operations that failed.
#[derive(Debug, Default)]
pub(super) struct Paces(Mutex<HashMap<&'static str, Pace>>);

#[derive(Debug)]
struct Pace {
    /// The time between two calls.
    interval: Duration,
    /// When the next call can be made.
    next: Instant,
    /// The latest failure.
    failure: Error,
}

impl Paces {
    /// Waits for the turn of a call.
    ///
    /// # Errors
    /// The latest failure, as a throttled call that was not sent, if the turn is later than
    /// `patience` from now.
    pub(super) async fn turn(
        &self,
        operation: &'static str,
        patience: Duration,
    ) -> Result<(), Error> {
        let turn = {
            let mut paces = self.lock();
            let Some(pace) = paces.get_mut(operation) else {
                return Ok(());
            };
            let turn = pace.next.max(Instant::now());
            if turn.saturating_duration_since(Instant::now()) > patience {
                return Err(pace.failure.unsent());
            }
            pace.next = turn + pace.interval;
            turn
        };
        tokio::time::sleep_until(turn).await;
        Ok(())
    }

    /// Notes that a call failed in a way that passes.
    pub(super) fn failed(&self, operation: &'static str, failure: &Error) {
        let now = Instant::now();
        let mut paces = self.lock();
        let pace = paces.entry(operation).or_insert_with(|| Pace {
            interval: Duration::ZERO,
            next: now,
            failure: failure.clone(),
        });
        pace.interval = (pace.interval * GROWTH).clamp(FIRST, LONGEST);
        pace.next = pace.next.max(now + jittered(pace.interval));
        pace.failure = failure.clone();
    }

    /// Notes that the service responded to a call.
    pub(super) fn succeeded(&self, operation: &'static str) {
        let mut paces = self.lock();
        if let Some(pace) = paces.get_mut(operation) {
            pace.interval = pace.interval.mul_f64(DECAY);
            if pace.interval < SHORTEST {
                paces.remove(operation);
            }
        }
    }

    /// The time until each operation can be called.
    pub(super) fn pause(&self) -> Duration {
        let paces = self.lock();
        let turns = paces.values().map(|pace| pace.next);
        let latest = turns.max().unwrap_or_else(Instant::now);
        latest.saturating_duration_since(Instant::now())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<&'static str, Pace>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// From half to one and a half of a time, so that callers that failed together do not call
/// together again.
pub fn jittered(time: Duration) -> Duration {
    time.mul_f64(0.5 + fastrand::f64())
}

#[cfg(test)]
mod tests;
