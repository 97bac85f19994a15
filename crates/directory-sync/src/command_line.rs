//! The command line of `directory-sync`. Data goes to standard output; messages, the log and
//! metrics' failures go to standard error, so that `directory-sync plan --format json | jq`
//! never meets a message.
//!
//! In a container everything comes from the environment: there is no file to mount.

use std::io;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
use tokio::signal::unix::{self, SignalKind};

use crate::configuration::{self, Configuration};
use crate::exit::Exit;
use crate::identity::Owner;
use crate::log::{self, LogFormat};
use crate::run::{self, Options, Progress, Report, RunResult};
use crate::token::TokenExpiry;

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
    #[arg(
        long,
        value_name = "FILE",
        env = "DIRECTORY_SYNC_CONFIG",
        required_unless_present = "configuration"
    )]
    pub config: Option<PathBuf>,
    /// The text of the configuration, where there is no file.
    #[arg(
        long,
        value_name = "YAML",
        env = "DIRECTORY_SYNC_CONFIGURATION",
        hide_env_values = true
    )]
    pub configuration: Option<String>,
    /// When the server's token expires: a date, such as 2027-11-22, or a time (RFC 3339). The
    /// report says how many days are left, and warns when they are less than 90.
    #[arg(long, value_name = "DATE", env = "DIRECTORY_SYNC_TOKEN_EXPIRES")]
    pub token_expires: Option<String>,
    /// How the report is written to standard output.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// How the log is written to standard error.
    #[arg(
        long,
        value_enum,
        default_value_t = LogFormat::Text,
        env = "DIRECTORY_SYNC_LOG_FORMAT"
    )]
    pub log_format: LogFormat,
    /// Add names to the report: user names, distinguished names, members, old and new values.
    #[arg(long)]
    pub names: bool,
}

/// What `run` has besides.
#[derive(Debug, Args)]
pub struct RunArguments {
    #[command(flatten)]
    common: Common,
    /// Confirm up to this many removals and renames: the number in the message of the refusal.
    #[arg(long, value_name = "N")]
    confirm_deletes: Option<usize>,
    /// Compare both sides, whatever the cache says.
    #[arg(long)]
    full: bool,
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

impl Command {
    fn common(&self) -> &Common {
        match self {
            Self::Plan(common) | Self::Verify(common) => common,
            Self::Run(arguments) => &arguments.common,
        }
    }
}

impl Common {
    /// The text of the configuration. A file that is named counts before a text.
    fn text(&self) -> Result<String, configuration::Error> {
        match (&self.config, &self.configuration) {
            (Some(path), _) => configuration::read_file(path),
            (None, text) => Ok(text.clone().unwrap_or_default()),
        }
    }

    fn token_expires(&self) -> Result<Option<TokenExpiry>, configuration::Error> {
        let text = self.token_expires.as_deref().map(str::trim);
        text.filter(|text| !text.is_empty())
            .map(str::parse)
            .transpose()
            .map_err(configuration::Error::TokenExpiry)
    }
}

/// The line of figures that a run ends with, however it ends.
struct Metrics {
    wanted: bool,
    begun: Instant,
    /// Not known as long as the configuration is not.
    owner: Option<Owner>,
    token_expires: Option<TokenExpiry>,
}

impl Metrics {
    fn write(&self, report: Option<&Report>) {
        if let (true, Some(owner)) = (self.wanted, &self.owner) {
            let now = Timestamp::now();
            let duration = self.begun.elapsed();
            let line = run::embedded_metrics(owner, report, duration, self.token_expires, now);
            write(&mut io::stdout(), &format!("{line}\n"));
        }
    }
}

/// Why there is no report.
enum Ended {
    Error(run::Error),
    /// Before anything was written.
    Signal(Exit),
}

impl<E: Into<run::Error>> From<E> for Ended {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// Runs the command.
pub async fn run(command_line: CommandLine) -> Exit {
    let command = &command_line.command;
    let Common {
        format, log_format, ..
    } = *command.common();
    log::start(log_format);
    let mut metrics = Metrics {
        wanted: matches!(command, Command::Run(RunArguments { metrics: true, .. })),
        begun: Instant::now(),
        owner: None,
        token_expires: None,
    };
    let ended = attempt(command, &mut metrics).await;
    metrics.write(ended.as_ref().ok().map(|(report, _)| report));
    match ended {
        Ok((report, received)) => {
            show(&report, format);
            match (report.result, received) {
                (RunResult::Interrupted, Some(exit)) => exit,
                _ => report.exit(),
            }
        }
        Err(Ended::Error(error)) => {
            tell(log_format, &Failure::of(&error));
            error.exit()
        }
        Err(Ended::Signal(exit)) => {
            let failure = Failure {
                message: "interrupted before anything was written".to_owned(),
                ..Failure::default()
            };
            tell(log_format, &failure);
            exit
        }
    }
}

/// The report, and the signal that was received while it was made.
async fn attempt(
    command: &Command,
    metrics: &mut Metrics,
) -> Result<(Report, Option<Exit>), Ended> {
    let common = command.common();
    let text = common.text()?;
    metrics.owner = configuration::owner_in(&text);
    metrics.token_expires = common.token_expires()?;
    let configuration = Configuration::parse(&text)?;
    let writing = Arc::new(AtomicBool::new(false));
    let options = Options {
        confirmed_deletes: match command {
            Command::Run(arguments) => arguments.confirm_deletes,
            Command::Plan(_) | Command::Verify(_) => None,
        },
        names: common.names,
        full: matches!(command, Command::Run(RunArguments { full: true, .. })),
        token_expires: metrics.token_expires,
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
    let mut work = pin!(execute(command, &configuration, &options));
    tokio::select! {
        report = &mut work => Ok((report?, None)),
        exit = signal() => {
            if !writing.load(Ordering::Relaxed) {
                return Err(Ended::Signal(exit));
            }
            options.stop.store(true, Ordering::Relaxed);
            Ok((work.await?, Some(exit)))
        }
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

/// Why there is no report, for people.
#[derive(Default)]
struct Failure {
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
}

impl Failure {
    fn of(error: &run::Error) -> Self {
        let mut causes = Vec::new();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            causes.push(cause.to_string());
            source = cause.source();
        }
        Self {
            message: error.to_string(),
            causes,
            hint: error.hint(),
        }
    }
}

fn tell(format: LogFormat, failure: &Failure) {
    let Failure {
        message,
        causes,
        hint,
    } = failure;
    if format == LogFormat::Json {
        let causes = (!causes.is_empty()).then(|| causes.join(": "));
        tracing::error!(causes, hint, "{message}");
        return;
    }
    let mut text = format!("error: {message}\n");
    for cause in causes {
        text += &format!("  caused by: {cause}\n");
    }
    if let Some(hint) = hint {
        text += &format!("hint: {hint}\n");
    }
    write(&mut io::stderr(), &text);
}

/// A closed pipe (`| head`) is no failure.
fn write(stream: &mut impl io::Write, text: &str) {
    let _closed_pipe = stream
        .write_all(text.as_bytes())
        .and_then(|()| stream.flush());
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
