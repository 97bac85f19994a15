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

use std::collections::{BTreeMap, BTreeSet};

use connect_attributes::{Attributes, Sources};
use scim::Resource;
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

pub use connect_attributes::schema::AMAZON_CONNECT;

use crate::{
    connect::{IdentityInfo, PhoneConfig, PhoneType, Proficiency},
    profiles::Kind,
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

/// `IdentityManagementType` of the instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// Whether the person may work.
    pub active: bool,
    /// Names and addresses.
    pub identity: IdentityInfo,
    /// Where the security profiles are named.
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
    /// The identity provider's id.
    pub external_id: Option<String>,
}

impl Wanted {
    /// The names that the identity provider gives: of profiles and of
    /// the hierarchy group.
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
/// `groups` are the names of the groups that the user is a member of.
///
/// # Errors
/// When Connect would refuse the user for its name or settings.
pub fn map(
    user: &Resource,
    groups: &[String],
    identity_management: IdentityManagement,
    attributes: &Attributes,
) -> Result<Wanted, MappingError> {
    let username = text(user.get("userName")).unwrap_or_default();
    check_username(&username, identity_management)?;
    Ok(Wanted {
        active: user.get("active").and_then(Value::as_bool).unwrap_or(true),
        identity: identity(user, &username, identity_management, attributes)?,
        security_profiles: security_profiles(user, groups, attributes),
        routing_profile: first(&attributes.routing_profile, user),
        hierarchy_group: first(&attributes.hierarchy_group, user),
        phone: phone(user, attributes)?,
        proficiencies: proficiencies(user)?,
        tags: tags(user)?,
        external_id: text(user.get("externalId")),
        username,
    })
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

/// SAML: the username is also the role session name (`[\w+=,.@-]{2,64}`), so both rules
/// hold. Sources: `CreateUser` in the API reference; "Configure SAML with IAM for Amazon
/// Connect" in the administrator guide.
fn check_username(
    username: &str,
    identity_management: IdentityManagement,
) -> Result<(), MappingError> {
    let length = username.chars().count();
    let refuse = |problem| Err(MappingError::Username(problem));
    match identity_management {
        IdentityManagement::Saml => {
            if !(2..=64).contains(&length) {
                return refuse("Amazon Connect instances with SAML take 2 to 64 characters");
            }
            if !username
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || "_.-@".contains(character))
            {
                return refuse(
                    "Amazon Connect instances with SAML take only the letters A to Z, digits and _ . - @",
                );
            }
            if username.contains('@') && !is_email(username) {
                return refuse("Amazon Connect takes @ only in a name that is an e-mail address");
            }
        }
        IdentityManagement::ConnectManaged => {
            if !(1..=20).contains(&length) {
                return refuse("Amazon Connect instances without SAML take 1 to 20 characters");
            }
        }
    }
    Ok(())
}

/// `[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\.[a-zA-Z]{2,63}`, at most 265 characters: the
/// pattern of e-mail addresses in Connect's API reference (`UserIdentityInfo`).
fn is_email(address: &str) -> bool {
    let Some((local, domain)) = address.split_once('@') else {
        return false;
    };
    let Some((host, top)) = domain.rsplit_once('.') else {
        return false;
    };
    let all = |part: &str, marks: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || marks.contains(character))
    };
    address.len() <= 265
        && all(local, "._%+-")
        && all(host, ".-")
        && (2..=63).contains(&top.len())
        && top.chars().all(|character| character.is_ascii_alphabetic())
}

fn identity(
    user: &Resource,
    username: &str,
    identity_management: IdentityManagement,
    attributes: &Attributes,
) -> Result<IdentityInfo, MappingError> {
    let formatted = user.get("name").and_then(|name| name.get("formatted"));
    let full = text(formatted).or_else(|| text(user.get("displayName")));
    let (first_of_full, rest_of_full) = match full.as_deref().map(|full| full.split_once(' ')) {
        Some(Some((first, rest))) => (Some(first.to_owned()), Some(rest.trim().to_owned())),
        Some(None) => (full.clone(), None),
        None => (None, None),
    };
    let local_part = username.split('@').next().unwrap_or(username).to_owned();
    let first_name = first(&attributes.first_name, user)
        .or(first_of_full)
        .unwrap_or_else(|| local_part.clone());
    let last_name = first(&attributes.last_name, user)
        .or(rest_of_full)
        .unwrap_or(local_part);
    let last_limit = match identity_management {
        IdentityManagement::Saml => 300,
        IdentityManagement::ConnectManaged => 256,
    };
    check_length("name.givenName", &first_name, 255)?;
    check_length("name.familyName", &last_name, last_limit)?;

    let email = first(&attributes.email, user);
    let secondary_email = attributes.secondary_email.as_ref();
    let secondary_email = secondary_email.map(|sources| first(sources, user));
    let (email, secondary_email) = match identity_management {
        IdentityManagement::Saml => (None, secondary_email.unwrap_or(email)),
        IdentityManagement::ConnectManaged => (email, secondary_email.flatten()),
    };
    Ok(IdentityInfo {
        first_name: Some(first_name),
        last_name: Some(last_name),
        email,
        secondary_email: secondary_email.filter(|email| is_email(email)),
        mobile: first(&attributes.mobile, user).and_then(|number| e164(&number)),
    })
}

fn check_length(attribute: &'static str, value: &str, limit: usize) -> Result<(), MappingError> {
    if value.chars().count() > limit {
        return Err(MappingError::TooLong { attribute, limit });
    }
    Ok(())
}

/// `+` and 2 to 15 digits, after the separators that people write are taken out.
fn e164(written: &str) -> Option<String> {
    let number: String = written
        .strip_prefix("tel:")
        .unwrap_or(written)
        .chars()
        .filter(|character| !" -./()\u{a0}".contains(*character))
        .collect();
    let digits = number.strip_prefix('+')?;
    let well_formed = (2..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0');
    well_formed.then_some(number)
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

fn security_profiles(
    user: &Resource,
    groups: &[String],
    attributes: &Attributes,
) -> SecurityProfiles {
    let names = |sources: Vec<String>| sources.into_iter().map(|name| nfc(&name));
    let own = names(attributes.security_profiles.names(user));
    let named = distinct(groups.iter().cloned().chain(own));
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

fn phone(user: &Resource, attributes: &Attributes) -> Result<Option<PhoneConfig>, MappingError> {
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

fn proficiencies(user: &Resource) -> Result<Vec<Proficiency>, MappingError> {
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
fn tags(user: &Resource) -> Result<BTreeMap<String, String>, MappingError> {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn map(
        user: &Value,
        groups: &[String],
        identity_management: IdentityManagement,
    ) -> Result<Wanted, MappingError> {
        let attributes = Attributes::default();
        super::map(
            user.as_object().unwrap(),
            groups,
            identity_management,
            &attributes,
        )
    }

    fn mapped(attributes: Value, user: &Value) -> Wanted {
        let attributes = serde_json::from_value(attributes).unwrap();
        let user = user.as_object().unwrap();
        super::map(user, &[], IdentityManagement::Saml, &attributes).unwrap()
    }

    fn saml(user: &Value) -> Wanted {
        map(user, &[], IdentityManagement::Saml).unwrap()
    }

    fn names(user: &Value) -> (Option<String>, Option<String>) {
        let identity = saml(user).identity;
        (identity.first_name, identity.last_name)
    }

    #[test]
    fn names_fall_back_to_what_is_there() {
        for (user, first, last) in [
            (
                json!({"userName": "ada", "name": {"givenName": "Ada", "familyName": "Lovelace"}}),
                "Ada",
                "Lovelace",
            ),
            (
                json!({"userName": "ada", "name": {"formatted": "Ada King Lovelace"}}),
                "Ada",
                "King Lovelace",
            ),
            (
                json!({"userName": "ada", "displayName": "Ada Lovelace", "name": {"givenName": "A."}}),
                "A.",
                "Lovelace",
            ),
            (json!({"userName": "ada@example.com"}), "ada", "ada"),
            (
                json!({"userName": "ada", "displayName": "Ada", "name": {"familyName": " "}}),
                "Ada",
                "ada",
            ),
        ] {
            assert_eq!(
                names(&user),
                (Some(first.to_owned()), Some(last.to_owned())),
                "{user}"
            );
        }
    }

    #[test]
    fn what_goes_to_connect_is_nfc() {
        let user =
            json!({"userName": "ada", "name": {"givenName": "A\u{0308}da", "familyName": "L"}});
        assert_eq!(names(&user).0.as_deref(), Some("\u{c4}da"));
    }

    #[test]
    fn saml_usernames_satisfy_connect_and_the_role_session_name() {
        let check =
            |name: &str| map(&json!({"userName": name}), &[], IdentityManagement::Saml).is_ok();
        for name in ["ab", "ada.l", "ada_l-1", "ada@example.com", &"a".repeat(64)] {
            assert!(check(name), "{name}");
        }
        for name in [
            "",
            "a",
            &"a".repeat(65),
            "ada l",
            "ada+l",
            "ada@example",
            "@example.com",
            "ä.l",
        ] {
            assert!(!check(name), "{name}");
        }
    }

    #[test]
    fn usernames_without_saml_have_at_most_20_characters() {
        let check = |name: &str| {
            map(
                &json!({"userName": name}),
                &[],
                IdentityManagement::ConnectManaged,
            )
            .is_ok()
        };
        assert!(check(&"a".repeat(20)));
        assert!(!check(&"a".repeat(21)));
    }

    #[test]
    fn the_primary_email_is_secondary_on_saml_and_the_email_elsewhere() {
        let user = json!({"userName": "ada", "emails": [
            {"value": "home@example.com", "type": "home"},
            {"value": "work@example.com", "type": "work"},
            {"value": "main@example.com", "primary": true},
        ]});
        let identity = saml(&user).identity;
        assert_eq!(identity.email, None);
        assert_eq!(
            identity.secondary_email.as_deref(),
            Some("main@example.com")
        );
        let identity = map(&user, &[], IdentityManagement::ConnectManaged)
            .unwrap()
            .identity;
        assert_eq!(identity.email.as_deref(), Some("main@example.com"));
        assert_eq!(identity.secondary_email, None);
    }

    #[test]
    fn an_address_or_number_that_connect_refuses_is_not_sent() {
        let user = json!({
            "userName": "ada",
            "emails": [{"value": "ada@localhost"}],
            "phoneNumbers": [{"value": "555 1234", "type": "mobile"}],
        });
        let identity = saml(&user).identity;
        assert_eq!((identity.secondary_email, identity.mobile), (None, None));
    }

    #[test]
    fn numbers_are_sent_as_e164() {
        for (written, sent) in [
            ("+49 (30) 123-456", Some("+4930123456")),
            ("tel:+1-201-555-0123", Some("+12015550123")),
            ("+0123", None),
            ("+1234567890123456", None),
            ("030 123456", None),
        ] {
            assert_eq!(e164(written).as_deref(), sent, "{written}");
        }
    }

    #[test]
    fn groups_entitlements_and_the_extension_together_name_the_profiles() {
        let user = json!({
            "userName": "ada",
            "entitlements": [{"value": "Agent"}, {"value": "Admin"}],
            AMAZON_CONNECT: {"securityProfiles": ["Auditor", "Agent"]},
            ENTERPRISE: {"department": "Sales"},
        });
        let wanted = map(&user, &["Manager".to_owned()], IdentityManagement::Saml).unwrap();
        assert_eq!(
            wanted.security_profiles,
            SecurityProfiles::Named(
                ["Manager", "Agent", "Admin", "Auditor"]
                    .map(str::to_owned)
                    .to_vec()
            )
        );
    }

    #[test]
    fn okta_sends_entitlements_and_roles_as_plain_strings() {
        let user = json!({"userName": "ada", "entitlements": ["Agent"], "roles": ["Sales"]});
        let wanted = saml(&user);
        assert_eq!(
            wanted.security_profiles,
            SecurityProfiles::Named(vec!["Agent".to_owned()])
        );
        assert_eq!(wanted.routing_profile.as_deref(), Some("Sales"));
    }

    #[test]
    fn entra_names_profiles_in_the_department() {
        let department = |department: &str| {
            saml(&json!({"userName": "ada", ENTERPRISE: {"department": department}}))
                .security_profiles
        };
        assert_eq!(
            department("Agent, Admin,,Agent"),
            SecurityProfiles::Fallback(vec!["Agent".to_owned(), "Admin".to_owned()])
        );
        assert_eq!(department(" , "), SecurityProfiles::Default);
    }

    #[test]
    fn the_extension_wins_over_roles() {
        let user = json!({
            "userName": "ada",
            "roles": [{"value": "Sales"}, {"value": "Support", "primary": true}],
        });
        assert_eq!(saml(&user).routing_profile.as_deref(), Some("Support"));
        let mut user = user;
        user[AMAZON_CONNECT] = json!({"routingProfile": "Basic Routing Profile"});
        assert_eq!(
            saml(&user).routing_profile.as_deref(),
            Some("Basic Routing Profile")
        );
    }

    #[test]
    fn a_desk_phone_number_makes_a_desk_phone() {
        let with = |settings: Value| {
            map(
                &json!({"userName": "ada", AMAZON_CONNECT: settings}),
                &[],
                IdentityManagement::Saml,
            )
            .map(|wanted| wanted.phone)
        };
        let phone = with(json!({"deskPhoneNumber": "+49 30 1", "afterContactWorkSeconds": 30}))
            .unwrap()
            .unwrap();
        assert_eq!(phone.phone_type, PhoneType::DeskPhone);
        assert_eq!(phone.after_contact_work_time_limit, Some(30));
        assert!(with(json!({"deskPhoneNumber": "12"})).unwrap().is_none());
        assert!(with(json!({"afterContactWorkSeconds": -1})).is_err());
        assert!(with(json!({"routingProfile": "Sales"})).unwrap().is_none());
    }

    #[test]
    fn after_contact_work_is_at_most_two_million_seconds() {
        let with = |seconds: Value| {
            let user =
                json!({"userName": "ada", AMAZON_CONNECT: {"afterContactWorkSeconds": seconds}});
            saml(&user).phone.unwrap().after_contact_work_time_limit
        };
        assert_eq!(with(json!(0)), Some(0));
        assert_eq!(with(json!(2_000_001)), Some(2_000_000));
        assert_eq!(with(json!(u64::MAX)), Some(2_000_000));
    }

    #[test]
    fn the_environment_says_which_attribute_feeds_which_field() {
        let user = json!({
            "userName": "ada",
            "nickName": "Countess",
            "title": "A\u{0308}rztin",
            "userType": "Agent, Admin",
            "roles": [{"value": "Sales"}],
            "entitlements": [{"value": "Auditor"}],
            "emails": [{"value": "main@example.com", "primary": true}, {"value": "home@example.com", "type": "home"}],
            "phoneNumbers": [{"value": "+4930123456", "type": "work"}],
            ENTERPRISE: {"department": "Care", "division": "East", "costCenter": "45"},
        });
        let wanted = mapped(
            json!({
                "firstName": "nickName",
                "lastName": ["name.familyName", "title"],
                "secondaryEmail": "emails[type eq \"home\"].value",
                "mobile": ["phoneNumbers[type eq \"mobile\"]", "phoneNumbers"],
                "securityProfiles": ["userType", "entitlements"],
                "routingProfile": [format!("{ENTERPRISE}:department"), "roles".to_owned()],
                "hierarchyGroup": format!("{ENTERPRISE}:division"),
                "afterContactWorkSeconds": format!("{ENTERPRISE}:costCenter"),
            }),
            &user,
        );
        let identity = wanted.identity;
        assert_eq!(identity.first_name.as_deref(), Some("Countess"));
        assert_eq!(identity.last_name.as_deref(), Some("\u{c4}rztin"));
        assert_eq!(
            identity.secondary_email.as_deref(),
            Some("home@example.com")
        );
        assert_eq!(identity.mobile.as_deref(), Some("+4930123456"));
        let profiles = ["Agent", "Admin", "Auditor"].map(str::to_owned);
        assert_eq!(
            wanted.security_profiles,
            SecurityProfiles::Named(profiles.to_vec())
        );
        assert_eq!(wanted.routing_profile.as_deref(), Some("Care"));
        assert_eq!(wanted.hierarchy_group.as_deref(), Some("East"));
        let phone = wanted.phone.unwrap();
        assert_eq!(phone.after_contact_work_time_limit, Some(45));
    }

    #[test]
    fn a_field_that_nothing_feeds_stays_empty() {
        let user = json!({
            "userName": "ada",
            "entitlements": ["Agent"],
            "emails": [{"value": "main@example.com"}],
            ENTERPRISE: {"department": "Agent"},
        });
        let wanted = mapped(
            json!({"email": [], "securityProfiles": [], "fallbackSecurityProfiles": []}),
            &user,
        );
        assert_eq!(wanted.identity.secondary_email, None);
        assert_eq!(wanted.security_profiles, SecurityProfiles::Default);
    }

    #[test]
    fn proficiencies_are_sorted_and_have_whole_levels() {
        let with = |proficiencies: Value| {
            let user = json!({"userName": "ada", AMAZON_CONNECT: {"proficiencies": proficiencies}});
            map(&user, &[], IdentityManagement::Saml).map(|wanted| {
                let proficiencies = wanted.proficiencies.into_iter();
                proficiencies
                    .map(|given| (given.attribute_name, given.attribute_value, given.level))
                    .collect::<Vec<_>>()
            })
        };
        let one = |name: &str, value: &str, level: Value| json!({"attributeName": name, "attributeValue": value, "level": level});
        let named = |name: &str, value: &str, level: u8| (name.to_owned(), value.to_owned(), level);
        assert_eq!(
            with(json!([
                one("Language", "German", json!(5.0)),
                one("Language", "English", json!(3)),
                one("Language", "German", json!(5)),
            ])),
            Ok(vec![
                named("Language", "English", 3),
                named("Language", "German", 5)
            ])
        );
        let many: Value = (0..11)
            .map(|index| one("Language", &index.to_string(), json!(1)))
            .collect();
        for refused in [
            json!([one("Language", "German", json!(0))]),
            json!([one("Language", "German", json!(2.5))]),
            json!([one("Language", "German", Value::Null)]),
            json!([one("Language", "", json!(1))]),
            json!([
                one("Language", "German", json!(1)),
                one("Language", "German", json!(2))
            ]),
            many,
        ] {
            assert!(with(refused.clone()).is_err(), "{refused}");
        }
    }

    #[test]
    fn tags_are_free_except_for_the_keys_of_others() {
        let with = |tags: Value| {
            let user = json!({"userName": "ada", AMAZON_CONNECT: {"tags": tags}});
            map(&user, &[], IdentityManagement::Saml).map(|wanted| wanted.tags)
        };
        assert_eq!(
            with(json!([{"key": "team", "value": " Gr\u{fc}n "}, {"key": "pilot"}])),
            Ok(BTreeMap::from([
                ("pilot".to_owned(), String::new()),
                ("team".to_owned(), "Gr\u{fc}n".to_owned()),
            ]))
        );
        let many: Value = (0..48)
            .map(|index| json!({"key": index.to_string()}))
            .collect();
        for refused in [
            json!([{"key": "aws:team", "value": "a"}]),
            json!([{"key": "AWS:team", "value": "a"}]),
            json!([{"key": "scim:id", "value": "another"}]),
            json!([{"key": "Scim:managed-by", "value": "a"}]),
            json!([{"key": "", "value": "a"}]),
            json!([{"key": "team", "value": "<a>"}]),
            json!([{"key": "team", "value": "a".repeat(257)}]),
            json!([{"key": "t".repeat(129), "value": "a"}]),
            json!([{"key": "team", "value": "a"}, {"key": "team", "value": "b"}]),
            many,
        ] {
            assert!(with(refused.clone()).is_err(), "{refused}");
        }
    }

    #[test]
    fn messages_hold_no_values() {
        let user = json!({"userName": "canary with space"});
        let error = map(&user, &[], IdentityManagement::Saml).err().unwrap();
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
}
