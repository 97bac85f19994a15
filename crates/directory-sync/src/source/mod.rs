//! Active Directory or another LDAP server → [`Snapshot`].
//!
//! A leaver is somebody who is not in the directory any more, so the one mistake that must
//! not happen is to miss somebody who is: [`read`] returns all that is in scope, or an error.
//! Size limits, time limits, lost connections and values that a server holds back are errors,
//! and there is no fail-over in the middle of a read, as two servers need not agree.
//!
//! Groups are expanded here and not by the server. One search gives all groups with their
//! members; the in-chain rule of Active Directory (1.2.840.113556.1.4.1941; MS-ADTS, section
//! 3.1.1.3.4.4.3) would take one slow search per group and exists nowhere else.
//!
//! Sources: RFC 4511 (the protocol), RFC 2696 (pages), MS-ADTS (Active Directory).

mod bind;
mod configuration;
mod connection;
mod decode;
#[cfg(test)]
mod deprovisioning;
mod directory;
mod distinguished_name;
mod entry;
mod error;
mod existing;
mod flavor;
mod identifier;
mod mark;
mod name_pattern;
mod reader;
mod referral;
mod schema;
mod search_filter;
mod server_url;
mod tls;

pub use bind::BindRefusal;
pub use configuration::{
    AttributeCondition, Configuration, Flavor, GroupScope, UserScope, UserSearch,
};
pub(crate) use distinguished_name::NameKey;
pub use distinguished_name::{DistinguishedName, InvalidDistinguishedName};
pub use error::{Attempt, Error, SearchFailure};
pub use mark::Mark;
pub use name_pattern::{EmptyNamePattern, NamePattern};
pub use search_filter::{InvalidSearchFilter, SearchFilter};
pub use server_url::{InvalidServerUrl, ServerUrl};

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use secrecy::SecretString;

use self::connection::Connection;
use self::reader::Reader;
use self::schema::Schema;
use crate::identity::Identifier;
use crate::snapshot::{EntryId, Snapshot};

/// The attributes that are read of each entry, by name in any case. `objectGUID` and
/// `objectSid`, or `entryUUID`, come without being asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestedAttributes {
    /// Of users.
    pub users: BTreeSet<String>,
    /// Of groups.
    pub groups: BTreeSet<String>,
    /// The names that a configuration file has, with the key: the directory must have them.
    pub named: BTreeMap<String, String>,
    /// Those of users that have the distinguished name of another entry.
    pub references: BTreeSet<String>,
}

/// Reads all users and groups in scope.
///
/// `password` is that of the account `bindName`. Accounts that expire at or before `now` are
/// not active. Must run in a tokio runtime with time and I/O.
///
/// # Errors
///
/// The directory could not be read whole. What is wrong with a single entry is no error, but
/// stands in [`Snapshot::unusable`].
pub async fn read(
    configuration: &Configuration,
    password: &SecretString,
    attributes: &RequestedAttributes,
    now: Timestamp,
) -> Result<Snapshot, Error> {
    let directory = OpenDirectory::open(configuration, password).await?;
    Ok(directory.read(attributes, now).await?.snapshot)
}

/// A directory that can be read.
pub struct OpenDirectory<'a> {
    configuration: &'a Configuration,
    connection: Connection,
}

/// A read that is complete.
pub struct Whole {
    /// All users and groups in scope.
    pub snapshot: Snapshot,
    /// When the next of the accounts that were read expires.
    pub next_expiry: Option<Timestamp>,
}

impl<'a> OpenDirectory<'a> {
    /// Connects to the first server that can be used.
    ///
    /// # Errors
    ///
    /// No server can be used, or it does not let the account in.
    pub async fn open(
        configuration: &'a Configuration,
        password: &SecretString,
    ) -> Result<Self, Error> {
        configuration.check()?;
        Ok(Self {
            configuration,
            connection: Connection::open(configuration, password).await?,
        })
    }

    /// The state that the directory is in, where the server says so. To be asked for before a
    /// read: what is written during it gives another state.
    ///
    /// # Errors
    ///
    /// The connection was lost, or an answer is no LDAP.
    pub async fn mark(&mut self) -> Result<Option<Mark>, Error> {
        mark::read(self.configuration.flavor, &mut self.connection).await
    }

    /// Reads all users and groups in scope, as [`read`] does.
    ///
    /// # Errors
    ///
    /// The directory could not be read whole.
    pub async fn read(
        mut self,
        attributes: &RequestedAttributes,
        now: Timestamp,
    ) -> Result<Whole, Error> {
        let schema = Schema::read(self.configuration, attributes, &mut self.connection).await?;
        let mut reader = Reader::new(
            self.configuration,
            attributes,
            &schema,
            self.connection,
            now,
        );
        reader.learn_naming_contexts().await?;
        reader.resolve_bases().await?;
        reader.read_groups().await?;
        reader.read_users().await?;
        let scope = reader.resolve_scope().await?;
        reader.read_members(&scope).await?;
        reader.read_references(&scope).await?;
        Ok(reader.finish(&scope).await)
    }

    /// Finds entries by their identifiers in the naming contexts of the search bases, in scope or
    /// not. An identifier without an entry is not in the result.
    ///
    /// # Errors
    ///
    /// A search failed.
    pub async fn find(
        &mut self,
        identifiers: &BTreeSet<Identifier>,
    ) -> Result<BTreeMap<Identifier, EntryId>, Error> {
        existing::find(self.configuration, &mut self.connection, identifiers).await
    }

    /// Ends the connection without a read.
    pub async fn close(self) {
        self.connection.close().await;
    }
}
