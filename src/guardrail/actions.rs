//! The actions of Amazon Connect that edit users.

use std::fmt;

use serde::Serialize;

/// The actions that create, change or delete users, their permissions or their tags, or
/// delete the instance with them. Tags mark the users that SCIM owns. `UpdateUser*` is a
/// pattern because operations appear (UpdateUserConfig) before their IAM actions are
/// documented; the others save room. Not denied: PutUserStatus and DismissUserContact, which
/// supervisors need, and GetFederationToken, without which nobody can sign in.
pub const CONNECT_ACTIONS: &[&str] = &[
    "connect:*agResource",
    "connect:*ssociateSecurityProfiles",
    "connect:*ssociateTrafficDistributionGroupUser",
    "connect:*ssociateUserProficiencies",
    "connect:*teAuthenticationProfile",
    "connect:*teSecurityProfile",
    "connect:AdminGetEmergencyAccessToken",
    "connect:CreateUser*",
    "connect:DeleteInstance",
    "connect:DeleteUser*",
    "connect:UpdateUser*",
];

/// What stays allowed on the resources that only deployers change. Assuming a role is
/// governed by its trust policy; without it no exempt role could be assumed.
pub const READING_ACTIONS: &[&str] = &[
    "apigateway:GET",
    "cloudformation:Describe*",
    "cloudformation:Detect*",
    "cloudformation:Get*",
    "cloudformation:List*",
    "cloudwatch:Describe*",
    "cloudwatch:Get*",
    "cloudwatch:List*",
    "events:Describe*",
    "events:List*",
    "iam:Generate*",
    "iam:Get*",
    "iam:List*",
    "iam:Simulate*",
    "lambda:Get*",
    "lambda:List*",
    "s3:Get*",
    "s3:List*",
    "sns:Get*",
    "sns:List*",
    "sts:*",
];

/// What stays allowed on the tokens, the directory and the queues. Not the actions that
/// return a token, and not `sqs:ReceiveMessage`: a received message is hidden from the
/// reconciler, and after ten times it is moved to the dead-letter queue.
pub const READING_DATA_ACTIONS: &[&str] = &[
    "dynamodb:BatchGetItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:Describe*",
    "dynamodb:Get*",
    "dynamodb:List*",
    "dynamodb:PartiQLSelect",
    "dynamodb:Query",
    "dynamodb:Scan",
    "sqs:Get*",
    "sqs:List*",
    "ssm:GetResourcePolicies",
    "ssm:ListTagsForResource",
];

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
pub const USER_EDITS: [UserEdit; 28] = {
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
        edit("connect:AssociateTrafficDistributionGroupUser", Agent),
        edit("connect:DisassociateTrafficDistributionGroupUser", Agent),
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
        edit("connect:DeleteInstance", Instance),
    ]
};
