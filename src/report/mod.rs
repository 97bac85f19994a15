//! What is told of findings and events, for people and for machines. Knows data, never AWS.

pub mod drift;
pub mod github;
pub mod guardrail;
pub mod mending;
mod operation;
mod page;
pub mod plan;
mod table;
pub mod targets;
mod users;

pub use operation::{EventReporter, OperationFailure, OperationResult, OperationStarted};
pub use table::table;
pub use users::{UserOutcome, UserReporter};
