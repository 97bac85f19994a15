//! Operations on attributes with one value, simple or complex.

use serde_json::Value;

use super::PatchOperator;
use super::apply::immutable;
use crate::error::ScimError;
use crate::resource::{Resource, coerce, is_unassigned, object_at};
use crate::schema::{Attribute, AttributeType, Mutability};

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
        match (operator, sub_attribute) {
            (_, Some(sub_attribute)) => self.write_below(holder, operator, sub_attribute, value),
            (PatchOperator::Remove, None) => {
                holder.remove(&self.attribute.name);
                Ok(())
            }
            (PatchOperator::Add | PatchOperator::Replace, None) => self.set(holder, value),
        }
    }

    /// `userName`, `name`
    fn set(&self, holder: &mut Resource, value: &Value) -> Result<(), ScimError> {
        let coerced = coerce(self.attribute, value.clone(), self.name)?;
        let says_something = match value {
            Value::Object(members) => !members.is_empty(),
            _ => coerced.is_some(),
        };
        if self.attribute.kind == AttributeType::Complex && says_something {
            self.merge(holder, value, coerced);
            return Ok(());
        }
        match coerced {
            None => holder.remove(&self.attribute.name),
            Some(value) => holder.insert(self.attribute.name.clone(), value),
        };
        Ok(())
    }

    /// Sub-attributes that are not named stay (RFC 7644 section 3.5.2.3), unless `value`
    /// changes: then the others described something else. Those sent without a value go.
    fn merge(&self, holder: &mut Resource, sent: &Value, coerced: Option<Value>) {
        let object = object_at(holder, &self.attribute.name);
        let emptied = sent
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, value)| is_unassigned(value));
        for sub_attribute in emptied.filter_map(|(key, _)| self.attribute.sub_attribute(key)) {
            object.remove(&sub_attribute.name);
        }
        if let Some(Value::Object(members)) = coerced {
            let value = members.get("value");
            if value.is_some() && value != object.get("value") {
                object.clear();
            }
            object.extend(members);
        }
        if object.is_empty() {
            holder.remove(&self.attribute.name);
        }
    }

    /// `name.givenName`
    fn write_below(
        &self,
        holder: &mut Resource,
        operator: PatchOperator,
        sub_attribute: &Attribute,
        value: &Value,
    ) -> Result<(), ScimError> {
        let value = match operator {
            PatchOperator::Remove => None,
            PatchOperator::Add | PatchOperator::Replace => {
                coerce(sub_attribute, value.clone(), self.name)?
            }
        };
        let object = object_at(holder, &self.attribute.name);
        let present = object.get(&sub_attribute.name);
        let fixed = sub_attribute.mutability == Mutability::Immutable && present.is_some();
        if fixed && present != value.as_ref() {
            return Err(immutable(self.name, "cannot be changed once it is set"));
        }
        match value {
            None => object.remove(&sub_attribute.name),
            Some(value) => object.insert(sub_attribute.name.clone(), value),
        };
        if object.is_empty() {
            holder.remove(&self.attribute.name);
        }
        Ok(())
    }
}
