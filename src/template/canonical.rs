//! Template text in the form in which two templates are compared.
//!
//! The same template can be YAML or JSON, with functions in short form (`!Ref X`) or
//! long (`{"Ref": "X"}`), with comments or without. The canonical form is JSON with
//! long-form functions and sorted keys.

use serde_json::{Map, Number, Value};
use serde_yaml::Value as Yaml;

/// A text is not a template.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither JSON nor YAML.
    #[error("the template is not valid YAML")]
    Yaml(#[from] serde_yaml::Error),
    /// It begins as JSON does.
    #[error("the template is not valid JSON")]
    Json(#[from] serde_json::Error),
    /// A mapping with a key that is no text, at the given path.
    #[error("the template has a key that is not text below {0:?}")]
    Key(String),
    /// A number that JSON does not have, at the given path.
    #[error("the template has a number that JSON cannot express at {0:?}")]
    Number(String),
    /// A text that holds something else than a mapping.
    #[error("the template is not a mapping")]
    NotAMapping,
}

/// Any template text, YAML or JSON, in canonical form.
///
/// # Errors
///
/// The text is not a template.
pub fn canonical(text: &str) -> Result<Value, Error> {
    // JSON is YAML on paper, but escapes characters beyond the basic plane by surrogates,
    // which YAML does not have.
    let value = if text.trim_start().starts_with('{') {
        sorted(serde_json::from_str(text)?)
    } else {
        json(serde_yaml::from_str(text)?, "")?
    };
    if value.is_object() {
        Ok(value)
    } else {
        Err(Error::NotAMapping)
    }
}

fn json(value: Yaml, path: &str) -> Result<Value, Error> {
    Ok(match value {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => Value::Bool(value),
        Yaml::Number(number) => Value::Number(self::number(&number, path)?),
        Yaml::String(text) => Value::String(text),
        Yaml::Sequence(items) => Value::Array(
            items
                .into_iter()
                .enumerate()
                .map(|(index, item)| json(item, &format!("{path}/{index}")))
                .collect::<Result<_, _>>()?,
        ),
        Yaml::Mapping(members) => {
            let mut object = Map::new();
            for (key, member) in members {
                let Yaml::String(key) = key else {
                    return Err(Error::Key(path.to_owned()));
                };
                let member = json(member, &format!("{path}/{key}"))?;
                object.insert(key, member);
            }
            sorted(Value::Object(object))
        }
        Yaml::Tagged(tagged) => function(
            tagged.tag.to_string().trim_start_matches('!'),
            json(tagged.value, path)?,
        ),
    })
}

fn number(number: &serde_yaml::Number, path: &str) -> Result<Number, Error> {
    number
        .as_u64()
        .map(Number::from)
        .or_else(|| number.as_i64().map(Number::from))
        .or_else(|| number.as_f64().and_then(Number::from_f64))
        .ok_or_else(|| Error::Number(path.to_owned()))
}

/// The long form of a function's short form.
///
/// AWS CloudFormation Template Reference Guide, "Intrinsic functions".
fn function(name: &str, argument: Value) -> Value {
    let key = match name {
        "Ref" | "Condition" => name.to_owned(),
        _ => format!("Fn::{name}"),
    };
    long_form(Map::from_iter([(key, argument)]))
}

/// `Fn::GetAtt` may name resource and attribute in one text, divided by the first dot.
fn long_form(mut object: Map<String, Value>) -> Value {
    if let Some(attribute) = object.get_mut("Fn::GetAtt")
        && let Some((resource, name)) = attribute.as_str().and_then(|text| text.split_once('.'))
    {
        *attribute = Value::from([resource, name].map(str::to_owned).to_vec());
    }
    Value::Object(object)
}

/// Keys in order, whatever order the JSON library keeps.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        Value::Object(object) => {
            let mut members: Vec<_> = object.into_iter().collect();
            members.sort_by(|one, other| one.0.cmp(&other.0));
            long_form(
                members
                    .into_iter()
                    .map(|(key, member)| (key, sorted(member)))
                    .collect(),
            )
        }
        scalar => scalar,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn short_and_long_functions_in_yaml_and_json_are_the_same_template() {
        let yaml = r#"
            # A comment.
            B: !Sub "${A}-x"
            A:
              - !Ref "AWS::StackName"
              - !GetAtt Table.Stream.Arn
              - !GetAtt [Table, Arn]
              - !Select [2, !Split ["/", !Ref "AWS::StackId"]]
              - !If [IsProd, !Ref "AWS::NoValue", 1]
              - !Join ["", ["a", "b"]]
              - Fn::GetAtt: Table.Arn
            C: !Condition IsProd
        "#;
        let expected = json!({
            "A": [
                {"Ref": "AWS::StackName"},
                {"Fn::GetAtt": ["Table", "Stream.Arn"]},
                {"Fn::GetAtt": ["Table", "Arn"]},
                {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]},
                {"Fn::If": ["IsProd", {"Ref": "AWS::NoValue"}, 1]},
                {"Fn::Join": ["", ["a", "b"]]},
                {"Fn::GetAtt": ["Table", "Arn"]},
            ],
            "B": {"Fn::Sub": "${A}-x"},
            "C": {"Condition": "IsProd"},
        });
        assert_eq!(canonical(yaml).unwrap(), expected);
        assert_eq!(canonical(&expected.to_string()).unwrap(), expected);
        assert_eq!(
            canonical(r#" {"A": {"Fn::GetAtt": "Table.Arn"}}"#).unwrap(),
            json!({"A": {"Fn::GetAtt": ["Table", "Arn"]}})
        );
    }

    #[test]
    fn keys_are_sorted() {
        for text in [
            "b: {d: 1, c: 2}\na: 3",
            r#"{"b": {"d": 1, "c": 2}, "a": 3}"#,
        ] {
            assert_eq!(
                canonical(text).unwrap().to_string(),
                r#"{"a":3,"b":{"c":2,"d":1}}"#
            );
        }
    }

    #[test]
    fn json_with_surrogates_is_read() {
        assert_eq!(
            canonical(r#"{"A": "\ud83d\ude00"}"#).unwrap(),
            json!({"A": "😀"})
        );
    }

    #[test]
    fn what_is_no_template_is_refused() {
        assert!(matches!(canonical("just text"), Err(Error::NotAMapping)));
        assert!(matches!(canonical("a: [1"), Err(Error::Yaml(_))));
        assert!(matches!(canonical("{\"a\": "), Err(Error::Json(_))));
        assert!(matches!(canonical("a: {1: b}"), Err(Error::Key(path)) if path == "/a"));
        assert!(matches!(canonical("a: .nan"), Err(Error::Number(path)) if path == "/a"));
    }
}
