//! Which properties cannot be changed in place: CloudFormation makes a new resource and
//! deletes the old one.
//!
//! Taken from the resource types' own schemas (`createOnlyProperties`,
//! `conditionalCreateOnlyProperties`); tests/template compares this table with the schemas
//! that cfn-lint carries, so that it cannot become stale unnoticed. It lists the types that
//! our templates use.

use super::Replacement;

/// What the schema of one resource type says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreateOnly {
    /// `AWS::…::…`
    pub resource_type: &'static str,
    /// Properties whose change makes a new resource.
    pub always: &'static [&'static str],
    /// Properties whose change may make a new resource.
    pub sometimes: &'static [&'static str],
}

const fn create_only(
    resource_type: &'static str,
    always: &'static [&'static str],
    sometimes: &'static [&'static str],
) -> CreateOnly {
    CreateOnly {
        resource_type,
        always,
        sometimes,
    }
}

/// Sorted by type; properties sorted as well.
pub const CREATE_ONLY: &[CreateOnly] = &[
    create_only("AWS::ApiGateway::Account", &[], &[]),
    create_only(
        "AWS::ApiGateway::ApiKey",
        &["GenerateDistinctId", "Name", "Value"],
        &[],
    ),
    create_only("AWS::ApiGateway::Authorizer", &["RestApiId"], &[]),
    create_only(
        "AWS::ApiGateway::Deployment",
        &["DeploymentCanarySettings", "RestApiId"],
        &[],
    ),
    create_only(
        "AWS::ApiGateway::GatewayResponse",
        &["ResponseType", "RestApiId"],
        &[],
    ),
    create_only(
        "AWS::ApiGateway::Method",
        &["HttpMethod", "ResourceId", "RestApiId"],
        &[],
    ),
    create_only(
        "AWS::ApiGateway::Resource",
        &["ParentId", "PathPart", "RestApiId"],
        &[],
    ),
    create_only("AWS::ApiGateway::RestApi", &[], &[]),
    create_only("AWS::ApiGateway::Stage", &["RestApiId", "StageName"], &[]),
    create_only("AWS::ApiGateway::UsagePlan", &[], &[]),
    create_only(
        "AWS::ApiGateway::UsagePlanKey",
        &["KeyId", "KeyType", "UsagePlanId"],
        &[],
    ),
    create_only("AWS::CloudWatch::Alarm", &["AlarmName"], &[]),
    create_only("AWS::CloudWatch::Dashboard", &["DashboardName"], &[]),
    create_only(
        "AWS::DynamoDB::Table",
        &["ImportSourceSpecification", "TableName"],
        &["KeySchema"],
    ),
    create_only(
        "AWS::EC2::SecurityGroup",
        &["GroupDescription", "GroupName", "VpcId"],
        &[],
    ),
    create_only(
        "AWS::ECR::Repository",
        &["EncryptionConfiguration", "RepositoryName"],
        &[],
    ),
    create_only("AWS::ECS::Cluster", &["ClusterName"], &[]),
    create_only(
        "AWS::ECS::TaskDefinition",
        &[
            "ContainerDefinitions",
            "Cpu",
            "EnableFaultInjection",
            "EphemeralStorage",
            "ExecutionRoleArn",
            "Family",
            "InferenceAccelerators",
            "IpcMode",
            "Memory",
            "NetworkMode",
            "PidMode",
            "PlacementConstraints",
            "ProxyConfiguration",
            "RequiresCompatibilities",
            "RuntimePlatform",
            "TaskRoleArn",
            "Volumes",
        ],
        &[],
    ),
    create_only("AWS::Events::Rule", &["Name"], &["EventBusName"]),
    create_only(
        "AWS::IAM::ManagedPolicy",
        &["Description", "ManagedPolicyName", "Path"],
        &[],
    ),
    create_only("AWS::IAM::Role", &["Path", "RoleName"], &[]),
    create_only(
        "AWS::Lambda::EventSourceMapping",
        &[
            "EventSourceArn",
            "SelfManagedEventSource",
            "StartingPosition",
            "StartingPositionTimestamp",
        ],
        &[],
    ),
    create_only(
        "AWS::Lambda::Function",
        &["FunctionName", "PackageType", "TenancyConfig"],
        &["DurableConfig"],
    ),
    create_only(
        "AWS::Lambda::Permission",
        &[
            "Action",
            "EventSourceToken",
            "FunctionName",
            "FunctionUrlAuthType",
            "InvokedViaFunctionUrl",
            "Principal",
            "PrincipalOrgID",
            "SourceAccount",
            "SourceArn",
        ],
        &[],
    ),
    create_only("AWS::Logs::LogGroup", &["LogGroupName"], &[]),
    create_only("AWS::SNS::Topic", &["FifoTopic", "TopicName"], &[]),
    create_only("AWS::SNS::TopicPolicy", &[], &[]),
    create_only("AWS::SQS::Queue", &["FifoQueue", "QueueName"], &[]),
    create_only("AWS::SSM::Parameter", &["Name"], &[]),
    create_only(
        "AWS::SSO::Assignment",
        &[
            "InstanceArn",
            "PermissionSetArn",
            "PrincipalId",
            "PrincipalType",
            "TargetId",
            "TargetType",
        ],
        &[],
    ),
    create_only("AWS::SSO::PermissionSet", &["InstanceArn", "Name"], &[]),
    create_only("AWS::Scheduler::Schedule", &["Name"], &[]),
    create_only("AWS::SecretsManager::Secret", &["Name"], &[]),
];

/// The custom resource has no schema: it is another one when the name of the SSM parameter
/// is, which its function gives as its physical id.
const CUSTOM: CreateOnly = create_only("Custom::ScimToken", &["ParameterName"], &[]);

/// What the change of one top-level property does to a resource of this type. Of a type
/// that is not in the table nobody here knows.
pub(super) fn replacement(resource_type: &str, property: &str) -> Replacement {
    let known = CREATE_ONLY
        .iter()
        .chain([&CUSTOM])
        .find(|known| known.resource_type == resource_type);
    match known {
        None => Replacement::Possible,
        Some(known) if known.always.contains(&property) => Replacement::Certain,
        Some(known) if known.sometimes.contains(&property) => Replacement::Possible,
        Some(_) => Replacement::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_decides_and_what_it_does_not_know_is_possible() {
        for (resource_type, property, expected) in [
            (
                "AWS::Lambda::Function",
                "FunctionName",
                Replacement::Certain,
            ),
            ("AWS::Lambda::Function", "Timeout", Replacement::None),
            ("AWS::DynamoDB::Table", "KeySchema", Replacement::Possible),
            ("Custom::ScimToken", "ParameterName", Replacement::Certain),
            ("Custom::ScimToken", "Generation", Replacement::None),
            ("AWS::SNS::Subscription", "Endpoint", Replacement::Possible),
        ] {
            assert_eq!(
                replacement(resource_type, property),
                expected,
                "{resource_type} {property}"
            );
        }
    }

    #[test]
    fn the_table_is_sorted() {
        assert!(CREATE_ONLY.is_sorted_by_key(|known| known.resource_type));
        assert!(
            CREATE_ONLY
                .iter()
                .all(|known| known.always.is_sorted() && known.sometimes.is_sorted())
        );
    }
}
