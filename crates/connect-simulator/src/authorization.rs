//! What a call has to be allowed to do: its IAM action, and the resources that the action
//! is checked against.
//!
//! Source: AWS, Service Authorization Reference, "Actions, resources, and condition keys
//! for Amazon Connect". All resources have to be allowed.

use serde_json::Value;

use crate::call::Call;
use crate::operation::Operation;
use crate::options::Identity;

/// What is asked of the policy engine.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Access {
    /// The IAM action, such as `connect:CreateUser`.
    pub(crate) action: String,
    /// ARNs; `*` stands for the id of what does not exist yet.
    pub(crate) resources: Vec<String>,
}

impl Access {
    /// What a call is checked for.
    pub(crate) fn of(call: &Call, identity: &Identity) -> Self {
        Self {
            action: format!("connect:{}", call.operation.name()),
            resources: resources(call, identity),
        }
    }
}

fn resources(call: &Call, identity: &Identity) -> Vec<String> {
    use Operation as O;

    let instance = || vec![identity.instance_arn()];
    let one = |kind: &str, label: &str| vec![identity.arn(kind, call.label(label))];
    let user = || one("agent", "UserId");
    // The ids that a member of the body holds: one, several, or none.
    let named = |kind: &str, member: &str| -> Vec<String> {
        let ids = match call.raw_body().get(member) {
            Some(Value::Array(ids)) => ids.as_slice(),
            Some(id) => std::slice::from_ref(id),
            None => &[],
        };
        ids.iter()
            .filter_map(Value::as_str)
            .map(|id| identity.arn(kind, id))
            .collect()
    };
    let security_profiles = || named("security-profile", "SecurityProfileIds");
    let routing_profile = || named("routing-profile", "RoutingProfileId");
    let group = || named("agent-group", "HierarchyGroupId");
    match call.operation {
        O::CreateUser => [
            vec![identity.arn("agent", "*")],
            security_profiles(),
            routing_profile(),
            group(),
        ]
        .concat(),
        O::DescribeUser
        | O::DeleteUser
        | O::UpdateUserIdentityInfo
        | O::UpdateUserPhoneConfig
        | O::UpdateUserConfig => user(),
        O::UpdateUserSecurityProfiles => [user(), security_profiles()].concat(),
        O::UpdateUserRoutingProfile => [user(), routing_profile()].concat(),
        O::UpdateUserHierarchy => [user(), group()].concat(),
        O::ListUserProficiencies
        | O::AssociateUserProficiencies
        | O::DisassociateUserProficiencies
        | O::UpdateUserProficiencies => [instance(), user()].concat(),
        O::ListUsers
        | O::SearchUsers
        | O::ListSecurityProfiles
        | O::SearchSecurityProfiles
        | O::ListRoutingProfiles
        | O::SearchRoutingProfiles
        | O::ListUserHierarchyGroups
        | O::DescribeUserHierarchyStructure
        | O::DescribeInstance => instance(),
        O::CreateSecurityProfile => vec![identity.arn("security-profile", "*")],
        O::DescribeSecurityProfile
        | O::ListSecurityProfilePermissions
        | O::ListSecurityProfileApplications
        | O::ListSecurityProfileFlowModules
        | O::UpdateSecurityProfile
        | O::DeleteSecurityProfile => one("security-profile", "SecurityProfileId"),
        O::DescribeRoutingProfile => one("routing-profile", "RoutingProfileId"),
        O::DescribeUserHierarchyGroup => one("agent-group", "HierarchyGroupId"),
        O::TagResource | O::UntagResource | O::ListTagsForResource => {
            vec![call.label("resourceArn").to_owned()]
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn access(method: &str, path: &str, body: &Value) -> Access {
        let (operation, labels) = Operation::find(method, path).unwrap();
        let call = Call::new(operation, labels, "", body.to_string().as_bytes()).unwrap();
        Access::of(&call, &Identity::default())
    }

    #[test]
    fn a_new_user_is_checked_with_everything_that_it_is_given() {
        let body = json!({
            "SecurityProfileIds": ["s1", "s2"], "RoutingProfileId": "r", "HierarchyGroupId": "g",
        });
        let access = access("PUT", "/users/i", &body);
        assert_eq!(access.action, "connect:CreateUser");
        let instance = Identity::default().instance_arn();
        let expected = [
            "agent/*",
            "security-profile/s1",
            "security-profile/s2",
            "routing-profile/r",
            "agent-group/g",
        ];
        assert_eq!(
            access.resources,
            expected.map(|rest| format!("{instance}/{rest}"))
        );
    }

    #[test]
    fn every_operation_is_checked_against_something() {
        for operation in Operation::ALL {
            let labels = ["InstanceId", "UserId", "SecurityProfileId", "resourceArn"]
                .map(|label| (label, "x".to_owned()));
            let call = Call::new(*operation, labels.into(), "", b"").unwrap();
            let access = Access::of(&call, &Identity::default());
            assert!(!access.resources.is_empty(), "{operation:?}");
        }
    }
}
