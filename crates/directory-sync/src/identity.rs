//! The owner of an object on the SCIM server, and the directory entry that it represents.
//!
//! Identity Center has no tags, and keeps no record of who made a user. What a client can
//! leave on users and groups alike is the `externalId` (RFC 7643, section 3.1: set by the
//! client, not interpreted by the server). The sync writes its mark there:
//! `corp:37750eb4-fab1-4350-9cd9-ade7070b02d5`, the name of the sync and the objectGUID of the
//! entry. An object without the mark is not managed by the sync and never changed, whatever its
//! name is. No other state exists, so none can be lost between two runs.
//!
//! An object that an earlier tool made has another `externalId`, or none. [`MatchBy`] says
//! how such an object is recognised; it gets the mark, and is the sync's from then on.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::snapshot::EntryId;

/// The name of a sync: what its objects are marked with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Owner(#[schemars(regex(pattern = "^[a-z0-9][a-z0-9-]{0,31}$"))] String);

/// Not the name of a sync.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not the name of a sync: 1 to 32 lower-case letters, digits and hyphens")]
pub struct InvalidOwner(String);

impl FromStr for Owner {
    type Err = InvalidOwner;

    fn from_str(text: &str) -> Result<Self, InvalidOwner> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=32).contains(&text.len()) && text.bytes().all(allowed) && !text.starts_with('-') {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidOwner(text.to_owned()))
        }
    }
}

impl TryFrom<String> for Owner {
    type Error = InvalidOwner;

    fn try_from(text: String) -> Result<Self, InvalidOwner> {
        text.parse()
    }
}

impl From<Owner> for String {
    fn from(owner: Owner) -> Self {
        owner.0
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Owner {
    /// The `externalId` of the object of an entry.
    #[must_use]
    pub fn mark(&self, entry: &EntryId) -> String {
        format!("{}:{}", self.0, entry.0)
    }

    /// The entry that the mark of an object names; `None` without a mark of this sync.
    #[must_use]
    pub fn marked_entry(&self, external_id: &str) -> Option<EntryId> {
        let entry = external_id.strip_prefix(&self.0)?.strip_prefix(':')?;
        Some(EntryId(entry.to_owned()))
    }
}

/// What identifies an entry, wherever it is and whatever it is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identifier {
    /// Its objectGUID (entryUUID).
    Entry(EntryId),
    /// Its objectSid.
    Sid(String),
}

/// Whether an `externalId` is the mark of a sync, this one or another: what one sync owns,
/// another never takes over.
#[must_use]
pub fn is_mark(external_id: &str) -> bool {
    external_id
        .split_once(':')
        .is_some_and(|(owner, entry)| !entry.is_empty() && owner.parse::<Owner>().is_ok())
}

/// How an object that has no mark yet is recognised as an entry's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum MatchBy {
    /// Its `externalId` is the entry's objectGUID (entryUUID).
    #[default]
    #[serde(rename = "objectGUID")]
    ObjectGuid,
    /// Its `externalId` is the entry's objectSid, as AWS's PowerShell sample writes it; groups,
    /// which that sample makes without one, by their name.
    #[serde(rename = "objectSid")]
    ObjectSid,
    /// Users by their name, groups by theirs, whatever their `externalId`, unless another
    /// sync has marked them.
    #[serde(rename = "userName")]
    UserName,
}

/// What all security identifiers of a domain begin with: `S-1-5-21-1-2-3` of
/// `S-1-5-21-1-2-3-1104`. `None` for an identifier that is not one of a domain account.
#[must_use]
pub fn domain_of_sid(sid: &str) -> Option<&str> {
    let (domain, relative) = sid.rsplit_once('-')?;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let rest = domain.strip_prefix("S-1-5-21-")?;
    (is_number(relative) && rest.split('-').count() == 3 && rest.split('-').all(is_number))
        .then_some(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_names_the_sync_and_the_entry() {
        let owner: Owner = "corp".parse().unwrap();
        let entry = EntryId("37750eb4-fab1-4350-9cd9-ade7070b02d5".to_owned());
        let mark = owner.mark(&entry);
        assert_eq!(mark, "corp:37750eb4-fab1-4350-9cd9-ade7070b02d5");
        assert_eq!(owner.marked_entry(&mark), Some(entry));
    }

    #[test]
    fn marks_of_other_syncs_and_tools_are_not_ours() {
        let owner: Owner = "corp".parse().unwrap();
        for other in ["corp2:37750eb4", "37750eb4", "S-1-5-21-1-2-3-4", "00u1", ""] {
            assert_eq!(owner.marked_entry(other), None, "{other}");
        }
    }

    #[test]
    fn the_marks_of_all_syncs_differ_from_other_identifiers() {
        assert!(is_mark("corp2:37750eb4"));
        for other in [
            "37750eb4",
            "S-1-5-21-1-2-3-4",
            "00u1",
            "",
            "corp:",
            "urn Corp:x",
        ] {
            assert!(!is_mark(other), "{other}");
        }
    }

    #[test]
    fn names_of_syncs_are_short_and_plain() {
        for name in ["corp", "a", "corp-eu-2"] {
            assert!(name.parse::<Owner>().is_ok(), "{name}");
        }
        let long = "a".repeat(33);
        for name in ["", "Corp", "a:b", "a b", "-a", &long] {
            assert!(name.parse::<Owner>().is_err(), "{name}");
        }
    }

    #[test]
    fn the_domain_of_an_account_is_what_its_identifier_begins_with() {
        let sid = "S-1-5-21-4046252453-3960214896-2585853386-1102";
        let domain = "S-1-5-21-4046252453-3960214896-2585853386";
        assert_eq!(domain_of_sid(sid), Some(domain));
        for other in [
            "S-1-5-32-544",
            "S-1-5-21-1-2-3",
            "S-1-5-21-1-2-x-4",
            "S-1-5-18",
            "x",
        ] {
            assert_eq!(domain_of_sid(other), None, "{other}");
        }
    }
}
