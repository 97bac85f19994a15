//! Log lines: one JSON object per line on stdout, as Lambda's JSON log format
//! expects them (`timestamp` and `level` at the top, so that CloudWatch filters work).
//!
//! The functions handle tokens and people's names, and the crates underneath
//! print requests and responses whole at their debug level. `LOG_LEVEL` therefore
//! applies to this workspace's own crates only; all others are held at `warn`.
//!
//! Metrics are written between these lines; see [`crate::metrics`].

use std::io;

use tracing::level_filters::LevelFilter;
use tracing::{Subscriber, error, warn};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::metrics;

/// The environment variable that holds the level: `error`, `warn`, `info` or `debug`.
pub const LEVEL_VARIABLE: &str = "LOG_LEVEL";

/// The environment variable that holds the name of the CloudFormation stack, to which
/// metrics belong. Without it nothing is measured.
pub const STACK_VARIABLE: &str = "STACK_NAME";

/// Where `lambda_runtime` logs whatever the handler failed with. A refused token
/// is such a failure and no event for an operator; real ones are logged by the
/// handlers themselves, and panics by the hook below.
const RUNTIME_FAILURES: &str = "lambda_runtime::layers::panic";

/// Starts logging and measuring for the whole process; called once, first thing in `main`.
///
/// `own_crates` are the crates that may log at `LOG_LEVEL`, by the names they have in
/// code (`token_authorizer`). Panics are logged as one line with the place but
/// without the message, which may quote what the function was working on.
pub fn start(own_crates: &[&str]) {
    let configured = std::env::var(LEVEL_VARIABLE).ok();
    let level = configured.as_deref().map_or(Some(LevelFilter::INFO), level);
    let metrics = std::env::var(STACK_VARIABLE)
        .ok()
        .filter(|stack| !stack.is_empty())
        .map(|stack| metrics::layer(stack, io::stdout));
    // Only a second call fails, and then the first one's logging stands.
    let _ = subscriber(own_crates, level.unwrap_or(LevelFilter::INFO), io::stdout)
        .with(metrics)
        .try_init();
    if level.is_none() {
        warn!(
            target: "lambda_support",
            "LOG_LEVEL is none of error, warn, info, debug: logging at info"
        );
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        error!(target: "lambda_support", location = place, "the function panicked");
    }));
}

fn level(name: &str) -> Option<LevelFilter> {
    match name.trim().to_ascii_lowercase().as_str() {
        "error" => Some(LevelFilter::ERROR),
        "warn" => Some(LevelFilter::WARN),
        "" | "info" => Some(LevelFilter::INFO),
        "debug" => Some(LevelFilter::DEBUG),
        _ => None,
    }
}

/// The subscriber behind [`start`], with a writer of the caller's choice, so that
/// tests can read what a function would have logged.
pub fn subscriber<W>(
    own_crates: &[&str],
    level: LevelFilter,
    writer: W,
) -> impl Subscriber + for<'span> LookupSpan<'span> + Send + Sync + 'static
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let filter = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target(RUNTIME_FAILURES, LevelFilter::OFF)
        .with_target(metrics::TARGET, LevelFilter::OFF)
        .with_target("lambda_support", level)
        .with_targets(own_crates.iter().map(|name| (*name, level)));
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_writer(writer);
    tracing_subscriber::registry().with(lines.with_filter(filter))
}

#[cfg(test)]
mod tests {
    use test_support::CapturedLog;
    use tracing::{debug, info};

    use super::*;

    fn logged(level: LevelFilter, emit: impl FnOnce()) -> Vec<serde_json::Value> {
        let log = CapturedLog::default();
        let writer = log.clone();
        let subscriber = subscriber(&["token_authorizer"], level, move || writer.clone());
        tracing::subscriber::with_default(subscriber, emit);
        log.lines()
    }

    #[test]
    fn a_line_is_a_json_object_with_level_message_and_fields_at_the_top() {
        let lines = logged(LevelFilter::INFO, || {
            info!(target: "token_authorizer", client = "idp", "token accepted");
        });
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["level"], "INFO");
        assert_eq!(lines[0]["message"], "token accepted");
        assert_eq!(lines[0]["client"], "idp");
        assert!(lines[0]["timestamp"].is_string());
    }

    #[test]
    fn debug_applies_to_our_crates_and_never_to_those_underneath() {
        let lines = logged(LevelFilter::DEBUG, || {
            debug!(target: "token_authorizer::cache", "ours");
            debug!(target: "aws_smithy_runtime::client", "theirs, with a response body");
            warn!(target: "hyper", "their warning");
        });
        let messages: Vec<_> = lines.iter().map(|line| &line["message"]).collect();
        assert_eq!(messages, ["ours", "their warning"]);
    }

    #[test]
    fn the_level_error_silences_the_warnings_of_the_crates_underneath() {
        assert!(logged(LevelFilter::ERROR, || warn!(target: "hyper", "x")).is_empty());
    }

    #[test]
    fn what_a_handler_fails_with_is_not_logged_a_second_time_by_the_runtime() {
        assert!(
            logged(
                LevelFilter::DEBUG,
                || error!(target: "lambda_runtime::layers::panic", "Unauthorized")
            )
            .is_empty()
        );
    }

    #[test]
    fn levels_are_read_in_any_case_and_unknown_ones_are_noticed() {
        for (name, expected) in [
            ("error", Some(LevelFilter::ERROR)),
            ("WARN", Some(LevelFilter::WARN)),
            ("", Some(LevelFilter::INFO)),
            (" Debug ", Some(LevelFilter::DEBUG)),
            ("trace", None),
            ("verbose", None),
        ] {
            assert_eq!(level(name), expected, "{name:?}");
        }
    }
}
