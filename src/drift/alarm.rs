//! Detector: alarms that do not ring as they were deployed, and a dashboard that shows
//! something else.

use aws_json_client::{Client, Error};
use serde_json::{Map, Value, json};

use super::deployed::{DeployedStack, Resource, is_open};
use super::finding::{Detector, Finding, Severity};
use super::resource::{Check, unless_gone, with_defaults};
use crate::cloud::service::CLOUDWATCH;

const ALARM: Check = Check {
    detector: Detector::Alarm,
    noun: "alarm",
    if_deleted: Severity::Medium,
    severity: |_| Severity::Medium,
    remake: "make it again as it was deployed, with `aws cloudwatch put-metric-alarm`",
    set_back: |name| {
        format!(
            "set it back with `aws cloudwatch put-metric-alarm --alarm-name {name}`, which wants all settings, or `enable-alarm-actions --alarm-names {name}`"
        )
    },
};

const DASHBOARD: Check = Check {
    detector: Detector::Alarm,
    noun: "dashboard",
    if_deleted: Severity::Low,
    severity: |_| Severity::Low,
    remake: "make it again as it was deployed, with `aws cloudwatch put-dashboard`",
    set_back: |name| {
        format!("set it back with `aws cloudwatch put-dashboard --dashboard-name {name}`")
    },
};

/// The most alarms that one call describes by name.
const LARGEST_PAGE: usize = 100;

/// What is compared of an alarm; CloudWatch and templates have the same names for it.
pub(super) const PROPERTIES: [&str; 15] = [
    "ActionsEnabled",
    "AlarmActions",
    "ComparisonOperator",
    "DatapointsToAlarm",
    "Dimensions",
    "EvaluationPeriods",
    "ExtendedStatistic",
    "InsufficientDataActions",
    "MetricName",
    "Namespace",
    "OKActions",
    "Period",
    "Statistic",
    "Threshold",
    "TreatMissingData",
];

/// The codes for a dashboard that is not there.
const GONE: [&str; 2] = ["ResourceNotFound", "DashboardNotFoundError"];

/// Looks at every alarm and dashboard of the stack.
pub(super) async fn detect(
    environment: &aws_json_client::Environment,
    stack: &DeployedStack,
) -> Vec<Finding> {
    let client = Client::new(CLOUDWATCH, environment);
    let alarms = stack.resources("AWS::CloudWatch::Alarm");
    let mut findings = Vec::new();
    for alarms in alarms.chunks(LARGEST_PAGE) {
        findings.extend(of_alarms(&client, alarms).await);
    }
    for dashboard in stack.resources("AWS::CloudWatch::Dashboard") {
        let dashboard = parsed(dashboard);
        let live = read_dashboard(&client, &dashboard.physical_id).await;
        findings.extend(DASHBOARD.outcome(&dashboard, live));
    }
    findings
}

async fn of_alarms(client: &Client, alarms: &[Resource]) -> Vec<Finding> {
    let names: Vec<&str> = alarms.iter().map(|alarm| &*alarm.physical_id).collect();
    let input = json!({"AlarmNames": names, "MaxRecords": LARGEST_PAGE});
    let answer: Result<Value, Error> = client.call("DescribeAlarms", &input).await;
    alarms
        .iter()
        .flat_map(|alarm| {
            let live = answer.as_ref().map(|answer| described(answer, alarm));
            ALARM.outcome(&expected(alarm.clone()), live)
        })
        .collect()
}

fn expected(alarm: Resource) -> Resource {
    let defaults = json!({"ActionsEnabled": true, "TreatMissingData": "missing"});
    with_defaults(alarm, &defaults)
}

fn described(answer: &Value, alarm: &Resource) -> Option<Value> {
    let live = answer["MetricAlarms"]
        .as_array()?
        .iter()
        .find(|live| live["AlarmName"] == alarm.physical_id.as_str())?;
    let properties = PROPERTIES.map(|name| (name.to_owned(), live[name].clone()));
    Some(Value::Object(Map::from_iter(properties)))
}

/// A dashboard's body is JSON in a text, and is compared as JSON.
fn parsed(mut dashboard: Resource) -> Resource {
    let body = &mut dashboard.properties["DashboardBody"];
    if !is_open(body) {
        *body = json_of(body);
    }
    dashboard
}

async fn read_dashboard(client: &Client, name: &str) -> Result<Option<Value>, Error> {
    let answer = client
        .call("GetDashboard", &json!({"DashboardName": name}))
        .await;
    let answer: Option<Value> = unless_gone(answer, &GONE)?;
    Ok(answer.map(|answer| json!({"DashboardBody": json_of(&answer["DashboardBody"])})))
}

fn json_of(text: &Value) -> Value {
    text.as_str()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_else(|| text.clone())
}

#[cfg(test)]
mod tests {
    use super::super::resource::tests::{deployed, ids};
    use super::*;

    fn alarm() -> Resource {
        expected(deployed(json!({
            "MetricName": "Errors",
            "Threshold": 1,
            "Dimensions": [{"Name": "FunctionName", "Value": "f"}],
            "AlarmActions": ["arn:topic"],
            "TreatMissingData": "notBreaching",
        })))
    }

    fn live() -> Value {
        json!({
            "AlarmName": "r-1",
            "MetricName": "Errors",
            "Threshold": 1.0,
            "Dimensions": [{"Name": "FunctionName", "Value": "f"}],
            "ActionsEnabled": true,
            "AlarmActions": ["arn:topic"],
            "OKActions": [],
            "TreatMissingData": "notBreaching",
            "StateValue": "ALARM",
        })
    }

    #[test]
    fn an_alarm_is_compared_with_its_template_and_its_state_is_not() {
        type Tampering = fn(&mut Value);
        let cases: [(Tampering, &[&str]); 6] = [
            (|_| {}, &[]),
            (|live| live["AlarmName"] = json!("x"), &["alarm.deleted:R"]),
            (
                |live| live["ActionsEnabled"] = json!(false),
                &["alarm.ActionsEnabled:R"],
            ),
            (
                |live| live["AlarmActions"] = json!([]),
                &["alarm.AlarmActions:R"],
            ),
            (
                |live| live["Threshold"] = json!(100),
                &["alarm.Threshold:R"],
            ),
            (
                |live| live["OKActions"] = json!(["arn:other"]),
                &["alarm.OKActions:R"],
            ),
        ];
        for (tamper, expected) in cases {
            let mut live = live();
            tamper(&mut live);
            let live = described(&json!({"MetricAlarms": [live]}), &alarm());
            assert_eq!(
                ids(&ALARM.outcome(&alarm(), Ok::<_, Error>(live))),
                expected
            );
        }
    }

    #[test]
    fn a_dashboard_is_compared_as_json_and_not_as_text() {
        let dashboard = parsed(deployed(json!({"DashboardBody": "{\"widgets\": []}"})));
        let outcome = |body: &str| {
            let live = json!({"DashboardBody": json_of(&json!(body))});
            DASHBOARD.outcome(&dashboard, Ok::<_, Error>(Some(live)))
        };
        assert_eq!(ids(&outcome("{ \"widgets\" : [ ] }")), NONE);
        assert_eq!(
            ids(&outcome("{\"widgets\": [{\"type\": \"text\"}]}")),
            ["alarm.DashboardBody:R"]
        );
    }

    const NONE: [&str; 0] = [];
}
