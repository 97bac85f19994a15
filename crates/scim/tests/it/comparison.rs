//! The cases by which `README.md` compares this crate with others.

use scim::filter::Filter;
use scim::patch::PatchRequest;
use scim::schema::core;
use serde_json::{Value, json};

const GRAMMAR: &[&str] = &[
    r#"userName eq "bjensen@example.com""#,
    r#"name.familyName co "O'Malley""#,
    r#"userName sw "J""#,
    r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J""#,
    "title pr",
    r#"meta.lastModified gt "2011-05-13T04:42:34Z""#,
    r#"meta.lastModified ge "2011-05-13T04:42:34Z""#,
    r#"meta.lastModified lt "2011-05-13T04:42:34Z""#,
    r#"meta.lastModified le "2011-05-13T04:42:34Z""#,
    r#"title pr and userType eq "Employee""#,
    r#"title pr or userType eq "Intern""#,
    r#"schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User""#,
    r#"userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")"#,
    r#"userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")"#,
    r#"userType eq "Employee" and (emails.type eq "work")"#,
    r#"userType eq "Employee" and emails[type eq "work" and value co "@example.com"]"#,
    r#"emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]"#,
    r#"USERNAME EQ "x""#,
    "title PR AND active EQ true",
    "active eq false",
    "nickName eq null",
    "count eq -5",
    "ratio ge 1.5e3",
    r#"title eq "a \"quoted\" \\ \u00e9""#,
    r#"title ew """#,
    r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "1""#,
    r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "a""#,
    r#"not (not (title pr))"#,
    r#"((title pr))"#,
    r#"emails[not (type eq "work")]"#,
    r#"emails[(type eq "work" or type eq "home") and value pr]"#,
    r#"a_b-c eq "x""#,
    r#"title pr and not (a pr) or b pr and c pr"#,
];

const NO_FILTERS: &[&str] = &[
    "",
    "userName",
    "userName eq",
    "userName equals \"x\"",
    "eq \"x\"",
    "userName eq \"x",
    "userName eq \"x\" and",
    "userName eq \"x\" userName eq \"y\"",
    "(userName pr",
    "userName pr)",
    "emails[type eq \"work\"",
    "emails[]",
    "user name pr",
    "userName..x pr",
    "emails[addresses[type eq \"work\"]]",
    "1abc pr",
];

const BEYOND_THE_GRAMMAR: &[&str] = &[
    r#"members[$ref eq "x"]"#,
    "userName sw O",
    "meta.Created gt 2015-10-10T14:38:21.8617979-07:00",
    "emails[type eq \"work\"].value eq \"x\"",
    "not title pr",
    "roles[primary eq \"True\"]",
];

#[test]
fn filters_of_the_grammar_and_of_clients_are_accepted() {
    for filter in GRAMMAR.iter().chain(BEYOND_THE_GRAMMAR) {
        assert!(filter.parse::<Filter>().is_ok(), "{filter}");
    }
    assert_eq!((GRAMMAR.len(), BEYOND_THE_GRAMMAR.len()), (33, 6));
}

#[test]
fn malformed_filters_are_refused() {
    for filter in NO_FILTERS {
        assert!(filter.parse::<Filter>().is_err(), "{filter}");
    }
    assert_eq!(NO_FILTERS.len(), 16);
}

#[test]
fn patch_operations_are_applied_or_refused() {
    let cases = patch_cases();
    assert_eq!(cases.len(), 33);
    for PatchCase {
        name,
        before,
        operation,
        expected,
    } in cases
    {
        let resource_type = if before.get("displayName").is_some() {
            core::group()
        } else {
            core::user()
        };
        let after = PatchRequest::from_json(json!({"Operations": [operation]}))
            .and_then(|patch| patch.apply(before.as_object().expect("an object"), &resource_type))
            .map(|patched| Value::Object(patched.resource));
        assert_eq!(
            after.ok().map(without_schemas),
            expected.map(without_schemas),
            "{name}"
        );
    }
}

fn without_schemas(mut resource: Value) -> Value {
    resource
        .as_object_mut()
        .map(|members| members.remove("schemas"));
    resource
}

/// One operation on a resource, and the resource afterwards; none if it is refused.
struct PatchCase {
    name: &'static str,
    before: Value,
    operation: Value,
    expected: Option<Value>,
}

fn user() -> Value {
    json!({
        "schemas": [core::USER_URN],
        "id": "1",
        "userName": "a",
        "active": true,
        "name": {"givenName": "A", "familyName": "B"},
        "emails": [{"value": "w@x", "type": "work", "primary": true}, {"value": "h@x", "type": "home"}],
    })
}

fn group() -> Value {
    json!({
        "schemas": [core::GROUP_URN],
        "id": "g",
        "displayName": "G",
        "members": [{"value": "a"}, {"value": "b"}],
    })
}

/// The resource with other values of some attributes; null removes one.
fn with(mut resource: Value, changes: Value) -> Option<Value> {
    let members = resource.as_object_mut()?;
    for (name, value) in changes.as_object()? {
        if value.is_null() {
            members.remove(name)
        } else {
            members.insert(name.clone(), value.clone())
        };
    }
    Some(resource)
}

fn patch_cases() -> Vec<PatchCase> {
    let on_user = |name, operation, changes: Option<Value>| PatchCase {
        name,
        before: user(),
        operation,
        expected: changes.and_then(|changes| with(user(), changes)),
    };
    let on_group = |name, operation, changes: Option<Value>| PatchCase {
        name,
        before: group(),
        operation,
        expected: changes.and_then(|changes| with(group(), changes)),
    };
    let (work, home) = (user()["emails"][0].clone(), user()["emails"][1].clone());
    let z_b = json!({"givenName": "z", "familyName": "B"});
    let urn = core::ENTERPRISE_USER_URN;
    let core_user_name = format!("{}:userName", core::USER_URN);
    let department = format!("{urn}:department");
    vec![
        on_user(
            "replace simple",
            json!({"op":"replace","path":"userName","value":"z"}),
            Some(json!({"userName": "z"})),
        ),
        on_user(
            "op in any case",
            json!({"op":"Replace","path":"userName","value":"z"}),
            Some(json!({"userName": "z"})),
        ),
        on_user(
            "attribute in any case",
            json!({"op":"replace","path":"USERNAME","value":"z"}),
            Some(json!({"userName": "z"})),
        ),
        on_user(
            "add simple",
            json!({"op":"add","path":"title","value":"t"}),
            Some(json!({"title": "t"})),
        ),
        on_user(
            "remove simple",
            json!({"op":"remove","path":"name"}),
            Some(json!({"name": null})),
        ),
        on_user(
            "replace sub-attribute",
            json!({"op":"replace","path":"name.givenName","value":"z"}),
            Some(json!({"name": z_b})),
        ),
        on_user(
            "remove sub-attribute",
            json!({"op":"remove","path":"name.givenName"}),
            Some(json!({"name": {"familyName": "B"}})),
        ),
        on_user(
            "replace complex merges",
            json!({"op":"replace","path":"name","value":{"givenName":"z"}}),
            Some(json!({"name": z_b})),
        ),
        on_user(
            "path-less",
            json!({"op":"replace","value":{"active":false}}),
            Some(json!({"active": false})),
        ),
        on_user(
            "path-less complex merges",
            json!({"op":"replace","value":{"name":{"givenName":"z"}}}),
            Some(json!({"name": z_b})),
        ),
        on_user(
            "path-less dotted key",
            json!({"op":"replace","value":{"name.givenName":"z"}}),
            Some(json!({"name": z_b})),
        ),
        on_user(
            "path-less ignores id",
            json!({"op":"replace","value":{"id":"9","active":false}}),
            Some(json!({"active": false})),
        ),
        on_user(
            "boolean as text",
            json!({"op":"replace","path":"active","value":"False"}),
            Some(json!({"active": false})),
        ),
        on_user(
            "core URN path",
            json!({"op":"replace","path":core_user_name,"value":"z"}),
            Some(json!({"userName": "z"})),
        ),
        on_user(
            "extension URN path",
            json!({"op":"add","path":department,"value":"d"}),
            Some(json!({urn: {"department": "d"}})),
        ),
        on_user(
            "add to array",
            json!({"op":"add","path":"emails","value":[{"value":"n@x"}]}),
            Some(json!({"emails": [work, home, {"value": "n@x"}]})),
        ),
        on_user(
            "add present value",
            json!({"op":"add","path":"emails","value":[home]}),
            Some(json!({})),
        ),
        on_user(
            "add new primary",
            json!({"op":"add","path":"emails","value":[{"value":"n@x","primary":true}]}),
            Some(
                json!({"emails": [{"value": "w@x", "type": "work", "primary": false}, home, {"value": "n@x", "primary": true}]}),
            ),
        ),
        on_user(
            "replace by value path",
            json!({"op":"replace","path":"emails[type eq \"work\"].value","value":"z@x"}),
            Some(json!({"emails": [{"value": "z@x", "type": "work", "primary": true}, home]})),
        ),
        on_user(
            "create by value path",
            json!({"op":"replace","path":"phoneNumbers[type eq \"mobile\"].value","value":"1"}),
            Some(json!({"phoneNumbers": [{"type": "mobile", "value": "1"}]})),
        ),
        on_user(
            "remove by value path",
            json!({"op":"remove","path":"emails[type eq \"work\"]"}),
            Some(json!({"emails": [home]})),
        ),
        on_user(
            "remove array",
            json!({"op":"remove","path":"emails"}),
            Some(json!({"emails": null})),
        ),
        on_user(
            "replace with null",
            json!({"op":"replace","path":"emails","value":null}),
            Some(json!({"emails": null})),
        ),
        on_group(
            "add member",
            json!({"op":"add","path":"members","value":[{"value":"c"}]}),
            Some(json!({"members": [{"value": "a"}, {"value": "b"}, {"value": "c"}]})),
        ),
        on_group(
            "remove member by path",
            json!({"op":"remove","path":"members[value eq \"a\"]"}),
            Some(json!({"members": [{"value": "b"}]})),
        ),
        on_group(
            "remove members by list",
            json!({"op":"Remove","path":"members","value":[{"value":"a"}]}),
            Some(json!({"members": [{"value": "b"}]})),
        ),
        on_user(
            "read-only path",
            json!({"op":"replace","path":"id","value":"9"}),
            None,
        ),
        on_user(
            "removal of a required attribute",
            json!({"op":"remove","path":"userName"}),
            None,
        ),
        on_user(
            "no target",
            json!({"op":"replace","path":"emails[value eq \"none\"].display","value":"x"}),
            None,
        ),
        on_user(
            "malformed path",
            json!({"op":"replace","path":"emails[type eq","value":"x"}),
            None,
        ),
        on_user(
            "unknown path",
            json!({"op":"replace","path":"unknown","value":"x"}),
            None,
        ),
        on_user(
            "wrong type",
            json!({"op":"replace","path":"active","value":"perhaps"}),
            None,
        ),
        on_user("remove without path", json!({"op":"remove"}), None),
    ]
}
