//! The SCIM endpoint of AWS IAM Identity Center over HTTP, for tests.
//!
//! It obeys the limits, errors and throttles that its documentation names
//! (<https://docs.aws.amazon.com/singlesignon/latest/developerguide/what-is-scim.html>),
//! where they depart from RFC 7644 too. A simulator that is kinder than the service proves
//! nothing: where the documentation leaves a behaviour open, it does what a careless client
//! would stumble over.
//!
//! What a user or a group looks like and how a request is answered is a function of a state
//! and a request (`endpoint`); `server` puts it behind HTTP with throttles and faults.

mod endpoint;
mod error;
mod fault;
mod listing;
mod operation;
mod options;
mod rules;
mod server;
mod simulator;
mod state;
mod throttle;

pub use fault::Fault;
pub use operation::Operation;
pub use options::Options;
pub use simulator::Simulator;
