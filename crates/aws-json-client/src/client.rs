//! A service's client: one set of runtime plugins, an SDK operation per call.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use aws_runtime::{
    auth::{SigV4OperationSigningConfig, sigv4},
    invocation_id::InvocationIdInterceptor,
    recursion_detection::RecursionDetectionInterceptor,
    request_info::RequestInfoInterceptor,
    service_clock_skew::{ServiceClockSkewClassifier, ServiceClockSkewInterceptor},
    user_agent::{ApiMetadata, AwsUserAgent, UserAgentInterceptor},
};
use aws_smithy_async::{rt::sleep::TokioSleep, time::SystemTimeSource};
use aws_smithy_runtime::client::{
    http::connection_poisoning::ConnectionPoisoningInterceptor, identity::IdentityCache,
    orchestrator::operation::Operation, retries::classifiers::TransientErrorClassifier,
};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        auth::{
            AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
            static_resolver::StaticAuthSchemeOptionResolver,
        },
        behavior_version::BehaviorVersion,
        http::SharedHttpClient,
        identity::SharedIdentityResolver,
        interceptors::{
            Intercept,
            context::{BeforeTransmitInterceptorContextRef, InterceptorContext},
            dyn_dispatch_hint,
        },
        orchestrator::{HttpRequest, HttpResponse, OrchestratorError},
        result::SdkError,
        retries::classifiers::{ClassifyRetry, RetryAction},
        runtime_components::{RuntimeComponents, RuntimeComponentsBuilder},
        runtime_plugin::{SharedRuntimePlugin, StaticRuntimePlugin},
    },
};
use aws_smithy_types::{
    body::SdkBody,
    config_bag::{ConfigBag, Layer},
    retry::{ErrorKind as RetryKind, RetryConfig},
    timeout::TimeoutConfig,
};
use aws_types::{
    SigningName,
    os_shim_internal::Env,
    region::{Region, SigningRegion},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Environment, Error, ErrorKind, Protocol, Request, Response, Service, endpoint, error::Refusal,
    https::LazyHttpsClient,
};

/// Sends operations to one service. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct Client {
    service: Service,
    endpoint: Arc<str>,
    http_client: SharedHttpClient,
    retry: RetryConfig,
    repeats_throttled: bool,
    timeout: TimeoutConfig,
    signing: SharedRuntimePlugin,
}

/// Sets what a [`Client`] does differently from the defaults.
#[derive(Debug, Clone)]
pub struct ClientBuilder {
    service: Service,
    environment: Environment,
    http_client: Option<SharedHttpClient>,
    endpoint_url: Option<String>,
    retry: RetryConfig,
    connect_timeout: Duration,
    attempt_timeout: Duration,
    operation_timeout: Duration,
}

impl ClientBuilder {
    /// How often an operation is sent at most, the first time included. Default: 3.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.retry = self.retry.with_max_attempts(attempts.max(1));
        self
    }

    /// The longest wait before the first retry; doubled for each further one.
    /// Default: 1 second.
    #[must_use]
    pub fn initial_backoff(mut self, backoff: Duration) -> Self {
        self.retry = self.retry.with_initial_backoff(backoff);
        self
    }

    /// Time for a connection to come about. Default: 2 seconds.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Time for one attempt. Default: 5 seconds.
    #[must_use]
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// Time for an operation with all its attempts. Default: 12 seconds.
    #[must_use]
    pub fn operation_timeout(mut self, timeout: Duration) -> Self {
        self.operation_timeout = timeout;
        self
    }

    /// Sends to this URL instead of the one that the environment gives.
    #[must_use]
    pub fn endpoint_url(mut self, url: impl Into<String>) -> Self {
        self.endpoint_url = Some(url.into());
        self
    }

    /// Sends through this HTTP client, such as another client's connections
    /// ([`Client::http_client`]). Default: one of its own.
    #[must_use]
    pub fn http_client(mut self, client: SharedHttpClient) -> Self {
        self.http_client = Some(client);
        self
    }

    /// Makes the client. Opens and loads nothing.
    pub fn build(self) -> Client {
        let endpoint = self
            .endpoint_url
            .unwrap_or_else(|| endpoint::url(&self.service, &self.environment));
        Client {
            service: self.service,
            endpoint: endpoint.into(),
            http_client: self
                .http_client
                .unwrap_or_else(|| SharedHttpClient::new(LazyHttpsClient::default())),
            retry: self.retry,
            repeats_throttled: true,
            timeout: TimeoutConfig::builder()
                .connect_timeout(self.connect_timeout)
                .operation_attempt_timeout(self.attempt_timeout)
                .operation_timeout(self.operation_timeout)
                .build(),
            signing: signing(&self.service, &self.environment),
        }
    }
}

impl Client {
    /// A client of the service with the defaults.
    pub fn new(service: Service, environment: &Environment) -> Self {
        Self::builder(service, environment).build()
    }

    /// A client of the service, to be adjusted.
    pub fn builder(service: Service, environment: &Environment) -> ClientBuilder {
        ClientBuilder {
            service,
            environment: environment.clone(),
            http_client: environment.http_client.clone(),
            endpoint_url: None,
            retry: RetryConfig::standard(),
            connect_timeout: Duration::from_secs(2),
            attempt_timeout: Duration::from_secs(5),
            operation_timeout: Duration::from_secs(12),
        }
    }

    /// The HTTP client with its connections, to be shared with another service's client.
    pub fn http_client(&self) -> SharedHttpClient {
        self.http_client.clone()
    }

    /// The same client, which returns the error of a throttled attempt and leaves it to the
    /// caller to send the operation again.
    #[must_use]
    pub fn without_throttling_retries(mut self) -> Self {
        self.repeats_throttled = false;
        self
    }

    /// Sends an awsJson operation: input in, output out.
    ///
    /// # Errors
    /// See [`Client::send`]; also when the output is not an `O`.
    pub async fn call<O: DeserializeOwned>(
        &self,
        operation: &'static str,
        input: &impl Serialize,
    ) -> Result<O, Error> {
        self.send(Request::json(operation, input)?).await?.json()
    }

    /// Signs and sends an operation, with retries within the operation's timeout.
    ///
    /// # Errors
    /// When the service refuses, throttles or fails, and the retries are used up; when
    /// no answer comes; when the request cannot be built or signed.
    pub async fn send(&self, request: Request) -> Result<Response, Error> {
        let operation = request.operation;
        let protocol = self.service.protocol;
        let counts = Arc::new(Counts::default());
        let throttles = Arc::clone(&counts);
        let mut invocation = Operation::builder()
            .service_name(self.service.id)
            .operation_name(operation)
            .behavior_version(BehaviorVersion::latest())
            .http_client(self.http_client.clone())
            .endpoint_url(&self.endpoint)
            .standard_retry(&self.retry)
            .timeout_config(self.timeout.clone())
            .sleep_impl(TokioSleep::new())
            .time_source(SystemTimeSource::new())
            .runtime_plugin(self.signing.clone())
            .interceptor(AttemptCounter(Arc::clone(&counts)))
            .serializer(move |request: Request| http_request(protocol, &request))
            .deserializer(move |response| read(response, &throttles));
        if !self.repeats_throttled {
            invocation = invocation.retry_classifier(ThrottlingForbidsRetries);
        }
        // Boxed: the orchestrator's future is several kilobytes and deeply nested, and
        // would be part of every future that sends something.
        let outcome = Box::pin(invocation.build().invoke(request)).await;

        let attempts = counts.attempts.load(Ordering::Relaxed);
        let throttled = counts.throttled.load(Ordering::Relaxed);
        match outcome {
            Ok(Body(body)) => Ok(Response {
                operation,
                body,
                attempts,
                throttled,
            }),
            Err(SdkError::ServiceError(context)) => Err(Error::from_refusal(
                context.into_err(),
                operation,
                attempts,
                throttled,
            )),
            Err(error) => {
                let kind = match error {
                    SdkError::ConstructionFailure(_) => ErrorKind::Unsendable,
                    SdkError::ResponseError(_) => ErrorKind::InvalidResponse,
                    _ => ErrorKind::Unreachable,
                };
                Err(Error::without_answer(kind, operation, attempts, throttled))
            }
        }
    }
}

/// A body that the SDK runtime may not print.
struct Body(Vec<u8>);

impl std::fmt::Debug for Body {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Body")
    }
}

/// What happened on the way to the final answer.
#[derive(Debug, Default)]
struct Counts {
    attempts: AtomicU32,
    throttled: AtomicU32,
}

#[derive(Debug)]
struct AttemptCounter(Arc<Counts>);

#[dyn_dispatch_hint]
impl Intercept for AttemptCounter {
    fn name(&self) -> &'static str {
        "AttemptCounter"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.attempts.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

fn http_request(protocol: Protocol, request: &Request) -> Result<HttpRequest, BoxError> {
    let mut http = HttpRequest::new(match &request.body {
        Some(body) => SdkBody::from(body.clone()),
        None => SdkBody::empty(),
    });
    http.set_method(request.method.as_str())?;
    http.set_uri(format!("{}{}", request.path, request.query))?;
    let headers = http.headers_mut();
    match protocol {
        Protocol::AwsJson {
            version,
            target_prefix,
        } => {
            headers.try_insert("content-type", format!("application/x-amz-json-{version}"))?;
            headers.try_insert(
                "x-amz-target",
                format!("{target_prefix}.{}", request.operation),
            )?;
        }
        Protocol::RestJson if request.body.is_some() => {
            headers.try_insert("content-type", "application/json")?;
        }
        Protocol::RestJson => {}
    }
    if let Some(body) = &request.body {
        headers.try_insert("content-length", body.len().to_string())?;
    }
    Ok(http)
}

fn read(response: &HttpResponse, counts: &Counts) -> Result<Body, OrchestratorError<Refusal>> {
    if response.status().is_success() {
        Ok(Body(
            response
                .body()
                .bytes()
                .map(<[u8]>::to_vec)
                .unwrap_or_default(),
        ))
    } else {
        let refusal = Refusal::from_response(response);
        if refusal.kind() == ErrorKind::Throttled {
            counts.throttled.fetch_add(1, Ordering::Relaxed);
        }
        Err(OrchestratorError::operation(refusal))
    }
}

/// Retries what [`Refusal::kind`] calls throttled or unavailable, after the time that
/// the service asks for, if it does.
#[derive(Debug)]
struct RefusalClassifier;

impl ClassifyRetry for RefusalClassifier {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let retry = match refused_as(context) {
            Some(ErrorKind::Throttled) => RetryKind::ThrottlingError,
            Some(ErrorKind::Unavailable) => RetryKind::TransientError,
            _ => return RetryAction::NoActionIndicated,
        };
        // The header of the SDKs' retry specification; milliseconds.
        let delay = context
            .response()
            .and_then(|response| response.headers().get("x-amz-retry-after"))
            .and_then(|value| value.parse().ok())
            .map(Duration::from_millis);
        match delay {
            Some(delay) => RetryAction::retryable_error_with_explicit_delay(retry, delay),
            None => RetryAction::retryable_error(retry),
        }
    }

    fn name(&self) -> &'static str {
        "RefusalClassifier"
    }
}

/// Of [`Client::without_throttling_retries`].
#[derive(Debug)]
struct ThrottlingForbidsRetries;

impl ClassifyRetry for ThrottlingForbidsRetries {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match refused_as(context) {
            Some(ErrorKind::Throttled) => RetryAction::RetryForbidden,
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "ThrottlingForbidsRetries"
    }
}

fn refused_as(context: &InterceptorContext) -> Option<ErrorKind> {
    let error = context.output_or_error()?.err()?;
    let refusal = error.as_operation_error()?.downcast_ref::<Refusal>()?;
    Some(refusal.kind())
}

/// What the generated clients of the SDK put into their service runtime plugin: signing,
/// the SDK's headers, clock-skew correction and the classifiers of retryable failures.
fn signing(service: &Service, environment: &Environment) -> SharedRuntimePlugin {
    let api = ApiMetadata::new(service.endpoint_prefix, service.api_version);
    let mut config = Layer::new("aws-json-client");
    config.store_put(AuthSchemeOptionResolverParams::new(()));
    config.store_put(SigV4OperationSigningConfig::default());
    config.store_put(SigningName::from_static(service.signing_name));
    config.store_put(SigningRegion::from(Region::new(environment.region.clone())));
    config.store_put(AwsUserAgent::new_from_environment(Env::real(), api.clone()));
    config.store_put(api);

    let identity_cache = if environment.caches_credentials {
        IdentityCache::lazy().build()
    } else {
        IdentityCache::no_cache()
    };
    let components = RuntimeComponentsBuilder::new("aws-json-client")
        .with_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(
            StaticAuthSchemeOptionResolver::new(vec![sigv4::SCHEME_ID]),
        )))
        .with_auth_scheme(SharedAuthScheme::new(sigv4::SigV4AuthScheme::new()))
        .with_identity_resolver(
            sigv4::SCHEME_ID,
            SharedIdentityResolver::new(environment.credentials.clone()),
        )
        .with_identity_cache(Some(identity_cache))
        .with_interceptor(ConnectionPoisoningInterceptor::new())
        .with_interceptor(ServiceClockSkewInterceptor::new())
        .with_interceptor(RequestInfoInterceptor::new())
        .with_interceptor(InvocationIdInterceptor::new())
        .with_interceptor(RecursionDetectionInterceptor::new())
        .with_interceptor(UserAgentInterceptor::new())
        .with_retry_classifier(TransientErrorClassifier::<Refusal>::new())
        .with_retry_classifier(RefusalClassifier)
        .with_retry_classifier(ServiceClockSkewClassifier::<Refusal>::new());
    SharedRuntimePlugin::new(
        StaticRuntimePlugin::new()
            .with_config(config.freeze())
            .with_runtime_components(components),
    )
}
