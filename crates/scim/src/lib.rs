//! SCIM 2.0 (RFC 7643, RFC 7644, RFC 9865) as a pure library.
//!
//! No I/O, no clock, no randomness, no runtime: requests, schemas and resources are data,
//! everything else is a function over them. An application describes its service once and
//! gets parsing, filters, PATCH, projection, paging, bulk requests, conditions and the
//! discovery documents for exactly that:
//!
//! ```
//! use scim::protocol::{HttpRequest, Operation, Responder, parse};
//! use scim::schema::{ServiceDefinition, core};
//!
//! let service = ServiceDefinition::new(vec![core::user(), core::group()]);
//! let http = HttpRequest {
//!     method: "PATCH".to_owned(),
//!     path: "/scim/v2/Users/2819c223".to_owned(),
//!     body: br#"{"Operations": [{"op": "Replace", "path": "active", "value": "False"}]}"#.to_vec(),
//!     ..HttpRequest::default()
//! };
//! let responder = Responder::new(&service, &http, "https://example.com/scim/v2");
//! let request = parse(&service, &http)?;
//! let Operation::Patch { resource_type, id, patch } = &request.operation else { panic!() };
//!
//! // The application reads the resource `id` from its store …
//! let stored = serde_json::json!({"id": id, "userName": "bjensen", "active": true});
//! let patched = patch.apply(stored.as_object().unwrap(), resource_type)?;
//! assert!(patched.changed);
//! // … writes it back with a new `meta`, and answers.
//! let response = responder.updated(&request, resource_type, &patched.resource);
//! assert_eq!(response.json().unwrap()["active"], false);
//! # Ok::<(), scim::ScimError>(())
//! ```
//!
//! Identity providers depart from the RFC in known ways. Wherever the meaning stays clear
//! they are followed, never by asking who the client is; the tests in `tests/` are named
//! after the identity provider that needs each leniency.
//!
//! Names, addresses and passwords pass through here: no `Debug` output and no error shows
//! a value that a client sent.

pub mod bulk;
pub mod comparison;
pub mod error;
pub mod etag;
pub mod filter;
pub mod list;
pub mod patch;
pub mod path;
pub mod projection;
pub mod protocol;
pub mod resource;
pub mod schema;

pub use error::{ScimError, ScimType};
pub use resource::Resource;
