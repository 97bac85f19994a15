//! The source of a value: one attribute of the directory, or a template that joins several.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use regex::Regex;
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
    /// Text that is copied.
    Literal(String),
    /// The name of an attribute, in lower case.
    Attribute(String),
}

/// Not a source.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSource {
    /// No attribute has such a name (RFC 4512, section 2.5).
    #[error(
        "`{0}` is not the name of a directory attribute: letters, digits and hyphens, or an \
         object identifier such as 2.5.4.4"
    )]
    Name(String),
    /// A brace is missing, or one too many.
    #[error("the braces of `{0}` do not match; a template looks like `{{givenName}} {{sn}}`")]
    Braces(String),
    /// A template without an attribute would give every user the same value.
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
    let is_short = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_identifier = name.contains('.') && name.split('.').all(is_number);
    if is_short || is_identifier {
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

    /// The values, in ascending order, each once: the values of an attribute are a set (RFC 4511,
    /// section 4.1.7), and a template has one for each combination. Empty where one of the
    /// attributes has none: half a template is no value.
    #[must_use]
    pub fn values(&self, attributes: &Attributes) -> Vec<String> {
        // The usual case, without an allocation for each combination: a large company has a
        // million values.
        if let [Part::Attribute(name)] = &*self.parts {
            let values = trimmed_values(attributes, name).into_iter();
            return values.map(str::to_owned).collect();
        }
        let mut values = vec![String::new()];
        for part in &self.parts {
            match part {
                Part::Literal(text) => values.iter_mut().for_each(|value| value.push_str(text)),
                Part::Attribute(name) => {
                    let of_attribute = trimmed_values(attributes, name);
                    // Of a template with more combinations, the others are never chosen.
                    let room = (MAX_COMBINATIONS / values.len().max(1)).max(1);
                    values = values
                        .iter()
                        .flat_map(|begin| {
                            let ends = of_attribute.iter().take(room);
                            ends.map(move |end| format!("{begin}{end}"))
                        })
                        .collect();
                }
            }
        }
        let values: BTreeSet<&str> = values
            .iter()
            .map(|value| trimmed(value))
            .filter(|value| !value.is_empty())
            .collect();
        values.into_iter().map(str::to_owned).collect()
    }
}

/// How many combinations of values a template may have.
const MAX_COMBINATIONS: usize = 100;

fn trimmed_values<'a>(attributes: &'a Attributes, name: &str) -> Vec<&'a str> {
    let values = attributes.get(name).into_iter().flatten();
    let mut values: Vec<&str> = values
        .map(|value| trimmed(value))
        .filter(|value| !value.is_empty())
        .collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// Without the spaces and the format characters at its ends, such as the byte order mark and the
/// zero-width space that come with copied text.
fn trimmed(value: &str) -> &str {
    let value = value.trim();
    if value.is_ascii() {
        return value;
    }
    INVISIBLE_BEGIN
        .find(value)
        .map_or(value, |found| &value[found.end()..])
        .trim_end_matches(|character: char| {
            character.is_whitespace()
                || !character.is_ascii() && FORMAT.is_match(character.encode_utf8(&mut [0; 4]))
        })
}

static INVISIBLE_BEGIN: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[\s\p{Cf}]+"));

static FORMAT: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\p{Cf}$"));

#[expect(clippy::expect_used, reason = "constants; the tests use both")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern of this file")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes() -> Attributes {
        [
            ("givenname", vec![" Ada "]),
            ("sn", vec!["Lovelace"]),
            ("mail", vec!["", "b@example.test", "a@example.test "]),
            ("ou", vec!["Two", "One"]),
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
            ("mail", &["a@example.test", "b@example.test"][..]),
            ("MAIL", &["a@example.test", "b@example.test"]),
            ("{givenName} {sn}", &["Ada Lovelace"]),
            ("{sn}, {givenName} (staff)", &["Lovelace, Ada (staff)"]),
            (
                "{ou} {mail}",
                &[
                    "One a@example.test",
                    "One b@example.test",
                    "Two a@example.test",
                    "Two b@example.test",
                ],
            ),
            ("title", &[]),
            ("department", &[]),
            ("{givenName} {department}", &[]),
        ];
        for (source, values) in cases {
            let source: Source = source.parse().unwrap();
            assert_eq!(source.values(&attributes()), values, "{source}");
        }
    }

    #[test]
    fn a_template_has_a_limited_number_of_combinations() {
        let many = (0..1000).map(|number| format!("{number:04}")).collect();
        let attributes = [("ou".to_owned(), many)].into();
        let source: Source = "{ou}{ou}{ou}".parse().unwrap();
        let values = source.values(&attributes);
        assert_eq!(values.len(), MAX_COMBINATIONS);
        assert_eq!(values[0], "000000000000");
    }

    #[test]
    fn invisible_characters_at_the_ends_are_removed() {
        let invisible = [
            '\u{200b}', '\u{200d}', '\u{ad}', '\u{202f}', '\u{feff}', '\u{a0}',
        ];
        let source: Source = "sn".parse().unwrap();
        for character in invisible {
            let values = [
                (format!("{character}Ärger"), "Ärger".to_owned()),
                (format!("Ärger {character} "), "Ärger".to_owned()),
                (format!("Ada{character}"), "Ada".to_owned()),
                (format!("A{character}B"), format!("A{character}B")),
                // A letter of which the joiner is a part.
                ("ශ්\u{200d}රී".to_owned(), "ශ්\u{200d}රී".to_owned()),
            ];
            for (value, expected) in values {
                let attributes = [("sn".to_owned(), vec![value.clone()])].into();
                assert_eq!(source.values(&attributes), [expected], "{value:?}");
            }
            let attributes = [("sn".to_owned(), vec![character.to_string()])].into();
            assert!(source.values(&attributes).is_empty(), "{character:?}");
        }
    }

    #[test]
    fn an_attribute_may_be_named_by_its_object_identifier() {
        let source: Source = "{2.5.4.4}, {givenName}".parse().unwrap();
        assert_eq!(
            source.attributes().collect::<Vec<_>>(),
            ["2.5.4.4", "givenname"]
        );
    }

    #[test]
    fn an_invalid_source_is_refused_with_the_reason() {
        let cases = [
            ("", "not the name"),
            ("given name", "not the name"),
            ("{}", "not the name"),
            ("2.5.", "not the name"),
            ("2", "not the name"),
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
