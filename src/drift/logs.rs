//! Detector: log groups that keep logs for another time, are gone, or hand their lines on to
//! somebody.

use aws_sdk_cloudwatchlogs::Client;
use serde_json::{Value, json};

use super::deployed::{DeployedStack, Resource};
use super::finding::{Detector, Finding, Severity};
use super::resource::Check;
use crate::cloud::{Cloud, ServiceError, failed_to};

const LOGS: Detector = Detector::Logs;

const CHECK: Check = Check {
    detector: LOGS,
    noun: "log group",
    if_deleted: Severity::Medium,
    severity: |_| Severity::Medium,
    remake: "make it again with `aws logs create-log-group` and `put-retention-policy`, as it was deployed; its logs are lost",
    set_back: |name| {
        format!(
            "`aws logs put-retention-policy --log-group-name {name}`; of the key: `associate-kms-key` or `disassociate-kms-key`"
        )
    },
};

/// What CloudWatch Logs tells of one log group.
#[derive(Debug, Clone, PartialEq)]
struct Live {
    /// In the form of the template's properties.
    properties: Value,
    /// Subscription filters: name, and where they send lines to.
    subscriptions: Vec<(String, String)>,
}

/// Looks at every log group of the stack.
pub(super) async fn detect(cloud: &Cloud, stack: &DeployedStack) -> Vec<Finding> {
    let client = crate::cloud::client!(aws_sdk_cloudwatchlogs, cloud);
    let groups = stack.resources("AWS::Logs::LogGroup");
    let checks = groups
        .iter()
        .map(async |group| findings(group, read(&client, &group.physical_id).await));
    futures_util::future::join_all(checks).await.concat()
}

fn findings(group: &Resource, live: Result<Option<Live>, ServiceError>) -> Vec<Finding> {
    let (properties, subscriptions) = match live {
        Ok(Some(live)) => (Ok(Some(live.properties)), live.subscriptions),
        Ok(None) => (Ok(None), Vec::new()),
        Err(error) => (Err(error), Vec::new()),
    };
    let mut findings = CHECK.outcome(group, properties);
    let name = &group.physical_id;
    findings.extend(subscriptions.into_iter().map(|(filter, destination)| {
        Finding::drift(
            LOGS,
            Severity::High,
            "subscription",
            &group.logical_id,
            format!("somebody else gets the lines of {name}: a subscription filter that was not deployed"),
        )
        .part(&filter)
        .expected("(none)")
        .actual(destination)
        .cure(format!(
            "`aws logs delete-subscription-filter --log-group-name {name} --filter-name {filter}`"
        ))
    }));
    findings
}

async fn read(client: &Client, name: &str) -> Result<Option<Live>, ServiceError> {
    let groups = client
        .describe_log_groups()
        .log_group_name_prefix(name)
        .into_paginator()
        .items()
        .send()
        .try_collect()
        .await
        .map_err(failed_to(format!("read the log group {name}")))?;
    let group = groups
        .into_iter()
        .find(|group| group.log_group_name() == Some(name));
    let Some(group) = group else {
        return Ok(None);
    };
    let filters = client
        .describe_subscription_filters()
        .log_group_name(name)
        .send()
        .await
        .map_err(failed_to(format!(
            "list the subscription filters of the log group {name}"
        )))?;
    let subscriptions = filters.subscription_filters().iter().map(|filter| {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        (text(filter.filter_name()), text(filter.destination_arn()))
    });
    Ok(Some(Live {
        properties: json!({
            "KmsKeyId": group.kms_key_id(),
            // Without a number of days they are kept for ever.
            "RetentionInDays": group.retention_in_days(),
        }),
        subscriptions: subscriptions.collect(),
    }))
}

#[cfg(test)]
mod tests {
    use super::super::resource::tests::{deployed, ids};
    use super::*;

    #[test]
    fn retention_key_and_subscriptions_are_compared() {
        let group = deployed(json!({"RetentionInDays": 30}));
        let found = |properties: Value, subscriptions: &[&str]| {
            let subscriptions = subscriptions
                .iter()
                .map(|name| ((*name).to_owned(), "arn:elsewhere".to_owned()))
                .collect();
            let live = Live {
                properties,
                subscriptions,
            };
            let findings = findings(&group, Ok(Some(live)));
            ids(&findings).join(" ")
        };
        for (properties, subscriptions, expected) in [
            (
                json!({"RetentionInDays": 30, "KmsKeyId": null}),
                &[][..],
                "",
            ),
            (json!({"RetentionInDays": 1}), &[], "logs.RetentionInDays:R"),
            (
                json!({"RetentionInDays": null}),
                &[],
                "logs.RetentionInDays:R",
            ),
            (json!({"KmsKeyId": "arn:key"}), &[], "logs.KmsKeyId:R"),
            (json!({}), &["copy"], "logs.subscription:R:copy"),
        ] {
            assert_eq!(found(properties, subscriptions), expected);
        }
    }

    #[test]
    fn a_log_group_that_is_gone_is_found() {
        let group = deployed(json!({"RetentionInDays": 30}));
        assert_eq!(ids(&findings(&group, Ok(None))), ["logs.deleted:R"]);
    }
}
