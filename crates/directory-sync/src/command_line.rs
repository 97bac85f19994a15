//! The command line of `directory-sync`. Data goes to standard output; messages, the log and
//! metrics' failures go to standard error, so that `directory-sync plan --format json | jq`
//! never meets a message.

use std::io;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
use tokio::signal::unix::{self, SignalKind};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::configuration::Configuration;
use crate::exit::Exit;
use crate::run::{self, Options, Progress, Report, RunResult};

/// Keeps AWS IAM Identity Center, or another SCIM server, equal to Active Directory or LDAP.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say what `run` would do; exit 4 if there is anything to do.
    Plan(Common),
    /// Make the server equal to the directory.
    Run(RunArguments),
    /// Say whether the server is as the directory says: exit 0 if it is, 4 if not.
    Verify(Common),
}

/// What all commands have.
#[derive(Debug, Args)]
pub struct Common {
    /// The configuration: YAML, as `directorySync:` has it in an environment.
    #[arg(long, value_name = "FILE", env = "DIRECTORY_SYNC_CONFIG")]
    pub config: PathBuf,
    /// How the report is written to standard output.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Name people in the report: user names and distinguished names.
    #[arg(long)]
    pub names: bool,
}

/// What `run` has besides.
#[derive(Debug, Args)]
pub struct RunArguments {
    #[command(flatten)]
    common: Common,
    /// Go on although up to so many users, groups and memberships are taken away.
    #[arg(long, value_name = "N")]
    confirm_deletes: Option<usize>,
    /// Write the figures as a line that CloudWatch Logs makes metrics of.
    #[arg(long, env = "DIRECTORY_SYNC_METRICS")]
    metrics: bool,
}

/// How the report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs; all of it.
    Json,
    /// For the page of a pipeline.
    Markdown,
}

/// Does what the command line says.
pub async fn run(command_line: CommandLine) -> Exit {
    let common = match &command_line.command {
        Command::Plan(common) | Command::Verify(common) => common,
        Command::Run(arguments) => &arguments.common,
    };
    start_log();
    let configuration = match Configuration::read(&common.config) {
        Ok(configuration) => configuration,
        Err(error) => return fail(&run::Error::from(error)),
    };
    let writing = Arc::new(AtomicBool::new(false));
    let options = Options {
        confirmed_deletes: match &command_line.command {
            Command::Run(arguments) => arguments.confirm_deletes,
            Command::Plan(_) | Command::Verify(_) => None,
        },
        names: common.names,
        progress: {
            let writing = Arc::clone(&writing);
            Arc::new(move |progress| {
                if matches!(progress, Progress::Writing { .. }) {
                    writing.store(true, Ordering::Relaxed);
                }
            })
        },
        ..Options::default()
    };
    let begun = Instant::now();
    let mut work = pin!(execute(&command_line.command, &configuration, &options));
    let mut received = None;
    let report = tokio::select! {
        report = &mut work => report,
        exit = signal() => {
            if !writing.load(Ordering::Relaxed) {
                write(&mut io::stderr(), "interrupted before anything was written\n");
                return exit;
            }
            received = Some(exit);
            options.stop.store(true, Ordering::Relaxed);
            work.await
        }
    };
    if let Command::Run(RunArguments { metrics: true, .. }) = &command_line.command {
        let report = report.as_ref().ok();
        let line = run::embedded_metrics(
            &configuration.owner,
            report,
            begun.elapsed(),
            Timestamp::now(),
        );
        write(&mut io::stdout(), &format!("{line}\n"));
    }
    match report {
        Ok(report) => {
            show(&report, common.format);
            match (report.result, received) {
                (RunResult::Interrupted, Some(exit)) => exit,
                _ => report.exit(),
            }
        }
        Err(error) => fail(&error),
    }
}

async fn execute(
    command: &Command,
    configuration: &Configuration,
    options: &Options,
) -> Result<Report, run::Error> {
    let secrets = configuration.secrets()?;
    match command {
        Command::Plan(_) => run::plan(configuration, &secrets, options).await,
        Command::Run(_) => run::run(configuration, &secrets, options).await,
        Command::Verify(_) => run::verify(configuration, &secrets, options).await,
    }
}

fn show(report: &Report, format: Format) {
    let text = match format {
        Format::Text => run::text(report),
        Format::Json => report.json(),
        Format::Markdown => run::markdown(report),
    };
    write(&mut io::stdout(), &text);
}

fn fail(error: &run::Error) -> Exit {
    let mut text = format!("error: {error}\n");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text += &format!("  caused by: {cause}\n");
        source = cause.source();
    }
    if let Some(hint) = error.hint() {
        text += &format!("hint: {hint}\n");
    }
    write(&mut io::stderr(), &text);
    error.exit()
}

/// A closed pipe (`| head`) is no failure.
fn write(stream: &mut impl io::Write, text: &str) {
    let _closed_pipe = stream
        .write_all(text.as_bytes())
        .and_then(|()| stream.flush());
}

/// The log is this program's own: libraries may log what they send.
fn start_log() {
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_target(false);
    let own = Targets::new().with_target("directory_sync", LevelFilter::INFO);
    // A second subscriber in one process is no reason to fail.
    let _started = tracing_subscriber::registry()
        .with(layer)
        .with(own)
        .try_init();
}

/// Waits for Ctrl-C or SIGTERM, which ECS sends 30 seconds before it kills a task.
async fn signal() -> Exit {
    let terminated = async {
        match unix::signal(SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        Ok(()) = tokio::signal::ctrl_c() => Exit::Interrupted,
        () = terminated => Exit::Terminated,
    }
}
