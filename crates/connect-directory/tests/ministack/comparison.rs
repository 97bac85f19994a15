//! Two DynamoDB APIs, the one in the process of the test and MiniStack, respond alike to all
//! calls that the directory table gets.

use std::sync::{Arc, Mutex};

use aws_json_client::{Client, Service, SharedHttpClient};
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::HttpRequest,
    runtime_components::RuntimeComponents,
};
use connect_directory::{
    directory::{Context, Directory, GroupChange, GroupError},
    store::{Store, StoredUser, Whom},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use test_support::{Cloud, InProcessAws, directory_table};
use tokio::time::{Duration, Instant};

/// An operation and its input.
type Call = (String, Value);

/// An HTTP client that keeps the calls to DynamoDB.
#[derive(Debug, Clone)]
struct Recorder {
    inner: SharedHttpClient,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl HttpClient for Recorder {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(RecordingConnector {
            inner: self.inner.http_connector(settings, components),
            calls: Arc::clone(&self.calls),
        })
    }
}

#[derive(Debug)]
struct RecordingConnector {
    inner: SharedHttpConnector,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl HttpConnector for RecordingConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target");
        let operation = target.and_then(|target| target.strip_prefix("DynamoDB_20120810."));
        if let Some(operation) = operation {
            let input = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
            let mut calls = self.calls.lock().unwrap();
            calls.push((operation.to_owned(), input));
        }
        self.inner.call(request)
    }
}

fn context_at(now: Timestamp) -> Context<'static> {
    let deadline = Instant::now() + Duration::from_secs(6);
    Context {
        now,
        deadline,
        stop: deadline,
        client: "idp",
    }
}

fn user(name: &str) -> StoredUser {
    let document = json!({
        "userName": name,
        "name": {"givenName": "Ada", "familyName": "Lovelace"},
        "active": true,
        "emails": [{"value": format!("{name}@example.com")}],
    });
    StoredUser {
        document: document.as_object().unwrap().clone(),
        external_ids: [("idp".to_owned(), "00u1".to_owned())].into(),
        ..StoredUser::default()
    }
}

/// Uses every kind of item of the table: created, found, changed, refused and deleted.
async fn use_table(directory: &Directory, store: &Store) {
    let now = Timestamp::now();
    let context = || context_at(now);
    let mut ids = Vec::new();
    for name in ["ada", "bob", "eve"] {
        let created = directory.create(user(name), None, context()).await;
        ids.push(created.unwrap().user.id);
    }
    let taken = directory.create(user("ADA"), None, context()).await;
    assert!(taken.is_err());
    let set = |attribute: &'static str, value: Value| {
        move |user: &mut StoredUser| {
            user.document.insert(attribute.to_owned(), value.clone());
            Ok::<(), ()>(())
        }
    };
    for change in [
        set("title", json!("Countess")),
        set("emails", json!([{"value": "countess@example.com"}])),
        set("displayName", json!("Ada")),
        set("active", json!(false)),
        set("active", json!(true)),
    ] {
        assert!(directory.update(&ids[0], change, context()).await.is_ok());
    }
    let renamed = directory.update(&ids[0], set("userName", json!("bob")), context());
    assert!(renamed.await.is_err());

    // A request that is interrupted, another one that waits for it, and the repair.
    store
        .claim(&ids[1], now, Whom::Present, Some("bo"))
        .await
        .unwrap();
    let busy = store.claim(&ids[1], now, Whom::Present, None).await;
    assert!(busy.is_err());
    let missing = store.claim("missing", now, Whom::PresentOrRemoved, None);
    assert!(missing.await.is_err());
    assert_eq!(store.pending().await.unwrap().len(), 1);
    let later = now + SignedDuration::from_secs(40);
    directory
        .reconcile(&ids[1], context_at(later))
        .await
        .unwrap();
    assert!(store.pending().await.unwrap().is_empty());

    // A group with a name of its own, and a security profile.
    let group = GroupChange {
        display_name: "APP-LEADS".to_owned(),
        external_id: Some("00g1".to_owned()),
        added: ids.iter().cloned().collect(),
        ..GroupChange::default()
    };
    let (created, _) = directory.create_group(&group, context()).await.unwrap();
    assert!(directory.create_group(&group, context()).await.is_err());
    let renamed = GroupChange {
        display_name: "APP-MANAGERS".to_owned(),
        removed: [ids[0].clone()].into(),
        ..GroupChange::default()
    };
    directory
        .change_group(&created, &renamed, context())
        .await
        .unwrap();
    let found = directory.groups_by_name("QualityAnalyst", context()).await;
    let profile = found.unwrap().remove(0);
    let joined = GroupChange {
        display_name: "QualityAnalyst".to_owned(),
        added: [ids[0].clone()].into(),
        ..GroupChange::default()
    };
    directory
        .change_group(&profile, &joined, context())
        .await
        .unwrap();
    store.members(&created.stored.id).await.unwrap();
    for id in [&created.stored.id, &profile.stored.id] {
        let check = |_: &_| Ok::<(), GroupError>(());
        directory.delete_group(id, check, context()).await.unwrap();
        let again = directory.delete_group(id, check, context()).await;
        assert!(again.is_err());
    }
    directory.sweep_groups(context_at(later)).await.unwrap();

    assert!(store.find_by_email("BOB@example.com").await.unwrap().len() == 1);
    assert!(
        store
            .find_by_external_id("idp", "00u1")
            .await
            .unwrap()
            .len()
            == 3
    );
    let with_missing = [&ids[..], &["missing".to_owned()]].concat();
    assert_eq!(store.users(&with_missing).await.unwrap().len(), 3);
    assert!(!store.all_exist(&with_missing).await.unwrap());
    let deleted = directory.delete(&ids[2], |_| Ok::<(), ()>(()), context());
    assert!(deleted.await.is_ok());
    assert_eq!(store.ids().await.unwrap().len(), 2);
    assert!(!store.copy(|_| {}).await.unwrap().is_empty());
}

/// Calls at the limits of DynamoDB, and calls that it refuses.
fn limits(table: &str) -> Vec<Call> {
    let key = |sort: usize| json!({"pk": {"S": "LARGE"}, "sk": {"S": sort.to_string()}});
    let item = |sort: usize, size: usize| {
        let mut item = key(sort);
        item["value"] = json!({"S": "x".repeat(size)});
        item
    };
    let call = |operation: &str, mut input: Value| {
        input["TableName"] = json!(table);
        (operation.to_owned(), input)
    };
    let put = |sort: usize, size: usize| call("PutItem", json!({"Item": item(sort, size)}));
    let transaction = |size: usize, count: usize| {
        let action = |sort: usize| json!({"Put": {"TableName": table, "Item": item(sort, size)}});
        let actions: Vec<Value> = (0..count).map(action).collect();
        (
            "TransactWriteItems".to_owned(),
            json!({"TransactItems": actions}),
        )
    };
    let query = json!({
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": "LARGE"}},
    });
    let mut calls: Vec<Call> = (0..5).map(|sort| put(sort, 300_000)).collect();
    calls.extend([
        call("Query", query),
        put(0, 400 * 1024),
        transaction(1, 100),
        transaction(1, 101),
        transaction(1, 0),
        call("GetItem", json!({"Key": {"pk": {"S": "LARGE"}}})),
        call(
            "PutItem",
            json!({"Item": {"pk": {"S": "LARGE"}, "sk": {"S": ""}}}),
        ),
        call(
            "UpdateItem",
            json!({"Key": key(0), "UpdateExpression": "SET version = version + :one",
                "ExpressionAttributeValues": {":one": {"N": "1"}}}),
        ),
        call(
            "UpdateItem",
            json!({"Key": key(0), "UpdateExpression": "SET claim = :unused",
                "ExpressionAttributeValues": {":used": {"N": "1"}}}),
        ),
        call(
            "UpdateItem",
            json!({"Key": key(0), "UpdateExpression": "ADD ids :id",
                "ExpressionAttributeValues": {":id": {"BS": ["AAAA"]}}, "ReturnValues": "ALL_OLD"}),
        ),
        call(
            "UpdateItem",
            json!({"Key": key(0), "UpdateExpression": "DELETE ids :id",
                "ExpressionAttributeValues": {":id": {"BS": ["AAAA"]}}}),
        ),
        call(
            "GetItem",
            json!({"Key": key(0), "ProjectionExpression": "ids"}),
        ),
    ]);
    calls
}

/// What matters of a response: the items of all pages, another output, or the code of an
/// error with what it says of items. Sets and pages of several partitions have no order.
async fn response(client: &Client, (operation, input): &Call) -> Value {
    let operation: &'static str = String::leak(operation.clone());
    match client.call::<Value>(operation, input).await {
        Ok(mut output) => {
            // Where a page ends is not the same in both.
            if !output["LastEvaluatedKey"].is_null() {
                let mut next = input.clone();
                next["ExclusiveStartKey"] = output["LastEvaluatedKey"].take();
                let rest = Box::pin(response(client, &(operation.to_owned(), next))).await;
                let items = output["Items"].as_array_mut().unwrap();
                items.extend(rest["Items"].as_array().unwrap().iter().cloned());
            }
            if let Some(items) = output["Items"].as_array() {
                output = json!({"Items": items});
            }
            sort(&mut output);
            output
        }
        Err(error) => {
            let reasons = error.body()["CancellationReasons"].as_array();
            let codes = reasons.into_iter().flatten().map(|reason| &reason["Code"]);
            let mut response = json!({
                "code": error.code(),
                "reasons": codes.collect::<Vec<_>>(),
                "item": error.body()["Item"],
            });
            sort(&mut response);
            response
        }
    }
}

fn sort(value: &mut Value) {
    match value {
        Value::Array(elements) => {
            elements.iter_mut().for_each(sort);
            elements.sort_by_key(Value::to_string);
        }
        Value::Object(members) => members.values_mut().for_each(sort),
        _ => {}
    }
}

#[tokio::test]
async fn the_table_in_the_process_responds_as_ministack_does() {
    let cloud = Cloud::in_process().await;
    let recorder = Recorder {
        inner: cloud.dynamodb.http_client(),
        calls: Arc::default(),
    };
    let configuration = cloud.configuration(&[("GROUP_MAPPING", r#"{"APP-LEADS": ["Admin"]}"#)]);
    let http_client = SharedHttpClient::new(recorder.clone());
    let directory = configuration.directory_over(cloud.environment(), http_client);
    let directory = directory.unwrap();
    use_table(&directory, directory.store()).await;
    let mut calls = recorder.calls.lock().unwrap().clone();
    calls.extend(limits(&cloud.table));

    let other_cloud = Cloud::unthrottled().await;
    let ministack = &other_cloud.dynamodb;
    let in_process = InProcessAws::new(ministack.http_client());
    let in_process = Client::builder(Service::DYNAMODB, cloud.environment())
        .http_client(SharedHttpClient::new(in_process))
        .build();
    for client in [&in_process, ministack] {
        let table = directory_table(&cloud.table);
        client.call::<Value>("CreateTable", &table).await.unwrap();
    }
    let mut different = Vec::new();
    for call in &calls {
        let expected = response(ministack, call).await;
        let found = response(&in_process, call).await;
        if found != expected {
            different.push(format!("{call:?}\n{found}\n{expected}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n\n"));
}
