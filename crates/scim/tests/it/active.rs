//! An attribute with a default always has a value: `active` of users.

use proptest::prelude::*;
use scim::error::ScimType;
use scim::resource::{Incoming, create, replace};
use scim::schema::core;
use serde_json::{Value, json};

use crate::service::{patch, patched_user, resource, service, user_type};

fn user(active: bool) -> Value {
    json!({"schemas": [core::USER_URN], "id": "1", "userName": "a", "active": active})
}

fn incoming(mut document: Value) -> Result<Incoming, scim::ScimError> {
    document["schemas"] = json!([core::USER_URN]);
    document["userName"] = "a".into();
    Incoming::from_json(document, &user_type(), &service())
}

/// Every value that the endpoint reads as unassigned (RFC 7643 section 2.5).
fn unassigned() -> Vec<Value> {
    vec![
        json!(null),
        json!(""),
        json!([]),
        json!({}),
        json!([null]),
        json!([""]),
    ]
}

#[test]
fn an_operation_that_unassigns_active_changes_nothing() {
    for active in [true, false] {
        for value in unassigned() {
            for operator in ["add", "replace", "Replace"] {
                for operation in [
                    json!({"op": operator, "path": "active", "value": value}),
                    json!({"op": operator, "path": "urn:ietf:params:scim:schemas:core:2.0:User:active", "value": value}),
                    json!({"op": operator, "value": {"active": value}}),
                    json!({"op": operator, "value": {core::USER_URN: {"ACTIVE": value}}}),
                ] {
                    let patched = patch(&user(active), json!([operation]), &user_type())
                        .expect("no change is no error");
                    assert!(!patched.changed, "{operation}");
                    assert_eq!(patched.resource["active"], active, "{operation}");
                }
            }
        }
        let removed = json!([{"op": "remove", "path": "active"}]);
        assert_eq!(patched_user(&user(active), removed), user(active));
        let removed = json!([{"op": "remove", "path": "active", "value": active}]);
        assert_eq!(patched_user(&user(active), removed), user(active));
    }
}

#[test]
fn the_rest_of_a_request_that_unassigns_active_is_applied() {
    let after = patched_user(
        &user(false),
        json!([{"op": "replace", "value": {"active": null, "displayName": "Rose"}}]),
    );
    assert_eq!(
        (&after["active"], &after["displayName"]),
        (&json!(false), &json!("Rose"))
    );
}

#[test]
fn unassigning_does_not_bring_back_the_value_before_the_request() {
    for second in [
        json!({"op": "replace", "path": "active", "value": null}),
        json!({"op": "replace", "value": {"active": ""}}),
        json!({"op": "remove", "path": "active"}),
    ] {
        let off = json!({"op": "Replace", "path": "active", "value": "False"});
        assert_eq!(patched_user(&user(true), json!([off, second])), user(false));
        let on = json!({"op": "Replace", "path": "active", "value": "True"});
        assert_eq!(patched_user(&user(false), json!([on, second])), user(true));
    }
}

#[test]
fn only_booleans_and_their_texts_are_values_of_active() {
    for value in [
        json!("perhaps"),
        json!(" "),
        json!("0"),
        json!(0),
        json!(1),
        json!(1.5),
        json!([true, false]),
        json!({"value": true}),
        json!([[true, false]]),
    ] {
        for operation in [
            json!({"op": "replace", "path": "active", "value": value}),
            json!({"op": "add", "value": {"active": value}}),
        ] {
            let error = patch(&user(false), json!([operation]), &user_type());
            let error = error.expect_err("not a boolean").scim_type;
            assert_eq!(error, Some(ScimType::InvalidValue), "{operation}");
        }
        let error = incoming(json!({"active": value})).expect_err("not a boolean");
        assert_eq!(error.scim_type, Some(ScimType::InvalidValue), "{value}");
    }
}

#[test]
fn a_new_user_is_active_unless_it_is_said_to_be_inactive() {
    let created = |document| {
        let incoming = incoming(document).expect("a user");
        create(&incoming.resource, &user_type())["active"].clone()
    };
    assert_eq!(created(json!({})), true);
    for value in unassigned() {
        assert_eq!(created(json!({"active": value})), true);
    }
    assert_eq!(created(json!({"active": "False"})), false);
    assert_eq!(created(json!({"active": true})), true);
}

#[test]
fn a_replacement_without_active_keeps_the_stored_value() {
    let replaced = |before: Value, document| {
        let incoming = incoming(document).expect("a user");
        replace(&resource(before), &incoming.resource, &user_type()).expect("replaced")["active"]
            .clone()
    };
    for active in [true, false] {
        assert_eq!(replaced(user(active), json!({})), active);
        for value in unassigned() {
            assert_eq!(replaced(user(active), json!({"active": value})), active);
        }
        assert_eq!(replaced(user(active), json!({"active": "False"})), false);
        assert_eq!(replaced(user(active), json!({"active": true})), true);
    }
    assert_eq!(
        replaced(json!({"id": "1", "userName": "a"}), json!({})),
        true
    );
}

/// A value for `active`, and the state that it leads to; none: no change.
fn value() -> impl Strategy<Value = (Value, Option<bool>)> {
    prop_oneof![
        proptest::sample::select(unassigned()).prop_map(|value| (value, None)),
        proptest::sample::select(vec![
            json!(true),
            json!("True"),
            json!("true"),
            json!([true])
        ])
        .prop_map(|value| (value, Some(true))),
        proptest::sample::select(vec![
            json!(false),
            json!("False"),
            json!("FALSE"),
            json!([false])
        ])
        .prop_map(|value| (value, Some(false))),
    ]
}

fn operation() -> impl Strategy<Value = (Value, Option<bool>)> {
    let path = proptest::sample::select(vec![
        None,
        Some("active"),
        Some("Active"),
        Some("urn:ietf:params:scim:schemas:core:2.0:User:active"),
    ]);
    let operator = proptest::sample::select(vec!["add", "Add", "replace", "REPLACE"]);
    let written = (operator, path, value()).prop_map(|(operator, path, (value, state))| {
        let operation = match path {
            None => json!({"op": operator, "value": {"active": value, "title": null}}),
            Some(path) => json!({"op": operator, "path": path, "value": value}),
        };
        (operation, state)
    });
    let others = proptest::sample::select(vec![
        json!({"op": "remove", "path": "active"}),
        json!({"op": "remove", "path": "active", "value": true}),
        json!({"op": "replace", "path": "title", "value": "x"}),
        json!({"op": "replace", "value": {"displayName": "x"}}),
        json!({"op": "remove", "path": "name"}),
    ]);
    prop_oneof![3 => written, 1 => others.prop_map(|operation| (operation, None))]
}

proptest! {
    #[test]
    fn only_an_explicit_value_changes_active(
        before in any::<bool>(),
        requests in proptest::collection::vec(proptest::collection::vec(operation(), 1..6), 1..4),
    ) {
        let mut stored = user(before);
        let mut active = before;
        for request in requests {
            let (operations, states): (Vec<Value>, Vec<Option<bool>>) = request.into_iter().unzip();
            active = states.into_iter().flatten().last().unwrap_or(active);
            let patched = patch(&stored, operations.into(), &user_type());
            stored = Value::Object(patched.map_err(|error| TestCaseError::fail(error.to_string()))?.resource);
            prop_assert_eq!(&stored["active"], &json!(active));
        }
    }
}
