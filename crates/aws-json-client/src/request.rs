//! One operation as it goes to a service, and what comes back.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Serialize, de::DeserializeOwned};

use crate::Error;

/// The characters that need no encoding in a path segment or query value (RFC 3986,
/// section 2.3). Signing canonicalises everything else, so nothing else is left bare.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// An HTTP method that restJson1 operations use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
    /// `PUT`.
    Put,
    /// `DELETE`.
    Delete,
}

impl Method {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// One operation. Its body is not part of the debug output: it may hold personal data.
#[derive(Clone)]
pub struct Request {
    pub(crate) operation: &'static str,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) body: Option<Vec<u8>>,
}

impl Request {
    /// An operation of awsJson1_0 or awsJson1_1: everything is in the body.
    ///
    /// # Errors
    /// When the input does not serialise.
    pub fn json(operation: &'static str, input: &impl Serialize) -> Result<Self, Error> {
        Self::rest(operation, Method::Post, &[]).body(input)
    }

    /// An operation of restJson1. The segments are percent-encoded and joined by `/`.
    pub fn rest(operation: &'static str, method: Method, segments: &[&str]) -> Self {
        let mut path = String::new();
        for segment in segments {
            path.push('/');
            path.extend(utf8_percent_encode(segment, RESERVED));
        }
        if path.is_empty() {
            path.push('/');
        }
        Self {
            operation,
            method,
            path,
            query: String::new(),
            body: None,
        }
    }

    /// Adds a query parameter; name and value are percent-encoded.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query
            .push(if self.query.is_empty() { '?' } else { '&' });
        self.query.extend(utf8_percent_encode(name, RESERVED));
        self.query.push('=');
        self.query.extend(utf8_percent_encode(value, RESERVED));
        self
    }

    /// Sets the JSON body.
    ///
    /// # Errors
    /// When the input does not serialise.
    pub fn body(mut self, input: &impl Serialize) -> Result<Self, Error> {
        self.body =
            Some(serde_json::to_vec(input).map_err(|_| Error::unserialisable(self.operation))?);
        Ok(self)
    }

    /// The operation's name in the API, such as `CreateUser`.
    pub fn operation(&self) -> &'static str {
        self.operation
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Request")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// A successful answer. Its body is not part of the debug output.
pub struct Response {
    pub(crate) operation: &'static str,
    pub(crate) body: Vec<u8>,
    pub(crate) attempts: u32,
    pub(crate) throttled: u32,
}

impl Response {
    /// Reads the body. An empty body reads as `{}`.
    ///
    /// # Errors
    /// When the body is not what `T` expects.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let body: &[u8] = if self.body.is_empty() {
            b"{}"
        } else {
            &self.body
        };
        serde_json::from_slice(body)
            .map_err(|_| Error::invalid_response(self.operation, self.attempts))
    }

    /// How often the operation was sent.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// How many of these attempts the service throttled.
    pub fn throttled(&self) -> u32 {
        self.throttled
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Response")
            .field("operation", &self.operation)
            .field("attempts", &self.attempts)
            .field("throttled", &self.throttled)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_one_path_segment_and_tag_keys_are_encoded() {
        let request = Request::rest(
            "UntagResource",
            Method::Delete,
            &["tags", "arn:aws:connect:eu-west-1:1:instance/i/agent/a"],
        )
        .query("tagKeys", "a b")
        .query("tagKeys", "c&d");
        assert_eq!(
            request.path,
            "/tags/arn%3Aaws%3Aconnect%3Aeu-west-1%3A1%3Ainstance%2Fi%2Fagent%2Fa"
        );
        assert_eq!(request.query, "?tagKeys=a%20b&tagKeys=c%26d");
    }

    #[test]
    fn the_body_is_not_in_the_debug_output() {
        let request = Request::json("PutItem", &serde_json::json!({"canary": 1})).unwrap();
        assert!(!format!("{request:?}").contains("canary"));
    }
}
