//! A new user: added, brought to Connect, and removed again if Connect refuses it.

use secrecy::SecretString;

use super::{
    Context, Directory, DirectoryError, Unresolved, Written,
    wanted::{Intent, MappedGroups, accept_unresolved},
};
use crate::{
    reconcile::{Failure, Presence},
    store::{Claimed, ConnectState, Record, StoreError, StoredUser, iso, new_id},
    user::AppliedUser,
};

impl Directory {
    /// Adds a user with this document and these external ids; id, version and times are
    /// set here.
    ///
    /// # Errors
    /// When the userName is taken, the user is active and cannot be a Connect user,
    /// Connect refuses it, or the store fails. Nothing is left of a refused user.
    pub async fn create(
        &self,
        user: StoredUser,
        password: Option<&SecretString>,
        context: Context<'_>,
    ) -> Result<Written, DirectoryError> {
        let now = iso(context.now);
        let mut record = Record {
            user: StoredUser {
                id: new_id(context.now).to_string(),
                version: 1,
                created: now.clone(),
                last_modified: now.clone(),
                ..user
            },
            connect: ConnectState::default(),
            pending_since: None,
            removed: false,
            claim: None,
        };
        let intent = self.intent(&record, &MappedGroups::new())?;
        if !matches!(intent, Intent::Active(_)) {
            // Connect has no user of this SCIM id, and needs none.
            self.store
                .create(record.clone(), context.now, false)
                .await?;
            return Ok(Written {
                user: record.user,
                pending: false,
            });
        }
        let presence = match self.presence(&record, &intent, context).await {
            Ok(presence) => Ok(presence),
            Err(Unresolved::Refused(error)) => return Err(error),
            Err(Unresolved::Transient(code)) => Err(accept_unresolved(None, &intent, code)?),
        };
        record.pending_since = Some(now);
        let mut claimed = self.store.create(record, context.now, true).await?;
        let mut after = claimed.record.clone();
        // No message was sent for the new user yet.
        claimed.record.pending_since = None;
        let outcome = match presence {
            Ok(presence) => {
                self.bring(&mut after, &intent, presence, password, context)
                    .await
            }
            Err(code) => Err(Failure::Transient(code)),
        };
        match outcome {
            Err(Failure::Refused(refusal)) => {
                self.undo_creation(&claimed, after, context).await?;
                Err(DirectoryError::Refused(refusal))
            }
            outcome => Ok(self.settle(&claimed, after, outcome, context).await?),
        }
    }

    /// Leaves nothing of a user whom Connect refused, not even one whom it created before
    /// it refused the rest. One that would have been adopted, and is not yet marked as
    /// this user's, stays where it was.
    async fn undo_creation(
        &self,
        claimed: &Claimed,
        mut after: Record,
        context: Context<'_>,
    ) -> Result<(), StoreError> {
        let id = claimed.record.user.id.as_str();
        let is_own = |applied: &AppliedUser| applied.owner() == Some(id);
        if !after.connect.uncertain && !after.connect.applied.as_ref().is_some_and(is_own) {
            return self.store.delete_user(claimed, context.now).await;
        }
        after.removed = true;
        let deleted = self
            .bring(&mut after, &Intent::Absent, Presence::Absent, None, context)
            .await;
        if deleted.is_ok() {
            return self.store.delete_user(claimed, context.now).await;
        }
        self.settle(claimed, after, deleted, context).await?;
        Ok(())
    }
}
