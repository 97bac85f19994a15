//! What is denied, on which resources, and to whom it is not.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::actions::{CONNECT_ACTIONS, READING_ACTIONS, READING_DATA_ACTIONS};
use super::protected::Protected;

/// One denial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// The statement's name in the policy, letters and digits.
    pub sid: &'static str,
    /// IAM actions; `*` stands for any text.
    pub actions: Vec<&'static str>,
    /// Whether every action except `actions` is denied.
    pub all_but: bool,
    /// Resource ARNs.
    pub resources: Vec<String>,
    /// What has to hold for the denial; all of them.
    pub conditions: Vec<Condition>,
}

/// The conditions of one operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// Such as `ArnLike`. No two conditions of a statement have the same.
    pub operator: &'static str,
    /// The condition keys with the values that they are compared with.
    pub keys: Vec<Key>,
}

/// A condition key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Key {
    /// Its name.
    pub key: &'static str,
    /// What it is compared with.
    pub values: Vec<String>,
}

/// The principals to whom a denial does not apply: ARNs as `aws:PrincipalArn` holds them,
/// which for a session is its role's.
#[derive(Debug, Clone, Default)]
pub struct Exceptions {
    /// The roles of the functions that write to Connect and to the directory.
    pub provisioning: Vec<String>,
    /// The roles of the functions that read and create tokens.
    pub tokens: Vec<String>,
    /// Who deploys, `*` allowed.
    pub deployers: Vec<String>,
    /// Who is exempt from everything, `*` allowed.
    pub exempt: Vec<String>,
}

/// All denials of the policy that is attached to principals or to an organization: those
/// of editing users first, then those of changing the endpoint and the guardrail.
#[must_use]
pub fn statements(protected: &Protected, exceptions: &Exceptions) -> Vec<Statement> {
    let mut statements = of_the_endpoint(protected, exceptions);
    statements.push(attachments(protected, exceptions));
    let mut carriers = protected.groups.clone();
    if !protected.bounded.is_empty() {
        carriers.extend(protected.bounded.clone());
        statements.push(Statement {
            sid: "GuardrailBoundaries",
            actions: UNBINDING.to_vec(),
            all_but: false,
            resources: protected.bounded.clone(),
            conditions: unless_guardrail(protected, exceptions),
        });
    }
    if !carriers.is_empty() {
        statements.push(leaving(carriers, exceptions));
    }
    statements
}

/// All denials of the permissions boundary. A principal that has it removes no boundary,
/// and creates no role or user without this one: that would be a way out.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html#access_policies_boundaries-delegate>
#[must_use]
pub fn boundary_statements(protected: &Protected, exceptions: &Exceptions) -> Vec<Statement> {
    let mut statements = of_the_endpoint(protected, exceptions);
    // In statements that are there already: a boundary is one policy, and has no room for more.
    let removal = statements.iter_mut().find(|one| one.sid == USERS);
    if let Some(statement) = removal {
        statement.actions.push("iam:Delete*PermissionsBoundary");
        statement.resources.push(format!("{}*", protected.iam));
    }
    // No request of one kind carries a key that the other is compared with, but for this: a
    // principal from which the policy is detached may have the guardrail as its boundary, and
    // stays bound.
    let mut binding = attachments(protected, exceptions);
    binding.actions.extend(UNBINDING);
    binding.conditions = unless_guardrail(protected, exceptions);
    binding.conditions.push(of_attachments(protected));
    statements.push(binding);
    let users = protected.bounded.iter();
    let users = users.filter(|arn| arn.contains(":user/")).cloned();
    let carriers: Vec<String> = protected.groups.iter().cloned().chain(users).collect();
    if !carriers.is_empty() {
        statements.push(leaving(carriers, exceptions));
    }
    statements
}

const USERS: &str = "ConnectUsersAndPermissions";

/// Only the endpoint edits Connect's users and their permissions; deployers do not either.
fn of_users(protected: &Protected, exceptions: &Exceptions) -> Statement {
    let instance = &protected.connect_instance;
    let below = [
        "agent",
        "agent-group",
        "authentication-profile",
        "security-profile",
    ]
    .map(|kind| format!("{instance}/{kind}/*"));
    Statement {
        sid: USERS,
        actions: CONNECT_ACTIONS.to_vec(),
        all_but: false,
        // Tags of queues, flows and all other resources stay allowed.
        resources: [vec![instance.clone()], below.into()].concat(),
        conditions: vec![unless(&[&exceptions.provisioning, &exceptions.exempt])],
    }
}

/// Only deployers change the endpoint, its tokens or its directory: anyone who can do that
/// can edit users through it. Everything but reading is denied on these resources, so that
/// an action that AWS adds later is denied as well.
fn of_the_endpoint(protected: &Protected, exceptions: &Exceptions) -> Vec<Statement> {
    let Exceptions {
        provisioning,
        tokens,
        deployers,
        exempt,
    } = exceptions;
    vec![
        of_users(protected, exceptions),
        Statement {
            sid: "Endpoint",
            actions: READING_ACTIONS.to_vec(),
            all_but: true,
            resources: protected.endpoint.clone(),
            conditions: unless_deployer(exceptions),
        },
        Statement {
            sid: "EndpointTokensAndDirectory",
            actions: READING_DATA_ACTIONS.to_vec(),
            all_but: true,
            resources: protected.data.clone(),
            conditions: vec![unless(&[provisioning, tokens, deployers, exempt])],
        },
        // Every way to a token's value ends in its decryption, in ways that Systems Manager
        // may add as well.
        Statement {
            sid: "EndpointTokenKeys",
            actions: vec!["kms:Decrypt", "kms:ReEncryptFrom"],
            all_but: false,
            resources: everywhere(),
            conditions: vec![
                unless(&[tokens, deployers, exempt]),
                Condition {
                    operator: "StringLike",
                    keys: vec![Key {
                        key: "kms:EncryptionContext:PARAMETER_ARN",
                        values: protected.tokens.clone(),
                    }],
                },
            ],
        },
    ]
}

/// Nobody but a deployer detaches the guardrail, or gives a function of the endpoint a
/// trigger. Event source mappings have no resource that names the function.
const DETACHING: &[&str] = &[
    "iam:Detach*",
    "lambda:CreateEvent*",
    "lambda:DeleteEvent*",
    "lambda:UpdateEvent*",
];

/// The actions that give a principal a permissions boundary, or none.
const UNBINDING: &[&str] = &[
    "iam:CreateRole",
    "iam:CreateUser",
    "iam:Put*PermissionsBoundary",
];

fn attachments(protected: &Protected, exceptions: &Exceptions) -> Statement {
    let mut conditions = unless_deployer(exceptions);
    conditions.push(of_attachments(protected));
    Statement {
        sid: "GuardrailAttachmentsAndTriggers",
        actions: DETACHING.to_vec(),
        all_but: false,
        resources: everywhere(),
        conditions,
    }
}

/// The guardrail is detached, or a function of the endpoint is triggered; each kind of
/// request carries one of the keys.
fn of_attachments(protected: &Protected) -> Condition {
    let key = |key, value: &String| Key {
        key,
        values: vec![value.clone()],
    };
    Condition {
        operator: "ArnLikeIfExists",
        keys: vec![
            key("iam:PolicyARN", &protected.guardrail_policies),
            key("lambda:FunctionArn", &protected.functions),
        ],
    }
}

/// Nobody but a deployer takes these principals out of the guardrail's reach. Deleting a
/// role is no way out: with the boundary in place, none can be created in its stead.
fn leaving(carriers: Vec<String>, exceptions: &Exceptions) -> Statement {
    Statement {
        sid: "GuardrailCarriers",
        actions: vec![
            "iam:Delete*PermissionsBoundary",
            "iam:DeleteUser",
            "iam:RemoveUserFromGroup",
            "iam:UpdateGroup",
            "iam:UpdateUser",
        ],
        all_but: false,
        resources: carriers,
        conditions: unless_deployer(exceptions),
    }
}

fn unless_deployer(exceptions: &Exceptions) -> Vec<Condition> {
    vec![unless(&[&exceptions.deployers, &exceptions.exempt])]
        .into_iter()
        .filter(|condition| !condition.keys.is_empty())
        .collect()
}

/// Not for deployers, nor if the guardrail becomes the principal's boundary.
fn unless_guardrail(protected: &Protected, exceptions: &Exceptions) -> Vec<Condition> {
    let mut condition = unless(&[&exceptions.deployers, &exceptions.exempt]);
    condition.keys.push(Key {
        key: "iam:PermissionsBoundary",
        values: vec![protected.guardrail_policies.clone()],
    });
    vec![condition]
}

fn everywhere() -> Vec<String> {
    vec!["*".to_owned()]
}

/// The condition that exempts principals; without a key if none is exempt.
fn unless(exceptions: &[&Vec<String>]) -> Condition {
    let mut values: Vec<String> = Vec::new();
    for arn in exceptions.iter().copied().flatten() {
        if !values.contains(arn) {
            values.push(arn.clone());
        }
    }
    let key = (!values.is_empty()).then_some(Key {
        key: "aws:PrincipalArn",
        values,
    });
    Condition {
        operator: "ArnNotLike",
        keys: key.into_iter().collect(),
    }
}

/// The statements as the document of a policy.
#[must_use]
pub fn document(statements: &[Statement]) -> Value {
    let statements: Vec<Value> = statements.iter().map(statement_of_document).collect();
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// The statements as the document of a permissions boundary, which has to allow everything
/// else.
#[must_use]
pub fn boundary_document(statements: &[Statement]) -> Value {
    let mut document = document(statements);
    if let Some(statements) = document["Statement"].as_array_mut() {
        let everything =
            json!({"Sid": "Everything", "Effect": "Allow", "Action": "*", "Resource": "*"});
        statements.insert(0, everything);
    }
    document
}

fn statement_of_document(statement: &Statement) -> Value {
    let actions = match statement.all_but {
        true => "NotAction",
        false => "Action",
    };
    let mut document = json!({
        "Sid": statement.sid,
        "Effect": "Deny",
        actions: statement.actions,
        "Resource": statement.resources,
    });
    if !statement.conditions.is_empty() {
        let conditions = statement.conditions.iter().map(|condition| {
            let keys = condition.keys.iter();
            let keys: Map<String, Value> = keys
                .map(|key| (key.key.to_owned(), json!(key.values)))
                .collect();
            (condition.operator.to_owned(), Value::from(keys))
        });
        document["Condition"] = conditions.collect::<Map<_, _>>().into();
    }
    document
}
