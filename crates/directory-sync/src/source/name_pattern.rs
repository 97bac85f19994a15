//! Patterns for the names of groups.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A name in which `*` stands for any text and `?` for any character, compared without regard
/// to case, as directories do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NamePattern(String);

/// Why a text is no [`NamePattern`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a name must not be empty; `*` stands for all names")]
pub struct EmptyNamePattern;

impl NamePattern {
    /// Whether this is such a name.
    pub fn matches(&self, name: &str) -> bool {
        let pattern: Vec<char> = self.0.to_lowercase().chars().collect();
        let name: Vec<char> = name.to_lowercase().chars().collect();
        let (mut at, mut in_name) = (0, 0);
        // Where to go on when what follows the last `*` turns out not to fit.
        let mut retry = None;
        while in_name < name.len() {
            match pattern.get(at) {
                Some('*') => {
                    at += 1;
                    retry = Some((at, in_name));
                }
                Some(&character) if character == '?' || character == name[in_name] => {
                    at += 1;
                    in_name += 1;
                }
                _ => {
                    let Some((after_star, from)) = retry else {
                        return false;
                    };
                    at = after_star;
                    in_name = from + 1;
                    retry = Some((after_star, in_name));
                }
            }
        }
        pattern[at..].iter().all(|character| *character == '*')
    }
}

impl TryFrom<String> for NamePattern {
    type Error = EmptyNamePattern;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.is_empty() {
            return Err(EmptyNamePattern);
        }
        Ok(Self(text))
    }
}

impl From<NamePattern> for String {
    fn from(pattern: NamePattern) -> Self {
        pattern.0
    }
}

impl JsonSchema for NamePattern {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "NamePattern".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_stand_for_text() {
        let cases = [
            ("aws-*", "aws-admins", true),
            ("aws-*", "AWS-Admins", true),
            ("AWS-*", "aws-", true),
            ("aws-*", "saws-admins", false),
            ("*-admins", "aws-admins", true),
            ("*-admins", "aws-admins-2", false),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXbX", false),
            ("a?c", "äc", false),
            ("?c", "äc", true),
            ("*", "", true),
            ("aws", "aws", true),
            ("aws", "awsx", false),
            ("a.s", "aws", false),
        ];
        for (pattern, name, expected) in cases {
            let found = NamePattern::try_from(pattern.to_owned()).unwrap();
            assert_eq!(found.matches(name), expected, "{pattern} {name}");
        }
    }
}
