//! Users of the directory: created, changed, deleted, and brought to Connect.
//!
//! # The problem
//! A change has two places, the directory table and Connect, and no transaction spans
//! them. Requests for one user may come at the same time, a function may die between
//! any two steps, and any answer may be lost. Nothing that the identity provider was
//! told is done may be lost, a removal least of all; what Connect refuses for good must
//! reach the identity provider and leave nothing behind.
//!
//! # The protocol
//! A change of an existing user is
//! 1. *claim*: one conditional write that reads the user, marks it as being changed by
//!    this request for 35 seconds, and enters it in the `pending` index;
//! 2. the calls to Connect, planned from what Connect was last known to have;
//! 3. *finish*: one transaction, on condition that the claim still holds, that writes the
//!    new resource, what Connect now has, and gives the claim back.
//!
//! A creation is the same, except that step 1 is the transaction that adds the user (and
//! thereby takes its userName) and a refusal in step 2 makes step 3 its deletion. A
//! change that does not concern Connect skips step 2. So a write costs two calls to the
//! store.
//!
//! The resource is written *after* Connect was asked, not before: until then nobody was
//! promised anything, so a refusal leaves nothing to undo, and readers never see what is
//! then taken back. What makes this safe is the claim, which is written before:
//!
//! - *Two requests for one user*: the second cannot claim; it waits a little and is then
//!   told to come again (503). Calls to Connect never interleave.
//! - *Crash before step 2*: the claim expires. The user is as before.
//! - *Crash during step 2 or before step 3, or the store fails in step 3*: the identity
//!   provider got no success and repeats its request. If it does not, the expired claim
//!   is still in the `pending` index; whoever claims the user next (a request, or the
//!   sweep) sees that a claim was left over, so what is recorded of Connect is not
//!   certain, reads it from Connect, and brings Connect to what the resource says.
//! - *Answer of Connect lost*: recorded as uncertain in the same way.
//! - *Answer of DynamoDB lost*: claims are repeated with their own token, transactions
//!   with a request token, so a repetition is recognised.
//! - *Connect throttles, fails or is slow*: step 3 writes the resource as accepted and
//!   pending; the identity provider is told of success, and [`Directory::reconcile`]
//!   finishes it, level-triggered: it compares what is wanted with what Connect has, so
//!   it may be run any number of times, by any number of callers, in any order.
//! - *Connect refuses the second of several calls*: the resource stays as it was, and the
//!   user is pending until Connect is back at that.
//! - *Claim lost* (a request that took longer than its function may run): its step 3 is
//!   refused. The successor found a left-over claim and reads Connect again.
//! - *A user is deleted while Connect is out of reach*: its record stays, invisible to
//!   the identity provider, until Connect's user is gone. If the same userName comes
//!   again before that, the new user is accepted and waits for the old one's end.

mod operator;

use std::{collections::BTreeMap, convert::Infallible, time::Duration};

use connect_attributes::Attributes;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::{
    connect::{Connect, NamedResource, Usage},
    mapping::{IdentityManagement, MappingError, Wanted, map},
    profiles::{Defaults, ProfileError, Profiles},
    queue::Queue,
    reconcile::{Adopt, Failure, Presence, Reconciler, Refusal, Task},
    store::{
        Claimed, ConnectState, Record, Store, StoreError, StoredUser, Whom, fold, iso, new_id,
    },
    user::{AppliedUser, ConnectUser, ownership_tags},
};

pub use operator::Comparison;

/// How long a request waits for another one that is changing the same user.
const WAIT_FOR_CLAIM: Duration = Duration::from_secs(3);

/// What `active: false` does in Connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deprovision {
    /// Deletes the user.
    Delete,
    /// Replaces the security profiles by one that permits nothing.
    Suspend,
}

/// What a changed userName does: Connect cannot rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rename {
    /// It is refused.
    Reject,
    /// Deletes the Connect user and creates one of the new name.
    Recreate,
}

/// How users are brought to Connect.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `IdentityManagementType` of the instance.
    pub identity_management: IdentityManagement,
    /// Which SCIM attribute feeds which field.
    pub attributes: Attributes,
    /// Names of profiles where SCIM names none.
    pub defaults: Defaults,
    /// What `active: false` does.
    pub deprovision: Deprovision,
    /// What a changed userName does.
    pub rename: Rename,
    /// Whether users that were there before are taken over.
    pub adopt: Adopt,
}

/// The circumstances of one request.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The time that the request came.
    pub now: Timestamp,
    /// When calls to Connect have to stop.
    pub deadline: Instant,
    /// Who asks: the scope of external ids.
    pub client: &'a str,
}

/// Why a user was not changed.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The resource cannot be a Connect user.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// A profile does not exist; the message names it.
    #[error("{0}")]
    Profile(String),
    /// The userName is not to be changed.
    #[error(
        "userName cannot be changed while the user exists in Amazon Connect, which cannot rename users; deploy with `rename: recreate` to have the Connect user deleted and created anew"
    )]
    Rename,
    /// Whether names of profiles exist cannot be found out at the moment; the code says
    /// why.
    #[error("Amazon Connect does not say at the moment which profiles there are ({0})")]
    Unchecked(String),
    /// Connect refused.
    #[error(transparent)]
    Refused(Refusal),
    /// The directory table refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An error of the directory, or one of the caller's own.
#[derive(Debug)]
pub enum ChangeError<E> {
    /// The caller's closure refused.
    Caller(E),
    /// The directory did.
    Directory(DirectoryError),
}

impl<E, D: Into<DirectoryError>> From<D> for ChangeError<E> {
    fn from(error: D) -> Self {
        Self::Directory(error.into())
    }
}

/// A user after a change.
pub struct Written {
    /// The user as it now is.
    pub user: StoredUser,
    /// Connect does not yet have it.
    pub pending: bool,
}

/// What came of a reconciliation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reconciled {
    /// Connect has what is wanted.
    Synchronised,
    /// It does not yet, and this is why: a code without personal data.
    Pending(String),
    /// It will not until somebody acts. The code is for logs, the message is not.
    Refused(Refusal),
    /// There is no such user (any more).
    Gone,
    /// Another request is changing the user.
    Busy,
}

/// The users: what the identity provider wants, and what Connect has of it.
#[derive(Debug, Clone)]
pub struct Directory {
    store: Store,
    queue: Option<Queue>,
    profiles: Profiles,
    reconciler: Reconciler,
    settings: Settings,
}

/// Where a reconciliation starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Observation {
    /// What Connect was last known to have.
    Recorded,
    /// What Connect has now. A user who is inactive and not known to Connect is not looked
    /// for: nobody else gives a user its SCIM id.
    Anew,
}

/// What is wanted of Connect could not be worked out.
enum Unresolved {
    Refused(DirectoryError),
    Transient(String),
}

impl Directory {
    /// The users of a table and an instance, with the queue to the reconciler.
    pub fn new(store: Store, connect: Connect, queue: Option<Queue>, settings: Settings) -> Self {
        Self {
            queue,
            profiles: Profiles::new(connect.clone(), settings.defaults.clone()),
            reconciler: Reconciler {
                connect,
                store: store.clone(),
                identity_management: settings.identity_management,
                adopt: settings.adopt,
            },
            store,
            settings,
        }
    }

    /// The names of the instance's profiles.
    pub fn profiles(&self) -> &Profiles {
        &self.profiles
    }

    /// The table, for reading.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Which SCIM attribute feeds which field.
    pub fn attributes(&self) -> &Attributes {
        &self.settings.attributes
    }

    /// Whether Connect has passwords of users.
    pub fn has_passwords(&self) -> bool {
        self.settings.identity_management == IdentityManagement::ConnectManaged
    }

    /// What was asked of Connect so far.
    pub fn connect_usage(&self) -> Usage {
        self.reconciler.connect.usage()
    }

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
        let presence = match self.presence(&record, &wanted).await {
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
            outcome => {
                let written = self.conclude(&claimed, after, outcome, context).await?;
                self.hand_over(&written).await;
                Ok(written)
            }
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
        let written = self.conclude(claimed, after, deleted, context).await?;
        self.hand_over(&written).await;
        Ok(())
    }

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
        let (wanted, presence) = match self.check(&claimed.record, &after).await {
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
        match self.presence(after, &wanted).await {
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
                let written = self.conclude(&claimed, after, outcome, context).await?;
                self.hand_over(&written).await;
                Ok(true)
            }
            Ok(()) => {
                self.store.delete_user(&claimed).await?;
                Ok(false)
            }
        }
    }

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

    async fn reconcile_from(
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
            Ok(wanted) => match self.presence(&after, &wanted).await {
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

    fn wanted(&self, user: &StoredUser) -> Result<Wanted, MappingError> {
        let groups: Vec<String> = user.groups.values().cloned().collect();
        map(
            &user.document,
            &groups,
            self.settings.identity_management,
            &self.settings.attributes,
        )
    }

    /// What is wanted of Connect, with the names of profiles resolved.
    async fn presence(&self, record: &Record, wanted: &Wanted) -> Result<Presence, Unresolved> {
        // Before any name is resolved: a leaver goes, whatever became of the profiles.
        if !wanted.active && self.settings.deprovision == Deprovision::Delete {
            return Ok(Presence::Absent);
        }
        let resolved = if wanted.active {
            self.profiles.resolve(wanted).await
        } else {
            let applied = record.connect.applied.as_ref();
            self.profiles
                .resolve_suspended(wanted, applied.map(|applied| &applied.user))
                .await
        };
        let ids = match resolved {
            Ok(ids) => ids,
            Err(ProfileError::Connect(error)) => {
                return Err(match Failure::from(&error) {
                    Failure::Transient(code) => Unresolved::Transient(code),
                    Failure::Refused(refusal) => {
                        Unresolved::Refused(DirectoryError::Refused(refusal))
                    }
                });
            }
            Err(error) => {
                return Err(Unresolved::Refused(DirectoryError::Profile(
                    error.to_string(),
                )));
            }
        };
        let mut tags = ownership_tags(&record.user.id, wanted.external_id.as_deref());
        tags.extend(wanted.tags.clone());
        let user = ConnectUser {
            username: self.username(record, wanted),
            identity: wanted.identity.clone(),
            security_profile_ids: ids.security_profiles,
            routing_profile_id: ids.routing_profile,
            hierarchy_group_id: ids.hierarchy_group,
            phone: wanted.phone.clone(),
            proficiencies: wanted.proficiencies.clone(),
            tags,
        };
        Ok(if wanted.active {
            Presence::Present(user)
        } else {
            Presence::Suspended(user)
        })
    }

    /// The username in Connect. A change of case alone is none in SCIM, so it does not
    /// replace a user where renaming is not wanted.
    fn username(&self, record: &Record, wanted: &Wanted) -> String {
        match &record.connect.applied {
            Some(applied)
                if self.settings.rename == Rename::Reject
                    && fold(&applied.user.username) == fold(&wanted.username) =>
            {
                applied.user.username.clone()
            }
            _ => wanted.username.clone(),
        }
    }

    async fn bring(
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

    async fn bring_to(
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
    async fn conclude(
        &self,
        claimed: &Claimed,
        mut after: Record,
        outcome: Result<(), Failure>,
        context: Context<'_>,
    ) -> Result<Written, StoreError> {
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

    /// Has a pending user reconciled. If the message cannot be sent, the sweep finds the
    /// user.
    async fn hand_over(&self, written: &Written) {
        if let (true, Some(queue)) = (written.pending, &self.queue)
            && let Err(error) = queue.send(&written.user.id).await
        {
            tracing::warn!(%error, "a pending user waits for the sweep");
        }
    }

    /// Gives a refused change back: the resource stays as it was, and if Connect was
    /// changed already, the user is pending until Connect is back.
    async fn take_back(&self, claimed: &Claimed, connect: ConnectState, context: Context<'_>) {
        let mut record = claimed.record.clone();
        if connect != record.connect {
            record.connect = connect;
            record.pending_since.get_or_insert_with(|| iso(context.now));
        }
        self.finish_quietly(claimed, &record).await;
    }

    async fn release(&self, claimed: &Claimed) {
        self.finish_quietly(claimed, &claimed.record).await;
    }

    /// The answer to the request is settled; a claim that cannot be given back expires.
    async fn finish_quietly(&self, claimed: &Claimed, record: &Record) {
        if let Err(error) = self.store.finish(claimed, record).await {
            tracing::warn!(%error, "could not give a claim back; it expires by itself");
        }
    }

    async fn claim(&self, id: &str, context: Context<'_>) -> Result<Claimed, StoreError> {
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

/// Whether a change may be accepted, to be finished later, although its names could not be
/// resolved: if it gives no name that was not checked before. Any other one would be found
/// to be unknown when nobody can tell the identity provider any more. The answer is the
/// code of what is in the way.
///
/// Nothing keeps a leaver: names of an inactive user are looked at when it is activated.
fn accept_unresolved(
    before: Option<&Wanted>,
    wanted: &Wanted,
    code: String,
) -> Result<String, DirectoryError> {
    let checked = before.filter(|before| before.active).map(Wanted::names);
    let is_checked = |names| wanted.names().is_subset(names);
    if !wanted.active || is_checked(&checked.unwrap_or_default()) {
        Ok(code)
    } else {
        Err(DirectoryError::Unchecked(code))
    }
}
