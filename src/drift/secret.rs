//! Detector: secrets that are gone or about to go, that others may read, or that somebody has
//! rotated or copied.
//!
//! Nothing here reads what a secret holds: whoever may not can run it.

use aws_json_client::{Client, Environment, Error, Service};
use serde_json::{Value, json};

use super::deployed::{DeployedStack, Resource};
use super::finding::{Detector, Finding, Severity};
use super::resource::{Check, unless_gone};

const SECRET: Detector = Detector::Secret;

const CHECK: Check = Check {
    detector: SECRET,
    noun: "secret",
    if_deleted: Severity::Medium,
    severity: |_| Severity::High,
    remake: "make it again under the same name with `aws secretsmanager create-secret`, and hand over what it held with `connect-scim sync secret set`",
    set_back: |id| {
        format!(
            "find out who could read it, then `delete-resource-policy`, `cancel-rotate-secret`, `remove-regions-from-replication` or `update-secret --kms-key-id` of `aws secretsmanager`, all of `--secret-id {id}`"
        )
    },
};

/// The code for a secret that is not there.
const GONE: [&str; 1] = ["ResourceNotFoundException"];

/// The key of a secret for which none is named; told of one that somebody gave it again.
const DEFAULT_KEY: &str = "alias/aws/secretsmanager";

/// What Secrets Manager tells of one secret.
#[derive(Debug, Clone, PartialEq)]
struct Live {
    /// In the form of the template's properties, as far as it has them.
    properties: Value,
    /// Whether somebody has deleted it, which takes days.
    is_being_deleted: bool,
    /// Whether it was never given a value.
    is_empty: bool,
}

/// Looks at every secret of the stack. What was never filled is no drift, because the
/// template makes secrets without a value: it is a note.
pub(super) async fn detect(
    environment: &Environment,
    stack: &DeployedStack,
) -> (Vec<Finding>, Vec<String>) {
    let client = Client::new(Service::SECRETS_MANAGER, environment);
    let secrets = stack.resources("AWS::SecretsManager::Secret");
    let checks = secrets
        .iter()
        .map(async |secret| judge(secret, read(&client, &secret.physical_id).await));
    let judged = futures_util::future::join_all(checks).await;
    let (findings, notes): (Vec<_>, Vec<_>) = judged.into_iter().unzip();
    (findings.concat(), notes.into_iter().flatten().collect())
}

fn judge(secret: &Resource, live: Result<Option<Live>, Error>) -> (Vec<Finding>, Option<String>) {
    let (id, physical_id) = (&secret.logical_id, &secret.physical_id);
    let live = match live {
        Ok(Some(live)) if live.is_being_deleted => {
            let finding = Finding::drift(
                SECRET,
                Severity::Medium,
                "deletion",
                id,
                format!("the secret {physical_id} is about to be deleted, and cannot be read until it is restored"),
            )
            .expected("(not deleted)")
            .actual("scheduled for deletion")
            .cure(format!(
                "`aws secretsmanager restore-secret --secret-id {physical_id}`"
            ));
            return (vec![finding], None);
        }
        live => live,
    };
    let note = match &live {
        Ok(Some(live)) if live.is_empty => Some(format!(
            "the secret {id} holds nothing yet, and no run can start without it: `connect-scim sync secret set` hands it over"
        )),
        _ => None,
    };
    let properties = live.map(|live| live.map(|live| live.properties));
    (CHECK.outcome(secret, properties), note)
}

async fn read(client: &Client, id: &str) -> Result<Option<Live>, Error> {
    let input = json!({"SecretId": id});
    let secret: Option<Value> = unless_gone(client.call("DescribeSecret", &input).await, &GONE)?;
    let Some(secret) = secret else {
        return Ok(None);
    };
    let policy: Option<Value> = unless_gone(client.call("GetResourcePolicy", &input).await, &GONE)?;
    let policy = policy.map(|answer| answer["ResourcePolicy"].clone());
    Ok(Some(live(&secret, policy.unwrap_or_default())))
}

fn live(secret: &Value, policy: Value) -> Live {
    let key = Some(&secret["KmsKeyId"]).filter(|key| *key != DEFAULT_KEY);
    let replicas = secret["ReplicationStatus"].as_array().into_iter().flatten();
    let is_without_version = secret["VersionIdsToStages"]
        .as_object()
        .is_none_or(serde_json::Map::is_empty);
    Live {
        properties: json!({
            "KmsKeyId": key,
            "ReplicaRegions": replicas
                .map(|replica| json!({"Region": replica["Region"]}))
                .collect::<Vec<_>>(),
            // Resources of their own in a template, and this one has none.
            "ResourcePolicy": policy,
            "RotationLambdaARN": secret["RotationLambdaARN"],
        }),
        is_being_deleted: !secret["DeletedDate"].is_null(),
        is_empty: is_without_version,
    }
}

#[cfg(test)]
mod tests {
    use super::super::resource::tests::{deployed, ids};
    use super::*;

    fn described(more: Value) -> Value {
        let mut secret = json!({"Name": "token", "VersionIdsToStages": {"1": ["AWSCURRENT"]}});
        let members = secret.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        secret
    }

    #[test]
    fn a_secret_is_found_that_goes_or_that_others_may_read() {
        let shared = json!("{\"Statement\": []}");
        for (more, policy, expected) in [
            (json!({}), json!(null), &[][..]),
            (json!({"KmsKeyId": DEFAULT_KEY}), json!(null), &[]),
            (
                json!({"KmsKeyId": "arn:key"}),
                json!(null),
                &["secret.KmsKeyId:R"],
            ),
            (
                json!({"ReplicationStatus": [{"Region": "us-west-2"}]}),
                json!(null),
                &["secret.ReplicaRegions:R"],
            ),
            (
                json!({"RotationLambdaARN": "arn:f"}),
                json!(null),
                &["secret.RotationLambdaARN:R"],
            ),
            (json!({}), shared, &["secret.ResourcePolicy:R"]),
            (
                json!({"DeletedDate": 1_700_000_000}),
                json!(null),
                &["secret.deletion:R"],
            ),
        ] {
            let live = live(&described(more), policy);
            let (findings, note) = judge(&deployed(json!({})), Ok(Some(live)));
            assert_eq!(ids(&findings), expected);
            assert_eq!(note, None);
        }
    }

    #[test]
    fn a_secret_that_was_never_filled_is_a_note_and_no_finding() {
        let live = live(&json!({"Name": "token"}), Value::Null);
        let (findings, note) = judge(&deployed(json!({})), Ok(Some(live)));
        assert!(findings.is_empty());
        assert!(note.unwrap().contains("the secret R holds nothing yet"));
    }
}
