//! Random requests for users and groups by several instances of the function at once. Some
//! instances are killed, lose a response, or are overtaken between any two calls to the
//! store or to Connect. The table is in the process of the test, Connect is the simulator;
//! `tests/ministack` runs some cases with MiniStack. Afterwards the reconciler and the sweep complete what is pending, and the
//! table, Connect and the users and groups that SCIM returns are compared with a model.
//!
//! The model permits both outcomes of a request without a response. The effect of an
//! acknowledged request must hold, unless a later or concurrent request changes it.
//!
//! By default, the test starts no new case after 40 seconds, so it ends within a minute.
//! Environment variables control longer runs:
//!
//! - `CONNECT_SCIM_MODEL_CASES`: the number of cases, without a time limit.
//! - `CONNECT_SCIM_MODEL_SEED`: the seed of the first case, 0 by default. Each case has the
//!   next seed.
//!
//! A run of 10 to 15 minutes on two cores:
//!
//! ```sh
//! CONNECT_SCIM_MODEL_SEED=1000 CONNECT_SCIM_MODEL_CASES=500 \
//!     cargo test -p connect-directory --test model -- --nocapture
//! ```
//!
//! A seed determines the requests and the faults, but not the order in which concurrent
//! requests meet. To reproduce a failure, run its seed several times.
#![expect(clippy::print_stderr, reason = "a test tells which cases it has tried")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod check;
mod history;
mod line;
mod model;
mod plan;
mod world;

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};

use test_support::Cloud;

use crate::world::World;

/// Cases that run at once.
const AT_ONCE: usize = 3;

/// No new case starts after this time, unless the number of cases is set.
const TIME: Duration = Duration::from_secs(40);

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable)
        .ok()
        .map(|number| number.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_holds_whichever_requests_are_killed() {
    let first = number("CONNECT_SCIM_MODEL_SEED").unwrap_or_default();
    let cases = number("CONNECT_SCIM_MODEL_CASES");
    let started = Instant::now();
    let seeds = (first..first + cases.unwrap_or(1_000))
        .take_while(|_| cases.is_some() || started.elapsed() < TIME);
    let outcomes: Vec<Option<String>> = stream::iter(seeds)
        .map(|seed| async move {
            let cloud = Cloud::in_process().await;
            let failure = World::failure(cloud, seed).await;
            if let Some(failure) = &failure {
                eprintln!("{failure}\n");
            }
            failure
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let failed = outcomes.iter().flatten().count();
    eprintln!(
        "seeds {first} to {}: {failed} failed, after {:?}",
        first + outcomes.len() as u64 - 1,
        started.elapsed()
    );
    assert_eq!(failed, 0, "cases that failed");
}
