//! Refusals, with the body that the service sends: `schema` beside `schemas`, and the status
//! as text.

use serde_json::{Value, json};
use uuid::Uuid;

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Error {
    Validation,
    Unauthorized,
    NotFound,
    Conflict,
    Throttling,
    Internal,
    /// A quota; the documentation has no name for it.
    QuotaExceeded,
}

impl Error {
    pub(crate) fn status(self) -> u16 {
        match self {
            Self::Validation => 400,
            Self::Unauthorized => 401,
            Self::QuotaExceeded => 402,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::Throttling => 429,
            Self::Internal => 500,
        }
    }

    fn detail(self) -> &'static str {
        match self {
            Self::Validation => {
                "Request is unparsable, syntactically incorrect, or violates schema."
            }
            Self::Unauthorized => "The authorization header is invalid or missing.",
            Self::QuotaExceeded => "The request would cause a service quota to be exceeded.",
            Self::NotFound => "The specified resource does not exist.",
            Self::Conflict => "Refused to create a new, duplicate resource.",
            Self::Throttling => "Too many requests exceeded the limits.",
            Self::Internal => "Service failed to process the request.",
        }
    }

    pub(crate) fn body(self) -> Value {
        const SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
        let now = jiff::Timestamp::now();
        json!({
            "schema": [SCHEMA],
            "schemas": [SCHEMA],
            "detail": self.detail(),
            "status": self.status().to_string(),
            "exceptionRequestId": Uuid::new_v4().to_string(),
            "timeStamp": now.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string(),
        })
    }
}
