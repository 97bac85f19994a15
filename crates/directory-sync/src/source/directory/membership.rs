//! Who is in which group, and the snapshot of all that is in scope.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{Content, Directory, NO_SUCH_UID, Node, Scope};
use crate::snapshot::{
    self, EntryId, Kind, Person, ReportedMember, Snapshot, UnresolvedMember, Unusable,
};

/// All that is in some groups, directly or through other groups.
pub(super) struct Members {
    pub(super) nodes: HashSet<Node>,
    /// The groups themselves, and those in them.
    pub(super) groups: HashSet<Node>,
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

fn in_group(name: &str, reason: &str) -> String {
    format!("in the group `{name}`: {reason}")
}

/// The users that groups have by their primary groups.
#[derive(Default)]
pub(super) struct PrimaryMembers {
    members: HashMap<Node, Vec<Node>>,
    /// Users whose primary group is one of several.
    uncertain: HashMap<Node, Vec<Node>>,
}

impl Directory {
    /// The users that the searches or the groups of the configuration put into scope. A reference
    /// that fits several users gives none of them access, so those that are inactive are in scope.
    pub(in crate::source) fn users_in_scope(&self, scope: &Scope<'_>) -> Vec<Node> {
        let of_named = self.members(&scope.member_of, &self.primary_members());
        let inactive = of_named.uncertain.iter().filter(|node| {
            let content = &self.entries[**node].content;
            matches!(content, Content::User(user) if !user.person.active)
        });
        let certain = scope.found.keys().chain(&of_named.nodes);
        let nodes: HashSet<Node> = certain.chain(inactive).copied().collect();
        let is_user = |node: &Node| matches!(self.entries[*node].content, Content::User(_));
        nodes.into_iter().filter(is_user).collect()
    }

    /// Everything that is in some groups; each group is looked into once, so that circles end.
    pub(super) fn members(&self, groups: &[Node], primary: &PrimaryMembers) -> Members {
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

    /// Puts together what is in scope.
    pub(in crate::source) fn into_snapshot(mut self, scope: &Scope<'_>) -> Snapshot {
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
        let mut reported_members = self.other_members(&relevant_groups, &of_named.nodes);
        reported_members.extend(self.ambiguous(&relevant_groups));
        reported_members.sort();
        let mut unusable = self.unusable(&of_named.nodes, scope);
        unusable.sort_by(|a, b| a.distinguished_name.cmp(&b.distinguished_name));
        let uncertain = of_named.uncertain.difference(&users);
        let uncertain_users = uncertain.filter_map(|node| match &self.entries[*node].content {
            Content::User(user) => Some(user.person.id.clone()),
            _ => None,
        });
        Snapshot {
            uncertain_users: uncertain_users.collect(),
            people: self.take_people(users),
            groups: groups.into_values().collect(),
            unusable,
            unresolved,
            reported_members,
        }
    }

    /// The entries of references that fit several: none of these gets access by it. An inactive
    /// user needs none.
    fn ambiguous(&self, groups: &HashSet<Node>) -> Vec<ReportedMember> {
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
        let reported = found.into_iter().filter_map(|(node, reason)| {
            let entry = &self.entries[node];
            let kind = match &entry.content {
                Content::User(user) if !user.person.active => return None,
                Content::User(_) => Kind::User,
                Content::Group(_) => Kind::Group,
                _ => Kind::Entry,
            };
            Some(ReportedMember {
                kind,
                id: Some(entry.content.id()?.clone()),
                distinguished_name: entry.distinguished_name.clone(),
                reason,
            })
        });
        reported.collect()
    }

    fn ids(&self, nodes: &BTreeSet<Node>) -> BTreeSet<&EntryId> {
        let ids = nodes
            .iter()
            .filter_map(|node| self.entries[*node].content.id());
        ids.collect()
    }

    /// The members of groups that are neither users nor groups, and those that the account may not
    /// read, unless they may be in scope as members of `of_named`: then they are unusable.
    fn other_members(
        &self,
        groups: &HashSet<Node>,
        of_named: &HashSet<Node>,
    ) -> Vec<ReportedMember> {
        // By each entry, the groups that name it.
        let mut others: BTreeMap<Node, BTreeSet<&str>> = BTreeMap::new();
        for known in groups.iter().filter_map(|node| self.group(*node)) {
            for member in &known.members {
                let node = self.entry(*member);
                let content = &self.entries[node].content;
                if matches!(content, Content::Other(_) | Content::Unusable(_)) {
                    others.entry(node).or_default().insert(known.group.name());
                }
            }
        }
        let others = others.into_iter().filter_map(|(node, groups)| {
            let group = groups.first()?;
            Some(match &self.entries[node].content {
                Content::Other(other) => ReportedMember {
                    kind: Kind::Entry,
                    id: other.id.clone(),
                    distinguished_name: other.distinguished_name.clone(),
                    reason: format!(
                        "it is a member of the group `{group}`, but of the object classes {}, \
                         which are neither of users nor of groups: name one of them in \
                         `source.users.objectClasses` or `source.groups.objectClasses`, or take it \
                         out of the group",
                        other.classes.join(", ")
                    ),
                },
                Content::Unusable(unusable)
                    if unusable.kind == Kind::Entry && !of_named.contains(&node) =>
                {
                    ReportedMember {
                        kind: Kind::Entry,
                        id: None,
                        distinguished_name: unusable.distinguished_name.clone(),
                        reason: in_group(group, &unusable.reason),
                    }
                }
                _ => return None,
            })
        });
        others.collect()
    }

    /// The entries in scope that cannot be used. `of_named` are the members of the groups whose
    /// members are in scope.
    fn unusable(&self, of_named: &HashSet<Node>, scope: &Scope<'_>) -> Vec<Unusable> {
        let with = |unusable: &Unusable, reason: String| Unusable {
            reason,
            ..unusable.clone()
        };
        let users = self.entries.iter().enumerate().filter_map(|(node, entry)| {
            let Content::Unusable(unusable) = &entry.content else {
                return None;
            };
            if let Some(base) = scope.found.get(&node) {
                let reason = format!("below `{base}`: {}", unusable.reason);
                return Some(with(unusable, reason));
            }
            of_named.contains(&node).then(|| {
                let group = self
                    .groups()
                    .find(|(_, group)| group.members.contains(&node));
                let name = group.map_or("", |(_, known)| known.group.name());
                with(unusable, in_group(name, &unusable.reason))
            })
        });
        let groups = scope.groups.iter().filter_map(|node| {
            let Content::Group(known) = &self.entries[*node].content else {
                return None;
            };
            let unusable = known.group.usable.as_ref().err()?;
            let reason = format!("the group `{}`: {}", known.group.name(), unusable.reason);
            Some(with(unusable, reason))
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
