//! `users`: the operator's view of the directory and of what Amazon Connect has of it.
//!
//! What the functions do and what the operator does must never come to different ends. So
//! the commands work with the same directory and with the configuration that the deployed
//! functions have, read from the function itself, not from the environment file, which may
//! be ahead of the stack. Only the patience differs: nobody waits behind API Gateway.

mod copy_file;
mod export;
mod import;
mod list;
mod purge;
mod reconcile;
mod restore;
mod show;
mod unmanaged;

use std::time::Duration;

use aws_json_client::{Client, Environment, Service};
use connect_directory::configuration::Configuration;
use connect_directory::connect::Connect;
use connect_directory::directory::{Context, Directory};
use connect_directory::queue::{DeadLetters, Queue};
use connect_directory::store::{Record, Store};
use jiff::Timestamp;
use serde::Serialize;
use tokio::time::{Instant, Interval, MissedTickBehavior};

use super::error::{StackError, UsersError};
use super::interrupt::{InCloud, run_interruptibly};
use super::target::Target;
use super::{Error, Outcome, question};
use crate::cli::{EnvironmentArg, UsersCommand};
use crate::cloud::{self, failed_to};
use crate::exit_code::Exit;
use crate::printer::Printer;
use crate::report::UserReporter;

pub(super) use self::unmanaged::Removal;

/// How often a call is tried, over some eight seconds: Connect throttles at two calls a
/// second, and the functions take their part of these.
const MAX_ATTEMPTS: u32 = 5;

/// How long Connect may take for one user: less than the 35 seconds that a claim holds.
const TIME_PER_USER: Duration = Duration::from_secs(28);

/// Connect takes two calls a second of each operation, and a user needs one of some.
const TIME_BETWEEN_USERS: Duration = Duration::from_millis(500);

/// Runs `users …`.
pub(super) fn run(command: &UsersCommand, printer: &Printer) -> Result<Outcome, Error> {
    run_interruptibly(&InCloud::default(), async {
        match command {
            UsersCommand::List(args) => list::run(args, printer).await,
            UsersCommand::Show(args) => show::run(args, printer).await,
            UsersCommand::Import(args) => import::run(args, printer).await,
            UsersCommand::Reconcile(args) => reconcile::run(args, printer).await,
            UsersCommand::Purge(args) => purge::run(args, printer).await,
            UsersCommand::Export(args) => export::run(args, printer).await,
            UsersCommand::Restore(args) => restore::run(args, printer).await,
        }
    })
}

/// Brings users to Connect, as `users reconcile` does, and warns of those who did not get
/// there.
///
/// # Errors
/// When the directory of the environment cannot be opened.
pub(super) async fn mend<'a>(
    environment: &EnvironmentArg,
    ids: impl IntoIterator<Item = &'a String>,
    printer: &Printer,
) -> Result<(), Error> {
    let deployed = Deployed::open(environment).await?;
    let mut pace = pace();
    for id in ids {
        pace.tick().await;
        if let Some(reason) = reconcile::what_is_left(&deployed, id).await {
            printer.warning(&format!("the user {id} is not reconciled: {reason}"));
        }
    }
    Ok(())
}

/// The directory of a deployed environment.
struct Deployed {
    target: Target,
    directory: Directory,
    /// The id of the Connect instance.
    instance_id: String,
    /// The way back to the reconciler, and what did not find it.
    queues: Option<(Queue, DeadLetters)>,
}

impl Deployed {
    async fn open(argument: &EnvironmentArg) -> Result<Self, Error> {
        let target = Target::find_endpoint(argument).await?;
        let stack = target.describe_existing().await?;
        let incomplete = |what| StackError::Incomplete {
            stack: target.stack_name(),
            what,
        };
        let function = stack
            .outputs
            .get("UserProvisioningFunctionName")
            .ok_or_else(|| incomplete("output UserProvisioningFunctionName"))?;
        let configuration = configuration(&target, function).await?;

        let environment = target.service_environment()?;
        let client = |service| client(service, &environment);
        let queues = match &configuration.reconcile_queue_url {
            None => None,
            Some(url) => target
                .stacks
                .resources(&stack.id, "AWS::SQS::Queue")
                .await?
                .get("ReconcileDeadLetterQueue")
                .map(|dead_letters| {
                    let sqs = client(Service::SQS);
                    (
                        Queue::new(sqs.clone(), url),
                        DeadLetters::new(sqs, dead_letters),
                    )
                }),
        };
        let directory = Directory::new(
            Store::new(client(Service::DYNAMODB), &configuration.directory_table),
            Connect::new(client(Service::CONNECT), &configuration.instance_arn)
                .map_err(UsersError::from)?,
            queues.as_ref().map(|(queue, _)| queue.clone()),
            configuration.settings,
        );
        let instance_id = configuration.instance_arn.rsplit('/').next();
        Ok(Self {
            target,
            directory,
            instance_id: instance_id.unwrap_or_default().to_owned(),
            queues,
        })
    }

    /// The user of a SCIM id or a userName.
    async fn find(&self, user: &str) -> Result<Option<Record>, Error> {
        let store = self.directory.store();
        if let Some(record) = store.get_record(user).await? {
            return Ok(Some(record));
        }
        match store.find_by_user_name(user).await? {
            Some(found) => Ok(store.get_record(&found.id).await?),
            None => Ok(None),
        }
    }
}

/// A client that waits behind the functions.
fn client(service: Service, environment: &Environment) -> Client {
    Client::builder(service, environment)
        .max_attempts(MAX_ATTEMPTS)
        .initial_backoff(Duration::from_millis(500))
        .operation_timeout(Duration::from_secs(30))
        .build()
}

/// The variables of the function that answers SCIM requests.
async fn configuration(target: &Target, function: &str) -> Result<Configuration, Error> {
    let deployed = cloud::client!(aws_sdk_lambda, target.cloud)
        .get_function_configuration()
        .function_name(function)
        .send()
        .await
        .map_err(failed_to(format!(
            "read the configuration of the function {function}"
        )))?;
    let variables = deployed
        .environment()
        .and_then(|environment| environment.variables());
    Configuration::read(|name| variables?.get(name).cloned()).map_err(|source| {
        UsersError::FunctionConfiguration {
            function: function.to_owned(),
            source,
        }
        .into()
    })
}

/// The circumstances of one change.
fn context(client: &str) -> Context<'_> {
    let deadline = Instant::now() + TIME_PER_USER;
    Context {
        now: Timestamp::now(),
        deadline,
        stop: deadline,
        client,
    }
}

/// Ticks when it is time for the next user.
fn pace() -> Interval {
    let mut pace = tokio::time::interval(TIME_BETWEEN_USERS);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}

/// Has the person type how many users it is that something is done to: a `y` is typed
/// too easily.
async fn confirm(printer: &Printer, yes: bool, what: &str, users: usize) -> Result<(), Error> {
    let question = format!("{what}\ntype {users} to go on:");
    question::confirm(printer, yes, question, &users.to_string()).await
}

/// `1 user`, `2 users`.
pub(super) fn counted(users: usize) -> String {
    format!("{users} user{}", if users == 1 { "" } else { "s" })
}

/// How long the work takes at least, in words.
fn duration(users: usize) -> String {
    let seconds = TIME_BETWEEN_USERS.as_secs_f64() * users as f64;
    match (seconds / 60.0).ceil() {
        ..=1.0 => "up to a minute".to_owned(),
        minutes => format!("{minutes:.0} minutes or more"),
    }
}

/// What went wrong, with its cause.
fn reason(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// Sums up, and makes the exit code of it.
fn finish(reporter: UserReporter<'_>) -> Outcome {
    if reporter.finish() {
        Outcome::SUCCESS
    } else {
        Outcome(Exit::Failure)
    }
}

/// One user as it is listed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    user_name: String,
    id: String,
    active: bool,
    state: State,
    pending_since: Option<String>,
    /// Why it is pending: a code.
    reason: Option<String>,
    connect_user_id: Option<String>,
}

/// Where a user stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum State {
    /// Connect has what was last wanted.
    Synchronised,
    /// It does not yet.
    Pending,
    /// The identity provider deleted the user, and Connect has not yet.
    Removing,
}

impl Entry {
    fn of(record: &Record) -> Self {
        Self {
            user_name: record.user.user_name().to_owned(),
            id: record.user.id.clone(),
            active: record.user.is_active(),
            state: match (&record.pending_since, record.removed) {
                (_, true) => State::Removing,
                (Some(_), false) => State::Pending,
                (None, false) => State::Synchronised,
            },
            pending_since: record.pending_since.clone(),
            reason: record.connect.last_error.clone(),
            connect_user_id: record
                .connect
                .applied
                .as_ref()
                .map(|applied| applied.user_id.clone()),
        }
    }

    /// `pending since 2026-01-01T00:00:00.000Z (ThrottlingException)`.
    fn state_text(&self) -> String {
        let word = match self.state {
            State::Synchronised => return "synchronised".to_owned(),
            State::Pending => "pending",
            State::Removing => "removing",
        };
        let since = self
            .pending_since
            .as_ref()
            .map(|since| format!(" since {since}"));
        let reason = self.reason.as_ref().map(|reason| format!(" ({reason})"));
        [Some(word.to_owned()), since, reason]
            .into_iter()
            .flatten()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pending_user_says_since_when_and_why() {
        let mut entry = Entry {
            user_name: "ada".to_owned(),
            id: "7".to_owned(),
            active: true,
            state: State::Pending,
            pending_since: Some("2026-01-01T00:00:00.000Z".to_owned()),
            reason: Some("ThrottlingException".to_owned()),
            connect_user_id: None,
        };
        assert_eq!(
            entry.state_text(),
            "pending since 2026-01-01T00:00:00.000Z (ThrottlingException)"
        );
        entry.state = State::Synchronised;
        assert_eq!(entry.state_text(), "synchronised");
    }
}
