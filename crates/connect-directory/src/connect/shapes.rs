//! The shapes of Amazon Connect's user API that this crate sends and reads.
//!
//! Names and structure are those of the official API model (`connect`, 2017-08-08);
//! `tests/official_model.rs` holds them to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

/// `UserIdentityInfo`. An absent member is not sent.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct IdentityInfo {
    /// At most 255 characters, NFC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// At most 300 characters (SAML) or 256, NFC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Refused by instances of identity management SAML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Where notifications go, on instances of every identity management.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secondary_email: Option<String>,
    /// E.164.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mobile: Option<String>,
}

/// `PhoneType`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PhoneType {
    /// Calls come in the browser.
    #[default]
    SoftPhone,
    /// Calls come to `DeskPhoneNumber`.
    DeskPhone,
}

/// `UserPhoneConfig`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PhoneConfig {
    /// Where calls come.
    #[serde(default)]
    pub phone_type: PhoneType,
    /// Whether calls are accepted for the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_accept: Option<bool>,
    /// After-contact work in seconds; 0: without limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_contact_work_time_limit: Option<u32>,
    /// E.164; with `DESK_PHONE` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desk_phone_number: Option<String>,
    /// Whether the connection is kept between calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub persistent_connection: Option<bool>,
}

/// `UserProficiency`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Proficiency {
    /// The name of a predefined attribute of the instance.
    pub attribute_name: String,
    /// One of its values.
    pub attribute_value: String,
    /// 1 to 5. A decimal in the API, whose documentation takes whole levels only.
    #[serde(deserialize_with = "whole_level")]
    pub level: u8,
}

impl Proficiency {
    /// What is graded, without the level.
    #[must_use]
    pub fn name(&self) -> ProficiencyName {
        ProficiencyName {
            attribute_name: self.attribute_name.clone(),
            attribute_value: self.attribute_value.clone(),
        }
    }
}

fn whole_level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    let level = f64::deserialize(deserializer)?;
    // A level between two whole ones is none that is ever wanted: 0 differs from all.
    Ok((1..=5)
        .find(|whole| f64::from(*whole) == level)
        .unwrap_or_default())
}

/// `UserProficiencyDisassociate`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProficiencyName {
    /// The name of a predefined attribute of the instance.
    pub attribute_name: String,
    /// One of its values.
    pub attribute_value: String,
}

/// `UpdateUserProficienciesRequest`, and those that associate and disassociate.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UserProficiencies<'a, T> {
    pub user_proficiencies: &'a [T],
}

/// `ListUserProficienciesResponse`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ProficiencyPage {
    #[serde(default)]
    pub user_proficiency_list: Vec<Proficiency>,
    #[serde(default)]
    pub next_token: Option<String>,
}

/// `CreateUserRequest`, without the instance, which is in the path.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreateUser<'a> {
    pub username: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<&'a str>,
    pub identity_info: &'a IdentityInfo,
    pub phone_config: &'a PhoneConfig,
    pub security_profile_ids: Vec<&'a str>,
    pub routing_profile_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hierarchy_group_id: Option<&'a str>,
    pub tags: &'a BTreeMap<String, String>,
}

/// `CreateUserResponse`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreatedUser {
    pub user_id: String,
}

/// `DescribeUserResponse`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DescribedUser {
    pub user: User,
}

/// `User`.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct User {
    /// The user's id; never changes.
    pub id: String,
    /// The name to sign in with; never changes, and is case-sensitive.
    pub username: String,
    /// Names and addresses.
    #[serde(default)]
    pub identity_info: IdentityInfo,
    /// Phone settings.
    #[serde(default)]
    pub phone_config: Option<PhoneConfig>,
    /// 1 to 10 security profiles.
    #[serde(default)]
    pub security_profile_ids: Vec<String>,
    /// The routing profile.
    #[serde(default)]
    pub routing_profile_id: String,
    /// The group in the agent hierarchy.
    #[serde(default)]
    pub hierarchy_group_id: Option<String>,
    /// Tags, ours and others'.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// `UpdateUserIdentityInfoRequest`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UpdateIdentityInfo<'a> {
    pub identity_info: &'a IdentityInfo,
}

/// `UpdateUserSecurityProfilesRequest`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UpdateSecurityProfiles<'a> {
    pub security_profile_ids: Vec<&'a str>,
}

/// `UpdateUserRoutingProfileRequest`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UpdateRoutingProfile<'a> {
    pub routing_profile_id: &'a str,
}

/// `UpdateUserHierarchyRequest`. Without a group the user leaves the hierarchy.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UpdateHierarchy<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hierarchy_group_id: Option<&'a str>,
}

/// `UpdateUserPhoneConfigRequest`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UpdatePhoneConfig<'a> {
    pub phone_config: &'a PhoneConfig,
}

/// `TagResourceRequest`; its members are the only ones of the API in lower case.
#[derive(Serialize)]
pub(crate) struct TagResource<'a> {
    pub tags: &'a BTreeMap<String, String>,
}

/// `SearchUsersRequest`, by one string condition or of all users.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SearchUsers<'a> {
    pub instance_id: &'a str,
    pub max_results: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search_criteria: Option<SearchCriteria<'a>>,
}

/// `UserSearchCriteria`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SearchCriteria<'a> {
    pub string_condition: StringCondition<'a>,
}

/// `StringCondition`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct StringCondition<'a> {
    pub field_name: &'a str,
    pub value: &'a str,
    pub comparison_type: &'a str,
}

/// `SearchUsersResponse`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct FoundUsers {
    #[serde(default)]
    pub users: Vec<FoundUser>,
    #[serde(default)]
    pub next_token: Option<String>,
}

/// `UserSearchSummary`, which lacks e-mail addresses and the mobile number, and the same
/// part of [`User`]. Of proficiencies neither says anything.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FoundUser {
    /// The user's id.
    pub id: String,
    /// The name to sign in with.
    pub username: String,
    /// Names only.
    #[serde(default)]
    pub identity_info: IdentityInfo,
    /// 1 to 10 security profiles.
    #[serde(default)]
    pub security_profile_ids: Vec<String>,
    /// The routing profile.
    #[serde(default)]
    pub routing_profile_id: String,
    /// The group in the agent hierarchy.
    #[serde(default)]
    pub hierarchy_group_id: Option<String>,
    /// Phone settings, as everywhere else in seconds.
    #[serde(default, deserialize_with = "phone_config_in_milliseconds")]
    pub phone_config: Option<PhoneConfig>,
    /// Tags, ours and others'.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// A search tells the time for after-contact work in milliseconds, everything else in
/// seconds: <https://docs.aws.amazon.com/connect/latest/APIReference/API_UserSearchSummary.html>.
fn phone_config_in_milliseconds<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<PhoneConfig>, D::Error> {
    let mut phone_config = Option::<PhoneConfig>::deserialize(deserializer)?;
    if let Some(limit) = phone_config
        .as_mut()
        .and_then(|phone| phone.after_contact_work_time_limit.as_mut())
    {
        *limit /= 1000;
    }
    Ok(phone_config)
}

impl From<FoundUser> for User {
    /// Without the addresses that a search does not tell.
    fn from(found: FoundUser) -> Self {
        Self {
            id: found.id,
            username: found.username,
            identity_info: found.identity_info,
            phone_config: found.phone_config,
            security_profile_ids: found.security_profile_ids,
            routing_profile_id: found.routing_profile_id,
            hierarchy_group_id: found.hierarchy_group_id,
            tags: found.tags,
        }
    }
}

impl From<User> for FoundUser {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            username: user.username,
            identity_info: user.identity_info,
            security_profile_ids: user.security_profile_ids,
            routing_profile_id: user.routing_profile_id,
            hierarchy_group_id: user.hierarchy_group_id,
            phone_config: user.phone_config,
            tags: user.tags,
        }
    }
}

/// `ListUsersResponse`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UserPage {
    #[serde(default)]
    pub user_summary_list: Vec<UserSummary>,
    #[serde(default)]
    pub next_token: Option<String>,
}

/// `UserSummary`.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UserSummary {
    /// The user's id.
    pub id: String,
    /// The name to sign in with.
    pub username: String,
    /// When anybody last changed the user: seconds since 1970.
    #[serde(default)]
    pub last_modified_time: Option<f64>,
}

/// `SecurityProfileSummary`, `RoutingProfileSummary`, `HierarchyGroupSummary`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NamedResource {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// When it was last changed, where Connect returns that: milliseconds since 1970.
    #[serde(
        default,
        rename = "LastModifiedTime",
        deserialize_with = "milliseconds"
    )]
    pub last_modified: Option<i64>,
}

/// Connect gives times in seconds since 1970, with a fraction.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a time has far fewer milliseconds than an i64 counts"
)]
fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let seconds = Option::<f64>::deserialize(deserializer)?;
    Ok(seconds.map(|seconds| (seconds * 1000.0) as i64))
}

/// One page of a `List…` operation of named resources. The list has another name in
/// each operation.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct NamedPage {
    #[serde(
        default,
        alias = "SecurityProfileSummaryList",
        alias = "RoutingProfileSummaryList",
        alias = "UserHierarchyGroupSummaryList"
    )]
    pub items: Vec<NamedResource>,
    #[serde(default)]
    pub next_token: Option<String>,
}
