//! `token rotate`: a new token that works at once; the old one works on for the overlap,
//! in which the identity provider gets the new one.

use jiff::Timestamp;

use super::advice;
use super::subject::Subject;
use crate::cli::TokenRotateArgs;
use crate::commands::error::TokenError;
use crate::commands::{Error, Outcome};
use crate::printer::Printer;
use crate::token::{Predecessor, Token};

pub(super) async fn run(args: &TokenRotateArgs, printer: &Printer) -> Result<Outcome, Error> {
    let subject = Subject::open(&args.environment, &args.client).await?;
    subject.insist_on_deployment().await?;
    subject.confirm_end_of_overlap(printer, args.yes).await?;

    let token = Token::generate().map_err(TokenError::from)?;
    let version = subject.write(&token, Predecessor::Overlaps).await?;
    printer.message(&format!(
        "{} has a new token, version {version} of {}",
        subject.client, subject.parameter
    ));
    printer.message(&advice::both_work(
        &subject.target.environment,
        Timestamp::now(),
    ));
    printer.message(&advice::next_steps(&subject, !args.reveal));
    if args.reveal {
        token.reveal(|secret| printer.data_line(secret));
    }
    Ok(Outcome::SUCCESS)
}
