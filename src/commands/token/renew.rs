//! A new token in the place of one that is gone, or that was never secret.

use super::advice;
use super::subject::Subject;
use crate::cli::{ClientArg, EnvironmentArg};
use crate::commands::Error;
use crate::commands::error::TokenError;
use crate::printer::Printer;
use crate::token::{Predecessor, Token};

/// Writes a new token for a client, and says what has to be done at the identity provider:
/// the one it has is refused from now on.
///
/// # Errors
/// When the client has no token of the stack's, or a service refuses.
pub(in crate::commands) async fn renew(
    environment: &EnvironmentArg,
    client: &str,
    printer: &Printer,
) -> Result<(), Error> {
    let client = ClientArg {
        client: Some(client.to_owned()),
    };
    let subject = Subject::open(environment, &client).await?;
    let current = subject.own_token().await?;
    current.remove_plain_text().await?;
    let token = Token::generate().map_err(TokenError::from)?;
    current.write(&token, Predecessor::Ends).await?;
    printer.message(&format!(
        "{} has a new token in {}; the one that the identity provider has is refused",
        subject.client, current.parameter
    ));
    printer.message(&advice::next_steps(&subject, true));
    Ok(())
}
