//! `/Schemas` and `/ServiceProviderConfig` describe the responses of the endpoint.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::common::{AMAZON_CONNECT, ENTERPRISE, Endpoint, group, user};

/// Attributes of every resource, which no schema has to announce (RFC 7643 section 3.1).
const COMMON: [&str; 4] = ["schemas", "id", "externalId", "meta"];

async fn schemas(endpoint: &Endpoint) -> Vec<Value> {
    let schemas = endpoint.get("/Schemas").await.expect(200);
    schemas.body["Resources"].as_array().unwrap().clone()
}

fn attributes<'a>(schemas: &'a [Value], id: &str) -> &'a [Value] {
    let schema = schemas.iter().find(|schema| schema["id"] == id);
    let schema = schema.unwrap_or_else(|| panic!("{id} is not announced"));
    schema["attributes"].as_array().unwrap()
}

fn sub_attributes(attribute: &Value) -> &[Value] {
    attribute["subAttributes"]
        .as_array()
        .map_or(&[], Vec::as_slice)
}

/// A value that fits an announced attribute; `None` if clients cannot write it.
fn sample(attribute: &Value) -> Option<Value> {
    if attribute["mutability"] == "readOnly" {
        return None;
    }
    let name = attribute["name"].as_str().unwrap();
    let one = match attribute["type"].as_str().unwrap() {
        "complex" => json!(samples(sub_attributes(attribute))),
        "boolean" => json!(true),
        "integer" | "decimal" => json!(3),
        "binary" => json!("AAEC"),
        "reference" => json!("https://example.com/ada"),
        "dateTime" => json!("2026-01-01T00:00:00Z"),
        "string" => match attribute["canonicalValues"].get(0) {
            Some(value) => value.clone(),
            None => json!(format!("{name} 1")),
        },
        other => panic!("{name} has the type {other}"),
    };
    let is_list = attribute["multiValued"] == true;
    Some(if is_list { json!([one]) } else { one })
}

fn samples(attributes: &[Value]) -> Map<String, Value> {
    let samples = attributes.iter().filter_map(|attribute| {
        let name = attribute["name"].as_str().unwrap().to_owned();
        Some((name, sample(attribute)?))
    });
    samples.collect()
}

/// A user with a value of each attribute that clients can write.
fn whole_user(schemas: &[Value], types: &Value) -> Value {
    let types = types["Resources"].as_array().unwrap();
    let users = types.iter().find(|kind| kind["id"] == "User").unwrap();
    let id = users["schema"].as_str().unwrap();
    let mut user = samples(attributes(schemas, id));
    let mut ids = vec![id];
    for extension in users["schemaExtensions"].as_array().unwrap() {
        let id = extension["schema"].as_str().unwrap();
        ids.push(id);
        user.insert(id.to_owned(), json!(samples(attributes(schemas, id))));
    }
    user.insert("schemas".to_owned(), json!(ids));
    let mut user = Value::Object(user);
    // Values with rules of their own.
    user["userName"] = json!("ada");
    user["externalId"] = json!("00u1");
    user["password"] = json!("Ada-1815-Lovelace");
    user["emails"][0]["value"] = json!("ada@example.com");
    user["phoneNumbers"][0]["value"] = json!("+49301234567");
    let skill = &mut user[AMAZON_CONNECT]["proficiencies"][0];
    skill["attributeName"] = json!("Skill");
    skill["attributeValue"] = json!("Billing");
    user
}

/// Checks each value against its announcement, and notes the announced paths that have one.
fn check(value: &Value, attributes: &[Value], path: &str, seen: &mut BTreeSet<String>) {
    for (name, value) in value.as_object().unwrap() {
        let path = format!("{path}{name}");
        let attribute = attributes
            .iter()
            .find(|attribute| attribute["name"] == *name);
        let attribute = attribute.unwrap_or_else(|| panic!("{path} is not announced"));
        let is_list = attribute["multiValued"] == true;
        assert_eq!(value.is_array(), is_list, "{path}: {value}");
        let one = std::slice::from_ref(value);
        for value in value.as_array().map_or(one, Vec::as_slice) {
            let fits = match attribute["type"].as_str().unwrap() {
                "complex" => value.is_object(),
                "boolean" => value.is_boolean(),
                "integer" => value.is_i64(),
                "decimal" => value.is_number(),
                _ => value.is_string(),
            };
            assert!(fits, "{path}: {value} is not a {}", attribute["type"]);
            if value.is_object() {
                check(value, sub_attributes(attribute), &format!("{path}."), seen);
            }
        }
        seen.insert(path);
    }
}

/// The paths of the attributes that responses can have.
fn readable(attributes: &[Value], path: &str, found: &mut BTreeSet<String>) {
    for attribute in attributes {
        if attribute["returned"] == "never" {
            continue;
        }
        let path = format!("{path}{}", attribute["name"].as_str().unwrap());
        readable(sub_attributes(attribute), &format!("{path}."), found);
        found.insert(path);
    }
}

/// Checks a resource against its schemas: each value is announced, and each announced
/// attribute has a value.
fn check_whole(resource: &Value, schemas: &[Value], id: &str) {
    let mut core = resource.as_object().unwrap().clone();
    core.retain(|name, _| !COMMON.contains(&name.as_str()));
    let mut parts = vec![(id.to_owned(), Value::Null)];
    for name in resource["schemas"].as_array().unwrap() {
        let name = name.as_str().unwrap();
        if let Some(extension) = core.remove(name) {
            parts.push((name.to_owned(), extension));
        }
    }
    parts[0].1 = Value::Object(core);
    for (id, part) in parts {
        let attributes = attributes(schemas, &id);
        let (mut seen, mut announced) = (BTreeSet::new(), BTreeSet::new());
        check(&part, attributes, "", &mut seen);
        readable(attributes, "", &mut announced);
        announced.retain(|path| !COMMON.contains(&path.split('.').next().unwrap()));
        assert_eq!(seen, announced, "{id}");
    }
}

#[tokio::test]
async fn responses_have_the_announced_attributes_and_no_others() {
    let endpoint = Endpoint::start().await;
    let schemas = schemas(&endpoint).await;
    let types = endpoint.get("/ResourceTypes").await.expect(200).body;
    let user = whole_user(&schemas, &types);
    let id = endpoint.create(user).await.expect(201).id();
    let admin = endpoint
        .send("POST", "/Groups", group("Admin", &[&id]))
        .await;
    let admin = admin.expect(201);
    let core = "urn:ietf:params:scim:schemas:core:2.0";
    check_whole(&admin.body, &schemas, &format!("{core}:Group"));
    let user = endpoint.get(&format!("/Users/{id}")).await.expect(200);
    check_whole(&user.body, &schemas, &format!("{core}:User"));
}

#[tokio::test]
async fn discovery_has_the_members_that_strict_clients_need() {
    fn each<'a>(attributes: &'a [Value], all: &mut Vec<&'a Value>) {
        for attribute in attributes {
            all.push(attribute);
            each(sub_attributes(attribute), all);
        }
    }

    let endpoint = Endpoint::start().await;
    let config = endpoint.get("/ServiceProviderConfig").await.expect(200);
    let uri = config.body["documentationUri"].as_str().unwrap();
    assert!(uri.starts_with("https://"), "{uri}");
    let schemas = schemas(&endpoint).await;
    for name in ["ServiceProviderConfig", "ResourceType", "Schema"] {
        let id = format!("urn:ietf:params:scim:schemas:core:2.0:{name}");
        assert!(!attributes(&schemas, &id).is_empty(), "{id}");
    }
    let mut all = Vec::new();
    for schema in &schemas {
        each(schema["attributes"].as_array().unwrap(), &mut all);
    }
    assert!(all.len() > 100);
    for attribute in all {
        let kind = attribute["type"].as_str().unwrap();
        let says_case = attribute["caseExact"].is_boolean();
        assert!(says_case || kind != "string", "{attribute}");
        // A suite takes a canonical value of a number as text.
        let is_number = matches!(kind, "integer" | "decimal");
        let has_canonical_values = attribute.get("canonicalValues").is_some();
        assert!(!(is_number && has_canonical_values), "{attribute}");
    }
}

#[tokio::test]
async fn the_name_of_a_manager_is_not_announced_and_ignored() {
    const MANAGER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";
    let endpoint = Endpoint::start().await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let set = |path: String, value: Value| json!([{"op": "replace", "path": path, "value": value}]);
    for operations in [
        set(
            MANAGER.to_owned(),
            json!({"value": "7", "displayName": "Grace"}),
        ),
        set(format!("{MANAGER}.displayName"), json!("Grace")),
    ] {
        let patched = endpoint.patch(&id, operations).await.expect(200);
        assert_eq!(patched.body[ENTERPRISE]["manager"], json!({"value": "7"}));
    }
}
