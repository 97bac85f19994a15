//! Who a person is in Connect: username, names, addresses, numbers.

use connect_attributes::Attributes;
use scim::Resource;

use super::{IdentityManagement, MappingError, first, text};
use crate::connect::IdentityInfo;

/// SAML: the username is also the role session name (`[\w+=,.@-]{2,64}`), so both rules
/// hold. Sources: `CreateUser` in the API reference; "Configure SAML with IAM for Amazon
/// Connect" in the administrator guide.
///
/// The API reference accepts `@` only in the form of an e-mail address, but Salesforce
/// Service Cloud Voice creates users named `<alias>@<user id>@<organization id>`
/// (help.salesforce.com, service.voice_custm_usnm). Connect decides.
pub(super) fn check_username(
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

pub(super) fn identity(
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
pub(super) fn e164(written: &str) -> Option<String> {
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
