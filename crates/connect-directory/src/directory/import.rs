//! Users that were in Connect before the directory: taken over as they are.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{
    Context, Directory, DirectoryError, GroupChange, GroupError, Written,
    wanted::{Intent, MappedGroups},
};
use crate::{
    connect::{FoundUser, User},
    import::{self, NamedProfiles},
    reconcile::{Failure, Presence, Refusal},
    store::{ConnectState, Record, StoredUser, iso, new_id},
    user::{AppliedUser, EXTERNAL_ID_TAG, owner},
};

/// How the identity provider assigned the security profiles of a user whose directory was
/// lost. Connect does not have it, and only what assigned a right can take it away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssignedBy {
    /// By groups: the user becomes a member of the groups of its security profiles.
    Groups,
    /// By the attributes that feed `securityProfiles`.
    Attributes,
}

impl Directory {
    /// Whether a Connect user can be taken over, as far as a search shows: without its
    /// addresses.
    ///
    /// # Errors
    /// As of [`Directory::import`], apart from those of the store.
    pub async fn check_import(
        &self,
        user: &FoundUser,
        names: &BTreeMap<String, String>,
        assigned_by: AssignedBy,
        context: Context<'_>,
    ) -> Result<(), DirectoryError> {
        let id = Uuid::nil().to_string();
        self.prepare_import(user.clone().into(), names, id, assigned_by, context)
            .await?;
        Ok(())
    }

    /// Takes a Connect user over: adds a SCIM user of the same name, addresses and
    /// profiles, and marks the Connect user as SCIM's, which changes nothing else of it.
    /// `names` are those of [`Directory::names_by_id`].
    ///
    /// The tags of a directory that was lost give the user the SCIM id and external id
    /// back by which the identity provider knows it. Such a user gets the default profiles
    /// without naming them, its other security profiles by `assigned_by`, and is inactive if
    /// it has the security profile of suspended users only.
    ///
    /// # Errors
    /// When a SCIM user has the userName or owns the Connect user, the Connect user cannot
    /// be one of SCIM as it is, Connect refuses, or the store fails. Nothing is left of a
    /// refused import in the directory.
    pub async fn import(
        &self,
        user: User,
        names: &BTreeMap<String, String>,
        assigned_by: AssignedBy,
        context: Context<'_>,
    ) -> Result<Written, DirectoryError> {
        let id = self.id_for(owner(&user.tags), context).await?;
        let import = self
            .prepare_import(user, names, id, assigned_by, context)
            .await?;
        self.link_groups(&import.record.user, context).await?;
        let mut claimed = self.store.create(import.record, context.now, true).await?;
        let mut after = claimed.record.clone();
        claimed.record.pending_since = None;
        let outcome = self
            .bring(&mut after, &import.intent, import.presence, None, context)
            .await;
        match outcome {
            Err(Failure::Refused(refusal)) => {
                self.store.delete_user(&claimed, context.now).await?;
                Err(DirectoryError::Refused(refusal))
            }
            outcome => Ok(self.settle(&claimed, after, outcome, context).await?),
        }
    }

    async fn prepare_import(
        &self,
        user: User,
        names: &BTreeMap<String, String>,
        id: String,
        assigned_by: AssignedBy,
        context: Context<'_>,
    ) -> Result<Import, DirectoryError> {
        let mut profiles = NamedProfiles::of(&user, names)
            .map_err(|error| DirectoryError::Profile(error.to_string()))?;
        let mut groups = BTreeMap::new();
        let mut active = true;
        if owner(&user.tags).is_some() {
            let defaults = &self.settings.defaults;
            let suspended = defaults.suspended_security_profile.as_deref();
            active = !suspended.is_some_and(|suspended| profiles.is_only(suspended));
            profiles.leave_out_defaults(defaults);
            if !active {
                profiles.security_profiles.clear();
            } else if assigned_by == AssignedBy::Groups {
                let memberships = std::mem::take(&mut profiles.security_profiles);
                groups.extend(memberships.into_iter().map(|(id, name)| (id, Some(name))));
            }
        }
        let document = import::resource(
            &user,
            active,
            &profiles,
            self.settings.identity_management,
            &self.settings.attributes,
        );
        let external_id = user.tags.get(EXTERNAL_ID_TAG).cloned();
        let now = iso(context.now);
        let mut record = Record {
            user: StoredUser {
                id,
                version: 1,
                created: now.clone(),
                last_modified: now.clone(),
                document,
                external_ids: external_id
                    .map(|id| (context.client.to_owned(), id))
                    .into_iter()
                    .collect(),
                groups,
            },
            connect: ConnectState {
                applied: Some(AppliedUser::seen(user.clone())),
                ..ConnectState::default()
            },
            pending_since: Some(now),
            removed: false,
            claim: None,
        };
        let intent = self.intent(&record, &MappedGroups::new())?;
        let presence = self.desired(&record).await?;
        let (Presence::Present(desired) | Presence::Suspended(desired)) = &presence else {
            return Err(DirectoryError::Refused(Refusal::Invalid(
                "the attributes that the environment names make it inactive".to_owned(),
            )));
        };
        let applied = AppliedUser::observed(user, desired, None);
        let changes = import::changes(desired, &applied.user, names);
        if !changes.is_empty() {
            return Err(DirectoryError::Refused(Refusal::Invalid(format!(
                "SCIM would change its {}: no attribute of `provisioning.attributes` holds what it has; name one, or change the user in Amazon Connect first",
                changes.join(", ")
            ))));
        }
        record.connect.applied = Some(applied);
        Ok(Import {
            record,
            intent,
            presence,
        })
    }

    /// Makes sure that the groups of a user can have members.
    async fn link_groups(
        &self,
        user: &StoredUser,
        context: Context<'_>,
    ) -> Result<(), DirectoryError> {
        for name in user.groups.values().flatten() {
            let group = GroupChange {
                display_name: name.clone(),
                ..GroupChange::default()
            };
            match self.create_group(&group, context).await {
                Ok(_) | Err(GroupError::NameTaken) => {}
                Err(GroupError::Store(error)) => return Err(error.into()),
                Err(error) => {
                    return Err(DirectoryError::Refused(Refusal::Invalid(error.to_string())));
                }
            }
        }
        Ok(())
    }

    /// The SCIM id for a Connect user: the one in its tags, if it has one and no user of
    /// the directory has it; else a new one.
    async fn id_for(
        &self,
        owner: Option<&str>,
        context: Context<'_>,
    ) -> Result<String, DirectoryError> {
        let is_id = |owner: &&str| Uuid::try_parse(owner).is_ok_and(|id| id.to_string() == *owner);
        let Some(owner) = owner.filter(is_id) else {
            return Ok(new_id(context.now).to_string());
        };
        if self.store.get_record(owner).await?.is_some() {
            return Err(DirectoryError::Refused(Refusal::UserNameTaken(
                "a user of the directory owns it already".to_owned(),
            )));
        }
        Ok(owner.to_owned())
    }
}

/// A user about to be taken over: it differs from the desired state by its tags only.
struct Import {
    record: Record,
    intent: Intent,
    presence: Presence,
}
