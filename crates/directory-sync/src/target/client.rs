//! One call after another: rate, token, retries.
//!
//! What is repeated after a lost answer may have been done the first time, so callers treat a
//! user who is already there, or already gone, as the outcome of their own call.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode, redirect};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::configuration::{Endpoint, Service, TargetConfiguration};
use super::error::Error;
use super::operation::Operation;

/// How long the setting up of a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest that a server may ask us to wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How often, and how long apart, a call is repeated.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// Repetitions at most.
    pub times: usize,
    /// Before the first; doubled for each further one, and never exactly that long.
    pub first_delay: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            times: 8,
            first_delay: Duration::from_millis(250),
        }
    }
}

/// A SCIM server.
pub struct Client {
    http: reqwest::Client,
    endpoint: Endpoint,
    service: Service,
    authorization: HeaderValue,
    rates: BTreeMap<Operation, DefaultDirectRateLimiter>,
    retries: RetryPolicy,
    calls: BTreeMap<Operation, AtomicUsize>,
    repeated: AtomicUsize,
}

/// One attempt that failed.
enum Failure {
    /// May work the next time, after the time that the server asked for.
    Transient(Error, Option<Duration>),
    Final(Error),
}

impl Client {
    /// A client that sends nothing yet.
    ///
    /// # Errors
    /// When TLS cannot be set up, or the token cannot be sent.
    pub fn new(configuration: &TargetConfiguration, token: &SecretString) -> Result<Self, Error> {
        Self::with_retries(configuration, token, RetryPolicy::default())
    }

    /// The same, with other repetitions.
    ///
    /// # Errors
    /// When TLS cannot be set up, or the token cannot be sent.
    pub fn with_retries(
        configuration: &TargetConfiguration,
        token: &SecretString,
        retries: RetryPolicy,
    ) -> Result<Self, Error> {
        // Another part of the program may have installed it already.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(configuration.timeout())
            .redirect(redirect::Policy::none())
            .user_agent(concat!("directory-sync/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(Error::Client)?;
        let bearer = format!("Bearer {}", token.expose_secret().trim());
        let mut authorization = HeaderValue::from_str(&bearer).map_err(|_| Error::Token)?;
        authorization.set_sensitive(true);
        let rate = |operation: Operation| {
            let per_second = if operation.is_write() {
                configuration.writes_per_second
            } else {
                configuration.reads_per_second
            };
            // Evenly: a burst would be over the limit of the second that it begins in.
            RateLimiter::direct(
                Quota::per_second(per_second).allow_burst(std::num::NonZeroU32::MIN),
            )
        };
        Ok(Self {
            http,
            endpoint: configuration.endpoint.clone(),
            service: configuration.service,
            authorization,
            rates: Operation::ALL
                .map(|operation| (operation, rate(operation)))
                .into(),
            retries,
            calls: Operation::ALL
                .map(|operation| (operation, AtomicUsize::new(0)))
                .into(),
            repeated: AtomicUsize::new(0),
        })
    }

    /// The service that runs the server.
    #[must_use]
    pub fn service(&self) -> Service {
        self.service
    }

    /// The number of requests so far by operation, including repeated ones.
    #[must_use]
    pub fn calls(&self) -> BTreeMap<Operation, usize> {
        let sent = self.calls.iter();
        sent.map(|(operation, count)| (*operation, count.load(Ordering::Relaxed)))
            .filter(|(_, count)| *count > 0)
            .collect()
    }

    /// The number of requests that repeated an earlier one.
    #[must_use]
    pub fn repeated(&self) -> usize {
        self.repeated.load(Ordering::Relaxed)
    }

    /// Sends a request, and repeats it after temporary errors. `path` is relative to the endpoint and
    /// includes the query.
    pub(super) async fn call(
        &self,
        operation: Operation,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Error> {
        let mut delays = ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(self.retries.first_delay)
            .with_max_delay(LONGEST_WAIT)
            .with_max_times(self.retries.times)
            .build();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let (error, asked) = match self.attempt(operation, path, body).await {
                Ok(body) => return Ok(body),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Transient(error, asked)) => (error, asked),
            };
            let Some(delay) = delays.next() else {
                return Err(match error {
                    Error::NoAnswer {
                        operation, source, ..
                    } => Error::NoAnswer {
                        operation,
                        attempts,
                        source,
                    },
                    other => other,
                });
            };
            self.repeated.fetch_add(1, Ordering::Relaxed);
            tracing::debug!(%operation, attempts, %error, "repeats a call");
            tokio::time::sleep(delay.max(asked.unwrap_or_default())).await;
        }
    }

    async fn attempt(
        &self,
        operation: Operation,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        if let Some(rate) = self.rates.get(&operation) {
            rate.until_ready().await;
        }
        if let Some(count) = self.calls.get(&operation) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let no_answer = |source: reqwest::Error| {
            let error = Error::NoAnswer {
                operation,
                attempts: 1,
                // The URL contains names and the tenant.
                source: source.without_url(),
            };
            Failure::Transient(error, None)
        };
        let mut request = self
            .http
            .request(
                method(operation),
                format!("{}{path}", self.endpoint.as_str()),
            )
            .header(AUTHORIZATION, self.authorization.clone())
            .header(ACCEPT, "application/scim+json, application/json");
        if let Some(body) = body {
            request = request
                .header(CONTENT_TYPE, "application/scim+json")
                .body(body.to_string());
        }
        let response = request.send().await.map_err(no_answer)?;
        let status = response.status();
        if !status.is_success() {
            return Err(refusal(operation, response).await);
        }
        let bytes = response.bytes().await.map_err(no_answer)?;
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes).map_err(|_| {
            Failure::Final(Error::Malformed {
                operation,
                problem: "is not JSON",
            })
        })
    }
}

fn method(operation: Operation) -> Method {
    match operation {
        Operation::ListUsers | Operation::ListGroups | Operation::GetServiceProviderConfig => {
            Method::GET
        }
        Operation::CreateUser | Operation::CreateGroup => Method::POST,
        Operation::PatchUser | Operation::PatchGroup => Method::PATCH,
        Operation::DeleteUser | Operation::DeleteGroup => Method::DELETE,
    }
}

async fn refusal(operation: Operation, response: Response) -> Failure {
    let status = response.status();
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        return Failure::Final(Error::Credentials {
            operation,
            status: status.as_u16(),
        });
    }
    let asked = retry_after(response.headers());
    let request_id = response
        .headers()
        .get("x-amzn-requestid")
        .and_then(|id| id.to_str().ok())
        .map(str::to_owned);
    let body = response.bytes().await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let error = Error::Refused {
        operation,
        status: status.as_u16(),
        scim_type: body["scimType"].as_str().and_then(keyword),
        request_id,
    };
    if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
        Failure::Transient(error, asked)
    } else {
        Failure::Final(error)
    }
}

/// A keyword as the RFC has them; whatever else stands there is not repeated.
fn keyword(text: &str) -> Option<String> {
    let is_keyword = text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_keyword.then(|| text.to_owned())
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(value: &'static str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
        retry_after(&headers)
    }

    #[test]
    fn a_server_is_given_the_time_that_it_asks_for_up_to_a_minute() {
        assert_eq!(asked("2"), Some(Duration::from_secs(2)));
        assert_eq!(asked("86400"), Some(LONGEST_WAIT));
        // As a date (RFC 9110, section 10.2.3): our own delay will do.
        assert_eq!(asked("Fri, 31 Dec 1999 23:59:59 GMT"), None);
        assert_eq!(asked("soon"), None);
    }

    #[test]
    fn only_keywords_of_a_refusal_are_repeated() {
        assert_eq!(keyword("uniqueness").as_deref(), Some("uniqueness"));
        assert_eq!(keyword("ann@example.test is taken"), None);
    }

    #[test]
    fn a_token_that_no_header_can_carry_is_refused_without_showing_it() {
        let configuration = serde_yaml::from_str("endpoint: https://scim.example.test/").unwrap();
        let error = Client::new(&configuration, &"canary\ntoken".into())
            .err()
            .unwrap();
        assert!(error.is_credentials());
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
}
