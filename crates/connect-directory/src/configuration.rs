//! What the template sets in the environment of the functions that use the directory,
//! and the directory made of it.

use std::{collections::BTreeMap, time::Duration};

use aws_json_client::{Client, Environment, Service, SharedHttpClient};
use connect_attributes::Attributes;

use crate::{
    connect::{Connect, InstanceArnError},
    directory::{Deprovision, Directory, GroupMapping, Rename, Settings},
    mapping::IdentityManagement,
    profiles::Defaults,
    queue::Queue,
    reconcile::Adopt,
    store::Store,
};

/// Where the directory and the instance are, and how users are brought there.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// The directory table's name.
    pub directory_table: String,
    /// The Connect instance's ARN.
    pub instance_arn: String,
    /// The URL of the queue to the reconciler, where there is one.
    pub reconcile_queue_url: Option<String>,
    /// How users are brought to Connect.
    pub settings: Settings,
}

/// An environment variable that the function cannot work with.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigurationError {
    /// It is missing.
    #[error("the environment variable {0} is not set; deploy the stack again")]
    Missing(&'static str),
    /// It is not in the form that the deployer writes.
    #[error(
        "the environment variable ATTRIBUTE_MAPPING is not understood: {0}; deploy the stack again"
    )]
    AttributeMapping(String),
    /// It is not in the form that the deployer writes.
    #[error(
        "the environment variable GROUP_MAPPING is not understood: {0}; deploy the stack again"
    )]
    GroupMapping(String),
    /// It has another value than those that are known.
    #[error("the environment variable {name} must be one of {expected}; deploy the stack again")]
    Unknown {
        /// The variable.
        name: &'static str,
        /// The values that are known.
        expected: &'static str,
    },
}

impl Configuration {
    /// Reads the variables; an empty value counts as absent.
    ///
    /// # Errors
    /// When a variable is missing or unknown.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigurationError> {
        let find = |name: &str| variable(name).filter(|value| !value.is_empty());
        let require = |name: &'static str| find(name).ok_or(ConfigurationError::Missing(name));

        let identity_management = choose(
            "IDENTITY_MANAGEMENT",
            &require("IDENTITY_MANAGEMENT")?,
            "SAML, CONNECT_MANAGED",
            &[
                ("SAML", IdentityManagement::Saml),
                ("CONNECT_MANAGED", IdentityManagement::ConnectManaged),
            ],
        )?;
        let deprovision = choose(
            "DEPROVISION",
            &require("DEPROVISION")?,
            "delete, suspend",
            &[
                ("delete", Deprovision::Delete),
                ("suspend", Deprovision::Suspend),
            ],
        )?;
        let rename = choose(
            "RENAME",
            &require("RENAME")?,
            "reject, recreate",
            &[("reject", Rename::Reject), ("recreate", Rename::Recreate)],
        )?;
        let adopt = choose(
            "ADOPT",
            &require("ADOPT")?,
            "never, matching, always",
            &[
                ("never", Adopt::Never),
                ("matching", Adopt::Matching),
                ("always", Adopt::Always),
            ],
        )?;
        let attributes = match find("ATTRIBUTE_MAPPING") {
            None => Attributes::default(),
            Some(written) => serde_json::from_str(&written)
                .map_err(|error| ConfigurationError::AttributeMapping(error.to_string()))?,
        };
        let groups = match find("GROUP_MAPPING") {
            None => BTreeMap::new(),
            Some(written) => serde_json::from_str(&written)
                .map_err(|error| ConfigurationError::GroupMapping(error.to_string()))?,
        };
        let unmapped_groups = find("UNMAPPED_GROUPS").unwrap_or_else(|| "reject".to_owned());
        let accepts_unmapped = choose(
            "UNMAPPED_GROUPS",
            &unmapped_groups,
            "reject, accept",
            &[("reject", false), ("accept", true)],
        )?;
        let suspended_security_profile = match deprovision {
            Deprovision::Suspend => Some(require("SUSPENDED_SECURITY_PROFILE")?),
            Deprovision::Delete => None,
        };
        Ok(Self {
            directory_table: require("DIRECTORY_TABLE")?,
            instance_arn: require("CONNECT_INSTANCE_ARN")?,
            reconcile_queue_url: find("RECONCILE_QUEUE_URL"),
            settings: Settings {
                identity_management,
                attributes,
                groups: GroupMapping::new(groups, accepts_unmapped),
                defaults: Defaults {
                    security_profile: require("DEFAULT_SECURITY_PROFILE")?,
                    routing_profile: require("DEFAULT_ROUTING_PROFILE")?,
                    suspended_security_profile,
                },
                deprovision,
                rename,
                adopt,
            },
        })
    }
}

impl Configuration {
    /// The directory. Opens no connection.
    ///
    /// # Errors
    /// When the instance's ARN is not one.
    pub fn directory(&self, environment: &Environment) -> Result<Directory, InstanceArnError> {
        let http_client = Client::new(Service::DYNAMODB, environment).http_client();
        self.directory_over(environment, http_client)
    }

    /// The directory, whose calls all go through this HTTP client.
    ///
    /// Requests wait for DynamoDB, so its retries are quick; Connect allows two calls per
    /// second, so its are slower.
    ///
    /// # Errors
    /// When the instance's ARN is not one.
    pub fn directory_over(
        &self,
        environment: &Environment,
        http_client: SharedHttpClient,
    ) -> Result<Directory, InstanceArnError> {
        let dynamodb = Client::builder(Service::DYNAMODB, environment)
            .http_client(http_client.clone())
            .initial_backoff(Duration::from_millis(50))
            .max_attempts(4)
            .connect_timeout(Duration::from_secs(1))
            .attempt_timeout(Duration::from_secs(2))
            .operation_timeout(Duration::from_secs(6))
            .build();
        let connect = Client::builder(Service::CONNECT, environment)
            .http_client(http_client.clone())
            .initial_backoff(Duration::from_millis(500))
            .build();
        let queue = self.reconcile_queue_url.as_ref().map(|url| {
            let sqs = Client::builder(Service::SQS, environment)
                .http_client(http_client)
                .initial_backoff(Duration::from_millis(50))
                .connect_timeout(Duration::from_secs(1))
                .attempt_timeout(Duration::from_secs(1))
                .operation_timeout(Duration::from_secs(2))
                .build();
            Queue::new(sqs, url)
        });
        Ok(Directory::new(
            Store::new(dynamodb, &self.directory_table),
            Connect::new(connect, &self.instance_arn)?,
            queue,
            self.settings.clone(),
        ))
    }
}

fn choose<T: Copy>(
    name: &'static str,
    value: &str,
    expected: &'static str,
    known: &[(&str, T)],
) -> Result<T, ConfigurationError> {
    known
        .iter()
        .find(|(candidate, _)| *candidate == value)
        .map(|(_, meaning)| *meaning)
        .ok_or(ConfigurationError::Unknown { name, expected })
}
