//! Reading a token, or what is known of it, wherever it is kept.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::commands::Error;
use crate::commands::error::TokenError;
use crate::commands::target::Target;
use crate::environment::{ClientName, Environment};
use crate::token::{Place, Secrets, Token, Tokens};

/// What is known of a token without reading it.
#[derive(Debug)]
pub(in crate::commands) struct Known {
    pub(in crate::commands) version: Option<Version>,
    /// When it was written, as far as its place tells.
    pub(in crate::commands) written_at: Option<Timestamp>,
}

/// A version, as the place of the token counts or names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(in crate::commands) enum Version {
    /// Of a parameter: how often it was written.
    Number(i64),
    /// Of a secret: a UUID.
    Id(String),
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(formatter),
            Self::Id(id) => id.fmt(formatter),
        }
    }
}

/// Where a client's token is.
///
/// # Errors
/// [`TokenError::SignsInWithJwts`] when it has none.
pub(in crate::commands) fn place(
    environment: &Environment,
    client: &ClientName,
) -> Result<Place, Error> {
    let settings = environment.clients.get(client);
    match settings.and_then(|settings| settings.jwt.as_ref()) {
        Some(jwt) => Err(TokenError::SignsInWithJwts {
            client: client.to_string(),
            issuer: jwt.issuer.to_string(),
        }
        .into()),
        None => Ok(Place::of(environment, client)),
    }
}

/// Reads a token.
///
/// # Errors
/// When it is not there, the service refuses or cannot be reached.
pub(in crate::commands) async fn read(target: &Target, place: &Place) -> Result<Token, Error> {
    match place {
        Place::Parameter(parameter) => Ok(Tokens::new(&target.cloud).read(parameter).await?),
        Place::Secret { arn, key } => Secrets::new(&target.service_environment()?)
            .read(arn, key.as_deref())
            .await?
            .ok_or_else(|| {
                TokenError::NotInSecret {
                    secret: arn.clone(),
                    key: key.clone(),
                }
                .into()
            }),
    }
}

/// Tells what is known of a token; nothing where its parameter or secret is not there.
///
/// # Errors
/// When the service refuses or cannot be reached.
pub(in crate::commands) async fn look(
    target: &Target,
    place: &Place,
) -> Result<Option<Known>, Error> {
    Ok(match place {
        Place::Parameter(parameter) => {
            let facts = Tokens::new(&target.cloud).facts(parameter).await?;
            facts.map(|facts| Known {
                version: Some(Version::Number(facts.version)),
                written_at: facts.written_at,
            })
        }
        Place::Secret { arn, .. } => {
            let facts = Secrets::new(&target.service_environment()?)
                .facts(arn)
                .await?;
            facts.map(|facts| Known {
                version: facts.version.map(Version::Id),
                written_at: facts.changed_at,
            })
        }
    })
}

/// `2026-11-21T22:51:08Z`; nothing is printed of what nobody knows.
pub(in crate::commands) fn written(known: &Known) -> Option<String> {
    let at = known.written_at?;
    Some(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}
