//! The attributes of a user that can be filled from a directory, each with one text value.
//!
//! Identity Center takes one value per multi-valued attribute, so `emails`, `phoneNumbers`
//! and `addresses` are flat here: an e-mail address is one attribute, an address five.
//! [`crate::target`] converts them to the SCIM schema.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An attribute of a user, by its key in the configuration.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum Attribute {
    /// `userName`: the sign-in name; unique.
    UserName,
    /// `name.givenName`.
    GivenName,
    /// `name.familyName`.
    FamilyName,
    /// `name.middleName`.
    MiddleName,
    /// `name.formatted`.
    FormattedName,
    /// `displayName`.
    DisplayName,
    /// `nickName`.
    NickName,
    /// `profileUrl`.
    ProfileUrl,
    /// `title`, such as "Vice President".
    Title,
    /// `userType`, such as "Contractor".
    UserType,
    /// `preferredLanguage`, such as `en-US`.
    PreferredLanguage,
    /// `locale`, such as `en-US`.
    Locale,
    /// `timezone`, such as `Europe/Berlin`.
    Timezone,
    /// `emails`: the only e-mail address; unique in Identity Center.
    Email,
    /// `phoneNumbers`: the only telephone number.
    PhoneNumber,
    /// `addresses`: street and number.
    StreetAddress,
    /// `addresses`: city.
    Locality,
    /// `addresses`: state or province.
    Region,
    /// `addresses`: postal code.
    PostalCode,
    /// `addresses`: country.
    Country,
    /// Enterprise extension (RFC 7643, section 4.3).
    EmployeeNumber,
    /// Enterprise extension.
    CostCenter,
    /// Enterprise extension.
    Organization,
    /// Enterprise extension.
    Division,
    /// Enterprise extension.
    Department,
    /// Enterprise extension: the manager. The directory has the manager's distinguished name; the
    /// manager must be in scope.
    Manager,
}

impl Attribute {
    /// Every attribute.
    pub const ALL: [Self; 26] = [
        Self::UserName,
        Self::GivenName,
        Self::FamilyName,
        Self::MiddleName,
        Self::FormattedName,
        Self::DisplayName,
        Self::NickName,
        Self::ProfileUrl,
        Self::Title,
        Self::UserType,
        Self::PreferredLanguage,
        Self::Locale,
        Self::Timezone,
        Self::Email,
        Self::PhoneNumber,
        Self::StreetAddress,
        Self::Locality,
        Self::Region,
        Self::PostalCode,
        Self::Country,
        Self::EmployeeNumber,
        Self::CostCenter,
        Self::Organization,
        Self::Division,
        Self::Department,
        Self::Manager,
    ];

    /// The attributes that Identity Center requires for a new user
    /// (<https://docs.aws.amazon.com/singlesignon/latest/developerguide/createuser.html>).
    pub const REQUIRED: [Self; 4] = [
        Self::UserName,
        Self::GivenName,
        Self::FamilyName,
        Self::DisplayName,
    ];

    /// The key in the configuration.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::UserName => "userName",
            Self::GivenName => "givenName",
            Self::FamilyName => "familyName",
            Self::MiddleName => "middleName",
            Self::FormattedName => "formattedName",
            Self::DisplayName => "displayName",
            Self::NickName => "nickName",
            Self::ProfileUrl => "profileUrl",
            Self::Title => "title",
            Self::UserType => "userType",
            Self::PreferredLanguage => "preferredLanguage",
            Self::Locale => "locale",
            Self::Timezone => "timezone",
            Self::Email => "email",
            Self::PhoneNumber => "phoneNumber",
            Self::StreetAddress => "streetAddress",
            Self::Locality => "locality",
            Self::Region => "region",
            Self::PostalCode => "postalCode",
            Self::Country => "country",
            Self::EmployeeNumber => "employeeNumber",
            Self::CostCenter => "costCenter",
            Self::Organization => "organization",
            Self::Division => "division",
            Self::Department => "department",
            Self::Manager => "manager",
        }
    }

    /// Whether Identity Center requires it for a new user.
    #[must_use]
    pub fn is_required(self) -> bool {
        Self::REQUIRED.contains(&self)
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.key())
    }
}

/// The attribute values of a user. Personal data: `Debug` prints the attribute names only.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Profile(pub BTreeMap<Attribute, String>);

impl Profile {
    /// The value; `None` if the user has none.
    #[must_use]
    pub fn get(&self, attribute: Attribute) -> Option<&str> {
        self.0.get(&attribute).map(String::as_str)
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

/// Normalizes a name for comparison without regard to case, as directories and RFC 7643 compare
/// user names. The documentation of Identity Center does not specify its comparison.
#[must_use]
pub fn fold(name: &str) -> String {
    name.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_the_one_that_the_configuration_is_parsed_with() {
        for attribute in Attribute::ALL {
            let key = serde_json::to_value(attribute).unwrap();
            assert_eq!(key, attribute.key());
        }
    }

    #[test]
    fn a_printed_profile_shows_no_values() {
        let profile = Profile([(Attribute::UserName, "alice".to_owned())].into());
        assert_eq!(format!("{profile:?}"), "{UserName}");
    }
}
