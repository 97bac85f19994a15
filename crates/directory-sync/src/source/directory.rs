//! What has been read so far, and who is in which group. No input and no output.
//!
//! Groups name their members, and members may be groups: a graph, which may have circles.
//! Entries are numbered, so that half a million memberships are half a million small numbers.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;

use super::configuration::GroupScope;
use super::decode::{Decoded, Group, User};
use super::distinguished_name::{DistinguishedName, NameKey};
use crate::snapshot::{EntryId, Kind, Person, Snapshot, UnresolvedMember, Unusable};
use crate::{snapshot, source::Error};

/// The number of an entry in a [`Directory`].
pub(super) type Node = usize;

/// All entries known, read or only named.
#[derive(Default)]
pub(super) struct Directory {
    numbers: HashMap<NameKey, Node>,
    entries: Vec<NamedEntry>,
    by_uid: HashMap<String, Vec<Node>>,
    by_sid: HashMap<String, Node>,
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
    Other,
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
    /// `memberUid` values that name nobody known.
    unknown_uids: BTreeSet<String>,
}

impl Directory {
    /// Takes an entry in; one read again replaces what was known of it.
    pub(super) fn insert(&mut self, decoded: Decoded) -> Node {
        let (node, content) = match decoded {
            Decoded::User(user) => {
                let node = self.number(&user.person.distinguished_name);
                for uid in &user.uids {
                    let nodes = self.by_uid.entry(uid.to_lowercase()).or_default();
                    if !nodes.contains(&node) {
                        nodes.push(node);
                    }
                }
                (node, Content::User(user))
            }
            Decoded::Group(mut group) => {
                let node = self.number(&group.distinguished_name);
                if let Some(sid) = &group.sid {
                    self.by_sid.insert(sid.clone(), node);
                }
                let members = std::mem::take(&mut group.members)
                    .iter()
                    .map(|member| self.number(member))
                    .collect();
                (node, Content::Group(KnownGroup { group, members }))
            }
            Decoded::Unusable(unusable) => {
                let node = self.number(&unusable.distinguished_name);
                (node, Content::Unusable(unusable))
            }
            Decoded::Other { distinguished_name } => {
                (self.number(&distinguished_name), Content::Other)
            }
        };
        self.entries[node].content = content;
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
        if let Some(node) = self.numbers.get(&NameKey::of(name))
            && matches!(self.entries[*node].content, Content::Group(_))
        {
            return Ok(*node);
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
        let members = self.members(groups, &HashMap::new());
        let mut unread: Vec<Node> = members
            .nodes
            .into_iter()
            .filter(|node| matches!(self.entries[*node].content, Content::Unread))
            .collect();
        unread.sort_unstable();
        unread
    }

    /// The `memberUid` values of some groups, directly or through other groups, that name nobody
    /// known.
    pub(super) fn unknown_uids(&self, groups: &[Node]) -> Vec<String> {
        let members = self.members(groups, &HashMap::new());
        members.unknown_uids.into_iter().collect()
    }

    /// The security identifiers of some groups and of the groups in them.
    pub(super) fn sids(&self, groups: &[Node]) -> Vec<&str> {
        let members = self.members(groups, &HashMap::new());
        let nodes: BTreeSet<Node> = members.nodes.into_iter().chain(groups.to_vec()).collect();
        nodes
            .into_iter()
            .filter_map(|node| match &self.entries[node].content {
                Content::Group(known) => known.group.sid.as_deref(),
                _ => None,
            })
            .collect()
    }

    /// Everything that is in some groups; each group is looked into once, so that circles end.
    fn members(&self, groups: &[Node], primary: &HashMap<Node, Vec<Node>>) -> Members {
        let mut members = Members {
            nodes: HashSet::new(),
            groups: groups.iter().copied().collect(),
            unknown_uids: BTreeSet::new(),
        };
        let mut open = groups.to_vec();
        while let Some(group) = open.pop() {
            let Content::Group(known) = &self.entries[group].content else {
                continue;
            };
            let by_uid = known.group.member_uids.iter().flat_map(|uid| {
                let nodes = self.by_uid.get(&uid.to_lowercase());
                if nodes.is_none() {
                    members.unknown_uids.insert(uid.clone());
                }
                nodes.into_iter().flatten()
            });
            let primary = primary.get(&group).into_iter().flatten();
            for member in known.members.iter().chain(by_uid).chain(primary) {
                members.nodes.insert(*member);
                if matches!(self.entries[*member].content, Content::Group(_))
                    && members.groups.insert(*member)
                {
                    open.push(*member);
                }
            }
        }
        members
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
        let users: HashSet<Node> = scope
            .found
            .keys()
            .chain(&of_named.nodes)
            .copied()
            .filter(|node| matches!(self.entries[*node].content, Content::User(_)))
            .collect();
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
                let group = snapshot::Group {
                    id: usable.id.clone(),
                    distinguished_name: self.distinguished_name(*node).to_owned(),
                    attributes: usable.attributes.clone(),
                    unreadable: usable.unreadable.clone(),
                    members: members
                        .nodes
                        .iter()
                        .filter_map(|member| ids.get(member).cloned())
                        .collect(),
                };
                groups.insert(usable.id.clone(), group);
            }
        }
        let unresolved = self.unresolved(&relevant_groups);
        let mut unusable = self.unusable(&of_named.nodes, scope);
        unusable.sort_by(|a, b| a.distinguished_name.cmp(&b.distinguished_name));
        Snapshot {
            people: self.take_people(users),
            groups: groups.into_values().collect(),
            unusable,
            unresolved,
        }
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
            let by_uid = by_uid.filter(|uid| !self.by_uid.contains_key(&uid.to_lowercase()));
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
    fn primary_members(&self) -> HashMap<Node, Vec<Node>> {
        let mut members: HashMap<Node, Vec<Node>> = HashMap::new();
        for (node, entry) in self.entries.iter().enumerate() {
            if let Content::User(User {
                primary_group: Some(sid),
                ..
            }) = &entry.content
                && let Some(group) = self.by_sid.get(sid)
            {
                members.entry(*group).or_default().push(node);
            }
        }
        members
    }

    /// Each user once, in the order of their identifiers. One who was moved during the read may
    /// have been read under both names.
    fn take_people(&mut self, users: HashSet<Node>) -> Vec<Person> {
        let mut users: Vec<Node> = users.into_iter().collect();
        users.sort_unstable();
        let mut people = BTreeMap::new();
        for node in users {
            let content = std::mem::replace(&mut self.entries[node].content, Content::Other);
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
            sid: Some(format!("S-{name}")),
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
        assert_eq!(directory.sids(&[aws]), ["S-everybody", "S-aws"]);
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
        assert_eq!(directory.unknown_uids(&[posix]), ["nobody"]);
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
