//! From a request to its answer.

use std::time::SystemTime;

use aws_json_client::DocumentClient;
use thiserror::Error;
use tokio::sync::Mutex;
use tracing::{debug, error, info, warn};

use crate::accepted::{TokenDigest, matching_client};
use crate::bearer::PresentedToken;
use crate::clients::Settings;
use crate::freshness::{Age, CLIENT_TOKENS, Freshness};
use crate::jwt::issuer::KeysUnavailable;
use crate::jwt::{Failure, JwtClients};
use crate::policy::{Allow, AuthorizerEvent, StageArn};
use crate::reading::{self, Reading, Stores};

const SECONDS_PER_DAY: u64 = 86_400;

/// Why a request is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The token is nobody's. API Gateway answers 401 if the message is exactly this.
    #[error("Unauthorized")]
    Unauthorized,
    /// The tokens cannot be read, so nobody can say whose this one is. API Gateway answers
    /// 500, which an identity provider retries; a 401 would make it give up its token.
    #[error("the clients' tokens cannot be read from SSM at the moment")]
    TokensUnavailable,
    /// The keys that the token may be signed with cannot be read; see `TokensUnavailable`.
    #[error("the keys of the tokens' issuer cannot be read at the moment")]
    KeysUnavailable,
    /// Not an event of an authorizer.
    #[error("the event's methodArn is not the ARN of an API method")]
    NoMethod,
}

impl From<Refusal> for lambda_runtime::Diagnostic {
    fn from(refusal: Refusal) -> Self {
        Self {
            error_type: format!("{refusal:?}"),
            error_message: refusal.to_string(),
        }
    }
}

/// The authorizer with the tokens and keys that it remembers.
#[derive(Debug)]
pub struct Authorizer {
    settings: Settings,
    stores: Stores,
    // Held while the tokens are read, so that requests which come meanwhile wait for that read
    // instead of starting their own.
    tokens: Mutex<Tokens>,
    jwt_clients: JwtClients,
}

#[derive(Debug)]
struct Tokens {
    reading: Reading,
    freshness: Freshness,
}

impl Authorizer {
    /// An authorizer that has read nothing yet. Issuers' keys are fetched over the HTTP
    /// client of the stores.
    pub fn new(settings: Settings, stores: Stores) -> Self {
        let documents = DocumentClient::new(stores.ssm.http_client());
        Self {
            jwt_clients: JwtClients::new(&settings, &documents),
            settings,
            stores,
            tokens: Mutex::new(Tokens {
                reading: Reading::default(),
                freshness: Freshness::new(CLIENT_TOKENS),
            }),
        }
    }

    /// Decides about a request at the time `now`.
    ///
    /// # Errors
    ///
    /// The request is not let in.
    pub async fn authorize(
        &self,
        event: &AuthorizerEvent,
        now: SystemTime,
    ) -> Result<Allow, Refusal> {
        self.decide(event, now)
            .await
            .inspect_err(|refusal| match refusal {
                Refusal::Unauthorized => lambda_support::measure! { count.RefusedTokens = 1 },
                _ => lambda_support::measure! { count.AuthorizerFailures = 1 },
            })
    }

    async fn decide(&self, event: &AuthorizerEvent, now: SystemTime) -> Result<Allow, Refusal> {
        let stage = StageArn::of_method(&event.method_arn).ok_or_else(|| {
            error!("the event's methodArn is not the ARN of an API method");
            Refusal::NoMethod
        })?;
        let presented = PresentedToken::from_header(&event.authorization_token)
            .ok_or(Refusal::Unauthorized)
            .inspect_err(|_| info!("not a bearer token"))?;
        let position = match presented {
            PresentedToken::Opaque(token) => {
                self.client_of_token(TokenDigest::of(token.as_bytes()), now)
                    .await?
            }
            PresentedToken::Jwt(text) => self.client_of_jwt(text, now).await?,
        };
        let client = &self.settings.clients[position];
        debug!(client = client.name, "token accepted");
        Ok(Allow::new(client, stage))
    }

    async fn client_of_jwt(&self, text: &str, now: SystemTime) -> Result<usize, Refusal> {
        match self.jwt_clients.client_of(text, now).await {
            Ok(position) => Ok(position),
            Err(Failure::Rejected(rejection)) => {
                info!(reason = %rejection, "token rejected");
                Err(Refusal::Unauthorized)
            }
            Err(Failure::KeysUnavailable(KeysUnavailable)) => Err(Refusal::KeysUnavailable),
        }
    }

    async fn client_of_token(
        &self,
        presented: TokenDigest,
        now: SystemTime,
    ) -> Result<usize, Refusal> {
        let mut tokens = self.tokens.lock().await;
        let age = tokens.freshness.age(now);
        if age == Age::Fresh
            && let Some(client) = matching_client(&tokens.reading.accepted, presented, now)
        {
            return Ok(client);
        }

        if tokens.freshness.may_read(now) {
            tokens.read(&self.stores, &self.settings, now).await;
        }
        if tokens.freshness.age(now) == Age::Expired {
            error!("the tokens are missing or too old, and SSM does not give them: failing closed");
            return Err(Refusal::TokensUnavailable);
        }
        match matching_client(&tokens.reading.accepted, presented, now) {
            Some(client) => Ok(client),
            None if tokens.reading.incomplete || tokens.freshness.last_read_failed() => {
                Err(Refusal::TokensUnavailable)
            }
            None => {
                info!("token unknown");
                Err(Refusal::Unauthorized)
            }
        }
    }
}

impl Tokens {
    async fn read(&mut self, stores: &Stores, settings: &Settings, now: SystemTime) {
        match reading::read(stores, settings, now).await {
            Ok(reading) => {
                debug!(tokens = reading.accepted.len(), "tokens read");
                if let Some(age) = reading.oldest_age(now) {
                    lambda_support::measure! { days.TokenAge = age.as_secs() / SECONDS_PER_DAY }
                }
                self.reading = reading;
                self.freshness.read_succeeded(now);
            }
            Err(failure) => {
                warn!(error = %failure, "the tokens could not be read");
                self.freshness.read_failed(now);
            }
        }
    }
}
