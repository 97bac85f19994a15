//! Verbs that look at what is deployed: `status`, `outputs`, `smoke`, `logs` and `doctor`.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{ClientArg, EnvironmentArg};

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    pub format: StatusFormat,
}

/// How a status is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum StatusFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

/// Arguments of `outputs`.
#[derive(Debug, Args)]
pub struct OutputsArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// How to print them.
    #[arg(long, value_enum, default_value_t)]
    pub format: OutputsFormat,
}

/// How outputs are printed.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum OutputsFormat {
    /// Aligned lines.
    #[default]
    Text,
    /// One JSON object with the keys of the template's Outputs.
    Json,
    /// `NAME=value` lines for a shell.
    Env,
    /// Lines for the file $GITHUB_OUTPUT, which make them outputs of a step.
    Github,
}

/// Arguments of `smoke`.
#[derive(Debug, Args)]
pub struct SmokeArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// As which client.
    #[command(flatten)]
    pub client: ClientArg,
    /// Also make a user, read, suspend and remove it: it stands in Connect for a few seconds.
    #[arg(long)]
    pub write: bool,
    /// Read the token from standard input, for a client whose tokens an issuer makes. The variable CONNECT_SCIM_TOKEN does the same.
    #[arg(long)]
    pub token_stdin: bool,
    /// How to print what happened.
    #[arg(long, value_enum, default_value_t)]
    pub format: StatusFormat,
}

/// Arguments of `logs`.
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// Whose lines; without it those of all functions.
    #[arg(value_enum, value_name = "FUNCTION")]
    pub sources: Vec<LogSource>,
    /// Stay, and print lines as they come.
    #[arg(long, short)]
    pub follow: bool,
    /// How far to go back, such as 30s, 10m, 2h or 1d.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = crate::logs::parse_since)]
    pub since: Duration,
    /// Print lines only that match this CloudWatch Logs filter pattern, such as '{ $.status >= 400 }'.
    #[arg(long, value_name = "PATTERN")]
    pub filter: Option<String>,
    /// How to print them.
    #[arg(long, value_enum, default_value_t)]
    pub format: LogsFormat,
}

/// What writes log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogSource {
    /// Answers SCIM requests.
    UserProvisioning,
    /// Finishes what Connect did not take in a request.
    Reconciler,
    /// Tells whose token a request carries.
    TokenAuthorizer,
    /// Writes tokens during deployments.
    TokenGenerator,
    /// The API's access log.
    AccessLog,
    /// The runs of a directory sync.
    DirectorySync,
}

/// How log lines are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum LogsFormat {
    /// For people: without metrics and without Lambda's record of invocations that succeeded.
    #[default]
    Text,
    /// Every line, as a JSON object with `timestamp`, `source` and `event`.
    Json,
}

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// How to print the checks.
    #[arg(long, value_enum, default_value_t)]
    pub format: StatusFormat,
}
