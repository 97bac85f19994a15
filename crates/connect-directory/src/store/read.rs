//! Reading: users by id, by name, by external id, all of them, and those who are pending.

use std::collections::BTreeMap;

use aws_json_client::ErrorKind;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Store, StoreError,
    key::{
        MAXIMUM_KEY_LENGTH, email_partition, external_id_partition, fold, fold_email, is_id,
        user_key, user_name_key,
    },
    record::{
        Json, ObjectText, PENDING, Record, StoredDocument, StoredUser, USER_ATTRIBUTES, UserItem,
        WrittenUser, is_removed, parse_record, parse_user, string,
    },
    transaction::{CONFLICT_ATTEMPTS, pause},
};

/// How many calls for parts of one result are in progress at once.
const CALLS_AT_ONCE: usize = 8;

/// The most keys that `BatchGetItem` takes.
pub(super) const BATCH: usize = 100;

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
        if !is_id(id) {
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
        if !is_id(id) {
            return Ok(None);
        }
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
        let item = self.get_item(user_name_key(user_name)).await?;
        item.map(|item| parse_user(&item)).transpose()
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
        let values = json!({":pk": {"S": external_id_partition(client, external_id)}});
        let found = self.query("pk = :pk", values, None).await?;
        found.iter().map(parse_user).collect()
    }

    /// The users who have this e-mail address, in any case.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn find_by_email(&self, address: &str) -> Result<Vec<StoredUser>, StoreError> {
        let folded = fold_email(address);
        if folded.len() > MAXIMUM_KEY_LENGTH {
            return Ok(Vec::new());
        }
        let values = json!({":pk": {"S": email_partition(&folded)}});
        let pointers = self.query("pk = :pk", values, None).await?;
        let ids = pointers
            .iter()
            .map(|item| string(item, "sk").map(str::to_owned))
            .collect::<Result<Vec<_>, _>>()?;
        self.users(&ids).await
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
        let values = json!({":pending": {"S": PENDING}});
        let items = self
            .query("pending = :pending", values, Some("pending"))
            .await?;
        Ok(items.iter().filter_map(user).collect())
    }

    /// The items of a query, from the table or from an index; a read of the table is
    /// strongly consistent.
    pub(super) async fn query(
        &self,
        condition: &str,
        values: Value,
        index: Option<&str>,
    ) -> Result<Vec<Value>, StoreError> {
        let mut query = json!({
            "TableName": self.table,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
        });
        match index {
            None => query["ConsistentRead"] = json!(true),
            Some(index) => query["IndexName"] = json!(index),
        }
        let mut found = Vec::new();
        loop {
            let mut answer: Value = self.client.call("Query", &query).await?;
            if let Value::Array(items) = answer["Items"].take() {
                found.extend(items);
            }
            match answer["LastEvaluatedKey"].take() {
                Value::Null => return Ok(found),
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
        self.stored::<ObjectText>(ids).await
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

    /// Whether there are users of all these ids. One call for each hundred.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn all_exist(&self, ids: &[String]) -> Result<bool, StoreError> {
        const ATTRIBUTES: [(&str, &str); 2] = [("#pk", "pk"), ("#removed", "removed")];
        let batches = stream::iter(ids.chunks(BATCH))
            .map(|batch| self.batch_items::<Value>(user_keys(batch), &ATTRIBUTES))
            .buffer_unordered(CALLS_AT_ONCE);
        let found: Vec<Vec<Value>> = batches.try_collect().await?;
        let present = found.iter().flatten().filter(|item| !is_removed(item));
        Ok(present.count() == ids.len())
    }

    /// Everything kept of the users of these ids, in this order, removed ones included,
    /// without those that no longer exist and those whose item is malformed. One call for
    /// each hundred.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn records(&self, ids: &[String]) -> Result<Vec<Record>, StoreError> {
        let mut records = Vec::with_capacity(ids.len());
        for batch in ids.chunks(BATCH) {
            let items = self.batch_items(user_keys(batch), &[]).await?;
            let mut found = items
                .iter()
                .filter_map(|item| readable(parse_record(item), item))
                .collect();
            records.extend(in_order(batch, &mut found, |record: &Record| {
                &record.user.id
            }));
        }
        Ok(records)
    }

    /// Items of users: these attributes, each with its alias. A malformed one is left out:
    /// it must not hide the others.
    async fn batch<I: DeserializeOwned>(
        &self,
        ids: &[String],
        attributes: &[(&str, &str)],
    ) -> Result<Vec<I>, StoreError> {
        // Item by item only where one is malformed: a page has a hundred of them.
        let typed = self.batch_items::<I>(user_keys(ids), attributes).await;
        let is_unreadable = matches!(
            &typed,
            Err(StoreError::DynamoDb(error)) if error.kind() == ErrorKind::InvalidResponse
        );
        if !is_unreadable {
            return typed;
        }
        let items = self
            .batch_items::<Value>(user_keys(ids), attributes)
            .await?;
        Ok(items
            .iter()
            .filter_map(|item| {
                readable(
                    I::deserialize(item).map_err(|_| StoreError::Malformed),
                    item,
                )
            })
            .collect())
    }

    /// The items of these keys, as far as they exist: all attributes, or some, each with
    /// its alias.
    pub(super) async fn batch_items<I: DeserializeOwned>(
        &self,
        keys: Vec<Value>,
        attributes: &[(&str, &str)],
    ) -> Result<Vec<I>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut items = Vec::with_capacity(keys.len());
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

    pub(super) async fn get_item(&self, key: Value) -> Result<Option<Value>, StoreError> {
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

fn user_keys(ids: &[String]) -> Vec<Value> {
    ids.iter()
        .filter(|id| is_id(id))
        .map(|id| user_key(id))
        .collect()
}

/// An item that was read; `None`, and a line in the log, if it is malformed.
fn readable<T>(read: Result<T, StoreError>, item: &Value) -> Option<T> {
    read.inspect_err(|error| {
        let user_id = id_of(item).or_else(|| string(item, "id").ok().map(str::to_owned));
        tracing::error!(%error, user_id, "the item of a user is left out");
    })
    .ok()
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
