//! Which user a manager is to the server.
//!
//! The directory side of a plan names managers by their entries, the server by the ids of
//! users. A manager whose user is made by the same plan has no id yet: the writes that name
//! them come after all users are made, so that two who manage each other find each other.

use std::collections::BTreeSet;

use super::current::Current;
use super::matching::Matched;
use super::operation::{Operation, Subject, UserChanges};
use super::policy::Policy;
use super::users::subject;
use crate::attribute::Attribute;
use crate::mapping::{Desired, DesiredUser};
use crate::snapshot::EntryId;

/// Who a user's manager is to be.
pub(super) enum Manager<'a> {
    Nobody,
    User {
        /// The server's id.
        id: &'a str,
        /// The ids of users that are as right.
        others: Vec<&'a str>,
    },
    /// Has no user yet, and may or may not get one.
    Pending(EntryId),
}

impl<'a> Manager<'a> {
    pub(super) fn of(wanted: &DesiredUser, current: &'a Current, matched: &Matched) -> Self {
        let profile = wanted.profile.as_ref();
        let Some(entry) = profile.and_then(|profile| profile.get(Attribute::Manager)) else {
            return Self::Nobody;
        };
        let entry = EntryId(entry.to_owned());
        let user = |entry: &EntryId| {
            let index = matched.objects.get(entry)?;
            Some(current.users()[*index].id.0.as_str())
        };
        match user(&entry) {
            Some(id) => Self::User {
                id,
                others: wanted
                    .alternatives
                    .get(&Attribute::Manager)
                    .into_iter()
                    .flatten()
                    .filter_map(|entry| user(&EntryId(entry.clone())))
                    .collect(),
            },
            None => Self::Pending(entry),
        }
    }
}

/// The writes that depend on the users that the plan creates.
pub(super) fn pending(
    desired: &Desired,
    current: &Current,
    matched: &Matched,
    created: &BTreeSet<EntryId>,
    policy: &Policy,
) -> Vec<Operation> {
    if !desired.managed.contains(&Attribute::Manager) {
        return Vec::new();
    }
    let mut operations = Vec::new();
    for (entry, wanted) in &desired.users {
        let Manager::Pending(manager) = Manager::of(wanted, current, matched) else {
            continue;
        };
        let user = matched
            .objects
            .get(entry)
            .map(|index| &current.users()[*index]);
        let has_one = user.is_some_and(|user| user.profile.get(Attribute::Manager).is_some());
        let mut changes = UserChanges::default();
        if created.contains(&manager) {
            changes.new_manager = Some(manager);
        } else if has_one {
            changes.removed.insert(Attribute::Manager);
        } else {
            continue;
        }
        let subject = match user {
            Some(user) => Subject {
                entry: Some(entry.clone()),
                ..subject(user, policy)
            },
            None if created.contains(entry) => Subject {
                entry: Some(entry.clone()),
                id: None,
                name: wanted
                    .profile
                    .as_ref()
                    .and_then(|profile| profile.get(Attribute::UserName))
                    .unwrap_or_default()
                    .to_owned(),
            },
            None => continue,
        };
        operations.push(Operation::UpdateUser {
            subject,
            changes,
            is_leaver: false,
        });
    }
    operations
}
