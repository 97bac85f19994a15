//! The SCIM client: Identity Center with its rules, or any server that follows RFC 7644.
//!
//! Identity Center departs from the RFC where the module headers say so. The client stays
//! below its rates (25 writes and 40 reads a second of each operation), and repeats what was
//! throttled or got lost.

mod client;
mod configuration;
mod error;
mod list;
mod operation;
mod read;
mod wire;
mod write;

pub use client::{Client, RetryPolicy};
pub use configuration::{Endpoint, InvalidEndpoint, Service, TargetConfiguration};
pub use error::Error;
pub use operation::Operation;
pub use read::Snapshot;
pub use write::Made;

pub(crate) use read::CONCURRENT;
