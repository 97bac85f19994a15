//! The steps that every change is made of: claim, bring, finish.

use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;

use super::{Context, Directory, Unresolved, Written, wanted::Intent};
use crate::{
    mapping::username,
    reconcile::{Failure, Presence, Refusal, Stop, Task},
    store::{Claimed, ConnectState, Record, StoreError, Whom, fold, iso},
};

/// How long a request waits for another one that is changing the same user.
const WAIT_FOR_CLAIM: Duration = Duration::from_secs(3);

/// The longest pause between two attempts to claim a user.
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// How often a user is brought to Connect before the request gives up: once, once more
/// with names read again, once more after a leaver released the username.
const ATTEMPTS: u32 = 3;

/// A username that belongs to a leaver is being released; no fault of this user.
const RELEASING: &str = "UserNameIsBeingReleased";

impl Directory {
    /// Brings Connect to the desired state, and records the result in `record`.
    pub(super) async fn bring(
        &self,
        record: &mut Record,
        intent: &Intent,
        mut presence: Presence,
        password: Option<&SecretString>,
        context: Context<'_>,
    ) -> Result<(), Failure> {
        let mut names_are_fresh = false;
        for _ in 0..ATTEMPTS {
            match self.attempt(record, &presence, password, context).await {
                Err(Stop::UnknownId(refusal)) if names_are_fresh => {
                    return Err(Failure::Refused(refusal));
                }
                Err(Stop::UnknownId(_)) => {
                    // The list of names is older than the deletion of a profile in it.
                    names_are_fresh = true;
                    self.profiles.forget();
                    presence = match self.presence(record, intent, context).await {
                        Ok(presence) => presence,
                        Err(Unresolved::Transient(code)) => return Err(Failure::Transient(code)),
                        Err(Unresolved::Refused(error)) => {
                            return Err(Failure::Refused(Refusal::Invalid(error.to_string())));
                        }
                    };
                }
                Err(Stop::HeldByLeaver(owner)) => {
                    self.release_username(&owner, &presence, context).await?;
                }
                Err(Stop::Failed(failure)) => return Err(failure),
                Ok(()) => return Ok(()),
            }
        }
        Err(Failure::Transient(RELEASING.to_owned()))
    }

    pub(super) async fn attempt(
        &self,
        record: &mut Record,
        presence: &Presence,
        password: Option<&SecretString>,
        context: Context<'_>,
    ) -> Result<(), Stop> {
        let mut usernames: Vec<String> = record.connect.former_usernames.iter().cloned().collect();
        usernames.push(username(&record.user.document));
        let task = Task {
            scim_id: &record.user.id,
            usernames: &usernames,
            presence,
            password,
            deadline: context.deadline,
        };
        self.reconciler.bring(&mut record.connect, &task).await
    }

    /// Deletes the Connect user of a leaver who has another userName by now, so that
    /// Connect's username is free for the user whose it has become.
    async fn release_username(
        &self,
        owner: &str,
        presence: &Presence,
        context: Context<'_>,
    ) -> Result<(), Failure> {
        let busy = || Failure::Transient(RELEASING.to_owned());
        let claimed = match self
            .store
            .claim(owner, context.now, Whom::PresentOrRemoved, None)
            .await
        {
            Ok(claimed) => claimed,
            Err(StoreError::NotFound) => return Ok(()),
            Err(error) => {
                tracing::warn!(%error, user_id = owner, "the username of a leaver is not released yet");
                return Err(busy());
            }
        };
        let mut after = claimed.record.clone();
        let username = presence.username().unwrap_or_default();
        if !has_left(&after, username) {
            self.release(&claimed, context).await;
            return Err(busy());
        }
        // Connect has the user, whatever is recorded of it.
        after.connect.uncertain = true;
        after.connect.former_usernames.insert(username.to_owned());
        let outcome = self
            .attempt(&mut after, &Presence::Absent, None, context)
            .await
            .map_err(Failure::from);
        let released = outcome.clone();
        let written = if after.removed && outcome.is_ok() {
            self.store.delete_user(&claimed, context.now).await
        } else {
            let settled = self.settle(&claimed, after, outcome, context).await;
            settled.map(drop)
        };
        released.and(written.map_err(|_| busy()))
    }

    /// Finishes a change that was carried out or is left pending.
    pub(super) async fn conclude(
        &self,
        claimed: &Claimed,
        mut after: Record,
        outcome: Result<(), Failure>,
        context: Context<'_>,
    ) -> Result<Record, StoreError> {
        if outcome.is_ok() {
            let applied = after.connect.applied.as_ref();
            after.connect.settings = applied.map(|_| self.fingerprint.clone());
        }
        note_outcome(&claimed.record, &mut after, outcome, context);
        self.store.finish(claimed, &after, context.now).await?;
        Ok(after)
    }

    /// [`Directory::conclude`], and a user who is pending from now on is handed over to
    /// the reconciler.
    pub(super) async fn settle(
        &self,
        claimed: &Claimed,
        after: Record,
        outcome: Result<(), Failure>,
        context: Context<'_>,
    ) -> Result<Written, StoreError> {
        let after = self.conclude(claimed, after, outcome, context).await?;
        if needs_message(&claimed.record, &after) {
            self.hand_over(&after.user.id).await;
        }
        Ok(Written {
            pending: after.pending_since.is_some(),
            user: after.user,
        })
    }

    /// Sends a pending user to the reconciler. If the message cannot be sent, the sweep
    /// finds the user.
    async fn hand_over(&self, id: &str) {
        if let Some(queue) = &self.queue
            && let Err(error) = queue.send(id).await
        {
            tracing::warn!(%error, "a pending user waits for the sweep");
        }
    }

    /// [`Directory::hand_over`] for many users.
    pub(super) async fn hand_over_all(&self, ids: &[String]) {
        let Some(queue) = &self.queue else { return };
        let failed = queue.send_all(ids).await;
        if !failed.is_empty() {
            tracing::warn!(users = failed.len(), "pending users wait for the sweep");
        }
    }

    /// Gives a refused change back: the resource stays as it was, and if Connect was
    /// changed already, the user is pending until Connect is back. `attempted` is the
    /// username under which the change may have created a user.
    pub(super) async fn take_back(
        &self,
        claimed: &Claimed,
        mut connect: ConnectState,
        attempted: String,
        context: Context<'_>,
    ) {
        if connect.uncertain {
            connect.former_usernames.insert(attempted);
        }
        let mut record = claimed.record.clone();
        if connect != record.connect {
            record.connect = connect;
            note_write(&claimed.record.connect, &mut record.connect, context);
            record.pending_since.get_or_insert_with(|| iso(context.now));
        }
        self.finish_quietly(claimed, &record, context).await;
    }

    pub(super) async fn release(&self, claimed: &Claimed, context: Context<'_>) {
        self.finish_quietly(claimed, &claimed.record, context).await;
    }

    /// The response to the request is settled; a claim that cannot be given back expires.
    async fn finish_quietly(&self, claimed: &Claimed, record: &Record, context: Context<'_>) {
        if let Err(error) = self.store.finish(claimed, record, context.now).await {
            tracing::warn!(%error, "could not give a claim back; it expires by itself");
        }
    }

    /// Claims a user, waiting for another request that is changing it. `username` is the
    /// one under which the request may create the user in Connect, where it is another
    /// one than before.
    pub(super) async fn claim(
        &self,
        id: &str,
        username: Option<&str>,
        context: Context<'_>,
    ) -> Result<Claimed, StoreError> {
        let give_up = (Instant::now() + WAIT_FOR_CLAIM).min(context.stop);
        let mut pause = Duration::from_millis(25);
        loop {
            let claimed = self
                .store
                .claim(id, context.now, Whom::Present, username)
                .await;
            let left = give_up.saturating_duration_since(Instant::now());
            match claimed {
                Err(StoreError::Busy) if !left.is_zero() => {
                    tokio::time::sleep(pause.min(left)).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                outcome => return outcome,
            }
        }
    }
}

/// Whether a user has no right to a Connect user of this username any more.
pub(crate) fn has_left(record: &Record, username: &str) -> bool {
    record.removed || (!record.user.is_active() && fold(record.user.user_name()) != fold(username))
}

/// Writes the outcome of a change into the record.
pub(super) fn note_outcome(
    before: &Record,
    after: &mut Record,
    outcome: Result<(), Failure>,
    context: Context<'_>,
) {
    note_write(&before.connect, &mut after.connect, context);
    after.connect.refused_at = None;
    match outcome {
        Ok(()) => {
            after.pending_since = None;
            after.connect.last_error = None;
        }
        Err(failure) => {
            after.pending_since.get_or_insert_with(|| iso(context.now));
            if let Failure::Refused(refusal) = &failure {
                after.connect.refused_at = Some(iso(context.now));
                tracing::error!(
                    user_id = after.user.id,
                    reason = refusal.code(),
                    "Connect refuses the desired state of a user"
                );
            }
            after.connect.last_error = Some(match failure {
                Failure::Transient(code) => code,
                Failure::Refused(refusal) => refusal.code().to_owned(),
            });
        }
    }
}

/// Keeps the time of our own writes, to distinguish changes by others, and
/// forgets usernames that were looked for.
fn note_write(before: &ConnectState, after: &mut ConnectState, context: Context<'_>) {
    if after.applied != before.applied {
        after.written_at = Some(iso(context.now));
    }
    if !after.uncertain {
        after.former_usernames.clear();
    }
}

/// Whether a pending user needs a message to the reconciler. One who was pending before has
/// a message already, unless Connect refused the user and the message was used up.
pub(super) fn needs_message(before: &Record, after: &Record) -> bool {
    after.pending_since.is_some()
        && (before.pending_since.is_none() || before.connect.refused_at.is_some())
}
