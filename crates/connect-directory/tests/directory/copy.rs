//! A copy of the table, and its restore into another one.

use aws_json_client::Client;
use connect_directory::store::{CopyError, Item, ItemKind, RestoreError, Store};
use serde_json::{Value, json};
use test_support::{Cloud, directory_table};
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::common::create;

/// A cloud whose directory has these users.
async fn with_users(names: &[&str]) -> Cloud {
    let cloud = Cloud::in_process().await;
    for name in names {
        create(&cloud.directory(), name, &json!({})).await;
    }
    cloud
}

async fn copied(store: &Store) -> Vec<Item> {
    store.copy(|_| {}).await.unwrap()
}

async fn new_table(dynamodb: &Client) -> Store {
    let table = Uuid::new_v4().to_string();
    dynamodb
        .call::<Value>("CreateTable", &directory_table(&table))
        .await
        .unwrap();
    Store::new(dynamodb.clone(), table)
}

fn count(items: &[Item], kind: ItemKind) -> usize {
    items.iter().filter(|item| item.kind() == kind).count()
}

#[tokio::test]
async fn a_restored_table_has_every_item_of_the_copy() {
    let cloud = with_users(&["ada", "bob", "eve"]).await;
    let items = copied(cloud.directory().store()).await;
    assert_eq!(count(&items, ItemKind::User), 3);
    assert_eq!(count(&items, ItemKind::ExternalId), 3);

    let restored = new_table(&cloud.dynamodb).await;
    let mut progress = Vec::new();
    restored
        .restore(&items, false, |items| progress.push(items))
        .await
        .unwrap();
    assert_eq!(progress.last(), Some(&items.len()));
    assert_eq!(copied(&restored).await, items);
    assert_eq!(restored.ids().await.unwrap().len(), 3);
    let found = restored.find_by_user_name("ADA").await.unwrap();
    assert!(found.is_some());
}

#[tokio::test]
async fn a_table_that_is_not_empty_is_left_alone_unless_it_may_be_merged() {
    let cloud = with_users(&["ada", "bob"]).await;
    let items = copied(cloud.directory().store()).await;
    let restored = new_table(&cloud.dynamodb).await;

    // An interrupted restore: some of the items are there.
    restored.restore(&items[..3], false, |_| {}).await.unwrap();
    let refused = restored.restore(&items, false, |_| {}).await;
    assert!(
        matches!(refused, Err(RestoreError::NotEmpty(3))),
        "{refused:?}"
    );
    assert_eq!(copied(&restored).await, items[..3]);
    restored.restore(&items, true, |_| {}).await.unwrap();
    assert_eq!(copied(&restored).await, items);

    // Other users stay, and are listed.
    let other = with_users(&["eve"]).await;
    let store = Store::new(other.dynamodb.clone(), &other.table);
    store.restore(&items, true, |_| {}).await.unwrap();
    assert_eq!(store.ids().await.unwrap().len(), 3);
    for name in ["ada", "bob", "eve"] {
        assert!(
            store.find_by_user_name(name).await.unwrap().is_some(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_copy_that_contradicts_the_table_is_refused_before_anything_is_written() {
    let cloud = with_users(&["ada", "bob"]).await;
    let items = copied(cloud.directory().store()).await;
    // Another user has one of the names.
    let other = with_users(&["ada"]).await;
    let store = Store::new(other.dynamodb.clone(), &other.table);
    let before = copied(&store).await;
    let refused = store.restore(&items, true, |_| {}).await;
    assert!(
        matches!(refused, Err(RestoreError::Conflicts(_))),
        "{refused:?}"
    );
    assert_eq!(copied(&store).await, before);
}

/// Changes an item of the table, as a request between two readings does.
fn change(cloud: &Cloud, version: usize) {
    let item = json!({"TableName": cloud.table, "Item": {
        "pk": {"S": "USER#changing"}, "sk": {"S": "USER"}, "version": {"N": version.to_string()},
    }});
    let put = cloud.dynamodb.call::<Value>("PutItem", &item);
    tokio::task::block_in_place(|| Handle::current().block_on(put)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_the_state_of_one_moment() {
    let cloud = with_users(&["ada"]).await;
    let store = Store::new(cloud.dynamodb.clone(), &cloud.table);
    let mut readings = 0;
    let copy = store.copy(|_| {
        readings += 1;
        if readings < 3 {
            change(&cloud, readings);
        }
    });
    let copy = copy.await.unwrap();
    assert_eq!(
        readings, 4,
        "the third reading is the first without a change after it"
    );
    assert_eq!(copy, copied(&store).await);

    let mut readings = 0;
    let copy = store.copy(|_| {
        readings += 1;
        change(&cloud, 100 + readings);
    });
    assert!(matches!(copy.await, Err(CopyError::Changing)));
}
