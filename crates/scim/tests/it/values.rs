//! Values that do not fit their attribute, and values that are sent twice (RFC 7643
//! sections 2.3 and 2.4).

use scim::error::ScimType;
use scim::resource::Incoming;
use scim::schema::{AttributeType, core};
use serde_json::{Value, json};

use crate::service::{patch, patched_group, patched_user, service, user_type};

fn posted(changes: &Value) -> Result<Value, scim::ScimError> {
    let mut document = json!({"schemas": [core::USER_URN], "userName": "a"});
    for (name, value) in changes.as_object().expect("an object") {
        document[name] = value.clone();
    }
    let incoming = Incoming::from_json(document, &user_type(), &service())?;
    Ok(Value::Object(incoming.resource))
}

fn is_refused(changes: &Value) {
    let error = posted(changes).expect_err("refused");
    assert_eq!(error.scim_type, Some(ScimType::InvalidValue), "{changes}");
    let user = json!({"schemas": [core::USER_URN], "userName": "a"});
    for operator in ["add", "replace"] {
        let operations = json!([{"op": operator, "value": changes}]);
        let error = patch(&user, operations, &user_type()).expect_err("refused");
        assert_eq!(error.scim_type, Some(ScimType::InvalidValue), "{changes}");
    }
}

#[test]
fn a_number_or_a_boolean_is_no_complex_value() {
    let user = core::user();
    let complex =
        user.schema.attributes.iter().filter(|attribute| {
            attribute.kind == AttributeType::Complex && attribute.name != "groups"
        });
    for attribute in complex {
        for value in [json!(5), json!(1.5), json!(true), json!(false)] {
            is_refused(&json!({attribute.name.as_str(): value}));
            is_refused(&json!({attribute.name.as_str(): [value]}));
            is_refused(
                &json!({attribute.name.as_str(): [{"value": "x", "formatted": "x"}, value]}),
            );
        }
    }
    is_refused(&json!({core::ENTERPRISE_USER_URN: {"manager": 5}}));
    is_refused(&json!({core::ENTERPRISE_USER_URN: {"manager": [5]}}));
}

#[test]
fn a_number_is_text_only_where_one_text_is_expected() {
    is_refused(&json!({"title": true}));
    let numbers = json!({"title": 7, core::ENTERPRISE_USER_URN: {"employeeNumber": 4711}});
    let numbers = posted(&numbers).expect("a user");
    assert_eq!(numbers["title"], "7");
    assert_eq!(numbers[core::ENTERPRISE_USER_URN]["employeeNumber"], "4711");
    for value in [json!(7), json!(7.5), json!(true)] {
        is_refused(&json!({"emails": [{"value": value}]}));
        is_refused(&json!({"emails": [{"value": "x", "type": value}]}));
        is_refused(&json!({"photos": [{"value": value}]}));
        is_refused(&json!({"x509Certificates": [{"value": value}]}));
    }
    let text = posted(&json!({"emails": ["a@x"], "entitlements": "b"})).expect("a user");
    assert_eq!(text["emails"], json!([{"value": "a@x"}]));
    assert_eq!(text["entitlements"], json!([{"value": "b"}]));
}

#[test]
fn a_reference_is_a_uri_or_a_relative_one() {
    for value in [
        "https://example.com/a?b=c#d",
        "../Users/26118915",
        "urn:ietf:params:scim:schemas:core:2.0:User",
        "mailto:a@example.com",
        "https://example.com/%C3%A9",
        "https://example.com/\u{e9}",
        "data:image/png;base64,AAAA",
    ] {
        assert!(posted(&json!({"profileUrl": value})).is_ok(), "{value}");
        assert!(
            posted(&json!({"photos": [{"value": value}]})).is_ok(),
            "{value}"
        );
    }
    for value in [
        "not a url",
        "https://example.com/%zz",
        "https://example.com/%4",
        "https://example.com/%",
        "https://example.com/%4\u{e9}",
        "a\tb",
        "a\u{7f}b",
        "<https://example.com>",
        "{a}",
        "a|b",
        "a\\b",
        "\"a\"",
        "a^b",
        "a`b",
    ] {
        is_refused(&json!({"profileUrl": value}));
        is_refused(&json!({"photos": [{"value": value}]}));
    }
}

#[test]
fn a_binary_value_is_base64() {
    for value in [
        "",
        "AAAA",
        "AAA=",
        "AAA",
        "AA==",
        "AA",
        "+/+/",
        "AAAA\nAAAA\r\n",
    ] {
        assert!(
            posted(&json!({"x509Certificates": [{"value": value}]})).is_ok(),
            "{value:?}"
        );
    }
    for value in ["not base64!!", "A", "-_-_", "AA=A", "AAAA===", "AB"] {
        is_refused(&json!({"x509Certificates": [{"value": value}]}));
    }
}

#[test]
fn a_value_that_is_sent_twice_is_kept_once() {
    for (sent, kept) in [
        (
            json!([{"value": "a@x", "type": "work"}, {"value": "A@X", "type": "WORK"}]),
            json!([{"value": "A@X", "type": "WORK"}]),
        ),
        (
            json!(["a@x", "a@x", {"value": "a@x"}]),
            json!([{"value": "a@x"}]),
        ),
        (
            json!([{"value": "a@x", "display": "A"}, {"value": "b@x"}, {"value": "a@x", "display": "B"}]),
            json!([{"value": "a@x", "display": "B"}, {"value": "b@x"}]),
        ),
        (
            json!([{"value": "a@x", "type": "work"}, {"value": "a@x", "type": "home"}, {"value": "a@x"}]),
            json!([{"value": "a@x", "type": "work"}, {"value": "a@x", "type": "home"}, {"value": "a@x"}]),
        ),
        (
            json!([{"value": "a@x", "primary": true}, {"value": "a@x", "primary": false}]),
            json!([{"value": "a@x", "primary": true}]),
        ),
        (
            json!([{"value": "a@x", "primary": true}, {"value": "a@x", "primary": true}]),
            json!([{"value": "a@x", "primary": true}]),
        ),
    ] {
        assert_eq!(
            posted(&json!({"emails": sent})).expect("a user")["emails"],
            kept,
            "{sent}"
        );
        let user = json!({"schemas": [core::USER_URN], "userName": "a"});
        let operations = json!([{"op": "replace", "path": "emails", "value": sent}]);
        assert_eq!(patched_user(&user, operations)["emails"], kept, "{sent}");
    }
    let address = json!({"locality": "Oslo", "type": "work"});
    let other = json!({"locality": "Bergen", "type": "work"});
    let sent = json!({"addresses": [address, other, address]});
    let kept = posted(&sent).expect("a user")["addresses"].clone();
    assert_eq!(kept, json!([address, other]));
}

#[test]
fn a_patch_of_one_part_leaves_no_value_twice() {
    let user = json!({
        "schemas": [core::USER_URN],
        "userName": "a",
        "emails": [
            {"value": "a@x", "type": "work", "primary": true},
            {"value": "b@x", "type": "work"},
            {"value": "b@x", "type": "home"},
        ],
    });
    let path = "emails[type eq \"work\"].value";
    let operations = json!([{"op": "replace", "path": path, "value": "b@x"}]);
    assert_eq!(
        patched_user(&user, operations)["emails"],
        json!([
            {"value": "b@x", "type": "work", "primary": true},
            {"value": "b@x", "type": "home"},
        ])
    );
}

#[test]
fn a_list_of_members_without_a_value_empties_no_group() {
    let group = json!({
        "schemas": [core::GROUP_URN],
        "displayName": "A",
        "members": [{"value": "a"}],
    });
    let post = |members: &Value| {
        let body = json!({"schemas": [core::GROUP_URN], "displayName": "A", "members": members});
        Incoming::from_json(body, &core::group(), &service())
    };
    for members in [
        json!([{"display": "Rose"}]),
        json!([{"value": null}]),
        json!([{"value": "", "type": "User"}]),
        json!([{}]),
        json!([null]),
        json!([""]),
        json!({"display": "Rose"}),
    ] {
        let error = post(&members).expect_err("refused");
        assert_eq!(error.scim_type, Some(ScimType::InvalidValue), "{members}");
        for operator in ["add", "replace"] {
            let operations = json!([{"op": operator, "path": "members", "value": members}]);
            let error = patch(&group, operations, &core::group()).expect_err("refused");
            assert_eq!(error.scim_type, Some(ScimType::InvalidValue), "{members}");
        }
    }
    let members = json!([{"display": "Rose"}, {"value": "b"}, {"value": ""}]);
    assert_eq!(
        post(&members).expect("a group").resource["members"],
        json!([{"value": "b"}])
    );
    for members in [json!([]), json!(null)] {
        assert_eq!(
            post(&members).expect("a group").resource.get("members"),
            None
        );
        let operations = json!([{"op": "replace", "path": "members", "value": members}]);
        assert_eq!(patched_group(&group, operations).get("members"), None);
    }
}
