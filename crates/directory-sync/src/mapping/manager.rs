//! Resolves managers. Directories name a manager by the distinguished name of an entry
//! (RFC 2798, section 9.1.10; MS-ADA2, attribute manager), SCIM by a user's id (RFC 7643,
//! section 4.3), so only a user in scope can be a manager.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::Desired;
use crate::attribute::Attribute;
use crate::snapshot::EntryId;
use crate::source::NameKey;

/// Puts the entry of each manager in the place of the distinguished name. `names` has the
/// distinguished name of every entry. A user that is not in scope manages no one; one of `kept`,
/// by distinguished name, stays the manager of those who have them. Of several managers, the one
/// with the least identifier is meant, unless the server has another of them.
pub(super) fn resolve(desired: &mut Desired, names: &BTreeMap<EntryId, String>, kept: &[&str]) {
    if !desired.managed.contains(&Attribute::Manager) {
        return;
    }
    let people: HashMap<NameKey, EntryId> = names
        .iter()
        .filter(|(entry, _)| desired.users.contains_key(entry))
        .map(|(entry, name)| (NameKey::of(name), entry.clone()))
        .collect();
    let kept: HashSet<NameKey> = kept.iter().map(|name| NameKey::of(name)).collect();
    for user in desired.users.values_mut() {
        let Some(profile) = &mut user.profile else {
            continue;
        };
        let Some(name) = profile.0.remove(&Attribute::Manager) else {
            continue;
        };
        let others = user.alternatives.remove(&Attribute::Manager);
        let keys: Vec<NameKey> = [name]
            .iter()
            .chain(others.iter().flatten())
            .map(|name| NameKey::of(name))
            .collect();
        let mut found: BTreeSet<String> = keys
            .iter()
            .filter_map(|key| Some(people.get(key)?.0.clone()))
            .collect();
        if let Some(entry) = found.pop_first() {
            profile.0.insert(Attribute::Manager, entry);
            user.alternatives.insert(Attribute::Manager, found);
        } else if keys.iter().any(|key| kept.contains(key)) {
            user.kept.insert(Attribute::Manager);
        }
    }
}
