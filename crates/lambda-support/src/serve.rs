//! Taking invocations from the Lambda Runtime API.

use std::fmt::Debug;
use std::future::Future;

use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde::{Deserialize, Serialize};
use tracing::{Instrument, info_span};

/// The program was started by something other than Lambda.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotInLambda;

impl std::fmt::Display for NotInLambda {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(
            "AWS_LAMBDA_RUNTIME_API is not set: this program is an AWS Lambda function and is started by Lambda",
        )
    }
}

impl std::error::Error for NotInLambda {}

/// Hands every invocation to `handler`, one at a time, until Lambda ends the process.
///
/// Everything logged meanwhile carries the invocation's `request_id`.
///
/// # Errors
///
/// [`NotInLambda`], or the Runtime API cannot be reached.
pub async fn serve<Event, Response, Failure, Handler, Handling>(
    handler: Handler,
) -> Result<(), lambda_runtime::Error>
where
    Event: for<'de> Deserialize<'de>,
    Response: Serialize,
    Failure: Into<Diagnostic> + Debug,
    Handler: Fn(LambdaEvent<Event>) -> Handling,
    Handling: Future<Output = Result<Response, Failure>>,
{
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return Err(NotInLambda.into());
    }
    Runtime::new(service_fn(|event: LambdaEvent<Event>| {
        let span = info_span!(
            target: "lambda_support",
            "invocation",
            request_id = event.context.request_id
        );
        // Boxed, because the SDK's futures and the runtime's together are nested deeper
        // than the compiler follows.
        Box::pin(handler(event).instrument(span))
    }))
    .run()
    .await
}
