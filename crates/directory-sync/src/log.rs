//! The log, on standard error: for people, or a JSON document on each line for a log service.
//!
//! It is this program's own alone: libraries may log what they send.

use std::io;

use clap::ValueEnum;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// How the log and the error that ends a run are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// A JSON document on each line, for a log service.
    Json,
}

/// Begins to log.
pub(crate) fn start(format: LogFormat) {
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_target(false);
    let layer = match format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => layer
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .boxed(),
    };
    let own = Targets::new().with_target("directory_sync", LevelFilter::INFO);
    // A second subscriber in one process is no reason to fail.
    let _started = tracing_subscriber::registry()
        .with(layer)
        .with(own)
        .try_init();
}
