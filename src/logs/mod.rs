//! The log lines of a stack's functions and of its API, merged by time.
//!
//! FilterLogEvents reads one group; there is no call for several that is not a query of its
//! own price (Logs Insights) or a session (Live Tail), which the local cloud has not. So each
//! group is read page by page and the lines are merged here. Following is reading again: a
//! line may reach CloudWatch some seconds after it was written, so each reading goes back a
//! little, and lines that were there before are left out by their ids.

mod line;
mod since;

use std::collections::{BTreeMap, HashMap};

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use futures_util::future::try_join_all;

use crate::cloud::{self, Cloud, ServiceError, failed_to};

pub use line::{Level, Line};
pub use since::parse_since;

/// How far a reading goes back behind the newest line that was seen, in milliseconds.
const LATENESS: i64 = 15_000;

/// The log groups of one stack.
#[derive(Debug)]
pub struct Logs {
    client: Client,
    groups: Vec<Group>,
    /// A CloudWatch Logs filter pattern.
    filter: Option<String>,
    /// Where the next reading begins: milliseconds since 1970.
    since: i64,
    /// What was returned already, with its time, as far back as the next reading goes.
    seen: Seen,
}

/// One log group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What it is called in lines and on the command line: `user-provisioning`, `access-log`.
    pub source: String,
    /// The group's name in CloudWatch.
    pub name: String,
}

/// One log line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// Which group it is of; see [`Group::source`].
    pub source: String,
    /// The text as it was written.
    pub message: String,
    id: String,
}

/// How often each line was there, by time and id.
#[derive(Debug, Default)]
struct Seen(BTreeMap<i64, HashMap<String, usize>>);

impl Group {
    /// The group of this name in CloudWatch, in the stack `stack`.
    #[must_use]
    pub fn of_stack(name: &str, stack: &str) -> Self {
        let source = match name.strip_prefix("/aws/lambda/") {
            Some(function) => function
                .strip_prefix(stack)
                .and_then(|rest| rest.strip_prefix('-'))
                .unwrap_or(function),
            None if name.strip_prefix("/connect-scim/") == Some(stack) => "directory-sync",
            None => "access-log",
        };
        Self {
            source: source.to_owned(),
            name: name.to_owned(),
        }
    }
}

impl Logs {
    /// The groups' lines from `since` on (milliseconds since 1970), those that match `filter`.
    #[must_use]
    pub fn new(cloud: &Cloud, groups: Vec<Group>, filter: Option<String>, since: i64) -> Self {
        Self {
            client: cloud::client!(aws_sdk_cloudwatchlogs, cloud),
            groups,
            filter,
            since,
            seen: Seen::default(),
        }
    }

    /// What has come since the last reading, oldest first.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached, or the filter is no pattern.
    pub async fn read(&mut self) -> Result<Vec<Event>, ServiceError> {
        let readings = self.groups.iter().map(|group| self.read_group(group));
        let mut events = try_join_all(readings).await?.concat();
        events.sort_by_key(|event| event.timestamp);
        self.seen.leave_out(&mut events);
        if let Some(newest) = events.last() {
            self.since = self.since.max(newest.timestamp - LATENESS);
            self.seen.forget_before(self.since);
        }
        Ok(events)
    }

    async fn read_group(&self, group: &Group) -> Result<Vec<Event>, ServiceError> {
        let mut events = Vec::new();
        let mut next_token: Option<String> = None;
        loop {
            let page = self
                .client
                .filter_log_events()
                .log_group_name(&group.name)
                .set_filter_pattern(self.filter.clone())
                .start_time(self.since)
                .set_next_token(next_token)
                .send()
                .await
                .map_err(failed_to(format!("read the log group {}", group.name)))?;
            events.extend(page.events().iter().map(|event| Event {
                timestamp: event.timestamp().unwrap_or_default(),
                source: group.source.clone(),
                message: event.message().unwrap_or_default().trim_end().to_owned(),
                id: id(group, event),
            }));
            next_token = page.next_token().map(str::to_owned);
            if next_token.is_none() {
                return Ok(events);
            }
        }
    }
}

/// The local cloud gives the functions' lines no id; there a line is known by what it says.
fn id(group: &Group, event: &FilteredLogEvent) -> String {
    match event.event_id() {
        Some(id) if !id.is_empty() => id.to_owned(),
        _ => format!(
            "{} {} {}",
            group.name,
            event.log_stream_name().unwrap_or_default(),
            event.message().unwrap_or_default()
        ),
    }
}

impl Seen {
    /// Leaves out of a reading what was in those before it. Lines without an id may be alike,
    /// so it is counted how many there are.
    fn leave_out(&mut self, events: &mut Vec<Event>) {
        let mut in_this_reading: HashMap<(i64, String), usize> = HashMap::new();
        events.retain(|event| {
            let count = in_this_reading
                .entry((event.timestamp, event.id.clone()))
                .or_default();
            *count += 1;
            let seen = self
                .0
                .entry(event.timestamp)
                .or_default()
                .entry(event.id.clone())
                .or_default();
            let is_new = *count > *seen;
            *seen = (*seen).max(*count);
            is_new
        });
    }

    fn forget_before(&mut self, timestamp: i64) {
        self.0 = self.0.split_off(&timestamp);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(timestamp: i64, id: &str) -> Event {
        Event {
            timestamp,
            source: "reconciler".to_owned(),
            message: String::new(),
            id: id.to_owned(),
        }
    }

    #[test]
    fn a_group_is_called_after_its_function() {
        for (name, source) in [
            (
                "/aws/lambda/scim-prod-user-provisioning",
                "user-provisioning",
            ),
            ("/aws/lambda/another", "another"),
            ("/aws/apigateway/scim-prod", "access-log"),
        ] {
            assert_eq!(Group::of_stack(name, "scim-prod").source, source, "{name}");
        }
    }

    #[test]
    fn a_line_that_comes_late_is_new_and_one_that_comes_again_is_not() {
        let mut seen = Seen::default();
        let mut new = |lines: &[(i64, &str)]| -> Vec<String> {
            let mut events: Vec<Event> = lines.iter().map(|(time, id)| event(*time, id)).collect();
            seen.leave_out(&mut events);
            events.into_iter().map(|event| event.id).collect()
        };
        assert_eq!(new(&[(100, "a"), (100, "b")]), ["a", "b"]);
        assert_eq!(new(&[(90, "late"), (100, "a"), (100, "b")]), ["late"]);
        // Two lines that are alike are two, and a third one is new.
        assert_eq!(new(&[(200, "same"), (200, "same")]), ["same", "same"]);
        let same = [(200, "same"), (200, "same"), (200, "same")];
        assert_eq!(new(&same), ["same"]);
        seen.forget_before(150);
        assert_eq!(seen.0.len(), 1);
    }
}
