//! What a directory holds of the users and groups in scope, at one moment.
//!
//! Plain data between the reader and the planner: no LDAP and no SCIM. Attribute values are
//! text; the reader has already decoded what is binary in LDAP.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What identifies an entry for as long as it lives, whatever it is renamed to: the
/// `objectGUID` of Active Directory, in the form `37750eb4-fab1-4350-9cd9-ade7070b02d5`, or
/// the `entryUUID` of other servers (RFC 4530).
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub String);

/// The type of an entry.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// A user.
    User,
    /// A group.
    Group,
    /// Unknown: the entry exists, but the account may not read it.
    Entry,
}

/// Values by attribute; their order has no meaning (RFC 4511, section 4.1.7). Names are in lower
/// case, as attribute names are compared without regard to case (RFC 4512, section 2.5).
pub type Attributes = BTreeMap<String, Vec<String>>;

/// A user in scope.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// Stays the same when the entry is renamed or moved.
    pub id: EntryId,
    /// The distinguished name: where the entry is, for messages.
    pub distinguished_name: String,
    /// Neither disabled nor expired.
    pub active: bool,
    /// The attributes asked for. Personal data: never logged.
    pub attributes: Attributes,
    /// The attributes asked for that have a value that is not text, in lower case. They are not
    /// in `attributes`.
    pub unreadable: BTreeSet<String>,
}

/// A group in scope.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// Stays the same when the entry is renamed or moved.
    pub id: EntryId,
    /// The distinguished name: where the entry is, for messages.
    pub distinguished_name: String,
    /// The attributes asked for.
    pub attributes: Attributes,
    /// The attributes asked for that have a value that is not text, in lower case. They are not
    /// in `attributes`.
    pub unreadable: BTreeSet<String>,
    /// The users in scope who are members, directly or through other groups.
    pub members: BTreeSet<EntryId>,
    /// Users in scope that a member value may or may not mean. Their membership is left as it is.
    pub uncertain_members: BTreeSet<EntryId>,
}

/// A member of a group that is reported and gets no access by it. The scope and other users do not
/// depend on it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReportedMember {
    /// The type of the entry.
    pub kind: Kind,
    /// The identifier; `None` if it cannot be read.
    pub id: Option<EntryId>,
    /// The distinguished name.
    pub distinguished_name: String,
    /// Why it is not synchronized, and what to do. Contains no personal data.
    pub reason: String,
}

/// An entry in scope that exists but cannot be used, and is left as the SCIM server has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// The type of the entry.
    pub kind: Kind,
    /// The distinguished name.
    pub distinguished_name: String,
    /// The entry's, where it is known.
    pub id: Option<EntryId>,
    /// Why, and what to do. Contains no personal data.
    pub reason: String,
}

/// A member value of a group that leads to no entry of this directory. LDAP does not guarantee
/// that it does: `member` is a plain distinguished name (RFC 4519, section 2.17).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnresolvedMember {
    /// The group that has the value; `None` if its identifier cannot be read.
    pub group: Option<EntryId>,
    /// The name of the group (`cn`).
    pub group_name: String,
    /// The value. Personal data.
    pub member: String,
    /// Why it leads to no entry. Contains no personal data.
    pub reason: &'static str,
}

impl fmt::Debug for UnresolvedMember {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("UnresolvedMember")
            .field("group", &self.group)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

/// All users and groups in scope.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The users, each once.
    pub people: Vec<Person>,
    /// The groups, each once.
    pub groups: Vec<Group>,
    /// Active users that are not among `people`, and that a reference of a group of
    /// `users.memberOf` may or may not mean. What they have on the server stays.
    pub uncertain_users: BTreeSet<EntryId>,
    /// Entries in scope that could not be used.
    pub unusable: Vec<Unusable>,
    /// Member values that lead to no entry, in ascending order.
    pub unresolved: Vec<UnresolvedMember>,
    /// Members of groups that are neither users nor groups, that the account may not read, or that
    /// several references fit, in ascending order.
    pub reported_members: Vec<ReportedMember>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unresolved_member_prints_without_its_value() {
        let member = UnresolvedMember {
            group: Some(EntryId("7".to_owned())),
            group_name: "aws-admins".to_owned(),
            member: "CN=canary,DC=x".to_owned(),
            reason: "no entry has this name",
        };
        assert_eq!(
            format!("{member:?}"),
            "UnresolvedMember { group: Some(EntryId(\"7\")), reason: \"no entry has this name\", \
             .. }"
        );
    }
}
