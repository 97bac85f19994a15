//! What the log says, and what it must never say.

use connect_simulator::{Fault, FaultRule, Operation};
use lambda_support::{logging, metrics};
use serde_json::{Value, json};
use test_support::CapturedLog;
use tracing::{Dispatch, level_filters::LevelFilter, subscriber::DefaultGuard};
use tracing_subscriber::layer::SubscriberExt;

use crate::common::{Endpoint, user};

/// The log, and what must live as long.
fn capture(level: LevelFilter) -> (CapturedLog, (DefaultGuard, Dispatch)) {
    let log = CapturedLog::default();
    let (lines, measurements) = (log.clone(), log.clone());
    let crates = ["user_provisioning", "connect_directory"];
    let subscriber =
        logging::subscriber(&crates, level, move || lines.clone())
            .with(metrics::layer("scim-dev".to_owned(), move || {
                measurements.clone()
            }));
    // With a single subscriber tracing asks that of the thread which meets an event first,
    // and that thread may be another test's.
    let second = Dispatch::new(tracing_subscriber::registry());
    (log, (tracing::subscriber::set_default(subscriber), second))
}

fn last_lines(log: &CapturedLog) -> [Value; 2] {
    let text = log.text();
    let lines: Vec<_> = text.lines().collect();
    let [.., metrics, line] = &lines[..] else {
        panic!("{text}");
    };
    [metrics, line].map(|line| serde_json::from_str(line).unwrap())
}

#[tokio::test]
async fn one_line_per_request_counts_the_calls_to_connect_and_their_throttles() {
    let (log, _guard) = capture(LevelFilter::INFO);
    let endpoint = Endpoint::start().await;
    endpoint.create(user("warm-up")).await.expect(201);
    endpoint
        .cloud
        .simulator
        .inject(FaultRule::next(1, Operation::CreateUser, Fault::Throttle));
    endpoint.create(user("ada")).await.expect(201);

    let [_, line] = last_lines(&log);
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
    assert_eq!(
        log.text().lines().count(),
        4,
        "with one of metrics for each"
    );
}

#[tokio::test]
async fn each_request_is_measured() {
    let (log, _guard) = capture(LevelFilter::ERROR);
    let endpoint = Endpoint::start().await;
    endpoint.create(user("warm-up")).await.expect(201);
    for throttles in [1, 3] {
        endpoint.cloud.simulator.inject(FaultRule::next(
            throttles,
            Operation::CreateUser,
            Fault::Throttle,
        ));
        let name = format!("ada{throttles}");
        endpoint.create(user(&name)).await.expect(201);
        let text = log.text();
        let mut measured: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        let measured = measured.as_object_mut().unwrap();
        assert_eq!(
            measured.remove("_aws").unwrap()["CloudWatchMetrics"][0]["Namespace"],
            metrics::NAMESPACE
        );
        assert!(measured.remove("Latency").unwrap().is_u64());
        let is_deferred = u32::from(throttles == 3);
        assert_eq!(
            Value::from(measured.clone()),
            json!({
                "Stack": "scim-dev",
                "Requests": 1,
                "ServerErrors": 0,
                "ConnectCalls": throttles + 1 - is_deferred,
                "ConnectThrottles": throttles,
                "DeferredChanges": is_deferred,
            })
        );
    }
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
    endpoint.cloud.simulator.inject(FaultRule::next(
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

#[tokio::test]
async fn a_path_of_an_unknown_schema_is_logged_and_keeps_no_leaver() {
    let (log, _guard) = capture(LevelFilter::WARN);
    let endpoint = Endpoint::start().await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let path = "urn:ietf:params:scim:schemas:extension:example:2.0:User:costCentre";
    let leave = json!([
        {"op": "replace", "path": path, "value": "4711"},
        {"op": "Replace", "path": "active", "value": "False"},
    ]);
    let left = endpoint.patch(&id, leave).await.expect(200);
    assert_eq!(left.body["active"], false);
    assert_eq!(endpoint.connect_user("ada"), None);
    let text = log.text();
    let line = text.lines().find(|line| line.contains("was ignored"));
    let line = line.unwrap_or_else(|| panic!("{text}"));
    assert!(
        line.contains("costCentre") && !line.contains("4711"),
        "{line}"
    );
    assert!(line.contains("WARN"), "{line}");
}

#[tokio::test]
async fn a_refused_deactivation_is_logged() {
    let (log, _guard) = capture(LevelFilter::WARN);
    let endpoint = Endpoint::start().await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    endpoint.create(user("grace")).await.expect(201);
    let leave = json!([
        {"op": "replace", "path": "active", "value": false},
        {"op": "replace", "path": "userName", "value": "grace"},
    ]);
    let refused = endpoint.patch(&id, leave).await.expect(409);
    assert_eq!(refused.body["scimType"], "uniqueness");
    let text = log.text();
    let line = text
        .lines()
        .find(|line| line.contains("a deactivation was not accepted"));
    let line = line.unwrap_or_else(|| panic!("{text}"));
    assert!(line.contains("WARN") && line.contains(&id), "{line}");
}
