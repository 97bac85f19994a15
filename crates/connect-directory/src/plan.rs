//! Which calls make Connect's user what it should be.
//!
//! Pure: (what Connect has, what it should have) → calls in order, as few as the API
//! allows, those that can reduce permissions first. Applying the same plan twice, or
//! planning again after any prefix of it was carried out, leads to the same end, which
//! is what makes retries, duplicates and crashes harmless.

use std::collections::BTreeMap;

use crate::{
    connect::{IdentityInfo, PhoneConfig, Proficiency, ProficiencyName},
    user::{AppliedUser, ConnectUser},
};

/// One call to Connect that changes something.
#[derive(Clone, PartialEq, Eq)]
pub enum Call {
    /// `CreateUser`, which takes no proficiencies.
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
    /// `DisassociateUserProficiencies`.
    RemoveProficiencies(Vec<ProficiencyName>),
    /// `UpdateUserProficiencies`.
    UpdateProficiencies(Vec<Proficiency>),
    /// `AssociateUserProficiencies`.
    AddProficiencies(Vec<Proficiency>),
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
            Self::RemoveProficiencies(_) => "DisassociateUserProficiencies",
            Self::UpdateProficiencies(_) => "UpdateUserProficiencies",
            Self::AddProficiencies(_) => "AssociateUserProficiencies",
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
///
/// A user who is taken over is marked as SCIM's by the last call: whom a refusal of any
/// other one leaves without the mark is as much somebody else's as before.
pub fn plan(applied: Option<&ConnectUser>, desired: Option<&ConnectUser>) -> Vec<Call> {
    match (applied, desired) {
        (None, None) => Vec::new(),
        (None, Some(desired)) => creation(desired),
        (Some(_), None) => vec![Call::Delete],
        (Some(applied), Some(desired)) if applied.username != desired.username => {
            let mut calls = vec![Call::Delete];
            calls.append(&mut creation(desired));
            calls
        }
        (Some(applied), Some(desired)) => changes(applied, desired),
    }
}

fn creation(desired: &ConnectUser) -> Vec<Call> {
    let mut created = desired.clone();
    let proficiencies = std::mem::take(&mut created.proficiencies);
    let mut calls = vec![Call::Create(Box::new(created))];
    if !proficiencies.is_empty() {
        calls.push(Call::AddProficiencies(proficiencies));
    }
    calls
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
    match (&applied.phone, &desired.phone) {
        (applied, Some(phone)) if applied.as_ref() != Some(phone) => {
            calls.push(Call::Phone(Box::new(phone.clone())));
        }
        // SCIM had a say and has none any more: what a new user without settings has, lest
        // calls go on to a telephone that was taken away.
        (Some(applied), None) if *applied != PhoneConfig::default() => {
            calls.push(Call::Phone(Box::default()));
        }
        _ => {}
    }
    proficiencies(&applied.proficiencies, &desired.proficiencies, &mut calls);
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

/// Those that go make place for those that come: a user has at most ten.
fn proficiencies(applied: &[Proficiency], desired: &[Proficiency], calls: &mut Vec<Call>) {
    let level = |proficiencies: &[Proficiency], name: &ProficiencyName| {
        let mut all = proficiencies.iter();
        all.find(|proficiency| proficiency.name() == *name)
            .map(|proficiency| proficiency.level)
    };
    let removed: Vec<ProficiencyName> = applied
        .iter()
        .map(Proficiency::name)
        .filter(|name| level(desired, name).is_none())
        .collect();
    let (added, kept): (Vec<Proficiency>, Vec<Proficiency>) = desired
        .iter()
        .cloned()
        .partition(|proficiency| level(applied, &proficiency.name()).is_none());
    let changed: Vec<Proficiency> = kept
        .into_iter()
        .filter(|proficiency| level(applied, &proficiency.name()) != Some(proficiency.level))
        .collect();
    if !removed.is_empty() {
        calls.push(Call::RemoveProficiencies(removed));
    }
    if !changed.is_empty() {
        calls.push(Call::UpdateProficiencies(changed));
    }
    if !added.is_empty() {
        calls.push(Call::AddProficiencies(added));
    }
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
        Call::RemoveProficiencies(names) => user
            .proficiencies
            .retain(|proficiency| !names.contains(&proficiency.name())),
        Call::UpdateProficiencies(set) | Call::AddProficiencies(set) => {
            user.proficiencies
                .retain(|one| !set.iter().any(|other| other.name() == one.name()));
            user.proficiencies.extend(set);
            user.proficiencies.sort();
        }
        Call::Tag(tags) => user.tags.extend(tags),
        Call::Untag(keys) => user.tags.retain(|key, _| !keys.contains(key)),
    }
    Some(applied)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::connect::PhoneType;

    fn user() -> ConnectUser {
        ConnectUser {
            username: "ada".to_owned(),
            identity: IdentityInfo {
                first_name: Some("Ada".to_owned()),
                ..IdentityInfo::default()
            },
            security_profile_ids: ["agent".to_owned()].into(),
            routing_profile_id: "basic".to_owned(),
            hierarchy_group_id: None,
            phone: None,
            proficiencies: Vec::new(),
            tags: [("scim:id".to_owned(), "1".to_owned())].into(),
        }
    }

    fn desk_phone() -> PhoneConfig {
        PhoneConfig {
            phone_type: PhoneType::DeskPhone,
            desk_phone_number: Some("+4930123456".to_owned()),
            ..PhoneConfig::default()
        }
    }

    #[test]
    fn a_desk_phone_that_is_taken_away_becomes_a_soft_phone_once() {
        let before = ConnectUser {
            phone: Some(desk_phone()),
            ..user()
        };
        let calls = plan(Some(&before), Some(&user()));
        let [Call::Phone(phone)] = &calls[..] else {
            panic!("{calls:?}");
        };
        assert!(**phone == PhoneConfig::default());
        let after = carry_out(Some(before), calls);
        assert!(plan(after.as_ref(), Some(&user())).is_empty());
    }

    fn operations(calls: &[Call]) -> Vec<&'static str> {
        calls.iter().map(Call::operation).collect()
    }

    #[test]
    fn nothing_to_do_is_no_call() {
        assert!(plan(None, None).is_empty());
        assert!(plan(Some(&user()), Some(&user())).is_empty());
    }

    #[test]
    fn each_facet_is_one_call() {
        let change = |change: fn(&mut ConnectUser)| {
            let mut desired = user();
            change(&mut desired);
            operations(&plan(Some(&user()), Some(&desired)))
        };
        for (calls, expected) in [
            (
                change(|user| user.identity.last_name = Some("King".to_owned())),
                "UpdateUserIdentityInfo",
            ),
            (
                change(|user| user.security_profile_ids = ["manager".to_owned()].into()),
                "UpdateUserSecurityProfiles",
            ),
            (
                change(|user| user.routing_profile_id = "sales".to_owned()),
                "UpdateUserRoutingProfile",
            ),
            (
                change(|user| user.hierarchy_group_id = Some("berlin".to_owned())),
                "UpdateUserHierarchy",
            ),
            (
                change(|user| user.phone = Some(PhoneConfig::default())),
                "UpdateUserPhoneConfig",
            ),
            (
                operations(&plan(
                    Some(&ConnectUser {
                        phone: Some(desk_phone()),
                        ..user()
                    }),
                    Some(&user()),
                )),
                "UpdateUserPhoneConfig",
            ),
            (
                change(|user| {
                    drop(
                        user.tags
                            .insert("scim:external-id".to_owned(), "e".to_owned()),
                    )
                }),
                "TagResource",
            ),
            (change(|user| user.tags.clear()), "UntagResource"),
        ] {
            assert_eq!(calls, [expected]);
        }
        assert_eq!(operations(&plan(None, Some(&user()))), ["CreateUser"]);
        assert_eq!(operations(&plan(Some(&user()), None)), ["DeleteUser"]);
    }

    fn proficiency(value: &str, level: u8) -> Proficiency {
        Proficiency {
            attribute_name: "Language".to_owned(),
            attribute_value: value.to_owned(),
            level,
        }
    }

    #[test]
    fn proficiencies_are_removed_changed_and_added_in_one_call_each() {
        let with = |proficiencies: &[(&str, u8)]| ConnectUser {
            proficiencies: proficiencies
                .iter()
                .map(|(value, level)| proficiency(value, *level))
                .collect(),
            ..user()
        };
        let all = [
            "DisassociateUserProficiencies",
            "UpdateUserProficiencies",
            "AssociateUserProficiencies",
        ];
        for (applied, desired, expected) in [
            (&[][..], &[("de", 1), ("en", 2)][..], &all[2..]),
            (&[("de", 1), ("en", 2)], &[("de", 3), ("en", 4)], &all[1..2]),
            (&[("de", 1), ("en", 2)], &[], &all[..1]),
            (&[("de", 1), ("en", 2)], &[("en", 5), ("fr", 1)], &all[..]),
            (&[("de", 1)], &[("de", 1)], &[]),
        ] {
            let calls = plan(Some(&with(applied)), Some(&with(desired)));
            assert_eq!(operations(&calls), expected);
        }
        let calls = plan(None, Some(&with(&[("de", 1)])));
        assert_eq!(
            operations(&calls),
            ["CreateUser", "AssociateUserProficiencies"]
        );
    }

    #[test]
    fn the_mark_of_ownership_comes_last() {
        let foreign = ConnectUser {
            username: "ada".to_owned(),
            identity: IdentityInfo::default(),
            security_profile_ids: ["admin".to_owned()].into(),
            routing_profile_id: "sales".to_owned(),
            hierarchy_group_id: Some("paris".to_owned()),
            phone: None,
            proficiencies: vec![proficiency("fr", 1)],
            tags: BTreeMap::new(),
        };
        let desired = ConnectUser {
            phone: Some(PhoneConfig::default()),
            proficiencies: vec![proficiency("de", 1)],
            ..user()
        };
        let calls = plan(Some(&foreign), Some(&desired));
        assert_eq!(operations(&calls).last(), Some(&"TagResource"));
    }

    #[test]
    fn what_can_reduce_permissions_comes_first() {
        let mut desired = user();
        desired.identity.last_name = Some("King".to_owned());
        desired.routing_profile_id = "sales".to_owned();
        desired.security_profile_ids = ["suspended".to_owned()].into();
        let calls = plan(Some(&user()), Some(&desired));
        assert_eq!(calls[0].operation(), "UpdateUserSecurityProfiles");
    }

    #[test]
    fn a_new_username_replaces_the_user_and_the_old_one_goes_first() {
        let mut desired = user();
        desired.username = "countess".to_owned();
        let calls = plan(Some(&user()), Some(&desired));
        assert_eq!(operations(&calls), ["DeleteUser", "CreateUser"]);
    }

    fn any_user() -> impl Strategy<Value = ConnectUser> {
        let name = || proptest::option::of("[ab]");
        (
            "[ab]",
            (name(), name()),
            proptest::collection::btree_set("[abc]", 1..3),
            "[ab]",
            name(),
            proptest::option::of(proptest::option::of(0..2_u32)),
            (
                proptest::collection::btree_map("[abc]", 1..3_u8, 0..3),
                proptest::collection::btree_map("[ab]", "[ab]", 0..3),
            ),
        )
            .prop_map(
                |(username, names, profiles, routing, hierarchy, phone, (proficiencies, tags))| {
                    ConnectUser {
                        username,
                        identity: IdentityInfo {
                            first_name: names.0,
                            last_name: names.1,
                            ..IdentityInfo::default()
                        },
                        security_profile_ids: profiles,
                        routing_profile_id: routing,
                        hierarchy_group_id: hierarchy,
                        phone: phone.map(|after_contact_work_time_limit| PhoneConfig {
                            after_contact_work_time_limit,
                            ..PhoneConfig::default()
                        }),
                        proficiencies: proficiencies
                            .iter()
                            .map(|(value, level)| proficiency(value, *level))
                            .collect(),
                        tags,
                    }
                },
            )
    }

    fn carry_out(applied: Option<ConnectUser>, calls: Vec<Call>) -> Option<ConnectUser> {
        let applied = applied.map(|user| AppliedUser {
            user_id: "u".to_owned(),
            user,
        });
        calls
            .into_iter()
            .fold(applied, |applied, call| after(applied, call, "u"))
            .map(|applied| applied.user)
    }

    proptest! {
        /// A crash after any number of calls is made good by planning again.
        #[test]
        fn a_plan_interrupted_anywhere_and_made_again_leads_to_the_desired_user(
            applied in proptest::option::of(any_user()),
            desired in proptest::option::of(any_user()),
            interrupted_after in 0..8_usize,
        ) {
            let mut calls = plan(applied.as_ref(), desired.as_ref());
            calls.truncate(interrupted_after);
            let halfway = carry_out(applied, calls);
            let rest = plan(halfway.as_ref(), desired.as_ref());
            let end = carry_out(halfway, rest);
            prop_assert!(plan(end.as_ref(), desired.as_ref()).is_empty());
        }
    }
}
