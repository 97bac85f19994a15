//! An existing user: changed or deleted, or left as it was if Connect refuses.

use std::convert::Infallible;

use serde_json::{Map, Value};

use super::{
    ChangeError, Context, Directory, DirectoryError, Rename, Unresolved, Written,
    wanted::accept_unresolved,
};
use crate::{
    connect::NamedResource,
    mapping::Wanted,
    reconcile::{Failure, Presence},
    store::{Claimed, Record, StoreError, StoredUser, fold, iso},
};

impl Directory {
    /// Changes a user to what `change` makes of it; the closure gets the user as it is
    /// and answers the new document, which may be the old one.
    ///
    /// # Errors
    /// What the closure refuses with; or when there is no such user, another request
    /// holds it, the resource cannot be a Connect user, Connect refuses it, or the store
    /// fails. A refused change leaves the user as it was.
    pub async fn update<E>(
        &self,
        id: &str,
        change: impl FnOnce(&StoredUser) -> Result<Map<String, Value>, E>,
        context: Context<'_>,
    ) -> Result<Written, ChangeError<E>> {
        self.modify(
            id,
            |user| {
                user.document = change(user)?;
                Ok(())
            },
            context,
        )
        .await
    }

    /// Makes a user a member of a group, or no longer one.
    ///
    /// # Errors
    /// As of [`Directory::update`].
    pub async fn set_membership(
        &self,
        id: &str,
        group: &NamedResource,
        is_member: bool,
        context: Context<'_>,
    ) -> Result<Written, DirectoryError> {
        let changed = self
            .modify(
                id,
                |user| {
                    if is_member {
                        user.groups.insert(group.id.clone(), group.name.clone());
                    } else {
                        user.groups.remove(&group.id);
                    }
                    Ok::<(), Infallible>(())
                },
                context,
            )
            .await;
        changed.map_err(|error| match error {
            ChangeError::Directory(error) => error,
            ChangeError::Caller(never) => match never {},
        })
    }

    async fn modify<E>(
        &self,
        id: &str,
        change: impl FnOnce(&mut StoredUser) -> Result<(), E>,
        context: Context<'_>,
    ) -> Result<Written, ChangeError<E>> {
        let claimed = self.claim(id, context).await?;
        let before = &claimed.record;
        let mut after = before.clone();
        if let Err(error) = change(&mut after.user) {
            self.release(&claimed).await;
            return Err(ChangeError::Caller(error));
        }
        if after.user != before.user {
            after.user.version += 1;
            after.user.last_modified = iso(context.now);
            if after.user.external_id() != before.user.external_id() {
                after.client = context.client.to_owned();
            }
        }
        let written = self.change(&claimed, after, context).await?;
        self.hand_over(&written).await;
        Ok(written)
    }

    async fn change(
        &self,
        claimed: &Claimed,
        mut after: Record,
        context: Context<'_>,
    ) -> Result<Written, DirectoryError> {
        if self.is_settled(&claimed.record, &after) {
            return Ok(self.conclude(claimed, after, Ok(()), context).await?);
        }
        let (wanted, presence) = match self.check(&claimed.record, &after, context).await {
            Ok(checked) => checked,
            Err(error) => {
                self.release(claimed).await;
                return Err(error);
            }
        };
        let outcome = self
            .bring(&mut after, &wanted, presence, None, context)
            .await;
        let refusal = match outcome {
            Err(Failure::Refused(refusal)) => refusal,
            outcome => {
                let applied = after.connect.clone();
                return match self.conclude(claimed, after, outcome, context).await {
                    Err(StoreError::UserNameTaken) => {
                        self.take_back(claimed, applied, context).await;
                        Err(StoreError::UserNameTaken.into())
                    }
                    concluded => Ok(concluded?),
                };
            }
        };
        self.take_back(claimed, after.connect, context).await;
        Err(DirectoryError::Refused(refusal))
    }

    /// Connect has what was wanted, and the change asks nothing else of it.
    fn is_settled(&self, before: &Record, after: &Record) -> bool {
        let wanted = |record: &Record| self.wanted(&record.user).ok();
        before.pending_since.is_none()
            && !before.connect.uncertain
            && (before.user == after.user
                || wanted(before).is_some_and(|before| Some(before) == wanted(after)))
    }

    /// What a change asks of Connect, if it is one that may be made.
    async fn check(
        &self,
        before: &Record,
        after: &Record,
        context: Context<'_>,
    ) -> Result<(Wanted, Result<Presence, String>), DirectoryError> {
        let wanted = self.wanted(&after.user)?;
        let renamed = fold(before.user.user_name()) != fold(after.user.user_name());
        if renamed {
            let exists = before.connect.applied.is_some() || before.connect.uncertain;
            if exists && self.settings.rename == Rename::Reject {
                return Err(DirectoryError::Rename);
            }
            // The transaction at the end checks it for good; here, before Connect is asked.
            let other = self.store.find_by_user_name(after.user.user_name()).await?;
            if other.is_some_and(|other| other.id != after.user.id) {
                return Err(StoreError::UserNameTaken.into());
            }
        }
        match self.presence(after, &wanted, context.deadline).await {
            Ok(presence) => Ok((wanted, Ok(presence))),
            Err(Unresolved::Transient(code)) => {
                let before = self.wanted(&before.user).ok();
                let code = accept_unresolved(before.as_ref(), &wanted, code)?;
                Ok((wanted, Err(code)))
            }
            Err(Unresolved::Refused(error)) => Err(error),
        }
    }

    /// Deletes a user that `check` agrees to. The answer is whether Connect's user is
    /// still to go.
    ///
    /// # Errors
    /// What the closure refuses with; or when there is no such user, another request
    /// holds it, Connect refuses, or the store fails.
    pub async fn delete<E>(
        &self,
        id: &str,
        check: impl FnOnce(&StoredUser) -> Result<(), E>,
        context: Context<'_>,
    ) -> Result<bool, ChangeError<E>> {
        let claimed = self.claim(id, context).await?;
        if let Err(error) = check(&claimed.record.user) {
            self.release(&claimed).await;
            return Err(ChangeError::Caller(error));
        }
        let mut after = claimed.record.clone();
        after.removed = true;
        let username = after.user.user_name().to_owned();
        match self
            .bring_to(&mut after, &username, &Presence::Absent, None, context)
            .await
        {
            Err(Failure::Refused(refusal)) => {
                self.take_back(&claimed, after.connect, context).await;
                Err(DirectoryError::Refused(refusal).into())
            }
            Err(Failure::Transient(code)) => {
                let outcome = Err(Failure::Transient(code));
                self.settle(&claimed, after, outcome, context).await?;
                Ok(true)
            }
            Ok(()) => {
                self.store.delete_user(&claimed).await?;
                Ok(false)
            }
        }
    }
}
