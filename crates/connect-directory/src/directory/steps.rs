//! The steps that every change is made of: claim, bring, finish.

use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;

use super::{Context, Directory, Written};
use crate::{
    mapping::Wanted,
    reconcile::{Failure, Presence, Task},
    store::{Claimed, ConnectState, Record, StoreError, Whom, iso},
};

/// How long a request waits for another one that is changing the same user.
const WAIT_FOR_CLAIM: Duration = Duration::from_secs(3);

impl Directory {
    pub(super) async fn bring(
        &self,
        record: &mut Record,
        wanted: &Wanted,
        presence: Result<Presence, String>,
        password: Option<&SecretString>,
        context: Context<'_>,
    ) -> Result<(), Failure> {
        let presence = presence.map_err(Failure::Transient)?;
        self.bring_to(record, &wanted.username, &presence, password, context)
            .await
    }

    pub(super) async fn bring_to(
        &self,
        record: &mut Record,
        username: &str,
        presence: &Presence,
        password: Option<&SecretString>,
        context: Context<'_>,
    ) -> Result<(), Failure> {
        let task = Task {
            scim_id: &record.user.id,
            username,
            presence,
            password,
            deadline: context.deadline,
        };
        self.reconciler.bring(&mut record.connect, &task).await
    }

    /// Finishes a change that was carried out or is left pending.
    pub(super) async fn conclude(
        &self,
        claimed: &Claimed,
        mut after: Record,
        outcome: Result<(), Failure>,
        context: Context<'_>,
    ) -> Result<Written, StoreError> {
        note_write(&claimed.record.connect, &mut after.connect, context);
        after.connect.refused_at = None;
        match outcome {
            Ok(()) => {
                after.pending_since = None;
                after.connect.last_error = None;
            }
            Err(failure) => {
                after.pending_since.get_or_insert_with(|| iso(context.now));
                if matches!(failure, Failure::Refused(_)) {
                    after.connect.refused_at = Some(iso(context.now));
                }
                after.connect.last_error = Some(match failure {
                    Failure::Transient(code) => code,
                    Failure::Refused(refusal) => refusal.code().to_owned(),
                });
            }
        }
        self.store.finish(claimed, &after).await?;
        Ok(Written {
            pending: after.pending_since.is_some(),
            user: after.user,
        })
    }

    /// [`Directory::conclude`], and a user who is still pending is handed over.
    pub(super) async fn settle(
        &self,
        claimed: &Claimed,
        after: Record,
        outcome: Result<(), Failure>,
        context: Context<'_>,
    ) -> Result<Written, StoreError> {
        let written = self.conclude(claimed, after, outcome, context).await?;
        self.hand_over(&written).await;
        Ok(written)
    }

    /// Has a pending user reconciled. If the message cannot be sent, the sweep finds the
    /// user.
    pub(super) async fn hand_over(&self, written: &Written) {
        if let (true, Some(queue)) = (written.pending, &self.queue)
            && let Err(error) = queue.send(&written.user.id).await
        {
            tracing::warn!(%error, "a pending user waits for the sweep");
        }
    }

    /// Gives a refused change back: the resource stays as it was, and if Connect was
    /// changed already, the user is pending until Connect is back.
    pub(super) async fn take_back(
        &self,
        claimed: &Claimed,
        connect: ConnectState,
        context: Context<'_>,
    ) {
        let mut record = claimed.record.clone();
        if connect != record.connect {
            record.connect = connect;
            note_write(&claimed.record.connect, &mut record.connect, context);
            record.pending_since.get_or_insert_with(|| iso(context.now));
        }
        self.finish_quietly(claimed, &record).await;
    }

    pub(super) async fn release(&self, claimed: &Claimed) {
        self.finish_quietly(claimed, &claimed.record).await;
    }

    /// The answer to the request is settled; a claim that cannot be given back expires.
    async fn finish_quietly(&self, claimed: &Claimed, record: &Record) {
        if let Err(error) = self.store.finish(claimed, record).await {
            tracing::warn!(%error, "could not give a claim back; it expires by itself");
        }
    }

    pub(super) async fn claim(
        &self,
        id: &str,
        context: Context<'_>,
    ) -> Result<Claimed, StoreError> {
        let give_up = (Instant::now() + WAIT_FOR_CLAIM).min(context.deadline);
        let mut pause = Duration::from_millis(25);
        loop {
            match self.store.claim(id, context.now, Whom::Present).await {
                Err(StoreError::Busy) if Instant::now() + pause < give_up => {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                outcome => return outcome,
            }
        }
    }
}

/// Whoever looks for changes by other hands has to know which ones are ours.
fn note_write(before: &ConnectState, after: &mut ConnectState, context: Context<'_>) {
    if after.applied != before.applied {
        after.written_at = Some(iso(context.now));
    }
}
