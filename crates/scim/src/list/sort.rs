//! Sorting (RFC 7644 section 3.4.2.3): by type and case rule of the attribute; of a
//! multi-valued attribute the primary value decides, or the first; resources without a
//! value come last, in descending order first.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

use super::Sort;
use crate::filter::instant;
use crate::resource::{Resource, is_primary};
use crate::schema::{AttributeType, ResourceType};

#[derive(PartialEq, PartialOrd)]
enum Key {
    Boolean(bool),
    Number(f64),
    Instant(Timestamp),
    Text(String),
}

impl Sort {
    /// Sorts resources in canonical form; equal ones keep their order.
    pub fn apply(&self, resources: &mut Vec<(&ResourceType, Resource)>) {
        let mut keyed: Vec<_> = std::mem::take(resources)
            .into_iter()
            .map(|(resource_type, resource)| {
                (self.key(&resource, resource_type), resource_type, resource)
            })
            .collect();
        keyed.sort_by(|(left, ..), (right, ..)| {
            let order = match (left, right) {
                (Some(left), Some(right)) => left.partial_cmp(right).unwrap_or(Ordering::Equal),
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (None, None) => Ordering::Equal,
            };
            if self.descending {
                order.reverse()
            } else {
                order
            }
        });
        resources.extend(
            keyed
                .into_iter()
                .map(|(_, resource_type, resource)| (resource_type, resource)),
        );
    }

    fn key(&self, resource: &Resource, resource_type: &ResourceType) -> Option<Key> {
        let resolved = resource_type.resolve(&self.by)?;
        let attribute = resolved.attribute?;
        let holder = match resolved.extension {
            None => resource,
            Some(urn) => resource.get(urn)?.as_object()?,
        };
        let value = match holder.get(&attribute.name)? {
            Value::Array(values) => values
                .iter()
                .find(|value| is_primary(value))
                .or_else(|| values.first())?,
            value => value,
        };
        let sub_attribute = resolved
            .sub_attribute
            .or_else(|| attribute.sub_attribute("value"));
        let (attribute, value) = match sub_attribute {
            Some(sub_attribute) => (sub_attribute, value.get(&sub_attribute.name)?),
            None => (attribute, value),
        };
        match attribute.kind {
            AttributeType::Boolean => value.as_bool().map(Key::Boolean),
            AttributeType::Integer | AttributeType::Decimal => value.as_f64().map(Key::Number),
            AttributeType::DateTime => value.as_str().and_then(instant).map(Key::Instant),
            _ => value
                .as_str()
                .map(|text| Key::Text(attribute.comparison.key(text).into_owned())),
        }
    }
}
