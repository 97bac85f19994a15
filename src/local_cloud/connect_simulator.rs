//! The Connect simulator as a process of its own.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use connect_simulator::{Options, ServeError};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::Error;

/// Serves the Connect simulator at a loopback port until SIGTERM or SIGINT. `authorizer` is
/// the URL of the policy engine that decides who may do what.
///
/// # Errors
/// When the port is taken or the state file cannot be used.
pub fn serve(
    port: u16,
    state_file: Option<PathBuf>,
    authorizer: Option<String>,
) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::io(|| "start the asynchronous runtime".to_owned()))?;
    runtime.block_on(async {
        let handle = |kind| signal(kind).map_err(Error::io(|| "handle signals".to_owned()));
        let mut terminate = handle(SignalKind::terminate())?;
        let mut interrupt = handle(SignalKind::interrupt())?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .map_err(ServeError::Listen)?;
        let options = Options {
            state_file,
            authorizer,
            ..Options::default()
        };
        connect_simulator::serve(listener, options, async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
        .await?;
        Ok(())
    })
}
