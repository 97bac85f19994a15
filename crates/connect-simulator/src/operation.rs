//! The operations of Amazon Connect that are simulated, and their routes.
//!
//! Source: the service's API model (botocore `connect/2017-08-08/service-2.json`).

use serde::{Deserialize, Serialize};

macro_rules! operations {
    ($($name:ident: $method:ident $path:literal,)*) => {
        /// An operation of Amazon Connect's API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Operation {
            $(
                #[doc = concat!("`", stringify!($method), " ", $path, "`")]
                $name,
            )*
        }

        impl Operation {
            /// Every operation that is simulated.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The operation's name in the API model.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }

            /// The HTTP method and the path with its labels in braces.
            const fn route(self) -> (&'static str, &'static str) {
                match self { $(Self::$name => (stringify!($method), $path)),* }
            }
        }
    };
}

operations! {
    CreateUser: PUT "/users/{InstanceId}",
    DescribeUser: GET "/users/{InstanceId}/{UserId}",
    DeleteUser: DELETE "/users/{InstanceId}/{UserId}",
    ListUsers: GET "/users-summary/{InstanceId}",
    SearchUsers: POST "/search-users",
    UpdateUserIdentityInfo: POST "/users/{InstanceId}/{UserId}/identity-info",
    UpdateUserSecurityProfiles: POST "/users/{InstanceId}/{UserId}/security-profiles",
    UpdateUserRoutingProfile: POST "/users/{InstanceId}/{UserId}/routing-profile",
    UpdateUserHierarchy: POST "/users/{InstanceId}/{UserId}/hierarchy",
    UpdateUserPhoneConfig: POST "/users/{InstanceId}/{UserId}/phone-config",
    UpdateUserConfig: POST "/users/{InstanceId}/{UserId}/config",
    ListUserProficiencies: GET "/users/{InstanceId}/{UserId}/proficiencies",
    AssociateUserProficiencies: POST "/users/{InstanceId}/{UserId}/associate-proficiencies",
    DisassociateUserProficiencies: POST "/users/{InstanceId}/{UserId}/disassociate-proficiencies",
    UpdateUserProficiencies: POST "/users/{InstanceId}/{UserId}/proficiencies",
    ListSecurityProfiles: GET "/security-profiles-summary/{InstanceId}",
    SearchSecurityProfiles: POST "/search-security-profiles",
    DescribeSecurityProfile: GET "/security-profiles/{InstanceId}/{SecurityProfileId}",
    ListSecurityProfilePermissions: GET "/security-profiles-permissions/{InstanceId}/{SecurityProfileId}",
    ListSecurityProfileApplications: GET "/security-profiles-applications/{InstanceId}/{SecurityProfileId}",
    ListSecurityProfileFlowModules: GET "/security-profiles-flow-modules/{InstanceId}/{SecurityProfileId}",
    CreateSecurityProfile: PUT "/security-profiles/{InstanceId}",
    UpdateSecurityProfile: POST "/security-profiles/{InstanceId}/{SecurityProfileId}",
    DeleteSecurityProfile: DELETE "/security-profiles/{InstanceId}/{SecurityProfileId}",
    ListRoutingProfiles: GET "/routing-profiles-summary/{InstanceId}",
    SearchRoutingProfiles: POST "/search-routing-profiles",
    DescribeRoutingProfile: GET "/routing-profiles/{InstanceId}/{RoutingProfileId}",
    ListUserHierarchyGroups: GET "/user-hierarchy-groups-summary/{InstanceId}",
    DescribeUserHierarchyGroup: GET "/user-hierarchy-groups/{InstanceId}/{HierarchyGroupId}",
    DescribeUserHierarchyStructure: GET "/user-hierarchy-structure/{InstanceId}",
    TagResource: POST "/tags/{resourceArn}",
    UntagResource: DELETE "/tags/{resourceArn}",
    ListTagsForResource: GET "/tags/{resourceArn}",
    DescribeInstance: GET "/instance/{InstanceId}",
}

/// An operation and the labels of its path, percent-decoded.
pub(crate) type Route = (Operation, Vec<(&'static str, String)>);

impl Operation {
    /// Whether the operation only reads.
    pub(crate) fn is_read_only(self) -> bool {
        ["Describe", "List", "Search"]
            .iter()
            .any(|prefix| self.name().starts_with(prefix))
    }

    /// The operation that a request line asks for. `path` as it came, percent-encoded:
    /// an ARN is one segment of it.
    pub(crate) fn find(method: &str, path: &str) -> Option<Route> {
        Self::ALL.iter().find_map(|operation| {
            let (expected_method, template) = operation.route();
            if method != expected_method {
                return None;
            }
            Some((*operation, labels(template, path)?))
        })
    }
}

fn labels(template: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
    let mut labels = Vec::new();
    let mut segments = path.split('/');
    for expected in template.split('/') {
        let segment = segments.next()?;
        match expected
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
        {
            Some(label) => {
                let value = percent_encoding::percent_decode_str(segment)
                    .decode_utf8()
                    .ok()?;
                if value.is_empty() {
                    return None;
                }
                labels.push((label, value.into_owned()));
            }
            None if segment == expected => {}
            None => return None,
        }
    }
    segments.next().is_none().then_some(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percent_encoded_arn_is_one_segment() {
        let (operation, labels) = Operation::find(
            "GET",
            "/tags/arn%3Aaws%3Aconnect%3Ar%3A1%3Ainstance%2Fi%2Fagent%2Fu",
        )
        .unwrap();
        assert_eq!(operation, Operation::ListTagsForResource);
        assert_eq!(
            labels,
            [(
                "resourceArn",
                "arn:aws:connect:r:1:instance/i/agent/u".to_owned()
            )]
        );
        assert!(Operation::find("GET", "/tags/arn:aws:connect:r:1:instance/i/agent/u").is_none());
    }

    #[test]
    fn every_route_leads_to_its_own_operation() {
        for operation in Operation::ALL {
            let (method, template) = operation.route();
            let found = Operation::find(method, &template.replace(['{', '}'], "x"));
            assert_eq!(found.map(|(found, _)| found), Some(*operation));
        }
    }

    #[test]
    fn other_requests_lead_nowhere() {
        for (method, path) in [
            ("PATCH", "/users/i"),
            ("GET", "/users/i/u/"),
            ("GET", "/users//u"),
            ("GET", "/"),
            ("GET", "/users/i/%ff"),
        ] {
            assert!(Operation::find(method, path).is_none(), "{method} {path}");
        }
    }
}
