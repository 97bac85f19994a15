//! Where permissions stand in a resource.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::statement::{Atom, atoms};
use crate::plan::expression::readable;

/// The permissions of one policy.
#[derive(Debug, Clone, Default)]
pub(super) struct Document {
    pub(super) atoms: BTreeSet<Atom>,
}

/// The policies of a resource by what they are called.
///
/// Found by their form (`Statement`), whatever the resource type, so that a policy in a
/// type which nobody here thought of is compared as well.
pub(super) fn documents(resource: &Value) -> BTreeMap<String, Document> {
    let mut documents = BTreeMap::new();
    let resource_type = resource["Type"].as_str().unwrap_or_default();
    let Some(properties) = resource["Properties"].as_object() else {
        return documents;
    };
    for (name, property) in properties {
        search(name, property, &mut documents);
    }
    match resource_type {
        "AWS::Lambda::Permission" => {
            add(&mut documents, "resource policy", &permission(properties))
        }
        "AWS::IAM::Role" | "AWS::IAM::User" | "AWS::IAM::Group" => {
            managed(properties, &mut documents)
        }
        "AWS::IAM::ManagedPolicy" | "AWS::IAM::Policy" => attachments(properties, &mut documents),
        // Without a policy of its own an API lets everybody come as far as its authorizer.
        // API Gateway Developer Guide, "How API Gateway resource policies affect
        // authorization workflow".
        "AWS::ApiGateway::RestApi" if !properties.contains_key("Policy") => add(
            &mut documents,
            "Policy",
            &json!({"Statement": {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "execute-api:Invoke",
                "Resource": "execute-api:/*",
            }}),
        ),
        _ => {}
    }
    documents
}

fn add(documents: &mut BTreeMap<String, Document>, name: &str, document: &Value) {
    documents
        .entry(name.to_owned())
        .or_default()
        .atoms
        .extend(atoms(document));
}

/// The name under which a policy is shown. All inline policies of a role count as one: they
/// are in force together.
fn label(property: &str) -> &str {
    match property {
        "AssumeRolePolicyDocument" => "trust policy",
        "Policies" | "PolicyDocument" => "permissions",
        property => property,
    }
}

fn search(property: &str, value: &Value, documents: &mut BTreeMap<String, Document>) {
    match value {
        Value::Object(members) if members.contains_key("Statement") => {
            add(documents, label(property), value);
        }
        Value::Object(members) => {
            for member in members.values() {
                search(property, member, documents);
            }
        }
        Value::Array(items) => {
            for item in items {
                search(property, item, documents);
            }
        }
        _ => {}
    }
}

/// The statement that a permission adds to its function's policy.
///
/// AWS Lambda Developer Guide, "Viewing resource-based IAM policies in Lambda".
fn permission(properties: &Map<String, Value>) -> Value {
    let get = |name: &str| properties.get(name).cloned();
    let mut condition = Map::new();
    for (name, operator, key) in [
        ("SourceArn", "ArnLike", "AWS:SourceArn"),
        ("SourceAccount", "StringEquals", "AWS:SourceAccount"),
        ("PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"),
        (
            "FunctionUrlAuthType",
            "StringEquals",
            "lambda:FunctionUrlAuthType",
        ),
    ] {
        if let Some(value) = get(name) {
            let keys = condition
                .entry(operator)
                .or_insert_with(|| Value::Object(Map::new()));
            keys[key] = value;
        }
    }
    let mut statement = json!({
        "Effect": "Allow",
        "Principal": get("Principal"),
        "Action": get("Action"),
        "Resource": get("FunctionName"),
    });
    if !condition.is_empty() {
        statement["Condition"] = Value::Object(condition);
    }
    json!({"Statement": statement})
}

/// What a role is given from elsewhere: managed policies, and a boundary that takes away.
fn managed(properties: &Map<String, Value>, documents: &mut BTreeMap<String, Document>) {
    if let Some(arns) = properties.get("ManagedPolicyArns") {
        let statement = json!({"Effect": "Allow", "Action": "whatever the managed policy allows", "Resource": arns});
        add(
            documents,
            "managed policies",
            &json!({"Statement": statement}),
        );
    }
    if let Some(boundary) = properties.get("PermissionsBoundary") {
        let statement = json!({"Effect": "Deny", "NotAction": "what the permissions boundary allows", "Resource": boundary});
        add(
            documents,
            "permissions boundary",
            &json!({"Statement": statement}),
        );
    }
}

/// Whom a policy is attached to: each principal has each of its statements.
fn attachments(properties: &Map<String, Value>, documents: &mut BTreeMap<String, Document>) {
    let Some(document) = documents.remove(label("PolicyDocument")) else {
        return;
    };
    let mut principals: Vec<String> = Vec::new();
    for (property, kind) in [("Roles", "role"), ("Groups", "group"), ("Users", "user")] {
        if let Some(names) = properties.get(property) {
            principals.extend(
                super::statement::list(names).map(|name| format!("{kind} {}", readable(name))),
            );
        }
    }
    documents.insert(label("PolicyDocument").to_owned(), document.clone());
    for principal in principals {
        documents.insert(format!("permissions of {principal}"), document.clone());
    }
}
