//! What is denied, on which resources, and to whom it is not.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::actions::{CONNECT_ACTIONS, TAG_ACTIONS};

/// One denial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// The statement's name in the policy, letters and digits.
    pub sid: &'static str,
    /// IAM actions; `*` stands for any end of a name.
    pub actions: &'static [&'static str],
    /// Resource ARNs.
    pub resources: Vec<String>,
    /// What has to hold for the denial; all of them.
    pub conditions: Vec<Condition>,
}

/// A condition of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// Such as `ArnLike`. No two conditions of a statement have the same.
    pub operator: &'static str,
    /// The condition key.
    pub key: &'static str,
    /// What it is compared with.
    pub values: Vec<String>,
}

/// The resources that the guardrail protects, as ARNs (or as the text of a `Fn::Sub`
/// that yields one).
#[derive(Debug, Clone)]
pub struct Protected {
    /// The Connect instance.
    pub connect_instance: String,
    /// The stack, `*` allowed.
    pub stack: String,
    /// The Lambda functions of the endpoint, `*` allowed.
    pub functions: String,
    /// The roles of the functions: by whole names, because CloudFormation makes them and
    /// shortens the stack's name in them.
    pub roles: Vec<String>,
    /// The directory table.
    pub table: String,
    /// The bearer tokens: SSM parameters, `*` allowed.
    pub tokens: String,
    /// The REST API, in API Gateway's own form: `arn:…:apigateway:<region>::/restapis/<id>`.
    pub rest_api: String,
    /// The policies made of these statements, `*` allowed: a template cannot name a policy
    /// within itself.
    pub guardrail_policies: String,
    /// What the ARNs of the account's principals begin with: `arn:aws:iam::<account>:`.
    pub principals: String,
}

/// The principals to whom a denial does not apply: ARNs as `aws:PrincipalArn` holds them,
/// which for a session is its role's.
#[derive(Debug, Clone, Default)]
pub struct Exceptions {
    /// The roles of the functions that write to Connect and to the directory.
    pub provisioning: Vec<String>,
    /// The roles of the functions that read and make tokens.
    pub tokens: Vec<String>,
    /// Who deploys, `*` allowed.
    pub deployers: Vec<String>,
    /// Who is exempt from everything, `*` allowed.
    pub exempt: Vec<String>,
}

/// All denials: those of editing users first, then those of changing the endpoint.
#[must_use]
pub fn statements(protected: &Protected, exceptions: &Exceptions) -> Vec<Statement> {
    [
        of_users(protected, exceptions),
        of_the_endpoint(protected, exceptions),
    ]
    .concat()
}

/// Nobody but the endpoint edits Connect's users and what they may do; whoever deploys
/// does not either.
fn of_users(protected: &Protected, exceptions: &Exceptions) -> Vec<Statement> {
    let instance = &protected.connect_instance;
    let condition = unless(&[&exceptions.provisioning, &exceptions.exempt]);
    vec![
        Statement {
            sid: "ConnectUsersAndPermissions",
            actions: CONNECT_ACTIONS,
            resources: vec![with_below(instance)],
            conditions: condition.clone(),
        },
        // Tags say which users SCIM owns. Tags of queues, flows and the rest stay
        // everyone's.
        Statement {
            sid: "ConnectOwnershipTags",
            actions: TAG_ACTIONS,
            resources: ["agent", "agent-group", "security-profile"]
                .map(|kind| format!("{instance}/{kind}/*"))
                .to_vec(),
            conditions: condition,
        },
    ]
}

/// Nobody but who deploys changes the endpoint, its tokens, its directory, or the
/// guardrail: whoever can edits users through it. Few statements name many things, because
/// a policy has room for a few only; an action is never checked against what is not its own.
fn of_the_endpoint(protected: &Protected, exceptions: &Exceptions) -> Vec<Statement> {
    let Exceptions {
        provisioning,
        tokens,
        deployers,
        exempt,
    } = exceptions;
    let one = |text: &String| vec![text.clone()];
    let principals = |kinds: &[&str]| -> Vec<String> {
        let arn = |kind| format!("{}{kind}/*", protected.principals);
        kinds.iter().map(arn).collect()
    };
    let of_guardrail = |key| {
        let mut conditions = unless(&[deployers, exempt]);
        conditions.push(Condition {
            operator: "ArnLike",
            key,
            values: one(&protected.guardrail_policies),
        });
        conditions
    };
    vec![
        Statement {
            sid: "Endpoint",
            actions: ENDPOINT_ACTIONS,
            resources: [
                one(&protected.stack),
                one(&protected.functions),
                protected.roles.clone(),
                vec![with_below(&protected.rest_api)],
                one(&protected.guardrail_policies),
            ]
            .concat(),
            conditions: unless(&[deployers, exempt]),
        },
        Statement {
            sid: "EndpointTokensAndDirectory",
            actions: DATA_ACTIONS,
            resources: vec![protected.tokens.clone(), protected.table.clone()],
            conditions: unless(&[provisioning, tokens, deployers, exempt]),
        },
        Statement {
            sid: "GuardrailAttachments",
            actions: &[
                "iam:DetachGroupPolicy",
                "iam:DetachRolePolicy",
                "iam:DetachUserPolicy",
            ],
            resources: principals(&["group", "role", "user"]),
            conditions: of_guardrail("iam:PolicyARN"),
        },
        Statement {
            sid: "GuardrailBoundaries",
            actions: &[
                "iam:DeleteRolePermissionsBoundary",
                "iam:DeleteUserPermissionsBoundary",
            ],
            resources: principals(&["role", "user"]),
            conditions: of_guardrail("iam:PermissionsBoundary"),
        },
    ]
}

/// A resource and what is below it. Its id has a fixed length, so that no other's begins
/// with it.
fn with_below(arn: &str) -> String {
    format!("{arn}*")
}

/// The condition that exempts principals; none where nobody is exempt.
fn unless(exceptions: &[&Vec<String>]) -> Vec<Condition> {
    let mut values: Vec<String> = Vec::new();
    for arn in exceptions.iter().copied().flatten() {
        if !values.contains(arn) {
            values.push(arn.clone());
        }
    }
    if values.is_empty() {
        return Vec::new();
    }
    vec![Condition {
        operator: "ArnNotLike",
        key: "aws:PrincipalArn",
        values,
    }]
}

/// The statements as the document of a policy.
#[must_use]
pub fn document(statements: &[Statement]) -> Value {
    let statements: Vec<Value> = statements.iter().map(statement_of_document).collect();
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn statement_of_document(statement: &Statement) -> Value {
    let mut document = json!({
        "Sid": statement.sid,
        "Effect": "Deny",
        "Action": statement.actions,
        "Resource": statement.resources,
    });
    if !statement.conditions.is_empty() {
        let condition: Map<String, Value> = statement
            .conditions
            .iter()
            .map(|condition| {
                let values = json!({condition.key: condition.values});
                (condition.operator.to_owned(), values)
            })
            .collect();
        document["Condition"] = condition.into();
    }
    document
}

/// What changes the stack, the functions, their roles, the API, or the guardrail.
///
/// The stack, because one with a role of its own changes everything in it for whoever may
/// ask. Calling a function, because that is editing users: the event says what, and no
/// token is asked for. API Gateway names its actions by HTTP method: stages, authorizers
/// and methods are resources below the API.
const ENDPOINT_ACTIONS: &[&str] = &[
    "apigateway:DELETE",
    "apigateway:PATCH",
    "apigateway:POST",
    "apigateway:PUT",
    "cloudformation:ContinueUpdateRollback",
    "cloudformation:CreateChangeSet",
    "cloudformation:DeleteStack",
    "cloudformation:ExecuteChangeSet",
    "cloudformation:RollbackStack",
    "cloudformation:SetStackPolicy",
    "cloudformation:UpdateStack",
    "cloudformation:UpdateTerminationProtection",
    "iam:AttachRolePolicy",
    "iam:CreatePolicyVersion",
    "iam:DeletePolicy",
    "iam:DeletePolicyVersion",
    "iam:DeleteRole",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PassRole",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:SetDefaultPolicyVersion",
    "iam:UpdateAssumeRolePolicy",
    "lambda:AddPermission",
    "lambda:CreateFunctionUrlConfig",
    "lambda:DeleteFunction",
    "lambda:InvokeFunction",
    "lambda:InvokeFunctionUrl",
    "lambda:PutFunctionConcurrency",
    "lambda:RemovePermission",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
];

/// What changes the directory, or what uses a token. Reading one too: who holds a token is
/// the identity provider.
const DATA_ACTIONS: &[&str] = &[
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:DeleteTable",
    "dynamodb:PartiQLDelete",
    "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PutItem",
    "dynamodb:PutResourcePolicy",
    "dynamodb:UpdateItem",
    "dynamodb:UpdateTable",
    "ssm:DeleteParameter*",
    "ssm:GetParameter*",
    "ssm:PutParameter",
];
