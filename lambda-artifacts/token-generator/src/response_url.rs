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
use http::Uri;
use http::uri::Authority;
use thiserror::Error;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::warn;

/// Time for one attempt, connection included.
const ATTEMPT: Duration = Duration::from_secs(3);

/// The wait before the second attempt; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Where the function sends answers: CloudFormation's presigned URLs are URLs of S3. Another
/// one comes from someone who invoked the function in place of CloudFormation.
#[derive(Debug, Clone)]
pub struct ResponseHosts {
    url_suffix: String,
    emulator: Option<Authority>,
}

impl ResponseHosts {
    /// The hosts of S3 in the partition of this suffix (`AWS::URLSuffix`, such as
    /// `amazonaws.com`), and the server of this URL, if there is one: an emulator of AWS.
    pub fn new(url_suffix: &str, endpoint_url: Option<&str>) -> Self {
        let url = endpoint_url.and_then(|url| url.parse::<Uri>().ok());
        Self {
            url_suffix: url_suffix.to_owned(),
            emulator: url.and_then(|url| url.authority().cloned()),
        }
    }

    /// Reads `URL_SUFFIX`, and `AWS_ENDPOINT_URL`, which only an emulator of AWS sets.
    ///
    /// # Errors
    /// When the suffix is missing or empty.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, UnknownHosts> {
        let suffix = variable("URL_SUFFIX").filter(|suffix| !suffix.is_empty());
        let endpoint_url = variable("AWS_ENDPOINT_URL");
        Ok(Self::new(
            &suffix.ok_or(UnknownHosts)?,
            endpoint_url.as_deref(),
        ))
    }

    /// Whether an answer may be sent to this URL.
    pub fn permit(&self, url: &str) -> bool {
        let Ok(url) = url.parse::<Uri>() else {
            return false;
        };
        let (Some(scheme), Some(authority)) = (url.scheme_str(), url.authority()) else {
            return false;
        };
        if self.emulator.as_ref() == Some(authority) {
            return true;
        }
        // Neither a user nor a port.
        scheme == "https" && authority.as_str() == authority.host() && self.is_s3(authority.host())
    }

    /// `s3`, `s3-REGION` or `s3.REGION` before the suffix, with or without a bucket in front.
    fn is_s3(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let Some(host) = host
            .strip_suffix(&self.url_suffix)
            .and_then(|host| host.strip_suffix('.'))
        else {
            return false;
        };
        let is_s3 = |label: &str| label == "s3" || label.starts_with("s3-");
        host.split('.').any(is_s3)
    }
}

/// The variable `URL_SUFFIX` is missing or empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the environment variable URL_SUFFIX is not set; deploy the stack again")]
pub struct UnknownHosts;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_sent_to_s3_of_the_partition_only() {
        let aws = ResponseHosts::new("amazonaws.com", None);
        let china = ResponseHosts::new("amazonaws.com.cn", None);
        let local = ResponseHosts::new("amazonaws.com", Some("http://127.0.0.1:4566"));
        for (url, expected) in [
            (
                "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com/k?X=1",
                [true, false, true],
            ),
            (
                "https://bucket.s3.eu-central-1.amazonaws.com/k",
                [true, false, true],
            ),
            (
                "https://bucket.s3-eu-west-1.amazonaws.com/k",
                [true, false, true],
            ),
            (
                "https://s3.eu-central-1.amazonaws.com/bucket/k",
                [true, false, true],
            ),
            (
                "https://bucket.s3.cn-north-1.amazonaws.com.cn/k",
                [false, true, false],
            ),
            ("http://bucket.s3.amazonaws.com/k", [false; 3]),
            ("https://bucket.s3.amazonaws.com:8443/k", [false; 3]),
            ("https://user@bucket.s3.amazonaws.com/k", [false; 3]),
            ("https://s3.amazonaws.com@example.com/k", [false; 3]),
            ("https://s3.amazonaws.com.example.com/k", [false; 3]),
            ("https://bucket.s3.notamazonaws.com/k", [false; 3]),
            ("https://sqs.eu-central-1.amazonaws.com/k", [false; 3]),
            ("https://amazonaws.com/k", [false; 3]),
            ("https://example.com/s3.amazonaws.com", [false; 3]),
            ("https://169.254.169.254/latest", [false; 3]),
            ("https://[::1]/k", [false; 3]),
            ("http://127.0.0.1:4566/k", [false, false, true]),
            ("http://user@127.0.0.1:4566/k", [false; 3]),
            ("http://127.0.0.1:4567/k", [false; 3]),
            ("http://127.0.0.2:4566/k", [false; 3]),
            ("http://localhost:4566/k", [false; 3]),
            ("https://bad host/k", [false; 3]),
            ("/k", [false; 3]),
            ("", [false; 3]),
        ] {
            let permitted = [&aws, &china, &local].map(|hosts| hosts.permit(url));
            assert_eq!(permitted, expected, "{url}");
        }
    }

    #[test]
    fn the_hosts_are_those_of_the_variables() {
        let read = |suffix: Option<&str>, endpoint_url: Option<&str>| {
            ResponseHosts::read(|name| {
                let value = match name {
                    "URL_SUFFIX" => suffix,
                    "AWS_ENDPOINT_URL" => endpoint_url,
                    _ => None,
                };
                value.map(str::to_owned)
            })
        };
        let emulator = Some("http://127.0.0.1:4566/");
        for suffix in [None, Some("")] {
            assert_eq!(read(suffix, emulator).err(), Some(UnknownHosts));
        }
        for (endpoint_url, expected) in [(None, false), (Some(""), false), (emulator, true)] {
            let hosts = read(Some("amazonaws.com"), endpoint_url).unwrap();
            assert_eq!(hosts.permit("http://127.0.0.1:4566/k"), expected);
            assert!(hosts.permit("https://bucket.s3.amazonaws.com/k"));
        }
    }
}
