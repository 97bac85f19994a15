//! Changing a user: created, claimed, finished, deleted.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    MAXIMUM_KEY_LENGTH, Store, StoreError,
    listing::Listing,
    record::{
        Claim, PENDING, Record, StoredUser, external_id_item, external_id_key, is_removed, iso,
        member_key, parse_record, user_item, user_key, user_name_key, user_name_keys,
    },
    transaction::{CONFLICT_ATTEMPTS, pause},
};

/// How long a claim holds: longer than a function can run behind API Gateway (29
/// seconds), so that only a crashed request is ever overtaken.
const CLAIM_DURATION: SignedDuration = SignedDuration::from_secs(35);

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
    /// known of Connect is then [uncertain](super::ConnectState::uncertain).
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
            let key = user_name_key(new.user_name());
            let left = user_name_keys(old.user_name()).into_iter();
            changes.extend(left.filter(|old| *old != key).map(|old| self.delete(old)));
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
        let copies = user_name_keys(user.user_name())
            .into_iter()
            .chain(external_id)
            .chain(memberships);
        changes.extend(copies.map(|key| self.delete(key)));
        Ok(changes)
    }
}

fn claim(now: Timestamp) -> Claim {
    Claim {
        token: Uuid::new_v4().to_string(),
        until: now.saturating_add(CLAIM_DURATION).unwrap_or(Timestamp::MAX),
    }
}
