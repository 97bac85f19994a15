//! The entries that have been read so far, and the members of groups. No input and no output.
//!
//! Groups name their members, and members may be groups: a graph, which may have circles.
//! Entries are numbered, so that half a million memberships are half a million small numbers.

mod membership;

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use self::membership::PrimaryMembers;
use super::configuration::GroupScope;
use super::decode::{Decoded, Group, Other, User};
use super::distinguished_name::{DistinguishedName, NameKey};
use crate::snapshot::{EntryId, Kind, Person, Unusable};
use crate::source::Error;

/// The number of an entry in a [`Directory`].
pub(super) type Node = usize;

/// All entries known, read or only named.
#[derive(Default)]
pub(super) struct Directory {
    numbers: HashMap<NameKey, Node>,
    entries: Vec<NamedEntry>,
    by_uid: HashMap<String, BTreeSet<Node>>,
    by_primary_key: HashMap<String, BTreeSet<Node>>,
    /// Other entries with the name of one, as far as names are compared here: the server tells
    /// them apart.
    twins: HashMap<Node, BTreeSet<Node>>,
    /// Names without an entry that were names of an entry before it was renamed.
    renamed: HashMap<Node, Node>,
}

struct NamedEntry {
    /// As the server wrote it.
    distinguished_name: String,
    key: NameKey,
    content: Content,
}

enum Content {
    /// Named by a group, but not read.
    Unread,
    /// Named by a group, and no entry of this directory.
    Missing(Missing),
    User(User),
    Group(KnownGroup),
    Unusable(Unusable),
    Other(Other),
    /// Another name of an entry.
    SameAs(Node),
    /// Has become part of the snapshot.
    Taken,
}

impl Content {
    fn id(&self) -> Option<&EntryId> {
        match self {
            Self::User(user) => Some(&user.person.id),
            Self::Group(known) => known.group.usable.as_ref().ok().map(|usable| &usable.id),
            Self::Unusable(unusable) => unusable.id.as_ref(),
            Self::Other(other) => other.id.as_ref(),
            Self::Unread | Self::Missing(_) | Self::SameAs(_) | Self::Taken => None,
        }
    }
}

/// Why the name of a member leads to no entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// The server has no entry of this name.
    NoEntry,
    /// The name is outside of the naming contexts of the server.
    OtherServer,
    /// A foreign security principal.
    OtherDomain,
    /// The name is in a subtree that is left out on purpose.
    Excluded,
}

impl Missing {
    fn reason(self) -> &'static str {
        match self {
            Self::NoEntry => {
                "no entry has this name: the member was deleted, or the account may not see it"
            }
            Self::OtherServer => "the name is outside of the naming contexts of this server",
            Self::OtherDomain => {
                "it stands for an account of another domain, which can only be read there"
            }
            Self::Excluded => "the name is in a subtree of `source.excludedSubtrees`",
        }
    }
}

/// Why a `memberUid` value leads to no entry.
const NO_SUCH_UID: &str = "no user below the search bases has this uid";

struct KnownGroup {
    group: Group,
    members: Vec<Node>,
}

/// The scope that the configuration defines.
pub(super) struct Scope<'a> {
    /// Found by the searches for users, with the base of the search.
    pub(super) found: HashMap<Node, &'a str>,
    /// The groups whose members are in scope.
    pub(super) member_of: Vec<Node>,
    /// The groups in scope.
    pub(super) groups: Vec<Node>,
}

impl Directory {
    /// Adds an entry. An entry that is read again replaces the earlier one.
    pub(super) fn insert(&mut self, decoded: Decoded) -> Node {
        let (name, content) = match decoded {
            Decoded::User(user) => (user.person.distinguished_name.clone(), Content::User(user)),
            Decoded::Group(mut group) => {
                let members = std::mem::take(&mut group.members)
                    .iter()
                    .map(|member| self.number(member))
                    .collect();
                let name = group.distinguished_name.clone();
                (name, Content::Group(KnownGroup { group, members }))
            }
            Decoded::Unusable(unusable) => {
                let name = unusable.distinguished_name.clone();
                (name, Content::Unusable(unusable))
            }
            Decoded::Other(other) => (other.distinguished_name.clone(), Content::Other(other)),
        };
        let node = self.number_of_entry(&name, &content);
        match &content {
            Content::User(user) => {
                for uid in &user.uids {
                    let nodes = self.by_uid.entry(uid.to_lowercase()).or_default();
                    nodes.insert(node);
                }
            }
            Content::Group(known) => {
                if let Some(key) = &known.group.primary_key {
                    let nodes = self.by_primary_key.entry(key.clone()).or_default();
                    nodes.insert(node);
                }
            }
            _ => {}
        }
        let entry = &mut self.entries[node];
        entry.distinguished_name = name;
        entry.content = content;
        node
    }

    /// The number of an entry that was read. Another entry may have the same name as far as
    /// names are compared here.
    fn number_of_entry(&mut self, name: &str, content: &Content) -> Node {
        let first = self.number(name);
        let is_other = |node: Node| {
            let known = &self.entries[node];
            let ids = known.content.id().zip(content.id());
            ids.is_some_and(|(known, new)| known != new) && known.distinguished_name != name
        };
        let twins = self.twins.get(&first).into_iter().flatten();
        let all = std::iter::once(first).chain(twins.copied());
        if let Some(node) = all.into_iter().find(|node| !is_other(*node)) {
            return node;
        }
        let node = self.entries.len();
        self.entries.push(NamedEntry {
            distinguished_name: name.to_owned(),
            key: self.entries[first].key.clone(),
            content: Content::Unread,
        });
        self.twins.entry(first).or_default().insert(node);
        node
    }

    /// The number of the entry with this name.
    pub(super) fn number(&mut self, distinguished_name: &str) -> Node {
        let key = NameKey::of(distinguished_name);
        if let Some(node) = self.numbers.get(&key) {
            return *node;
        }
        let node = self.entries.len();
        let content = if key.is_foreign_security_principal() {
            Content::Missing(Missing::OtherDomain)
        } else {
            Content::Unread
        };
        self.entries.push(NamedEntry {
            distinguished_name: distinguished_name.to_owned(),
            key: key.clone(),
            content,
        });
        self.numbers.insert(key, node);
        node
    }

    pub(super) fn distinguished_name(&self, node: Node) -> &str {
        &self.entries[node].distinguished_name
    }

    pub(super) fn key(&self, node: Node) -> &NameKey {
        &self.entries[node].key
    }

    pub(super) fn is_unread(&self, node: Node) -> bool {
        matches!(self.entries[node].content, Content::Unread)
    }

    /// Records that the server gives an entry for a name that is spelled in another way.
    pub(super) fn mark_same(&mut self, node: Node, entry: Node) {
        if node != entry {
            self.entries[node].content = Content::SameAs(entry);
        }
    }

    /// Records the entry that had the name before.
    pub(super) fn mark_renamed(&mut self, node: Node, entry: Node) {
        self.renamed.insert(node, entry);
    }

    /// The entry that a name means.
    fn entry(&self, node: Node) -> Node {
        match self.entries[node].content {
            Content::SameAs(entry) => entry,
            _ => node,
        }
    }

    /// The entry that a name means, by its distinguished name as the server writes it, where the
    /// name was looked up.
    pub(super) fn name_of_entry(&self, name: &str) -> Option<&str> {
        let node = self.entry(*self.numbers.get(&NameKey::of(name))?);
        Some(self.distinguished_name(node))
    }

    /// Records that a name leads to no entry.
    pub(super) fn mark_missing(&mut self, node: Node, missing: Missing) {
        self.entries[node].content = Content::Missing(missing);
    }

    /// Records that an entry exists, and that the account may not read it.
    pub(super) fn mark_unreadable(&mut self, node: Node) {
        let entry = &mut self.entries[node];
        entry.content = Content::Unusable(Unusable {
            kind: Kind::Entry,
            distinguished_name: entry.distinguished_name.clone(),
            id: None,
            reason: "it exists, and the account may not read it; let the account read it"
                .to_owned(),
        });
    }

    /// The groups that the configuration calls by their names.
    pub(super) fn groups_named(&self, names: &[String]) -> Result<Vec<Node>, Error> {
        names.iter().map(|name| self.group_named(name)).collect()
    }

    fn group_named(&self, name: &str) -> Result<Node, Error> {
        // A text that reads as a distinguished name may still be only a name.
        if let Some(node) = self.numbers.get(&NameKey::of(name)) {
            let node = self.entry(*node);
            if matches!(self.entries[node].content, Content::Group(_))
                && !self.twins.contains_key(&node)
            {
                return Ok(node);
            }
        }
        let wanted = name.to_lowercase();
        let found: Vec<Node> = self
            .groups()
            .filter(|(_, known)| {
                let group = &known.group;
                let mut names = group.names.iter().chain(&group.account_name);
                names.any(|name| name.to_lowercase() == wanted)
            })
            .map(|(node, _)| node)
            .collect();
        match found[..] {
            [] => Err(Error::GroupNotFound(name.to_owned())),
            [node] => Ok(node),
            _ => Err(Error::GroupAmbiguous {
                name: name.to_owned(),
                found: found
                    .iter()
                    .map(|node| self.distinguished_name(*node).to_owned())
                    .collect(),
            }),
        }
    }

    /// The groups below the bases that are named as the scope says.
    pub(super) fn groups_in_scope(
        &self,
        bases: &[DistinguishedName],
        scope: &GroupScope,
    ) -> Vec<Node> {
        self.groups()
            .filter(|(node, known)| {
                let is_below = |base: &DistinguishedName| self.key(*node).is_within(base.key());
                let is_called = |name: &String| {
                    let mut patterns = scope.names.iter();
                    patterns.any(|pattern| pattern.matches(name))
                };
                bases.iter().any(is_below) && known.group.names.iter().any(is_called)
            })
            .map(|(node, _)| node)
            .collect()
    }

    fn groups(&self) -> impl Iterator<Item = (Node, &KnownGroup)> {
        self.entries
            .iter()
            .enumerate()
            .filter_map(|(node, entry)| match &entry.content {
                Content::Group(group) => Some((node, group)),
                _ => None,
            })
    }

    /// The members of some groups, directly or through other groups, who have not been read.
    pub(super) fn unread_members(&self, groups: &[Node]) -> Vec<Node> {
        let members = self.members(groups, &PrimaryMembers::default());
        let mut unread: Vec<Node> = members
            .nodes
            .into_iter()
            .filter(|node| matches!(self.entries[*node].content, Content::Unread))
            .collect();
        unread.sort_unstable();
        unread
    }

    /// The `memberUid` values of some groups and of the groups in them.
    pub(super) fn member_uids(&self, groups: &[Node]) -> BTreeSet<String> {
        let members = self.members(groups, &PrimaryMembers::default());
        let known = members.groups.iter().filter_map(|node| self.group(*node));
        known
            .flat_map(|known| known.group.member_uids.iter().cloned())
            .collect()
    }

    /// By which users name some groups, and the groups in them, as their primary group.
    pub(super) fn primary_keys(&self, groups: &[Node]) -> BTreeSet<&str> {
        let members = self.members(groups, &PrimaryMembers::default());
        let known = members.groups.iter().filter_map(|node| self.group(*node));
        known
            .filter_map(|known| known.group.primary_key.as_deref())
            .collect()
    }

    fn group(&self, node: Node) -> Option<&KnownGroup> {
        match &self.entries[node].content {
            Content::Group(known) => Some(known),
            _ => None,
        }
    }

    /// The person of a user.
    pub(super) fn person_mut(&mut self, node: Node) -> Option<&mut Person> {
        match &mut self.entries[node].content {
            Content::User(user) => Some(&mut user.person),
            _ => None,
        }
    }

    /// When the next account expires, whether it is in scope or not.
    pub(super) fn next_expiry(&self) -> Option<Timestamp> {
        let expiries = self
            .entries
            .iter()
            .filter_map(|entry| match &entry.content {
                Content::User(user) => user.expires,
                _ => None,
            });
        expiries.min()
    }
}

#[cfg(test)]
mod tests;
