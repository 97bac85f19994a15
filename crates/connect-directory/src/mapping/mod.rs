//! How a SCIM User becomes a Connect user: the only place that knows both.
//!
//! | Connect | SCIM, the first that is there |
//! |---|---|
//! | `Username` | `userName`, NFC |
//! | `IdentityInfo.FirstName` | *`firstName`*; the first word of `name.formatted` or `displayName`; `userName` up to `@` |
//! | `IdentityInfo.LastName` | *`lastName`*; the other words of `name.formatted` or `displayName`; `userName` up to `@` |
//! | `IdentityInfo.Email` | *`email`*, on instances without SAML; those with it refuse the field |
//! | `IdentityInfo.SecondaryEmail` | *`secondaryEmail`*, if it has the form that Connect wants; by default, with SAML, *`email`* |
//! | `IdentityInfo.Mobile` | *`mobile`*, if E.164 |
//! | `PhoneConfig` | *`deskPhoneNumber`*, *`autoAccept`*, *`afterContactWorkSeconds`*, *`persistentConnection`* |
//! | security profiles | groups and *`securityProfiles`* together; only if all are empty: *`fallbackSecurityProfiles`*, if they name profiles; else the default |
//! | routing profile | *`routingProfile`*; else the default |
//! | hierarchy group | *`hierarchyGroup`* |
//! | proficiencies | `proficiencies` of the extension |
//! | tags | `id`, `externalId`; `tags` of the extension |
//! | `Password` | `password`, when the user is created on an instance without SAML |
//!
//! What stands in *italics* is fed by the SCIM attributes that the environment names; the
//! usual ones are the defaults of [`Attributes`].
//!
//! Pure: the names of profiles are resolved to ids elsewhere ([`crate::profiles`]).
//! Telephone numbers that Connect would refuse stay in the SCIM resource and are not sent,
//! and neither are such e-mail addresses to a SAML instance, where nothing depends on
//! them: a user must not fail to exist for the spelling of a telephone number.
//!
//! # Passwords
//! Connect takes a password in `CreateUser` and has no operation that sets it later, and
//! none at all with SAML. Okta sends one with every creation and, in whole resources, with
//! updates, whether or not it synchronises passwords; refusing those would refuse the
//! users. So `password` is accepted in a resource, used where it can be, and never kept;
//! `/ServiceProviderConfig` says that passwords cannot be changed (RFC 7643 section 5,
//! `changePassword`), and a PATCH that asks for nothing else is refused where Connect
//! keeps passwords (RFC 7644 section 3.12, `mutability`).

mod person;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use connect_attributes::{Attributes, Sources};
use scim::Resource;
use serde::Serialize;
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

pub use connect_attributes::schema::AMAZON_CONNECT;

use crate::{
    connect::{IdentityInfo, PhoneConfig, Proficiency},
    profiles::Kind,
};
use person::{check_username, identity};
use settings::{phone, proficiencies, tags};

/// `IdentityManagementType` of the instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum IdentityManagement {
    /// People sign in through their identity provider.
    Saml,
    /// Connect keeps passwords.
    ConnectManaged,
}

/// What a SCIM User wants of Connect, profiles by name.
#[derive(Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The name to sign in with.
    pub username: String,
    /// Names and addresses.
    pub identity: IdentityInfo,
    /// The security profiles that the groups grant.
    pub grants: Grants,
    /// Where the resource names security profiles.
    pub security_profiles: SecurityProfiles,
    /// The routing profile's name; absent: the default.
    pub routing_profile: Option<String>,
    /// The hierarchy group's name.
    pub hierarchy_group: Option<String>,
    /// Phone settings, if any is given.
    pub phone: Option<PhoneConfig>,
    /// What the agent is good at, sorted, each attribute and value once.
    pub proficiencies: Vec<Proficiency>,
    /// Tags besides those that mark ownership.
    pub tags: BTreeMap<String, String>,
}

/// The security profiles that the groups of a user grant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// Ids: groups that are security profiles.
    pub ids: BTreeSet<String>,
    /// Names: what `provisioning.groups` gives to groups with a name of their own.
    pub names: BTreeSet<String>,
}

impl Wanted {
    /// The names that the resource gives: of profiles and of the hierarchy group.
    pub(crate) fn names(&self) -> BTreeSet<(Kind, &str)> {
        let security_profiles: &[String] = match &self.security_profiles {
            SecurityProfiles::Named(names) | SecurityProfiles::Fallback(names) => names,
            SecurityProfiles::Default => &[],
        };
        security_profiles
            .iter()
            .map(|name| (Kind::SecurityProfile, name.as_str()))
            .chain(
                self.routing_profile
                    .as_deref()
                    .map(|name| (Kind::RoutingProfile, name)),
            )
            .chain(
                self.hierarchy_group
                    .as_deref()
                    .map(|name| (Kind::HierarchyGroup, name)),
            )
            .collect()
    }
}

/// Where the names of security profiles come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecurityProfiles {
    /// Named on purpose: each must exist.
    Named(Vec<String>),
    /// Parts of a value of the fallback, which may be just a department.
    Fallback(Vec<String>),
    /// Not named.
    Default,
}

/// Why a SCIM User cannot be a Connect user. The messages hold no values.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum MappingError {
    /// The username breaks a rule of Connect.
    #[error("userName: {0}")]
    Username(&'static str),
    /// A name is too long.
    #[error("{attribute}: Amazon Connect takes at most {limit} characters")]
    TooLong {
        /// The SCIM attribute.
        attribute: &'static str,
        /// Characters that are allowed.
        limit: usize,
    },
    /// A setting of the extension is not usable.
    #[error("{attribute}: {problem}")]
    Setting {
        /// The SCIM attribute.
        attribute: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
}

/// Reads what a SCIM User, in canonical form, wants of Connect.
///
/// `grants` are the security profiles of the user's groups.
///
/// # Errors
/// When Connect would refuse the user for its name or settings.
pub fn map(
    user: &Resource,
    grants: Grants,
    identity_management: IdentityManagement,
    attributes: &Attributes,
) -> Result<Wanted, MappingError> {
    let username = username(user);
    check_username(&username, identity_management)?;
    Ok(Wanted {
        identity: identity(user, &username, identity_management, attributes)?,
        security_profiles: security_profiles(user, attributes),
        grants,
        routing_profile: first(&attributes.routing_profile, user),
        hierarchy_group: first(&attributes.hierarchy_group, user),
        phone: phone(user, attributes)?,
        proficiencies: proficiencies(user)?,
        tags: tags(user)?,
        username,
    })
}

/// The username that a SCIM User has in Connect.
pub(crate) fn username(user: &Resource) -> String {
    text(user.get("userName")).unwrap_or_default()
}

/// A string that is not blank: trimmed and NFC, because Connect refuses other forms.
fn text(value: Option<&Value>) -> Option<String> {
    let trimmed = value?.as_str()?.trim();
    (!trimmed.is_empty()).then(|| nfc(trimmed))
}

fn nfc(text: &str) -> String {
    text.nfc().collect()
}

/// What feeds a field, NFC.
fn first(sources: &Sources, user: &Resource) -> Option<String> {
    sources.first(user).as_deref().map(nfc)
}

/// Names without repetition, in the order in which they are first given.
fn distinct(names: impl IntoIterator<Item = String>) -> Vec<String> {
    names.into_iter().fold(Vec::new(), |mut distinct, name| {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
        distinct
    })
}

/// The security profiles that a resource names on purpose.
pub(crate) fn named_security_profiles(user: &Resource, attributes: &Attributes) -> Vec<String> {
    // Names of security profiles have no commas (`CreateSecurityProfileName`).
    let values = attributes.security_profiles.names(user);
    let names = values.iter().flat_map(|value| value.split(','));
    distinct(
        names
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(nfc),
    )
}

fn security_profiles(user: &Resource, attributes: &Attributes) -> SecurityProfiles {
    let names = |sources: Vec<String>| sources.into_iter().map(|name| nfc(&name));
    let named = named_security_profiles(user, attributes);
    if !named.is_empty() {
        return SecurityProfiles::Named(named);
    }
    let fallback = distinct(names(
        attributes.fallback_security_profiles.first_names(user),
    ));
    if fallback.is_empty() {
        SecurityProfiles::Default
    } else {
        SecurityProfiles::Fallback(fallback)
    }
}
