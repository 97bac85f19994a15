//! `directory-sync`: parse, run, map the outcome to an exit code.

use std::process::ExitCode;

use clap::Parser as _;
use directory_sync::command_line::{self, CommandLine};

/// A directory of ten thousand users is some million small values: reading them takes
/// half as long as with the allocator of the system (`benches/README.md`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

// Of several threads one would wait for the directory and wake another for each entry.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    command_line::run(CommandLine::parse()).await.into()
}
