//! Which detector looks at what, so that nothing is told twice and nothing is forgotten.
//!
//! CloudFormation's own drift detection knows only what a template sets explicitly, and errs
//! about some of it. A property that a detector of ours compares is ours to tell; of the rest
//! CloudFormation's word is taken. A type that neither of both checks is told as unchecked.

use super::finding::Detector;
use super::{alarm, scheduler, task};

/// The properties of a type that a detector compares.
pub(super) struct Covered {
    resource_type: &'static str,
    pub(super) detector: Detector,
    properties: &'static [&'static str],
}

/// Every type that the templates make, and what is compared of it.
const COVERED: [Covered; 32] = [
    covered(
        "AWS::ApiGateway::Account",
        Detector::Api,
        &["CloudWatchRoleArn"],
    ),
    covered(
        "AWS::ApiGateway::ApiKey",
        Detector::Api,
        &["Enabled", "Value"],
    ),
    covered(
        "AWS::ApiGateway::Authorizer",
        Detector::Api,
        &[
            "AuthorizerResultTtlInSeconds",
            "AuthorizerUri",
            "IdentitySource",
            "IdentityValidationExpression",
            "RestApiId",
            "Type",
        ],
    ),
    // What a deployment holds is compared as what the stage serves.
    covered("AWS::ApiGateway::Deployment", Detector::Api, &["RestApiId"]),
    covered(
        "AWS::ApiGateway::GatewayResponse",
        Detector::Api,
        &[
            "ResponseParameters",
            "ResponseTemplates",
            "ResponseType",
            "RestApiId",
            "StatusCode",
        ],
    ),
    covered(
        "AWS::ApiGateway::Method",
        Detector::Api,
        &[
            "ApiKeyRequired",
            "AuthorizationType",
            "AuthorizerId",
            "HttpMethod",
            "Integration",
            "ResourceId",
            "RestApiId",
        ],
    ),
    covered(
        "AWS::ApiGateway::Resource",
        Detector::Api,
        &["ParentId", "PathPart", "RestApiId"],
    ),
    covered(
        "AWS::ApiGateway::RestApi",
        Detector::Api,
        &["ApiKeySourceType", "EndpointConfiguration", "Policy"],
    ),
    covered(
        "AWS::ApiGateway::Stage",
        Detector::Api,
        &[
            "AccessLogSetting",
            "DeploymentId",
            "MethodSettings",
            "RestApiId",
            "StageName",
            "TracingEnabled",
        ],
    ),
    covered(
        "AWS::ApiGateway::UsagePlan",
        Detector::Api,
        &["Quota", "Throttle"],
    ),
    covered(
        "AWS::ApiGateway::UsagePlanKey",
        Detector::Api,
        &["KeyId", "KeyType", "UsagePlanId"],
    ),
    covered(
        "AWS::CloudWatch::Alarm",
        Detector::Alarm,
        &alarm::PROPERTIES,
    ),
    covered(
        "AWS::CloudWatch::Dashboard",
        Detector::Alarm,
        &["DashboardBody"],
    ),
    covered(
        "AWS::DynamoDB::Table",
        Detector::Table,
        &[
            "BillingMode",
            "DeletionProtectionEnabled",
            "GlobalSecondaryIndexes",
            "KeySchema",
            "PointInTimeRecoverySpecification",
            "ResourcePolicy",
            "SSESpecification",
            "StreamSpecification",
            "TimeToLiveSpecification",
        ],
    ),
    covered(
        "AWS::EC2::SecurityGroup",
        Detector::Network,
        &["SecurityGroupEgress", "SecurityGroupIngress"],
    ),
    covered(
        "AWS::ECR::Repository",
        Detector::Repository,
        &[
            "ImageScanningConfiguration",
            "ImageTagMutability",
            "LifecyclePolicy",
            "RepositoryPolicyText",
        ],
    ),
    covered("AWS::ECS::Cluster", Detector::Task, &["ClusterName"]),
    covered(
        "AWS::ECS::TaskDefinition",
        Detector::Task,
        &task::PROPERTIES,
    ),
    covered(
        "AWS::Events::Rule",
        Detector::Schedule,
        &["EventPattern", "ScheduleExpression", "State", "Targets"],
    ),
    covered(
        "AWS::IAM::ManagedPolicy",
        Detector::Iam,
        &["Groups", "PolicyDocument", "Roles", "Users"],
    ),
    covered(
        "AWS::IAM::Role",
        Detector::Iam,
        &[
            "AssumeRolePolicyDocument",
            "ManagedPolicyArns",
            "PermissionsBoundary",
            "Policies",
        ],
    ),
    covered(
        "AWS::Lambda::EventSourceMapping",
        Detector::Function,
        &[
            "BatchSize",
            "Enabled",
            "EventSourceArn",
            "FunctionName",
            "ScalingConfig",
        ],
    ),
    covered(
        "AWS::Lambda::Function",
        Detector::Function,
        &[
            "Architectures",
            "Code",
            "Environment",
            "Handler",
            "Layers",
            "LoggingConfig",
            "MemorySize",
            "ReservedConcurrentExecutions",
            "Role",
            "Runtime",
            "Timeout",
            "TracingConfig",
        ],
    ),
    covered(
        "AWS::Lambda::Permission",
        Detector::Function,
        &["Action", "FunctionName", "Principal", "SourceArn"],
    ),
    covered(
        "AWS::Logs::LogGroup",
        Detector::Logs,
        &["KmsKeyId", "RetentionInDays"],
    ),
    covered(
        "AWS::Scheduler::Schedule",
        Detector::Schedule,
        &scheduler::PROPERTIES,
    ),
    covered(
        "AWS::SecretsManager::Secret",
        Detector::Secret,
        &["KmsKeyId", "ReplicaRegions"],
    ),
    covered(
        "AWS::SSM::Parameter",
        Detector::Parameter,
        &["Type", "Value"],
    ),
    covered(
        "AWS::SQS::Queue",
        Detector::Queue,
        &[
            "ContentBasedDeduplication",
            "DeduplicationScope",
            "DelaySeconds",
            "FifoThroughputLimit",
            "KmsDataKeyReusePeriodSeconds",
            "KmsMasterKeyId",
            "MaximumMessageSize",
            "MessageRetentionPeriod",
            "ReceiveMessageWaitTimeSeconds",
            "RedriveAllowPolicy",
            "RedrivePolicy",
            "SqsManagedSseEnabled",
            "VisibilityTimeout",
        ],
    ),
    covered(
        "AWS::SNS::Topic",
        Detector::Topic,
        &["DisplayName", "KmsMasterKeyId"],
    ),
    covered(
        "AWS::SNS::TopicPolicy",
        Detector::Topic,
        &["PolicyDocument", "Topics"],
    ),
    covered("Custom::ScimToken", Detector::Token, &["ParameterName"]),
];

const fn covered(
    resource_type: &'static str,
    detector: Detector,
    properties: &'static [&'static str],
) -> Covered {
    Covered {
        resource_type,
        detector,
        properties,
    }
}

/// What a detector compares of a type.
pub(super) fn of(resource_type: &str) -> Option<&'static Covered> {
    COVERED
        .iter()
        .find(|covered| covered.resource_type == resource_type)
}

impl Covered {
    /// Whether a property is compared.
    pub(super) fn compares(&self, property: &str) -> bool {
        self.properties.contains(&property)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// Who has which permissions in which account: every property of these stands in the
    /// template, so CloudFormation's detection sees a change; where it cannot look, `drift`
    /// tells them as not checked.
    const LEFT_TO_CLOUDFORMATION: [&str; 2] = ["AWS::SSO::Assignment", "AWS::SSO::PermissionSet"];

    /// The types of the resources in the sources of the templates.
    fn made_by_the_templates() -> BTreeSet<String> {
        let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        ["", "connect-scim", "directory-sync"]
            .into_iter()
            .flat_map(|directory| std::fs::read_dir(templates.join(directory)).unwrap())
            .map(|file| file.unwrap().path())
            .filter(|path| path.is_file())
            .map(|path| std::fs::read_to_string(path).unwrap())
            .flat_map(|text| {
                text.lines()
                    .filter_map(|line| line.trim().strip_prefix("Type: "))
                    .filter(|word| word.contains("::"))
                    .filter(|word| !LEFT_TO_CLOUDFORMATION.contains(word))
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    #[test]
    fn every_type_that_the_templates_make_is_covered_once_and_no_other() {
        let made = made_by_the_templates();
        let covered: Vec<&str> = COVERED.iter().map(|one| one.resource_type).collect();
        let uncovered: Vec<_> = made
            .iter()
            .filter(|one| !covered.contains(&one.as_str()))
            .collect();
        assert!(uncovered.is_empty(), "no detector covers {uncovered:?}");
        let distinct: BTreeSet<_> = covered.iter().map(|&one| one.to_owned()).collect();
        assert_eq!(distinct, made);
        assert_eq!(distinct.len(), COVERED.len());
    }
}
