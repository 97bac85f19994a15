//! `token show`: what is known of a client's token, or the token itself.

use super::kept;
use super::subject::Subject;
use crate::cli::TokenShowArgs;
use crate::commands::error::TokenError;
use crate::commands::{Error, Outcome};
use crate::printer::Printer;
use crate::token::Place;

pub(super) async fn run(args: &TokenShowArgs, printer: &Printer) -> Result<Outcome, Error> {
    let Subject {
        target,
        client,
        place,
        ..
    } = Subject::open(&args.environment, &args.client).await?;
    if args.reveal {
        let token = kept::read(&target, &place).await?;
        token.reveal(|secret| printer.data_line(secret));
        return Ok(Outcome::SUCCESS);
    }
    let known = kept::look(&target, &place)
        .await?
        .ok_or_else(|| match &place {
            Place::Parameter(parameter) => TokenError::NoToken {
                parameter: parameter.clone(),
            },
            Place::Secret { arn, .. } => TokenError::NoSecret {
                secret: arn.clone(),
            },
        })?;
    let mut lines = vec![("client", client.to_string())];
    match &place {
        Place::Parameter(parameter) => lines.push(("parameter", parameter.clone())),
        Place::Secret { arn, key } => {
            lines.push(("secret", arn.clone()));
            lines.extend(key.iter().map(|key| ("member", key.clone())));
        }
    }
    lines.extend(
        known
            .version
            .iter()
            .map(|version| ("version", version.to_string())),
    );
    lines.extend(kept::written(&known).map(|written| ("written", written)));
    for (name, value) in lines {
        printer.data_line(&format!("{name:9}  {value}"));
    }
    printer.message("add --reveal to print the token itself");
    Ok(Outcome::SUCCESS)
}
