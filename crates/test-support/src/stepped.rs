//! Stops a function between two calls to DynamoDB.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use aws_json_client::SharedHttpClient;
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::HttpRequest,
    runtime_components::RuntimeComponents,
};
use tokio::sync::watch;

/// An HTTP client that counts the calls to DynamoDB and holds back those after a limit, so
/// that a test can send another request between two calls of a request, or end the request
/// there.
#[derive(Debug, Clone)]
pub struct SteppedClient {
    inner: SharedHttpClient,
    steps: Arc<Steps>,
}

#[derive(Debug)]
struct Steps {
    operations: Mutex<Vec<String>>,
    messages: AtomicUsize,
    /// The number of calls that are sent; later ones wait.
    limit: watch::Sender<usize>,
    waiting: watch::Sender<bool>,
}

impl SteppedClient {
    /// A client without a limit.
    #[must_use]
    pub fn new(inner: SharedHttpClient) -> Self {
        Self {
            inner,
            steps: Arc::new(Steps {
                operations: Mutex::default(),
                messages: AtomicUsize::new(0),
                limit: watch::Sender::new(usize::MAX),
                waiting: watch::Sender::new(false),
            }),
        }
    }

    /// The operations since the last call of this function, in order, such as `GetItem`.
    ///
    /// # Panics
    /// When a call panicked.
    #[must_use]
    pub fn operations(&self) -> Vec<String> {
        std::mem::take(&mut self.steps.operations.lock().expect("no call panicked"))
    }

    /// The number of calls that sent messages to a queue.
    #[must_use]
    pub fn sent_messages(&self) -> usize {
        self.steps.messages.load(Ordering::Relaxed)
    }

    /// Sends this many further calls; later ones wait for [`SteppedClient::release`].
    pub fn hold_after(&self, calls: usize) {
        drop(self.operations());
        self.steps.waiting.send_replace(false);
        self.steps.limit.send_replace(calls);
    }

    /// Waits until a call is held back.
    ///
    /// # Panics
    /// Never: this value owns the sender.
    pub async fn held(&self) {
        let mut waiting = self.steps.waiting.subscribe();
        let held = waiting.wait_for(|waiting| *waiting).await;
        held.expect("the sender exists");
    }

    /// Sends the waiting calls and all later ones.
    pub fn release(&self) {
        self.steps.limit.send_replace(usize::MAX);
    }
}

impl HttpClient for SteppedClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(SteppedConnector {
            inner: self.inner.http_connector(settings, components),
            steps: Arc::clone(&self.steps),
        })
    }
}

#[derive(Debug)]
struct SteppedConnector {
    inner: SharedHttpConnector,
    steps: Arc<Steps>,
}

impl HttpConnector for SteppedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target");
        if target.is_some_and(|target| target.starts_with("AmazonSQS.SendMessage")) {
            self.steps.messages.fetch_add(1, Ordering::Relaxed);
        }
        let operation = target.and_then(|target| target.strip_prefix("DynamoDB_20120810."));
        let Some(operation) = operation else {
            return self.inner.call(request);
        };
        let number = {
            let mut operations = self.steps.operations.lock().expect("no call panicked");
            operations.push(operation.to_owned());
            operations.len()
        };
        let mut limit = self.steps.limit.subscribe();
        if number <= *limit.borrow() {
            return self.inner.call(request);
        }
        self.steps.waiting.send_replace(true);
        let inner = self.inner.clone();
        HttpConnectorFuture::new(async move {
            // The sender is dropped at the end of the test.
            let _ = limit.wait_for(|limit| number <= *limit).await;
            inner.call(request).await
        })
    }
}
