//! All items of the table as text, for a copy outside of it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
};

use serde_json::{Value, json};

use super::{Store, StoreError, key::GROUP};

/// How often the table is read until two readings in a row are equal.
const READINGS: usize = 5;

/// Most items and bytes of a transaction. DynamoDB takes 100 items and 4 MB, in its own
/// encoding.
const MOST_ITEMS: usize = 100;
const MOST_BYTES: usize = 1_000_000;

/// One item of the table: a JSON object of attribute values as the API of DynamoDB has them,
/// on one line, with its keys in alphabetical order. It is personal data, which `Debug` does
/// not show.
#[derive(Clone, PartialEq, Eq)]
pub struct Item {
    key: (String, String),
    line: String,
}

/// The kinds of items that are counted for the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ItemKind {
    /// A user with everything about it.
    User,
    /// The membership of a user in a group.
    Member,
    /// A group.
    Group,
    /// An external id of a client for a user.
    ExternalId,
    /// Anything else: keys that keep values unique, and lists of ids.
    Other,
}

/// Why a table was not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The table was changed during each reading.
    #[error("the directory table was changed while it was read, {READINGS} times in a row")]
    Changing,
    /// The table cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why items were not restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The table is not empty, and nothing may be added to it.
    #[error("the directory table has {0} items")]
    NotEmpty(usize),
    /// The table has other items of the same keys; nothing was written.
    #[error("{} items of the copy are in the directory table with other contents", .0.values().sum::<usize>())]
    Conflicts(BTreeMap<ItemKind, usize>),
    /// After the restore, items of the table differ from the copy.
    #[error("{0} items differ from the copy after the restore")]
    Differs(usize),
    /// The table cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Item {
    /// Reads an item from a line.
    ///
    /// # Errors
    /// [`StoreError::Malformed`] if the line is not an item of this table.
    pub fn parse(line: &str) -> Result<Self, StoreError> {
        let item: Value = serde_json::from_str(line).map_err(|_| StoreError::Malformed)?;
        Self::of(&item)
    }

    fn of(item: &Value) -> Result<Self, StoreError> {
        let part = |name: &str| {
            let text = item[name]["S"].as_str().filter(|text| !text.is_empty());
            text.map(str::to_owned).ok_or(StoreError::Malformed)
        };
        Ok(Self {
            key: (part("pk")?, part("sk")?),
            line: canonical(item.clone()).to_string(),
        })
    }

    /// The item as one line, without a line break.
    #[must_use]
    pub fn line(&self) -> &str {
        &self.line
    }

    /// The partition key and the sort key.
    #[must_use]
    pub fn key(&self) -> &(String, String) {
        &self.key
    }

    /// The kind of the item.
    #[must_use]
    pub fn kind(&self) -> ItemKind {
        let (partition, sort) = (self.key.0.as_str(), self.key.1.as_str());
        match partition {
            "GROUPS" if sort.ends_with(GROUP) => ItemKind::Group,
            _ if partition.starts_with("GROUP#") => ItemKind::Member,
            _ if partition.starts_with("USER#") => ItemKind::User,
            _ if partition.starts_with("EXTERNALID#") => ItemKind::ExternalId,
            _ => ItemKind::Other,
        }
    }

    /// The ids of a list, which grows and shrinks with each user; `None` for other items.
    fn listed(&self) -> Option<BTreeSet<String>> {
        (self.key.0 == "LISTING").then(|| {
            let item: Value = serde_json::from_str(&self.line).unwrap_or_default();
            let ids = item["ids"]["BS"].as_array().into_iter().flatten();
            ids.filter_map(|id| id.as_str().map(str::to_owned))
                .collect()
        })
    }

    /// Whether an item of the table has everything that this one has.
    fn is_in(&self, stored: &Self) -> bool {
        match (self.listed(), stored.listed()) {
            (Some(ids), Some(stored)) => ids.is_subset(&stored),
            _ => self == stored,
        }
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Item").finish_non_exhaustive()
    }
}

/// DynamoDB returns the elements of sets in any order.
fn canonical(mut item: Value) -> Value {
    let values = item
        .as_object_mut()
        .into_iter()
        .flat_map(|item| item.values_mut());
    for value in values {
        for set in ["SS", "NS", "BS"] {
            if let Some(elements) = value.get_mut(set).and_then(Value::as_array_mut) {
                elements.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
            }
        }
    }
    item
}

impl Store {
    /// All items as they were at one moment, ordered by their keys. `progress` is called with
    /// the number of items that were read so far.
    ///
    /// A scan is no snapshot, so the table is read until two readings in a row are equal: then
    /// no item has changed between the end of the first and the beginning of the second.
    ///
    /// # Errors
    /// [`CopyError::Changing`] if the readings differ each time.
    pub async fn copy(&self, mut progress: impl FnMut(usize)) -> Result<Vec<Item>, CopyError> {
        let mut before = self.scan(&mut progress).await?;
        for _ in 1..READINGS {
            let now = self.scan(&mut progress).await?;
            if now == before {
                return Ok(now);
            }
            before = now;
        }
        Err(CopyError::Changing)
    }

    /// Writes items into the table, which must be empty unless `merge` says that it may have
    /// other items, and equal ones. Then an interrupted restore can be repeated. The items are
    /// read again afterwards. `progress` is called with the number of items that were written.
    ///
    /// # Errors
    /// See [`RestoreError`]. With [`RestoreError::NotEmpty`] and [`RestoreError::Conflicts`],
    /// nothing was written.
    pub async fn restore(
        &self,
        items: &[Item],
        merge: bool,
        mut progress: impl FnMut(usize),
    ) -> Result<(), RestoreError> {
        let existing = by_key(self.scan(&mut |_| {}).await?);
        if !merge && !existing.is_empty() {
            return Err(RestoreError::NotEmpty(existing.len()));
        }
        let mut missing = Vec::new();
        let mut conflicts = BTreeMap::new();
        for item in items {
            match existing.get(&item.key) {
                None => missing.push(item),
                Some(stored) if item.is_in(stored) => {}
                Some(_) if item.listed().is_some() => missing.push(item),
                Some(_) => *conflicts.entry(item.kind()).or_default() += 1,
            }
        }
        if !conflicts.is_empty() {
            return Err(RestoreError::Conflicts(conflicts));
        }
        // A user is found only once it is listed, and has everything else by then.
        missing.sort_by_key(|item| (item.listed().is_some(), item.kind() == ItemKind::User));
        let mut written = items.len() - missing.len();
        for part in transactions(&missing) {
            self.write(part).await?;
            written += part.len();
            progress(written);
        }
        let stored = by_key(self.scan(&mut |_| {}).await?);
        let is_stored = |item: &&Item| {
            let found = stored.get(&item.key);
            found.is_some_and(|found| item.is_in(found))
        };
        match items.iter().filter(|item| !is_stored(item)).count() {
            0 => Ok(()),
            different => Err(RestoreError::Differs(different)),
        }
    }

    /// One reading, ordered by the keys.
    async fn scan(&self, progress: &mut impl FnMut(usize)) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        let mut start = Value::Null;
        loop {
            let mut request = json!({"TableName": self.table, "ConsistentRead": true});
            if !start.is_null() {
                request["ExclusiveStartKey"] = start;
            }
            let mut page: Value = self.client.call("Scan", &request).await?;
            for item in page["Items"].as_array().into_iter().flatten() {
                items.push(Item::of(item)?);
            }
            progress(items.len());
            start = page["LastEvaluatedKey"].take();
            if start.is_null() {
                items.sort_by(|one, other| one.key.cmp(&other.key));
                return Ok(items);
            }
        }
    }

    /// Adds items whose keys the table does not have, and ids to lists.
    async fn write(&self, items: &[&Item]) -> Result<(), RestoreError> {
        let mut changes = Vec::new();
        for item in items {
            let value: Value =
                serde_json::from_str(&item.line).map_err(|_| StoreError::Malformed)?;
            changes.push(match item.listed() {
                None => self.put(value, "attribute_not_exists(pk)", Value::Null),
                // A list that lost its last id stays without any.
                Some(ids) if ids.is_empty() => {
                    json!({"Put": {"TableName": self.table, "Item": value}})
                }
                Some(_) => json!({"Update": {
                    "TableName": self.table,
                    "Key": {"pk": value["pk"], "sk": value["sk"]},
                    "UpdateExpression": "ADD ids :ids",
                    "ExpressionAttributeValues": {":ids": value["ids"]},
                }}),
            });
        }
        match self.transact(&changes).await {
            // The conditions say that another request has just created an item.
            Err(StoreError::ClaimLost | StoreError::UserNameTaken) => {
                Err(RestoreError::Conflicts([(ItemKind::Other, 1)].into()))
            }
            done => Ok(done?),
        }
    }
}

fn by_key(items: Vec<Item>) -> HashMap<(String, String), Item> {
    let with_key = |item: Item| (item.key.clone(), item);
    items.into_iter().map(with_key).collect()
}

/// Items that fit into one transaction each.
fn transactions<'a>(items: &'a [&'a Item]) -> Vec<&'a [&'a Item]> {
    let mut parts = Vec::new();
    let (mut begin, mut bytes) = (0, 0);
    for (position, item) in items.iter().enumerate() {
        if position - begin == MOST_ITEMS
            || (position > begin && bytes + item.line.len() > MOST_BYTES)
        {
            parts.push(&items[begin..position]);
            (begin, bytes) = (position, 0);
        }
        bytes += item.line.len();
    }
    if begin < items.len() {
        parts.push(&items[begin..]);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(partition: &str, sort: &str, more: &str) -> Item {
        Item::parse(&format!(
            r#"{{"sk":{{"S":"{sort}"}},"pk":{{"S":"{partition}"}},"more":{{"S":"{more}"}}}}"#
        ))
        .unwrap()
    }

    #[test]
    fn an_item_is_one_line_with_its_members_and_sets_in_order() {
        let item = Item::parse(
            r#" {"sk": {"S": "00"}, "ids": {"BS": ["b", "a"]}, "pk": {"S": "LISTING"}}"#,
        )
        .unwrap();
        assert_eq!(
            item.line(),
            r#"{"ids":{"BS":["a","b"]},"pk":{"S":"LISTING"},"sk":{"S":"00"}}"#
        );
        assert_eq!(Item::parse(item.line()).unwrap(), item);
        assert_eq!(item.key(), &("LISTING".to_owned(), "00".to_owned()));
        for malformed in ["", "{}", "[]", r#"{"pk": {"S": "a"}, "sk": {"S": ""}}"#] {
            assert!(Item::parse(malformed).is_err(), "{malformed}");
        }
        assert_eq!(format!("{item:?}"), "Item { .. }");
    }

    #[test]
    fn transactions_keep_to_the_number_of_items_and_bytes() {
        let small = item("USER#1", "USER", "");
        let large = item("USER#2", "USER", &"x".repeat(400_000));
        let lengths = |items: &[&Item]| -> Vec<usize> {
            transactions(items).iter().map(|part| part.len()).collect()
        };
        assert_eq!(lengths(&[]), [0_usize; 0]);
        assert_eq!(lengths(&[&small; 201]), [100, 100, 1]);
        assert_eq!(lengths(&[&large; 5]), [2, 2, 1]);
    }

    #[test]
    fn a_list_may_have_more_ids_than_its_copy() {
        let list = |ids: &str| {
            Item::parse(&format!(
                r#"{{"pk":{{"S":"LISTING"}},"sk":{{"S":"00"}},"ids":{{"BS":[{ids}]}}}}"#
            ))
            .unwrap()
        };
        assert!(list(r#""a""#).is_in(&list(r#""b","a""#)));
        assert!(!list(r#""a","b""#).is_in(&list(r#""a""#)));
        assert!(!item("USER#1", "USER", "a").is_in(&item("USER#1", "USER", "b")));
    }
}
