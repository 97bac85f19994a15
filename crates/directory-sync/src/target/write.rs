//! The writes. Each may be repeated: a change that the server already has counts as done.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::client::Client;
use super::configuration::Service;
use super::error::Error;
use super::list::{PAGE, Paging, equals};
use super::operation::Operation;
use super::wire;
use crate::attribute::Profile;
use crate::plan::{CurrentUser, ResourceId, UserChanges};

/// How an object came to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The server's id.
    pub id: ResourceId,
    /// Whether it was there, with our mark: an answer got lost, or another run made it.
    pub was_there: bool,
}

impl Client {
    /// Makes a user; one with the same mark is brought to the same values instead.
    ///
    /// # Errors
    /// If the server rejects the request, most often because another user has the name (409).
    pub async fn create_user(&self, external_id: &str, profile: &Profile) -> Result<Made, Error> {
        let body = wire::user(external_id, profile);
        match self.call(Operation::CreateUser, "Users", Some(&body)).await {
            Ok(answer) => Ok(Made {
                id: id(Operation::CreateUser, &answer)?,
                was_there: false,
            }),
            Err(error) if error.status() == Some(409) => {
                let Some(user) = self.marked_user(external_id).await? else {
                    return Err(error);
                };
                let changes = missing(&user, profile);
                if !changes.is_empty() {
                    self.update_user(&user.id, &changes).await?;
                }
                Ok(Made {
                    id: user.id,
                    was_there: true,
                })
            }
            Err(error) => Err(error),
        }
    }

    async fn marked_user(&self, external_id: &str) -> Result<Option<CurrentUser>, Error> {
        let found = self
            .marked(Operation::ListUsers, external_id, wire::read_user)
            .await?
            .into_iter()
            .find(|user| user.external_id.as_deref() == Some(external_id));
        Ok(found)
    }

    async fn marked<T>(
        &self,
        operation: Operation,
        external_id: &str,
        read: impl Fn(Value) -> Option<T>,
    ) -> Result<Vec<T>, Error> {
        // One at most, so the server's own page size does not matter.
        let paging = Paging {
            cursors: self.service() == Service::IdentityCenter,
            count: PAGE,
        };
        let filter = equals("externalId", external_id);
        self.list(operation, Some(&filter), paging, read).await
    }

    /// Changes a user.
    ///
    /// # Errors
    /// When the server refuses: gone meanwhile (404), a name that is taken (409).
    pub async fn update_user(&self, user: &ResourceId, changes: &UserChanges) -> Result<(), Error> {
        let body = wire::user_patch(changes);
        self.call(Operation::PatchUser, &path("Users", user), Some(&body))
            .await?;
        Ok(())
    }

    /// Deletes a user; one who is not there is deleted.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn delete_user(&self, user: &ResourceId) -> Result<(), Error> {
        self.delete(Operation::DeleteUser, &path("Users", user))
            .await
    }

    /// Makes a group with its first members; one with the same mark gets the members instead.
    ///
    /// # Errors
    /// If the server rejects the request, most often because another group has the name (409).
    pub async fn create_group(
        &self,
        external_id: &str,
        display_name: &str,
        members: &[ResourceId],
    ) -> Result<Made, Error> {
        let body = wire::group(external_id, display_name, members);
        match self
            .call(Operation::CreateGroup, "Groups", Some(&body))
            .await
        {
            Ok(answer) => Ok(Made {
                id: id(Operation::CreateGroup, &answer)?,
                was_there: false,
            }),
            Err(error) if error.status() == Some(409) => {
                let found = self
                    .marked(Operation::ListGroups, external_id, wire::read_group)
                    .await?
                    .into_iter()
                    .find(|(group, _)| group.external_id.as_deref() == Some(external_id));
                let Some((group, _)) = found else {
                    return Err(error);
                };
                if group.display_name != display_name {
                    self.update_group(&group.id, Some(display_name), None)
                        .await?;
                }
                if !members.is_empty() {
                    self.change_members(&group.id, members, &[]).await?;
                }
                Ok(Made {
                    id: group.id,
                    was_there: true,
                })
            }
            Err(error) => Err(error),
        }
    }

    /// Renames or marks a group.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn update_group(
        &self,
        group: &ResourceId,
        display_name: Option<&str>,
        external_id: Option<&str>,
    ) -> Result<(), Error> {
        let body = wire::group_patch(display_name, external_id);
        self.call(Operation::PatchGroup, &path("Groups", group), Some(&body))
            .await?;
        Ok(())
    }

    /// Deletes a group; one that is not there is deleted.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn delete_group(&self, group: &ResourceId) -> Result<(), Error> {
        self.delete(Operation::DeleteGroup, &path("Groups", group))
            .await
    }

    /// Adds and removes members.
    ///
    /// # Errors
    /// When the server refuses: the group or a new member is gone (404).
    pub async fn change_members(
        &self,
        group: &ResourceId,
        added: &[ResourceId],
        removed: &[ResourceId],
    ) -> Result<(), Error> {
        let body = wire::members_patch(self.service(), added, removed);
        self.call(Operation::PatchGroup, &path("Groups", group), Some(&body))
            .await?;
        Ok(())
    }

    async fn delete(&self, operation: Operation, path: &str) -> Result<(), Error> {
        match self.call(operation, path, None).await {
            Ok(_) => Ok(()),
            Err(error) if error.status() == Some(404) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// What a user who is there lacks of the values and the activity of a new one.
fn missing(user: &CurrentUser, profile: &Profile) -> UserChanges {
    let mut changes = UserChanges {
        active: (!user.active).then_some(true),
        set: profile
            .0
            .iter()
            .filter(|(attribute, value)| user.profile.get(**attribute) != Some(value))
            .map(|(attribute, value)| (*attribute, value.clone()))
            .collect(),
        ..UserChanges::default()
    };
    changes.join_address(&user.profile);
    changes
}

fn id(operation: Operation, body: &Value) -> Result<ResourceId, Error> {
    let id = body["id"].as_str().ok_or(Error::Malformed {
        operation,
        problem: "has no id",
    })?;
    Ok(ResourceId(id.to_owned()))
}

/// What stands for itself in a path (RFC 3986, section 2.3).
const UNRESERVED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The path of a resource. Ids are the server's, and may be anything (RFC 7643, section 3.1).
fn path(kind: &str, id: &ResourceId) -> String {
    format!("{kind}/{}", utf8_percent_encode(&id.0, &UNRESERVED))
}
