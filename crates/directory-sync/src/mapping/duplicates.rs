//! Names that two entries of the directory share, but that the server takes once.
//!
//! The owner of the name is unknown, and assigning it to the first entry could give one user's
//! data and access to another. So no entry gets it: their users and groups are not changed, and
//! all of them are reported. Inactive entries make room for the only active one, and are not
//! reported. A shared e-mail address is left alone; the other attributes are synchronized.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use super::{Desired, Kind, Skipped};
use crate::attribute::{Attribute, fold};
use crate::snapshot::EntryId;

/// Takes shared names away. `names` has the distinguished name of every entry.
pub(super) fn settle(desired: &mut Desired, names: &BTreeMap<EntryId, String>) {
    user_names(desired, names);
    emails(desired, names);
    group_names(desired, names);
}

/// Takes out of the alternatives what another entry has as well: only the entry that needs a
/// value may be recognised by it.
pub(super) fn reserve(desired: &mut Desired) {
    for attribute in [Attribute::UserName, Attribute::Email] {
        let users = desired.users.values();
        let needed = users.filter_map(|user| user.profile.as_ref()?.get(attribute));
        let users = desired.users.values();
        let others = users.filter_map(|user| user.alternatives.get(&attribute));
        let counts = uses(needed, others.flatten());
        for user in desired.users.values_mut() {
            if let Some(others) = user.alternatives.get_mut(&attribute) {
                others.retain(|value| counts.get(&fold(value)) == Some(&1));
            }
        }
    }
    let groups = desired.groups.values();
    let needed = groups.filter_map(|group| group.display_name.as_deref());
    let others = desired.groups.values().flat_map(|group| &group.other_names);
    let counts = uses(needed, others);
    for group in desired.groups.values_mut() {
        group
            .other_names
            .retain(|name| counts.get(&fold(name)) == Some(&1));
    }
}

/// The number of entries with each value of `others`, in `needed` and `others` together.
fn uses<'a>(
    needed: impl Iterator<Item = &'a str>,
    others: impl Iterator<Item = &'a String>,
) -> HashMap<String, usize> {
    let mut uses = HashMap::new();
    for value in others {
        *uses.entry(fold(value)).or_default() += 1;
    }
    if !uses.is_empty() {
        for value in needed {
            if let Some(count) = uses.get_mut(&fold(value)) {
                *count += 1;
            }
        }
    }
    uses
}

fn user_names(desired: &mut Desired, names: &BTreeMap<EntryId, String>) {
    for Sharers { active, inactive } in shared_by_users(desired, Attribute::UserName) {
        let losers = if active.len() == 1 { &[] } else { &active[..] };
        let mut take_profile = |id: &EntryId| desired.users.get_mut(id)?.profile.take();
        for id in &inactive {
            take_profile(id);
        }
        for id in losers {
            let name =
                take_profile(id).and_then(|mut profile| profile.0.remove(&Attribute::UserName));
            desired.skipped.push(skipped(
                Kind::User,
                id,
                name,
                names,
                None,
                format!(
                    "{} entries have this userName ({}), and a user can stand for one: give \
                     each its own, or take all but one out of scope",
                    losers.len(),
                    list(losers)
                ),
            ));
        }
    }
}

fn emails(desired: &mut Desired, names: &BTreeMap<EntryId, String>) {
    for Sharers { active, inactive } in shared_by_users(desired, Attribute::Email) {
        let has_heir = active.len() == 1;
        let losers = if has_heir { &[] } else { &active[..] };
        for id in losers.iter().chain(&inactive) {
            if let Some(user) = desired.users.get_mut(id) {
                if !has_heir {
                    user.kept.insert(Attribute::Email);
                }
                if let Some(profile) = &mut user.profile {
                    profile.0.remove(&Attribute::Email);
                }
            }
        }
        for id in losers {
            let profile = desired.users.get(id).and_then(|user| user.profile.as_ref());
            let name = profile.and_then(|profile| profile.get(Attribute::UserName));
            desired.skipped.push(skipped(
                Kind::User,
                id,
                name.map(str::to_owned),
                names,
                Some(Attribute::Email),
                format!(
                    "{} people have this e-mail address ({}), and Identity Center takes it \
                     once: none of them is changed",
                    losers.len(),
                    list(losers)
                ),
            ));
        }
    }
}

fn group_names(desired: &mut Desired, names: &BTreeMap<EntryId, String>) {
    for sharers in shared(
        desired
            .groups
            .iter()
            .filter_map(|(id, group)| Some((fold(group.display_name.as_ref()?), id))),
    ) {
        for id in &sharers {
            let group = desired.groups.get_mut(id);
            let name = group.and_then(|group| group.display_name.take());
            desired.skipped.push(skipped(
                Kind::Group,
                id,
                name,
                names,
                None,
                format!(
                    "{} groups have this name ({}), and Identity Center takes it once: rename \
                     all but one, or take them out of scope",
                    sharers.len(),
                    list(&sharers)
                ),
            ));
        }
    }
}

/// Entries that share a value.
struct Sharers {
    active: Vec<EntryId>,
    inactive: Vec<EntryId>,
}

/// The users that share a value of an attribute, for each value that is shared.
fn shared_by_users(desired: &Desired, attribute: Attribute) -> Vec<Sharers> {
    let valued = desired.users.iter().filter_map(|(id, user)| {
        let value = user.profile.as_ref()?.get(attribute)?;
        Some((fold(value), id))
    });
    shared(valued)
        .into_iter()
        .map(|ids| {
            let is_active = |id: &EntryId| desired.users.get(id).is_some_and(|user| user.active);
            let (active, inactive) = ids.into_iter().partition(is_active);
            Sharers { active, inactive }
        })
        .collect()
}

/// The entries that share a name, for each name that is shared.
fn shared<'a>(named: impl Iterator<Item = (String, &'a EntryId)>) -> Vec<Vec<EntryId>> {
    let mut first_entries: HashMap<String, &EntryId> = HashMap::new();
    let mut shared: BTreeMap<String, Vec<EntryId>> = BTreeMap::new();
    for (name, id) in named {
        match first_entries.entry(name) {
            Entry::Vacant(free) => drop(free.insert(id)),
            Entry::Occupied(taken) => shared
                .entry(taken.key().clone())
                .or_insert_with(|| vec![EntryId::clone(taken.get())])
                .push(id.clone()),
        }
    }
    shared.into_values().collect()
}

/// Entries of a report, at most three by name.
fn list(ids: &[EntryId]) -> String {
    const SHOWN: usize = 3;
    let mut text: Vec<&str> = ids.iter().take(SHOWN).map(|id| id.0.as_str()).collect();
    if ids.len() > SHOWN {
        text.push("…");
    }
    text.join(", ")
}

fn skipped(
    kind: Kind,
    id: &EntryId,
    name: Option<String>,
    names: &BTreeMap<EntryId, String>,
    attribute: Option<Attribute>,
    reason: String,
) -> Skipped {
    Skipped {
        kind,
        entry: Some(id.clone()),
        name,
        is_unidentified: false,
        distinguished_name: names.get(id).cloned().unwrap_or_default(),
        attribute,
        reason,
    }
}
