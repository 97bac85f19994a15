//! How a SCIM User becomes a Connect user: the only place that knows both.
//!
//! | Connect | SCIM, the first that is there |
//! |---|---|
//! | `Username` | `userName`, NFC |
//! | `IdentityInfo.FirstName` | `name.givenName`; the first word of `name.formatted` or `displayName`; `userName` up to `@` |
//! | `IdentityInfo.LastName` | `name.familyName`; the other words of `name.formatted` or `displayName`; `userName` up to `@` |
//! | `IdentityInfo.SecondaryEmail` (SAML), `.Email` (otherwise) | the primary of `emails`, else the one of type `work`, else the first |
//! | `IdentityInfo.Mobile` | the `phoneNumbers` of type `mobile`, if E.164 |
//! | `PhoneConfig` | `deskPhoneNumber`, `autoAccept`, `afterContactWorkSeconds`, `persistentConnection` of the extension |
//! | security profiles | groups, `entitlements` and the extension's `securityProfiles` together; only if all are empty: the comma-separated `department` of the enterprise extension, if it names profiles; else the default |
//! | routing profile | the extension's `routingProfile`; the primary of `roles`, else the first; else the default |
//! | hierarchy group | the extension's `hierarchyGroup` |
//! | tags | `id`, `externalId` |
//!
//! Pure: the names of profiles are resolved to ids elsewhere ([`crate::profiles`]).
//! Telephone numbers that Connect would refuse stay in the SCIM resource and are not sent,
//! and neither are such e-mail addresses to a SAML instance, where nothing depends on
//! them: a user must not fail to exist for the spelling of a telephone number.

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use crate::connect::{IdentityInfo, PhoneConfig, PhoneType};

/// The enterprise extension (RFC 7643, section 4.3).
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// The extension for what only Amazon Connect has.
pub const AMAZON_CONNECT: &str = "urn:ietf:params:scim:schemas:extension:amazonconnect:2.0:User";

/// The most seconds of after-contact work that Connect takes; more are sent as these 23
/// days. Source: "Configure settings for agents" in the administrator guide.
const MAXIMUM_AFTER_CONTACT_WORK: u32 = 2_000_000;

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
    /// The identity provider's id.
    pub external_id: Option<String>,
}

/// Where the names of security profiles come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecurityProfiles {
    /// Named on purpose: each must exist.
    Named(Vec<String>),
    /// Parts of a department, which may be just a department.
    Department(Vec<String>),
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
    /// A phone setting is not usable.
    #[error("{attribute}: {problem}")]
    Phone {
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
    user: &Value,
    groups: &[String],
    identity_management: IdentityManagement,
) -> Result<Wanted, MappingError> {
    let username = text(user.get("userName")).unwrap_or_default();
    check_username(&username, identity_management)?;
    let connect = user.get(AMAZON_CONNECT);
    Ok(Wanted {
        active: user.get("active").and_then(Value::as_bool).unwrap_or(true),
        identity: identity(user, &username, identity_management)?,
        security_profiles: security_profiles(user, connect, groups),
        routing_profile: routing_profile(user, connect),
        hierarchy_group: text(connect.and_then(|connect| connect.get("hierarchyGroup"))),
        phone: connect.map_or(Ok(None), phone)?,
        external_id: text(user.get("externalId")),
        username,
    })
}

/// A string that is not blank: trimmed and NFC, because Connect refuses other forms.
fn text(value: Option<&Value>) -> Option<String> {
    let normalised: String = value?.as_str()?.trim().nfc().collect();
    (!normalised.is_empty()).then_some(normalised)
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
    user: &Value,
    username: &str,
    identity_management: IdentityManagement,
) -> Result<IdentityInfo, MappingError> {
    let name = |part: &str| text(user.pointer(&format!("/name/{part}")));
    let full = name("formatted").or_else(|| text(user.get("displayName")));
    let (first_of_full, rest_of_full) = match full.as_deref().map(|full| full.split_once(' ')) {
        Some(Some((first, rest))) => (Some(first.to_owned()), Some(rest.trim().to_owned())),
        Some(None) => (full.clone(), None),
        None => (None, None),
    };
    let local_part = username.split('@').next().unwrap_or(username).to_owned();
    let first_name = name("givenName")
        .or(first_of_full)
        .unwrap_or_else(|| local_part.clone());
    let last_name = name("familyName").or(rest_of_full).unwrap_or(local_part);
    let last_limit = match identity_management {
        IdentityManagement::Saml => 300,
        IdentityManagement::ConnectManaged => 256,
    };
    check_length("name.givenName", &first_name, 255)?;
    check_length("name.familyName", &last_name, last_limit)?;

    let email = email(user);
    let (email, secondary_email) = match identity_management {
        IdentityManagement::Saml => (None, email.filter(|email| is_email(email))),
        IdentityManagement::ConnectManaged => (email, None),
    };
    Ok(IdentityInfo {
        first_name: Some(first_name),
        last_name: Some(last_name),
        email,
        secondary_email,
        mobile: mobile(user),
    })
}

fn check_length(attribute: &'static str, value: &str, limit: usize) -> Result<(), MappingError> {
    if value.chars().count() > limit {
        return Err(MappingError::TooLong { attribute, limit });
    }
    Ok(())
}

fn elements<'a>(holder: Option<&'a Value>, attribute: &str) -> &'a [Value] {
    holder
        .and_then(|holder| holder.get(attribute))
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn has_type(element: &Value, wanted: &str) -> bool {
    element
        .get("type")
        .and_then(Value::as_str)
        .is_some_and(|found| found.eq_ignore_ascii_case(wanted))
}

fn is_primary(element: &Value) -> bool {
    element.get("primary").and_then(Value::as_bool) == Some(true)
}

/// An element of a multi-valued attribute: complex with `value`, or plain text.
fn element_value(element: &Value) -> Option<String> {
    text(element.get("value")).or_else(|| text(Some(element)))
}

fn email(user: &Value) -> Option<String> {
    let emails = elements(Some(user), "emails");
    emails
        .iter()
        .find(|email| is_primary(email))
        .or_else(|| emails.iter().find(|email| has_type(email, "work")))
        .or_else(|| emails.first())
        .and_then(element_value)
}

fn mobile(user: &Value) -> Option<String> {
    elements(Some(user), "phoneNumbers")
        .iter()
        .find(|number| has_type(number, "mobile"))
        .and_then(element_value)
        .and_then(|number| e164(&number))
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

fn security_profiles(user: &Value, connect: Option<&Value>, groups: &[String]) -> SecurityProfiles {
    let entitlements = elements(Some(user), "entitlements");
    let extension = elements(connect, "securityProfiles");
    let named = distinct(
        groups.iter().cloned().chain(
            entitlements
                .iter()
                .chain(extension)
                .filter_map(element_value),
        ),
    );
    if !named.is_empty() {
        return SecurityProfiles::Named(named);
    }
    let department = text(user.get(ENTERPRISE).and_then(|user| user.get("department")));
    let parts = distinct(
        department
            .iter()
            .flat_map(|department| department.split(','))
            .map(|part| part.trim().to_owned())
            .filter(|part| !part.is_empty()),
    );
    if parts.is_empty() {
        SecurityProfiles::Default
    } else {
        SecurityProfiles::Department(parts)
    }
}

fn routing_profile(user: &Value, connect: Option<&Value>) -> Option<String> {
    let roles = elements(Some(user), "roles");
    text(connect.and_then(|connect| connect.get("routingProfile"))).or_else(|| {
        roles
            .iter()
            .find(|role| is_primary(role))
            .or_else(|| roles.first())
            .and_then(element_value)
    })
}

fn phone(connect: &Value) -> Result<Option<PhoneConfig>, MappingError> {
    let desk_phone_number = text(connect.get("deskPhoneNumber")).and_then(|written| e164(&written));
    let after_contact_work_time_limit = match connect.get("afterContactWorkSeconds") {
        None | Some(Value::Null) => None,
        Some(seconds) => Some(
            seconds
                .as_u64()
                .map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX))
                .map(|seconds| seconds.min(MAXIMUM_AFTER_CONTACT_WORK))
                .ok_or(MappingError::Phone {
                    attribute: "afterContactWorkSeconds",
                    problem: "this is not a number of seconds from 0 up",
                })?,
        ),
    };
    let config = PhoneConfig {
        phone_type: if desk_phone_number.is_some() {
            PhoneType::DeskPhone
        } else {
            PhoneType::SoftPhone
        },
        auto_accept: connect.get("autoAccept").and_then(Value::as_bool),
        after_contact_work_time_limit,
        desk_phone_number,
        persistent_connection: connect.get("persistentConnection").and_then(Value::as_bool),
    };
    Ok((config != PhoneConfig::default()).then_some(config))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
            SecurityProfiles::Department(vec!["Agent".to_owned(), "Admin".to_owned()])
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
    fn messages_hold_no_values() {
        let user = json!({"userName": "canary with space"});
        let error = map(&user, &[], IdentityManagement::Saml).err().unwrap();
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
}
