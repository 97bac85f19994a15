//! One invocation: the users of its messages, or all who have been pending for long.

use std::time::{Duration, SystemTime};

use connect_directory::{
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

/// How long the sweep leaves a user alone whom Connect refused: until somebody acts, asking
/// again only takes calls from the others.
const REFUSAL_PAUSE: SignedDuration = SignedDuration::from_hours(1);

/// What is kept of the function's time to write the last outcome down.
const RESERVED_TIME: Duration = Duration::from_secs(5);

/// How long Connect may take for one user.
const TIME_PER_USER: Duration = Duration::from_secs(15);

/// How long a user whom Connect does not take yet waits for the next try of the same
/// invocation: the time in which Connect's default quota allows one more call. A message
/// that is given back instead comes again only after the queue's visibility timeout, and
/// a quota that nobody asks for meanwhile is lost.
const PAUSE: Duration = Duration::from_millis(500);

/// Everything that outlives an invocation.
pub struct Handler {
    directory: Directory,
}

impl Handler {
    /// A handler of invocations for a directory.
    pub fn new(directory: Directory) -> Self {
        Self { directory }
    }

    /// Works on the event. `deadline` is when Lambda ends the function, in milliseconds
    /// since 1970; what is not reached by then is left to the next invocation.
    ///
    /// # Errors
    /// When the sweep cannot read the directory. Messages fail one by one instead.
    pub async fn handle(&self, event: Event, deadline: u64) -> Result<Answer, StoreError> {
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

    /// Works on a message, again and again while there is time. The answer is whether it
    /// is finished.
    async fn work_on(&self, body: &str, end: Instant) -> bool {
        let Ok(message) = serde_json::from_str::<Message>(body) else {
            tracing::error!("a message names no user; it goes to the dead-letter queue");
            return false;
        };
        loop {
            match self.reconcile(&message.user_id, end).await {
                Some(Reconciled::Synchronised | Reconciled::Gone | Reconciled::Refused(_)) => {
                    return true;
                }
                Some(Reconciled::Pending(_) | Reconciled::Busy) if Instant::now() + PAUSE < end => {
                    tokio::time::sleep(PAUSE).await;
                }
                Some(Reconciled::Pending(_) | Reconciled::Busy) | None => return false,
            }
        }
    }

    async fn sweep(&self, end: Instant) -> Result<(), StoreError> {
        let now = Timestamp::now();
        let before = now.saturating_sub(SWEEP_AGE).unwrap_or(Timestamp::MIN);
        let pending = self.directory.store().pending().await?;
        let (mut found, mut synchronised) = (0_usize, 0_usize);
        let mut oldest = None;
        if let Err(error) = self.directory.sweep_groups(context(end)).await {
            tracing::error!(%error, "not all deleted groups are swept");
        }
        for user in &pending {
            let is_due = user.since < before;
            found += usize::from(is_due);
            if is_due && self.sweep_up(&user.id, end).await? {
                synchronised += 1;
            } else {
                // The first is the oldest.
                oldest.get_or_insert(user.since);
            }
        }
        lambda_support::measure! {
            count.PendingUsers = pending.len() - synchronised,
            seconds.OldestPendingAge = oldest.map_or(0, |since| now.duration_since(since).as_secs()),
        }
        tracing::info!(found, synchronised, pending = found - synchronised, "swept");
        Ok(())
    }

    /// Reconciles a user, unless Connect refused it lately. The answer is whether Connect
    /// has it now.
    async fn sweep_up(&self, id: &str, end: Instant) -> Result<bool, StoreError> {
        if Instant::now() >= end || self.was_refused_lately(id).await? {
            return Ok(false);
        }
        let outcome = self.reconcile(id, end).await;
        Ok(matches!(
            outcome,
            Some(Reconciled::Synchronised | Reconciled::Gone)
        ))
    }

    async fn was_refused_lately(&self, id: &str) -> Result<bool, StoreError> {
        let lately = Timestamp::now()
            .saturating_sub(REFUSAL_PAUSE)
            .map_or_else(|_| String::new(), iso);
        let record = self.directory.store().get_record(id).await?;
        Ok(record
            .and_then(|record| record.connect.refused_at)
            .is_some_and(|refused_at| refused_at > lately))
    }

    /// Reconciles one user, if there is time. A SCIM id in the log is no personal data.
    async fn reconcile(&self, id: &str, end: Instant) -> Option<Reconciled> {
        let started = Instant::now();
        if started >= end {
            return None;
        }
        let used_before = self.directory.connect_usage();
        let context = Context {
            deadline: end.min(started + TIME_PER_USER),
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
        outcome.ok()
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

/// The time left for work, by the time at which Lambda ends the function.
fn remaining(deadline: u64) -> Duration {
    let end = SystemTime::UNIX_EPOCH + Duration::from_millis(deadline);
    end.duration_since(SystemTime::now())
        .unwrap_or_default()
        .saturating_sub(RESERVED_TIME)
}
