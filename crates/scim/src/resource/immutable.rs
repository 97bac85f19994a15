//! Immutable attributes: a client may repeat a value in another spelling (RFC 7644
//! section 3.5.1, RFC 7643 section 2.2), and the stored spelling stays.

use serde_json::{Map, Value};

use super::Resource;
use crate::comparison::is_equal;
use crate::error::{ScimError, ScimType};
use crate::schema::{Attribute, Mutability};

/// The meaning of a value that is not part of the write.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Absence {
    /// The stored value stays (PUT).
    Keeps,
    /// The operation removed the value (PATCH).
    Removes,
}

/// Puts the stored value back after a write: that of an immutable attribute, and those of
/// the immutable sub-attributes of a complex one.
///
/// # Errors
///
/// `mutability` if the written value is another one. `name` is how the error calls it.
pub(crate) fn keep(
    attribute: &Attribute,
    name: &str,
    stored: &Value,
    after: &mut Resource,
    absence: Absence,
) -> Result<(), ScimError> {
    let repeated = match after.get(&attribute.name) {
        Some(written) => is_equal(attribute, stored, written),
        None => absence == Absence::Keeps,
    };
    if attribute.mutability == Mutability::Immutable {
        if !repeated {
            return Err(immutable(name));
        }
        after.insert(attribute.name.clone(), stored.clone());
        return Ok(());
    }
    if let (Value::Object(stored), Some(Value::Object(written))) =
        (stored, after.get_mut(&attribute.name))
    {
        keep_below(attribute, name, stored, written, absence)?;
    }
    Ok(())
}

/// [`keep`] for the sub-attributes of one complex value.
pub(crate) fn keep_below(
    attribute: &Attribute,
    name: &str,
    before: &Map<String, Value>,
    after: &mut Map<String, Value>,
    absence: Absence,
) -> Result<(), ScimError> {
    let sub_attributes = attribute.sub_attributes.iter();
    sub_attributes
        .filter(|sub_attribute| sub_attribute.mutability == Mutability::Immutable)
        .filter_map(|sub_attribute| Some((sub_attribute, before.get(&sub_attribute.name)?)))
        .try_for_each(|(sub_attribute, stored)| {
            let name = format!("{name}.{}", sub_attribute.name);
            keep(sub_attribute, &name, stored, after, absence)
        })
}

fn immutable(name: &str) -> ScimError {
    ScimError::of(
        ScimType::Mutability,
        format!("{name} cannot be changed once it is set"),
    )
}
