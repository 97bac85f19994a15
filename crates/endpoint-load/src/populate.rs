//! Many users in the table at once, without a request for each.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use connect_directory::store::new_id;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::{Value, json};
use test_support::Cloud;
use uuid::Uuid;

/// The most items that `BatchWriteItem` takes.
const BATCH: usize = 25;

/// Requests that are under way at once.
const AT_ONCE: usize = 8;

/// Copies the items of the only user in the table, who was created with the userName
/// `original`: the copies are `name1`, `name2` and so on. The result is their ids, which
/// are not listed yet: see [`enlist`].
///
/// # Panics
/// When the table cannot be read or written.
pub async fn copy_user(cloud: &Cloud, original: &str, name: &str, count: usize) -> Vec<Uuid> {
    let mut items = cloud.items().await;
    items.retain(|item| item["pk"]["S"] != "LISTING" && item["pk"]["S"] != "GROUPS");
    let id = items
        .iter()
        .find_map(|item| item["pk"]["S"].as_str()?.strip_prefix("USER#"))
        .expect("a user to copy")
        .to_owned();
    let items = Value::from(items).to_string();
    let ids: Vec<Uuid> = (0..count).map(|_| new_id(Timestamp::now())).collect();
    let copies: Vec<Value> = ids
        .iter()
        .enumerate()
        .flat_map(|(index, new)| {
            let copy = items
                .replace(&id, &new.to_string())
                .replace(original, &format!("{name}{}", index + 1));
            serde_json::from_str::<Vec<Value>>(&copy).expect("copies are JSON")
        })
        .map(|item| json!({"PutRequest": {"Item": item}}))
        .collect();
    stream::iter(copies.chunks(BATCH))
        .for_each_concurrent(AT_ONCE, async |batch| {
            let batch = json!({"RequestItems": {&cloud.table: batch}});
            let written: Value = cloud
                .dynamodb
                .call("BatchWriteItem", &batch)
                .await
                .expect("the table can be written");
            assert_eq!(written["UnprocessedItems"], json!({}));
        })
        .await;
    ids
}

/// Puts ids of users into the listing.
///
/// # Panics
/// When the table cannot be written.
pub async fn enlist(cloud: &Cloud, ids: &[Uuid]) {
    let mut sets: BTreeMap<u8, Vec<String>> = BTreeMap::new();
    for id in ids {
        let set = sets.entry(id.as_bytes()[15] % 64).or_default();
        set.push(BASE64_STANDARD.encode(id));
    }
    for (set, elements) in sets {
        let addition = json!({
            "TableName": cloud.table,
            "Key": {"pk": {"S": "LISTING"}, "sk": {"S": format!("{set:02}")}},
            "UpdateExpression": "ADD ids :ids",
            "ExpressionAttributeValues": {":ids": {"BS": elements}},
        });
        let _: Value = cloud
            .dynamodb
            .call("UpdateItem", &addition)
            .await
            .expect("the table can be written");
    }
}
