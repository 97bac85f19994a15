//! What is wanted of Connect, worked out from what is kept of a user.

use tokio::time::Instant;

use super::{Deprovision, Directory, DirectoryError, Rename, Unresolved};
use crate::{
    mapping::{MappingError, Wanted, map},
    profiles::ProfileError,
    reconcile::{Failure, Presence},
    store::{Record, StoredUser, fold},
    user::{ConnectUser, ownership_tags},
};

impl Directory {
    pub(super) fn wanted(&self, user: &StoredUser) -> Result<Wanted, MappingError> {
        let groups: Vec<String> = user.groups.values().cloned().collect();
        map(
            &user.document,
            &groups,
            self.settings.identity_management,
            &self.settings.attributes,
        )
    }

    /// What is wanted of Connect, with the names of profiles resolved.
    pub(super) async fn presence(
        &self,
        record: &Record,
        wanted: &Wanted,
        deadline: Instant,
    ) -> Result<Presence, Unresolved> {
        // Before any name is resolved: a leaver goes, whatever became of the profiles.
        if !wanted.active && self.settings.deprovision == Deprovision::Delete {
            return Ok(Presence::Absent);
        }
        let resolved = if wanted.active {
            self.profiles.resolve(wanted, deadline).await
        } else {
            let applied = record.connect.applied.as_ref();
            self.profiles
                .resolve_suspended(wanted, applied.map(|applied| &applied.user), deadline)
                .await
        };
        let ids = match resolved {
            Ok(ids) => ids,
            Err(ProfileError::Unlisted(Failure::Transient(code))) => {
                return Err(Unresolved::Transient(code));
            }
            Err(ProfileError::Unlisted(Failure::Refused(refusal))) => {
                return Err(Unresolved::Refused(DirectoryError::Refused(refusal)));
            }
            Err(error) => {
                return Err(Unresolved::Refused(DirectoryError::Profile(
                    error.to_string(),
                )));
            }
        };
        let mut tags = ownership_tags(&record.user.id, wanted.external_id.as_deref());
        tags.extend(wanted.tags.clone());
        let user = ConnectUser {
            username: self.username(record, wanted),
            identity: wanted.identity.clone(),
            security_profile_ids: ids.security_profiles,
            routing_profile_id: ids.routing_profile,
            hierarchy_group_id: ids.hierarchy_group,
            phone: wanted.phone.clone(),
            proficiencies: wanted.proficiencies.clone(),
            tags,
        };
        Ok(if wanted.active {
            Presence::Present(user)
        } else {
            Presence::Suspended(user)
        })
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
}

/// Whether a change may be accepted, to be finished later, although its names could not be
/// resolved: if it gives no name that was not checked before. Any other one would be found
/// to be unknown when nobody can tell the identity provider any more. The answer is the
/// code of what is in the way.
///
/// Nothing keeps a leaver: names of an inactive user are looked at when it is activated.
pub(super) fn accept_unresolved(
    before: Option<&Wanted>,
    wanted: &Wanted,
    code: String,
) -> Result<String, DirectoryError> {
    let checked = before.filter(|before| before.active).map(Wanted::names);
    let is_checked = |names| wanted.names().is_subset(names);
    if !wanted.active || is_checked(&checked.unwrap_or_default()) {
        Ok(code)
    } else {
        Err(DirectoryError::Unchecked(code))
    }
}
