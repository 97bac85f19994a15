//! `token set`: a token that somebody else made, such as a company's vault. It comes from
//! standard input, because arguments are seen by everybody on the machine and are kept in
//! the shell's history; on a terminal it is asked for without an echo.

use std::io::Read as _;

use secrecy::{ExposeSecret as _, SecretString};

use super::subject::Subject;
use crate::cli::TokenSetArgs;
use crate::commands::error::TokenError;
use crate::commands::{Error, Outcome};
use crate::printer::Printer;
use crate::token::Token;

/// More than the longest token or JWT: what is longer is refused without being read to its end.
const MOST_BYTES: u64 = 16_384;

pub(super) async fn run(args: &TokenSetArgs, printer: &Printer) -> Result<Outcome, Error> {
    let subject = Subject::open(&args.environment, &args.client).await?;
    let current = subject.own_token().await?;
    let question = format!("token of {} (not shown):", subject.client);
    let token = Token::parse(read_token_text(printer, &question)?.expose_secret())
        .map_err(TokenError::from)?;
    current.confirm_end_of_overlap(printer, args.yes).await?;

    current.succeed(&token, "the given", false, printer).await?;
    Ok(Outcome::SUCCESS)
}

/// A token from standard input, without white space around it; asked for without an echo
/// where that is a terminal.
pub(in crate::commands) fn read_token_text(
    printer: &Printer,
    question: &str,
) -> Result<SecretString, Error> {
    let text = read_secret_text(printer, question)?;
    Ok(text.expose_secret().trim().into())
}

/// A secret from standard input, without the end of its line; asked for without an echo
/// where that is a terminal.
pub(in crate::commands) fn read_secret_text(
    printer: &Printer,
    question: &str,
) -> Result<SecretString, Error> {
    let text = if printer.stdin_is_terminal() {
        printer.ask_secretly(question)
    } else {
        let mut text = String::new();
        std::io::stdin()
            .take(MOST_BYTES)
            .read_to_string(&mut text)
            .map(|_| text)
    };
    text.map(|text| text.trim_end_matches(['\r', '\n']).into())
        .map_err(|source| Error::Io {
            action: "read the secret from standard input".to_owned(),
            source,
        })
}
