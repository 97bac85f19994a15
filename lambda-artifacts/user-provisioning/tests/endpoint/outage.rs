//! Amazon Connect accepts calls and does not respond: each request ends by its deadline.

use std::time::Duration;

use connect_simulator::{Fault, FaultRule, Operation};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::common::{AMAZON_CONNECT, Endpoint, handler, user};

/// The eight seconds that a request waits for Connect, and time for the directory table on
/// a busy machine.
const LIMIT: Duration = Duration::from_secs(11);

/// What the function knows of the names in Connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lists {
    Never,
    Fresh,
    Old,
}

/// The operations of which one hangs; `None`: all hang.
const HANGING: [Option<Operation>; 7] = [
    None,
    Some(Operation::ListSecurityProfiles),
    Some(Operation::ListRoutingProfiles),
    Some(Operation::ListUserHierarchyGroups),
    Some(Operation::CreateUser),
    Some(Operation::UpdateUserIdentityInfo),
    Some(Operation::DeleteUser),
];

fn user_in_berlin(user_name: &str) -> Value {
    let mut user = user(user_name);
    user[AMAZON_CONNECT] = json!({"hierarchyGroup": "Berlin"});
    user
}

/// Sends requests at once while an operation hangs, and checks the time of each. Creations
/// cannot be accepted if nothing is known of the names; everything else is.
async fn send_all(lists: Lists, hanging: Option<Operation>) {
    let mut endpoint = Endpoint::start().await;
    let mut ids = Vec::new();
    for name in ["ada", "grace", "joan", "mary"] {
        let created = endpoint.create(user_in_berlin(name)).await.expect(201);
        ids.push(created.id());
    }
    let groups = endpoint.get("/Groups?filter=displayName%20eq%20%22Admin%22");
    let group = groups.await.body["Resources"][0]["id"].clone();
    match lists {
        Lists::Never => endpoint.handler = handler(endpoint.cloud.directory()),
        Lists::Fresh => {}
        Lists::Old => {
            tokio::time::pause();
            tokio::time::advance(Duration::from_secs(301)).await;
            tokio::time::resume();
        }
    }
    endpoint.cloud.simulator.inject(FaultRule {
        operation: hanging,
        fault: Fault::Delay {
            milliseconds: 60_000,
        },
        probability: 1.0,
        next: None,
    });

    let patch = |operations: Value| {
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": operations,
        })
    };
    let rename = patch(json!([{"op": "replace", "path": "name.familyName", "value": "King"}]));
    let deactivate = patch(json!([{"op": "replace", "path": "active", "value": false}]));
    let add = patch(json!([{"op": "add", "path": "members", "value": [{"value": ids[2]}]}]));
    let group = format!("/Groups/{}", group.as_str().unwrap());
    let requests = [
        ("POST", "/Users".to_owned(), user_in_berlin("new")),
        ("PATCH", format!("/Users/{}", ids[0]), rename),
        ("PATCH", format!("/Users/{}", ids[1]), deactivate),
        ("DELETE", format!("/Users/{}", ids[3]), Value::Null),
        ("PATCH", group, add),
        ("GET", "/Groups".to_owned(), Value::Null),
        ("GET", "/Schemas".to_owned(), Value::Null),
        ("GET", format!("/Users/{}", ids[0]), Value::Null),
    ];
    let needs_names =
        |method: &str, target: &str| method == "POST" || target.starts_with("/Groups");
    let all = requests.map(|(method, target, body)| {
        let endpoint = &endpoint;
        Box::pin(async move {
            let began = Instant::now();
            let status = endpoint.send(method, &target, body).await.status;
            let what = format!("{method} {target}: {status}, {lists:?} lists, {hanging:?} hangs");
            assert!(began.elapsed() < LIMIT, "{what}: {:?}", began.elapsed());
            let may_be_refused = lists == Lists::Never && needs_names(method, &target);
            assert!(status < 300 || may_be_refused && status == 503, "{what}");
        })
    });
    let [a, b, c, d, e, f, g, h] = all;
    tokio::join!(a, b, c, d, e, f, g, h);
}

/// Sends the requests for each hanging operation, to endpoints of their own.
async fn send_all_for_each_operation(lists: Lists) {
    let [a, b, c, d, e, f, g] = HANGING.map(|hanging| Box::pin(send_all(lists, hanging)));
    tokio::join!(a, b, c, d, e, f, g);
}

#[tokio::test]
async fn requests_end_by_their_deadline_if_no_names_were_ever_read() {
    send_all_for_each_operation(Lists::Never).await;
}

#[tokio::test]
async fn requests_end_by_their_deadline_if_the_names_are_known() {
    send_all_for_each_operation(Lists::Fresh).await;
}

#[tokio::test]
async fn requests_end_by_their_deadline_if_the_names_are_old() {
    for hanging in [None, Some(Operation::ListSecurityProfiles)] {
        send_all(Lists::Old, hanging).await;
    }
}
