//! What the log says, and what it must never say.

use connect_simulator::{Fault, FaultRule, Operation};
use lambda_support::logging;
use serde_json::{Value, json};
use test_support::CapturedLog;
use tracing::level_filters::LevelFilter;

use crate::common::{Endpoint, user};

fn capture(level: LevelFilter) -> (CapturedLog, tracing::subscriber::DefaultGuard) {
    let log = CapturedLog::default();
    let writer = log.clone();
    let crates = ["user_provisioning", "connect_directory"];
    let guard = tracing::subscriber::set_default(logging::subscriber(&crates, level, move || {
        writer.clone()
    }));
    (log, guard)
}

#[tokio::test]
async fn one_line_per_request_counts_the_calls_to_connect_and_their_throttles() {
    let (log, _guard) = capture(LevelFilter::INFO);
    let endpoint = Endpoint::start().await;
    endpoint.create(user("warm-up")).await.expect(201);
    endpoint
        .simulator
        .inject(FaultRule::next(1, Operation::CreateUser, Fault::Throttle));
    endpoint.create(user("ada")).await.expect(201);

    let text = log.text();
    let line: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    for (field, expected) in [
        ("message", json!("answered")),
        ("client", json!("idp")),
        ("api_request_id", json!("r-1")),
        ("operation", json!("create")),
        ("resource_type", json!("User")),
        ("status", json!(201)),
        ("connect_calls", json!(2)),
        ("connect_throttles", json!(1)),
        ("pending", json!(0)),
    ] {
        assert_eq!(line[field], expected, "{field} in {line}");
    }
    assert!(line["milliseconds"].is_u64());
    assert_eq!(text.lines().count(), 2, "{text}");
}

#[tokio::test]
async fn no_token_and_no_personal_data_is_in_the_log_at_any_level() {
    let (log, _guard) = capture(LevelFilter::DEBUG);
    let endpoint = Endpoint::start().await;
    let mut canary = user("canary.name@canary.example");
    canary["name"] = json!({"givenName": "Canary", "familyName": "Canary"});
    canary["emails"] = json!([{"value": "mail@canary.example"}]);
    canary["externalId"] = json!("canary-external");
    canary["password"] = json!("canary-password");
    let id = endpoint.create(canary.clone()).await.expect(201).id();
    endpoint.create(canary.clone()).await.expect(409);
    canary["entitlements"] = json!([{"value": "canary-profile"}]);
    endpoint
        .send("PUT", &format!("/Users/{id}"), canary.clone())
        .await
        .expect(400);
    canary["userName"] = json!("canary name");
    canary["entitlements"] = json!([]);
    endpoint.create(canary).await.expect(400);
    endpoint.simulator.inject(FaultRule::next(
        9,
        Operation::DeleteUser,
        Fault::Error { status: 500 },
    ));
    endpoint
        .get("/Users?filter=emails.value%20eq%20%22mail@canary.example%22")
        .await
        .expect(200);
    endpoint
        .send("DELETE", &format!("/Users/{id}"), Value::Null)
        .await
        .expect(204);

    let text = log.text();
    assert!(text.contains("called Connect"), "the debug level is on");
    assert!(!text.to_lowercase().contains("canary"), "{text}");
}
