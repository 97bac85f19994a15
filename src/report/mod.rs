//! What is told of findings and events, for people and for machines. Knows data, never AWS.

pub mod github;
mod operation;
pub mod plan;

pub use operation::{EventReporter, OperationFailure, OperationResult, OperationStarted};
