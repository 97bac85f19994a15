//! Queues, the table, alarms, the dashboard, log groups, schedules, and what a task is made
//! of: what a few calls set whose input follows from the template.

use std::fmt;

use aws_json_client::{Client, Environment, Error, Method, Request, Service};
use serde_json::{Map, Value, json};

use super::{known, task};
use crate::cloud::service::{CLOUDWATCH, EVENTS, LOGS};
use crate::drift::{DeployedStack, Finding, shown};

/// The attributes of a queue that can be set, each with the value that it has where a
/// template says nothing. An empty text takes one away.
///
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>
const QUEUE: [(&str, &str); 13] = [
    ("ContentBasedDeduplication", "false"),
    ("DeduplicationScope", "queue"),
    ("DelaySeconds", "0"),
    ("FifoThroughputLimit", "perQueue"),
    ("KmsDataKeyReusePeriodSeconds", "300"),
    ("KmsMasterKeyId", ""),
    ("MessageRetentionPeriod", "345600"),
    ("Policy", ""),
    ("ReceiveMessageWaitTimeSeconds", "0"),
    ("RedriveAllowPolicy", ""),
    ("RedrivePolicy", ""),
    ("SqsManagedSseEnabled", "true"),
    ("VisibilityTimeout", "30"),
];

/// Properties that are no input of the calls that make their resources.
const NO_INPUT: [&str; 2] = ["Tags", "Targets"];

/// A resource that is set back.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceChange {
    /// What is done: `set … of the queue … back`.
    what: String,
    calls: Vec<Call>,
}

/// One call of a service.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    service: Service,
    operation: &'static str,
    input: Value,
    /// Of a service whose operations are methods and paths: these.
    rest: Option<(Method, Vec<String>)>,
}

pub(super) fn call(service: Service, operation: &'static str, input: Value) -> Call {
    Call {
        service,
        operation,
        input,
        rest: None,
    }
}

impl Call {
    /// The same, as a method of a path.
    pub(super) fn at(mut self, method: Method, path: &[&str]) -> Self {
        let path = path.iter().map(|&segment| segment.to_owned());
        self.rest = Some((method, path.collect()));
        self
    }

    fn request(&self) -> Result<Request, Error> {
        let Some((method, path)) = &self.rest else {
            return Request::json(self.operation, &self.input);
        };
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        Request::rest(self.operation, *method, &path).body(&self.input)
    }

    /// What is called with what.
    #[cfg(test)]
    pub(super) fn told(&self) -> (&'static str, &Value) {
        (self.operation, &self.input)
    }
}

impl fmt::Display for ResourceChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.what)
    }
}

impl ResourceChange {
    /// Makes the calls, in their order.
    ///
    /// # Errors
    /// When a service refuses or cannot be reached. Repeating is safe.
    pub async fn make(&self, environment: &Environment) -> Result<(), Error> {
        for call in &self.calls {
            let client = Client::new(call.service, environment);
            client.send(call.request()?).await?;
        }
        Ok(())
    }
}

/// What mends a finding of one of these resources.
pub(super) fn change(finding: &Finding, stack: &DeployedStack) -> Option<ResourceChange> {
    let (resource_type, resource) = stack.resource(&finding.resource)?;
    let (name, properties) = (resource.physical_id.as_str(), &resource.properties);
    let check = finding.check();
    let again = |noun: &str| match check {
        "deleted" => format!("make the {noun} {name} again"),
        check => format!("set {check} of the {noun} {name} back"),
    };
    let (what, calls) = match resource_type.as_str() {
        "AWS::SQS::Queue" => (again("queue"), queue(check, name, properties)?),
        "AWS::DynamoDB::Table" => (again("table"), table(check, name, properties, stack)?),
        "AWS::CloudWatch::Alarm" => {
            let input = input(properties, "AlarmName", name)?;
            let calls = vec![call(CLOUDWATCH, "PutMetricAlarm", input)];
            (again("alarm"), calls)
        }
        "AWS::CloudWatch::Dashboard" => {
            let body = known(&properties["DashboardBody"])?;
            let input = json!({"DashboardName": name, "DashboardBody": shown(&body)});
            let calls = vec![call(CLOUDWATCH, "PutDashboard", input)];
            (again("dashboard"), calls)
        }
        "AWS::Logs::LogGroup" => match (check, finding.detail()) {
            ("subscription", Some(filter)) => (
                format!("remove the subscription filter {filter} from the log group {name}"),
                vec![call(
                    LOGS,
                    "DeleteSubscriptionFilter",
                    json!({"logGroupName": name, "filterName": filter}),
                )],
            ),
            _ => (again("log group"), log_group(check, name, properties)?),
        },
        "AWS::Events::Rule" => (again("rule"), rule(finding, name, properties)?),
        "AWS::Scheduler::Schedule" => {
            let calls = task::schedule(check, name, properties)?;
            (again("schedule"), calls)
        }
        "AWS::ECR::Repository" => {
            let calls = task::repository(check, name, properties)?;
            (again("repository"), calls)
        }
        "AWS::SSM::Parameter" => {
            let calls = task::parameter(check, name, properties)?;
            (again("parameter"), calls)
        }
        "AWS::SecretsManager::Secret" => {
            let calls = task::secret(check, name)?;
            let what = match check {
                "deletion" => format!("restore the secret {name}, which is about to be deleted"),
                check => format!("set {check} of the secret {name} back"),
            };
            (what, calls)
        }
        _ => return None,
    };
    Some(ResourceChange { what, calls })
}

fn queue(check: &str, url: &str, properties: &Value) -> Option<Vec<Call>> {
    let (_, default) = QUEUE.into_iter().find(|(name, _)| *name == check)?;
    let value = match known(&properties[check])? {
        Value::Null => default.to_owned(),
        value => shown(&value),
    };
    Some(vec![call(
        Service::SQS,
        "SetQueueAttributes",
        json!({"QueueUrl": url, "Attributes": {check: value}}),
    )])
}

/// What cannot be set on a table that is there, such as its key, is left to a person.
fn table(check: &str, name: &str, properties: &Value, stack: &DeployedStack) -> Option<Vec<Call>> {
    let expected = known(&properties[check])?;
    let is_on = |flag: &str| shown(&expected[flag]) == "true";
    let (operation, member, value) = match check {
        "BillingMode" if expected == "PAY_PER_REQUEST" => ("UpdateTable", check, expected),
        "DeletionProtectionEnabled" => {
            let protected = shown(&expected) == "true";
            ("UpdateTable", check, json!(protected))
        }
        "PointInTimeRecoverySpecification" => (
            "UpdateContinuousBackups",
            check,
            json!({"PointInTimeRecoveryEnabled": is_on("PointInTimeRecoveryEnabled")}),
        ),
        "SSESpecification" => (
            "UpdateTable",
            check,
            json!({"Enabled": is_on("SSEEnabled")}),
        ),
        "StreamSpecification" if expected.is_null() => {
            ("UpdateTable", check, json!({"StreamEnabled": false}))
        }
        "TimeToLiveSpecification" if expected.is_object() => (
            "UpdateTimeToLive",
            check,
            json!({"AttributeName": expected["AttributeName"], "Enabled": true}),
        ),
        "ResourcePolicy" if expected.is_null() => {
            let (partition, region, account) = stack.place();
            let arn = format!("arn:{partition}:dynamodb:{region}:{account}:table/{name}");
            let call = call(
                Service::DYNAMODB,
                "DeleteResourcePolicy",
                json!({"ResourceArn": arn}),
            );
            return Some(vec![call]);
        }
        _ => return None,
    };
    let mut input = json!({"TableName": name});
    input[member] = value;
    Some(vec![call(Service::DYNAMODB, operation, input)])
}

fn log_group(check: &str, name: &str, properties: &Value) -> Option<Vec<Call>> {
    let days = known(&properties["RetentionInDays"])?;
    let key = known(&properties["KmsKeyId"])?;
    let group = |more: Value| {
        let mut input = json!({"logGroupName": name});
        if let (Some(input), Value::Object(more)) = (input.as_object_mut(), more) {
            input.extend(more);
        }
        input
    };
    let retention = || match &days {
        Value::Null => call(LOGS, "DeleteRetentionPolicy", group(json!({}))),
        days => {
            let days: i64 = shown(days).parse().unwrap_or_default();
            call(
                LOGS,
                "PutRetentionPolicy",
                group(json!({"retentionInDays": days})),
            )
        }
    };
    Some(match check {
        "RetentionInDays" => vec![retention()],
        "KmsKeyId" if key.is_null() => {
            vec![call(LOGS, "DisassociateKmsKey", group(json!({})))]
        }
        "KmsKeyId" => vec![call(
            LOGS,
            "AssociateKmsKey",
            group(json!({"kmsKeyId": key})),
        )],
        "deleted" => {
            let more = match key {
                Value::Null => json!({}),
                key => json!({"kmsKeyId": key}),
            };
            vec![call(LOGS, "CreateLogGroup", group(more)), retention()]
        }
        _ => return None,
    })
}

fn rule(finding: &Finding, name: &str, properties: &Value) -> Option<Vec<Call>> {
    let mut input = input(properties, "Name", name)?;
    if input["EventPattern"].is_object() {
        input["EventPattern"] = json!(input["EventPattern"].to_string());
    }
    if input["State"].is_null() {
        input["State"] = json!("ENABLED");
    }
    let targets = known(&properties["Targets"])?;
    let put_targets = call(
        EVENTS,
        "PutTargets",
        json!({"Rule": name, "Targets": targets}),
    );
    Some(match finding.check() {
        "deleted" => vec![call(EVENTS, "PutRule", input), put_targets],
        "Targets" => {
            let live: Value = serde_json::from_str(finding.actual.as_deref()?).unwrap_or_default();
            let ids = |targets: &Value| -> Vec<Value> {
                let targets = targets.as_array().into_iter().flatten();
                targets.map(|target| target["Id"].clone()).collect()
            };
            let deployed = ids(&targets);
            let mut added = ids(&live);
            added.retain(|id| !deployed.contains(id));
            let mut calls = vec![put_targets];
            if !added.is_empty() {
                let input = json!({"Rule": name, "Ids": added});
                calls.push(call(EVENTS, "RemoveTargets", input));
            }
            calls
        }
        _ => vec![call(EVENTS, "PutRule", input)],
    })
}

/// The properties of the template as the input of the call that makes the resource.
fn input(properties: &Value, name_property: &str, name: &str) -> Option<Value> {
    let properties = known(properties)?;
    let mut input: Map<String, Value> = properties.as_object()?.clone();
    input.retain(|property, _| !NO_INPUT.contains(&property.as_str()));
    input.insert(name_property.to_owned(), json!(name));
    Some(Value::Object(input))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::{Detector, Severity};

    fn calls(
        resource_type: &str,
        properties: Value,
        finding: &Finding,
    ) -> Vec<(&'static str, Value)> {
        let template =
            json!({"Resources": {"R": {"Type": resource_type, "Properties": properties}}});
        let stack = DeployedStack::new(
            "arn:aws:cloudformation:eu-central-1:444455556666:stack/scim/9f1c",
            template,
            [("R".to_owned(), "name".to_owned())].into(),
        )
        .unwrap();
        let change = change(finding, &stack).unwrap();
        let calls = change.calls.into_iter();
        calls.map(|call| (call.operation, call.input)).collect()
    }

    fn finding(check: &str) -> Finding {
        Finding::drift(Detector::Queue, Severity::High, check, "R", "w")
    }

    #[test]
    fn a_queue_gets_its_attribute_back_as_a_text_or_loses_one() {
        let properties = json!({"VisibilityTimeout": 60, "RedrivePolicy": {"maxReceiveCount": 3}});
        for (check, value) in [
            ("VisibilityTimeout", "60"),
            ("RedrivePolicy", "{\"maxReceiveCount\":3}"),
            ("Policy", ""),
            ("DelaySeconds", "0"),
        ] {
            assert_eq!(
                calls("AWS::SQS::Queue", properties.clone(), &finding(check)),
                [(
                    "SetQueueAttributes",
                    json!({"QueueUrl": "name", "Attributes": {check: value}})
                )]
            );
        }
    }

    #[test]
    fn an_alarm_is_put_whole() {
        let properties = json!({"Period": 60, "Tags": [{"Key": "a"}]});
        assert_eq!(
            calls(
                "AWS::CloudWatch::Alarm",
                properties,
                &finding("ActionsEnabled")
            ),
            [("PutMetricAlarm", json!({"AlarmName": "name", "Period": 60}))]
        );
    }

    #[test]
    fn a_rule_loses_the_targets_that_were_added() {
        let own = json!([{"Id": "own"}]);
        let finding = finding("Targets").actual("[{\"Id\":\"spy\"},{\"Id\":\"own\"}]");
        assert_eq!(
            calls("AWS::Events::Rule", json!({"Targets": own}), &finding),
            [
                ("PutTargets", json!({"Rule": "name", "Targets": own})),
                ("RemoveTargets", json!({"Rule": "name", "Ids": ["spy"]})),
            ]
        );
    }

    #[test]
    fn a_log_group_is_made_again_with_its_retention() {
        assert_eq!(
            calls(
                "AWS::Logs::LogGroup",
                json!({"RetentionInDays": 30}),
                &finding("deleted")
            ),
            [
                ("CreateLogGroup", json!({"logGroupName": "name"})),
                (
                    "PutRetentionPolicy",
                    json!({"logGroupName": "name", "retentionInDays": 30})
                ),
            ]
        );
    }
}
