//! How the course of an operation is told: a bar on a terminal, plain lines elsewhere,
//! JSON lines on request. Knows events as data, never AWS.

pub mod github;

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use owo_colors::OwoColorize as _;
use serde::Serialize;
use serde_json::json;

use crate::cli::EventFormat;
use crate::printer::Printer;
use crate::stack::StackEvent;

/// Tells stack events as they come.
pub struct EventReporter<'a> {
    printer: &'a Printer,
    sink: Sink,
}

enum Sink {
    Bar {
        bar: ProgressBar,
        finished: HashSet<String>,
    },
    Lines,
    Json,
}

impl<'a> EventReporter<'a> {
    /// A reporter for an operation that touches `resources` resources, if that is known.
    #[must_use]
    pub fn new(printer: &'a Printer, format: EventFormat, resources: Option<usize>) -> Self {
        let sink = match format {
            EventFormat::Json => Sink::Json,
            EventFormat::Text if printer.is_interactive() => Sink::Bar {
                bar: progress_bar(resources),
                finished: HashSet::new(),
            },
            EventFormat::Text => Sink::Lines,
        };
        Self { printer, sink }
    }

    /// Tells one event.
    pub fn event(&mut self, event: &StackEvent) {
        match &mut self.sink {
            Sink::Json => self.printer.data_line(&json_line("event", event)),
            Sink::Lines => self.printer.message(&line(event)),
            Sink::Bar { bar, finished } => {
                if event.is_failure() {
                    bar.suspend(|| self.printer.message(&line(event)));
                }
                if event.is_complete() && !event.is_stack {
                    finished.insert(event.logical_id.clone());
                    bar.set_position(finished.len() as u64);
                }
                bar.set_message(format!("{} {}", event.logical_id, event.status));
            }
        }
    }

    /// Clears the bar.
    pub fn finish(self) {
        if let Sink::Bar { bar, .. } = self.sink {
            bar.finish_and_clear();
        }
    }
}

fn progress_bar(resources: Option<usize>) -> ProgressBar {
    let bar = match resources {
        Some(resources) => ProgressBar::new(resources as u64),
        None => ProgressBar::new_spinner(),
    };
    let template = if resources.is_some() {
        "{bar:30} {pos}/{len} {elapsed} {wide_msg}"
    } else {
        "{spinner} {elapsed} {wide_msg}"
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

fn line(event: &StackEvent) -> String {
    let status = if event.is_failure() {
        event.status.red().to_string()
    } else if event.is_complete() {
        event.status.green().to_string()
    } else {
        event.status.clone()
    };
    let time = event.timestamp.get(11..19).unwrap_or(&event.timestamp);
    let mut line = format!(
        "{time}  {status}  {}  {}",
        event.resource_type.dimmed(),
        event.logical_id
    );
    if event.is_failure()
        && let Some(reason) = &event.reason
    {
        line.push_str("\n          ");
        line.push_str(reason);
    }
    line
}

/// One line of the JSON form: `{"type": kind, …fields of data}`.
fn json_line(kind: &str, data: &impl Serialize) -> String {
    let mut object = serde_json::Map::new();
    object.insert("type".to_owned(), json!(kind));
    if let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(data) {
        object.extend(fields);
    }
    serde_json::Value::Object(object).to_string()
}

/// How an operation ended, as the last line of the JSON form.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationResult<'a> {
    /// The stack's name.
    pub stack_name: &'a str,
    /// Whether anything was changed.
    pub changed: bool,
    /// The state that the stack is in.
    pub status: &'a str,
    /// The stack's outputs; empty once it is deleted.
    pub outputs: &'a BTreeMap<String, String>,
}

impl OperationResult<'_> {
    /// The line, without its newline.
    #[must_use]
    pub fn json_line(&self) -> String {
        json_line("result", self)
    }
}
