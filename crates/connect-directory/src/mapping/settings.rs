//! What only Connect has of a user: phone settings, proficiencies, tags.

use std::collections::BTreeMap;

use connect_attributes::{Attributes, Sources};
use scim::Resource;
use serde_json::Value;

use super::{AMAZON_CONNECT, MappingError, first, person::e164, text};
use crate::{
    connect::{PhoneConfig, PhoneType, Proficiency},
    user::{OWN_TAGS, is_tag_value},
};

/// The most seconds of after-contact work that Connect takes, 23 days; more are sent as
/// these. Source: `UserPhoneConfig$AfterContactWorkTimeLimit` in the API model, version
/// 2017-08-08: "a maximum value of 2,000,000 seconds".
const MAXIMUM_AFTER_CONTACT_WORK: u32 = 2_000_000;

/// The most proficiencies of a user. Source: "Amazon Connect service quotas" in the
/// administrator guide.
const MAXIMUM_PROFICIENCIES: usize = 10;

/// The most tags of a resource (`TagMap` in the API model).
const MAXIMUM_TAGS: usize = 50;

pub(super) fn phone(
    user: &Resource,
    attributes: &Attributes,
) -> Result<Option<PhoneConfig>, MappingError> {
    let desk_phone_number =
        first(&attributes.desk_phone_number, user).and_then(|written| e164(&written));
    let after_contact_work_time_limit = first(&attributes.after_contact_work_seconds, user)
        .map(|seconds| {
            seconds.parse::<u64>().map_err(|_| MappingError::Setting {
                attribute: "afterContactWorkSeconds",
                problem: "this is not a number of seconds from 0 up",
            })
        })
        .transpose()?
        .map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX))
        .map(|seconds| seconds.min(MAXIMUM_AFTER_CONTACT_WORK));
    let config = PhoneConfig {
        phone_type: if desk_phone_number.is_some() {
            PhoneType::DeskPhone
        } else {
            PhoneType::SoftPhone
        },
        auto_accept: truth(&attributes.auto_accept, user),
        after_contact_work_time_limit,
        desk_phone_number,
        persistent_connection: truth(&attributes.persistent_connection, user),
    };
    Ok((config != PhoneConfig::default()).then_some(config))
}

fn truth(sources: &Sources, user: &Resource) -> Option<bool> {
    let written = sources.first(user)?;
    written.to_ascii_lowercase().parse().ok()
}

/// The values of a multi-valued attribute of the extension.
fn of_extension<'a>(user: &'a Resource, attribute: &str) -> &'a [Value] {
    user.get(AMAZON_CONNECT)
        .and_then(|connect| connect.get(attribute))
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

pub(super) fn proficiencies(user: &Resource) -> Result<Vec<Proficiency>, MappingError> {
    let refuse = |problem| MappingError::Setting {
        attribute: "proficiencies",
        problem,
    };
    let name = |value: Option<&Value>| {
        text(value)
            .filter(|name| name.chars().count() <= 100)
            .ok_or_else(|| {
                refuse("each needs an attributeName and an attributeValue of 1 to 100 characters")
            })
    };
    let mut proficiencies = BTreeMap::new();
    for proficiency in of_extension(user, "proficiencies") {
        let attribute = name(proficiency.get("attributeName"))?;
        let value = name(proficiency.get("attributeValue"))?;
        let level = proficiency.get("level").and_then(Value::as_f64);
        // The API's type is a decimal; its documentation takes whole levels only.
        let level = (1_u8..=5)
            .find(|whole| level == Some(f64::from(*whole)))
            .ok_or_else(|| refuse("each needs a level of 1, 2, 3, 4 or 5"))?;
        let other = proficiencies.insert((attribute, value), level);
        if other.is_some_and(|other| other != level) {
            return Err(refuse("one attribute and value is given two levels"));
        }
    }
    if proficiencies.len() > MAXIMUM_PROFICIENCIES {
        return Err(refuse("Amazon Connect allows a user 10"));
    }
    Ok(proficiencies
        .into_iter()
        .map(|((attribute_name, attribute_value), level)| Proficiency {
            attribute_name,
            attribute_value,
            level,
        })
        .collect())
}

/// Tags (`TagKey` and `TagValue` in the API model). The keys that begin with `scim:` are
/// this endpoint's, because by them it knows its users.
pub(super) fn tags(user: &Resource) -> Result<BTreeMap<String, String>, MappingError> {
    let refuse = |problem| MappingError::Setting {
        attribute: "tags",
        problem,
    };
    let mut tags = BTreeMap::new();
    for tag in of_extension(user, "tags") {
        let key = text(tag.get("key"))
            .filter(|key| key.chars().count() <= 128 && is_tag_value(key))
            .ok_or_else(|| {
                refuse("each needs a key of 1 to 128 letters, digits, spaces and _.:/=+-@")
            })?;
        let folded = key.to_lowercase();
        if ["aws:", "scim:"]
            .iter()
            .any(|prefix| folded.starts_with(prefix))
        {
            return Err(refuse("keys that begin with aws: or scim: are not free"));
        }
        let value = text(tag.get("value")).unwrap_or_default();
        if !value.is_empty() && !is_tag_value(&value) {
            return Err(refuse(
                "values have at most 256 letters, digits, spaces and _.:/=+-@",
            ));
        }
        let other = tags.insert(key, value.clone());
        if other.is_some_and(|other| other != value) {
            return Err(refuse("one key is given two values"));
        }
    }
    if tags.len() > MAXIMUM_TAGS - OWN_TAGS.len() {
        return Err(refuse(
            "Amazon Connect allows a user 50, of which this endpoint needs 3",
        ));
    }
    Ok(tags)
}
