//! Which calls make Connect's user what it should be.
//!
//! Pure: (what Connect has, what it should have) → calls in order, as few as the API
//! allows, those that can reduce permissions first. Applying the same plan twice, or
//! planning again after any prefix of it was carried out, leads to the same end, which
//! is what makes retries, duplicates and crashes harmless.

use std::collections::BTreeMap;

use crate::{
    connect::{IdentityInfo, PhoneConfig},
    user::{AppliedUser, ConnectUser},
};

/// One call to Connect that changes something.
#[derive(Clone, PartialEq, Eq)]
pub enum Call {
    /// `CreateUser`.
    Create(Box<ConnectUser>),
    /// `DeleteUser`.
    Delete,
    /// `UpdateUserSecurityProfiles`.
    SecurityProfiles(Vec<String>),
    /// `UpdateUserHierarchy`.
    Hierarchy(Option<String>),
    /// `UpdateUserRoutingProfile`.
    RoutingProfile(String),
    /// `UpdateUserIdentityInfo`.
    Identity(Box<IdentityInfo>),
    /// `UpdateUserPhoneConfig`.
    Phone(Box<PhoneConfig>),
    /// `TagResource`.
    Tag(BTreeMap<String, String>),
    /// `UntagResource`.
    Untag(Vec<String>),
}

impl Call {
    /// The operation's name in Connect's API.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Create(_) => "CreateUser",
            Self::Delete => "DeleteUser",
            Self::SecurityProfiles(_) => "UpdateUserSecurityProfiles",
            Self::Hierarchy(_) => "UpdateUserHierarchy",
            Self::RoutingProfile(_) => "UpdateUserRoutingProfile",
            Self::Identity(_) => "UpdateUserIdentityInfo",
            Self::Phone(_) => "UpdateUserPhoneConfig",
            Self::Tag(_) => "TagResource",
            Self::Untag(_) => "UntagResource",
        }
    }
}

impl std::fmt::Debug for Call {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.operation())
    }
}

/// The calls that lead from `applied` to `desired`; `None` on either side: no user.
///
/// A changed username is a new user, because Connect cannot rename: `[Delete, Create]`.
/// The old one goes first, so that nobody ever holds two ways in.
pub fn plan(applied: Option<&ConnectUser>, desired: Option<&ConnectUser>) -> Vec<Call> {
    match (applied, desired) {
        (None, None) => Vec::new(),
        (None, Some(desired)) => vec![Call::Create(Box::new(desired.clone()))],
        (Some(_), None) => vec![Call::Delete],
        (Some(applied), Some(desired)) if applied.username != desired.username => {
            vec![Call::Delete, Call::Create(Box::new(desired.clone()))]
        }
        (Some(applied), Some(desired)) => changes(applied, desired),
    }
}

fn changes(applied: &ConnectUser, desired: &ConnectUser) -> Vec<Call> {
    let mut calls = Vec::new();
    if applied.security_profile_ids != desired.security_profile_ids {
        calls.push(Call::SecurityProfiles(
            desired.security_profile_ids.iter().cloned().collect(),
        ));
    }
    if applied.hierarchy_group_id != desired.hierarchy_group_id {
        calls.push(Call::Hierarchy(desired.hierarchy_group_id.clone()));
    }
    if applied.routing_profile_id != desired.routing_profile_id {
        calls.push(Call::RoutingProfile(desired.routing_profile_id.clone()));
    }
    if applied.identity != desired.identity {
        calls.push(Call::Identity(Box::new(desired.identity.clone())));
    }
    if let Some(phone) = &desired.phone
        && applied.phone.as_ref() != Some(phone)
    {
        calls.push(Call::Phone(Box::new(phone.clone())));
    }
    let removed: Vec<String> = applied
        .tags
        .keys()
        .filter(|key| !desired.tags.contains_key(*key))
        .cloned()
        .collect();
    if !removed.is_empty() {
        calls.push(Call::Untag(removed));
    }
    let set: BTreeMap<String, String> = desired
        .tags
        .iter()
        .filter(|(key, value)| applied.tags.get(*key) != Some(value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if !set.is_empty() {
        calls.push(Call::Tag(set));
    }
    calls
}

/// What Connect has after a call succeeded. `user_id` is that of the created user, or
/// of the one that the call was made for.
pub fn after(applied: Option<AppliedUser>, call: Call, user_id: &str) -> Option<AppliedUser> {
    let mut applied = match call {
        Call::Create(user) => {
            return Some(AppliedUser {
                user_id: user_id.to_owned(),
                user: *user,
            });
        }
        Call::Delete => return None,
        _ => applied?,
    };
    let user = &mut applied.user;
    match call {
        Call::Create(_) | Call::Delete => {}
        Call::SecurityProfiles(ids) => user.security_profile_ids = ids.into_iter().collect(),
        Call::Hierarchy(id) => user.hierarchy_group_id = id,
        Call::RoutingProfile(id) => user.routing_profile_id = id,
        Call::Identity(identity) => user.identity = *identity,
        Call::Phone(phone) => user.phone = Some(*phone),
        Call::Tag(tags) => user.tags.extend(tags),
        Call::Untag(keys) => user.tags.retain(|key, _| !keys.contains(key)),
    }
    Some(applied)
}
