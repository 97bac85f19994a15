//! The bearer tokens, as SSM keeps them: one SecureString per client, written by the
//! token generator. The token's text leaves this module only through [`Token::reveal`].

use aws_sdk_ssm::primitives::DateTimeFormat;
use secrecy::{ExposeSecret as _, SecretString};

use crate::cloud::{Cloud, ServiceError, failed_to};

/// The token parameters of one account and region.
#[derive(Debug, Clone)]
pub struct Tokens {
    client: aws_sdk_ssm::Client,
}

/// One client's current token.
#[derive(Debug)]
pub struct Token {
    secret: SecretString,
    /// The version of the parameter: how often a token was written.
    pub version: i64,
    /// When it was written: RFC 3339, UTC.
    pub written: String,
}

impl Tokens {
    /// The tokens behind `cloud`.
    #[must_use]
    pub fn new(cloud: &Cloud) -> Self {
        Self {
            client: aws_sdk_ssm::Client::new(cloud.config()),
        }
    }

    /// Reads the current token from its parameter.
    ///
    /// # Errors
    /// When there is no such parameter, the service refuses or cannot be reached.
    pub async fn read(&self, parameter: &str) -> Result<Token, ServiceError> {
        let action = format!("read the token from the SSM parameter {parameter}");
        let answer = self
            .client
            .get_parameter()
            .name(parameter)
            .with_decryption(true)
            .send()
            .await
            .map_err(failed_to(action.clone()))?;
        let parameter = answer.parameter();
        Ok(Token {
            secret: SecretString::from(
                parameter
                    .and_then(|parameter| parameter.value())
                    .unwrap_or_default(),
            ),
            version: parameter.map_or(0, aws_sdk_ssm::types::Parameter::version),
            written: parameter
                .and_then(|parameter| parameter.last_modified_date())
                .and_then(|date| date.fmt(DateTimeFormat::DateTime).ok())
                .unwrap_or_default(),
        })
    }
}

impl Token {
    /// Hands the token's text to `use_it`, once, on the caller's explicit wish.
    pub fn reveal<T>(&self, use_it: impl FnOnce(&str) -> T) -> T {
        use_it(self.secret.expose_secret())
    }
}
