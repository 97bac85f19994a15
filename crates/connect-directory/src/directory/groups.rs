//! Groups: security profiles of the instance, and groups of the identity provider's own
//! names that `provisioning.groups` maps to security profiles.
//!
//! A group that is a security profile has the id and the name of the profile; a membership
//! ends with the profile. A group with a name of its own has an id of its own. The
//! security profiles of a user are those of all its groups, so leaving one group keeps
//! what another one grants.
//!
//! # Deleting a group while members are added
//! 1. The group is marked as being deleted. It no longer exists for identity providers.
//! 2. Its gates are closed. An addition is one transaction with the gate of its lane, so
//!    it was either carried out before that, or is refused.
//! 3. Members are removed until a consistent read finds none.
//! 4. The group is marked as deleted.
//!
//! A deletion that ends early is completed by its repetition or by the sweep. Each step
//! holds only while the group is of the generation that is being deleted: several requests
//! may complete one deletion, and the last of them may come when the group exists again.

mod mapping;
mod members;

use std::collections::{BTreeMap, BTreeSet};

use super::{Context, Directory, DirectoryError};
use crate::{
    connect::NamedResource,
    profiles::ProfileError,
    reconcile::{Failure, Refusal},
    store::{GroupName, GroupState, StoreError, StoredGroup, fold, iso, new_id},
};

pub use mapping::GroupMapping;

/// A group as identity providers see it, without its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// `displayName`.
    pub display_name: String,
    /// The stored group. For a security profile that no identity provider has changed yet,
    /// the state is [`GroupState::Seen`].
    pub stored: StoredGroup,
}

impl Group {
    /// Whether the group is a security profile, whose name cannot be changed.
    pub fn is_security_profile(&self) -> bool {
        self.stored.name.is_none()
    }
}

/// A change of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupChange {
    /// `displayName` from now on.
    pub display_name: String,
    /// The client's id of the group from now on.
    pub external_id: Option<String>,
    /// SCIM ids of users who become members.
    pub added: BTreeSet<String>,
    /// SCIM ids of members who leave.
    pub removed: BTreeSet<String>,
}

/// Why a group was not changed, or not completely.
#[derive(Debug, thiserror::Error)]
pub enum GroupError {
    /// There is no security profile of this name, and no mapping.
    #[error("{0}")]
    Unmapped(String),
    /// Another group has the name.
    #[error("there is a group of this displayName already")]
    NameTaken,
    /// Security profiles cannot be renamed.
    #[error("displayName cannot be changed: Amazon Connect cannot rename security profiles")]
    Rename,
    /// A rename must not grant rights.
    #[error(
        "displayName cannot be changed to a name that `provisioning.groups` maps to security profiles: create a group of that name"
    )]
    RenameToMapped,
    /// There is no such group.
    #[error("there is no group of this id")]
    NotFound,
    /// Another request changed the name or an external id after the group was read. This
    /// request changed nothing; read the group again.
    #[error("another request is changing the same group; repeat this one")]
    Changed,
    /// A member cannot be added; the others were changed.
    #[error("members: {0}")]
    Member(String),
    /// Connect refuses a member; the others were changed.
    #[error(transparent)]
    Refused(Refusal),
    /// The time of the request is used up. Completed parts stay; the same request continues.
    #[error("the time of the request is used up; repeat it to continue")]
    OutOfTime,
    /// Connect does not return the security profiles.
    #[error("Amazon Connect does not return the security profiles at the moment")]
    Unlisted(Failure),
    /// The directory table refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How often a deletion begins with a group that others are changing.
const ATTEMPTS: u32 = 3;

impl Directory {
    /// Which security profiles the groups of the identity provider grant.
    pub fn group_mapping(&self) -> &GroupMapping {
        &self.settings.groups
    }

    /// All groups, by name. One query of the table, however many members they have.
    ///
    /// # Errors
    /// When the security profiles are not known and Connect does not return them, or the
    /// table cannot be read.
    pub async fn groups(&self, context: Context<'_>) -> Result<Vec<Group>, GroupError> {
        let (profiles, stored) = tokio::join!(
            self.profiles.security_profiles(context.deadline),
            self.store.groups(),
        );
        let profiles = profiles.map_err(GroupError::Unlisted)?;
        let mut stored: BTreeMap<String, StoredGroup> = stored?
            .into_iter()
            .map(|group| (group.id.clone(), group))
            .collect();
        let mut groups = Vec::new();
        let mut unseen = Vec::new();
        for profile in profiles {
            let known = stored.remove(&profile.id);
            if known.is_none() {
                unseen.push(profile.id.clone());
            }
            groups.extend(of_profile(profile, known, context));
        }
        groups.extend(stored.into_values().filter_map(named));
        self.note(&unseen, context).await;
        groups.sort_by(|left, right| left.display_name.cmp(&right.display_name));
        Ok(groups)
    }

    /// The group of this id.
    ///
    /// # Errors
    /// [`GroupError::NotFound`]; as of [`Directory::groups`].
    pub async fn group(&self, id: &str, context: Context<'_>) -> Result<Group, GroupError> {
        let stored = self.store.group(id).await?;
        let found = match stored {
            Some(group) if group.name.is_some() => named(group),
            stored => {
                let profiles = self.profiles.security_profiles(context.deadline).await;
                let profiles = profiles.map_err(GroupError::Unlisted)?;
                let profile = profiles.into_iter().find(|profile| profile.id == id);
                match profile {
                    None => None,
                    Some(profile) => {
                        if stored.is_none() {
                            self.note(std::slice::from_ref(&profile.id), context).await;
                        }
                        of_profile(profile, stored, context)
                    }
                }
            }
        };
        found.ok_or(GroupError::NotFound)
    }

    /// The groups of this name, in any case: one, unless security profiles differ in case
    /// alone. Reads one or two items.
    ///
    /// # Errors
    /// As of [`Directory::groups`].
    pub async fn groups_by_name(
        &self,
        name: &str,
        context: Context<'_>,
    ) -> Result<Vec<Group>, GroupError> {
        let profiles = self.profiles.security_profiles(context.deadline).await;
        let profiles = profiles.map_err(GroupError::Unlisted)?;
        let mut ids: Vec<String> = profiles
            .into_iter()
            .filter(|profile| fold(&profile.name) == fold(name))
            .map(|profile| profile.id)
            .collect();
        ids.extend(self.store.find_group_by_name(name).await?);
        let mut groups = Vec::new();
        for id in ids {
            match self.group(&id, context).await {
                Err(GroupError::NotFound) => {}
                found => groups.push(found?),
            }
        }
        Ok(groups)
    }

    /// The names of groups that are not security profiles, by id.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn group_names(
        &self,
        ids: impl IntoIterator<Item = &str>,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        let ids: BTreeSet<&str> = ids.into_iter().collect();
        let names = self.store.group_names(ids).await?;
        Ok(names
            .into_iter()
            .map(|(id, name)| (id, name.display))
            .collect())
    }

    /// Creates a group, or links the security profile of its name. The second value is how
    /// many users Connect does not have so yet.
    ///
    /// # Errors
    /// [`GroupError::NameTaken`] when there is such a group, [`GroupError::Unmapped`], and
    /// as of [`Directory::change_group`].
    pub async fn create_group(
        &self,
        change: &GroupChange,
        context: Context<'_>,
    ) -> Result<(Group, u32), GroupError> {
        let name = change.display_name.as_str();
        let (id, own_name) = match self.profiles.security_profile(name, context.deadline).await {
            Ok(profile) => (profile.id, None),
            Err(ProfileError::Unlisted(failure)) => return Err(GroupError::Unlisted(failure)),
            Err(unknown) => {
                let existing = self.store.find_group_by_name(name).await?;
                if existing.is_none() && !self.settings.groups.accepts(name) {
                    return Err(GroupError::Unmapped(self.settings.groups.advice(&unknown)));
                }
                let own_name = GroupName {
                    display: name.to_owned(),
                    mapped: name.to_owned(),
                };
                if let Some(existing) = existing {
                    self.end_deletion_of(&existing, context).await?;
                }
                (new_id(context.now).to_string(), Some(own_name))
            }
        };
        self.check_members(&change.added).await?;
        let known = self.end_deletion_of(&id, context).await?;
        let external_ids = external_ids(BTreeMap::new(), &change.external_id, context);
        let mut group = StoredGroup::new(&id, own_name, external_ids, &iso(context.now));
        if let Some(known) = known.filter(|known| known.name.is_none()) {
            group.created = known.created;
        }
        match self.store.open_group(&group).await {
            Err(StoreError::Busy | StoreError::NameTaken) => return Err(GroupError::NameTaken),
            opened => opened?,
        }
        let pending = self
            .change_members(&group, &change.added, &BTreeSet::new(), context)
            .await?;
        Ok((self.group(&id, context).await?, pending))
    }

    /// Completes the deletion of a group that is to be created again.
    ///
    /// # Errors
    /// [`GroupError::NameTaken`] when the group is not being deleted.
    async fn end_deletion_of(
        &self,
        id: &str,
        context: Context<'_>,
    ) -> Result<Option<StoredGroup>, GroupError> {
        let known = self.store.group(id).await?;
        match &known {
            Some(group) if group.state == GroupState::Active => return Err(GroupError::NameTaken),
            Some(group) if group.state == GroupState::Deleting => {
                self.complete_deletion(group, context).await?;
            }
            _ => {}
        }
        Ok(known)
    }

    /// Changes a group and its members. The second value is how many users Connect does not
    /// have so yet.
    ///
    /// # Errors
    /// [`GroupError::NotFound`] when another request deletes the group, and
    /// [`GroupError::Changed`] when another request changes its name or an external id. An
    /// error about a member is returned after all other members were changed.
    pub async fn change_group(
        &self,
        group: &Group,
        change: &GroupChange,
        context: Context<'_>,
    ) -> Result<(Group, u32), GroupError> {
        let name = self.changed_name(group, &change.display_name)?;
        self.check_members(&change.added).await?;
        let stored = self.opened(&group.stored, context).await?;
        if stored.external_ids != group.stored.external_ids {
            return Err(GroupError::Changed);
        }
        let external_ids = external_ids(stored.external_ids.clone(), &change.external_id, context);
        let after = StoredGroup {
            name,
            external_ids,
            last_modified: iso(context.now),
            ..stored.clone()
        };
        if after.name != stored.name || after.external_ids != stored.external_ids {
            match self.store.update_group(&stored, &after).await {
                Err(StoreError::Busy) => return Err(GroupError::Changed),
                Err(StoreError::NameTaken) => return Err(GroupError::NameTaken),
                updated => updated?,
            }
        }
        let pending = self
            .change_members(&after, &change.added, &change.removed, context)
            .await?;
        Ok((self.group(&stored.id, context).await?, pending))
    }

    fn changed_name(&self, group: &Group, name: &str) -> Result<Option<GroupName>, GroupError> {
        let Some(own_name) = &group.stored.name else {
            return match fold(name) == fold(&group.display_name) {
                true => Ok(None),
                false => Err(GroupError::Rename),
            };
        };
        let mapping = &self.settings.groups;
        let is_other = fold(name) != fold(&own_name.display);
        if is_other && mapping.is_mapped(name) && fold(name) != fold(&own_name.mapped) {
            return Err(GroupError::RenameToMapped);
        }
        // A former name without a mapping must not grant rights when it is mapped later.
        let mapped = if is_other && !mapping.is_mapped(&own_name.mapped) {
            name
        } else {
            &own_name.mapped
        };
        Ok(Some(GroupName {
            display: name.to_owned(),
            mapped: mapped.to_owned(),
        }))
    }

    /// A group with open gates: a security profile gets them with its first change.
    async fn opened(
        &self,
        group: &StoredGroup,
        context: Context<'_>,
    ) -> Result<StoredGroup, GroupError> {
        if group.state != GroupState::Seen {
            return Ok(group.clone());
        }
        let opened = StoredGroup {
            created: group.created.clone(),
            ..StoredGroup::new(&group.id, None, BTreeMap::new(), &iso(context.now))
        };
        match self.store.open_seen_group(&opened).await {
            Ok(()) => Ok(opened),
            // Another request was faster.
            Err(StoreError::Busy) => match self.store.group(&group.id).await? {
                Some(group) if group.state == GroupState::Active => Ok(group),
                _ => Err(GroupError::NotFound),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// Opens the groups of these security profiles, so that users can be added as their
    /// members.
    ///
    /// # Errors
    /// [`GroupError::NotFound`] when one is deleted; when the table cannot be written.
    pub async fn open_security_profiles(
        &self,
        ids: impl IntoIterator<Item = &str>,
        context: Context<'_>,
    ) -> Result<(), GroupError> {
        for id in ids {
            let known = self.store.group(id).await?;
            let seen = StoredGroup {
                state: GroupState::Seen,
                ..StoredGroup::new(id, None, BTreeMap::new(), &iso(context.now))
            };
            self.opened(&known.unwrap_or(seen), context).await?;
        }
        Ok(())
    }

    /// Deletes a group that `check` agrees to. The result is how many users Connect does
    /// not have so yet.
    ///
    /// # Errors
    /// What the closure refuses with; [`GroupError::NotFound`] when the deletion is
    /// complete already; [`GroupError::OutOfTime`], after which the sweep or the repeated
    /// request completes it.
    pub async fn delete_group<E: From<GroupError>>(
        &self,
        id: &str,
        check: impl Fn(&Group) -> Result<(), E>,
        context: Context<'_>,
    ) -> Result<u32, E> {
        for _ in 0..ATTEMPTS {
            let stored = self.store.group(id).await.map_err(GroupError::from)?;
            let stored = match stored {
                Some(group) if group.state == GroupState::Deleting => group,
                _ => {
                    let group = self.group(id, context).await?;
                    check(&group)?;
                    group.stored
                }
            };
            match self.store.begin_deletion(&stored, context.now).await {
                // It was opened or deleted since it was read.
                Err(StoreError::NotFound) => {}
                begun => {
                    begun.map_err(GroupError::from)?;
                    return Ok(self.complete_deletion(&stored, context).await?);
                }
            }
        }
        Err(GroupError::from(StoreError::Busy).into())
    }

    /// Completes the deletion of a group, unless another request is faster: whatever is done
    /// here, the group may exist again, and is then left alone.
    async fn complete_deletion(
        &self,
        group: &StoredGroup,
        context: Context<'_>,
    ) -> Result<u32, GroupError> {
        let group = &StoredGroup {
            state: GroupState::Deleting,
            ..group.clone()
        };
        match self.store.close_gates(group).await {
            Err(StoreError::NotFound) => return Ok(0),
            closed => closed?,
        }
        let mut pending = 0;
        loop {
            let members = self.store.members(&group.id).await?;
            if members.is_empty() {
                break;
            }
            let ids = members.into_iter().map(|member| member.user_id).collect();
            match self
                .change_members(group, &BTreeSet::new(), &ids, context)
                .await
            {
                Err(GroupError::NotFound) => return Ok(pending),
                changed => pending += changed?,
            }
        }
        self.store.end_deletion(group).await?;
        Ok(pending)
    }

    /// Completes deletions that ended early, and ends the memberships of security profiles
    /// that no longer exist, with every trace of their groups. The result is how many groups
    /// ended.
    ///
    /// # Errors
    /// The first error; the other groups are completed all the same.
    pub async fn sweep_groups(&self, context: Context<'_>) -> Result<u32, GroupError> {
        let (stored, leftovers) = self.store.groups_and_leftovers().await?;
        let listed = self.profiles.security_profile_ids(context.deadline).await;
        let mut ended = 0;
        let mut failed = None;
        for group in &stored {
            let is_gone = group.state != GroupState::Deleting
                && group.name.is_none()
                && listed.as_ref().is_ok_and(|listed| {
                    !listed.ids.contains(&group.id)
                        && listed.is_newer_than(&group.created, context.now)
                });
            let ends = match (group.state, is_gone) {
                (GroupState::Deleting, _) => self.complete_deletion(group, context).await.map(drop),
                (_, true) => self.end_security_profile(group, context).await,
                (_, false) => continue,
            };
            match ends {
                Ok(()) => ended += 1,
                Err(error) => {
                    tracing::error!(%error, group_id = group.id, "a group is not deleted yet");
                    failed.get_or_insert(error);
                }
            }
        }
        let is_missing = |id: &&String| {
            let listed = listed.as_ref();
            listed.is_ok_and(|listed| !listed.ids.contains(*id))
        };
        for id in leftovers.iter().filter(is_missing) {
            if let Err(error) = self.store.forget_gates(id).await {
                tracing::error!(%error, group_id = id, "the gates of a deleted group are left");
                failed.get_or_insert(error.into());
            }
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(ended),
        }
    }

    /// Ends the group of a security profile that no longer exists.
    async fn end_security_profile(
        &self,
        group: &StoredGroup,
        context: Context<'_>,
    ) -> Result<(), GroupError> {
        if group.state != GroupState::Deleted {
            match self.store.begin_deletion(group, context.now).await {
                // Changed since it was read: the next sweep looks at it.
                Err(StoreError::NotFound) => return Ok(()),
                begun => begun?,
            }
            self.complete_deletion(group, context).await?;
        }
        tracing::warn!(
            group_id = group.id,
            "a security profile no longer exists: the memberships of its group ended"
        );
        Ok(self.store.forget_group(group).await?)
    }

    /// Keeps the time at which security profiles were first seen. Nothing depends on it.
    async fn note(&self, ids: &[String], context: Context<'_>) {
        if let Err(error) = self.store.note_groups(ids, context.now).await {
            tracing::warn!(%error, "the time of a new security profile is not kept");
        }
    }
}

fn external_ids(
    mut ids: BTreeMap<String, String>,
    external_id: &Option<String>,
    context: Context<'_>,
) -> BTreeMap<String, String> {
    match external_id {
        Some(id) => ids.insert(context.client.to_owned(), id.clone()),
        None => ids.remove(context.client),
    };
    ids
}

/// The group of a security profile, unless the identity provider deleted it.
fn of_profile(
    profile: NamedResource,
    stored: Option<StoredGroup>,
    context: Context<'_>,
) -> Option<Group> {
    let unseen = || StoredGroup {
        state: GroupState::Seen,
        ..StoredGroup::new(&profile.id, None, BTreeMap::new(), &iso(context.now))
    };
    let mut stored = stored.unwrap_or_else(unseen);
    let changed = profile.last_modified.and_then(|milliseconds| {
        jiff::Timestamp::from_millisecond(milliseconds)
            .map(iso)
            .ok()
    });
    if let Some(changed) = changed
        && (changed > stored.last_modified || stored.state == GroupState::Seen)
    {
        stored.last_modified = changed;
    }
    matches!(stored.state, GroupState::Seen | GroupState::Active).then(|| Group {
        display_name: profile.name,
        stored,
    })
}

/// A group with a name of its own, unless it is being deleted.
fn named(stored: StoredGroup) -> Option<Group> {
    let display_name = stored.name.as_ref()?.display.clone();
    (stored.state == GroupState::Active).then_some(Group {
        display_name,
        stored,
    })
}

impl From<DirectoryError> for GroupError {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::Store(error) => Self::Store(error),
            DirectoryError::Refused(refusal) => Self::Refused(refusal),
            error => Self::Member(error.to_string()),
        }
    }
}
