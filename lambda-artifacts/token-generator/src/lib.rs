//! The custom resource `Custom::ScimToken`: one bearer token per client, put into
//! SSM Parameter Store as a SecureString.
//!
//! CloudFormation cannot create a SecureString, and a token that passes through a
//! template, a parameter or an output is no secret any more. So the stack holds the
//! parameter's name only, and this function makes the value: it never leaves the
//! function except into the parameter.
//!
//! CloudFormation waits up to an hour for an answer that never comes, so every path
//! ends in one: [`event`] reads what it can from any event, [`plan`] decides what to do,
//! [`parameter`] does it, and [`handler`] answers also when that fails, panics or
//! takes too long.

pub mod event;
pub mod handler;
pub mod parameter;
pub mod plan;
pub mod response;
pub mod response_url;
pub mod token;
