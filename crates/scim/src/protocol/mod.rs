//! HTTP in, typed operation out; result in, HTTP out (RFC 7644 section 3).
//!
//! Sans I/O: an application turns its web framework's or gateway's request into an
//! [`HttpRequest`], calls [`parse`], runs the [`Operation`] against its store, and lets a
//! [`Responder`] shape the answer.

mod http;
mod parse;
mod respond;

pub use http::{HttpRequest, MediaType, parse_query};
pub use parse::{Operation, Request, parse};
pub use respond::{Body, Responder, Response};

pub(crate) use http::percent_encode;
pub(crate) use parse::{operation, parse_path};
