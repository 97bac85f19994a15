//! What can be wrong with a client's token.

use crate::exit_code::Exit;
use crate::token::{MalformedToken, NoRandomness};

/// A token that is not there, is none, or is somebody else's to read or to change.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It is not clear which client is meant.
    #[error("{}", match .named { Some(name) => format!("the environment has no client {name}"), None => "the environment has several clients".to_owned() })]
    WhichClient {
        /// What was asked for.
        named: Option<String>,
        /// What there is.
        clients: Vec<String>,
    },
    /// The client's token is not there.
    #[error("there is no token in the SSM parameter {parameter}")]
    NoToken {
        /// The parameter's name.
        parameter: String,
    },
    /// The secret that holds the client's token is not there.
    #[error("there is no secret {secret}")]
    NoSecret {
        /// Its ARN.
        secret: String,
    },
    /// The secret holds something else.
    #[error("the secret {secret} holds no text{}", .key.as_deref().map(|key| format!(" as the member `{key}` of a JSON object")).unwrap_or_default())]
    NotInSecret {
        /// Its ARN.
        secret: String,
        /// The member that was to be the token.
        key: Option<String>,
    },
    /// The stack knows no such token parameter.
    #[error("the stack {stack} has no token for the client {client}")]
    ClientNotDeployed {
        /// The client.
        client: String,
        /// The stack's name.
        stack: String,
    },
    /// What was to become a token is none.
    #[error("that is no token that the endpoint accepts: {0}")]
    Malformed(#[from] MalformedToken),
    /// No token could be made.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// The client's token is somebody else's to make and to change.
    #[error(
        "the token of the client {client} is kept in {place}, where this program does not change it"
    )]
    KeptElsewhere {
        /// The client.
        client: String,
        /// Where the token is.
        place: String,
    },
    /// The client's token is with its issuer.
    #[error("a token of the client {client} is needed, and only {issuer} makes them")]
    Needed {
        /// The client.
        client: String,
        /// Who makes its JWTs.
        issuer: String,
    },
    /// The client has no token that could be shown.
    #[error("the client {client} has no token: it signs in with JWTs of {issuer}")]
    SignsInWithJwts {
        /// The client.
        client: String,
        /// Who makes its JWTs.
        issuer: String,
    },
}

impl TokenError {
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::WhichClient { .. }
            | Self::SignsInWithJwts { .. }
            | Self::Malformed(_)
            | Self::Needed { .. }
            | Self::KeptElsewhere { .. } => Exit::Usage,
            Self::NoToken { .. }
            | Self::NoSecret { .. }
            | Self::NotInSecret { .. }
            | Self::ClientNotDeployed { .. }
            | Self::NoRandomness(_) => Exit::Failure,
        }
    }

    pub(super) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::WhichClient { clients, .. } => {
                format!("name one with --client: {}", clients.join(", "))
            }
            Self::NoToken { .. } => {
                "somebody deleted it; `connect-scim token rotate` writes a new one".to_owned()
            }
            Self::NoSecret { .. } => {
                "correct `secretArn`, or have the vault write the secret".to_owned()
            }
            Self::NotInSecret { .. } => {
                "correct `secretKey`, or what the vault writes: the endpoint cannot read the token there either".to_owned()
            }
            Self::ClientNotDeployed { .. } => {
                "`connect-scim deploy` first: the client, or `token.parameterName`, is not deployed as the environment file has it".to_owned()
            }
            Self::Malformed(_) => {
                "it needs 43 to 4096 letters, digits, `-` and `_`, such as 32 random bytes in base64url without padding; leave `Bearer` out".to_owned()
            }
            Self::NoRandomness(_) => return None,
            Self::KeptElsewhere { .. } => {
                "change it there: the endpoint accepts the new one at once, and the one before it for `token.overlapMinutes`".to_owned()
            }
            Self::Needed { .. } => {
                "get one from the issuer and pipe it in with --token-stdin, or put it into the variable CONNECT_SCIM_TOKEN".to_owned()
            }
            Self::SignsInWithJwts { .. } => {
                "the issuer hands its JWTs to the identity provider; there is nothing to enter".to_owned()
            }
        })
    }
}
