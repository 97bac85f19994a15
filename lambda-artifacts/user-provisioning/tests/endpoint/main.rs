//! The whole function, driven by API Gateway events, against a real DynamoDB API
//! (MiniStack) and the Connect simulator.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
mod connect;
mod consistency;
mod crashes;
mod discovery;
mod errors;
mod groups;
mod interleaving;
mod leavers;
mod limits;
mod lists;
mod log;
mod many_members;
mod mapped_groups;
mod outage;
mod profiles;
mod property;
mod users;
