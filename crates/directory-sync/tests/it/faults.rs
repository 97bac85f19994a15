//! Lost answers, failing services, and runs that are killed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use directory_sync::exit::Exit;
use directory_sync::run::{Options, Progress, RunResult};
use identity_center_simulator::{Fault, Options as SimulatorOptions, Simulator};

use crate::company::{Company, Store, for_simulator, sync, sync_with};

const MORE: &str = "leavers: delete\ngoneGroups: delete\nsafety: {maxDeletePercent: 100}";

/// A server after a first run, and the company a month later: everything that can happen.
async fn month() -> (Simulator, Company) {
    let simulator = Simulator::start(SimulatorOptions::default()).await.unwrap();
    let mut company = Company::of_three()
        .employ("4", "dea")
        .group("73", "aws-old", &["4"]);
    let configuration = for_simulator(&simulator, MORE);
    sync(&company, &configuration, simulator.token()).await;
    company.leave("3");
    company.leave("4");
    company.groups.remove("73");
    company.set("1", "userprincipalname", "ann.berg@example.test");
    company.set("2", "title", "Head");
    company =
        company
            .employ("5", "ann")
            .employ("6", "cid")
            .group("74", "aws-new", &["5", "6", "1"]);
    company.groups.get_mut("71").unwrap().0 = "aws-owners".to_owned();
    company.groups.get_mut("71").unwrap().1 = ["2".to_owned(), "5".to_owned()].into();
    simulator.forget_calls();
    (simulator, company)
}

async fn expected() -> (Store, usize) {
    let (simulator, company) = month().await;
    let configuration = for_simulator(&simulator, MORE);
    let report = sync(&company, &configuration, simulator.token()).await;
    assert_eq!(report.result, RunResult::Done, "{}", report.json());
    assert_eq!(simulator.refused(), 0);
    (Store::of(&simulator), simulator.writes())
}

#[tokio::test]
async fn killed_at_any_write_and_run_again_the_end_is_the_same() {
    let (expected, writes) = expected().await;
    assert!(writes >= 9, "{writes}");
    for fault in [Fault::HangBefore, Fault::HangAfter] {
        for write in 0..writes {
            let (simulator, company) = month().await;
            let configuration = for_simulator(&simulator, MORE);
            simulator.fail_write(write, fault);
            tokio::select! {
                _report = sync(&company, &configuration, simulator.token()) => {
                    panic!("write {write} was not reached");
                }
                () = simulator.fault_reached() => {}
            }
            let report = sync(&company, &configuration, simulator.token()).await;
            assert!(
                matches!(report.result, RunResult::Done | RunResult::Equal),
                "{fault:?} at write {write}: {}",
                report.json()
            );
            assert_eq!(
                Store::of(&simulator),
                expected,
                "{fault:?} at write {write}"
            );
        }
    }
}

#[tokio::test]
async fn whatever_goes_wrong_once_is_repeated_and_the_end_is_the_same() {
    let (expected, writes) = expected().await;
    for fault in [
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::InternalError,
        Fault::InternalErrorAfter,
        Fault::Throttle,
    ] {
        for write in 0..writes {
            let (simulator, company) = month().await;
            let configuration = for_simulator(&simulator, MORE);
            simulator.fail_write(write, fault);
            let report = sync(&company, &configuration, simulator.token()).await;
            assert_eq!(
                report.result,
                RunResult::Done,
                "{fault:?} at write {write}: {}",
                report.json()
            );
            assert!(report.repeated_calls > 0);
            assert_eq!(
                Store::of(&simulator),
                expected,
                "{fault:?} at write {write}"
            );
        }
    }
}

#[tokio::test]
async fn reads_that_go_wrong_are_repeated() {
    let (simulator, company) = month().await;
    let configuration = for_simulator(&simulator, MORE);
    for call in 0..4 {
        simulator.fail_call(call, Fault::DropBefore);
        simulator.fail_call(0, Fault::Throttle);
    }
    let report = sync(&company, &configuration, simulator.token()).await;
    assert_eq!(report.result, RunResult::Done);
    assert_eq!(report.repeated_calls, 8);
}

#[tokio::test]
async fn one_write_that_fails_for_good_does_not_hold_up_the_others() {
    let (simulator, company) = month().await;
    let configuration = for_simulator(&simulator, MORE);
    // The four writes that take something away, with all their repetitions.
    for _ in 0..4 * 7 {
        simulator.fail_write(0, Fault::InternalError);
    }
    let report = sync(&company, &configuration, simulator.token()).await;
    assert_eq!(report.result, RunResult::Failed);
    assert_eq!(report.exit(), Exit::Incomplete);
    // And the new Cid, whose name the one before still has.
    assert_eq!(report.summary.failed, 5);
    assert!(report.summary.memberships_added > 0);
    simulator.forget_faults();
    let report = sync(&company, &configuration, simulator.token()).await;
    assert_eq!(report.result, RunResult::Done);
    assert_eq!(Store::of(&simulator), expected().await.0);
}

#[tokio::test]
async fn a_token_that_expires_ends_the_run() {
    let (simulator, company) = month().await;
    let configuration = for_simulator(&simulator, MORE);
    for _ in 0..20 {
        simulator.fail_write(0, Fault::Unauthorized);
    }
    let report = sync(&company, &configuration, simulator.token()).await;
    assert_eq!(report.result, RunResult::CredentialsRefused);
    assert_eq!(report.exit(), Exit::Credentials);
    assert!(report.summary.not_attempted > 0);
}

#[tokio::test]
async fn a_wrong_token_is_reported_before_anything_is_written() {
    let simulator = Simulator::start(SimulatorOptions::default()).await.unwrap();
    let configuration = for_simulator(&simulator, "");
    let client = crate::company::client(&configuration, "wrong");
    let error = client.read().await.err().unwrap();
    assert!(error.is_credentials());
    assert!(error.hint().unwrap().contains("a wrong tenant"));
}

#[tokio::test]
async fn a_run_that_is_stopped_finishes_its_writes_and_reports_the_others() {
    let (simulator, company) = month().await;
    let configuration = for_simulator(&simulator, MORE);
    let stop = Arc::new(AtomicBool::new(false));
    let options = Options {
        stop: Arc::clone(&stop),
        progress: Arc::new(move |progress| {
            if matches!(progress, Progress::Writing { done: 1, .. }) {
                stop.store(true, Ordering::Relaxed);
            }
        }),
        ..Options::default()
    };
    let report = sync_with(&company, &configuration, simulator.token(), &options).await;
    assert_eq!(report.result, RunResult::Interrupted);
    assert!(report.summary.not_attempted > 0);
    sync(&company, &configuration, simulator.token()).await;
    assert_eq!(Store::of(&simulator), expected().await.0);
}

#[tokio::test]
async fn a_server_that_never_responds_is_tried_several_times_and_named() {
    // A port on which nothing listens.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let configuration = crate::company::configuration(&endpoint, "identityCenter", "");
    let client = crate::company::client(&configuration, "token");
    let error = client.read().await.err().unwrap();
    // One attempt, and six repetitions.
    let text = error.to_string();
    assert!(text.ends_with(" got no answer in 7 attempts"), "{text}");
    assert!(error.hint().unwrap().contains("`target.endpoint`"));
    assert!(!error.is_credentials());
}
