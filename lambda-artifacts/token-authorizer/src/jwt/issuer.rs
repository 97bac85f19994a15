//! An issuer of JWTs: its keys, fetched over HTTPS and remembered.
//!
//! [`crate::freshness`] says when they are fetched again. An unknown key may be one that
//! the issuer has just begun to sign with, so it is looked for at once, out of a small
//! allowance.

use std::time::SystemTime;

use aws_json_client::{DocumentClient, DocumentError};
use serde::Deserialize;
use thiserror::Error;
use tokio::sync::Mutex;
use tracing::{debug, error, warn};

use super::key::{Document, KeySet, Verdict};
use super::token::Jwt;
use super::{Failure, Rejection};
use crate::clients::JwtSettings;
use crate::freshness::{Age, Freshness, ISSUER_KEYS};

/// The keys cannot be read, so nobody can say whether a JWT is the issuer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the issuer's keys cannot be read at the moment")]
pub struct KeysUnavailable;

/// Why the keys were not read.
#[derive(Debug, Clone, Copy, Error)]
enum FetchError {
    #[error("the issuer's OpenID configuration: {0}")]
    Configuration(#[source] DocumentError),
    #[error("the issuer's OpenID configuration is one of another issuer")]
    OtherIssuer,
    #[error("the issuer's OpenID configuration has its keys at a URL that is not https")]
    InsecureKeys,
    #[error("the issuer's key set: {0}")]
    Keys(#[source] DocumentError),
    #[error("the issuer's key set has no key for RS256, PS256 or ES256")]
    NoKeys,
}

/// An issuer, and its keys as they were last read.
#[derive(Debug)]
pub struct Issuer {
    name: String,
    jwks_url: Option<String>,
    documents: DocumentClient,
    // Held while keys are fetched, so that requests which come meanwhile wait for that
    // fetch instead of starting their own.
    keys: Mutex<Keys>,
}

#[derive(Debug)]
struct Keys {
    set: KeySet,
    freshness: Freshness,
}

/// OpenID Connect Discovery 1.0, section 3.
#[derive(Deserialize)]
struct OpenIdConfiguration {
    issuer: String,
    jwks_uri: String,
}

impl Issuer {
    /// The issuer of a client, its keys not read yet.
    pub fn new(settings: &JwtSettings, documents: DocumentClient) -> Self {
        Self {
            name: settings.issuer.clone(),
            jwks_url: settings.jwks_url.clone(),
            documents,
            keys: Mutex::new(Keys {
                set: KeySet::default(),
                freshness: Freshness::new(ISSUER_KEYS),
            }),
        }
    }

    /// Whether a client's JWTs are of this issuer and its keys at the same place.
    pub fn is_of(&self, settings: &JwtSettings) -> bool {
        self.name == settings.issuer && self.jwks_url == settings.jwks_url
    }

    /// Verifies the signature of `jwt` at the time `now`.
    ///
    /// # Errors
    ///
    /// It is not the issuer's, or nobody can say.
    pub async fn verify(&self, jwt: &Jwt<'_>, now: SystemTime) -> Result<(), Failure> {
        let mut keys = self.keys.lock().await;
        if keys.freshness.age(now) == Age::Fresh {
            match keys.set.judge(jwt) {
                Verdict::Right => return Ok(()),
                Verdict::Wrong => return Err(Rejection::Signature.into()),
                Verdict::UnknownKey => {}
            }
        }

        if keys.freshness.may_read(now) {
            self.read(&mut keys, now).await;
        }
        if keys.freshness.age(now) == Age::Expired {
            error!(
                issuer = self.name,
                "the issuer's keys are missing or too old: failing closed"
            );
            return Err(KeysUnavailable.into());
        }
        match keys.set.judge(jwt) {
            Verdict::Right => Ok(()),
            Verdict::Wrong => Err(Rejection::Signature.into()),
            Verdict::UnknownKey if keys.freshness.last_read_failed() => Err(KeysUnavailable.into()),
            Verdict::UnknownKey => Err(Rejection::UnknownKey.into()),
        }
    }

    async fn read(&self, keys: &mut Keys, now: SystemTime) {
        match self.fetch().await {
            Ok(set) => {
                debug!(issuer = self.name, "the issuer's keys were read");
                keys.set = set;
                keys.freshness.read_succeeded(now);
            }
            Err(failure) => {
                warn!(issuer = self.name, error = %failure, "the issuer's keys could not be read");
                keys.freshness.read_failed(now);
            }
        }
    }

    async fn fetch(&self) -> Result<KeySet, FetchError> {
        let discovered;
        let url = match &self.jwks_url {
            Some(url) => url,
            None => {
                discovered = self.discover().await?;
                &discovered
            }
        };
        let document: Document = self.documents.get(url).await.map_err(FetchError::Keys)?;
        let set = KeySet::from(document);
        if set.is_empty() {
            return Err(FetchError::NoKeys);
        }
        Ok(set)
    }

    /// Where the issuer says that its keys are: OpenID Connect Discovery 1.0, section 4.
    async fn discover(&self) -> Result<String, FetchError> {
        let url = format!(
            "{}/.well-known/openid-configuration",
            self.name.trim_end_matches('/')
        );
        let configuration: OpenIdConfiguration = self
            .documents
            .get(&url)
            .await
            .map_err(FetchError::Configuration)?;
        if configuration.issuer != self.name {
            return Err(FetchError::OtherIssuer);
        }
        if !may_have_keys_at(&self.name, &configuration.jwks_uri) {
            return Err(FetchError::InsecureKeys);
        }
        Ok(configuration.jwks_uri)
    }
}

/// Whether an issuer may publish its keys at this URL: only an issuer without TLS, such as one
/// of a test, may publish them without (OpenID Connect Discovery 1.0, section 3).
fn may_have_keys_at(issuer: &str, url: &str) -> bool {
    let is_secure = |url: &str| url.starts_with("https://");
    is_secure(url) || !is_secure(issuer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_with_tls_has_its_keys_behind_tls() {
        for (issuer, url, expected) in [
            ("https://a.example.com/", "https://b.example.com/keys", true),
            ("https://a.example.com/", "http://a.example.com/keys", false),
            ("https://a.example.com/", "ftp://a.example.com/keys", false),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/keys", true),
            ("http://127.0.0.1:8080/", "https://127.0.0.1/keys", true),
        ] {
            assert_eq!(may_have_keys_at(issuer, url), expected, "{issuer} {url}");
        }
    }
}
