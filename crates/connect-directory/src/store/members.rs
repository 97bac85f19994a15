//! The members of groups: read, and changed many at a time.

use std::collections::BTreeSet;

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    GroupState, Member, Record, Store, StoreError, StoredGroup,
    key::{LANES, gate_key, is_id, member_key, member_partition, user_key},
    record::{PENDING, iso, string, user_name_item},
    transaction::{Cancelled, MAXIMUM_ACTIONS},
};

/// The most bytes of the items of one transaction that are planned for; DynamoDB takes
/// 4 MB.
const MAXIMUM_BYTES: usize = 3_000_000;

/// A user's membership in one group, to be written.
pub(crate) struct MemberChange {
    /// The user as it was read.
    pub before: Record,
    /// The user with or without the group, with its new version.
    pub after: Record,
    /// Whether the user is to be a member.
    pub is_member: bool,
}

/// The gate that changes of the members in one lane of a group pass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gate<'a> {
    pub group: &'a StoredGroup,
    pub lane: u8,
}

impl Gate<'_> {
    /// On which condition members pass. A deletion removes them only while no one has
    /// created the group again. Other removals pass always, as long as there is a group.
    fn condition(self, adds: bool) -> Option<&'static str> {
        let is_named = self.group.name.is_some();
        match (self.group.state, adds, is_named) {
            (_, true, _) => Some("generation = :generation"),
            (GroupState::Deleting, false, true) => {
                Some("attribute_exists(pk) AND attribute_not_exists(generation)")
            }
            (GroupState::Deleting, false, false) => Some("attribute_not_exists(generation)"),
            (_, false, true) => Some("attribute_exists(pk)"),
            // Members of a security profile that was never changed have no gates.
            (_, false, false) => None,
        }
    }
}

/// A user who is not a member according to its own item.
pub(crate) struct NonMember {
    pub user_id: String,
    /// The version of the user; absent: there is no such user.
    pub version: Option<u64>,
}

impl Store {
    /// The members of a group. One call for each lane, or for each megabyte.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn members(&self, group_id: &str) -> Result<Vec<Member>, StoreError> {
        self.members_in(group_id, (0..LANES).collect()).await
    }

    /// The members of a group that was just read. No call for lanes that no member was in.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn members_of(&self, group: &StoredGroup) -> Result<Vec<Member>, StoreError> {
        self.members_in(&group.id, group.lanes.clone()).await
    }

    async fn members_in(
        &self,
        group_id: &str,
        lanes: BTreeSet<u8>,
    ) -> Result<Vec<Member>, StoreError> {
        if !is_id(group_id) {
            return Ok(Vec::new());
        }
        let lanes = stream::iter(lanes)
            .map(|lane| {
                let values = json!({":pk": {"S": member_partition(group_id, lane)}});
                self.query("pk = :pk", values, None)
            })
            .buffered(usize::from(LANES));
        let items: Vec<Vec<Value>> = lanes.try_collect().await?;
        let mut members: Vec<Member> = items
            .iter()
            .flatten()
            .filter_map(|item| {
                Some(Member {
                    user_id: string(item, "sk").ok()?.to_owned(),
                    display: string(item, "display").unwrap_or_default().to_owned(),
                })
            })
            .collect();
        // The ids are sorted by time of creation, whatever their lanes.
        members.sort_by(|left, right| left.user_id.cmp(&right.user_id));
        Ok(members)
    }

    /// Writes as many of these changes, all of one lane, as one transaction takes, from
    /// the first one on. The result says for each of those whether it was written; one
    /// that was not, because the user is claimed or has changed, is to be read again.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the group is not of this generation any more, which
    /// does not keep a member of a security profile from leaving; or when the table cannot
    /// be written.
    pub(crate) async fn write_members(
        &self,
        gate: Gate<'_>,
        changes: &[MemberChange],
        now: Timestamp,
    ) -> Result<Vec<bool>, StoreError> {
        let mut written = vec![false; batch_length(changes)];
        let mut left: Vec<usize> = (0..written.len()).collect();
        while !left.is_empty() {
            let mut actions = vec![self.pass(
                gate,
                left.iter().any(|index| changes[*index].is_member),
                now,
            )];
            let mut owners = vec![None];
            for index in &left {
                let own = self.member_actions(gate, &changes[*index], now);
                owners.extend(own.iter().map(|_| Some(*index)));
                actions.extend(own);
            }
            match self.try_transact(&actions).await {
                Ok(()) => {
                    for index in left {
                        written[index] = true;
                    }
                    break;
                }
                Err(Cancelled::Conditions(failed)) if failed.contains(&0) => {
                    return Err(StoreError::NotFound);
                }
                Err(Cancelled::Conditions(failed)) => {
                    let unmet: Vec<usize> = failed
                        .iter()
                        .filter_map(|position| owners.get(*position).copied().flatten())
                        .collect();
                    left.retain(|index| !unmet.contains(index));
                }
                Err(Cancelled::Failed(error)) => return Err(error),
            }
        }
        Ok(written)
    }

    /// Deletes the member items of users who are not members. The result is those who were
    /// changed since they were read.
    ///
    /// # Errors
    /// As of [`Store::write_members`].
    pub(crate) async fn delete_members(
        &self,
        gate: Gate<'_>,
        users: &[NonMember],
        now: Timestamp,
    ) -> Result<Vec<String>, StoreError> {
        let mut changed = Vec::new();
        // One action is the gate's; each user takes two.
        for batch in users.chunks((MAXIMUM_ACTIONS - 1) / 2) {
            let mut left: Vec<&NonMember> =
                batch.iter().filter(|user| is_id(&user.user_id)).collect();
            while !left.is_empty() {
                let mut actions = vec![self.pass(gate, false, now)];
                for user in &left {
                    actions.push(self.check_unchanged(user));
                    actions.push(self.delete(member_key(&gate.group.id, &user.user_id)));
                }
                match self.try_transact(&actions).await {
                    Ok(()) => break,
                    Err(Cancelled::Conditions(failed)) if failed.contains(&0) => {
                        return Err(StoreError::NotFound);
                    }
                    Err(Cancelled::Conditions(failed)) => {
                        let mut position = 0;
                        left.retain(|user| {
                            position += 2;
                            let is_unchanged = !failed.contains(&(position - 1));
                            if !is_unchanged {
                                changed.push(user.user_id.clone());
                            }
                            is_unchanged
                        });
                    }
                    Err(Cancelled::Failed(error)) => return Err(error),
                }
            }
        }
        Ok(changed)
    }

    pub(super) fn check_unchanged(&self, user: &NonMember) -> Value {
        let mut check = json!({
            "TableName": self.table,
            "Key": user_key(&user.user_id),
            "ConditionExpression": "attribute_not_exists(pk) OR attribute_exists(removed)",
        });
        if let Some(version) = user.version {
            check["ConditionExpression"] = json!("version = :version");
            check["ExpressionAttributeValues"] = json!({":version": {"N": version.to_string()}});
        }
        json!({ "ConditionCheck": check })
    }

    pub(super) fn pass(&self, gate: Gate<'_>, adds: bool, now: Timestamp) -> Value {
        let mut update = json!({
            "TableName": self.table,
            "Key": gate_key(&gate.group.id, gate.lane),
            "UpdateExpression": "SET changed = :now ADD version :one",
            "ExpressionAttributeValues": {":now": {"S": iso(now)}, ":one": {"N": "1"}},
        });
        if let Some(condition) = gate.condition(adds) {
            update["ConditionExpression"] = json!(condition);
        }
        if adds {
            update["ExpressionAttributeValues"][":generation"] =
                json!({"S": gate.group.generation});
        }
        json!({ "Update": update })
    }

    /// The user's own item, its copies, and the member item.
    pub(super) fn member_actions(
        &self,
        gate: Gate<'_>,
        change: &MemberChange,
        now: Timestamp,
    ) -> Vec<Value> {
        let user = &change.after.user;
        let mut actions = vec![
            self.own_item(change, now),
            self.put_copy(user_name_item(user)),
        ];
        actions.extend(self.put_external_ids(user));
        actions.push(if change.is_member {
            self.put_member(&gate.group.id, user)
        } else {
            self.delete(member_key(&gate.group.id, &user.id))
        });
        actions
    }

    /// Writes version and groups into the user's own item, which has more than is known
    /// here, on condition that no one is changing the user or has changed it.
    fn own_item(&self, change: &MemberChange, now: Timestamp) -> Value {
        let user = &change.after.user;
        let mut set = vec!["version = :version", "lastModified = :modified"];
        let mut values = json!({
            ":before": {"N": change.before.user.version.to_string()},
            ":version": {"N": user.version.to_string()},
            ":modified": {"S": user.last_modified},
        });
        let mut names = json!({"#claim": "claim", "#groups": "groups"});
        let mut remove = "";
        if user.groups.is_empty() {
            remove = " REMOVE #groups";
        } else {
            set.push("#groups = :groups");
            values[":groups"] = json!({"S": json!(user.groups).to_string()});
        }
        let mut free = "attribute_not_exists(#claim)";
        if change.before.claim.is_some() {
            // The request that left the claim may still be alive: it must not write. The
            // claim that stays shows that Connect has to be looked at.
            free = "claimUntil < :now";
            set.push("#claim = :claim");
            values[":now"] = json!({"N": now.as_millisecond().to_string()});
            values[":claim"] = json!({"S": Uuid::new_v4().to_string()});
        }
        if let Some(since) = &change.after.pending_since {
            set.push("#pending = :pending");
            set.push("pendingSince = if_not_exists(pendingSince, :since)");
            names["#pending"] = json!("pending");
            values[":pending"] = json!({"S": PENDING});
            values[":since"] = json!({"S": since});
        }
        json!({"Update": {
            "TableName": self.table,
            "Key": user_key(&user.id),
            "UpdateExpression": format!("SET {}{remove}", set.join(", ")),
            "ConditionExpression":
                format!("version = :before AND attribute_not_exists(removed) AND {free}"),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }})
    }
}

/// How many of these changes fit into one transaction: at least one.
pub(super) fn batch_length(changes: &[MemberChange]) -> usize {
    // One action is the gate's.
    let (mut actions, mut bytes) = (1, 0);
    let fitting = changes.iter().take_while(|change| {
        let copies = 2 + change.after.user.external_ids.len();
        actions += copies + 1;
        bytes += copies * (change.size() + 1024);
        actions <= MAXIMUM_ACTIONS && bytes <= MAXIMUM_BYTES
    });
    fitting.count().max(changes.len().min(1))
}

impl MemberChange {
    /// About the size of the user's item, in bytes.
    fn size(&self) -> usize {
        let document = &self.before.user.document;
        serde_json::to_string(document).map_or(0, |text| text.len())
    }
}
