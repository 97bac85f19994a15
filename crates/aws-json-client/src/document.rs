//! Fetches public JSON documents, such as the keys of a token issuer: unsigned GETs over
//! the connections and the TLS stack that a service's client has already.
//!
//! No redirects are followed and nothing is retried: the caller knows the exact URL, and
//! when to ask again.

use std::time::Duration;

use aws_smithy_async::{
    future::timeout::Timeout,
    rt::sleep::{AsyncSleep, TokioSleep},
    time::SystemTimeSource,
};
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        behavior_version::BehaviorVersion,
        http::SharedHttpClient,
        interceptors::context::{Error, Output},
        orchestrator::{HttpRequest, HttpResponse, OrchestratorError},
        result::SdkError,
        ser_de::DeserializeResponse,
    },
};
use aws_smithy_types::{
    body::SdkBody, byte_stream::ByteStream, config_bag::ConfigBag, timeout::TimeoutConfig,
};
use serde::de::DeserializeOwned;

/// Time for a connection to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Time for the whole answer.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The largest document, in bytes. The keys of an issuer have a few thousand.
const LIMIT: usize = 512 * 1024;

/// Fetches public JSON documents. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct DocumentClient {
    http_client: SharedHttpClient,
}

/// Why a document could not be fetched. Shows no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// The URL has no scheme, no host, or characters that a URL does not take.
    #[error("its URL is not an absolute http(s) URL")]
    Url,
    /// No answer within 3 seconds, or none over a connection that can be trusted.
    #[error("its server cannot be reached")]
    Unreachable,
    /// An answer other than 200.
    #[error("its server answered with status {0}")]
    Status(u16),
    /// The document has more than 512 KiB.
    #[error("it is larger than 512 KiB")]
    TooLarge,
    /// The answer is not the JSON that it should be.
    #[error("its content is not the JSON expected")]
    Content,
}

/// A body that was not read yet, and that the SDK runtime may not print.
struct Body(SdkBody);

impl std::fmt::Debug for Body {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Body")
    }
}

impl DocumentClient {
    /// A client that fetches through `http_client` ([`crate::Client::http_client`]).
    pub fn new(http_client: SharedHttpClient) -> Self {
        Self { http_client }
    }

    /// Fetches the JSON document at `url`, an absolute http(s) URL.
    ///
    /// # Errors
    /// When the server cannot be reached, answers anything but 200, or with something
    /// that is not a `T` or too large.
    pub async fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T, DocumentError> {
        let document = Timeout::new(self.read(url), TokioSleep::new().sleep(TIMEOUT));
        let document = document.await.map_err(|_| DocumentError::Unreachable)??;
        serde_json::from_slice(&document).map_err(|_| DocumentError::Content)
    }

    async fn read(&self, url: &str) -> Result<Vec<u8>, DocumentError> {
        let (origin, path) = split(url).ok_or(DocumentError::Url)?;
        let operation = Operation::builder()
            .service_name("document")
            .operation_name("Get")
            .behavior_version(BehaviorVersion::latest())
            .http_client(self.http_client.clone())
            .endpoint_url(origin)
            .no_auth()
            .no_retry()
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT_TIMEOUT)
                    .build(),
            )
            .sleep_impl(TokioSleep::new())
            .time_source(SystemTimeSource::new())
            .serializer(request)
            .deserializer_impl::<Body, DocumentError>(TakeBody)
            .build();
        // Boxed for the same reason as a service's operations: the future is large.
        match Box::pin(operation.invoke(path)).await {
            Ok(Body(body)) => collect(body).await,
            Err(SdkError::ServiceError(context)) => Err(context.into_err()),
            Err(SdkError::ConstructionFailure(_)) => Err(DocumentError::Url),
            Err(_) => Err(DocumentError::Unreachable),
        }
    }
}

/// Reads a body up to the limit.
async fn collect(body: SdkBody) -> Result<Vec<u8>, DocumentError> {
    let mut stream = ByteStream::new(body);
    let mut document = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| DocumentError::Unreachable)?;
        if document.len() + chunk.len() > LIMIT {
            return Err(DocumentError::TooLarge);
        }
        document.extend_from_slice(&chunk);
    }
    Ok(document)
}

/// `https://host:port` and the rest, which begins with `/`.
fn split(url: &str) -> Option<(&str, String)> {
    let (scheme, rest) = url.split_once("://")?;
    if !matches!(scheme, "https" | "http") || rest.starts_with(['/', '?']) || rest.is_empty() {
        return None;
    }
    let host = rest.find(['/', '?']).unwrap_or(rest.len());
    let (origin, path) = url.split_at(scheme.len() + "://".len() + host);
    let slash = if path.starts_with('/') { "" } else { "/" };
    Some((origin, format!("{slash}{path}")))
}

fn request(path: String) -> Result<HttpRequest, BoxError> {
    let mut request = HttpRequest::empty();
    request.set_uri(path)?;
    request
        .headers_mut()
        .try_insert("accept", "application/json")?;
    Ok(request)
}

/// Takes the body of a response without reading it.
#[derive(Debug)]
struct TakeBody;

impl TakeBody {
    fn take(response: &mut HttpResponse) -> Result<Output, OrchestratorError<Error>> {
        match response.status().as_u16() {
            200 => Ok(Output::erase(Body(response.take_body()))),
            status => Err(OrchestratorError::operation(Error::erase(
                DocumentError::Status(status),
            ))),
        }
    }
}

impl DeserializeResponse for TakeBody {
    fn deserialize_streaming_with_config(
        &self,
        response: &mut HttpResponse,
        _config: &ConfigBag,
    ) -> Option<Result<Output, OrchestratorError<Error>>> {
        Some(Self::take(response))
    }

    fn deserialize_nonstreaming_with_config(
        &self,
        _response: &HttpResponse,
        _config: &ConfigBag,
    ) -> Result<Output, OrchestratorError<Error>> {
        Err(OrchestratorError::other("the body is always streamed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_split_before_its_path() {
        for (url, expected) in [
            ("https://a.b/c/d?e=f", Some(("https://a.b", "/c/d?e=f"))),
            ("http://127.0.0.1:80/", Some(("http://127.0.0.1:80", "/"))),
            ("https://a.b", Some(("https://a.b", "/"))),
            ("https://a.b?c", Some(("https://a.b", "/?c"))),
            ("ftp://a.b/c", None),
            ("https:///c", None),
            ("https://", None),
            ("a.b/c", None),
            ("", None),
        ] {
            let expected = expected.map(|(origin, path)| (origin, path.to_owned()));
            assert_eq!(split(url), expected, "{url}");
        }
    }
}
