//! What every Lambda function of this workspace has in common: how it logs and
//! measures, and how it takes its invocations.
//!
//! A function's `main` starts the logging, builds what outlives a single
//! invocation (clients, caches) and hands its handler to [`serve()`].

pub mod logging;
pub mod metrics;
mod serve;

pub use serve::{NotInLambda, serve};
