//! The table of keys in `docs/environment.md`, written from the schema.

use std::fs;

use connect_scim::environment::json_schema;
use serde_json::Value;

use crate::root;

/// What stands above is written by hand, what stands below by this test.
const MARK: &str =
    "<!-- From here on written by a test; see tests/command_line/environment_reference.rs -->\n";

const REFRESH: &str =
    "UPDATE_REFERENCE=1 cargo test -p connect-scim --test command_line environment_reference";

#[test]
fn the_reference_of_all_keys_is_up_to_date() {
    let path = root().join("docs/environment.md");
    let stored = fs::read_to_string(&path).unwrap();
    let (introduction, _) = stored.split_once(MARK).unwrap();
    let mut written = format!("{introduction}{MARK}");
    section(&json_schema(), "", &mut written);
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        fs::write(&path, written).unwrap();
        return;
    }
    assert!(
        stored == written,
        "docs/environment.md is stale; refresh it with\n  {REFRESH}"
    );
}

/// One table for the keys of a mapping, then a section for each mapping inside it.
fn section(schema: &Value, path: &str, text: &mut String) {
    let Some(properties) = schema["properties"].as_object() else {
        return;
    };
    let title = if path.is_empty() { "Top level" } else { path };
    // Of a whole file its keys or its targets are required.
    let required = match &schema["required"] {
        Value::Null => &schema["anyOf"][0]["required"],
        required => required,
    };
    let required: Vec<_> = required.as_array().into_iter().flatten().collect();
    text.push_str(&format!(
        "\n## {title}\n\n| Key | Value | Default | Meaning |\n| --- | --- | --- | --- |\n"
    ));
    for (key, inner) in properties {
        let default = if required.contains(&&Value::from(key.as_str())) {
            "required".to_owned()
        } else {
            default(alternative(inner), &inner["default"])
        };
        text.push_str(&format!(
            "| `{key}` | {} | {default} | {} |\n",
            values(inner),
            meaning(inner)
        ));
    }
    for (key, inner) in properties {
        if key == "targets" {
            targets(inner, text);
            continue;
        }
        let path = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        let inner = alternative(inner);
        section(inner, &path, text);
        section(
            &inner["additionalProperties"],
            &format!("{path}.<name>"),
            text,
        );
        section(&inner["items"], &format!("{path}[]"), text);
    }
}

/// A target may say whatever stands in the other tables; only what is its own is listed.
fn targets(schema: &Value, text: &mut String) {
    let wave = &schema["additionalProperties"]["properties"]["wave"];
    text.push_str(&format!(
        "\n## targets.<name>\n\n| Key | Value | Default | Meaning |\n| --- | --- | --- | --- |\n\
         | `wave` | {} | {} | {} |\n| any key of the other tables | | as outside `targets` | What differs for this target. |\n",
        values(wave),
        default(wave, &wave["default"]),
        meaning(wave)
    ));
}

/// An optional mapping is `anyOf` the mapping and null.
fn alternative(schema: &Value) -> &Value {
    schema["anyOf"].get(0).unwrap_or(schema)
}

/// The default of a mapping is in the tables of its keys, unless all of these are required.
fn default(schema: &Value, default: &Value) -> String {
    match default {
        Value::Object(keys) if schema["required"].is_array() => {
            let keys: Vec<_> = keys
                .iter()
                .map(|(key, value)| match value.as_f64() {
                    Some(number) => format!("{key}: {number}"),
                    None => format!("{key}: {value}"),
                })
                .collect();
            format!("`{{{}}}`", keys.join(", "))
        }
        Value::Null | Value::Object(_) => String::new(),
        Value::Array(items) if items.is_empty() => String::new(),
        other => format!(
            "`{}`",
            other.as_str().map_or(other.to_string(), str::to_owned)
        ),
    }
}

fn values(schema: &Value) -> String {
    let schema = alternative(schema);
    let words = |values: &[Value]| -> String {
        let words: Vec<_> = values
            .iter()
            .map(|value| {
                format!(
                    "`{}`",
                    value.as_str().map_or(value.to_string(), str::to_owned)
                )
            })
            .collect();
        words.join(", ")
    };
    if let Some(alternatives) = schema["oneOf"].as_array() {
        let constants: Vec<_> = alternatives
            .iter()
            .map(|one| one["const"].clone())
            .collect();
        return words(&constants);
    }
    if let Some(values) = schema["enum"].as_array() {
        return words(values);
    }
    if schema["type"] == serde_json::json!(["string", "array"]) {
        let example = schema["examples"][0].as_str().unwrap_or_default();
        return format!("text or list, such as `{example}`");
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => &kinds[0],
        kind => kind,
    };
    match kind.as_str() {
        Some("boolean") => "`true`, `false`".to_owned(),
        Some("integer" | "number") => match (&schema["minimum"], &schema["maximum"]) {
            (Value::Null, Value::Null) => "number".to_owned(),
            (Value::Null, most) => format!("up to {most}"),
            (least, Value::Null) => format!("from {least}"),
            (least, most) => format!("{least} to {most}"),
        },
        Some("string") => match schema["examples"][0].as_str() {
            Some(example) => format!("text, such as `{example}`"),
            None => "text".to_owned(),
        },
        Some("array") => format!("list: {}", values(&schema["items"])),
        Some("object") if schema["additionalProperties"].is_object() => {
            let name = schema["propertyNames"]["examples"][0]
                .as_str()
                .unwrap_or_default();
            let inner = &schema["additionalProperties"];
            if inner["properties"].is_object() {
                format!("mapping by name, such as `{name}`")
            } else {
                format!(
                    "mapping, such as `{name}: {}`",
                    inner["examples"][0].as_str().unwrap_or_default()
                )
            }
        }
        _ => "mapping".to_owned(),
    }
}

/// The description, with what each word means where there are words.
fn meaning(schema: &Value) -> String {
    let mut text = one_line(&schema["description"]);
    let alternatives = alternative(schema)["oneOf"].as_array();
    for one in alternatives.into_iter().flatten() {
        let word = one["const"].as_str().unwrap_or_default();
        text.push_str(&format!("<br>`{word}`: {}", one_line(&one["description"])));
    }
    text
}

fn one_line(description: &Value) -> String {
    let text = description.as_str().unwrap_or_default();
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
}
