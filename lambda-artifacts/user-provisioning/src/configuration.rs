//! What the template sets in the function's environment.

use connect_directory::{
    directory::{Deprovision, Rename, Settings},
    mapping::IdentityManagement,
    profiles::Defaults,
    reconcile::Adopt,
};

/// The function's configuration.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// The directory table's name.
    pub directory_table: String,
    /// The Connect instance's ARN.
    pub instance_arn: String,
    /// The URL of the API without the SCIM path; `{apiId}` and `{stage}` are replaced.
    pub scim_base_url: Option<String>,
    /// How users are brought to Connect.
    pub settings: Settings,
}

/// An environment variable that the function cannot work with.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigurationError {
    /// It is missing.
    #[error("the environment variable {0} is not set; deploy the stack again")]
    Missing(&'static str),
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
        let suspended_security_profile = match deprovision {
            Deprovision::Suspend => Some(require("SUSPENDED_SECURITY_PROFILE")?),
            Deprovision::Delete => None,
        };
        Ok(Self {
            directory_table: require("DIRECTORY_TABLE")?,
            instance_arn: require("CONNECT_INSTANCE_ARN")?,
            scim_base_url: find("SCIM_BASE_URL"),
            settings: Settings {
                identity_management,
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
