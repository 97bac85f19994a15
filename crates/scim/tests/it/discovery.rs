//! The discovery documents describe themselves and what is served (RFC 7643 sections 5
//! to 8).

use scim::Resource;
use scim::comparison::Comparison;
use scim::schema::{Attribute, AttributeType, Discovery, ServiceDefinition, core};
use serde_json::{Value, json};

use crate::service::service;

const BASE: &str = "https://example.com/scim/v2";

fn discovered(service: &ServiceDefinition, document: &Discovery) -> Value {
    service.discover(document, BASE).expect("a document")
}

fn schema(service: &ServiceDefinition, name: &str) -> Value {
    let urn = format!("urn:ietf:params:scim:schemas:core:2.0:{name}");
    discovered(service, &Discovery::Schema(urn))
}

fn members(value: &Value) -> &Resource {
    value.as_object().expect("an object")
}

/// Checks a value by the definition in `/Schemas`.
fn conforms(definition: &Value, value: &Value, name: &str) {
    if definition["multiValued"] == true {
        let values = value
            .as_array()
            .unwrap_or_else(|| panic!("{name} is no list"));
        let mut single = definition.clone();
        single["multiValued"] = false.into();
        return values
            .iter()
            .for_each(|value| conforms(&single, value, name));
    }
    let fits = match definition["type"].as_str() {
        Some("string" | "reference") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_u64(),
        Some("complex") => {
            all_conform(&definition["subAttributes"], value, name);
            true
        }
        other => panic!("{name} has the type {other:?}"),
    };
    assert!(fits, "{name}: {value}");
    if let (Some(known), Some(value)) = (definition["canonicalValues"].as_array(), value.as_str()) {
        assert!(known.iter().any(|known| known == value), "{name}: {value}");
    }
}

fn all_conform(definitions: &Value, value: &Value, name: &str) {
    let definitions = definitions.as_array().expect("definitions");
    for (key, value) in members(value) {
        // RFC 7643 section 8.7.2 ends at the second level; its own schema has a third.
        if key == "subAttributes" && name.ends_with(".subAttributes") {
            continue;
        }
        let definition = definitions
            .iter()
            .find(|found| found["name"] == key.as_str());
        let definition = definition.unwrap_or_else(|| panic!("{name}.{key} is not announced"));
        conforms(definition, value, &format!("{name}.{key}"));
    }
    for definition in definitions.iter().filter(|found| found["required"] == true) {
        let required = definition["name"].as_str().expect("a name");
        assert!(members(value).contains_key(required), "{name}.{required}");
    }
}

#[test]
fn each_discovery_document_is_as_its_schema_says() {
    let mut service = service();
    service.documentation_uri = Some("https://example.com/help".to_owned());
    service.pagination.cursor_timeout = Some(60);
    let list = |document| discovered(&service, &document)["Resources"].clone();
    let documents = [
        (
            "ServiceProviderConfig",
            json!([discovered(&service, &Discovery::ServiceProviderConfig)]),
        ),
        ("ResourceType", list(Discovery::ResourceTypes)),
        ("Schema", list(Discovery::Schemas)),
    ];
    for (name, documents) in documents {
        let definitions = schema(&service, name)["attributes"].clone();
        for document in documents.as_array().expect("documents") {
            let mut document = document.clone();
            let common = document.as_object_mut().expect("an object");
            let urn = format!("urn:ietf:params:scim:schemas:core:2.0:{name}");
            assert_eq!(common.remove("schemas"), Some(json!([urn])));
            let meta = common.remove("meta").expect("meta");
            assert_eq!(meta["resourceType"], name);
            let location = meta["location"].as_str().expect("a location");
            assert!(
                location.starts_with(&format!("{BASE}/{name}")),
                "{location}"
            );
            all_conform(&definitions, &document, name);
        }
    }
}

#[test]
fn discovery_says_nothing_of_what_the_service_has_not() {
    let service = service();
    let config = discovered(&service, &Discovery::ServiceProviderConfig);
    assert_eq!(config.get("documentationUri"), None);
    assert_eq!(config["pagination"].get("cursorTimeout"), None);
    let mut service = service;
    service.documentation_uri = Some("https://example.com/help".to_owned());
    service.pagination.cursor_timeout = Some(60);
    let config = discovered(&service, &Discovery::ServiceProviderConfig);
    assert_eq!(config["documentationUri"], "https://example.com/help");
    assert_eq!(config["pagination"]["cursorTimeout"], 60);
    assert_eq!(
        config["bulk"],
        json!({"supported": true, "maxOperations": 100, "maxPayloadSize": 1_048_576})
    );
    service.bulk = None;
    let config = discovered(&service, &Discovery::ServiceProviderConfig);
    assert_eq!(
        config["bulk"],
        json!({"supported": false, "maxOperations": 0, "maxPayloadSize": 0})
    );
}

#[test]
fn the_description_of_users_is_that_of_the_rfc() {
    assert_eq!(schema(&service(), "User")["description"], "User Account");
    assert_eq!(schema(&service(), "Group")["description"], "Group");
}

/// Every attribute of a document, with those inside complex ones.
fn attributes(document: &Value) -> Vec<Value> {
    let own = document.as_array().cloned().unwrap_or_default();
    let below: Vec<Value> = own
        .iter()
        .flat_map(|attribute| attributes(&attribute["subAttributes"]))
        .collect();
    own.into_iter().chain(below).collect()
}

#[test]
fn text_and_nothing_else_says_whether_case_counts() {
    let list = discovered(&service(), &Discovery::Schemas);
    for schema in list["Resources"].as_array().expect("schemas") {
        for attribute in attributes(&schema["attributes"]) {
            let is_text = ["string", "reference", "binary"]
                .iter()
                .any(|kind| attribute["type"] == *kind);
            assert_eq!(attribute["caseExact"].is_boolean(), is_text, "{attribute}");
        }
    }
}

#[test]
fn an_attribute_is_announced_with_what_it_has() {
    let announced = |attribute: Attribute| serde_json::to_value(attribute).expect("a document");
    assert_eq!(
        announced(
            Attribute::string("a")
                .canonical(&["x"])
                .compared(Comparison::Name)
        ),
        json!({
            "name": "a",
            "type": "string",
            "multiValued": false,
            "description": "",
            "required": false,
            "canonicalValues": ["x"],
            "caseExact": false,
            "mutability": "readWrite",
            "returned": "default",
            "uniqueness": "none",
        })
    );
    let exact = announced(Attribute::string("a").case_exact());
    assert_eq!(exact["caseExact"], true);
    assert_eq!(exact.get("canonicalValues"), None);
    let number = announced(Attribute::new("a", AttributeType::Decimal).canonical(&["1", "2"]));
    assert_eq!(number.get("canonicalValues"), None);
    assert_eq!(number.get("caseExact"), None);
    let reference = announced(Attribute::reference("a", &["User"]));
    assert_eq!(reference["referenceTypes"], json!(["User"]));
    assert_eq!(reference["caseExact"], true);
    let flag = announced(Attribute::boolean("a").default(true));
    assert_eq!(flag.get("default"), None);
    let complex = announced(Attribute::complex("a", vec![Attribute::boolean("b")]));
    assert_eq!(complex["subAttributes"][0]["name"], "b");
    assert_eq!(complex.get("referenceTypes"), None);
    assert_eq!(flag.get("subAttributes"), None);
}

#[test]
fn each_schema_and_type_is_found_by_its_name_in_any_case() {
    let service = service();
    for schema in [
        core::USER_URN,
        "URN:ietf:params:scim:schemas:core:2.0:schema",
    ] {
        let found = discovered(&service, &Discovery::Schema(schema.to_owned()));
        assert!(
            found["id"]
                .as_str()
                .expect("an id")
                .eq_ignore_ascii_case(schema)
        );
    }
    let found = discovered(&service, &Discovery::ResourceType("user".to_owned()));
    assert_eq!(found["id"], "User");
    for unknown in [
        Discovery::Schema("urn:x".to_owned()),
        Discovery::ResourceType("Schema".to_owned()),
    ] {
        assert_eq!(
            service
                .discover(&unknown, BASE)
                .expect_err("unknown")
                .status,
            404
        );
    }
}
