//! What a task that is run by the clock is made of: its schedule, the repository of its image,
//! its configuration and its secrets.
//!
//! The task definition is none of it: a revision does not come back, and a new one is for
//! CloudFormation to make, which has the schedule start it. Nor is the image, which a
//! deployment pushes again.

use aws_json_client::{Method, Service};
use serde_json::{Map, Value, json};

use super::known;
use super::resource::{Call, call};
use crate::cloud::service::{ECR, SCHEDULER};

/// The schedule as it was deployed. `UpdateSchedule` takes it whole: what is not said is
/// taken away
/// (<https://docs.aws.amazon.com/scheduler/latest/APIReference/API_UpdateSchedule.html>).
pub(super) fn schedule(check: &str, name: &str, properties: &Value) -> Option<Vec<Call>> {
    let mut input: Map<String, Value> = known(properties)?.as_object()?.clone();
    input.remove("Name");
    // The one name that the service begins in lower case.
    let network = input
        .get_mut("Target")
        .and_then(|target| target.pointer_mut("/EcsParameters/NetworkConfiguration"))
        .and_then(Value::as_object_mut);
    if let Some(network) = network
        && let Some(configuration) = network.remove("AwsvpcConfiguration")
    {
        network.insert("awsvpcConfiguration".to_owned(), configuration);
    }
    let (operation, method) = match check {
        "deleted" => ("CreateSchedule", Method::Post),
        _ => ("UpdateSchedule", Method::Put),
    };
    let call = call(SCHEDULER, operation, Value::Object(input));
    Some(vec![call.at(method, &["schedules", name])])
}

/// A deleted repository is left to CloudFormation.
pub(super) fn repository(check: &str, name: &str, properties: &Value) -> Option<Vec<Call>> {
    let expected = known(&properties[check])?;
    let (operation, input) = match check {
        "ImageTagMutability" => (
            "PutImageTagMutability",
            json!({"repositoryName": name, "imageTagMutability": expected}),
        ),
        "ImageScanningConfiguration" => (
            "PutImageScanningConfiguration",
            json!({
                "repositoryName": name,
                "imageScanningConfiguration": {"scanOnPush": expected["ScanOnPush"]},
            }),
        ),
        "LifecyclePolicy" => (
            "PutLifecyclePolicy",
            json!({
                "repositoryName": name,
                "lifecyclePolicyText": expected["LifecyclePolicyText"].as_str()?,
            }),
        ),
        "RepositoryPolicyText" if expected.is_null() => {
            ("DeleteRepositoryPolicy", json!({"repositoryName": name}))
        }
        _ => return None,
    };
    Some(vec![call(ECR, operation, input)])
}

/// The type of a parameter that is there cannot be set.
pub(super) fn parameter(check: &str, name: &str, properties: &Value) -> Option<Vec<Call>> {
    if !matches!(check, "Value" | "deleted") {
        return None;
    }
    let mut input: Map<String, Value> = known(properties)?.as_object()?.clone();
    // The service takes tags in another form, and none with `Overwrite`.
    input.remove("Tags");
    input.insert("Name".to_owned(), json!(name));
    input.insert("Overwrite".to_owned(), json!(true));
    Some(vec![call(
        Service::SSM,
        "PutParameter",
        Value::Object(input),
    )])
}

/// What a secret held is known to nobody here, so one that is gone is left to a person.
pub(super) fn secret(check: &str, id: &str) -> Option<Vec<Call>> {
    let operation = match check {
        "deletion" => "RestoreSecret",
        "ResourcePolicy" => "DeleteResourcePolicy",
        _ => return None,
    };
    Some(vec![call(
        Service::SECRETS_MANAGER,
        operation,
        json!({"SecretId": id}),
    )])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(calls: Option<Vec<Call>>) -> Option<(&'static str, Value)> {
        let calls = calls?;
        let (operation, input) = calls.first()?.told();
        Some((operation, input.clone()))
    }

    #[test]
    fn a_schedule_is_put_whole_and_in_the_services_own_spelling() {
        let target = |network: &str| json!({"EcsParameters": {"NetworkConfiguration": {network: {"Subnets": ["a"]}}}});
        let properties =
            json!({"Name": "n", "State": "ENABLED", "Target": target("AwsvpcConfiguration")});
        let input = json!({"State": "ENABLED", "Target": target("awsvpcConfiguration")});
        for (check, operation) in [("State", "UpdateSchedule"), ("deleted", "CreateSchedule")] {
            assert_eq!(
                told(schedule(check, "n", &properties)),
                Some((operation, input.clone()))
            );
        }
    }

    #[test]
    fn a_repository_gets_its_settings_back_and_no_image() {
        let properties = json!({
            "ImageTagMutability": "IMMUTABLE",
            "ImageScanningConfiguration": {"ScanOnPush": true},
        });
        assert_eq!(
            told(repository("ImageScanningConfiguration", "r", &properties)),
            Some((
                "PutImageScanningConfiguration",
                json!({"repositoryName": "r", "imageScanningConfiguration": {"scanOnPush": true}})
            ))
        );
        assert_eq!(
            told(repository("RepositoryPolicyText", "r", &properties)),
            Some(("DeleteRepositoryPolicy", json!({"repositoryName": "r"})))
        );
        for check in ["image", "deleted"] {
            assert_eq!(repository(check, "r", &properties), None);
        }
    }

    #[test]
    fn a_parameter_is_overwritten_and_its_type_is_left_to_a_person() {
        let properties = json!({"Type": "String", "Value": "{}", "Tags": {"a": "b"}});
        let input = json!({"Name": "/p", "Type": "String", "Value": "{}", "Overwrite": true});
        assert_eq!(
            told(parameter("Value", "/p", &properties)),
            Some(("PutParameter", input))
        );
        assert_eq!(parameter("Type", "/p", &properties), None);
        let open = json!({"Value": {"Fn::GetAtt": ["Unknown", "Arn"]}});
        assert_eq!(parameter("Value", "/p", &open), None);
    }

    #[test]
    fn a_secret_is_restored_while_it_can_be() {
        assert_eq!(
            told(secret("deletion", "s")),
            Some(("RestoreSecret", json!({"SecretId": "s"})))
        );
        assert_eq!(secret("deleted", "s"), None);
    }
}
