//! What has been read so far, and who is in which group. No input and no output.
//!
//! Groups name their members, and members may be groups: a graph, which may have circles.
//! Entries are numbered, so that half a million memberships are half a million small numbers.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;

use super::configuration::GroupScope;
use super::decode::{Decoded, Group, User};
use super::distinguished_name::{DistinguishedName, NameKey};
use crate::snapshot::{EntryId, Person, Snapshot, Unusable};
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
    /// Looked for and not found.
    Absent,
    User(User),
    Group(KnownGroup),
    Unusable(Unusable),
    Other,
}

struct KnownGroup {
    group: Group,
    members: Vec<Node>,
}

/// Who is in scope, by what the configuration says.
pub(super) struct Scope {
    /// Found by the searches for users.
    pub(super) found: HashSet<Node>,
    /// The groups whose members are in scope.
    pub(super) member_of: Vec<Node>,
    /// The groups in scope.
    pub(super) groups: Vec<Node>,
}

/// All that is in some groups, directly or through other groups.
struct Members {
    nodes: HashSet<Node>,
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
            Content::Unusable(foreign(distinguished_name.to_owned()))
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

    /// Notes who was looked for and is not there.
    pub(super) fn mark_absent(&mut self, nodes: &[Node]) {
        for node in nodes {
            let content = &mut self.entries[*node].content;
            if matches!(content, Content::Unread) {
                *content = Content::Absent;
            }
        }
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
            unknown_uids: BTreeSet::new(),
        };
        let mut seen: HashSet<Node> = groups.iter().copied().collect();
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
                    && seen.insert(*member)
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
    pub(super) fn into_snapshot(mut self, scope: &Scope) -> Snapshot {
        let primary = self.primary_members();
        let of_named = self.members(&scope.member_of, &primary);
        let users: HashSet<Node> = scope
            .found
            .iter()
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
        let mut problems = BTreeSet::from_iter(of_named.nodes);
        problems.extend(&scope.found);
        let mut groups = BTreeMap::new();
        for node in &scope.groups {
            let members = self.members(&[*node], &primary).nodes;
            let Content::Group(known) = &self.entries[*node].content else {
                continue;
            };
            problems.insert(*node);
            problems.extend(
                members
                    .iter()
                    .filter(|member| self.is_unusable_wherever_it_is(**member)),
            );
            if let Ok(usable) = &known.group.usable {
                let group = snapshot::Group {
                    id: usable.id.clone(),
                    distinguished_name: self.distinguished_name(*node).to_owned(),
                    attributes: usable.attributes.clone(),
                    unreadable: usable.unreadable.clone(),
                    members: members
                        .iter()
                        .filter_map(|member| ids.get(member).cloned())
                        .collect(),
                };
                groups.insert(usable.id.clone(), group);
            }
        }
        let mut unusable: Vec<Unusable> = problems
            .into_iter()
            .filter_map(|node| self.problem(node))
            .collect();
        unusable.extend(of_named.unknown_uids.into_iter().map(|uid| {
            Unusable {
                reason:
                    "a group names it by memberUid, but there is no such user below the search \
                     bases"
                        .to_owned(),
                distinguished_name: format!("uid={uid}"),
                id: None,
            }
        }));
        Snapshot {
            people: self.take_people(users),
            groups: groups.into_values().collect(),
            unusable,
        }
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

    /// Whether it is worth telling of even where it is only a member of a group in scope: it is
    /// somebody, but nobody can tell who.
    fn is_unusable_wherever_it_is(&self, node: Node) -> bool {
        let entry = &self.entries[node];
        matches!(entry.content, Content::Absent) || entry.key.is_foreign_security_principal()
    }

    fn problem(&self, node: Node) -> Option<Unusable> {
        let entry = &self.entries[node];
        match &entry.content {
            Content::Unusable(unusable) => Some(unusable.clone()),
            Content::Group(known) => known.group.usable.as_ref().err().cloned(),
            Content::Absent => Some(Unusable {
                distinguished_name: entry.distinguished_name.clone(),
                id: None,
                reason: "a group names it as a member, but it cannot be read: it is of another \
                         domain, or the account may not read it, or it is gone and the group does \
                         not know"
                    .to_owned(),
            }),
            Content::Unread | Content::User(_) | Content::Other => None,
        }
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

/// Somebody of another domain or forest, of whom this one knows no more than the identifier.
fn foreign(distinguished_name: String) -> Unusable {
    Unusable {
        distinguished_name,
        id: None,
        reason: "it stands for somebody of another domain, who can only be read there; put users \
                 of this domain into the group, or read the other domain by a sync of its own"
            .to_owned(),
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
            found: found.iter().copied().collect(),
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
        assert_eq!(snapshot.unusable[0].distinguished_name, "uid=nobody");
    }

    #[test]
    fn somebody_who_cannot_be_read_is_told_and_not_left_out_in_silence() {
        let mut directory = Directory::default();
        let foreign = "CN=S-1-5-21-1-2-3-4,CN=ForeignSecurityPrincipals,DC=x";
        let aws = directory.insert(group("aws", &[foreign, "CN=gone,DC=x"], &[]));
        let unread = directory.unread_members(&[aws]);
        assert_eq!(unread.len(), 1);
        directory.mark_absent(&unread);
        assert!(directory.unread_members(&[aws]).is_empty());
        let snapshot = snapshot(directory, &[], &[aws], &[aws]);
        let mut names: Vec<_> = snapshot
            .unusable
            .iter()
            .map(|unusable| unusable.distinguished_name.as_str())
            .collect();
        names.sort_unstable();
        assert_eq!(names, [foreign, "CN=gone,DC=x"]);
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
