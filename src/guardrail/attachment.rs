//! To whom the guardrail is attached, against the environment.
//!
//! A deployment attaches the policy as well, but only what changed in the template: somebody
//! who detached it since is not noticed by CloudFormation. And no template can make a
//! policy the boundary of a role that another one made.

use std::collections::BTreeSet;

use aws_sdk_iam::Client;
use aws_sdk_iam::types::PolicyUsageType;

use super::deployed::Deployed;
use crate::cloud::{Cloud, ServiceError, failed_to};
use crate::environment::{Environment, IamName};

/// What a policy is to a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Attached to a role.
    Role,
    /// Attached to a group.
    Group,
    /// Attached to a user.
    User,
    /// The permissions boundary of a role.
    RoleBoundary,
    /// The permissions boundary of a user.
    UserBoundary,
}

/// One principal that the policy belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attachment {
    /// How.
    pub kind: Kind,
    /// The principal's name.
    pub name: String,
}

/// What an environment wants and what is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attachments {
    /// Everything that the environment names.
    pub wanted: BTreeSet<Attachment>,
    /// What of it is missing.
    pub missing: BTreeSet<Attachment>,
}

impl Attachment {
    /// `attach the guardrail to the role Admin`.
    #[must_use]
    pub fn describe(&self) -> String {
        let name = &self.name;
        match self.kind {
            Kind::Role => format!("attach the guardrail to the role {name}"),
            Kind::Group => format!("attach the guardrail to the group {name}"),
            Kind::User => format!("attach the guardrail to the user {name}"),
            Kind::RoleBoundary => {
                format!("make the guardrail the permissions boundary of the role {name}")
            }
            Kind::UserBoundary => {
                format!("make the guardrail the permissions boundary of the user {name}")
            }
        }
    }
}

impl Kind {
    /// Whether the policy is the principal's permissions boundary.
    #[must_use]
    pub const fn is_boundary(self) -> bool {
        matches!(self, Self::RoleBoundary | Self::UserBoundary)
    }
}

impl Attachments {
    /// Compares an environment with what is attached to the deployed policies.
    ///
    /// # Errors
    /// When IAM refuses or cannot be reached.
    pub async fn read(
        cloud: &Cloud,
        environment: &Environment,
        deployed: &Deployed,
    ) -> Result<Self, ServiceError> {
        let client = Client::new(cloud.config());
        let mut present = holders(
            &client,
            &deployed.policy,
            PolicyUsageType::PermissionsPolicy,
        )
        .await?;
        if let Some(boundary) = &deployed.boundary {
            present.extend(holders(&client, boundary, PolicyUsageType::PermissionsBoundary).await?);
        }
        let wanted = wanted(environment);
        Ok(Self {
            missing: wanted.difference(&present).cloned().collect(),
            wanted,
        })
    }
}

/// Everything that an environment names.
#[must_use]
pub fn wanted(environment: &Environment) -> BTreeSet<Attachment> {
    let guardrails = &environment.guardrails;
    let of = |kind: Kind, names: &[IamName]| -> Vec<Attachment> {
        let attachment = |name: &IamName| Attachment {
            kind,
            name: name.to_string(),
        };
        names.iter().map(attachment).collect()
    };
    [
        of(Kind::Role, &guardrails.attach_to.roles),
        of(Kind::Group, &guardrails.attach_to.groups),
        of(Kind::User, &guardrails.attach_to.users),
        of(Kind::RoleBoundary, &guardrails.boundary_of.roles),
        of(Kind::UserBoundary, &guardrails.boundary_of.users),
    ]
    .concat()
    .into_iter()
    .collect()
}

/// Everybody to whom a policy belongs in one way: `ListEntitiesForPolicy`, all pages.
async fn holders(
    client: &Client,
    policy: &str,
    usage: PolicyUsageType,
) -> Result<BTreeSet<Attachment>, ServiceError> {
    let (of_role, of_user) = match usage {
        PolicyUsageType::PermissionsBoundary => (Kind::RoleBoundary, Kind::UserBoundary),
        _ => (Kind::Role, Kind::User),
    };
    let mut found = BTreeSet::new();
    let mut pages = client
        .list_entities_for_policy()
        .policy_arn(policy)
        .policy_usage_filter(usage)
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(failed_to(format!("list to whom {policy} is attached")))?;
        let mut add = |kind, name: Option<&str>| {
            found.extend(name.map(|name| Attachment {
                kind,
                name: name.to_owned(),
            }));
        };
        page.policy_roles()
            .iter()
            .for_each(|role| add(of_role, role.role_name()));
        page.policy_users()
            .iter()
            .for_each(|user| add(of_user, user.user_name()));
        page.policy_groups()
            .iter()
            .for_each(|group| add(Kind::Group, group.group_name()));
    }
    Ok(found)
}

impl Attachment {
    /// The permissions boundary that the principal has.
    ///
    /// # Errors
    /// When there is no such principal, or IAM refuses or cannot be reached.
    pub async fn boundary(&self, cloud: &Cloud) -> Result<Option<String>, ServiceError> {
        let client = Client::new(cloud.config());
        let action = || format!("look at the permissions boundary of {}", self.name);
        let boundary = match self.kind {
            Kind::RoleBoundary => {
                let answer = client.get_role().role_name(&self.name).send().await;
                let role = answer.map_err(failed_to(action()))?.role;
                role.and_then(|role| role.permissions_boundary)
            }
            Kind::UserBoundary => {
                let answer = client.get_user().user_name(&self.name).send().await;
                let user = answer.map_err(failed_to(action()))?.user;
                user.and_then(|user| user.permissions_boundary)
            }
            Kind::Role | Kind::Group | Kind::User => None,
        };
        Ok(boundary.and_then(|boundary| boundary.permissions_boundary_arn))
    }

    /// Makes it so.
    ///
    /// # Errors
    /// When there is no such principal, or IAM refuses or cannot be reached.
    pub async fn make(&self, cloud: &Cloud, deployed: &Deployed) -> Result<(), ServiceError> {
        let client = Client::new(cloud.config());
        let (name, policy) = (&self.name, &deployed.policy);
        let boundary = deployed.boundary.as_deref().unwrap_or_default();
        let action = self.describe();
        match self.kind {
            Kind::Role => client
                .attach_role_policy()
                .role_name(name)
                .policy_arn(policy)
                .send()
                .await
                .map(drop)
                .map_err(failed_to(action)),
            Kind::Group => client
                .attach_group_policy()
                .group_name(name)
                .policy_arn(policy)
                .send()
                .await
                .map(drop)
                .map_err(failed_to(action)),
            Kind::User => client
                .attach_user_policy()
                .user_name(name)
                .policy_arn(policy)
                .send()
                .await
                .map(drop)
                .map_err(failed_to(action)),
            Kind::RoleBoundary => client
                .put_role_permissions_boundary()
                .role_name(name)
                .permissions_boundary(boundary)
                .send()
                .await
                .map(drop)
                .map_err(failed_to(action)),
            Kind::UserBoundary => client
                .put_user_permissions_boundary()
                .user_name(name)
                .permissions_boundary(boundary)
                .send()
                .await
                .map(drop)
                .map_err(failed_to(action)),
        }
    }
}
