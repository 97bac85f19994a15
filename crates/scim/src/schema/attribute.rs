//! What an attribute is (RFC 7643 sections 2.2, 2.3 and 7).
//!
//! Definitions are data, written with a builder so that a schema reads like the
//! tables of the RFC: `Attribute::string("userName").required().unique(Uniqueness::Server)`.
//! The same data answers `/Schemas` and drives parsing, filters, PATCH and projection.

use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::Value;

use crate::comparison::Comparison;

/// The data type of an attribute (RFC 7643 section 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum AttributeType {
    /// UTF-8 text.
    String,
    /// `true` or `false`.
    Boolean,
    /// A real number with at least one digit on either side of the point.
    Decimal,
    /// A whole number.
    Integer,
    /// An XML Schema dateTime, such as `2008-01-23T04:56:22Z`.
    DateTime,
    /// Bytes in base64.
    Binary,
    /// A URI.
    Reference,
    /// An object of simple attributes.
    Complex,
}

impl AttributeType {
    /// Whether values are texts that are compared as such.
    const fn is_text(self) -> bool {
        matches!(self, Self::String | Self::Reference | Self::Binary)
    }
}

/// When a client may write an attribute (RFC 7643 section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Mutability {
    /// Only the service writes it.
    ReadOnly,
    /// Anyone may write it at any time.
    ReadWrite,
    /// Written once.
    Immutable,
    /// Written, never read: passwords.
    WriteOnly,
}

/// When an attribute is part of an answer (RFC 7643 section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Returned {
    /// In every answer, whatever the client asks for.
    Always,
    /// In no answer.
    Never,
    /// Unless the client asks for other attributes or excludes it.
    Default,
    /// Only if the client asks for it by name.
    Request,
}

/// Where a value must be unique (RFC 7643 section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Uniqueness {
    /// Nowhere.
    None,
    /// Within the service.
    Server,
    /// In the whole world.
    Global,
}

/// An attribute or sub-attribute; serializes as in `/Schemas`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// The name in its canonical spelling; compared without case.
    pub name: String,
    /// The data type.
    pub kind: AttributeType,
    /// Whether the value is an array.
    pub multi_valued: bool,
    /// What the attribute means, for people.
    pub description: String,
    /// Whether a resource must have it.
    pub required: bool,
    /// The value of a new resource for which the client sends none. An attribute with a
    /// default always has a value: a request that unassigns it changes nothing. Not part of
    /// `/Schemas`.
    pub default: Option<Value>,
    /// Values that are suggested; others are accepted. `/Schemas` lists those of text only:
    /// they are texts.
    pub canonical_values: Vec<String>,
    /// How text is compared; announced as `caseExact`.
    pub comparison: Comparison,
    /// When a client may write it.
    pub mutability: Mutability,
    /// When it is part of an answer.
    pub returned: Returned,
    /// Where its value must be unique.
    pub uniqueness: Uniqueness,
    /// What a reference may point to: resource type names, `external`, `uri`.
    pub reference_types: Vec<String>,
    /// The attributes inside a complex one.
    pub sub_attributes: Vec<Attribute>,
}

impl Serialize for Attribute {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_text = self.kind.is_text();
        let mut document = serializer.serialize_struct("Attribute", 12)?;
        document.serialize_field("name", &self.name)?;
        document.serialize_field("type", &self.kind)?;
        document.serialize_field("multiValued", &self.multi_valued)?;
        document.serialize_field("description", &self.description)?;
        document.serialize_field("required", &self.required)?;
        if is_text && !self.canonical_values.is_empty() {
            document.serialize_field("canonicalValues", &self.canonical_values)?;
        }
        if is_text {
            let case_exact = self.comparison == Comparison::CaseExact;
            document.serialize_field("caseExact", &case_exact)?;
        }
        document.serialize_field("mutability", &self.mutability)?;
        document.serialize_field("returned", &self.returned)?;
        document.serialize_field("uniqueness", &self.uniqueness)?;
        if !self.reference_types.is_empty() {
            document.serialize_field("referenceTypes", &self.reference_types)?;
        }
        if !self.sub_attributes.is_empty() {
            document.serialize_field("subAttributes", &self.sub_attributes)?;
        }
        document.end()
    }
}

impl Attribute {
    /// An optional, single-valued, writable attribute.
    #[must_use]
    pub fn new(name: &str, kind: AttributeType) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            multi_valued: false,
            description: String::new(),
            required: false,
            default: None,
            canonical_values: Vec::new(),
            comparison: match kind {
                AttributeType::Reference | AttributeType::Binary => Comparison::CaseExact,
                _ => Comparison::CaseInsensitive,
            },
            mutability: Mutability::ReadWrite,
            returned: Returned::Default,
            uniqueness: Uniqueness::None,
            reference_types: Vec::new(),
            sub_attributes: Vec::new(),
        }
    }

    /// Text, compared without case unless [`case_exact`](Self::case_exact()) is added.
    #[must_use]
    pub fn string(name: &str) -> Self {
        Self::new(name, AttributeType::String)
    }

    /// `true` or `false`.
    #[must_use]
    pub fn boolean(name: &str) -> Self {
        Self::new(name, AttributeType::Boolean)
    }

    /// A whole number.
    #[must_use]
    pub fn integer(name: &str) -> Self {
        Self::new(name, AttributeType::Integer)
    }

    /// A point in time.
    #[must_use]
    pub fn date_time(name: &str) -> Self {
        Self::new(name, AttributeType::DateTime)
    }

    /// A URI to one of the named resource types, or `external`, or `uri`.
    #[must_use]
    pub fn reference(name: &str, types: &[&str]) -> Self {
        let mut attribute = Self::new(name, AttributeType::Reference);
        attribute.reference_types = types.iter().map(|&name| name.to_owned()).collect();
        attribute
    }

    /// An object of the given sub-attributes.
    #[must_use]
    pub fn complex(name: &str, sub_attributes: Vec<Self>) -> Self {
        let mut attribute = Self::new(name, AttributeType::Complex);
        attribute.sub_attributes = sub_attributes;
        attribute
    }

    /// Says what the attribute means.
    #[must_use]
    pub fn describe(mut self, description: &str) -> Self {
        description.clone_into(&mut self.description);
        self
    }

    /// Makes the value an array.
    #[must_use]
    pub fn multi_valued(mut self) -> Self {
        self.multi_valued = true;
        self
    }

    /// Makes it required.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Makes comparisons heed case.
    #[must_use]
    pub fn case_exact(self) -> Self {
        self.compared(Comparison::CaseExact)
    }

    /// Sets how text is compared.
    #[must_use]
    pub fn compared(mut self, comparison: Comparison) -> Self {
        self.comparison = comparison;
        self
    }

    /// Gives new resources a value, after which the attribute always has one.
    #[must_use]
    pub fn default(mut self, value: impl Into<Value>) -> Self {
        self.default = Some(value.into());
        self
    }

    /// Sets who may write it.
    #[must_use]
    pub fn mutability(mut self, mutability: Mutability) -> Self {
        self.mutability = mutability;
        self
    }

    /// Only the service writes it.
    #[must_use]
    pub fn read_only(self) -> Self {
        self.mutability(Mutability::ReadOnly)
    }

    /// Sets when it is returned.
    #[must_use]
    pub fn returned(mut self, returned: Returned) -> Self {
        self.returned = returned;
        self
    }

    /// Sets where it must be unique.
    #[must_use]
    pub fn unique(mut self, uniqueness: Uniqueness) -> Self {
        self.uniqueness = uniqueness;
        self
    }

    /// Suggests values.
    #[must_use]
    pub fn canonical(mut self, values: &[&str]) -> Self {
        self.canonical_values = values.iter().map(|&value| value.to_owned()).collect();
        self
    }

    /// The sub-attribute of this name, compared without case.
    #[must_use]
    pub fn sub_attribute(&self, name: &str) -> Option<&Self> {
        find(&self.sub_attributes, name)
    }
}

/// The attribute of this name, compared without case (RFC 7643 section 2.1).
pub(crate) fn find<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes
        .iter()
        .find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}
