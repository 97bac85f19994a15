//! Clients that sign in with JSON Web Tokens of an issuer instead of a token of ours.
//!
//! A token is read ([`token`]), held to what its client's settings ask for ([`claims`]),
//! and only then are the issuer's keys looked at ([`issuer`], [`key`]): whoever cannot
//! name issuer and audience does not even cause a fetch.
//!
//! Verification is ring's. What stands around it is small on purpose: three asymmetric
//! algorithms, so that `none` and `HS256` have no representation, and no header parameter
//! but `alg`, `kid` and `crit` is looked at, so that a token cannot bring its own key
//! (RFC 8725, sections 3.1 and 3.5). The jsonwebtoken crate was weighed: its RustCrypto
//! backend brings `rsa` with RUSTSEC-2023-0071, its other one a second TLS library's
//! cryptography, and it reads the clock itself, accepts a list of issuers and ignores
//! `crit`, so that all of this had to be checked again here.

pub mod claims;
pub mod issuer;
pub mod key;
pub mod token;

use std::time::SystemTime;

use aws_json_client::DocumentClient;
use thiserror::Error;

use crate::clients::{JwtSettings, Settings, SignIn};
use issuer::{Issuer, KeysUnavailable};
use token::Jwt;

/// Why a JWT is nobody's. In the order of the checks; shows nothing of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Error)]
pub enum Rejection {
    /// Not three segments of base64url with JSON in the first two.
    #[error("the JWT is malformed")]
    Malformed,
    /// Not RS256, PS256 or ES256.
    #[error("the JWT's algorithm is not accepted")]
    Algorithm,
    /// RFC 7515, section 4.1.11.
    #[error("the JWT has critical header parameters, which are not understood")]
    Critical,
    /// Not the issuer of any client.
    #[error("the JWT is of another issuer")]
    Issuer,
    /// Not for this endpoint.
    #[error("the JWT is for another audience")]
    Audience,
    /// `nbf` lies ahead.
    #[error("the JWT is not valid yet")]
    NotYetValid,
    /// `exp` has passed.
    #[error("the JWT has expired")]
    Expired,
    /// Neither `scp` nor `scope` nor `roles` has what the client needs.
    #[error("the JWT lacks the required scope")]
    Scope,
    /// Neither `azp` nor `appid`, `client_id` or `cid` is the client's, or they differ.
    #[error("the JWT was given to another application")]
    ClientId,
    /// The issuer has no such key.
    #[error("the JWT is signed with a key that its issuer does not publish")]
    UnknownKey,
    /// Not signed by the issuer.
    #[error("the JWT's signature is wrong")]
    Signature,
}

/// Why a JWT was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Failure {
    /// It is nobody's.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// It may be somebody's: the issuer's keys cannot be read.
    #[error(transparent)]
    KeysUnavailable(#[from] KeysUnavailable),
}

/// The clients that sign in with JWTs, and their issuers.
#[derive(Debug)]
pub struct JwtClients {
    clients: Vec<JwtClient>,
    issuers: Vec<Issuer>,
}

#[derive(Debug)]
struct JwtClient {
    /// In the settings.
    position: usize,
    settings: JwtSettings,
    /// In the list of issuers.
    issuer: usize,
}

impl JwtClients {
    /// Those of `settings`. Clients of one issuer share its keys.
    pub fn new(settings: &Settings, documents: &DocumentClient) -> Self {
        let mut issuers: Vec<Issuer> = Vec::new();
        let mut clients = Vec::new();
        for (position, client) in settings.clients.iter().enumerate() {
            let SignIn::Jwt(jwt) = &client.sign_in else {
                continue;
            };
            let known = issuers.iter().position(|issuer| issuer.is_of(jwt));
            let issuer = known.unwrap_or_else(|| {
                issuers.push(Issuer::new(jwt, documents.clone()));
                issuers.len() - 1
            });
            clients.push(JwtClient {
                position,
                settings: jwt.clone(),
                issuer,
            });
        }
        Self { clients, issuers }
    }

    /// The client whose JWT `text` is at the time `now`, as its position in the settings.
    ///
    /// # Errors
    ///
    /// The JWT is nobody's, or nobody can say whose.
    pub async fn client_of(&self, text: &str, now: SystemTime) -> Result<usize, Failure> {
        let jwt = Jwt::parse(text)?;
        let mut nearest = Rejection::Issuer;
        let mut unavailable = None;
        for client in &self.clients {
            let verified = match jwt.claims.check(&client.settings, now) {
                Ok(()) => self.issuers[client.issuer].verify(&jwt, now).await,
                Err(rejection) => Err(rejection.into()),
            };
            match verified {
                Ok(()) => return Ok(client.position),
                Err(Failure::Rejected(rejection)) => nearest = nearest.max(rejection),
                Err(Failure::KeysUnavailable(keys)) => unavailable = Some(keys),
            }
        }
        Err(unavailable.map_or_else(|| nearest.into(), Failure::from))
    }
}
