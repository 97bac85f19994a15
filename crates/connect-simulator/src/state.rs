//! What the instance holds: users, profiles, hierarchy, and the search index behind them.
//!
//! `State` has no `Debug`: users are personal data.

mod shapes;

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

pub(crate) use shapes::*;

use crate::call::Context;
use crate::error::ServiceError;
use crate::timestamp::Timestamp;

/// Everything the instance holds, by id.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct State {
    /// The instance the state belongs to.
    pub(crate) instance_id: String,
    users: BTreeMap<String, UserRecord>,
    pub(crate) security_profiles: BTreeMap<String, SecurityProfileRecord>,
    pub(crate) routing_profiles: BTreeMap<String, RoutingProfile>,
    pub(crate) hierarchy_levels: Vec<HierarchyLevel>,
    pub(crate) hierarchy_groups: BTreeMap<String, HierarchyGroup>,
    /// The values of each predefined attribute: what a proficiency may be.
    pub(crate) predefined_attributes: BTreeMap<String, Vec<String>>,
    pub(crate) instance_tags: Tags,
    /// Rebuilt when a state is read: after a restart the index has caught up.
    #[serde(skip)]
    index: SearchIndex,
}

/// The users as searches see them: behind by the lag.
#[derive(Clone, Default)]
struct SearchIndex {
    visible: BTreeMap<String, UserRecord>,
    /// Changes by the time they were made, earliest first; no record for a deletion.
    pending: VecDeque<(Timestamp, String, Option<UserRecord>)>,
}

impl SearchIndex {
    fn note(&mut self, id: &str, record: Option<UserRecord>, context: &Context<'_>) {
        self.pending.push_back((context.now, id.to_owned(), record));
        self.advance(context);
    }

    /// Takes over the changes that are as old as the lag, the one in force now.
    fn advance(&mut self, context: &Context<'_>) {
        let lag = context.settings.search_lag_milliseconds;
        while let Some((changed, ..)) = self.pending.front()
            && context.now.milliseconds_since(*changed) >= lag
            && let Some((_, id, record)) = self.pending.pop_front()
        {
            match record {
                Some(record) => self.visible.insert(id, record),
                None => self.visible.remove(&id),
            };
        }
    }
}

impl State {
    /// An instance without users, profiles and groups.
    pub(crate) fn empty(instance_id: &str) -> Self {
        Self {
            instance_id: instance_id.to_owned(),
            users: BTreeMap::new(),
            security_profiles: BTreeMap::new(),
            routing_profiles: BTreeMap::new(),
            hierarchy_levels: Vec::new(),
            hierarchy_groups: BTreeMap::new(),
            predefined_attributes: BTreeMap::new(),
            instance_tags: Tags::new(),
            index: SearchIndex::default(),
        }
    }

    /// Lets searches see every user, after a state was read from a file.
    pub(crate) fn rebuild_index(&mut self) {
        self.index = SearchIndex {
            visible: self.users.clone(),
            pending: VecDeque::new(),
        };
    }

    /// The users by id.
    pub(crate) const fn users(&self) -> &BTreeMap<String, UserRecord> {
        &self.users
    }

    /// Lets searches see the changes that are old enough.
    pub(crate) fn advance_index(&mut self, context: &Context<'_>) {
        self.index.advance(context);
    }

    /// The users by id, as searches see them.
    pub(crate) const fn searchable_users(&self) -> &BTreeMap<String, UserRecord> {
        &self.index.visible
    }

    pub(crate) fn user(&self, id: &str) -> Result<&UserRecord, ServiceError> {
        self.users
            .get(id)
            .ok_or_else(|| ServiceError::not_found("user", id))
    }

    pub(crate) fn insert_user(&mut self, record: UserRecord, context: &Context<'_>) {
        let id = record.user.id.clone();
        self.index.note(&id, Some(record.clone()), context);
        self.users.insert(id, record);
    }

    /// Changes a user and notes when; an unknown id is refused. `change` cannot fail:
    /// whatever may be refused is refused before.
    pub(crate) fn update_user(
        &mut self,
        id: &str,
        context: &Context<'_>,
        change: impl FnOnce(&mut UserRecord),
    ) -> Result<(), ServiceError> {
        let record = self
            .users
            .get_mut(id)
            .ok_or_else(|| ServiceError::not_found("user", id))?;
        change(record);
        record.user.last_modified_time = context.now;
        record
            .user
            .last_modified_region
            .clone_from(&context.identity.region);
        self.index.note(id, Some(record.clone()), context);
        Ok(())
    }

    pub(crate) fn remove_user(
        &mut self,
        id: &str,
        context: &Context<'_>,
    ) -> Result<(), ServiceError> {
        self.users
            .remove(id)
            .ok_or_else(|| ServiceError::not_found("user", id))?;
        self.index.note(id, None, context);
        Ok(())
    }

    /// Whether a group is `ancestor` or below it.
    pub(crate) fn is_within_group(&self, group_id: &str, ancestor: &str) -> bool {
        self.group_path(group_id)
            .iter()
            .any(|group| group.id == ancestor)
    }

    /// A group and those above it, the topmost first; empty if there is no such group.
    pub(crate) fn group_path(&self, group_id: &str) -> Vec<&HierarchyGroup> {
        let mut path: Vec<_> =
            std::iter::successors(self.hierarchy_groups.get(group_id), |group| {
                self.hierarchy_groups.get(group.parent_id.as_deref()?)
            })
            .take(self.hierarchy_levels.len())
            .collect();
        path.reverse();
        path
    }
}
