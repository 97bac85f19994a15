//! `attributes` and `excludedAttributes` (RFC 7644 section 3.9).

use scim::projection::Projection;
use scim::protocol::parse_query;
use scim::schema::{Returned, core};
use serde_json::{Value, json};

use crate::service::{resource, user_type};

fn shown(query: &str) -> Value {
    let user = json!({
        "schemas": [core::USER_URN],
        "id": "1",
        "userName": "a",
        "title": "x",
        "name": {"givenName": "A", "familyName": "B"},
        "emails": [{"value": "a@example.com", "type": "work"}, {"value": "b@example.com"}],
        "meta": {"version": "W/\"1\""},
        core::ENTERPRISE_USER_URN: {"department": "Sales", "costCenter": "1"},
    });
    let projection = Projection::from_query(&parse_query(query)).expect("a projection");
    Value::Object(projection.apply(resource(user), &user_type()))
}

fn names(shown: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = shown
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect();
    names.retain(|name| !["schemas", "id", "meta"].contains(name));
    names.sort_unstable();
    names
}

#[test]
fn what_is_always_returned_is_always_there() {
    for query in [
        "attributes=title",
        "attributes=unknown",
        "excludedAttributes=id,meta,schemas",
    ] {
        let shown = shown(query);
        assert_eq!(
            (&shown["id"], &shown["meta"]),
            (&json!("1"), &json!({"version": "W/\"1\""})),
            "{query}"
        );
        assert_eq!(shown["schemas"], json!([core::USER_URN]), "{query}");
    }
}

#[test]
fn attributes_limits_the_answer() {
    let department = format!("attributes={}:department", core::ENTERPRISE_USER_URN);
    let extension = format!("attributes={}", core::ENTERPRISE_USER_URN);
    for (query, expected) in [
        ("attributes=USERNAME", vec!["userName"]),
        (
            "attributes=userName,name.givenName",
            vec!["name", "userName"],
        ),
        (
            "attributes=urn:ietf:params:scim:schemas:core:2.0:User:title",
            vec!["title"],
        ),
        (department.as_str(), vec![core::ENTERPRISE_USER_URN]),
        (extension.as_str(), vec![core::ENTERPRISE_USER_URN]),
        ("attributes=unknown", vec![]),
        (
            "attributes=userName&excludedAttributes=userName",
            vec!["userName"],
        ),
    ] {
        assert_eq!(names(&shown(query)), expected, "{query}");
    }
    assert_eq!(
        shown("attributes=name.givenName")["name"],
        json!({"givenName": "A"})
    );
    assert_eq!(
        shown("attributes=emails.type")["emails"],
        json!([{"type": "work"}])
    );
    assert_eq!(
        shown(&department)[core::ENTERPRISE_USER_URN],
        json!({"department": "Sales"})
    );
}

#[test]
fn excluded_attributes_shrinks_the_answer() {
    assert_eq!(
        names(&shown(&format!(
            "excludedAttributes=emails,{}",
            core::ENTERPRISE_USER_URN
        ))),
        ["name", "title", "userName"]
    );
    assert_eq!(
        shown("excludedAttributes=name.givenName")["name"],
        json!({"familyName": "B"})
    );
    assert_eq!(
        names(&shown("excludedAttributes=unknown")),
        names(&shown(""))
    );
}

#[test]
fn never_and_request_are_honoured() {
    let mut user_type = user_type();
    user_type
        .schema
        .attribute_mut("title")
        .expect("known")
        .returned = Returned::Request;
    let user = resource(json!({"id": "1", "password": "x", "title": "t"}));
    let shown = |query: &str| {
        Projection::from_query(&parse_query(query))
            .expect("a projection")
            .apply(user.clone(), &user_type)
    };
    assert_eq!(shown("").get("title"), None);
    assert_eq!(shown("attributes=title")["title"], "t");
    for query in ["", "attributes=password", "excludedAttributes=title"] {
        assert_eq!(shown(query).get("password"), None);
    }
}

#[test]
fn parts_of_an_attribute_are_returned_by_their_own_rule() {
    let mut user_type = user_type();
    let emails = user_type.schema.attribute_mut("emails").expect("emails");
    for part in &mut emails.sub_attributes {
        part.returned = match part.name.as_str() {
            "value" => Returned::Always,
            "display" => Returned::Request,
            "primary" => Returned::Never,
            _ => Returned::Default,
        };
    }
    let user = resource(json!({
        "schemas": [core::USER_URN],
        "id": "1",
        "emails": [{"value": "a", "display": "A", "type": "work", "primary": true}, {"display": "B"}],
    }));
    for (query, shown) in [
        ("", json!([{"value": "a", "type": "work"}])),
        ("attributes=emails", json!([{"value": "a", "type": "work"}])),
        (
            "attributes=emails.type",
            json!([{"value": "a", "type": "work"}]),
        ),
        (
            "attributes=emails.display",
            json!([{"value": "a", "display": "A"}, {"display": "B"}]),
        ),
        ("attributes=emails.primary", json!([{"value": "a"}])),
        ("excludedAttributes=emails.type", json!([{"value": "a"}])),
        (
            "excludedAttributes=emails.value",
            json!([{"value": "a", "type": "work"}]),
        ),
        (
            "excludedAttributes=emails.value,emails.type",
            json!([{"value": "a"}]),
        ),
        ("excludedAttributes=emails", Value::Null),
        ("attributes=userName", Value::Null),
    ] {
        let projection = Projection::from_query(&parse_query(query)).expect("a projection");
        let after = projection.apply(user.clone(), &user_type);
        assert_eq!(
            after.get("emails").cloned().unwrap_or_default(),
            shown,
            "{query}"
        );
    }
}

#[test]
fn a_store_is_told_what_nobody_will_see() {
    let user_type = user_type();
    for (query, name, is_included) in [
        ("", "emails", true),
        ("", "password", false),
        ("", "unknown", false),
        ("excludedAttributes=emails", "emails", false),
        ("excludedAttributes=emails.type", "emails", true),
        ("excludedAttributes=id", "id", true),
        ("attributes=emails", "EMAILS", true),
        ("attributes=emails.type", "emails", true),
        ("attributes=userName", "emails", false),
        ("attributes=password", "password", false),
        (
            "attributes=urn:ietf:params:scim:schemas:core:2.0:User:emails",
            "emails",
            true,
        ),
        (
            "attributes=urn:ietf:params:scim:schemas:core:2.0:User",
            "emails",
            true,
        ),
        (
            "attributes=urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            "emails",
            false,
        ),
    ] {
        let projection = Projection::from_query(&parse_query(query)).expect("a projection");
        assert_eq!(
            projection.includes(name, &user_type),
            is_included,
            "{query} {name}"
        );
    }
}
