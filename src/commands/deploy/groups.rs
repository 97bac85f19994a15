//! The ids that the groups of `assignments` have in Identity Center.
//!
//! An assignment names its group by id, and the sync makes the groups. So those that are not
//! there yet get their assignments with a later deployment; any other trouble ends the run,
//! as a group that was not found would lose its access.

use std::collections::BTreeMap;

use crate::commands::Error;
use crate::commands::target::Target;
use crate::identity_store::IdentityStore;

/// What is known of the groups.
#[derive(Debug, Default)]
pub(in crate::commands) struct Groups {
    /// By display name.
    pub(super) ids: BTreeMap<String, String>,
    /// Display names that no group has.
    pub(super) missing: Vec<String>,
}

/// Asks the identity store, if the environment has assignments.
pub(in crate::commands) async fn find(target: &Target) -> Result<Groups, Error> {
    let Some(assignments) = &target.environment.assignments else {
        return Ok(Groups::default());
    };
    let services = target.service_environment()?;
    let store = IdentityStore::new(&services, assignments.identity_store_id.get());
    let names = assignments.groups.keys().map(|group| group.get());
    let mut groups = Groups::default();
    for (name, id) in store.group_ids(names).await? {
        match id {
            Some(id) => {
                groups.ids.insert(name, id);
            }
            None => groups.missing.push(name),
        }
    }
    Ok(groups)
}
