//! Users: create, read, change, delete.
//!
//! No operation changes a user name, and none disables a user: the service has neither.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{page_of, phone};
use crate::call::{Call, Context, Reply};
use crate::constraints::{self, require};
use crate::error::{ErrorCode, ServiceError};
use crate::options::IdentityManagement;
use crate::page::PageRequest;
use crate::state::{ChannelConfigs, State, User, UserIdentityInfo, UserPhoneConfig, UserRecord};

const LARGEST_PAGE: usize = 1000;
const MOST_SECURITY_PROFILES: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateUserRequest {
    username: String,
    password: Option<String>,
    identity_info: Option<UserIdentityInfo>,
    phone_config: Option<UserPhoneConfig>,
    directory_user_id: Option<String>,
    security_profile_ids: Vec<String>,
    routing_profile_id: String,
    hierarchy_group_id: Option<String>,
    tags: Option<BTreeMap<String, String>>,
    #[serde(flatten)]
    channels: ChannelConfigs,
}

pub(super) fn create(state: &mut State, context: &Context<'_>, call: &Call) -> Reply {
    let request: CreateUserRequest = call.body()?;
    let identity_management = context.settings.identity_management;
    let identity_info = request.identity_info.unwrap_or_default();

    constraints::username(&request.username, context.settings)?;
    check_password(request.password.as_deref(), identity_management)?;
    require(
        request.directory_user_id.is_none() || identity_management != IdentityManagement::Saml,
        "DirectoryUserId is not for instances with SAML",
    )?;
    check_identity_info(&identity_info, identity_management)?;
    if let Some(phone_config) = &request.phone_config {
        phone::check_phone_config(phone_config)?;
        phone::check_conflicts(phone_config, &request.channels)?;
    }
    phone::check_channels(&request.channels)?;
    if let Some(tags) = &request.tags {
        constraints::tags(tags)?;
    }
    let security_profile_ids = known_security_profiles(state, request.security_profile_ids)?;
    check_routing_profile(state, &request.routing_profile_id)?;
    if let Some(id) = &request.hierarchy_group_id {
        check_hierarchy_group(state, id)?;
    }

    // User names are case-sensitive, even with SAML.
    let taken = state
        .users()
        .values()
        .any(|record| record.user.username == request.username);
    if taken {
        return Err(ServiceError::new(
            ErrorCode::DuplicateResource,
            format!(
                "The user {} is already associated with the Amazon Connect instance {}",
                request.username, context.identity.instance_id
            ),
        ));
    }
    if state.users().len() >= context.settings.user_quota {
        return Err(ServiceError::new(
            ErrorCode::LimitExceeded,
            format!(
                "The instance has reached its quota of {} users",
                context.settings.user_quota
            ),
        ));
    }

    let id = context.fresh_id.to_owned();
    let arn = context.identity.arn("agent", &id);
    let reply = json!({ "UserId": id, "UserArn": arn });
    let user = User {
        id,
        arn,
        username: request.username,
        identity_info,
        phone_config: request
            .phone_config
            .unwrap_or_else(phone::default_phone_config),
        directory_user_id: request.directory_user_id,
        security_profile_ids,
        routing_profile_id: request.routing_profile_id,
        hierarchy_group_id: request.hierarchy_group_id,
        tags: request.tags.unwrap_or_default(),
        channels: request.channels,
        last_modified_time: context.now,
        last_modified_region: context.identity.region.clone(),
    };
    let proficiencies = Vec::new();
    state.insert_user(
        UserRecord {
            user,
            proficiencies,
        },
        context,
    );
    Ok(Some(reply))
}

pub(super) fn describe(state: &State, call: &Call) -> Reply {
    let record = state.user(call.label("UserId"))?;
    Ok(Some(json!({ "User": record.user })))
}

pub(super) fn delete(state: &mut State, context: &Context<'_>, call: &Call) -> Reply {
    state.remove_user(call.label("UserId"), context)?;
    Ok(None)
}

pub(super) fn list(state: &State, context: &Context<'_>, call: &Call) -> Reply {
    let page = PageRequest::from_query(call, context, LARGEST_PAGE)?;
    let summaries = state.users().iter().map(|(id, UserRecord { user, .. })| {
        let summary = json!({
            "Id": user.id,
            "Arn": user.arn,
            "Username": user.username,
            "LastModifiedTime": user.last_modified_time,
            "LastModifiedRegion": user.last_modified_region,
        });
        (id.clone(), summary)
    });
    Ok(Some(page_of("UserSummaryList", page.of(summaries))))
}

/// The members sent replace all members. Whether the service would keep those that are
/// not sent is not documented; a client that depends on it loses them here.
pub(super) fn update_identity_info(state: &mut State, context: &Context<'_>, call: &Call) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        identity_info: UserIdentityInfo,
    }

    let Request { identity_info } = call.body()?;
    let id = call.label("UserId");
    let current = &state.user(id)?.user.identity_info;
    let identity_management = context.settings.identity_management;
    if identity_management == IdentityManagement::ExistingDirectory {
        let unchanged =
            |sent: &Option<String>, current: &Option<String>| sent.is_none() || sent == current;
        require(
            unchanged(&identity_info.first_name, &current.first_name)
                && unchanged(&identity_info.last_name, &current.last_name)
                && unchanged(&identity_info.email, &current.email),
            "FirstName, LastName and Email are managed by the directory",
        )?;
    }
    check_identity_info(&identity_info, identity_management)?;
    state.update_user(id, context, |record| {
        record.user.identity_info = identity_info;
    })?;
    Ok(None)
}

pub(super) fn update_security_profiles(
    state: &mut State,
    context: &Context<'_>,
    call: &Call,
) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        security_profile_ids: Vec<String>,
    }

    let Request {
        security_profile_ids,
    } = call.body()?;
    let known = known_security_profiles(state, security_profile_ids)?;
    state.update_user(call.label("UserId"), context, |record| {
        record.user.security_profile_ids = known;
    })?;
    Ok(None)
}

pub(super) fn update_routing_profile(
    state: &mut State,
    context: &Context<'_>,
    call: &Call,
) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        routing_profile_id: String,
    }

    let Request { routing_profile_id } = call.body()?;
    check_routing_profile(state, &routing_profile_id)?;
    state.update_user(call.label("UserId"), context, |record| {
        record.user.routing_profile_id = routing_profile_id;
    })?;
    Ok(None)
}

/// Without a group the user leaves the hierarchy: the member is optional, and nothing
/// else could take a user out.
pub(super) fn update_hierarchy(state: &mut State, context: &Context<'_>, call: &Call) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        hierarchy_group_id: Option<String>,
    }

    let Request { hierarchy_group_id } = call.body()?;
    if let Some(id) = &hierarchy_group_id {
        check_hierarchy_group(state, id)?;
    }
    state.update_user(call.label("UserId"), context, |record| {
        record.user.hierarchy_group_id = hierarchy_group_id;
    })?;
    Ok(None)
}

/// The password is checked and forgotten: nothing here signs in.
fn check_password(
    password: Option<&str>,
    identity_management: IdentityManagement,
) -> Result<(), ServiceError> {
    match (password, identity_management) {
        (Some(password), IdentityManagement::ConnectManaged) => constraints::password(password),
        (None, IdentityManagement::ConnectManaged) => {
            require(false, "Password is required for users managed in Connect")
        }
        (Some(_), _) => require(false, "Password is only for users managed in Connect"),
        (None, _) => Ok(()),
    }
}

/// Names are required where no directory has them. The documentation contradicts itself
/// on `Email`: `CreateUser` calls it required with SAML, `UserIdentityInfo` says it is an
/// error there. The error is what happens here; without SAML it is optional.
fn check_identity_info(
    info: &UserIdentityInfo,
    identity_management: IdentityManagement,
) -> Result<(), ServiceError> {
    let (shortest, longest_last_name) = match identity_management {
        IdentityManagement::Saml => (0, 300),
        IdentityManagement::ConnectManaged => (1, 256),
        IdentityManagement::ExistingDirectory => (0, 256),
    };
    for (member, name, longest) in [
        ("FirstName", &info.first_name, 255),
        ("LastName", &info.last_name, longest_last_name),
    ] {
        match name {
            Some(name) => constraints::person_name(member, name, shortest, longest)?,
            None => require(
                identity_management == IdentityManagement::ExistingDirectory,
                format!("{member} is required"),
            )?,
        }
    }
    if let Some(email) = &info.email {
        require(
            identity_management != IdentityManagement::Saml,
            "Email is not for instances with SAML",
        )?;
        constraints::email("Email", email)?;
    }
    if let Some(email) = &info.secondary_email {
        constraints::email("SecondaryEmail", email)?;
    }
    if let Some(mobile) = &info.mobile {
        constraints::phone_number("Mobile", mobile)?;
    }
    Ok(())
}

/// The profiles, each once, if there are 1 to 10 and all exist.
fn known_security_profiles(state: &State, ids: Vec<String>) -> Result<Vec<String>, ServiceError> {
    require(
        (1..=MOST_SECURITY_PROFILES).contains(&ids.len()),
        format!("SecurityProfileIds must have 1 to {MOST_SECURITY_PROFILES} entries"),
    )?;
    let mut known = Vec::with_capacity(ids.len());
    for id in ids {
        if !state.security_profiles.contains_key(&id) {
            return Err(ServiceError::not_found("security profile", &id));
        }
        if !known.contains(&id) {
            known.push(id);
        }
    }
    Ok(known)
}

fn check_routing_profile(state: &State, id: &str) -> Result<(), ServiceError> {
    if state.routing_profiles.contains_key(id) {
        Ok(())
    } else {
        Err(ServiceError::not_found("routing profile", id))
    }
}

fn check_hierarchy_group(state: &State, id: &str) -> Result<(), ServiceError> {
    if state.hierarchy_groups.contains_key(id) {
        Ok(())
    } else {
        Err(ServiceError::not_found("hierarchy group", id))
    }
}

/// A user as a search returns it: without email addresses, mobile number and the time of
/// the last change, and with the after-contact work limit in milliseconds.
pub(super) fn search_summary(user: &User) -> Result<Value, ServiceError> {
    let mut summary = serde_json::to_value(user)
        .map_err(|error| ServiceError::new(ErrorCode::InternalService(500), error.to_string()))?;
    if let Some(members) = summary.as_object_mut() {
        members.remove("LastModifiedTime");
        members.remove("LastModifiedRegion");
        if let Some(info) = members
            .get_mut("IdentityInfo")
            .and_then(Value::as_object_mut)
        {
            info.retain(|member, _| matches!(member.as_str(), "FirstName" | "LastName"));
        }
        if let Some(limit) = user.phone_config.after_contact_work_time_limit {
            summary["PhoneConfig"]["AfterContactWorkTimeLimit"] = json!(limit * 1000);
        }
    }
    Ok(summary)
}
