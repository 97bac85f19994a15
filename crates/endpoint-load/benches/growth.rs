//! How request times grow: look-ups with the number of users, changes of a group with the
//! number of members. Against a real DynamoDB API (MiniStack) on this machine, so the
//! ratios between the lines matter more than the times.
//!
//! ```text
//! cargo bench -p endpoint-load --bench growth --profile lambda
//! ```
//!
//! `USERS=100,10000` and `MEMBERS=1000` choose other numbers.
#![expect(clippy::print_stdout, reason = "a bench reports on stdout")]
#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::time::{Duration, Instant};

use endpoint_load::{callers, copy_user, enlist};
use serde_json::{Value, json};
use test_support::{Cloud, deadline, proxy_event};
use user_provisioning::{event::ProxyEvent, handler::Handler};
use uuid::Uuid;

/// Look-ups of one kind that are measured.
const LOOK_UPS: usize = 30;

fn numbers(variable: &str, usual: &[usize]) -> Vec<usize> {
    let Ok(written) = std::env::var(variable) else {
        return usual.to_vec();
    };
    written
        .split(',')
        .map(|number| number.parse().unwrap())
        .collect()
}

/// The status, the body and the time of one request.
async fn send(
    handler: &Handler,
    method: &str,
    target: &str,
    body: Value,
) -> (u16, Value, Duration) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = scim::protocol::parse_query(query);
    let query: Vec<(&str, &str)> = query
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let event = proxy_event(method, path, &query, &[], &body);
    let event: ProxyEvent = serde_json::from_value(event).unwrap();
    let sent = Instant::now();
    let response = handler
        .handle(event, deadline(Duration::from_secs(28)))
        .await;
    let time = sent.elapsed();
    let body = serde_json::from_str(&response.body).unwrap_or_default();
    (response.status_code, body, time)
}

fn original() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "original@example.com",
        "externalId": "external-original",
        "name": {"givenName": "Ada", "familyName": "Lovelace"},
        "emails": [{"value": "original@example.com", "type": "work", "primary": true}],
        "active": false,
    })
}

/// An endpoint with this many users, who are inactive: Connect has no part in the figures.
async fn with_users(count: usize) -> (Cloud, Handler, Vec<Uuid>) {
    let cloud = Cloud::unthrottled().await;
    let handler = Handler::new(cloud.directory(), callers(), None);
    let (status, body, _) = send(&handler, "POST", "/Users", original()).await;
    assert_eq!(status, 201, "{body}");
    let ids = copy_user(&cloud, "original", "user", count - 1).await;
    enlist(&cloud, &ids).await;
    (cloud, handler, ids)
}

async fn look_ups() {
    println!("| users | look-up | median (ms) |\n|---|---|---|");
    for count in numbers("USERS", &[100, 10_000, 100_000]) {
        let (_cloud, handler, ids) = with_users(count).await;
        let (name, id) = (format!("user{}", count / 2), ids[count / 2]);
        let group = send(
            &handler,
            "GET",
            "/Groups?filter=displayName%20eq%20%22Admin%22",
            Value::Null,
        )
        .await;
        let group = group.1["Resources"][0]["id"].as_str().unwrap().to_owned();
        let members = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
            "displayName": "Admin",
            "members": [{"value": id}],
        });
        send(&handler, "PUT", &format!("/Groups/{group}"), members).await;
        for (kind, target) in [
            (
                "userName",
                format!("/Users?filter=userName%20eq%20%22{name}@example.com%22"),
            ),
            (
                "externalId",
                format!("/Users?filter=externalId%20eq%20%22external-{name}%22"),
            ),
            ("id", format!("/Users?filter=id%20eq%20%22{id}%22")),
            (
                "emails.value",
                format!("/Users?filter=emails.value%20eq%20%22{name}@example.com%22"),
            ),
            (
                "emails[type eq \"work\"].value",
                format!(
                    "/Users?filter=emails[type%20eq%20%22work%22].value%20eq%20%22{name}@example.com%22"
                ),
            ),
            (
                "group by displayName",
                "/Groups?excludedAttributes=members&filter=displayName%20eq%20%22Admin%22"
                    .to_owned(),
            ),
            (
                "group by member",
                format!("/Groups?excludedAttributes=members&filter=members%20eq%20%22{id}%22"),
            ),
        ] {
            let mut times = Vec::new();
            for _ in 0..LOOK_UPS {
                let (status, body, time) = send(&handler, "GET", &target, Value::Null).await;
                assert_eq!(
                    (status, &body["totalResults"]),
                    (200, &json!(1)),
                    "{kind}: {body}"
                );
                times.push(time);
            }
            times.sort_unstable();
            println!(
                "| {count} | {kind} | {:.1} |",
                times[LOOK_UPS / 2].as_secs_f64() * 1e3
            );
        }
        let target = "/Users?filter=title%20eq%20%22none%22";
        let (status, _, time) = send(&handler, "GET", target, Value::Null).await;
        println!(
            "| {count} | title: no index, {status} | {:.0} |",
            time.as_secs_f64() * 1e3
        );
    }
}

async fn groups() {
    println!("\n| members | request | status | seconds |\n|---|---|---|---|");
    for count in numbers("MEMBERS", &[1000, 5000, 10_000]) {
        let (_cloud, handler, ids) = with_users(count + 1).await;
        let found = send(
            &handler,
            "GET",
            "/Groups?filter=displayName%20eq%20%22Admin%22",
            Value::Null,
        )
        .await;
        let target = format!(
            "/Groups/{}",
            found.1["Resources"][0]["id"].as_str().unwrap()
        );
        let members: Vec<Value> = ids.iter().map(|id| json!({"value": id})).collect();
        let put = |members: &[Value]| {
            json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
                "displayName": "Admin",
                "members": members,
            })
        };
        let patch = |operation: &str, members: &[Value]| {
            json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [{"op": operation, "path": "members", "value": members}],
            })
        };
        for (name, method, target, body) in [
            ("PUT of all", "PUT", target.clone(), put(&members)),
            ("PUT without a change", "PUT", target.clone(), put(&members)),
            (
                "PATCH removes one",
                "PATCH",
                target.clone(),
                patch("remove", &members[..1]),
            ),
            (
                "PATCH adds one",
                "PATCH",
                target.clone(),
                patch("add", &members[..1]),
            ),
            ("GET", "GET", target.clone(), Value::Null),
            (
                "GET without members",
                "GET",
                format!("{target}?excludedAttributes=members"),
                Value::Null,
            ),
            (
                "PATCH removes all",
                "PATCH",
                target.clone(),
                patch("remove", &members),
            ),
            (
                "PATCH adds all",
                "PATCH",
                target.clone(),
                patch("add", &members),
            ),
            ("DELETE", "DELETE", target.clone(), Value::Null),
        ] {
            let (status, _, time) = send(&handler, method, &target, body).await;
            println!(
                "| {count} | {name} | {status} | {:.2} |",
                time.as_secs_f64()
            );
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    look_ups().await;
    groups().await;
}
