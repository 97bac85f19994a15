//! The result of a run as a log line in the embedded metric format, from which CloudWatch creates
//! metrics. Alarms notify of a failed or refused run.
//!
//! The name of the sync is the only dimension. Source: "Specification: Embedded metric
//! format", <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::report::{Report, Result};
use crate::identity::Owner;
use crate::token::TokenExpiry;

/// The CloudWatch namespace of all metrics of the project.
const NAMESPACE: &str = "connect-scim";

/// The dimension.
const DIMENSION: &str = "DirectorySync";

/// The line of a run, without a newline. `report` is `None` if the directory or the server could
/// not be read.
#[must_use]
pub fn embedded_metrics(
    owner: &Owner,
    report: Option<&Report>,
    duration: Duration,
    token_expires: Option<TokenExpiry>,
    now: Timestamp,
) -> String {
    let good = report.is_some_and(|report| matches!(report.result, Result::Equal | Result::Done));
    let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut metrics: Vec<(&str, &str, Value)> = vec![
        ("FailedRuns", "Count", u8::from(!good).into()),
        ("SuccessfulRuns", "Count", u8::from(good).into()),
        ("Duration", "Milliseconds", milliseconds.into()),
    ];
    if let Some(report) = report {
        let summary = &report.summary;
        metrics.extend(
            [
                (
                    "DeletionsRefused",
                    usize::from(report.result == Result::Refused),
                ),
                ("UnchangedRuns", usize::from(report.equal_since.is_some())),
                ("UsersCreated", summary.users_created),
                (
                    "UsersUpdated",
                    summary.users_updated + summary.users_reactivated,
                ),
                (
                    "UsersRemoved",
                    summary.users_deactivated + summary.users_deleted,
                ),
                ("GroupsCreated", summary.groups_created),
                ("GroupsUpdated", summary.groups_updated),
                ("GroupsRemoved", summary.groups_deleted),
                ("MembershipsAdded", summary.memberships_added),
                ("MembershipsRemoved", summary.memberships_removed),
                ("SkippedEntries", summary.skipped),
                ("LeaversHeldBack", report.held_back.len()),
                ("FailedWrites", summary.failed + summary.not_attempted),
                ("RepeatedCalls", report.repeated_calls),
            ]
            .map(|(name, value)| (name, "Count", value.into())),
        );
    }
    if let Some(expiry) = token_expires {
        metrics.push(("TokenDaysLeft", "Count", expiry.days_left(now).into()));
    }
    let definitions: Vec<Value> = metrics
        .iter()
        .map(|(name, unit, _)| json!({"Name": name, "Unit": unit}))
        .collect();
    let mut document: Map<String, Value> = metrics
        .iter()
        .map(|(name, _, value)| ((*name).to_owned(), value.clone()))
        .collect();
    document.insert(DIMENSION.to_owned(), owner.to_string().into());
    document.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [[DIMENSION]],
                "Metrics": definitions,
            }],
        }),
    );
    Value::Object(document).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_without_a_report_is_a_failed_one() {
        let owner = "corp".parse().unwrap();
        let line = embedded_metrics(
            &owner,
            None,
            Duration::from_millis(1500),
            Some("1970-03-01".parse().unwrap()),
            Timestamp::UNIX_EPOCH,
        );
        let document: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            document,
            json!({
                "_aws": {
                    "Timestamp": 0,
                    "CloudWatchMetrics": [{
                        "Namespace": "connect-scim",
                        "Dimensions": [["DirectorySync"]],
                        "Metrics": [
                            {"Name": "FailedRuns", "Unit": "Count"},
                            {"Name": "SuccessfulRuns", "Unit": "Count"},
                            {"Name": "Duration", "Unit": "Milliseconds"},
                            {"Name": "TokenDaysLeft", "Unit": "Count"},
                        ],
                    }],
                },
                "DirectorySync": "corp",
                "FailedRuns": 1,
                "SuccessfulRuns": 0,
                "Duration": 1500,
                "TokenDaysLeft": 59,
            })
        );
    }
}
