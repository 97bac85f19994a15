use std::cell::Cell;

use aws_json_client::{Client, ErrorKind, Service};
use serde_json::Value;
use test_support::{HttpAnswer, HttpServer, test_environment};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// The error of a call to which Connect responds with this status and code.
async fn failure(status: u16, code: &str) -> Error {
    let body = format!(r#"{{"__type": "{code}"}}"#);
    let server = HttpServer::start(move |_| HttpAnswer::Respond(status, body.clone()));
    let client = Client::builder(Service::CONNECT, &test_environment(&server.url()))
        .max_attempts(1)
        .build();
    client
        .call::<Value>("Operation", &Value::Null)
        .await
        .unwrap_err()
}

async fn throttle() -> Error {
    failure(429, "ThrottlingException").await
}

/// Seconds to the next call of an operation.
fn wait(paces: &Paces) -> f64 {
    paces.pause().as_secs_f64()
}

#[tokio::test]
async fn the_wait_grows_with_each_failure_up_to_a_limit_and_has_jitter() {
    let throttle = throttle().await;
    tokio::time::pause();
    let mut waits = Vec::new();
    for _ in 0..50 {
        let paces = Paces::default();
        for (failures, expected) in [(1, 0.5), (1, 1.0), (1, 2.0), (1, 4.0), (1, 8.0), (9, 8.0)] {
            for _ in 0..failures {
                tokio::time::advance(20 * SECOND).await;
                paces.failed("A", &throttle);
            }
            let wait = wait(&paces);
            assert!(
                (expected * 0.49..expected * 1.51).contains(&wait),
                "{expected}: {wait}"
            );
            if expected == 1.0 {
                waits.push(wait);
            }
        }
    }
    waits.sort_by(f64::total_cmp);
    assert!(waits[0] < 0.8 && waits[49] > 1.2, "{waits:?}");
}

#[tokio::test]
async fn a_call_waits_for_its_turn_or_fails_without_being_sent() {
    let failure = failure(503, "ServiceUnavailable").await;
    tokio::time::pause();
    let paces = Paces::default();
    paces.failed("A", &failure);
    assert_eq!(
        paces.turn("B", Duration::ZERO).await.map_err(|_| ()),
        Ok(())
    );

    let refused = paces
        .turn("A", Duration::from_millis(100))
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Throttled);
    assert_eq!(refused.code(), Some("ServiceUnavailable"));
    assert_eq!((refused.attempts(), refused.throttled()), (0, 0));
    assert!(!refused.may_have_been_carried_out());

    let began = Instant::now();
    paces.turn("A", SECOND).await.unwrap();
    let waited = began.elapsed().as_secs_f64();
    assert!((0.24..0.76).contains(&waited), "{waited}");
    paces.turn("A", SECOND).await.unwrap();
    let second = began.elapsed().as_secs_f64() - waited;
    assert!((0.49..0.51).contains(&second), "{second}");
}

#[tokio::test]
async fn successes_shorten_the_wait_until_there_is_none() {
    let throttle = throttle().await;
    tokio::time::pause();
    let paces = Paces::default();
    paces.failed("A", &throttle);
    let mut last = SECOND;
    let mut successes = 0;
    loop {
        paces.turn("A", 2 * SECOND).await.unwrap();
        let began = Instant::now();
        paces.turn("A", 2 * SECOND).await.unwrap();
        let waited = began.elapsed();
        if waited < Duration::from_millis(2) {
            break;
        }
        assert!(waited < last, "{waited:?} after {last:?}");
        last = waited;
        paces.succeeded("A");
        successes += 1;
    }
    assert_eq!(successes, 22, "0.9 to the power of 22 is below a tenth");
    assert_eq!(paces.pause(), Duration::ZERO);
}

/// Connect's default quota of an operation.
struct Quota {
    tokens: Cell<f64>,
    filled: Cell<Instant>,
}

impl Quota {
    fn new() -> Self {
        Self {
            tokens: Cell::new(5.0),
            filled: Cell::new(Instant::now()),
        }
    }

    fn take(&self) -> bool {
        let filled = self.filled.replace(Instant::now());
        let tokens = (self.tokens.get() + filled.elapsed().as_secs_f64() * 2.0).min(5.0);
        let is_taken = tokens >= 1.0;
        self.tokens
            .set(if is_taken { tokens - 1.0 } else { tokens });
        is_taken
    }
}

#[derive(Default)]
struct Counts {
    calls: Cell<u32>,
    throttled: Cell<u32>,
}

/// Works on a backlog of users until it is empty, as a reconciler does.
async fn work(backlog: &Cell<i32>, quota: &Quota, counts: &Counts, throttle: &Error) {
    let paces = Paces::default();
    while backlog.get() > 0 {
        if paces.turn("A", SECOND).await.is_err() {
            tokio::time::sleep(paces.pause()).await;
            continue;
        }
        counts.calls.set(counts.calls.get() + 1);
        if quota.take() {
            backlog.set(backlog.get() - 1);
            paces.succeeded("A");
            tokio::time::sleep(Duration::from_millis(80)).await;
        } else {
            counts.throttled.set(counts.throttled.get() + 1);
            paces.failed("A", throttle);
        }
    }
}

#[tokio::test]
async fn two_reconcilers_use_the_quota_and_less_than_a_fifth_of_their_calls_is_throttled() {
    let throttle = throttle().await;
    tokio::time::pause();
    let (backlog, quota, counts) = (Cell::new(600), Quota::new(), Counts::default());
    let began = Instant::now();
    tokio::join!(
        work(&backlog, &quota, &counts, &throttle),
        work(&backlog, &quota, &counts, &throttle),
    );
    let share = f64::from(counts.throttled.get()) / f64::from(counts.calls.get());
    assert!(share < 0.2, "{share} of the calls were throttled");
    let ideal = (600.0 - 5.0) / 2.0;
    let seconds = began.elapsed().as_secs_f64();
    assert!(seconds < ideal * 1.1, "{seconds} s in place of {ideal} s");
}
