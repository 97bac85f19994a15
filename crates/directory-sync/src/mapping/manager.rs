//! Whose manager is whom. Directories name a manager by the distinguished name of an entry
//! (RFC 2798, section 9.1.10; MS-ADA2, attribute manager), SCIM by a user's id (RFC 7643,
//! section 4.3), so only somebody in scope can be a manager.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Desired;
use crate::attribute::Attribute;
use crate::snapshot::{EntryId, Unusable};
use crate::source::NameKey;

/// Puts the entry of each manager in the place of the distinguished name. `names` has the
/// distinguished name of every entry; who is not in scope is nobody's manager, and one whose
/// entry cannot be used stays the manager of those who have them.
pub(super) fn resolve(
    desired: &mut Desired,
    names: &BTreeMap<EntryId, String>,
    unusable: &[Unusable],
) {
    if !desired.managed.contains(&Attribute::Manager) {
        return;
    }
    let people: HashMap<NameKey, EntryId> = names
        .iter()
        .filter(|(entry, _)| desired.users.contains_key(entry))
        .map(|(entry, name)| (NameKey::of(name), entry.clone()))
        .collect();
    let unusable: HashSet<NameKey> = unusable
        .iter()
        .map(|entry| NameKey::of(&entry.distinguished_name))
        .collect();
    for user in desired.users.values_mut() {
        let Some(profile) = &mut user.profile else {
            continue;
        };
        let Some(name) = profile.0.remove(&Attribute::Manager) else {
            continue;
        };
        let key = NameKey::of(&name);
        if let Some(entry) = people.get(&key) {
            profile.0.insert(Attribute::Manager, entry.0.clone());
        } else if unusable.contains(&key) {
            user.kept.insert(Attribute::Manager);
        }
    }
}
