//! Detector: parameters that hold something else than what was deployed.
//!
//! A configuration is no secret, but it names servers and groups, and findings end up in
//! tickets: they say where it differs, and not what it says there.

use std::collections::BTreeSet;

use aws_json_client::{Client, Environment, Error, Service};
use serde_json::{Value, json};

use super::deployed::{DeployedStack, Resource, is_open};
use super::finding::{Detector, Finding, Severity};
use super::resource::{Check, unless_gone};

const PARAMETER: Detector = Detector::Parameter;

const CHECK: Check = Check {
    detector: PARAMETER,
    noun: "parameter",
    if_deleted: Severity::Medium,
    severity: |_| Severity::Medium,
    remake: "make it again with `aws ssm put-parameter`, as it was deployed: `connect-scim render` prints it",
    set_back: |name| {
        format!("delete it, and make it again with `aws ssm put-parameter --name {name}`")
    },
};

/// The code for a parameter that is not there.
const GONE: [&str; 1] = ["ParameterNotFound"];

/// Looks at every parameter of the stack.
pub(super) async fn detect(environment: &Environment, stack: &DeployedStack) -> Vec<Finding> {
    let client = Client::new(Service::SSM, environment);
    let parameters = stack.resources("AWS::SSM::Parameter");
    let checks = parameters
        .iter()
        .map(async |parameter| judge(parameter, read(&client, &parameter.physical_id).await));
    futures_util::future::join_all(checks).await.concat()
}

async fn read(client: &Client, name: &str) -> Result<Option<Value>, Error> {
    let answer = client.call("GetParameter", &json!({"Name": name})).await;
    let answer: Option<Value> = unless_gone(answer, &GONE)?;
    Ok(answer.map(|answer| answer["Parameter"].clone()))
}

fn judge(parameter: &Resource, live: Result<Option<Value>, Error>) -> Vec<Finding> {
    let value = match &live {
        Ok(Some(live)) => changed_value(parameter, &live["Value"]),
        Ok(None) | Err(_) => None,
    };
    let properties = live.map(|live| live.map(|live| json!({"Type": live["Type"]})));
    let mut findings = CHECK.outcome(parameter, properties);
    findings.extend(value);
    findings
}

fn changed_value(parameter: &Resource, live: &Value) -> Option<Finding> {
    let (id, name) = (&parameter.logical_id, &parameter.physical_id);
    let expected = &parameter.properties["Value"];
    if is_open(expected) {
        let reason = "what it should hold could not be worked out from the template";
        return Some(Finding::not_checked(PARAMETER, "Value", id, reason));
    }
    let places = differences(&json_of(expected), &json_of(live));
    if places.is_empty() {
        return None;
    }
    Some(
        Finding::drift(
            PARAMETER,
            Severity::High,
            "Value",
            id,
            format!("the parameter {name} was changed"),
        )
        .expected("as deployed (not shown)")
        .actual(format!("differs at {}", Vec::from_iter(places).join(", ")))
        .cure(format!(
            "put back with `aws ssm put-parameter --overwrite --name {name}` what `connect-scim render` prints; what should be so belongs into the environment file"
        )),
    )
}

fn json_of(text: &Value) -> Value {
    text.as_str()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_else(|| text.clone())
}

/// Where two values differ: `source.servers`. A list is one place.
fn differences(expected: &Value, actual: &Value) -> BTreeSet<String> {
    let (Value::Object(expected), Value::Object(actual)) = (expected, actual) else {
        let is_same = expected == actual;
        return (!is_same)
            .then(|| "the whole of it".to_owned())
            .into_iter()
            .collect();
    };
    let names: BTreeSet<&String> = expected.keys().chain(actual.keys()).collect();
    names
        .into_iter()
        .flat_map(|name| {
            let member = |of: &serde_json::Map<String, Value>| of.get(name).cloned();
            match (member(expected), member(actual)) {
                (Some(expected @ Value::Object(_)), Some(actual @ Value::Object(_))) => {
                    differences(&expected, &actual)
                        .into_iter()
                        .map(|rest| format!("{name}.{rest}"))
                        .collect()
                }
                (expected, actual) if expected == actual => Vec::new(),
                _ => vec![name.clone()],
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::resource::tests::{deployed, ids};
    use super::*;

    #[test]
    fn a_changed_configuration_is_told_by_its_place_alone() {
        let value = r#"{"owner": "corp", "source": {"servers": ["ldaps://a"], "users": {}}}"#;
        let parameter = deployed(json!({"Type": "String", "Value": value}));
        for (live, expected) in [
            (
                r#"{"source":{"users":{},"servers":["ldaps://a"]},"owner":"corp"}"#,
                None,
            ),
            (
                r#"{"owner": "canary", "source": {"servers": ["ldaps://canary"], "users": {}}}"#,
                Some("differs at owner, source.servers"),
            ),
            (
                r#"{"owner": "corp", "source": {"servers": ["ldaps://a"], "users": {"a": 1}, "b": 2}}"#,
                Some("differs at source.b, source.users.a"),
            ),
            ("canary", Some("differs at the whole of it")),
        ] {
            let live = json!({"Type": "String", "Value": live});
            let findings = judge(&parameter, Ok(Some(live)));
            let actual = findings
                .first()
                .and_then(|finding| finding.actual.as_deref());
            assert_eq!(actual, expected);
            assert!(!format!("{findings:?}").contains("canary"));
        }
    }

    #[test]
    fn the_type_is_compared_as_well_and_a_parameter_can_be_gone() {
        let parameter = deployed(json!({"Type": "String", "Value": "a"}));
        let live = json!({"Type": "SecureString", "Value": "a"});
        assert_eq!(
            ids(&judge(&parameter, Ok(Some(live)))),
            ["parameter.Type:R"]
        );
        assert_eq!(ids(&judge(&parameter, Ok(None))), ["parameter.deleted:R"]);
    }
}
