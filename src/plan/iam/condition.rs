//! Conditions: when one lets through all that another one does.
//!
//! AWS IAM User Guide, "Condition operators": all operators and keys of a condition must
//! hold, one of the values of a key suffices, and for an operator that negates none of the
//! values may match.

use serde_json::{Map, Value};

use super::statement::list;
use crate::plan::expression::readable;

/// Operators of which more values let through more.
const WIDENED_BY_VALUES: [&str; 8] = [
    "ArnEquals",
    "ArnLike",
    "IpAddress",
    "NumericEquals",
    "DateEquals",
    "StringEquals",
    "StringEqualsIgnoreCase",
    "StringLike",
];

/// Operators of which more values let through less.
const NARROWED_BY_VALUES: [&str; 8] = [
    "ArnNotEquals",
    "ArnNotLike",
    "DateNotEquals",
    "NotIpAddress",
    "NumericNotEquals",
    "StringNotEquals",
    "StringNotEqualsIgnoreCase",
    "StringNotLike",
];

/// A condition in the form in which two are compared: values as lists, sorted.
pub(super) fn canonical(condition: &Value) -> String {
    let Some(operators) = condition.as_object() else {
        return condition.to_string();
    };
    let operators: Map<String, Value> = operators
        .iter()
        .map(|(operator, keys)| {
            let keys = match keys.as_object() {
                Some(keys) => Value::Object(
                    keys.iter()
                        .map(|(key, values)| {
                            let mut values: Vec<Value> = list(values).cloned().collect();
                            values.sort_by_key(Value::to_string);
                            (key.clone(), Value::Array(values))
                        })
                        .collect(),
                ),
                None => keys.clone(),
            };
            (operator.clone(), keys)
        })
        .collect();
    Value::Object(operators).to_string()
}

/// `ArnNotLike aws:PrincipalArn: [a, b]`
pub(super) fn text(condition: &Value) -> String {
    let Some(operators) = condition.as_object() else {
        return readable(condition);
    };
    let tests: Vec<String> = operators
        .iter()
        .flat_map(|(operator, keys)| match keys.as_object() {
            Some(keys) => keys
                .iter()
                .map(|(key, values)| match values.as_array().map(Vec::as_slice) {
                    Some([only]) => format!("{operator} {key} {}", readable(only)),
                    _ => format!("{operator} {key} {}", readable(values)),
                })
                .collect(),
            None => vec![format!("{operator} {}", readable(keys))],
        })
        .collect();
    tests.join(" and ")
}

/// Whether everything that passes the narrow condition passes the wide one. Both in
/// canonical form; `None` lets everything through.
pub(super) fn covers(wide: Option<&str>, narrow: Option<&str>) -> bool {
    let (wide, narrow) = match (wide, narrow) {
        (None, _) => return true,
        (Some(_), None) => return false,
        (Some(wide), Some(narrow)) if wide == narrow => return true,
        (Some(wide), Some(narrow)) => (wide, narrow),
    };
    let (Ok(Value::Object(wide)), Ok(Value::Object(narrow))) =
        (serde_json::from_str(wide), serde_json::from_str(narrow))
    else {
        return false;
    };
    wide.iter().all(|(operator, keys)| {
        keys.as_object().is_some_and(|keys| {
            keys.iter().all(|(key, values)| {
                narrow
                    .get(operator)
                    .and_then(|keys| keys.get(key))
                    .is_some_and(|other| values_cover(operator, values, other))
            })
        })
    })
}

fn values_cover(operator: &str, wide: &Value, narrow: &Value) -> bool {
    let includes =
        |many: &Value, few: &Value| list(few).all(|value| list(many).any(|known| known == value));
    if WIDENED_BY_VALUES.contains(&operator) {
        includes(wide, narrow)
    } else if NARROWED_BY_VALUES.contains(&operator) {
        includes(narrow, wide)
    } else {
        wide == narrow
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_condition_covers_what_is_at_least_as_strict() {
        let like = |values: &[&str]| json!({"StringLike": {"aws:SourceArn": values}});
        let not_like = |values: &[&str]| json!({"ArnNotLike": {"aws:PrincipalArn": values}});
        let more_than = |value: i32| json!({"NumericLessThan": {"aws:MultiFactorAuthAge": value}});
        let both =
            json!({"StringLike": {"aws:SourceArn": "a"}, "Bool": {"aws:SecureTransport": "true"}});
        for (wide, narrow, expected) in [
            (like(&["a"]), like(&["a"]), true),
            (like(&["a", "b"]), like(&["b"]), true),
            (like(&["b"]), like(&["a", "b"]), false),
            (
                json!({"StringLike": {"aws:SourceArn": "a"}}),
                like(&["a"]),
                true,
            ),
            (not_like(&["a"]), not_like(&["a", "b"]), true),
            (not_like(&["a", "b"]), not_like(&["a"]), false),
            (like(&["a"]), both.clone(), true),
            (both, like(&["a"]), false),
            (more_than(5), more_than(4), false),
        ] {
            assert_eq!(
                covers(Some(&canonical(&wide)), Some(&canonical(&narrow))),
                expected,
                "{wide} {narrow}"
            );
        }
        assert!(covers(None, Some(&canonical(&like(&["a"])))));
        assert!(!covers(Some(&canonical(&like(&["a"]))), None));
    }
}
