//! The endpoint on a port of its own, and what a test sees and does behind its back.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::error::Error;
use crate::fault::Fault;
use crate::operation::Operation;
use crate::options::Options;
use crate::server;
use crate::state::State;
use crate::throttle::Throttle;

/// The tenant of the endpoint's address.
pub(crate) const TENANT: &str = "Qe1mUsUkn4f-35cf78a2-c5f3-4a2f-8a25-6b1d2c1b7f11";

/// The bearer token.
pub(crate) const TOKEN: &str = "7cfe8a9d-simulator-token-that-no-log-may-show";

/// An identity store that answers on a port of the loopback interface until it is dropped.
#[derive(Debug)]
pub struct Simulator {
    shared: Arc<Shared>,
    endpoint: String,
    server: JoinHandle<()>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub inner: Mutex<Inner>,
    /// Told each time that a fault happens.
    pub reached: Notify,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub state: State,
    pub throttle: Throttle,
    pub calls: BTreeMap<Operation, usize>,
    pub throttled: usize,
    pub refused: usize,
    /// By how many writes from now, and what then.
    write_faults: VecDeque<(usize, Fault)>,
    /// The same for all calls.
    call_faults: VecDeque<(usize, Fault)>,
}

impl Inner {
    pub(crate) fn fault(&mut self, operation: Operation) -> Option<Fault> {
        let of_call = due(&mut self.call_faults);
        let of_write = operation
            .is_write()
            .then(|| due(&mut self.write_faults))
            .flatten();
        of_write.or(of_call)
    }
}

fn due(faults: &mut VecDeque<(usize, Fault)>) -> Option<Fault> {
    let (left, fault) = faults.front_mut()?;
    if *left > 0 {
        *left -= 1;
        return None;
    }
    let fault = *fault;
    faults.pop_front();
    Some(fault)
}

impl Simulator {
    /// Starts an empty identity store.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(options: Options) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            inner: Mutex::new(Inner {
                state: State::new(options),
                throttle: Throttle::default(),
                calls: BTreeMap::new(),
                throttled: 0,
                refused: 0,
                write_faults: VecDeque::new(),
                call_faults: VecDeque::new(),
            }),
            reached: Notify::new(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let router = Router::new().fallback({
            let shared = Arc::clone(&shared);
            move |method, uri, headers, body| {
                server::serve(Arc::clone(&shared), method, uri, headers, body)
            }
        });
        let server = tokio::spawn(async move {
            // Ends with the task; a listener that fails shows in every request.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            shared,
            endpoint: format!("http://{address}/{TENANT}/scim/v2/"),
            server,
        })
    }

    /// The address of the endpoint, as the console shows it.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The bearer token.
    #[must_use]
    pub fn token(&self) -> &'static str {
        TOKEN
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.shared
            .inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls since the start or the last [`Simulator::forget_calls`], by operation.
    #[must_use]
    pub fn calls(&self) -> BTreeMap<Operation, usize> {
        self.inner().calls.clone()
    }

    /// Writing calls.
    #[must_use]
    pub fn writes(&self) -> usize {
        let calls = self.calls();
        let writes = calls.iter().filter(|(operation, _)| operation.is_write());
        writes.map(|(_, count)| count).sum()
    }

    /// Reading calls.
    #[must_use]
    pub fn reads(&self) -> usize {
        self.calls().values().sum::<usize>() - self.writes()
    }

    /// Calls that were answered with 429 because of the rate.
    #[must_use]
    pub fn throttled(&self) -> usize {
        self.inner().throttled
    }

    /// Writes that were refused: 400, 404, 409.
    #[must_use]
    pub fn refused(&self) -> usize {
        self.inner().refused
    }

    /// Counts from zero again.
    pub fn forget_calls(&self) {
        let mut inner = self.inner();
        inner.calls.clear();
        inner.throttled = 0;
        inner.refused = 0;
    }

    /// Lets the write after `passing` more ones go wrong; of several, each is counted from the
    /// one before.
    pub fn fail_write(&self, passing: usize, fault: Fault) {
        self.inner().write_faults.push_back((passing, fault));
    }

    /// The same for any call.
    pub fn fail_call(&self, passing: usize, fault: Fault) {
        self.inner().call_faults.push_back((passing, fault));
    }

    /// Takes back what has not gone wrong yet.
    pub fn forget_faults(&self) {
        let mut inner = self.inner();
        inner.write_faults.clear();
        inner.call_faults.clear();
    }

    /// Waits until something goes wrong.
    pub async fn fault_reached(&self) {
        self.shared.reached.notified().await;
    }

    /// Whether calls are throttled from now on.
    pub fn throttle(&self, throttle: bool) {
        self.inner().state.options.throttle = throttle;
    }

    /// All users, as they are answered.
    #[must_use]
    pub fn users(&self) -> Vec<Value> {
        let inner = self.inner();
        inner
            .state
            .users
            .values()
            .cloned()
            .map(Value::Object)
            .collect()
    }

    /// The user of a name.
    #[must_use]
    pub fn user(&self, user_name: &str) -> Option<Value> {
        self.users()
            .into_iter()
            .find(|user| user["userName"] == user_name)
    }

    /// All groups, as they are answered: without members.
    #[must_use]
    pub fn groups(&self) -> Vec<Value> {
        let inner = self.inner();
        let groups = inner.state.groups.values();
        groups
            .map(|group| Value::Object(group.resource.clone()))
            .collect()
    }

    /// The user names of a group's members, by the group's name; none where there is no such
    /// group.
    #[must_use]
    pub fn members(&self, display_name: &str) -> Option<BTreeSet<String>> {
        let inner = self.inner();
        let group = inner.state.groups.values().find(|group| {
            group.resource.get("displayName").and_then(Value::as_str) == Some(display_name)
        })?;
        let names = group.members.iter().filter_map(|id| {
            let user = inner.state.users.get(id)?;
            user.get("userName")
                .and_then(Value::as_str)
                .map(str::to_owned)
        });
        Some(names.collect())
    }

    /// Makes a user past the endpoint, as another tool or the console would; returns the id.
    /// None where the user is not unique.
    pub fn add_user(&self, user: Value) -> Option<String> {
        let Value::Object(user) = user else {
            return None;
        };
        let id = State::new_id();
        let mut inner = self.inner();
        let stored: Result<(), Error> = inner.state.put_user(&id, user);
        stored.ok().map(|()| id)
    }

    /// Makes a group with members, by their ids, past the endpoint; returns the id.
    pub fn add_group(&self, group: Value, members: &[String]) -> Option<String> {
        let Value::Object(group) = group else {
            return None;
        };
        let id = State::new_id();
        let mut inner = self.inner();
        inner.state.put_group(&id, group).ok()?;
        for member in members {
            inner.state.add_member(&id, member);
        }
        Some(id)
    }

    /// Makes a user a member past the endpoint, by the group's and the user's id.
    pub fn add_member(&self, group: &str, user: &str) {
        self.inner().state.add_member(group, user);
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.server.abort();
    }
}
