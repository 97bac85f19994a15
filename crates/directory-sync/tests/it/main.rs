//! The sync against servers: a simulator of Identity Center, and a SCIM server that was
//! written by others.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod company;
mod daily_life;
mod faults;
mod limits;

mod secrecy;
mod taking_over;
