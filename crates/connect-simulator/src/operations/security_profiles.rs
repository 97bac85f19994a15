//! Security profiles: what the users of a profile may do. No operation renames one.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::page_of;
use crate::call::{Call, Context, Reply};
use crate::constraints::{self, require};
use crate::error::{ErrorCode, ServiceError};
use crate::page::PageRequest;
use crate::state::{AccessRestrictions, SecurityProfile, SecurityProfileRecord, State};

const LARGEST_PAGE: usize = 1000;
/// The quota of security profiles of one instance.
const MOST_SECURITY_PROFILES: usize = 100;

/// Members that the service takes and the simulator does not: they belong to other parts
/// of Connect. To ignore them would look like success.
const NOT_SIMULATED: [&str; 2] = ["AllowedAIAgents", "GranularAccessControlConfiguration"];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    description: Option<String>,
    permissions: Option<Vec<String>>,
    applications: Option<Vec<Value>>,
    allowed_flow_modules: Option<Vec<Value>>,
    #[serde(flatten)]
    restrictions: AccessRestrictions,
}

pub(super) fn create(state: &mut State, context: &Context<'_>, call: &Call) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        security_profile_name: String,
        tags: Option<BTreeMap<String, String>>,
        #[serde(flatten)]
        content: Content,
    }

    let request: Request = call.body()?;
    constraints::security_profile_name(&request.security_profile_name)?;
    if let Some(tags) = &request.tags {
        constraints::tags(tags)?;
    }
    check(state, call, &request.content)?;
    let taken = state
        .security_profiles
        .values()
        .any(|record| record.profile.security_profile_name == request.security_profile_name);
    if taken {
        return Err(ServiceError::new(
            ErrorCode::DuplicateResource,
            format!(
                "A security profile named {} exists",
                request.security_profile_name
            ),
        ));
    }
    if state.security_profiles.len() >= MOST_SECURITY_PROFILES {
        return Err(ServiceError::new(
            ErrorCode::LimitExceeded,
            format!(
                "The instance has reached its quota of {MOST_SECURITY_PROFILES} security profiles"
            ),
        ));
    }

    let id = context.fresh_id.to_owned();
    let arn = context.identity.arn("security-profile", &id);
    let reply = json!({ "SecurityProfileId": id, "SecurityProfileArn": arn });
    let record = SecurityProfileRecord {
        profile: SecurityProfile {
            id: id.clone(),
            organization_resource_id: context.identity.instance_id.clone(),
            arn,
            security_profile_name: request.security_profile_name,
            description: request.content.description,
            tags: request.tags.unwrap_or_default(),
            restrictions: request.content.restrictions,
            last_modified_time: context.now,
            last_modified_region: context.identity.region.clone(),
        },
        permissions: request.content.permissions.unwrap_or_default(),
        applications: request.content.applications.unwrap_or_default(),
        flow_modules: request.content.allowed_flow_modules.unwrap_or_default(),
    };
    state.security_profiles.insert(id, record);
    Ok(Some(reply))
}

/// Each member sent replaces the present one as a whole.
pub(super) fn update(state: &mut State, context: &Context<'_>, call: &Call) -> Reply {
    let content: Content = call.body()?;
    check(state, call, &content)?;
    let id = call.label("SecurityProfileId");
    let record = state
        .security_profiles
        .get_mut(id)
        .ok_or_else(|| ServiceError::not_found("security profile", id))?;
    if let Some(permissions) = content.permissions {
        record.permissions = permissions;
    }
    if let Some(applications) = content.applications {
        record.applications = applications;
    }
    if let Some(flow_modules) = content.allowed_flow_modules {
        record.flow_modules = flow_modules;
    }
    let profile = &mut record.profile;
    let present = &mut profile.restrictions;
    let sent = content.restrictions;
    for (present, sent) in [
        (&mut profile.description, content.description),
        (
            &mut present.allowed_access_control_hierarchy_group_id,
            sent.allowed_access_control_hierarchy_group_id,
        ),
    ] {
        if sent.is_some() {
            *present = sent;
        }
    }
    for (present, sent) in [
        (
            &mut present.tag_restricted_resources,
            sent.tag_restricted_resources,
        ),
        (
            &mut present.hierarchy_restricted_resources,
            sent.hierarchy_restricted_resources,
        ),
    ] {
        if sent.is_some() {
            *present = sent;
        }
    }
    if sent.allowed_access_control_tags.is_some() {
        present.allowed_access_control_tags = sent.allowed_access_control_tags;
    }
    profile.last_modified_time = context.now;
    profile
        .last_modified_region
        .clone_from(&context.identity.region);
    Ok(None)
}

pub(super) fn delete(state: &mut State, call: &Call) -> Reply {
    let id = call.label("SecurityProfileId");
    find(state, id)?;
    let in_use = state.users().values().any(|record| {
        record
            .user
            .security_profile_ids
            .iter()
            .any(|used| used == id)
    });
    if in_use {
        return Err(ServiceError::new(
            ErrorCode::ResourceInUse,
            "The security profile is assigned to users",
        ));
    }
    state.security_profiles.remove(id);
    Ok(None)
}

pub(super) fn describe(state: &State, call: &Call) -> Reply {
    let record = find(state, call.label("SecurityProfileId"))?;
    Ok(Some(json!({ "SecurityProfile": record.profile })))
}

pub(super) fn list(state: &State, context: &Context<'_>, call: &Call) -> Reply {
    let page = PageRequest::from_query(call, context, LARGEST_PAGE)?;
    let summaries = state.security_profiles.iter().map(|(id, record)| {
        let profile = &record.profile;
        let summary = json!({
            "Id": profile.id,
            "Arn": profile.arn,
            "Name": profile.security_profile_name,
            "LastModifiedTime": profile.last_modified_time,
            "LastModifiedRegion": profile.last_modified_region,
        });
        (id.clone(), summary)
    });
    Ok(Some(page_of(
        "SecurityProfileSummaryList",
        page.of(summaries),
    )))
}

pub(super) fn list_permissions(state: &State, context: &Context<'_>, call: &Call) -> Reply {
    let record = find(state, call.label("SecurityProfileId"))?;
    let page = PageRequest::from_query(call, context, LARGEST_PAGE)?;
    let mut permissions = record.permissions.clone();
    permissions.sort();
    permissions.dedup();
    let permissions = permissions
        .into_iter()
        .map(|permission| (permission.clone(), Value::String(permission)));
    let mut body = page_of("Permissions", page.of(permissions));
    body["LastModifiedTime"] = json!(record.profile.last_modified_time);
    body["LastModifiedRegion"] = json!(record.profile.last_modified_region);
    Ok(Some(body))
}

pub(super) fn list_applications(state: &State, context: &Context<'_>, call: &Call) -> Reply {
    let record = find(state, call.label("SecurityProfileId"))?;
    list_of(record, "Applications", &record.applications, context, call)
}

pub(super) fn list_flow_modules(state: &State, context: &Context<'_>, call: &Call) -> Reply {
    let record = find(state, call.label("SecurityProfileId"))?;
    list_of(
        record,
        "AllowedFlowModules",
        &record.flow_modules,
        context,
        call,
    )
}

/// A page of what a profile was given, which has no names to go by.
fn list_of(
    record: &SecurityProfileRecord,
    member: &str,
    items: &[Value],
    context: &Context<'_>,
    call: &Call,
) -> Reply {
    let page = PageRequest::from_query(call, context, LARGEST_PAGE)?;
    let items = items
        .iter()
        .enumerate()
        .map(|(place, item)| (format!("{place:04}"), item.clone()));
    let mut body = page_of(member, page.of(items));
    body["LastModifiedTime"] = json!(record.profile.last_modified_time);
    body["LastModifiedRegion"] = json!(record.profile.last_modified_region);
    Ok(Some(body))
}

fn find<'a>(state: &'a State, id: &str) -> Result<&'a SecurityProfileRecord, ServiceError> {
    state
        .security_profiles
        .get(id)
        .ok_or_else(|| ServiceError::not_found("security profile", id))
}

fn check(state: &State, call: &Call, content: &Content) -> Result<(), ServiceError> {
    for member in NOT_SIMULATED {
        if call
            .raw_body()
            .get(member)
            .is_some_and(|value| !value.is_null())
        {
            return Err(ServiceError::invalid_request(format!(
                "{member} is not simulated"
            )));
        }
    }
    if let Some(description) = &content.description {
        constraints::length("Description", description, 0, 250)?;
    }
    if let Some(permissions) = &content.permissions {
        check_names("Permissions", permissions, 500)?;
    }
    for (member, items, most) in [
        ("Applications", &content.applications, 10),
        ("AllowedFlowModules", &content.allowed_flow_modules, 10),
    ] {
        require(
            items.as_ref().is_none_or(|items| items.len() <= most),
            format!("{member} has at most {most} entries"),
        )?;
    }
    let restrictions = &content.restrictions;
    if let Some(tags) = &restrictions.allowed_access_control_tags {
        require(
            tags.len() <= 4,
            "AllowedAccessControlTags has at most 4 entries",
        )?;
        for (key, value) in tags {
            constraints::length("a key of AllowedAccessControlTags", key, 1, 128)?;
            constraints::length("a value of AllowedAccessControlTags", value, 0, 256)?;
        }
    }
    if let Some(names) = &restrictions.tag_restricted_resources {
        check_names("TagRestrictedResources", names, 10)?;
    }
    if let Some(names) = &restrictions.hierarchy_restricted_resources {
        require(
            names.iter().all(|name| name == "User"),
            "HierarchyRestrictedResources may name User only",
        )?;
    }
    if let Some(id) = &restrictions.allowed_access_control_hierarchy_group_id
        && !state.hierarchy_groups.contains_key(id)
    {
        return Err(ServiceError::not_found("hierarchy group", id));
    }
    Ok(())
}

fn check_names(member: &str, names: &[String], most: usize) -> Result<(), ServiceError> {
    require(
        names.len() <= most,
        format!("{member} has at most {most} entries"),
    )?;
    names
        .iter()
        .try_for_each(|name| constraints::length(member, name, 1, 128))
}
