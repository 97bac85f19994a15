//! An existing user: changed or deleted, or left as it was if Connect refuses.

use super::{
    ChangeError, Context, Directory, DirectoryError, Rename, Unresolved, Written,
    wanted::{Intent, MappedGroups, accept_unresolved},
};
use crate::{
    mapping::username,
    reconcile::{Failure, Presence},
    store::{Claimed, Record, StoreError, StoredUser, fold, iso},
};

impl Directory {
    /// Changes a user to what `change` makes of it. The closure may be called more than
    /// once, each time with the user as it then is.
    ///
    /// # Errors
    /// What the closure refuses with; or when there is no such user, another request
    /// holds it, the resource is active and cannot be a Connect user, Connect refuses it,
    /// or the store fails. A refused change leaves the user as it was.
    pub async fn update<E>(
        &self,
        id: &str,
        change: impl Fn(&mut StoredUser) -> Result<(), E>,
        context: Context<'_>,
    ) -> Result<Written, ChangeError<E>> {
        let mut is_leaver = false;
        let change = |user: &mut StoredUser| {
            change(user)?;
            Ok(user.is_active())
        };
        let updated = self.modify(id, change, &mut is_leaver, context).await;
        if is_leaver && let Err(ChangeError::Directory(error)) = &updated {
            tracing::warn!(user_id = id, %error, "a deactivation was not accepted");
        }
        updated
    }

    async fn modify<E>(
        &self,
        id: &str,
        change: impl Fn(&mut StoredUser) -> Result<bool, E>,
        is_leaver: &mut bool,
        context: Context<'_>,
    ) -> Result<Written, ChangeError<E>> {
        // What changes nothing, or nothing in Connect, needs no claim.
        let read = self.store.get_record(id).await?;
        let Some(read) = read.filter(|record| !record.removed) else {
            return Err(StoreError::NotFound.into());
        };
        let (after, groups) = self.changed(&read, &change, is_leaver, context).await?;
        if read.claim.is_none() && self.is_settled(&read, &after, &groups) {
            if after.user == read.user {
                return Ok(Written {
                    user: read.user,
                    pending: false,
                });
            }
            match self.store.replace(&read, &after, context.now).await {
                // Changed or claimed since it was read.
                Err(StoreError::Busy) => {}
                replaced => {
                    replaced?;
                    return Ok(Written {
                        user: after.user,
                        pending: false,
                    });
                }
            }
        }

        let renamed = fold(read.user.user_name()) != fold(after.user.user_name());
        let new_username =
            (renamed && after.user.is_active()).then(|| username(&after.user.document));
        let claimed = self.claim(id, new_username.as_deref(), context).await?;
        let changed = self.changed(&claimed.record, &change, is_leaver, context);
        match changed.await {
            Ok((after, groups)) => Ok(self.change(&claimed, after, &groups, context).await?),
            Err(error) => {
                self.release(&claimed, context).await;
                Err(error)
            }
        }
    }

    /// A user after a change, with the security profiles that its groups had before it.
    /// `is_leaver`: whether the change deactivates the user.
    async fn changed<E>(
        &self,
        before: &Record,
        change: impl Fn(&mut StoredUser) -> Result<bool, E>,
        is_leaver: &mut bool,
        context: Context<'_>,
    ) -> Result<(Record, MappedGroups), ChangeError<E>> {
        let mut after = before.clone();
        let active = change(&mut after.user).map_err(ChangeError::Caller)?;
        *is_leaver = before.user.is_active() && !active;
        let groups = self.mapped_groups([&before.user]).await?;
        self.leave_missing_groups(&mut after.user, &groups, context.now);
        if after.user != before.user {
            count_change(&mut after, context);
        }
        Ok((after, groups))
    }

    async fn change(
        &self,
        claimed: &Claimed,
        mut after: Record,
        groups: &MappedGroups,
        context: Context<'_>,
    ) -> Result<Written, DirectoryError> {
        let before = &claimed.record;
        if self.is_settled(before, &after, groups) {
            return Ok(self.settle(claimed, after, Ok(()), context).await?);
        }
        let (intent, presence) = match self.check(before, &after, groups, context).await {
            Ok(checked) => checked,
            Err(error) => {
                self.release(claimed, context).await;
                return Err(error);
            }
        };
        if before.connect.uncertain {
            // A creation that was not confirmed may have been made under the old name.
            let former = username(&before.user.document);
            after.connect.former_usernames.insert(former);
        }
        if presence.is_ok() && matches!(intent, Intent::Active(_)) {
            // `check` may have read the security profiles again.
            let mut user = before.user.clone();
            self.leave_missing_groups(&mut user, groups, context.now);
            if user.groups != after.user.groups && after.user.version == before.user.version {
                count_change(&mut after, context);
            }
            after.user.groups = user.groups;
        }
        let attempted = username(&after.user.document);
        let outcome = match presence {
            Ok(presence) => {
                self.bring(&mut after, &intent, presence, None, context)
                    .await
            }
            Err(code) => Err(Failure::Transient(code)),
        };
        match outcome {
            // A removal of access is accepted whatever Connect says, and completed later.
            Err(Failure::Refused(refusal)) if matches!(intent, Intent::Active(_)) => {
                self.take_back(claimed, after.connect, attempted, context)
                    .await;
                Err(DirectoryError::Refused(refusal))
            }
            outcome => {
                let applied = after.connect.clone();
                match self.settle(claimed, after, outcome, context).await {
                    Err(StoreError::UserNameTaken) => {
                        self.take_back(claimed, applied, attempted, context).await;
                        Err(StoreError::UserNameTaken.into())
                    }
                    settled => Ok(settled?),
                }
            }
        }
    }

    /// What a change asks of Connect, if it is one that may be made.
    async fn check(
        &self,
        before: &Record,
        after: &Record,
        groups: &MappedGroups,
        context: Context<'_>,
    ) -> Result<(Intent, Result<Presence, String>), DirectoryError> {
        let intent = self.intent(after, groups)?;
        let renamed = fold(before.user.user_name()) != fold(after.user.user_name());
        if let Intent::Active(wanted) = &intent
            && self.settings.rename == Rename::Reject
        {
            let is_other_in_connect = match &before.connect.applied {
                Some(applied) => fold(&applied.user.username) != fold(&wanted.username),
                None => renamed && before.connect.uncertain,
            };
            if is_other_in_connect {
                return Err(DirectoryError::Rename);
            }
        }
        if renamed {
            // The transaction at the end checks it for good; here, before Connect is asked.
            let other = self.store.find_by_user_name(after.user.user_name()).await?;
            if other.is_some_and(|other| other.id != after.user.id) {
                return Err(StoreError::UserNameTaken.into());
            }
        }
        match self.presence(after, &intent, context).await {
            Ok(presence) => Ok((intent, Ok(presence))),
            Err(Unresolved::Transient(code)) => {
                let before = self.intent(before, groups).ok();
                let code = accept_unresolved(before.as_ref(), &intent, code)?;
                Ok((intent, Err(code)))
            }
            Err(Unresolved::Refused(error)) => Err(error),
        }
    }

    /// Deletes a user that `check` agrees to. The result is whether Connect's user is
    /// still to be deleted.
    ///
    /// # Errors
    /// What the closure refuses with; or when there is no such user, another request
    /// holds it, or the store fails.
    pub async fn delete<E>(
        &self,
        id: &str,
        check: impl FnOnce(&StoredUser) -> Result<(), E>,
        context: Context<'_>,
    ) -> Result<bool, ChangeError<E>> {
        let claimed = self.claim(id, None, context).await?;
        if let Err(error) = check(&claimed.record.user) {
            self.release(&claimed, context).await;
            return Err(ChangeError::Caller(error));
        }
        let mut after = claimed.record.clone();
        after.removed = true;
        let outcome = self
            .bring(&mut after, &Intent::Absent, Presence::Absent, None, context)
            .await;
        match outcome {
            Ok(()) => {
                self.store.delete_user(&claimed, context.now).await?;
                Ok(false)
            }
            outcome => {
                self.settle(&claimed, after, outcome, context).await?;
                Ok(true)
            }
        }
    }
}

fn count_change(after: &mut Record, context: Context<'_>) {
    after.user.version += 1;
    after.user.last_modified = iso(context.now);
}
