//! How the course of an operation is told: a bar on a terminal, plain lines elsewhere,
//! JSON lines on request.

mod bar;

use std::collections::BTreeMap;

use owo_colors::OwoColorize as _;
use serde::Serialize;
use serde_json::json;

use self::bar::Bar;
use crate::cli::EventFormat;
use crate::printer::Printer;
use crate::stack::StackEvent;

/// Tells stack events as they come. People are spared the resources that CloudFormation
/// merely gave up because another one had failed; machines get every event.
pub struct EventReporter<'a> {
    printer: &'a Printer,
    sink: Sink,
}

enum Sink {
    Bar(Bar),
    Lines,
    Json,
}

impl<'a> EventReporter<'a> {
    /// A reporter for an operation that touches `resources` resources, if that is known.
    #[must_use]
    pub fn new(printer: &'a Printer, format: EventFormat, resources: Option<usize>) -> Self {
        let sink = match format {
            EventFormat::Json => Sink::Json,
            EventFormat::Text if printer.is_interactive() => Sink::Bar(Bar::new(resources)),
            EventFormat::Text => Sink::Lines,
        };
        Self { printer, sink }
    }

    /// Tells one event.
    pub fn event(&mut self, event: &StackEvent) {
        let is_noise = event.is_cancellation();
        match &mut self.sink {
            Sink::Json => self.printer.data_line(&json_line("event", event)),
            Sink::Lines if is_noise => {}
            Sink::Lines => self.printer.message(&line(event)),
            Sink::Bar(bar) => {
                if event.is_failure() && !is_noise {
                    bar.suspend(|| self.printer.message(&line(event)));
                }
                bar.event(event);
            }
        }
    }

    /// Clears the bar.
    pub fn finish(self) {
        if let Sink::Bar(bar) = self.sink {
            bar.finish();
        }
    }
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
pub(super) fn json_line(kind: &str, data: &impl Serialize) -> String {
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

/// How an operation failed, as the last line of the JSON form.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationFailure<'a> {
    /// The stack's name.
    pub stack_name: &'a str,
    /// The state that the stack is in.
    pub status: &'a str,
    /// The first event that was no echo of another one, and what validation found.
    pub cause: &'a [String],
    /// What the rollback or the deletion could not undo.
    pub not_undone: &'a [String],
}

impl OperationFailure<'_> {
    /// The line, without its newline.
    #[must_use]
    pub fn json_line(&self) -> String {
        json_line("failure", self)
    }
}

/// An operation that was started and left to itself, as the last line of the JSON form.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationStarted<'a> {
    /// The stack's name.
    pub stack_name: &'a str,
    /// The token that all its events carry (`ClientRequestToken`).
    pub operation: &'a str,
    /// The command that follows it.
    pub resume: &'a str,
}

impl OperationStarted<'_> {
    /// The line, without its newline.
    #[must_use]
    pub fn json_line(&self) -> String {
        json_line("started", self)
    }
}
