//! The desired state of a user in Connect, derived from the stored user.
//!
//! This is the one place that decides about access: whatever its other attributes are, a
//! user who is inactive or deleted is to be suspended or absent. Nothing but an active
//! user has to fit the rules of Connect and the settings of the environment.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;
use tokio::time::Instant;

use super::{Context, Deprovision, Directory, DirectoryError, Rename, Unresolved};
use crate::{
    mapping::{Grants, MappingError, Wanted, map},
    profiles::{CLOCK_SKEW, ProfileError},
    reconcile::{Failure, Presence},
    store::{Record, StoreError, StoredUser, fold},
    user::{AppliedUser, ConnectUser, ownership_tags},
};

/// The access to Connect that the identity provider wants for a user.
#[derive(Clone, PartialEq)]
pub(super) enum Intent {
    /// No user.
    Absent,
    /// A user without permissions, if Connect has one. Its other properties are these, or
    /// stay as they are where the resource does not map.
    Suspended(Option<Box<Wanted>>),
    /// This user.
    Active(Box<Wanted>),
}

impl Intent {
    fn active(&self) -> Option<&Wanted> {
        match self {
            Self::Active(wanted) => Some(wanted),
            Self::Absent | Self::Suspended(_) => None,
        }
    }
}

/// The security profiles that `provisioning.groups` gives to groups with a name of their
/// own, by the id of the group.
pub(super) type MappedGroups = BTreeMap<String, Vec<String>>;

impl Directory {
    /// The security profiles of those groups of the users that have a name of their own.
    /// No call where there is none.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub(super) async fn mapped_groups(
        &self,
        users: impl IntoIterator<Item = &StoredUser>,
    ) -> Result<MappedGroups, StoreError> {
        let ids: BTreeSet<&str> = users
            .into_iter()
            .flat_map(|user| &user.groups)
            .filter(|(_, profile)| profile.is_none())
            .map(|(id, _)| id.as_str())
            .collect();
        if ids.is_empty() {
            return Ok(MappedGroups::new());
        }
        let names = self.store.group_names(ids).await?;
        Ok(names
            .into_iter()
            .map(|(id, name)| (id, self.settings.groups.profiles_of(&name).to_vec()))
            .collect())
    }

    /// The intent for a user.
    ///
    /// # Errors
    /// When the user is active and cannot be a Connect user.
    pub(super) fn intent(
        &self,
        record: &Record,
        groups: &MappedGroups,
    ) -> Result<Intent, MappingError> {
        let user = &record.user;
        if record.removed || (!user.is_active() && self.settings.deprovision == Deprovision::Delete)
        {
            return Ok(Intent::Absent);
        }
        if user.is_active() {
            return Ok(Intent::Active(Box::new(self.map(user, groups)?)));
        }
        let mapped = self.map(user, &MappedGroups::new()).ok();
        Ok(Intent::Suspended(mapped.map(Box::new)))
    }

    fn map(&self, user: &StoredUser, groups: &MappedGroups) -> Result<Wanted, MappingError> {
        map(
            &user.document,
            grants(user, groups),
            self.settings.identity_management,
            &self.settings.attributes,
        )
    }

    /// Leaves out the groups that do not exist any more: security profiles that a complete
    /// list does not have, if it is newer than the user, and groups whose item is missing.
    pub(super) fn leave_missing_groups(
        &self,
        user: &mut StoredUser,
        groups: &MappedGroups,
        now: Timestamp,
    ) {
        if user.groups.is_empty() {
            return;
        }
        let known = self.profiles.known_security_profile_ids(age(user, now));
        user.groups.retain(|id, profile| match profile {
            Some(_) => known.as_ref().is_none_or(|known| known.contains(id)),
            None => groups.contains_key(id),
        });
    }

    /// What is wanted of Connect, with the names of profiles resolved.
    pub(super) async fn presence(
        &self,
        record: &Record,
        intent: &Intent,
        context: Context<'_>,
    ) -> Result<Presence, Unresolved> {
        let deadline = context.deadline;
        match intent {
            Intent::Absent => Ok(Presence::Absent),
            Intent::Active(wanted) => {
                let age = age(&record.user, context.now);
                let found = self.profiles.look_for(&wanted.grants.ids, age, deadline);
                found.await.map_err(|failure| unresolved(failure.into()))?;
                let resolved = self.profiles.resolve(wanted, deadline).await;
                let ids = resolved.map_err(unresolved)?;
                let user = ConnectUser {
                    username: self.username(record, wanted),
                    security_profile_ids: ids.security_profiles,
                    routing_profile_id: ids.routing_profile,
                    hierarchy_group_id: ids.hierarchy_group,
                    ..described(record, wanted)
                };
                Ok(Presence::Present(user))
            }
            Intent::Suspended(wanted) => match &record.connect.applied {
                // A creation that was never confirmed is not completed.
                None => Ok(Presence::Absent),
                Some(applied) => {
                    let wanted = wanted.as_deref();
                    self.suspension(record, applied, wanted, deadline).await
                }
            },
        }
    }

    /// A suspended user keeps its username: Connect cannot rename.
    async fn suspension(
        &self,
        record: &Record,
        applied: &AppliedUser,
        wanted: Option<&Wanted>,
        deadline: Instant,
    ) -> Result<Presence, Unresolved> {
        let resolved = self
            .profiles
            .resolve_suspended(wanted, &applied.user, deadline)
            .await;
        let ids = match resolved {
            Ok(ids) => ids,
            Err(error @ ProfileError::NoSuspendedProfile(_)) => {
                tracing::error!(
                    %error,
                    user_id = record.user.id,
                    "the Connect user is deleted instead"
                );
                return Ok(Presence::Absent);
            }
            Err(error) => return Err(unresolved(error)),
        };
        let user = match wanted {
            Some(wanted) => described(record, wanted),
            None => applied.user.clone(),
        };
        Ok(Presence::Suspended(ConnectUser {
            username: applied.user.username.clone(),
            security_profile_ids: ids.security_profiles,
            routing_profile_id: ids.routing_profile,
            hierarchy_group_id: ids.hierarchy_group,
            ..user
        }))
    }

    /// The username in Connect. A change of case alone is none in SCIM, so it does not
    /// replace a user where renaming is not wanted.
    fn username(&self, record: &Record, wanted: &Wanted) -> String {
        match &record.connect.applied {
            Some(applied)
                if self.settings.rename == Rename::Reject
                    && fold(&applied.user.username) == fold(&wanted.username) =>
            {
                applied.user.username.clone()
            }
            _ => wanted.username.clone(),
        }
    }

    /// Whether Connect has the desired state already, before and after the change.
    pub(super) fn is_settled(
        &self,
        before: &Record,
        after: &Record,
        groups: &MappedGroups,
    ) -> bool {
        if before.pending_since.is_some() || before.connect.uncertain {
            return false;
        }
        if before.user == after.user && before.removed == after.removed {
            return true;
        }
        // The user may have something that other settings gave it.
        if before.connect.applied.is_some()
            && before.connect.settings.as_ref() != Some(&self.fingerprint)
        {
            return false;
        }
        // What a group that is being deleted, or is missing, has granted is not known.
        let is_known = |(id, profile): (&String, &Option<String>)| {
            profile.is_some() || groups.contains_key(id)
        };
        if before.user.is_active() && !before.user.groups.iter().all(is_known) {
            return false;
        }
        // The mapping may have changed after the group granted its security profiles.
        let leaves = |(id, profile): (&String, &Option<String>)| {
            profile.is_none() && !after.user.groups.contains_key(id)
        };
        if before.connect.applied.is_some() && before.user.groups.iter().any(leaves) {
            return false;
        }
        let intent = |record: &Record| self.intent(record, groups).ok();
        match (intent(before), intent(after)) {
            (Some(before_intent), Some(after_intent)) => {
                let same_id = before.user.first_external_id() == after.user.first_external_id();
                (before_intent == after_intent && same_id)
                    || (before.connect.applied.is_none()
                        && before_intent.active().is_none()
                        && after_intent.active().is_none())
            }
            _ => false,
        }
    }
}

/// The security profiles that the groups of a user grant.
pub(super) fn grants(user: &StoredUser, groups: &MappedGroups) -> Grants {
    let mut grants = Grants::default();
    for (id, profile) in &user.groups {
        match profile {
            Some(_) => drop(grants.ids.insert(id.clone())),
            None => {
                let names = groups.get(id).into_iter().flatten();
                grants.names.extend(names.cloned());
            }
        }
    }
    grants
}

/// What a resource says of a user besides the username and the profiles.
fn described(record: &Record, wanted: &Wanted) -> ConnectUser {
    let mut tags = ownership_tags(&record.user.id, record.user.first_external_id());
    tags.extend(wanted.tags.clone());
    ConnectUser {
        username: wanted.username.clone(),
        identity: wanted.identity.clone(),
        security_profile_ids: BTreeSet::new(),
        routing_profile_id: String::new(),
        hierarchy_group_id: None,
        phone: wanted.phone.clone(),
        proficiencies: wanted.proficiencies.clone(),
        tags,
    }
}

fn unresolved(error: ProfileError) -> Unresolved {
    match error {
        ProfileError::Unlisted(Failure::Transient(code)) => Unresolved::Transient(code),
        ProfileError::Unlisted(Failure::Refused(refusal)) => {
            Unresolved::Refused(DirectoryError::Refused(refusal))
        }
        error => Unresolved::Refused(DirectoryError::Profile(error.to_string())),
    }
}

/// The time since a user was last changed, less some for clocks that differ. A list that
/// is younger has every security profile that the user's groups are.
pub(super) fn age(user: &StoredUser, now: Timestamp) -> Duration {
    let changed: Option<Timestamp> = user.last_modified.parse().ok();
    let age = changed.and_then(|changed| Duration::try_from(now.duration_since(changed)).ok());
    age.unwrap_or_default().saturating_sub(CLOCK_SKEW)
}

/// Whether a change may be accepted, to be finished later, although its names could not be
/// resolved: if it gives no name that was not checked before. Any other one would be found
/// to be unknown when no one can tell the identity provider any more. The result is the
/// code of the obstacle.
///
/// Nothing keeps a leaver: names of an inactive user are looked at when it is activated.
pub(super) fn accept_unresolved(
    before: Option<&Intent>,
    after: &Intent,
    code: String,
) -> Result<String, DirectoryError> {
    let Some(wanted) = after.active() else {
        return Ok(code);
    };
    let checked = before.and_then(Intent::active).map(Wanted::names);
    if wanted.names().is_subset(&checked.unwrap_or_default()) {
        Ok(code)
    } else {
        Err(DirectoryError::Unchecked(code))
    }
}
