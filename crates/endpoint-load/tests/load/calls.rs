//! What a request costs of Connect's quota does not depend on how many users there are.

use std::collections::BTreeMap;

use aws_json_client::{Method, Request, Service};
use connect_simulator::Settings;
use endpoint_load::Cloud;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    identity_provider::{Outcome, Worker},
    users,
};

/// The most items that `BatchWriteItem` takes.
const BATCH: usize = 25;

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
    let id = worker.create(&user("original", "Lovelace")).await.unwrap();
    let items = Value::from(cloud.items().await).to_string();
    let copies: Vec<Value> = (1..count)
        .flat_map(|number| {
            let copy = items
                .replace(&id, &format!("{id}-{number}"))
                .replace("original", &format!("existing{number}"));
            serde_json::from_str::<Vec<Value>>(&copy).unwrap()
        })
        .map(|item| json!({"PutRequest": {"Item": item}}))
        .collect();
    let batches: Vec<Value> = copies
        .chunks(BATCH)
        .map(|batch| json!({"RequestItems": {&cloud.table: batch}}))
        .collect();
    for some in batches.chunks(AT_ONCE) {
        let written = some
            .iter()
            .map(|batch| cloud.dynamodb.call::<Value>("BatchWriteItem", batch));
        for answer in join_all(written).await {
            assert_eq!(answer.unwrap()["UnprocessedItems"], json!({}));
        }
    }

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
        let cloud = Cloud::start(settings, 30).await;
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
