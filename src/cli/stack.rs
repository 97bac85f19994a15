//! Verbs that change the stack: `deploy` and `destroy`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::EnvironmentArg;

/// Arguments of `deploy`.
#[derive(Debug, Args)]
pub struct DeployArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// Packages made by `build --out DIR`, for a pipeline that builds once; without them the functions are built here.
    #[arg(long, value_name = "DIR")]
    pub artifacts: Option<PathBuf>,
    /// How progress is told.
    #[arg(long, value_enum, default_value_t)]
    pub format: EventFormat,
    /// Wait for another operation on the stack to end instead of leaving with exit code 8.
    #[arg(long)]
    pub wait: bool,
    /// Minutes after which the deployer stops waiting; the operation in the cloud goes on.
    #[arg(long, value_name = "MINUTES", default_value_t = 60)]
    pub timeout: u64,
}

/// How progress is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum EventFormat {
    /// A progress bar on a terminal, plain lines otherwise.
    #[default]
    Text,
    /// One JSON object a line on standard output.
    Json,
}

/// Arguments of `destroy`.
#[derive(Debug, Args)]
pub struct DestroyArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
    /// How progress is told.
    #[arg(long, value_enum, default_value_t)]
    pub format: EventFormat,
    /// Minutes after which the deployer stops waiting; the operation in the cloud goes on.
    #[arg(long, value_name = "MINUTES", default_value_t = 60)]
    pub timeout: u64,
}
