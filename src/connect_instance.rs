//! What a person's commands ask Amazon Connect about its instances. What the endpoint does
//! with users is in the crate `connect-directory`.

use aws_json_client::{Client, Environment, Error, Method, Protocol, Request, Service};
use serde::{Deserialize, Serialize};

/// The largest page of `ListUsers`.
const LIST_PAGE: &str = "1000";

/// The largest page of `ListInstances`.
const INSTANCE_PAGE: &str = "10";

/// Service Quotas.
const SERVICE_QUOTAS: Service = Service {
    id: "SERVICE_QUOTAS",
    endpoint_prefix: "servicequotas",
    signing_name: "servicequotas",
    api_version: "2019-06-24",
    protocol: Protocol::AwsJson {
        version: "1.1",
        target_prefix: "ServiceQuotasV20190624",
    },
};

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
            connect: Client::new(Service::CONNECT, environment),
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
