//! OneLogin, JumpCloud, PingOne, SailPoint, and the conformance suites that stand for
//! clients nobody has named.

use scim::filter::Filter;
use scim::patch::PatchRequest;
use scim::protocol::{MediaType, Operation, Responder};
use scim::schema::core;
use serde_json::{Value, json};

use crate::service::{http, parsed, patched_group, patched_user, resource, service, user_type};

fn created(body: &Value) -> Value {
    let service = service();
    let request = parsed(&service, "POST", "/Users", body).expect("accepted");
    let Operation::Create { incoming, .. } = request.operation else {
        panic!("a creation")
    };
    Value::Object(incoming.resource)
}

#[test]
fn onelogin_accepts_plain_json() {
    let service = service();
    let mut request = http("GET", "/Users/1", &Value::Null);
    request
        .headers
        .push(("Accept".to_owned(), "application/json".to_owned()));
    let response =
        Responder::new(&service, &request, "https://example.com").document(200, json!({}));
    assert_eq!(response.header("Content-Type"), Some("application/json"));
    assert_eq!(
        MediaType::negotiate(Some("application/json, application/scim+json;q=0.9")),
        MediaType::ScimJson,
        "who knows SCIM's type gets it"
    );
}

#[test]
fn onelogin_templates_name_the_schema_of_scim_1_and_leave_texts_empty() {
    let user = created(&json!({
        "schemas": ["urn:scim:schemas:core:1.0"],
        "userName": "a",
        "title": "",
        "name": {"givenName": "A", "familyName": ""},
        "emails": [{"value": "", "type": "work", "primary": true}],
    }));
    assert_eq!(user["name"], json!({"givenName": "A"}));
    assert_eq!(user.get("title"), None);
    assert_eq!(user["schemas"], json!([core::USER_URN]));
}

#[test]
fn jumpcloud_removes_members_by_a_list_of_values() {
    let group = json!({
        "schemas": [core::GROUP_URN], "id": "g", "displayName": "Agents",
        "members": [{"value": "a"}, {"value": "b"}],
    });
    let operations = json!([{"op": "remove", "path": "members", "value": [{"value": "a"}]}]);
    assert_eq!(
        patched_group(&group, operations)["members"],
        json!([{"value": "b"}])
    );
}

#[test]
fn jumpcloud_sends_one_value_without_its_array() {
    let user = created(&json!({
        "schemas": [core::USER_URN],
        "userName": "a",
        "emails": {"value": "a@example.com", "primary": true},
    }));
    assert_eq!(
        user["emails"],
        json!([{"value": "a@example.com", "primary": true}])
    );
}

#[test]
fn ping_looks_users_up_by_emails_without_a_sub_attribute() {
    let filter: Filter = "emails eq \"a@example.com\"".parse().expect("a filter");
    let user = resource(
        json!({"userName": "a", "emails": [{"value": "x@example.com"}, {"value": "A@EXAMPLE.com"}]}),
    );
    assert!(filter.matches(&user, &user_type()));
    assert_eq!(filter.equalities(&user_type())[0].attribute, "emails.value");
}

#[test]
fn sailpoint_replaces_one_part_of_a_complex_attribute_and_keeps_the_others() {
    let user = json!({
        "schemas": [core::USER_URN], "id": "1", "userName": "a",
        "name": {"givenName": "Barbara", "familyName": "Jensen"},
    });
    let operations = json!([{"op": "replace", "path": "name", "value": {"familyName": "Smith"}}]);
    assert_eq!(
        patched_user(&user, operations)["name"],
        json!({"givenName": "Barbara", "familyName": "Smith"})
    );
}

#[test]
fn sailpoint_reads_one_resource_type_by_name() {
    let service = service();
    let request = parsed(&service, "GET", "/ResourceTypes/User", &Value::Null).expect("accepted");
    let Operation::Discovery(document) = request.operation else {
        panic!("a discovery document")
    };
    let document = service
        .discover(&document, "https://example.com/scim/v2")
        .expect("known");
    assert_eq!(document["endpoint"], "/Users");
}

#[test]
fn jackson_leaves_the_schemas_out_of_a_patch() {
    let body = json!({"Operations": [{"op": "replace", "value": {"active": false}}]});
    assert_eq!(
        PatchRequest::from_json(body)
            .expect("accepted")
            .operations
            .len(),
        1
    );
}

#[test]
fn scimverify_posts_core_attributes_under_the_urn_of_their_schema() {
    let user = created(&json!({
        "schemas": [core::USER_URN],
        core::USER_URN: {"userName": "a", "name": {"givenName": "A"}},
    }));
    assert_eq!(
        user,
        json!({"schemas": [core::USER_URN], "userName": "a", "name": {"givenName": "A"}})
    );
}

#[test]
fn scimsandbox_searches_with_the_schema_of_a_list_response() {
    let service = service();
    let body = json!({"schemas": [scim::list::LIST_RESPONSE_URN], "filter": "userName eq \"a\"", "count": 5});
    let request = parsed(&service, "POST", "/Users/.search", &body).expect("accepted");
    let Operation::List { query, .. } = request.operation else {
        panic!("a list")
    };
    assert!(query.filter.is_some());
    assert_eq!(query.paging.count(), 5);
}

#[test]
fn pranems_expects_a_body_without_schemas_to_be_refused() {
    let service = service();
    let error = parsed(&service, "POST", "/Users", &json!({"userName": "a"})).expect_err("refused");
    assert_eq!(
        (error.status, error.scim_type.map(scim::ScimType::as_str)),
        (400, Some("invalidSyntax"))
    );
}

#[test]
fn aws_powershell_sync_sends_primary_as_text() {
    let user = created(&json!({
        "schemas": [core::USER_URN], "userName": "a",
        "emails": [{"value": "a@example.com", "primary": "true"}],
    }));
    assert_eq!(user["emails"][0]["primary"], json!(true));
}
