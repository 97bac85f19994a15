//! `users purge`: removes users who have been inactive for long.
//!
//! The directory does not record since when a user has been inactive, but since when its
//! resource has not changed; whoever is inactive now has been so for at least as long.

use connect_directory::directory::ChangeError;
use connect_directory::store::{Record, StoredUser, iso};
use jiff::{SignedDuration, Timestamp};

use super::{Deployed, confirm, context, counted, finish, pace, reason};
use crate::cli::UsersPurgeArgs;
use crate::commands::{Error, Outcome};
use crate::printer::Printer;
use crate::report::{UserOutcome, UserReporter};

/// Runs `users purge`.
pub(super) async fn run(args: &UsersPurgeArgs, printer: &Printer) -> Result<Outcome, Error> {
    let deployed = Deployed::open(&args.environment).await?;
    let before = before(Timestamp::now(), args.inactive_for);
    let mut records = deployed.directory.records().await?;
    records.retain(|record| !record.removed && is_due(&record.user, &before));

    if !args.yes {
        let outcome = tell_plan(&records, args, printer);
        if args.dry_run || records.is_empty() {
            return Ok(outcome);
        }
        let users = counted(records.len());
        let what = format!("this deletes {users} here and in Amazon Connect for good.");
        confirm(printer, false, &what, records.len()).await?;
    }
    let mut reporter = UserReporter::new(printer, args.format, Some(records.len()));
    let mut pace = pace();
    for record in &records {
        pace.tick().await;
        reporter.tell(&remove(&deployed, record, &before).await);
    }
    Ok(finish(reporter))
}

fn tell_plan(records: &[Record], args: &UsersPurgeArgs, printer: &Printer) -> Outcome {
    let mut reporter = UserReporter::new(printer, args.format, Some(records.len()));
    for record in records {
        let detail = format!("inactive, unchanged since {}", record.user.last_modified);
        reporter.tell(&outcome(record, "planned", Some(detail)));
    }
    finish(reporter)
}

/// The time, in the form of the directory, before which a user has to be unchanged.
fn before(now: Timestamp, days: u32) -> String {
    let age = SignedDuration::from_hours(i64::from(days) * 24);
    now.saturating_sub(age).map_or_else(|_| String::new(), iso)
}

fn is_due(user: &StoredUser, before: &str) -> bool {
    !user.is_active() && user.last_modified.as_str() <= before
}

/// Removes a user, unless it changed since it was listed.
async fn remove(deployed: &Deployed, record: &Record, before: &str) -> UserOutcome {
    let still_due = |user: &StoredUser| is_due(user, before).then_some(()).ok_or(());
    let deleted = deployed
        .directory
        .delete(&record.user.id, still_due, context("operator"))
        .await;
    match deleted {
        Ok(false) => outcome(record, "removed", None),
        Ok(true) => outcome(
            record,
            "removing",
            Some("Amazon Connect still has the user; the reconciler removes it".to_owned()),
        ),
        Err(ChangeError::Caller(())) => outcome(
            record,
            "skipped",
            Some("it was changed a moment ago".to_owned()),
        ),
        Err(ChangeError::Directory(error)) => UserOutcome {
            failed: true,
            ..outcome(record, "failed", Some(reason(&error)))
        },
    }
}

fn outcome(record: &Record, word: &'static str, detail: Option<String>) -> UserOutcome {
    UserOutcome {
        user_name: Some(record.user.user_name().to_owned()),
        id: Some(record.user.id.clone()),
        outcome: word,
        failed: false,
        detail,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_users_who_are_inactive_and_long_unchanged_are_due() {
        let before = before("2026-03-31T00:00:00Z".parse().unwrap(), 90);
        assert_eq!(before, "2025-12-31T00:00:00.000Z");
        for (active, last_modified, due) in [
            (json!(false), "2025-12-30T23:59:59.999Z", true),
            (json!(false), "2026-01-01T00:00:00.000Z", false),
            (json!(true), "2020-01-01T00:00:00.000Z", false),
            (json!(null), "2020-01-01T00:00:00.000Z", false),
        ] {
            let document = json!({"active": active});
            let user = StoredUser {
                id: "1".to_owned(),
                version: 1,
                created: last_modified.to_owned(),
                last_modified: last_modified.to_owned(),
                document: document.as_object().unwrap().clone(),
                ..StoredUser::default()
            };
            assert_eq!(is_due(&user, &before), due, "{active} {last_modified}");
        }
    }

    #[test]
    fn more_days_than_there_are_find_nobody() {
        let before = before("2026-03-31T00:00:00Z".parse().unwrap(), u32::MAX);
        assert!(before.as_str() < "0000", "{before}");
    }
}
