//! Matches the objects on the server with the entries of the directory.
//!
//! 1. An object with this sync's mark belongs to the entry that the mark names.
//! 2. An entry without an object adopts the one that [`MatchBy`] recognises.
//! 3. A marked object whose entry is deleted may have the name of an entry without an object: the
//!    person was deleted and created again. If leavers are deleted, the old object is deleted and
//!    a new one is created. Otherwise the name is in use, and the entry adopts the object.
//!
//! The sync does not manage any other object.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::current::Current;
use super::policy::{GoneGroups, Leavers, Policy};
use crate::attribute::{Attribute, fold};
use crate::identity::{Identifier, MatchBy, domain_of_sid, is_mark};
use crate::mapping::{Desired, Kind};
use crate::snapshot::EntryId;

/// The relation of an object to the sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Not managed by the sync: never changed.
    Foreign,
    /// Represents an entry in scope.
    Matched,
    /// Represents an entry that is deleted or no longer in scope.
    Gone,
    /// Managed, but not changed: its entry is in scope but cannot be used or was moved during the
    /// read, or may be in scope, or may exist without a readable identifier, or another object has
    /// the same mark.
    Kept,
}

/// The users, or the groups, of both sides brought together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matched {
    /// The index of the object of an entry.
    pub objects: BTreeMap<EntryId, usize>,
    /// The standing of each object, by its index.
    pub standings: Vec<Standing>,
    /// Objects that are kept because of something that the account cannot read: whether their
    /// entry is active, or the identifier of an entry that may be theirs.
    pub held_back: Vec<usize>,
    /// The entries that are missing in the read for objects of the sync.
    pub missing: BTreeSet<Identifier>,
    /// Objects with the mark of another object.
    pub doubles: Vec<usize>,
    /// Objects that an entry adopts by its name from an entry that is gone.
    pub reassigned: Vec<(usize, EntryId)>,
    /// Users of AWS's PowerShell sample without an entry in scope. That sample never removes users.
    /// The sync manages them only with `takeOverLeavers`, as leavers.
    pub left_behind: Vec<usize>,
}

impl Matched {
    /// Whether the sync may change the object.
    #[must_use]
    pub fn standing(&self, index: usize) -> Standing {
        self.standings
            .get(index)
            .copied()
            .unwrap_or(Standing::Foreign)
    }
}

/// Entries that were looked up because a read did not have them in scope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LookedUp {
    /// The entries that exist, in scope or not.
    pub found: BTreeMap<Identifier, EntryId>,
    /// Entries among them that are in scope: they were moved during the read.
    pub in_scope: BTreeSet<EntryId>,
}

/// Both sides brought together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matching {
    /// The users.
    pub users: Matched,
    /// The groups.
    pub groups: Matched,
}

impl Matching {
    /// Matches both sides. Members are not considered. `looked_up` has the entries of
    /// [`Matching::missing`] that exist in the directory; it does not affect `missing`.
    #[must_use]
    pub fn new(
        desired: &Desired,
        current: &Current,
        policy: &Policy,
        looked_up: &LookedUp,
    ) -> Self {
        Self {
            users: users(desired, current, policy, looked_up),
            groups: groups(desired, current, policy, looked_up),
        }
    }

    /// The entries of managed objects that the read did not have in scope.
    #[must_use]
    pub fn missing(&self) -> BTreeSet<Identifier> {
        self.users
            .missing
            .union(&self.groups.missing)
            .cloned()
            .collect()
    }

    /// The groups whose members the planner needs, as ascending indices: those of the sync, and
    /// all others if a user is deleted, which ends its memberships in them.
    #[must_use]
    pub fn groups_to_read(&self, policy: &Policy) -> Vec<usize> {
        let deletes_users = !deleted(&self.users, policy.leavers == Leavers::Delete).is_empty();
        let groups = self.groups.standings.iter().enumerate();
        groups
            .filter(|(_, standing)| deletes_users || **standing != Standing::Foreign)
            .map(|(index, _)| index)
            .collect()
    }
}

/// What one object shows of itself.
struct Object<'a> {
    external_id: Option<&'a str>,
    name: &'a str,
}

/// What one entry can be recognised by.
struct Entry<'a> {
    sid: Option<&'a str>,
    /// None where the entry cannot be mapped: it takes nothing over by name.
    name: Option<&'a str>,
    /// Names that are as right.
    other_names: Vec<&'a str>,
}

fn users(desired: &Desired, current: &Current, policy: &Policy, looked_up: &LookedUp) -> Matched {
    let objects: Vec<Object<'_>> = current
        .users()
        .iter()
        .map(|user| Object {
            external_id: user.external_id.as_deref(),
            name: user.profile.get(Attribute::UserName).unwrap_or_default(),
        })
        .collect();
    let entries: BTreeMap<&EntryId, Entry<'_>> = desired
        .users
        .iter()
        .map(|(id, user)| {
            let profile = user.profile.as_ref();
            let entry = Entry {
                sid: user.sid.as_deref(),
                name: profile.and_then(|profile| profile.get(Attribute::UserName)),
                other_names: user
                    .alternatives
                    .get(&Attribute::UserName)
                    .into_iter()
                    .flatten()
                    .map(String::as_str)
                    .collect(),
            };
            (id, entry)
        })
        .collect();
    let search = Search {
        kind: Kind::User,
        desired,
        looked_up,
    };
    let mut matched = Matcher::new(&objects, &entries, search, policy).finish(
        policy.match_by == MatchBy::UserName,
        false,
        policy.leavers != Leavers::Delete,
    );
    if policy.match_by == MatchBy::ObjectSid {
        let domains: HashSet<&str> = entries
            .values()
            .filter_map(|entry| domain_of_sid(entry.sid?))
            .collect();
        for (index, object) in objects.iter().enumerate() {
            let Some(sid) = object.external_id else {
                continue;
            };
            if matched.standing(index) != Standing::Foreign
                || domain_of_sid(sid).is_none_or(|domain| !domains.contains(domain))
            {
                continue;
            }
            if policy.take_over_leavers {
                matched.absent(index, Identifier::Sid(sid.to_owned()), search);
            } else {
                matched.left_behind.push(index);
            }
        }
    }
    matched
}

fn groups(desired: &Desired, current: &Current, policy: &Policy, looked_up: &LookedUp) -> Matched {
    let objects: Vec<Object<'_>> = current
        .groups()
        .iter()
        .map(|group| Object {
            external_id: group.external_id.as_deref(),
            name: &group.display_name,
        })
        .collect();
    let entries: BTreeMap<&EntryId, Entry<'_>> = desired
        .groups
        .iter()
        .map(|(id, group)| {
            let entry = Entry {
                sid: group.sid.as_deref(),
                name: group.display_name.as_deref(),
                other_names: group.other_names.iter().map(String::as_str).collect(),
            };
            (id, entry)
        })
        .collect();
    let search = Search {
        kind: Kind::Group,
        desired,
        looked_up,
    };
    Matcher::new(&objects, &entries, search, policy).finish(
        policy.match_by == MatchBy::UserName,
        // AWS's PowerShell sample makes groups without an externalId.
        policy.match_by == MatchBy::ObjectSid,
        policy.gone_groups != GoneGroups::Delete,
    )
}

/// The data about entries of one type that are not in scope.
#[derive(Clone, Copy)]
struct Search<'a> {
    kind: Kind,
    desired: &'a Desired,
    looked_up: &'a LookedUp,
}

impl Matched {
    /// Decides about an object whose entry the read did not have in scope.
    fn absent(&mut self, index: usize, entry: Identifier, search: Search<'_>) {
        let Search {
            kind,
            desired,
            looked_up,
        } = search;
        self.standings[index] = match looked_up.found.get(&entry) {
            Some(found)
                if looked_up.in_scope.contains(found) || desired.uncertain.contains(found) =>
            {
                Standing::Kept
            }
            Some(found) if desired.unusable.contains(found) => {
                self.held_back.push(index);
                Standing::Kept
            }
            Some(_) => Standing::Gone,
            None if desired.has_unidentified(kind) => {
                self.held_back.push(index);
                Standing::Kept
            }
            None => Standing::Gone,
        };
        self.missing.insert(entry);
    }
}

struct Matcher<'a> {
    objects: &'a [Object<'a>],
    entries: &'a BTreeMap<&'a EntryId, Entry<'a>>,
    search: Search<'a>,
    policy: &'a Policy,
    matched: Matched,
}

impl<'a> Matcher<'a> {
    fn new(
        objects: &'a [Object<'a>],
        entries: &'a BTreeMap<&'a EntryId, Entry<'a>>,
        search: Search<'a>,
        policy: &'a Policy,
    ) -> Self {
        let matched = Matched {
            standings: vec![Standing::Foreign; objects.len()],
            ..Matched::default()
        };
        Self {
            objects,
            entries,
            search,
            policy,
            matched,
        }
    }

    fn finish(mut self, by_name: bool, by_bare_name: bool, gone_stay: bool) -> Matched {
        self.by_mark();
        self.by_identifier();
        if by_name || by_bare_name {
            self.by_name(by_bare_name);
        }
        if gone_stay {
            self.created_again();
        }
        self.matched
    }

    fn take(&mut self, entry: &EntryId, index: usize) {
        self.matched.objects.insert(entry.clone(), index);
        self.matched.standings[index] = Standing::Matched;
    }

    fn by_mark(&mut self) {
        for (index, object) in self.objects.iter().enumerate() {
            let Some(entry) = object
                .external_id
                .and_then(|id| self.policy.owner.marked_entry(id))
            else {
                continue;
            };
            if self.matched.objects.contains_key(&entry) {
                self.matched.standings[index] = Standing::Kept;
                self.matched.doubles.push(index);
            } else if self.entries.contains_key(&entry) {
                self.take(&entry, index);
            } else if self.search.desired.uncertain.contains(&entry) {
                self.matched.standings[index] = Standing::Kept;
            } else if self.search.desired.unusable.contains(&entry) {
                self.matched.standings[index] = Standing::Kept;
                self.matched.held_back.push(index);
            } else {
                self.matched
                    .absent(index, Identifier::Entry(entry), self.search);
            }
        }
    }

    /// By the identifier that the directory assigns to the entry.
    fn by_identifier(&mut self) {
        let by_external_id: HashMap<String, usize> = self
            .foreign()
            .filter_map(|(index, object)| Some((fold(object.external_id?), index)))
            .collect();
        for (id, entry) in self.entries {
            let identifier = match self.policy.match_by {
                MatchBy::ObjectGuid => Some(id.0.as_str()),
                MatchBy::ObjectSid => entry.sid,
                MatchBy::UserName => None,
            };
            let object = identifier.and_then(|identifier| find(&by_external_id, identifier));
            self.take_free(id, object);
        }
    }

    fn by_name(&mut self, only_bare: bool) {
        let by_name: HashMap<String, usize> = self
            .foreign()
            .filter(|(_, object)| match object.external_id {
                None => true,
                Some(id) => !only_bare && !is_mark(id),
            })
            .map(|(index, object)| (fold(object.name), index))
            .collect();
        for (id, entry) in self.entries {
            let object = entry.name.and_then(|name| find(&by_name, name));
            self.take_free(id, object);
        }
        for (id, entry) in self.entries {
            for name in &entry.other_names {
                self.take_free(id, find(&by_name, name));
            }
        }
    }

    fn created_again(&mut self) {
        let standings = &self.matched.standings;
        let by_name: HashMap<String, usize> = self
            .objects
            .iter()
            .enumerate()
            .filter(|(index, _)| standings[*index] == Standing::Gone)
            .map(|(index, object)| (fold(object.name), index))
            .collect();
        for (id, entry) in self.entries {
            let Some(index) = entry.name.and_then(|name| find(&by_name, name)) else {
                continue;
            };
            if !self.matched.objects.contains_key(id)
                && self.matched.standings[index] == Standing::Gone
            {
                self.take(id, index);
                self.matched.reassigned.push((index, (*id).clone()));
            }
        }
    }

    fn take_free(&mut self, entry: &EntryId, object: Option<usize>) {
        if let Some(index) = object
            && !self.matched.objects.contains_key(entry)
            && self.matched.standing(index) == Standing::Foreign
        {
            self.take(entry, index);
        }
    }

    fn foreign(&self) -> impl Iterator<Item = (usize, &Object<'a>)> {
        self.objects
            .iter()
            .enumerate()
            .filter(|(index, _)| self.matched.standing(*index) == Standing::Foreign)
    }
}

/// The object with a value, among objects by their folded values. Without objects, which is the
/// usual case, the value is not folded.
fn find(objects: &HashMap<String, usize>, value: &str) -> Option<usize> {
    if objects.is_empty() {
        return None;
    }
    objects.get(&fold(value)).copied()
}

/// The entries of objects, by the indices of the objects.
#[must_use]
pub fn entries_by_object(matched: &Matched) -> HashMap<usize, &EntryId> {
    matched
        .objects
        .iter()
        .map(|(entry, index)| (*index, entry))
        .collect()
}

/// The objects that are deleted: those whose entry is gone, if such objects are deleted.
pub(super) fn deleted(matched: &Matched, deletes_gone: bool) -> BTreeSet<usize> {
    if deletes_gone {
        with_standing(matched, Standing::Gone)
    } else {
        BTreeSet::new()
    }
}

/// The indices with a standing.
pub(super) fn with_standing(matched: &Matched, standing: Standing) -> BTreeSet<usize> {
    let all = matched.standings.iter().enumerate();
    all.filter(|(_, other)| **other == standing)
        .map(|(index, _)| index)
        .collect()
}
