//! Groups with more members than Connect accepts in the time of a request.

use std::time::Duration;

use connect_directory::store::new_id;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::common::{Endpoint, group};

/// The function keeps three seconds for its response: a request with this time has none left.
const RESERVED: Duration = Duration::from_secs(3);

/// Writes the items of users without a Connect user into the table.
async fn enlist(endpoint: &Endpoint, count: usize, active: bool) -> Vec<String> {
    let mut ids = Vec::new();
    let mut items = Vec::new();
    for number in 0..count {
        let id = new_id(Timestamp::now()).to_string();
        let document = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": format!("u-{number}"),
            "name": {"givenName": "Ada", "familyName": format!("{number}")},
            "active": active,
        });
        let mut item = json!({
            "pk": {"S": format!("USER#{id}")},
            "sk": {"S": "USER"},
            "id": {"S": id},
            "version": {"N": "1"},
            "created": {"S": "2026-01-01T00:00:00.000Z"},
            "lastModified": {"S": "2026-01-01T00:00:00.000Z"},
            "document": {"S": document.to_string()},
            "connect": {"S": "{}"},
        });
        items.push(item.clone());
        item["pk"] = json!({"S": format!("USERNAME#u-{number}")});
        item["sk"] = json!({"S": "USERNAME"});
        item.as_object_mut().unwrap().remove("connect");
        items.push(item);
        ids.push(id);
    }
    for batch in items.chunks(25) {
        let puts: Vec<Value> = batch
            .iter()
            .map(|item| json!({"PutRequest": {"Item": item}}))
            .collect();
        let request = json!({"RequestItems": {&endpoint.cloud.table: puts}});
        let dynamodb = &endpoint.cloud.dynamodb;
        let _: Value = dynamodb.call("BatchWriteItem", &request).await.unwrap();
    }
    ids
}

async fn stored(endpoint: &Endpoint, group: &str) -> usize {
    endpoint
        .directory
        .store()
        .members(group)
        .await
        .unwrap()
        .len()
}

/// No item is claimed, and the users with the group are its members.
async fn assert_consistent(endpoint: &Endpoint, group: &str, expected: usize) {
    let items = endpoint.cloud.items().await;
    assert!(
        items.iter().all(|item| item.get("claim").is_none()),
        "a claim is left"
    );
    let key = |item: &Value, name: &str| item[name]["S"].as_str().unwrap().to_owned();
    let users = items
        .iter()
        .filter(|item| key(item, "pk").starts_with("USER#"));
    let joined = users.filter(|item| item["groups"].to_string().contains(group));
    assert_eq!(joined.count(), expected, "users who have the group");
    assert_eq!(stored(endpoint, group).await, expected, "members");
}

#[tokio::test]
async fn two_thousand_members_are_replaced_patched_and_removed_in_one_request_each() {
    let endpoint = Endpoint::start().await;
    let ids = enlist(&endpoint, 2000, false).await;
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    let admin = endpoint.group_id("Admin").await;
    let path = format!("/Groups/{admin}");
    let put = endpoint
        .send("PUT", &path, group("Admin", &all))
        .await
        .expect(200);
    assert_eq!(put.body["members"].as_array().unwrap().len(), 2000);
    assert_consistent(&endpoint, &admin, 2000).await;

    let removed: Vec<Value> = all[..1500]
        .iter()
        .map(|id| json!({ "value": id }))
        .collect();
    let operations = json!([{"op": "Remove", "path": "members", "value": removed}]);
    endpoint.patch_group(&admin, operations).await.expect(200);
    assert_consistent(&endpoint, &admin, 500).await;
    let added: Vec<Value> = all.iter().map(|id| json!({ "value": id })).collect();
    let operations = json!([{"op": "add", "path": "members", "value": added}]);
    endpoint.patch_group(&admin, operations).await.expect(200);
    assert_consistent(&endpoint, &admin, 2000).await;
    endpoint
        .send("DELETE", &path, Value::Null)
        .await
        .expect(204);
    assert_consistent(&endpoint, &admin, 0).await;
}

#[tokio::test]
async fn a_request_that_runs_out_of_time_returns_503_and_its_repetition_goes_on() {
    let endpoint = Endpoint::start().await;
    let ids = enlist(&endpoint, 400, false).await;
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    let admin = endpoint.group_id("Admin").await;
    let path = format!("/Groups/{admin}");
    let requests = [
        ("PUT", group("Admin", &all), 400),
        ("DELETE", Value::Null, 0),
    ];
    for (method, body, target) in requests {
        let mut reached = stored(&endpoint, &admin).await;
        let mut stopped = 0;
        // Each attempt is stopped a few writes later than the last one.
        for calls in [0, 25, 45, 70, usize::MAX] {
            let (short, steps) = endpoint.stepped(&[]);
            short.get("/Groups").await.expect(200);
            let is_last = calls == usize::MAX;
            let short = Endpoint {
                time: RESERVED + Duration::from_millis(if is_last { 20_000 } else { 1_000 }),
                ..short
            };
            steps.hold_after(calls);
            let late = async {
                if !is_last {
                    tokio::time::sleep(Duration::from_millis(1_100)).await;
                }
                steps.release();
            };
            let (answer, ()) = tokio::join!(short.send(method, &path, body.clone()), late);
            if answer.status == 503 {
                assert!(answer.header("Retry-After").is_some());
                stopped += 1;
                let now = stored(&endpoint, &admin).await;
                let distance = |count: usize| count.abs_diff(target);
                assert!(
                    distance(now) <= distance(reached),
                    "{method}: {reached}, {now}"
                );
                reached = now;
                assert_consistent(&endpoint, &admin, now).await;
            } else {
                assert!(answer.status < 300, "{method}: {}", answer.body);
                break;
            }
        }
        assert!(stopped > 1, "{method} was stopped {stopped} times");
        assert_consistent(&endpoint, &admin, target).await;
    }
    endpoint.get(&path).await.expect(404);
}

#[tokio::test]
async fn members_that_connect_does_not_accept_in_time_have_one_message_each() {
    const COUNT: usize = 120;
    let endpoint = Endpoint::start_with_queue().await;
    let ids = enlist(&endpoint, COUNT, true).await;
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    endpoint.fail_connect();
    let (endpoint, steps) = endpoint.stepped(&[]);
    let admin = endpoint.group_id("Admin").await;
    let path = format!("/Groups/{admin}");
    drop(steps.operations());
    let put = endpoint
        .send("PUT", &path, group("Admin", &all))
        .await
        .expect(200);
    assert_eq!(put.body["members"].as_array().unwrap().len(), COUNT);
    let pending = endpoint.directory.store().pending().await.unwrap();
    assert_eq!(pending.len(), COUNT);
    assert_eq!(endpoint.messages().await, COUNT as u64);
    // A call sends ten messages.
    let sent = steps.sent_messages();
    assert!(sent <= COUNT / 10 + 2, "{sent} calls to SQS");
}

#[tokio::test]
async fn a_member_that_does_not_exist_is_refused_before_any_change() {
    let endpoint = Endpoint::start().await;
    let mut ids = enlist(&endpoint, 30, false).await;
    ids.insert(10, new_id(Timestamp::now()).to_string());
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    let admin = endpoint.group_id("Admin").await;
    let path = format!("/Groups/{admin}");
    let refused = endpoint.send("PUT", &path, group("Admin", &all)).await;
    assert_eq!(refused.expect(400).body["scimType"], "invalidValue");
    assert_consistent(&endpoint, &admin, 0).await;
}

#[tokio::test]
async fn a_list_that_reads_all_users_returns_too_many_when_no_time_is_left() {
    let endpoint = Endpoint::start().await;
    endpoint
        .create(crate::common::user("ada"))
        .await
        .expect(201);
    let endpoint = Endpoint {
        time: RESERVED,
        ..endpoint
    };
    let refused = endpoint.get("/Users?filter=title%20eq%20%22x%22").await;
    assert_eq!(refused.expect(400).body["scimType"], "tooMany");
    let refused = endpoint.get("/Users?sortBy=title").await;
    assert_eq!(refused.expect(400).body["scimType"], "tooMany");
    for filter in ["userName eq \"ada\"", "emails.value eq \"ada@example.com\""] {
        assert_eq!(endpoint.count("Users", filter).await, 1);
    }
}
