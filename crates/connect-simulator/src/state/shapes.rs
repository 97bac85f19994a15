//! The service's own shapes, so that describing something is writing it.
//!
//! They have no `Debug`: users are personal data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::timestamp::Timestamp;

pub(crate) type Tags = BTreeMap<String, String>;

/// A user with what the service keeps beside it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct UserRecord {
    pub(crate) user: User,
    pub(crate) proficiencies: Vec<UserProficiency>,
}

/// `User` in the API model.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) username: String,
    pub(crate) identity_info: UserIdentityInfo,
    pub(crate) phone_config: UserPhoneConfig,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) directory_user_id: Option<String>,
    pub(crate) security_profile_ids: Vec<String>,
    pub(crate) routing_profile_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hierarchy_group_id: Option<String>,
    pub(crate) tags: Tags,
    #[serde(flatten)]
    pub(crate) channels: ChannelConfigs,
    pub(crate) last_modified_time: Timestamp,
    pub(crate) last_modified_region: String,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UserIdentityInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secondary_email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mobile: Option<String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UserPhoneConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) phone_type: Option<PhoneType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) auto_accept: Option<bool>,
    /// Seconds here; milliseconds in the results of a search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) after_contact_work_time_limit: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) desk_phone_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) persistent_connection: Option<bool>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum PhoneType {
    SoftPhone,
    DeskPhone,
}

/// The settings by channel, each list absent or replaced as a whole.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ChannelConfigs {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) auto_accept_configs: Option<Vec<AutoAcceptConfig>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) after_contact_work_configs: Option<Vec<AfterContactWorkConfigPerChannel>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) phone_number_configs: Option<Vec<PhoneNumberConfig>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) persistent_connection_configs: Option<Vec<PersistentConnectionConfig>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) voice_enhancement_configs: Option<Vec<VoiceEnhancementConfig>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Channel {
    Voice,
    Chat,
    Task,
    Email,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AutoAcceptConfig {
    pub(crate) channel: Channel,
    pub(crate) auto_accept: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) agent_first_callback_auto_accept: Option<bool>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AfterContactWorkConfigPerChannel {
    pub(crate) channel: Channel,
    pub(crate) after_contact_work_config: AfterContactWorkConfig,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) agent_first_callback_after_contact_work_config: Option<AfterContactWorkConfig>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AfterContactWorkConfig {
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) after_contact_work_time_limit: Option<i64>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PhoneNumberConfig {
    pub(crate) channel: Channel,
    pub(crate) phone_type: PhoneType,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) phone_number: Option<String>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PersistentConnectionConfig {
    pub(crate) channel: Channel,
    pub(crate) persistent_connection: bool,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct VoiceEnhancementConfig {
    pub(crate) channel: Channel,
    pub(crate) voice_enhancement_mode: VoiceEnhancementMode,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum VoiceEnhancementMode {
    VoiceIsolation,
    NoiseSuppression,
    None,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UserProficiency {
    pub(crate) attribute_name: String,
    pub(crate) attribute_value: String,
    pub(crate) level: f64,
}

/// A security profile with its permissions, which have an operation of their own.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SecurityProfileRecord {
    pub(crate) profile: SecurityProfile,
    pub(crate) permissions: Vec<String>,
    /// Third-party applications, as they were sent.
    #[serde(default)]
    pub(crate) applications: Vec<Value>,
    /// Flow modules that an AI agent may use as tools, as they were sent.
    #[serde(default)]
    pub(crate) flow_modules: Vec<Value>,
}

/// `SecurityProfile` in the API model.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SecurityProfile {
    pub(crate) id: String,
    pub(crate) organization_resource_id: String,
    pub(crate) arn: String,
    pub(crate) security_profile_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    pub(crate) tags: Tags,
    #[serde(flatten)]
    pub(crate) restrictions: AccessRestrictions,
    pub(crate) last_modified_time: Timestamp,
    pub(crate) last_modified_region: String,
}

/// What a security profile narrows its permissions to.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AccessRestrictions {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) allowed_access_control_tags: Option<Tags>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tag_restricted_resources: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hierarchy_restricted_resources: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) allowed_access_control_hierarchy_group_id: Option<String>,
}

/// `RoutingProfile` in the API model; read only here.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RoutingProfile {
    pub(crate) instance_id: String,
    pub(crate) routing_profile_id: String,
    pub(crate) routing_profile_arn: String,
    pub(crate) name: String,
    pub(crate) description: String,
    /// As seeded.
    pub(crate) media_concurrencies: Value,
    pub(crate) default_outbound_queue_id: String,
    pub(crate) associated_queue_ids: Vec<String>,
    pub(crate) agent_availability_timer: String,
    pub(crate) is_default: bool,
    pub(crate) tags: Tags,
    pub(crate) last_modified_time: Timestamp,
    pub(crate) last_modified_region: String,
}

/// `HierarchyLevel` in the API model.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct HierarchyLevel {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) last_modified_time: Timestamp,
    pub(crate) last_modified_region: String,
}

/// A group of the user hierarchy. Names are unique below one parent only.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct HierarchyGroup {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) level_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parent_id: Option<String>,
    pub(crate) tags: Tags,
    pub(crate) last_modified_time: Timestamp,
    pub(crate) last_modified_region: String,
}
