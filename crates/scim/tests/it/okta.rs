//! Okta, as its documentation describes its requests:
//! <https://developer.okta.com/docs/reference/scim/scim-20/>.

use scim::list::Paging;
use scim::protocol::Operation;
use scim::schema::core;
use serde_json::{Value, json};

use crate::service::{group_type, parsed, patch, patched_group, patched_user, service};

fn group() -> Value {
    json!({
        "schemas": [core::GROUP_URN],
        "id": "abf4dd94",
        "displayName": "Agents",
        "members": [{"value": "a"}, {"value": "b"}],
    })
}

#[test]
fn okta_tests_the_connection_with_a_page_of_two_users() {
    let service = service();
    let request = parsed(
        &service,
        "GET",
        "/scim/v2/Users?startIndex=1&count=2",
        &Value::Null,
    )
    .expect("accepted");
    let Operation::List { query, .. } = request.operation else {
        panic!("a list")
    };
    assert_eq!(
        query.paging,
        Paging::Index {
            start_index: 1,
            count: 2
        }
    );
}

#[test]
fn okta_looks_a_user_up_before_it_creates_one() {
    let service = service();
    let url = "/Users?filter=userName%20eq%20%22test.user%40okta.local%22&startIndex=1&count=100";
    let request = parsed(&service, "GET", url, &Value::Null).expect("accepted");
    let Operation::List {
        resource_types,
        query,
    } = request.operation
    else {
        panic!("a list")
    };
    assert_eq!(
        query
            .filter
            .expect("a filter")
            .equalities(resource_types[0])[0]
            .value,
        "test.user@okta.local"
    );
}

#[test]
fn okta_always_sends_a_password_which_is_kept_apart() {
    let service = service();
    let body = json!({
        "schemas": [core::USER_URN],
        "userName": "test.user@okta.local",
        "name": {"givenName": "Test", "familyName": "User"},
        "emails": [{"primary": true, "value": "test.user@okta.local", "type": "work"}],
        "displayName": "Test User",
        "locale": "en-US",
        "externalId": "00ujl29u0le5T6Aj10h7",
        "groups": [],
        "password": "1mz050nq",
        "active": true,
    });
    let request = parsed(&service, "POST", "/Users", &body).expect("accepted");
    assert!(!format!("{request:?}").contains("1mz050nq"));
    assert!(!format!("{request:?}").contains("test.user"));
    let Operation::Create { incoming, .. } = request.operation else {
        panic!("a creation")
    };
    assert_eq!(incoming.write_only["password"], "1mz050nq");
    assert_eq!(incoming.resource.get("password"), None);
    assert_eq!(incoming.resource.get("groups"), None);
    assert_eq!(incoming.resource["externalId"], "00ujl29u0le5T6Aj10h7");
}

#[test]
fn okta_sends_entitlements_and_roles_as_plain_text() {
    let service = service();
    let body = json!({
        "schemas": [core::USER_URN],
        "userName": "a",
        "entitlements": ["Agent", "Admin"],
        "roles": ["Basic Routing Profile"],
    });
    let request = parsed(&service, "POST", "/Users", &body).expect("accepted");
    let Operation::Create { incoming, .. } = request.operation else {
        panic!("a creation")
    };
    assert_eq!(
        incoming.resource["entitlements"],
        json!([{"value": "Agent"}, {"value": "Admin"}])
    );
    assert_eq!(
        incoming.resource["roles"],
        json!([{"value": "Basic Routing Profile"}])
    );
}

#[test]
fn okta_deactivates_by_a_value_object_without_a_path() {
    let before = json!({"schemas": [core::USER_URN], "id": "1", "userName": "a", "active": true});
    let after = patched_user(
        &before,
        json!([{"op": "replace", "value": {"active": false}}]),
    );
    assert_eq!(after["active"], json!(false));
}

#[test]
fn okta_renames_a_group_by_a_value_object_that_repeats_the_id() {
    let operations =
        json!([{"op": "replace", "value": {"id": "abf4dd94", "displayName": "Supervisors"}}]);
    let after = patched_group(&group(), operations);
    assert_eq!(after["displayName"], "Supervisors");
    assert_eq!(after["id"], "abf4dd94");
}

#[test]
fn okta_sends_the_unchanged_name_with_each_membership_change() {
    let operations =
        json!([{"op": "replace", "value": {"id": "abf4dd94", "displayName": "Agents"}}]);
    assert!(
        !patch(&group(), operations, &group_type())
            .expect("accepted")
            .changed
    );
}

#[test]
fn okta_removes_and_adds_members_in_one_request() {
    let operations = json!([
        {"op": "remove", "path": "members[value eq \"a\"]"},
        {"op": "add", "path": "members", "value": [{"value": "c", "display": "test.user@okta.local"}]},
    ]);
    assert_eq!(
        patched_group(&group(), operations)["members"],
        json!([{"value": "b"}, {"value": "c", "display": "test.user@okta.local"}])
    );
}

#[test]
fn okta_removes_a_member_that_is_already_gone() {
    let operations = json!([{"op": "remove", "path": "members[value eq \"gone\"]"}]);
    assert!(
        !patch(&group(), operations, &group_type())
            .expect("accepted")
            .changed
    );
}

#[test]
fn okta_pushes_all_members_of_a_group() {
    let operations = json!([{"op": "replace", "path": "members", "value": [{"value": "c"}]}]);
    assert_eq!(
        patched_group(&group(), operations)["members"],
        json!([{"value": "c"}])
    );
}

#[test]
fn okta_pushes_an_empty_group_now() {
    for operations in [
        json!([{"op": "replace", "path": "members", "value": []}]),
        json!([{"op": "replace", "value": {"members": []}}]),
    ] {
        assert_eq!(patched_group(&group(), operations).get("members"), None);
    }
}

#[test]
fn okta_integration_wizard_apps_put_the_whole_user_they_read() {
    let service = service();
    let existing = json!({
        "schemas": [core::USER_URN], "id": "1", "userName": "a", "active": true,
        "groups": [{"value": "g"}], "meta": {"resourceType": "User", "version": "W/\"1\""},
    });
    let mut body = existing.clone();
    body["active"] = json!(false);
    body["meta"]["version"] = json!("W/\"0\"");
    let request = parsed(&service, "PUT", "/Users/1", &body).expect("accepted");
    let Operation::Replace {
        incoming,
        resource_type,
        ..
    } = request.operation
    else {
        panic!("a replacement")
    };
    let replaced = scim::resource::replace(
        existing.as_object().unwrap(),
        &incoming.resource,
        resource_type,
    );
    let replaced = replaced.expect("nothing immutable changes");
    assert_eq!(replaced["active"], json!(false));
    // What only the service writes stays.
    assert_eq!(replaced["groups"], existing["groups"]);
    assert_eq!(replaced["meta"], existing["meta"]);
    assert_eq!(replaced["id"], "1");
}
