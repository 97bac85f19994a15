//! What the operations do: a function from the state and a call to the new state and the
//! reply. No clock, no randomness, no input or output.
//!
//! An operation that refuses has changed nothing.

mod hierarchy;
mod instance;
mod phone;
mod proficiencies;
mod routing_profiles;
mod search;
mod security_profiles;
mod tags;
mod users;

use serde::Deserialize;
use serde_json::Value;

use crate::call::{Call, Context, Reply};
use crate::error::ServiceError;
use crate::operation::Operation;
use crate::state::State;

/// Runs one call.
pub(crate) fn respond(state: &mut State, context: &Context<'_>, call: &Call) -> Reply {
    use Operation as O;

    check_instance(context, call)?;
    match call.operation {
        O::CreateUser => users::create(state, context, call),
        O::DescribeUser => users::describe(state, call),
        O::DeleteUser => users::delete(state, context, call),
        O::ListUsers => users::list(state, context, call),
        O::SearchUsers => search::users(state, context, call),
        O::UpdateUserIdentityInfo => users::update_identity_info(state, context, call),
        O::UpdateUserSecurityProfiles => users::update_security_profiles(state, context, call),
        O::UpdateUserRoutingProfile => users::update_routing_profile(state, context, call),
        O::UpdateUserHierarchy => users::update_hierarchy(state, context, call),
        O::UpdateUserPhoneConfig => phone::update_phone_config(state, context, call),
        O::UpdateUserConfig => phone::update_config(state, context, call),
        O::ListUserProficiencies => proficiencies::list(state, context, call),
        O::AssociateUserProficiencies => proficiencies::associate(state, context, call),
        O::DisassociateUserProficiencies => proficiencies::disassociate(state, context, call),
        O::UpdateUserProficiencies => proficiencies::update(state, context, call),
        O::ListSecurityProfiles => security_profiles::list(state, context, call),
        O::SearchSecurityProfiles => search::security_profiles(state, context, call),
        O::DescribeSecurityProfile => security_profiles::describe(state, call),
        O::ListSecurityProfilePermissions => {
            security_profiles::list_permissions(state, context, call)
        }
        O::CreateSecurityProfile => security_profiles::create(state, context, call),
        O::UpdateSecurityProfile => security_profiles::update(state, context, call),
        O::DeleteSecurityProfile => security_profiles::delete(state, call),
        O::ListRoutingProfiles => routing_profiles::list(state, context, call),
        O::SearchRoutingProfiles => search::routing_profiles(state, context, call),
        O::DescribeRoutingProfile => routing_profiles::describe(state, call),
        O::ListUserHierarchyGroups => hierarchy::list_groups(state, context, call),
        O::DescribeUserHierarchyGroup => hierarchy::describe_group(state, call),
        O::DescribeUserHierarchyStructure => hierarchy::describe_structure(state),
        O::TagResource => tags::tag(state, context, call),
        O::UntagResource => tags::untag(state, context, call),
        O::ListTagsForResource => tags::list(state, context, call),
        O::DescribeInstance => instance::describe(state, context),
    }
}

/// Refuses a call to another instance. It is named in the path, in a search in the body,
/// for tags in the ARN (which `tags` checks).
fn check_instance(context: &Context<'_>, call: &Call) -> Result<(), ServiceError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Input {
        instance_id: String,
    }

    let instance_id = match call.operation {
        Operation::TagResource | Operation::UntagResource | Operation::ListTagsForResource => {
            return Ok(());
        }
        Operation::SearchUsers
        | Operation::SearchSecurityProfiles
        | Operation::SearchRoutingProfiles => call.body::<Input>()?.instance_id,
        _ => call.label("InstanceId").to_owned(),
    };
    if instance_id == context.identity.instance_id {
        Ok(())
    } else {
        Err(ServiceError::not_found("instance", &instance_id))
    }
}

/// The body of a page.
fn page_of(list: &str, (items, token): (Vec<Value>, Option<String>)) -> Value {
    let mut body = serde_json::Map::new();
    body.insert(list.to_owned(), Value::Array(items));
    if let Some(token) = token {
        body.insert("NextToken".to_owned(), Value::String(token));
    }
    Value::Object(body)
}
