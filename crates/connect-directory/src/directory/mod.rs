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

mod change;
mod create;
mod groups;
mod import;
mod operator;
mod reconcile;
mod steps;
#[cfg(test)]
mod tests;
mod wanted;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use connect_attributes::Attributes;
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use crate::{
    connect::{Connect, Usage},
    mapping::{IdentityManagement, MappingError},
    profiles::{Defaults, Profiles},
    queue::Queue,
    reconcile::{Adopt, Reconciler, Refusal},
    store::{Store, StoreError, StoredUser},
};

pub use groups::{Group, GroupChange, GroupError, GroupMapping};
pub use import::AssignedBy;
pub use operator::{Comparison, GrantingGroup};
pub(crate) use steps::has_left;

/// What `active: false` does in Connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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
    /// Which security profiles the groups of the identity provider grant.
    pub groups: GroupMapping,
    /// Names of profiles where SCIM names none.
    pub defaults: Defaults,
    /// What `active: false` does.
    pub deprovision: Deprovision,
    /// What a changed userName does.
    pub rename: Rename,
    /// Whether users that were there before are taken over.
    pub adopt: Adopt,
}

impl Settings {
    /// Identifies the settings that decide what a SCIM User is in Connect: 16 characters.
    fn fingerprint(&self) -> String {
        let Self {
            identity_management,
            attributes,
            groups,
            defaults,
            deprovision,
            // These two apply to one change, not to its result.
            rename: _,
            adopt: _,
        } = self;
        let decisive = (
            identity_management,
            attributes,
            groups,
            defaults,
            deprovision,
        );
        let written = serde_json::to_vec(&decisive).expect("all keys are text");
        URL_SAFE_NO_PAD.encode(&Sha256::digest(written)[..12])
    }
}

/// The circumstances of one request.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The time that the request came.
    pub now: Timestamp,
    /// When calls to Connect have to stop.
    pub deadline: Instant,
    /// When all work has to stop, so that a response can still be given.
    pub stop: Instant,
    /// The client that asks: the scope of external ids.
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
    /// [`Settings::fingerprint`].
    fingerprint: String,
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
            fingerprint: settings.fingerprint(),
            settings,
        }
    }

    /// The same directory, whose calls to Connect are not repeated when they are throttled
    /// ([`Connect::stopping_at_throttle`]).
    #[must_use]
    pub fn stopping_at_throttle(mut self) -> Self {
        self.reconciler.connect = self.reconciler.connect.stopping_at_throttle();
        self
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
}
