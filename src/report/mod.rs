//! What is told of findings and events, for people and for machines. Knows data, never AWS.

pub mod github;
mod operation;

pub use operation::{EventReporter, OperationFailure, OperationResult, OperationStarted};
