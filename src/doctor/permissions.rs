//! What must be allowed for a deployment, and to whom. Some of it this program does itself;
//! the resources CloudFormation makes: with the rights of its caller, or with those of a
//! service role where the stack has one, which the caller then has to be allowed to pass.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html>

use std::collections::BTreeSet;

use super::Check;
use crate::environment::{Environment, StackKind};

/// Whoever calls a service during a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// This program.
    Deployer,
    /// CloudFormation, for the resources of the stack.
    CloudFormation,
}

/// Actions, and the resource that they are tried on.
#[derive(Debug, Clone, Copy)]
pub struct Permission {
    /// Who does them.
    pub actor: Actor,
    /// The kind of stack that needs it; none: both do.
    pub only: Option<StackKind>,
    /// A resource ARN with `{partition}`, `{region}`, `{account}` and `{stack}`.
    pub resource: &'static str,
    /// IAM actions.
    pub actions: &'static [&'static str],
}

/// Every action of a deployment, an update and a removal, whatever the environment says.
pub const ACTIONS: &[Permission] = &[
    Permission {
        actor: Actor::Deployer,
        only: None,
        resource: "arn:{partition}:cloudformation:{region}:{account}:stack/{stack}/*",
        actions: &[
            "cloudformation:CreateChangeSet",
            "cloudformation:DeleteChangeSet",
            "cloudformation:DeleteStack",
            "cloudformation:DescribeChangeSet",
            "cloudformation:DescribeStackEvents",
            "cloudformation:DescribeStacks",
            "cloudformation:ExecuteChangeSet",
            "cloudformation:GetStackPolicy",
            "cloudformation:GetTemplate",
            "cloudformation:ListChangeSets",
            "cloudformation:ListStackResources",
            "cloudformation:SetStackPolicy",
            "cloudformation:UpdateTerminationProtection",
        ],
    },
    Permission {
        actor: Actor::Deployer,
        only: Some(StackKind::Endpoint),
        resource: "arn:{partition}:s3:::connect-scim-artifacts-{account}-{region}",
        actions: &[
            "s3:CreateBucket",
            "s3:GetBucketPolicy",
            "s3:ListBucket",
            "s3:PutBucketPolicy",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketVersioning",
            "s3:PutEncryptionConfiguration",
        ],
    },
    Permission {
        actor: Actor::Deployer,
        only: Some(StackKind::Endpoint),
        resource: "arn:{partition}:s3:::connect-scim-artifacts-{account}-{region}/*",
        actions: &["s3:GetObject", "s3:PutObject"],
    },
    Permission {
        actor: Actor::Deployer,
        only: Some(StackKind::Endpoint),
        resource: "arn:{partition}:lambda:{region}:{account}:function:{stack}-user-provisioning",
        actions: &["lambda:GetFunctionConfiguration"],
    },
    Permission {
        actor: Actor::Deployer,
        only: Some(StackKind::Endpoint),
        resource: "arn:{partition}:apigateway:{region}::/account",
        actions: &["apigateway:GET"],
    },
    Permission {
        actor: Actor::Deployer,
        only: Some(StackKind::Endpoint),
        resource: "arn:{partition}:logs:{region}:{account}:log-group:/aws/lambda/{stack}-user-provisioning",
        actions: &["logs:FilterLogEvents"],
    },
    Permission {
        actor: Actor::Deployer,
        only: Some(StackKind::Endpoint),
        resource: "arn:{partition}:ssm:{region}:{account}:parameter/connect-scim/{stack}/token/idp",
        actions: &["ssm:GetParameter", "ssm:PutParameter"],
    },
    Permission {
        actor: Actor::CloudFormation,
        only: Some(StackKind::Endpoint),
        resource: "arn:{partition}:s3:::connect-scim-artifacts-{account}-{region}/*",
        actions: &["s3:GetObject"],
    },
    Permission {
        actor: Actor::CloudFormation,
        only: Some(StackKind::Endpoint),
        resource: "arn:{partition}:lambda:{region}:{account}:function:{stack}-user-provisioning",
        actions: &[
            "lambda:AddPermission",
            "lambda:CreateFunction",
            "lambda:DeleteFunction",
            "lambda:GetFunction",
            "lambda:GetFunctionConfiguration",
            "lambda:InvokeFunction",
            "lambda:RemovePermission",
            "lambda:TagResource",
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
        ],
    },
    Permission {
        actor: Actor::CloudFormation,
        only: None,
        resource: "arn:{partition}:iam::{account}:role/{stack}-role",
        actions: &[
            "iam:CreateRole",
            "iam:DeleteRole",
            "iam:DeleteRolePolicy",
            "iam:GetRole",
            "iam:GetRolePolicy",
            "iam:PassRole",
            "iam:PutRolePolicy",
            "iam:TagRole",
        ],
    },
    Permission {
        actor: Actor::CloudFormation,
        only: Some(StackKind::Endpoint),
        resource: "arn:{partition}:iam::{account}:policy/{stack}-policy",
        actions: &[
            "iam:CreatePolicy",
            "iam:CreatePolicyVersion",
            "iam:DeletePolicy",
            "iam:GetPolicy",
            "iam:ListPolicyVersions",
        ],
    },
    Permission {
        actor: Actor::CloudFormation,
        only: Some(StackKind::Endpoint),
        resource: "arn:{partition}:apigateway:{region}::/restapis",
        actions: &[
            "apigateway:DELETE",
            "apigateway:GET",
            "apigateway:PATCH",
            "apigateway:POST",
            "apigateway:PUT",
        ],
    },
    Permission {
        actor: Actor::CloudFormation,
        only: Some(StackKind::Endpoint),
        resource: "arn:{partition}:logs:{region}:{account}:log-group:/aws/lambda/{stack}-user-provisioning",
        actions: &[
            "logs:CreateLogGroup",
            "logs:DeleteLogGroup",
            "logs:PutRetentionPolicy",
        ],
    },
    Permission {
        actor: Actor::CloudFormation,
        only: Some(StackKind::Endpoint),
        resource: "arn:{partition}:dynamodb:{region}:{account}:table/{stack}-directory",
        actions: &[
            "dynamodb:CreateTable",
            "dynamodb:DeleteTable",
            "dynamodb:DescribeTable",
            "dynamodb:UpdateContinuousBackups",
            "dynamodb:UpdateTable",
        ],
    },
    Permission {
        actor: Actor::CloudFormation,
        only: Some(StackKind::Endpoint),
        resource: "arn:{partition}:sqs:{region}:{account}:{stack}-queue",
        actions: &[
            "sqs:CreateQueue",
            "sqs:DeleteQueue",
            "sqs:GetQueueAttributes",
            "sqs:SetQueueAttributes",
        ],
    },
    Permission {
        actor: Actor::CloudFormation,
        only: Some(StackKind::Endpoint),
        resource: "arn:{partition}:events:{region}:{account}:rule/{stack}-sweep",
        actions: &[
            "events:DeleteRule",
            "events:DescribeRule",
            "events:PutRule",
            "events:PutTargets",
            "events:RemoveTargets",
        ],
    },
    Permission {
        actor: Actor::CloudFormation,
        only: None,
        resource: "arn:{partition}:cloudwatch:{region}:{account}:alarm:{stack}-token-age",
        actions: &[
            "cloudwatch:DeleteAlarms",
            "cloudwatch:DescribeAlarms",
            "cloudwatch:PutMetricAlarm",
        ],
    },
    Permission {
        actor: Actor::CloudFormation,
        only: None,
        resource: "arn:{partition}:cloudwatch::{account}:dashboard/{stack}",
        actions: &[
            "cloudwatch:DeleteDashboards",
            "cloudwatch:GetDashboard",
            "cloudwatch:PutDashboard",
        ],
    },
    Permission {
        actor: Actor::Deployer,
        only: Some(StackKind::DirectorySync),
        resource: "*",
        actions: &["ecr:GetAuthorizationToken"],
    },
    Permission {
        actor: Actor::Deployer,
        only: Some(StackKind::DirectorySync),
        resource: "arn:{partition}:ecr:{region}:{account}:repository/{stack}-repository",
        actions: &[
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:CompleteLayerUpload",
            "ecr:GetDownloadUrlForLayer",
            "ecr:InitiateLayerUpload",
            "ecr:PutImage",
            "ecr:UploadLayerPart",
        ],
    },
    Permission {
        actor: Actor::Deployer,
        only: Some(StackKind::DirectorySync),
        resource: "arn:{partition}:secretsmanager:{region}:{account}:secret:{stack}/token-AbCdEf",
        actions: &[
            "secretsmanager:DescribeSecret",
            "secretsmanager:GetSecretValue",
            "secretsmanager:PutSecretValue",
        ],
    },
    Permission {
        actor: Actor::Deployer,
        only: Some(StackKind::DirectorySync),
        resource: "arn:{partition}:logs:{region}:{account}:log-group:/connect-scim/{stack}",
        actions: &["logs:FilterLogEvents"],
    },
    Permission {
        actor: Actor::CloudFormation,
        only: Some(StackKind::DirectorySync),
        resource: "arn:{partition}:ecr:{region}:{account}:repository/{stack}-repository",
        actions: &[
            "ecr:CreateRepository",
            "ecr:DeleteRepository",
            "ecr:DescribeRepositories",
            "ecr:PutLifecyclePolicy",
        ],
    },
    Permission {
        actor: Actor::CloudFormation,
        only: Some(StackKind::DirectorySync),
        resource: "arn:{partition}:ecs:{region}:{account}:cluster/{stack}",
        actions: &["ecs:DeleteCluster", "ecs:DescribeClusters"],
    },
    // These have no resource to name.
    Permission {
        actor: Actor::CloudFormation,
        only: Some(StackKind::DirectorySync),
        resource: "*",
        actions: &[
            "ec2:DescribeSecurityGroups",
            "ecs:DeregisterTaskDefinition",
            "ecs:DescribeTaskDefinition",
        ],
    },
    Permission {
        actor: Actor::CloudFormation,
        only: Some(StackKind::DirectorySync),
        resource: "arn:{partition}:ecs:{region}:{account}:task-definition/{stack}:*",
        actions: &["ecs:RegisterTaskDefinition"],
    },
    Permission {
        actor: Actor::CloudFormation,
        only: Some(StackKind::DirectorySync),
        resource: "arn:{partition}:scheduler:{region}:{account}:schedule/default/{stack}",
        actions: &[
            "scheduler:CreateSchedule",
            "scheduler:DeleteSchedule",
            "scheduler:GetSchedule",
            "scheduler:UpdateSchedule",
        ],
    },
    Permission {
        actor: Actor::CloudFormation,
        only: Some(StackKind::DirectorySync),
        resource: "arn:{partition}:ec2:{region}:{account}:security-group/*",
        actions: &[
            "ec2:AuthorizeSecurityGroupEgress",
            "ec2:DeleteSecurityGroup",
            "ec2:RevokeSecurityGroupEgress",
        ],
    },
    Permission {
        actor: Actor::CloudFormation,
        only: Some(StackKind::DirectorySync),
        resource: "arn:{partition}:secretsmanager:{region}:{account}:secret:{stack}/token-AbCdEf",
        actions: &[
            "secretsmanager:CreateSecret",
            "secretsmanager:DeleteSecret",
            "secretsmanager:DescribeSecret",
            "secretsmanager:UpdateSecret",
        ],
    },
    Permission {
        actor: Actor::CloudFormation,
        only: Some(StackKind::DirectorySync),
        resource: "arn:{partition}:ssm:{region}:{account}:parameter/connect-scim/{stack}/directory-sync",
        actions: &[
            "ssm:DeleteParameter",
            "ssm:GetParameters",
            "ssm:PutParameter",
        ],
    },
    Permission {
        actor: Actor::CloudFormation,
        only: Some(StackKind::DirectorySync),
        resource: "arn:{partition}:logs:{region}:{account}:log-group:/connect-scim/{stack}",
        actions: &[
            "logs:CreateLogGroup",
            "logs:DeleteLogGroup",
            "logs:PutRetentionPolicy",
        ],
    },
];

/// What is done besides where `drift.watch` has the stack make a topic.
pub const TOPIC: &Permission = &Permission {
    actor: Actor::CloudFormation,
    only: Some(StackKind::Endpoint),
    resource: "arn:{partition}:sns:{region}:{account}:{stack}-user-edits",
    actions: &[
        "sns:CreateTopic",
        "sns:DeleteTopic",
        "sns:GetTopicAttributes",
        "sns:SetTopicAttributes",
        "sns:TagResource",
    ],
};

impl Permission {
    /// The resource's ARN for one environment.
    #[must_use]
    pub fn resource_arn(
        &self,
        partition: &str,
        region: &str,
        account: &str,
        stack: &str,
    ) -> String {
        self.resource
            .replace("{partition}", partition)
            .replace("{region}", region)
            .replace("{account}", account)
            .replace("{stack}", stack)
    }
}

/// What the simulation says of one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The action.
    pub action: String,
    /// Whether it is allowed.
    pub allowed: bool,
    /// Whether a policy denies it, in place of none allowing it.
    pub explicitly_denied: bool,
}

/// What a deployment of `environment` needs.
pub fn actions(environment: &Environment) -> impl Iterator<Item = &'static Permission> + use<> {
    let watch = environment.drift.watch.as_ref();
    let makes_topic = watch.is_some_and(|watch| watch.topic_arn.is_none());
    let kind = environment.kind();
    let of_kind = ACTIONS
        .iter()
        .filter(move |permission| permission.only.is_none_or(|only| only == kind));
    of_kind.chain(makes_topic.then_some(TOPIC))
}

/// The line about those who do everything themselves, or all but what a service role does.
pub const CALLER: &str = "permissions";

/// The line about the service role.
pub const SERVICE_ROLE: &str = "service role";

/// Judges the decisions on the actions of `principal`, for the line `check`.
#[must_use]
pub fn permissions(check: &'static str, principal: &str, decisions: &[Decision]) -> Check {
    let (denied, missing): (Vec<&Decision>, Vec<&Decision>) = decisions
        .iter()
        .filter(|decision| !decision.allowed)
        .partition(|decision| decision.explicitly_denied);
    if denied.is_empty() && missing.is_empty() {
        let actions = names(decisions.iter()).len();
        return Check::ok(
            check,
            format!("{principal} may do all {actions} actions that a deployment needs of it"),
        );
    }
    let list = |decisions: Vec<&Decision>| names(decisions.into_iter()).join(", ");
    let mut details = Vec::new();
    if !missing.is_empty() {
        details.push(format!("no policy allows {}", list(missing)));
    }
    if !denied.is_empty() {
        details.push(format!("a policy denies {}", list(denied)));
    }
    let cure = match check {
        SERVICE_ROLE => {
            "allow these actions to the role, or name another one in `stack.serviceRoleArn`"
        }
        _ => {
            "allow these actions to the principal, or deploy with a role that has them (`roleArn`)"
        }
    };
    Check::fail(check, format!("{principal}: {}", details.join("; ")), cure)
}

/// The actions, each once, in the order of the alphabet.
fn names<'a>(decisions: impl Iterator<Item = &'a Decision>) -> Vec<&'a str> {
    let names: BTreeSet<&str> = decisions.map(|decision| decision.action.as_str()).collect();
    names.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Outcome;

    fn decision(action: &str, allowed: bool, explicitly_denied: bool) -> Decision {
        Decision {
            action: action.to_owned(),
            allowed,
            explicitly_denied,
        }
    }

    #[test]
    fn what_is_not_allowed_is_told_from_what_is_denied() {
        let check = permissions(
            CALLER,
            "role/Deployer",
            &[
                decision("s3:PutObject", true, false),
                decision("iam:CreateRole", false, false),
                decision("lambda:AddPermission", false, true),
            ],
        );
        assert_eq!(check.outcome, Outcome::Fail);
        assert_eq!(
            check.detail,
            "role/Deployer: no policy allows iam:CreateRole; a policy denies lambda:AddPermission"
        );
        let all = permissions(
            CALLER,
            "role/Deployer",
            &[decision("s3:PutObject", true, false)],
        );
        assert_eq!(all.outcome, Outcome::Ok);
    }

    #[test]
    fn a_service_role_has_its_own_cure() {
        let denied = [decision("sqs:CreateQueue", false, false)];
        let check = permissions(SERVICE_ROLE, "role/CloudFormation", &denied);
        assert_eq!(check.check, "service role");
        assert!(
            check
                .cure
                .is_some_and(|cure| cure.contains("`stack.serviceRoleArn`"))
        );
    }

    #[test]
    fn nobodys_action_is_named_twice_for_one_resource_and_every_placeholder_is_replaced() {
        let actors = [Actor::Deployer, Actor::CloudFormation];
        let stacks = [StackKind::Endpoint, StackKind::DirectorySync];
        for (actor, stack) in actors
            .into_iter()
            .flat_map(|actor| stacks.map(|stack| (actor, stack)))
        {
            let mut seen = BTreeSet::new();
            let all = ACTIONS.iter().chain([TOPIC]);
            let needed = |permission: &&Permission| {
                permission.actor == actor && permission.only.is_none_or(|only| only == stack)
            };
            for permission in all.filter(needed) {
                let arn = permission.resource_arn("aws", "eu-central-1", "111122223333", "scim");
                assert!(!arn.contains(['{', '}']), "{arn}");
                for action in permission.actions {
                    assert!(seen.insert((action, permission.resource)), "{action}");
                }
            }
        }
    }
}
