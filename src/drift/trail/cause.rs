//! Which calls can have made a finding, and how CloudTrail is asked for them.
//!
//! Calls have the names of the services' API references. CloudTrail does not note the
//! resource of every call, but it notes the name of all: so it is asked by that, once for all
//! findings of a kind. Lambda's are asked for by resource, because their names change with
//! the version of the API.

use super::lookup::{Attribute, Question};
use crate::drift::deployed::{DeployedStack, Resource};
use crate::drift::finding::{Detector, Finding};

/// What can have made a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cause {
    /// Whose calls they are, as events say it: `lambda.amazonaws.com`.
    pub(super) source: &'static str,
    /// The calls.
    pub(super) calls: &'static [&'static str],
    /// What such a call speaks of; all of it.
    pub(super) names: Vec<String>,
    /// What CloudTrail is asked.
    pub(super) questions: Vec<Question>,
}

/// The calls of one service, and what they speak of.
struct Calls {
    source: &'static str,
    calls: &'static [&'static str],
    names: Vec<String>,
}

/// What can have made a finding; `None` where no call is known that can.
pub(super) fn cause(finding: &Finding, stack: &DeployedStack) -> Option<Cause> {
    let found = match finding.detector {
        Detector::Connect => connect(finding)?,
        // What CloudFormation alone compares is set by calls of all kinds; the template is
        // of this checkout.
        Detector::CloudFormation | Detector::Template => return None,
        _ => of_resource(finding, stack)?,
    };
    let (partition, region, account) = stack.place();
    let region = match found.source {
        IAM => region_of_iam(partition),
        _ => region,
    };
    let attributes = match (found.source, found.names.as_slice()) {
        (LAMBDA, [function]) if found.calls != MAPPING => vec![
            Attribute::ResourceName(function.clone()),
            Attribute::ResourceName(format!(
                "arn:{partition}:lambda:{region}:{account}:function:{function}"
            )),
        ],
        _ => found
            .calls
            .iter()
            .map(|&call| Attribute::EventName(call.to_owned()))
            .collect(),
    };
    let question = |attribute| Question {
        region: region.to_owned(),
        attribute,
    };
    Some(Cause {
        source: found.source,
        calls: found.calls,
        names: found.names,
        questions: attributes.into_iter().map(question).collect(),
    })
}

const API: &str = "apigateway.amazonaws.com";
const CONNECT: &str = "connect.amazonaws.com";
const DYNAMODB: &str = "dynamodb.amazonaws.com";
const ECR: &str = "ecr.amazonaws.com";
const EVENTS: &str = "events.amazonaws.com";
const IAM: &str = "iam.amazonaws.com";
const LAMBDA: &str = "lambda.amazonaws.com";
const LOGS: &str = "logs.amazonaws.com";
const MONITORING: &str = "monitoring.amazonaws.com";
const SCHEDULER: &str = "scheduler.amazonaws.com";
const SNS: &str = "sns.amazonaws.com";
const SQS: &str = "sqs.amazonaws.com";
const SSM: &str = "ssm.amazonaws.com";

/// What changes an event source mapping; Lambda knows no name of these as a resource.
const MAPPING: &[&str] = &[
    "UpdateEventSourceMapping20150331",
    "DeleteEventSourceMapping20150331",
];

/// IAM is one for a whole partition, and its calls are recorded in one region.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html#cloudtrail-concepts-global-service-events>
fn region_of_iam(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "cn-north-1",
        "aws-us-gov" => "us-gov-west-1",
        _ => "us-east-1",
    }
}

fn of_resource(finding: &Finding, stack: &DeployedStack) -> Option<Calls> {
    let (resource_type, resource) = stack.resource(&finding.resource)?;
    let check = finding.check();
    let id = &resource.physical_id;
    let calls = |source, calls, names: &[&str]| {
        Some(Calls {
            source,
            calls,
            names: names.iter().map(|&name| name.to_owned()).collect(),
        })
    };
    match resource_type.as_str() {
        "AWS::Lambda::Function" => calls(LAMBDA, function_calls(check), &[id]),
        "AWS::Lambda::Permission" => {
            let function = resource.properties["FunctionName"].as_str()?;
            let name = function.rsplit(':').next().unwrap_or(function);
            calls(LAMBDA, function_calls("caller"), &[name])
        }
        "AWS::Lambda::EventSourceMapping" => calls(LAMBDA, MAPPING, &[id]),
        "AWS::IAM::Role" => {
            let names: Vec<&str> = [id.as_str()].into_iter().chain(finding.detail()).collect();
            calls(IAM, role_calls(check)?, &names)
        }
        "AWS::IAM::ManagedPolicy" => match finding.detail().and_then(|one| one.split_once('/')) {
            Some((kind, name)) if check == "guard-boundary" => calls(IAM, unbound(kind)?, &[name]),
            Some((kind, name)) => calls(IAM, detached(kind)?, &[id, name]),
            None if check == "policy-document" => calls(
                IAM,
                &["CreatePolicyVersion", "SetDefaultPolicyVersion"],
                &[id],
            ),
            None => None,
        },
        "AWS::SQS::Queue" => {
            let name = id.rsplit('/').next().unwrap_or(id);
            calls(SQS, queue_calls(check), &[name])
        }
        "AWS::DynamoDB::Table" => calls(DYNAMODB, table_calls(check), &[id]),
        "AWS::CloudWatch::Alarm" => calls(MONITORING, alarm_calls(check), &[id]),
        "AWS::CloudWatch::Dashboard" => {
            calls(MONITORING, &["PutDashboard", "DeleteDashboards"], &[id])
        }
        "AWS::Logs::LogGroup" => {
            let names: Vec<&str> = [id.as_str()].into_iter().chain(finding.detail()).collect();
            calls(LOGS, log_group_calls(check)?, &names)
        }
        "AWS::Events::Rule" => calls(EVENTS, rule_calls(check), &[id]),
        "AWS::Scheduler::Schedule" => calls(SCHEDULER, schedule_calls(check), &[id]),
        "AWS::ECR::Repository" => calls(ECR, repository_calls(check)?, &[id]),
        "AWS::SSM::Parameter" => calls(SSM, parameter_calls(check), &[id]),
        "AWS::SNS::Topic" => calls(SNS, topic_calls(check), &[id]),
        "AWS::SNS::TopicPolicy" => {
            let topic = resource.properties["Topics"][0].as_str()?;
            calls(SNS, topic_policy_calls(check), &[topic])
        }
        "Custom::ScimToken" => calls(SSM, token_calls(check)?, &[id]),
        _ => {
            let api = stack.resources("AWS::ApiGateway::RestApi");
            api_calls(
                finding,
                &resource_type,
                &resource,
                &api.first()?.physical_id,
            )
        }
    }
}

fn function_calls(check: &str) -> &'static [&'static str] {
    match check {
        "code" => &["UpdateFunctionCode"],
        "ReservedConcurrentExecutions" => &["PutFunctionConcurrency", "DeleteFunctionConcurrency"],
        "caller" => &["AddPermission", "RemovePermission"],
        "event-source" => &[
            "CreateEventSourceMapping",
            "UpdateEventSourceMapping",
            "DeleteEventSourceMapping",
        ],
        "deleted" => &["DeleteFunction"],
        _ => &["UpdateFunctionConfiguration"],
    }
}

fn role_calls(check: &str) -> Option<&'static [&'static str]> {
    Some(match check {
        "trust" => &["UpdateAssumeRolePolicy"],
        "inline-policy" => &["PutRolePolicy", "DeleteRolePolicy"],
        "attached-policy" => &["AttachRolePolicy", "DetachRolePolicy"],
        "boundary" => &[
            "PutRolePermissionsBoundary",
            "DeleteRolePermissionsBoundary",
        ],
        "deleted" => &["DeleteRole"],
        _ => return None,
    })
}

fn unbound(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "role" => &[
            "PutRolePermissionsBoundary",
            "DeleteRolePermissionsBoundary",
            "CreateRole",
        ],
        "user" => &[
            "PutUserPermissionsBoundary",
            "DeleteUserPermissionsBoundary",
            "CreateUser",
        ],
        _ => return None,
    })
}

fn detached(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "role" => &["DetachRolePolicy"],
        "group" => &["DetachGroupPolicy"],
        "user" => &["DetachUserPolicy"],
        _ => return None,
    })
}

fn queue_calls(check: &str) -> &'static [&'static str] {
    match check {
        "Policy" => &["SetQueueAttributes", "AddPermission", "RemovePermission"],
        "deleted" => &["DeleteQueue"],
        _ => &["SetQueueAttributes"],
    }
}

fn table_calls(check: &str) -> &'static [&'static str] {
    match check {
        "PointInTimeRecoverySpecification" => &["UpdateContinuousBackups"],
        "TimeToLiveSpecification" => &["UpdateTimeToLive"],
        "ResourcePolicy" => &["PutResourcePolicy", "DeleteResourcePolicy"],
        "deleted" => &["DeleteTable"],
        _ => &["UpdateTable"],
    }
}

fn alarm_calls(check: &str) -> &'static [&'static str] {
    match check {
        "ActionsEnabled" => &[
            "DisableAlarmActions",
            "EnableAlarmActions",
            "PutMetricAlarm",
        ],
        "deleted" => &["DeleteAlarms"],
        _ => &["PutMetricAlarm"],
    }
}

fn log_group_calls(check: &str) -> Option<&'static [&'static str]> {
    Some(match check {
        "RetentionInDays" => &["PutRetentionPolicy", "DeleteRetentionPolicy"],
        "KmsKeyId" => &["AssociateKmsKey", "DisassociateKmsKey"],
        "subscription" => &["PutSubscriptionFilter"],
        "deleted" => &["DeleteLogGroup"],
        _ => return None,
    })
}

fn rule_calls(check: &str) -> &'static [&'static str] {
    match check {
        "State" => &["DisableRule", "EnableRule", "PutRule"],
        "Targets" => &["PutTargets", "RemoveTargets"],
        "deleted" => &["DeleteRule"],
        _ => &["PutRule"],
    }
}

fn schedule_calls(check: &str) -> &'static [&'static str] {
    match check {
        "deleted" => &["DeleteSchedule"],
        _ => &["UpdateSchedule"],
    }
}

fn repository_calls(check: &str) -> Option<&'static [&'static str]> {
    Some(match check {
        "ImageTagMutability" => &["PutImageTagMutability"],
        "ImageScanningConfiguration" => &["PutImageScanningConfiguration"],
        "LifecyclePolicy" => &["PutLifecyclePolicy", "DeleteLifecyclePolicy"],
        "RepositoryPolicyText" => &["SetRepositoryPolicy", "DeleteRepositoryPolicy"],
        "image" => &["BatchDeleteImage"],
        "deleted" => &["DeleteRepository"],
        _ => return None,
    })
}

fn parameter_calls(check: &str) -> &'static [&'static str] {
    match check {
        "deleted" => &["DeleteParameter", "DeleteParameters"],
        _ => &["PutParameter"],
    }
}

fn topic_calls(check: &str) -> &'static [&'static str] {
    match check {
        "deleted" => &["DeleteTopic"],
        _ => &["SetTopicAttributes"],
    }
}

fn topic_policy_calls(check: &str) -> &'static [&'static str] {
    match check {
        "deleted" => &["DeleteTopic"],
        _ => &["SetTopicAttributes", "AddPermission", "RemovePermission"],
    }
}

fn token_calls(check: &str) -> Option<&'static [&'static str]> {
    Some(match check {
        "deleted" => &["DeleteParameter", "DeleteParameters"],
        "not-encrypted" => &["PutParameter"],
        _ => return None,
    })
}

/// What can have changed the REST API `api`, or one of its parts.
fn api_calls(
    finding: &Finding,
    resource_type: &str,
    resource: &Resource,
    api: &str,
) -> Option<Calls> {
    let own = resource.physical_id.as_str();
    let property = |name: &str| resource.properties[name].as_str();
    let (calls, names): (&'static [&'static str], Vec<&str>) =
        match (resource_type, finding.check()) {
            ("AWS::ApiGateway::RestApi", check) => of_rest_api(check, finding.detail(), api)?,
            ("AWS::ApiGateway::Stage", check) => {
                let calls: &[&str] = match check {
                    "deleted" => &["DeleteStage"],
                    // A deployment to a stage moves it.
                    "DeploymentId" | "served-method" => &["UpdateStage", "CreateDeployment"],
                    _ => &["UpdateStage"],
                };
                (calls, vec![api, own])
            }
            ("AWS::ApiGateway::Method", check) => {
                let calls: &[&str] = match check {
                    "deleted" | "method" => &["DeleteMethod"],
                    "Integration" => &["PutIntegration", "UpdateIntegration", "DeleteIntegration"],
                    _ => &["UpdateMethod", "PutMethod"],
                };
                (calls, vec![api, property("ResourceId")?])
            }
            ("AWS::ApiGateway::Authorizer", "deleted") => (&["DeleteAuthorizer"], vec![api, own]),
            ("AWS::ApiGateway::Authorizer", _) => (&["UpdateAuthorizer"], vec![api, own]),
            ("AWS::ApiGateway::GatewayResponse", _) => (
                &[
                    "PutGatewayResponse",
                    "UpdateGatewayResponse",
                    "DeleteGatewayResponse",
                ],
                vec![api, property("ResponseType")?],
            ),
            ("AWS::ApiGateway::UsagePlan", "deleted") => (&["DeleteUsagePlan"], vec![own]),
            ("AWS::ApiGateway::UsagePlan", _) => (&["UpdateUsagePlan"], vec![own]),
            ("AWS::ApiGateway::UsagePlanKey", _) => (
                &["CreateUsagePlanKey", "DeleteUsagePlanKey"],
                vec![property("UsagePlanId")?],
            ),
            ("AWS::ApiGateway::ApiKey", "deleted") => (&["DeleteApiKey"], vec![own]),
            ("AWS::ApiGateway::ApiKey", _) => (&["UpdateApiKey"], vec![own]),
            _ => return None,
        };
    Some(Calls {
        source: API,
        calls,
        names: names.into_iter().map(str::to_owned).collect(),
    })
}

fn of_rest_api<'a>(
    check: &str,
    part: Option<&'a str>,
    api: &'a str,
) -> Option<(&'static [&'static str], Vec<&'a str>)> {
    Some(match check {
        "stage" => (&["CreateStage", "CreateDeployment"], vec![api, part?]),
        "method" => (&["PutMethod", "DeleteMethod"], vec![api]),
        "authorizer" => (&["CreateAuthorizer"], vec![api, part?]),
        "gateway-response" => (&["PutGatewayResponse", "UpdateGatewayResponse"], vec![api]),
        "usage-plan" => (&["CreateUsagePlan", "UpdateUsagePlan"], vec![part?]),
        "deleted" => (&["DeleteRestApi"], vec![api]),
        _ => (&["UpdateRestApi"], vec![api]),
    })
}

/// What can have changed a user or a security profile. A call names it by the id that it has
/// in Connect.
fn connect(finding: &Finding) -> Option<Calls> {
    let calls: &[&str] = match finding.check() {
        "missing" => &["DeleteUser"],
        "unmanaged" => &["CreateUser"],
        "profile" => &["UpdateSecurityProfile", "CreateSecurityProfile"],
        "security-profiles" => &["UpdateUserSecurityProfiles"],
        "routing-profile" => &["UpdateUserRoutingProfile"],
        "hierarchy-group" => &["UpdateUserHierarchy"],
        "proficiencies" => &[
            "UpdateUserProficiencies",
            "AssociateUserProficiencies",
            "DisassociateUserProficiencies",
        ],
        "tags" => &["TagResource", "UntagResource"],
        "first-name" | "last-name" | "e-mail" | "secondary-e-mail" | "mobile" => {
            &["UpdateUserIdentityInfo"]
        }
        "phone" => &["UpdateUserPhoneConfig"],
        _ => return None,
    };
    Some(Calls {
        source: CONNECT,
        calls,
        names: vec![finding.service_id.clone()?],
    })
}
