//! Operations on multi-valued attributes, with and without a value filter.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::PatchOperator;
use super::single_valued::remove_below;
use crate::comparison::{Comparison, is_equal};
use crate::error::{ScimError, ScimType};
use crate::filter::Filter;
use crate::resource::{
    Absence, Resource, coerce, coerce_element, is_primary, is_unassigned, keep_below,
};
use crate::schema::{Attribute, Mutability};

/// Values of an operation that are looked for one by one. Clients send a thousand operations
/// of one value each, for which an index of a long list is made in vain.
const FEW: usize = 8;

/// A multi-valued attribute, by its definition and the name that errors use.
pub(super) struct MultiValued<'a> {
    pub(super) attribute: &'a Attribute,
    pub(super) name: &'a str,
}

impl MultiValued<'_> {
    pub(super) fn write(
        &self,
        holder: &mut Resource,
        operator: PatchOperator,
        filter: Option<&Filter>,
        sub_attribute: Option<&Attribute>,
        value: &Value,
    ) -> Result<(), ScimError> {
        let mut elements = match holder.remove(&self.attribute.name) {
            Some(Value::Array(elements)) => elements,
            _ => Vec::new(),
        };
        let has_primary = self.attribute.sub_attribute("primary").is_some();
        let primaries: Vec<Value> = elements
            .iter()
            .filter(|element| has_primary && is_primary(element))
            .cloned()
            .collect();
        match (filter, sub_attribute) {
            (None, None) => self.write_all(&mut elements, operator, value)?,
            (None, Some(sub_attribute)) => {
                self.write_each(&mut elements, operator, sub_attribute, value)?
            }
            (Some(filter), None) => self.write_matching(&mut elements, operator, filter, value)?,
            (Some(filter), Some(sub_attribute)) => {
                self.write_below_matching(&mut elements, operator, filter, sub_attribute, value)?;
            }
        }
        elements.retain(|element| !is_unassigned(element));
        if has_primary {
            self.keep_one_primary(&mut elements, &primaries)?;
        }
        if !elements.is_empty() {
            holder.insert(self.attribute.name.clone(), Value::Array(elements));
        }
        Ok(())
    }

    /// `members`
    fn write_all(
        &self,
        elements: &mut Vec<Value>,
        operator: PatchOperator,
        value: &Value,
    ) -> Result<(), ScimError> {
        match operator {
            PatchOperator::Replace => {
                *elements = match coerce(self.attribute, value.clone(), self.name)? {
                    Some(Value::Array(elements)) => elements,
                    _ => Vec::new(),
                };
            }
            PatchOperator::Add => {
                let Some(Value::Array(added)) = coerce(self.attribute, value.clone(), self.name)?
                else {
                    return Ok(());
                };
                self.add(elements, added);
            }
            PatchOperator::Remove if value.is_null() => elements.clear(),
            PatchOperator::Remove => {
                let listed = match value {
                    Value::Array(listed) => listed.clone(),
                    single => vec![single.clone()],
                };
                let mut removed = Vec::with_capacity(listed.len());
                for value in listed {
                    removed.extend(coerce_element(self.attribute, value, self.name)?);
                }
                self.remove(elements, &removed);
            }
        }
        Ok(())
    }

    /// Appends what is new and completes what is there.
    fn add(&self, elements: &mut Vec<Value>, added: Vec<Value>) {
        let mut index = (added.len() > FEW).then(|| self.index(elements));
        for element in added {
            let is_same = |position: &usize| self.is_same(&elements[*position], &element);
            let found = match &index {
                Some(index) => index
                    .get(&self.key(&element))
                    .into_iter()
                    .flatten()
                    .copied()
                    .find(is_same),
                None => (0..elements.len()).find(is_same),
            };
            match (found.map(|position| &mut elements[position]), element) {
                (Some(Value::Object(present)), Value::Object(members)) => {
                    complete(self.attribute, present, members)
                }
                (Some(_), _) => {}
                (None, element) => {
                    if let Some(index) = &mut index {
                        let positions = index.entry(self.key(&element)).or_default();
                        positions.push(elements.len());
                    }
                    elements.push(element);
                }
            }
        }
    }

    fn remove(&self, elements: &mut Vec<Value>, removed: &[Value]) {
        if removed.len() <= FEW {
            elements
                .retain(|element| !removed.iter().any(|listed| self.is_listed(element, listed)));
            return;
        }
        let index = self.index(removed);
        elements.retain(|element| {
            let by_value = index.get(&self.key(element)).into_iter().flatten();
            // Values listed without `value` are indexed under none.
            let by_rest = index.get(&None).into_iter().flatten();
            !by_value
                .chain(by_rest)
                .any(|&position| self.is_listed(element, &removed[position]))
        });
    }

    /// Positions by the text of `value`, so that long member lists stay linear.
    fn index(&self, elements: &[Value]) -> HashMap<Option<String>, Vec<usize>> {
        let mut index: HashMap<Option<String>, Vec<usize>> = HashMap::new();
        for (position, element) in elements.iter().enumerate() {
            index.entry(self.key(element)).or_default().push(position);
        }
        index
    }

    fn key(&self, element: &Value) -> Option<String> {
        let (attribute, value) = match self.attribute.sub_attribute("value") {
            Some(attribute) => (attribute, element.get("value")),
            None => (self.attribute, Some(element)),
        };
        let text = value?.as_str()?;
        Some(attribute.comparison.key(text).into_owned())
    }

    /// Whether an added value is one that is there: the same `value` and no other
    /// `type`; without `value`, all the same.
    fn is_same(&self, present: &Value, added: &Value) -> bool {
        match (present.get("value"), added.get("value")) {
            (Some(present), Some(added)) if !self.is_equal("value", present, added) => {
                return false;
            }
            (Some(_), Some(_)) => {}
            _ => return is_equal(self.attribute, present, added),
        }
        match (present.get("type"), added.get("type")) {
            (Some(present), Some(added)) => self.is_equal("type", present, added),
            _ => true,
        }
    }

    /// Whether a listed value means this one: everything it says applies. What only
    /// describes a value (`display`, `$ref`) says nothing.
    fn is_listed(&self, element: &Value, listed: &Value) -> bool {
        let Value::Object(members) = listed else {
            return is_equal(self.attribute, element, listed);
        };
        let identifies =
            |name: &str| name == "value" || name == "type" || !members.contains_key("value");
        members
            .iter()
            .filter(|(name, _)| identifies(name))
            .all(|(name, value)| match element.get(name) {
                Some(present) => self.is_equal(name, present, value),
                // Entra ID names the type of members that were added without one.
                None => name == "type" && members.contains_key("value"),
            })
    }

    fn is_equal(&self, name: &str, left: &Value, right: &Value) -> bool {
        self.attribute
            .sub_attribute(name)
            .is_some_and(|sub_attribute| is_equal(sub_attribute, left, right))
    }

    /// `emails.value`: every value.
    fn write_each(
        &self,
        elements: &mut Vec<Value>,
        operator: PatchOperator,
        sub_attribute: &Attribute,
        value: &Value,
    ) -> Result<(), ScimError> {
        if elements.is_empty() && operator != PatchOperator::Remove {
            elements.push(Value::Object(Map::new()));
        }
        for element in elements {
            self.write_below(element, operator, sub_attribute, value)?;
        }
        Ok(())
    }

    /// `emails[type eq "work"]`: the matching values as a whole.
    fn write_matching(
        &self,
        elements: &mut Vec<Value>,
        operator: PatchOperator,
        filter: &Filter,
        value: &Value,
    ) -> Result<(), ScimError> {
        if operator == PatchOperator::Remove {
            elements.retain(|element| !filter.matches_value(element, self.attribute));
            return Ok(());
        }
        let value = match value {
            Value::Array(values) if values.len() == 1 => &values[0],
            value => value,
        };
        let written = coerce_element(self.attribute, value.clone(), self.name)?;
        let mut found = false;
        for element in elements
            .iter_mut()
            .filter(|element| filter.matches_value(element, self.attribute))
        {
            found = true;
            match (operator, element, &written) {
                (PatchOperator::Add, Value::Object(present), Some(Value::Object(members))) => {
                    let mut merged = present.clone();
                    merged.extend(members.clone());
                    self.keep_below(present, &mut merged)?;
                    *present = merged;
                }
                (PatchOperator::Add, _, _) => {}
                (_, element, written) => *element = written.clone().unwrap_or_default(),
            }
        }
        if found {
            return Ok(());
        }
        match (operator, self.described_by(operator, filter)?, written) {
            (PatchOperator::Add, Some(mut described), Some(Value::Object(members))) => {
                described.extend(members);
                elements.push(Value::Object(described));
                Ok(())
            }
            _ => Err(self.no_target()),
        }
    }

    /// `emails[type eq "work"].value`: a sub-attribute of the matching values.
    fn write_below_matching(
        &self,
        elements: &mut Vec<Value>,
        operator: PatchOperator,
        filter: &Filter,
        sub_attribute: &Attribute,
        value: &Value,
    ) -> Result<(), ScimError> {
        let mut found = false;
        for element in elements
            .iter_mut()
            .filter(|element| filter.matches_value(element, self.attribute))
        {
            found = true;
            self.write_below(element, operator, sub_attribute, value)?;
        }
        if found || operator == PatchOperator::Remove {
            return Ok(());
        }
        let described = self
            .described_by(operator, filter)?
            .ok_or_else(|| self.no_target())?;
        if is_unassigned(value) {
            return Ok(());
        }
        let mut element = Value::Object(described);
        self.write_below(&mut element, operator, sub_attribute, value)?;
        elements.push(element);
        Ok(())
    }

    fn write_below(
        &self,
        element: &mut Value,
        operator: PatchOperator,
        sub_attribute: &Attribute,
        value: &Value,
    ) -> Result<(), ScimError> {
        let Value::Object(members) = element else {
            return Err(self.no_target());
        };
        let value = match operator {
            PatchOperator::Remove => None,
            PatchOperator::Add | PatchOperator::Replace => {
                coerce(sub_attribute, value.clone(), self.name)?
            }
        };
        let mut written = members.clone();
        match value {
            Some(value) => drop(written.insert(sub_attribute.name.clone(), value)),
            None => remove_below(&mut written, sub_attribute),
        }
        self.keep_below(members, &mut written)?;
        *members = written;
        Ok(())
    }

    fn keep_below(
        &self,
        present: &Map<String, Value>,
        written: &mut Map<String, Value>,
    ) -> Result<(), ScimError> {
        keep_below(
            self.attribute,
            self.name,
            present,
            written,
            Absence::Removes,
        )
        .map_err(|error| ScimError {
            detail: format!("{}; remove the value and add another", error.detail),
            ..error
        })
    }

    /// The value that a filter of equalities describes; none if it says anything else,
    /// names the `value` that should be there, or describes a value that `replace` does not
    /// create.
    fn described_by(
        &self,
        operator: PatchOperator,
        filter: &Filter,
    ) -> Result<Option<Map<String, Value>>, ScimError> {
        let Some(terms) = filter.described(self.attribute) else {
            return Ok(None);
        };
        let mut described = Map::new();
        for (sub_attribute, value) in terms {
            if sub_attribute.name == "value" || sub_attribute.mutability == Mutability::ReadOnly {
                return Ok(None);
            }
            let Some(value) = coerce(sub_attribute, value, self.name)? else {
                continue;
            };
            if operator == PatchOperator::Replace && !is_suggested(sub_attribute, &value) {
                return Ok(None);
            }
            described.insert(sub_attribute.name.clone(), value);
        }
        Ok(Some(described))
    }

    fn no_target(&self) -> ScimError {
        ScimError::of(
            ScimType::NoTarget,
            format!("no value of {} matches the path", self.attribute.name),
        )
    }

    /// A value that becomes primary takes that from the one before (RFC 7644
    /// section 3.5.2).
    fn keep_one_primary(&self, elements: &mut [Value], before: &[Value]) -> Result<(), ScimError> {
        let primaries: Vec<usize> = (0..elements.len())
            .filter(|&position| is_primary(&elements[position]))
            .collect();
        if primaries.len() < 2 {
            return Ok(());
        }
        let new: Vec<usize> = primaries
            .iter()
            .copied()
            .filter(|&position| !before.contains(&elements[position]))
            .collect();
        let kept = match new.as_slice() {
            [] => primaries[0],
            [one] => *one,
            _ => {
                return Err(ScimError::invalid_value(format!(
                    "{} has more than one primary value",
                    self.name
                )));
            }
        };
        for position in primaries.into_iter().filter(|&position| position != kept) {
            elements[position]["primary"] = Value::Bool(false);
        }
        Ok(())
    }
}

/// Adds to a value what an equal one says further; what is immutable stays.
fn complete(attribute: &Attribute, present: &mut Map<String, Value>, added: Map<String, Value>) {
    for (name, value) in added {
        let sub_attribute = attribute.sub_attribute(&name);
        let is_immutable =
            sub_attribute.is_some_and(|found| found.mutability == Mutability::Immutable);
        if !is_immutable || !present.contains_key(&name) {
            present.insert(name, value);
        }
    }
}

/// Whether the schema suggests the value of a sub-attribute: a canonical one, any where
/// there are none, and of booleans true.
fn is_suggested(sub_attribute: &Attribute, value: &Value) -> bool {
    let canonical = &sub_attribute.canonical_values;
    match value {
        Value::Bool(value) => *value,
        Value::String(text) if !canonical.is_empty() => canonical
            .iter()
            .any(|known| Comparison::CaseInsensitive.is_equal(known, text)),
        _ => true,
    }
}
