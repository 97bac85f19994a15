//! What a person's commands ask Amazon Connect about its instances. What the endpoint does
//! with users is in the crate `connect-directory`.

use std::time::Duration;

use aws_json_client::{Client, Environment, Error, Method, Request, Service};
use serde::{Deserialize, Serialize};

use crate::cloud::service::SERVICE_QUOTAS;

/// How often a call is tried: Connect takes two a second of each operation.
const MAX_ATTEMPTS: u32 = 6;

/// How long a call may take with all its repetitions.
const PATIENCE: Duration = Duration::from_secs(60);

/// The largest page of `ListUsers`, and of security profiles and their permissions.
const LIST_PAGE: &str = "1000";

/// The largest page of `ListInstances`.
const INSTANCE_PAGE: &str = "10";

/// The name under which Service Quotas has the limit.
const USER_QUOTA: &str = "Users per instance";

/// An instance of Amazon Connect.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Instance {
    /// Its id, a UUID.
    pub id: String,
    /// The name in its URL.
    #[serde(rename = "InstanceAlias")]
    pub alias: Option<String>,
    /// `ACTIVE`, or why not.
    #[serde(rename = "InstanceStatus", default)]
    pub status: String,
    /// `SAML`, `CONNECT_MANAGED` or `EXISTING_DIRECTORY`.
    #[serde(rename = "IdentityManagementType", default)]
    pub identity_management: String,
}

/// A security profile, and what it lets its holders do in Connect's admin website.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityProfile {
    /// Its id, a UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its permissions, such as `Users.Edit`, sorted.
    pub permissions: Vec<String>,
}

impl SecurityProfile {
    /// The permissions that edit users, or the profiles that say what users may do. IAM does
    /// not govern them: whoever signs in to the admin website has them.
    /// <https://docs.aws.amazon.com/connect/latest/adminguide/security-profile-list.html>
    pub fn editing_permissions(&self) -> impl Iterator<Item = &str> {
        const USERS: [&str; 4] = [
            "Users.Create",
            "Users.Delete",
            "Users.Edit",
            "Users.EditPermission",
        ];
        self.permissions.iter().map(String::as_str).filter(|name| {
            let profiles = name.strip_prefix("SecurityProfiles.");
            USERS.contains(name) || profiles.is_some_and(|verb| verb != "View")
        })
    }
}

/// The instances of one account and region.
#[derive(Debug, Clone)]
pub struct Instances {
    connect: Client,
    quotas: Client,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    instance: Instance,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InstancePage {
    #[serde(default)]
    instance_summary_list: Vec<Instance>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UserPage {
    #[serde(default)]
    user_summary_list: Vec<Ignored>,
    next_token: Option<String>,
}

/// A member that nobody reads.
#[derive(Deserialize)]
struct Ignored {}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SecurityProfilePage {
    #[serde(default)]
    security_profile_summary_list: Vec<SecurityProfileSummary>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SecurityProfileSummary {
    id: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PermissionPage {
    #[serde(default)]
    permissions: Vec<String>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListServiceQuotas {
    service_code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct QuotaPage {
    #[serde(default)]
    quotas: Vec<Quota>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Quota {
    quota_name: String,
    value: f64,
}

impl Instances {
    /// The instances that `environment` leads to.
    #[must_use]
    pub fn new(environment: &Environment) -> Self {
        Self {
            connect: Client::builder(Service::CONNECT, environment)
                .max_attempts(MAX_ATTEMPTS)
                .operation_timeout(PATIENCE)
                .build(),
            quotas: Client::new(SERVICE_QUOTAS, environment),
        }
    }

    /// `DescribeInstance`.
    ///
    /// # Errors
    /// Refused with `ResourceNotFoundException` when there is no such instance.
    pub async fn describe(&self, id: &str) -> Result<Instance, Error> {
        let request = Request::rest("DescribeInstance", Method::Get, &["instance", id]);
        let described: Described = self.connect.send(request).await?.json()?;
        Ok(described.instance)
    }

    /// `ListInstances`, all pages.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn list(&self) -> Result<Vec<Instance>, Error> {
        let mut instances = Vec::new();
        let mut next_token: Option<String> = None;
        loop {
            let request = Request::rest("ListInstances", Method::Get, &["instance"]);
            let request = page(request, INSTANCE_PAGE, next_token.as_deref());
            let mut answer: InstancePage = self.connect.send(request).await?.json()?;
            instances.append(&mut answer.instance_summary_list);
            next_token = answer.next_token;
            if next_token.is_none() {
                return Ok(instances);
            }
        }
    }

    /// How many users an instance has.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn count_users(&self, id: &str) -> Result<u64, Error> {
        let mut count = 0;
        let mut next_token: Option<String> = None;
        loop {
            let request = Request::rest("ListUsers", Method::Get, &["users-summary", id]);
            let request = page(request, LIST_PAGE, next_token.as_deref());
            let answer: UserPage = self.connect.send(request).await?.json()?;
            count += answer.user_summary_list.len() as u64;
            next_token = answer.next_token;
            if next_token.is_none() {
                return Ok(count);
            }
        }
    }

    /// The security profiles of an instance with their permissions, by name: a call for each
    /// profile, of which Connect takes two a second.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn security_profiles(&self, id: &str) -> Result<Vec<SecurityProfile>, Error> {
        let mut profiles = Vec::new();
        let mut next_token: Option<String> = None;
        loop {
            let path = ["security-profiles-summary", id];
            let request = Request::rest("ListSecurityProfiles", Method::Get, &path);
            let request = page(request, LIST_PAGE, next_token.as_deref());
            let answer: SecurityProfilePage = self.connect.send(request).await?.json()?;
            for summary in answer.security_profile_summary_list {
                profiles.push(SecurityProfile {
                    permissions: self.permissions(id, &summary.id).await?,
                    id: summary.id,
                    name: summary.name,
                });
            }
            next_token = answer.next_token;
            if next_token.is_none() {
                profiles.sort_by(|one, other| one.name.cmp(&other.name));
                return Ok(profiles);
            }
        }
    }

    async fn permissions(&self, id: &str, profile_id: &str) -> Result<Vec<String>, Error> {
        let mut permissions = Vec::new();
        let mut next_token: Option<String> = None;
        loop {
            let path = ["security-profiles-permissions", id, profile_id];
            let request = Request::rest("ListSecurityProfilePermissions", Method::Get, &path);
            let request = page(request, LIST_PAGE, next_token.as_deref());
            let mut answer: PermissionPage = self.connect.send(request).await?.json()?;
            permissions.append(&mut answer.permissions);
            next_token = answer.next_token;
            if next_token.is_none() {
                permissions.sort();
                return Ok(permissions);
            }
        }
    }

    /// How many users an instance of the account takes, as Service Quotas has it.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn user_quota(&self) -> Result<Option<u64>, Error> {
        let mut next_token: Option<String> = None;
        loop {
            let input = ListServiceQuotas {
                service_code: "connect",
                next_token,
            };
            let answer: QuotaPage = self.quotas.call("ListServiceQuotas", &input).await?;
            let found = answer
                .quotas
                .iter()
                .find(|quota| quota.quota_name == USER_QUOTA);
            if let Some(quota) = found {
                return Ok(Some(quota.value as u64));
            }
            next_token = answer.next_token;
            if next_token.is_none() {
                return Ok(None);
            }
        }
    }
}

fn page(request: Request, size: &str, next_token: Option<&str>) -> Request {
    let request = request.query("maxResults", size);
    match next_token {
        Some(token) => request.query("nextToken", token),
        None => request,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_permissions_that_change_users_or_profiles_are_editing_ones() {
        let profile = SecurityProfile {
            id: "1".to_owned(),
            name: "Manager".to_owned(),
            permissions: [
                "AccessMetrics",
                "SecurityProfiles.Delete",
                "SecurityProfiles.View",
                "Users.EditPermission",
                "Users.View",
            ]
            .map(str::to_owned)
            .to_vec(),
        };
        let editing: Vec<_> = profile.editing_permissions().collect();
        assert_eq!(editing, ["SecurityProfiles.Delete", "Users.EditPermission"]);
    }
}
