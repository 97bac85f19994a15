//! Many members at a time: written in transactions of some twenty users each, then brought
//! to Connect as far as there is time.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use super::GroupError;
use crate::{
    directory::{
        Context, Directory, DirectoryError, Reconciled, Unresolved, steps::needs_message,
        wanted::MappedGroups,
    },
    reconcile::Refusal,
    store::{
        Gate, LANES, MAXIMUM_GROUPS, MAXIMUM_KEY_LENGTH, MemberChange, NonMember, Record,
        StoreError, StoredGroup, iso, lane_of,
    },
};

/// How many users are read at once.
const BATCH: usize = 100;

/// How long a request waits for others that are changing the same users.
const WAIT_FOR_CLAIM: Duration = Duration::from_secs(3);

/// The pause before users who were being changed are looked at again.
const PAUSE: Duration = Duration::from_millis(100);

/// As many users as Connect takes in the time of a request (two calls per second). More
/// are handed over to the reconciler after [`TIME_FOR_MANY`].
const FEW: usize = 16;

/// How long a change of many members waits for Connect.
const TIME_FOR_MANY: Duration = Duration::from_secs(1);

/// A user whose change concerns Connect.
struct Changed {
    id: String,
    /// No message to the reconciler names the user yet.
    needs_message: bool,
}

/// What came of the members of one lane.
#[derive(Default)]
struct LaneOutcome {
    /// Users whose change concerns Connect.
    changed: Vec<Changed>,
    /// The first member that cannot be added, and why.
    refused: Option<GroupError>,
    /// Why the lane ended early.
    stopped: Option<GroupError>,
}

impl Directory {
    /// Checks ids of users who are to become members, before anything is changed.
    pub(super) async fn check_members(&self, ids: &BTreeSet<String>) -> Result<(), GroupError> {
        if ids.iter().any(|id| id.len() > MAXIMUM_KEY_LENGTH) {
            return Err(GroupError::Member(format!(
                "a value is longer than {MAXIMUM_KEY_LENGTH} bytes"
            )));
        }
        let ids: Vec<String> = ids.iter().cloned().collect();
        match self.store.all_exist(&ids).await? {
            true => Ok(()),
            false => Err(unknown_member()),
        }
    }

    /// Adds and removes members, removals first, and brings them to Connect. The result is
    /// how many users Connect does not have so yet.
    ///
    /// # Errors
    /// Why a member was refused, after the others were changed.
    pub(super) async fn change_members(
        &self,
        group: &StoredGroup,
        added: &BTreeSet<String>,
        removed: &BTreeSet<String>,
        context: Context<'_>,
    ) -> Result<u32, GroupError> {
        let mut left = self.write_all(group, removed, false, context).await;
        let mut joined = LaneOutcome::default();
        if left.stopped.is_none() {
            joined = self.write_all(group, added, true, context).await;
        }
        let (pending, refused) = self
            .bring_members(group, &left.changed, &joined.changed, context)
            .await;
        let error = left
            .stopped
            .take()
            .or(joined.stopped)
            .or(left.refused)
            .or(joined.refused)
            .or(refused.map(GroupError::Refused));
        match error {
            Some(error) => Err(error),
            None => Ok(pending),
        }
    }

    async fn write_all(
        &self,
        group: &StoredGroup,
        ids: &BTreeSet<String>,
        is_member: bool,
        context: Context<'_>,
    ) -> LaneOutcome {
        let mut lanes: HashMap<u8, Vec<String>> = HashMap::new();
        for id in ids {
            lanes.entry(lane_of(id)).or_default().push(id.clone());
        }
        let outcomes = stream::iter(lanes).map(|(lane, ids)| async move {
            let gate = Gate { group, lane };
            self.write_lane(group, gate, ids, is_member, context).await
        });
        outcomes
            .buffer_unordered(usize::from(LANES))
            .fold(LaneOutcome::default(), async |mut all, lane| {
                all.changed.extend(lane.changed);
                all.refused = all.refused.or(lane.refused);
                all.stopped = all.stopped.or(lane.stopped);
                all
            })
            .await
    }

    async fn write_lane(
        &self,
        group: &StoredGroup,
        gate: Gate<'_>,
        mut ids: Vec<String>,
        is_member: bool,
        context: Context<'_>,
    ) -> LaneOutcome {
        let mut outcome = LaneOutcome::default();
        let mut give_up = Instant::now() + WAIT_FOR_CLAIM;
        while !ids.is_empty() {
            if Instant::now() >= context.stop {
                outcome.stopped = Some(GroupError::OutOfTime);
                break;
            }
            let rest = ids.split_off(ids.len().min(BATCH));
            let before = ids.len();
            let written = self
                .write_batch(group, gate, ids, is_member, context, &mut outcome)
                .await;
            let busy = match written {
                Ok(busy) => busy,
                Err(error) => {
                    outcome.stopped = Some(error);
                    break;
                }
            };
            if busy.len() < before {
                give_up = Instant::now() + WAIT_FOR_CLAIM;
            }
            if !busy.is_empty() {
                if Instant::now() >= give_up {
                    outcome.stopped = Some(StoreError::Busy.into());
                    break;
                }
                tokio::time::sleep(PAUSE).await;
            }
            // Those who were busy come last.
            ids = rest;
            ids.extend(busy);
        }
        outcome
    }

    /// Writes the memberships of these users. The result is the users that other requests
    /// are changing.
    async fn write_batch(
        &self,
        group: &StoredGroup,
        gate: Gate<'_>,
        ids: Vec<String>,
        is_member: bool,
        context: Context<'_>,
        outcome: &mut LaneOutcome,
    ) -> Result<Vec<String>, GroupError> {
        let mut records = self.store.records(&ids).await?;
        records.retain(|record| !record.removed);
        if is_member && records.len() < ids.len() {
            outcome.refused.get_or_insert_with(unknown_member);
        }
        let (unchanged, changed): (Vec<Record>, Vec<Record>) = records
            .into_iter()
            .partition(|record| record.user.groups.contains_key(&group.id) == is_member);
        let mut busy = Vec::new();
        if !is_member {
            // Their items, if there are any, are left from a crash.
            let non_members = non_members(&ids, &unchanged, &changed);
            let deleted = self.store.delete_members(gate, &non_members, context.now);
            busy = deleted.await.map_err(not_found)?;
        }
        let changes = changed
            .into_iter()
            .map(|before| self.member_change(group, before, is_member, context))
            .collect();
        let accepted = self.accept_all(changes, context, outcome).await?;
        self.write_changes(gate, &accepted, context, outcome, &mut busy)
            .await?;
        Ok(busy)
    }

    /// The changes that can be made. The first that cannot is noted in `outcome`.
    async fn accept_all(
        &self,
        changes: Vec<MemberChange>,
        context: Context<'_>,
        outcome: &mut LaneOutcome,
    ) -> Result<Vec<MemberChange>, StoreError> {
        let both = changes
            .iter()
            .flat_map(|change| [&change.before.user, &change.after.user]);
        let groups = self.mapped_groups(both).await?;
        let mut accepted = Vec::new();
        for mut change in changes {
            match self.accept(&mut change, &groups, context).await {
                Ok(()) => accepted.push(change),
                Err(error) => drop(outcome.refused.get_or_insert(error)),
            }
        }
        Ok(accepted)
    }

    /// Writes changes in as many transactions as are needed. Users that other requests are
    /// changing are added to `busy`.
    async fn write_changes(
        &self,
        gate: Gate<'_>,
        mut left: &[MemberChange],
        context: Context<'_>,
        outcome: &mut LaneOutcome,
        busy: &mut Vec<String>,
    ) -> Result<(), GroupError> {
        while !left.is_empty() {
            if Instant::now() >= context.stop {
                return Err(GroupError::OutOfTime);
            }
            let written = self.store.write_members(gate, left, context.now).await;
            let written = written.map_err(not_found)?;
            for (change, is_written) in left.iter().zip(&written) {
                let id = change.after.user.id.clone();
                if !is_written {
                    busy.push(id);
                } else if change.after.pending_since.is_some() {
                    let needs_message = needs_message(&change.before, &change.after);
                    outcome.changed.push(Changed { id, needs_message });
                }
            }
            left = &left[written.len()..];
        }
        Ok(())
    }

    fn member_change(
        &self,
        group: &StoredGroup,
        before: Record,
        is_member: bool,
        context: Context<'_>,
    ) -> MemberChange {
        let mut after = before.clone();
        let user = &mut after.user;
        if is_member {
            // The name of a security profile is only shown; a later change corrects it.
            let profile = group.name.is_none().then(|| self.profile_name(&group.id));
            user.groups.insert(group.id.clone(), profile);
        } else {
            user.groups.remove(&group.id);
        }
        user.version += 1;
        user.last_modified = iso(context.now);
        MemberChange {
            before,
            after,
            is_member,
        }
    }

    fn profile_name(&self, id: &str) -> String {
        self.profiles
            .known_name(id)
            .unwrap_or_else(|| id.to_owned())
    }

    /// Checks an addition, and marks a change that concerns Connect as pending. A removal
    /// is always accepted.
    async fn accept(
        &self,
        change: &mut MemberChange,
        groups: &MappedGroups,
        context: Context<'_>,
    ) -> Result<(), GroupError> {
        if !self.is_settled(&change.before, &change.after, groups) {
            let since = &mut change.after.pending_since;
            since.get_or_insert_with(|| iso(context.now));
        }
        if !change.is_member {
            return Ok(());
        }
        if change.after.user.groups.len() > MAXIMUM_GROUPS {
            return Err(GroupError::Member(format!(
                "a user can be a member of {MAXIMUM_GROUPS} groups"
            )));
        }
        let intent = self
            .intent(&change.after, groups)
            .map_err(DirectoryError::from)?;
        match self.presence(&change.after, &intent, context).await {
            Ok(_) | Err(Unresolved::Transient(_)) => Ok(()),
            Err(Unresolved::Refused(error)) => Err(error.into()),
        }
    }

    /// Brings changed members to Connect, those who lose a right first; the others are left
    /// to the reconciler. The result is how many are left, and the first refusal.
    async fn bring_members(
        &self,
        group: &StoredGroup,
        left: &[Changed],
        joined: &[Changed],
        context: Context<'_>,
    ) -> (u32, Option<Refusal>) {
        let many = left.len() + joined.len() > FEW;
        let context = Context {
            deadline: if many {
                context.deadline.min(Instant::now() + TIME_FOR_MANY)
            } else {
                context.deadline
            },
            ..context
        };
        let mut refused = None;
        let mut waiting = Vec::new();
        let mut pending = 0;
        let users = left
            .iter()
            .map(|changed| (changed, false))
            .chain(joined.iter().map(|changed| (changed, true)));
        for (changed, is_member) in users {
            let id = &changed.id;
            if !waiting.is_empty() || Instant::now() >= context.deadline {
                waiting.push(changed);
                continue;
            }
            match self.reconcile(id, context).await {
                Ok(Reconciled::Synchronised | Reconciled::Gone) => {}
                Ok(Reconciled::Refused(refusal)) if is_member => {
                    self.revoke(group, id, context).await;
                    refused.get_or_insert(refusal);
                }
                // Stays pending, and is repeated by the sweep.
                Ok(Reconciled::Refused(_)) => pending += 1,
                Ok(Reconciled::Pending(_) | Reconciled::Busy) => waiting.push(changed),
                Err(error) => {
                    tracing::warn!(%error, user_id = id, "a member is left to the reconciler");
                    waiting.push(changed);
                }
            }
        }
        pending += waiting.len();
        let unknown = waiting.iter().filter(|changed| changed.needs_message);
        let unknown: Vec<String> = unknown.map(|changed| changed.id.clone()).collect();
        self.hand_over_all(&unknown).await;
        (u32::try_from(pending).unwrap_or(u32::MAX), refused)
    }

    /// Ends a membership that Connect refused.
    async fn revoke(&self, group: &StoredGroup, id: &str, context: Context<'_>) {
        let ids = BTreeSet::from([id.to_owned()]);
        let outcome = self.write_all(group, &ids, false, context).await;
        if let Some(error) = outcome.stopped.or(outcome.refused) {
            tracing::error!(%error, user_id = id, group_id = group.id, "a membership that Connect refused is left");
        }
        if let Err(error) = self.reconcile(id, context).await {
            tracing::warn!(%error, user_id = id, "a member is left to the sweep");
        }
    }
}

/// The group was deleted while its members were changed.
fn not_found(error: StoreError) -> GroupError {
    match error {
        StoreError::NotFound => GroupError::NotFound,
        error => error.into(),
    }
}

/// The users of these ids who are not members by their own items: those who do not exist, and
/// `unchanged`.
fn non_members(ids: &[String], unchanged: &[Record], members: &[Record]) -> Vec<NonMember> {
    let known: BTreeSet<&str> = unchanged
        .iter()
        .chain(members)
        .map(|record| record.user.id.as_str())
        .collect();
    let missing = ids.iter().filter(|id| !known.contains(id.as_str()));
    let missing = missing.map(|id| NonMember {
        user_id: id.clone(),
        version: None,
    });
    let unchanged = unchanged.iter().map(|record| NonMember {
        user_id: record.user.id.clone(),
        version: Some(record.user.version),
    });
    missing.chain(unchanged).collect()
}

fn unknown_member() -> GroupError {
    GroupError::Member("there is no user of one of these ids; only users can be members".to_owned())
}
