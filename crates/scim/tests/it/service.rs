//! What the tests share: a service, and resources in it.

use scim::Resource;
use scim::error::ScimError;
use scim::patch::{PatchRequest, Patched};
use scim::protocol::{HttpRequest, Request, parse, parse_query};
use scim::schema::{ResourceType, ServiceDefinition, core};
use serde_json::Value;

/// Users with the enterprise extension, and groups.
pub fn service() -> ServiceDefinition {
    ServiceDefinition::new(vec![core::user(), core::group()])
}

pub fn user_type() -> ResourceType {
    core::user()
}

pub fn group_type() -> ResourceType {
    core::group()
}

pub fn resource(document: Value) -> Resource {
    match document {
        Value::Object(members) => members,
        other => panic!("a resource is an object, not {other}"),
    }
}

/// Applies PATCH operations to a resource of a type.
pub fn patch(
    before: &Value,
    operations: Value,
    resource_type: &ResourceType,
) -> Result<Patched, ScimError> {
    let body =
        serde_json::json!({"schemas": [scim::patch::PATCH_OP_URN], "Operations": operations});
    PatchRequest::from_json(body)?.apply(&resource(before.clone()), resource_type)
}

/// The user after PATCH operations.
pub fn patched_user(before: &Value, operations: Value) -> Value {
    Value::Object(
        patch(before, operations, &user_type())
            .expect("the patch is accepted")
            .resource,
    )
}

/// The group after PATCH operations.
pub fn patched_group(before: &Value, operations: Value) -> Value {
    Value::Object(
        patch(before, operations, &group_type())
            .expect("the patch is accepted")
            .resource,
    )
}

/// A request as it comes from the network.
pub fn http(method: &str, url: &str, body: &Value) -> HttpRequest {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    HttpRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        query: parse_query(query),
        headers: vec![(
            "Content-Type".to_owned(),
            "application/scim+json".to_owned(),
        )],
        body: if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        },
    }
}

pub fn parsed<'s>(
    service: &'s ServiceDefinition,
    method: &str,
    url: &str,
    body: &Value,
) -> Result<Request<'s>, ScimError> {
    parse(service, &http(method, url, body))
}
