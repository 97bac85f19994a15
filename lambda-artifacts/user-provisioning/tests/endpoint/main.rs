//! The whole function, driven by API Gateway events, against a real DynamoDB API
//! (MiniStack) and the Connect simulator.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
mod connect;
mod errors;
mod groups;
mod lists;
mod log;
mod outage;
mod users;
