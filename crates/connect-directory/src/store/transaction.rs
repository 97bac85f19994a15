//! The parts of a transaction, and carrying it out.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Store, StoreError, StoredUser, record::user_name_item};

/// How often a transaction that conflicts with another one is repeated.
pub(super) const CONFLICT_ATTEMPTS: u32 = 7;

/// The most actions of a transaction (`TransactWriteItems` in the API reference).
pub(super) const MAXIMUM_ACTIONS: usize = 100;

/// Why a transaction was not carried out.
pub(super) enum Cancelled {
    /// The conditions of these actions do not hold, by position.
    Conditions(Vec<usize>),
    /// It failed, or conflicted with others too often.
    Failed(StoreError),
}

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

    /// Carries out all changes of a claimed user or none.
    ///
    /// The first action is the user's own item; every other condition is that of its
    /// userName.
    pub(super) async fn transact(&self, changes: &[Value]) -> Result<(), StoreError> {
        self.try_transact(changes)
            .await
            .map_err(|cancelled| match cancelled {
                Cancelled::Conditions(failed) if failed.contains(&0) => StoreError::ClaimLost,
                Cancelled::Conditions(_) => StoreError::UserNameTaken,
                Cancelled::Failed(error) => error,
            })
    }

    /// Carries out all actions or none. The request token makes a repetition after a
    /// lost response the same transaction, so a success is never mistaken for a conflict
    /// with itself.
    pub(super) async fn try_transact(&self, actions: &[Value]) -> Result<(), Cancelled> {
        for attempt in 0..CONFLICT_ATTEMPTS {
            let request = json!({
                "ClientRequestToken": Uuid::new_v4().to_string(),
                "TransactItems": actions,
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
                return Err(Cancelled::Failed(error.into()));
            }
            let reasons = &error.body()["CancellationReasons"];
            let unmet = positions(reasons, "ConditionalCheckFailed");
            if !unmet.is_empty() {
                return Err(Cancelled::Conditions(unmet));
            }
            if positions(reasons, "TransactionConflict").is_empty() {
                return Err(Cancelled::Failed(error.into()));
            }
            tokio::time::sleep(pause(attempt)).await;
        }
        Err(Cancelled::Failed(StoreError::Busy))
    }
}

/// Where a cancelled transaction gives this reason.
fn positions(reasons: &Value, code: &str) -> Vec<usize> {
    let reasons = reasons.as_array().map_or(&[][..], Vec::as_slice);
    let matching = reasons.iter().enumerate();
    matching
        .filter(|(_, reason)| reason["Code"] == code)
        .map(|(position, _)| position)
        .collect()
}

/// 20, 40, 80 … milliseconds, up to half as long again: transactions that conflicted once
/// must not meet again.
pub(super) fn pause(attempt: u32) -> Duration {
    let milliseconds = 20_u64 << attempt.min(6);
    let random = u64::from(Uuid::new_v4().as_bytes()[0]);
    Duration::from_millis(milliseconds + milliseconds * random / 512)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_found_by_position() {
        let reasons = json!([
            {"Code": "None"},
            {"Code": "ConditionalCheckFailed"},
            {"Code": "TransactionConflict"},
            {"Code": "ConditionalCheckFailed"},
        ]);
        assert_eq!(positions(&reasons, "ConditionalCheckFailed"), [1, 3]);
        assert_eq!(positions(&reasons, "TransactionConflict"), [2]);
        assert!(positions(&reasons, "ThrottlingError").is_empty());
        assert!(positions(&Value::Null, "None").is_empty());
    }

    #[test]
    fn pauses_double_up_to_a_limit() {
        for (attempt, least) in [(0, 20), (1, 40), (3, 160), (6, 1280), (7, 1280), (60, 1280)] {
            let pause = pause(attempt);
            let range = Duration::from_millis(least)..=Duration::from_millis(least * 3 / 2);
            assert!(range.contains(&pause), "attempt {attempt}: {pause:?}");
        }
    }
}
