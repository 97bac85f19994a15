//! The verbs of `token`.

use clap::{Args, Subcommand};

use super::EnvironmentArg;

/// The verbs of `token`.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Show what is known of a client's token, or the token itself.
    Show(TokenShowArgs),
}

/// Arguments of `token show`.
#[derive(Debug, Args)]
pub struct TokenShowArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// Whose token; needed where the environment has several clients.
    #[arg(long, value_name = "NAME")]
    pub client: Option<String>,
    /// Print the token alone on standard output.
    #[arg(long)]
    pub reveal: bool,
}
