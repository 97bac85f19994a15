//! `token`: the bearer tokens of the clients.

mod advice;
pub(super) mod kept;
mod renew;
mod revoke;
mod rotate;
mod set;
mod show;
mod subject;

use super::interrupt::{InCloud, run_interruptibly};
use super::{Error, Outcome};
use crate::cli::TokenCommand;
use crate::printer::Printer;

pub(super) use renew::renew;
pub(super) use set::{read_secret_text, read_token_text};
pub(super) use subject::pick_client;

/// Runs `token …`.
pub(super) fn run(command: &TokenCommand, printer: &Printer) -> Result<Outcome, Error> {
    run_interruptibly(&InCloud::default(), async {
        match command {
            TokenCommand::Show(args) => show::run(args, printer).await,
            TokenCommand::Rotate(args) => rotate::run(args, printer).await,
            TokenCommand::Revoke(args) => revoke::run(args, printer).await,
            TokenCommand::Set(args) => set::run(args, printer).await,
        }
    })
}
