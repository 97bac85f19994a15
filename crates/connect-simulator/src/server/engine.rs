//! One simulated instance: its state, and what happens to a call before and after the
//! operation.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::authorizer::{Authorizer, Signer};
use super::{ServeError, state_file};
use crate::administration::{self, Action, AssignedKind};
use crate::authorization::Access;
use crate::call::{Call, Context, Reply};
use crate::error::{ErrorCode, ServiceError};
use crate::fault::{Fault, FaultRule, Faults};
use crate::operation::Operation;
use crate::operations;
use crate::options::{Identity, Options, Settings};
use crate::seed;
use crate::state::State;
use crate::throttle::TokenBuckets;
use crate::timestamp::Timestamp;

/// How many calls the log keeps; the counts go on.
const LOGGED_CALLS: usize = 10_000;

/// A simulated instance.
pub(crate) struct Engine {
    identity: Identity,
    state_file: Option<PathBuf>,
    authorizer: Option<Authorizer>,
    /// What a reset goes back to.
    initial_settings: Settings,
    /// One call at a time, as long as it takes to change the state and write it.
    inner: Mutex<Inner>,
}

struct Inner {
    state: State,
    settings: Settings,
    buckets: TokenBuckets,
    faults: Faults,
    calls: CallLog,
}

/// The calls so far. No names, no addresses: a call is told by its operation and caller.
#[derive(Default)]
struct CallLog {
    counts: BTreeMap<Operation, CallCounts>,
    recent: VecDeque<CallRecord>,
}

/// How often an operation was called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CallCounts {
    /// All calls.
    pub(crate) calls: u64,
    /// Those that were throttled.
    pub(crate) throttled: u64,
    /// Those that were refused or failed, throttled ones included.
    pub(crate) failed: u64,
}

/// One call in the log.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallRecord {
    /// The operation.
    pub operation: Operation,
    /// Milliseconds since the Unix epoch.
    pub at_milliseconds: u64,
    /// Who signed the request (the access key id, which is no secret), if anyone did.
    pub access_key_id: Option<String>,
    /// The error's name; absent for a success.
    pub error: Option<String>,
    /// The answer was not sent: a fault dropped the connection.
    pub dropped: bool,
}

/// What becomes of a call.
pub(crate) enum Outcome {
    /// The reply is sent.
    Reply(Reply),
    /// The connection is closed.
    Drop,
}

impl Engine {
    pub(crate) fn new(options: Options) -> Result<Self, ServeError> {
        let Options {
            identity,
            settings,
            state_file,
            authorizer,
        } = options;
        let authorizer = authorizer
            .map(|url| match url.parse() {
                Ok(uri) => Ok(Authorizer::new(uri)),
                Err(source) => Err(ServeError::Authorizer { url, source }),
            })
            .transpose()?;
        let read = state_file
            .as_deref()
            .map(|path| state_file::read(path, &identity.instance_id))
            .transpose()?
            .flatten();
        let state = read.unwrap_or_else(|| seed::state(&identity, Timestamp::now()));
        if let Some(path) = &state_file {
            state_file::write(path, &state).map_err(|source| ServeError::StateFile {
                path: path.clone(),
                source,
            })?;
        }
        Ok(Self {
            identity,
            state_file,
            authorizer,
            initial_settings: settings.clone(),
            inner: Mutex::new(Inner::new(state, settings)),
        })
    }

    pub(crate) const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Takes a call through faults, authorisation, throttle and operation. `call` is an error if the
    /// request could not be read.
    pub(crate) async fn handle(
        &self,
        operation: Operation,
        signer: Option<Signer>,
        call: Result<Call, ServiceError>,
    ) -> Outcome {
        let fault = self.lock().faults.strike(operation, rand::random::<f64>);
        if let Some(Fault::Delay { milliseconds }) = fault {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        }
        let reply = match fault {
            Some(Fault::DropBefore) => Ok(None),
            Some(Fault::Throttle) => Err(ServiceError::throttled()),
            Some(Fault::AccessDenied) => Err(ServiceError::new(
                ErrorCode::AccessDenied,
                "A fault rule asked for this error",
            )),
            Some(Fault::Error { status }) => Err(ServiceError::new(
                ErrorCode::InternalService(status),
                "A fault rule asked for this error",
            )),
            Some(Fault::Delay { .. } | Fault::DropAfter) | None => match call {
                Ok(call) => match self.authorize(signer.as_ref(), &call).await {
                    Ok(()) => self.run(&call),
                    Err(refused) => Err(refused),
                },
                Err(unreadable) => Err(unreadable),
            },
        };
        let dropped = matches!(fault, Some(Fault::DropBefore | Fault::DropAfter));
        self.lock().calls.note(
            operation,
            signer.map(|signer| signer.access_key_id),
            &reply,
            dropped,
        );
        if dropped {
            Outcome::Drop
        } else {
            Outcome::Reply(reply)
        }
    }

    async fn authorize(&self, signer: Option<&Signer>, call: &Call) -> Result<(), ServiceError> {
        match &self.authorizer {
            Some(authorizer) => {
                let access = Access::of(call, &self.identity);
                authorizer.check(signer, access, &self.identity).await
            }
            None => Ok(()),
        }
    }

    fn run(&self, call: &Call) -> Reply {
        let now = Timestamp::now();
        let mut inner = self.lock();
        let inner = &mut *inner;
        if let Some(throttle) = inner.settings.throttle
            && !inner.buckets.take(call.operation, throttle, now)
        {
            return Err(ServiceError::throttled());
        }
        let context = Context {
            now,
            fresh_id: &Uuid::new_v4().to_string(),
            identity: &self.identity,
            settings: &inner.settings,
        };
        let reply = operations::respond(&mut inner.state, &context, call)?;
        if !call.operation.is_read_only() {
            self.persist(&inner.state)?;
        }
        Ok(reply)
    }

    /// Makes an administrator's change. Returns the id of the created or changed resource.
    pub(crate) fn administer(
        &self,
        kind: AssignedKind,
        action: Action,
    ) -> Result<String, ServiceError> {
        let mut inner = self.lock();
        let inner = &mut *inner;
        let context = Context {
            now: Timestamp::now(),
            fresh_id: &Uuid::new_v4().to_string(),
            identity: &self.identity,
            settings: &inner.settings,
        };
        let id = administration::apply(&mut inner.state, &context, kind, action)?;
        self.persist(&inner.state)?;
        Ok(id)
    }

    /// Writes the state. A failure answers the call with an error although it was done,
    /// like an answer that is lost.
    fn persist(&self, state: &State) -> Result<(), ServiceError> {
        let Some(path) = &self.state_file else {
            return Ok(());
        };
        state_file::write(path, state).map_err(|error| {
            ServiceError::new(
                ErrorCode::InternalService(500),
                format!("cannot write the state file {}: {error}", path.display()),
            )
        })
    }

    pub(crate) fn state(&self) -> Value {
        serde_json::to_value(&self.lock().state).unwrap_or_default()
    }

    pub(crate) fn counts(&self) -> BTreeMap<Operation, CallCounts> {
        self.lock().calls.counts.clone()
    }

    pub(crate) fn calls(&self) -> Vec<CallRecord> {
        self.lock().calls.recent.iter().cloned().collect()
    }

    pub(crate) fn clear_calls(&self) {
        self.lock().calls = CallLog::default();
    }

    pub(crate) fn faults(&self) -> Vec<FaultRule> {
        self.lock().faults.0.clone()
    }

    pub(crate) fn add_fault(&self, rule: FaultRule) {
        self.lock().faults.0.push(rule);
    }

    pub(crate) fn clear_faults(&self) {
        self.lock().faults = Faults::default();
    }

    pub(crate) fn settings(&self) -> Settings {
        self.lock().settings.clone()
    }

    /// A new throttle begins with full buckets.
    pub(crate) fn set_settings(&self, settings: Settings) {
        let mut inner = self.lock();
        inner.settings = settings;
        inner.buckets = TokenBuckets::default();
    }

    /// Back to what a new instance holds, with the settings of the start.
    pub(crate) fn reset(&self) -> Result<(), ServiceError> {
        let mut inner = self.lock();
        let state = seed::state(&self.identity, Timestamp::now());
        *inner = Inner::new(state, self.initial_settings.clone());
        self.persist(&inner.state)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // An operation that refuses has changed nothing, so the state of a call that
        // panicked is no worse than that of one that was refused.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn new(state: State, settings: Settings) -> Self {
        Self {
            state,
            settings,
            buckets: TokenBuckets::default(),
            faults: Faults::default(),
            calls: CallLog::default(),
        }
    }
}

impl CallLog {
    fn note(
        &mut self,
        operation: Operation,
        access_key_id: Option<String>,
        reply: &Reply,
        dropped: bool,
    ) {
        let error = reply.as_ref().err().map(|error| error.code);
        let counts = self.counts.entry(operation).or_default();
        counts.calls += 1;
        counts.failed += u64::from(error.is_some());
        counts.throttled += u64::from(error == Some(ErrorCode::Throttling));
        if self.recent.len() == LOGGED_CALLS {
            self.recent.pop_front();
        }
        self.recent.push_back(CallRecord {
            operation,
            at_milliseconds: Timestamp::now().as_milliseconds(),
            access_key_id,
            error: error.map(|code| code.name().to_owned()),
            dropped,
        });
    }
}
