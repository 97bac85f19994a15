//! The parts of a transaction, and carrying it out.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Store, StoreError, StoredUser, record::user_name_item};

/// How often a transaction that met another one is repeated.
pub(super) const CONFLICT_ATTEMPTS: u32 = 5;

impl Store {
    pub(super) fn put(&self, item: Value, condition: &str, values: Value) -> Value {
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

    pub(super) fn put_user_name(&self, user: &StoredUser) -> Value {
        self.put(
            user_name_item(user),
            "attribute_not_exists(pk) OR id = :id",
            json!({":id": {"S": user.id}}),
        )
    }

    pub(super) fn put_copy(&self, item: Value) -> Value {
        json!({"Put": {"TableName": self.table, "Item": item}})
    }

    pub(super) fn delete(&self, key: Value) -> Value {
        json!({"Delete": {"TableName": self.table, "Key": key}})
    }

    /// Carries out all changes or none. The request token makes a repetition after a
    /// lost answer the same transaction, so a success is never mistaken for a conflict
    /// with itself.
    pub(super) async fn transact(&self, changes: &[Value]) -> Result<(), StoreError> {
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

/// 20, 40, 80 … milliseconds.
pub(super) fn pause(attempt: u32) -> Duration {
    Duration::from_millis(20 << attempt.min(6))
}
