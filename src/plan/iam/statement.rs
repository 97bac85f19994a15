//! Statements of a policy, taken apart into single permissions.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use super::condition;
use crate::plan::expression::{function, is_function, readable};

/// One principal, one action, one resource, one condition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Atom {
    pub(super) effect: String,
    pub(super) principal: Option<String>,
    pub(super) action: Element,
    pub(super) resource: Element,
    /// Canonical JSON.
    condition: Option<String>,
}

/// What a statement names by `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Element {
    /// A trust policy has no resource.
    Absent,
    /// One of those named; with `*` and `?` as wildcards.
    Is(String),
    /// All but those named.
    Not(BTreeSet<String>),
}

impl fmt::Display for Element {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => Ok(()),
            Self::Is(text) => formatter.write_str(text),
            Self::Not(texts) => {
                let texts: Vec<_> = texts.iter().map(String::as_str).collect();
                write!(formatter, "all but {}", texts.join(", "))
            }
        }
    }
}

/// What a statement that cannot be read stands as: nothing covers it.
const UNCLEAR: &str = "Unclear";

impl Atom {
    pub(super) fn is_deny(&self) -> bool {
        self.effect == "Deny"
    }

    /// Whether the statement could be read.
    pub(super) fn is_clear(&self) -> bool {
        self.effect == "Allow" || self.is_deny()
    }

    /// The condition, readable.
    pub(super) fn condition_text(&self) -> Option<String> {
        let condition = serde_json::from_str(self.condition.as_deref()?).ok()?;
        Some(condition::text(&condition))
    }

    /// Whether this permission (or denial) includes another one for certain.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.is_clear()
            && self.effect == other.effect
            && principal_covers(self.principal.as_deref(), other.principal.as_deref())
            && self.action.covers(&other.action, true)
            && self.resource.covers(&other.resource, false)
            && condition::covers(self.condition.as_deref(), other.condition.as_deref())
    }
}

/// AWS IAM User Guide, "Principal": `*` is everyone.
fn principal_covers(wide: Option<&str>, narrow: Option<&str>) -> bool {
    wide == narrow || (wide == Some(EVERYONE) && narrow.is_some())
}

const EVERYONE: &str = "everyone";

impl Element {
    fn covers(&self, other: &Self, ignore_case: bool) -> bool {
        match (self, other) {
            (Self::Absent, Self::Absent) => true,
            (Self::Is(pattern), Self::Is(text)) if ignore_case => {
                matches(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase())
            }
            (Self::Is(pattern), Self::Is(text)) => matches(pattern, text),
            (Self::Is(pattern), Self::Not(_)) => pattern == "*",
            // Fewer exceptions are more.
            (Self::Not(few), Self::Not(many)) => few.is_subset(many),
            _ => false,
        }
    }
}

/// Whether a pattern with `*` (any text) and `?` (any character) includes all that
/// another pattern or text does.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    // Iterative, with a way back to the last `*`: patterns come from files.
    let (mut at, mut position) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while position < text.len() {
        match pattern.get(at) {
            Some('*') => {
                last_star = Some((at, position));
                at += 1;
            }
            // A `*` of the text stands for more than one character.
            Some(wanted)
                if *wanted == text[position] || (*wanted == '?' && text[position] != '*') =>
            {
                at += 1;
                position += 1;
            }
            _ => match last_star {
                Some((star, from)) => {
                    at = star + 1;
                    position = from + 1;
                    last_star = Some((star, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

/// The permissions of a policy document.
pub(super) fn atoms(document: &Value) -> BTreeSet<Atom> {
    let statement = &document["Statement"];
    match statement {
        Value::Array(statements) => statements.iter().flat_map(of_statement).collect(),
        Value::Null => BTreeSet::new(),
        statement => of_statement(statement).into_iter().collect(),
    }
}

fn of_statement(statement: &Value) -> Vec<Atom> {
    let (Some(effect), false) = (statement["Effect"].as_str(), is_function(statement)) else {
        return vec![Atom {
            effect: UNCLEAR.to_owned(),
            principal: None,
            action: Element::Is(readable(statement)),
            resource: Element::Absent,
            condition: None,
        }];
    };
    let condition = statement.get("Condition").map(condition::canonical);
    let mut atoms = Vec::new();
    for principal in principals(statement) {
        for action in elements(statement, "Action", "NotAction") {
            for resource in elements(statement, "Resource", "NotResource") {
                atoms.push(Atom {
                    effect: effect.to_owned(),
                    principal: principal.clone(),
                    action: action.clone(),
                    resource,
                    condition: condition.clone(),
                });
            }
        }
    }
    atoms
}

fn elements(statement: &Value, positive: &str, negative: &str) -> Vec<Element> {
    if let Some(value) = statement.get(positive) {
        return list(value).map(|item| Element::Is(text(item))).collect();
    }
    match statement.get(negative) {
        Some(value) => vec![Element::Not(list(value).map(text).collect())],
        None => vec![Element::Absent],
    }
}

fn principals(statement: &Value) -> Vec<Option<String>> {
    if let Some(others) = statement.get("NotPrincipal") {
        return vec![Some(format!("all but {}", readable(others)))];
    }
    match statement.get("Principal") {
        None => vec![None],
        Some(Value::Object(kinds)) if !is_function(&statement["Principal"]) => kinds
            .iter()
            .flat_map(|(kind, names)| {
                list(names).map(move |name| match (kind.as_str(), text(name)) {
                    ("AWS", name) if name == "*" => Some(EVERYONE.to_owned()),
                    (kind, name) => Some(format!("{kind} {name}")),
                })
            })
            .collect(),
        Some(value) if value == "*" => vec![Some(EVERYONE.to_owned())],
        Some(value) => vec![Some(readable(value))],
    }
}

/// A value, or the values in a list of them.
pub(super) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(items) => items.iter(),
        single => std::slice::from_ref(single).iter(),
    }
}

/// A name as it is compared and shown: as in `Fn::Sub`, so that wildcards in it work and
/// `!GetAtt Table.Arn` is `!Sub ${Table.Arn}`.
fn text(value: &Value) -> String {
    if let Value::String(text) = value {
        return text.clone();
    }
    match value.as_object().and_then(function) {
        Some(("Sub", Value::String(text))) => text.clone(),
        Some(("Ref", Value::String(name))) => format!("${{{name}}}"),
        Some(("GetAtt", Value::Array(parts))) => {
            let parts: Vec<_> = parts.iter().map(readable).collect();
            format!("${{{}}}", parts.join("."))
        }
        _ => readable(value),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_pattern_includes_texts_and_narrower_patterns() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "a*b", true),
            ("ssm:Get*", "ssm:GetParameter", true),
            ("ssm:Get*", "ssm:Get*", true),
            ("ssm:GetP*", "ssm:Get*", false),
            ("ssm:GetParameter", "ssm:Get*", false),
            ("a*c", "abc", true),
            ("a*c", "ab", false),
            ("a*b*c", "a-b-b-c", true),
            ("a?c", "abc", true),
            ("a?c", "a*c", false),
            ("a", "a", true),
            ("a", "", false),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
