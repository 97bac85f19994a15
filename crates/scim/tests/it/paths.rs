//! Which PATCH paths are applied, ignored and refused (RFC 7644 sections 3.5.2 and 3.12).

use scim::error::ScimType;
use scim::patch::Patched;
use scim::protocol::{Operation, parse};
use scim::schema::{Attribute, ResourceType, Schema, ServiceDefinition, core};
use serde_json::{Value, json};

use crate::service::{http, patch, patched_user, resource, user_type};

const ENTERPRISE: &str = core::ENTERPRISE_USER_URN;

/// Users, groups with an extension of their own, and badges.
fn service() -> ServiceDefinition {
    let schema = |id: &str| Schema {
        id: id.to_owned(),
        name: "Badge".to_owned(),
        description: "A badge".to_owned(),
        attributes: vec![Attribute::string("colour")],
        unsupported: Vec::new(),
    };
    ServiceDefinition::new(vec![
        core::user(),
        core::group().extended_by(schema("urn:example:2.0:Team")),
        ResourceType::new("Badge", "/Badges", schema("urn:example:2.0:Badge")),
    ])
}

fn user() -> Value {
    json!({"schemas": [core::USER_URN], "id": "1", "userName": "a", "active": true})
}

/// The outcome of a PATCH of a user as it comes from the network.
fn requested(operations: Value) -> Result<Patched, scim::ScimError> {
    let service = service();
    let request = parse(
        &service,
        &http("PATCH", "/Users/1", &json!({"Operations": operations})),
    )?;
    let Operation::Patch {
        resource_type,
        patch,
        ..
    } = request.operation
    else {
        panic!("not a PATCH");
    };
    patch.apply(&resource(user()), resource_type)
}

#[test]
fn an_operation_of_an_unknown_schema_is_ignored_and_reported() {
    for path in [
        "urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User:tag",
        "urn:example:other:User:department",
        "urn:example:other:User:a.b",
        "urn:example:other:User.a.b",
        "urn:example:other:User.a",
        "urn:example:other:User",
    ] {
        let patched = requested(json!([
            {"op": "Replace", "path": path, "value": "x"},
            {"op": "Replace", "path": "active", "value": "False"},
        ]));
        let patched = patched.expect(path);
        assert_eq!(patched.resource["active"], false, "{path}");
        assert_eq!(patched.ignored.len(), 1, "{path}");
        let alone = requested(json!([{"op": "add", "path": path, "value": {"a": 1}}]));
        let alone = alone.expect(path);
        assert!(!alone.changed, "{path}");
        assert_eq!(Value::Object(alone.resource), user());
    }
    let filtered = "urn:example:other:User:a[value eq \"secret\"]";
    let patched = requested(json!([{"op": "remove", "path": filtered}])).expect("ignored");
    assert_eq!(patched.ignored, ["urn:example:other:User:a"]);
    let known = requested(json!([{"op": "add", "path": "title", "value": "x"}]));
    assert_eq!(known.expect("applied").ignored, [""; 0]);
}

#[test]
fn an_unknown_attribute_and_a_schema_of_another_type_are_refused() {
    for path in [
        "costCentre",
        "name.unknown",
        "urn:ietf:params:scim:schemas:core:2.0:User:costCentre",
        "urn:ietf:params:scim:schemas:core:2.0:Users:active",
        "urn:ietf:params:scim:schemas:core:2.0:Group:displayName",
        "urn:ietf:params:scim:schemas:core:2.0:Group",
        "urn:ietf:params:scim:schemas:core:1.0:active",
        "urn:example:2.0:Team:colour",
        "urn:example:2.0:team:unknown",
        "urn:example:2.0:Team",
        "urn:example:2.0:Team.colour",
        "urn:example:2.0:Badge:colour",
        &format!("{ENTERPRISE}:costCentre"),
        &format!("{ENTERPRISE}.costCentre"),
        &format!("{ENTERPRISE}:manager.unknown"),
        &format!("{ENTERPRISE}.manager.unknown"),
        &format!("{ENTERPRISE}.a.b.c"),
        "urn:ietf:params:scim:schemas:core:2.0:User.costCentre",
        "active eq",
        "emails[type eq 'work'].value",
        "emails[type eq 'work']",
    ] {
        let refused = requested(json!([
            {"op": "Replace", "path": "active", "value": "False"},
            {"op": "Replace", "path": path, "value": "x"},
        ]));
        let error = refused.expect_err(path);
        assert_eq!(error.scim_type, Some(ScimType::InvalidPath), "{path}");
        assert!(
            error.detail.starts_with("operation 2: "),
            "{}",
            error.detail
        );
    }
}

#[test]
fn an_attribute_behind_a_dot_is_that_of_the_schema() {
    let urn = core::USER_URN;
    let expected = json!({
        "schemas": [core::USER_URN, ENTERPRISE],
        "id": "1",
        "userName": "a",
        "active": false,
        "name": {"givenName": "Rose"},
        ENTERPRISE: {"department": "Sales", "manager": {"value": "9"}},
    });
    let values = [
        (format!("{ENTERPRISE}.department"), json!("Sales")),
        (format!("{ENTERPRISE}.manager.value"), json!("9")),
        (format!("{urn}.active"), json!("False")),
        (format!("{urn}.name.givenName"), json!("Rose")),
    ];
    let operations: Vec<Value> = values
        .iter()
        .map(|(path, value)| json!({"op": "replace", "path": path, "value": value}))
        .collect();
    assert_eq!(patched_user(&user(), operations.into()), expected);
    let members: Value = values
        .iter()
        .cloned()
        .collect::<serde_json::Map<_, _>>()
        .into();
    let operations = json!([{"op": "replace", "value": members}]);
    assert_eq!(patched_user(&user(), operations), expected);

    let mut body = members;
    body["schemas"] = json!([core::USER_URN]);
    body["userName"] = "a".into();
    let service = service();
    let request = parse(&service, &http("POST", "/Users", &body)).expect("a user");
    let Operation::Create { mut incoming, .. } = request.operation else {
        panic!("not a POST");
    };
    incoming.resource.insert("id".to_owned(), "1".into());
    assert_eq!(Value::Object(incoming.resource), expected);
}

#[test]
fn the_urn_of_the_core_schema_is_the_path_of_its_attributes() {
    let operations = |operator: &str, value: Value| json!([{"op": operator, "path": core::USER_URN, "value": value}]);
    let after = patched_user(&user(), operations("replace", json!({"active": false})));
    assert_eq!(after["active"], false);
    let after = patched_user(&user(), operations("add", json!({})));
    assert_eq!(after, user());
    for (operation, scim_type) in [
        (operations("replace", json!("x")), ScimType::InvalidValue),
        (operations("replace", json!(["x"])), ScimType::InvalidValue),
        (operations("remove", Value::Null), ScimType::NoTarget),
    ] {
        let error = patch(&user(), operation, &user_type()).expect_err("refused");
        assert_eq!(error.scim_type, Some(scim_type));
    }
}

#[test]
fn unknown_attributes_in_a_value_object_are_ignored() {
    let value = json!({
        "costCentre": 1,
        "urn:example:other:User": {"a": 1},
        "urn:example:other:User:a": 1,
        "emails[type": 1,
        "unknown[type eq \"work\"].value": 1,
        ENTERPRISE: {"costCentre": 1},
        "active": false,
    });
    let after = patched_user(&user(), json!([{"op": "replace", "value": value}]));
    let mut expected = user();
    expected["active"] = false.into();
    assert_eq!(after, expected);
}

#[test]
fn a_path_is_read_up_to_its_limit() {
    const LIMIT: usize = 8 * 1024;
    for (length, is_read) in [(LIMIT, true), (LIMIT + 1, false), (2 * LIMIT, false)] {
        let start = "emails[value eq \"";
        let filler = "x".repeat(length - start.len() - 2);
        let path = format!("{start}{filler}\"]");
        assert_eq!(path.len(), length);
        let removal = json!([{"op": "remove", "path": path}]);
        match patch(&user(), removal, &user_type()) {
            Ok(patched) => assert!(is_read && !patched.changed, "{length}"),
            Err(error) => {
                assert!(!is_read, "{length}");
                assert_eq!(error.scim_type, Some(ScimType::InvalidPath));
                assert!(error.detail.contains("too long"), "{}", error.detail);
            }
        }
    }
}

#[test]
fn a_path_selects_the_values_that_it_names() {
    let user = resource(json!({
        "userName": "a",
        "emails": [{"value": "w@x", "type": "work"}, {"value": "h@x", "type": "home"}],
        ENTERPRISE: {"department": "Sales"},
    }));
    let user_type = user_type();
    let selected = |path: &str| -> Vec<Value> {
        let path: scim::path::PatchPath = path.parse().expect("a path");
        path.select(&user, &user_type)
            .into_iter()
            .cloned()
            .collect()
    };
    assert_eq!(selected("userName"), [json!("a")]);
    assert_eq!(selected("emails").len(), 2);
    assert_eq!(
        selected("emails[type eq \"HOME\"].value"),
        [json!({"value": "h@x", "type": "home"})]
    );
    assert_eq!(selected("emails[type eq \"other\"]"), [json!(null); 0]);
    assert_eq!(selected("emails[type ne \"home\"]").len(), 1);
    assert_eq!(selected("department"), [json!("Sales")]);
    assert_eq!(
        selected(&format!("{ENTERPRISE}:department")),
        [json!("Sales")]
    );
    assert_eq!(selected("title"), [json!(null); 0]);
    assert_eq!(selected("unknown"), [json!(null); 0]);
}
