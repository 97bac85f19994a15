//! The directory table: what the identity provider wants of each user.
//!
//! Every read of a user is strongly consistent, every change of one is a transaction
//! that holds only while the change's [`Claim`] does. Why, and what that makes of
//! concurrent requests, lost answers and crashes, is written down in [`crate::directory`].

mod groups;
mod listing;
mod record;

use std::{collections::BTreeMap, time::Duration};

use aws_json_client::{Client, Error};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use uuid::Uuid;

pub use groups::{Link, Member};
use listing::Listing;
pub use listing::new_id;
pub use record::{Claim, ConnectState, Record, StoredUser, fold, iso};
use record::{
    PENDING, UserItem, external_id_item, external_id_key, external_id_partition, is_removed,
    member_key, parse_record, parse_user, user_item, user_key, user_name_item, user_name_key,
};

/// How long a claim holds: longer than a function can run behind API Gateway (29
/// seconds), so that only a crashed request is ever overtaken.
const CLAIM_DURATION: SignedDuration = SignedDuration::from_secs(35);

/// How often a transaction that met another one is repeated.
const CONFLICT_ATTEMPTS: u32 = 5;

/// The most keys that `BatchGetItem` takes.
const BATCH: usize = 100;

/// The most bytes of a value that becomes a key: DynamoDB takes 2048 for a partition key,
/// 1024 for a sort key, and there is something around it.
pub const MAXIMUM_KEY_LENGTH: usize = 900;

/// The directory table.
#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    table: String,
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

/// A user whose last change Connect does not have yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingUser {
    /// The SCIM id.
    pub id: String,
    /// Since when.
    pub since: Timestamp,
}

/// Why the directory table did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another user has the userName.
    #[error("the userName is taken")]
    UserNameTaken,
    /// There is no such user.
    #[error("there is no such user")]
    NotFound,
    /// Another request is changing the user.
    #[error("another request is changing the user")]
    Busy,
    /// The claim expired and another request took the user over.
    #[error("the change took too long and another request took the user over")]
    ClaimLost,
    /// DynamoDB failed.
    #[error("the directory table cannot be used")]
    DynamoDb(#[from] Error),
    /// An item is not what this program writes.
    #[error("an item of the directory table is malformed")]
    Malformed,
}

/// Which users an operation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    /// Those that the identity provider knows.
    Present,
    /// Also those that it deleted and that still have to go from Connect.
    PresentOrRemoved,
}

/// A user that only the holder may change.
pub struct Claimed {
    /// The user as it was when it was claimed.
    pub record: Record,
    pub(crate) claim: Claim,
}

impl Store {
    /// The table of this name, by a client of [`aws_json_client::Service::DYNAMODB`].
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self {
            client,
            table: table.into(),
        }
    }

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
        if user_name.len() > MAXIMUM_KEY_LENGTH {
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
        let mut users = Vec::with_capacity(ids.len());
        for batch in ids.chunks(BATCH) {
            let items = self.batch::<UserItem>(batch).await?;
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
            let items = self.batch::<Value>(batch).await?;
            let mut found = items
                .iter()
                .map(parse_record)
                .collect::<Result<Vec<_>, _>>()?;
            records.extend(in_order(batch, &mut found, |record| &record.user.id));
        }
        Ok(records)
    }

    async fn batch<I: DeserializeOwned>(&self, ids: &[String]) -> Result<Vec<I>, StoreError> {
        let keys: Vec<Value> = ids.iter().map(|id| user_key(id)).collect();
        let mut request = BatchRequest {
            request_items: json!({ &self.table: {"ConsistentRead": true} }),
        };
        // Not within json!, which would copy them.
        request.request_items[&self.table]["Keys"] = Value::Array(keys);
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

    /// Adds a user, claimed for the caller unless Connect has nothing to do with it.
    ///
    /// # Errors
    /// [`StoreError::UserNameTaken`], or when the table cannot be written.
    pub async fn create(
        &self,
        record: Record,
        now: Timestamp,
        claimed: bool,
    ) -> Result<Claimed, StoreError> {
        let claim = claim(now);
        let user = &record.user;
        let mut changes = vec![
            self.put(
                user_item(&record, claimed.then_some(&claim))?,
                "attribute_not_exists(pk)",
                Value::Null,
            ),
            self.put_user_name(user),
            self.list(&user.id, Listing::Add)?,
        ];
        if let Some(external_id) = user.external_id() {
            changes.push(self.put_copy(external_id_item(&record.client, external_id, user)));
        }
        self.transact(&changes).await?;
        Ok(Claimed { record, claim })
    }

    /// Claims a user: until the claim is given back or expires, nobody else changes it.
    ///
    /// A claim that expired was left by a crash in the middle of a change, so what is
    /// known of Connect is then [uncertain](ConnectState::uncertain).
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Busy`] when another request holds the
    /// user, or when the table cannot be written.
    pub async fn claim(&self, id: &str, now: Timestamp, whom: Whom) -> Result<Claimed, StoreError> {
        if id.len() > MAXIMUM_KEY_LENGTH {
            return Err(StoreError::NotFound);
        }
        let claim = claim(now);
        let free = "attribute_exists(pk) AND \
            (attribute_not_exists(#claim) OR claimUntil < :now OR #claim = :token)";
        let condition = match whom {
            Whom::Present => format!("{free} AND attribute_not_exists(removed)"),
            Whom::PresentOrRemoved => free.to_owned(),
        };
        let update = json!({
            "TableName": self.table,
            "Key": user_key(id),
            "UpdateExpression": "SET #claim = :token, claimUntil = :until, \
                #pending = :pending, pendingSince = if_not_exists(pendingSince, :since)",
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {"#claim": "claim", "#pending": "pending"},
            "ExpressionAttributeValues": {
                ":token": {"S": claim.token},
                ":until": {"N": claim.until.as_millisecond().to_string()},
                ":now": {"N": now.as_millisecond().to_string()},
                ":pending": {"S": PENDING},
                ":since": {"S": iso(now)},
            },
            "ReturnValues": "ALL_OLD",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        });
        for attempt in 0..CONFLICT_ATTEMPTS {
            match self.client.call::<Value>("UpdateItem", &update).await {
                Ok(answer) => {
                    let old = &answer["Attributes"];
                    let mut record = parse_record(old)?;
                    let left_over = old.pointer("/claim/S").and_then(Value::as_str);
                    record.connect.uncertain |= left_over.is_some_and(|token| token != claim.token);
                    return Ok(Claimed { record, claim });
                }
                Err(error) => match error.code() {
                    Some("ConditionalCheckFailedException") => {
                        return Err(match error.body().get("Item") {
                            Some(item) if whom == Whom::PresentOrRemoved || !is_removed(item) => {
                                StoreError::Busy
                            }
                            _ => StoreError::NotFound,
                        });
                    }
                    Some("TransactionConflictException") => {
                        tokio::time::sleep(pause(attempt)).await;
                    }
                    _ => return Err(error.into()),
                },
            }
        }
        Err(StoreError::Busy)
    }

    /// Writes what became of a claimed user and gives the claim back.
    ///
    /// Only what changed is written: the copies follow when the resource did.
    ///
    /// # Errors
    /// [`StoreError::UserNameTaken`], after which the claim still holds;
    /// [`StoreError::ClaimLost`]; or when the table cannot be written.
    pub async fn finish(&self, claimed: &Claimed, after: &Record) -> Result<(), StoreError> {
        let before = &claimed.record;
        let mut changes = vec![self.put(
            user_item(after, None)?,
            "#claim = :token",
            json!({":token": {"S": claimed.claim.token}}),
        )];
        let (old, new) = (&before.user, &after.user);
        if after.removed {
            if !before.removed {
                changes.extend(self.delete_copies(before)?);
            }
        } else if old != new {
            if fold(old.user_name()) != fold(new.user_name()) {
                changes.push(self.delete(user_name_key(old.user_name())));
            }
            changes.push(self.put_user_name(new));
            let external_ids = [
                (&before.client, old.external_id()),
                (&after.client, new.external_id()),
            ];
            if external_ids[0] != external_ids[1]
                && let (client, Some(external_id)) = external_ids[0]
            {
                changes.push(self.delete(external_id_key(client, external_id, &old.id)));
            }
            if let (client, Some(external_id)) = external_ids[1] {
                changes.push(self.put_copy(external_id_item(client, external_id, new)));
            }
            changes.extend(self.membership_changes(old, new));
        }
        self.transact(&changes).await
    }

    /// Deletes a claimed user and everything that points to it.
    ///
    /// # Errors
    /// [`StoreError::ClaimLost`], or when the table cannot be written.
    pub async fn delete_user(&self, claimed: &Claimed) -> Result<(), StoreError> {
        let record = &claimed.record;
        let mut changes = vec![json!({"Delete": {
            "TableName": self.table,
            "Key": user_key(&record.user.id),
            "ConditionExpression": "#claim = :token",
            "ExpressionAttributeNames": {"#claim": "claim"},
            "ExpressionAttributeValues": {":token": {"S": claimed.claim.token}},
        }})];
        if !record.removed {
            changes.extend(self.delete_copies(record)?);
        }
        self.transact(&changes).await
    }

    fn membership_changes(&self, old: &StoredUser, new: &StoredUser) -> Vec<Value> {
        let left = old.groups.keys().filter(|id| !new.groups.contains_key(*id));
        let entered = new.groups.keys().filter(|id| !old.groups.contains_key(*id));
        left.map(|id| self.delete(member_key(id, &new.id)))
            .chain(entered.map(|id| self.put_copy(member_key(id, &new.id))))
            .collect()
    }

    fn delete_copies(&self, record: &Record) -> Result<Vec<Value>, StoreError> {
        let user = &record.user;
        let external_id = user
            .external_id()
            .map(|external_id| external_id_key(&record.client, external_id, &user.id));
        let memberships = user.groups.keys().map(|id| member_key(id, &user.id));
        let mut changes = vec![self.list(&user.id, Listing::Remove)?];
        let copies = std::iter::once(user_name_key(user.user_name()))
            .chain(external_id)
            .chain(memberships);
        changes.extend(copies.map(|key| self.delete(key)));
        Ok(changes)
    }

    fn put(&self, item: Value, condition: &str, values: Value) -> Value {
        let mut put = json!({
            "TableName": self.table,
            "Item": item,
            "ConditionExpression": condition,
        });
        if condition.contains("#claim") {
            put["ExpressionAttributeNames"] = json!({"#claim": "claim"});
        }
        if !values.is_null() {
            put["ExpressionAttributeValues"] = values;
        }
        json!({ "Put": put })
    }

    fn put_user_name(&self, user: &StoredUser) -> Value {
        self.put(
            user_name_item(user),
            "attribute_not_exists(pk) OR id = :id",
            json!({":id": {"S": user.id}}),
        )
    }

    fn put_copy(&self, item: Value) -> Value {
        json!({"Put": {"TableName": self.table, "Item": item}})
    }

    fn delete(&self, key: Value) -> Value {
        json!({"Delete": {"TableName": self.table, "Key": key}})
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

    /// Carries out all changes or none. The request token makes a repetition after a
    /// lost answer the same transaction, so a success is never mistaken for a conflict
    /// with itself.
    async fn transact(&self, changes: &[Value]) -> Result<(), StoreError> {
        for attempt in 0..CONFLICT_ATTEMPTS {
            let request = json!({
                "ClientRequestToken": Uuid::new_v4().to_string(),
                "TransactItems": changes,
            });
            let error = match self
                .client
                .call::<Value>("TransactWriteItems", &request)
                .await
            {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            if error.code() != Some("TransactionCanceledException") {
                return Err(error.into());
            }
            let reasons = &error.body()["CancellationReasons"];
            let failed = |reason: &str| {
                reasons
                    .as_array()
                    .and_then(|reasons| reasons.iter().position(|found| found["Code"] == reason))
            };
            match failed("ConditionalCheckFailed") {
                Some(0) => return Err(StoreError::ClaimLost),
                Some(_) => return Err(StoreError::UserNameTaken),
                None if failed("TransactionConflict").is_some() => {
                    tokio::time::sleep(pause(attempt)).await;
                }
                None => return Err(error.into()),
            }
        }
        Err(StoreError::Busy)
    }
}

fn claim(now: Timestamp) -> Claim {
    Claim {
        token: Uuid::new_v4().to_string(),
        until: now.saturating_add(CLAIM_DURATION).unwrap_or(Timestamp::MAX),
    }
}

/// 20, 40, 80 … milliseconds.
fn pause(attempt: u32) -> Duration {
    Duration::from_millis(20 << attempt.min(6))
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

fn items(answer: &Value) -> &[Value] {
    answer["Items"].as_array().map_or(&[], Vec::as_slice)
}
