//! What never reaches a log, an error or a report.

use std::io;
use std::sync::{Arc, Mutex};

use directory_sync::run::{Options as RunOptions, embedded_metrics, markdown, text};
use identity_center_simulator::{Fault, Options, Simulator};
use tracing::level_filters::LevelFilter;

use crate::company::{Company, client, for_simulator, sync, sync_with};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn neither_the_token_nor_names_reach_logs_errors_or_reports() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let simulator = Simulator::start(Options::default()).await.unwrap();
    let configuration = for_simulator(&simulator, "");
    let mut company = Company::of_three().employ("4", "canary");
    company.set("3", "sn", "");
    company.set("2", "title", "canary\u{7}");
    for _ in 0..8 {
        simulator.fail_write(0, Fault::DropBefore);
        simulator.fail_write(0, Fault::InternalError);
    }
    simulator.add_user(serde_json::json!({"userName": "canary@example.test"}));
    let report = sync(&company, &configuration, simulator.token()).await;
    assert!(report.summary.failed + report.summary.skipped > 1);
    let mut shown = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(shown.contains("a write failed"), "{shown}");

    shown += &report.json();
    shown += &text(&report);
    shown += &markdown(&report);
    shown += &format!("{report:?}");
    let owner = &configuration.owner;
    let now = jiff::Timestamp::UNIX_EPOCH;
    shown += &embedded_metrics(owner, Some(&report), std::time::Duration::ZERO, None, now);
    let refused = client(&configuration, "wrong-canary")
        .read()
        .await
        .err()
        .unwrap();
    shown += &format!("{refused} {refused:?}");
    drop(simulator);
    let unreachable = client(&configuration, "canary-token")
        .read()
        .await
        .err()
        .unwrap();
    shown += &format!("{unreachable} {unreachable:?}");
    assert!(unreachable.to_string().starts_with("List"), "{unreachable}");

    for secret in [
        "canary",
        "simulator-token",
        "@example.test",
        "Surname",
        "OU=Staff",
        "Qe1mUs",
    ] {
        let place = shown.find(secret);
        let context = place.map(|at| &shown[at.saturating_sub(200)..(at + 40).min(shown.len())]);
        assert_eq!(context, None, "{secret} is shown");
    }
}

#[tokio::test]
async fn names_are_reported_on_request() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let configuration = for_simulator(&simulator, "");
    let options = RunOptions {
        names: true,
        ..RunOptions::default()
    };
    let mut company = Company::of_three();
    company.set("3", "sn", "");
    let report = sync_with(&company, &configuration, simulator.token(), &options).await;
    let json = report.json();
    assert!(json.contains("ann@example.test"));
    assert!(json.contains("CN=3,OU=Staff"));
}
