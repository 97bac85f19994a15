//! Whether a resource satisfies a filter, by the types and case rules of its schema.
//!
//! Where the RFC is silent: a comparison with an absent attribute is false, except
//! `ne`, which is true; a multi-valued attribute satisfies a comparison if one of its
//! values does; an attribute that the schema does not know counts as absent.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Number, Value};

use super::{CompareOperator, Filter, FilterValue};
use crate::Resource;
use crate::comparison::Comparison;
use crate::error::{ScimError, ScimType};
use crate::path::{AttributePath, PatchPath};
use crate::resource::is_unassigned;
use crate::schema::{Attribute, AttributeType, ResourceType};

impl Filter {
    /// Whether a resource in canonical form satisfies the filter.
    #[must_use]
    pub fn matches(&self, resource: &Resource, resource_type: &ResourceType) -> bool {
        match self {
            Self::Compare {
                path,
                operator,
                value,
            } => {
                let leaf = Leaf::in_resource(path, resource, resource_type);
                leaf.compare(*operator, value)
            }
            Self::Present(path) => Leaf::in_resource(path, resource, resource_type).is_present(),
            Self::ValuePath { path, filter } => Leaf::of_attribute(path, resource, resource_type)
                .is_some_and(|(attribute, _, values)| {
                    values
                        .iter()
                        .any(|value| filter.matches_value(value, attribute))
                }),
            Self::And(terms) => terms
                .iter()
                .all(|term| term.matches(resource, resource_type)),
            Self::Or(terms) => terms
                .iter()
                .any(|term| term.matches(resource, resource_type)),
            Self::Not(filter) => !filter.matches(resource, resource_type),
        }
    }

    /// Whether one value of an attribute satisfies the inside of a value path.
    pub(crate) fn matches_value(&self, value: &Value, attribute: &Attribute) -> bool {
        match self {
            Self::Compare {
                path,
                operator,
                value: literal,
            } => match (attribute.sub_attribute(&path.attribute), literal) {
                // What the paths of long member lists have: decided without a list of values.
                (Some(found), FilterValue::String(_))
                    if !found.multi_valued && *operator == CompareOperator::Eq =>
                {
                    let text = value.get(&found.name).filter(|value| is_assigned(value));
                    text.is_some_and(|text| compare(found, text, *operator, literal))
                }
                _ => Leaf::in_value(path, value, attribute).compare(*operator, literal),
            },
            Self::Present(path) => Leaf::in_value(path, value, attribute).is_present(),
            Self::ValuePath { .. } => false,
            Self::And(terms) => terms
                .iter()
                .all(|term| term.matches_value(value, attribute)),
            Self::Or(terms) => terms
                .iter()
                .any(|term| term.matches_value(value, attribute)),
            Self::Not(filter) => !filter.matches_value(value, attribute),
        }
    }

    /// Checks what the RFC wants refused.
    ///
    /// # Errors
    ///
    /// `invalidFilter` for `gt`, `ge`, `lt`, `le` on a boolean or binary attribute
    /// (RFC 7644 table 3).
    pub fn check(&self, resource_type: &ResourceType) -> Result<(), ScimError> {
        match self {
            Self::Compare { path, operator, .. } => {
                let resolved = resource_type.resolve_leniently(path);
                check_order(
                    resolved.and_then(|found| found.sub_attribute.or(found.attribute)),
                    *operator,
                )
            }
            Self::Present(_) => Ok(()),
            Self::ValuePath { path, filter } => {
                match resource_type
                    .resolve_leniently(path)
                    .and_then(|found| found.attribute)
                {
                    Some(attribute) => filter.check_value(attribute),
                    None => Ok(()),
                }
            }
            Self::Not(filter) => filter.check(resource_type),
            Self::And(terms) | Self::Or(terms) => {
                terms.iter().try_for_each(|term| term.check(resource_type))
            }
        }
    }

    fn check_value(&self, attribute: &Attribute) -> Result<(), ScimError> {
        match self {
            Self::Compare { path, operator, .. } => {
                check_order(attribute.sub_attribute(&path.attribute), *operator)
            }
            Self::Present(_) | Self::ValuePath { .. } => Ok(()),
            Self::Not(filter) => filter.check_value(attribute),
            Self::And(terms) | Self::Or(terms) => terms
                .iter()
                .try_for_each(|term| term.check_value(attribute)),
        }
    }
}

impl PatchPath {
    /// The values of the attribute that the path names in a resource in canonical form, in
    /// their order: one of a single-valued attribute, of a multi-valued one those that
    /// satisfy the filter. The sub-attribute is left to the caller.
    #[must_use]
    pub fn select<'a>(
        &self,
        resource: &'a Resource,
        resource_type: &'a ResourceType,
    ) -> Vec<&'a Value> {
        let Some((attribute, _, values)) = Leaf::of_attribute(&self.path, resource, resource_type)
        else {
            return Vec::new();
        };
        values
            .iter()
            .filter(|value| match &self.filter {
                Some(filter) => filter.matches_value(value, attribute),
                None => true,
            })
            .collect()
    }
}

fn check_order(attribute: Option<&Attribute>, operator: CompareOperator) -> Result<(), ScimError> {
    match attribute {
        Some(Attribute {
            kind: AttributeType::Boolean | AttributeType::Binary,
            name,
            ..
        }) if operator.is_ordering() => {
            let detail = format!("{name} has no order; compare it with eq or ne");
            Err(ScimError::of(ScimType::InvalidFilter, detail))
        }
        _ => Ok(()),
    }
}

/// The values that a comparison is about, with their definition.
struct Leaf<'a> {
    attribute: Option<&'a Attribute>,
    values: Vec<&'a Value>,
}

impl<'a> Leaf<'a> {
    const ABSENT: Self = Self {
        attribute: None,
        values: Vec::new(),
    };

    /// What the path names, and the values of its attribute, each of an array apart.
    fn of_attribute(
        path: &AttributePath,
        resource: &'a Resource,
        resource_type: &'a ResourceType,
    ) -> Option<(&'a Attribute, Option<&'a Attribute>, &'a [Value])> {
        let resolved = resource_type.resolve_leniently(path)?;
        let attribute = resolved.attribute?;
        let holder = match resolved.extension {
            None => resource,
            Some(urn) => resource.get(urn).and_then(Value::as_object)?,
        };
        let values = as_slice(holder.get(&attribute.name)?);
        Some((attribute, resolved.sub_attribute, values))
    }

    fn in_resource(
        path: &AttributePath,
        resource: &'a Resource,
        resource_type: &'a ResourceType,
    ) -> Self {
        match Self::of_attribute(path, resource, resource_type) {
            Some((attribute, sub_attribute, values)) => {
                Self::below(attribute, values, sub_attribute)
            }
            None => Self::ABSENT,
        }
    }

    fn in_value(path: &AttributePath, value: &'a Value, attribute: &'a Attribute) -> Self {
        if attribute.kind == AttributeType::Complex {
            return match attribute.sub_attribute(&path.attribute) {
                Some(found) => Self::below(attribute, std::slice::from_ref(value), Some(found)),
                None => Self::ABSENT,
            };
        }
        if !path.attribute.eq_ignore_ascii_case("value") {
            return Self::ABSENT;
        }
        Self {
            attribute: Some(attribute),
            values: vec![value],
        }
    }

    /// Descends to the sub-attribute; to `value` where none is named (RFC 7643
    /// section 2.4 makes it the significant one).
    fn below(
        attribute: &'a Attribute,
        values: &'a [Value],
        sub_attribute: Option<&'a Attribute>,
    ) -> Self {
        let sub_attribute = sub_attribute.or_else(|| attribute.sub_attribute("value"));
        match sub_attribute {
            None => Self {
                attribute: Some(attribute),
                values: values.iter().collect(),
            },
            Some(sub_attribute) => Self {
                attribute: Some(sub_attribute),
                values: values
                    .iter()
                    .filter_map(|value| value.get(&sub_attribute.name))
                    .flat_map(as_slice)
                    .collect(),
            },
        }
    }

    fn is_present(&self) -> bool {
        self.values.iter().any(|value| is_assigned(value))
    }

    fn compare(&self, operator: CompareOperator, literal: &FilterValue) -> bool {
        if *literal == FilterValue::Null {
            return match operator {
                CompareOperator::Eq => !self.is_present(),
                CompareOperator::Ne => self.is_present(),
                _ => false,
            };
        }
        match self.attribute {
            Some(attribute) if self.is_present() => self
                .values
                .iter()
                .any(|value| compare(attribute, value, operator, literal)),
            _ => operator == CompareOperator::Ne,
        }
    }
}

fn is_assigned(value: &Value) -> bool {
    !is_unassigned(value)
}

fn as_slice(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        single => std::slice::from_ref(single),
    }
}

fn compare(
    attribute: &Attribute,
    value: &Value,
    operator: CompareOperator,
    literal: &FilterValue,
) -> bool {
    let order = match attribute.kind {
        AttributeType::Boolean => {
            as_boolean(literal).and_then(|wanted| Some(value.as_bool()?.cmp(&wanted)))
        }
        AttributeType::Integer | AttributeType::Decimal => {
            as_number(literal).and_then(|wanted| compare_numbers(value.as_number()?, &wanted))
        }
        AttributeType::DateTime if !is_substring(operator) => match (value.as_str(), literal) {
            (Some(text), FilterValue::String(wanted)) => {
                instant(text).and_then(|instant_of| Some(instant_of.cmp(&instant(wanted)?)))
            }
            _ => None,
        },
        _ => {
            return value
                .as_str()
                .is_some_and(|text| compare_text(attribute.comparison, text, operator, literal));
        }
    };
    match order {
        Some(order) => decide(operator, order),
        None => operator == CompareOperator::Ne,
    }
}

const fn is_substring(operator: CompareOperator) -> bool {
    matches!(
        operator,
        CompareOperator::Co | CompareOperator::Sw | CompareOperator::Ew
    )
}

const fn decide(operator: CompareOperator, order: Ordering) -> bool {
    match operator {
        CompareOperator::Eq => order.is_eq(),
        CompareOperator::Ne => order.is_ne(),
        CompareOperator::Gt => order.is_gt(),
        CompareOperator::Ge => order.is_ge(),
        CompareOperator::Lt => order.is_lt(),
        CompareOperator::Le => order.is_le(),
        CompareOperator::Co | CompareOperator::Sw | CompareOperator::Ew => false,
    }
}

fn compare_text(
    comparison: Comparison,
    text: &str,
    operator: CompareOperator,
    literal: &FilterValue,
) -> bool {
    let wanted = match literal {
        FilterValue::String(wanted) => Cow::Borrowed(wanted.as_str()),
        other => Cow::Owned(other.to_string()),
    };
    let search =
        |found: fn(&str, &str) -> bool| found(&comparison.key(text), &comparison.searched(&wanted));
    match operator {
        CompareOperator::Eq => comparison.is_equal(text, &wanted),
        CompareOperator::Ne => !comparison.is_equal(text, &wanted),
        CompareOperator::Co => search(|text, wanted| text.contains(wanted)),
        CompareOperator::Sw => search(|text, wanted| text.starts_with(wanted)),
        CompareOperator::Ew => search(|text, wanted| text.ends_with(wanted)),
        CompareOperator::Gt | CompareOperator::Ge | CompareOperator::Lt | CompareOperator::Le => {
            decide(operator, comparison.key(text).cmp(&comparison.key(&wanted)))
        }
    }
}

/// Entra ID compares booleans with the text `"True"`.
fn as_boolean(literal: &FilterValue) -> Option<bool> {
    match literal {
        FilterValue::Boolean(value) => Some(*value),
        FilterValue::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        FilterValue::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn as_number(literal: &FilterValue) -> Option<Number> {
    match literal {
        FilterValue::Number(number) => Some(number.clone()),
        FilterValue::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// Whole numbers are compared exactly; beyond 2^53 a float does not distinguish them.
fn compare_numbers(left: &Number, right: &Number) -> Option<Ordering> {
    match (left.as_i64(), right.as_i64()) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}

/// A dateTime on the time line; one without an offset is taken as UTC.
pub(crate) fn instant(text: &str) -> Option<Timestamp> {
    let with_offset = || text.parse::<Timestamp>().ok();
    let without_offset = || {
        text.parse::<DateTime>()
            .ok()?
            .to_zoned(TimeZone::UTC)
            .ok()
            .map(|zoned| zoned.timestamp())
    };
    with_offset().or_else(without_offset)
}
