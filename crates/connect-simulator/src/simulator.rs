//! A simulator inside a test.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::fault::FaultRule;
use crate::options::{Options, Settings};
use crate::server::{self, CallRecord, Engine, ServeError};

/// A simulator on a free port of the loopback interface, served by the current Tokio
/// runtime until it is dropped.
pub struct Simulator {
    address: SocketAddr,
    engine: Arc<Engine>,
    /// Dropping it stops the server.
    shutdown: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

impl Simulator {
    /// Starts a simulator.
    ///
    /// # Errors
    ///
    /// No free port; a state file that cannot be used.
    pub async fn start(options: Options) -> Result<Self, ServeError> {
        let engine = Arc::new(Engine::new(options)?);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(ServeError::Listen)?;
        let address = listener.local_addr().map_err(ServeError::Listen)?;
        let (shutdown, stopped) = oneshot::channel();
        let server = tokio::spawn(server::run(listener, Arc::clone(&engine), async {
            // The sender is dropped or used: both mean to stop.
            let _ = stopped.await;
        }));
        Ok(Self {
            address,
            engine,
            shutdown,
            server,
        })
    }

    /// Its URL, without a slash at the end: what `AWS_ENDPOINT_URL_CONNECT` takes.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The ARN of its instance.
    #[must_use]
    pub fn instance_arn(&self) -> String {
        self.engine.identity().instance_arn()
    }

    /// Adds a fault; rules are tried in the order they were added.
    pub fn inject(&self, rule: FaultRule) {
        self.engine.add_fault(rule);
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.engine.settings()
    }

    /// Replaces the settings.
    pub fn configure(&self, settings: Settings) {
        self.engine.set_settings(settings);
    }

    /// The calls so far, at most the latest 10,000, oldest first.
    #[must_use]
    pub fn calls(&self) -> Vec<CallRecord> {
        self.engine.calls()
    }

    /// Forgets the calls so far.
    pub fn clear_calls(&self) {
        self.engine.clear_calls();
    }

    /// The whole state, as `GET /_simulator/state` gives it.
    #[must_use]
    pub fn state(&self) -> Value {
        self.engine.state()
    }

    /// Stops the server and waits until the calls in progress are answered.
    pub async fn stop(self) {
        drop(self.shutdown);
        // It cannot fail but by a panic, which has been reported.
        let _ = self.server.await;
    }
}
