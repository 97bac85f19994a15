//! Reading: users by id, by name, by external id, all of them, and those who are pending.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    MAXIMUM_KEY_LENGTH, Store, StoreError, items,
    record::{
        Json, PENDING, Record, StoredDocument, StoredUser, Text, USER_ATTRIBUTES, UserItem,
        WrittenUser, external_id_partition, fold, is_removed, parse_record, parse_user, user_key,
        user_name_keys,
    },
    transaction::{CONFLICT_ATTEMPTS, pause},
};

/// The most keys that `BatchGetItem` takes.
const BATCH: usize = 100;

/// A user whose last change Connect does not have yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingUser {
    /// The SCIM id.
    pub id: String,
    /// Since when.
    pub since: Timestamp,
}

/// The input of `BatchGetItem`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BatchRequest {
    request_items: Value,
}

/// The answer to `BatchGetItem`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Batch<I> {
    /// By table.
    responses: BTreeMap<String, Vec<I>>,
    #[serde(default)]
    unprocessed_keys: Value,
}

impl Store {
    /// The user of this id.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn get(&self, id: &str) -> Result<Option<StoredUser>, StoreError> {
        if id.len() > MAXIMUM_KEY_LENGTH {
            return Ok(None);
        }
        let item = self.get_item(user_key(id)).await?;
        item.filter(|item| !is_removed(item))
            .map(|item| parse_user(&item))
            .transpose()
    }

    /// Everything kept of a user, one that was removed included.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn get_record(&self, id: &str) -> Result<Option<Record>, StoreError> {
        let item = self.get_item(user_key(id)).await?;
        item.map(|item| parse_record(&item)).transpose()
    }

    /// The user of this userName, in any spelling that SCIM holds to be equal.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn find_by_user_name(
        &self,
        user_name: &str,
    ) -> Result<Option<StoredUser>, StoreError> {
        if fold(user_name).len() > MAXIMUM_KEY_LENGTH {
            return Ok(None);
        }
        for key in user_name_keys(user_name) {
            if let Some(item) = self.get_item(key).await? {
                return parse_user(&item).map(Some);
            }
        }
        Ok(None)
    }

    /// The users to whom this client gave this external id: one, if it keeps to its
    /// part of RFC 7643, section 3.1.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn find_by_external_id(
        &self,
        client: &str,
        external_id: &str,
    ) -> Result<Vec<StoredUser>, StoreError> {
        if external_id.len() > MAXIMUM_KEY_LENGTH {
            return Ok(Vec::new());
        }
        let answer: Value = self
            .client
            .call(
                "Query",
                &json!({
                    "TableName": self.table,
                    "ConsistentRead": true,
                    "KeyConditionExpression": "pk = :pk",
                    "ExpressionAttributeValues": {
                        ":pk": {"S": external_id_partition(client, external_id)},
                    },
                }),
            )
            .await?;
        items(&answer).iter().map(parse_user).collect()
    }

    /// The ids of all users, oldest first, as [`Store::users`] takes them. See
    /// [`Store::listing`].
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn ids(&self) -> Result<Vec<String>, StoreError> {
        let ids = self.listing().await?;
        Ok(ids.iter().map(Uuid::to_string).collect())
    }

    /// The ids of users that Connect has lacked since before the given time, longest
    /// first.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn pending_ids(&self, before: Timestamp) -> Result<Vec<String>, StoreError> {
        let mut pending = self.pending().await?;
        pending.retain(|user| user.since < before);
        Ok(pending.into_iter().map(|user| user.id).collect())
    }

    /// All users whose last change Connect does not have yet, longest first.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn pending(&self) -> Result<Vec<PendingUser>, StoreError> {
        let mut query = json!({
            "TableName": self.table,
            "IndexName": "pending",
            "KeyConditionExpression": "pending = :pending",
            "ExpressionAttributeValues": {":pending": {"S": PENDING}},
            "ProjectionExpression": "pk, pendingSince",
        });
        let user = |item: &Value| {
            let since = item.pointer("/pendingSince/S").and_then(Value::as_str);
            Some(PendingUser {
                id: id_of(item)?,
                // What cannot be read is old, so that it is tried rather than forgotten.
                since: since
                    .and_then(|since| since.parse().ok())
                    .unwrap_or(Timestamp::MIN),
            })
        };
        let mut pending = Vec::new();
        loop {
            let mut answer: Value = self.client.call("Query", &query).await?;
            pending.extend(items(&answer).iter().filter_map(user));
            match answer["LastEvaluatedKey"].take() {
                Value::Null => return Ok(pending),
                last => query["ExclusiveStartKey"] = last,
            }
        }
    }

    /// The users of these ids, in this order, without those that no longer exist. One
    /// call for each hundred.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn users(&self, ids: &[String]) -> Result<Vec<StoredUser>, StoreError> {
        self.stored::<Json<_>>(ids).await
    }

    /// Like [`Store::users`], with resources that are not taken apart.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn written_users(&self, ids: &[String]) -> Result<Vec<WrittenUser>, StoreError> {
        self.stored::<Text>(ids).await
    }

    async fn stored<D: StoredDocument>(
        &self,
        ids: &[String],
    ) -> Result<Vec<StoredUser<D::Document>>, StoreError> {
        let mut users = Vec::with_capacity(ids.len());
        for batch in ids.chunks(BATCH) {
            let items = self.batch::<UserItem<D>>(batch, &USER_ATTRIBUTES).await?;
            let present = items.into_iter().filter(|item| !item.is_removed());
            let mut found = present.map(StoredUser::from).collect();
            users.extend(in_order(batch, &mut found, |user| &user.id));
        }
        Ok(users)
    }

    /// Everything kept of the users of these ids, in this order, removed ones included,
    /// without those that no longer exist. One call for each hundred.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn records(&self, ids: &[String]) -> Result<Vec<Record>, StoreError> {
        let mut records = Vec::with_capacity(ids.len());
        for batch in ids.chunks(BATCH) {
            let items = self.batch::<Value>(batch, &[]).await?;
            let mut found = items
                .iter()
                .map(parse_record)
                .collect::<Result<Vec<_>, _>>()?;
            records.extend(in_order(batch, &mut found, |record| &record.user.id));
        }
        Ok(records)
    }

    /// Items of users: all of them, or these attributes, each with its alias.
    async fn batch<I: DeserializeOwned>(
        &self,
        ids: &[String],
        attributes: &[(&str, &str)],
    ) -> Result<Vec<I>, StoreError> {
        let keys: Vec<Value> = ids.iter().map(|id| user_key(id)).collect();
        let mut request = BatchRequest {
            request_items: json!({ &self.table: {"ConsistentRead": true} }),
        };
        // Not within json!, which would copy them.
        let query = &mut request.request_items[&self.table];
        query["Keys"] = Value::Array(keys);
        if !attributes.is_empty() {
            let aliases: Vec<&str> = attributes.iter().map(|(alias, _)| *alias).collect();
            query["ProjectionExpression"] = aliases.join(",").into();
            let names = attributes.iter().map(|(alias, name)| (*alias, *name));
            query["ExpressionAttributeNames"] = names.collect();
        }
        let mut items = Vec::with_capacity(ids.len());
        for attempt in 0..CONFLICT_ATTEMPTS {
            let answer: Batch<I> = self.client.call("BatchGetItem", &request).await?;
            items.extend(answer.responses.into_values().flatten());
            request.request_items = answer.unprocessed_keys;
            let left = request.request_items.as_object();
            if left.is_none_or(serde_json::Map::is_empty) {
                return Ok(items);
            }
            tokio::time::sleep(pause(attempt)).await;
        }
        Err(StoreError::Busy)
    }

    async fn get_item(&self, key: Value) -> Result<Option<Value>, StoreError> {
        let mut answer: Value = self
            .client
            .call(
                "GetItem",
                &json!({"TableName": self.table, "Key": key, "ConsistentRead": true}),
            )
            .await?;
        Ok(match answer["Item"].take() {
            Value::Null => None,
            item => Some(item),
        })
    }
}

/// The id of the user whose item it is.
fn id_of(item: &Value) -> Option<String> {
    let key = item.pointer("/pk/S")?.as_str()?;
    key.strip_prefix("USER#").map(str::to_owned)
}

/// What was found of a batch, in the order of the ids.
fn in_order<T>(ids: &[String], found: &mut Vec<T>, id_of: impl Fn(&T) -> &String) -> Vec<T> {
    ids.iter()
        .filter_map(|id| {
            let position = found.iter().position(|item| id_of(item) == id)?;
            Some(found.swap_remove(position))
        })
        .collect()
}
