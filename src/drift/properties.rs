//! Properties of a resource as deployed, against those that a service tells.

use serde_json::Value;

use super::deployed::is_open;
use super::finding::{Detector, Finding, Severity};

/// Compares every property that `actual` has with the one that was deployed. Properties
/// that `actual` does not have were not read. One that the template does not set stands in
/// `actual` only where its absence means something; its expected value is `null` then.
///
/// The id of a finding names the property: `function.MemorySize:ReconcilerFunction`.
pub(super) fn compare(
    detector: Detector,
    resource: &str,
    expected: &Value,
    actual: &Value,
    severity: impl Fn(&str) -> Severity,
    cure: &str,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (property, actual) in actual.as_object().into_iter().flatten() {
        let expected = &expected[property];
        if is_open(expected) {
            findings.push(Finding::not_checked(
                detector,
                property,
                resource,
                format!("what {property} should be could not be worked out from the template"),
            ));
        } else if !same(expected, actual) {
            findings.push(
                Finding::drift(
                    detector,
                    severity(property),
                    property,
                    resource,
                    format!("{property} was changed"),
                )
                .expected(shown(expected))
                .actual(shown(actual))
                .cure(cure),
            );
        }
    }
    findings
}

/// Whether two values mean the same: templates write numbers and booleans as texts or not,
/// lists have no order, and what is empty is as good as absent. Of mappings only what is
/// expected counts, because services add their defaults.
pub(super) fn same(expected: &Value, actual: &Value) -> bool {
    if is_empty(expected) && is_empty(actual) {
        return true;
    }
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => expected
            .iter()
            .all(|(key, value)| same(value, actual.get(key).unwrap_or(&Value::Null))),
        (Value::Array(expected), Value::Array(actual)) => {
            expected.len() == actual.len()
                && expected
                    .iter()
                    .all(|item| actual.iter().any(|other| same(item, other)))
                && actual
                    .iter()
                    .all(|other| expected.iter().any(|item| same(item, other)))
        }
        (Value::Number(expected), Value::Number(actual)) => {
            expected == actual || expected.as_f64() == actual.as_f64()
        }
        (expected, actual) => expected == actual || shown(expected) == shown(actual),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A value for people.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "(none)".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::drift::finding::Kind;

    #[test]
    fn values_are_compared_by_what_they_mean() {
        let cases = [
            (json!(30), json!("30"), true),
            (json!("true"), json!(true), true),
            (json!(25), json!(25.0), true),
            (json!(["a", "b"]), json!(["b", "a"]), true),
            (json!(["a"]), json!(["a", "b"]), false),
            (json!(["a", "b"]), json!(["a", "c"]), false),
            (
                json!({"Mode": "Active"}),
                json!({"Mode": "Active", "X": 1}),
                true,
            ),
            (json!({"Mode": "Active"}), json!({"X": 1}), false),
            (json!(null), json!([]), true),
            (json!(null), json!(false), false),
            (json!("a"), json!("b"), false),
        ];
        for (expected, actual, is_same) in cases {
            assert_eq!(same(&expected, &actual), is_same, "{expected} {actual}");
        }
    }

    #[test]
    fn only_what_was_read_is_compared_and_what_is_unknown_is_told() {
        let expected = json!({"A": 1, "B": 2, "C": {"Fn::GetAtt": ["X", "Y"]}, "D": 4});
        let actual = json!({"A": 1, "B": 3, "C": "x", "E": ["new"]});
        let findings = compare(
            Detector::Function,
            "F",
            &expected,
            &actual,
            |_| Severity::Low,
            "cure",
        );
        let told: Vec<_> = findings
            .iter()
            .map(|finding| (finding.id.as_str(), finding.kind))
            .collect();
        assert_eq!(
            told,
            [
                ("function.B:F", Kind::Drift),
                ("function.C:F", Kind::NotChecked),
                ("function.E:F", Kind::Drift),
            ]
        );
        assert_eq!(findings[0].expected.as_deref(), Some("2"));
        assert_eq!(findings[0].actual.as_deref(), Some("3"));
    }
}
