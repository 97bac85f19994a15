//! Time in our code per request: from the bytes of API Gateway's event to the bytes of
//! the answer, on one warm instance of the function.
//!
//! ```text
//! cargo bench -p endpoint-load --bench requests --profile lambda
//! ```
//!
//! The answers of DynamoDB and Connect are recorded first, from MiniStack and the
//! simulator, and then replayed inside this process: neither network nor store is in the
//! figures, but signing, building and reading every call is. One thread, as in Lambda.
//!
//! With `SCIM2_SERVER_PYTHON`, an interpreter that has PyPI's scim2-server, the same
//! requests are then given to that one, and both stand side by side.
#![expect(clippy::print_stdout, reason = "a bench reports on stdout")]
#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::{
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use aws_json_client::SharedHttpClient;
use endpoint_load::{Recorded, Replay, callers, user};
use serde_json::{Value, json};
use test_support::{Cloud, deadline, proxy_event};
use user_provisioning::{event::ProxyEvent, handler::Handler};

/// Requests of one kind that are measured, and that go before.
const REQUESTS: usize = 4000;
const PAGES: usize = 400;
const WARM_UP: usize = 200;

async fn send(handler: &Handler, event: &str) -> String {
    let event: ProxyEvent = serde_json::from_str(event).unwrap();
    let response = handler
        .handle(event, deadline(Duration::from_secs(29)))
        .await;
    assert!(response.status_code < 300, "{}", response.body);
    serde_json::to_string(&response).unwrap()
}

/// The time that this thread has run: what others take of a busy machine is not in it.
fn processor_time() -> Duration {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanoseconds = statistics.split_whitespace().next().unwrap();
    Duration::from_nanos(nanoseconds.parse().unwrap())
}

/// The most that this process ever had in memory (`VmHWM`): the function, and beside it the
/// recorded answers and the Connect simulator that gave them.
fn most_resident_megabytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kibibytes = line
        .and_then(|line| line.split_whitespace().nth(1))
        .unwrap();
    kibibytes.parse::<f64>().unwrap() * 1024.0 / 1e6
}

/// Requests per second of processor time.
async fn measure(handler: &Handler, name: &str, requests: usize, event: &Value) -> f64 {
    let event = event.to_string();
    for _ in 0..WARM_UP {
        send(handler, &event).await;
    }
    let mut times = Vec::with_capacity(requests);
    let used_before = processor_time();
    for _ in 0..requests {
        let sent = Instant::now();
        std::hint::black_box(send(handler, &event).await);
        times.push(sent.elapsed());
    }
    let used = processor_time() - used_before;
    times.sort_unstable();
    let at = |share: usize| times[requests * share / 100].as_secs_f64() * 1e3;
    let per_second = requests as f64 / used.as_secs_f64();
    println!(
        "| {name} | {:.3} | {:.3} | {per_second:.0} |",
        at(50),
        at(99)
    );
    per_second
}

/// scim2-server's figures, and how many times as many requests are ours.
fn beside(python: &str, ours: &[(&str, f64)]) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../benches/python_peer.py");
    let output = Command::new(python).arg(script).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    println!("\nscim2-server\n{text}");
    println!("| request | ours, times as many |\n|---|---|");
    for (name, per_second) in ours {
        let row = text
            .lines()
            .find(|row| row.starts_with(&format!("| {name} |")));
        let theirs = row.unwrap().rsplit('|').nth(1).unwrap().trim();
        println!(
            "| {name} | {:.1} |",
            per_second / theirs.parse::<f64>().unwrap()
        );
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cloud = Cloud::unthrottled().await;
    let recorded = Recorded::new(&cloud).await;
    let target = format!("/Users/{}", recorded.id);
    let replay = SharedHttpClient::new(Replay(Arc::new(recorded)));
    let handler = Handler::new(cloud.directory_over(replay), callers(), None);

    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load of the machine: {load}");
    println!("| request | median ms | 99th percentile ms | per second of processor time |");
    println!("|---|---|---|---|");
    let patch = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "Replace", "path": "title", "value": "Engineer"}],
    });
    let filter = [("filter", "userName eq \"user0@example.com\"")];
    let page = [("startIndex", "1"), ("count", "100")];
    let mut ours = Vec::new();
    for (name, requests, event) in [
        (
            "create",
            REQUESTS,
            proxy_event("POST", "/Users", &[], &[], &user(1)),
        ),
        (
            "get",
            REQUESTS,
            proxy_event("GET", &target, &[], &[], &Value::Null),
        ),
        (
            "filter",
            REQUESTS,
            proxy_event("GET", "/Users", &filter, &[], &Value::Null),
        ),
        (
            "PATCH",
            REQUESTS,
            proxy_event("PATCH", &target, &[], &[], &patch),
        ),
        (
            "page of 100",
            PAGES,
            proxy_event("GET", "/Users", &page, &[], &Value::Null),
        ),
    ] {
        ours.push((name, measure(&handler, name, requests, &event).await));
    }
    println!("resident at most: {:.1} MB", most_resident_megabytes());
    if let Ok(python) = std::env::var("SCIM2_SERVER_PYTHON") {
        beside(&python, &ours);
    }
}
