//! Null, an empty list and `remove` leave the same state by every route (RFC 7643
//! section 2.5, RFC 7644 section 3.5.2).

use scim::error::ScimType;
use scim::resource::{Incoming, replace};
use scim::schema::{Attribute, Mutability, ResourceType, Schema, ServiceDefinition, core};
use serde_json::{Value, json};

use crate::service::{patch, resource};

const EXTRA: &str = "urn:example:2.0:Extra";
const ENTERPRISE: &str = core::ENTERPRISE_USER_URN;

fn user_type() -> ResourceType {
    core::user().extended_by(Schema {
        id: EXTRA.to_owned(),
        name: "Extra".to_owned(),
        description: "More of a user".to_owned(),
        attributes: vec![
            Attribute::string("colour"),
            Attribute::string("tags").multi_valued(),
            Attribute::string("state").read_only(),
            Attribute::string("serial").mutability(Mutability::Immutable),
        ],
        unsupported: Vec::new(),
    })
}

fn user() -> Value {
    json!({
        "schemas": [core::USER_URN, ENTERPRISE, EXTRA],
        "id": "1",
        "userName": "a",
        "active": true,
        "title": "Lead",
        "name": {"givenName": "Rose", "familyName": "Quist"},
        "emails": [{"value": "w@x", "type": "work"}, {"value": "h@x", "type": "home"}],
        ENTERPRISE: {"department": "Sales", "manager": {"value": "9", "$ref": "../Users/9"}},
        EXTRA: {"colour": "red", "tags": ["a"]},
    })
}

fn patched(operation: &Value) -> Result<Value, scim::ScimError> {
    patch(&user(), json!([operation]), &user_type()).map(|patched| Value::Object(patched.resource))
}

/// A removal by each route that leads to it.
fn removals(path: &str, in_object: &dyn Fn(Value) -> Value) -> Vec<Value> {
    let mut operations = vec![json!({"op": "remove", "path": path})];
    for value in [json!(null), json!(""), json!([]), json!({})] {
        operations.push(json!({"op": "replace", "path": path, "value": value}));
        operations.push(json!({"op": "replace", "value": in_object(value)}));
    }
    operations
}

#[test]
fn an_attribute_is_removed_by_every_route() {
    let mut without_title = user();
    without_title
        .as_object_mut()
        .expect("an object")
        .remove("title");
    for operation in removals("title", &|value| json!({"title": value})) {
        assert_eq!(
            patched(&operation),
            Ok(without_title.clone()),
            "{operation}"
        );
    }
    let mut without_emails = user();
    without_emails
        .as_object_mut()
        .expect("an object")
        .remove("emails");
    for operation in removals("emails", &|value| json!({"emails": value})) {
        assert_eq!(
            patched(&operation),
            Ok(without_emails.clone()),
            "{operation}"
        );
    }
    let mut without_given_name = user();
    without_given_name["name"] = json!({"familyName": "Quist"});
    for operation in removals(
        "name.givenName",
        &|value| json!({"name": {"givenName": value}}),
    ) {
        assert_eq!(
            patched(&operation),
            Ok(without_given_name.clone()),
            "{operation}"
        );
    }
    let mut without_department = user();
    without_department[ENTERPRISE] = json!({"manager": {"value": "9", "$ref": "../Users/9"}});
    let path = format!("{ENTERPRISE}:department");
    for operation in removals(&path, &|value| json!({ENTERPRISE: {"department": value}})) {
        assert_eq!(
            patched(&operation),
            Ok(without_department.clone()),
            "{operation}"
        );
    }
}

#[test]
fn an_extension_is_removed_by_every_route() {
    for urn in [ENTERPRISE, EXTRA] {
        let mut expected = user();
        expected.as_object_mut().expect("an object").remove(urn);
        let others: Vec<&str> = [core::USER_URN, ENTERPRISE, EXTRA]
            .into_iter()
            .filter(|other| *other != urn)
            .collect();
        expected["schemas"] = json!(others);
        let mut operations = removals(urn, &|value| json!({urn: value}));
        operations.push(json!({"op": "add", "value": {urn.to_lowercase(): null}}));
        for operation in operations {
            assert_eq!(patched(&operation), Ok(expected.clone()), "{operation}");
        }
    }
    for operation in [
        json!({"op": "replace", "value": {core::USER_URN: null}}),
        json!({"op": "replace", "path": core::USER_URN, "value": null}),
    ] {
        assert_eq!(patched(&operation), Ok(user()), "{operation}");
    }
}

#[test]
fn removing_an_extension_keeps_what_a_client_cannot_remove() {
    let mut before = user();
    before[EXTRA]["state"] = "on".into();
    for operation in [
        json!({"op": "remove", "path": EXTRA}),
        json!({"op": "replace", "value": {EXTRA: null}}),
    ] {
        let after = patch(&before, json!([operation]), &user_type()).expect("removed");
        assert_eq!(after.resource[EXTRA], json!({"state": "on"}));
    }
    before[EXTRA]["serial"] = "7".into();
    let removal = json!([{"op": "remove", "path": EXTRA}]);
    let error = patch(&before, removal, &user_type()).expect_err("refused");
    assert_eq!(error.scim_type, Some(ScimType::Mutability));
}

#[test]
fn an_extension_is_an_object() {
    let service = ServiceDefinition::new(vec![user_type()]);
    for value in [
        json!("x"),
        json!(1),
        json!(true),
        json!([{"department": "x"}]),
    ] {
        for operation in [
            json!({"op": "replace", "value": {ENTERPRISE: value}}),
            json!({"op": "replace", "path": ENTERPRISE, "value": value}),
            json!({"op": "add", "value": {core::USER_URN: value}}),
        ] {
            let error = patched(&operation).expect_err("refused");
            assert_eq!(error.scim_type, Some(ScimType::InvalidValue), "{operation}");
        }
        let body = json!({"schemas": [core::USER_URN], "userName": "a", ENTERPRISE: value});
        let error = Incoming::from_json(body, &user_type(), &service).expect_err("refused");
        assert_eq!(error.scim_type, Some(ScimType::InvalidValue));
    }
}

#[test]
fn without_its_value_nothing_of_a_complex_attribute_is_left() {
    let mut expected = user();
    expected[ENTERPRISE] = json!({"department": "Sales"});
    let path = format!("{ENTERPRISE}:manager");
    let value = format!("{path}.value");
    for operation in [
        json!({"op": "remove", "path": path}),
        json!({"op": "remove", "path": value}),
        json!({"op": "remove", "path": "manager.value"}),
        json!({"op": "replace", "path": value, "value": null}),
        json!({"op": "replace", "path": value, "value": ""}),
        json!({"op": "replace", "path": path, "value": ""}),
        json!({"op": "replace", "path": path, "value": {"value": null}}),
        json!({"op": "replace", "path": path, "value": [{"value": ""}]}),
        json!({"op": "replace", "path": path, "value": {"value": "", "$ref": "../Users/8"}}),
        json!({"op": "replace", "value": {ENTERPRISE: {"manager": {"value": null}}}}),
        json!({"op": "replace", "value": {value: null}}),
    ] {
        assert_eq!(patched(&operation), Ok(expected.clone()), "{operation}");
    }
    let mut expected = user();
    expected["emails"] = json!([{"value": "h@x", "type": "home"}]);
    for operation in [
        json!({"op": "remove", "path": "emails[type eq \"work\"].value"}),
        json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": null}),
        json!({"op": "replace", "path": "emails", "value": [{"value": "", "type": "work"}, {"value": "h@x", "type": "home"}]}),
    ] {
        assert_eq!(patched(&operation), Ok(expected.clone()), "{operation}");
    }
}

#[test]
fn another_value_leaves_nothing_that_described_the_old_one() {
    let path = format!("{ENTERPRISE}:manager");
    for (sent, left) in [
        (json!({"value": "8"}), json!({"value": "8"})),
        (
            json!({"value": "9"}),
            json!({"value": "9", "$ref": "../Users/9"}),
        ),
        (
            json!({"$ref": "../Users/x"}),
            json!({"value": "9", "$ref": "../Users/x"}),
        ),
        (json!({"$ref": null}), json!({"value": "9"})),
        (json!("8"), json!({"value": "8"})),
        (json!("9"), json!({"value": "9", "$ref": "../Users/9"})),
    ] {
        let operation = json!({"op": "replace", "path": path, "value": sent});
        let after = patched(&operation).expect("replaced");
        assert_eq!(after[ENTERPRISE]["manager"], left, "{operation}");
    }
}

#[test]
fn a_replacement_leaves_what_a_removal_leaves() {
    let service = ServiceDefinition::new(vec![user_type()]);
    let put = |changes: Value| {
        let mut document = user();
        for (name, value) in changes.as_object().expect("an object") {
            document[name] = value.clone();
        }
        let incoming = Incoming::from_json(document, &user_type(), &service).expect("a user");
        let replaced = replace(&resource(user()), &incoming.resource, &user_type());
        Value::Object(replaced.expect("replaced"))
    };
    for (changes, operation) in [
        (
            json!({"title": null}),
            json!({"op": "remove", "path": "title"}),
        ),
        (
            json!({"emails": []}),
            json!({"op": "remove", "path": "emails"}),
        ),
        (
            json!({ENTERPRISE: null}),
            json!({"op": "remove", "path": ENTERPRISE}),
        ),
        (json!({EXTRA: {}}), json!({"op": "remove", "path": EXTRA})),
        (
            json!({ENTERPRISE: {"department": "Sales", "manager": {"value": null, "$ref": "../Users/9"}}}),
            json!({"op": "remove", "path": "manager.value"}),
        ),
        (
            json!({"emails": [{"value": null, "type": "work"}, {"value": "h@x", "type": "home"}]}),
            json!({"op": "remove", "path": "emails[type eq \"work\"].value"}),
        ),
    ] {
        assert_eq!(Ok(put(changes)), patched(&operation), "{operation}");
    }
}
