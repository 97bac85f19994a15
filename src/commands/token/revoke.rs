//! `token revoke`: every token of a client is worthless, because one was stolen.
//!
//! A new token is written twice, so that neither the current nor the previous version of the
//! parameter is one that anybody has. Two memories remain: each instance of the authorizer
//! trusts what it read for a minute, and API Gateway remembers for `authorizerTtlSeconds`
//! whom an instance let in. So API Gateway is made to forget twice: at once, which ends the
//! token for most requests, and once no instance can let it in any more.

use std::time::Duration;

use super::advice;
use super::subject::Subject;
use crate::cli::TokenRevokeArgs;
use crate::cloud::ServiceError;
use crate::commands::error::TokenError;
use crate::commands::{Error, Outcome, authorizer_cache, question};
use crate::printer::Printer;
use crate::token::{AUTHORIZER_MEMORY, Predecessor, Token};

/// More than the clocks of an instance and of this machine differ.
const MARGIN: Duration = Duration::from_secs(3);

pub(super) async fn run(args: &TokenRevokeArgs, printer: &Printer) -> Result<Outcome, Error> {
    let subject = Subject::open(&args.environment, &args.client).await?;
    let current = subject.own_token().await?;
    let client = subject.client.to_string();
    printer.message(&format!(
        "This makes every token of {client} worthless: its requests are refused until it gets the new token."
    ));
    let question = format!("type {client} to go on:");
    question::confirm(printer, args.yes, question, &client).await?;

    let token = Token::generate().map_err(TokenError::from)?;
    let version = current.write(&token, Predecessor::Ends).await?;
    printer.message(&format!(
        "{client} has a new token that nobody knows, version {version} of {}",
        current.parameter
    ));
    if args.reveal {
        token.reveal(|secret| printer.data_line(secret));
    }
    forget(&subject, args.no_wait, printer).await?;
    printer.message(&advice::next_steps(&subject, !args.reveal));
    Ok(Outcome::SUCCESS)
}

/// Sees to it that the old tokens are forgotten.
async fn forget(subject: &Subject, no_wait: bool, printer: &Printer) -> Result<(), Error> {
    let stack = subject.target.describe_existing().await?;
    let forgotten_after = advice::forgotten_after(&subject.target.environment);
    let not_forgotten = |error: ServiceError| {
        printer.warning(&format!(
            "API Gateway was not made to forget the old tokens, which may be accepted for up to {forgotten_after} seconds: {error}"
        ));
    };
    if let Err(error) = authorizer_cache::flush(&subject.target, &stack).await {
        not_forgotten(error);
        return Ok(());
    }
    if no_wait {
        printer.message(&format!(
            "An old token may be accepted for up to {forgotten_after} seconds more, where an instance of the authorizer has it in memory."
        ));
        return Ok(());
    }
    let seconds = AUTHORIZER_MEMORY.as_secs();
    printer.message(&format!(
        "waiting for {seconds} seconds, until no instance of the authorizer remembers an old token"
    ));
    tokio::time::sleep(AUTHORIZER_MEMORY + MARGIN).await;
    match authorizer_cache::flush(&subject.target, &stack).await {
        Ok(()) => printer.message("No old token is accepted any more."),
        Err(error) => not_forgotten(error),
    }
    Ok(())
}
