//! Handlebars, set up for YAML.
//!
//! Its defaults are made for HTML and for leniency: an ARN would come out with `&amp;`,
//! a variable that is not there as nothing. Here a missing variable is an error, and
//! values are escaped for the inside of a double-quoted YAML string.

use std::fmt::Write as _;

use handlebars::{Handlebars, handlebars_helper};
use serde::Serialize;
use serde_json::Value;

use super::Error;
/// The template of an endpoint.
pub(super) const ENDPOINT: &str = "connect-scim";
/// The template of a directory sync.
pub(super) const DIRECTORY_SYNC: &str = "directory-sync";

const TEMPLATES: [(&str, &str); 2] = [
    (
        ENDPOINT,
        include_str!("../../templates/connect-scim.yaml.hbs"),
    ),
    (
        DIRECTORY_SYNC,
        include_str!("../../templates/directory-sync.yaml.hbs"),
    ),
];

macro_rules! partials {
    ($directory:literal: $($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../templates/", $directory, "/", $name, ".yaml.hbs")))),*]
    };
}

/// `templates/connect-scim/<name>.yaml.hbs`.
pub(super) const PARTIALS: &[(&str, &str)] = partials!["connect-scim":
    "access-logs",
    "account-logging-role",
    "alarm",
    "alarms",
    "api",
    "authorizer",
    "connect-statements",
    "dashboard",
    "deployment-and-stage",
    "directory-statement",
    "directory-table",
    "directory-variables",
    "function-role-trust",
    "gateway-response",
    "gateway-responses",
    "guardrail",
    "guardrail-statement",
    "outputs",
    "reconcile-queue",
    "reconciler",
    "token",
    "token-authorizer",
    "token-generator",
    "trace-statement",
    "usage-plan",
    "user-edits",
    "user-provisioning",
    "write-logs-statement",
];

/// `templates/directory-sync/<name>.yaml.hbs`.
pub(super) const DIRECTORY_SYNC_PARTIALS: &[(&str, &str)] =
    partials!["directory-sync": "assignments", "task-role-trust"];

/// The engine with all templates.
pub(super) fn engine() -> Result<Handlebars<'static>, Error> {
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    engine.register_escape_fn(escape);
    engine.register_helper("sub", Box::new(sub));
    engine.register_helper("substituted", Box::new(substituted));
    engine.register_helper("number", Box::new(number));
    engine.register_helper("uppercase", Box::new(uppercase));
    for (name, text) in TEMPLATES {
        engine
            .register_template_string(name, text)
            .map_err(source)?;
    }
    for (name, text) in PARTIALS.iter().chain(DIRECTORY_SYNC_PARTIALS) {
        engine.register_partial(name, text).map_err(source)?;
    }
    Ok(engine)
}

fn source(error: handlebars::TemplateError) -> Error {
    Error::Source(Box::new(error))
}

/// Renders a whole template.
pub(super) fn render(
    engine: &Handlebars<'_>,
    template: &str,
    context: &impl Serialize,
) -> Result<String, Error> {
    engine
        .render(template, context)
        .map_err(|error| Error::Render(Box::new(error)))
}

/// The inside of a double-quoted YAML string (YAML 1.1, which CloudFormation reads: its
/// line breaks are more than JSON's, and what is not printable must be escaped).
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\\' => escaped.extend(['\\', character]),
            '\0'..='\x1f'
            | '\x7f'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                // Writing to a String cannot fail.
                let _ = write!(escaped, "\\u{:04x}", u32::from(character));
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

// A value inside the text of Fn::Sub, which writes a literal `${` as `${!`.
handlebars_helper!(sub: |text: str| text.replace("${", "${!"));

// A text of Fn::Sub: without the function where it would have nothing to do.
handlebars_helper!(substituted: |text: str| {
    let function = if text.contains("${") { "!Sub " } else { "" };
    format!("{function}\"{}\"", escape(text))
});

// A number, whole where it is: 25 rather than 25.0.
handlebars_helper!(number: |value: f64| {
    if value.fract() == 0.0 {
        Value::from(value as i64)
    } else {
        Value::from(value)
    }
});

handlebars_helper!(uppercase: |text: str| text.to_uppercase());

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_escaped_value_is_read_back_as_it_was(text in any::<String>()) {
            let yaml = format!("value: \"{}\"", escape(&text));
            let read: serde_yaml::Value = serde_yaml::from_str(&yaml).unwrap();
            prop_assert_eq!(read["value"].as_str(), Some(text.as_str()));
        }
    }

    #[test]
    fn helpers_escape_too() {
        let mut engine = engine().unwrap();
        engine
            .register_template_string("test", r#"{{sub x}} {{number y}} {{number z}}"#)
            .unwrap();
        assert_eq!(
            engine
                .render(
                    "test",
                    &serde_json::json!({"x": "\"${A}", "y": 25.0, "z": 0.5})
                )
                .unwrap(),
            r#"\"${!A} 25 0.5"#
        );
    }

    #[test]
    fn a_missing_variable_is_an_error() {
        let mut engine = engine().unwrap();
        for template in ["{{absent}}", "{{sub absent}}", "{{number absent}}"] {
            engine.register_template_string("test", template).unwrap();
            assert!(
                engine.render("test", &serde_json::json!({})).is_err(),
                "{template}"
            );
        }
    }
}
