//! Resources in canonical form, and how what a client sends becomes one.
//!
//! Canonical form: attribute names spelled as in the schema, values of the schema's
//! types, extensions under their URN, nothing unassigned (no null, no empty array,
//! object or text), `schemas` naming exactly the schemas in use. Everything else in
//! this library expects and keeps that form.
//!
//! Clients send less orderly documents. The departures accepted here are those that
//! identity providers are known for: names in any case, booleans and numbers as text,
//! core attributes under the core URN, dotted and URN-qualified keys, plain text where
//! a complex value belongs, one value where an array belongs, attributes nobody knows.

mod coerce;
mod immutable;

use std::fmt;

use serde_json::{Map, Value};

use crate::error::{ScimError, ScimType};
use crate::path::AttributePath;
use crate::schema::{Attribute, Mutability, Resolved, ResourceType, ServiceDefinition};

pub(crate) use coerce::{
    coerce, coerce_element, is_primary, is_unassigned, whole_number, without_repetitions,
};
pub(crate) use immutable::{Absence, keep, keep_below};

/// Takes a member out of a document by its name without case.
pub(crate) fn take(document: &mut Map<String, Value>, name: &str) -> Option<Value> {
    let key = document
        .keys()
        .find(|key| key.eq_ignore_ascii_case(name))?
        .clone();
    document.remove(&key)
}

/// A resource in canonical form.
pub type Resource = Map<String, Value>;

/// What a client sent for a whole resource (POST and PUT), in canonical form.
#[derive(Clone, PartialEq)]
pub struct Incoming {
    /// What may be stored; read-only attributes have been left out.
    pub resource: Resource,
    /// Write-only attributes (a password), apart because they are never stored with
    /// the resource, returned or logged.
    pub write_only: Resource,
}

impl fmt::Debug for Incoming {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Incoming")
            .field("attributes", &self.resource.len())
            .finish_non_exhaustive()
    }
}

impl Incoming {
    /// Reads the body of a POST or PUT.
    ///
    /// # Errors
    ///
    /// `invalidSyntax` if the document is no object or lacks `schemas`; `invalidValue` if
    /// a value does not fit its attribute, a required attribute is missing, or the
    /// schemas belong to another resource type.
    pub fn from_json(
        document: Value,
        resource_type: &ResourceType,
        service: &ServiceDefinition,
    ) -> Result<Self, ScimError> {
        let Value::Object(document) = document else {
            return Err(ScimError::invalid_syntax("the body must be a JSON object"));
        };
        check_schemas(&document, resource_type, service)?;
        let mut incoming = Self {
            resource: Resource::new(),
            write_only: Resource::new(),
        };
        incoming.read(document, resource_type)?;
        require(&incoming.resource, resource_type, ScimType::InvalidValue)?;
        complete_schemas(&mut incoming.resource, resource_type);
        Ok(incoming)
    }

    fn read(
        &mut self,
        document: Map<String, Value>,
        resource_type: &ResourceType,
    ) -> Result<(), ScimError> {
        for (key, value) in document {
            match Member::of(&key, value, resource_type)? {
                Member::Attribute(resolved, value) => self.put(&resolved, value)?,
                Member::Members(members) => {
                    for (path, value) in members {
                        if let Some(resolved) = resource_type.resolve(&path) {
                            self.put(&resolved, value)?;
                        }
                    }
                }
                Member::Unassigned(_) | Member::Unknown(_) => {}
            }
        }
        Ok(())
    }

    fn put(&mut self, resolved: &Resolved<'_>, value: Value) -> Result<(), ScimError> {
        let Some(attribute) = resolved.attribute else {
            return Ok(());
        };
        let written = resolved.sub_attribute.unwrap_or(attribute);
        let target = match attribute.mutability {
            Mutability::ReadOnly => return Ok(()),
            Mutability::WriteOnly => &mut self.write_only,
            Mutability::ReadWrite | Mutability::Immutable => &mut self.resource,
        };
        if attribute.name == "schemas" || written.mutability == Mutability::ReadOnly {
            return Ok(());
        }
        let Some(value) = coerce(written, value, &resolved.canonical())? else {
            return Ok(());
        };
        let holder = match resolved.extension {
            None => target,
            Some(urn) => object_at(target, urn),
        };
        match resolved.sub_attribute {
            None => holder.insert(attribute.name.clone(), value),
            Some(_) if attribute.multi_valued => return Ok(()),
            Some(sub_attribute) => {
                object_at(holder, &attribute.name).insert(sub_attribute.name.clone(), value)
            }
        };
        Ok(())
    }
}

/// The object under a key, made if it is not there.
pub(crate) fn object_at<'a>(holder: &'a mut Resource, key: &str) -> &'a mut Resource {
    let value = holder
        .entry(key)
        .or_insert_with(|| Value::Object(Map::new()));
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(object) => object,
        // Not reached: the value has just been made an object.
        _ => unreachable!("the value under {key} is an object"),
    }
}

/// One key of a document, by what it means.
pub(crate) enum Member<'a> {
    /// An attribute, possibly qualified or dotted.
    Attribute(Resolved<'a>, Value),
    /// The attributes under a schema's URN.
    Members(Vec<(AttributePath, Value)>),
    /// An extension without a value, by its URN.
    Unassigned(&'a str),
    /// Nothing that the resource type knows.
    Unknown(Value),
}

impl<'a> Member<'a> {
    /// # Errors
    ///
    /// `invalidValue` if anything else than an object is under a schema's URN.
    pub(crate) fn of(
        key: &str,
        value: Value,
        resource_type: &'a ResourceType,
    ) -> Result<Self, ScimError> {
        let extension = resource_type.extension(key);
        let schema = match extension {
            Some(extension) => &extension.schema,
            None if key.eq_ignore_ascii_case(&resource_type.schema.id) => &resource_type.schema,
            None => {
                let path = AttributePath::parse(key);
                return Ok(match path.and_then(|path| resource_type.resolve(&path)) {
                    Some(resolved) => Self::Attribute(resolved, value),
                    None => Self::Unknown(value),
                });
            }
        };
        match (value, extension) {
            (value, Some(_)) if is_unassigned(&value) => Ok(Self::Unassigned(&schema.id)),
            (value, None) if is_unassigned(&value) => Ok(Self::Members(Vec::new())),
            (Value::Object(members), _) => {
                let qualify = |(name, value): (String, Value)| {
                    AttributePath::parse(&format!("{}:{name}", schema.id)).map(|path| (path, value))
                };
                Ok(Self::Members(
                    members.into_iter().filter_map(qualify).collect(),
                ))
            }
            _ => Err(ScimError::invalid_value(format!(
                "{} must be an object of attributes",
                schema.id
            ))),
        }
    }
}

/// A body names its schemas. URNs that nobody knows are tolerated (OneLogin's template
/// names the one of SCIM 1.0, Entra ID adds one of its own); another resource type's
/// core schema is a mistake.
fn check_schemas(
    document: &Map<String, Value>,
    resource_type: &ResourceType,
    service: &ServiceDefinition,
) -> Result<(), ScimError> {
    let schemas = document
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case("schemas"))
        .map(|(_, value)| value);
    let urns: Vec<&str> = match schemas {
        Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(urn)) => vec![urn.as_str()],
        _ => Vec::new(),
    };
    if urns.is_empty() {
        return Err(ScimError::invalid_syntax(format!(
            "schemas is missing; a {} has \"schemas\": [\"{}\"]",
            resource_type.name, resource_type.schema.id
        )));
    }
    let names = |schema: &str| urns.iter().any(|urn| urn.eq_ignore_ascii_case(schema));
    let stranger = service
        .resource_types
        .iter()
        .find(|other| other.name != resource_type.name && names(&other.schema.id));
    match stranger {
        Some(other) if !names(&resource_type.schema.id) => Err(ScimError::invalid_value(format!(
            "schemas names a {}, but the address is that of a {}",
            other.name, resource_type.name
        ))),
        _ => Ok(()),
    }
}

/// Checks that every required attribute is there, in the core and in the extensions
/// that the resource uses.
pub(crate) fn require(
    resource: &Resource,
    resource_type: &ResourceType,
    scim_type: ScimType,
) -> Result<(), ScimError> {
    let missing = |name: &str| Err(ScimError::of(scim_type, format!("{name} is required")));
    for attribute in &resource_type.schema.attributes {
        let writable = matches!(
            attribute.mutability,
            Mutability::ReadWrite | Mutability::Immutable
        );
        if attribute.required && writable && !resource.contains_key(&attribute.name) {
            return missing(&attribute.name);
        }
    }
    for extension in &resource_type.extensions {
        let Some(values) = resource.get(&extension.schema.id) else {
            if extension.required {
                return missing(&extension.schema.id);
            }
            continue;
        };
        for attribute in &extension.schema.attributes {
            let writable = matches!(
                attribute.mutability,
                Mutability::ReadWrite | Mutability::Immutable
            );
            if attribute.required && writable && values.get(&attribute.name).is_none() {
                return missing(&format!("{}:{}", extension.schema.id, attribute.name));
            }
        }
    }
    Ok(())
}

/// Makes `schemas` name the core schema and the extensions in use.
pub fn complete_schemas(resource: &mut Resource, resource_type: &ResourceType) {
    let mut schemas = vec![Value::from(resource_type.schema.id.as_str())];
    for extension in &resource_type.extensions {
        if resource.contains_key(&extension.schema.id) {
            schemas.push(extension.schema.id.as_str().into());
        }
    }
    resource.insert("schemas".to_owned(), Value::Array(schemas));
}

/// A new resource: the one that the client sent, with the defaults of the schema.
#[must_use]
pub fn create(incoming: &Resource, resource_type: &ResourceType) -> Resource {
    let mut created = incoming.clone();
    complete(&mut created, &Resource::new(), resource_type);
    created
}

/// The resource after a PUT: what the client sent, with the read-only attributes of the
/// existing resource (RFC 7644 section 3.5.1), its immutable values as they are stored, and
/// its value of each attribute that always has one.
///
/// # Errors
///
/// `mutability` if an immutable attribute that has a value would get another one.
pub fn replace(
    existing: &Resource,
    incoming: &Resource,
    resource_type: &ResourceType,
) -> Result<Resource, ScimError> {
    let mut replaced = incoming.clone();
    for (urn, attribute) in attributes(resource_type) {
        let holder = match urn {
            None => Some(existing),
            Some(urn) => existing.get(urn).and_then(Value::as_object),
        };
        let Some(stored) = holder.and_then(|holder| holder.get(&attribute.name)) else {
            continue;
        };
        if attribute.name == "schemas" {
            continue;
        }
        let name = match urn {
            None => attribute.name.clone(),
            Some(urn) => format!("{urn}:{}", attribute.name),
        };
        let is_written_here = matches!(
            attribute.mutability,
            Mutability::ReadWrite | Mutability::WriteOnly
        );
        let holder = match urn {
            None => &mut replaced,
            Some(urn) if is_written_here && !replaced.contains_key(urn) => continue,
            Some(urn) => object_at(&mut replaced, urn),
        };
        if attribute.mutability == Mutability::ReadOnly {
            holder.insert(attribute.name.clone(), stored.clone());
        } else {
            keep(attribute, &name, stored, holder, Absence::Keeps)?;
        }
    }
    complete(&mut replaced, existing, resource_type);
    complete_schemas(&mut replaced, resource_type);
    Ok(replaced)
}

/// Gives each attribute that always has a value the one of the existing resource, or its
/// default.
fn complete(resource: &mut Resource, existing: &Resource, resource_type: &ResourceType) {
    for attribute in resource_type.core_attributes() {
        if let Some(default) = &attribute.default {
            resource
                .entry(attribute.name.as_str())
                .or_insert_with(|| existing.get(&attribute.name).unwrap_or(default).clone());
        }
    }
}

/// The attributes of a resource type, those of an extension with its URN.
fn attributes(resource_type: &ResourceType) -> impl Iterator<Item = (Option<&str>, &Attribute)> {
    let core = resource_type
        .core_attributes()
        .map(|attribute| (None, attribute));
    core.chain(resource_type.extensions.iter().flat_map(|extension| {
        let urn = Some(extension.schema.id.as_str());
        let attributes = extension.schema.attributes.iter();
        attributes.map(move |attribute| (urn, attribute))
    }))
}
