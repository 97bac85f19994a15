//! The actions of Amazon Connect that edit users.

use std::fmt;

use serde::Serialize;

/// Whatever creates, changes or deletes users, or what a user may do. `UpdateUser*` is
/// a pattern because operations appear (UpdateUserConfig) before their IAM actions are
/// documented. Not denied: PutUserStatus and DismissUserContact, a supervisor's work;
/// GetFederationToken, without which nobody signs in.
pub const CONNECT_ACTIONS: &[&str] = &[
    "connect:AdminGetEmergencyAccessToken",
    "connect:AssociateSecurityProfiles",
    "connect:AssociateUserProficiencies",
    "connect:CreateAuthenticationProfile",
    "connect:CreateSecurityProfile",
    "connect:CreateUser",
    "connect:CreateUserHierarchyGroup",
    "connect:DeleteSecurityProfile",
    "connect:DeleteUser",
    "connect:DeleteUserHierarchyGroup",
    "connect:DisassociateSecurityProfiles",
    "connect:DisassociateUserProficiencies",
    "connect:UpdateAuthenticationProfile",
    "connect:UpdateSecurityProfile",
    "connect:UpdateUser*",
];

/// Whatever changes tags; on users, groups and security profiles these say what SCIM owns.
pub const TAG_ACTIONS: &[&str] = &["connect:TagResource", "connect:UntagResource"];

/// What an action is simulated on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResourceKind {
    /// The instance itself.
    Instance,
    /// A user.
    Agent,
    /// A hierarchy group.
    AgentGroup,
    /// A security profile.
    SecurityProfile,
    /// An authentication profile.
    AuthenticationProfile,
}

impl ResourceKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Instance,
        Self::Agent,
        Self::AgentGroup,
        Self::SecurityProfile,
        Self::AuthenticationProfile,
    ];

    /// As ARNs spell it; empty for the instance.
    #[must_use]
    pub const fn segment(self) -> &'static str {
        match self {
            Self::Instance => "",
            Self::Agent => "agent",
            Self::AgentGroup => "agent-group",
            Self::SecurityProfile => "security-profile",
            Self::AuthenticationProfile => "authentication-profile",
        }
    }
}

/// An action that edits users or what they may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserEdit {
    /// The IAM action, without a pattern.
    pub action: &'static str,
    /// One resource that it is checked against.
    pub resource: ResourceKind,
    /// Whether the endpoint does it.
    pub by_endpoint: bool,
}

impl fmt::Display for UserEdit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.action.trim_start_matches("connect:"))
    }
}

const fn edit(action: &'static str, resource: ResourceKind) -> UserEdit {
    UserEdit {
        action,
        resource,
        by_endpoint: false,
    }
}

const fn endpoint(action: &'static str, resource: ResourceKind) -> UserEdit {
    UserEdit {
        action,
        resource,
        by_endpoint: true,
    }
}

/// Every action that the guardrail denies, as the Service Authorization Reference lists
/// them. Where an action is checked against several resources, the denial of one denies it.
pub const USER_EDITS: [UserEdit; 25] = {
    use ResourceKind::{Agent, AgentGroup, AuthenticationProfile, Instance, SecurityProfile};
    [
        endpoint("connect:CreateUser", Agent),
        endpoint("connect:DeleteUser", Agent),
        endpoint("connect:UpdateUserHierarchy", Agent),
        endpoint("connect:UpdateUserIdentityInfo", Agent),
        edit("connect:UpdateUserNotificationStatus", Agent),
        endpoint("connect:UpdateUserPhoneConfig", Agent),
        endpoint("connect:UpdateUserProficiencies", Agent),
        endpoint("connect:UpdateUserRoutingProfile", Agent),
        endpoint("connect:UpdateUserSecurityProfiles", Agent),
        endpoint("connect:AssociateUserProficiencies", Agent),
        endpoint("connect:DisassociateUserProficiencies", Agent),
        endpoint("connect:TagResource", Agent),
        endpoint("connect:UntagResource", Agent),
        edit("connect:CreateUserHierarchyGroup", AgentGroup),
        edit("connect:DeleteUserHierarchyGroup", AgentGroup),
        edit("connect:UpdateUserHierarchyGroupName", AgentGroup),
        edit("connect:UpdateUserHierarchyStructure", Instance),
        edit("connect:CreateSecurityProfile", SecurityProfile),
        edit("connect:UpdateSecurityProfile", SecurityProfile),
        edit("connect:DeleteSecurityProfile", SecurityProfile),
        edit("connect:AssociateSecurityProfiles", SecurityProfile),
        edit("connect:DisassociateSecurityProfiles", SecurityProfile),
        edit("connect:CreateAuthenticationProfile", AuthenticationProfile),
        edit("connect:UpdateAuthenticationProfile", AuthenticationProfile),
        edit("connect:AdminGetEmergencyAccessToken", Instance),
    ]
};
