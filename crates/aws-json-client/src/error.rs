//! Why an operation did not succeed, in terms that a caller can decide by.

use std::fmt;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};
use serde_json::Value;

/// Codes by which AWS services say "too fast".
///
/// The SDK's list (`aws_runtime::retries::classifiers::THROTTLING_ERRORS`) without
/// `LimitExceededException`: Amazon Connect answers it, with status 429, when a quota
/// of resources is used up, which no retry changes.
const THROTTLING_CODES: &[&str] = &[
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottledException",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "RequestThrottled",
    "SlowDown",
    "PriorRequestNotComplete",
];

/// Codes of failures that pass by themselves, whatever their HTTP status.
const TRANSIENT_CODES: &[&str] = &[
    "RequestTimeout",
    "RequestTimeoutException",
    "InternalServerError",
    "InternalServiceException",
    "ServiceUnavailable",
];

/// What kind of failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The service asked for fewer calls. The operation was not carried out.
    Throttled,
    /// The service failed on its side (5xx). The operation may have been carried out.
    Unavailable,
    /// No answer came: no connection, a broken one, or a timeout. The operation may
    /// have been carried out.
    Unreachable,
    /// The service understood the request and refused it.
    Refused,
    /// The request could not be built or signed. Nothing was sent.
    Unsendable,
    /// The service answered something that is not the operation's output. The
    /// operation was probably carried out.
    InvalidResponse,
}

/// A failed operation.
///
/// `Display` and `Debug` show no message of the service, because those quote input.
#[derive(Clone)]
pub struct Error {
    kind: ErrorKind,
    operation: &'static str,
    attempts: u32,
    throttled: u32,
    answer: Option<Box<Answer>>,
}

/// An answer with a status other than 2xx.
#[derive(Clone)]
struct Answer {
    metadata: ErrorMetadata,
    status: u16,
    request_id: Option<String>,
    body: Value,
}

impl Error {
    /// What kind of failure it was.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The operation that failed.
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// The error code, such as `DuplicateResourceException`, without namespace or URL.
    pub fn code(&self) -> Option<&str> {
        self.answer.as_ref()?.metadata.code()
    }

    /// The service's own words. They may quote input: not for logs.
    pub fn message(&self) -> Option<&str> {
        self.answer.as_ref()?.metadata.message()
    }

    /// The HTTP status, if there was an answer.
    pub fn status(&self) -> Option<u16> {
        Some(self.answer.as_ref()?.status)
    }

    /// The service's id of the request, for its support.
    pub fn request_id(&self) -> Option<&str> {
        self.answer.as_ref()?.request_id.as_deref()
    }

    /// How often the operation was sent.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// How many of these attempts the service throttled.
    pub fn throttled(&self) -> u32 {
        self.throttled
    }

    /// The error document, such as one with `CancellationReasons`; `null` if there is
    /// none. It may quote input: not for logs.
    pub fn body(&self) -> &Value {
        self.answer
            .as_ref()
            .map_or(&Value::Null, |answer| &answer.body)
    }

    /// Whether the same operation may succeed later without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        match self.kind {
            ErrorKind::Throttled | ErrorKind::Unavailable | ErrorKind::Unreachable => true,
            ErrorKind::Refused | ErrorKind::Unsendable | ErrorKind::InvalidResponse => false,
        }
    }

    /// Whether the operation, or an earlier attempt at it, may have been carried out
    /// although this error came back.
    ///
    /// A refusal after several attempts counts: the refusal may be the echo of an
    /// attempt that succeeded and whose answer was lost.
    pub fn may_have_been_carried_out(&self) -> bool {
        match self.kind {
            ErrorKind::Unavailable | ErrorKind::Unreachable | ErrorKind::InvalidResponse => true,
            ErrorKind::Throttled => self.attempts > self.throttled,
            ErrorKind::Refused => self.attempts > self.throttled + 1,
            ErrorKind::Unsendable => false,
        }
    }

    /// The error of a call that was not sent because this failure was recent: a throttled
    /// one without attempts.
    #[must_use]
    pub fn unsent(&self) -> Self {
        Self {
            kind: ErrorKind::Throttled,
            attempts: 0,
            throttled: 0,
            ..self.clone()
        }
    }

    pub(crate) fn unserialisable(operation: &'static str) -> Self {
        Self::without_answer(ErrorKind::Unsendable, operation, 0, 0)
    }

    pub(crate) fn invalid_response(operation: &'static str, attempts: u32) -> Self {
        Self::without_answer(ErrorKind::InvalidResponse, operation, attempts, 0)
    }

    pub(crate) fn without_answer(
        kind: ErrorKind,
        operation: &'static str,
        attempts: u32,
        throttled: u32,
    ) -> Self {
        Self {
            kind,
            operation,
            attempts,
            throttled,
            answer: None,
        }
    }

    pub(crate) fn from_refusal(
        refusal: Refusal,
        operation: &'static str,
        attempts: u32,
        throttled: u32,
    ) -> Self {
        Self {
            kind: refusal.kind(),
            operation,
            attempts,
            throttled,
            answer: Some(refusal.0),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = self.operation;
        match self.kind {
            ErrorKind::Throttled => write!(formatter, "{operation} was throttled")?,
            ErrorKind::Unavailable => write!(formatter, "{operation} failed in the service")?,
            ErrorKind::Unreachable => write!(formatter, "{operation} got no answer")?,
            ErrorKind::Refused => write!(formatter, "{operation} was refused")?,
            ErrorKind::Unsendable => write!(formatter, "{operation} could not be sent")?,
            ErrorKind::InvalidResponse => {
                write!(
                    formatter,
                    "{operation} got an answer that is not its output"
                )?;
            }
        }
        if let Some(code) = self.code() {
            write!(formatter, ": {code}")?;
        }
        if let Some(status) = self.status() {
            write!(formatter, ", status {status}")?;
        }
        if let Some(request_id) = self.request_id() {
            write!(formatter, ", request id {request_id}")?;
        }
        write!(formatter, " (attempts: {})", self.attempts)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Error({self})")
    }
}

impl std::error::Error for Error {}

/// An answer with a status other than 2xx, as the SDK runtime passes it around.
pub(crate) struct Refusal(Box<Answer>);

impl Refusal {
    /// Reads the code from the header or the body, in any of the forms that the JSON
    /// protocols allow: `Name`, `namespace#Name`, `Name:http://…`.
    ///
    /// Source: <https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization>.
    pub(crate) fn from_response(response: &HttpResponse) -> Self {
        let body: Value = response
            .body()
            .bytes()
            .and_then(|bytes| serde_json::from_slice(bytes).ok())
            .unwrap_or_default();
        let field = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| body.get(name).and_then(Value::as_str))
        };
        let code = response
            .headers()
            .get("x-amzn-errortype")
            .or_else(|| field(&["__type", "code", "Code"]))
            .map(sanitise_code);
        let message = field(&["message", "Message", "errorMessage"]);
        let request_id = response
            .headers()
            .get("x-amzn-requestid")
            .or_else(|| response.headers().get("x-amz-request-id"))
            .map(str::to_owned);

        let mut metadata = ErrorMetadata::builder();
        if let Some(code) = code {
            metadata = metadata.code(code);
        }
        if let Some(message) = message {
            metadata = metadata.message(message);
        }
        Self(Box::new(Answer {
            metadata: metadata.build(),
            status: response.status().as_u16(),
            request_id,
            body,
        }))
    }

    pub(crate) fn kind(&self) -> ErrorKind {
        let code = self.0.metadata.code();
        let status = self.0.status;
        if code.is_some_and(|code| THROTTLING_CODES.contains(&code))
            || (code.is_none() && status == 429)
        {
            ErrorKind::Throttled
        } else if status >= 500 || code.is_some_and(|code| TRANSIENT_CODES.contains(&code)) {
            ErrorKind::Unavailable
        } else {
            ErrorKind::Refused
        }
    }
}

/// `aws.protocoltests#FooError:http://internal/…` → `FooError`.
fn sanitise_code(raw: &str) -> &str {
    let without_url = raw.split(':').next().unwrap_or(raw);
    without_url.rsplit('#').next().unwrap_or(without_url).trim()
}

impl fmt::Debug for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Refusal({self})")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} (status {})",
            self.0.metadata.code().unwrap_or("no error code"),
            self.0.status
        )
    }
}

impl std::error::Error for Refusal {}

impl ProvideErrorMetadata for Refusal {
    fn meta(&self) -> &ErrorMetadata {
        &self.0.metadata
    }
}

#[cfg(test)]
mod tests {
    use super::sanitise_code;

    #[test]
    fn codes_lose_namespace_and_url() {
        for raw in [
            "FooError",
            "FooError:http://internal.amazon.com/coral/com.amazon.coral.validate/",
            "aws.protocoltests.restjson#FooError",
            "aws.protocoltests.restjson#FooError:http://internal.amazon.com/coral/",
        ] {
            assert_eq!(sanitise_code(raw), "FooError");
        }
    }
}
