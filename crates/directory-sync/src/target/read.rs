//! Reads the users and groups of the server with the fewest requests.
//!
//! Identity Center never shows the members of a group in the group. They are asked for in one
//! of two ways, whichever takes fewer calls: the users of each group, a page of 100 at a time,
//! or the groups of each user. Other servers show them with the groups (RFC 7643, section 4.2).

use std::collections::HashMap;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;

use super::client::Client;
use super::configuration::Service;
use super::error::Error;
use super::list::{PAGE, Paging, equals};
use super::operation::Operation;
use super::wire::{read_group, read_user};
use crate::plan::Current;

/// Calls under way at once: enough to use up the rate although each takes its time.
pub(crate) const CONCURRENT: usize = 16;

/// A server, read but for the members.
pub struct Snapshot {
    /// Users and groups.
    pub current: Current,
    paging: Paging,
    /// Ids of members as the groups showed them, in the order of the groups.
    shown_members: Vec<Vec<String>>,
}

impl Client {
    /// Reads all users and groups.
    ///
    /// # Errors
    /// When a call fails for good, or a list does not come whole.
    pub async fn read(&self) -> Result<Snapshot, Error> {
        let paging = self.paging().await?;
        let (users, mut groups) = futures_util::try_join!(
            self.list(Operation::ListUsers, None, paging, read_user),
            self.list(Operation::ListGroups, None, paging, read_group)
        )?;
        groups.sort_by(|(a, _), (b, _)| a.id.cmp(&b.id));
        let (groups, shown_members) = groups.into_iter().unzip();
        Ok(Snapshot {
            current: Current::new(users, groups),
            paging,
            shown_members,
        })
    }

    /// The limits that the server names (RFC 7644, section 4). Identity Center's are known.
    async fn paging(&self) -> Result<Paging, Error> {
        if self.service() == Service::IdentityCenter {
            return Ok(Paging {
                cursors: true,
                count: PAGE,
            });
        }
        let operation = Operation::GetServiceProviderConfig;
        let limits = self.call(operation, "ServiceProviderConfig", None).await?;
        if limits["patch"]["supported"] == false {
            return Err(Error::NoPatch);
        }
        let largest = [
            &limits["filter"]["maxResults"],
            &limits["pagination"]["maxPageSize"],
        ];
        let largest = largest
            .into_iter()
            .filter_map(Value::as_u64)
            .filter_map(|limit| usize::try_from(limit).ok())
            .filter(|limit| *limit > 0)
            .min();
        Ok(Paging {
            cursors: limits["pagination"]["cursor"] == true,
            count: largest.unwrap_or(PAGE).min(1000),
        })
    }

    /// Reads the members of groups, by their indices. `expected` says about how many members
    /// each has, and so how many calls each way would take.
    ///
    /// # Errors
    /// When a call fails for good, or a list does not come whole.
    pub async fn read_members(
        &self,
        snapshot: &mut Snapshot,
        groups: &[usize],
        expected: &[usize],
    ) -> Result<(), Error> {
        let Snapshot {
            current,
            paging,
            shown_members,
        } = snapshot;
        if self.service() == Service::Scim {
            for &group in groups {
                let ids = shown_members
                    .get(group)
                    .map(Vec::as_slice)
                    .unwrap_or_default();
                let members = ids.iter().filter_map(|id| current.user_index(id)).collect();
                current.set_members(group, members);
            }
            return Ok(());
        }
        if calls_by_group(expected) <= calls_by_user(expected, current.users().len()) {
            self.by_group(current, groups, *paging).await
        } else {
            self.by_user(current, groups, *paging).await
        }
    }

    async fn by_group(
        &self,
        current: &mut Current,
        groups: &[usize],
        paging: Paging,
    ) -> Result<(), Error> {
        let known = &*current;
        let read: Vec<(usize, Vec<usize>)> = stream::iter(groups.to_vec())
            .map(|group| async move {
                let filter = equals("groups.value", &known.groups()[group].id.0);
                let ids = self
                    .list(Operation::ListUsers, Some(&filter), paging, id)
                    .await?;
                let members = ids.iter().filter_map(|id| known.user_index(id)).collect();
                Ok::<_, Error>((group, members))
            })
            .buffer_unordered(CONCURRENT)
            .try_collect()
            .await?;
        for (group, members) in read {
            current.set_members(group, members);
        }
        Ok(())
    }

    async fn by_user(
        &self,
        current: &mut Current,
        groups: &[usize],
        paging: Paging,
    ) -> Result<(), Error> {
        let known = &*current;
        let read: Vec<(usize, Vec<String>)> = stream::iter(0..known.users().len())
            .map(|user| async move {
                let filter = equals("members.value", &known.users()[user].id.0);
                let groups = self
                    .list(Operation::ListGroups, Some(&filter), paging, id)
                    .await?;
                Ok::<_, Error>((user, groups))
            })
            .buffer_unordered(CONCURRENT)
            .try_collect()
            .await?;
        let mut members: HashMap<&str, Vec<usize>> = HashMap::new();
        for (user, groups) in &read {
            for group in groups {
                members.entry(group).or_default().push(*user);
            }
        }
        for &group in groups {
            let id = current.groups()[group].id.0.as_str();
            let of_group = members.remove(id).unwrap_or_default();
            current.set_members(group, of_group);
        }
        Ok(())
    }
}

/// A page is the least that is read of a group.
fn calls_by_group(expected: &[usize]) -> usize {
    let pages = expected.iter().map(|count| count.div_ceil(PAGE).max(1));
    pages.sum()
}

/// Supposes that all users are in about as many groups.
fn calls_by_user(expected: &[usize], users: usize) -> usize {
    let memberships: usize = expected.iter().sum();
    let of_each = memberships.div_ceil(users.max(1));
    users * of_each.div_ceil(PAGE).max(1)
}

fn id(resource: Value) -> Option<String> {
    resource["id"].as_str().map(str::to_owned)
}
