//! `token show`: what is known of a client's token, or the token itself.

use super::subject::Subject;
use crate::cli::TokenShowArgs;
use crate::commands::error::TokenError;
use crate::commands::{Error, Outcome};
use crate::printer::Printer;

pub(super) async fn run(args: &TokenShowArgs, printer: &Printer) -> Result<Outcome, Error> {
    let subject = Subject::open(&args.environment, &args.client).await?;
    if args.reveal {
        let token = subject.tokens.read(&subject.parameter).await?;
        token.reveal(|secret| printer.data_line(secret));
        return Ok(Outcome::SUCCESS);
    }
    let facts = subject.facts().await?.ok_or_else(|| TokenError::NoToken {
        parameter: subject.parameter.clone(),
    })?;
    printer.data(&format!(
        "client     {}\nparameter  {}\nversion    {}\nwritten    {}\n",
        subject.client, subject.parameter, facts.version, facts.written
    ));
    printer.message("add --reveal to print the token itself");
    Ok(Outcome::SUCCESS)
}
