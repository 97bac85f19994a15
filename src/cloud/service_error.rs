//! What an AWS service answered when it did not do as asked, in one shape for all of them.

use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_json_client::ErrorKind;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// A failed call to an AWS service. Displays as `failed to …: message (Code)`.
#[derive(Debug, thiserror::Error)]
#[error("failed to {action}: {message}{}", .code.as_deref().map(|code| format!(" ({code})")).unwrap_or_default())]
pub struct ServiceError {
    /// What was tried, as words that read after "failed to".
    pub action: String,
    /// What kind of failure it was.
    pub kind: ServiceErrorKind,
    /// The service's error code, if it gave one.
    pub code: Option<String>,
    /// The service's message, or what kept the call from reaching it.
    pub message: String,
}

/// What kind of failure a call met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceErrorKind {
    /// There are no credentials, or they are expired or invalid.
    Credentials,
    /// The principal may not do this.
    Denied,
    /// Too many calls; waiting helps.
    Throttled,
    /// The service could not be reached, did not answer in time or answered with a server error.
    Unreachable,
    /// The service understood and refused.
    Refused,
}

/// Error codes by which the services say that the credentials are no good.
const CREDENTIAL_CODES: [&str; 9] = [
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

/// Error codes by which the services say that there were too many calls.
const THROTTLE_CODES: [&str; 6] = [
    "RequestLimitExceeded",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "RequestThrottled",
];

impl ServiceError {
    /// Whether the service gave this error code.
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Whether the same call may succeed a little later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self.kind,
            ServiceErrorKind::Throttled | ServiceErrorKind::Unreachable
        )
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let text = match self.kind {
            ServiceErrorKind::Credentials => {
                "sign in again (`aws sso login`, AWS_PROFILE, AWS_ACCESS_KEY_ID …), or name `profile:` or `roleArn:` in the environment file"
            }
            ServiceErrorKind::Denied => {
                "the message names the action: allow it to the role that deploys"
            }
            ServiceErrorKind::Throttled => "wait a minute and run the same command again",
            ServiceErrorKind::Unreachable => {
                "check the network, `region:` and the proxy variables (HTTPS_PROXY, NO_PROXY), then run the same command again"
            }
            ServiceErrorKind::Refused => return None,
        };
        Some(text.to_owned())
    }
}

/// Turns an SDK error into a [`ServiceError`]; `action` reads after "failed to".
pub fn failed_to<E, R>(action: impl Into<String>) -> impl FnOnce(SdkError<E, R>) -> ServiceError
where
    E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let action = action.into();
    move |error| {
        let code = error.code().map(str::to_owned);
        let kind = if is_server_error(&error) {
            ServiceErrorKind::Unreachable
        } else {
            kind_of(&error, code.as_deref())
        };
        let message = match error.message() {
            Some(message) => message.to_owned(),
            None => innermost(&error),
        };
        ServiceError {
            action,
            kind,
            code,
            message,
        }
    }
}

/// The same for a call without an SDK of its own.
pub fn failed_call(
    action: impl Into<String>,
) -> impl FnOnce(aws_json_client::Error) -> ServiceError {
    let action = action.into();
    move |error| ServiceError {
        action,
        kind: match error.kind() {
            ErrorKind::Throttled => ServiceErrorKind::Throttled,
            ErrorKind::Unavailable | ErrorKind::Unreachable | ErrorKind::InvalidResponse => {
                ServiceErrorKind::Unreachable
            }
            ErrorKind::Refused | ErrorKind::Unsendable => {
                error.code().map_or(ServiceErrorKind::Refused, kind_of_code)
            }
        },
        code: error.code().map(str::to_owned),
        message: error
            .message()
            .map_or_else(|| error.to_string(), str::to_owned),
    }
}

/// Whether the service failed by itself: 5xx, whatever code it gave. 503 is throttling
/// in S3, and its code says so.
fn is_server_error<E, R: std::any::Any>(error: &SdkError<E, R>) -> bool {
    error
        .raw_response()
        .and_then(|response| (response as &dyn std::any::Any).downcast_ref::<HttpResponse>())
        .is_some_and(|response| response.status().is_server_error())
}

fn kind_of<E, R>(error: &SdkError<E, R>, code: Option<&str>) -> ServiceErrorKind
where
    E: StdError + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    if let Some(code) = code {
        return kind_of_code(code);
    }
    if causes(error).any(|cause| cause.is::<CredentialsError>()) {
        return ServiceErrorKind::Credentials;
    }
    ServiceErrorKind::Unreachable
}

fn kind_of_code(code: &str) -> ServiceErrorKind {
    match code {
        code if CREDENTIAL_CODES.contains(&code) => ServiceErrorKind::Credentials,
        code if THROTTLE_CODES.contains(&code) => ServiceErrorKind::Throttled,
        code if code.starts_with("AccessDenied") || code == "UnauthorizedOperation" => {
            ServiceErrorKind::Denied
        }
        "InternalFailure"
        | "InternalError"
        | "ServiceUnavailable"
        | "ServiceUnavailableException" => ServiceErrorKind::Unreachable,
        _ => ServiceErrorKind::Refused,
    }
}

fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// The last cause in the chain: the outer ones only say that dispatching failed.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    causes(error)
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{ServiceErrorKind, kind_of_code};

    #[test]
    fn codes_of_all_services_have_a_kind() {
        let kinds = [
            ("ExpiredToken", ServiceErrorKind::Credentials),
            ("ExpiredTokenException", ServiceErrorKind::Credentials),
            ("InvalidClientTokenId", ServiceErrorKind::Credentials),
            ("UnrecognizedClientException", ServiceErrorKind::Credentials),
            ("SignatureDoesNotMatch", ServiceErrorKind::Credentials),
            ("AccessDenied", ServiceErrorKind::Denied),
            ("AccessDeniedException", ServiceErrorKind::Denied),
            ("Throttling", ServiceErrorKind::Throttled),
            ("ThrottlingException", ServiceErrorKind::Throttled),
            ("ServiceUnavailable", ServiceErrorKind::Unreachable),
            ("ValidationError", ServiceErrorKind::Refused),
            ("AlreadyExistsException", ServiceErrorKind::Refused),
        ];
        for (code, kind) in kinds {
            assert_eq!(kind_of_code(code), kind, "{code}");
        }
    }
}
