//! Where a value comes from: one attribute of the directory, or several joined by a
//! template.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::snapshot::Attributes;

/// `mail`, or `{givenName} {sn}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Source {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// Stands as it is.
    Literal(String),
    /// The name of an attribute, in lower case.
    Attribute(String),
}

/// Not a source.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSource {
    /// No attribute has such a name (RFC 4512, section 2.5).
    #[error("`{0}` is not the name of a directory attribute: letters, digits and hyphens")]
    Name(String),
    /// A brace is missing, or one too many.
    #[error("the braces of `{0}` do not match; a template looks like `{{givenName}} {{sn}}`")]
    Braces(String),
    /// A template in which no attribute stands would give everybody the same value.
    #[error("`{0}` names no attribute")]
    NoAttribute(String),
}

impl FromStr for Source {
    type Err = InvalidSource;

    fn from_str(text: &str) -> Result<Self, InvalidSource> {
        let parts = if text.contains(['{', '}']) {
            template(text)?
        } else {
            vec![attribute(text)?]
        };
        if !parts.iter().any(|part| matches!(part, Part::Attribute(_))) {
            return Err(InvalidSource::NoAttribute(text.to_owned()));
        }
        Ok(Self {
            text: text.to_owned(),
            parts,
        })
    }
}

fn template(text: &str) -> Result<Vec<Part>, InvalidSource> {
    let unbalanced = || InvalidSource::Braces(text.to_owned());
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let (literal, behind) = (&rest[..open], &rest[open + 1..]);
        let close = behind.find('}').ok_or_else(unbalanced)?;
        if literal.contains('}') || behind[..close].contains('{') {
            return Err(unbalanced());
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal.to_owned()));
        }
        parts.push(attribute(&behind[..close])?);
        rest = &behind[close + 1..];
    }
    if rest.contains('}') {
        return Err(unbalanced());
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(rest.to_owned()));
    }
    Ok(parts)
}

fn attribute(name: &str) -> Result<Part, InvalidSource> {
    let valid = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if valid {
        Ok(Part::Attribute(name.to_ascii_lowercase()))
    } else {
        Err(InvalidSource::Name(name.to_owned()))
    }
}

impl TryFrom<String> for Source {
    type Error = InvalidSource;

    fn try_from(text: String) -> Result<Self, InvalidSource> {
        text.parse()
    }
}

impl From<Source> for String {
    fn from(source: Source) -> Self {
        source.text
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Source {
    /// The attributes that it reads, in lower case.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Attribute(name) => Some(name.as_str()),
            Part::Literal(_) => None,
        })
    }

    /// The value, without spaces at its ends; of an attribute with several values, the first.
    /// None where one of the attributes has none: half a template is no value.
    #[must_use]
    pub fn value(&self, attributes: &Attributes) -> Option<String> {
        let mut value = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => value.push_str(text),
                Part::Attribute(name) => value.push_str(first(attributes, name)?),
            }
        }
        let trimmed = value.trim();
        (!trimmed.is_empty()).then(|| trimmed.to_owned())
    }
}

fn first<'a>(attributes: &'a Attributes, name: &str) -> Option<&'a str> {
    attributes
        .get(name)?
        .iter()
        .map(|value| value.trim())
        .find(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes() -> Attributes {
        [
            ("givenname", vec![" Ada "]),
            ("sn", vec!["Lovelace"]),
            ("mail", vec!["", "ada@example.test", "a@example.test"]),
            ("title", vec!["  "]),
        ]
        .into_iter()
        .map(|(name, values)| {
            let values = values.into_iter().map(str::to_owned).collect();
            (name.to_owned(), values)
        })
        .collect()
    }

    #[test]
    fn a_value_comes_from_an_attribute_or_a_template() {
        let cases = [
            ("mail", Some("ada@example.test")),
            ("MAIL", Some("ada@example.test")),
            ("{givenName} {sn}", Some("Ada Lovelace")),
            ("{sn}, {givenName} (staff)", Some("Lovelace, Ada (staff)")),
            ("title", None),
            ("department", None),
            ("{givenName} {department}", None),
        ];
        for (source, value) in cases {
            let source: Source = source.parse().unwrap();
            assert_eq!(source.value(&attributes()).as_deref(), value, "{source}");
        }
    }

    #[test]
    fn what_is_no_source_is_refused_with_the_reason() {
        let cases = [
            ("", "not the name"),
            ("given name", "not the name"),
            ("{}", "not the name"),
            ("{sn", "do not match"),
            ("sn}", "do not match"),
            ("{sn}}", "do not match"),
            ("{{sn}", "do not match"),
        ];
        for (source, reason) in cases {
            let error = source.parse::<Source>().unwrap_err().to_string();
            assert!(error.contains(reason), "{source}: {error}");
        }
    }
}
