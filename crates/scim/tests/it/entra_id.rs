//! Microsoft Entra ID, as its documentation describes its requests:
//! <https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups>
//! and `…/application-provisioning-config-problem-scim-compatibility`; and Microsoft's
//! published collection of SCIM requests.

use scim::filter::Filter;
use scim::protocol::{MediaType, Operation};
use serde_json::{Value, json};

use crate::service::{
    group_type, parsed, patch, patched_group, patched_user, resource, service, user_type,
};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn user() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "48af03ac28ad4fb88478",
        "userName": "Test_User_22370ca4",
        "active": true,
        "meta": {"resourceType": "User", "version": "W/\"1\""},
    })
}

fn group(members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
    let mut group = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "id": "40734ae655284ad3abcc",
        "displayName": "Agents",
    });
    if !members.is_empty() {
        group["members"] = members.into();
    }
    group
}

fn member_ids(group: &Value) -> Vec<&str> {
    let members = group.get("members").and_then(Value::as_array);
    members
        .into_iter()
        .flatten()
        .filter_map(|member| member["value"].as_str())
        .collect()
}

#[test]
fn entra_tests_the_connection_with_a_filter_for_a_random_user() {
    let service = service();
    let url = "/Users?filter=userName+eq+%22f5b0bc8e-1c0c-4b3a-8d0c-7a2d9a3e5c6f%22";
    let request = parsed(&service, "GET", url, &Value::Null).expect("accepted");
    let Operation::List {
        resource_types,
        query,
    } = request.operation
    else {
        panic!("a list")
    };
    let equalities = query
        .filter
        .expect("a filter")
        .equalities(resource_types[0]);
    assert_eq!(equalities.len(), 1);
    assert_eq!(equalities[0].attribute, "userName");
    assert_eq!(equalities[0].value, "f5b0bc8e-1c0c-4b3a-8d0c-7a2d9a3e5c6f");
}

#[test]
fn entra_sends_active_as_the_string_false() {
    let operations = json!([{"op": "Replace", "path": "active", "value": "False"}]);
    assert_eq!(patched_user(&user(), operations)["active"], json!(false));
    let operations = json!([{"op": "replace", "value": {"active": "False"}}]);
    assert_eq!(patched_user(&user(), operations)["active"], json!(false));
}

#[test]
fn entra_capitalises_operation_names() {
    let operations = json!([
        {"op": "Add", "path": "title", "value": "Agent"},
        {"op": "Replace", "path": "displayName", "value": "Test"},
        {"op": "Remove", "path": "title"},
    ]);
    let after = patched_user(&user(), operations);
    assert_eq!(after["displayName"], "Test");
    assert_eq!(after.get("title"), None);
}

#[test]
fn entra_replaces_the_work_email_of_a_user_without_emails() {
    for operator in ["Add", "Replace"] {
        let operations = json!([{"op": operator, "path": "emails[type eq \"work\"].value", "value": "a@example.com"}]);
        let after = patched_user(&user(), operations);
        assert_eq!(
            after["emails"],
            json!([{"type": "work", "value": "a@example.com"}])
        );
    }
}

#[test]
fn entra_replaces_only_the_phone_number_of_the_type_in_the_path() {
    let mut before = user();
    before["phoneNumbers"] =
        json!([{"type": "work", "value": "1"}, {"type": "mobile", "value": "2"}]);
    let operations = json!([
        {"op": "Replace", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+1 (555) 0100"},
        {"op": "Add", "path": "phoneNumbers[type eq \"fax\"].value", "value": "4"},
    ]);
    // Values are stored as they were sent.
    assert_eq!(
        patched_user(&before, operations)["phoneNumbers"],
        json!([
            {"type": "work", "value": "1"},
            {"type": "mobile", "value": "+1 (555) 0100"},
            {"type": "fax", "value": "4"},
        ])
    );
}

#[test]
fn entra_patches_the_parts_of_the_name_and_the_enterprise_extension() {
    let operations = json!([
        {"op": "Add", "path": "name.familyName", "value": "Jensen"},
        {"op": "Add", "path": format!("{ENTERPRISE}:department"), "value": "Sales"},
        {"op": "Add", "path": "urn:ietf:params:scim:schemas:core:2.0:User:name.givenName", "value": "Barbara"},
    ]);
    let after = patched_user(&user(), operations);
    assert_eq!(
        after["name"],
        json!({"familyName": "Jensen", "givenName": "Barbara"})
    );
    assert_eq!(after[ENTERPRISE], json!({"department": "Sales"}));
    assert_eq!(
        after["schemas"],
        json!(["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE])
    );
}

#[test]
fn entra_with_the_2020_flag_sends_dotted_and_urn_keys_in_one_value_object() {
    let operations = json!([{"op": "replace", "value": {
        "displayName": "Barbara",
        "name.givenName": "Barbara",
        "name.familyName": "Jensen",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber": "7",
        "emails[type eq \"work\"].value": "b@example.com",
        "active": false,
    }}]);
    let after = patched_user(&user(), operations);
    assert_eq!(
        after["name"],
        json!({"familyName": "Jensen", "givenName": "Barbara"})
    );
    assert_eq!(after[ENTERPRISE], json!({"employeeNumber": "7"}));
    assert_eq!(
        after["emails"],
        json!([{"type": "work", "value": "b@example.com"}])
    );
    assert_eq!(after["active"], json!(false));
    assert_eq!(after.get("name.givenName"), None);
}

#[test]
fn entra_removes_only_the_listed_members() {
    let operations = json!([{"op": "Remove", "path": "members", "value": [
        {"$ref": null, "value": "b"}, {"$ref": null, "value": "unknown"},
    ]}]);
    assert_eq!(
        member_ids(&patched_group(&group(&["a", "b", "c"]), operations)),
        ["a", "c"]
    );
    let operations = json!([{"op": "Remove", "path": "members", "value": []}]);
    assert_eq!(
        member_ids(&patched_group(&group(&["a", "b"]), operations)),
        ["a", "b"]
    );
}

#[test]
fn entra_with_the_2020_flag_removes_a_member_by_value_path() {
    let operations = json!([{"op": "remove", "path": "members[value eq \"b\"]"}]);
    assert_eq!(
        member_ids(&patched_group(&group(&["a", "b"]), operations)),
        ["a"]
    );
}

#[test]
fn entra_adds_several_members_at_once_and_repeats_itself() {
    let operations = json!([{"op": "Add", "path": "members", "value": [
        {"$ref": null, "value": "a"}, {"$ref": null, "value": "b"}, {"$ref": null, "value": "c"},
    ]}]);
    let before = group(&["a"]);
    let after = patched_group(&before, operations.clone());
    assert_eq!(member_ids(&after), ["a", "b", "c"]);
    assert!(
        !patch(&after, operations, &group_type())
            .expect("accepted")
            .changed
    );
}

#[test]
fn entra_wraps_the_manager_into_an_array() {
    let path = format!("{ENTERPRISE}:manager");
    let operations =
        json!([{"op": "Add", "path": path, "value": [{"$ref": "../Users/9", "value": "9"}]}]);
    let after = patched_user(&user(), operations);
    assert_eq!(
        after[ENTERPRISE]["manager"],
        json!({"$ref": "../Users/9", "value": "9"})
    );
}

#[test]
fn entra_names_the_manager_without_its_schema() {
    let value = json!([{"$ref": "../Users/9", "value": "9"}]);
    let after = patched_user(
        &user(),
        json!([{"op": "Add", "path": "manager", "value": value}]),
    );
    assert_eq!(after[ENTERPRISE]["manager"], value[0]);
}

#[test]
fn entra_validator_sets_the_manager_by_plain_text_and_removes_it_by_empty_text() {
    let path = format!("{ENTERPRISE}:manager");
    let after = patched_user(
        &user(),
        json!([{"op": "Replace", "path": path, "value": "9"}]),
    );
    assert_eq!(after[ENTERPRISE]["manager"], json!({"value": "9"}));
    for nobody in [
        json!(""),
        json!([]),
        json!([{"value": ""}]),
        json!({"value": null}),
    ] {
        let operations = json!([{"op": "Replace", "path": path, "value": nobody}]);
        assert_eq!(patched_user(&after, operations).get(ENTERPRISE), None);
    }
    let after = patched_user(
        &after,
        json!([{"op": "Replace", "path": path, "value": ""}]),
    );
    assert_eq!(after.get(ENTERPRISE), None);
    assert_eq!(
        after["schemas"],
        json!(["urn:ietf:params:scim:schemas:core:2.0:User"])
    );
}

#[test]
fn entra_sets_the_primary_role_with_the_string_true_and_creates_it() {
    let operations =
        json!([{"op": "Add", "path": "roles[primary eq \"True\"].value", "value": "Agent"}]);
    let after = patched_user(&user(), operations);
    assert_eq!(after["roles"], json!([{"primary": true, "value": "Agent"}]));
    let operations =
        json!([{"op": "Replace", "path": "roles[primary eq \"True\"].value", "value": "Admin"}]);
    assert_eq!(
        patched_user(&after, operations)["roles"],
        json!([{"primary": true, "value": "Admin"}])
    );
}

#[test]
fn entra_app_role_assignments_complex_arrive_as_json_in_text() {
    let document = json!({"id": "1", "value": "Agent", "displayName": "Agent"}).to_string();
    let operations = json!([{"op": "Add", "path": "roles", "value": [{"value": document}]}]);
    assert_eq!(
        patched_user(&user(), operations)["roles"],
        json!([{"value": "Agent"}])
    );
}

#[test]
fn entra_assertive_app_role_assignments_replace_all_roles() {
    let mut before = user();
    before["roles"] = json!([{"value": "Agent", "primary": true}]);
    let operations = json!([{"op": "Replace", "path": "roles", "value": [
        {"value": "Admin", "display": "Admin", "type": "WindowsAzureActiveDirectoryRole", "primary": "False"},
    ]}]);
    assert_eq!(
        patched_user(&before, operations)["roles"],
        json!([{"value": "Admin", "display": "Admin", "type": "WindowsAzureActiveDirectoryRole", "primary": false}])
    );
}

#[test]
fn entra_creates_users_with_nulls_empty_roles_and_meta() {
    let service = service();
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
        "userName": "Test_User_ab6490ee",
        "active": true,
        "addresses": null,
        "title": null,
        "roles": [],
        "meta": {"resourceType": "User"},
        "name": {"formatted": "givenName familyName", "familyName": "familyName", "givenName": "givenName"},
        ENTERPRISE: {"department": "Sales", "manager": null},
    });
    let request = parsed(&service, "POST", "/scim/Users/", &body).expect("accepted");
    let Operation::Create { incoming, .. } = request.operation else {
        panic!("a creation")
    };
    assert_eq!(
        Value::Object(incoming.resource),
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
            "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
            "userName": "Test_User_ab6490ee",
            "active": true,
            "name": {"formatted": "givenName familyName", "familyName": "familyName", "givenName": "givenName"},
            ENTERPRISE: {"department": "Sales"},
        })
    );
}

#[test]
fn entra_creates_groups_with_a_schema_of_its_own() {
    let service = service();
    let body = json!({
        "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:Group",
            "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group",
        ],
        "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159",
        "displayName": "Agents",
        "meta": {"resourceType": "Group"},
    });
    let request = parsed(&service, "POST", "/Groups", &body).expect("accepted");
    let Operation::Create { incoming, .. } = request.operation else {
        panic!("a creation")
    };
    assert_eq!(
        incoming.resource["schemas"],
        json!(["urn:ietf:params:scim:schemas:core:2.0:Group"])
    );
}

#[test]
fn entra_looks_groups_up_without_their_members() {
    let service = service();
    let url = "/Groups?excludedAttributes=members&filter=displayName%20eq%20%22Agents%22";
    let request = parsed(&service, "GET", url, &Value::Null).expect("accepted");
    let Operation::List { query, .. } = request.operation else {
        panic!("a list")
    };
    assert!(!query.projection.includes("members", &group_type()));
    assert!(query.projection.includes("displayName", &group_type()));
}

#[test]
fn entra_checks_references_by_id_and_members() {
    let filter: Filter = "id eq \"40734ae655284ad3abcc\" and members eq \"a\""
        .parse()
        .expect("a filter");
    assert!(filter.matches(&resource(group(&["a"])), &group_type()));
    assert!(!filter.matches(&resource(group(&["b"])), &group_type()));
    let attributes: Vec<String> = filter
        .equalities(&group_type())
        .into_iter()
        .map(|equality| equality.attribute)
        .collect();
    assert_eq!(attributes, ["id", "members.value"]);
}

#[test]
fn entra_matches_users_by_the_value_of_their_work_email() {
    let filter: Filter = "emails[type eq \"work\"].value eq \"A@example.com\""
        .parse()
        .expect("a filter");
    let mut user = user();
    user["emails"] = json!([{"type": "home", "value": "a@example.com"}]);
    assert!(!filter.matches(&resource(user.clone()), &user_type()));
    user["emails"] = json!([{"type": "work", "value": "a@example.com"}]);
    assert!(filter.matches(&resource(user), &user_type()));
}

#[test]
fn entra_sends_attributes_that_the_service_left_out() {
    let mut service = service();
    let user_type = &mut service.resource_types[0];
    user_type.schema =
        user_type
            .schema
            .clone()
            .keep(&["userName", "active", "name.givenName", "name.familyName"]);
    let user_type = &service.resource_types[0];
    let operations = json!([
        {"op": "Add", "path": "addresses[type eq \"work\"].locality", "value": "Oslo"},
        {"op": "Add", "path": "name.honorificPrefix", "value": "Dr."},
        {"op": "Add", "path": "name.givenName", "value": "Barbara"},
    ]);
    let patched = patch(&user(), operations, user_type).expect("accepted");
    assert_eq!(patched.resource["name"], json!({"givenName": "Barbara"}));
    assert_eq!(patched.resource.get("addresses"), None);
}

#[test]
fn entra_expects_scim_json_in_every_answer() {
    assert_eq!(
        MediaType::negotiate(Some("application/scim+json")),
        MediaType::ScimJson
    );
    assert_eq!(MediaType::negotiate(None), MediaType::ScimJson);
    assert_eq!(MediaType::negotiate(Some("*/*")), MediaType::ScimJson);
}

#[test]
fn microsoft_collection_leaves_filter_values_unquoted() {
    let user = resource(json!({"userName": "Olaf", "meta": {"created": "2020-01-01T00:00:00Z"}}));
    for filter in [
        "userName sw O",
        "meta.Created gt 2015-10-10T14:38:21.8617979-07:00",
        "userName Eq olaf",
    ] {
        let filter: Filter = filter.parse().expect("a filter");
        assert!(filter.matches(&user, &user_type()), "{filter}");
    }
}

#[test]
fn microsoft_collection_asks_for_attributes_by_value_path() {
    let service = service();
    let url = "/Users?attributes=userName,emails%5Btype%20eq%20%22work%22%5D";
    let request = parsed(&service, "GET", url, &Value::Null).expect("accepted");
    let Operation::List { query, .. } = request.operation else {
        panic!("a list")
    };
    assert!(query.projection.includes("emails", &user_type()));
    assert!(!query.projection.includes("displayName", &user_type()));
}

#[test]
fn microsoft_collection_adds_members_by_plain_text() {
    let operations = json!([{"op": "add", "path": "members", "value": "string id 1"}]);
    assert_eq!(
        member_ids(&patched_group(&group(&[]), operations)),
        ["string id 1"]
    );
    let operations = json!([{"op": "add", "path": "members", "value": {"value": "string id 1"}}]);
    assert_eq!(
        member_ids(&patched_group(&group(&[]), operations)),
        ["string id 1"]
    );
}

#[test]
fn microsoft_collection_puts_unknown_attributes() {
    let service = service();
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "UserName": "x",
        "favouriteColour": "green",
        "urn:example:2.0:Unknown": {"a": 1},
    });
    let request = parsed(&service, "PUT", "/Users/1", &body).expect("accepted");
    let Operation::Replace { incoming, .. } = request.operation else {
        panic!("a replacement")
    };
    assert_eq!(
        Value::Object(incoming.resource),
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "x"})
    );
}
