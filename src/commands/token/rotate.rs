//! `token rotate`: a new token that works at once; the old one works on for the overlap,
//! in which the identity provider gets the new one.

use super::subject::Subject;
use crate::cli::TokenRotateArgs;
use crate::commands::error::TokenError;
use crate::commands::{Error, Outcome};
use crate::printer::Printer;
use crate::token::Token;

pub(super) async fn run(args: &TokenRotateArgs, printer: &Printer) -> Result<Outcome, Error> {
    let subject = Subject::open(&args.environment, &args.client).await?;
    let current = subject.own_token().await?;
    current.confirm_end_of_overlap(printer, args.yes).await?;

    let token = Token::generate().map_err(TokenError::from)?;
    current
        .succeed(&token, "a new", !args.reveal, printer)
        .await?;
    if args.reveal {
        token.reveal(|secret| printer.data_line(secret));
    }
    Ok(Outcome::SUCCESS)
}
