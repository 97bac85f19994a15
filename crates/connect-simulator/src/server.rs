//! The service behind HTTP, with what surrounds a service: throttling, faults, a log of
//! the calls.
//!
//! Connections are served by hyper directly, because dropping one in the middle of a call
//! is among the faults, and axum's own server always answers.

mod admin;
mod api;
mod authorizer;
mod engine;
mod state_file;

use std::convert::Infallible;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tower::ServiceExt;

pub use engine::CallRecord;
pub(crate) use engine::Engine;

use crate::options::Options;

/// How long calls in progress may take when the server is told to stop.
const GRACE: Duration = Duration::from_secs(5);
/// How long to wait after a failure to accept, which lasts when files have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Why a simulator cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The socket cannot be used.
    #[error("failed to listen: {0}")]
    Listen(#[source] io::Error),
    /// The state file cannot be read or written.
    #[error("failed to use the state file {path}: {source}", path = path.display())]
    StateFile {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// The state file was written by something else, or is damaged.
    #[error("{path} is not a simulator's state ({source}); remove it to start afresh", path = path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The policy engine is not at a URL.
    #[error("{url} is not the URL of a policy engine: {source}")]
    Authorizer {
        /// What was given.
        url: String,
        /// What is wrong with it.
        source: axum::http::uri::InvalidUri,
    },
    /// The state file is of another instance.
    #[error(
        "{path} holds the instance {found}, not {expected}; name another state file or remove it",
        path = path.display()
    )]
    AnotherInstance {
        /// The file.
        path: PathBuf,
        /// The instance in the file.
        found: String,
        /// The instance of the options.
        expected: String,
    },
}

/// Marks a response that must not reach the client: its connection is closed instead.
#[derive(Clone)]
struct DropConnection;

/// Makes hyper close a connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped, as a fault rule asks")]
struct ConnectionDropped;

/// Serves the simulator on `listener` until `shutdown` completes; calls in progress are
/// then given five seconds.
///
/// Beside Amazon Connect's API there are routes below `/_simulator`:
/// `GET health`, `GET operations`, `GET state`, `GET` and `DELETE calls`,
/// `GET`, `POST` and `DELETE faults` ([`FaultRule`](crate::FaultRule)),
/// `GET` and `PATCH settings` ([`Settings`](crate::Settings)), `POST reset`.
///
/// An administrator's changes are routes, too. `KIND` is an
/// [`AssignedKind`](crate::AssignedKind) such as `security-profiles`; each answers with
/// `{"id": …}`:
/// `POST KIND` with `{"name": …}`, `PATCH KIND/ID` with `{"name": …}`,
/// `POST KIND/ID/replace`, `DELETE KIND/ID` (with users: `?instead=ID`).
///
/// # Errors
///
/// A state file that cannot be used.
pub async fn serve(
    listener: TcpListener,
    options: Options,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let engine = Arc::new(Engine::new(options)?);
    run(listener, engine, shutdown).await;
    Ok(())
}

/// Serves an engine until `shutdown` completes.
pub(crate) async fn run(
    listener: TcpListener,
    engine: Arc<Engine>,
    shutdown: impl Future<Output = ()>,
) {
    let router = Router::new()
        .nest("/_simulator", admin::routes())
        .fallback(api::respond)
        .with_state(engine);
    let connections = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);

    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        let Ok((stream, _)) = accepted else {
            // A client that gave up, or no file left for its connection: others go on.
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // Answers are small; waiting to fill a packet would only delay them. Where this is
        // not possible they come later, but they come.
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            answer(router.clone(), request.map(Body::new))
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            // It ends in an error when the client goes away or the call is dropped:
            // neither is the server's to report.
            let _ = connection.await;
        });
    }
    // Whatever is still running after that ends with the runtime.
    let _ = tokio::time::timeout(GRACE, connections.shutdown()).await;
}

async fn answer(
    router: Router,
    request: hyper::Request<Body>,
) -> Result<Response, ConnectionDropped> {
    let response = router
        .oneshot(request)
        .await
        .unwrap_or_else(|never: Infallible| match never {});
    if response.extensions().get::<DropConnection>().is_some() {
        return Err(ConnectionDropped);
    }
    Ok(response)
}
