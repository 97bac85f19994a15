//! Compares both sides, writes the changes and reports them.
//!
//! [`plan()`], [`run()`] and [`verify`] implement the commands of the same names. Each reads
//! the directory and the server; only [`run()`] writes. [`compare`], and [`describe`] or
//! [`carry_out`], are the two halves for a caller that has the directory already.

mod cached;
mod carry_out;
mod error;
mod metrics;
mod naming;
mod report;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;

pub use carry_out::carry_out;
pub use error::Error;
pub use metrics::embedded_metrics;
pub use report::{
    Action, Change, Command, Entry, LeaverHeldBack, LeftBehind, Named, Outcome, REPORT_VERSION,
    Report, ReportReassigned, ReportSkip, ReportUnresolved, Result as RunResult, Summary, Token,
    report_schema,
};
pub use text::{markdown, text};

use crate::cache::Cache;
use crate::configuration::{Configuration, Secrets};
use crate::identity::Identifier;
use crate::mapping::{Desired, Mapping};
use crate::plan::matching::{LookedUp, Matching};
use crate::plan::{self, Current, Plan, safety};
use crate::snapshot::Snapshot;
use crate::source::{self, OpenDirectory, RequestedAttributes};
use crate::target::Client;
use crate::token::TokenExpiry;

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The directory is read.
    ReadingDirectory,
    /// The server's users and groups are read.
    ReadingServer,
    /// The members of the sync's groups are read.
    ReadingMembers {
        /// How many groups.
        groups: usize,
    },
    /// The plan is carried out.
    Writing {
        /// Writes done, or failed.
        done: usize,
        /// Writes in all.
        total: usize,
    },
}

/// What a caller decides.
#[derive(Clone)]
pub struct Options {
    /// The number of removals that the operator confirmed; `None` if none were confirmed.
    pub confirmed_deletes: Option<usize>,
    /// The name of the program in hints: `directory-sync`.
    pub program: String,
    /// The arguments after the command in hints, with a leading space.
    pub arguments: String,
    /// Set to stop the run: started writes are finished, and no other write is started.
    pub stop: Arc<AtomicBool>,
    /// Whether the report names people: user names and distinguished names.
    pub names: bool,
    /// Whether a run ignores its cache and compares both sides.
    pub full: bool,
    /// The expiry of the access token of the server, if it is configured.
    pub token_expires: Option<TokenExpiry>,
    /// Called on progress.
    pub progress: Arc<dyn Fn(Progress) + Send + Sync>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            confirmed_deletes: None,
            program: "directory-sync".to_owned(),
            arguments: String::new(),
            stop: Arc::default(),
            names: false,
            full: false,
            token_expires: None,
            progress: Arc::new(|_| ()),
        }
    }
}

impl Options {
    /// The command line of a command.
    fn command(&self, verb: &str) -> String {
        format!("{} {verb}{}", self.program, self.arguments)
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// The result of comparing both sides.
pub struct Comparison {
    /// The writes that make them equal.
    pub plan: Plan,
    desired: Desired,
    current: Current,
    matching: Matching,
}

/// Reports the changes that [`run()`] would write.
///
/// # Errors
/// When the directory or the server cannot be read whole.
pub async fn plan(
    configuration: &Configuration,
    secrets: &Secrets,
    options: &Options,
) -> Result<Report, Error> {
    let (client, comparison) = read(configuration, secrets, options).await?;
    Ok(describe(&comparison, &client, configuration, options))
}

/// Reports the changes that [`carry_out`] would write.
#[must_use]
pub fn describe(
    comparison: &Comparison,
    client: &Client,
    configuration: &Configuration,
    options: &Options,
) -> Report {
    let refusal = refusal(comparison, configuration, options);
    let report = Report::of_comparison(Command::Plan, comparison, client, options);
    report.with_refusal(refusal.as_ref(), options)
}

/// Writes the changes that make the server match the directory.
///
/// With a cache, and unless `options.full` is set, the server is not read if the directory
/// wants what the last run made of it.
///
/// # Errors
/// When the directory or the server cannot be read whole: nothing was written then. What
/// fails later, and a plan that takes away too much, stand in the report.
pub async fn run(
    configuration: &Configuration,
    secrets: &Secrets,
    options: &Options,
) -> Result<Report, Error> {
    configuration.check()?;
    let now = Timestamp::now();
    if let Some(cache) = Cache::open(configuration, now).await {
        return cached::run(cache, configuration, secrets, options, now).await;
    }
    let (client, comparison) = read(configuration, secrets, options).await?;
    Ok(carry_out(comparison, &client, configuration, options).await)
}

/// Says whether both sides are equal, as far as the sync may make them so.
///
/// # Errors
/// When the directory or the server cannot be read whole.
pub async fn verify(
    configuration: &Configuration,
    secrets: &Secrets,
    options: &Options,
) -> Result<Report, Error> {
    let (client, comparison) = read(configuration, secrets, options).await?;
    Ok(Report::of_comparison(
        Command::Verify,
        &comparison,
        &client,
        options,
    ))
}

async fn read(
    configuration: &Configuration,
    secrets: &Secrets,
    options: &Options,
) -> Result<(Client, Comparison), Error> {
    configuration.check()?;
    let mapping = configuration
        .mapping()
        .map_err(crate::configuration::Error::from)?;
    let client = Client::new(&configuration.target, &secrets.token)?;
    (options.progress)(Progress::ReadingDirectory);
    let snapshot = source::read(
        &configuration.source,
        &secrets.bind_password,
        &requested(&mapping),
        Timestamp::now(),
    )
    .await?;
    let desired = mapping.apply(snapshot);
    let directory = Some((configuration, secrets));
    let comparison = compare_desired(desired, &client, configuration, options, directory).await?;
    Ok((client, comparison))
}

fn requested(mapping: &Mapping) -> RequestedAttributes {
    RequestedAttributes {
        users: mapping.user_attributes(),
        groups: mapping.group_attributes(),
        named: mapping.named_attributes().clone(),
        references: mapping.references(),
    }
}

/// Compares a directory with the server. An entry that the snapshot does not have is not looked
/// up: it does not exist.
///
/// # Errors
/// When the server cannot be read whole, or the configuration is wrong.
pub async fn compare(
    snapshot: Snapshot,
    client: &Client,
    configuration: &Configuration,
    options: &Options,
) -> Result<Comparison, Error> {
    let mapping = configuration
        .mapping()
        .map_err(crate::configuration::Error::from)?;
    let desired = mapping.apply(snapshot);
    compare_desired(desired, client, configuration, options, None).await
}

async fn compare_desired(
    desired: Desired,
    client: &Client,
    configuration: &Configuration,
    options: &Options,
    directory: Option<(&Configuration, &Secrets)>,
) -> Result<Comparison, Error> {
    let policy = configuration.policy();
    (options.progress)(Progress::ReadingServer);
    let mut server = client.read().await?;
    let looked_up = LookedUp::default();
    let mut matching = Matching::new(&desired, &server.current, &policy, &looked_up);
    let missing = matching.missing();
    if let Some((configuration, secrets)) = directory
        && !missing.is_empty()
    {
        let looked_up = look_up(&missing, configuration, secrets).await?;
        matching = Matching::new(&desired, &server.current, &policy, &looked_up);
    }
    let groups = matching.groups_to_read(&policy);
    (options.progress)(Progress::ReadingMembers {
        groups: groups.len(),
    });
    let expected: Vec<usize> = {
        let entries = plan::matching::entries_by_object(&matching.groups);
        let members = |group: &usize| {
            let wanted = entries
                .get(group)
                .and_then(|entry| desired.groups.get(entry));
            wanted.map_or(0, |group| group.members.len())
        };
        groups.iter().map(members).collect()
    };
    client.read_members(&mut server, &groups, &expected).await?;
    let plan = plan::plan(&desired, &server.current, &matching, &policy);
    Ok(Comparison {
        plan,
        desired,
        current: server.current,
        matching,
    })
}

/// Looks entries up by their identifiers. The scope of those that exist is decided by a second
/// read of the directory: they may have been moved during the first one.
async fn look_up(
    missing: &BTreeSet<Identifier>,
    configuration: &Configuration,
    secrets: &Secrets,
) -> Result<LookedUp, Error> {
    let source = &configuration.source;
    let mut directory = OpenDirectory::open(source, &secrets.bind_password).await?;
    let found = directory.find(missing).await?;
    if found.is_empty() {
        directory.close().await;
        return Ok(LookedUp::default());
    }
    let attributes = RequestedAttributes::default();
    let snapshot = directory
        .read(&attributes, Timestamp::now())
        .await?
        .snapshot;
    let people = snapshot.people.into_iter().map(|person| person.id);
    let groups = snapshot.groups.into_iter().map(|group| group.id);
    let unusable = snapshot.unusable.into_iter().filter_map(|entry| entry.id);
    Ok(LookedUp {
        found,
        in_scope: people
            .chain(groups)
            .chain(unusable)
            .chain(snapshot.uncertain_users)
            .collect(),
    })
}

fn refusal(
    comparison: &Comparison,
    configuration: &Configuration,
    options: &Options,
) -> Option<plan::Refusal> {
    safety::check(
        &comparison.plan.removals,
        &configuration.safety,
        options.confirmed_deletes,
    )
    .err()
}
