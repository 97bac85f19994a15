//! PATCH operations on the values of a list (RFC 7644 section 3.5.2).

use proptest::prelude::*;
use scim::error::ScimType;
use scim::schema::core;
use serde_json::{Value, json};

use crate::service::{patch, patched_group, patched_user, user_type};

fn user(emails: Value) -> Value {
    json!({"schemas": [core::USER_URN], "id": "1", "userName": "a", "active": true, "emails": emails})
}

fn emails() -> Value {
    json!([
        {"value": "w@x", "type": "work", "display": "W", "primary": true},
        {"value": "h@x", "type": "home", "display": "H"},
        {"value": "n@x"},
    ])
}

#[track_caller]
fn assert_emails(operation: Value, expected: Value) {
    let after = patched_user(&user(emails()), json!([operation.clone()]));
    assert_eq!(
        after.get("emails").cloned().unwrap_or(json!([])),
        expected,
        "{operation}"
    );
}

#[test]
fn a_part_without_a_filter_is_written_to_each_value() {
    let mut all = emails();
    for email in all.as_array_mut().expect("a list") {
        email["display"] = "D".into();
    }
    for operator in ["add", "replace"] {
        assert_emails(
            json!({"op": operator, "path": "emails.display", "value": "D"}),
            all.clone(),
        );
        let after = patched_user(
            &json!({"schemas": [core::USER_URN], "userName": "a"}),
            json!([{"op": operator, "path": "emails.value", "value": "new@x"}]),
        );
        assert_eq!(after["emails"], json!([{"value": "new@x"}]));
    }
    assert_emails(
        json!({"op": "replace", "path": "emails.value", "value": "z@x"}),
        json!([
            {"value": "z@x", "type": "work", "display": "W", "primary": true},
            {"value": "z@x", "type": "home", "display": "H"},
            {"value": "z@x"},
        ]),
    );
    assert_emails(
        json!({"op": "remove", "path": "emails.display"}),
        json!([
            {"value": "w@x", "type": "work", "primary": true},
            {"value": "h@x", "type": "home"},
            {"value": "n@x"},
        ]),
    );
    assert_emails(json!({"op": "remove", "path": "emails.value"}), json!([]));
    let nothing = json!({"schemas": [core::USER_URN], "userName": "a"});
    let removal = json!([{"op": "remove", "path": "emails.value"}]);
    assert_eq!(patched_user(&nothing, removal), nothing);
}

#[test]
fn listed_values_are_removed_by_everything_that_they_say() {
    let (w, h, n) = (
        emails()[0].clone(),
        emails()[1].clone(),
        emails()[2].clone(),
    );
    for (listed, left) in [
        (json!([{"value": "h@x"}]), json!([w, n])),
        (json!([{"value": "H@X"}]), json!([w, n])),
        (json!({"value": "h@x"}), json!([w, n])),
        (json!(["h@x", "n@x"]), json!([w])),
        (json!("h@x"), json!([w, n])),
        (json!([{"value": "h@x", "type": "HOME"}]), json!([w, n])),
        (json!([{"value": "h@x", "type": "work"}]), json!([w, h, n])),
        (json!([{"value": "n@x", "type": "work"}]), json!([w, h])),
        (json!([{"type": "work"}]), json!([h, n])),
        (json!([{"display": "h"}]), json!([w, n])),
        (json!([{"display": "other"}]), json!([w, h, n])),
        (json!([{"display": "H", "type": "work"}]), json!([w, h, n])),
        (json!([{"value": "h@x", "display": "other"}]), json!([w, n])),
        (json!([{"primary": true}]), json!([h, n])),
        (json!([{"value": "w@x", "primary": false}]), json!([h, n])),
        (json!([{"value": "other@x"}]), json!([w, h, n])),
        (json!([]), json!([w, h, n])),
        (json!([{}]), json!([w, h, n])),
        (json!(null), json!([])),
    ] {
        assert_emails(
            json!({"op": "remove", "path": "emails", "value": listed}),
            left,
        );
    }
}

#[test]
fn simple_values_are_added_and_removed_by_their_text() {
    let user_type = core::user().extended_by(scim::schema::Schema {
        id: "urn:example:2.0:Tags".to_owned(),
        name: "Tags".to_owned(),
        description: "Tags".to_owned(),
        attributes: vec![scim::schema::Attribute::string("tags").multi_valued()],
        unsupported: Vec::new(),
    });
    let urn = "urn:example:2.0:Tags";
    let before =
        json!({"schemas": [core::USER_URN, urn], "userName": "a", urn: {"tags": ["Red", "blue"]}});
    for (operation, left) in [
        (
            json!({"op": "remove", "path": "tags", "value": ["red"]}),
            json!(["blue"]),
        ),
        (
            json!({"op": "remove", "path": "tags", "value": "BLUE"}),
            json!(["Red"]),
        ),
        (
            json!({"op": "remove", "path": "tags", "value": ["green"]}),
            json!(["Red", "blue"]),
        ),
        (
            json!({"op": "remove", "path": "tags[value eq \"red\"]"}),
            json!(["blue"]),
        ),
        (
            json!({"op": "add", "path": "tags", "value": ["red"]}),
            json!(["Red", "blue"]),
        ),
        (
            json!({"op": "add", "path": "tags", "value": ["green", "green"]}),
            json!(["Red", "blue", "green"]),
        ),
        (
            json!({"op": "replace", "path": "tags[value eq \"red\"]", "value": "pink"}),
            json!(["pink", "blue"]),
        ),
        (
            json!({"op": "add", "path": "tags[value eq \"red\"]", "value": "pink"}),
            json!(["Red", "blue"]),
        ),
        (
            json!({"op": "replace", "path": "tags", "value": "x"}),
            json!(["x"]),
        ),
    ] {
        let after = patch(&before, json!([operation]), &user_type).expect("accepted");
        assert_eq!(after.resource[urn]["tags"], left, "{operation}");
    }
}

#[test]
fn an_added_value_completes_an_equal_one() {
    let (w, h, n) = (
        emails()[0].clone(),
        emails()[1].clone(),
        emails()[2].clone(),
    );
    for (added, expected) in [
        (
            json!([{"value": "h@x", "display": "new"}]),
            json!([w, {"value": "h@x", "type": "home", "display": "new"}, n]),
        ),
        (
            json!([{"value": "n@x", "type": "other"}]),
            json!([w, h, {"value": "n@x", "type": "other"}]),
        ),
        (
            json!([{"value": "h@x", "type": "work"}]),
            json!([w, h, n, {"value": "h@x", "type": "work"}]),
        ),
        (
            json!([{"value": "H@X", "type": "Home"}]),
            json!([w, {"value": "H@X", "type": "Home", "display": "H"}, n]),
        ),
        (
            json!([{"type": "work"}]),
            json!([w, h, n, {"type": "work"}]),
        ),
    ] {
        assert_emails(
            json!({"op": "add", "path": "emails", "value": added}),
            expected,
        );
    }
    let address = json!({"locality": "Oslo", "type": "work"});
    let before = json!({"schemas": [core::USER_URN], "userName": "a", "addresses": [address]});
    for (added, count) in [
        (json!([address]), 1),
        (json!([{"locality": "OSLO", "type": "Work"}]), 1),
        (json!([{"locality": "Oslo"}]), 2),
        (json!([{"locality": "Bergen", "type": "work"}]), 2),
    ] {
        let after = patched_user(
            &before,
            json!([{"op": "add", "path": "addresses", "value": added}]),
        );
        assert_eq!(
            after["addresses"].as_array().map(Vec::len),
            Some(count),
            "{added}"
        );
    }
}

#[test]
fn one_value_at_most_is_primary() {
    let primaries = |before: Value, operation: Value| -> Result<Vec<bool>, scim::ScimError> {
        let after = patch(&user(before), json!([operation]), &user_type())?;
        let emails = after.resource["emails"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        Ok(emails
            .iter()
            .map(|email| email["primary"] == true)
            .collect())
    };
    let first = json!([{"value": "a", "primary": true}, {"value": "b"}]);
    let both =
        json!([{"value": "a", "primary": true}, {"value": "b", "primary": true}, {"value": "c"}]);
    let set = |value: &str| json!({"op": "replace", "path": format!("emails[value eq \"{value}\"].primary"), "value": true});
    assert_eq!(primaries(first.clone(), set("b")), Ok(vec![false, true]));
    assert_eq!(primaries(first.clone(), set("a")), Ok(vec![true, false]));
    // Two that were stored as primary: the first stays.
    let display = json!({"op": "replace", "path": "emails[value eq \"c\"].display", "value": "C"});
    assert_eq!(
        primaries(both.clone(), display),
        Ok(vec![true, false, false])
    );
    assert_eq!(
        primaries(both.clone(), set("c")),
        Ok(vec![false, false, true])
    );
    let all = json!({"op": "replace", "path": "emails.primary", "value": true});
    let error = primaries(json!([{"value": "a"}, {"value": "b"}]), all).expect_err("refused");
    assert_eq!(error.scim_type, Some(ScimType::InvalidValue));
    let added = json!({"op": "add", "path": "emails", "value": [{"value": "c", "primary": true}, {"value": "d", "primary": true}]});
    let error = primaries(first.clone(), added).expect_err("refused");
    assert_eq!(error.scim_type, Some(ScimType::InvalidValue));
    let off = json!({"op": "replace", "path": "emails.primary", "value": false});
    assert_eq!(primaries(both, off), Ok(vec![false, false, false]));
    let removed = json!({"op": "remove", "path": "emails[primary eq true]"});
    assert_eq!(primaries(first, removed), Ok(vec![false]));
}

#[test]
fn replace_creates_a_value_only_of_a_type_that_the_schema_suggests() {
    let empty = json!({"schemas": [core::USER_URN], "userName": "a"});
    let patched = |operator: &str, path: &str, value: Value| {
        patch(
            &empty,
            json!([{"op": operator, "path": path, "value": value}]),
            &user_type(),
        )
        .map(|patched| Value::Object(patched.resource))
    };
    for (path, created) in [
        (
            "emails[type eq \"work\"].value",
            json!({"emails": [{"type": "work", "value": "x"}]}),
        ),
        (
            "emails[type eq \"Other\"].value",
            json!({"emails": [{"type": "Other", "value": "x"}]}),
        ),
        (
            "phoneNumbers[type eq \"mobile\"].value",
            json!({"phoneNumbers": [{"type": "mobile", "value": "x"}]}),
        ),
        (
            "phoneNumbers[type eq \"fax\"].value",
            json!({"phoneNumbers": [{"type": "fax", "value": "x"}]}),
        ),
        (
            "roles[primary eq \"True\"].value",
            json!({"roles": [{"primary": true, "value": "x"}]}),
        ),
        (
            "roles[type eq \"any\"].value",
            json!({"roles": [{"type": "any", "value": "x"}]}),
        ),
        (
            "roles[type eq \"any\" and primary eq true].value",
            json!({"roles": [{"type": "any", "primary": true, "value": "x"}]}),
        ),
        (
            "addresses[type eq \"work\"].locality",
            json!({"addresses": [{"type": "work", "locality": "x"}]}),
        ),
    ] {
        for operator in ["add", "replace"] {
            let after = patched(operator, path, json!("x")).expect(path);
            for (name, expected) in created.as_object().expect("an object") {
                assert_eq!(&after[name], expected, "{operator} {path}");
            }
        }
    }
    for path in [
        "emails[type eq \"nonexistent\"].value",
        "emails[type eq \"work\" and type eq \"nonexistent\"].value",
        "emails[primary eq false].value",
        "addresses[type eq \"nonexistent\"].locality",
        "phoneNumbers[type eq \"Mobil\"].value",
    ] {
        let error = patched("replace", path, json!("x")).expect_err(path);
        assert_eq!(error.scim_type, Some(ScimType::NoTarget), "{path}");
        assert!(patched("add", path, json!("x")).is_ok(), "{path}");
    }
    for path in [
        "emails[value eq \"x\"].display",
        "emails[type ne \"work\"].value",
        "emails[type eq \"work\" or type eq \"home\"].value",
        "emails[type pr].value",
        "emails[type eq null].value",
        "emails[not (type eq \"work\")].value",
        "emails[unknown eq \"work\"].value",
    ] {
        for operator in ["add", "replace"] {
            let error = patched(operator, path, json!("x")).expect_err(path);
            assert_eq!(error.scim_type, Some(ScimType::NoTarget), "{path}");
        }
    }
    let unassigned = patched("replace", "emails[type eq \"work\"].value", json!(null));
    assert_eq!(unassigned, Ok(empty.clone()));
    let removed = patched(
        "remove",
        "emails[type eq \"nonexistent\"].value",
        json!(null),
    );
    assert_eq!(removed, Ok(empty.clone()));
}

#[test]
fn matching_values_are_replaced_completed_or_removed_as_a_whole() {
    let (w, h, n) = (
        emails()[0].clone(),
        emails()[1].clone(),
        emails()[2].clone(),
    );
    let work = "emails[type eq \"work\"]";
    assert_emails(
        json!({"op": "replace", "path": work, "value": {"value": "z@x"}}),
        json!([{"value": "z@x"}, h, n]),
    );
    assert_emails(
        json!({"op": "replace", "path": work, "value": [{"value": "z@x"}]}),
        json!([{"value": "z@x"}, h, n]),
    );
    assert_emails(
        json!({"op": "add", "path": work, "value": {"display": "Z"}}),
        json!([{"value": "w@x", "type": "work", "display": "Z", "primary": true}, h, n]),
    );
    assert_emails(
        json!({"op": "replace", "path": work, "value": null}),
        json!([h, n]),
    );
    assert_emails(
        json!({"op": "replace", "path": work, "value": []}),
        json!([h, n]),
    );
    let two =
        json!([{"op": "replace", "path": work, "value": [{"value": "y@x"}, {"value": "z@x"}]}]);
    let error = patch(&user(emails()), two, &user_type()).expect_err("refused");
    assert_eq!(error.scim_type, Some(ScimType::InvalidValue));
    assert_emails(json!({"op": "remove", "path": work}), json!([h, n]));
    assert_emails(
        json!({"op": "remove", "path": "emails[type eq \"other\"]"}),
        json!([w, h, n]),
    );
    assert_emails(
        json!({"op": "add", "path": "emails[type eq \"other\"]", "value": {"value": "o@x"}}),
        json!([w, h, n, {"type": "other", "value": "o@x"}]),
    );
    for (path, value) in [
        ("emails[type eq \"other\"]", json!({"value": "o@x"})),
        ("emails[value eq \"o@x\"]", json!({"value": "o@x"})),
    ] {
        let operation = json!([{"op": "replace", "path": path, "value": value}]);
        let error = patch(&user(emails()), operation, &user_type()).expect_err("refused");
        assert_eq!(error.scim_type, Some(ScimType::NoTarget), "{path}");
    }
    let nothing = json!([{"op": "add", "path": "emails[type eq \"other\"]", "value": null}]);
    let error = patch(&user(emails()), nothing, &user_type()).expect_err("refused");
    assert_eq!(error.scim_type, Some(ScimType::NoTarget));
}

proptest! {
    #[test]
    fn long_lists_are_merged_as_short_ones(values in proptest::collection::vec("[a-c]{1,2}", 0..30)) {
        let added: Value = values.iter().map(|value| json!({"value": value})).collect();
        let mut expected: Vec<Value> = Vec::new();
        for value in &values {
            let value = json!({"value": value});
            if !expected.contains(&value) {
                expected.push(value);
            }
        }
        let empty = json!({"schemas": [core::USER_URN], "userName": "a"});
        let after = patched_user(&empty, json!([{"op": "add", "path": "emails", "value": added}]));
        prop_assert_eq!(after["emails"].as_array().cloned().unwrap_or_default(), expected.clone());
        let removed = json!([{"op": "remove", "path": "emails", "value": added}]);
        let left = patched_user(&after, removed);
        prop_assert_eq!(left.get("emails"), None);
    }
}

#[test]
fn each_of_many_operations_on_one_list_is_applied() {
    let operations = |operator: &str| -> Value {
        (0..300)
            .map(|number| match operator {
                "add" => json!({"op": "add", "path": "members", "value": [{"value": number.to_string()}]}),
                "display" => json!({"op": "replace", "path": format!("members[value eq \"{number}\"].display"), "value": "D"}),
                "listed" => json!({"op": "remove", "path": "members", "value": [{"value": number.to_string()}]}),
                _ => json!({"op": "remove", "path": format!("members[value eq \"{number}\"]")}),
            })
            .collect()
    };
    let empty = json!({"schemas": [core::GROUP_URN], "id": "g", "displayName": "A"});
    let full = patched_group(&empty, operations("add"));
    assert_eq!(full["members"].as_array().map(Vec::len), Some(300));
    let named = patched_group(&full, operations("display"));
    assert!(
        named["members"]
            .as_array()
            .expect("members")
            .iter()
            .all(|member| member["display"] == "D")
    );
    assert_eq!(patched_group(&full, operations("listed")), empty);
    assert_eq!(patched_group(&full, operations("filtered")), empty);
}
