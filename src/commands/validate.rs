//! `validate`: checks environment files, offline.

use std::path::PathBuf;

use super::{Error, Outcome};
use crate::cli::ValidateArgs;
use crate::environment::{self, EnvironmentFile};
use crate::printer::Printer;

/// Runs `validate`.
pub(super) fn run(args: &ValidateArgs, printer: &Printer) -> Result<Outcome, Error> {
    if args.schema {
        printer.data_line(&format!("{:#}", environment::json_schema()));
        return Ok(Outcome::SUCCESS);
    }
    if let Some(name) = &args.environment {
        let file = EnvironmentFile::load(name)?;
        printer.data_line(&ok(name, &file));
        return Ok(Outcome::SUCCESS);
    }
    every_file(environment::files()?, printer)
}

/// Checks every file; the last failure ends the command, those before are printed.
fn every_file(files: Vec<PathBuf>, printer: &Printer) -> Result<Outcome, Error> {
    let mut failure: Option<Error> = None;
    for path in files {
        match EnvironmentFile::load_file(&path) {
            Ok(file) => printer.data_line(&ok(&path.display().to_string(), &file)),
            Err(error) => {
                if let Some(earlier) = failure.replace(error.into()) {
                    printer.error(&earlier);
                }
            }
        }
    }
    failure.map_or(Ok(Outcome::SUCCESS), Err)
}

/// `ok prod`, or `ok prod (frankfurt, london)`.
fn ok(name: &str, file: &EnvironmentFile) -> String {
    let names = file
        .targets
        .iter()
        .filter_map(|target| target.name.as_ref());
    let names: Vec<&str> = names.map(AsRef::as_ref).collect();
    if names.is_empty() {
        format!("ok {name}")
    } else {
        format!("ok {name} ({})", names.join(", "))
    }
}
