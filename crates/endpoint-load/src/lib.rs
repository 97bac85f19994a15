//! What the load test and the benches share: the endpoint in this process, as API Gateway
//! and the queue would drive it, and HTTP clients that watch or replay what it asks of
//! the services.
//!
//! An instance of a function in Lambda works on one request at a time and shares nothing
//! with other instances; each `test_support::Cloud::directory` makes what one instance has.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod populate;
mod replay;
mod watch;

use test_support::{API_ID, CLIENT};
use user_provisioning::caller::Callers;

pub use populate::{copy_user, enlist};
pub use replay::{Recorded, Replay, user};
pub use watch::WatchedClient;

/// The clients whose requests the function answers: that of `test_support::proxy_event`.
#[must_use]
pub fn callers() -> Callers {
    Callers::new(API_ID, [CLIENT])
}
