//! Findings and events, side by side.

use serde_json::{Value, json};

use super::event::Event;
use super::lookup::Attribute;
use super::*;
use crate::drift::{Detector, Finding, Severity};

/// A stack with one resource, `R`.
fn stack(resource_type: &str, physical_id: &str, properties: Value) -> DeployedStack {
    let template = json!({"Resources": {
        "R": {"Type": resource_type, "Properties": properties},
        "RestApi": {"Type": "AWS::ApiGateway::RestApi", "Properties": {}},
    }});
    DeployedStack::new(
        "arn:aws:cloudformation:eu-central-1:444455556666:stack/scim/9f1c",
        template,
        [("R", physical_id), ("RestApi", "api1")]
            .map(|(id, physical)| (id.to_owned(), physical.to_owned()))
            .into(),
    )
    .unwrap()
}

fn finding(detector: Detector, check: &str) -> Finding {
    Finding::drift(detector, Severity::High, check, "R", "changed")
}

/// An event as `LookupEvents` hands it out, of somebody's session.
fn listed(name: &str, time: &str, changes: Value) -> Value {
    let mut record = json!({
        "eventTime": time,
        "eventName": name,
        "eventSource": "lambda.amazonaws.com",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": "arn:aws:sts::444455556666:assumed-role/Administrator/session",
            "sessionContext": {
                "sessionIssuer": {"arn": "arn:aws:iam::444455556666:role/Administrator"},
            },
        },
        "requestParameters": {"functionName": "scim-reconciler"},
    });
    for (key, value) in changes.as_object().unwrap() {
        record[key] = value.clone();
    }
    json!({"ReadOnly": "false", "CloudTrailEvent": record.to_string()})
}

fn answer(events: &[Value], horizon: Option<&str>) -> Answer {
    Answer {
        events: events
            .iter()
            .map(|event| Event::read(event).unwrap())
            .collect(),
        horizon: horizon.map(|time| time.parse().unwrap()),
    }
}

fn memory_of_a_function() -> Cause {
    let stack = stack("AWS::Lambda::Function", "scim-reconciler", json!({}));
    cause(&finding(Detector::Function, "MemorySize"), &stack).unwrap()
}

const UPDATE: &str = "UpdateFunctionConfiguration20150331v2";

#[test]
fn the_newest_call_that_can_have_made_it_is_named() {
    let told = |events: &[Value], horizon: Option<&str>| {
        let answer = answer(events, horizon);
        attribution(
            &[&answer],
            &memory_of_a_function(),
            &["scim-reconciler-role".to_owned()],
        )
        .map(|attribution| attribution.since.to_string())
    };
    let fitting = listed(UPDATE, "2026-11-01T10:00:00Z", json!({}));
    let first = Some("2026-11-01T10:00:00Z".to_owned());
    assert_eq!(told(&[], None), None);
    assert_eq!(told(std::slice::from_ref(&fitting), None), first);

    for (passed_over, newer) in [
        (
            "another call",
            listed(
                "UpdateFunctionCode20150331v2",
                "2026-11-02T10:00:00Z",
                json!({}),
            ),
        ),
        (
            "of another function",
            listed(
                UPDATE,
                "2026-11-02T10:00:00Z",
                json!({"requestParameters": {"functionName": "other-scim-reconciler"}}),
            ),
        ),
        (
            "of another service",
            listed(
                UPDATE,
                "2026-11-02T10:00:00Z",
                json!({"eventSource": "s3.amazonaws.com"}),
            ),
        ),
        (
            "refused",
            listed(
                UPDATE,
                "2026-11-02T10:00:00Z",
                json!({"errorCode": "AccessDenied"}),
            ),
        ),
        (
            "by CloudFormation",
            listed(
                UPDATE,
                "2026-11-02T10:00:00Z",
                json!({"userIdentity": {
                    "arn": "arn:aws:sts::444455556666:assumed-role/Deployer/ci",
                    "invokedBy": "cloudformation.amazonaws.com",
                }}),
            ),
        ),
        (
            "by a role of the stack",
            listed(
                UPDATE,
                "2026-11-02T10:00:00Z",
                json!({"userIdentity": {
                    "arn": "arn:aws:sts::444455556666:assumed-role/scim-reconciler-role/x",
                    "sessionContext": {
                        "sessionIssuer": {"arn": "arn:aws:iam::444455556666:role/scim-reconciler-role"},
                    },
                }}),
            ),
        ),
    ] {
        assert_eq!(
            told(&[newer, fitting.clone()], None),
            first,
            "{passed_over}"
        );
    }

    let newest = listed(
        UPDATE,
        "2026-11-02T10:00:00Z",
        json!({"requestParameters": {
            "functionName": "arn:aws:lambda:eu-central-1:444455556666:function:scim-reconciler",
        }}),
    );
    assert_eq!(
        told(&[newest, fitting.clone()], None).as_deref(),
        Some("2026-11-02T10:00:00Z")
    );
    assert_eq!(
        told(std::slice::from_ref(&fitting), Some("2026-11-01T12:00:00Z")),
        None,
        "a newer one may be among those that were not read"
    );
}

#[test]
fn who_called_is_a_principal_or_a_service_and_the_call_has_no_version() {
    for (identity, by) in [
        (
            json!({"type": "IAMUser", "arn": "arn:aws:iam::444455556666:user/jane"}),
            "arn:aws:iam::444455556666:user/jane",
        ),
        (
            json!({"type": "AWSService", "invokedBy": "application-autoscaling.amazonaws.com"}),
            "application-autoscaling.amazonaws.com",
        ),
    ] {
        let event = listed(
            UPDATE,
            "2026-11-01T10:00:00Z",
            json!({"userIdentity": identity}),
        );
        let answer = answer(&[event], None);
        let told = attribution(&[&answer], &memory_of_a_function(), &[]).unwrap();
        assert_eq!(
            (told.by.as_str(), told.event.as_str()),
            (by, "UpdateFunctionConfiguration")
        );
    }
}

#[test]
fn a_finding_leads_to_calls_names_and_questions() {
    let function = memory_of_a_function();
    let attributes: Vec<_> = function
        .questions
        .iter()
        .map(|question| question.attribute.clone())
        .collect();
    assert_eq!(
        attributes,
        [
            "scim-reconciler",
            "arn:aws:lambda:eu-central-1:444455556666:function:scim-reconciler"
        ]
        .map(|name| Attribute::ResourceName(name.to_owned()))
    );

    let queue = "https://sqs.eu-central-1.amazonaws.com/444455556666/scim-reconcile.fifo";
    let cases = [
        (
            "AWS::IAM::Role",
            "role-1",
            json!({}),
            finding(Detector::Iam, "inline-policy").part("extra"),
            "us-east-1",
            &["PutRolePolicy", "DeleteRolePolicy"][..],
            &["role-1", "extra"][..],
        ),
        (
            "AWS::IAM::ManagedPolicy",
            "arn:p",
            json!({}),
            finding(Detector::Iam, "guard-detached").part("role/Administrator"),
            "us-east-1",
            &["DetachRolePolicy"],
            &["arn:p", "Administrator"],
        ),
        (
            "AWS::IAM::ManagedPolicy",
            "arn:p",
            json!({}),
            finding(Detector::Iam, "guard-boundary").part("user/ada"),
            "us-east-1",
            &[
                "PutUserPermissionsBoundary",
                "DeleteUserPermissionsBoundary",
                "CreateUser",
            ],
            &["ada"],
        ),
        (
            "AWS::SQS::Queue",
            queue,
            json!({}),
            finding(Detector::Queue, "RedrivePolicy"),
            "eu-central-1",
            &["SetQueueAttributes"],
            &["scim-reconcile.fifo"],
        ),
        (
            "AWS::ApiGateway::Stage",
            "prod",
            json!({}),
            finding(Detector::Api, "DeploymentId"),
            "eu-central-1",
            &["UpdateStage", "CreateDeployment"],
            &["api1", "prod"],
        ),
        (
            "AWS::ApiGateway::Method",
            "m",
            json!({"ResourceId": "r1"}),
            finding(Detector::Api, "AuthorizationType"),
            "eu-central-1",
            &["UpdateMethod", "PutMethod"],
            &["api1", "r1"],
        ),
        (
            "AWS::ECR::Repository",
            "images",
            json!({}),
            finding(Detector::Repository, "image"),
            "eu-central-1",
            &["BatchDeleteImage"],
            &["images"],
        ),
        (
            "AWS::SNS::TopicPolicy",
            "p",
            json!({"Topics": ["arn:t"]}),
            finding(Detector::Topic, "PolicyDocument"),
            "eu-central-1",
            &["SetTopicAttributes", "AddPermission", "RemovePermission"],
            &["arn:t"],
        ),
        (
            "Unrelated",
            "x",
            json!({}),
            finding(Detector::Connect, "security-profiles").service_id("user-1"),
            "eu-central-1",
            &["UpdateUserSecurityProfiles"],
            &["user-1"],
        ),
    ];
    for (resource_type, physical_id, properties, finding, region, calls, names) in cases {
        let cause = cause(&finding, &stack(resource_type, physical_id, properties)).unwrap();
        assert_eq!(
            (cause.calls, &cause.names[..]),
            (
                calls,
                &names
                    .iter()
                    .map(|&name| name.to_owned())
                    .collect::<Vec<_>>()[..]
            )
        );
        let asked: Vec<_> = cause
            .questions
            .iter()
            .map(|question| (question.region.as_str(), question.attribute.clone()))
            .collect();
        let expected: Vec<_> = calls
            .iter()
            .map(|&call| (region, Attribute::EventName(call.to_owned())))
            .collect();
        assert_eq!(asked, expected);
    }
}

#[test]
fn what_no_known_call_makes_is_not_asked_about() {
    let stack = stack("AWS::Lambda::Function", "f", json!({}));
    for finding in [
        finding(Detector::CloudFormation, "Description"),
        finding(Detector::Connect, "pending"),
        finding(Detector::Connect, "security-profiles"),
        Finding::drift(Detector::Function, Severity::High, "code", "Gone", "w"),
    ] {
        assert_eq!(cause(&finding, &stack), None, "{}", finding.id);
    }
}

#[test]
fn the_last_reader_of_a_token_besides_the_endpoint_is_told() {
    let parameter = "/connect-scim/scim/token/idp";
    let read = |time: &str, role: &str| {
        let mut event = listed(
            "GetParameter",
            time,
            json!({
                "eventSource": "ssm.amazonaws.com",
                "requestParameters": {"name": parameter, "withDecryption": true},
                "userIdentity": {
                    "arn": format!("arn:aws:sts::444455556666:assumed-role/{role}/s"),
                    "sessionContext": {
                        "sessionIssuer": {"arn": format!("arn:aws:iam::444455556666:role/{role}")},
                    },
                },
            }),
        );
        event["ReadOnly"] = json!("true");
        event
    };
    let told = |events: &[Value], horizon: Option<&str>| {
        last_reader(
            &[&answer(events, horizon)],
            parameter,
            &["scim-authorizer".to_owned()],
        )
    };
    let authorizer = read("2026-11-03T10:00:00Z", "scim-authorizer");
    let people = [
        authorizer.clone(),
        read("2026-11-01T10:00:00Z", "Auditor"),
        read("2026-11-02T10:00:00Z", "Operator"),
    ];
    let horizon = Some("2026-10-01T10:00:00Z");
    assert_eq!(
        told(&people, horizon),
        "besides the endpoint, arn:aws:sts::444455556666:assumed-role/Operator/s was the last to read /connect-scim/scim/token/idp, at 2026-11-02T10:00:00Z (GetParameter)"
    );
    assert!(
        told(std::slice::from_ref(&authorizer), horizon)
            .starts_with("nobody but the endpoint has read")
    );
    assert!(told(&[authorizer], None).ends_with("within the last 90 days"));
}
