//! How values of an attribute are compared: the only place that decides it.
//!
//! Filters, sorting, immutable attributes, the values of a list and the keys of a store all
//! ask here, so that they agree on which values are equal.

use std::borrow::Cow;

use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization;

use crate::filter::instant;
use crate::resource::whole_number;
use crate::schema::{Attribute, AttributeType};

/// How the text of an attribute is compared (RFC 7643 section 2.2, `caseExact`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Byte by byte.
    CaseExact,
    /// Without case.
    CaseInsensitive,
    /// As the name of a user: the mappings of the UsernameCaseMapped profile (RFC 7644
    /// section 5, RFC 8265 section 3.3), without surrounding spaces. Characters that the
    /// profile disallows are compared, not refused.
    Name,
}

impl Comparison {
    /// The form that all equal texts share, fit for the key of a store.
    #[must_use]
    pub fn key(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::CaseExact => Cow::Borrowed(text),
            Self::CaseInsensitive => Cow::Owned(text.to_lowercase()),
            Self::Name if text.is_ascii() => Cow::Owned(text.trim().to_ascii_lowercase()),
            Self::Name => Cow::Owned(mapped(text, str::trim)),
        }
    }

    /// Whether two texts are equal: exactly if they have the same [`key`](Self::key).
    #[must_use]
    pub fn is_equal(self, left: &str, right: &str) -> bool {
        left == right
            || match self {
                Self::CaseExact => false,
                Self::CaseInsensitive if left.is_ascii() && right.is_ascii() => {
                    left.eq_ignore_ascii_case(right)
                }
                Self::CaseInsensitive | Self::Name => self.key(left) == self.key(right),
            }
    }

    /// The text for which `co`, `sw` and `ew` search in the [`key`](Self::key) of a value.
    /// It keeps its spaces, which may be those between two words.
    pub(crate) fn searched(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::CaseExact | Self::CaseInsensitive => self.key(text),
            Self::Name => Cow::Owned(mapped(text, |text| text)),
        }
    }
}

/// Width, case and normalization of RFC 8265; `part` chooses what is left of the text.
fn mapped(text: &str, part: fn(&str) -> &str) -> String {
    let narrow: String = text.chars().map(without_width).nfc().collect();
    part(&narrow).to_lowercase().nfc().collect()
}

/// The width mapping rule of RFC 8265: the decomposition of a fullwidth or halfwidth
/// character, anything else as it is.
fn without_width(character: char) -> char {
    let shifted = |target: u32, first: char| {
        char::from_u32(target + u32::from(character) - u32::from(first)).unwrap_or(character)
    };
    match character {
        '\u{3000}' => ' ',
        '\u{FF01}'..='\u{FF5E}' => shifted(0x21, '\u{FF01}'),
        '\u{FFA0}' => '\u{3164}',
        '\u{FFA1}'..='\u{FFBE}' => shifted(0x3131, '\u{FFA1}'),
        '\u{FFC2}'..='\u{FFC7}' => shifted(0x314F, '\u{FFC2}'),
        '\u{FFCA}'..='\u{FFCF}' => shifted(0x3155, '\u{FFCA}'),
        '\u{FFD2}'..='\u{FFD7}' => shifted(0x315B, '\u{FFD2}'),
        '\u{FFDA}'..='\u{FFDC}' => shifted(0x3161, '\u{FFDA}'),
        '\u{FFE3}' => '\u{AF}',
        // One character each, which has no further decomposition.
        '\u{FF5F}'..='\u{FFEE}' => std::iter::once(character)
            .nfkd()
            .next()
            .unwrap_or(character),
        _ => character,
    }
}

/// Whether two values of an attribute in canonical form are equal. The order of a
/// multi-valued attribute is insignificant (RFC 7643 section 2.4).
pub(crate) fn is_equal(attribute: &Attribute, left: &Value, right: &Value) -> bool {
    match (left, right) {
        // Texts of long lists are compared without a copy.
        (Value::String(left), Value::String(right))
            if attribute.kind != AttributeType::DateTime =>
        {
            attribute.comparison.is_equal(left, right)
        }
        _ => left == right || normal(attribute, left) == normal(attribute, right),
    }
}

/// The form that all equal values of an attribute share.
pub(crate) fn normal(attribute: &Attribute, value: &Value) -> Value {
    match value {
        Value::Array(values) => {
            let mut values: Vec<Value> = values
                .iter()
                .map(|value| normal(attribute, value))
                .collect();
            values.sort_by_cached_key(Value::to_string);
            Value::Array(values)
        }
        Value::Object(members) => {
            let normal = |(name, value): (&String, &Value)| {
                let value = match attribute.sub_attribute(name) {
                    Some(sub_attribute) => normal(sub_attribute, value),
                    None => value.clone(),
                };
                (name.clone(), value)
            };
            Value::Object(members.iter().map(normal).collect::<Map<_, _>>())
        }
        Value::String(text) if attribute.kind == AttributeType::DateTime => match instant(text) {
            Some(instant) => instant.to_string().into(),
            None => value.clone(),
        },
        Value::String(text) => attribute.comparison.key(text).into(),
        // `5` and `5.0` are one number; whole ones stay exact.
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (None, Some(number)) => whole_number(number).map_or(number.into(), Value::from),
            _ => value.clone(),
        },
        Value::Null | Value::Bool(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn width_is_mapped_as_the_character_database_decomposes() {
        for character in '\0'..='\u{FFFF}' {
            let mapped = without_width(character);
            let has_width = matches!(character, '\u{3000}' | '\u{FF00}'..='\u{FFEF}')
                && !std::iter::once(character).nfkd().eq([character]);
            assert_eq!(mapped != character, has_width, "{character:?}");
            // The decomposition alone, not that of the result.
            let is_letter_of_hangul = matches!(character, '\u{FFA0}'..='\u{FFDC}') && has_width;
            let is_compatible = matches!(mapped, '\u{3131}'..='\u{3164}');
            assert!(!is_letter_of_hangul || is_compatible, "{character:?}");
            assert!(
                std::iter::once(mapped)
                    .nfkd()
                    .eq(std::iter::once(character).nfkd()),
                "{character:?}"
            );
        }
    }
}
