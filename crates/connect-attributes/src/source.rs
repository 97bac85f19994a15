//! One SCIM path that feeds a field, and lists of them.
//!
//! A path is checked when it is read: it names an attribute that Users have, that is kept
//! with the user, and that is one value or has a `value`. So reading a user with it cannot
//! fail; what is not there is no value.

use std::fmt;
use std::str::FromStr;

use scim::{
    Resource, ScimError,
    path::PatchPath,
    schema::{Attribute, AttributeType, Mutability},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use crate::schema::user;

/// A SCIM path (RFC 7644 section 3.5.2, figure 7) whose values feed a field:
/// `roles`, `emails[type eq "work"].value`, `urn:…:enterprise:2.0:User:department`.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    path: PatchPath,
    /// The attribute's sub-attribute that holds the value, in the schema's spelling.
    pub(crate) leaf: Option<&'static str>,
    pub(crate) is_multi_valued: bool,
}

/// Why a text is no source; made to follow the name of what the text was given for.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum SourceError {
    /// It does not follow the grammar of paths.
    #[error("must be a SCIM path such as emails[type eq \"work\"].value: {0}")]
    Path(String),
    /// No such attribute.
    #[error(
        "names `{0}`, which is no attribute of a SCIM User here; /Schemas lists those that are"
    )]
    Unknown(String),
    /// The attribute is the endpoint's own or is never kept.
    #[error("names `{0}`, which identity providers do not set, or which is not kept")]
    NotKept(String),
    /// The attribute is an object without a value of its own.
    #[error("names `{0}`, which has several parts: add one, such as `{0}.{1}`")]
    Several(String, String),
    /// A filter on what is a single value.
    #[error("filters `{0}`, which has one value only: remove the brackets")]
    Filtered(String),
}

impl From<ScimError> for SourceError {
    fn from(error: ScimError) -> Self {
        Self::Path(error.detail)
    }
}

impl FromStr for Source {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        let path: PatchPath = text.parse()?;
        let unknown = || SourceError::Unknown(path.path.to_string());
        let resolved = user().resolve(&path.path).ok_or_else(unknown)?;
        let attribute = resolved.attribute.ok_or_else(unknown)?;
        let name = || resolved.canonical();
        let leaf = resolved.sub_attribute.or_else(|| value_of(attribute));
        let named = leaf.unwrap_or(attribute);
        if named.kind == AttributeType::Complex {
            let part = named.sub_attributes.first();
            return Err(SourceError::Several(
                name(),
                part.map(|part| part.name.clone()).unwrap_or_default(),
            ));
        }
        let is_kept = |attribute: &Attribute| {
            !matches!(
                attribute.mutability,
                Mutability::ReadOnly | Mutability::WriteOnly
            )
        };
        if !is_kept(attribute) || !is_kept(named) {
            return Err(SourceError::NotKept(name()));
        }
        if path.filter.is_some() && !attribute.multi_valued {
            return Err(SourceError::Filtered(name()));
        }
        Ok(Self {
            leaf: leaf.map(|leaf| leaf.name.as_str()),
            is_multi_valued: attribute.multi_valued,
            path,
        })
    }
}

/// The significant part of a complex value (RFC 7643 section 2.4).
fn value_of(attribute: &Attribute) -> Option<&Attribute> {
    attribute
        .sub_attribute("value")
        .filter(|_| attribute.kind == AttributeType::Complex)
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(formatter)
    }
}

impl Source {
    /// The path.
    #[must_use]
    pub fn path(&self) -> &PatchPath {
        &self.path
    }

    /// The values of a User in canonical form as text, trimmed and without blank ones; of
    /// a multi-valued attribute the primary one first.
    fn texts(&self, resource: &Resource) -> Vec<String> {
        let mut values = self.path.select(resource, user());
        values.sort_by_key(|value| value.get("primary").and_then(Value::as_bool) != Some(true));
        values
            .into_iter()
            .filter_map(|value| match (self.leaf, value) {
                (Some(leaf), Value::Object(value)) => value.get(leaf),
                // Plain text in place of an object is its value.
                (Some("value") | None, value) => Some(value),
                (Some(_), _) => None,
            })
            .filter_map(text)
            .collect()
    }
}

fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// The paths that feed a field, in order of preference. Written as one path or as a list;
/// an empty list feeds the field with nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sources(Vec<Source>);

impl Sources {
    /// The paths, in order of preference.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Source> {
        self.0.iter()
    }

    /// The value that a User has for the field: the first one of the first path that
    /// names any.
    #[must_use]
    pub fn first(&self, resource: &Resource) -> Option<String> {
        self.0
            .iter()
            .find_map(|source| source.texts(resource).into_iter().next())
    }

    /// The names that all paths together give, in their order, with repetitions. A value of
    /// an attribute that is not multi-valued may hold several, separated by commas.
    #[must_use]
    pub fn names(&self, resource: &Resource) -> Vec<String> {
        self.0
            .iter()
            .flat_map(|source| {
                let texts = source.texts(resource);
                if source.is_multi_valued {
                    texts
                } else {
                    texts.iter().flat_map(|text| separated(text)).collect()
                }
            })
            .collect()
    }

    /// The names, separated by commas, that the first path gives that gives any.
    #[must_use]
    pub fn first_names(&self, resource: &Resource) -> Vec<String> {
        self.0
            .iter()
            .map(|source| {
                let texts = source.texts(resource);
                texts.iter().flat_map(|text| separated(text)).collect()
            })
            .find(|names: &Vec<String>| !names.is_empty())
            .unwrap_or_default()
    }
}

fn separated(text: &str) -> impl Iterator<Item = String> {
    text.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
}

impl FromIterator<Source> for Sources {
    fn from_iter<I: IntoIterator<Item = Source>>(sources: I) -> Self {
        Self(sources.into_iter().collect())
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Sources {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [only] => only.serialize(serializer),
            several => several.serialize(serializer),
        }
    }
}

struct SourceVisitor;

impl de::Visitor<'_> for SourceVisitor {
    type Value = Source;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("text: a SCIM path, such as \"roles\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Source, E> {
        text.parse().map_err(E::custom)
    }
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(SourceVisitor)
    }
}

struct SourcesVisitor;

impl<'de> de::Visitor<'de> for SourcesVisitor {
    type Value = Sources;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("text, a SCIM path such as \"roles\", or a list of them")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Sources, E> {
        SourceVisitor
            .visit_str(text)
            .map(|source| Sources(vec![source]))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Sources, A::Error> {
        let mut sources = Vec::new();
        while let Some(source) = items.next_element()? {
            sources.push(source);
        }
        Ok(Sources(sources))
    }
}

impl<'de> Deserialize<'de> for Sources {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SourcesVisitor)
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for Sources {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Sources".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["string", "array"],
            "minLength": 1,
            "items": {"type": "string", "minLength": 1},
            "examples": ["emails[type eq \"work\"].value"],
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sources(written: Value) -> Sources {
        serde_json::from_value(written).unwrap()
    }

    fn resource() -> Resource {
        let user = json!({
            "userType": "Agent, Admin,",
            "emails": [
                {"value": "home@example.com", "type": "home"},
                {"value": "work@example.com", "type": "Work"},
                {"value": "main@example.com", "primary": true},
            ],
            "roles": ["Sales, East", {"value": " "}, {"value": "Support"}],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Care"},
        });
        user.as_object().unwrap().clone()
    }

    #[test]
    fn the_first_value_of_the_first_path_that_has_one_counts() {
        for (written, expected) in [
            (json!("emails"), Some("main@example.com")),
            (json!("emails.type"), Some("home")),
            (
                json!("emails[type eq \"work\"].value"),
                Some("work@example.com"),
            ),
            (json!("emails[type eq \"work\"].display"), None),
            (
                json!(["emails[type eq \"other\"]", "nickName", "userType"]),
                Some("Agent, Admin,"),
            ),
            (
                json!("urn:ietf:params:scim:schemas:extension:Enterprise:2.0:User:Department"),
                Some("Care"),
            ),
            (json!([]), None),
        ] {
            let first = sources(written.clone()).first(&resource());
            assert_eq!(first.as_deref(), expected, "{written}");
        }
    }

    #[test]
    fn commas_separate_names_in_single_values_only() {
        assert_eq!(
            sources(json!(["userType", "roles"])).names(&resource()),
            ["Agent", "Admin", "Sales, East", "Support"]
        );
        assert_eq!(
            sources(json!(["nickName", "userType", "roles"])).first_names(&resource()),
            ["Agent", "Admin"]
        );
    }

    #[test]
    fn what_cannot_feed_a_field_is_refused_with_the_reason() {
        for (written, reason) in [
            ("", "must be a SCIM path"),
            ("emails[type eq", "must be a SCIM path"),
            ("favouriteColour", "no attribute"),
            ("emails.colour", "no attribute"),
            ("urn:example:User:shoeSize", "no attribute"),
            (
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
                "no attribute",
            ),
            ("name", "such as `name."),
            ("password", "not kept"),
            ("id", "identity providers do not set"),
            ("groups", "identity providers do not set"),
            ("userType[type eq \"work\"]", "remove the brackets"),
        ] {
            let error = written.parse::<Source>().unwrap_err().to_string();
            assert!(error.contains(reason), "{written}: {error}");
        }
    }

    #[test]
    fn sources_are_written_as_they_are_read() {
        for written in [
            json!("roles"),
            json!([]),
            json!(["entitlements", "emails[type eq \"work\"].value"]),
        ] {
            let read = serde_json::to_value(sources(written.clone())).unwrap();
            assert_eq!(read, written);
        }
    }
}
