//! The HTTP client, made on first use.
//!
//! The SDK runtime validates its HTTP client by making a connector, which parses the
//! trust anchors of the machine: some 10 ms and 2 MB, spent before the function asks
//! for its first event. Here that waits until a request has to be sent.

use std::sync::{Arc, OnceLock};

use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector},
    runtime_components::RuntimeComponents,
};

/// An HTTPS client (rustls with ring) that costs nothing until it is used.
#[derive(Debug, Clone, Default)]
pub(crate) struct LazyHttpsClient(Arc<OnceLock<SharedHttpClient>>);

impl HttpClient for LazyHttpsClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.0
            .get_or_init(|| {
                Builder::new()
                    .tls_provider(Provider::Rustls(CryptoMode::Ring))
                    .build_https()
            })
            .http_connector(settings, components)
    }
}
