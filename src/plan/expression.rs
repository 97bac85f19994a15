//! Values of a template in the form in which a person would write them: `!GetAtt Table.Arn`
//! rather than `{"Fn::GetAtt": ["Table", "Arn"]}`.

use serde_json::{Map, Value};

/// A value on one line (a text that has lines keeps them).
#[must_use]
pub fn readable(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(readable).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => match function(members) {
            Some((name, argument)) => format!("!{name} {}", self::argument(name, argument)),
            None => {
                let members: Vec<_> = members
                    .iter()
                    .map(|(key, member)| format!("{key}: {}", readable(member)))
                    .collect();
                format!("{{{}}}", members.join(", "))
            }
        },
        other => other.to_string(),
    }
}

/// A text, in quotes where it could be taken for something else.
fn scalar(text: &str) -> String {
    let ambiguous = text.is_empty()
        || text.trim() != text
        || text.starts_with(['!', '[', '{', '"'])
        || serde_json::from_str::<Value>(text).is_ok();
    if ambiguous {
        Value::from(text).to_string()
    } else {
        text.to_owned()
    }
}

fn argument(name: &str, argument: &Value) -> String {
    match (name, argument) {
        ("Sub", Value::String(text)) => text.clone(),
        ("GetAtt", Value::Array(parts)) => {
            let parts: Vec<_> = parts.iter().map(readable).collect();
            parts.join(".")
        }
        _ => readable(argument),
    }
}

/// The name and the argument of an intrinsic function in its long form.
///
/// AWS CloudFormation Template Reference Guide, "Intrinsic functions".
pub(crate) fn function(object: &Map<String, Value>) -> Option<(&str, &Value)> {
    if object.len() != 1 {
        return None;
    }
    let (key, argument) = object.iter().next()?;
    let name = match key.as_str() {
        "Ref" => "Ref",
        key => key.strip_prefix("Fn::")?,
    };
    Some((name, argument))
}

/// Whether a value is an intrinsic function rather than a plain mapping.
pub(super) fn is_function(value: &Value) -> bool {
    value
        .as_object()
        .is_some_and(|object| function(object).is_some())
}

/// Calls `visit` with the logical id of every resource (or the name of every pseudo
/// parameter) that a value refers to.
pub(crate) fn references(value: &Value, visit: &mut impl FnMut(&str)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(item, visit)),
        Value::Object(members) => {
            match function(members) {
                Some(("Ref", Value::String(name))) => visit(name),
                Some(("GetAtt", Value::Array(parts))) => {
                    if let Some(name) = parts.first().and_then(Value::as_str) {
                        visit(name);
                    }
                }
                Some(("Sub", Value::String(text))) => variables(text, visit),
                Some(("Sub", Value::Array(parts))) => {
                    let own = parts.get(1).and_then(Value::as_object);
                    if let Some(text) = parts.first().and_then(Value::as_str) {
                        variables(text, &mut |name| {
                            if own.is_none_or(|own| !own.contains_key(name)) {
                                visit(name);
                            }
                        });
                    }
                }
                _ => {}
            }
            members
                .values()
                .for_each(|member| references(member, visit));
        }
        _ => {}
    }
}

/// The names in `${Name}` and `${Name.Attribute}`; `${!Literal}` is none.
fn variables(text: &str, visit: &mut impl FnMut(&str)) {
    for part in text.split("${").skip(1) {
        if let Some((variable, _)) = part.split_once('}')
            && !variable.starts_with('!')
        {
            visit(variable.split('.').next().unwrap_or(variable));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_shown_as_a_person_writes_them() {
        for (value, text) in [
            (json!("plain text"), "plain text"),
            (json!("1"), "\"1\""),
            (json!("true"), "\"true\""),
            (json!(""), "\"\""),
            (json!("!Ref"), "\"!Ref\""),
            (json!(1), "1"),
            (json!(0.5), "0.5"),
            (json!(true), "true"),
            (json!({"Ref": "AWS::StackName"}), "!Ref AWS::StackName"),
            (
                json!({"Fn::GetAtt": ["Table", "Stream.Arn"]}),
                "!GetAtt Table.Stream.Arn",
            ),
            (json!({"Fn::Sub": "${A}-x"}), "!Sub ${A}-x"),
            (
                json!({"Fn::Sub": ["${A}-x", {"A": {"Ref": "B"}}]}),
                "!Sub [${A}-x, {A: !Ref B}]",
            ),
            (
                json!({"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}),
                "!Select [2, !Split [/, !Ref AWS::StackId]]",
            ),
            (
                json!({"Mode": "Active", "N": [1, "a"]}),
                "{Mode: Active, N: [1, a]}",
            ),
            (json!([]), "[]"),
        ] {
            assert_eq!(readable(&value), text);
        }
    }

    #[test]
    fn every_form_of_reference_is_found() {
        let value = json!({
            "A": {"Ref": "One"},
            "B": [{"Fn::GetAtt": ["Two", "Arn"]}],
            "C": {"Fn::Sub": "${Three}/${Four.Arn}/${!Literal}/${AWS::Region}"},
            "D": {"Fn::Sub": ["${Own}${Five}", {"Own": {"Ref": "Six"}}]},
            "E": "${NotASub}",
        });
        let mut found = Vec::new();
        references(&value, &mut |name| found.push(name.to_owned()));
        assert_eq!(
            found,
            ["One", "Two", "Three", "Four", "AWS::Region", "Five", "Six"]
        );
    }
}
