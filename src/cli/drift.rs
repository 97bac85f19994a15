//! The verb that compares the cloud with what was deployed.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::EnvironmentArg;

/// Arguments of `drift`.
#[derive(Debug, Args)]
pub struct DriftArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// Packages made by `build --out DIR`, for a pipeline that builds once; without them the functions are built here.
    #[arg(long, value_name = "DIR")]
    pub artifacts: Option<PathBuf>,
    /// Keep the result (when, how many findings, exit code) in an SSM parameter, for `status`; without it nothing is written.
    #[arg(long)]
    pub record: bool,
    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    pub format: DriftFormat,
}

/// How drift is printed.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum DriftFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object, whose `version` is 1.
    Json,
    /// For a pull request, a ticket or a job summary.
    Markdown,
}
