//! A service without a socket: tests can stop the clock while it is called.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpConnector,
        },
        orchestrator::{HttpRequest as SentRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;

use crate::{HttpAnswer, HttpRequest};

type Handler = dyn Fn(&HttpRequest) -> HttpAnswer + Send + Sync;

/// An HTTP client that a closure responds to, as [`crate::HttpServer`] does.
#[derive(Clone)]
pub struct PlayedClient {
    handler: Arc<Handler>,
    requests: Arc<Mutex<Vec<HttpRequest>>>,
}

impl PlayedClient {
    /// A client of a service that responds so.
    #[must_use]
    pub fn new(handler: impl Fn(&HttpRequest) -> HttpAnswer + Send + Sync + 'static) -> Self {
        Self {
            handler: Arc::new(handler),
            requests: Arc::default(),
        }
    }

    /// The requests so far, in order.
    ///
    /// # Panics
    /// The closure panicked.
    #[must_use]
    pub fn requests(&self) -> Vec<HttpRequest> {
        self.requests.lock().expect("a handler panicked").clone()
    }
}

impl fmt::Debug for PlayedClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PlayedClient")
            .finish_non_exhaustive()
    }
}

impl HttpClient for PlayedClient {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for PlayedClient {
    fn call(&self, request: SentRequest) -> HttpConnectorFuture {
        let headers = request.headers().iter();
        let request = HttpRequest {
            method: request.method().to_owned(),
            target: request.uri().to_owned(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body: String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned(),
        };
        self.requests
            .lock()
            .expect("a handler panicked")
            .push(request.clone());
        HttpConnectorFuture::ready(match (self.handler)(&request) {
            HttpAnswer::Respond(status, body) => {
                let status = StatusCode::try_from(status).expect("a status of HTTP");
                Ok(HttpResponse::new(status, SdkBody::from(body)))
            }
            HttpAnswer::Disconnect => Err(ConnectorError::io("disconnected".into())),
        })
    }
}
