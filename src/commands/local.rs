//! `local`: the local cloud on this machine.

use super::{Error, Outcome};
use crate::cli::LocalCommand;
use crate::printer::Printer;

/// Runs `local up|down|status`.
pub(super) fn run(_command: LocalCommand, _printer: &Printer) -> Result<Outcome, Error> {
    Ok(Outcome::SUCCESS)
}
