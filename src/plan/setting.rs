//! Settings of an endpoint that decide about users. A deployment changes them for later
//! requests; existing users get them when they are reconciled.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Notice, Severity};

/// The function whose variables are the settings.
const FUNCTION: &str = "UserProvisioningFunction";

const GROUP_MAPPING: &str = "GROUP_MAPPING";

/// The variables that decide about users, and the keys of the environment file that set them.
const SETTINGS: [(&str, &str); 8] = [
    ("CONNECT_INSTANCE_ARN", "connect.instanceId"),
    ("DEFAULT_SECURITY_PROFILE", "connect.defaultSecurityProfile"),
    ("DEFAULT_ROUTING_PROFILE", "connect.defaultRoutingProfile"),
    ("DEPROVISION", "provisioning.deprovision"),
    (
        "SUSPENDED_SECURITY_PROFILE",
        "provisioning.suspendedSecurityProfile",
    ),
    ("RENAME", "provisioning.rename"),
    ("ATTRIBUTE_MAPPING", "provisioning.attributes"),
    (GROUP_MAPPING, "provisioning.groups"),
];

/// The keys of the environment file whose change does not reach existing users by a
/// deployment; empty if an endpoint is created, deleted, or keeps them. The templates are in
/// canonical form.
#[must_use]
pub fn settings_of_users(before: &Value, after: &Value) -> Vec<&'static str> {
    let (Some(before), Some(after)) = (variables(before), variables(after)) else {
        return Vec::new();
    };
    SETTINGS
        .iter()
        .filter(|(variable, _)| before.get(variable) != after.get(variable))
        .map(|(_, key)| *key)
        .collect()
}

/// What to know about changed settings.
pub(super) fn notices(environment: &str, before: &Value, after: &Value) -> Vec<Notice> {
    let keys = settings_of_users(before, after);
    if keys.is_empty() {
        return Vec::new();
    }
    let mut notices = vec![Notice {
        severity: Severity::Warning,
        subject: keys.join(", "),
        text: format!(
            "{} not reach existing users by the deployment; afterwards, run `connect-scim users reconcile --all --env {environment}`",
            if keys.len() == 1 { "does" } else { "do" },
        ),
    }];
    let changed = changed_groups(before, after);
    let (before, after) = (groups(before), groups(after));
    for name in changed {
        let none = BTreeSet::new();
        let old = before.get(&name).unwrap_or(&none);
        let new = after.get(&name).unwrap_or(&none);
        let gained: Vec<&str> = new.difference(old).map(String::as_str).collect();
        let lost: Vec<&str> = old.difference(new).map(String::as_str).collect();
        let mut words = Vec::new();
        if !gained.is_empty() {
            words.push(format!("grants {}", gained.join(", ")));
        }
        if !lost.is_empty() {
            words.push(format!("no longer grants {}", lost.join(", ")));
        }
        notices.push(Notice {
            severity: Severity::Warning,
            subject: format!("group {name}"),
            text: format!("{}, once its members are reconciled", words.join(" and ")),
        });
    }
    notices
}

/// The names of the groups that are mapped to other security profiles than before.
#[must_use]
pub fn changed_groups(before: &Value, after: &Value) -> BTreeSet<String> {
    let (before, after) = (groups(before), groups(after));
    let names = before.keys().chain(after.keys());
    names
        .filter(|name| before.get(*name) != after.get(*name))
        .cloned()
        .collect()
}

fn variables(template: &Value) -> Option<&Value> {
    Some(&template["Resources"].get(FUNCTION)?["Properties"]["Environment"]["Variables"])
}

/// The security profiles of each mapped group.
fn groups(template: &Value) -> BTreeMap<String, BTreeSet<String>> {
    variables(template)
        .and_then(|variables| variables[GROUP_MAPPING].as_str())
        .and_then(|mapping| serde_json::from_str(mapping).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template(variables: Value) -> Value {
        json!({"Resources": {FUNCTION: {"Properties": {"Environment": {"Variables": variables}}}}})
    }

    fn texts(before: Value, after: Value) -> Vec<String> {
        notices("prod", &template(before), &template(after))
            .into_iter()
            .map(|notice| format!("{} {}", notice.subject, notice.text))
            .collect()
    }

    #[test]
    fn each_setting_that_decides_about_users_is_named_with_the_command_that_applies_it() {
        for (variable, key) in SETTINGS {
            assert_eq!(
                settings_of_users(&template(json!({})), &template(json!({variable: "{}"}))),
                [key]
            );
        }
        assert_eq!(
            texts(
                json!({"DEFAULT_SECURITY_PROFILE": "Agent", "RENAME": "reject", "LOG_LEVEL": "info"}),
                json!({"DEFAULT_SECURITY_PROFILE": "Basic", "RENAME": "recreate", "LOG_LEVEL": "debug"}),
            ),
            [
                "connect.defaultSecurityProfile, provisioning.rename do not reach existing users by the deployment; afterwards, run `connect-scim users reconcile --all --env prod`"
            ]
        );
        assert_eq!(texts(json!({"LOG_LEVEL": "info"}), json!({})), [""; 0]);
    }

    #[test]
    fn a_changed_group_mapping_is_reported_by_what_members_gain_and_lose() {
        let mapping = |mapping: Value| json!({GROUP_MAPPING: mapping.to_string()});
        let texts = texts(
            mapping(json!({"Agents": ["Agent"], "Leads": ["Agent", "Admin"], "Same": ["Agent"]})),
            mapping(
                json!({"Leads": ["Agent", "CallCenterManager"], "New": ["Agent"], "Same": ["Agent"]}),
            ),
        );
        assert_eq!(
            texts[1..],
            [
                "group Agents no longer grants Agent, once its members are reconciled",
                "group Leads grants CallCenterManager and no longer grants Admin, once its members are reconciled",
                "group New grants Agent, once its members are reconciled",
            ]
        );
    }

    #[test]
    fn a_stack_that_is_created_has_no_existing_users() {
        let after = template(json!({"DEPROVISION": "delete"}));
        assert_eq!(notices("prod", &Value::Null, &after), []);
    }
}
