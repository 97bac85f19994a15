//! What a request costs of Connect's quota does not depend on how many users there are.

use std::collections::BTreeMap;

use aws_json_client::{Method, Request, Service, SharedHttpClient};
use connect_directory::store::new_id;
use connect_simulator::Settings;
use endpoint_load::{WatchedClient, callers, copy_user, enlist};
use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::{Value, json};
use test_support::Cloud;
use user_provisioning::handler::Handler;
use uuid::Uuid;

use crate::{
    identity_provider::{Outcome, Worker},
    users,
};

/// Requests that are under way at once while users are put in place.
const AT_ONCE: usize = 8;

fn user(user_name: &str, family_name: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": user_name,
        "name": {"givenName": "Ada", "familyName": family_name},
        "active": true,
    })
}

/// Puts users into the table and into Connect, as if this endpoint had created them: a
/// copy of the items of one that it did create.
async fn populate(cloud: &Cloud, worker: &mut Worker<'_>, count: usize) {
    worker.create(&user("original", "Lovelace")).await.unwrap();
    let ids = copy_user(cloud, "original", "existing", count - 1).await;
    enlist(cloud, &ids).await;

    let connect = cloud.client(Service::CONNECT);
    let arn = cloud.simulator.instance_arn();
    let instance_id = arn.rsplit('/').next().unwrap();
    let original = cloud.connect_users().remove(0);
    let numbers: Vec<usize> = (1..count).collect();
    for some in numbers.chunks(AT_ONCE) {
        let created = some.iter().map(|number| {
            let input = json!({
                "Username": format!("existing{number}"),
                "IdentityInfo": original["IdentityInfo"],
                "PhoneConfig": original["PhoneConfig"],
                "SecurityProfileIds": original["SecurityProfileIds"],
                "RoutingProfileId": original["RoutingProfileId"],
            });
            let request = Request::rest("CreateUser", Method::Put, &["users", instance_id]);
            connect.send(request.body(&input).unwrap())
        });
        for answer in join_all(created).await {
            answer.unwrap();
        }
    }
    assert_eq!(cloud.connect_users().len(), count);
}

/// Calls to Connect of each kind of request, on a warm instance.
async fn calls(cloud: &Cloud) -> BTreeMap<&'static str, usize> {
    const FILTER: &[(&str, &str)] = &[("filter", "userName eq \"existing5\"")];
    const PAGE: &[(&str, &str)] = &[("startIndex", "1"), ("count", "100")];
    let mut worker = Worker::new(cloud, 0.0);
    let Outcome::Answered(200, groups) = worker.send("GET", "/Groups", &Value::Null).await else {
        panic!("the groups cannot be listed");
    };
    let group = format!("/Groups/{}", groups["Resources"][0]["id"].as_str().unwrap());
    // Once for the caches.
    worker.create(&user("first", "Lovelace")).await.unwrap();

    let id = worker.create(&user("second", "Lovelace")).await.unwrap();
    let target = format!("/Users/{id}");
    let replaced = user("second", "King");
    let patch = |path: &str, value: Value| json!([{"op": "replace", "path": path, "value": value}]);
    let member = json!([{"op": "add", "path": "members", "value": [{"value": id}]}]);
    let mut costs = BTreeMap::new();
    let mut count = |name: &'static str| {
        costs.insert(name, cloud.simulator.calls().len());
        cloud.simulator.clear_calls();
    };
    cloud.simulator.clear_calls();
    worker.create(&user("third", "Lovelace")).await.unwrap();
    count("create");
    worker.send("GET", &target, &Value::Null).await.expect(200);
    count("get");
    worker
        .send_with("GET", "/Users", FILTER, &Value::Null)
        .await
        .expect(200);
    count("filter");
    worker
        .send_with("GET", "/Users", PAGE, &Value::Null)
        .await
        .expect(200);
    count("page of 100");
    worker
        .put(&target, &user("second", "Lovelace"))
        .await
        .unwrap();
    count("PUT without a change");
    worker
        .patch(&target, &patch("title", json!("Countess")))
        .await
        .unwrap();
    count("PATCH of what Connect does not have");
    worker.put(&target, &replaced).await.unwrap();
    count("PUT of a name");
    worker
        .patch(&target, &patch("roles", json!([{"value": "Sales"}])))
        .await
        .unwrap();
    count("PATCH of the routing profile");
    worker.patch(&group, &member).await.unwrap();
    count("group membership");
    worker
        .patch(&target, &patch("active", json!(false)))
        .await
        .unwrap();
    count("deactivate");
    worker
        .patch(&target, &patch("active", json!(true)))
        .await
        .unwrap();
    count("reactivate");
    worker.delete(&target).await.unwrap();
    count("delete");
    costs
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_to_connect_do_not_grow_with_the_number_of_users() {
    for existing in [10, users(1000)] {
        let settings = Settings {
            throttle: None,
            user_quota: 100_000,
            ..Settings::default()
        };
        let cloud = Cloud::start(settings).await;
        let mut worker = Worker::new(&cloud, 0.0);
        populate(&cloud, &mut worker, existing).await;
        let costs = calls(&cloud).await;
        eprintln!("calls to Connect with {existing} users there: {costs:?}");
        for (name, calls) in costs {
            let expected = usize::from(!matches!(
                name,
                "get"
                    | "filter"
                    | "page of 100"
                    | "PUT without a change"
                    | "PATCH of what Connect does not have"
            ));
            assert_eq!(calls, expected, "{name} with {existing} users");
        }
    }
}

/// DynamoDB's measure of an item: names and values in bytes, and at most one byte more for
/// each element of a set (Amazon DynamoDB Developer Guide, "DynamoDB item sizes and
/// formats").
fn size(set: &Value) -> usize {
    let elements = set["ids"]["BS"].as_array().unwrap().len();
    "pkLISTINGsk00ids".len() + 3 + 17 * elements
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_20000_users_takes_two_calls_to_the_store_and_a_write_few() {
    const USERS: usize = 20_000;
    const MEGABYTE: usize = 1024 * 1024;
    let cloud = Cloud::unthrottled().await;
    let watched = WatchedClient::new(cloud.dynamodb.http_client());
    let directory = cloud.directory_over(SharedHttpClient::new(watched.clone()));
    let mut worker = Worker::with(&cloud, Handler::new(directory, callers(), None));
    let mut created = Vec::new();
    for number in 0..3 {
        let user = user(&format!("user{number}"), "Lovelace");
        created.push(worker.create(&user).await.unwrap());
    }
    let more: Vec<Uuid> = (created.len()..USERS)
        .map(|_| new_id(Timestamp::now()))
        .collect();
    enlist(&cloud, &more).await;
    // What one query reads at most; MiniStack reads without a limit.
    let items = cloud.items().await;
    let sets = items.iter().filter(|item| item["pk"]["S"] == "LISTING");
    let read: usize = sets.map(size).sum();
    assert!(2 * read < MEGABYTE, "{read} bytes");
    watched.operations();

    const PAGE: &[(&str, &str)] = &[("startIndex", "2"), ("count", "100")];
    let page = worker.send_with("GET", "/Users", PAGE, &Value::Null).await;
    assert_eq!(watched.operations(), ["Query", "BatchGetItem"]);
    let Outcome::Answered(200, page) = page else {
        panic!("the page cannot be read");
    };
    assert_eq!(page["totalResults"], USERS);
    assert_eq!(page["Resources"][0]["id"], created[1]);
    const CURSOR: &[(&str, &str)] = &[("cursor", ""), ("count", "100")];
    let page = worker
        .send_with("GET", "/Users", CURSOR, &Value::Null)
        .await;
    page.expect(200);
    assert_eq!(watched.operations(), ["Query", "BatchGetItem"]);

    let target = format!("/Users/{}", created[0]);
    worker.create(&user("new", "Lovelace")).await.unwrap();
    assert_eq!(watched.operations(), ["TransactWriteItems"; 2]);
    let replaced = user("user0", "King");
    worker.put(&target, &replaced).await.unwrap();
    let operations = ["GetItem", "UpdateItem", "TransactWriteItems"];
    assert_eq!(watched.operations(), operations, "Connect is changed");
    worker.put(&target, &replaced).await.unwrap();
    assert_eq!(watched.operations(), ["GetItem"], "nothing is changed");
    let title = json!([{"op": "replace", "path": "title", "value": "Countess"}]);
    worker.patch(&target, &title).await.unwrap();
    assert_eq!(watched.operations(), ["GetItem", "TransactWriteItems"]);
    worker.delete(&target).await.unwrap();
    assert_eq!(watched.operations(), ["UpdateItem", "TransactWriteItems"]);
    worker.send("GET", &target, &Value::Null).await.expect(404);
    assert_eq!(watched.operations(), ["GetItem"]);
}
