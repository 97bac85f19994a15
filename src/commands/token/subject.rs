//! Whose token a command is about, and where it is kept.

use jiff::Timestamp;

use super::{advice, kept};
use crate::cli::{ClientArg, EnvironmentArg};
use crate::commands::error::TokenError;
use crate::commands::target::{self, Target};
use crate::commands::{Error, question};
use crate::environment::{ClientName, Environment};
use crate::printer::Printer;
use crate::token::{Place, Predecessor, Token, Tokens};

/// One client's token.
pub(super) struct Subject {
    pub(super) target: Target,
    /// The options that mean this token, for commands that are recommended.
    pub(super) options: String,
    pub(super) client: ClientName,
    pub(super) place: Place,
}

impl Subject {
    /// Opens the environment and picks the client.
    pub(super) async fn open(
        environment: &EnvironmentArg,
        client: &ClientArg,
    ) -> Result<Self, Error> {
        let target = Target::find_endpoint(environment).await?;
        let client = pick_client(&target.environment, client.client.as_deref())?.clone();
        let place = kept::place(&target.environment, &client)?;
        Ok(Self {
            options: format!("--env {} --client {client}", target::name(environment)),
            place,
            client,
            target,
        })
    }

    /// The token to change: one that the stack made, in a parameter that the deployed endpoint
    /// reads. One written for a client that is not deployed would be taken over by a later
    /// deployment.
    ///
    /// # Errors
    /// [`TokenError::KeptElsewhere`], [`TokenError::ClientNotDeployed`].
    pub(super) async fn own_token(&self) -> Result<OwnToken<'_>, Error> {
        let client = self.client.to_string();
        let settings = self.target.environment.clients.get(&self.client);
        let external = settings.and_then(|settings| settings.token.as_ref());
        let parameter = match &self.place {
            Place::Parameter(parameter) if external.is_none() => parameter,
            place => {
                return Err(TokenError::KeptElsewhere {
                    client,
                    place: place.to_string(),
                }
                .into());
            }
        };
        let stack = self.target.describe_existing().await?;
        if stack.outputs.values().any(|value| value == parameter) {
            return Ok(OwnToken {
                subject: self,
                parameter,
                tokens: Tokens::new(&self.target.cloud),
            });
        }
        Err(TokenError::ClientNotDeployed {
            client,
            stack: self.target.stack_name(),
        }
        .into())
    }
}

/// A token that the stack made, and that this program may change.
pub(super) struct OwnToken<'a> {
    subject: &'a Subject,
    pub(super) parameter: &'a str,
    tokens: Tokens,
}

impl OwnToken<'_> {
    /// Asks before a token is pushed out of the overlap that its client may still be using.
    pub(super) async fn confirm_end_of_overlap(
        &self,
        printer: &Printer,
        yes: bool,
    ) -> Result<(), Error> {
        let environment = &self.subject.target.environment;
        let facts = self.tokens.facts(self.parameter).await?;
        let Some(until) = facts.filter(|facts| facts.version > 1).and_then(|facts| {
            let overlap_end = advice::overlap_end(environment, facts.written_at?)?;
            (Timestamp::now() < overlap_end).then_some(overlap_end)
        }) else {
            return Ok(());
        };
        let client = &self.subject.client;
        let until = advice::moment(until);
        printer.message(&format!(
            "The token of {client} was changed a short time ago, and the one before works until {until}.\nAnother change now stops that one at once. Go on only if the identity provider has the current one."
        ));
        question::confirm(printer, yes, "type y to go on:".to_owned(), "y").await
    }

    /// Deletes a parameter that is not encrypted: a parameter keeps its type, and every
    /// version of this one can be read.
    pub(super) async fn remove_plain_text(&self) -> Result<(), Error> {
        let facts = self.tokens.facts(self.parameter).await?;
        if facts.is_some_and(|facts| !facts.is_secure_string()) {
            self.tokens.delete(self.parameter).await?;
        }
        Ok(())
    }

    /// Makes `token` the current one, and returns its version.
    pub(super) async fn write(
        &self,
        token: &Token,
        predecessor: Predecessor,
    ) -> Result<i64, Error> {
        let Subject { target, client, .. } = self.subject;
        let settings = target.environment.clients.get(client);
        let generation = settings.map_or(0, |settings| settings.token_generation);
        // As the token generator words it, which would have made the parameter.
        let description = format!("SCIM bearer token of client {client}, generation {generation}");
        Ok(self
            .tokens
            .write(self.parameter, token, predecessor, &description)
            .await?)
    }

    /// Makes `token` the current one while the one before it works on for the overlap, and
    /// tells what follows. `which` reads before "token"; `reveal` advises how to see it.
    pub(super) async fn succeed(
        &self,
        token: &Token,
        which: &str,
        reveal: bool,
        printer: &Printer,
    ) -> Result<(), Error> {
        let version = self.write(token, Predecessor::Overlaps).await?;
        let Subject { target, client, .. } = self.subject;
        printer.message(&format!(
            "{client} has {which} token, version {version} of {}",
            self.parameter
        ));
        printer.message(&advice::both_work(&target.environment, Timestamp::now()));
        printer.message(&advice::next_steps(self.subject, reveal));
        Ok(())
    }
}

/// The client that was named, or the only one there is.
pub(in crate::commands) fn pick_client<'a>(
    environment: &'a Environment,
    name: Option<&str>,
) -> Result<&'a ClientName, Error> {
    let clients: Vec<&ClientName> = environment.clients.keys().collect();
    let found = match name {
        Some(name) => clients.iter().find(|client| client.as_ref() == name),
        None if clients.len() == 1 => clients.first(),
        None => None,
    };
    found.copied().ok_or_else(|| {
        TokenError::WhichClient {
            named: name.map(str::to_owned),
            clients: clients.iter().map(ToString::to_string).collect(),
        }
        .into()
    })
}
