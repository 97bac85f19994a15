//! Detector: queues whose settings, encryption or policy were changed.

use aws_json_client::{Client, Error, Service};
use serde_json::{Map, Value, json};

use super::deployed::{DeployedStack, Resource};
use super::finding::{Detector, Finding, Severity};
use super::resource::{Check, unless_gone, with_defaults};

const CHECK: Check = Check {
    detector: Detector::Queue,
    noun: "queue",
    if_deleted: Severity::High,
    severity: |property| match property {
        "Policy" | "SqsManagedSseEnabled" | "KmsMasterKeyId" => Severity::High,
        _ => Severity::Medium,
    },
    remake: "make it again under the same name, as it was deployed, with `aws sqs create-queue`; pending users are in the table, and the sweep goes on with them",
    set_back: |url| format!("set it back with `aws sqs set-queue-attributes --queue-url {url}`"),
};

/// The attributes that are compared; they have the names of the template's properties.
const ATTRIBUTES: [&str; 14] = [
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "DelaySeconds",
    "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "Policy",
    "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
];

/// Those whose defaults change from year to year, or come with another attribute: compared
/// only where the template sets them.
const ONLY_IF_SET: [&str; 2] = ["KmsDataKeyReusePeriodSeconds", "MaximumMessageSize"];

/// The codes for a queue that is not there, with and without the older protocol's prefix.
const GONE: [&str; 2] = [
    "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
];

/// Looks at every queue of the stack.
pub(super) async fn detect(
    environment: &aws_json_client::Environment,
    stack: &DeployedStack,
) -> Vec<Finding> {
    let client = Client::new(Service::SQS, environment);
    let queues = stack.resources("AWS::SQS::Queue");
    let checks = queues.into_iter().map(async |queue| {
        let queue = expected(queue);
        CHECK.outcome(&queue, read(&client, &queue).await)
    });
    futures_util::future::join_all(checks).await.concat()
}

/// What SQS gives a queue for which the template says nothing:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html>.
fn expected(queue: Resource) -> Resource {
    let mut defaults = json!({
        "DelaySeconds": 0,
        "MessageRetentionPeriod": 345_600,
        "ReceiveMessageWaitTimeSeconds": 0,
        "VisibilityTimeout": 30,
    });
    if queue.properties["FifoQueue"] == true {
        defaults["ContentBasedDeduplication"] = json!(false);
    }
    with_defaults(queue, &defaults)
}

async fn read(client: &Client, queue: &Resource) -> Result<Option<Value>, Error> {
    let input = json!({"QueueUrl": queue.physical_id, "AttributeNames": ["All"]});
    let answer = client.call("GetQueueAttributes", &input).await;
    let answer: Option<Value> = unless_gone(answer, &GONE)?;
    Ok(answer.map(|answer| properties(queue, answer["Attributes"].as_object())))
}

/// The attributes as properties. Policies are JSON in a text. What the queue does not tell
/// is compared where something else is expected of it than nothing.
fn properties(queue: &Resource, attributes: Option<&Map<String, Value>>) -> Value {
    let mut properties = Map::new();
    for name in ATTRIBUTES {
        let expected = &queue.properties[name];
        let actual = attributes.and_then(|attributes| attributes.get(name));
        let is_compared = match actual {
            Some(_) => !expected.is_null() || !ONLY_IF_SET.contains(&name),
            None => expected.is_object() || expected.is_string(),
        };
        if is_compared {
            let text = actual.and_then(Value::as_str).unwrap_or_default();
            let value = match name {
                "Policy" | "RedriveAllowPolicy" | "RedrivePolicy" => {
                    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
                }
                _ => json!(text),
            };
            properties.insert(name.to_owned(), value);
        }
    }
    Value::Object(properties)
}

#[cfg(test)]
mod tests {
    use super::super::resource::tests::{deployed, ids};
    use super::*;

    fn queue() -> Resource {
        expected(deployed(json!({
            "FifoQueue": true,
            "DeduplicationScope": "messageGroup",
            "SqsManagedSseEnabled": true,
            "VisibilityTimeout": 180,
            "RedrivePolicy": {"deadLetterTargetArn": "arn:dead", "maxReceiveCount": 10},
        })))
    }

    fn attributes() -> Map<String, Value> {
        let attributes = json!({
            "ContentBasedDeduplication": "false",
            "DeduplicationScope": "messageGroup",
            "DelaySeconds": "0",
            "MaximumMessageSize": "1048576",
            "MessageRetentionPeriod": "345600",
            "RedrivePolicy": r#"{"maxReceiveCount":10,"deadLetterTargetArn":"arn:dead"}"#,
            "SqsManagedSseEnabled": "true",
            "VisibilityTimeout": "180",
        });
        attributes.as_object().unwrap().clone()
    }

    #[test]
    fn a_queue_is_compared_with_its_template_and_the_defaults() {
        type Tampering = fn(&mut Map<String, Value>);
        let cases: [(Tampering, &[&str]); 6] = [
            (|_| {}, &[]),
            (
                |live| drop(live.remove("RedrivePolicy")),
                &["queue.RedrivePolicy:R"],
            ),
            (
                |live| {
                    live["RedrivePolicy"] =
                        json!(r#"{"maxReceiveCount":1,"deadLetterTargetArn":"arn:dead"}"#)
                },
                &["queue.RedrivePolicy:R"],
            ),
            (
                |live| drop(live.insert("Policy".to_owned(), json!(r#"{"Statement":[]}"#))),
                &["queue.Policy:R"],
            ),
            (
                |live| live["SqsManagedSseEnabled"] = json!("false"),
                &["queue.SqsManagedSseEnabled:R"],
            ),
            (
                |live| live["DelaySeconds"] = json!("900"),
                &["queue.DelaySeconds:R"],
            ),
        ];
        for (tamper, expected) in cases {
            let mut live = attributes();
            tamper(&mut live);
            let live = properties(&queue(), Some(&live));
            assert_eq!(
                ids(&CHECK.outcome(&queue(), Ok::<_, Error>(Some(live)))),
                expected
            );
        }
    }
}
