//! A user's phone settings: one for all channels (`PhoneConfig`), or one for each.

use serde::Deserialize;

use crate::call::{Call, Context, Reply};
use crate::constraints::{self, require};
use crate::error::ServiceError;
use crate::state::{Channel, ChannelConfigs, PhoneType, State, UserPhoneConfig};

/// Seconds: 2,000,000, about 24 days.
const LONGEST_AFTER_CONTACT_WORK: i64 = 2_000_000;

/// What a user has who was created without phone settings.
pub(super) const fn default_phone_config() -> UserPhoneConfig {
    UserPhoneConfig {
        phone_type: Some(PhoneType::SoftPhone),
        auto_accept: Some(false),
        after_contact_work_time_limit: Some(0),
        desk_phone_number: None,
        persistent_connection: None,
    }
}

pub(super) fn update_phone_config(state: &mut State, context: &Context<'_>, call: &Call) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        phone_config: UserPhoneConfig,
    }

    let Request { phone_config } = call.body()?;
    check_phone_config(&phone_config)?;
    state.update_user(call.label("UserId"), context, |record| {
        // "Will always set the same ACW timeouts to all channels": what it sets no longer
        // differs by channel.
        let channels = &mut record.user.channels;
        if phone_config.auto_accept.is_some() {
            channels.auto_accept_configs = None;
        }
        if phone_config.after_contact_work_time_limit.is_some() {
            channels.after_contact_work_configs = None;
        }
        if phone_config.phone_type.is_some() || phone_config.desk_phone_number.is_some() {
            channels.phone_number_configs = None;
        }
        if phone_config.persistent_connection.is_some() {
            channels.persistent_connection_configs = None;
        }
        record.user.phone_config = phone_config;
    })?;
    Ok(None)
}

pub(super) fn update_config(state: &mut State, context: &Context<'_>, call: &Call) -> Reply {
    let sent: ChannelConfigs = call.body()?;
    check_channels(&sent)?;
    state.update_user(call.label("UserId"), context, |record| {
        let channels = &mut record.user.channels;
        replace(&mut channels.auto_accept_configs, sent.auto_accept_configs);
        replace(
            &mut channels.after_contact_work_configs,
            sent.after_contact_work_configs,
        );
        replace(
            &mut channels.phone_number_configs,
            sent.phone_number_configs,
        );
        replace(
            &mut channels.persistent_connection_configs,
            sent.persistent_connection_configs,
        );
        replace(
            &mut channels.voice_enhancement_configs,
            sent.voice_enhancement_configs,
        );
    })?;
    Ok(None)
}

fn replace<T>(current: &mut Option<T>, sent: Option<T>) {
    if sent.is_some() {
        *current = sent;
    }
}

pub(super) fn check_phone_config(config: &UserPhoneConfig) -> Result<(), ServiceError> {
    if let Some(limit) = config.after_contact_work_time_limit {
        check_limit(limit)?;
    }
    if let Some(number) = &config.desk_phone_number {
        constraints::phone_number("DeskPhoneNumber", number)?;
    }
    Ok(())
}

/// Refuses phone settings that say the same twice, once for all channels and once for
/// each. Source: `CreateUser` in the API reference.
pub(super) fn check_conflicts(
    config: &UserPhoneConfig,
    channels: &ChannelConfigs,
) -> Result<(), ServiceError> {
    for (both, member, list) in [
        (
            config.auto_accept.is_some() && channels.auto_accept_configs.is_some(),
            "AutoAccept",
            "AutoAcceptConfigs",
        ),
        (
            config.after_contact_work_time_limit.is_some()
                && channels.after_contact_work_configs.is_some(),
            "AfterContactWorkTimeLimit",
            "AfterContactWorkConfigs",
        ),
        (
            (config.phone_type.is_some() || config.desk_phone_number.is_some())
                && channels.phone_number_configs.is_some(),
            "PhoneType",
            "PhoneNumberConfigs",
        ),
        (
            config.persistent_connection.is_some()
                && channels.persistent_connection_configs.is_some(),
            "PersistentConnection",
            "PersistentConnectionConfigs",
        ),
    ] {
        require(!both, format!("PhoneConfig.{member} conflicts with {list}"))?;
    }
    Ok(())
}

pub(super) fn check_channels(channels: &ChannelConfigs) -> Result<(), ServiceError> {
    for config in channels.after_contact_work_configs.iter().flatten() {
        for limit in [
            Some(&config.after_contact_work_config),
            config
                .agent_first_callback_after_contact_work_config
                .as_ref(),
        ]
        .into_iter()
        .flatten()
        .filter_map(|config| config.after_contact_work_time_limit)
        {
            check_limit(limit)?;
        }
    }
    for config in channels.phone_number_configs.iter().flatten() {
        check_voice("PhoneNumberConfigs", config.channel)?;
        if let Some(number) = &config.phone_number {
            constraints::phone_number("PhoneNumber", number)?;
        }
    }
    for config in channels.voice_enhancement_configs.iter().flatten() {
        check_voice("VoiceEnhancementConfigs", config.channel)?;
    }
    Ok(())
}

fn check_limit(seconds: i64) -> Result<(), ServiceError> {
    require(
        (0..=LONGEST_AFTER_CONTACT_WORK).contains(&seconds),
        format!("AfterContactWorkTimeLimit must be 0 to {LONGEST_AFTER_CONTACT_WORK} seconds"),
    )
}

fn check_voice(list: &str, channel: Channel) -> Result<(), ServiceError> {
    require(
        channel == Channel::Voice,
        format!("{list} are for the channel VOICE only"),
    )
}
