//! `man`: the manual pages, from the same source as `--help`.

use std::path::Path;

use clap::CommandFactory as _;

use super::{Error, Outcome};
use crate::cli::{CommandLine, ManArgs};
use crate::printer::Printer;

/// Runs `man`.
pub(super) fn run(args: &ManArgs, printer: &Printer) -> Result<Outcome, Error> {
    match &args.out {
        Some(directory) => {
            write(directory)?;
            printer.message(&format!("the pages are in {}", directory.display()));
        }
        None => printer.data(&main_page()?),
    }
    Ok(Outcome::SUCCESS)
}

fn main_page() -> Result<String, Error> {
    let mut page = Vec::new();
    clap_mangen::Man::new(CommandLine::command())
        .render(&mut page)
        .map_err(|source| Error::Io {
            action: "make the manual page".to_owned(),
            source,
        })?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn write(directory: &Path) -> Result<(), Error> {
    let failed = |source| Error::Io {
        action: format!("write the manual pages into {}", directory.display()),
        source,
    };
    std::fs::create_dir_all(directory).map_err(failed)?;
    clap_mangen::generate_to(CommandLine::command(), directory).map_err(failed)
}
