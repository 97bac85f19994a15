//! What a Connect user is, as far as SCIM decides it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};

use crate::connect::{IdentityInfo, PhoneConfig, Proficiency, User};

/// Tag on every Connect user that SCIM owns.
pub const MANAGED_BY_TAG: &str = "scim:managed-by";
/// The value of [`MANAGED_BY_TAG`].
pub const MANAGED_BY: &str = "connect-scim";
/// Tag with the SCIM id of the user.
pub const ID_TAG: &str = "scim:id";
/// Tag with the id that the identity provider has for the user.
pub const EXTERNAL_ID_TAG: &str = "scim:external-id";
/// The keys of the tags that mark ownership.
pub(crate) const OWN_TAGS: [&str; 3] = [MANAGED_BY_TAG, ID_TAG, EXTERNAL_ID_TAG];

/// The state of a Connect user that SCIM decides: desired, or last written. It is
/// personal data, which `Debug` does not show.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectUser {
    /// The name to sign in with; immutable in Connect.
    pub username: String,
    /// Names and addresses.
    pub identity: IdentityInfo,
    /// Ids of the security profiles, 1 to 10.
    pub security_profile_ids: BTreeSet<String>,
    /// Id of the routing profile.
    pub routing_profile_id: String,
    /// Id of the hierarchy group; absent: SCIM has no say in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hierarchy_group_id: Option<String>,
    /// Phone settings; absent: SCIM has no say in them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<PhoneConfig>,
    /// Proficiencies, sorted, each attribute and value once. Where there are none, and
    /// were none before, SCIM has no say in them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proficiencies: Vec<Proficiency>,
    /// The tags that mark ownership, and those that SCIM names.
    pub tags: BTreeMap<String, String>,
}

impl fmt::Debug for ConnectUser {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ConnectUser")
            .finish_non_exhaustive()
    }
}

/// A [`ConnectUser`] and the id that Connect gave it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppliedUser {
    /// Connect's id of the user.
    pub user_id: String,
    /// What was last written to it, or read from it.
    pub user: ConnectUser,
}

impl AppliedUser {
    /// What an existing Connect user is like, seen as far as `desired` has a say: a
    /// facet that SCIM does not decide, and did not decide before, is left out.
    /// Proficiencies are not part of a [`User`].
    pub fn observed(user: User, desired: &ConnectUser, before: Option<&ConnectUser>) -> Self {
        let decides_hierarchy = desired.hierarchy_group_id.is_some()
            || before.is_some_and(|before| before.hierarchy_group_id.is_some());
        let decides_phone =
            desired.phone.is_some() || before.is_some_and(|before| before.phone.is_some());
        let decides_tag = |key: &str| {
            desired.tags.contains_key(key)
                || before.is_some_and(|before| before.tags.contains_key(key))
        };
        Self::read(user, |user| {
            user.hierarchy_group_id.take_if(|_| !decides_hierarchy);
            user.phone.take_if(|_| !decides_phone);
            user.tags
                .retain(|key, _| OWN_TAGS.contains(&key.as_str()) || decides_tag(key));
        })
    }

    /// All that an existing Connect user is like.
    pub fn whole(user: User, proficiencies: Vec<Proficiency>) -> Self {
        Self::read(user, |user| user.proficiencies = proficiencies)
    }

    /// What an existing Connect user is like, with the tags that mark ownership only.
    pub fn seen(user: User) -> Self {
        Self::read(user, |user| {
            user.tags.retain(|key, _| OWN_TAGS.contains(&key.as_str()));
        })
    }

    fn read(user: User, adjust: impl FnOnce(&mut ConnectUser)) -> Self {
        let mut seen = ConnectUser {
            username: user.username,
            identity: user.identity_info,
            security_profile_ids: user.security_profile_ids.into_iter().collect(),
            routing_profile_id: user.routing_profile_id,
            hierarchy_group_id: user.hierarchy_group_id,
            phone: user.phone_config,
            proficiencies: Vec::new(),
            tags: user.tags,
        };
        adjust(&mut seen);
        Self {
            user_id: user.id,
            user: seen,
        }
    }

    /// The SCIM id that the user's tags name, if SCIM owns it.
    pub fn owner(&self) -> Option<&str> {
        owner(&self.user.tags)
    }
}

/// The SCIM id that a Connect user's tags name, if SCIM owns it.
pub fn owner(tags: &BTreeMap<String, String>) -> Option<&str> {
    (tags.get(MANAGED_BY_TAG).map(String::as_str) == Some(MANAGED_BY))
        .then(|| tags.get(ID_TAG).map(String::as_str))
        .flatten()
}

/// The tags of a user that SCIM owns. An external id that cannot be the value of a tag
/// is left out: tags take 256 letters, digits, spaces and `_.:/=+-@`.
pub fn ownership_tags(scim_id: &str, external_id: Option<&str>) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::from([
        (MANAGED_BY_TAG.to_owned(), MANAGED_BY.to_owned()),
        (ID_TAG.to_owned(), scim_id.to_owned()),
    ]);
    if let Some(external_id) = external_id.filter(|value| is_tag_value(value)) {
        tags.insert(EXTERNAL_ID_TAG.to_owned(), external_id.to_owned());
    }
    tags
}

/// Whether a text, not empty, is of the length and the characters of a tag's value.
pub(crate) fn is_tag_value(value: &str) -> bool {
    value.chars().count() <= 256
        && !value.is_empty()
        && value
            .chars()
            .all(|character| character.is_alphanumeric() || " _.:/=+-@".contains(character))
}

#[cfg(test)]
mod tests;
