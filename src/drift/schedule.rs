//! Detector: rules that no longer start what they were deployed to start, when they should.

use aws_json_client::{Client, Error};
use serde_json::{Value, json};

use super::deployed::{DeployedStack, Resource};
use super::finding::{Detector, Finding, Severity};
use super::resource::{Check, unless_gone, with_defaults};
use crate::cloud::service::EVENTS;

const CHECK: Check = Check {
    detector: Detector::Schedule,
    noun: "rule",
    if_deleted: Severity::Medium,
    severity: |property| match property {
        "Targets" => Severity::High,
        _ => Severity::Medium,
    },
    remake: "make it again under the same name, as it was deployed, with `aws events put-rule` and `put-targets`",
    set_back: |name| {
        format!(
            "`aws events enable-rule --name {name}`, or set it back with `put-rule`, `put-targets` and `remove-targets`"
        )
    },
};

/// The code for a rule that is not there.
const GONE: &str = "ResourceNotFoundException";

/// Looks at every rule of the stack.
pub(super) async fn detect(
    environment: &aws_json_client::Environment,
    stack: &DeployedStack,
) -> Vec<Finding> {
    let client = Client::new(EVENTS, environment);
    let rules = stack.resources("AWS::Events::Rule");
    let checks = rules.into_iter().map(async |rule| {
        let rule = with_defaults(rule, &json!({"State": "ENABLED"}));
        CHECK.outcome(&rule, read(&client, &rule).await)
    });
    futures_util::future::join_all(checks).await.concat()
}

async fn read(client: &Client, rule: &Resource) -> Result<Option<Value>, Error> {
    let described = client
        .call("DescribeRule", &json!({"Name": rule.physical_id}))
        .await;
    let described: Option<Value> = unless_gone(described, &[GONE])?;
    let Some(described) = described else {
        return Ok(None);
    };
    let targets: Value = client
        .call("ListTargetsByRule", &json!({"Rule": rule.physical_id}))
        .await?;
    Ok(Some(properties(&described, &targets)))
}

fn properties(rule: &Value, targets: &Value) -> Value {
    json!({
        // As a text, because what is added to a pattern narrows it: a mapping would be
        // compared by what is expected of it alone.
        "EventPattern": rule["EventPattern"]
            .as_str()
            .map(|text| serde_json::from_str(text).map_or_else(|_| text.to_owned(), |pattern: Value| pattern.to_string())),
        "ScheduleExpression": rule["ScheduleExpression"],
        "State": rule["State"],
        // A rule has five targets at most: one page.
        "Targets": targets["Targets"],
    })
}

#[cfg(test)]
mod tests {
    use super::super::resource::tests::{deployed, ids};
    use super::*;

    #[test]
    fn a_rule_is_compared_with_its_targets() {
        let rule = deployed(json!({
            "ScheduleExpression": "rate(1 minute)",
            "State": "ENABLED",
            "Targets": [{"Id": "reconciler", "Arn": "arn:f", "Input": "{}"}],
        }));
        let target = |arn: &str| json!({"Id": "reconciler", "Arn": arn, "Input": "{}"});
        for (schedule, state, targets, expected) in [
            ("rate(1 minute)", "ENABLED", vec![target("arn:f")], &[][..]),
            (
                "rate(1 minute)",
                "DISABLED",
                vec![target("arn:f")],
                &["schedule.State:R"],
            ),
            (
                "rate(1 day)",
                "ENABLED",
                vec![target("arn:f")],
                &["schedule.ScheduleExpression:R"],
            ),
            (
                "rate(1 minute)",
                "ENABLED",
                vec![target("arn:other")],
                &["schedule.Targets:R"],
            ),
            ("rate(1 minute)", "ENABLED", vec![], &["schedule.Targets:R"]),
        ] {
            let live = properties(
                &json!({"ScheduleExpression": schedule, "State": state}),
                &json!({"Targets": targets}),
            );
            let outcome = CHECK.outcome(&rule, Ok::<_, Error>(Some(live)));
            assert_eq!(ids(&outcome), expected);
        }
    }
}
