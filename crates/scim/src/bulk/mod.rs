//! Bulk requests (RFC 7644 section 3.7).
//!
//! [`BulkRequest`] is the body; [`BulkRun`] drives its execution without doing it: the
//! application takes one ready [`BulkStep`] after the other, runs it as it runs any
//! request, and records the answer.

mod parse;
mod run;

use std::fmt;

use serde_json::Value;

pub use run::{BulkRun, BulkStep};

/// The schema URN of a bulk request.
pub const BULK_REQUEST_URN: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// The schema URN of a bulk response.
pub const BULK_RESPONSE_URN: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

/// Several operations in one request.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkRequest {
    /// After how many errors to stop; never, if there is none.
    pub fail_on_errors: Option<usize>,
    /// The operations, as they were sent.
    pub operations: Vec<BulkOperation>,
}

/// One operation of a bulk request, not yet checked beyond its outer form.
#[derive(Clone, PartialEq)]
pub struct BulkOperation {
    /// POST, PUT, PATCH or DELETE; in capitals.
    pub method: String,
    /// The client's name for the operation, to which others may refer.
    pub bulk_id: Option<String>,
    /// The address below the base.
    pub path: String,
    /// The version that the resource must have.
    pub version: Option<String>,
    /// The body.
    pub data: Value,
}

impl fmt::Debug for BulkOperation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BulkOperation")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}
