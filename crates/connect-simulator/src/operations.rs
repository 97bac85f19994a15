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
        O::ListSecurityProfileApplications => {
            security_profiles::list_applications(state, context, call)
        }
        O::ListSecurityProfileFlowModules => {
            security_profiles::list_flow_modules(state, context, call)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::options::{Identity, Settings};
    use crate::seed;
    use crate::timestamp::Timestamp;

    /// Calls at times of the test's choosing.
    struct Instance {
        state: State,
        identity: Identity,
        settings: Settings,
    }

    impl Instance {
        fn new(settings: Settings) -> Self {
            let identity = Identity::default();
            Self {
                state: seed::state(&identity, Timestamp::default()),
                identity,
                settings,
            }
        }

        fn call(
            &mut self,
            milliseconds: u64,
            method: &str,
            path: &str,
            body: &Value,
        ) -> Result<Value, ServiceError> {
            let path = path.replace("{I}", &self.identity.instance_id);
            let (operation, labels) = Operation::find(method, &path).expect("a route");
            let call = Call::new(operation, labels, "", body.to_string().as_bytes())?;
            let context = Context {
                now: Timestamp::from_milliseconds(milliseconds),
                fresh_id: &format!("created-at-{milliseconds}"),
                identity: &self.identity,
                settings: &self.settings,
            };
            Ok(respond(&mut self.state, &context, &call)?.unwrap_or_default())
        }

        fn create(&mut self, milliseconds: u64, username: &str) -> Result<Value, ServiceError> {
            let profile = self.state.security_profiles.keys().next().cloned();
            let routing = self.state.routing_profiles.keys().next().cloned();
            let user = json!({
                "Username": username,
                "IdentityInfo": { "FirstName": "Ada", "LastName": "Lovelace" },
                "SecurityProfileIds": [profile],
                "RoutingProfileId": routing,
            });
            self.call(milliseconds, "PUT", "/users/{I}", &user)
        }

        /// The ids of the users that a search finds.
        fn found(&mut self, milliseconds: u64) -> Vec<String> {
            let everyone = json!({ "InstanceId": self.identity.instance_id });
            let found = self
                .call(milliseconds, "POST", "/search-users", &everyone)
                .expect("a search");
            let users = found["Users"].as_array().expect("a list");
            users
                .iter()
                .map(|user| user["Id"].as_str().expect("an id").to_owned())
                .collect()
        }
    }

    #[test]
    fn a_search_sees_a_change_when_the_lag_is_over() {
        let mut instance = Instance::new(Settings {
            search_lag_milliseconds: 500,
            ..Settings::default()
        });
        instance.create(1_000, "ada").unwrap();
        assert!(instance.found(1_499).is_empty());
        assert_eq!(instance.found(1_500), ["created-at-1000"]);

        instance
            .call(2_000, "DELETE", "/users/{I}/created-at-1000", &json!({}))
            .unwrap();
        assert_eq!(instance.found(2_499), ["created-at-1000"]);
        assert!(instance.found(2_500).is_empty());
    }

    #[test]
    fn usernames_that_differ_in_case_are_two_users() {
        let mut instance = Instance::new(Settings::default());
        instance.create(1, "ada").unwrap();
        instance.create(2, "Ada").unwrap();
        let refused = instance.create(3, "ada").unwrap_err();
        assert_eq!(refused.code.name(), "DuplicateResourceException");
    }

    #[test]
    fn a_refused_call_changes_nothing() {
        let mut instance = Instance::new(Settings {
            user_quota: 1,
            ..Settings::default()
        });
        instance.create(1, "ada").unwrap();
        let before = json!(instance.state);
        let path = "/users/{I}/created-at-1/security-profiles";
        let unknown = json!({ "SecurityProfileIds": ["unknown"] });

        for (method, path, body) in [
            ("POST", path, unknown),
            ("POST", path, json!({ "SecurityProfileIds": [] })),
            ("POST", path, json!({})),
            ("POST", path, json!({ "SecurityProfileIds": "one" })),
            ("DELETE", "/users/{I}/unknown", json!({})),
        ] {
            assert!(instance.call(2, method, path, &body).is_err(), "{body}");
        }
        assert!(instance.create(2, "grace").is_err());
        assert_eq!(json!(instance.state), before);
    }
}
