//! One log line for people.
//!
//! The functions write JSON: `message`, its level, and fields. Lambda writes about each
//! invocation in between, as JSON on AWS and as text in the local cloud, and the functions'
//! metrics are lines as well; unless something went wrong these say nothing to a reader.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::Event;

/// Fields that are told elsewhere in the line, or mean nothing to a reader.
const LEFT_OUT: [&str; 6] = ["timestamp", "time", "level", "message", "target", "span"];

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Details.
    Debug,
    /// What happens all the time.
    Info,
    /// What somebody should look at.
    Warn,
    /// A failure.
    Error,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `2026-11-21 20:14:00.234`, UTC.
    pub time: String,
    /// How bad it is; `None` where the line does not say.
    pub level: Option<Level>,
    /// Which function wrote it, or `access-log`.
    pub source: String,
    /// The message with its fields.
    pub text: String,
}

impl Level {
    /// Five letters at most.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "trace" | "debug" => Some(Self::Debug),
            "info" => Some(Self::Info),
            "warn" => Some(Self::Warn),
            "error" | "fatal" => Some(Self::Error),
            _ => None,
        }
    }
}

impl Line {
    /// What an event says; `None` where it says nothing to a reader.
    #[must_use]
    pub fn of(event: &Event) -> Option<Self> {
        let parsed = match serde_json::from_str(&event.message) {
            Ok(Value::Object(fields)) => of_fields(&fields)?,
            _ if is_routine(&event.message) => return None,
            _ => (None, event.message.clone()),
        };
        let (level, text) = parsed;
        Some(Self {
            time: time(event.timestamp),
            level,
            source: event.source.clone(),
            text,
        })
    }
}

fn time(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds).map_or_else(
        |_| milliseconds.to_string(),
        |time| time.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string(),
    )
}

fn of_fields(fields: &Map<String, Value>) -> Option<(Option<Level>, String)> {
    if fields.contains_key("_aws") {
        return None;
    }
    if let Some(kind) = fields.get("type").and_then(Value::as_str)
        && kind.starts_with("platform.")
    {
        return platform(kind, fields.get("record")?);
    }
    let level = fields
        .get("level")
        .and_then(Value::as_str)
        .and_then(Level::parse);
    let mut text = fields
        .get("message")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    for (name, value) in fields {
        if !LEFT_OUT.contains(&name.as_str()) {
            append(&mut text, name, value);
        }
    }
    Some((level, text))
}

/// Lambda's own record of an invocation.
/// <https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html>
fn platform(kind: &str, record: &Value) -> Option<(Option<Level>, String)> {
    let status = record["status"].as_str()?;
    if status == "success" {
        return None;
    }
    let mut text = format!("Lambda: {} {status}", kind.trim_start_matches("platform."));
    for name in ["errorType", "requestId"] {
        if let Some(value) = record.get(name) {
            append(&mut text, name, value);
        }
    }
    Some((Some(Level::Error), text))
}

fn append(text: &mut String, name: &str, value: &Value) {
    if !text.is_empty() {
        text.push(' ');
    }
    let written = match value.as_str() {
        Some(word) if is_plain(word) => {
            write!(text, "{name}={word}")
        }
        _ => write!(text, "{name}={value}"),
    };
    debug_assert!(written.is_ok(), "writing to a String cannot fail");
}

/// Whether a value needs no quotes, and does nothing to a terminal.
fn is_plain(word: &str) -> bool {
    !word.is_empty()
        && word
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\"=".contains(&byte))
}

/// Lambda's lines in text about an invocation.
fn is_routine(message: &str) -> bool {
    [
        "START RequestId: ",
        "END RequestId: ",
        "REPORT RequestId: ",
        "INIT_START ",
    ]
    .iter()
    .any(|start| message.starts_with(start))
        && !message.contains("Status: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(message: &str) -> Option<(Option<&'static str>, String)> {
        Line::of(&Event {
            timestamp: 1_800_000_000_123,
            source: "reconciler".to_owned(),
            message: message.to_owned(),
            id: String::new(),
        })
        .map(|line| {
            assert_eq!(line.time, "2027-01-15 08:00:00.123");
            (line.level.map(Level::name), line.text)
        })
    }

    #[test]
    fn the_fields_follow_the_message() {
        let line = line(
            r#"{"timestamp":"2026-11-21T20:14:00Z","level":"INFO","message":"answered","client":"okta","status":200,"scim_type":"","reason":"two words","target":"user_provisioning","span":{"request_id":"1"}}"#,
        );
        let text = r#"answered client=okta reason="two words" scim_type="" status=200"#;
        assert_eq!(line, Some((Some("info"), text.to_owned())));
    }

    #[test]
    fn what_no_program_wrote_stays_as_it_is() {
        for text in ["thread 'main' panicked", "[1, 2]", "{broken"] {
            assert_eq!(line(text), Some((None, text.to_owned())));
        }
    }

    #[test]
    fn metrics_and_successful_invocations_are_left_out() {
        for message in [
            r#"{"_aws":{"Timestamp":1},"Requests":1}"#,
            r#"{"time":"t","type":"platform.start","record":{"requestId":"1"}}"#,
            r#"{"time":"t","type":"platform.report","record":{"requestId":"1","status":"success"}}"#,
            "START RequestId: 1 Version: $LATEST",
            "END RequestId: 1",
            "REPORT RequestId: 1\tDuration: 2 ms",
        ] {
            assert_eq!(line(message), None, "{message}");
        }
    }

    #[test]
    fn an_invocation_that_lambda_ended_is_told() {
        assert_eq!(
            line(
                r#"{"time":"t","type":"platform.report","record":{"requestId":"1","status":"timeout"}}"#
            ),
            Some((
                Some("error"),
                "Lambda: report timeout requestId=1".to_owned()
            ))
        );
        let text = "REPORT RequestId: 1\tStatus: timeout";
        assert_eq!(line(text), Some((None, text.to_owned())));
    }
}
