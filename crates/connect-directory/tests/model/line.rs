//! The HTTP client of one function instance, which a test cuts at a chosen call.

use std::{
    collections::BTreeSet,
    future::pending,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_json_client::SharedHttpClient;
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use tokio::sync::Notify;

/// What goes wrong during one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The function is killed at this call to the store or to Connect, counted from 1.
    Kill { call: u32, is_carried_out: bool },
    /// No response of Connect arrives.
    ConnectLost { is_carried_out: bool },
    /// The response of this call, counted from 1, is lost.
    Lost { call: u32, is_carried_out: bool },
    /// The function does nothing for a while before this call, counted from 1: others
    /// overtake it.
    Pause { call: u32 },
}

/// How long [`Fault::Pause`] lasts: long enough for some requests, and shorter than the
/// timeout of a call.
const PAUSE: Duration = Duration::from_millis(400);

/// An HTTP client with [`Fault`]s. Calls go on by themselves, so that a request that ends
/// takes back nothing that it has sent.
#[derive(Debug, Clone)]
pub struct Line {
    inner: SharedHttpClient,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    fault: Mutex<Option<Fault>>,
    in_flight: AtomicUsize,
    killed: Notify,
    /// Bodies of transactions that were carried out, and whose response was lost.
    lost_transactions: Mutex<BTreeSet<Vec<u8>>>,
}

/// What happens to one call.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Passes,
    Pauses,
    Kills { is_carried_out: bool },
    IsLost { is_carried_out: bool },
}

impl Line {
    pub fn new(inner: SharedHttpClient) -> Self {
        Self {
            inner,
            state: Arc::default(),
        }
    }

    /// The fault of the calls from now on.
    pub fn set(&self, fault: Option<Fault>) {
        *self.state.fault() = fault;
    }

    /// Waits until the function is killed.
    pub async fn killed(&self) {
        self.state.killed.notified().await;
    }

    /// Waits until every call that was sent has been carried out.
    pub async fn idle(&self) {
        while self.state.in_flight.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

impl State {
    fn fault(&self) -> MutexGuard<'_, Option<Fault>> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lost_transactions(&self) -> MutexGuard<'_, BTreeSet<Vec<u8>>> {
        self.lost_transactions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn fate(&self, is_connect: bool) -> Fate {
        match &mut *self.fault() {
            Some(Fault::Kill { call, .. } | Fault::Lost { call, .. } | Fault::Pause { call })
                if *call > 1 =>
            {
                *call -= 1;
                Fate::Passes
            }
            Some(Fault::Kill {
                call,
                is_carried_out,
            }) => {
                let fate = Fate::Kills {
                    // Calls after the one that kills are not sent.
                    is_carried_out: *is_carried_out && *call == 1,
                };
                *call = 0;
                fate
            }
            Some(Fault::Pause { call }) if *call == 1 => {
                *call = 0;
                Fate::Pauses
            }
            Some(Fault::Lost {
                call,
                is_carried_out,
            }) if *call == 1 => {
                *call = 0;
                Fate::IsLost {
                    is_carried_out: *is_carried_out,
                }
            }
            Some(Fault::ConnectLost { is_carried_out }) if is_connect => Fate::IsLost {
                is_carried_out: *is_carried_out,
            },
            _ => Fate::Passes,
        }
    }
}

/// The body of a transaction, which has a request token: DynamoDB recognises a repetition,
/// MiniStack does not.
fn transaction(request: &HttpRequest) -> Option<Vec<u8>> {
    let target = request.headers().get("x-amz-target")?;
    let body = target
        .ends_with(".TransactWriteItems")
        .then(|| request.body().bytes())?;
    body.map(<[u8]>::to_vec)
}

impl HttpClient for Line {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(LineConnector {
            inner: self.inner.http_connector(settings, components),
            state: Arc::clone(&self.state),
        })
    }
}

#[derive(Debug)]
struct LineConnector {
    inner: SharedHttpConnector,
    state: Arc<State>,
}

impl HttpConnector for LineConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        // Connect's API is REST; DynamoDB's names its operations in a header.
        let is_connect = request.headers().get("x-amz-target").is_none();
        let transaction = transaction(&request);
        if let Some(body) = &transaction
            && self.state.lost_transactions().contains(body)
        {
            let response = HttpResponse::new(200.try_into().unwrap(), SdkBody::from("{}"));
            return HttpConnectorFuture::ready(Ok(response));
        }
        let fate = self.state.fate(is_connect);
        let is_sent = match fate {
            Fate::Passes | Fate::Pauses => true,
            Fate::Kills { is_carried_out } | Fate::IsLost { is_carried_out } => is_carried_out,
        };
        let sent = is_sent.then(|| {
            let (inner, state) = (self.inner.clone(), Arc::clone(&self.state));
            state.in_flight.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                if matches!(fate, Fate::Pauses) {
                    tokio::time::sleep(PAUSE).await;
                }
                let response = inner.call(request).await;
                state.in_flight.fetch_sub(1, Ordering::SeqCst);
                response
            })
        });
        let state = Arc::clone(&self.state);
        HttpConnectorFuture::new(async move {
            let response = match sent {
                Some(sent) => Some(sent.await.expect("a call does not panic")),
                None => None,
            };
            match (fate, response) {
                (Fate::Passes | Fate::Pauses, Some(response)) => response,
                (Fate::Kills { .. }, _) => {
                    state.killed.notify_one();
                    pending().await
                }
                (Fate::IsLost { .. }, response) => {
                    if let (Some(body), Some(Ok(response))) = (transaction, response)
                        && response.status().is_success()
                    {
                        state.lost_transactions().insert(body);
                    }
                    Err(ConnectorError::io("the response is lost".into()))
                }
                (Fate::Passes | Fate::Pauses, None) => unreachable!("the call was sent"),
            }
        })
    }
}
