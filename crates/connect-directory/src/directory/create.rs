//! A new user: added, brought to Connect, and gone again if Connect refuses it.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::{Context, Directory, DirectoryError, Unresolved, Written, wanted::accept_unresolved};
use crate::{
    reconcile::{Failure, Presence},
    store::{Claimed, ConnectState, Record, StoreError, StoredUser, iso, new_id},
    user::AppliedUser,
};

impl Directory {
    /// Adds a user. The document is in canonical form, without `id` and `meta`.
    ///
    /// # Errors
    /// When the userName is taken, the resource cannot be a Connect user, Connect
    /// refuses it, or the store fails. Nothing is left of a refused user.
    pub async fn create(
        &self,
        document: Map<String, Value>,
        password: Option<&SecretString>,
        context: Context<'_>,
    ) -> Result<Written, DirectoryError> {
        let now = iso(context.now);
        let user = StoredUser {
            id: new_id(context.now).to_string(),
            version: 1,
            created: now.clone(),
            last_modified: now.clone(),
            document,
            groups: BTreeMap::new(),
        };
        let wanted = self.wanted(&user)?;
        let mut record = Record {
            user,
            client: context.client.to_owned(),
            connect: ConnectState::default(),
            pending_since: None,
            removed: false,
        };
        let presence = match self.presence(&record, &wanted, context.deadline).await {
            Ok(presence) => Ok(presence),
            Err(Unresolved::Refused(error)) => return Err(error),
            Err(Unresolved::Transient(code)) => Err(accept_unresolved(None, &wanted, code)?),
        };
        if !wanted.active {
            // Nobody of this SCIM id is in Connect, and nobody needs to be.
            self.store
                .create(record.clone(), context.now, false)
                .await?;
            return Ok(Written {
                user: record.user,
                pending: false,
            });
        }
        record.pending_since = Some(now);
        let claimed = self.store.create(record, context.now, true).await?;
        let mut after = claimed.record.clone();
        let outcome = self
            .bring(&mut after, &wanted, presence, password, context)
            .await;
        match outcome {
            Err(Failure::Refused(refusal)) => {
                self.undo_creation(&claimed, after, context).await?;
                Err(DirectoryError::Refused(refusal))
            }
            outcome => Ok(self.settle(&claimed, after, outcome, context).await?),
        }
    }

    /// Leaves nothing of a user whom Connect refused, not even one whom it created before
    /// it refused the rest. One that would have been taken over, and is not yet marked as
    /// this user's, stays where it was.
    async fn undo_creation(
        &self,
        claimed: &Claimed,
        mut after: Record,
        context: Context<'_>,
    ) -> Result<(), StoreError> {
        let id = claimed.record.user.id.as_str();
        let is_own = |applied: &AppliedUser| applied.owner() == Some(id);
        if !after.connect.applied.as_ref().is_some_and(is_own) {
            return self.store.delete_user(claimed).await;
        }
        after.removed = true;
        let username = after.user.user_name().to_owned();
        let deleted = self
            .bring_to(&mut after, &username, &Presence::Absent, None, context)
            .await;
        if deleted.is_ok() {
            return self.store.delete_user(claimed).await;
        }
        self.settle(claimed, after, deleted, context).await?;
        Ok(())
    }
}
