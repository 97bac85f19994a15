//! Groups: their state, their names, and the gates that their members pass.
//!
//! A membership is two entries written in one transaction: the group in the user's own
//! item, which grants the rights, and a member item, which lists who is in the group.
//! That transaction also changes the *gate* of the member's lane. An addition passes only
//! a gate of the generation that its request read, and deleting a group closes all gates
//! before it removes the members. So an addition either is seen by the deletion or is
//! refused, and a group that is created again has no members of older requests.
//!
//! Every change of a member counts up the version of its gate, so the version of a group
//! is known without its members.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    Store, StoreError,
    key::{GATE, GROUP, GROUPS, LANES, fold, gate_key, group_key, group_name_key, is_id},
    read::BATCH,
    record::{iso, json_text, string},
    transaction::{CONFLICT_ATTEMPTS, Cancelled, pause},
};

/// What a group is to the identity provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupState {
    /// A security profile that no identity provider has changed yet.
    Seen,
    /// Members can be added.
    Active,
    /// The identity provider deleted it; members may be left.
    Deleting,
    /// Deleted. Only security profiles keep such an item: the profile itself still exists.
    Deleted,
}

impl GroupState {
    fn name(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Active => "active",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
        }
    }
}

/// The names of a group that is not a security profile itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupName {
    /// `displayName`.
    pub display: String,
    /// The name by which the group was created, which decides about its security
    /// profiles. Renaming the group does not change it while it is mapped.
    pub mapped: String,
}

/// A group as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredGroup {
    /// The SCIM id: that of the security profile, or one of our own.
    pub id: String,
    /// Absent: the group is a security profile, whose name it has.
    pub name: Option<GroupName>,
    /// The id that each client has for the group.
    pub external_ids: BTreeMap<String, String>,
    /// When the endpoint first saw the group: ISO 8601, UTC, milliseconds.
    pub created: String,
    /// When the group or a member was last changed: ISO 8601, UTC, milliseconds.
    pub last_modified: String,
    /// Counts the changes of the group and of its members.
    pub version: u64,
    /// Changes when the group is created again after a deletion.
    pub generation: String,
    /// Whether identity providers use the group.
    pub state: GroupState,
    /// The lanes in which members were changed; the others have none.
    pub lanes: BTreeSet<u8>,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The SCIM id of the user.
    pub user_id: String,
    /// The display name of the user.
    pub display: String,
}

impl Store {
    /// Every group that the table knows.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn groups(&self) -> Result<Vec<StoredGroup>, StoreError> {
        Ok(parse_groups(&self.group_items().await?))
    }

    /// Every group, and the ids of groups of which only gates are left.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub(crate) async fn groups_and_leftovers(
        &self,
    ) -> Result<(Vec<StoredGroup>, BTreeSet<String>), StoreError> {
        let items = self.group_items().await?;
        Ok((parse_groups(&items), leftovers(&items)))
    }

    async fn group_items(&self) -> Result<Vec<Value>, StoreError> {
        self.query("pk = :pk", json!({":pk": {"S": GROUPS}}), None)
            .await
    }

    /// One group.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn group(&self, id: &str) -> Result<Option<StoredGroup>, StoreError> {
        if !is_id(id) {
            return Ok(None);
        }
        let values = json!({":pk": {"S": GROUPS}, ":prefix": {"S": format!("{id}#")}});
        let items = self
            .query("pk = :pk AND begins_with(sk, :prefix)", values, None)
            .await?;
        Ok(parse_groups(&items).pop())
    }

    /// The names of those groups among `ids` that exist and are not security profiles.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn group_names(
        &self,
        ids: impl IntoIterator<Item = &str>,
    ) -> Result<BTreeMap<String, GroupName>, StoreError> {
        let keys: Vec<Value> = ids
            .into_iter()
            .filter(|id| is_id(id))
            .map(group_key)
            .collect();
        let mut names = BTreeMap::new();
        for batch in keys.chunks(BATCH) {
            let items = self.batch_items(batch.to_vec(), &[]).await?;
            let groups = parse_groups(&items).into_iter();
            names.extend(groups.filter_map(|group| match group.state {
                GroupState::Active => Some((group.id, group.name?)),
                _ => None,
            }));
        }
        Ok(names)
    }

    /// The id of the group of this name that is not a security profile.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn find_group_by_name(&self, name: &str) -> Result<Option<String>, StoreError> {
        if fold(name).len() > super::MAXIMUM_KEY_LENGTH {
            return Ok(None);
        }
        let item = self.get_item(group_name_key(name)).await?;
        item.map(|item| string(&item, "id").map(str::to_owned))
            .transpose()
    }

    /// Records when security profiles were first seen; one that is known stays as it is.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn note_groups(&self, ids: &[String], now: Timestamp) -> Result<(), StoreError> {
        for id in ids.iter().filter(|id| is_id(id)) {
            let group = StoredGroup::new(id, None, BTreeMap::new(), &iso(now));
            let put = json!({
                "TableName": self.table,
                "Item": group_item(&StoredGroup { state: GroupState::Seen, ..group }),
                "ConditionExpression": "attribute_not_exists(pk)",
            });
            match self.client.call::<Value>("PutItem", &put).await {
                Err(error) if error.code() != Some("ConditionalCheckFailedException") => {
                    return Err(error.into());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Creates a group, or creates it again after its deletion, with open gates.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when the group exists meanwhile, [`StoreError::NameTaken`], or
    /// when the table cannot be written.
    pub async fn open_group(&self, group: &StoredGroup) -> Result<(), StoreError> {
        self.open(group, &[GroupState::Seen, GroupState::Deleted])
            .await
    }

    /// Opens the gates of a security profile's group before its first change.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another request opened or deleted the group meanwhile, or
    /// when the table cannot be written.
    pub async fn open_seen_group(&self, group: &StoredGroup) -> Result<(), StoreError> {
        self.open(group, &[GroupState::Seen]).await
    }

    /// Writes a group with open gates over a missing one, or one in one of these states.
    async fn open(&self, group: &StoredGroup, from: &[GroupState]) -> Result<(), StoreError> {
        let (mut condition, mut values) = ("attribute_not_exists(pk)".to_owned(), json!({}));
        for state in from.iter().map(|state| state.name()) {
            condition.push_str(&format!(" OR #state = :{state}"));
            values[format!(":{state}")] = json!({"S": state});
        }
        let mut put = self.put(group_item(group), &condition, values);
        put["Put"]["ExpressionAttributeNames"] = json!({"#state": "state"});
        let mut actions = vec![put];
        actions.extend((0..LANES).map(|lane| {
            json!({"Update": {
                "TableName": self.table,
                "Key": gate_key(&group.id, lane),
                "UpdateExpression": "SET generation = :generation ADD version :one",
                "ExpressionAttributeValues": {
                    ":generation": {"S": group.generation},
                    ":one": {"N": "1"},
                },
            }})
        }));
        if let Some(name) = &group.name {
            actions.push(self.put_group_name(&group.id, &name.display));
        }
        self.try_transact(&actions)
            .await
            .map_err(|cancelled| match cancelled {
                Cancelled::Conditions(failed) if failed.contains(&0) => StoreError::Busy,
                Cancelled::Conditions(_) => StoreError::NameTaken,
                Cancelled::Failed(error) => error,
            })
    }

    /// Writes changed names and external ids of an active group.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another request changed or deleted the group after `before`
    /// was read, [`StoreError::NameTaken`], or when the table cannot be written.
    pub async fn update_group(
        &self,
        before: &StoredGroup,
        after: &StoredGroup,
    ) -> Result<(), StoreError> {
        let mut condition = "#state = :active AND generation = :generation".to_owned();
        let mut values =
            json!({":active": {"S": "active"}, ":generation": {"S": before.generation}});
        let known = group_item(before);
        for name in ["displayName", "mappedName", "externalIds"] {
            match known.get(name) {
                Some(value) => {
                    condition.push_str(&format!(" AND {name} = :{name}"));
                    values[format!(":{name}")] = value.clone();
                }
                None => condition.push_str(&format!(" AND attribute_not_exists({name})")),
            }
        }
        let mut put = self.put(group_item(after), &condition, values);
        put["Put"]["ExpressionAttributeNames"] = json!({"#state": "state"});
        let mut actions = vec![put];
        if let (Some(old), Some(new)) = (&before.name, &after.name)
            && fold(&old.display) != fold(&new.display)
        {
            actions.push(self.delete(group_name_key(&old.display)));
            actions.push(self.put_group_name(&after.id, &new.display));
        }
        self.try_transact(&actions)
            .await
            .map_err(|cancelled| match cancelled {
                Cancelled::Conditions(failed) if failed.contains(&0) => StoreError::Busy,
                Cancelled::Conditions(_) => StoreError::NameTaken,
                Cancelled::Failed(error) => error,
            })
    }

    fn put_group_name(&self, id: &str, name: &str) -> Value {
        let mut item = group_name_key(name);
        item["id"] = json!({"S": id});
        self.put(
            item,
            "attribute_not_exists(pk) OR id = :id",
            json!({":id": {"S": id}}),
        )
    }

    /// Announces the deletion of a group as it was read: from now on it does not exist for
    /// the identity provider, and no member can be added once its gates are closed.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it was deleted or opened since, or when the table
    /// cannot be written.
    pub async fn begin_deletion(
        &self,
        group: &StoredGroup,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (condition, other) = match group.state {
            GroupState::Seen => (
                "attribute_not_exists(pk) OR #state = :other",
                GroupState::Seen,
            ),
            _ => (
                "generation = :generation AND #state <> :other",
                GroupState::Deleted,
            ),
        };
        let update = json!({
            "TableName": self.table,
            "Key": group_key(&group.id),
            "UpdateExpression": "SET #state = :deleting, lastModified = :now, \
                created = if_not_exists(created, :now), generation = :generation",
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {
                ":deleting": {"S": "deleting"},
                ":other": {"S": other.name()},
                ":now": {"S": iso(now)},
                ":generation": {"S": group.generation},
            },
        });
        self.update(&update).await
    }

    /// Closes the gates of a group, each as soon as no addition passes it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the deletion is complete, even if the group was created
    /// again since; or when the table cannot be written.
    pub async fn close_gates(&self, group: &StoredGroup) -> Result<(), StoreError> {
        let is_own = "(attribute_not_exists(generation) OR generation = :generation)";
        let condition = match group.name {
            Some(_) => format!("attribute_exists(pk) AND {is_own}"),
            None => is_own.to_owned(),
        };
        for lane in 0..LANES {
            let update = json!({
                "TableName": self.table,
                "Key": gate_key(&group.id, lane),
                "UpdateExpression": "REMOVE generation ADD version :one",
                "ConditionExpression": condition,
                "ExpressionAttributeValues": {
                    ":one": {"N": "1"},
                    ":generation": {"S": group.generation},
                },
            });
            self.update(&update).await?;
        }
        Ok(())
    }

    /// Completes the deletion of a group without members. Of a security profile's group,
    /// an item remains that hides it; of any other one, nothing. Nothing happens if the
    /// deletion is complete, even if the group was created again since.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn end_deletion(&self, group: &StoredGroup) -> Result<(), StoreError> {
        if group.name.is_some() {
            // It may have been renamed before its deletion began.
            let found = self.group(&group.id).await?;
            let is_own = |found: &StoredGroup| found.generation == group.generation;
            return match found.filter(is_own) {
                Some(group) => self.delete_group_items(&group, GroupState::Deleting).await,
                None => Ok(()),
            };
        }
        let update = json!({
            "TableName": self.table,
            "Key": group_key(&group.id),
            "UpdateExpression": "SET #state = :deleted REMOVE externalIds",
            "ConditionExpression": "#state = :deleting AND generation = :generation",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {
                ":deleting": {"S": "deleting"},
                ":deleted": {"S": "deleted"},
                ":generation": {"S": group.generation},
            },
        });
        match self.update(&update).await {
            Err(StoreError::NotFound) => Ok(()),
            outcome => outcome,
        }
    }

    /// Removes every trace of a group that is deleted, unless it was created again since.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn forget_group(&self, group: &StoredGroup) -> Result<(), StoreError> {
        self.delete_group_items(group, GroupState::Deleted).await
    }

    /// Deletes gates that a late step of a deletion has left, unless the group exists again.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub(crate) async fn forget_gates(&self, group_id: &str) -> Result<(), StoreError> {
        let is_missing = json!({"ConditionCheck": {
            "TableName": self.table,
            "Key": group_key(group_id),
            "ConditionExpression": "attribute_not_exists(pk)",
        }});
        let gates = (0..LANES).map(|lane| self.delete(gate_key(group_id, lane)));
        let actions: Vec<Value> = std::iter::once(is_missing).chain(gates).collect();
        match self.try_transact(&actions).await {
            Ok(()) | Err(Cancelled::Conditions(_)) => Ok(()),
            Err(Cancelled::Failed(error)) => Err(error),
        }
    }

    /// Deletes a group, if it is of this generation and in this state, its gates and its
    /// name.
    async fn delete_group_items(
        &self,
        group: &StoredGroup,
        state: GroupState,
    ) -> Result<(), StoreError> {
        let mut own = self.delete(group_key(&group.id));
        own["Delete"]["ConditionExpression"] =
            json!("#state = :state AND generation = :generation");
        own["Delete"]["ExpressionAttributeNames"] = json!({"#state": "state"});
        own["Delete"]["ExpressionAttributeValues"] = json!({
            ":state": {"S": state.name()},
            ":generation": {"S": group.generation},
        });
        let gates = (0..LANES).map(|lane| self.delete(gate_key(&group.id, lane)));
        let name = group.name.as_ref().map(|name| {
            let mut delete = self.delete(group_name_key(&name.display));
            delete["Delete"]["ConditionExpression"] = json!("attribute_not_exists(pk) OR id = :id");
            delete["Delete"]["ExpressionAttributeValues"] = json!({":id": {"S": group.id}});
            delete
        });
        let actions: Vec<Value> = std::iter::once(own).chain(gates).chain(name).collect();
        match self.try_transact(&actions).await {
            Ok(()) => Ok(()),
            // Another request did it.
            Err(Cancelled::Conditions(failed)) if failed.contains(&0) => Ok(()),
            Err(Cancelled::Conditions(_)) => Err(StoreError::Busy),
            Err(Cancelled::Failed(error)) => Err(error),
        }
    }

    /// Sends an `UpdateItem`, again while a transaction holds the item.
    async fn update(&self, update: &Value) -> Result<(), StoreError> {
        for attempt in 0..CONFLICT_ATTEMPTS {
            let error = match self.client.call::<Value>("UpdateItem", update).await {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            match error.code() {
                Some("ConditionalCheckFailedException") => return Err(StoreError::NotFound),
                Some("TransactionConflictException") => {
                    tokio::time::sleep(pause(attempt)).await;
                }
                _ => return Err(error.into()),
            }
        }
        Err(StoreError::Busy)
    }
}

impl StoredGroup {
    /// A group that is created now, in a generation of its own.
    pub fn new(
        id: &str,
        name: Option<GroupName>,
        external_ids: BTreeMap<String, String>,
        now: &str,
    ) -> Self {
        Self {
            id: id.to_owned(),
            name,
            external_ids,
            created: now.to_owned(),
            last_modified: now.to_owned(),
            version: 0,
            generation: Uuid::new_v4().to_string(),
            state: GroupState::Active,
            lanes: BTreeSet::new(),
        }
    }
}

fn group_item(group: &StoredGroup) -> Value {
    let mut item = group_key(&group.id);
    item["state"] = json!({"S": group.state.name()});
    item["generation"] = json!({"S": group.generation});
    item["created"] = json!({"S": group.created});
    item["lastModified"] = json!({"S": group.last_modified});
    if !group.external_ids.is_empty() {
        item["externalIds"] = json!({"S": json!(group.external_ids).to_string()});
    }
    if let Some(name) = &group.name {
        item["displayName"] = json!({"S": name.display});
        item["mappedName"] = json!({"S": name.mapped});
    }
    item
}

/// Groups from their items and the items of their gates, in the order of the ids. An item
/// that is malformed is left out and logged: it must not hide the others.
fn parse_groups(items: &[Value]) -> Vec<StoredGroup> {
    let mut gates: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for item in items {
        let sort = item.pointer("/sk/S").and_then(Value::as_str);
        if let Some((id, _)) = sort.and_then(|sort| sort.split_once(GATE)) {
            gates.entry(id).or_default().push(item);
        }
    }
    let mut groups: Vec<StoredGroup> = items
        .iter()
        .filter_map(|item| {
            let id = item.pointer("/sk/S")?.as_str()?.strip_suffix(GROUP)?;
            let gates = gates.get(id).map_or(&[][..], Vec::as_slice);
            let group = parse_group(id, item, gates);
            if group.is_none() {
                tracing::error!(group_id = id, "the item of a group is malformed");
            }
            group
        })
        .collect();
    groups.sort_by(|left, right| left.id.cmp(&right.id));
    groups
}

/// The ids of groups that have gates and no item of their own, not even a malformed one.
fn leftovers(items: &[Value]) -> BTreeSet<String> {
    let keys = || {
        let keys = items.iter().map(|item| item.pointer("/sk/S"));
        keys.filter_map(|key| key.and_then(Value::as_str))
    };
    let existing: BTreeSet<&str> = keys().filter_map(|key| key.strip_suffix(GROUP)).collect();
    keys()
        .filter_map(|key| Some(key.split_once(GATE)?.0))
        .filter(|id| !existing.contains(id))
        .map(str::to_owned)
        .collect()
}

fn parse_group(id: &str, item: &Value, gates: &[&Value]) -> Option<StoredGroup> {
    let text = |item: &Value, name: &str| string(item, name).ok().map(str::to_owned);
    let version = |item: &&Value| -> u64 {
        let number = item.pointer("/version/N").and_then(Value::as_str);
        number
            .and_then(|number| number.parse().ok())
            .unwrap_or_default()
    };
    let changed = gates.iter().filter_map(|gate| text(gate, "changed")).max();
    let last_modified = text(item, "lastModified")?;
    let name = match (text(item, "displayName"), text(item, "mappedName")) {
        (Some(display), Some(mapped)) => Some(GroupName { display, mapped }),
        (None, None) => None,
        _ => return None,
    };
    Some(StoredGroup {
        id: id.to_owned(),
        name,
        external_ids: match item.get("externalIds") {
            Some(_) => json_text(item, "externalIds").ok()?,
            None => BTreeMap::new(),
        },
        created: text(item, "created")?,
        last_modified: changed.map_or(last_modified.clone(), |changed| changed.max(last_modified)),
        version: gates.iter().map(version).sum(),
        generation: text(item, "generation")?,
        lanes: gates.iter().filter_map(|gate| used_lane(gate)).collect(),
        state: match string(item, "state").ok()? {
            "seen" => GroupState::Seen,
            "active" => GroupState::Active,
            "deleting" => GroupState::Deleting,
            "deleted" => GroupState::Deleted,
            _ => return None,
        },
    })
}

/// The lane of a gate that a member has passed.
fn used_lane(gate: &Value) -> Option<u8> {
    gate.get("changed")?;
    let (_, lane) = string(gate, "sk").ok()?.rsplit_once('#')?;
    lane.parse().ok()
}

/// The name by which a user is shown as a member of a group.
pub(super) fn display_name(document: &Map<String, Value>) -> String {
    let text = |value: Option<&Value>| {
        let text = value.and_then(Value::as_str).map(str::trim);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let name = |part: &str| text(document.get("name").and_then(|name| name.get(part)));
    let parts: Vec<String> = [name("givenName"), name("familyName")]
        .into_iter()
        .flatten()
        .collect();
    text(document.get("displayName"))
        .or_else(|| name("formatted"))
        .or_else(|| (!parts.is_empty()).then(|| parts.join(" ")))
        .or_else(|| text(document.get("userName")))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group() -> StoredGroup {
        StoredGroup {
            id: "g1".to_owned(),
            name: Some(GroupName {
                display: "APP-AGENTS".to_owned(),
                mapped: "APP-FIRST".to_owned(),
            }),
            external_ids: BTreeMap::from([("okta".to_owned(), "00g".to_owned())]),
            created: "2026-01-01T00:00:00.000Z".to_owned(),
            last_modified: "2026-01-02T00:00:00.000Z".to_owned(),
            version: 0,
            generation: "first".to_owned(),
            state: GroupState::Active,
            lanes: BTreeSet::new(),
        }
    }

    fn gate(id: &str, lane: u8, version: &str, changed: &str) -> Value {
        let mut gate = gate_key(id, lane);
        gate["version"] = json!({"N": version});
        gate["changed"] = json!({"S": changed});
        gate
    }

    #[test]
    fn groups_are_read_as_they_are_written() {
        for state in [
            GroupState::Seen,
            GroupState::Active,
            GroupState::Deleting,
            GroupState::Deleted,
        ] {
            for name in [None, group().name] {
                let group = StoredGroup {
                    state,
                    name,
                    ..group()
                };
                assert_eq!(parse_groups(&[group_item(&group)]), [group]);
            }
        }
        let without = StoredGroup {
            external_ids: BTreeMap::new(),
            ..group()
        };
        assert_eq!(parse_groups(&[group_item(&without)]), [without]);
    }

    #[test]
    fn version_and_time_of_a_group_follow_its_own_gates() {
        let items = [
            group_item(&group()),
            gate("g1", 0, "3", "2026-01-05T00:00:00.000Z"),
            gate("g1", 7, "4", "2026-01-04T00:00:00.000Z"),
            gate("g2", 0, "9", "2026-01-09T00:00:00.000Z"),
            gate_key("g1", 3),
        ];
        let groups = parse_groups(&items);
        assert_eq!(groups.len(), 1);
        assert_eq!(groups[0].version, 7);
        assert_eq!(groups[0].lanes, [0, 7].into());
        assert_eq!(groups[0].last_modified, "2026-01-05T00:00:00.000Z");
        let older = [
            group_item(&group()),
            gate("g1", 0, "1", "2026-01-01T00:00:00.000Z"),
        ];
        assert_eq!(
            parse_groups(&older)[0].last_modified,
            group().last_modified,
            "the later of both"
        );
    }

    #[test]
    fn gates_are_left_over_only_without_an_item_of_their_group() {
        let mut malformed = group_key("g3");
        malformed["state"] = json!({"S": "unknown"});
        let items = [
            group_item(&group()),
            gate_key("g1", 0),
            gate_key("g2", 0),
            gate_key("g2", 7),
            malformed,
            gate_key("g3", 0),
        ];
        assert_eq!(leftovers(&items), ["g2".to_owned()].into());
    }

    #[test]
    fn a_malformed_group_does_not_hide_the_others() {
        for attribute in [
            "state",
            "generation",
            "created",
            "lastModified",
            "mappedName",
        ] {
            let mut malformed = group_item(&group());
            malformed
                .as_object_mut()
                .unwrap()
                .remove(attribute)
                .unwrap();
            let other = StoredGroup {
                id: "g2".to_owned(),
                ..group()
            };
            let groups = parse_groups(&[malformed, group_item(&other)]);
            assert_eq!(groups, [other], "{attribute}");
        }
        let mut malformed = group_item(&group());
        malformed["externalIds"] = json!({"S": "{"});
        assert!(parse_groups(&[malformed.clone()]).is_empty());
        malformed["externalIds"] = json!({"S": "{}"});
        malformed["state"] = json!({"S": "unknown"});
        assert!(parse_groups(&[malformed]).is_empty());
    }

    #[test]
    fn a_member_is_shown_by_the_best_name_of_the_user() {
        for (document, expected) in [
            (
                json!({"userName": "ada", "displayName": "Ada L.", "name": {"formatted": "Ada Lovelace"}}),
                "Ada L.",
            ),
            (
                json!({"userName": "ada", "displayName": " ", "name": {"formatted": "Ada Lovelace", "givenName": "A"}}),
                "Ada Lovelace",
            ),
            (
                json!({"userName": "ada", "name": {"givenName": "Ada", "familyName": "Lovelace"}}),
                "Ada Lovelace",
            ),
            (
                json!({"userName": "ada", "name": {"familyName": "Lovelace"}}),
                "Lovelace",
            ),
            (json!({"userName": "ada", "name": {}}), "ada"),
            (json!({}), ""),
        ] {
            assert_eq!(display_name(document.as_object().unwrap()), expected);
        }
    }

    #[test]
    fn each_creation_of_a_group_is_a_generation_of_its_own() {
        let new = || StoredGroup::new("g1", None, BTreeMap::new(), "now");
        assert_ne!(new().generation, new().generation);
        assert_eq!(new().state, GroupState::Active);
    }
}
