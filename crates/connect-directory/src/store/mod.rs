//! The directory table: what the identity provider wants of each user.
//!
//! Every read of a user is strongly consistent, every change of one is a transaction
//! that holds only while the change's [`Claim`] does. Why, and what that makes of
//! concurrent requests, lost answers and crashes, is written down in [`crate::directory`].

mod change;
mod copy;
mod groups;
mod key;
mod listing;
mod members;
mod read;
mod record;
#[cfg(test)]
mod responses;
#[cfg(test)]
mod tests;
mod transaction;

use aws_json_client::{Client, Error};

pub use change::{Claimed, Whom};
pub use copy::{CopyError, Item, ItemKind, RestoreError};
pub use groups::{GroupName, GroupState, Member, StoredGroup};
pub(crate) use key::{LANES, lane_of};
pub use key::{MAXIMUM_EMAILS, MAXIMUM_GROUPS, MAXIMUM_KEY_LENGTH, fold};
pub use listing::new_id;
pub(crate) use members::{Gate, MemberChange, NonMember};
pub use read::PendingUser;
pub use record::{Claim, ConnectState, Record, StoredUser, WrittenUser, iso};

/// The directory table.
#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    table: String,
}

/// Why the directory table did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another user has the userName.
    #[error("the userName is taken")]
    UserNameTaken,
    /// Another group has the displayName.
    #[error("the displayName is taken")]
    NameTaken,
    /// There is no such user or group.
    #[error("there is no such resource")]
    NotFound,
    /// Another request is changing the user.
    #[error("another request is changing the user")]
    Busy,
    /// The claim expired and another request took the user over.
    #[error("the change took too long and another request took the user over")]
    ClaimLost,
    /// DynamoDB failed.
    #[error("the directory table cannot be used")]
    DynamoDb(#[from] Error),
    /// An item is not what this program writes.
    #[error("an item of the directory table is malformed")]
    Malformed,
}

impl Store {
    /// The table of this name, by a client of [`aws_json_client::Service::DYNAMODB`].
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self {
            client,
            table: table.into(),
        }
    }
}
