//! Verbs that look at what is deployed: `status` and `outputs`.

use clap::{Args, ValueEnum};

use super::EnvironmentArg;

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
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
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
}
