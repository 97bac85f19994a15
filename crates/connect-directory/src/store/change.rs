//! Changing a user: created, claimed, finished, deleted.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Store, StoreError,
    groups::display_name,
    key::{
        email_partition, external_id_key, fold, gate_key, is_id, key, lane_of, member_key,
        user_key, user_name_key,
    },
    listing::Listing,
    record::{
        Claim, PENDING, Record, StoredUser, email_item, external_id_item, is_removed, iso,
        parse_record, strings, user_item,
    },
    transaction::{CONFLICT_ATTEMPTS, Cancelled, pause},
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
    /// Adds a user, claimed for the caller unless Connect has nothing to do with it. Its
    /// groups must exist.
    ///
    /// # Errors
    /// [`StoreError::UserNameTaken`]; [`StoreError::NotFound`] when a group was deleted; or when the table cannot be written.
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
        changes.extend(self.put_external_ids(user));
        let emails = user.email_keys();
        changes.extend(
            emails
                .iter()
                .map(|email| self.put_copy(email_item(email, &user.id))),
        );
        for group_id in user.groups.keys() {
            changes.push(self.put_member(group_id, user));
            let mut gate = self.count_change(group_id, &user.id, now);
            gate["Update"]["ConditionExpression"] = json!("attribute_exists(generation)");
            changes.push(gate);
        }
        match self.try_transact(&changes).await {
            Ok(()) => Ok(Claimed { record, claim }),
            Err(Cancelled::Conditions(unmet)) if unmet.contains(&1) => {
                Err(StoreError::UserNameTaken)
            }
            // A group without open gates, or an id that exists.
            Err(Cancelled::Conditions(_)) => Err(StoreError::NotFound),
            Err(Cancelled::Failed(error)) => Err(error),
        }
    }

    /// Claims a user: until the claim is given back or expires, nobody else changes it.
    ///
    /// A claim that expired was left by a crash in the middle of a change, so what is
    /// known of Connect is then [uncertain](super::ConnectState::uncertain). `username` is
    /// another one than before, under which this change may create the user: should it
    /// crash, the next claim knows where to look. The tokens and usernames of all claims
    /// stay until one is given back: a claim that is repeated because its response was
    /// lost, or that crashes too, hides no earlier one.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Busy`] when another request holds the
    /// user, or when the table cannot be written.
    pub async fn claim(
        &self,
        id: &str,
        now: Timestamp,
        whom: Whom,
        username: Option<&str>,
    ) -> Result<Claimed, StoreError> {
        if !is_id(id) {
            return Err(StoreError::NotFound);
        }
        let claim = claim(now);
        let free = "attribute_exists(pk) AND \
            (attribute_not_exists(#claim) OR claimUntil < :now OR #claim = :token)";
        let condition = match whom {
            Whom::Present => format!("{free} AND attribute_not_exists(removed)"),
            Whom::PresentOrRemoved => free.to_owned(),
        };
        let mut update = json!({
            "TableName": self.table,
            "Key": user_key(id),
            "UpdateExpression": "SET #claim = :token, claimUntil = :until, \
                #pending = :pending, pendingSince = if_not_exists(pendingSince, :since) \
                ADD claims :tokens",
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {"#claim": "claim", "#pending": "pending"},
            "ExpressionAttributeValues": {
                ":token": {"S": claim.token},
                ":tokens": {"SS": [claim.token]},
                ":until": {"N": claim.until.as_millisecond().to_string()},
                ":now": {"N": now.as_millisecond().to_string()},
                ":pending": {"S": PENDING},
                ":since": {"S": iso(now)},
            },
            "ReturnValues": "ALL_OLD",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        });
        if let Some(username) = username {
            let expression = update["UpdateExpression"].as_str().unwrap_or_default();
            update["UpdateExpression"] = json!(format!("{expression}, claimUsernames :usernames"));
            update["ExpressionAttributeValues"][":usernames"] = json!({"SS": [username]});
        }
        for attempt in 0..CONFLICT_ATTEMPTS {
            match self.client.call::<Value>("UpdateItem", &update).await {
                Ok(answer) => {
                    let record = claimed_record(&answer["Attributes"], &claim.token)?;
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
    pub async fn finish(
        &self,
        claimed: &Claimed,
        after: &Record,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let put = self.put(
            user_item(after, None)?,
            "#claim = :token",
            json!({":token": {"S": claimed.claim.token}}),
        );
        let changes = self.changes(put, &claimed.record, after, now)?;
        self.transact(&changes).await
    }

    /// The user's own item, and what points to it and has changed.
    pub(super) fn changes(
        &self,
        own: Value,
        before: &Record,
        after: &Record,
        now: Timestamp,
    ) -> Result<Vec<Value>, StoreError> {
        let mut changes = vec![own];
        let (old, new) = (&before.user, &after.user);
        if after.removed {
            if !before.removed {
                changes.extend(self.delete_copies(before, now)?);
            }
        } else if old != new {
            if fold(old.user_name()) != fold(new.user_name()) {
                changes.push(self.delete(user_name_key(old.user_name())));
            }
            changes.push(self.put_user_name(new));
            for (client, external_id) in &old.external_ids {
                if new.external_ids.get(client) != Some(external_id) {
                    changes.push(self.delete(external_id_key(client, external_id, &old.id)));
                }
            }
            changes.extend(self.put_external_ids(new));
            changes.extend(self.email_changes(old, new));
            changes.extend(self.membership_changes(old, new, now));
        }
        Ok(changes)
    }

    /// Writes a change of a user whom no request has claimed, and that does not concern
    /// Connect.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when the user was changed or claimed since it was read;
    /// [`StoreError::UserNameTaken`]; or when the table cannot be written.
    pub async fn replace(
        &self,
        before: &Record,
        after: &Record,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let connect = user_item(before, None)?["connect"].take();
        let mut put = self.put(
            user_item(after, None)?,
            "version = :before AND #connect = :connect AND attribute_not_exists(#claim) \
                AND attribute_not_exists(removed)",
            json!({
                ":before": {"N": before.user.version.to_string()},
                ":connect": connect,
            }),
        );
        put["Put"]["ExpressionAttributeNames"]["#connect"] = json!("connect");
        match self.transact(&self.changes(put, before, after, now)?).await {
            Err(StoreError::ClaimLost) => Err(StoreError::Busy),
            outcome => outcome,
        }
    }

    /// Deletes a claimed user and everything that points to it.
    ///
    /// # Errors
    /// [`StoreError::ClaimLost`], or when the table cannot be written.
    pub async fn delete_user(&self, claimed: &Claimed, now: Timestamp) -> Result<(), StoreError> {
        let record = &claimed.record;
        let mut changes = vec![json!({"Delete": {
            "TableName": self.table,
            "Key": user_key(&record.user.id),
            "ConditionExpression": "#claim = :token",
            "ExpressionAttributeNames": {"#claim": "claim"},
            "ExpressionAttributeValues": {":token": {"S": claimed.claim.token}},
        }})];
        if !record.removed {
            changes.extend(self.delete_copies(record, now)?);
        }
        self.transact(&changes).await
    }

    pub(super) fn put_external_ids(&self, user: &StoredUser) -> Vec<Value> {
        let ids = user.external_ids.iter();
        ids.map(|(client, external_id)| self.put_copy(external_id_item(client, external_id, user)))
            .collect()
    }

    fn email_changes(&self, old: &StoredUser, new: &StoredUser) -> Vec<Value> {
        let (before, after) = (old.email_keys(), new.email_keys());
        let removed = before
            .difference(&after)
            .map(|email| self.delete(key(email_partition(email), new.id.as_str())));
        let added = after
            .difference(&before)
            .map(|email| self.put_copy(email_item(email, &new.id)));
        removed.chain(added).collect()
    }

    /// Memberships that end, and the name by which the user is shown in the groups. A
    /// change of a user adds no membership: see [`Store::write_members`].
    fn membership_changes(&self, old: &StoredUser, new: &StoredUser, now: Timestamp) -> Vec<Value> {
        let mut changes = Vec::new();
        let is_renamed = display_name(&old.document) != display_name(&new.document);
        for group_id in old.groups.keys() {
            if !new.groups.contains_key(group_id) {
                changes.push(self.delete(member_key(group_id, &new.id)));
                changes.push(self.count_change(group_id, &new.id, now));
            } else if is_renamed {
                changes.push(self.put_member(group_id, new));
            }
        }
        changes
    }

    pub(super) fn put_member(&self, group_id: &str, user: &StoredUser) -> Value {
        let mut item = member_key(group_id, &user.id);
        item["display"] = json!({"S": display_name(&user.document)});
        self.put_copy(item)
    }

    /// Counts a change of the members in the lane of a user.
    fn count_change(&self, group_id: &str, user_id: &str, now: Timestamp) -> Value {
        json!({"Update": {
            "TableName": self.table,
            "Key": gate_key(group_id, lane_of(user_id)),
            "UpdateExpression": "SET changed = :now ADD version :one",
            "ExpressionAttributeValues": {":now": {"S": iso(now)}, ":one": {"N": "1"}},
        }})
    }

    fn delete_copies(&self, record: &Record, now: Timestamp) -> Result<Vec<Value>, StoreError> {
        let user = &record.user;
        let mut changes = vec![
            self.list(&user.id, Listing::Remove)?,
            self.delete(user_name_key(user.user_name())),
        ];
        for (client, external_id) in &user.external_ids {
            changes.push(self.delete(external_id_key(client, external_id, &user.id)));
        }
        for email in user.email_keys() {
            changes.push(self.delete(key(email_partition(&email), user.id.as_str())));
        }
        for group_id in user.groups.keys() {
            changes.push(self.delete(member_key(group_id, &user.id)));
            changes.push(self.count_change(group_id, &user.id, now));
        }
        Ok(changes)
    }
}

/// The record in an item as it was before it was claimed with this token. Other claims in
/// it were left by changes of which nothing is known.
pub(super) fn claimed_record(item: &Value, token: &str) -> Result<Record, StoreError> {
    let mut record = parse_record(item)?;
    let last = record.claim.take();
    let mut claims = strings(item, "claims").chain(last.as_deref());
    if claims.any(|left| left != token) {
        record.connect.uncertain = true;
        let usernames = strings(item, "claimUsernames").map(str::to_owned);
        record.connect.former_usernames.extend(usernames);
    }
    Ok(record)
}

fn claim(now: Timestamp) -> Claim {
    Claim {
        token: Uuid::new_v4().to_string(),
        until: now.saturating_add(CLAIM_DURATION).unwrap_or(Timestamp::MAX),
    }
}
