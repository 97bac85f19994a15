//! Which operations of DynamoDB are called.

use std::sync::{Arc, Mutex};

use aws_json_client::SharedHttpClient;
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::HttpRequest,
    runtime_components::RuntimeComponents,
};

/// An HTTP client that notes the operations that awsJson requests name.
#[derive(Debug, Clone)]
pub struct WatchedClient {
    inner: SharedHttpClient,
    operations: Arc<Mutex<Vec<String>>>,
}

impl WatchedClient {
    /// Watches this client.
    pub fn new(inner: SharedHttpClient) -> Self {
        Self {
            inner,
            operations: Arc::default(),
        }
    }

    /// The operations since the last time, in order: `GetItem`.
    ///
    /// # Panics
    /// When a call panicked.
    pub fn operations(&self) -> Vec<String> {
        std::mem::take(&mut self.operations.lock().unwrap())
    }
}

impl HttpClient for WatchedClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(WatchedConnector {
            inner: self.inner.http_connector(settings, components),
            operations: Arc::clone(&self.operations),
        })
    }
}

#[derive(Debug)]
struct WatchedConnector {
    inner: SharedHttpConnector,
    operations: Arc<Mutex<Vec<String>>>,
}

impl HttpConnector for WatchedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target");
        if let Some((_, operation)) = target.and_then(|target| target.split_once('.')) {
            self.operations.lock().unwrap().push(operation.to_owned());
        }
        self.inner.call(request)
    }
}
