//! `directory-sync`: parse, run, map the outcome to an exit code.

use std::process::ExitCode;

use clap::Parser as _;
use directory_sync::command_line::{self, CommandLine};

#[tokio::main]
async fn main() -> ExitCode {
    command_line::run(CommandLine::parse()).await.into()
}
