//! Detector: schedules that no longer start the task that they were deployed to start, when
//! and where they should.

use aws_json_client::{Client, Environment, Error, Method, Request};
use serde_json::{Map, Value, json};

use super::deployed::{DeployedStack, Resource};
use super::finding::{Detector, Finding, Severity};
use super::resource::{Check, unless_gone, with_defaults};
use crate::cloud::service::SCHEDULER;

const CHECK: Check = Check {
    detector: Detector::Schedule,
    noun: "schedule",
    if_deleted: Severity::Medium,
    severity: |property| match property {
        "Target" => Severity::High,
        _ => Severity::Medium,
    },
    remake: "make it again under the same name, as it was deployed, with `aws scheduler create-schedule`",
    set_back: |name| {
        format!(
            "set it back with `aws scheduler update-schedule --name {name}`, which takes the whole schedule as it was deployed"
        )
    },
};

/// What is compared; it has the names of the template's properties.
pub(super) const PROPERTIES: [&str; 7] = [
    "EndDate",
    "FlexibleTimeWindow",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
    "State",
    "Target",
];

/// The code for a schedule that is not there.
const GONE: [&str; 1] = ["ResourceNotFoundException"];

/// Looks at every schedule of the stack.
pub(super) async fn detect(environment: &Environment, stack: &DeployedStack) -> Vec<Finding> {
    let client = Client::new(SCHEDULER, environment);
    let schedules = stack.resources("AWS::Scheduler::Schedule");
    let checks = schedules.into_iter().map(async |schedule| {
        let schedule = expected(schedule);
        CHECK.outcome(&schedule, read(&client, &schedule).await)
    });
    futures_util::future::join_all(checks).await.concat()
}

/// `GetSchedule`
/// (<https://docs.aws.amazon.com/scheduler/latest/APIReference/API_GetSchedule.html>).
async fn read(client: &Client, schedule: &Resource) -> Result<Option<Value>, Error> {
    let group = schedule.properties["GroupName"].as_str();
    let path = ["schedules", schedule.physical_id.as_str()];
    let request = Request::rest("GetSchedule", Method::Get, &path)
        .query("groupName", group.unwrap_or("default"));
    let answer = client.send(request).await;
    match unless_gone(answer, &GONE)? {
        Some(answer) => Ok(Some(properties(&answer.json()?))),
        None => Ok(None),
    }
}

/// The deployed schedule with what the service gives one of which the template says nothing.
fn expected(schedule: Resource) -> Resource {
    let defaults = json!({"ScheduleExpressionTimezone": "UTC", "State": "ENABLED"});
    let mut schedule = with_defaults(schedule, &defaults);
    complete(&mut schedule.properties["Target"]);
    schedule
}

fn properties(schedule: &Value) -> Value {
    let mut properties: Map<String, Value> = PROPERTIES
        .into_iter()
        .map(|name| (name.to_owned(), schedule[name].clone()))
        .collect();
    complete(&mut properties["Target"]);
    Value::Object(properties)
}

/// Writes out of a target what changes the task beside its definition, where nothing is said
/// of it: the input, which can replace the command and the environment of a container, and
/// whether somebody may run commands in it. The one name that the service begins in lower
/// case becomes the template's.
fn complete(target: &mut Value) {
    if !target.is_object() {
        return;
    }
    if target["Input"].is_null() {
        target["Input"] = json!("");
    }
    let parameters = &mut target["EcsParameters"];
    if !parameters.is_object() {
        return;
    }
    if parameters["EnableExecuteCommand"].is_null() {
        parameters["EnableExecuteCommand"] = json!(false);
    }
    if let Some(network) = parameters["NetworkConfiguration"].as_object_mut()
        && let Some(configuration) = network.remove("awsvpcConfiguration")
    {
        network.insert("AwsvpcConfiguration".to_owned(), configuration);
    }
}

#[cfg(test)]
mod tests {
    use super::super::resource::tests::{deployed, ids};
    use super::*;

    fn schedule() -> Value {
        json!({
            "ScheduleExpression": "rate(60 minutes)",
            "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5},
            "Target": {
                "Arn": "arn:cluster",
                "RoleArn": "arn:role",
                "EcsParameters": {
                    "TaskDefinitionArn": "arn:t:3",
                    "TaskCount": 1,
                    "NetworkConfiguration": {"AwsvpcConfiguration": {"Subnets": ["a", "b"]}},
                },
                "RetryPolicy": {"MaximumRetryAttempts": 5},
            },
        })
    }

    #[test]
    fn a_schedule_is_compared_with_all_that_it_starts() {
        type Tampering = fn(&mut Value);
        let cases: [(Tampering, &[&str]); 10] = [
            (|_| {}, &[]),
            (
                |live| live["State"] = json!("DISABLED"),
                &["schedule.State:R"],
            ),
            (
                |live| live["ScheduleExpression"] = json!("rate(1 day)"),
                &["schedule.ScheduleExpression:R"],
            ),
            (
                |live| live["FlexibleTimeWindow"]["MaximumWindowInMinutes"] = json!(1440),
                &["schedule.FlexibleTimeWindow:R"],
            ),
            (
                |live| live["EndDate"] = json!(1_700_000_000),
                &["schedule.EndDate:R"],
            ),
            (
                |live| live["Target"]["EcsParameters"]["TaskDefinitionArn"] = json!("arn:t:2"),
                &["schedule.Target:R"],
            ),
            (
                |live| live["Target"]["RetryPolicy"]["MaximumRetryAttempts"] = json!(0),
                &["schedule.Target:R"],
            ),
            (
                |live| live["Target"]["Input"] = json!("{\"containerOverrides\": []}"),
                &["schedule.Target:R"],
            ),
            (
                |live| live["Target"]["EcsParameters"]["EnableExecuteCommand"] = json!(true),
                &["schedule.Target:R"],
            ),
            (
                |live| {
                    live["Target"]["EcsParameters"]["NetworkConfiguration"] =
                        json!({"awsvpcConfiguration": {"Subnets": ["a"]}});
                },
                &["schedule.Target:R"],
            ),
        ];
        for (tamper, found) in cases {
            let mut live = schedule();
            live["State"] = json!("ENABLED");
            live["ScheduleExpressionTimezone"] = json!("UTC");
            live["Target"]["EcsParameters"]["NetworkConfiguration"] =
                json!({"awsvpcConfiguration": {"Subnets": ["b", "a"]}});
            tamper(&mut live);
            let live = properties(&live);
            let outcome =
                CHECK.outcome(&expected(deployed(schedule())), Ok::<_, Error>(Some(live)));
            assert_eq!(ids(&outcome), found);
        }
    }
}
