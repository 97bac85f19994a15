//! Metrics, as log lines that CloudWatch makes metrics of (embedded metric format): no
//! call to an API, no time of the request, nothing to lose when the function is frozen.
//!
//! A crate measures with [`measure!`](crate::measure), which makes an event of the target
//! [`TARGET`]; a field is a metric, and what stands before its dot is the unit.
//!
//! The stack is the only dimension: every combination of dimensions is a metric of its own
//! to CloudWatch, and is paid for as one. Texts cannot be measured, so a name or a token
//! cannot get into these lines.
//!
//! Source: "Specification: Embedded metric format",
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.

use std::fmt::Debug;
use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// The target of events that measure.
pub const TARGET: &str = "embedded_metrics";

/// The CloudWatch namespace of all metrics. The template names it too, in alarms and in the
/// dashboard.
pub const NAMESPACE: &str = "connect-scim";

/// The dimension of all metrics.
const DIMENSION: &str = "Stack";

/// Measures, in a crate that has `tracing`. Units are `count` (also of truth values, as 0 or
/// 1), `milliseconds`, `seconds` and `days`.
///
/// ```
/// lambda_support::measure! {
///     count.Requests = 1,
///     count.ServerErrors = false,
///     milliseconds.Latency = 12,
/// }
/// ```
#[macro_export]
macro_rules! measure {
    ($($fields:tt)+) => {
        ::tracing::event!(
            target: $crate::metrics::TARGET,
            ::tracing::Level::INFO,
            { $($fields)+ }
        )
    };
}

/// One measurement.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Metric {
    name: &'static str,
    /// As CloudWatch names it.
    unit: &'static str,
    value: u64,
}

impl Metric {
    /// The metric of a field such as `count.Requests`; none where no unit is known.
    fn of_field(field: &'static str, value: u64) -> Option<Self> {
        let (unit, name) = field.split_once('.')?;
        let unit = match unit {
            "count" => "Count",
            "milliseconds" => "Milliseconds",
            "seconds" => "Seconds",
            // CloudWatch has no days.
            "days" => "None",
            _ => return None,
        };
        Some(Self { name, unit, value })
    }
}

/// The line for what a stack measured at `time`, without a line end.
fn line(stack: &str, time: SystemTime, metrics: &[Metric]) -> String {
    let milliseconds = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let definitions: Vec<Value> = metrics
        .iter()
        .map(|metric| json!({"Name": metric.name, "Unit": metric.unit}))
        .collect();
    let mut document: Map<String, Value> = metrics
        .iter()
        .map(|metric| (metric.name.to_owned(), metric.value.into()))
        .collect();
    document.insert(DIMENSION.to_owned(), stack.into());
    document.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": u64::try_from(milliseconds.as_millis()).unwrap_or(u64::MAX),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [[DIMENSION]],
                "Metrics": definitions,
            }],
        }),
    );
    Value::Object(document).to_string()
}

/// Writes the events of [`TARGET`] as metrics of `stack`, and nothing else. The level of
/// the log has no say in it.
pub fn layer<S, W>(stack: String, writer: W) -> impl Layer<S> + Send + Sync + 'static
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    EmbeddedMetrics { stack, writer }
        .with_filter(Targets::new().with_target(TARGET, LevelFilter::INFO))
}

struct EmbeddedMetrics<W> {
    stack: String,
    writer: W,
}

impl<S, W> Layer<S> for EmbeddedMetrics<W>
where
    S: Subscriber,
    W: for<'writer> MakeWriter<'writer> + 'static,
{
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut measured = Measured::default();
        event.record(&mut measured);
        if measured.0.is_empty() {
            return;
        }
        let line = line(&self.stack, SystemTime::now(), &measured.0) + "\n";
        // In one piece, so that no other line gets in between. A log that takes no lines
        // is no reason to fail.
        let _ = self.writer.make_writer().write_all(line.as_bytes());
    }
}

/// Collects the fields that measure.
#[derive(Default)]
struct Measured(Vec<Metric>);

impl Visit for Measured {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.extend(Metric::of_field(field.name(), value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.record_u64(field, value.try_into().unwrap_or_default());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.record_u64(field, value.into());
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use test_support::CapturedLog;
    use tracing::info;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::logging;

    /// What the specification says that a line must have.
    fn assert_specified(document: &Value) {
        let metadata = &document["_aws"];
        assert!(metadata["Timestamp"].is_u64(), "{document}");
        let [directive] = &metadata["CloudWatchMetrics"].as_array().unwrap()[..] else {
            panic!("one directive: {document}");
        };
        let length = directive["Namespace"].as_str().unwrap().len();
        assert!((1..=255).contains(&length), "{document}");
        for set in directive["Dimensions"].as_array().unwrap() {
            for dimension in set.as_array().unwrap() {
                let target = &document[dimension.as_str().unwrap()];
                assert!(!target.as_str().unwrap().is_empty(), "{document}");
            }
        }
        let metrics = directive["Metrics"].as_array().unwrap();
        assert!((1..=100).contains(&metrics.len()), "{document}");
        for metric in metrics {
            assert!(document[metric["Name"].as_str().unwrap()].is_number());
            assert!(
                ["Count", "Milliseconds", "Seconds", "None"]
                    .contains(&metric["Unit"].as_str().unwrap())
            );
        }
    }

    fn logged(level: LevelFilter, emit: impl FnOnce()) -> Vec<Value> {
        let log = CapturedLog::default();
        let (lines, metrics) = (log.clone(), log.clone());
        let subscriber = logging::subscriber(&["reconciler"], level, move || lines.clone())
            .with(layer("scim-dev".to_owned(), move || metrics.clone()));
        tracing::subscriber::with_default(subscriber, emit);
        log.lines()
    }

    #[test]
    fn a_line_is_a_document_of_the_embedded_metric_format() {
        let metrics = ["count.Requests", "milliseconds.Latency", "days.TokenAge"]
            .map(|field| Metric::of_field(field, 7).unwrap());
        let time = UNIX_EPOCH + Duration::from_millis(1_574_109_732_004);
        let line = line("scim-dev", time, &metrics);
        let document: Value = serde_json::from_str(&line).unwrap();
        assert_specified(&document);
        assert_eq!(
            document,
            json!({
                "_aws": {
                    "Timestamp": 1_574_109_732_004_u64,
                    "CloudWatchMetrics": [{
                        "Namespace": "connect-scim",
                        "Dimensions": [["Stack"]],
                        "Metrics": [
                            {"Name": "Requests", "Unit": "Count"},
                            {"Name": "Latency", "Unit": "Milliseconds"},
                            {"Name": "TokenAge", "Unit": "None"},
                        ],
                    }],
                },
                "Stack": "scim-dev",
                "Requests": 7,
                "Latency": 7,
                "TokenAge": 7,
            })
        );
        assert!(!line.contains('\n'));
    }

    #[test]
    fn fields_with_a_unit_are_measured_and_texts_never() {
        let documents = logged(LevelFilter::INFO, || {
            measure! {
                count.Requests = 1,
                count.ServerErrors = true,
                count.Pending = 3_u32,
                seconds.OldestPendingAge = 90_u64,
                count.Text = "a name",
                count.Debug = ?"a name",
                unknown.Thing = 1,
                bare = 1,
            }
        });
        assert_eq!(documents.len(), 1);
        assert_specified(&documents[0]);
        let mut measured = documents[0].as_object().unwrap().clone();
        measured.remove("_aws");
        assert_eq!(
            Value::Object(measured),
            json!({
                "Stack": "scim-dev",
                "Requests": 1,
                "ServerErrors": 1,
                "Pending": 3,
                "OldestPendingAge": 90,
            })
        );
    }

    #[test]
    fn metrics_are_written_at_every_level_of_the_log_and_are_no_log_lines() {
        for level in [LevelFilter::ERROR, LevelFilter::DEBUG] {
            let documents = logged(level, || measure! { count.Requests = 1 });
            assert_eq!(documents.len(), 1, "{level}");
            assert_specified(&documents[0]);
        }
    }

    #[test]
    fn log_lines_are_no_metrics() {
        let lines = logged(LevelFilter::INFO, || {
            info!(target: "reconciler", requests = 1, "a line");
            info!(target: TARGET, "nothing measured");
        });
        assert_eq!(lines.len(), 1);
        assert!(lines[0].get("_aws").is_none());
    }
}
