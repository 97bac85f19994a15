//! `connect-scim`: parse, run, map the outcome to an exit code.

use std::process::ExitCode;

use clap::Parser as _;
use connect_scim::{cli::CommandLine, commands, printer::Printer};

fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    let printer = Printer::new(&command_line.global);
    match commands::run(command_line, &printer) {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => {
            printer.error(&error);
            error.exit_code()
        }
    }
}
