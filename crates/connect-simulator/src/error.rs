//! The service's errors: names, statuses and bodies as rest-json carries them.

use serde_json::{Value, json};

/// Why a call was refused.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ServiceError {
    pub(crate) code: ErrorCode,
    /// For the caller only; it may repeat what the caller sent.
    message: String,
}

/// The modelled errors, and those that any operation may answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorCode {
    /// Not modelled on most operations, but every one answers it.
    AccessDenied,
    DuplicateResource,
    /// Carries the status: faults may ask for any of the 500s.
    InternalService(u16),
    InvalidParameter,
    InvalidRequest,
    /// Status 429 like throttling, and yet in vain to retry.
    LimitExceeded,
    ResourceInUse,
    ResourceNotFound,
    Throttling,
    /// The request has no signature.
    MissingAuthenticationToken,
    /// The request is signed with nobody's key.
    UnrecognizedClient,
    /// No operation has this path and method.
    UnknownOperation,
}

impl ErrorCode {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AccessDenied => "AccessDeniedException",
            Self::DuplicateResource => "DuplicateResourceException",
            Self::InternalService(_) => "InternalServiceException",
            Self::InvalidParameter => "InvalidParameterException",
            Self::InvalidRequest => "InvalidRequestException",
            Self::LimitExceeded => "LimitExceededException",
            Self::ResourceInUse => "ResourceInUseException",
            Self::ResourceNotFound => "ResourceNotFoundException",
            Self::Throttling => "ThrottlingException",
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::UnrecognizedClient => "UnrecognizedClientException",
            Self::UnknownOperation => "UnknownOperationException",
        }
    }

    pub(crate) const fn status(self) -> u16 {
        match self {
            Self::InvalidParameter | Self::InvalidRequest => 400,
            Self::AccessDenied | Self::MissingAuthenticationToken | Self::UnrecognizedClient => 403,
            Self::ResourceNotFound | Self::UnknownOperation => 404,
            Self::DuplicateResource | Self::ResourceInUse => 409,
            Self::LimitExceeded | Self::Throttling => 429,
            Self::InternalService(status) => status,
        }
    }
}

impl ServiceError {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    pub(crate) fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidParameter, message)
    }

    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidRequest, message)
    }

    pub(crate) fn not_found(what: &str, id: &str) -> Self {
        Self::new(
            ErrorCode::ResourceNotFound,
            format!("The specified resource was not found: {what} {id}"),
        )
    }

    pub(crate) fn throttled() -> Self {
        Self::new(ErrorCode::Throttling, "Rate exceeded")
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The body. What stands in front of the service (throttling, authorisation) spells
    /// the member in lower case; the service's own shapes have `Message`. Clients must
    /// read both.
    pub(crate) fn body(&self) -> Value {
        match self.code {
            ErrorCode::Throttling
            | ErrorCode::AccessDenied
            | ErrorCode::MissingAuthenticationToken
            | ErrorCode::UnrecognizedClient
            | ErrorCode::UnknownOperation => {
                json!({ "message": self.message })
            }
            ErrorCode::ResourceInUse => {
                json!({ "Message": self.message, "ResourceType": "USER" })
            }
            _ => json!({ "Message": self.message }),
        }
    }
}
