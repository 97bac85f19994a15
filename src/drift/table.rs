//! Detector: a directory table that is no longer guarded as it was deployed, or that somebody
//! else may read, copy or have emptied.

use aws_json_client::{Client, Error, Service};
use serde_json::{Value, json};

use super::deployed::{DeployedStack, Resource};
use super::finding::{Detector, Finding, Severity};
use super::resource::{Check, unless_gone, with_defaults};
use crate::cloud::Cloud;

const CHECK: Check = Check {
    detector: Detector::Table,
    noun: "table",
    if_deleted: Severity::High,
    severity: |property| match property {
        "BillingMode" => Severity::Low,
        _ => Severity::High,
    },
    remake: "restore it under the same name from point-in-time recovery, with `aws dynamodb restore-table-to-point-in-time`; nobody can be provisioned before",
    set_back: |name| {
        format!(
            "set it back with `aws dynamodb update-table --table-name {name}`, `update-continuous-backups`, `update-time-to-live` or `delete-resource-policy`"
        )
    },
};

/// Properties that MiniStack 1.5.33 does not take from a template: in the local cloud they
/// are never as they were deployed, and nobody touched them.
const NOT_IN_LOCAL_CLOUD: [&str; 2] = ["PointInTimeRecoverySpecification", "SSESpecification"];

/// The code for a table that is not there.
const GONE: &str = "ResourceNotFoundException";

/// The code for a table without a resource policy.
const NO_POLICY: &str = "PolicyNotFoundException";

/// Looks at every table of the stack.
pub(super) async fn detect(
    cloud: &Cloud,
    environment: &aws_json_client::Environment,
    stack: &DeployedStack,
) -> Vec<Finding> {
    let client = Client::new(Service::DYNAMODB, environment);
    let mut findings = Vec::new();
    for table in stack.resources("AWS::DynamoDB::Table") {
        let table = expected(table);
        let mut live = read(&client, &table.physical_id).await;
        if cloud.is_local()
            && let Ok(Some(Value::Object(live))) = &mut live
        {
            live.retain(|property, _| !NOT_IN_LOCAL_CLOUD.contains(&property.as_str()));
        }
        findings.extend(CHECK.outcome(&table, live));
    }
    findings
}

fn expected(table: Resource) -> Resource {
    let defaults = json!({
        "BillingMode": "PROVISIONED",
        "DeletionProtectionEnabled": false,
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": false},
        "SSESpecification": {"SSEEnabled": false},
    });
    with_defaults(table, &defaults)
}

async fn read(client: &Client, name: &str) -> Result<Option<Value>, Error> {
    let input = json!({"TableName": name});
    let described = client.call("DescribeTable", &input).await;
    let described: Option<Value> = unless_gone(described, &[GONE])?;
    let Some(described) = described else {
        return Ok(None);
    };
    let table = &described["Table"];
    let policy_of = json!({"ResourceArn": table["TableArn"]});
    let (backups, time_to_live, policy) = tokio::join!(
        client.call::<Value>("DescribeContinuousBackups", &input),
        client.call::<Value>("DescribeTimeToLive", &input),
        client.call::<Value>("GetResourcePolicy", &policy_of),
    );
    let policy = unless_gone(policy, &[NO_POLICY])?.unwrap_or_default();
    Ok(Some(properties(table, &backups?, &time_to_live?, &policy)))
}

/// The answers as properties. Something on its way counts as there.
fn properties(table: &Value, backups: &Value, time_to_live: &Value, policy: &Value) -> Value {
    let is_on = |status: &Value| {
        let status = status.as_str().unwrap_or_default();
        matches!(status, "ENABLED" | "ENABLING" | "UPDATING")
    };
    let recovery = &backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"];
    let time_to_live = &time_to_live["TimeToLiveDescription"];
    let policy = policy["Policy"]
        .as_str()
        .map(|text| serde_json::from_str(text).unwrap_or_else(|_| json!(text)));
    let indexes: Vec<Value> = table["GlobalSecondaryIndexes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|index| {
            json!({
                "IndexName": index["IndexName"],
                "KeySchema": index["KeySchema"],
                "Projection": index["Projection"],
            })
        })
        .collect();
    let is_streamed = table["StreamSpecification"]["StreamEnabled"] == true;
    let stream = json!({"StreamViewType": table["StreamSpecification"]["StreamViewType"]});
    // Without a summary the table has always been paid for by what is provisioned.
    let billing = table["BillingModeSummary"]["BillingMode"].as_str();
    json!({
        "BillingMode": billing.unwrap_or("PROVISIONED"),
        "DeletionProtectionEnabled": table["DeletionProtectionEnabled"] == true,
        "GlobalSecondaryIndexes": indexes,
        "KeySchema": table["KeySchema"],
        "PointInTimeRecoverySpecification": {
            "PointInTimeRecoveryEnabled": is_on(&recovery["PointInTimeRecoveryStatus"]),
        },
        "ResourcePolicy": policy.map(|policy| json!({"PolicyDocument": policy})),
        "SSESpecification": {"SSEEnabled": is_on(&table["SSEDescription"]["Status"])},
        "StreamSpecification": is_streamed.then_some(stream),
        "TimeToLiveSpecification": is_on(&time_to_live["TimeToLiveStatus"])
            .then(|| json!({"AttributeName": time_to_live["AttributeName"], "Enabled": true})),
    })
}

#[cfg(test)]
mod tests {
    use super::super::resource::tests::{deployed, ids};
    use super::*;

    fn table() -> Resource {
        expected(deployed(json!({
            "BillingMode": "PAY_PER_REQUEST",
            "DeletionProtectionEnabled": true,
            "SSESpecification": {"SSEEnabled": true},
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true},
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "GlobalSecondaryIndexes": [{"IndexName": "pending", "KeySchema": [], "Projection": {"ProjectionType": "KEYS_ONLY"}}],
        })))
    }

    struct Answers {
        table: Value,
        backups: Value,
        time_to_live: Value,
        policy: Value,
    }

    fn answers() -> Answers {
        let enabled = json!({"PointInTimeRecoveryStatus": "ENABLED"});
        Answers {
            table: json!({
                "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
                "DeletionProtectionEnabled": true,
                "SSEDescription": {"Status": "ENABLED", "SSEType": "KMS"},
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "GlobalSecondaryIndexes": [{"IndexName": "pending", "KeySchema": [], "Projection": {"ProjectionType": "KEYS_ONLY"}, "IndexStatus": "ACTIVE"}],
            }),
            backups: json!({"ContinuousBackupsDescription": {"PointInTimeRecoveryDescription": enabled}}),
            time_to_live: json!({"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}),
            policy: Value::Null,
        }
    }

    #[test]
    fn a_table_is_compared_with_its_template_and_the_defaults() {
        type Tampering = fn(&mut Answers);
        let cases: [(Tampering, &[&str]); 8] = [
            (|_| {}, &[]),
            (
                |live| live.table["DeletionProtectionEnabled"] = json!(false),
                &["table.DeletionProtectionEnabled:R"],
            ),
            (
                |live| live.table["SSEDescription"] = Value::Null,
                &["table.SSESpecification:R"],
            ),
            (
                |live| live.backups = Value::Null,
                &["table.PointInTimeRecoverySpecification:R"],
            ),
            (
                |live| {
                    live.table["StreamSpecification"] =
                        json!({"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"})
                },
                &["table.StreamSpecification:R"],
            ),
            (
                |live| live.time_to_live = json!({"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "x"}}),
                &["table.TimeToLiveSpecification:R"],
            ),
            (
                |live| live.policy = json!({"Policy": r#"{"Statement":[{"Effect":"Allow"}]}"#}),
                &["table.ResourcePolicy:R"],
            ),
            (
                |live| live.table["GlobalSecondaryIndexes"] = json!([]),
                &["table.GlobalSecondaryIndexes:R"],
            ),
        ];
        for (tamper, expected) in cases {
            let mut live = answers();
            tamper(&mut live);
            let live = properties(&live.table, &live.backups, &live.time_to_live, &live.policy);
            let outcome = CHECK.outcome(&table(), Ok::<_, Error>(Some(live)));
            assert_eq!(ids(&outcome), expected);
        }
    }
}
