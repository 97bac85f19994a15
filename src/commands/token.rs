//! `token`: the bearer tokens of the clients.

use super::interrupt::{InCloud, run_interruptibly};
use super::target::Target;
use super::{Error, Outcome};
use crate::cli::{TokenCommand, TokenShowArgs};
use crate::environment::{ClientName, Environment};
use crate::printer::Printer;
use crate::token::Tokens;

/// Runs `token …`.
pub(super) fn run(command: &TokenCommand, printer: &Printer) -> Result<Outcome, Error> {
    match command {
        TokenCommand::Show(args) => run_interruptibly(&InCloud::default(), show(args, printer)),
    }
}

async fn show(args: &TokenShowArgs, printer: &Printer) -> Result<Outcome, Error> {
    let target = Target::open(&args.environment).await?;
    let client = pick_client(&target.environment, args.client.as_deref())?;
    if let Some(jwt) = target
        .environment
        .clients
        .get(client)
        .and_then(|settings| settings.jwt.as_ref())
    {
        return Err(Error::SignsInWithJwts {
            client: client.to_string(),
            issuer: jwt.issuer.to_string(),
        });
    }
    let parameter = target.environment.token_parameter(client);
    let tokens = Tokens::new(&target.cloud);
    if args.reveal {
        let token = tokens.read(&parameter).await?;
        token.reveal(|secret| printer.data_line(secret));
        return Ok(Outcome::SUCCESS);
    }
    let facts = tokens
        .facts(&parameter)
        .await?
        .ok_or_else(|| Error::NoToken {
            parameter: parameter.clone(),
        })?;
    printer.data(&format!(
        "client     {client}\nparameter  {parameter}\nversion    {}\nwritten    {}\n",
        facts.version, facts.written
    ));
    printer.message("add --reveal to print the token itself");
    Ok(Outcome::SUCCESS)
}

/// The client that was named, or the only one there is.
fn pick_client<'a>(
    environment: &'a Environment,
    name: Option<&str>,
) -> Result<&'a ClientName, Error> {
    let clients: Vec<&ClientName> = environment.clients.keys().collect();
    let found = match name {
        Some(name) => clients.iter().find(|client| client.as_ref() == name),
        None if clients.len() == 1 => clients.first(),
        None => None,
    };
    found.copied().ok_or_else(|| Error::WhichClient {
        named: name.map(str::to_owned),
        clients: clients.iter().map(ToString::to_string).collect(),
    })
}
