//! What this crate sends to DynamoDB and SQS, against MiniStack, a server in Python. All other
//! tests of this crate run in one process.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../model/check.rs"]
mod check;
mod comparison;
#[path = "../model/history.rs"]
mod history;
#[path = "../model/line.rs"]
mod line;
#[path = "../model/model.rs"]
mod model;
#[path = "../model/plan.rs"]
mod plan;
mod queue;
#[path = "../model/world.rs"]
mod world;

use test_support::Cloud;

use crate::world::World;

/// The seeds of the cases; `tests/model` begins with others.
const SEEDS: std::ops::Range<u64> = 1_000_000..1_000_006;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_holds_on_another_dynamodb() {
    for seed in SEEDS {
        let failure = World::failure(Cloud::unthrottled().await, seed).await;
        assert_eq!(failure, None);
    }
}
