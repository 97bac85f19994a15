//! What the guardrail denies to whom, as tables. Two independent policy engines are compared
//! with them: that of the local cloud, and PMapper's.

use connect_scim::environment::{Environment, EnvironmentFile};
use connect_scim::guardrail::{Names, Protected, boundary_statements, document, statements};
use serde_json::Value;

pub const IAM: &str = "arn:aws:iam::000000000000:";
const CONNECT: &str = "arn:aws:connect:us-east-1:000000000000:instance/";
const INSTANCE: &str = "11111111-2222-4333-8444-555555555555";

/// The roles of the tables. Other policies allow them everything.
pub const PRINCIPALS: [&str; 5] = [
    "Administrator",
    "Deployer",
    "BreakGlass",
    "scim-UserProvisioningRole-1A",
    "scim-TokenAuthorizerRole-1A",
];

/// The principals that may do something: a letter for each of [`PRINCIPALS`], in their order.
type May = &'static str;

/// In which use of the guardrail a line applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// In each.
    Every,
    /// Attached to a principal, or as a service control policy.
    Denial,
    /// As a permissions boundary.
    Boundary,
}

/// Condition keys of a request and their values.
type Context = &'static [(&'static str, &'static str)];

const GUARDRAIL: &str = "arn:aws:iam::000000000000:policy/scim-GuardrailPolicy-1A";
const BOUNDARY: &str = "arn:aws:iam::000000000000:policy/scim-GuardrailBoundary-1A";
const OTHER: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const TOKEN: &str = "arn:aws:ssm:us-east-1:000000000000:parameter/connect-scim/scim/token/idp";

/// The actions that return the value of a parameter.
const RETRIEVALS: &[&str] = &[
    "ssm:GetParameter",
    "ssm:GetParameterHistory",
    "ssm:GetParameters",
    "ssm:GetParametersByPath",
];

/// The parameters of tokens and every path above them.
const TOKEN_PATHS: &[&str] = &[
    "",
    "connect-scim",
    "connect-scim/",
    "connect-scim/scim",
    "connect-scim/scim/",
    "connect-scim/scim/token",
    "connect-scim/scim/token/",
    "connect-scim/scim/token/idp",
    "connect-scim/scim/token/idp/",
    "payroll",
    "payroll/",
    "payroll/hr",
    "payroll/hr/",
    "payroll/hr/scim-token",
];

/// Actions, the resource that they are tried on, and who may.
const TABLE: &[(&[&str], &str, May)] = &[
    (
        &[
            "connect:CreateUser",
            "connect:DeleteUser",
            "connect:UpdateUserHierarchy",
            "connect:UpdateUserIdentityInfo",
            "connect:UpdateUserPhoneConfig",
            "connect:UpdateUserConfig",
            "connect:UpdateUserProficiencies",
            "connect:UpdateUserRoutingProfile",
            "connect:UpdateUserSecurityProfiles",
            "connect:AssociateUserProficiencies",
            "connect:DisassociateUserProficiencies",
            "connect:AssociateTrafficDistributionGroupUser",
            "connect:DisassociateTrafficDistributionGroupUser",
            "connect:TagResource",
            "connect:UntagResource",
        ],
        "{instance}/agent/u1",
        "--yy-",
    ),
    (
        &[
            "connect:CreateSecurityProfile",
            "connect:UpdateSecurityProfile",
            "connect:DeleteSecurityProfile",
            "connect:TagResource",
        ],
        "{instance}/security-profile/s1",
        "--yy-",
    ),
    (
        &[
            "connect:AdminGetEmergencyAccessToken",
            "connect:DeleteInstance",
            "connect:UpdateUserHierarchyStructure",
        ],
        "{instance}",
        "--yy-",
    ),
    // Another instance, and what supervisors and everybody do.
    (
        &["connect:CreateUser", "connect:TagResource"],
        "arn:aws:connect:us-east-1:000000000000:instance/99999999-2222-4333-8444-555555555555/agent/u1",
        "yyyyy",
    ),
    (
        &[
            "connect:PutUserStatus",
            "connect:DismissUserContact",
            "connect:DescribeUser",
        ],
        "{instance}/agent/u1",
        "yyyyy",
    ),
    (&["connect:GetFederationToken"], "{instance}", "yyyyy"),
    (
        &["connect:TagResource", "connect:UpdateQueueName"],
        "{instance}/queue/q1",
        "yyyyy",
    ),
    // The endpoint.
    (
        &[
            "lambda:AddPermission",
            "lambda:CreateAlias",
            "lambda:CreateFunctionUrlConfig",
            "lambda:DeleteFunction",
            "lambda:DeleteFunctionConcurrency",
            "lambda:InvokeAsync",
            "lambda:InvokeFunction",
            "lambda:InvokeFunctionUrl",
            "lambda:PublishVersion",
            "lambda:PutFunctionConcurrency",
            "lambda:PutFunctionEventInvokeConfig",
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
            "lambda:AnActionOfTheFuture",
        ],
        "arn:aws:lambda:us-east-1:000000000000:function:scim-user-provisioning",
        "-yy--",
    ),
    (
        &["lambda:InvokeFunction", "lambda:UpdateAlias"],
        "arn:aws:lambda:us-east-1:000000000000:function:scim-reconciler:live",
        "-yy--",
    ),
    (
        &["lambda:GetFunction", "lambda:ListVersionsByFunction"],
        "arn:aws:lambda:us-east-1:000000000000:function:scim-user-provisioning",
        "yyyyy",
    ),
    (
        &["lambda:InvokeFunction", "lambda:UpdateFunctionCode"],
        "arn:aws:lambda:us-east-1:000000000000:function:payroll",
        "yyyyy",
    ),
    (
        &[
            "iam:AttachRolePolicy",
            "iam:DeleteRole",
            "iam:DeleteRolePolicy",
            "iam:PassRole",
            "iam:PutRolePermissionsBoundary",
            "iam:PutRolePolicy",
            "iam:UpdateAssumeRolePolicy",
        ],
        "{iam}role/scim-UserProvisioningRole-1A",
        "-yy--",
    ),
    (
        &[
            "iam:GetRole",
            "iam:ListRolePolicies",
            "iam:SimulatePrincipalPolicy",
        ],
        "{iam}role/scim-UserProvisioningRole-1A",
        "yyyyy",
    ),
    (
        &[
            "iam:UpdateAssumeRolePolicy",
            "iam:PassRole",
            "iam:DeleteRole",
        ],
        "{iam}role/payroll",
        "yyyyy",
    ),
    (
        &[
            "iam:CreatePolicyVersion",
            "iam:DeletePolicy",
            "iam:DeletePolicyVersion",
            "iam:SetDefaultPolicyVersion",
        ],
        "{iam}policy/scim-GuardrailPolicy-1A",
        "-yy--",
    ),
    (
        &[
            "cloudformation:CancelUpdateStack",
            "cloudformation:CreateStackRefactor",
            "cloudformation:DeleteChangeSet",
            "cloudformation:ExecuteChangeSet",
            "cloudformation:ExecuteStackRefactor",
            "cloudformation:SignalResource",
            "cloudformation:UpdateStack",
        ],
        "arn:aws:cloudformation:us-east-1:000000000000:stack/scim/3f1c",
        "-yy--",
    ),
    (
        &[
            "cloudformation:DescribeStacks",
            "cloudformation:DetectStackDrift",
            "cloudformation:GetTemplate",
        ],
        "arn:aws:cloudformation:us-east-1:000000000000:stack/scim/3f1c",
        "yyyyy",
    ),
    (
        &["cloudformation:CreateStack"],
        "arn:aws:cloudformation:us-east-1:000000000000:stack/payroll/3f1c",
        "yyyyy",
    ),
    (
        &[
            "apigateway:DELETE",
            "apigateway:PATCH",
            "apigateway:SetWebACL",
        ],
        "arn:aws:apigateway:us-east-1::/restapis/abcdef1234/authorizers/a1",
        "-yy--",
    ),
    (
        &["apigateway:DELETE", "apigateway:PATCH"],
        "arn:aws:apigateway:us-east-1::/usageplans/plan123456",
        "-yy--",
    ),
    (
        &["apigateway:DELETE", "apigateway:PATCH"],
        "arn:aws:apigateway:us-east-1::/apikeys/key1234567",
        "-yy--",
    ),
    (
        &["apigateway:PUT"],
        "arn:aws:apigateway:us-east-1::/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Frestapis%2Fabcdef1234",
        "-yy--",
    ),
    (
        &["apigateway:POST", "apigateway:DELETE"],
        "arn:aws:apigateway:us-east-1::/domainnames/scim.example.com/basepathmappings",
        "-yy--",
    ),
    (
        &["apigateway:GET"],
        "arn:aws:apigateway:us-east-1::/restapis/abcdef1234/authorizers/a1",
        "yyyyy",
    ),
    (
        &["apigateway:PATCH"],
        "arn:aws:apigateway:us-east-1::/restapis/zyxwvu9876/stages/prod",
        "yyyyy",
    ),
    // The sweep, the queues, the alarms, the watch.
    (
        &[
            "events:DeleteRule",
            "events:DisableRule",
            "events:PutRule",
            "events:PutTargets",
            "events:RemoveTargets",
        ],
        "arn:aws:events:us-east-1:000000000000:rule/scim-ReconcilerSchedule-1A",
        "-yy--",
    ),
    (
        &["events:DisableRule"],
        "arn:aws:events:us-east-1:000000000000:rule/scim-UserEditsRule-1A",
        "-yy--",
    ),
    (
        &["events:DisableRule"],
        "arn:aws:events:us-east-1:000000000000:rule/payroll",
        "yyyyy",
    ),
    (
        &[
            "sqs:AddPermission",
            "sqs:DeleteMessage",
            "sqs:DeleteQueue",
            "sqs:PurgeQueue",
            "sqs:ReceiveMessage",
            "sqs:SendMessage",
            "sqs:SetQueueAttributes",
        ],
        "arn:aws:sqs:us-east-1:000000000000:scim-ReconcileQueue-1A.fifo",
        "-yyyy",
    ),
    (
        &["sqs:StartMessageMoveTask", "sqs:PurgeQueue"],
        "arn:aws:sqs:us-east-1:000000000000:scim-ReconcileDeadLetterQueue-1A.fifo",
        "-yyyy",
    ),
    (
        &["sqs:GetQueueAttributes", "sqs:ListQueueTags"],
        "arn:aws:sqs:us-east-1:000000000000:scim-ReconcileQueue-1A.fifo",
        "yyyyy",
    ),
    (
        &[
            "cloudwatch:DeleteAlarms",
            "cloudwatch:DisableAlarmActions",
            "cloudwatch:PutAlarmMuteRule",
            "cloudwatch:PutMetricAlarm",
            "cloudwatch:SetAlarmState",
        ],
        "arn:aws:cloudwatch:us-east-1:000000000000:alarm:scim-missing-sweep",
        "-yy--",
    ),
    (
        &["cloudwatch:DescribeAlarms"],
        "arn:aws:cloudwatch:us-east-1:000000000000:alarm:scim-missing-sweep",
        "yyyyy",
    ),
    (
        &[
            "sns:DeleteTopic",
            "sns:Publish",
            "sns:SetTopicAttributes",
            "sns:Subscribe",
        ],
        "arn:aws:sns:us-east-1:000000000000:scim-user-edits",
        "-yy--",
    ),
    // The packages.
    (
        &["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject"],
        "arn:aws:s3:::connect-scim-artifacts-000000000000-us-east-1/functions/reconciler/1.zip",
        "-yy--",
    ),
    (
        &[
            "s3:DeleteBucket",
            "s3:PutBucketPolicy",
            "s3:PutBucketVersioning",
        ],
        "arn:aws:s3:::connect-scim-artifacts-000000000000-us-east-1",
        "-yy--",
    ),
    (
        &["s3:GetObject"],
        "arn:aws:s3:::connect-scim-artifacts-000000000000-us-east-1/functions/reconciler/1.zip",
        "yyyyy",
    ),
    (&["s3:PutObject"], "arn:aws:s3:::payroll/1.zip", "yyyyy"),
    // The tokens and the directory.
    (
        &[
            "ssm:AddTagsToResource",
            "ssm:DeleteParameter",
            "ssm:LabelParameterVersion",
            "ssm:PutParameter",
            "ssm:PutResourcePolicy",
            "ssm:UnlabelParameterVersion",
        ],
        TOKEN,
        "-yyyy",
    ),
    (&["ssm:ListTagsForResource"], TOKEN, "yyyyy"),
    (
        RETRIEVALS,
        "arn:aws:ssm:us-east-1:000000000000:parameter/connect-scim/scim/drift",
        "yyyyy",
    ),
    (
        RETRIEVALS,
        "arn:aws:ssm:us-east-1:000000000000:parameter/warehouse/",
        "yyyyy",
    ),
    (
        &[
            "dynamodb:CreateBackup",
            "dynamodb:CreateTableReplica",
            "dynamodb:DeleteTable",
            "dynamodb:PartiQLUpdate",
            "dynamodb:PutItem",
            "dynamodb:UpdateContinuousBackups",
            "dynamodb:UpdateTimeToLive",
        ],
        "arn:aws:dynamodb:us-east-1:000000000000:table/scim-DirectoryTable-1A",
        "-yyyy",
    ),
    (
        &["dynamodb:UpdateItem"],
        "arn:aws:dynamodb:eu-west-1:000000000000:table/scim-DirectoryTable-1A",
        "-yyyy",
    ),
    (
        &["dynamodb:DeleteBackup"],
        "arn:aws:dynamodb:us-east-1:000000000000:table/scim-DirectoryTable-1A/backup/b1",
        "-yyyy",
    ),
    (
        &[
            "dynamodb:DescribeTable",
            "dynamodb:GetItem",
            "dynamodb:Query",
            "dynamodb:Scan",
        ],
        "arn:aws:dynamodb:us-east-1:000000000000:table/scim-DirectoryTable-1A",
        "yyyyy",
    ),
    // The other calls that the functions' roles allow.
    (
        &["dynamodb:Query"],
        "arn:aws:dynamodb:us-east-1:000000000000:table/scim-DirectoryTable-1A/index/pending",
        "yyyyy",
    ),
    (
        &["logs:PutLogEvents"],
        "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/scim-reconciler:*",
        "yyyyy",
    ),
    (&["xray:PutTraceSegments"], "*", "yyyyy"),
    // The principals that deploy or are exempt, a role that would match a pattern among them.
    (
        &[
            "iam:AttachRolePolicy",
            "iam:CreateRole",
            "iam:DeleteRole",
            "iam:PassRole",
            "iam:PutRolePolicy",
            "iam:UpdateAssumeRolePolicy",
        ],
        "{iam}role/BreakGlass",
        "-yy--",
    ),
    (
        &[
            "iam:CreateRole",
            "iam:PassRole",
            "iam:UpdateAssumeRolePolicy",
        ],
        "{iam}role/DeployTomorrow",
        "-yy--",
    ),
    (
        &["iam:CreateRole", "iam:PassRole", "iam:PutRolePolicy"],
        "{iam}role/ScimCloudFormation",
        "-yy--",
    ),
    (
        &[
            "iam:CreateAccessKey",
            "iam:CreateLoginProfile",
            "iam:CreateUser",
            "iam:DeactivateMFADevice",
            "iam:UpdateLoginProfile",
        ],
        "{iam}user/break-glass/ada",
        "-yy--",
    ),
    (
        &["sts:AssumeRole", "iam:GetRole"],
        "{iam}role/BreakGlass",
        "yyyyy",
    ),
    (&["iam:CreateAccessKey"], "{iam}user/payroll", "yyyyy"),
];

/// The same with condition keys, and lines that apply in one use only.
const WITH_CONTEXT: &[(Use, &[&str], &str, Context, May)] = &[
    (
        Use::Every,
        &["kms:Decrypt", "kms:ReEncryptFrom"],
        "arn:aws:kms:us-east-1:000000000000:key/k1",
        &[("kms:EncryptionContext:PARAMETER_ARN", TOKEN)],
        "-yy-y",
    ),
    (
        Use::Every,
        &["kms:Decrypt"],
        "arn:aws:kms:us-east-1:000000000000:key/k1",
        &[(
            "kms:EncryptionContext:PARAMETER_ARN",
            "arn:aws:ssm:us-east-1:000000000000:parameter/payroll/hr/scim-token",
        )],
        "-yy-y",
    ),
    (
        Use::Every,
        &["kms:Decrypt"],
        "arn:aws:kms:us-east-1:000000000000:key/k1",
        &[(
            "kms:EncryptionContext:PARAMETER_ARN",
            "arn:aws:ssm:us-east-1:000000000000:parameter/payroll/database",
        )],
        "yyyyy",
    ),
    (
        Use::Every,
        &["kms:Decrypt"],
        "arn:aws:kms:us-east-1:000000000000:key/k1",
        &[],
        "yyyyy",
    ),
    (
        Use::Every,
        &[
            "lambda:CreateEventSourceMapping",
            "lambda:DeleteEventSourceMapping",
            "lambda:UpdateEventSourceMapping",
        ],
        "*",
        &[(
            "lambda:FunctionArn",
            "arn:aws:lambda:us-east-1:000000000000:function:scim-reconciler",
        )],
        "-yy--",
    ),
    (
        Use::Every,
        &["lambda:CreateEventSourceMapping"],
        "*",
        &[(
            "lambda:FunctionArn",
            "arn:aws:lambda:us-east-1:000000000000:function:payroll",
        )],
        "yyyyy",
    ),
    // Detaching the guardrail, from the caller itself and from others.
    (
        Use::Every,
        &["iam:DetachRolePolicy"],
        "{iam}role/Administrator",
        &[("iam:PolicyARN", GUARDRAIL)],
        "-yy--",
    ),
    (
        Use::Every,
        &["iam:DetachRolePolicy"],
        "{iam}role/ops/Other",
        &[
            ("iam:PolicyARN", GUARDRAIL),
            ("iam:PermissionsBoundary", OTHER),
        ],
        "-yy--",
    ),
    (
        Use::Every,
        &["iam:DetachUserPolicy"],
        "{iam}user/ada",
        &[("iam:PolicyARN", GUARDRAIL)],
        "-yy--",
    ),
    (
        Use::Every,
        &["iam:DetachGroupPolicy"],
        "{iam}group/Operators",
        &[("iam:PolicyARN", GUARDRAIL)],
        "-yy--",
    ),
    (
        Use::Every,
        &["iam:DetachRolePolicy"],
        "{iam}role/Administrator",
        &[("iam:PolicyARN", OTHER)],
        "yyyyy",
    ),
    // Leaving it: groups and users that have it.
    (
        Use::Every,
        &["iam:RemoveUserFromGroup", "iam:UpdateGroup"],
        "{iam}group/Operators",
        &[],
        "-yy--",
    ),
    (
        Use::Every,
        &["iam:RemoveUserFromGroup", "iam:UpdateGroup"],
        "{iam}group/ops/Operators",
        &[],
        "-yy--",
    ),
    (
        Use::Every,
        &["iam:RemoveUserFromGroup"],
        "{iam}group/Warehouse",
        &[],
        "yyyyy",
    ),
    (
        Use::Every,
        &["iam:AddUserToGroup"],
        "{iam}group/Operators",
        &[],
        "yyyyy",
    ),
    (
        Use::Every,
        &["iam:DeleteUser", "iam:UpdateUser"],
        "{iam}user/ops/bounded",
        &[],
        "-yy--",
    ),
    // The permissions boundary: removed, replaced, or its carrier recreated without it.
    (
        Use::Denial,
        &["iam:DeleteRolePermissionsBoundary"],
        "{iam}role/Developer",
        &[("iam:PermissionsBoundary", BOUNDARY)],
        "-yy--",
    ),
    (
        Use::Boundary,
        &["iam:DeleteRolePermissionsBoundary"],
        "{iam}role/Developer",
        &[("iam:PermissionsBoundary", BOUNDARY)],
        "--yy-",
    ),
    (
        Use::Boundary,
        &["iam:DeleteRolePermissionsBoundary"],
        "{iam}role/made-by-a-developer",
        &[("iam:PermissionsBoundary", BOUNDARY)],
        "--yy-",
    ),
    (
        Use::Denial,
        &["iam:DeleteUserPermissionsBoundary"],
        "{iam}user/bounded",
        &[("iam:PermissionsBoundary", BOUNDARY)],
        "-yy--",
    ),
    (
        Use::Denial,
        &["iam:DeleteRole", "iam:DeleteRolePermissionsBoundary"],
        "{iam}role/payroll",
        &[("iam:PermissionsBoundary", OTHER)],
        "yyyyy",
    ),
    (
        Use::Every,
        &["iam:CreateRole", "iam:PutRolePermissionsBoundary"],
        "{iam}role/Developer",
        &[("iam:PermissionsBoundary", OTHER)],
        "-yy--",
    ),
    (
        Use::Every,
        &["iam:CreateRole", "iam:PutRolePermissionsBoundary"],
        "{iam}role/ops/Developer",
        &[("iam:PermissionsBoundary", OTHER)],
        "-yy--",
    ),
    (
        Use::Every,
        &["iam:CreateRole"],
        "{iam}role/Developer",
        &[],
        "-yy--",
    ),
    (
        Use::Every,
        &["iam:CreateUser", "iam:PutUserPermissionsBoundary"],
        "{iam}user/bounded",
        &[("iam:PermissionsBoundary", OTHER)],
        "-yy--",
    ),
    (
        Use::Every,
        &["iam:CreateRole", "iam:PutRolePermissionsBoundary"],
        "{iam}role/Developer",
        &[("iam:PermissionsBoundary", BOUNDARY)],
        "yyyyy",
    ),
    // Who is bound by a boundary creates nobody without it; others create whom they like.
    (
        Use::Boundary,
        &["iam:CreateRole", "iam:PutRolePermissionsBoundary"],
        "{iam}role/warehouse",
        &[("iam:PermissionsBoundary", OTHER)],
        "-yy--",
    ),
    (
        Use::Boundary,
        &["iam:CreateRole"],
        "{iam}role/warehouse",
        &[],
        "-yy--",
    ),
    (
        Use::Boundary,
        &["iam:CreateUser"],
        "{iam}user/warehouse",
        &[],
        "-yy--",
    ),
    (
        Use::Boundary,
        &["iam:CreateRole", "iam:CreateUser"],
        "{iam}role/warehouse",
        &[("iam:PermissionsBoundary", BOUNDARY)],
        "yyyyy",
    ),
    (
        Use::Denial,
        &["iam:CreateRole", "iam:PutRolePermissionsBoundary"],
        "{iam}role/warehouse",
        &[("iam:PermissionsBoundary", OTHER)],
        "yyyyy",
    ),
];

/// One line of a table, spelled out.
pub struct Case {
    pub in_use: Use,
    pub action: &'static str,
    pub resource: String,
    pub context: Context,
    pub principal: &'static str,
    pub allowed: bool,
}

/// Every action with every principal.
pub fn cases() -> Vec<Case> {
    let paths: Vec<String> = TOKEN_PATHS
        .iter()
        .map(|path| format!("arn:aws:ssm:us-east-1:000000000000:parameter/{path}"))
        .collect();
    let of_tokens = paths.iter().map(|path| {
        (
            Use::Every,
            RETRIEVALS,
            path.as_str(),
            &[] as Context,
            "-yyyy",
        )
    });
    let plain = TABLE
        .iter()
        .map(|(actions, resource, may)| (Use::Every, *actions, *resource, &[] as Context, *may));
    let mut cases = Vec::new();
    for (in_use, actions, resource, context, may) in
        plain.chain(of_tokens).chain(WITH_CONTEXT.iter().copied())
    {
        let resource = resource
            .replace("{instance}", &format!("{CONNECT}{INSTANCE}"))
            .replace("{iam}", IAM);
        for action in actions {
            for (principal, letter) in PRINCIPALS.iter().zip(may.chars()) {
                cases.push(Case {
                    in_use,
                    action,
                    resource: resource.clone(),
                    context,
                    principal,
                    allowed: letter == 'y',
                });
            }
        }
    }
    cases
}

fn environment() -> Environment {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("guardrail.yaml");
    let text = format!(
        "account: \"000000000000\"\nregion: us-east-1\nstackName: scim\n\
         connect: {{instanceId: {INSTANCE}}}\n\
         api: {{baseUrl: \"https://scim.example.com\"}}\n\
         clients: {{idp: {{}}, hr: {{token: {{parameterName: /payroll/hr/scim-token}}}}}}\n\
         drift: {{watch: {{}}}}\n\
         stack: {{serviceRoleArn: \"{IAM}role/ScimCloudFormation\"}}\n\
         guardrails:\n  \
           attachTo: {{roles: [Administrator], groups: [Operators]}}\n  \
           boundaryOf: {{roles: [Developer], users: [bounded]}}\n  \
           deployers: [\"{IAM}role/Deploy*\"]\n  \
           exemptPrincipals: [\"{IAM}role/BreakGlass\", \"{IAM}user/break-glass/*\"]\n"
    );
    std::fs::write(&file, text).unwrap();
    let loaded = EnvironmentFile::load(file.to_str().unwrap()).unwrap();
    loaded.one(None).unwrap()
}

/// The guardrail of a stack named `scim`: the policy that denies, and the permissions boundary.
pub fn guardrail() -> (Value, Value) {
    let environment = environment();
    let names = Names {
        partition: "aws",
        region: "us-east-1",
        account: "000000000000",
        stack: "scim",
        resource: &|id| {
            Some(match id {
                "RestApi" => "abcdef1234".to_owned(),
                "UsagePlanIdp" => "plan123456".to_owned(),
                "ApiKeyIdp" => "key1234567".to_owned(),
                "UsagePlanHr" | "ApiKeyHr" => "other12345".to_owned(),
                id if id.ends_with("Queue") => format!("scim-{id}-1A.fifo"),
                id => format!("scim-{id}-1A"),
            })
        },
        literal: &str::to_owned,
    };
    let exceptions = names.exceptions(&environment).unwrap();
    let connect = environment.connect().unwrap();
    let protected = Protected::new(&environment, connect, &names, &exceptions).unwrap();
    (
        document(&statements(&protected, &exceptions)),
        document(&boundary_statements(&protected, &exceptions)),
    )
}
