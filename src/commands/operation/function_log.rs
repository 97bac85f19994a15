//! The last words of the function behind a custom resource that failed.
//!
//! CloudFormation knows only what the function sent to it; a function that panicked or
//! ran out of time sent nothing. Its log is read the moment the resource fails, because a
//! rollback may delete the log a little later. What cannot be read is not told: the
//! failure itself is never lost over its explanation.

use std::fmt;
use std::time::Duration;

use aws_sdk_cloudwatchlogs::Client;
use tokio::task::JoinHandle;

use crate::cloud::{self, Cloud};
use crate::stack::{StackEvent, Stacks, function_of};
use crate::template;

/// So many lines of a log are told.
const LINES: usize = 10;
/// How long before the failure its function may have begun: the longest that Lambda runs.
const LOOK_BACK: jiff::SignedDuration = jiff::SignedDuration::from_mins(15);
/// Lambda's lines reach CloudWatch Logs within seconds.
const ATTEMPTS: u32 = 4;
const ATTEMPT_INTERVAL: Duration = Duration::from_secs(1);
/// A failure is told without its log rather than much later.
const PATIENCE: Duration = Duration::from_secs(15);

/// What a function logged last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionLog {
    /// The function's name.
    pub function: String,
    /// The lines, oldest first.
    pub lines: Vec<String>,
}

impl fmt::Display for FunctionLog {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the last lines of {}'s log:", self.function)?;
        for line in &self.lines {
            write!(formatter, "\n  {line}")?;
        }
        Ok(())
    }
}

/// Reads logs while an operation is followed.
pub(super) struct FunctionLogs {
    reader: Reader,
    reading: Option<JoinHandle<Option<FunctionLog>>>,
}

impl FunctionLogs {
    pub(super) fn new(cloud: &Cloud, stacks: &Stacks, stack_id: &str) -> Self {
        Self {
            reader: Reader {
                stacks: stacks.clone(),
                logs: cloud::client!(aws_sdk_cloudwatchlogs, cloud),
                stack_id: stack_id.to_owned(),
            },
            reading: None,
        }
    }

    /// Begins to read if the event is the first failure of a custom resource.
    pub(super) fn event(&mut self, event: &StackEvent) {
        if self.reading.is_none()
            && event.is_custom_resource()
            && event.is_failure()
            && !event.is_cancellation()
        {
            let (reader, event) = (self.reader.clone(), event.clone());
            self.reading = Some(tokio::spawn(async move { reader.read(&event).await }));
        }
    }

    /// What was read.
    pub(super) async fn collect(self) -> Vec<FunctionLog> {
        match self.reading {
            None => Vec::new(),
            Some(reading) => tokio::time::timeout(PATIENCE, reading)
                .await
                .ok()
                .and_then(Result::ok)
                .flatten()
                .into_iter()
                .collect(),
        }
    }
}

#[derive(Clone)]
struct Reader {
    stacks: Stacks,
    logs: Client,
    stack_id: String,
}

impl Reader {
    async fn read(&self, event: &StackEvent) -> Option<FunctionLog> {
        let text = self.stacks.template(&self.stack_id).await.ok()??;
        let template = template::canonical(&text).ok()?;
        let names = function_of(&template, &event.logical_id)?;
        let physical =
            |resource_type: &'static str| self.stacks.resources(&self.stack_id, resource_type);
        let function = physical("AWS::Lambda::Function")
            .await
            .ok()?
            .remove(&names.function)?;
        let log_group = match names.log_group {
            Some(name) => physical("AWS::Logs::LogGroup").await.ok()?.remove(&name)?,
            None => format!("/aws/lambda/{function}"),
        };
        let failed_at: jiff::Timestamp = event.timestamp.parse().ok()?;
        let since = failed_at.checked_sub(LOOK_BACK).ok()?;
        for _ in 0..ATTEMPTS {
            let lines = self.last_lines(&log_group, since, failed_at).await?;
            if !lines.is_empty() {
                return Some(FunctionLog { function, lines });
            }
            tokio::time::sleep(ATTEMPT_INTERVAL).await;
        }
        None
    }

    /// The last lines between two moments (those of the rollback come later); `None`
    /// where they cannot be read.
    async fn last_lines(
        &self,
        log_group: &str,
        since: jiff::Timestamp,
        until: jiff::Timestamp,
    ) -> Option<Vec<String>> {
        let mut lines = Vec::new();
        let mut next_token = None;
        loop {
            let page = self
                .logs
                .filter_log_events()
                .log_group_name(log_group)
                .start_time(since.as_millisecond())
                .end_time(until.as_millisecond())
                .set_next_token(next_token)
                .send()
                .await
                .ok()?;
            lines.extend(
                page.events()
                    .iter()
                    .filter_map(|event| event.message())
                    .map(str::trim_end)
                    .filter(|line| !is_frame(line))
                    .map(str::to_owned),
            );
            lines.drain(..lines.len().saturating_sub(LINES));
            next_token = page.next_token().map(str::to_owned);
            if next_token.is_none() {
                return Some(lines);
            }
        }
    }
}

/// Whether Lambda wrote a line around every invocation. What it reports of one that
/// failed (`Status: timeout`) is no such line.
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html>
fn is_frame(line: &str) -> bool {
    let is_text = ["START RequestId:", "END RequestId:", "INIT_START "]
        .iter()
        .any(|begin| line.starts_with(begin));
    let is_report = line.starts_with("REPORT RequestId:") && !line.contains("Status:");
    let is_json = line.contains(r#""type":"platform."#) && !line.contains(r#""status":"#);
    is_text || is_report || is_json
}

#[cfg(test)]
mod tests {
    use super::is_frame;

    #[test]
    fn what_lambda_writes_around_every_invocation_is_left_out() {
        for frame in [
            "START RequestId: 255d5c5c-b93f-45e6-a4a3-3057b22ff08c Version: $LATEST",
            "END RequestId: 255d5c5c-b93f-45e6-a4a3-3057b22ff08c",
            "REPORT RequestId: 255d5c5c-b93f-45e6-a4a3-3057b22ff08c\tDuration: 20 ms\tBilled Duration: 20 ms",
            r#"{"time":"2026-01-01T00:00:00.000Z","type":"platform.start","record":{"requestId":"x","version":"$LATEST"}}"#,
        ] {
            assert!(is_frame(frame), "{frame}");
        }
        for line in [
            "REPORT RequestId: 255d5c5c-b93f-45e6-a4a3-3057b22ff08c\tDuration: 50000 ms\tStatus: timeout",
            r#"{"level":"ERROR","message":"not done","reason":"AccessDenied"}"#,
            r#"{"time":"2026-01-01T00:00:00.000Z","type":"platform.report","record":{"requestId":"x","status":"timeout"}}"#,
            "asked to START RequestId:",
        ] {
            assert!(!is_frame(line), "{line}");
        }
    }
}
