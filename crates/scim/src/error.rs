//! The SCIM error (RFC 7644 section 3.12).
//!
//! One type carries everything an answer needs: the HTTP status, the `scimType`
//! where the RFC defines one, and a `detail` that reaches the administrator of the
//! identity provider. Details name attributes and positions, never the values that
//! were sent: values are personal data, and details end up in logs.

use std::fmt;

use serde_json::{Value, json};

/// The schema URN of an error document.
pub const ERROR_URN: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// The detail error keyword of RFC 7644 table 9 and RFC 9865 section 2.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScimType {
    /// The filter's syntax is invalid, or the comparison is not supported.
    InvalidFilter,
    /// The filter yields more results than the server is willing to process.
    TooMany,
    /// A value is already in use, or reserved.
    Uniqueness,
    /// The change is incompatible with the attribute's mutability.
    Mutability,
    /// The body's structure is invalid or does not conform to the schema.
    InvalidSyntax,
    /// The PATCH path is malformed or names no attribute.
    InvalidPath,
    /// The PATCH path is valid but nothing there can be operated on.
    NoTarget,
    /// A required value is missing, or a value does not fit the attribute.
    InvalidValue,
    /// The protocol version is not supported.
    InvalidVers,
    /// The request would carry sensitive information in the URI.
    Sensitive,
    /// The cursor was not issued by this service, or not for this query.
    InvalidCursor,
    /// The cursor is no longer valid.
    ExpiredCursor,
    /// The count of a cursor query is invalid.
    InvalidCount,
}

impl ScimType {
    /// The keyword as it stands in the error document.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
            Self::InvalidVers => "invalidVers",
            Self::Sensitive => "sensitive",
            Self::InvalidCursor => "invalidCursor",
            Self::ExpiredCursor => "expiredCursor",
            Self::InvalidCount => "invalidCount",
        }
    }

    /// The HTTP status that RFC 7644 table 9 gives the keyword.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Uniqueness => 409,
            Self::Sensitive => 403,
            _ => 400,
        }
    }
}

/// A refusal, ready to be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", Summary(self))]
pub struct ScimError {
    /// The HTTP status, 400 to 599.
    pub status: u16,
    /// The detail error keyword, where the RFC defines one.
    pub scim_type: Option<ScimType>,
    /// What is wrong, where, and what to do; free of personal data.
    pub detail: String,
    /// Seconds after which a retry may succeed, for `Retry-After` (429 and 503).
    pub retry_after: Option<u32>,
    /// The methods that the address knows, for `Allow` (405).
    pub allow: Option<&'static str>,
}

struct Summary<'a>(&'a ScimError);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0.status)?;
        if let Some(scim_type) = self.0.scim_type {
            write!(formatter, " {}", scim_type.as_str())?;
        }
        write!(formatter, ": {}", self.0.detail)
    }
}

impl ScimError {
    /// An error by its status alone.
    #[must_use]
    pub fn new(status: u16, detail: impl Into<String>) -> Self {
        Self {
            status,
            scim_type: None,
            detail: detail.into(),
            retry_after: None,
            allow: None,
        }
    }

    /// An error by its keyword; the status follows from it.
    #[must_use]
    pub fn of(scim_type: ScimType, detail: impl Into<String>) -> Self {
        Self {
            scim_type: Some(scim_type),
            ..Self::new(scim_type.status(), detail)
        }
    }

    /// 404: the resource does not exist.
    #[must_use]
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(404, detail)
    }

    /// 409 `uniqueness`: the value is taken.
    #[must_use]
    pub fn uniqueness(detail: impl Into<String>) -> Self {
        Self::of(ScimType::Uniqueness, detail)
    }

    /// 400 `invalidValue`.
    #[must_use]
    pub fn invalid_value(detail: impl Into<String>) -> Self {
        Self::of(ScimType::InvalidValue, detail)
    }

    /// 400 `invalidSyntax`.
    #[must_use]
    pub fn invalid_syntax(detail: impl Into<String>) -> Self {
        Self::of(ScimType::InvalidSyntax, detail)
    }

    /// 412: the resource has changed since the client read it.
    #[must_use]
    pub fn precondition_failed() -> Self {
        Self::new(
            412,
            "the resource has changed since it was read; read it again and repeat the change",
        )
    }

    /// 429, with the seconds to wait.
    #[must_use]
    pub fn too_many_requests(detail: impl Into<String>, retry_after: u32) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(429, detail)
        }
    }

    /// 503, with the seconds to wait.
    #[must_use]
    pub fn unavailable(detail: impl Into<String>, retry_after: u32) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(503, detail)
        }
    }

    /// 405, with the methods that the address knows.
    #[must_use]
    pub fn method_not_allowed(allow: &'static str) -> Self {
        Self {
            allow: Some(allow),
            ..Self::new(405, format!("this address answers only {allow}"))
        }
    }

    /// The error document of RFC 7644 section 3.12; `status` is a string there.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut document = json!({
            "schemas": [ERROR_URN],
            "status": self.status.to_string(),
            "detail": self.detail,
        });
        if let Some(scim_type) = self.scim_type {
            document["scimType"] = scim_type.as_str().into();
        }
        document
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_states_its_status_as_a_string() {
        insta::assert_json_snapshot!(ScimError::uniqueness("userName is taken").to_json(), @r#"
        {
          "detail": "userName is taken",
          "schemas": [
            "urn:ietf:params:scim:api:messages:2.0:Error"
          ],
          "scimType": "uniqueness",
          "status": "409"
        }
        "#);
    }

    #[test]
    fn an_error_without_a_keyword_has_no_scim_type() {
        assert_eq!(
            ScimError::not_found("no such user")
                .to_json()
                .get("scimType"),
            None
        );
        assert_eq!(
            ScimError::not_found("no such user").to_string(),
            "404: no such user"
        );
    }
}
