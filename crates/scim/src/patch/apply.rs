//! Operations on a resource.

use serde_json::{Map, Value};

use super::multi_valued::MultiValued;
use super::parse::{at_operation, unknown_attribute};
use super::single_valued::SingleValued;
use super::{PatchOperation, PatchOperator, PatchRequest, Patched};
use crate::error::{ScimError, ScimType};
use crate::filter::Filter;
use crate::path::{AttributePath, PatchPath};
use crate::resource::{
    Absence, Member, Resource, coerce, complete_schemas, is_unassigned, keep, object_at, require,
    without_repetitions,
};
use crate::schema::{Attribute, Mutability, Resolved, ResourceType};

impl PatchRequest {
    /// Applies the operations, in order, to a resource in canonical form.
    ///
    /// # Errors
    ///
    /// `mutability` for a write to a read-only or set immutable attribute, or if a required
    /// attribute would be gone; `invalidPath` for an unknown attribute of a schema that the
    /// resource type has; `noTarget` for a value path that matches nothing; `invalidValue` for
    /// a value that does not fit.
    pub fn apply(
        &self,
        resource: &Resource,
        resource_type: &ResourceType,
    ) -> Result<Patched, ScimError> {
        let mut patch = Patch {
            resource: resource.clone(),
            write_only: Resource::new(),
            ignored: Vec::new(),
            rewritten: Vec::new(),
            resource_type,
        };
        for (index, operation) in self.operations.iter().enumerate() {
            patch
                .operate(operation)
                .map_err(|error| at_operation(index, error))?;
        }
        patch.merge_repetitions();
        let Patch {
            resource: mut patched,
            write_only,
            ignored,
            ..
        } = patch;
        patched.retain(|_, value| !is_unassigned(value));
        require(&patched, resource_type, ScimType::Mutability)?;
        complete_schemas(&mut patched, resource_type);
        let changed = patched != *resource;
        Ok(Patched {
            resource: patched,
            write_only,
            ignored,
            changed,
        })
    }
}

struct Patch<'a> {
    resource: Resource,
    write_only: Resource,
    ignored: Vec<String>,
    /// The lists in which values may have become equal, each with its extension.
    rewritten: Vec<(Option<&'a str>, &'a Attribute)>,
    resource_type: &'a ResourceType,
}

/// Whether the client named the attribute by a path, or only in a value object.
#[derive(Clone, Copy, PartialEq)]
enum Origin {
    Path,
    ValueObject,
}

impl<'a> Patch<'a> {
    /// Merges the values of a list that operations on their parts have made equal.
    fn merge_repetitions(&mut self) {
        for (extension, attribute) in &self.rewritten {
            let holder = match extension {
                None => Some(&mut self.resource),
                Some(urn) => self.resource.get_mut(*urn).and_then(Value::as_object_mut),
            };
            let list = holder.and_then(|holder| holder.get_mut(&attribute.name));
            if let Some(Value::Array(elements)) = list {
                *elements = without_repetitions(attribute, std::mem::take(elements));
            }
        }
    }

    fn operate(&mut self, operation: &PatchOperation) -> Result<(), ScimError> {
        let PatchOperation {
            operator,
            path,
            value,
        } = operation;
        let Some(PatchPath { path, filter }) = path else {
            return self.write_members(*operator, value);
        };
        let resource_type = self.resource_type;
        match resource_type.resolve_leniently(path) {
            Some(Resolved {
                extension,
                attribute: None,
                ..
            }) => self.write_schema(*operator, extension, value),
            Some(resolved) => {
                self.write(*operator, &resolved, filter.as_ref(), value, Origin::Path)
            }
            None if resource_type.leaves_out(path) => Ok(()),
            None if !resource_type.knows_schema(path) => {
                self.ignored.push(path.to_string());
                Ok(())
            }
            None => Err(unknown_attribute(resource_type, path)),
        }
    }

    /// The attributes of a path-less value object.
    fn write_members(&mut self, operator: PatchOperator, value: &Value) -> Result<(), ScimError> {
        let resource_type = self.resource_type;
        for (key, value) in value.as_object().into_iter().flatten() {
            match Member::of(key, value.clone(), resource_type)? {
                Member::Attribute(resolved, value) => {
                    self.write(operator, &resolved, None, &value, Origin::ValueObject)?;
                }
                Member::Members(members) => self.write_qualified(operator, members)?,
                Member::Unassigned(urn) => self.clear_extension(urn)?,
                Member::Unknown(value) => {
                    let Ok(PatchPath {
                        path,
                        filter: Some(filter),
                    }) = key.parse()
                    else {
                        continue;
                    };
                    let Some(resolved) = resource_type.resolve(&path) else {
                        continue;
                    };
                    self.write(
                        operator,
                        &resolved,
                        Some(&filter),
                        &value,
                        Origin::ValueObject,
                    )?;
                }
            }
        }
        Ok(())
    }

    fn write_qualified(
        &mut self,
        operator: PatchOperator,
        members: Vec<(AttributePath, Value)>,
    ) -> Result<(), ScimError> {
        for (path, value) in members {
            if let Some(resolved) = self.resource_type.resolve(&path) {
                self.write(operator, &resolved, None, &value, Origin::ValueObject)?;
            }
        }
        Ok(())
    }

    /// A schema as a whole, its URN being the path; no extension: the core schema.
    fn write_schema(
        &mut self,
        operator: PatchOperator,
        extension: Option<&str>,
        value: &Value,
    ) -> Result<(), ScimError> {
        match (operator, extension) {
            (PatchOperator::Remove, Some(urn)) => return self.clear_extension(urn),
            (PatchOperator::Remove, None) => {
                return Err(ScimError::of(
                    ScimType::NoTarget,
                    "a remove operation needs the path of an attribute",
                ));
            }
            (PatchOperator::Add | PatchOperator::Replace, _) => {}
        }
        let urn = extension.unwrap_or(&self.resource_type.schema.id);
        let members = Value::Object(Map::from_iter([(urn.to_owned(), value.clone())]));
        self.write_members(operator, &members)
    }

    /// Removes every attribute of an extension that a client may remove.
    fn clear_extension(&mut self, urn: &str) -> Result<(), ScimError> {
        let resource_type = self.resource_type;
        let Some(extension) = resource_type.extension(urn) else {
            return Ok(());
        };
        for attribute in &extension.schema.attributes {
            let resolved = Resolved {
                extension: Some(&extension.schema.id),
                attribute: Some(attribute),
                sub_attribute: None,
            };
            let operator = PatchOperator::Remove;
            self.write(operator, &resolved, None, &Value::Null, Origin::ValueObject)?;
        }
        Ok(())
    }

    fn write(
        &mut self,
        operator: PatchOperator,
        resolved: &Resolved<'a>,
        filter: Option<&Filter>,
        value: &Value,
        origin: Origin,
    ) -> Result<(), ScimError> {
        let Some(attribute) = resolved.attribute else {
            return Ok(());
        };
        if attribute.name == "schemas" {
            // Follows from the attributes in use.
            return Ok(());
        }
        let written = resolved.sub_attribute.unwrap_or(attribute);
        if [attribute, written]
            .iter()
            .any(|attribute| attribute.mutability == Mutability::ReadOnly)
        {
            return match origin {
                Origin::ValueObject => Ok(()),
                Origin::Path => Err(ScimError::of(
                    ScimType::Mutability,
                    format!("{} is read-only", resolved.canonical()),
                )),
            };
        }
        let name = resolved.canonical();
        if attribute.mutability == Mutability::WriteOnly {
            if let Some(value) = coerce(written, value.clone(), &name)? {
                self.write_only.insert(attribute.name.clone(), value);
            }
            return Ok(());
        }
        let holder = match resolved.extension {
            None => &mut self.resource,
            Some(urn) => object_at(&mut self.resource, urn),
        };
        let stored = (attribute.mutability == Mutability::Immutable)
            .then(|| holder.get(&attribute.name).cloned())
            .flatten();
        if attribute.multi_valued {
            let sub_attribute = resolved.sub_attribute;
            MultiValued {
                attribute,
                name: &name,
            }
            .write(holder, operator, filter, sub_attribute, value)?;
            let is_part = filter.is_some() || sub_attribute.is_some();
            let list = (resolved.extension, attribute);
            if is_part && operator != PatchOperator::Remove && !self.rewritten.contains(&list) {
                self.rewritten.push(list);
            }
        } else if filter.is_some() {
            return Err(ScimError::of(
                ScimType::InvalidPath,
                format!("{name} has one value and takes no filter"),
            ));
        } else {
            let sub_attribute = resolved.sub_attribute;
            SingleValued {
                attribute,
                name: &name,
            }
            .write(holder, operator, sub_attribute, value)?;
        }
        match stored {
            Some(stored) => keep(attribute, &name, &stored, holder, Absence::Removes),
            None => Ok(()),
        }
    }
}
