//! The verbs of `local`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::StatusFormat;

/// The verbs of `local`.
#[derive(Debug, Subcommand)]
pub enum LocalCommand {
    /// Start the local cloud, unless it runs already.
    Up,
    /// Stop the local cloud and forget everything in it.
    Down,
    /// Tell whether the local cloud runs, and where.
    Status {
        /// How to print it.
        #[arg(long, value_enum, default_value_t)]
        format: StatusFormat,
    },
    /// Run the Connect simulator in the foreground; `up` starts it this way.
    #[command(hide = true)]
    ConnectSimulator(ConnectSimulatorArgs),
}

/// Arguments of `local connect-simulator`.
#[derive(Debug, Args)]
pub struct ConnectSimulatorArgs {
    /// The loopback port to listen on.
    #[arg(long)]
    pub port: u16,
    /// The file that holds the simulator's state.
    #[arg(long)]
    pub state: Option<PathBuf>,
    /// The URL of the policy engine that decides who may do what; everybody may do everything without.
    #[arg(long, value_name = "URL")]
    pub authorizer: Option<String>,
}
