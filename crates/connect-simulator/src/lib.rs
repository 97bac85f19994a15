//! Amazon Connect's user API over HTTP, for the local cloud and for tests.
//!
//! Nothing else emulates the users of Amazon Connect, so what this project writes to
//! Connect could otherwise only be tried on a paid instance. A simulator that is kinder
//! than the service proves nothing; therefore this one holds to the service's API model
//! (paths, shapes, limits, page sizes, error names, statuses) and to its documented
//! rules, and `tests/official_client.rs` has AWS's own client drive every operation.
//!
//! The service is a pure function from a state and a request to a new state and a
//! response (`operations`); `server` puts it behind HTTP together with what surrounds
//! a service in the real world: throttling, a lagging search index, faults.
//! Where Amazon's documentation leaves a behaviour open, the code that had to choose
//! says so, and chooses what a careless client would stumble over.
//!
//! Signatures are read, not verified. Whether the signer of a request may make it is asked
//! of a policy engine where the options name one (`server/authorizer.rs`).
//!
//! Not simulated:
//! `GetFederationToken` is absent, because only IAM knows the session it is for.

mod administration;
mod authorization;
mod call;
mod constraints;
mod error;
mod fault;
mod operation;
mod operations;
mod options;
mod page;
mod seed;
mod server;
mod simulator;
mod state;
mod throttle;
mod timestamp;

pub use administration::{AdministrationError, AssignedKind};
pub use fault::{Fault, FaultRule};
pub use operation::Operation;
pub use options::{Identity, IdentityManagement, Options, Settings, Throttle};
pub use server::{CallRecord, ServeError, serve};
pub use simulator::Simulator;
