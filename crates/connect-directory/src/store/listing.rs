//! Who all the users are, for paging.
//!
//! A page by `startIndex` has to say how many users there are, and who stands at that
//! position (RFC 7644, section 3.4.2.4). DynamoDB neither counts nor skips: a query reads
//! one megabyte of whole items at a time, keys and names included. An index of keys alone
//! takes 130 bytes for a user, so that every page of an instance with 20,000 users would
//! cost four calls, of items that lag behind the table.
//!
//! So the ids stand in the table itself, 16 bytes each, as the elements of 64 sets. One
//! strongly consistent query reads them all, up to some 55,000 users; one more call for
//! every further 55,000. Ids are UUIDs of version 7, whose order is that of creation.
//!
//! The price: creating or deleting a user writes its set anew, in the transaction that
//! there is anyway (5 KB of 20,000 users); two such transactions that meet in one of the
//! 64 sets at the same moment are a conflict, after which one is repeated; and a page
//! reads all ids (340 KB of 20,000 users), which is what makes it one call.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};
use serde_json::{Value, json};
use uuid::{Builder, Uuid, Version};

use super::{Store, StoreError};

/// The partition of the sets.
const LISTING: &str = "LISTING";

/// How many sets there are. It cannot be changed: an id is looked for in its set only.
const SETS: u8 = 64;

/// A new id for a user who is created at this time: a UUID of version 7 (RFC 9562, section
/// 5.7), random but for the time.
pub fn new_id(now: Timestamp) -> Uuid {
    let mut bytes = Uuid::new_v4().into_bytes();
    let milliseconds = now.as_millisecond().to_be_bytes();
    bytes[..6].copy_from_slice(&milliseconds[2..]);
    Builder::from_bytes(bytes)
        .with_version(Version::SortRand)
        .into_uuid()
}

/// What happens to an id in the listing.
#[derive(Debug, Clone, Copy)]
pub(super) enum Listing {
    Add,
    Remove,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Items")]
    items: Vec<Set>,
    #[serde(rename = "LastEvaluatedKey", default)]
    last_evaluated_key: Value,
}

/// A set that lost its last element has no `ids`.
#[derive(Deserialize)]
struct Set {
    #[serde(default)]
    ids: BinarySet,
}

#[derive(Default, Deserialize)]
struct BinarySet {
    #[serde(rename = "BS")]
    elements: Vec<Id>,
}

struct Id(Uuid);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Base64;

        impl Visitor<'_> for Base64 {
            type Value = Id;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("16 bytes in base64")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Id, E> {
                // As much as the decoder asks for, with padding.
                let mut bytes = [0; 18];
                let length = BASE64_STANDARD
                    .decode_slice(text, &mut bytes)
                    .map_err(E::custom)?;
                Uuid::from_slice(&bytes[..length])
                    .map(Id)
                    .map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Base64)
    }
}

/// The sort key of an id's set: the end of the id, which is random.
fn set_of(id: Uuid) -> String {
    format!("{:02}", id.as_bytes()[15] % SETS)
}

impl Store {
    /// The ids of all users, oldest first. One call up to some 55,000 users.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn listing(&self) -> Result<Vec<Uuid>, StoreError> {
        let mut query = json!({
            "TableName": self.table,
            "ConsistentRead": true,
            "KeyConditionExpression": "pk = :listing",
            "ExpressionAttributeValues": {":listing": {"S": LISTING}},
            "ProjectionExpression": "ids",
        });
        let mut ids = Vec::new();
        loop {
            let answer: Answer = self.client.call("Query", &query).await?;
            let elements = answer.items.into_iter().flat_map(|set| set.ids.elements);
            ids.extend(elements.map(|Id(id)| id));
            match answer.last_evaluated_key {
                Value::Null => break,
                last => query["ExclusiveStartKey"] = last,
            }
        }
        ids.sort_unstable();
        Ok(ids)
    }

    /// The part of a transaction that adds a user to the listing or takes it out; done
    /// twice it is done once.
    pub(super) fn list(&self, id: &str, change: Listing) -> Result<Value, StoreError> {
        let id = Uuid::parse_str(id).map_err(|_| StoreError::Malformed)?;
        let action = match change {
            Listing::Add => "ADD",
            Listing::Remove => "DELETE",
        };
        Ok(json!({"Update": {
            "TableName": self.table,
            "Key": {"pk": {"S": LISTING}, "sk": {"S": set_of(id)}},
            "UpdateExpression": format!("{action} ids :id"),
            "ExpressionAttributeValues": {":id": {"BS": [BASE64_STANDARD.encode(id)]}},
        }}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_read_as_they_are_written() {
        let id = new_id(Timestamp::UNIX_EPOCH);
        let answer = json!({"Items": [{"ids": {"BS": [BASE64_STANDARD.encode(id)]}}, {}]});
        let answer: Answer = serde_json::from_value(answer).unwrap();
        let sets: Vec<Vec<Uuid>> = answer
            .items
            .into_iter()
            .map(|set| set.ids.elements.into_iter().map(|Id(id)| id).collect())
            .collect();
        assert_eq!(sets, [vec![id], vec![]]);
    }

    #[test]
    fn an_element_that_is_no_id_is_refused() {
        for element in ["", "?", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAA="] {
            assert!(
                serde_json::from_value::<Id>(json!(element)).is_err(),
                "{element}"
            );
        }
    }

    #[test]
    fn ids_are_in_the_order_of_their_creation() {
        let ids: Vec<Uuid> = (0..100)
            .map(|second| new_id(Timestamp::from_second(1_700_000_000 + second).unwrap()))
            .collect();
        assert!(ids.is_sorted());
        assert_eq!(ids[0].get_version_num(), 7);
        assert_eq!(
            ids[0].get_timestamp().map(|time| time.to_unix().0),
            Some(1_700_000_000)
        );
    }

    #[test]
    fn ids_of_one_moment_spread_over_all_sets() {
        let now = Timestamp::UNIX_EPOCH;
        let mut sets: Vec<String> = (0..4096).map(|_| set_of(new_id(now))).collect();
        sets.sort();
        sets.dedup();
        assert_eq!(sets.len(), usize::from(SETS));
    }
}
