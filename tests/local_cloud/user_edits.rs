//! Edits of users by others than the endpoint are told to a topic.
//!
//! Connect's calls come to EventBridge from CloudTrail, which the local cloud does not do by
//! itself; and nobody may send an event in the name of a service, there as on AWS. So the
//! deployed pattern is tried on events as CloudTrail writes them, and the way from the rule to
//! a subscriber with an event of another source.

use connect_scim::cloud::service::EVENTS;
use serde_json::{Value, json};

use crate::aws::Aws;
use crate::project::Project;
use aws_json_client::Service;

const STACK: &str = "connect-scim-local";
const INSTANCE: &str = "11111111-2222-4333-8444-555555555555";

#[test]
fn an_administrators_edit_is_told_to_the_topic_and_the_endpoints_own_is_not() {
    let project = Project::new();
    project.edit_environment("\nguardrails:\n", "\ndrift:\n  watch: {}\n\nguardrails:\n");
    project.deploy();
    let aws = Aws::of(&project);
    let physical = |id: &str| {
        let resource = aws.cloudformation().describe_stack_resource();
        let resource = resource.stack_name(STACK).logical_resource_id(id);
        let described = aws.wait(resource.send()).unwrap();
        let detail = described.stack_resource_detail.unwrap();
        detail.physical_resource_id.unwrap()
    };
    let rule = physical("UserEditsRule");
    let described = aws.call(EVENTS, "DescribeRule", &json!({"Name": rule}));
    let pattern = described["EventPattern"].as_str().unwrap();

    let is_told = |detail: &Value| {
        let event = event("aws.connect", detail).to_string();
        let input = json!({"EventPattern": pattern, "Event": event});
        aws.call(EVENTS, "TestEventPattern", &input)["Result"] == true
    };
    for (what, changes, told) in [
        ("an administrator's", json!({}), true),
        (
            "an IAM user's",
            json!({"userIdentity": {"type": "IAMUser"}}),
            true,
        ),
        (
            "the root user's, with a second factor",
            json!({"userIdentity": {"type": "Root", "sessionContext": {}}}),
            true,
        ),
        (
            "the provisioning's",
            by(&physical("UserProvisioningRole")),
            false,
        ),
        ("the reconciler's", by(&physical("ReconcilerRole")), false),
        (
            "the admin website's",
            by("aws-service-role/connect.amazonaws.com/AWSServiceRoleForAmazonConnect_x"),
            true,
        ),
        (
            "of an operation that came later",
            json!({"eventName": "UpdateUserConfig"}),
            true,
        ),
        ("reading", json!({"eventName": "DescribeUser"}), false),
        (
            "of a queue",
            json!({"eventName": "UpdateQueueStatus"}),
            false,
        ),
        (
            "refused",
            json!({"errorCode": "AccessDeniedException"}),
            false,
        ),
        (
            "by an ARN",
            json!({"requestParameters": {"InstanceId": format!("arn%3Aaws%3Aconnect%3Aus-east-1%3A000000000000%3Ainstance%2F{INSTANCE}")}}),
            true,
        ),
        (
            "of another instance",
            json!({"requestParameters": {"InstanceId": "99999999-2222-4333-8444-555555555555"}}),
            false,
        ),
        (
            "of a user's tags",
            json!({"eventName": "TagResource", "requestParameters": {"resourceArn": format!("arn:aws:connect:us-east-1:000000000000:instance/{INSTANCE}/agent/u")}}),
            true,
        ),
        (
            "of a queue's tags",
            json!({"eventName": "TagResource", "requestParameters": {"resourceArn": format!("arn:aws:connect:us-east-1:000000000000:instance/{INSTANCE}/queue/q")}}),
            false,
        ),
    ] {
        assert_eq!(is_told(&edit(&changes)), told, "an edit {what}");
    }

    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": "*",
    }]});
    let attributes = json!({"Policy": policy.to_string()});
    let input = json!({"QueueName": "reader", "Attributes": attributes});
    let queue = aws.call(Service::SQS, "CreateQueue", &input);
    let queue = queue["QueueUrl"].as_str().unwrap();
    let topic = physical("UserEditsTopic");
    assert_eq!(project.outputs()["UserEditsTopicArn"], topic);
    let subscribe = aws.sns().subscribe().topic_arn(&topic).protocol("sqs");
    let subscribe = subscribe
        .endpoint("arn:aws:sqs:us-east-1:000000000000:reader")
        .attributes("RawMessageDelivery", "true");
    aws.wait(subscribe.send()).unwrap();
    let other_source = pattern.replace("aws.connect", "test.connect");
    aws.call(
        EVENTS,
        "PutRule",
        &json!({"Name": rule, "EventPattern": other_source}),
    );
    for detail in [edit(&by(&physical("ReconcilerRole"))), edit(&json!({}))] {
        let entry = json!({
            "Source": "test.connect",
            "DetailType": "AWS API Call via CloudTrail",
            "Detail": detail.to_string(),
        });
        aws.call(EVENTS, "PutEvents", &json!({"Entries": [entry]}));
    }
    let input = json!({"QueueUrl": queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 3});
    let received = aws.call(Service::SQS, "ReceiveMessage", &input);
    let messages = received["Messages"].as_array().unwrap();
    assert_eq!(messages.len(), 1, "{received}");
    insta::assert_snapshot!(messages[0]["Body"].as_str().unwrap(), @r#"
    "Users or permissions of Amazon Connect were edited, and not by the SCIM endpoint (stack connect-scim-local)."
    "what: UpdateUserSecurityProfiles user-1"
    "when: 2026-11-22T03:00:00Z"
    "by:   AssumedRole arn:aws:iam::000000000000:role/Administrator"
    "who:  aws cloudtrail lookup-events --region us-east-1 --lookup-attributes AttributeKey=EventId,AttributeValue=00fbeee1-123e-111e-93e3-11111bfbfcc1"
    "then: connect-scim drift tells what is not as the identity provider has it."
    "#);
}

/// What CloudTrail writes of an administrator's edit, but for some changes.
/// <https://docs.aws.amazon.com/connect/latest/adminguide/logging-using-cloudtrail.html>
fn edit(changes: &Value) -> Value {
    let mut detail = json!({
        "userIdentity": {
            "type": "AssumedRole",
            "arn": "arn:aws:sts::000000000000:assumed-role/Administrator/jane@example.com",
            "sessionContext": {"sessionIssuer": {
                "type": "Role",
                "arn": "arn:aws:iam::000000000000:role/Administrator",
            }},
        },
        "eventTime": "2026-11-22T03:00:00Z",
        "eventSource": "connect.amazonaws.com",
        "eventName": "UpdateUserSecurityProfiles",
        "requestParameters": {"InstanceId": INSTANCE, "UserId": "user-1"},
        "eventID": "00fbeee1-123e-111e-93e3-11111bfbfcc1",
        "readOnly": false,
    });
    for (key, value) in changes.as_object().unwrap() {
        detail[key] = value.clone();
    }
    detail
}

/// The identity of a session of a role.
fn by(role: &str) -> Value {
    json!({"userIdentity": {
        "type": "AssumedRole",
        "sessionContext": {"sessionIssuer": {
            "type": "Role",
            "arn": format!("arn:aws:iam::000000000000:role/{role}"),
        }},
    }})
}

fn event(source: &str, detail: &Value) -> Value {
    json!({
        "id": "1",
        "source": source,
        "detail-type": "AWS API Call via CloudTrail",
        "account": "000000000000",
        "region": "us-east-1",
        "time": "2026-11-22T03:00:00Z",
        "resources": [],
        "detail": detail,
    })
}
