//! Starting, stopping, dropping and restarting a simulator, over plain TCP: an HTTP client
//! would reconnect and hide what is asserted here.

mod common;

use std::path::Path;
use std::time::Duration;

use common::send;
use connect_simulator::{
    Fault, FaultRule, Identity, Operation, Options, ServeError, Settings, Simulator, Throttle,
    serve,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

const INSTANCE: &str = "11111111-2222-4333-8444-555555555555";
const ADA: &str = r#"{
    "Username": "ada",
    "IdentityInfo": {"FirstName": "Ada", "LastName": "Lovelace"},
    "SecurityProfileIds": ["5eed0001-0000-4000-8000-000000000002"],
    "RoutingProfileId": "5eed0002-0000-4000-8000-000000000001"
}"#;

async fn create_ada(url: &str) -> String {
    send(url, "PUT", &format!("/users/{INSTANCE}"), ADA).await
}

async fn list_users(url: &str) -> String {
    send(url, "GET", &format!("/users-summary/{INSTANCE}"), "").await
}

fn kept_in(path: &Path) -> Options {
    Options {
        state_file: Some(path.to_owned()),
        ..Options::default()
    }
}

#[tokio::test]
async fn users_survive_a_restart_with_a_state_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("below/state.json");

    let simulator = Simulator::start(kept_in(&path)).await.unwrap();
    assert!(
        create_ada(&simulator.url())
            .await
            .starts_with("HTTP/1.1 200")
    );
    let state = simulator.state();
    simulator.stop().await;

    let restarted = Simulator::start(kept_in(&path)).await.unwrap();
    assert_eq!(restarted.state(), state);
    let search = format!(r#"{{"InstanceId": "{INSTANCE}"}}"#);
    let found = send(&restarted.url(), "POST", "/search-users", &search).await;
    assert!(found.contains(r#""Username":"ada""#), "{found}");
}

#[tokio::test]
async fn a_state_file_of_another_instance_or_of_something_else_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.json");
    drop(Simulator::start(kept_in(&path)).await.unwrap());

    let other = Options {
        identity: Identity {
            instance_id: "another".to_owned(),
            ..Identity::default()
        },
        ..kept_in(&path)
    };
    assert!(matches!(
        Simulator::start(other).await.err(),
        Some(ServeError::AnotherInstance { .. })
    ));
    std::fs::write(&path, "{").unwrap();
    assert!(matches!(
        Simulator::start(kept_in(&path)).await.err(),
        Some(ServeError::State { .. })
    ));
}

#[tokio::test]
async fn a_dropped_connection_carries_no_answer_whether_the_work_was_done_or_not() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let url = simulator.url();

    simulator.inject(FaultRule::next(1, Operation::CreateUser, Fault::DropBefore));
    assert_eq!(create_ada(&url).await, "");
    assert!(!list_users(&url).await.contains("ada"));

    simulator.inject(FaultRule::next(1, Operation::CreateUser, Fault::DropAfter));
    assert_eq!(create_ada(&url).await, "");
    assert!(list_users(&url).await.contains("ada"));

    let duplicate = create_ada(&url).await;
    assert!(duplicate.starts_with("HTTP/1.1 409"), "{duplicate}");
    let calls: Vec<_> = simulator
        .calls()
        .into_iter()
        .filter(|call| call.operation == Operation::CreateUser)
        .map(|call| (call.dropped, call.error))
        .collect();
    assert_eq!(
        calls,
        [
            (true, None),
            (true, None),
            (false, Some("DuplicateResourceException".to_owned())),
        ]
    );
}

#[tokio::test]
async fn the_default_throttle_lets_five_calls_pass_at_once() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let mut statuses = Vec::new();
    for _ in 0..5 {
        let answer = list_users(&simulator.url()).await;
        statuses.push(answer["HTTP/1.1 ".len()..][..3].to_owned());
    }
    assert_eq!(statuses, ["200"; 5]);

    simulator.configure(Settings {
        throttle: Some(Throttle {
            rate_per_second: 0.0,
            burst: 1,
        }),
        ..Settings::default()
    });
    list_users(&simulator.url()).await;
    let throttled = list_users(&simulator.url()).await;
    assert!(throttled.starts_with("HTTP/1.1 429"), "{throttled}");
    assert!(
        throttled.ends_with(r#"{"message":"Rate exceeded"}"#),
        "{throttled}"
    );
}

#[tokio::test]
async fn a_dropped_simulator_frees_its_port() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let address = simulator.url().trim_start_matches("http://").to_owned();
    drop(simulator);
    for _ in 0..100 {
        if TcpStream::connect(&address).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{address} still accepts connections");
}

#[tokio::test]
async fn a_server_told_to_stop_answers_the_call_in_progress() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve(listener, Options::default(), async {
        let _ = stopped.await;
    }));
    let rule = r#"{"fault": {"kind": "delay", "milliseconds": 300}, "next": 1}"#;
    let added = send(&url, "POST", "/_simulator/faults", rule).await;
    assert!(added.starts_with("HTTP/1.1 204"), "{added}");

    let call = tokio::spawn({
        let url = url.clone();
        async move { list_users(&url).await }
    });
    // The rule is gone as soon as the call has begun.
    while !send(&url, "GET", "/_simulator/faults", "")
        .await
        .ends_with("[]")
    {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.send(()).unwrap();

    assert!(call.await.unwrap().starts_with("HTTP/1.1 200"));
    server.await.unwrap().unwrap();
}
