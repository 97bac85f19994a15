//! A pending user: brought to Connect by whoever finds it.

use super::{Context, Directory, Observation, Reconciled, Unresolved};
use crate::{
    reconcile::{Failure, Presence, Refusal},
    store::{Claimed, Record, StoreError, Whom},
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
            .claim(id, context.now, Whom::PresentOrRemoved)
            .await
        {
            Ok(claimed) => claimed,
            Err(StoreError::NotFound) => return Ok(Reconciled::Gone),
            Err(StoreError::Busy) => return Ok(Reconciled::Busy),
            Err(error) => return Err(error),
        };
        let mut after = claimed.record.clone();
        if observation == Observation::Anew {
            after.connect.uncertain |= after.connect.applied.is_some() || after.user.is_active();
        }
        if after.removed {
            let username = after.user.user_name().to_owned();
            let outcome = self
                .bring_to(&mut after, &username, &Presence::Absent, None, context)
                .await;
            if outcome.is_ok() {
                self.store.delete_user(&claimed).await?;
                return Ok(Reconciled::Gone);
            }
            return self.record_outcome(&claimed, after, outcome, context).await;
        }
        let outcome = match self.wanted(&after.user) {
            Err(error) => Err(Failure::Refused(Refusal::Invalid(error.to_string()))),
            Ok(wanted) => match self.presence(&after, &wanted, context.deadline).await {
                Err(Unresolved::Refused(error)) => {
                    Err(Failure::Refused(Refusal::Invalid(error.to_string())))
                }
                Err(Unresolved::Transient(code)) => Err(Failure::Transient(code)),
                Ok(presence) => {
                    self.bring(&mut after, &wanted, Ok(presence), None, context)
                        .await
                }
            },
        };
        self.record_outcome(&claimed, after, outcome, context).await
    }

    /// Writes what a reconciliation came to. Here a refusal cannot undo anything: the
    /// resource was accepted. The user stays pending and says why.
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
