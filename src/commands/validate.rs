//! `validate`: checks environment files, offline.

use std::path::PathBuf;

use super::{Error, Outcome};
use crate::cli::ValidateArgs;
use crate::environment::{self, Environment};
use crate::printer::Printer;

/// Runs `validate`.
pub(super) fn run(args: &ValidateArgs, printer: &Printer) -> Result<Outcome, Error> {
    if args.schema {
        printer.data_line(&format!("{:#}", environment::json_schema()));
        return Ok(Outcome::SUCCESS);
    }
    if let Some(name) = &args.environment {
        Environment::load(name)?;
        printer.data_line(&format!("ok {name}"));
        return Ok(Outcome::SUCCESS);
    }
    every_file(environment::files()?, printer)
}

/// Checks every file; the last failure ends the command, those before are printed.
fn every_file(files: Vec<PathBuf>, printer: &Printer) -> Result<Outcome, Error> {
    let mut failure: Option<Error> = None;
    for path in files {
        match Environment::load_file(&path) {
            Ok(_) => printer.data_line(&format!("ok {}", path.display())),
            Err(error) => {
                if let Some(earlier) = failure.replace(error.into()) {
                    printer.error(&earlier);
                }
            }
        }
    }
    failure.map_or(Ok(Outcome::SUCCESS), Err)
}
