//! `users reconcile`: brings Connect to what is wanted, as the functions do, but reading
//! Connect first: what somebody changed there by hand is found.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use connect_directory::directory::Reconciled;
use connect_directory::queue::{DeadLetter, DeadLetters, Queue};
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
    // Messages that are none of ours stay in the queue, and come again.
    let mut seen = HashSet::new();
    loop {
        let mut letters = dead_letters.receive().await?;
        letters.retain(|letter| seen.insert(letter.message_id.clone()));
        if letters.is_empty() {
            return Ok(finish(reporter));
        }
        for letter in &letters {
            reporter.tell(&put_back(deployed, queue, dead_letters, letter).await?);
        }
    }
}

async fn put_back(
    deployed: &Deployed,
    queue: &Queue,
    dead_letters: &DeadLetters,
    letter: &DeadLetter,
) -> Result<UserOutcome, Error> {
    let Some(id) = &letter.user_id else {
        return Ok(UserOutcome {
            user_name: None,
            id: None,
            outcome: "failed",
            failed: true,
            detail: Some("a message names no user; it stays in the queue".to_owned()),
        });
    };
    let record = deployed.directory.store().get_record(id).await?;
    if record.is_some() {
        queue.send(id).await?;
    }
    dead_letters.delete(letter).await?;
    Ok(UserOutcome {
        outcome: if record.is_some() { "queued" } else { "gone" },
        user_name: record.map(|record| record.user.user_name().to_owned()),
        id: Some(id.clone()),
        failed: false,
        detail: None,
    })
}
