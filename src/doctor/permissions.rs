//! What the principal that deploys must be allowed to do. CloudFormation acts with the
//! rights of its caller, so the list covers the resources of the template as well.

use super::Check;

const CHECK: &str = "permissions";

/// Actions, and the resource that they are tried on.
#[derive(Debug, Clone, Copy)]
pub struct Permission {
    /// A resource ARN with `{partition}`, `{region}`, `{account}` and `{stack}`.
    pub resource: &'static str,
    /// IAM actions.
    pub actions: &'static [&'static str],
}

/// Every action of a deployment, an update and a removal.
pub const ACTIONS: &[Permission] = &[
    Permission {
        resource: "arn:{partition}:cloudformation:{region}:{account}:stack/{stack}/*",
        actions: &[
            "cloudformation:CreateChangeSet",
            "cloudformation:DeleteChangeSet",
            "cloudformation:DeleteStack",
            "cloudformation:DescribeChangeSet",
            "cloudformation:DescribeStackEvents",
            "cloudformation:DescribeStacks",
            "cloudformation:ExecuteChangeSet",
            "cloudformation:GetTemplate",
            "cloudformation:ListChangeSets",
            "cloudformation:ListStackResources",
            "cloudformation:UpdateTerminationProtection",
        ],
    },
    Permission {
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
        resource: "arn:{partition}:s3:::connect-scim-artifacts-{account}-{region}/*",
        actions: &["s3:GetObject", "s3:PutObject"],
    },
    Permission {
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
        resource: "arn:{partition}:iam::{account}:role/{stack}-role",
        actions: &[
            "iam:CreateRole",
            "iam:DeleteRole",
            "iam:DeleteRolePolicy",
            "iam:GetRole",
            "iam:GetRolePolicy",
            "iam:PutRolePolicy",
            "iam:TagRole",
        ],
    },
    Permission {
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
        resource: "arn:{partition}:logs:{region}:{account}:log-group:/aws/lambda/{stack}-user-provisioning",
        actions: &[
            "logs:CreateLogGroup",
            "logs:DeleteLogGroup",
            "logs:FilterLogEvents",
            "logs:PutRetentionPolicy",
        ],
    },
    Permission {
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
        resource: "arn:{partition}:sqs:{region}:{account}:{stack}-queue",
        actions: &[
            "sqs:CreateQueue",
            "sqs:DeleteQueue",
            "sqs:GetQueueAttributes",
            "sqs:SetQueueAttributes",
        ],
    },
    Permission {
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
        resource: "arn:{partition}:cloudwatch:{region}:{account}:alarm:{stack}-token-age",
        actions: &[
            "cloudwatch:DeleteAlarms",
            "cloudwatch:DescribeAlarms",
            "cloudwatch:PutMetricAlarm",
        ],
    },
    Permission {
        resource: "arn:{partition}:cloudwatch::{account}:dashboard/{stack}",
        actions: &[
            "cloudwatch:DeleteDashboards",
            "cloudwatch:GetDashboard",
            "cloudwatch:PutDashboard",
        ],
    },
    Permission {
        resource: "arn:{partition}:ssm:{region}:{account}:parameter/connect-scim/{stack}/token/idp",
        actions: &["ssm:GetParameter", "ssm:PutParameter"],
    },
];

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

/// Judges the decisions on all actions for `principal`.
#[must_use]
pub fn permissions(principal: &str, decisions: &[Decision]) -> Check {
    let name = |decision: &&Decision| decision.action.clone();
    let (denied, missing): (Vec<&Decision>, Vec<&Decision>) = decisions
        .iter()
        .filter(|decision| !decision.allowed)
        .partition(|decision| decision.explicitly_denied);
    if denied.is_empty() && missing.is_empty() {
        let count = decisions.len();
        return Check::ok(
            CHECK,
            format!("{principal} may do all {count} actions of a deployment"),
        );
    }
    let list = |decisions: &[&Decision]| decisions.iter().map(name).collect::<Vec<_>>().join(", ");
    let mut details = Vec::new();
    if !missing.is_empty() {
        details.push(format!("no policy allows {}", list(&missing)));
    }
    if !denied.is_empty() {
        details.push(format!("a policy denies {}", list(&denied)));
    }
    Check::fail(
        CHECK,
        format!("{principal}: {}", details.join("; ")),
        "allow these actions to the principal, or deploy with a role that has them (`roleArn`)",
    )
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
        let all = permissions("role/Deployer", &[decision("s3:PutObject", true, false)]);
        assert_eq!(all.outcome, Outcome::Ok);
    }

    #[test]
    fn no_action_is_named_twice_and_every_placeholder_is_replaced() {
        let mut actions: Vec<&str> = ACTIONS
            .iter()
            .flat_map(|permission| permission.actions)
            .copied()
            .collect();
        let count = actions.len();
        actions.sort_unstable();
        actions.dedup();
        assert_eq!(actions.len(), count);
        for permission in ACTIONS {
            let arn = permission.resource_arn("aws", "eu-central-1", "111122223333", "scim");
            assert!(!arn.contains(['{', '}']), "{arn}");
        }
    }
}
