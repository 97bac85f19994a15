//! `users reconcile`: brings Connect to what is wanted, as the functions do, but reading
//! Connect first: what somebody changed there by hand is found.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use connect_directory::directory::Reconciled;
use connect_directory::queue::{DeadLetter, Queue};
use connect_directory::store::{Record, StoreError};

use super::{Deployed, confirm, context, counted, duration, finish, pace, reason};
use crate::cli::UsersReconcileArgs;
use crate::commands::error::StackError;
use crate::commands::{Error, Outcome};
use crate::printer::Printer;
use crate::report::{UserOutcome, UserReporter};

/// The pause before the second and last attempt at a user whom Connect did not take.
const PAUSE: Duration = Duration::from_secs(3);

/// The pause before the next attempt at a user whom another request holds.
const BUSY_PAUSE: Duration = Duration::from_secs(1);
/// Longer than any request can hold a user, one that crashed included.
const BUSY_PATIENCE: Duration = Duration::from_secs(40);

/// Runs `users reconcile`.
pub(super) async fn run(args: &UsersReconcileArgs, printer: &Printer) -> Result<Outcome, Error> {
    let deployed = Deployed::open(&args.environment).await?;
    if args.dead_letters {
        return put_dead_letters_back(&deployed, args, printer).await;
    }
    let (records, missing) = choose(&deployed, args).await?;
    if args.all && !records.is_empty() {
        let what = format!(
            "this compares {} with Amazon Connect, which takes {}, and undoes what was changed there by hand.",
            counted(records.len()),
            duration(records.len()),
        );
        confirm(printer, args.yes, &what, records.len()).await?;
    }
    let mut reporter = UserReporter::new(printer, args.format, Some(records.len()));
    for outcome in &missing {
        reporter.tell(outcome);
    }
    let mut pace = pace();
    for record in &records {
        pace.tick().await;
        let reconciled = mend(&deployed, &record.user.id).await;
        reporter.tell(&outcome(record, reconciled));
    }
    Ok(finish(reporter))
}

/// The users that are asked for, and those of them that there are not.
async fn choose(
    deployed: &Deployed,
    args: &UsersReconcileArgs,
) -> Result<(Vec<Record>, Vec<UserOutcome>), Error> {
    let mut records = Vec::new();
    let mut missing = Vec::new();
    if args.users.is_empty() {
        records = deployed.directory.records().await?;
        records.retain(|record| args.all || record.pending_since.is_some());
    }
    for user in &args.users {
        match deployed.find(user).await? {
            Some(record) => records.push(record),
            None => missing.push(UserOutcome::missing(user, "the directory has no such user")),
        }
    }
    Ok((records, missing))
}

/// Brings one user to Connect, again where that may help.
async fn mend(deployed: &Deployed, id: &str) -> Result<Reconciled, StoreError> {
    let give_up = Instant::now() + BUSY_PATIENCE;
    let mut was_pending = false;
    loop {
        match deployed.directory.mend(id, context("operator")).await {
            Ok(Reconciled::Busy) if Instant::now() < give_up => {
                tokio::time::sleep(BUSY_PAUSE).await;
            }
            Ok(Reconciled::Pending(_)) if !was_pending => {
                was_pending = true;
                tokio::time::sleep(PAUSE).await;
            }
            settled => return settled,
        }
    }
}

/// Brings one user to Connect; why it is not there, if it is not.
pub(super) async fn what_is_left(deployed: &Deployed, id: &str) -> Option<String> {
    match mend(deployed, id).await {
        Ok(Reconciled::Synchronised | Reconciled::Gone) => None,
        Ok(Reconciled::Pending(code)) => Some(code),
        Ok(Reconciled::Refused(refusal)) => Some(refusal.to_string()),
        Ok(Reconciled::Busy) => Some("a request is changing it".to_owned()),
        Err(error) => Some(reason(&error)),
    }
}

fn outcome(record: &Record, reconciled: Result<Reconciled, StoreError>) -> UserOutcome {
    let (outcome, detail) = match reconciled {
        Ok(Reconciled::Synchronised) => ("synchronised", None),
        Ok(Reconciled::Gone) => ("removed", None),
        Ok(Reconciled::Pending(code)) => ("pending", Some(code)),
        Ok(Reconciled::Refused(refusal)) => ("refused", Some(refusal.to_string())),
        Ok(Reconciled::Busy) => (
            "busy",
            Some("a request is changing the user; try again".to_owned()),
        ),
        Err(error) => ("failed", Some(reason(&error))),
    };
    UserOutcome {
        user_name: Some(record.user.user_name().to_owned()),
        id: Some(record.user.id.clone()),
        outcome,
        failed: !matches!(outcome, "synchronised" | "removed"),
        detail,
    }
}

/// Sends every user of the dead-letter queue to the reconciler again. A message is deleted
/// after its user was sent: an interruption leaves a user in both queues, not in none.
///
/// Messages that remain in the queue, and those that another run holds, are failures.
async fn put_dead_letters_back(
    deployed: &Deployed,
    args: &UsersReconcileArgs,
    printer: &Printer,
) -> Result<Outcome, Error> {
    let (queue, dead_letters) = deployed
        .queues
        .as_ref()
        .ok_or_else(|| StackError::Incomplete {
            stack: deployed.target.stack_name(),
            what: "dead-letter queue",
        })?;
    let mut reporter = UserReporter::new(printer, args.format, None);
    if let Some(outcome) = hidden(dead_letters.hidden().await?) {
        reporter.tell(&outcome);
    }
    let mut kept: Vec<DeadLetter> = Vec::new();
    let mut seen = HashSet::new();
    loop {
        let mut letters = dead_letters.receive().await?;
        // A run of more than a minute receives the messages that it keeps again.
        letters.retain(|letter| seen.insert(letter.message_id.clone()));
        if letters.is_empty() {
            break;
        }
        for letter in letters {
            let (outcome, is_done) = put_back(deployed, queue, &letter, args).await?;
            if is_done {
                dead_letters.delete(&letter).await?;
            } else {
                kept.push(letter);
            }
            reporter.tell(&outcome);
        }
    }
    for letter in &kept {
        // Without this, and if it fails, the next run reports the message as hidden.
        let _ = dead_letters.release(letter).await;
    }
    Ok(finish(reporter))
}

/// The report on messages that this run cannot see.
fn hidden(messages: u64) -> Option<UserOutcome> {
    (messages > 0).then(|| UserOutcome {
        user_name: None,
        id: None,
        outcome: "hidden",
        failed: true,
        detail: Some(format!(
            "{messages} message(s) of the dead-letter queue: another run has received them in the last minute; run the command again in a minute"
        )),
    })
}

/// Sends the user of a message to the reconciler. The answer is also whether the message
/// can be deleted.
async fn put_back(
    deployed: &Deployed,
    queue: &Queue,
    letter: &DeadLetter,
    args: &UsersReconcileArgs,
) -> Result<(UserOutcome, bool), Error> {
    let id = match &letter.content {
        Ok(id) => id,
        Err(body) => {
            let outcome = malformed(&letter.message_id, body, args.remove_malformed);
            return Ok((outcome, args.remove_malformed));
        }
    };
    let (outcome, user_name, failure) = match deployed.directory.store().get_record(id).await {
        Ok(None) => ("gone", None, None),
        Ok(Some(record)) => {
            queue.send(id).await?;
            ("queued", Some(record.user.user_name().to_owned()), None)
        }
        Err(error @ StoreError::Malformed) => ("failed", None, Some(reason(&error))),
        Err(error) => return Err(error.into()),
    };
    let is_done = failure.is_none();
    let outcome = UserOutcome {
        user_name,
        id: Some(id.clone()),
        outcome,
        failed: !is_done,
        detail: failure,
    };
    Ok((outcome, is_done))
}

/// The report on a message that names no user: its id, and if it is removed its body,
/// without control characters and at most 200 characters of it.
fn malformed(message_id: &str, body: &str, is_removed: bool) -> UserOutcome {
    let detail = if is_removed {
        let body: String = body.escape_debug().take(200).collect();
        format!("message {message_id} names no user: \"{body}\"")
    } else {
        format!(
            "message {message_id} names no user; it stays in the queue (--remove-malformed deletes it)"
        )
    };
    UserOutcome {
        user_name: None,
        id: None,
        outcome: if is_removed { "removed" } else { "failed" },
        failed: !is_removed,
        detail: Some(detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_another_run_has_are_a_failure() {
        assert_eq!(hidden(0), None);
        let outcome = hidden(3).expect("three messages are reported");
        assert!(outcome.failed);
        assert!(outcome.detail.unwrap_or_default().starts_with("3 message"));
    }

    #[test]
    fn a_malformed_message_fails_until_it_is_removed_and_then_its_body_is_shown() {
        let kept = malformed("m-1", "secret", false);
        assert!(kept.failed);
        let detail = kept.detail.unwrap_or_default();
        assert!(detail.contains("m-1") && detail.contains("--remove-malformed"));
        assert!(!detail.contains("secret"));

        let long = format!("\u{1b}[2J\n{}", "x".repeat(300));
        let removed = malformed("m-1", &long, true);
        assert!(!removed.failed);
        let detail = removed.detail.unwrap_or_default();
        assert!(detail.contains(r"\u{1b}[2J\nxxx"), "{detail}");
        assert!(!detail.contains(char::is_control));
        assert!(detail.len() < 250, "{detail}");
    }
}
