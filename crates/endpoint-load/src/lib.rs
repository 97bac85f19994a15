//! What the load test and the benches share: the endpoint in this process, as API Gateway
//! and the queue would drive it, with a real DynamoDB and SQS API (MiniStack) and the
//! Connect simulator behind it.
//!
//! An instance of a function in Lambda works on one request at a time and shares nothing
//! with other instances; here each [`Cloud::directory`] makes what one instance has.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cloud;
mod request;

pub use cloud::Cloud;
pub use request::{deadline, proxy_event};
