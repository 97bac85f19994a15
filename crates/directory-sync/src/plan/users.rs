//! The writes to users.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::current::{Current, CurrentUser};
use super::managers::{self, Manager};
use super::matching::{Matched, Standing, entries_by_object, with_standing};
use super::names::{Claim, Holders, Settled, Settlement, placeholder, settle};
use super::operation::{Operation, Subject, UserChanges};
use super::phases::Phases;
use super::policy::{Leavers, Policy};
use super::{Skip, describe_holder};
use crate::attribute::{Attribute, Profile, fold};
use crate::mapping::{Desired, DesiredUser, Kind};
use crate::snapshot::EntryId;

/// The results of planning users, for the writes to groups.
pub(super) struct Users {
    /// Entries for which a user is created.
    pub created: BTreeSet<EntryId>,
    /// Users that lose access: deleted or deactivated.
    pub removed: usize,
    /// Users that the sync manages, except those that are already inactive.
    pub before: usize,
    /// Users among them that stay active and get another user name.
    pub renamed: usize,
}

/// A user who is changed or made.
#[derive(Default)]
struct Change<'a> {
    object: Option<usize>,
    entry: Option<&'a EntryId>,
    changes: UserChanges,
    is_leaver: bool,
    /// Whether the entry is active. What an inactive one cannot have is not reported.
    is_active: bool,
    user_name: Turn,
    email: Turn,
}

/// When a change takes its new value of a unique attribute.
#[derive(Default)]
struct Turn {
    wave: usize,
    /// The value before it, which breaks a circle; without one, the attribute is removed.
    between: Option<Option<String>>,
}

/// Adds the writes to `phases`, and users and attributes that cannot be written to `skipped`.
pub(super) fn plan(
    desired: &Desired,
    current: &Current,
    matched: &Matched,
    policy: &Policy,
    deleted: &BTreeSet<usize>,
    phases: &mut Phases,
    skipped: &mut Vec<Skip>,
) -> Users {
    let gone = with_standing(matched, Standing::Gone);
    let entries = entries_by_object(matched);
    let mut changes = changed(desired, current, matched, policy, &entries);
    if policy.leavers == Leavers::Deactivate {
        changes.extend(leavers(&gone, current));
    }
    changes.extend(joiners(desired, current, matched));

    let unique = UniqueValues {
        current,
        matched,
        deleted,
        yielding: yielding(desired, current, matched, policy, &entries),
        entries: &entries,
    };
    unique.settle(Attribute::UserName, &mut changes, skipped);
    if policy.unique_emails {
        unique.settle(Attribute::Email, &mut changes, skipped);
    }

    let mut users = Users {
        created: BTreeSet::new(),
        removed: deleted.len(),
        before: 0,
        renamed: 0,
    };
    let mut late = Vec::new();
    for change in changes {
        if let Some(object) = change.object {
            if change.changes.active == Some(false) {
                users.removed += 1;
            } else if current.users()[object].active
                && change.changes.set.contains_key(&Attribute::UserName)
            {
                users.renamed += 1;
            }
            update(change, current, policy, phases, &mut late);
        } else if let Some(entry) = change.entry {
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
    users.before = current
        .users()
        .iter()
        .enumerate()
        .filter(|(index, user)| {
            matched.standing(*index) != Standing::Foreign
                && (user.active || deleted.contains(index))
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
        ..Change::default()
    })
}

/// Active entries without a user. No user is created as inactive.
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
        if let Manager::User { id, .. } = Manager::of(user, current, matched) {
            set.insert(Attribute::Manager, id.to_owned());
        }
        Some(Change {
            entry: Some(entry),
            changes: UserChanges {
                set,
                ..UserChanges::default()
            },
            is_active: true,
            ..Change::default()
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
                is_active: wanted.active,
                ..Change::default()
            });
        }
    }
    changes
}

/// The changes that make a user match its entry.
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
            (Attribute::Manager, Manager::User { id, .. }) => Some(*id),
            (Attribute::Manager, Manager::Nobody) => None,
            _ => profile.get(*attribute),
        };
        let old = user.profile.get(*attribute);
        match (new, old) {
            (Some(_), Some(old)) if is_alternative(wanted, *attribute, old, manager) => {}
            (Some(new), old) if old != Some(new) => {
                changes.set.insert(*attribute, new.to_owned());
            }
            (None, Some(_)) => {
                changes.removed.insert(*attribute);
            }
            _ => {}
        }
    }
    changes.join_address(&user.profile);
    changes
}

/// Whether the value that the server has is another of the values that are right.
fn is_alternative(
    wanted: &DesiredUser,
    attribute: Attribute,
    value: &str,
    manager: &Manager<'_>,
) -> bool {
    match (attribute, manager) {
        (Attribute::Manager, Manager::User { others, .. }) => others.contains(&value),
        _ => {
            let others = wanted.alternatives.get(&attribute);
            others.is_some_and(|others| others.contains(value))
        }
    }
}

/// The users that give a unique value up when an active user needs it: those of the sync that
/// are inactive after this run.
fn yielding(
    desired: &Desired,
    current: &Current,
    matched: &Matched,
    policy: &Policy,
    entries: &HashMap<usize, &EntryId>,
) -> HashSet<usize> {
    let is_inactive = |index: usize, user: &CurrentUser| match matched.standing(index) {
        Standing::Matched => {
            let wanted = entries.get(&index).and_then(|id| desired.users.get(*id));
            wanted.is_some_and(|wanted| !wanted.active)
        }
        Standing::Gone => !user.active || policy.leavers == Leavers::Deactivate,
        Standing::Foreign | Standing::Kept => false,
    };
    let users = current.users().iter().enumerate();
    users
        .filter(|(index, user)| is_inactive(*index, user))
        .map(|(index, _)| index)
        .collect()
}

/// Which user can have which user name, or which e-mail address.
struct UniqueValues<'a, 'b> {
    current: &'b Current,
    matched: &'b Matched,
    deleted: &'b BTreeSet<usize>,
    yielding: HashSet<usize>,
    entries: &'b HashMap<usize, &'a EntryId>,
}

impl<'a> UniqueValues<'a, '_> {
    /// Gives each change its turn. A value that cannot be had is taken out of the change and
    /// reported; without a user name, no user is created.
    fn settle(&self, attribute: Attribute, changes: &mut Vec<Change<'a>>, skipped: &mut Vec<Skip>) {
        if !changes
            .iter()
            .any(|change| change.changes.set.contains_key(&attribute))
        {
            return;
        }
        let users = self.current.users();
        let value = |index: usize| users[index].profile.get(attribute).map(fold);
        let held: HashMap<String, usize> = (0..users.len())
            .filter_map(|index| Some((value(index)?, index)))
            .collect();
        let claims: Vec<Claim> = changes
            .iter()
            .map(|change| {
                let takes = change.changes.set.get(&attribute).map(|value| fold(value));
                let is_released = takes.is_some() || change.changes.removed.contains(&attribute);
                Claim {
                    object: change.object,
                    releases: change
                        .object
                        .filter(|_| is_released)
                        .and_then(value)
                        .filter(|value| takes.as_ref() != Some(value)),
                    takes,
                    is_active: change.is_active,
                }
            })
            .collect();
        let holders = Holders {
            held: &held,
            deleted: self.deleted,
            yielding: &self.yielding,
        };
        let Settlement { settled, yielded } = settle(&holders, &claims);
        let placeholder = |index: usize| {
            (attribute == Attribute::UserName)
                .then(|| placeholder(&users[index].id.0, &held, &claims, fold))
        };
        let mut remaining = Vec::with_capacity(changes.len());
        for (index, mut change) in changes.drain(..).enumerate() {
            let turn = match settled[index] {
                Settled::Wave(wave) => Turn {
                    wave,
                    between: None,
                },
                Settled::Circle(wave) => Turn {
                    wave,
                    between: change.object.map(placeholder),
                },
                Settled::Refused => {
                    change.changes.set.remove(&attribute);
                    let is_whole_user = change.object.is_none() && attribute == Attribute::UserName;
                    if change.is_active {
                        let value = claims[index].takes.as_ref();
                        let holder = value.and_then(|value| held.get(value)).copied();
                        let attribute_left = (!is_whole_user).then_some(attribute);
                        skipped.push(self.refusal(&change, attribute, attribute_left, holder));
                    }
                    if is_whole_user {
                        continue;
                    }
                    Turn::default()
                }
            };
            match attribute {
                Attribute::UserName => change.user_name = turn,
                _ => change.email = turn,
            }
            remaining.push(change);
        }
        for index in yielded {
            let known = remaining
                .iter()
                .position(|change| change.object == Some(index));
            let at = known.unwrap_or_else(|| {
                remaining.push(Change {
                    object: Some(index),
                    entry: self.entries.get(&index).copied(),
                    ..Change::default()
                });
                remaining.len() - 1
            });
            let changes = &mut remaining[at].changes;
            match placeholder(index) {
                Some(value) => drop(changes.set.insert(attribute, value)),
                None => {
                    changes.set.remove(&attribute);
                    changes.removed.insert(attribute);
                }
            }
        }
        *changes = remaining;
    }

    fn refusal(
        &self,
        change: &Change<'_>,
        attribute: Attribute,
        attribute_left: Option<Attribute>,
        holder: Option<usize>,
    ) -> Skip {
        let id = |index: usize| self.current.users()[index].id.clone();
        let described = holder
            .map(|holder| describe_holder("user", &id(holder), self.matched.standing(holder)));
        Skip {
            kind: Kind::User,
            entry: change.entry.cloned(),
            id: change.object.map(id),
            holder: holder.map(id),
            attribute: attribute_left,
            reason: format!(
                "{attribute} cannot be taken: {}",
                described.unwrap_or_else(|| "it is in use".to_owned())
            ),
        }
    }
}

/// Puts a change where it belongs: what takes access away comes first, unless the same write
/// has to wait for a name. An e-mail address that has to be waited for is written after all
/// user names (to `late`), so that no two changes can wait for each other.
fn update(
    change: Change<'_>,
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
    if change.email.wave > 0
        && let Some(email) = changes.set.remove(&Attribute::Email)
    {
        let changes = UserChanges {
            set: [(Attribute::Email, email)].into(),
            ..UserChanges::default()
        };
        late.push((change.email.wave, operation(changes)));
    }
    if change.email.between.is_some() {
        changes.removed.insert(Attribute::Email);
    }
    if let Some(Some(user_name)) = change.user_name.between {
        // With the mark, by which the next run knows the user if this one is interrupted.
        let between = UserChanges {
            external_id: changes.external_id.take(),
            set: [(Attribute::UserName, user_name)].into(),
            ..UserChanges::default()
        };
        phases.update(0, operation(between));
    }
    if changes.active == Some(false) {
        if change.user_name.wave == 0 {
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
        phases.update(change.user_name.wave, operation(changes));
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
