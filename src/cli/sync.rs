//! The verbs of `sync`.

use clap::{Args, Subcommand, ValueEnum};

use super::EnvironmentArg;

/// The verbs of `sync`.
#[derive(Debug, Subcommand)]
pub enum SyncCommand {
    /// Show what a run would do; changes nothing.
    Plan(SyncArgs),
    /// Make the SCIM server equal to the directory now, from this machine.
    Run(SyncRunArgs),
    /// Tell whether the SCIM server is as the directory says; changes nothing.
    Verify(SyncArgs),
    /// The two secrets: the password that reads the directory, and the SCIM server's token.
    #[command(subcommand)]
    Secret(SyncSecretCommand),
}

/// Arguments of `sync plan` and `sync verify`.
#[derive(Debug, Args)]
pub struct SyncArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// Add names to the report: user names, distinguished names, members, old and new values.
    #[arg(long)]
    pub names: bool,
    /// How to print the report.
    #[arg(long, value_enum, default_value_t)]
    pub format: SyncFormat,
}

/// Arguments of `sync run`.
#[derive(Debug, Args)]
pub struct SyncRunArgs {
    /// What all verbs have.
    #[command(flatten)]
    pub common: SyncArgs,
    /// Confirm up to this many removals and renames: the number in the message of the refusal.
    #[arg(long, value_name = "N")]
    pub confirm_deletes: Option<usize>,
    /// Compare both sides, whatever the cache says.
    #[arg(long)]
    pub full: bool,
}

/// How a report of the directory sync is printed.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum SyncFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object, whose `version` is 1.
    Json,
    /// For a pull request, a ticket or a job summary.
    Markdown,
}

/// The verbs of `sync secret`.
#[derive(Debug, Subcommand)]
pub enum SyncSecretCommand {
    /// Hand over a secret, from standard input; on a terminal it is asked for, and not shown.
    Set(SyncSecretSetArgs),
}

/// Arguments of `sync secret set`.
#[derive(Debug, Args)]
pub struct SyncSecretSetArgs {
    /// Which secret.
    #[arg(value_enum)]
    pub secret: SyncSecret,
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// The day on which the token expires, such as 2027-11-22; default: a year from today, as Identity Center makes them.
    #[arg(long, value_name = "DATE")]
    pub expires: Option<String>,
}

/// A secret of the directory sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SyncSecret {
    /// The password of `source.bindName`.
    BindPassword,
    /// The bearer token of the SCIM server.
    Token,
}

impl SyncSecret {
    /// Its name on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::BindPassword => "bind-password",
            Self::Token => "token",
        }
    }
}

impl std::fmt::Display for SyncSecret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::BindPassword => "password that reads the directory",
            Self::Token => "token of the SCIM server",
        })
    }
}
