//! What an administrator does in the console of Amazon Connect, for tests: creates,
//! renames, replaces and deletes what users are assigned to.
//!
//! No throttle and no policy apply, and the changes are not in the log of the calls.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::call::Context;
use crate::constraints;
use crate::error::{ErrorCode, ServiceError};
use crate::state::{AccessRestrictions, State, Tags, User};

/// What users are assigned to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AssignedKind {
    /// Security profiles.
    SecurityProfiles,
    /// Routing profiles.
    RoutingProfiles,
    /// Groups of the user hierarchy.
    HierarchyGroups,
}

/// A change of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Creates one of this name: a security profile without permissions, a routing profile
    /// like the first one, a hierarchy group at the top.
    Create { name: String },
    /// Gives it another name. Amazon Connect cannot rename security profiles.
    Rename { id: String, name: String },
    /// Creates a copy with a new id under the same name, assigns its users to the copy, and
    /// deletes it.
    Replace { id: String },
    /// Deletes it, after its users were assigned to `instead`; without that, refused while
    /// it has users.
    Delete { id: String, instead: Option<String> },
}

/// Why an administrator's change was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct AdministrationError {
    /// The error's name in the API model, such as `ResourceInUseException`.
    pub code: &'static str,
    message: String,
}

impl From<&ServiceError> for AdministrationError {
    fn from(error: &ServiceError) -> Self {
        Self {
            code: error.code.name(),
            message: error.message().to_owned(),
        }
    }
}

/// Makes the change. Returns the id of the resource that was created or changed.
pub(crate) fn apply(
    state: &mut State,
    context: &Context<'_>,
    kind: AssignedKind,
    action: Action,
) -> Result<String, ServiceError> {
    match action {
        Action::Create { name } => {
            check_name(state, kind, &name)?;
            create(state, context, kind, None, name)
        }
        Action::Rename { id, name } => {
            find(state, kind, &id)?;
            check_name(state, kind, &name)?;
            rename(state, kind, &id, name);
            Ok(id)
        }
        Action::Replace { id } => {
            let name = find(state, kind, &id)?;
            let new = create(state, context, kind, Some(&id), name)?;
            reassign(state, context, kind, &id, &new)?;
            remove(state, kind, &id);
            Ok(new)
        }
        Action::Delete { id, instead } => {
            find(state, kind, &id)?;
            if let Some(instead) = instead {
                find(state, kind, &instead)?;
                reassign(state, context, kind, &id, &instead)?;
            }
            if is_in_use(state, kind, &id) {
                return Err(ServiceError::new(
                    ErrorCode::ResourceInUse,
                    format!("{kind:?}: {id} is in use"),
                ));
            }
            remove(state, kind, &id);
            Ok(id)
        }
    }
}

/// The ids and names of a kind.
fn names(state: &State, kind: AssignedKind) -> BTreeMap<&str, &str> {
    match kind {
        AssignedKind::SecurityProfiles => state
            .security_profiles
            .iter()
            .map(|(id, record)| (id.as_str(), record.profile.security_profile_name.as_str()))
            .collect(),
        AssignedKind::RoutingProfiles => state
            .routing_profiles
            .iter()
            .map(|(id, profile)| (id.as_str(), profile.name.as_str()))
            .collect(),
        AssignedKind::HierarchyGroups => state
            .hierarchy_groups
            .iter()
            .map(|(id, group)| (id.as_str(), group.name.as_str()))
            .collect(),
    }
}

fn find(state: &State, kind: AssignedKind, id: &str) -> Result<String, ServiceError> {
    let names = names(state, kind);
    let name = names
        .get(id)
        .ok_or_else(|| ServiceError::not_found(&format!("{kind:?}"), id))?;
    Ok((*name).to_owned())
}

/// Names of hierarchy groups may occur several times.
fn check_name(state: &State, kind: AssignedKind, name: &str) -> Result<(), ServiceError> {
    match kind {
        AssignedKind::SecurityProfiles => constraints::security_profile_name(name)?,
        AssignedKind::RoutingProfiles => constraints::length("Name", name, 1, 127)?,
        AssignedKind::HierarchyGroups => return constraints::length("Name", name, 1, 100),
    }
    if names(state, kind).values().any(|taken| *taken == name) {
        return Err(ServiceError::new(
            ErrorCode::DuplicateResource,
            format!("{kind:?}: {name} exists"),
        ));
    }
    Ok(())
}

/// A copy of `original`, or of the first one without what makes it special.
fn create(
    state: &mut State,
    context: &Context<'_>,
    kind: AssignedKind,
    original: Option<&str>,
    name: String,
) -> Result<String, ServiceError> {
    let id = context.fresh_id.to_owned();
    let none = || ServiceError::invalid_request("the instance has nothing to copy");
    match kind {
        AssignedKind::SecurityProfiles => {
            let records = &mut state.security_profiles;
            let mut record = match original {
                Some(original) => records.get(original),
                None => records.values().next(),
            }
            .cloned()
            .ok_or_else(none)?;
            if original.is_none() {
                record.permissions.clear();
                record.applications.clear();
                record.flow_modules.clear();
                record.profile.description = None;
                record.profile.tags = Tags::new();
                record.profile.restrictions = AccessRestrictions::default();
            }
            record.profile.arn = context.identity.arn("security-profile", &id);
            record.profile.id.clone_from(&id);
            record.profile.security_profile_name = name;
            record.profile.last_modified_time = context.now;
            records.insert(id.clone(), record);
        }
        AssignedKind::RoutingProfiles => {
            let profiles = &mut state.routing_profiles;
            let mut profile = match original {
                Some(original) => profiles.get(original),
                None => profiles.values().next(),
            }
            .cloned()
            .ok_or_else(none)?;
            profile.is_default &= original.is_some();
            profile.routing_profile_arn = context.identity.arn("routing-profile", &id);
            profile.routing_profile_id.clone_from(&id);
            profile.name = name;
            profile.last_modified_time = context.now;
            profiles.insert(id.clone(), profile);
        }
        AssignedKind::HierarchyGroups => {
            let groups = &mut state.hierarchy_groups;
            let mut group = match original {
                Some(original) => groups.get(original),
                None => groups.values().find(|group| group.parent_id.is_none()),
            }
            .cloned()
            .ok_or_else(none)?;
            group.arn = context.identity.arn("agent-group", &id);
            group.id.clone_from(&id);
            group.name = name;
            group.last_modified_time = context.now;
            groups.insert(id.clone(), group);
        }
    }
    Ok(id)
}

fn rename(state: &mut State, kind: AssignedKind, id: &str, name: String) {
    let place = match kind {
        AssignedKind::SecurityProfiles => state
            .security_profiles
            .get_mut(id)
            .map(|record| &mut record.profile.security_profile_name),
        AssignedKind::RoutingProfiles => state
            .routing_profiles
            .get_mut(id)
            .map(|profile| &mut profile.name),
        AssignedKind::HierarchyGroups => state
            .hierarchy_groups
            .get_mut(id)
            .map(|group| &mut group.name),
    };
    if let Some(place) = place {
        *place = name;
    }
}

fn has(user: &User, kind: AssignedKind, id: &str) -> bool {
    match kind {
        AssignedKind::SecurityProfiles => user.security_profile_ids.iter().any(|own| own == id),
        AssignedKind::RoutingProfiles => user.routing_profile_id == id,
        AssignedKind::HierarchyGroups => user.hierarchy_group_id.as_deref() == Some(id),
    }
}

/// Assigns everything of `id` to `instead`: users, and for a hierarchy group the groups
/// below it.
fn reassign(
    state: &mut State,
    context: &Context<'_>,
    kind: AssignedKind,
    id: &str,
    instead: &str,
) -> Result<(), ServiceError> {
    let users: Vec<String> = state
        .users()
        .iter()
        .filter(|(_, record)| has(&record.user, kind, id))
        .map(|(user_id, _)| user_id.clone())
        .collect();
    for user_id in users {
        state.update_user(&user_id, context, |record| {
            let user = &mut record.user;
            match kind {
                AssignedKind::SecurityProfiles => {
                    let ids = &mut user.security_profile_ids;
                    ids.retain(|own| own != id && own != instead);
                    ids.push(instead.to_owned());
                }
                AssignedKind::RoutingProfiles => instead.clone_into(&mut user.routing_profile_id),
                AssignedKind::HierarchyGroups => {
                    user.hierarchy_group_id = Some(instead.to_owned());
                }
            }
        })?;
    }
    if kind == AssignedKind::HierarchyGroups {
        for group in state.hierarchy_groups.values_mut() {
            if group.parent_id.as_deref() == Some(id) {
                group.parent_id = Some(instead.to_owned());
            }
        }
    }
    Ok(())
}

fn is_in_use(state: &State, kind: AssignedKind, id: &str) -> bool {
    let users = state.users().values();
    let groups = state.hierarchy_groups.values();
    users
        .map(|record| &record.user)
        .any(|user| has(user, kind, id))
        || groups
            .filter(|_| kind == AssignedKind::HierarchyGroups)
            .any(|group| group.parent_id.as_deref() == Some(id))
}

fn remove(state: &mut State, kind: AssignedKind, id: &str) {
    match kind {
        AssignedKind::SecurityProfiles => drop(state.security_profiles.remove(id)),
        AssignedKind::RoutingProfiles => drop(state.routing_profiles.remove(id)),
        AssignedKind::HierarchyGroups => drop(state.hierarchy_groups.remove(id)),
    }
}
