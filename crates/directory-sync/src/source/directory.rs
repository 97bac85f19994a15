//! What has been read so far, and who is in which group. No input and no output.
//!
//! Groups name their members, and members may be groups: a graph, which may have circles.
//! Entries are numbered, so that half a million memberships are half a million small numbers.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;

use super::configuration::GroupScope;
use super::decode::{Decoded, Group, Other, User};
use super::distinguished_name::{DistinguishedName, NameKey};
use crate::snapshot::{EntryId, Kind, OtherMember, Person, Snapshot, UnresolvedMember, Unusable};
use crate::{snapshot, source::Error};

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

/// Who is in scope, by what the configuration says.
pub(super) struct Scope<'a> {
    /// Found by the searches for users, with the base of the search.
    pub(super) found: HashMap<Node, &'a str>,
    /// The groups whose members are in scope.
    pub(super) member_of: Vec<Node>,
    /// The groups in scope.
    pub(super) groups: Vec<Node>,
}

/// All that is in some groups, directly or through other groups.
struct Members {
    nodes: HashSet<Node>,
    /// The groups themselves, and those in them.
    groups: HashSet<Node>,
    /// Entries that a value may mean, or may not.
    uncertain: HashSet<Node>,
}

/// What a reference that is not the only name of an entry leads to.
enum Referenced {
    Nothing,
    One(Node),
    /// Any of these.
    Several(Vec<Node>),
}

/// The users that groups have by their primary groups.
#[derive(Default)]
struct PrimaryMembers {
    members: HashMap<Node, Vec<Node>>,
    /// Users whose primary group is one of several.
    uncertain: HashMap<Node, Vec<Node>>,
}

impl Directory {
    /// Takes an entry in; one read again replaces what was known of it.
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

    /// The users that the searches or the groups of the configuration put into scope.
    pub(super) fn users_in_scope(&self, scope: &Scope<'_>) -> Vec<Node> {
        let of_named = self.members(&scope.member_of, &self.primary_members());
        let nodes: HashSet<Node> = scope.found.keys().chain(&of_named.nodes).copied().collect();
        let is_user = |node: &Node| matches!(self.entries[*node].content, Content::User(_));
        nodes.into_iter().filter(is_user).collect()
    }

    /// The person of a user.
    pub(super) fn person_mut(&mut self, node: Node) -> Option<&mut Person> {
        match &mut self.entries[node].content {
            Content::User(user) => Some(&mut user.person),
            _ => None,
        }
    }

    /// Everything that is in some groups; each group is looked into once, so that circles end.
    fn members(&self, groups: &[Node], primary: &PrimaryMembers) -> Members {
        let mut uncertain = Vec::new();
        let (nodes, groups) = self.reach(groups, primary, &mut uncertain);
        // What is in an uncertain group is uncertain.
        let is_group = |node: &Node| self.group(*node).is_some() && !groups.contains(node);
        let open: Vec<Node> = uncertain.iter().copied().filter(is_group).collect();
        let mut more = Vec::new();
        let (reached, _) = self.reach(&open, primary, &mut more);
        let all = uncertain.into_iter().chain(reached).chain(more);
        Members {
            uncertain: all.filter(|node| !nodes.contains(node)).collect(),
            nodes,
            groups,
        }
    }

    /// The members, and the groups that were looked into.
    fn reach(
        &self,
        groups: &[Node],
        primary: &PrimaryMembers,
        uncertain: &mut Vec<Node>,
    ) -> (HashSet<Node>, HashSet<Node>) {
        let mut nodes = HashSet::new();
        let mut seen: HashSet<Node> = groups.iter().copied().collect();
        let mut open = groups.to_vec();
        while let Some(group) = open.pop() {
            let Some(known) = self.group(group) else {
                continue;
            };
            let named = known.members.iter().map(|member| self.named(*member));
            let by_uid = known.group.member_uids.iter().map(|uid| self.by_uid(uid));
            let mut found: Vec<Node> = Vec::new();
            for reference in named.chain(by_uid) {
                match reference {
                    Referenced::Nothing => {}
                    Referenced::One(node) => found.push(node),
                    Referenced::Several(nodes) => uncertain.extend(nodes),
                }
            }
            uncertain.extend(
                known
                    .members
                    .iter()
                    .filter_map(|name| self.renamed.get(name)),
            );
            uncertain.extend(primary.uncertain.get(&group).into_iter().flatten());
            found.extend(primary.members.get(&group).into_iter().flatten());
            for member in found {
                nodes.insert(member);
                if self.group(member).is_some() && seen.insert(member) {
                    open.push(member);
                }
            }
        }
        (nodes, seen)
    }

    fn named(&self, member: Node) -> Referenced {
        let entry = self.entry(member);
        match self.twins.get(&entry) {
            // The server returned this one.
            None => Referenced::One(entry),
            Some(_) if entry != member => Referenced::One(entry),
            Some(twins) => {
                let all = twins.iter().copied().chain([entry]);
                Referenced::Several(all.collect())
            }
        }
    }

    /// `uid` need not be unique. Several users with one are none, unless only one is active.
    fn by_uid(&self, uid: &str) -> Referenced {
        let nodes = self.by_uid.get(&uid.to_lowercase());
        // A user who was moved during the read may have been read under both names.
        let mut users: BTreeMap<&EntryId, (Node, bool)> = BTreeMap::new();
        for node in nodes.into_iter().flatten() {
            if let Content::User(user) = &self.entries[*node].content {
                users.insert(&user.person.id, (*node, user.person.active));
            }
        }
        let active: Vec<Node> = users
            .values()
            .filter(|(_, is_active)| *is_active)
            .map(|(node, _)| *node)
            .collect();
        let all: Vec<Node> = users.into_values().map(|(node, _)| node).collect();
        match (&active[..], &all[..]) {
            (_, []) => Referenced::Nothing,
            ([only], _) | (_, [only]) => Referenced::One(*only),
            _ => Referenced::Several(all),
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

    /// Puts together what is in scope.
    pub(super) fn into_snapshot(mut self, scope: &Scope<'_>) -> Snapshot {
        let primary = self.primary_members();
        let of_named = self.members(&scope.member_of, &primary);
        let users: HashSet<Node> = self.users_in_scope(scope).into_iter().collect();
        let ids: HashMap<Node, EntryId> = users
            .iter()
            .filter_map(|node| match &self.entries[*node].content {
                Content::User(user) => Some((*node, user.person.id.clone())),
                _ => None,
            })
            .collect();
        let mut groups = BTreeMap::new();
        let mut relevant_groups = of_named.groups;
        for node in &scope.groups {
            let members = self.members(&[*node], &primary);
            relevant_groups.extend(members.groups);
            if let Content::Group(known) = &self.entries[*node].content
                && let Ok(usable) = &known.group.usable
            {
                let ids_of = |nodes: &HashSet<Node>| -> BTreeSet<EntryId> {
                    let ids = nodes.iter().filter_map(|member| ids.get(member).cloned());
                    ids.collect()
                };
                let group = snapshot::Group {
                    id: usable.id.clone(),
                    distinguished_name: self.distinguished_name(*node).to_owned(),
                    attributes: usable.attributes.clone(),
                    unreadable: usable.unreadable.clone(),
                    members: ids_of(&members.nodes),
                    uncertain_members: ids_of(&members.uncertain),
                };
                groups.insert(usable.id.clone(), group);
            }
        }
        let unresolved = self.unresolved(&relevant_groups);
        let other_members = self.other_members(&relevant_groups);
        let mut unusable = self.unusable(&of_named.nodes, scope);
        unusable.extend(self.ambiguous(&relevant_groups));
        unusable.sort_by(|a, b| a.distinguished_name.cmp(&b.distinguished_name));
        Snapshot {
            people: self.take_people(users),
            groups: groups.into_values().collect(),
            unusable,
            unresolved,
            other_members,
        }
    }

    /// The entries of references that fit several: none of these gets access by it.
    fn ambiguous(&self, groups: &HashSet<Node>) -> Vec<Unusable> {
        let mut found: BTreeMap<Node, String> = BTreeMap::new();
        for known in groups.iter().filter_map(|node| self.group(*node)) {
            let name = known.group.name();
            let uids = known.group.member_uids.iter();
            let references = uids
                .map(|uid| (self.by_uid(uid), "memberUid", "uid"))
                .chain(known.members.iter().map(|member| {
                    (
                        self.named(*member),
                        "distinguished name",
                        "distinguished name",
                    )
                }));
            for (reference, by, attribute) in references {
                let Referenced::Several(nodes) = reference else {
                    continue;
                };
                let count = nodes.len();
                found.extend(nodes.into_iter().map(|node| {
                    let reason = format!(
                        "the group `{name}` names it by {by}, but {count} entries have this \
                         {attribute}, and none of them gets access by it: give each its own"
                    );
                    (node, reason)
                }));
            }
        }
        for nodes in self.by_primary_key.values().filter(|nodes| nodes.len() > 1) {
            let is_relevant = nodes.iter().any(|node| groups.contains(node));
            if is_relevant && self.ids(nodes).len() > 1 {
                found.extend(nodes.iter().map(|node| {
                    let reason = "it has the gidNumber of another group, so neither has members by \
                                  their primary group: give each its own";
                    (*node, reason.to_owned())
                }));
            }
        }
        let unusable = found.into_iter().filter_map(|(node, reason)| {
            let entry = &self.entries[node];
            Some(Unusable {
                kind: match entry.content {
                    Content::User(_) => Kind::User,
                    Content::Group(_) => Kind::Group,
                    _ => Kind::Entry,
                },
                distinguished_name: entry.distinguished_name.clone(),
                id: Some(entry.content.id()?.clone()),
                reason,
            })
        });
        unusable.collect()
    }

    fn ids(&self, nodes: &BTreeSet<Node>) -> BTreeSet<&EntryId> {
        let ids = nodes
            .iter()
            .filter_map(|node| self.entries[*node].content.id());
        ids.collect()
    }

    /// The members of groups that are neither users nor groups.
    fn other_members(&self, groups: &HashSet<Node>) -> Vec<OtherMember> {
        let mut others = BTreeMap::new();
        for known in groups.iter().filter_map(|node| self.group(*node)) {
            for member in &known.members {
                let node = self.entry(*member);
                if let Content::Other(other) = &self.entries[node].content {
                    let names = others.entry(node).or_insert((other, BTreeSet::new()));
                    names.1.insert(known.group.name());
                }
            }
        }
        let mut others: Vec<OtherMember> = others
            .into_values()
            .map(|(other, groups)| OtherMember {
                id: other.id.clone(),
                distinguished_name: other.distinguished_name.clone(),
                reason: format!(
                    "it is a member of the group `{}`, but of the object classes {}, which are \
                     neither of users nor of groups: name one of them in `source.users.objectClasses` \
                     or `source.groups.objectClasses`, or take it out of the group",
                    groups.into_iter().next().unwrap_or_default(),
                    other.classes.join(", ")
                ),
            })
            .collect();
        others.sort();
        others
    }

    /// The entries in scope that cannot be used. `of_named` are the members of the groups whose
    /// members are in scope.
    fn unusable(&self, of_named: &HashSet<Node>, scope: &Scope<'_>) -> Vec<Unusable> {
        let in_place = |unusable: &Unusable, place: String| Unusable {
            reason: format!("{place}: {}", unusable.reason),
            ..unusable.clone()
        };
        let users = self.entries.iter().enumerate().filter_map(|(node, entry)| {
            let Content::Unusable(unusable) = &entry.content else {
                return None;
            };
            if let Some(base) = scope.found.get(&node) {
                return Some(in_place(unusable, format!("below `{base}`")));
            }
            of_named.contains(&node).then(|| {
                let group = self
                    .groups()
                    .find(|(_, group)| group.members.contains(&node));
                let name = group.map_or("", |(_, known)| known.group.name());
                in_place(unusable, format!("in the group `{name}`"))
            })
        });
        let groups = scope.groups.iter().filter_map(|node| {
            let Content::Group(known) = &self.entries[*node].content else {
                return None;
            };
            let unusable = known.group.usable.as_ref().err()?;
            Some(in_place(
                unusable,
                format!("the group `{}`", known.group.name()),
            ))
        });
        users.chain(groups).collect()
    }

    /// The member values of groups that lead to no entry.
    fn unresolved(&self, groups: &HashSet<Node>) -> Vec<UnresolvedMember> {
        let mut unresolved = BTreeSet::new();
        for node in groups {
            let Content::Group(known) = &self.entries[*node].content else {
                continue;
            };
            let group = &known.group;
            let by_name = known.members.iter().filter_map(|member| {
                let entry = &self.entries[*member];
                match entry.content {
                    Content::Missing(missing) => {
                        Some((&entry.distinguished_name, missing.reason()))
                    }
                    _ => None,
                }
            });
            let by_uid = group.member_uids.iter();
            let by_uid = by_uid.filter(|uid| matches!(self.by_uid(uid), Referenced::Nothing));
            let by_uid = by_uid.map(|uid| (uid, NO_SUCH_UID));
            unresolved.extend(
                by_name
                    .chain(by_uid)
                    .map(|(member, reason)| UnresolvedMember {
                        group: group.usable.as_ref().ok().map(|usable| usable.id.clone()),
                        group_name: group.name().to_owned(),
                        member: member.clone(),
                        reason,
                    }),
            );
        }
        unresolved.into_iter().collect()
    }

    /// Who is in a group without being named by it.
    fn primary_members(&self) -> PrimaryMembers {
        let mut primary = PrimaryMembers::default();
        for (node, entry) in self.entries.iter().enumerate() {
            let Content::User(user) = &entry.content else {
                continue;
            };
            let key = user.primary_group.as_ref();
            let Some(groups) = key.and_then(|key| self.by_primary_key.get(key)) else {
                continue;
            };
            let of_groups = match self.ids(groups).len() {
                0 | 1 => &mut primary.members,
                _ => &mut primary.uncertain,
            };
            for group in groups {
                of_groups.entry(*group).or_default().push(node);
            }
        }
        primary
    }

    /// Each user once, in the order of their identifiers. One who was moved during the read may
    /// have been read under both names.
    fn take_people(&mut self, users: HashSet<Node>) -> Vec<Person> {
        let mut users: Vec<Node> = users.into_iter().collect();
        users.sort_unstable();
        let mut people = BTreeMap::new();
        for node in users {
            let content = std::mem::replace(&mut self.entries[node].content, Content::Taken);
            if let Content::User(user) = content {
                people.insert(user.person.id.clone(), user.person);
            }
        }
        people.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::snapshot::Attributes;
    use crate::source::decode::Readable;

    fn user(name: &str, primary_group: Option<&str>) -> Decoded {
        Decoded::User(User {
            person: Person {
                id: EntryId(name.to_owned()),
                distinguished_name: format!("CN={name},DC=x"),
                active: true,
                ..Person::default()
            },
            expires: None,
            primary_group: primary_group.map(str::to_owned),
            uids: vec![name.to_owned()],
        })
    }

    fn group(name: &str, members: &[&str], uids: &[&str]) -> Decoded {
        Decoded::Group(Group {
            distinguished_name: format!("CN={name},OU=Groups,DC=x"),
            usable: Ok(Readable {
                id: EntryId(name.to_owned()),
                attributes: Attributes::new(),
                unreadable: BTreeSet::new(),
            }),
            names: vec![name.to_owned()],
            account_name: None,
            primary_key: Some(format!("S-{name}")),
            members: members.iter().map(|name| (*name).to_owned()).collect(),
            member_uids: uids.iter().map(|uid| (*uid).to_owned()).collect(),
        })
    }

    fn in_groups(name: &str) -> String {
        format!("cn={name},ou=groups,dc=X")
    }

    /// The members of each group of the snapshot.
    fn members(snapshot: &Snapshot) -> Vec<(&str, Vec<&str>)> {
        snapshot
            .groups
            .iter()
            .map(|group| {
                let members = group.members.iter().map(|id| id.0.as_str()).collect();
                (group.id.0.as_str(), members)
            })
            .collect()
    }

    fn snapshot(
        directory: Directory,
        found: &[Node],
        member_of: &[Node],
        groups: &[Node],
    ) -> Snapshot {
        directory.into_snapshot(&Scope {
            found: found.iter().map(|node| (*node, "DC=x")).collect(),
            member_of: member_of.to_vec(),
            groups: groups.to_vec(),
        })
    }

    #[test]
    fn circles_of_groups_end_and_everybody_in_them_is_a_member_of_each() {
        let mut directory = Directory::default();
        directory.insert(user("ada", None));
        directory.insert(user("bob", None));
        let one = directory.insert(group("one", &["cn=ada,dc=x", &in_groups("two")], &[]));
        let two = directory.insert(group(
            "two",
            &["CN=Bob,DC=x", &in_groups("one"), &in_groups("two")],
            &[],
        ));
        let snapshot = snapshot(directory, &[], &[one], &[one, two]);
        assert_eq!(snapshot.people.len(), 2);
        let both = vec!["ada", "bob"];
        assert_eq!(members(&snapshot), [("one", both.clone()), ("two", both)]);
        assert!(snapshot.unusable.is_empty());
    }

    #[test]
    fn the_primary_group_has_members_whom_it_does_not_name() {
        let mut directory = Directory::default();
        let everybody = directory.insert(group("everybody", &[], &[]));
        let aws = directory.insert(group("aws", &[&in_groups("everybody")], &[]));
        let ada = directory.insert(user("ada", Some("S-everybody")));
        directory.insert(user("bob", Some("S-of another domain")));
        let keys: Vec<&str> = directory.primary_keys(&[aws]).into_iter().collect();
        assert_eq!(keys, ["S-aws", "S-everybody"]);
        let snapshot = snapshot(directory, &[ada], &[], &[aws, everybody]);
        assert_eq!(
            members(&snapshot),
            [("aws", vec!["ada"]), ("everybody", vec!["ada"])]
        );
    }

    #[test]
    fn members_named_by_uid_are_found_and_the_others_told() {
        let mut directory = Directory::default();
        directory.insert(user("ada", None));
        let posix = directory.insert(group("posix", &[], &["Ada", "nobody"]));
        let uids: Vec<String> = directory.member_uids(&[posix]).into_iter().collect();
        assert_eq!(uids, ["Ada", "nobody"]);
        let snapshot = snapshot(directory, &[], &[posix], &[posix]);
        assert_eq!(members(&snapshot), [("posix", vec!["ada"])]);
        assert_eq!(unresolved(&snapshot), [("posix", "nobody", NO_SUCH_UID)]);
    }

    /// The group, the value and the reason of each member value that leads to no entry.
    fn unresolved(snapshot: &Snapshot) -> Vec<(&str, &str, &'static str)> {
        let members = snapshot.unresolved.iter();
        members
            .map(|member| (&*member.group_name, &*member.member, member.reason))
            .collect()
    }

    const FOREIGN: &str = "CN=S-1-5-21-1-2-3-4,CN=ForeignSecurityPrincipals,DC=x";

    #[test]
    fn a_member_that_leads_to_no_entry_is_a_note_with_its_group_and_no_unusable_entry() {
        let mut directory = Directory::default();
        directory.insert(user("ada", None));
        let values = [FOREIGN, "CN=gone,DC=x", "CN=ada,DC=x", "CN=far,DC=y"];
        let inner = directory.insert(group("inner", &values, &["nobody"]));
        let aws = directory.insert(group("aws", &[&in_groups("inner"), "CN=gone,DC=x"], &[]));
        let unread = directory.unread_members(&[aws]);
        let missing = [Missing::NoEntry, Missing::OtherServer];
        assert_eq!(unread.len(), missing.len());
        for (node, missing) in unread.into_iter().zip(missing) {
            directory.mark_missing(node, missing);
        }
        assert!(directory.unread_members(&[aws]).is_empty());
        let expected = [
            ("aws", "CN=gone,DC=x", Missing::NoEntry.reason()),
            ("inner", FOREIGN, Missing::OtherDomain.reason()),
            ("inner", "CN=far,DC=y", Missing::OtherServer.reason()),
            ("inner", "CN=gone,DC=x", Missing::NoEntry.reason()),
            ("inner", "nobody", NO_SUCH_UID),
        ];
        let snapshot = snapshot(directory, &[], &[aws], &[inner]);
        assert_eq!(unresolved(&snapshot), expected);
        assert!(snapshot.unusable.is_empty());
        assert_eq!(members(&snapshot), [("inner", vec!["ada"])]);
    }

    #[test]
    fn a_member_that_may_not_be_read_is_unusable_where_members_are_in_scope() {
        for is_in_scope in [true, false] {
            let mut directory = Directory::default();
            let aws = directory.insert(group("aws", &["CN=hidden,DC=x"], &[]));
            let unread = directory.unread_members(&[aws]);
            directory.mark_unreadable(unread[0]);
            let member_of: &[Node] = if is_in_scope { &[aws] } else { &[] };
            let snapshot = snapshot(directory, &[], member_of, &[aws]);
            let unusable: Vec<_> = snapshot
                .unusable
                .iter()
                .map(|entry| (entry.kind, &entry.id, &*entry.reason))
                .collect();
            let expected = (
                Kind::Entry,
                &None,
                "in the group `aws`: it exists, and the account may not read it; let the account \
                 read it",
            );
            assert_eq!(unusable, &[expected][..usize::from(is_in_scope)]);
            assert!(snapshot.unresolved.is_empty());
        }
    }

    #[test]
    fn an_entry_without_an_identifier_counts_where_it_is_in_scope() {
        let unidentified = |name: &str| {
            Decoded::Unusable(Unusable {
                kind: Kind::User,
                distinguished_name: format!("CN={name},DC=x"),
                id: None,
                reason: "it has no identifier".to_owned(),
            })
        };
        let Decoded::Group(mut nameless) = group("nameless", &["CN=ada,DC=x"], &[]) else {
            unreachable!();
        };
        nameless.usable = Err(Unusable {
            kind: Kind::Group,
            distinguished_name: nameless.distinguished_name.clone(),
            id: None,
            reason: "it has no identifier".to_owned(),
        });
        let mut directory = Directory::default();
        directory.insert(user("ada", None));
        let found = directory.insert(unidentified("found"));
        directory.insert(unidentified("elsewhere"));
        directory.insert(Decoded::Group(nameless));
        let aws = directory.insert(group(
            "aws",
            &[&in_groups("nameless"), "CN=elsewhere,DC=x"],
            &[],
        ));
        let reasons = |snapshot: &Snapshot| -> Vec<String> {
            let reasons = snapshot.unusable.iter();
            reasons.map(|entry| entry.reason.clone()).collect()
        };
        // A group is only synchronized if it is in scope itself; members always count.
        let member_of = snapshot(directory, &[found], &[aws], &[]);
        assert_eq!(
            reasons(&member_of),
            [
                "in the group `aws`: it has no identifier",
                "below `DC=x`: it has no identifier"
            ]
        );
        assert_eq!(member_of.people.len(), 1);
    }

    #[test]
    fn a_user_read_under_two_names_is_one_person() {
        let mut directory = Directory::default();
        let before = directory.insert(user("ada", None));
        let Decoded::User(mut moved) = user("ada", None) else {
            unreachable!();
        };
        moved.person.distinguished_name = "CN=ada,OU=Elsewhere,DC=x".to_owned();
        let after = directory.insert(Decoded::User(moved));
        let snapshot = snapshot(directory, &[before, after], &[], &[]);
        assert_eq!(snapshot.people.len(), 1);
        assert_eq!(
            snapshot.people[0].distinguished_name,
            "CN=ada,OU=Elsewhere,DC=x"
        );
    }

    #[test]
    fn a_group_is_called_by_one_of_its_names_or_by_its_distinguished_name() {
        let mut directory = Directory::default();
        let aws = directory.insert(group("aws", &[], &[]));
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        let called = directory.groups_named(&names(&["AWS", &in_groups("aws")]));
        assert_eq!(called.unwrap(), [aws, aws]);
        let missing = directory.groups_named(&names(&["azure"]));
        assert!(matches!(missing, Err(Error::GroupNotFound(_))));
        let missing = directory.groups_named(&names(&["CN=azure,DC=x"]));
        assert!(matches!(missing, Err(Error::GroupNotFound(_))));
        let Decoded::Group(mut twin) = group("aws", &[], &[]) else {
            unreachable!();
        };
        twin.distinguished_name = "CN=aws,OU=Other,DC=x".to_owned();
        directory.insert(Decoded::Group(twin));
        let ambiguous = directory.groups_named(&names(&["aws"]));
        assert!(matches!(ambiguous, Err(Error::GroupAmbiguous { found, .. }) if found.len() == 2));
    }

    /// A user with a `uid` and a primary group.
    fn posix(name: &str, uid: &str, is_active: bool) -> Decoded {
        let Decoded::User(mut found) = user(name, None) else {
            unreachable!();
        };
        found.person.active = is_active;
        found.uids = vec![uid.to_owned()];
        Decoded::User(found)
    }

    fn reported(snapshot: &Snapshot) -> Vec<&str> {
        let ids = snapshot
            .unusable
            .iter()
            .filter_map(|entry| entry.id.as_ref());
        ids.map(|id| id.0.as_str()).collect()
    }

    #[test]
    fn a_uid_that_several_users_have_gives_access_to_the_only_active_one() {
        for (active, expected, is_uncertain) in [
            ([true, true], &[][..], true),
            ([true, false], &["p0"], false),
            ([false, true], &["p1"], false),
            ([false, false], &[], true),
        ] {
            for is_nested in [false, true] {
                let mut directory = Directory::default();
                let found: Vec<Node> = active
                    .iter()
                    .enumerate()
                    .map(|(index, active)| {
                        directory.insert(posix(&format!("p{index}"), "Shared", *active))
                    })
                    .collect();
                let inner = directory.insert(group("inner", &[], &["shared"]));
                let outer = directory.insert(group("outer", &[&in_groups("inner")], &[]));
                let scope = if is_nested { outer } else { inner };
                let snapshot = snapshot(directory, &found, &[], &[scope]);
                let case = format!("{active:?} {is_nested}");
                assert_eq!(members(&snapshot)[0].1, expected, "{case}");
                let uncertain = snapshot.groups[0].uncertain_members.len();
                assert_eq!(uncertain, if is_uncertain { 2 } else { 0 }, "{case}");
                let expected: &[&str] = if is_uncertain { &["p0", "p1"] } else { &[] };
                assert_eq!(reported(&snapshot), expected, "{case}");
            }
        }
    }

    #[test]
    fn a_uid_that_several_users_have_puts_none_of_them_into_scope() {
        let mut directory = Directory::default();
        directory.insert(posix("p0", "shared", true));
        directory.insert(posix("p1", "shared", true));
        let aws = directory.insert(group("aws", &[], &["shared"]));
        let snapshot = snapshot(directory, &[], &[aws], &[aws]);
        assert!(snapshot.people.is_empty());
        // By their identifiers, their users are kept.
        assert_eq!(reported(&snapshot), ["p0", "p1"]);
        assert!(
            snapshot.unusable[0]
                .reason
                .contains("2 entries have this uid")
        );
    }

    #[test]
    fn a_primary_group_that_is_one_of_several_has_uncertain_members() {
        let mut directory = Directory::default();
        let with_key = |name: &str| {
            let Decoded::Group(mut found) = group(name, &[], &[]) else {
                unreachable!();
            };
            found.primary_key = Some("1000".to_owned());
            Decoded::Group(found)
        };
        let one = directory.insert(with_key("one"));
        let two = directory.insert(with_key("two"));
        let ada = directory.insert(user("ada", Some("1000")));
        let snapshot = snapshot(directory, &[ada], &[], &[one, two]);
        for group in &snapshot.groups {
            assert!(group.members.is_empty());
            assert_eq!(group.uncertain_members, [EntryId("ada".to_owned())].into());
        }
        assert_eq!(reported(&snapshot), ["one", "two"]);
    }

    #[test]
    fn entries_that_differ_for_the_server_only_are_not_taken_for_each_other() {
        let mut directory = Directory::default();
        let named = |id: &str, name: &str| {
            let Decoded::User(mut found) = user(id, None) else {
                unreachable!();
            };
            found.person.distinguished_name = format!("CN={name},DC=x");
            Decoded::User(found)
        };
        let lower = directory.insert(named("p0", "ada"));
        let upper = directory.insert(named("p1", "ADA"));
        assert_ne!(lower, upper);
        // Read again, each is itself.
        assert_eq!(directory.insert(named("p0", "ada")), lower);
        assert_eq!(directory.insert(named("p1", "ADA")), upper);
        let aws = directory.insert(group("aws", &["CN=ada,DC=x"], &[]));
        let snapshot = snapshot(directory, &[lower, upper], &[], &[aws]);
        assert_eq!(snapshot.people.len(), 2);
        assert!(snapshot.groups[0].members.is_empty());
        assert_eq!(snapshot.groups[0].uncertain_members.len(), 2);
        assert_eq!(reported(&snapshot), ["p1", "p0"]);
    }

    #[test]
    fn the_entry_that_the_server_gives_for_a_name_is_the_member() {
        let mut directory = Directory::default();
        let aws = directory.insert(group("aws", &["CN=Jose\u{301},DC=x"], &[]));
        let [asked] = directory.unread_members(&[aws])[..] else {
            panic!("one name is unknown");
        };
        let found = directory.insert(user("José", None));
        directory.mark_same(asked, found);
        assert!(directory.unread_members(&[aws]).is_empty());
        assert_eq!(
            directory.name_of_entry("CN=Jose\u{301},DC=x"),
            Some("CN=José,DC=x")
        );
        let snapshot = snapshot(directory, &[], &[aws], &[aws]);
        assert_eq!(members(&snapshot), [("aws", vec!["José"])]);
        assert!(snapshot.unresolved.is_empty());
    }

    #[test]
    fn an_entry_that_had_the_name_before_keeps_memberships_and_gets_none() {
        let mut directory = Directory::default();
        let ada = directory.insert(user("ada", None));
        let aws = directory.insert(group("aws", &["CN=before,DC=x"], &[]));
        let [asked] = directory.unread_members(&[aws])[..] else {
            panic!("one name is unknown");
        };
        directory.mark_missing(asked, Missing::NoEntry);
        directory.mark_renamed(asked, ada);
        let snapshot = snapshot(directory, &[ada], &[], &[aws]);
        assert!(snapshot.groups[0].members.is_empty());
        assert_eq!(
            snapshot.groups[0].uncertain_members,
            [EntryId("ada".to_owned())].into()
        );
        assert_eq!(snapshot.unresolved.len(), 1);
        assert!(snapshot.unusable.is_empty());
    }

    #[test]
    fn a_member_that_is_neither_a_user_nor_a_group_is_reported_with_its_classes() {
        let mut directory = Directory::default();
        directory.insert(Decoded::Other(Other {
            distinguished_name: "CN=plain,DC=x".to_owned(),
            id: Some(EntryId("plain".to_owned())),
            classes: vec!["organizationalPerson".to_owned(), "person".to_owned()],
        }));
        directory.insert(Decoded::Other(Other {
            distinguished_name: "CN=elsewhere,DC=x".to_owned(),
            id: None,
            classes: Vec::new(),
        }));
        let aws = directory.insert(group("aws", &["cn=plain,dc=x"], &[]));
        let snapshot = snapshot(directory, &[], &[], &[aws]);
        assert_eq!(snapshot.other_members.len(), 1);
        let other = &snapshot.other_members[0];
        assert_eq!(other.id, Some(EntryId("plain".to_owned())));
        assert!(
            other
                .reason
                .contains("`aws`, but of the object classes organizationalPerson, person")
        );
        assert!(snapshot.unusable.is_empty(), "no leaver is held back");
    }

    #[test]
    fn the_next_expiry_is_the_earliest_of_all_accounts() {
        let mut directory = Directory::default();
        assert_eq!(directory.next_expiry(), None);
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        for (name, expires) in [
            ("a", Some(at("2026-03-01T00:00:00Z"))),
            ("b", None),
            ("c", Some(at("2026-02-01T00:00:00Z"))),
        ] {
            let Decoded::User(mut found) = user(name, None) else {
                unreachable!();
            };
            found.expires = expires;
            directory.insert(Decoded::User(found));
        }
        assert_eq!(directory.next_expiry(), Some(at("2026-02-01T00:00:00Z")));
    }

    #[test]
    fn groups_in_scope_are_below_a_base_and_called_by_a_pattern() {
        let mut directory = Directory::default();
        let mut insert = |name: &str, names: &[&str], unit: &str| {
            let Decoded::Group(mut found) = group(name, &[], &[]) else {
                unreachable!();
            };
            found.distinguished_name = format!("CN={name},OU={unit},DC=x");
            found.names = names.iter().map(|name| (*name).to_owned()).collect();
            directory.insert(Decoded::Group(found))
        };
        let plain = insert("aws-a", &["aws-a"], "Groups");
        let second_name = insert("b", &["b", "AWS-b"], "Groups");
        let other_pattern = insert("admins", &["admins"], "Groups");
        insert("aws-c", &["aws-c"], "Elsewhere");
        insert("azure", &["azure"], "Groups");
        insert("aws-d", &[], "Groups");
        let names = |names: &[&str]| GroupScope {
            names: names
                .iter()
                .map(|name| (*name).to_owned().try_into().unwrap())
                .collect(),
            ..GroupScope::default()
        };
        let bases = [DistinguishedName::try_from("ou=groups,dc=X".to_owned()).unwrap()];
        let found = directory.groups_in_scope(&bases, &names(&["aws-*", "admins"]));
        assert_eq!(found, [plain, second_name, other_pattern]);
        assert!(directory.groups_in_scope(&bases, &names(&[])).is_empty());
        assert!(directory.groups_in_scope(&[], &names(&["*"])).is_empty());
    }

    proptest! {
        /// Against the plain definition: who is reached by following memberships until nothing
        /// new is found.
        #[test]
        fn members_are_all_who_can_be_reached(
            edges in prop::collection::vec((0_usize..8, 0_usize..8), 0..24),
            people in prop::collection::vec((0_usize..8, 0_usize..6), 0..16),
        ) {
            let mut directory = Directory::default();
            for person in 0..6 {
                directory.insert(user(&format!("p{person}"), None));
            }
            for node in 0..8 {
                let nested = edges.iter().filter(|(from, _)| *from == node);
                let direct = people.iter().filter(|(from, _)| *from == node);
                let members: Vec<String> = nested
                    .map(|(_, to)| in_groups(&format!("g{to}")))
                    .chain(direct.map(|(_, to)| format!("CN=p{to},DC=x")))
                    .collect();
                let members: Vec<&str> = members.iter().map(String::as_str).collect();
                directory.insert(group(&format!("g{node}"), &members, &[]));
            }
            let groups: Vec<Node> = directory.groups().map(|(node, _)| node).collect();
            let snapshot = snapshot(directory, &[], &groups, &groups);
            for (node, found) in snapshot.groups.iter().enumerate() {
                let mut reached = BTreeSet::from([node]);
                for _ in 0..8 {
                    let more: Vec<usize> = edges
                        .iter()
                        .filter(|(from, _)| reached.contains(from))
                        .map(|(_, to)| *to)
                        .collect();
                    reached.extend(more);
                }
                let expected: BTreeSet<EntryId> = people
                    .iter()
                    .filter(|(from, _)| reached.contains(from))
                    .map(|(_, to)| EntryId(format!("p{to}")))
                    .collect();
                prop_assert_eq!(&found.members, &expected);
            }
        }
    }
}
