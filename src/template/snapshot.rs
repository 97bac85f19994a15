//! What an API Gateway deployment holds.
//!
//! `AWS::ApiGateway::Deployment` is an immutable snapshot that CloudFormation makes when
//! the resource is created, and never again: after a change to a method, the same
//! logical id keeps serving the old API. So the id carries a hash of the whole API
//! model, taken by resource type from the rendered template: what is added to the
//! templates later is covered without anyone thinking of it.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The API as a deployment freezes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Snapshot {
    /// 16 hexadecimal digits over the API model; empty in the draft.
    pub(super) hash: String,
    /// Logical ids of the resources that must stand before the snapshot is taken and
    /// that the deployment does not refer to, sorted.
    pub(super) parts: Vec<String>,
}

impl Snapshot {
    /// The snapshot of the API in a template in canonical form.
    pub(super) fn of(template: &Value) -> Self {
        let resources = template["Resources"].as_object();
        let mut hash = Sha256::new();
        let mut parts = Vec::new();
        for (id, resource) in resources.into_iter().flatten() {
            let Some(part) = resource["Type"].as_str().and_then(part) else {
                continue;
            };
            hash.update(id);
            hash.update([0]);
            hash.update(model(resource).to_string());
            hash.update([0]);
            if part == Part::Awaited {
                parts.push(id.clone());
            }
        }
        let digits = hash
            .finalize()
            .iter()
            .take(8)
            .fold(String::new(), |mut text, byte| {
                // Writing to a String cannot fail.
                let _ = write!(text, "{byte:02x}");
                text
            });
        Self {
            hash: digits,
            parts,
        }
    }
}

#[derive(PartialEq)]
enum Part {
    /// The deployment refers to it, or to something that does.
    Implied,
    /// Nothing but DependsOn makes the deployment wait for it.
    Awaited,
}

fn part(resource_type: &str) -> Option<Part> {
    match resource_type.strip_prefix("AWS::ApiGateway::")? {
        "Method" | "GatewayResponse" => Some(Part::Awaited),
        "RestApi" | "Resource" | "Authorizer" | "Model" | "RequestValidator" => Some(Part::Implied),
        _ => None,
    }
}

/// The resource without what a deployment does not hold.
fn model(resource: &Value) -> Value {
    let mut properties = resource["Properties"].clone();
    if let Some(properties) = properties.as_object_mut() {
        properties.remove("Tags");
    }
    properties
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template() -> Value {
        json!({"Resources": {
            "RestApi": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "scim"}},
            "Method": {"Type": "AWS::ApiGateway::Method", "Properties": {"HttpMethod": "ANY"}},
            "Refusal": {"Type": "AWS::ApiGateway::GatewayResponse", "Properties": {"StatusCode": "401"}},
            "Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": {"StageName": "dev"}},
            "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {}},
        }})
    }

    #[test]
    fn any_change_to_what_a_deployment_holds_changes_the_hash() {
        let before = Snapshot::of(&template());
        for (pointer, value) in [
            (
                "/Resources/RestApi/Properties/Policy",
                json!({"Version": "2012-10-17"}),
            ),
            ("/Resources/Method/Properties/ApiKeyRequired", json!(true)),
            ("/Resources/Refusal/Properties/StatusCode", json!("403")),
            (
                "/Resources/Validator",
                json!({"Type": "AWS::ApiGateway::RequestValidator"}),
            ),
        ] {
            let mut changed = template();
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            changed.pointer_mut(parent).unwrap()[key] = value;
            assert_ne!(Snapshot::of(&changed).hash, before.hash, "{pointer}");
        }
    }

    #[test]
    fn what_a_deployment_does_not_hold_leaves_the_hash_alone() {
        let before = Snapshot::of(&template());
        for (pointer, value) in [
            ("/Resources/Stage/Properties/StageName", json!("prod")),
            (
                "/Resources/Table/Properties/BillingMode",
                json!("PAY_PER_REQUEST"),
            ),
            ("/Resources/RestApi/Properties/Tags", json!([])),
            ("/Resources/Method/DependsOn", json!("Refusal")),
        ] {
            let mut changed = template();
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            changed.pointer_mut(parent).unwrap()[key] = value;
            assert_eq!(Snapshot::of(&changed), before, "{pointer}");
        }
    }

    #[test]
    fn a_deployment_waits_for_every_method_and_gateway_response() {
        assert_eq!(Snapshot::of(&template()).parts, ["Method", "Refusal"]);
    }
}
