//! `sync`: the directory sync, run from this machine instead of by the task in the cloud, and
//! the secrets of both.
//!
//! The configuration is the environment file's, not the deployed one: `sync plan` answers what
//! a change of the file would do before anybody deploys it.

mod progress;
mod secret;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use directory_sync::cache::CacheConfiguration;
use directory_sync::configuration::{Configuration, Secrets};
use directory_sync::exit::Exit as SyncExit;
use directory_sync::run::{self, Options, Report, RunResult};
use directory_sync::token::TokenExpiry;

use self::progress::Bar;
pub(super) use self::secret::arn as secret_arn;
use super::error::{LeavingError, SyncError};
use super::interrupt::{Signals, runtime};
use super::target::{self, Target};
use super::{Error, Outcome};
use crate::cli::{SyncArgs, SyncCommand, SyncFormat, SyncRunArgs, SyncSecretCommand};
use crate::cloud::failed_to;
use crate::exit_code::Exit;
use crate::printer::Printer;

/// Runs `sync …`.
pub(super) fn run(command: &SyncCommand, printer: &Printer) -> Result<Outcome, Error> {
    match command {
        SyncCommand::Plan(args) => compare(Work::Plan, args, printer),
        SyncCommand::Run(args) => compare(Work::Run(args), &args.common, printer),
        SyncCommand::Verify(args) => compare(Work::Verify, args, printer),
        SyncCommand::Secret(SyncSecretCommand::Set(args)) => secret::set(args, printer),
    }
}

/// What is done with the difference between both sides.
#[derive(Clone, Copy)]
enum Work<'a> {
    Plan,
    Run(&'a SyncRunArgs),
    Verify,
}

fn compare(work: Work<'_>, args: &SyncArgs, printer: &Printer) -> Result<Outcome, Error> {
    let runtime = runtime(&mut tokio::runtime::Builder::new_current_thread())?;
    let outcome = runtime.block_on(async {
        let mut signals = Signals::listen()?;
        let sync = tokio::select! {
            sync = Sync::open(work, args) => sync?,
            exit = signals.next() => return Err(interrupted(exit)),
        };
        let bar = Arc::new(Bar::new(printer));
        let options = Options {
            program: "connect-scim sync".to_owned(),
            arguments: format!(" --env {}", target::name(&args.environment)),
            names: args.names,
            confirmed_deletes: match work {
                Work::Run(args) => args.confirm_deletes,
                Work::Plan | Work::Verify => None,
            },
            full: matches!(work, Work::Run(args) if args.full),
            token_expires: sync.token_expires,
            progress: {
                let bar = Arc::clone(&bar);
                Arc::new(move |progress| bar.tell(progress))
            },
            ..Options::default()
        };
        let mut comparing = pin!(sync.compare(work, &options));
        tokio::select! {
            report = &mut comparing => {
                bar.clear();
                conclude(&report?, None, args.format, printer)
            }
            exit = signals.next() => {
                if !bar.is_writing() {
                    return Err(interrupted(exit));
                }
                // What was begun is finished, and told.
                options.stop.store(true, Ordering::Relaxed);
                let report = comparing.await?;
                bar.clear();
                conclude(&report, Some(exit), args.format, printer)
            }
        }
    });
    runtime.shutdown_background();
    outcome
}

fn interrupted(exit: Exit) -> Error {
    LeavingError::Interrupted {
        exit,
        ongoing: None,
    }
    .into()
}

/// Prints the report; `received` is the signal that came while it was made.
fn conclude(
    report: &Report,
    received: Option<Exit>,
    format: SyncFormat,
    printer: &Printer,
) -> Result<Outcome, Error> {
    printer.data(&match format {
        SyncFormat::Text => run::text(report),
        SyncFormat::Json => report.json(),
        SyncFormat::Markdown => run::markdown(report),
    });
    Ok(Outcome(match (report.result, received) {
        (RunResult::Interrupted, Some(exit)) => exit,
        _ => report.exit().into(),
    }))
}

/// A directory sync and all that it needs.
struct Sync {
    configuration: Configuration,
    secrets: Secrets,
    token_expires: Option<TokenExpiry>,
}

impl Sync {
    async fn open(work: Work<'_>, args: &SyncArgs) -> Result<Self, Error> {
        let environment = target::environment(&args.environment)?;
        let mut configuration = environment.directory_sync()?.configuration.clone();
        let kept = async || Target::open(&args.environment, environment.clone()).await;
        let (secrets, token_expires) = match secret::given() {
            Some(secrets) => (secrets, None),
            None => secret::kept(&kept().await?, &args.environment).await?,
        };
        if let (Work::Run(_), Some(cache)) = (work, configuration.cache.take()) {
            forget(&kept().await?, &cache).await?;
        }
        Ok(Self {
            configuration,
            secrets,
            token_expires,
        })
    }

    async fn compare(&self, work: Work<'_>, options: &Options) -> Result<Report, SyncError> {
        let (configuration, secrets) = (&self.configuration, &self.secrets);
        Ok(match work {
            Work::Plan => run::plan(configuration, secrets, options).await?,
            Work::Run(_) => run::run(configuration, secrets, options).await?,
            Work::Verify => run::verify(configuration, secrets, options).await?,
        })
    }
}

/// Deletes what the task has noted of its last run: after a run from here the server is no
/// longer as it left it.
async fn forget(target: &Target, cache: &CacheConfiguration) -> Result<(), Error> {
    let Some(object) = &cache.s3 else {
        return Ok(());
    };
    let region = object.region.clone();
    let mut config = aws_sdk_s3::config::Builder::from(target.cloud.config());
    if let Some(region) = region {
        config = config.region(aws_sdk_s3::config::Region::new(region));
    }
    aws_sdk_s3::Client::from_conf(config.force_path_style(target.cloud.is_local()).build())
        .delete_object()
        .bucket(&object.bucket)
        .key(&object.key)
        .send()
        .await
        .map_err(failed_to(format!(
            "delete the cache s3://{}/{}",
            object.bucket, object.key
        )))?;
    Ok(())
}

impl From<SyncExit> for Exit {
    fn from(exit: SyncExit) -> Self {
        match exit {
            SyncExit::Success => Self::Success,
            SyncExit::Failure => Self::Failure,
            SyncExit::Usage => Self::Usage,
            SyncExit::InvalidConfiguration => Self::InvalidEnvironment,
            SyncExit::Changes => Self::Changes,
            SyncExit::Incomplete => Self::NotFullyChecked,
            SyncExit::Credentials => Self::Credentials,
            SyncExit::ApprovalNeeded => Self::ApprovalNeeded,
            SyncExit::Interrupted => Self::Interrupted,
            SyncExit::Terminated => Self::Terminated,
        }
    }
}
