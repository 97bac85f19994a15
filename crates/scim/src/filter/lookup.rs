//! Which equalities a filter demands, so that a store can answer it from an index.
//!
//! Identity providers look resources up by `userName eq`, `externalId eq`, `id eq`,
//! `displayName eq` and combinations with `and`; only people write other filters. A
//! store takes its candidates from one of the equalities and lets
//! [`Filter::matches`] decide about each: the equalities are necessary, not always
//! sufficient.

use serde_json::Value;

use super::{CompareOperator, Filter, FilterValue};
use crate::schema::{Attribute, ResourceType};

/// `attribute eq value`, without which no resource satisfies the filter.
#[derive(Clone, PartialEq, Eq)]
pub struct Equality {
    /// The canonical path: `userName`, `members.value`, `urn:…:User:department`.
    pub attribute: String,
    /// The value, as it was written.
    pub value: String,
}

impl Filter {
    /// The equalities that every match satisfies, in the order they were written.
    #[must_use]
    pub fn equalities(&self, resource_type: &ResourceType) -> Vec<Equality> {
        let mut equalities = Vec::new();
        self.collect(resource_type, &mut equalities);
        equalities
    }

    /// What a value of `attribute` is like that the filter demands: the sub-attributes
    /// named, and what each equals. None if the filter demands anything else than
    /// equalities, or that something has no value.
    #[must_use]
    pub fn described<'a>(&self, attribute: &'a Attribute) -> Option<Vec<(&'a Attribute, Value)>> {
        let terms = match self {
            Self::And(terms) => terms.as_slice(),
            single => std::slice::from_ref(single),
        };
        let describe = |term: &Self| {
            let Self::Compare {
                path,
                operator: CompareOperator::Eq,
                value,
            } = term
            else {
                return None;
            };
            let value = match value {
                FilterValue::String(text) => Value::from(text.as_str()),
                FilterValue::Number(number) => Value::Number(number.clone()),
                FilterValue::Boolean(truth) => Value::Bool(*truth),
                FilterValue::Null => return None,
            };
            Some((attribute.sub_attribute(&path.attribute)?, value))
        };
        terms.iter().map(describe).collect()
    }

    fn collect(&self, resource_type: &ResourceType, equalities: &mut Vec<Equality>) {
        match self {
            Self::Compare {
                path,
                operator: CompareOperator::Eq,
                value,
            } => {
                let Some(resolved) = resource_type.resolve_leniently(path) else {
                    return;
                };
                let Some(value) = text(value) else { return };
                let mut attribute = resolved.canonical();
                if resolved.sub_attribute.is_none()
                    && resolved
                        .attribute
                        .is_some_and(|attribute| attribute.sub_attribute("value").is_some())
                {
                    attribute.push_str(".value");
                }
                equalities.push(Equality { attribute, value });
            }
            Self::ValuePath { path, filter } => {
                let Some(resolved) = resource_type.resolve_leniently(path) else {
                    return;
                };
                let Some(attribute) = resolved.attribute else {
                    return;
                };
                filter.collect_values(attribute, &resolved.canonical(), equalities);
            }
            Self::And(terms) => terms
                .iter()
                .for_each(|term| term.collect(resource_type, equalities)),
            _ => {}
        }
    }

    fn collect_values(&self, attribute: &Attribute, prefix: &str, equalities: &mut Vec<Equality>) {
        match self {
            Self::Compare {
                path,
                operator: CompareOperator::Eq,
                value,
            } => {
                let Some(sub_attribute) = attribute.sub_attribute(&path.attribute) else {
                    return;
                };
                let Some(value) = text(value) else { return };
                equalities.push(Equality {
                    attribute: format!("{prefix}.{}", sub_attribute.name),
                    value,
                });
            }
            Self::And(terms) => terms
                .iter()
                .for_each(|term| term.collect_values(attribute, prefix, equalities)),
            _ => {}
        }
    }
}

fn text(value: &FilterValue) -> Option<String> {
    match value {
        FilterValue::String(text) => Some(text.clone()),
        FilterValue::Null => None,
        other => Some(other.to_string()),
    }
}
