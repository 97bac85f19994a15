//! Detector: users of Amazon Connect who are not as the identity provider wants them, and
//! security profiles that let people edit users round it.
//!
//! The directory table says what is wanted, and is read as the functions read it, with the
//! settings that were deployed, not those that a function has by now.

mod users;

pub(crate) use users::NOT_APPLIED;

use std::time::Duration;

use aws_json_client::{Client, Environment, Service};
use connect_directory::configuration::Configuration;
use connect_directory::connect::Connect;
use connect_directory::directory::Directory;
use connect_directory::mapping::IdentityManagement;
use connect_directory::store::Store;

use super::deployed::DeployedStack;
use super::finding::{Detector, Finding, Severity};
use crate::connect_instance::{Instance, Instances, SecurityProfile};

const CONNECT: Detector = Detector::Connect;

/// The function whose settings say how users are brought to Connect.
const FUNCTION: &str = "UserProvisioningFunction";

/// How often a call is tried: Connect takes two calls a second of each operation, and the
/// functions take their part of these.
const MAX_ATTEMPTS: u32 = 8;

/// How long a call may take with all its repetitions.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the environment asks of the instance.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The environment, as it is named on a command line.
    pub environment: String,
    /// The security profiles that may edit users.
    pub editing_profiles: Vec<String>,
    /// The minutes for which a user may wait for Connect.
    pub pending_max_minutes: u32,
}

/// Looks at the instance, its users and its security profiles.
pub(super) async fn detect(
    environment: &Environment,
    stack: &DeployedStack,
    policy: &Policy,
) -> Vec<Finding> {
    let (configuration, directory) = match directory(environment, stack) {
        Ok(deployed) => deployed,
        Err(reason) => {
            return vec![Finding::not_checked(
                CONNECT,
                "unreadable",
                FUNCTION,
                reason,
            )];
        }
    };
    let instance_id = configuration
        .instance_arn
        .rsplit('/')
        .next()
        .unwrap_or_default();
    let instances = Instances::new(environment);
    let (instance, profiles, users) = tokio::join!(
        instances.describe(instance_id),
        instances.security_profiles(instance_id),
        users::detect(&directory, policy),
    );
    let unreadable = |part: &str, error: &dyn std::fmt::Display| {
        Finding::not_checked(CONNECT, "unreadable", instance_id, error).part(part)
    };
    let mut findings = users;
    match instance {
        Ok(instance) => findings.extend(of_instance(
            &instance,
            configuration.settings.identity_management,
        )),
        Err(error) => findings.push(unreadable("instance", &error)),
    }
    match profiles {
        Ok(profiles) => findings.extend(of_profiles(&profiles, &policy.editing_profiles)),
        Err(error) => findings.push(unreadable("security-profiles", &error)),
    }
    findings
}

/// The directory with the settings that were deployed.
fn directory(
    environment: &Environment,
    stack: &DeployedStack,
) -> Result<(Configuration, Directory), String> {
    let function = stack
        .resources("AWS::Lambda::Function")
        .into_iter()
        .find(|function| function.logical_id == FUNCTION)
        .ok_or_else(|| format!("the stack has no function {FUNCTION}"))?;
    let variables = &function.properties["Environment"]["Variables"];
    let configuration = Configuration::read(|name| variables[name].as_str().map(str::to_owned))
        .map_err(|error| error.to_string())?;
    let client = |service| {
        Client::builder(service, environment)
            .max_attempts(MAX_ATTEMPTS)
            .operation_timeout(PATIENCE)
            .build()
    };
    let connect = Connect::new(client(Service::CONNECT), &configuration.instance_arn)
        .map_err(|error| error.to_string())?;
    let store = Store::new(client(Service::DYNAMODB), &configuration.directory_table);
    let directory = Directory::new(store, connect, None, configuration.settings.clone());
    Ok((configuration, directory))
}

fn of_instance(instance: &Instance, deployed: IdentityManagement) -> Option<Finding> {
    let expected = match deployed {
        IdentityManagement::Saml => "SAML",
        IdentityManagement::ConnectManaged => "CONNECT_MANAGED",
    };
    let actual = &instance.identity_management;
    (actual != expected).then(|| {
        Finding::drift(
            CONNECT,
            Severity::Medium,
            "IdentityManagementType",
            &instance.id,
            "the instance manages identities in another way than the stack was deployed for",
        )
        .expected(expected)
        .actual(actual)
        .cure("an instance keeps its way for ever: name the right instance, or correct `connect.identityManagement`, and deploy")
    })
}

fn of_profiles(profiles: &[SecurityProfile], allowed: &[String]) -> Vec<Finding> {
    let others = profiles
        .iter()
        .filter(|profile| !allowed.contains(&profile.name));
    others
        .filter_map(|profile| {
            let permissions: Vec<&str> = profile.editing_permissions().collect();
            if permissions.is_empty() {
                return None;
            }
            let finding = Finding::drift(
                CONNECT,
                Severity::High,
                "profile",
                &profile.name,
                format!(
                    "whoever has the security profile {} can edit users round the identity provider",
                    profile.name
                ),
            );
            Some(
                finding
                    .service_id(&profile.id)
                    .expected("no permission to edit users or security profiles")
                    .actual(permissions.join(", "))
                    .cure("take these permissions from the profile in Amazon Connect, or name it under `guardrails.editingProfiles`"),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::resource::tests::ids;

    #[test]
    fn profiles_that_edit_users_are_found_unless_they_may() {
        let profile = |name: &str, permissions: &[&str]| SecurityProfile {
            id: name.to_lowercase(),
            name: name.to_owned(),
            permissions: permissions.iter().map(|&name| name.to_owned()).collect(),
        };
        let profiles = [
            profile("Admin", &["SecurityProfiles.Edit", "Users.Create"]),
            profile("Agent", &["BasicAgentAccess", "Users.View"]),
            profile("Team Lead", &["Users.Edit", "Users.View"]),
        ];
        let findings = of_profiles(&profiles, &["Admin".to_owned()]);
        assert_eq!(ids(&findings), ["connect.profile:Team Lead"]);
        assert_eq!(findings[0].actual.as_deref(), Some("Users.Edit"));
    }

    #[test]
    fn an_instance_of_another_kind_is_found() {
        let instance = |kind: &str| Instance {
            id: "1111".to_owned(),
            alias: None,
            status: "ACTIVE".to_owned(),
            identity_management: kind.to_owned(),
        };
        assert_eq!(
            of_instance(&instance("SAML"), IdentityManagement::Saml),
            None
        );
        let found = of_instance(&instance("CONNECT_MANAGED"), IdentityManagement::Saml);
        assert_eq!(
            found.map(|finding| finding.id),
            Some("connect.IdentityManagementType:1111".to_owned())
        );
    }
}
