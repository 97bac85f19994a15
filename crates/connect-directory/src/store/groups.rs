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
mod item;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

pub use self::item::{GroupName, GroupState, StoredGroup};
use self::item::{group_item, leftovers, parse_groups};
use super::{
    Store, StoreError,
    key::{GROUPS, LANES, fold, gate_key, group_key, group_name_key, is_id},
    read::BATCH,
    record::{iso, string},
    transaction::{CONFLICT_ATTEMPTS, Cancelled, pause},
};

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
}
