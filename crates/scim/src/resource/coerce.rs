//! Values as their schema wants them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, Engine};
use serde_json::{Map, Number, Value, json};

use crate::comparison::normal;
use crate::error::ScimError;
use crate::filter::instant;
use crate::schema::{Attribute, AttributeType, Mutability};

/// Whether a value says nothing: null, empty text, empty array, empty object
/// (RFC 7643 section 2.5; empty text because templates of identity providers leave it
/// where a user has no value).
pub(crate) fn is_unassigned(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The value of an attribute, or none if it is unassigned. `name` is how errors call it.
///
/// # Errors
///
/// `invalidValue` if the value does not fit the attribute.
pub(crate) fn coerce(
    attribute: &Attribute,
    value: Value,
    name: &str,
) -> Result<Option<Value>, ScimError> {
    if !attribute.multi_valued {
        let value = match single(value, name)? {
            // Templates of identity providers leave out the quotation marks of an employee
            // number, and a deactivation must not fail for that.
            Value::Number(number) if attribute.kind == AttributeType::String => {
                Value::String(number.to_string())
            }
            value => value,
        };
        return coerce_element(attribute, value, name);
    }
    if is_unassigned(&value) {
        return Ok(None);
    }
    let values = match value {
        Value::Array(values) => values,
        // JumpCloud and Entra ID send one value without its array.
        single => vec![single],
    };
    let mut elements = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        if let Some(element) = coerce_element(attribute, value, &format!("{name}[{index}]"))? {
            elements.push(element);
        }
    }
    if is_identified_by_value(attribute) {
        elements.retain(|element| element.get("value").is_some());
        if elements.is_empty() {
            return Err(ScimError::invalid_value(format!(
                "{name} has no element with a value; send an empty list to remove all"
            )));
        }
    }
    let elements = without_repetitions(attribute, elements);
    if elements
        .iter()
        .filter(|element| is_primary(element))
        .count()
        > 1
    {
        return Err(ScimError::invalid_value(format!(
            "{name} has more than one primary value"
        )));
    }
    Ok(if elements.is_empty() {
        None
    } else {
        Some(Value::Array(elements))
    })
}

/// Whether the elements of a list are references (`members`): without the `value`, an
/// element names nothing.
fn is_identified_by_value(attribute: &Attribute) -> bool {
    attribute
        .sub_attribute("value")
        .is_some_and(|value| value.mutability == Mutability::Immutable)
}

/// Merges the elements of one `type` and `value` (RFC 7643 section 2.4): the later one
/// decides, and primary is the one of which either was. Elements without a `value` are merged if they are equal as a whole.
pub(crate) fn without_repetitions(attribute: &Attribute, elements: Vec<Value>) -> Vec<Value> {
    let mut positions = HashMap::with_capacity(elements.len());
    let mut merged: Vec<Value> = Vec::with_capacity(elements.len());
    for element in elements {
        let normal = normal(attribute, &element);
        let key = match normal.get("value") {
            Some(value) => json!([normal.get("type"), value]).to_string(),
            None => normal.to_string(),
        };
        match positions.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(merged.len());
                merged.push(element);
            }
            Entry::Occupied(entry) => match (&mut merged[*entry.get()], element) {
                (Value::Object(first), Value::Object(later)) => {
                    let was_primary = first.get("primary") == Some(&Value::Bool(true));
                    first.extend(later);
                    if was_primary {
                        first.insert("primary".to_owned(), Value::Bool(true));
                    }
                }
                (first, later) => *first = later,
            },
        }
    }
    merged
}

/// Whether a value of a multi-valued attribute is the primary one.
pub(crate) fn is_primary(element: &Value) -> bool {
    element.get("primary") == Some(&Value::Bool(true))
}

/// Entra ID wraps single values (`manager`) into arrays.
fn single(value: Value, name: &str) -> Result<Value, ScimError> {
    match value {
        Value::Array(mut values) if values.len() == 1 => Ok(values.remove(0)),
        Value::Array(values) if values.is_empty() => Ok(Value::Null),
        Value::Array(_) => Err(ScimError::invalid_value(format!(
            "{name} takes one value, not several"
        ))),
        value => Ok(value),
    }
}

/// One value of an attribute, whether or not the attribute takes several.
///
/// # Errors
///
/// `invalidValue` if the value does not fit the attribute.
pub(crate) fn coerce_element(
    attribute: &Attribute,
    value: Value,
    name: &str,
) -> Result<Option<Value>, ScimError> {
    if is_unassigned(&value) {
        return Ok(None);
    }
    let coerced = match attribute.kind {
        AttributeType::Complex => return complex(attribute, value, name),
        AttributeType::Boolean => boolean(&value),
        AttributeType::Integer => integer(&value),
        AttributeType::Decimal => decimal(&value),
        AttributeType::DateTime => text(value, |text| instant(text).is_some()),
        AttributeType::String => text(value, |_| true),
        AttributeType::Reference => text(value, is_reference),
        AttributeType::Binary => text(value, is_base64),
    };
    match coerced {
        Some(value) => Ok(Some(value)),
        None => Err(ScimError::invalid_value(format!(
            "{name} must be {}",
            noun(attribute.kind)
        ))),
    }
}

const fn noun(kind: AttributeType) -> &'static str {
    match kind {
        AttributeType::String => "text",
        AttributeType::Boolean => "true or false",
        AttributeType::Decimal => "a number",
        AttributeType::Integer => "a whole number",
        AttributeType::DateTime => "a dateTime such as 2008-01-23T04:56:22Z",
        AttributeType::Binary => "base64 text",
        AttributeType::Reference => "a URI",
        AttributeType::Complex => "an object",
    }
}

fn boolean(value: &Value) -> Option<Value> {
    match value {
        Value::Bool(value) => Some(Value::Bool(*value)),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(Value::Bool(true)),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(Value::Bool(false)),
        _ => None,
    }
}

fn integer(value: &Value) -> Option<Value> {
    let whole = |number: &Number| {
        number
            .as_i64()
            .or_else(|| number.as_f64().and_then(whole_number))
    };
    match value {
        Value::Number(number) => whole(number).map(Value::from),
        Value::String(text) => text.trim().parse::<i64>().ok().map(Value::from),
        _ => None,
    }
}

/// `5.0` is five. Beyond 2^53 a float no longer says which whole number is meant.
pub(crate) fn whole_number(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    let whole = number as i64;
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(whole)
}

fn decimal(value: &Value) -> Option<Value> {
    match value {
        Value::Number(number) => Some(Value::Number(number.clone())),
        Value::String(text) => text
            .trim()
            .parse()
            .ok()
            .and_then(Number::from_f64)
            .map(Value::Number),
        _ => None,
    }
}

fn text(value: Value, is_valid: impl Fn(&str) -> bool) -> Option<Value> {
    value.as_str().is_some_and(is_valid).then_some(value)
}

/// Whether text may be a URI or a relative reference (RFC 3986): it has none of the
/// characters that must be encoded. Letters beyond ASCII are taken as those of an IRI.
fn is_reference(text: &str) -> bool {
    let is_allowed =
        |next: char| !next.is_whitespace() && !next.is_control() && !"\"<>\\^`{|}".contains(next);
    let is_encoded = |rest: &str| {
        rest.get(..2)
            .is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
    };
    text.chars().all(is_allowed) && text.split('%').skip(1).all(is_encoded)
}

/// Whether text is base64, the padding being optional (RFC 7643 section 2.3.6). White space
/// is skipped: certificates are pasted in lines.
fn is_base64(text: &str) -> bool {
    const ENGINE: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let digits: String = text.split_ascii_whitespace().collect();
    ENGINE.decode(digits).is_ok()
}

fn complex(attribute: &Attribute, value: Value, name: &str) -> Result<Option<Value>, ScimError> {
    let mut coerced = Map::new();
    let mut has_no_value = false;
    for (key, value) in members(attribute, value, name)? {
        let Some(sub_attribute) = attribute.sub_attribute(&key) else {
            continue;
        };
        if sub_attribute.mutability == Mutability::ReadOnly {
            continue;
        }
        let name = format!("{name}.{}", sub_attribute.name);
        let coerced_value = match sub_attribute.multi_valued {
            true => coerce(sub_attribute, value, &name)?,
            false => coerce_element(sub_attribute, single(value, &name)?, &name)?,
        };
        match coerced_value {
            Some(value) => drop(coerced.insert(sub_attribute.name.clone(), value)),
            None => has_no_value |= sub_attribute.name == "value",
        }
    }
    // The other sub-attributes describe the `value`.
    if coerced.is_empty() || has_no_value {
        return Ok(None);
    }
    let required = |sub_attribute: &&Attribute| {
        sub_attribute.required && !coerced.contains_key(&sub_attribute.name)
    };
    if let Some(missing) = attribute.sub_attributes.iter().find(required) {
        return Err(ScimError::invalid_value(format!(
            "{name}.{} is required",
            missing.name
        )));
    }
    Ok(Some(Value::Object(coerced)))
}

/// The members of a complex value. Okta sends entitlements and roles as plain text;
/// Entra ID's AppRoleAssignmentsComplex sends a JSON document in the text of `value`.
fn members(
    attribute: &Attribute,
    value: Value,
    name: &str,
) -> Result<Map<String, Value>, ScimError> {
    let text = match &value {
        Value::Object(members) => members.get("value").and_then(Value::as_str),
        value => value.as_str(),
    };
    if let Some(document) = text.and_then(embedded_document) {
        return Ok(document);
    }
    match value {
        Value::Object(members) => Ok(members),
        Value::String(_) if attribute.sub_attribute("value").is_some() => {
            Ok(Map::from_iter([("value".to_owned(), value)]))
        }
        _ => Err(ScimError::invalid_value(format!(
            "{name} must be an object"
        ))),
    }
}

fn embedded_document(text: &str) -> Option<Map<String, Value>> {
    if !text.trim_start().starts_with('{') {
        return None;
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(members)) if members.contains_key("value") => Some(members),
        _ => None,
    }
}
