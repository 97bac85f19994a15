//! A pending user: brought to Connect by whoever finds it.

use std::collections::BTreeSet;

use super::{
    Context, Directory, Observation, Reconciled, Unresolved,
    wanted::{Intent, MappedGroups, grants},
};
use crate::{
    mapping::named_security_profiles,
    profiles::ProfileError,
    reconcile::{Failure, Presence, Refusal},
    store::{Claimed, GroupState, Record, StoreError, StoredUser, Whom, iso},
    user::ConnectUser,
};

impl Directory {
    /// Brings a user to Connect that is pending. Doing it for any other, or more than
    /// once, does no harm.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn reconcile(
        &self,
        id: &str,
        context: Context<'_>,
    ) -> Result<Reconciled, StoreError> {
        self.reconcile_from(id, Observation::Recorded, context)
            .await
    }

    pub(super) async fn reconcile_from(
        &self,
        id: &str,
        observation: Observation,
        context: Context<'_>,
    ) -> Result<Reconciled, StoreError> {
        let claimed = match self
            .store
            .claim(id, context.now, Whom::PresentOrRemoved, None)
            .await
        {
            Ok(claimed) => claimed,
            Err(StoreError::NotFound) => return Ok(Reconciled::Gone),
            Err(StoreError::Busy) => return Ok(Reconciled::Busy),
            Err(error) => return Err(error),
        };
        let mut after = claimed.record.clone();
        let outcome = self.work_on(&mut after, observation, context).await;
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                self.release(&claimed, context).await;
                return Err(error);
            }
        };
        if after.removed && outcome.is_ok() {
            self.store.delete_user(&claimed, context.now).await?;
            return Ok(Reconciled::Gone);
        }
        if after.user != claimed.record.user {
            after.user.version += 1;
            after.user.last_modified = iso(context.now);
        }
        self.record_outcome(&claimed, after, outcome, context).await
    }

    async fn work_on(
        &self,
        after: &mut Record,
        observation: Observation,
        context: Context<'_>,
    ) -> Result<Result<(), Failure>, StoreError> {
        if observation == Observation::Anew {
            after.connect.uncertain |= after.connect.applied.is_some() || after.user.is_active();
            self.leave_deleted_groups(&mut after.user).await?;
        }
        let groups = self.mapped_groups([&after.user]).await?;
        let intent = match self.intent(after, &groups) {
            Ok(intent) => intent,
            Err(error) => return Ok(Err(self.reduce(after, &groups, &error, context).await)),
        };
        let presence = match self.presence(after, &intent, context).await {
            Ok(presence) => presence,
            Err(Unresolved::Transient(code)) => return Ok(Err(Failure::Transient(code))),
            Err(Unresolved::Refused(error)) => {
                return Ok(Err(self.reduce(after, &groups, &error, context).await));
            }
        };
        if matches!(intent, Intent::Active(_)) {
            self.leave_missing_groups(&mut after.user, &groups, context.now);
        }
        Ok(self.bring(after, &intent, presence, None, context).await)
    }

    /// Takes the rights from an active user that it must not keep, although the resource
    /// cannot be carried out as a whole: a removed membership ends whatever else is wrong
    /// with the user. The result is the reason why the user stays pending.
    async fn reduce(
        &self,
        record: &mut Record,
        groups: &MappedGroups,
        error: &impl ToString,
        context: Context<'_>,
    ) -> Failure {
        let refusal = Failure::Refused(Refusal::Invalid(error.to_string()));
        let Some(applied) = &record.connect.applied else {
            return refusal;
        };
        let names = named_security_profiles(&record.user.document, &self.settings.attributes);
        let grants = grants(&record.user, groups);
        let allowed = self.profiles.existing(&grants, &names, context.deadline);
        let allowed = match allowed.await {
            Ok(allowed) => allowed,
            Err(ProfileError::Unlisted(failure @ Failure::Transient(_))) => return failure,
            Err(_) => return refusal,
        };
        let held = &applied.user.security_profile_ids;
        let kept: BTreeSet<String> = held.intersection(&allowed).cloned().collect();
        let presence = Presence::Present(ConnectUser {
            security_profile_ids: if kept.is_empty() { allowed } else { kept },
            ..applied.user.clone()
        });
        match self.attempt(record, &presence, None, context).await {
            Ok(()) => refusal,
            Err(stop) => match Failure::from(stop) {
                failure @ Failure::Transient(_) => failure,
                Failure::Refused(_) => refusal,
            },
        }
    }

    /// Ends memberships of groups that the identity provider deleted: what a crash, or a
    /// table that was put together from parts, may have left.
    async fn leave_deleted_groups(&self, user: &mut StoredUser) -> Result<(), StoreError> {
        let mut ended = Vec::new();
        for id in user.groups.keys() {
            let group = self.store.group(id).await?;
            if group.is_none_or(|group| group.state != GroupState::Active) {
                ended.push(id.clone());
            }
        }
        user.groups.retain(|id, _| !ended.contains(id));
        Ok(())
    }

    /// Writes the outcome of a reconciliation. Here a refusal cannot undo anything: the
    /// resource was accepted. The user stays pending, with the reason.
    async fn record_outcome(
        &self,
        claimed: &Claimed,
        after: Record,
        outcome: Result<(), Failure>,
        context: Context<'_>,
    ) -> Result<Reconciled, StoreError> {
        let reconciled = match &outcome {
            Ok(()) => Reconciled::Synchronised,
            Err(Failure::Transient(code)) => Reconciled::Pending(code.clone()),
            Err(Failure::Refused(refusal)) => Reconciled::Refused(refusal.clone()),
        };
        self.conclude(claimed, after, outcome, context).await?;
        Ok(reconciled)
    }
}
