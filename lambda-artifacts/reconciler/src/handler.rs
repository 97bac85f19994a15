//! One invocation: the users of its messages, or all who have been pending for long.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, SystemTime},
};

use connect_directory::{
    connect::jittered,
    directory::{Context, Directory, Reconciled},
    queue::Message,
    store::{StoreError, iso},
};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::event::{Answer, BatchItemFailure, Event, Record};

/// How long a user is pending before the sweep takes it up: longer than a claim holds,
/// and than the queue needs where it works.
const SWEEP_AGE: SignedDuration = SignedDuration::from_secs(120);

/// How long the sweep skips a user that Connect refused: until an operator acts, another
/// attempt only takes calls from the others.
const REFUSAL_PAUSE: SignedDuration = SignedDuration::from_hours(1);

/// The same for a user who is to lose access: that must always be completed.
const REFUSED_REMOVAL_PAUSE: SignedDuration = SignedDuration::from_mins(5);

/// What is kept of the function's time to write the last outcome down.
const RESERVED_TIME: Duration = Duration::from_secs(5);

/// How long Connect may take for one user in the first attempt. Meanwhile, requests that
/// change the user wait. It grows with each further attempt, up to [`LONGEST_ATTEMPT`], so
/// that a slow Connect is given the time that it needs.
const FIRST_ATTEMPT: Duration = Duration::from_secs(4);

/// See [`FIRST_ATTEMPT`].
const LONGEST_ATTEMPT: Duration = Duration::from_secs(12);

/// The pause after a first failure; doubled for each further one in a row. A message that is
/// given back instead comes again only after the queue's visibility timeout.
const PAUSE: Duration = Duration::from_millis(500);

/// The longest pause, without jitter.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// Everything that outlives an invocation.
pub struct Handler {
    directory: Directory,
    /// Attempts in a row that failed in a way that passes, of whatever user.
    failures: AtomicU32,
}

/// Why a sweep failed.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The directory table cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Users whose items cannot be read or written. All others were swept.
    #[error("{0} pending users could not be read from or written to the directory table")]
    Users(usize),
}

/// Why an attempt at a user has no outcome.
enum Unfinished {
    OutOfTime,
    Failed(StoreError),
}

impl From<StoreError> for Unfinished {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl Handler {
    /// A handler of invocations for a directory.
    pub fn new(directory: Directory) -> Self {
        Self {
            directory: directory.stopping_at_throttle(),
            failures: AtomicU32::new(0),
        }
    }

    /// Works on the event. `deadline` is when Lambda ends the function, in milliseconds
    /// since 1970; what is not reached by then is left to the next invocation.
    ///
    /// # Errors
    /// When the sweep cannot read the directory, and at its end if it could not read single
    /// users. Messages fail one by one instead.
    pub async fn handle(&self, event: Event, deadline: u64) -> Result<Answer, SweepError> {
        let end = Instant::now() + remaining(deadline);
        let used_before = self.directory.connect_usage();
        let answer = if event.records.is_empty() {
            self.sweep(end).await.map(|()| Answer::default())
        } else {
            Ok(self.work_on_all(event.records, end).await)
        };
        let used = self.directory.connect_usage().since(used_before);
        lambda_support::measure! {
            count.ConnectCalls = used.calls,
            count.ConnectThrottles = used.throttled,
        }
        answer
    }

    async fn work_on_all(&self, records: Vec<Record>, end: Instant) -> Answer {
        let mut answer = Answer::default();
        for record in records {
            if !self.work_on(&record.body, end).await {
                answer.batch_item_failures.push(BatchItemFailure {
                    item_identifier: record.message_id,
                });
            }
        }
        answer
    }

    /// Works on a message, again and again while there is time. Between attempts, requests
    /// can change the user. Returns whether the message is finished.
    async fn work_on(&self, body: &str, end: Instant) -> bool {
        let Ok(message) = serde_json::from_str::<Message>(body) else {
            tracing::error!("a message names no user; it goes to the dead-letter queue");
            return false;
        };
        let mut time = FIRST_ATTEMPT;
        loop {
            let pause = match self.reconcile(&message.user_id, time, end).await {
                Ok(Reconciled::Synchronised | Reconciled::Gone | Reconciled::Refused(_)) => {
                    return true;
                }
                Ok(Reconciled::Pending(_)) => self.pause(),
                Ok(Reconciled::Busy) => PAUSE,
                Err(Unfinished::OutOfTime | Unfinished::Failed(_)) => return false,
            };
            if !sleep(jittered(pause), end).await {
                return false;
            }
            time = (time + FIRST_ATTEMPT).min(LONGEST_ATTEMPT);
        }
    }

    /// The pause after so many failures in a row, without jitter.
    fn pause(&self) -> Duration {
        let failures = self.failures.load(Ordering::Relaxed);
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE)
    }

    async fn sweep(&self, end: Instant) -> Result<(), SweepError> {
        let now = Timestamp::now();
        let before = now.saturating_sub(SWEEP_AGE).unwrap_or(Timestamp::MIN);
        let pending = self.directory.store().pending().await?;
        let (mut found, mut synchronised, mut failed) = (0_usize, 0_usize, 0_usize);
        let mut oldest = None;
        let groups = Context {
            deadline: end.min(Instant::now() + FIRST_ATTEMPT),
            ..context(end)
        };
        if let Err(error) = self.directory.sweep_groups(groups).await {
            tracing::error!(%error, "not all deleted groups are swept");
        }
        for user in &pending {
            let is_due = user.since < before;
            found += usize::from(is_due);
            let is_synchronised = is_due
                && self.sweep_up(&user.id, end).await.unwrap_or_else(|error| {
                    tracing::error!(user_id = user.id, %error, "a pending user cannot be swept");
                    failed += 1;
                    false
                });
            if is_synchronised {
                synchronised += 1;
            } else {
                // The first is the oldest.
                oldest.get_or_insert(user.since);
            }
        }
        lambda_support::measure! {
            count.PendingUsers = pending.len() - synchronised,
            count.UnreadableUsers = failed,
            seconds.OldestPendingAge = oldest.map_or(0, |since| now.duration_since(since).as_secs()),
        }
        tracing::info!(
            found,
            synchronised,
            pending = found - synchronised,
            failed,
            "swept"
        );
        match failed {
            0 => Ok(()),
            failed => Err(SweepError::Users(failed)),
        }
    }

    /// Reconciles a user, unless Connect refused it lately. The answer is whether Connect
    /// has it now.
    async fn sweep_up(&self, id: &str, end: Instant) -> Result<bool, StoreError> {
        if Instant::now() >= end || self.was_refused_lately(id).await? {
            return Ok(false);
        }
        match self.reconcile(id, FIRST_ATTEMPT, end).await {
            Ok(Reconciled::Synchronised | Reconciled::Gone) => Ok(true),
            Ok(Reconciled::Pending(_)) => {
                sleep(jittered(self.pause()), end).await;
                Ok(false)
            }
            Ok(Reconciled::Busy | Reconciled::Refused(_)) | Err(Unfinished::OutOfTime) => Ok(false),
            Err(Unfinished::Failed(error)) => Err(error),
        }
    }

    async fn was_refused_lately(&self, id: &str) -> Result<bool, StoreError> {
        let Some(record) = self.directory.store().get_record(id).await? else {
            return Ok(false);
        };
        let pause = if record.removed || !record.user.is_active() {
            REFUSED_REMOVAL_PAUSE
        } else {
            REFUSAL_PAUSE
        };
        let lately = Timestamp::now()
            .saturating_sub(pause)
            .map_or_else(|_| String::new(), iso);
        let refused_at = record.connect.refused_at;
        Ok(refused_at.is_some_and(|refused_at| refused_at > lately))
    }

    /// Reconciles one user for at most `time`, after the pause that Connect needs. A SCIM id
    /// in the log is no personal data.
    async fn reconcile(
        &self,
        id: &str,
        time: Duration,
        end: Instant,
    ) -> Result<Reconciled, Unfinished> {
        if !sleep(self.directory.connect().pause(), end).await {
            return Err(Unfinished::OutOfTime);
        }
        let started = Instant::now();
        let used_before = self.directory.connect_usage();
        let context = Context {
            deadline: end.min(started + time),
            ..context(end)
        };
        let outcome = self.directory.reconcile(id, context).await;
        let used = self.directory.connect_usage().since(used_before);
        let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (state, reason) = match &outcome {
            Ok(Reconciled::Synchronised) => ("synchronised", None),
            Ok(Reconciled::Gone) => ("gone", None),
            Ok(Reconciled::Busy) => ("busy", None),
            Ok(Reconciled::Pending(code)) => ("pending", Some(code.clone())),
            Ok(Reconciled::Refused(refusal)) => ("refused", Some(refusal.code().to_owned())),
            Err(error) => ("failed", Some(error.to_string())),
        };
        tracing::info!(
            user_id = id,
            state,
            reason,
            milliseconds,
            connect_calls = used.calls,
            connect_throttles = used.throttled,
            "reconciled"
        );
        match &outcome {
            Ok(Reconciled::Pending(_)) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
            }
            Ok(Reconciled::Synchronised | Reconciled::Gone | Reconciled::Refused(_)) => {
                self.failures.store(0, Ordering::Relaxed);
            }
            Ok(Reconciled::Busy) | Err(_) => {}
        }
        Ok(outcome?)
    }
}

fn context(end: Instant) -> Context<'static> {
    Context {
        now: Timestamp::now(),
        deadline: end,
        stop: end,
        client: "reconciler",
    }
}

/// Sleeps, if that ends before `end`. Returns whether it does.
async fn sleep(time: Duration, end: Instant) -> bool {
    let is_in_time = Instant::now() + time < end;
    if is_in_time {
        tokio::time::sleep(time).await;
    }
    is_in_time
}

/// The time left for work, by the time at which Lambda ends the function.
fn remaining(deadline: u64) -> Duration {
    let end = SystemTime::UNIX_EPOCH + Duration::from_millis(deadline);
    end.duration_since(SystemTime::now())
        .unwrap_or_default()
        .saturating_sub(RESERVED_TIME)
}
