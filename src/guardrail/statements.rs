//! What is denied, and on which resources.

use serde::Serialize;

/// One denial. Its condition is the same everywhere: `ArnNotLike aws:PrincipalArn`
/// of the provisioning function's role and the exempt principals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// The statement's name in the policy, letters and digits.
    pub sid: &'static str,
    /// IAM actions; `*` stands for any end of a name.
    pub actions: &'static [&'static str],
    /// Resource ARNs.
    pub resources: Vec<String>,
}

/// The resources that the guardrail protects, as ARNs (or as the text of a `Fn::Sub`
/// that yields one).
#[derive(Debug, Clone)]
pub struct Protected<'a> {
    /// The Connect instance.
    pub connect_instance: &'a str,
    /// The Lambda functions of the endpoint.
    pub functions: &'a [&'a str],
    /// The roles of the functions.
    pub roles: &'a [&'a str],
    /// The directory table.
    pub table: &'a str,
    /// The bearer tokens: SSM parameters, `*` allowed.
    pub tokens: &'a str,
    /// The REST API, in API Gateway's own form: `arn:…:apigateway:<region>::/restapis/<id>`.
    pub rest_api: &'a str,
}

/// The denials: Connect's users and permissions first, then the endpoint, because an
/// administrator who can change the endpoint or read its token edits users through it.
#[must_use]
pub fn statements(protected: &Protected<'_>) -> Vec<Statement> {
    let instance = protected.connect_instance;
    vec![
        Statement {
            sid: "ConnectUsersAndPermissions",
            actions: CONNECT_ACTIONS,
            resources: vec![instance.to_owned(), format!("{instance}/*")],
        },
        // Tags say which users SCIM owns. Tags of queues, flows and the rest stay
        // everyone's.
        Statement {
            sid: "ConnectOwnershipTags",
            actions: &["connect:TagResource", "connect:UntagResource"],
            resources: ["agent", "agent-group", "security-profile"]
                .map(|kind| format!("{instance}/{kind}/*"))
                .to_vec(),
        },
        Statement {
            sid: "EndpointFunctions",
            actions: FUNCTION_ACTIONS,
            resources: owned(protected.functions),
        },
        Statement {
            sid: "EndpointRoles",
            actions: ROLE_ACTIONS,
            resources: owned(protected.roles),
        },
        Statement {
            sid: "EndpointTokens",
            actions: TOKEN_ACTIONS,
            resources: vec![protected.tokens.to_owned()],
        },
        Statement {
            sid: "EndpointDirectory",
            actions: DIRECTORY_ACTIONS,
            resources: vec![protected.table.to_owned()],
        },
        Statement {
            sid: "EndpointApi",
            actions: API_ACTIONS,
            resources: vec![
                protected.rest_api.to_owned(),
                format!("{}/*", protected.rest_api),
            ],
        },
    ]
}

fn owned(arns: &[&str]) -> Vec<String> {
    arns.iter().map(|&arn| arn.to_owned()).collect()
}

/// Whatever creates, changes or deletes users, or what a user may do. `UpdateUser*` is
/// a pattern because operations appear (UpdateUserConfig) before their IAM actions are
/// documented. Not denied: PutUserStatus and DismissUserContact, a supervisor's work;
/// GetFederationToken, without which nobody signs in.
const CONNECT_ACTIONS: &[&str] = &[
    "connect:AdminGetEmergencyAccessToken",
    "connect:AssociateSecurityProfiles",
    "connect:AssociateUserProficiencies",
    "connect:CreateAuthenticationProfile",
    "connect:CreateSecurityProfile",
    "connect:CreateUser",
    "connect:CreateUserHierarchyGroup",
    "connect:DeleteSecurityProfile",
    "connect:DeleteUser",
    "connect:DeleteUserHierarchyGroup",
    "connect:DisassociateSecurityProfiles",
    "connect:DisassociateUserProficiencies",
    "connect:UpdateAuthenticationProfile",
    "connect:UpdateSecurityProfile",
    "connect:UpdateUser*",
];

const FUNCTION_ACTIONS: &[&str] = &[
    "lambda:AddPermission",
    "lambda:DeleteFunction",
    "lambda:InvokeFunction",
    "lambda:PutFunctionConcurrency",
    "lambda:RemovePermission",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
];

const ROLE_ACTIONS: &[&str] = &[
    "iam:AttachRolePolicy",
    "iam:DeleteRole",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PassRole",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy",
];

/// Reading too: who holds a token is the identity provider.
const TOKEN_ACTIONS: &[&str] = &[
    "ssm:DeleteParameter",
    "ssm:DeleteParameters",
    "ssm:GetParameter",
    "ssm:GetParameterHistory",
    "ssm:GetParameters",
    "ssm:GetParametersByPath",
    "ssm:PutParameter",
];

const DIRECTORY_ACTIONS: &[&str] = &[
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:DeleteTable",
    "dynamodb:PartiQLDelete",
    "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:UpdateTable",
];

/// API Gateway names its actions by HTTP method.
const API_ACTIONS: &[&str] = &[
    "apigateway:DELETE",
    "apigateway:PATCH",
    "apigateway:POST",
    "apigateway:PUT",
];
