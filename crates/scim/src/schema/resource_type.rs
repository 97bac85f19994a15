//! Schemas, and the resource types made of them (RFC 7643 sections 6 and 7).

use super::attribute::{self, Attribute};
use crate::path::AttributePath;

/// A named set of attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// The URN, in its canonical spelling.
    pub id: String,
    /// A short name for people.
    pub name: String,
    /// What the schema is for.
    pub description: String,
    /// The attributes.
    pub attributes: Vec<Attribute>,
    /// Attributes that the schema's specification has and this service has not, as
    /// `attribute` or `attribute.subAttribute`. Clients may send them: they are ignored
    /// wherever an unknown attribute would be an error.
    pub unsupported: Vec<String>,
}

impl Schema {
    /// The attribute of this name, compared without case.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        attribute::find(&self.attributes, name)
    }

    /// The attribute of this name, to change its definition.
    pub fn attribute_mut(&mut self, name: &str) -> Option<&mut Attribute> {
        self.attributes
            .iter_mut()
            .find(|attribute| attribute.name.eq_ignore_ascii_case(name))
    }

    /// Keeps only the named attributes (`emails`) and sub-attributes (`name.givenName`):
    /// a service announces what it supports. The others become
    /// [`unsupported`](Self::unsupported).
    #[must_use]
    pub fn keep(mut self, names: &[&str]) -> Self {
        let keeps = |name: &str| names.iter().any(|kept| kept.eq_ignore_ascii_case(name));
        let keeps_below = |prefix: &str| {
            names.iter().any(|kept| {
                kept.split_once('.')
                    .is_some_and(|(name, _)| name.eq_ignore_ascii_case(prefix))
            })
        };
        let mut unsupported = Vec::new();
        self.attributes.retain_mut(|attribute| {
            if keeps(&attribute.name) {
                return true;
            }
            if !keeps_below(&attribute.name) {
                unsupported.push(attribute.name.clone());
                return false;
            }
            attribute.sub_attributes.retain(|sub_attribute| {
                let name = format!("{}.{}", attribute.name, sub_attribute.name);
                let kept = keeps(&name);
                if !kept {
                    unsupported.push(name);
                }
                kept
            });
            true
        });
        self.unsupported.extend(unsupported);
        self
    }

    /// Whether the path below this schema names something unsupported.
    fn leaves_out(&self, path: &AttributePath) -> bool {
        self.unsupported
            .iter()
            .any(|name| match (name.split_once('.'), &path.sub_attribute) {
                (None, _) => name.eq_ignore_ascii_case(&path.attribute),
                (Some((attribute, sub_attribute)), Some(wanted)) => {
                    attribute.eq_ignore_ascii_case(&path.attribute)
                        && sub_attribute.eq_ignore_ascii_case(wanted)
                }
                (Some(_), None) => false,
            })
    }
}

/// A schema extension of a resource type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// The schema of the extension.
    pub schema: Schema,
    /// Whether every resource must have it.
    pub required: bool,
}

/// A kind of resource with an address of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceType {
    /// The name, such as `User`; also its id in `/ResourceTypes`.
    pub name: String,
    /// The address below the base, such as `/Users`.
    pub endpoint: String,
    /// What the resources are.
    pub description: String,
    /// The core schema.
    pub schema: Schema,
    /// The extensions that the resources may have.
    pub extensions: Vec<Extension>,
    /// The attributes that every resource has: schemas, id, externalId, meta
    /// (RFC 7643 section 3.1).
    pub(crate) common: Vec<Attribute>,
}

/// What an attribute path names within a resource type.
#[derive(Debug, Clone, Copy)]
pub struct Resolved<'a> {
    /// The extension's URN, under which the attribute stands; none for core attributes.
    pub extension: Option<&'a str>,
    /// The attribute; none where the path names a schema as a whole.
    pub attribute: Option<&'a Attribute>,
    /// The sub-attribute.
    pub sub_attribute: Option<&'a Attribute>,
}

impl Resolved<'_> {
    /// The canonical spelling: `emails.value`, `urn:…:User:department`.
    #[must_use]
    pub fn canonical(&self) -> String {
        let mut text = self.extension.unwrap_or_default().to_owned();
        if let Some(attribute) = self.attribute {
            if self.extension.is_some() {
                text.push(':');
            }
            text.push_str(&attribute.name);
        }
        if let Some(sub_attribute) = self.sub_attribute {
            text.push('.');
            text.push_str(&sub_attribute.name);
        }
        text
    }
}

impl ResourceType {
    /// A resource type without extensions.
    #[must_use]
    pub fn new(name: &str, endpoint: &str, schema: Schema) -> Self {
        Self {
            name: name.to_owned(),
            endpoint: endpoint.to_owned(),
            description: schema.description.clone(),
            schema,
            extensions: Vec::new(),
            common: super::core::common_attributes(),
        }
    }

    /// Adds an extension that resources may have.
    #[must_use]
    pub fn extended_by(mut self, schema: Schema) -> Self {
        self.extensions.push(Extension {
            schema,
            required: false,
        });
        self
    }

    /// The core attribute of this name, the common ones included. A definition in
    /// the schema takes precedence over the common one.
    #[must_use]
    pub fn core_attribute(&self, name: &str) -> Option<&Attribute> {
        self.schema
            .attribute(name)
            .or_else(|| attribute::find(&self.common, name))
    }

    /// All core attributes, the common ones included, each name once.
    pub fn core_attributes(&self) -> impl Iterator<Item = &Attribute> {
        let redefined = |common: &&Attribute| self.schema.attribute(&common.name).is_none();
        self.common
            .iter()
            .filter(redefined)
            .chain(&self.schema.attributes)
    }

    /// The extension of this URN, compared without case.
    #[must_use]
    pub fn extension(&self, urn: &str) -> Option<&Extension> {
        self.extensions
            .iter()
            .find(|extension| extension.schema.id.eq_ignore_ascii_case(urn))
    }

    /// Finds what a path names; none if the resource type knows no such attribute.
    #[must_use]
    pub fn resolve(&self, path: &AttributePath) -> Option<Resolved<'_>> {
        let (extension, attribute) = match &path.schema {
            None => (None, self.core_attribute(&path.attribute)?),
            Some(urn) if urn.eq_ignore_ascii_case(&self.schema.id) => {
                (None, self.core_attribute(&path.attribute)?)
            }
            Some(urn) => match self.extension(urn) {
                Some(extension) => (
                    Some(extension.schema.id.as_str()),
                    extension.schema.attribute(&path.attribute)?,
                ),
                None => return self.resolve_by_last_word(path, urn),
            },
        };
        let sub_attribute = match &path.sub_attribute {
            None => None,
            Some(name) => Some(attribute.sub_attribute(name)?),
        };
        Some(Resolved {
            extension,
            attribute: Some(attribute),
            sub_attribute,
        })
    }

    /// Finds what a path in a request names: an unqualified name may be an extension's, as
    /// in Entra ID's documentation (`"path": "manager"`, `filter=manager eq "…"`).
    pub(crate) fn resolve_leniently(&self, path: &AttributePath) -> Option<Resolved<'_>> {
        let in_extension = |extension: &Extension| {
            let schema = Some(extension.schema.id.clone());
            self.resolve(&AttributePath {
                schema,
                ..path.clone()
            })
        };
        self.resolve(path).or_else(|| match path.schema {
            None => self.extensions.iter().find_map(in_extension),
            Some(_) => None,
        })
    }

    /// The URN of a schema looks like an attribute of a shorter URN, `urn:…:enterprise:2.0`
    /// and `User`, and an attribute behind a dot like its sub-attribute.
    fn resolve_by_last_word(&self, path: &AttributePath, urn: &str) -> Option<Resolved<'_>> {
        let urn = format!("{urn}:{}", path.attribute);
        let extension = self.extension(&urn);
        if extension.is_none() && !urn.eq_ignore_ascii_case(&self.schema.id) {
            return None;
        }
        let attribute = match (&path.sub_attribute, extension) {
            (None, _) => None,
            (Some(name), Some(extension)) => Some(extension.schema.attribute(name)?),
            (Some(name), None) => Some(self.core_attribute(name)?),
        };
        Some(Resolved {
            extension: extension.map(|extension| extension.schema.id.as_str()),
            attribute,
            sub_attribute: None,
        })
    }

    /// Whether the URN of a path is that of a schema of this type, or one that the RFCs
    /// reserve, so that an attribute that is not there is a mistake. A path without a URN
    /// belongs to this type.
    pub(crate) fn knows_schema(&self, path: &AttributePath) -> bool {
        const RESERVED: &str = "urn:ietf:params:scim:schemas:core:";
        let Some(urn) = &path.schema else { return true };
        let is_known =
            |urn: &str| urn.eq_ignore_ascii_case(&self.schema.id) || self.extension(urn).is_some();
        is_known(urn)
            || is_known(&format!("{urn}:{}", path.attribute))
            || format!("{urn}:")
                .get(..RESERVED.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(RESERVED))
    }

    /// Whether a path names an attribute that the schema's specification has and this
    /// service has not.
    #[must_use]
    pub fn leaves_out(&self, path: &AttributePath) -> bool {
        match &path.schema {
            None => self.schema.leaves_out(path),
            Some(urn) if urn.eq_ignore_ascii_case(&self.schema.id) => self.schema.leaves_out(path),
            Some(urn) => self
                .extension(urn)
                .is_some_and(|extension| extension.schema.leaves_out(path)),
        }
    }
}
