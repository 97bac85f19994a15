//! Sends single AWS JSON operations on the official SDK runtime.
//!
//! Problem: the service crates of the AWS SDK carry every operation of a service.
//! `aws-sdk-connect`, `-dynamodb` and `-ssm` together cost many minutes of compile
//! time and megabytes of code, of which the Lambda functions use some thirty
//! operations; their packages and cold starts would pay for the rest.
//!
//! Choice: the parts that are hard to get right stay the SDK's own: SigV4 signing,
//! standard retries with their token bucket, clock-skew correction, timeouts,
//! connection poisoning and the HTTP client (rustls with ring). This crate adds the
//! thin layer that code generation would have added: it puts a JSON body into a
//! request of one of the three JSON protocols and reads errors in all the forms in
//! which these protocols transmit them. The shapes are the caller's serde structs.
//!
//! Constraints that the layer answers to:
//! - A Lambda function must poll its Runtime API within milliseconds, so nothing is
//!   opened, resolved or loaded (trust anchors least of all) before the first call.
//! - Error messages of services quote what they were sent. `Display` and `Debug` of
//!   [`Error`] therefore show the code, status and request id alone; whoever needs
//!   the message asks for it by [`Error::message`] and knows what they hold.
//!
//! Credentials come from the environment, where Lambda puts them. The other sources
//! of the SDK's chain (profiles, SSO, instance metadata) do not exist there.

mod client;
mod document;
mod endpoint;
mod environment;
mod error;
mod https;
mod request;
mod service;

pub use aws_smithy_runtime_api::client::http::SharedHttpClient;
pub use client::{Client, ClientBuilder};
pub use document::{DocumentClient, DocumentError};
pub use environment::{Environment, EnvironmentError};
pub use error::{Error, ErrorKind};
pub use request::{Method, Request, Response};
pub use service::{Protocol, Service};
