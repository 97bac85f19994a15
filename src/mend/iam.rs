//! Roles and managed policies.

use std::fmt;

use aws_sdk_iam::Client;
use serde_json::Value;

use super::{known, text};
use crate::cloud::{Cloud, ServiceError, failed_to};
use crate::drift::{DeployedStack, Finding};

/// What IAM keeps of the versions of a policy.
const MOST_VERSIONS: usize = 5;

/// One change of a role or a managed policy.
#[derive(Debug, Clone, PartialEq)]
pub enum IamChange {
    /// Set who may become a role.
    Trust {
        /// The role's name.
        role: String,
        /// The policy document.
        document: Value,
    },
    /// Set a role's permissions boundary, or take it away.
    Boundary {
        /// The role's name.
        role: String,
        /// The boundary's ARN.
        boundary: Option<String>,
    },
    /// Put an inline policy of a role.
    InlinePolicy {
        /// The role's name.
        role: String,
        /// The policy's name.
        policy: String,
        /// The policy document.
        document: Value,
    },
    /// Delete an inline policy of a role.
    RemoveInlinePolicy {
        /// The role's name.
        role: String,
        /// The policy's name.
        policy: String,
    },
    /// Attach a managed policy.
    Attach {
        /// Who it is attached to.
        holder: Holder,
        /// The policy's ARN.
        policy: String,
    },
    /// Detach a managed policy from a role.
    Detach {
        /// The role's name.
        role: String,
        /// The policy's ARN.
        policy: String,
    },
    /// Make a version of a managed policy, and make it the default.
    Document {
        /// The policy's ARN.
        policy: String,
        /// The policy document.
        document: Value,
    },
}

/// Who a managed policy is attached to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// A role by name.
    Role(String),
    /// A group by name.
    Group(String),
    /// A user by name.
    User(String),
}

impl Holder {
    /// The holder that a finding names: `role/Administrator`.
    fn parse(words: &str) -> Option<Self> {
        let (kind, name) = words.split_once('/')?;
        Some(match kind {
            "role" => Self::Role(name.to_owned()),
            "group" => Self::Group(name.to_owned()),
            "user" => Self::User(name.to_owned()),
            _ => return None,
        })
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(name) => write!(formatter, "the role {name}"),
            Self::Group(name) => write!(formatter, "the group {name}"),
            Self::User(name) => write!(formatter, "the user {name}"),
        }
    }
}

impl fmt::Display for IamChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trust { role, .. } => {
                write!(formatter, "set the trust policy of the role {role} back")
            }
            Self::Boundary {
                role,
                boundary: Some(boundary),
            } => write!(
                formatter,
                "make {boundary} the permissions boundary of the role {role}"
            ),
            Self::Boundary {
                role,
                boundary: None,
            } => write!(
                formatter,
                "take the permissions boundary of the role {role} away"
            ),
            Self::InlinePolicy { role, policy, .. } => write!(
                formatter,
                "set the inline policy {policy} of the role {role} back"
            ),
            Self::RemoveInlinePolicy { role, policy } => write!(
                formatter,
                "delete the inline policy {policy} of the role {role}"
            ),
            Self::Attach { holder, policy } => write!(formatter, "attach {policy} to {holder}"),
            Self::Detach { role, policy } => {
                write!(formatter, "detach {policy} from the role {role}")
            }
            Self::Document { policy, .. } => write!(
                formatter,
                "make a version of {policy} as it was deployed, and make it the default"
            ),
        }
    }
}

/// What mends a finding of a role or a policy.
pub(super) fn change(finding: &Finding, stack: &DeployedStack) -> Option<IamChange> {
    let (_, resource) = stack.resource(&finding.resource)?;
    let name = resource.physical_id.clone();
    let properties = &resource.properties;
    Some(match (finding.check(), finding.detail()) {
        ("trust", _) => IamChange::Trust {
            role: name,
            document: known(&properties["AssumeRolePolicyDocument"])?,
        },
        ("boundary", _) => {
            let boundary = known(&properties["PermissionsBoundary"])?;
            IamChange::Boundary {
                role: name,
                boundary: text(&boundary),
            }
        }
        ("inline-policy", Some(policy)) => {
            let deployed = properties["Policies"]
                .as_array()
                .into_iter()
                .flatten()
                .find(|deployed| deployed["PolicyName"] == policy);
            match deployed {
                Some(deployed) => IamChange::InlinePolicy {
                    role: name,
                    policy: policy.to_owned(),
                    document: known(&deployed["PolicyDocument"])?,
                },
                None => IamChange::RemoveInlinePolicy {
                    role: name,
                    policy: policy.to_owned(),
                },
            }
        }
        ("attached-policy", Some(policy)) => {
            let policy = policy.to_owned();
            // What was removed is what is expected.
            if finding.expected.as_deref() == Some(policy.as_str()) {
                IamChange::Attach {
                    holder: Holder::Role(name),
                    policy,
                }
            } else {
                IamChange::Detach { role: name, policy }
            }
        }
        ("guard-detached", Some(holder)) => IamChange::Attach {
            holder: Holder::parse(holder)?,
            policy: name,
        },
        ("policy-document", _) => IamChange::Document {
            policy: name,
            document: known(&properties["PolicyDocument"])?,
        },
        _ => return None,
    })
}

impl IamChange {
    /// Makes the change.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached. Repeating is safe.
    pub async fn make(&self, cloud: &Cloud) -> Result<(), ServiceError> {
        let client = Client::new(cloud.config());
        let action = self.to_string();
        match self {
            Self::Trust { role, document } => client
                .update_assume_role_policy()
                .role_name(role)
                .policy_document(document.to_string())
                .send()
                .await
                .map_err(failed_to(action))
                .map(drop),
            Self::Boundary { role, boundary } => match boundary {
                Some(boundary) => client
                    .put_role_permissions_boundary()
                    .role_name(role)
                    .permissions_boundary(boundary)
                    .send()
                    .await
                    .map_err(failed_to(action))
                    .map(drop),
                None => client
                    .delete_role_permissions_boundary()
                    .role_name(role)
                    .send()
                    .await
                    .map_err(failed_to(action))
                    .map(drop),
            },
            Self::InlinePolicy {
                role,
                policy,
                document,
            } => client
                .put_role_policy()
                .role_name(role)
                .policy_name(policy)
                .policy_document(document.to_string())
                .send()
                .await
                .map_err(failed_to(action))
                .map(drop),
            Self::RemoveInlinePolicy { role, policy } => client
                .delete_role_policy()
                .role_name(role)
                .policy_name(policy)
                .send()
                .await
                .map_err(failed_to(action))
                .map(drop),
            Self::Attach { holder, policy } => attach(&client, holder, policy, action).await,
            Self::Detach { role, policy } => client
                .detach_role_policy()
                .role_name(role)
                .policy_arn(policy)
                .send()
                .await
                .map_err(failed_to(action))
                .map(drop),
            Self::Document { policy, document } => {
                make_room(&client, policy).await?;
                client
                    .create_policy_version()
                    .policy_arn(policy)
                    .policy_document(document.to_string())
                    .set_as_default(true)
                    .send()
                    .await
                    .map_err(failed_to(action))
                    .map(drop)
            }
        }
    }
}

async fn attach(
    client: &Client,
    holder: &Holder,
    policy: &str,
    action: String,
) -> Result<(), ServiceError> {
    match holder {
        Holder::Role(name) => client
            .attach_role_policy()
            .role_name(name)
            .policy_arn(policy)
            .send()
            .await
            .map_err(failed_to(action))
            .map(drop),
        Holder::Group(name) => client
            .attach_group_policy()
            .group_name(name)
            .policy_arn(policy)
            .send()
            .await
            .map_err(failed_to(action))
            .map(drop),
        Holder::User(name) => client
            .attach_user_policy()
            .user_name(name)
            .policy_arn(policy)
            .send()
            .await
            .map_err(failed_to(action))
            .map(drop),
    }
}

/// Deletes the oldest version of a policy that has as many as there can be.
async fn make_room(client: &Client, policy: &str) -> Result<(), ServiceError> {
    let versions = client
        .list_policy_versions()
        .policy_arn(policy)
        .send()
        .await
        .map_err(failed_to(format!("list the versions of {policy}")))?;
    let mut versions = versions.versions().to_vec();
    if versions.len() < MOST_VERSIONS {
        return Ok(());
    }
    versions.retain(|version| !version.is_default_version());
    versions.sort_by_key(|version| version.create_date().map(|date| date.secs()));
    let Some(oldest) = versions.first().and_then(|version| version.version_id()) else {
        return Ok(());
    };
    client
        .delete_policy_version()
        .policy_arn(policy)
        .version_id(oldest)
        .send()
        .await
        .map_err(failed_to(format!(
            "delete the version {oldest} of {policy}"
        )))
        .map(drop)
}
