//! The state of a directory sync: how its last run ended, and whether it has its secrets.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cli::SyncSecret;
use crate::cloud::{self, ServiceError, failed_to};
use crate::commands::Error;
use crate::commands::sync::secret_arn;
use crate::commands::target::Target;
use crate::stack::StackDescription;
use crate::token::Secrets;

/// How far back the last run is looked for: two periods of the slowest schedule.
const LOOK_BACK: Duration = Duration::from_secs(2 * 24 * 60 * 60);

/// What stands in the line that a run ends with, and in no other.
const MARK: &str = "\"SuccessfulRuns\"";

/// What is known of a directory sync.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DirectorySyncStatus {
    /// The last run of the last two days.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_run: Option<LastRun>,
    bind_password: SecretStatus,
    token: SecretStatus,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LastRun {
    time: Timestamp,
    succeeded: bool,
    deletions_refused: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_days_left: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SecretStatus {
    /// Whether it was ever handed over.
    has_value: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    changed_at: Option<Timestamp>,
}

/// The figures of a run, as its log has them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Figures {
    successful_runs: u64,
    #[serde(default)]
    deletions_refused: u64,
    token_days_left: Option<i64>,
}

/// Looks at the log and at what is known of the secrets without reading them.
pub(super) async fn look(
    target: &Target,
    stack: &StackDescription,
) -> Result<DirectorySyncStatus, Error> {
    let secrets = Secrets::new(&target.service_environment()?);
    let secret = async |secret| {
        let facts = secrets.facts(&secret_arn(target, stack, secret)?).await?;
        // A secret that was never written has no version.
        let version = facts.as_ref().and_then(|facts| facts.version.as_ref());
        Ok::<_, Error>(SecretStatus {
            has_value: version.is_some(),
            changed_at: facts.and_then(|facts| facts.changed_at),
        })
    };
    let group = stack.outputs.get("LogGroupName");
    let (bind_password, token) = (
        secret(SyncSecret::BindPassword).await?,
        secret(SyncSecret::Token).await?,
    );
    Ok(DirectorySyncStatus {
        last_run: match group {
            Some(group) => last_run(target, group).await?,
            None => None,
        },
        bind_password,
        token,
    })
}

async fn last_run(target: &Target, group: &str) -> Result<Option<LastRun>, ServiceError> {
    let since = Timestamp::now() - LOOK_BACK;
    let mut pages = cloud::client!(aws_sdk_cloudwatchlogs, target.cloud)
        .filter_log_events()
        .log_group_name(group)
        .filter_pattern(MARK)
        .start_time(since.as_millisecond())
        .into_paginator()
        .send();
    let mut last = None;
    while let Some(page) = pages.next().await {
        let page = page.map_err(failed_to(format!("read the log group {group}")))?;
        for event in page.events.unwrap_or_default() {
            last = run(event.message(), event.timestamp()).or(last);
        }
    }
    Ok(last)
}

fn run(message: Option<&str>, timestamp: Option<i64>) -> Option<LastRun> {
    let figures: Figures = serde_json::from_str(message?).ok()?;
    Some(LastRun {
        time: Timestamp::from_millisecond(timestamp?).ok()?,
        succeeded: figures.successful_runs > 0,
        deletions_refused: figures.deletions_refused > 0,
        token_days_left: figures.token_days_left,
    })
}

impl DirectorySyncStatus {
    pub(super) fn lines(&self) -> Vec<String> {
        let run = match &self.last_run {
            None => "NONE in the last two days".to_owned(),
            Some(run) => {
                let how = match (run.succeeded, run.deletions_refused) {
                    (true, _) => "succeeded",
                    (false, true) => "WAS REFUSED: it would have removed too much",
                    (false, false) => "FAILED; `connect-scim logs` says why",
                };
                format!("{how}  {:.0}", run.time)
            }
        };
        let days = self.last_run.as_ref().and_then(|run| run.token_days_left);
        let expiry = days.map(|days| format!(", {days} days left"));
        vec![
            format!("last run  {run}"),
            format!("secret    bind-password  {}", self.bind_password.text()),
            format!(
                "secret    token  {}{}",
                self.token.text(),
                expiry.unwrap_or_default()
            ),
        ]
    }
}

impl SecretStatus {
    fn text(&self) -> String {
        match (self.has_value, self.changed_at) {
            (false, _) => "NOT HANDED OVER; `connect-scim sync secret set` does it".to_owned(),
            (true, Some(changed)) => format!("changed {changed:.0}"),
            (true, None) => "is there".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_of_a_run_say_how_it_ended() {
        let text = |message: &str| {
            let status = DirectorySyncStatus {
                last_run: run(Some(message), Some(1_800_000_000_000)),
                bind_password: SecretStatus {
                    has_value: false,
                    changed_at: None,
                },
                token: SecretStatus {
                    has_value: true,
                    changed_at: Timestamp::from_second(1_700_000_000).ok(),
                },
            };
            status.lines().join("\n")
        };
        insta::assert_snapshot!(text(r#"{"SuccessfulRuns": 1, "TokenDaysLeft": 80}"#), @r"
        last run  succeeded  2027-01-15T08:00:00Z
        secret    bind-password  NOT HANDED OVER; `connect-scim sync secret set` does it
        secret    token  changed 2023-11-14T22:13:20Z, 80 days left
        ");
        for (message, expected) in [
            (r#"{"SuccessfulRuns": 0, "DeletionsRefused": 1}"#, "REFUSED"),
            (r#"{"SuccessfulRuns": 0}"#, "FAILED"),
            ("no figures", "NONE"),
        ] {
            assert!(text(message).contains(expected), "{message}");
        }
    }
}
