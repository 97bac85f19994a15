//! The endpoint under load, with everything going wrong that can: Connect throttles and
//! fails, answers are lost before and after the work, functions are killed in the middle.
//!
//! Connect's throttle is on. `CONNECT_SCIM_LOAD_USERS` sets how many users take part:
//! hundreds make it a long run.
#![expect(clippy::print_stderr, reason = "a load test tells its figures")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod calls;
mod identity_provider;
mod outcome;
mod queue;
mod quota;
mod storm;

/// The number of users, or what a short run takes.
fn users(short: usize) -> usize {
    std::env::var("CONNECT_SCIM_LOAD_USERS").map_or(short, |users| users.parse().unwrap())
}
