//! While users wait, Connect's quota is used: who is throttled is tried again at once, and
//! not given back to the queue, which shows a user again only after minutes.
//!
//! How much of the quota is used is a figure that the test tells; a busy machine makes it
//! smaller, so nothing is asserted of it.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use connect_simulator::{Fault, FaultRule, Operation, Settings, Throttle};
use futures_util::future::join_all;
use serde_json::json;
use test_support::Cloud;
use tokio::time::Instant;

use crate::{identity_provider::Worker, queue, users};

const WORKERS: usize = 10;

/// One call in five. Those that come to nothing take nothing of the quota.
const FAULTS: [(Fault, f64); 5] = [
    (Fault::Throttle, 0.06),
    (Fault::Error { status: 500 }, 0.05),
    (Fault::DropBefore, 0.03),
    (Fault::DropAfter, 0.03),
    (Fault::Delay { milliseconds: 700 }, 0.03),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_who_wait_for_connects_quota_are_not_given_back_to_the_queue() {
    bring_to_connect(users(50), &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_whose_calls_fail_are_not_given_back_to_the_queue() {
    bring_to_connect(users(50), &FAULTS).await;
}

/// Has new users created by many workers, until all stand in Connect.
async fn bring_to_connect(count: usize, faults: &[(Fault, f64)]) {
    // Connect's own: 2 calls per second, 5 at once.
    let throttle = Throttle::default();
    let settings = Settings {
        throttle: Some(throttle),
        user_quota: 100_000,
        ..Settings::default()
    };
    let cloud = &Cloud::start(settings)
        .await
        .with_queue(queue::VISIBILITY_TIMEOUT)
        .await;
    for (fault, probability) in faults {
        cloud.simulator.inject(FaultRule {
            operation: Some(Operation::CreateUser),
            fault: *fault,
            probability: *probability,
            next: None,
        });
    }
    let over = &AtomicBool::new(false);
    let started = Instant::now();
    let arrive = async {
        let shares = (0..WORKERS).map(|share| async move {
            let mut worker = Worker::new(cloud, 0.0);
            for number in (share..count).step_by(WORKERS) {
                let user = json!({
                    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                    "userName": format!("user{number}"),
                    "name": {"givenName": "Ada", "familyName": "Lovelace"},
                    "active": true,
                });
                while worker.create(&user).await.is_none() {}
            }
        });
        join_all(shares).await;
        started.elapsed()
    };
    let stand = async {
        while cloud.connect_users().len() < count {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        over.store(true, Ordering::Relaxed);
        started.elapsed()
    };
    let (accepted, stood, given_back, given_back_too) = tokio::join!(
        arrive,
        stand,
        queue::work(cloud, 0.0, over),
        queue::work(cloud, 0.0, over),
    );

    // From the first creation to the last, without what the full bucket gave at once.
    let made: Vec<u64> = cloud
        .simulator
        .calls()
        .iter()
        .filter(|call| call.operation == Operation::CreateUser && call.error.is_none())
        .map(|call| call.at_milliseconds)
        .collect();
    assert_eq!(cloud.connect_users().len(), count);
    assert_eq!(given_back + given_back_too, 0);
    if faults.is_empty() {
        assert_eq!(made.len(), count, "nobody was asked for twice");
    }
    let seconds = Duration::from_millis(made[made.len() - 1] - made[0]).as_secs_f64();
    let paced = f64::from(u32::try_from(count).unwrap() - throttle.burst);
    let used = paced / (throttle.rate_per_second * seconds);
    eprintln!(
        "{count} users at {} calls per second, {} kinds of faults: accepted after {:.1} s, in Connect after {:.1} s; {:.1} % of the quota used",
        throttle.rate_per_second,
        faults.len(),
        accepted.as_secs_f64(),
        stood.as_secs_f64(),
        used * 100.0,
    );
}
