//! `completions`: what a shell needs to complete the command line.

use clap::CommandFactory as _;

use super::{Error, Outcome};
use crate::cli::{CommandLine, CompletionsArgs};
use crate::printer::Printer;

/// Runs `completions`.
pub(super) fn run(args: &CompletionsArgs, printer: &Printer) -> Result<Outcome, Error> {
    let mut script = Vec::new();
    let mut command = CommandLine::command();
    clap_complete::generate(args.shell, &mut command, "connect-scim", &mut script);
    printer.data(&String::from_utf8_lossy(&script));
    Ok(Outcome::SUCCESS)
}
