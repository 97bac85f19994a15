//! The limits on what a caller may send, from the service's API model and the text of
//! its documentation.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::is_nfc;

use crate::error::ServiceError;
use crate::options::{IdentityManagement, Settings};

/// Tags that one resource may have.
const MAXIMUM_TAGS: usize = 50;

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the patterns are constants of this file")
}

/// `TagKey`; the model's `(?!aws:)` is checked apart.
static TAG_KEY: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$"));
/// `CreateUserRequest$Username`: "up to 64 characters from [a-zA-Z0-9_-.\@]+".
static SAML_USERNAME: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[a-zA-Z0-9_.@-]+$"));
/// `CreateUserRequest$Username`: "can include @ only if used in an email format".
static EMAIL_SHAPED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[^@]+@[^@]+\.[^@.]+$"));
/// `UserIdentityInfo$SecondaryEmail`.
static EMAIL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\.[a-zA-Z]{2,63}$"));
const LONGEST_EMAIL: usize = 265;
/// `PhoneNumber`: E.164.
static PHONE_NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\+[1-9][0-9]{1,14}$"));
/// `CreateSecurityProfileName`.
static SECURITY_PROFILE_NAME: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^[ a-zA-Z0-9_@-]{1,127}$"));

/// Refuses what does not hold, as the service names it.
pub(crate) fn require(holds: bool, message: impl Into<String>) -> Result<(), ServiceError> {
    if holds {
        Ok(())
    } else {
        Err(ServiceError::invalid_parameter(message))
    }
}

/// Refuses a text whose length, in characters, is outside of the limits.
pub(crate) fn length(
    member: &str,
    text: &str,
    minimum: usize,
    maximum: usize,
) -> Result<(), ServiceError> {
    require(
        (minimum..=maximum).contains(&text.chars().count()),
        format!("{member} must have {minimum} to {maximum} characters"),
    )
}

/// Refuses a user name that the instance would not take.
pub(crate) fn username(username: &str, settings: &Settings) -> Result<(), ServiceError> {
    match settings.identity_management {
        IdentityManagement::Saml => {
            length("Username", username, 1, 64)?;
            require(
                SAML_USERNAME.is_match(username),
                "Username may have only the characters [a-zA-Z0-9_-.@]",
            )?;
        }
        IdentityManagement::ConnectManaged | IdentityManagement::ExistingDirectory => {
            length("Username", username, 1, 20)?;
        }
    }
    require(
        !settings.usernames_with_at_are_emails
            || !username.contains('@')
            || EMAIL_SHAPED.is_match(username),
        "Username may have an @ only in the form of an email address",
    )
}

/// Refuses a password that breaks the policy of the model's `Password`.
pub(crate) fn password(password: &str) -> Result<(), ServiceError> {
    let has = |test: fn(&char) -> bool| password.chars().any(|character| test(&character));
    require(
        (8..=64).contains(&password.chars().count())
            && has(char::is_ascii_lowercase)
            && has(char::is_ascii_uppercase)
            && has(char::is_ascii_digit)
            && !password.contains(char::is_whitespace),
        "Password must have 8 to 64 characters, among them a lower-case letter, an upper-case \
         letter and a digit, and no white space",
    )
}

/// Refuses a first or last name that is too long or not in Unicode normalization form C.
pub(crate) fn person_name(
    member: &str,
    name: &str,
    minimum: usize,
    maximum: usize,
) -> Result<(), ServiceError> {
    length(member, name, minimum, maximum)?;
    require(
        is_nfc(name),
        format!("{member} must be in Unicode normalization form C"),
    )
}

/// Refuses what is not an email address.
pub(crate) fn email(member: &str, address: &str) -> Result<(), ServiceError> {
    require(
        address.len() <= LONGEST_EMAIL && EMAIL.is_match(address),
        format!("{member} is not an email address"),
    )
}

/// Refuses what is not a phone number in E.164 format.
pub(crate) fn phone_number(member: &str, number: &str) -> Result<(), ServiceError> {
    require(
        PHONE_NUMBER.is_match(number),
        format!("{member} is not a phone number in E.164 format"),
    )
}

/// Refuses a name that a security profile may not have.
pub(crate) fn security_profile_name(name: &str) -> Result<(), ServiceError> {
    require(
        SECURITY_PROFILE_NAME.is_match(name),
        "SecurityProfileName must have 1 to 127 characters from [ a-zA-Z0-9_@-]",
    )
}

/// Refuses tags that a request may not carry (1 to 50).
pub(crate) fn tags(tags: &BTreeMap<String, String>) -> Result<(), ServiceError> {
    require(!tags.is_empty(), "Tags must have 1 to 50 entries")?;
    tag_total(tags.len())?;
    for (key, value) in tags {
        tag_key(key)?;
        length("a tag's value", value, 0, 256)?;
    }
    Ok(())
}

/// Refuses more tags than a resource may have.
pub(crate) fn tag_total(count: usize) -> Result<(), ServiceError> {
    require(
        count <= MAXIMUM_TAGS,
        format!("a resource has at most {MAXIMUM_TAGS} tags"),
    )
}

/// Refuses a key that no tag may have.
pub(crate) fn tag_key(key: &str) -> Result<(), ServiceError> {
    require(
        TAG_KEY.is_match(key) && !key.starts_with("aws:"),
        "a tag's key must have 1 to 128 letters, digits, spaces or characters from _.:/=+-@, and \
         not begin with aws:",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_are_judged_as_the_documentation_says() {
        use IdentityManagement::{ConnectManaged, Saml};
        for (name, identity_management, accepted) in [
            ("testuser", Saml, true),
            ("testuser@example.com", Saml, true),
            ("testuser@example", Saml, false),
            ("a@b@example.com", Saml, false),
            ("Jane.Doe_1-x", Saml, true),
            ("jane doe", Saml, false),
            ("jan\u{e9}", Saml, false),
            ("jane+x@example.com", Saml, false),
            ("", Saml, false),
            (&"a".repeat(64), Saml, true),
            (&"a".repeat(65), Saml, false),
            (&"a".repeat(20), ConnectManaged, true),
            (&"a".repeat(21), ConnectManaged, false),
        ] {
            let settings = Settings {
                identity_management,
                ..Settings::default()
            };
            assert_eq!(username(name, &settings).is_ok(), accepted, "{name}");
        }
    }

    #[test]
    fn an_at_sign_is_accepted_anywhere_if_the_settings_say_so() {
        let settings = Settings {
            usernames_with_at_are_emails: false,
            ..Settings::default()
        };
        for (name, accepted) in [
            ("ada@005xx000001Sv6e@00Dxx0000001gER", true),
            ("005xx000001Sv6e@00Dxx0000001gER", true),
            ("ada lovelace@example", false),
            ("", false),
        ] {
            assert_eq!(username(name, &settings).is_ok(), accepted, "{name}");
        }
    }

    #[test]
    fn a_decomposed_name_is_refused() {
        assert!(person_name("FirstName", "Ren\u{e9}", 0, 255).is_ok());
        assert!(person_name("FirstName", "Rene\u{301}", 0, 255).is_err());
    }

    #[test]
    fn the_keys_of_amazon_are_not_for_tags() {
        for (key, accepted) in [
            ("connect-scim:externalId", true),
            ("Abteilung S\u{fc}d", true),
            ("aws:created", false),
            ("a#b", false),
            ("", false),
        ] {
            assert_eq!(tag_key(key).is_ok(), accepted, "{key}");
        }
    }
}
