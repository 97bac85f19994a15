//! Delivers the answer: a PUT to the presigned URL that came with the event.
//!
//! An answer that does not arrive leaves the stack waiting until its `ServiceTimeout`,
//! so it is sent again until S3 takes it or the time is up. The URL is a credential and
//! appears in no log line and no error.

use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use thiserror::Error;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::warn;

/// Time for one attempt, connection included.
const ATTEMPT: Duration = Duration::from_secs(3);

/// The wait before the second attempt; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The answer did not reach CloudFormation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotDelivered {
    /// The event's `ResponseURL` is no URL.
    #[error("the event's ResponseURL is not a URL that can be sent to")]
    NoUrl,
    /// The presigned URL was refused; another attempt would be, too.
    #[error("the ResponseURL refused the answer with status {status}")]
    Refused {
        /// The HTTP status, 4xx.
        status: u16,
    },
    /// Every attempt failed.
    #[error("the answer could not be delivered before the function's time was up")]
    OutOfTime,
}

/// Puts `body` to `url`, again and again until it is taken, or until `deadline`.
///
/// # Errors
///
/// See [`NotDelivered`].
pub async fn deliver(url: &str, body: &str, deadline: Instant) -> Result<(), NotDelivered> {
    // Building it reads the trust anchors, which is why it is not done at start.
    let connector = Connector::builder()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build();
    let attempts = async {
        let mut pause = FIRST_PAUSE;
        loop {
            match timeout(ATTEMPT, connector.call(put(url, body)?)).await {
                Ok(Ok(response)) if response.status().is_success() => return Ok(()),
                Ok(Ok(response)) if response.status().is_client_error() => {
                    return Err(NotDelivered::Refused {
                        status: response.status().as_u16(),
                    });
                }
                Ok(Ok(response)) => warn!(
                    status = response.status().as_u16(),
                    "the answer was not taken: trying again"
                ),
                Ok(Err(_)) => warn!("no connection to the ResponseURL: trying again"),
                Err(_) => warn!("the ResponseURL did not react in time: trying again"),
            }
            sleep(pause).await;
            pause *= 2;
        }
    };
    timeout_at(deadline, attempts)
        .await
        .unwrap_or(Err(NotDelivered::OutOfTime))
}

/// The URL is signed without a content type: a request that has one is refused.
fn put(url: &str, body: &str) -> Result<HttpRequest, NotDelivered> {
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("PUT").map_err(|_| NotDelivered::NoUrl)?;
    request.set_uri(url).map_err(|_| NotDelivered::NoUrl)?;
    Ok(request)
}
