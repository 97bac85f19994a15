//! Detector: topics that no longer let through what they are there to tell, or are open to
//! others. Who subscribed is not looked at: no template says who should.

use aws_sdk_sns::Client;
use serde_json::{Value, json};

use super::deployed::DeployedStack;
use super::finding::{Detector, Finding, Severity};
use super::resource::Check;
use crate::cloud::{Cloud, ServiceError, failed_to};

const TOPIC: Check = Check {
    detector: Detector::Topic,
    noun: "topic",
    if_deleted: Severity::High,
    severity: |property| match property {
        "DisplayName" => Severity::Low,
        _ => Severity::Medium,
    },
    remake: "make it again under the same name with `aws sns create-topic`, and have its readers subscribe again",
    set_back,
};

const POLICY: Check = Check {
    noun: "policy of the topic",
    severity: |_| Severity::High,
    remake: "it comes back with the topic: `aws sns create-topic`, then `set-topic-attributes`",
    ..TOPIC
};

fn set_back(arn: &str) -> String {
    format!("set it back with `aws sns set-topic-attributes --topic-arn {arn}`")
}

/// Looks at every topic of the stack, and at its policy.
pub(super) async fn detect(cloud: &Cloud, stack: &DeployedStack) -> Vec<Finding> {
    let client = crate::cloud::client!(aws_sdk_sns, cloud);
    let topics = stack.resources("AWS::SNS::Topic").into_iter();
    let topics = topics.map(async |topic| {
        let live = read(&client, &topic.physical_id).await;
        TOPIC.outcome(&topic, live.map(|live| live.map(|live| properties(&live))))
    });
    let policies = stack.resources("AWS::SNS::TopicPolicy").into_iter();
    let policies = policies.map(async |mut policy| {
        let topics = policy.properties["Topics"].as_array().cloned();
        let mut findings = Vec::new();
        for topic in topics.unwrap_or_default() {
            // What a policy itself is called, only CloudFormation knows.
            policy.physical_id = topic.as_str().unwrap_or_default().to_owned();
            let live = read(&client, &policy.physical_id).await;
            let live = live.map(|live| live.map(|live| document(&live)));
            findings.extend(POLICY.outcome(&policy, live));
        }
        findings
    });
    let (topics, policies) = tokio::join!(
        futures_util::future::join_all(topics),
        futures_util::future::join_all(policies),
    );
    [topics, policies].concat().concat()
}

/// The attributes of a topic, by their names; `None` where it is gone.
async fn read(client: &Client, arn: &str) -> Result<Option<Value>, ServiceError> {
    let answer = client.get_topic_attributes().topic_arn(arn).send().await;
    match answer.map_err(failed_to(format!("read the topic {arn}"))) {
        Ok(answer) => Ok(Some(json!(answer.attributes()))),
        Err(error) if error.has_code("NotFound") => Ok(None),
        Err(error) => Err(error),
    }
}

fn properties(attributes: &Value) -> Value {
    json!({
        "DisplayName": attributes["DisplayName"],
        "KmsMasterKeyId": attributes["KmsMasterKeyId"],
    })
}

fn document(attributes: &Value) -> Value {
    let policy = attributes["Policy"].as_str();
    json!({
        "PolicyDocument": policy
            .map(|text| serde_json::from_str(text).unwrap_or_else(|_| json!(text))),
    })
}

#[cfg(test)]
mod tests {
    use super::super::resource::tests::{deployed, ids};
    use super::*;

    #[test]
    fn a_topic_and_its_policy_are_compared_with_what_was_deployed() {
        let statement = |service: &str| json!({"Statement": [{"Effect": "Allow", "Principal": {"Service": service}}]});
        let topic = deployed(json!({"DisplayName": "Edits", "TopicName": "edits"}));
        let policy = deployed(
            json!({"PolicyDocument": statement("events.amazonaws.com"), "Topics": ["r-1"]}),
        );
        let own = statement("events.amazonaws.com").to_string();
        let others = statement("s3.amazonaws.com").to_string();
        for (live, expected) in [
            (json!({"DisplayName": "Edits", "Policy": own}), &[][..]),
            (
                json!({"DisplayName": "Edits", "Policy": own, "KmsMasterKeyId": "alias/x"}),
                &["topic.KmsMasterKeyId:R"],
            ),
            (
                json!({"DisplayName": "Edits", "Policy": others}),
                &["topic.PolicyDocument:R"],
            ),
            (json!({"DisplayName": "Edits"}), &["topic.PolicyDocument:R"]),
        ] {
            let found = [
                TOPIC.outcome(&topic, Ok::<_, ServiceError>(Some(properties(&live)))),
                POLICY.outcome(&policy, Ok::<_, ServiceError>(Some(document(&live)))),
            ];
            assert_eq!(ids(&found.concat()), expected, "{live}");
        }
    }
}
