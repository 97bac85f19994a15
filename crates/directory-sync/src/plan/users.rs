//! The writes to users.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::current::{Current, CurrentUser};
use super::managers::{self, Manager};
use super::matching::{Matched, Standing, entries_by_object, with_standing};
use super::names::{Claim, Settled, settle};
use super::operation::{Operation, Subject, UserChanges};
use super::phases::Phases;
use super::policy::{Leavers, Policy};
use super::{Skip, describe_holder};
use crate::attribute::{Attribute, Profile, fold};
use crate::mapping::{Desired, DesiredUser, Kind};
use crate::snapshot::EntryId;

/// The parts of an address: it is one value to the server.
const ADDRESS: [Attribute; 5] = [
    Attribute::StreetAddress,
    Attribute::Locality,
    Attribute::Region,
    Attribute::PostalCode,
    Attribute::Country,
];

/// What the writes to groups need to know.
pub(super) struct Users {
    /// Entries for which a user is made.
    pub created: BTreeSet<EntryId>,
    /// Users who are deleted, by index.
    pub deleted: HashSet<usize>,
    /// Users who lose access: deleted or deactivated.
    pub removed: usize,
    /// Users whom the sync looks after, without those already inactive.
    pub before: usize,
}

/// A user who is changed or made.
struct Change<'a> {
    object: Option<usize>,
    entry: Option<&'a EntryId>,
    changes: UserChanges,
    is_leaver: bool,
}

/// Adds the writes to `phases` and what is left alone to `skipped`.
pub(super) fn plan(
    desired: &Desired,
    current: &Current,
    matched: &Matched,
    policy: &Policy,
    phases: &mut Phases,
    skipped: &mut Vec<Skip>,
) -> Users {
    let gone = with_standing(matched, Standing::Gone);
    let deleted: HashSet<usize> = match policy.leavers {
        Leavers::Delete => gone.iter().copied().collect(),
        Leavers::Deactivate | Leavers::Ignore => HashSet::new(),
    };
    let entries = entries_by_object(matched);
    let mut changes = changed(desired, current, matched, policy, &entries);
    if policy.leavers == Leavers::Deactivate {
        changes.extend(leavers(&gone, current));
    }
    let updates = changes.len();
    changes.extend(joiners(desired, current, matched));

    let user_names = Names::new(Attribute::UserName, &changes, &deleted, current, matched);
    let emails = policy
        .unique_emails
        .then(|| Names::new(Attribute::Email, &changes, &deleted, current, matched));

    let mut users = Users {
        created: BTreeSet::new(),
        deleted,
        removed: 0,
        before: 0,
    };
    let mut late = Vec::new();
    for (index, mut change) in changes.into_iter().enumerate() {
        let user_name_wave = user_names.wave(index, &mut change, skipped);
        let email_wave = emails
            .as_ref()
            .map_or(Some(0), |emails| emails.wave(index, &mut change, skipped))
            .unwrap_or_default();
        if index < updates {
            if change.changes.active == Some(false) {
                users.removed += 1;
            }
            let waves = (user_name_wave.unwrap_or_default(), email_wave);
            update(change, waves, current, policy, phases, &mut late);
        } else if let (Some(_), Some(entry)) = (user_name_wave, change.entry) {
            users.created.insert(entry.clone());
            let profile = Profile(change.changes.set);
            phases.create_users.push(create(entry, profile, policy));
        }
    }
    phases.managers = managers::pending(desired, current, matched, &users.created, policy);
    let first = phases.updates.len();
    for (wave, operation) in late {
        phases.update(first + wave, operation);
    }
    let mut deleted: Vec<usize> = users.deleted.iter().copied().collect();
    deleted.sort_unstable();
    users.removed += deleted.len();
    phases
        .removals
        .extend(deleted.into_iter().map(|index| Operation::DeleteUser {
            subject: subject(&current.users()[index], policy),
        }));
    users.before = current
        .users()
        .iter()
        .enumerate()
        .filter(|(index, user)| {
            matched.standing(*index) != Standing::Foreign
                && (user.active || users.deleted.contains(index))
        })
        .count();
    users
}

/// Users who are gone, and may still sign in.
fn leavers<'a>(gone: &BTreeSet<usize>, current: &Current) -> impl Iterator<Item = Change<'a>> {
    let active = gone.iter().filter(|index| current.users()[**index].active);
    active.map(|index| Change {
        object: Some(*index),
        entry: None,
        changes: UserChanges {
            active: Some(false),
            ..UserChanges::default()
        },
        is_leaver: true,
    })
}

/// Active people whom no user stands for. Nobody is made to be inactive.
fn joiners<'a>(
    desired: &'a Desired,
    current: &Current,
    matched: &Matched,
) -> impl Iterator<Item = Change<'a>> {
    let without_user = desired
        .users
        .iter()
        .filter(|(entry, user)| user.active && !matched.objects.contains_key(*entry));
    without_user.filter_map(|(entry, user)| {
        let mut set = user.profile.as_ref()?.0.clone();
        set.remove(&Attribute::Manager);
        if let Manager::User(id) = Manager::of(user, current, matched) {
            set.insert(Attribute::Manager, id.to_owned());
        }
        Some(Change {
            object: None,
            entry: Some(entry),
            changes: UserChanges {
                set,
                ..UserChanges::default()
            },
            is_leaver: false,
        })
    })
}

fn create(entry: &EntryId, profile: Profile, policy: &Policy) -> Operation {
    let name = profile.get(Attribute::UserName).unwrap_or_default();
    Operation::CreateUser {
        subject: Subject {
            entry: Some(entry.clone()),
            id: None,
            name: name.to_owned(),
        },
        external_id: policy.owner.mark(entry),
        profile,
    }
}

fn changed<'a>(
    desired: &Desired,
    current: &Current,
    matched: &Matched,
    policy: &Policy,
    entries: &HashMap<usize, &'a EntryId>,
) -> Vec<Change<'a>> {
    let mut changes = Vec::new();
    for (index, user) in current.users().iter().enumerate() {
        let Some(&entry) = entries.get(&index) else {
            continue;
        };
        let Some(wanted) = desired.users.get(entry) else {
            continue;
        };
        let manager = Manager::of(wanted, current, matched);
        let difference = difference(wanted, user, entry, &manager, &desired.managed, policy);
        if !difference.is_empty() {
            changes.push(Change {
                object: Some(index),
                entry: Some(entry),
                changes: difference,
                is_leaver: false,
            });
        }
    }
    changes
}

/// What has to change for a user to be as wanted.
fn difference(
    wanted: &DesiredUser,
    user: &CurrentUser,
    entry: &EntryId,
    manager: &Manager<'_>,
    managed: &BTreeSet<Attribute>,
    policy: &Policy,
) -> UserChanges {
    let mut changes = UserChanges::default();
    let Some(profile) = &wanted.profile else {
        // What cannot be mapped is left alone, but a disabled account loses its access.
        if !wanted.active && user.active {
            changes.active = Some(false);
        }
        return changes;
    };
    if wanted.active != user.active {
        changes.active = Some(wanted.active);
    }
    let mark = policy.owner.mark(entry);
    if user.external_id.as_ref() != Some(&mark) {
        changes.external_id = Some(mark);
    }
    for attribute in managed.difference(&wanted.kept) {
        let new = match (attribute, manager) {
            (Attribute::Manager, Manager::Pending(_)) => continue,
            (Attribute::Manager, Manager::User(id)) => Some(*id),
            (Attribute::Manager, Manager::Nobody) => None,
            _ => profile.get(*attribute),
        };
        match (new, user.profile.get(*attribute)) {
            (Some(new), old) if old != Some(new) => {
                changes.set.insert(*attribute, new.to_owned());
            }
            (None, Some(_)) => {
                changes.removed.insert(*attribute);
            }
            _ => {}
        }
    }
    join_address(&mut changes, &user.profile);
    changes
}

/// Where a part of an address changes, the whole address is set: to the new parts, and the
/// old ones that stay.
fn join_address(changes: &mut UserChanges, before: &Profile) {
    let touched = |attribute: &Attribute| {
        changes.set.contains_key(attribute) || changes.removed.contains(attribute)
    };
    if !ADDRESS.iter().any(touched) {
        return;
    }
    let address: BTreeMap<Attribute, String> = ADDRESS
        .into_iter()
        .filter(|attribute| !changes.removed.contains(attribute))
        .filter_map(|attribute| {
            let value = changes.set.get(&attribute).map(String::as_str);
            let value = value.or_else(|| before.get(attribute))?;
            Some((attribute, value.to_owned()))
        })
        .collect();
    if !address.is_empty() {
        changes
            .removed
            .retain(|attribute| !ADDRESS.contains(attribute));
        changes.set.extend(address);
    }
}

/// Who can have which name, or which e-mail address.
struct Names<'a> {
    attribute: Attribute,
    held: HashMap<String, usize>,
    claims: Vec<Claim>,
    settled: Vec<Settled>,
    current: &'a Current,
    matched: &'a Matched,
}

impl<'a> Names<'a> {
    fn new(
        attribute: Attribute,
        changes: &[Change<'_>],
        deleted: &HashSet<usize>,
        current: &'a Current,
        matched: &'a Matched,
    ) -> Self {
        let name = |index: usize| current.users()[index].profile.get(attribute).map(fold);
        let held = (0..current.users().len())
            .filter_map(|index| Some((name(index)?, index)))
            .collect();
        let claims: Vec<Claim> = changes
            .iter()
            .map(|change| {
                let takes = change.changes.set.get(&attribute).map(|name| fold(name));
                let is_released = takes.is_some() || change.changes.removed.contains(&attribute);
                Claim {
                    object: change.object,
                    releases: change
                        .object
                        .filter(|_| is_released)
                        .and_then(name)
                        .filter(|name| takes.as_ref() != Some(name)),
                    takes,
                }
            })
            .collect();
        Self {
            attribute,
            settled: settle(&held, deleted, &claims),
            held,
            claims,
            current,
            matched,
        }
    }

    /// The wave of a change. Where the name cannot be had, it is taken out of the change and
    /// reported.
    fn wave(
        &self,
        index: usize,
        change: &mut Change<'_>,
        skipped: &mut Vec<Skip>,
    ) -> Option<usize> {
        let attribute = self.attribute;
        if let Settled::Wave(wave) = self.settled[index] {
            return Some(wave);
        }
        change.changes.set.remove(&attribute);
        let name = self.claims[index].takes.as_ref();
        let holder = name.and_then(|name| self.held.get(name)).map(|&holder| {
            let id = &self.current.users()[holder].id;
            describe_holder("user", id, self.matched.standing(holder))
        });
        let is_whole_user = change.object.is_none() && attribute == Attribute::UserName;
        skipped.push(Skip {
            kind: Kind::User,
            entry: change.entry.cloned(),
            attribute: (!is_whole_user).then_some(attribute),
            reason: format!(
                "{attribute} cannot be taken: {}",
                holder.unwrap_or_else(|| "it is in use".to_owned())
            ),
        });
        None
    }
}

/// Puts a change where it belongs: what takes access away comes first, unless the same write
/// has to wait for a name. An e-mail address that has to be waited for is written after all
/// user names (to `late`), so that no two changes can wait for each other.
fn update(
    change: Change<'_>,
    (user_name_wave, email_wave): (usize, usize),
    current: &Current,
    policy: &Policy,
    phases: &mut Phases,
    late: &mut Vec<(usize, Operation)>,
) {
    let Some(user) = change.object.map(|index| &current.users()[index]) else {
        return;
    };
    let mut changes = change.changes;
    let subject = subject(user, policy);
    let subject = Subject {
        entry: change.entry.cloned().or(subject.entry),
        ..subject
    };
    let operation = |changes: UserChanges| Operation::UpdateUser {
        subject: subject.clone(),
        changes,
        is_leaver: change.is_leaver,
    };
    if email_wave > 0
        && let Some(email) = changes.set.remove(&Attribute::Email)
    {
        let changes = UserChanges {
            set: [(Attribute::Email, email)].into(),
            ..UserChanges::default()
        };
        late.push((email_wave - 1, operation(changes)));
    }
    if changes.active == Some(false) {
        if user_name_wave == 0 {
            phases.removals.push(operation(changes));
            return;
        }
        changes.active = None;
        phases.removals.push(operation(UserChanges {
            active: Some(false),
            ..UserChanges::default()
        }));
    }
    if !changes.is_empty() {
        phases.update(user_name_wave, operation(changes));
    }
}

pub(super) fn subject(user: &CurrentUser, policy: &Policy) -> Subject {
    let marked = user.external_id.as_deref();
    Subject {
        entry: marked.and_then(|id| policy.owner.marked_entry(id)),
        id: Some(user.id.clone()),
        name: user
            .profile
            .get(Attribute::UserName)
            .unwrap_or_default()
            .to_owned(),
    }
}
