//! `environments/schema.json`: up to date, strict, and true of the files beside it.

use std::fs;

use connect_scim::environment::json_schema;
use serde_json::Value;

use crate::{connect_scim, root};

#[test]
fn the_schema_is_up_to_date() {
    let printed = connect_scim()
        .args(["validate", "--schema"])
        .output()
        .unwrap();
    let stored = fs::read(root().join("environments/schema.json")).unwrap();
    assert!(
        printed.stdout == stored,
        "environments/schema.json is stale; refresh it with\n  \
         cargo run -- validate --schema > environments/schema.json"
    );
}

#[test]
fn every_environment_file_points_to_the_schema_and_satisfies_it() {
    let validator = jsonschema::validator_for(&json_schema()).unwrap();
    for entry in fs::read_dir(root().join("environments")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(
            text.lines().next(),
            Some("# yaml-language-server: $schema=./schema.json"),
            "{}",
            path.display()
        );
        let value: Value = serde_yaml::from_str(&text).unwrap();
        if let Err(error) = validator.validate(&value) {
            panic!("{}: {error}", path.display());
        }
    }
}

#[test]
fn every_object_of_the_schema_is_closed_and_every_key_described() {
    fn visit(schema: &Value, path: &str) {
        if let Some(properties) = schema["properties"].as_object() {
            assert_eq!(schema["additionalProperties"], false, "{path}");
            for (key, inner) in properties {
                let path = format!("{path}.{key}");
                assert!(inner["description"].is_string(), "{path}");
                visit(inner, &path);
            }
        }
        if schema["additionalProperties"].is_object() {
            visit(&schema["additionalProperties"], &format!("{path}.*"));
        }
        for inner in schema["anyOf"].as_array().into_iter().flatten() {
            visit(inner, path);
        }
    }
    visit(&json_schema(), "");
}
