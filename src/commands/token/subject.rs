//! Whose token a command is about, and where it is kept.

use jiff::Timestamp;

use crate::cli::{ClientArg, EnvironmentArg};
use crate::commands::Error;
use crate::commands::error::{QuestionError, TokenError};
use crate::commands::target::Target;
use crate::environment::{ClientName, Environment};
use crate::printer::Printer;
use crate::token::{Predecessor, Token, TokenFacts, Tokens};

/// One client's token.
pub(super) struct Subject {
    pub(super) target: Target,
    /// The options that mean this token, for commands that are recommended.
    pub(super) options: String,
    pub(super) client: ClientName,
    pub(super) parameter: String,
    pub(super) tokens: Tokens,
}

impl Subject {
    /// Opens the environment and picks the client.
    pub(super) async fn open(
        environment: &EnvironmentArg,
        client: &ClientArg,
    ) -> Result<Self, Error> {
        let target = Target::find(environment).await?;
        let client = pick_client(&target.environment, client.client.as_deref())?.clone();
        let parameter = token_parameter(&target.environment, &client)?;
        let chosen_target = environment
            .target
            .as_deref()
            .map(|name| format!(" --target {name}"))
            .unwrap_or_default();
        Ok(Self {
            options: format!(
                "--env {}{chosen_target} --client {client}",
                environment.environment
            ),
            parameter,
            tokens: Tokens::new(&target.cloud),
            client,
            target,
        })
    }

    /// What is known of the token; nothing where its parameter is not there.
    pub(super) async fn facts(&self) -> Result<Option<TokenFacts>, Error> {
        Ok(self.tokens.facts(&self.parameter).await?)
    }

    /// Makes sure that the token is the stack's, and that the deployed endpoint reads its
    /// parameter: a token written for a client that is not deployed would be taken over by a
    /// later deployment.
    pub(super) async fn insist_on_deployment(&self) -> Result<(), Error> {
        let settings = self.target.environment.clients.get(&self.client);
        if let Some(token) = settings.and_then(|settings| settings.token.as_ref()) {
            return Err(TokenError::KeptElsewhere {
                client: self.client.to_string(),
                place: token.place(),
            }
            .into());
        }
        let stack = self.target.describe_existing().await?;
        if stack.outputs.values().any(|value| *value == self.parameter) {
            return Ok(());
        }
        Err(TokenError::ClientNotDeployed {
            client: self.client.to_string(),
            stack: self.target.stack_name(),
        }
        .into())
    }

    /// Asks before a token is pushed out of the overlap that its client may still be using.
    pub(super) async fn confirm_end_of_overlap(
        &self,
        printer: &Printer,
        yes: bool,
    ) -> Result<(), Error> {
        let facts = self.facts().await?;
        let Some(until) = facts.filter(|facts| facts.version > 1).and_then(|facts| {
            let overlap_end =
                super::advice::overlap_end(&self.target.environment, facts.written_at?)?;
            (Timestamp::now() < overlap_end).then_some(overlap_end)
        }) else {
            return Ok(());
        };
        let client = &self.client;
        let until = super::advice::moment(until);
        printer.message(&format!(
            "The token of {client} was changed a short time ago, and the one before works until {until}.\nAnother change now stops that one at once. Go on only if the identity provider has the current one."
        ));
        confirm(printer, yes, "go on", "y")
    }

    /// Makes `token` the current one, and returns its version.
    pub(super) async fn write(
        &self,
        token: &Token,
        predecessor: Predecessor,
    ) -> Result<i64, Error> {
        let generation = self
            .target
            .environment
            .clients
            .get(&self.client)
            .map_or(0, |settings| settings.token_generation);
        // As the token generator words it, which would have made the parameter.
        let description = format!(
            "SCIM bearer token of client {}, generation {generation}",
            self.client
        );
        Ok(self
            .tokens
            .write(&self.parameter, token, predecessor, &description)
            .await?)
    }
}

/// Has the person type `word`, unless `--yes` says that it was thought over.
pub(super) fn confirm(printer: &Printer, yes: bool, to_do: &str, word: &str) -> Result<(), Error> {
    if yes {
        return Ok(());
    }
    if !printer.can_ask() {
        return Err(QuestionError::ConfirmationNeeded { flag: "--yes" }.into());
    }
    let answer = printer
        .ask(&format!("type {word} to {to_do}:"))
        .map_err(|source| Error::Io {
            action: "read the answer".to_owned(),
            source,
        })?;
    if answer == word {
        Ok(())
    } else {
        Err(QuestionError::NotConfirmed.into())
    }
}

/// The SSM parameter that holds a client's token.
///
/// # Errors
/// When there is none: the client has JWTs, or its token is in a secret.
pub(in crate::commands) fn token_parameter(
    environment: &Environment,
    client: &ClientName,
) -> Result<String, Error> {
    let settings = environment.clients.get(client);
    if let Some(jwt) = settings.and_then(|settings| settings.jwt.as_ref()) {
        return Err(TokenError::SignsInWithJwts {
            client: client.to_string(),
            issuer: jwt.issuer.to_string(),
        }
        .into());
    }
    match settings.and_then(|settings| settings.token.as_ref()) {
        None => Ok(environment.token_parameter(client)),
        Some(token) => match &token.parameter_name {
            Some(parameter) => Ok(parameter.to_string()),
            None => Err(TokenError::KeptElsewhere {
                client: client.to_string(),
                place: token.place(),
            }
            .into()),
        },
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
