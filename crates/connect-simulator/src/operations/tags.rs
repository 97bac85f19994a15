//! Tags, by the ARN of what they are on.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use crate::call::{Call, Context, Reply};
use crate::constraints::{self, require};
use crate::error::ServiceError;
use crate::state::{State, Tags};

/// What an ARN names.
enum Resource {
    Instance,
    User(String),
    SecurityProfile(String),
    RoutingProfile(String),
    HierarchyGroup(String),
}

pub(super) fn tag(state: &mut State, context: &Context<'_>, call: &Call) -> Reply {
    // The members of the tag operations begin in lower case.
    #[derive(Deserialize)]
    struct Request {
        tags: BTreeMap<String, String>,
    }

    let Request { tags } = call.body()?;
    let resource = resource(context, call)?;
    constraints::tags(&tags)?;
    let mut merged = current(state, &resource)?.clone();
    merged.extend(tags);
    constraints::tag_total(merged.len())?;
    replace(state, context, &resource, merged)?;
    Ok(None)
}

pub(super) fn untag(state: &mut State, context: &Context<'_>, call: &Call) -> Reply {
    let resource = resource(context, call)?;
    let keys: Vec<_> = call.query_all("tagKeys").collect();
    require(
        (1..=50).contains(&keys.len()),
        "tagKeys must have 1 to 50 entries",
    )?;
    keys.iter().try_for_each(|key| constraints::tag_key(key))?;
    let mut rest = current(state, &resource)?.clone();
    rest.retain(|key, _| !keys.contains(&key.as_str()));
    replace(state, context, &resource, rest)?;
    Ok(None)
}

pub(super) fn list(state: &State, context: &Context<'_>, call: &Call) -> Reply {
    let resource = resource(context, call)?;
    Ok(Some(json!({ "tags": current(state, &resource)? })))
}

fn resource(context: &Context<'_>, call: &Call) -> Result<Resource, ServiceError> {
    let arn = call.label("resourceArn");
    require(
        arn.starts_with("arn:") && arn.splitn(6, ':').count() == 6,
        "resourceArn is not an ARN",
    )?;
    let not_found = || ServiceError::not_found("resource", arn);
    let within = arn
        .strip_prefix(&context.identity.instance_arn())
        .ok_or_else(not_found)?;
    if within.is_empty() {
        return Ok(Resource::Instance);
    }
    let (kind, id) = within
        .strip_prefix('/')
        .and_then(|within| within.split_once('/'))
        .ok_or_else(not_found)?;
    let id = id.to_owned();
    match kind {
        "agent" => Ok(Resource::User(id)),
        "security-profile" => Ok(Resource::SecurityProfile(id)),
        "routing-profile" => Ok(Resource::RoutingProfile(id)),
        "agent-group" => Ok(Resource::HierarchyGroup(id)),
        _ => Err(not_found()),
    }
}

fn current<'a>(state: &'a State, resource: &Resource) -> Result<&'a Tags, ServiceError> {
    match resource {
        Resource::Instance => Some(&state.instance_tags),
        Resource::User(id) => return state.user(id).map(|record| &record.user.tags),
        Resource::SecurityProfile(id) => state
            .security_profiles
            .get(id)
            .map(|record| &record.profile.tags),
        Resource::RoutingProfile(id) => state.routing_profiles.get(id).map(|profile| &profile.tags),
        Resource::HierarchyGroup(id) => state.hierarchy_groups.get(id).map(|group| &group.tags),
    }
    .ok_or_else(|| resource.not_found())
}

fn replace(
    state: &mut State,
    context: &Context<'_>,
    resource: &Resource,
    tags: Tags,
) -> Result<(), ServiceError> {
    let place = match resource {
        Resource::Instance => Some(&mut state.instance_tags),
        Resource::User(id) => {
            return state.update_user(id, context, |record| record.user.tags = tags);
        }
        Resource::SecurityProfile(id) => state
            .security_profiles
            .get_mut(id)
            .map(|record| &mut record.profile.tags),
        Resource::RoutingProfile(id) => state
            .routing_profiles
            .get_mut(id)
            .map(|profile| &mut profile.tags),
        Resource::HierarchyGroup(id) => state
            .hierarchy_groups
            .get_mut(id)
            .map(|group| &mut group.tags),
    };
    *place.ok_or_else(|| resource.not_found())? = tags;
    Ok(())
}

impl Resource {
    fn not_found(&self) -> ServiceError {
        match self {
            Self::Instance => ServiceError::not_found("instance", ""),
            Self::User(id) => ServiceError::not_found("user", id),
            Self::SecurityProfile(id) => ServiceError::not_found("security profile", id),
            Self::RoutingProfile(id) => ServiceError::not_found("routing profile", id),
            Self::HierarchyGroup(id) => ServiceError::not_found("hierarchy group", id),
        }
    }
}
