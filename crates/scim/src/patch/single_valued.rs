//! Operations on attributes with one value, simple or complex.

use serde_json::{Map, Value};

use super::PatchOperator;
use crate::comparison::is_equal;
use crate::error::ScimError;
use crate::resource::{Absence, Resource, coerce, is_unassigned, keep_below, object_at};
use crate::schema::{Attribute, AttributeType};

/// A single-valued attribute, by its definition and the name that errors use.
pub(super) struct SingleValued<'a> {
    pub(super) attribute: &'a Attribute,
    pub(super) name: &'a str,
}

impl SingleValued<'_> {
    pub(super) fn write(
        &self,
        holder: &mut Resource,
        operator: PatchOperator,
        sub_attribute: Option<&Attribute>,
        value: &Value,
    ) -> Result<(), ScimError> {
        let written = sub_attribute.unwrap_or(self.attribute);
        let coerced = match operator {
            PatchOperator::Remove => None,
            PatchOperator::Add | PatchOperator::Replace => {
                coerce(written, value.clone(), self.name)?
            }
        };
        if coerced.is_none() && written.default.is_some() {
            return Ok(());
        }
        match (sub_attribute, operator, value) {
            (Some(sub_attribute), ..) => self.write_below(holder, sub_attribute, coerced),
            (None, PatchOperator::Add | PatchOperator::Replace, Value::Object(sent))
                if !sent.is_empty() =>
            {
                self.merge(holder, sent, coerced)
            }
            (None, ..) if self.attribute.kind == AttributeType::Complex && coerced.is_some() => {
                self.merge(holder, &Map::new(), coerced)
            }
            (None, ..) => {
                set(holder, self.attribute, coerced);
                Ok(())
            }
        }
    }

    /// Sub-attributes that are not named stay (RFC 7644 section 3.5.2.3), unless `value`
    /// changes: then the others described something else. Those sent without a value go.
    fn merge(
        &self,
        holder: &mut Resource,
        sent: &Map<String, Value>,
        coerced: Option<Value>,
    ) -> Result<(), ScimError> {
        let present = object_at(holder, &self.attribute.name);
        let mut merged = present.clone();
        let emptied = sent.iter().filter(|(_, value)| is_unassigned(value));
        for sub_attribute in emptied.filter_map(|(key, _)| self.attribute.sub_attribute(key)) {
            remove_below(&mut merged, sub_attribute);
        }
        if let Some(Value::Object(members)) = coerced {
            let is_other = |value: &Attribute| match (members.get("value"), merged.get("value")) {
                (Some(new), Some(old)) => !is_equal(value, new, old),
                (new, _) => new.is_some(),
            };
            if self.attribute.sub_attribute("value").is_some_and(is_other) {
                merged.clear();
            }
            merged.extend(members);
        }
        keep_below(
            self.attribute,
            self.name,
            present,
            &mut merged,
            Absence::Removes,
        )?;
        *present = merged;
        if present.is_empty() {
            holder.remove(&self.attribute.name);
        }
        Ok(())
    }

    /// `name.givenName`
    fn write_below(
        &self,
        holder: &mut Resource,
        sub_attribute: &Attribute,
        value: Option<Value>,
    ) -> Result<(), ScimError> {
        let present = object_at(holder, &self.attribute.name);
        let mut written = present.clone();
        match value {
            None => remove_below(&mut written, sub_attribute),
            Some(value) => drop(written.insert(sub_attribute.name.clone(), value)),
        }
        keep_below(
            self.attribute,
            self.name,
            present,
            &mut written,
            Absence::Removes,
        )?;
        *present = written;
        if present.is_empty() {
            holder.remove(&self.attribute.name);
        }
        Ok(())
    }
}

fn set(holder: &mut Resource, attribute: &Attribute, value: Option<Value>) {
    match value {
        None => holder.remove(&attribute.name),
        Some(value) => holder.insert(attribute.name.clone(), value),
    };
}

/// Removes a sub-attribute; with `value` everything, because the others describe it.
pub(super) fn remove_below(members: &mut Map<String, Value>, sub_attribute: &Attribute) {
    if sub_attribute.name == "value" {
        members.clear();
    } else {
        members.remove(&sub_attribute.name);
    }
}
