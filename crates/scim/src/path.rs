//! Attribute paths (RFC 7644 section 3.10) and PATCH paths (section 3.5.2, figure 7).
//!
//! ```text
//! attrPath  = [URI ":"] ATTRNAME *1subAttr
//! PATH      = attrPath / valuePath [subAttr]
//! valuePath = attrPath "[" valFilter "]"
//! ```
//!
//! Paths are parsed without a schema, so that one parser serves filters, PATCH and
//! projection; [`ResourceType::resolve`](crate::schema::ResourceType::resolve) then says what a path names.

use std::fmt;
use std::str::FromStr;

use crate::error::{ScimError, ScimType};
use crate::filter::{Filter, parse_bracketed};

/// The longest path that is read, in bytes.
const MAX_LENGTH: usize = 8 * 1024;

/// The name of an attribute or sub-attribute, optionally qualified by a schema URN.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AttributePath {
    /// The schema URN, as it was written.
    pub schema: Option<String>,
    /// The attribute's name, as it was written.
    pub attribute: String,
    /// The sub-attribute's name, as it was written.
    pub sub_attribute: Option<String>,
}

impl AttributePath {
    /// An unqualified attribute.
    #[must_use]
    pub fn attribute(name: &str) -> Self {
        Self {
            schema: None,
            attribute: name.to_owned(),
            sub_attribute: None,
        }
    }

    /// Splits `urn:…:attribute.sub`. The URN ends at the last colon, because
    /// attribute names have none; version numbers put dots into the URN itself. Behind
    /// `urn:…:User.attribute.sub`, which some clients send, it ends at the first dot.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (schema, name) = match text.rsplit_once(':') {
            Some((urn, name)) => match name.split_once('.') {
                Some((last, name)) if name.contains('.') => {
                    (Some(&text[..=urn.len() + last.len()]), name)
                }
                _ => (Some(urn), name),
            },
            None => (None, text),
        };
        if let Some(urn) = schema
            && !is_urn(urn)
        {
            return None;
        }
        let (attribute, sub_attribute) = match name.split_once('.') {
            Some((attribute, sub_attribute)) => (attribute, Some(sub_attribute)),
            None => (name, None),
        };
        if !is_attribute_name(attribute) || !sub_attribute.is_none_or(is_attribute_name) {
            return None;
        }
        Some(Self {
            schema: schema.map(str::to_owned),
            attribute: attribute.to_owned(),
            sub_attribute: sub_attribute.map(str::to_owned),
        })
    }
}

/// ATTRNAME starts with a letter; `$ref` is the exception that RFC 7643 makes.
pub(crate) fn is_attribute_name(name: &str) -> bool {
    let name = name.strip_prefix('$').unwrap_or(name);
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .chars()
            .all(|next| next.is_ascii_alphanumeric() || next == '-' || next == '_')
}

fn is_urn(text: &str) -> bool {
    text.get(..4)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("urn:"))
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b":.-_+$'*/,=@".contains(&byte))
}

impl FromStr for AttributePath {
    type Err = ScimError;

    fn from_str(text: &str) -> Result<Self, ScimError> {
        Self::parse(text.trim()).ok_or_else(|| {
            ScimError::of(
                ScimType::InvalidPath,
                "an attribute path looks like name.familyName",
            )
        })
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(formatter, "{schema}:")?;
        }
        formatter.write_str(&self.attribute)?;
        match &self.sub_attribute {
            Some(sub_attribute) => write!(formatter, ".{sub_attribute}"),
            None => Ok(()),
        }
    }
}

/// The path of a PATCH operation: `emails[type eq "work"].value`.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchPath {
    /// The attribute, and the sub-attribute behind the filter if there is one.
    pub path: AttributePath,
    /// Which values of a multi-valued attribute are meant.
    pub filter: Option<Filter>,
}

impl FromStr for PatchPath {
    type Err = ScimError;

    /// # Errors
    ///
    /// `invalidPath` for anything the grammar does not allow.
    fn from_str(text: &str) -> Result<Self, ScimError> {
        let invalid = |reason: &str| {
            ScimError::of(
                ScimType::InvalidPath,
                format!("the path is malformed: {reason}"),
            )
        };
        let text = text.trim();
        if text.len() > MAX_LENGTH {
            return Err(invalid("it is too long"));
        }
        let Some((attribute, rest)) = text.split_once('[') else {
            let path = AttributePath::parse(text)
                .ok_or_else(|| invalid("expected an attribute such as name.givenName"))?;
            return Ok(Self { path, filter: None });
        };
        let mut path = AttributePath::parse(attribute.trim_end())
            .filter(|path| path.sub_attribute.is_none())
            .ok_or_else(|| invalid("expected an attribute before the bracket"))?;
        let (filter, rest) = parse_bracketed(rest).map_err(|error| invalid(&error.detail))?;
        match rest.strip_prefix('.') {
            Some(name) if is_attribute_name(name) => path.sub_attribute = Some(name.to_owned()),
            None if rest.is_empty() => {}
            _ => {
                return Err(invalid(
                    "expected .subAttribute or nothing after the bracket",
                ));
            }
        }
        Ok(Self {
            path,
            filter: Some(filter),
        })
    }
}

impl fmt::Display for PatchPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(filter) = &self.filter else {
            return self.path.fmt(formatter);
        };
        let AttributePath {
            schema,
            attribute,
            sub_attribute,
        } = &self.path;
        if let Some(schema) = schema {
            write!(formatter, "{schema}:")?;
        }
        write!(formatter, "{attribute}[{filter}]")?;
        match sub_attribute {
            Some(sub_attribute) => write!(formatter, ".{sub_attribute}"),
            None => Ok(()),
        }
    }
}
