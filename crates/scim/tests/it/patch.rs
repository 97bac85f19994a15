//! PATCH (RFC 7644 section 3.5.2).

use scim::ScimType;
use scim::patch::PatchRequest;
use scim::schema::{Attribute, Mutability, ResourceType, Schema, core};
use serde_json::{Value, json};

use crate::service::{group_type, patch, patched_group, patched_user, user_type};

fn user() -> Value {
    json!({
        "schemas": [core::USER_URN],
        "id": "2819c223",
        "userName": "bjensen",
        "name": {"familyName": "Jensen", "givenName": "Barbara"},
        "emails": [
            {"value": "work@example.com", "type": "work", "primary": true},
            {"value": "home@example.com", "type": "home"},
        ],
        "addresses": [{"type": "work", "locality": "Hollywood"}],
        "active": true,
        "groups": [{"value": "g"}],
        "meta": {"resourceType": "User"},
    })
}

#[track_caller]
fn assert_refused(operation: Value, expected: ScimType) {
    let error = patch(&user(), json!([operation.clone()]), &user_type()).expect_err("refused");
    assert_eq!(error.scim_type, Some(expected), "{operation}: {error}");
    assert_eq!(error.status, 400);
}

#[track_caller]
fn assert_patched(operation: Value, name: &str, expected: Value) {
    let after = patched_user(&user(), json!([operation.clone()]));
    assert_eq!(
        after.get(name).cloned().unwrap_or_default(),
        expected,
        "{operation}"
    );
}

#[test]
fn add_appends_to_values_and_sets_single_ones() {
    assert_patched(
        json!({"op": "add", "path": "nickName", "value": "Babs"}),
        "nickName",
        json!("Babs"),
    );
    assert_patched(
        json!({"op": "add", "value": {"nickName": "Babs", "emails": [{"value": "babs@jensen.org"}]}}),
        "emails",
        json!([
            {"value": "work@example.com", "type": "work", "primary": true},
            {"value": "home@example.com", "type": "home"},
            {"value": "babs@jensen.org"},
        ]),
    );
    assert_patched(
        json!({"op": "add", "path": "name", "value": {"middleName": "Jane"}}),
        "name",
        json!({"familyName": "Jensen", "givenName": "Barbara", "middleName": "Jane"}),
    );
}

#[test]
fn add_of_a_value_that_is_there_changes_nothing() {
    let operations = json!([
        {"op": "add", "path": "emails", "value": [{"value": "WORK@example.com", "type": "work"}]},
        {"op": "add", "path": "userName", "value": "bjensen"},
        {"op": "add", "path": "addresses", "value": [{"type": "work", "locality": "Hollywood"}]},
    ]);
    let patched = patch(&user(), operations, &user_type()).expect("accepted");
    // The spelling is the client's to change, so only e-mail addresses may differ.
    assert_eq!(patched.resource["emails"].as_array().map(Vec::len), Some(2));
    assert_eq!(patched.resource["addresses"], user()["addresses"]);
    let operations =
        json!([{"op": "add", "path": "emails", "value": [{"value": "work@example.com"}]}]);
    assert!(
        !patch(&user(), operations, &user_type())
            .expect("accepted")
            .changed
    );
}

#[test]
fn replace_puts_whole_arrays_and_parts_of_complex_values() {
    assert_patched(
        json!({"op": "replace", "path": "emails", "value": [{"value": "x@example.com"}]}),
        "emails",
        json!([{"value": "x@example.com"}]),
    );
    assert_patched(
        json!({"op": "replace", "path": "name", "value": {"givenName": "B", "familyName": null}}),
        "name",
        json!({"givenName": "B"}),
    );
    assert_patched(
        json!({"op": "replace", "path": "addresses[type eq \"work\"]", "value": {"type": "work", "locality": "Oslo"}}),
        "addresses",
        json!([{"type": "work", "locality": "Oslo"}]),
    );
    assert_patched(
        json!({"op": "replace", "path": "emails", "value": null}),
        "emails",
        Value::Null,
    );
    assert_patched(
        json!({"op": "replace", "path": "name", "value": null}),
        "name",
        Value::Null,
    );
}

#[test]
fn remove_takes_attributes_values_and_sub_attributes() {
    assert_patched(json!({"op": "remove", "path": "name"}), "name", Value::Null);
    assert_patched(
        json!({"op": "remove", "path": "name.givenName"}),
        "name",
        json!({"familyName": "Jensen"}),
    );
    assert_patched(
        json!({"op": "remove", "path": "emails"}),
        "emails",
        Value::Null,
    );
    let home = json!([{"value": "home@example.com", "type": "home"}]);
    for path in [
        "emails[type eq \"work\"]",
        "emails[type eq \"work\" and value ew \"example.com\"]",
        "EMAILS[primary eq true]",
        "urn:ietf:params:scim:schemas:core:2.0:User:emails[type eq \"work\"]",
        // Without its value, the rest describes nothing.
        "emails[type eq \"work\"].value",
    ] {
        assert_patched(
            json!({"op": "remove", "path": path}),
            "emails",
            home.clone(),
        );
    }
    assert_patched(
        json!({"op": "remove", "path": "emails[type eq \"work\"].primary"}),
        "emails",
        json!([{"value": "work@example.com", "type": "work"}, {"value": "home@example.com", "type": "home"}]),
    );
    assert_patched(
        json!({"op": "remove", "path": "title"}),
        "title",
        Value::Null,
    );
    for value in [
        json!([{"value": "work@example.com"}]),
        json!("Work@example.com"),
        json!([{"type": "work"}]),
    ] {
        assert_patched(
            json!({"op": "remove", "path": "emails", "value": value}),
            "emails",
            home.clone(),
        );
    }
}

#[test]
fn a_value_that_becomes_primary_takes_that_from_the_one_before() {
    assert_patched(
        json!({"op": "replace", "path": "emails[type eq \"home\"].primary", "value": true}),
        "emails",
        json!([
            {"value": "work@example.com", "type": "work", "primary": false},
            {"value": "home@example.com", "type": "home", "primary": true},
        ]),
    );
    assert_patched(
        json!({"op": "add", "path": "emails", "value": [{"value": "new@example.com", "primary": "true"}]}),
        "emails",
        json!([
            {"value": "work@example.com", "type": "work", "primary": false},
            {"value": "home@example.com", "type": "home"},
            {"value": "new@example.com", "primary": true},
        ]),
    );
    let two = json!([{"value": "a", "primary": true}, {"value": "b", "primary": true}]);
    assert_refused(
        json!({"op": "replace", "path": "emails", "value": two}),
        ScimType::InvalidValue,
    );
}

#[test]
fn a_value_path_that_matches_nothing() {
    // Created where the filter describes the value …
    let path = "emails[type eq \"other\"].value";
    let after = patched_user(
        &user(),
        json!([{"op": "replace", "path": path, "value": "o@example.com"}]),
    );
    assert_eq!(
        after["emails"][2],
        json!({"type": "other", "value": "o@example.com"})
    );
    let path = "emails[type eq \"other\"]";
    let after = patched_user(
        &user(),
        json!([{"op": "add", "path": path, "value": {"value": "o@example.com"}}]),
    );
    assert_eq!(
        after["emails"][2],
        json!({"type": "other", "value": "o@example.com"})
    );
    // … and refused where it does not.
    for path in [
        "emails[type ne \"work\" and type ne \"home\"].value",
        "emails[value eq \"gone@example.com\"].display",
        "emails[type eq \"other\" or type eq \"fax\"].value",
    ] {
        assert_refused(
            json!({"op": "replace", "path": path, "value": "x"}),
            ScimType::NoTarget,
        );
    }
    let value = json!({"value": "x"});
    assert_refused(
        json!({"op": "replace", "path": "emails[type eq \"other\"]", "value": value}),
        ScimType::NoTarget,
    );
    assert_refused(json!({"op": "remove"}), ScimType::NoTarget);
}

#[test]
fn read_only_attributes() {
    for path in [
        "id",
        "meta",
        "meta.created",
        "groups",
        "groups[value eq \"g\"]",
        "groups.display",
    ] {
        assert_refused(
            json!({"op": "replace", "path": path, "value": "x"}),
            ScimType::Mutability,
        );
        assert_refused(json!({"op": "remove", "path": path}), ScimType::Mutability);
    }
    let value = json!({"id": "other", "meta": {"created": "2020-01-01T00:00:00Z"}, "groups": []});
    let operations = json!([{"op": "replace", "value": value}]);
    assert!(
        !patch(&user(), operations, &user_type())
            .expect("accepted")
            .changed
    );
}

#[test]
fn required_attributes_cannot_be_removed() {
    assert_refused(
        json!({"op": "remove", "path": "userName"}),
        ScimType::Mutability,
    );
    assert_refused(
        json!({"op": "replace", "path": "userName", "value": ""}),
        ScimType::Mutability,
    );
    // What counts is where the request ends.
    let operations = json!([
        {"op": "remove", "path": "userName"},
        {"op": "add", "path": "userName", "value": "babs"},
    ]);
    assert_eq!(patched_user(&user(), operations)["userName"], "babs");
}

#[test]
fn immutable_attributes_are_written_once() {
    let schema = Schema {
        id: "urn:example:2.0:Badge".to_owned(),
        name: "Badge".to_owned(),
        description: "A badge".to_owned(),
        attributes: vec![Attribute::string("serial").mutability(Mutability::Immutable)],
        unsupported: Vec::new(),
    };
    let badge = ResourceType::new("Badge", "/Badges", schema);
    let empty = json!({"schemas": ["urn:example:2.0:Badge"], "id": "1"});
    let operations = |value: &str| json!([{"op": "add", "path": "serial", "value": value}]);
    let set = patch(&empty, operations("7"), &badge)
        .expect("accepted")
        .resource;
    let set = Value::Object(set);
    assert!(
        !patch(&set, operations("7"), &badge)
            .expect("accepted")
            .changed
    );
    assert_eq!(
        patch(&set, operations("8"), &badge)
            .expect_err("refused")
            .scim_type,
        Some(ScimType::Mutability)
    );
    let removal = json!([{"op": "remove", "path": "serial"}]);
    assert_eq!(
        patch(&set, removal, &badge).expect_err("refused").scim_type,
        Some(ScimType::Mutability)
    );

    let group =
        json!({"schemas": [core::GROUP_URN], "displayName": "A", "members": [{"value": "a"}]});
    let operations =
        json!([{"op": "replace", "path": "members[value eq \"a\"].value", "value": "b"}]);
    assert_eq!(
        patch(&group, operations, &group_type())
            .expect_err("refused")
            .scim_type,
        Some(ScimType::Mutability)
    );
}

#[test]
fn paths_that_lead_nowhere() {
    for path in [
        "unknown",
        "name.unknown",
        "emails[type eq \"work\"].unknown",
        "emails[type eq \"work\"",
        "emails[type eq]",
        "emails[type eq \"work\"]value",
        "name[familyName eq \"Jensen\"].givenName",
        "a b",
        ".",
        "[type eq \"work\"]",
        "name.familyName.x",
    ] {
        assert_refused(
            json!({"op": "replace", "path": path, "value": "x"}),
            ScimType::InvalidPath,
        );
    }
    assert_refused(
        json!({"op": "replace", "path": 5, "value": "x"}),
        ScimType::InvalidPath,
    );
}

#[test]
fn values_that_do_not_fit() {
    for operation in [
        json!({"op": "replace", "path": "active", "value": "perhaps"}),
        json!({"op": "replace", "path": "active", "value": {"value": true}}),
        json!({"op": "replace", "path": "userName", "value": ["a", "b"]}),
        json!({"op": "replace", "path": "userName", "value": {"a": 1}}),
        json!({"op": "replace", "path": "name", "value": "Barbara"}),
        json!({"op": "replace", "path": "emails[type eq \"work\"].primary", "value": "x"}),
        json!({"op": "replace", "value": {"active": "perhaps"}}),
        json!({"op": "replace", "value": "text"}),
        json!({"op": "replace", "path": "active"}),
        json!({"op": "add"}),
    ] {
        assert_refused(operation, ScimType::InvalidValue);
    }
}

#[test]
fn bodies_that_are_no_patch() {
    for body in [
        json!(null),
        json!([]),
        json!({}),
        json!({"Operations": {}}),
        json!({"Operations": []}),
        json!({"Operations": ["x"]}),
        json!({"Operations": [{"path": "active", "value": true}]}),
        json!({"Operations": [{"op": "move", "path": "active"}]}),
        json!({"schemas": ["urn:example"], "Operations": [{"op": "remove", "path": "title"}]}),
    ] {
        let error = PatchRequest::from_json(body.clone()).expect_err("refused");
        assert_eq!(error.scim_type, Some(ScimType::InvalidSyntax), "{body}");
    }
}

#[test]
fn an_error_says_which_operation_is_wrong_and_changes_nothing() {
    let before = user();
    let operations = json!([
        {"op": "replace", "path": "userName", "value": "babs"},
        {"op": "replace", "path": "active", "value": "perhaps"},
    ]);
    let error = patch(&before, operations, &user_type()).expect_err("refused");
    insta::assert_snapshot!(error, @"400 invalidValue: operation 2: active must be true or false");
    assert_eq!(before, user());
}

#[test]
fn an_extension_can_be_addressed_as_a_whole() {
    let urn = core::ENTERPRISE_USER_URN;
    let operations =
        json!([{"op": "add", "path": urn, "value": {"department": "Sales", "costCenter": "4130"}}]);
    let after = patched_user(&user(), operations);
    assert_eq!(
        after[urn],
        json!({"department": "Sales", "costCenter": "4130"})
    );
    let operations = json!([{"op": "replace", "value": {urn: {"department": "Tours"}}}]);
    let after = patched_user(&after, operations);
    assert_eq!(
        after[urn],
        json!({"department": "Tours", "costCenter": "4130"})
    );
    let after = patched_user(&after, json!([{"op": "remove", "path": urn}]));
    assert_eq!(after, user());
}

#[test]
fn a_password_is_handed_over_and_not_stored() {
    let operations = json!([{"op": "replace", "path": "password", "value": "s3cret"}]);
    let patched = patch(&user(), operations, &user_type()).expect("accepted");
    assert_eq!(patched.write_only["password"], "s3cret");
    assert!(!patched.changed);
    assert!(!format!("{patched:?}").contains("s3cret"));
}

#[test]
fn thousands_of_members_stay_linear() {
    let ids = |range: std::ops::Range<u32>| -> Vec<Value> {
        range.map(|id| json!({"value": id.to_string()})).collect()
    };
    let group = json!({"schemas": [core::GROUP_URN], "id": "g", "displayName": "A", "members": ids(0..20_000)});
    let operations = json!([
        {"op": "add", "path": "members", "value": ids(10_000..30_000)},
        {"op": "remove", "path": "members", "value": ids(5_000..30_000)},
    ]);
    let after = patched_group(&group, operations);
    assert_eq!(after["members"].as_array().map(Vec::len), Some(5_000));
}
