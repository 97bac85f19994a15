//! A simulator inside a test.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::administration::{Action, AdministrationError, AssignedKind};
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

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.engine.clear_faults();
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

    /// Creates a resource of this name, as an administrator: a security profile without
    /// permissions, a routing profile like the first one, a hierarchy group at the top.
    /// Returns its id.
    ///
    /// # Errors
    ///
    /// A name that is taken or not valid.
    pub fn create(&self, kind: AssignedKind, name: &str) -> Result<String, AdministrationError> {
        let name = name.to_owned();
        self.administer(kind, Action::Create { name })
    }

    /// Renames a resource, as an administrator. Amazon Connect itself cannot rename
    /// security profiles.
    ///
    /// # Errors
    ///
    /// An unknown id; a name that is taken or not valid.
    pub fn rename(
        &self,
        kind: AssignedKind,
        id: &str,
        name: &str,
    ) -> Result<(), AdministrationError> {
        let (id, name) = (id.to_owned(), name.to_owned());
        self.administer(kind, Action::Rename { id, name }).map(drop)
    }

    /// Replaces a resource by a copy of the same name, which its users are assigned to.
    /// Returns the id of the copy.
    ///
    /// # Errors
    ///
    /// An unknown id.
    pub fn replace(&self, kind: AssignedKind, id: &str) -> Result<String, AdministrationError> {
        let id = id.to_owned();
        self.administer(kind, Action::Replace { id })
    }

    /// Deletes a resource, after its users were assigned to `instead`, if that is given.
    ///
    /// # Errors
    ///
    /// An unknown id; `ResourceInUseException` while users are assigned to it.
    pub fn delete(
        &self,
        kind: AssignedKind,
        id: &str,
        instead: Option<&str>,
    ) -> Result<(), AdministrationError> {
        let (id, instead) = (id.to_owned(), instead.map(str::to_owned));
        self.administer(kind, Action::Delete { id, instead })
            .map(drop)
    }

    fn administer(
        &self,
        kind: AssignedKind,
        action: Action,
    ) -> Result<String, AdministrationError> {
        let outcome = self.engine.administer(kind, action);
        outcome.map_err(|error| AdministrationError::from(&error))
    }

    /// Stops the server and waits until the calls in progress are answered.
    pub async fn stop(self) {
        drop(self.shutdown);
        // It cannot fail but by a panic, which has been reported.
        let _ = self.server.await;
    }
}
