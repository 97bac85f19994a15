//! The bearer tokens, as SSM keeps them: one SecureString per client, written by the
//! token generator. The token's text leaves this module only through [`Token::reveal`].

use aws_sdk_ssm::primitives::DateTimeFormat;
use aws_sdk_ssm::types::ParameterStringFilter;
use secrecy::{ExposeSecret as _, SecretString};

use crate::cloud::{Cloud, ServiceError, failed_to};

/// The token parameters of one account and region.
#[derive(Debug, Clone)]
pub struct Tokens {
    client: aws_sdk_ssm::Client,
}

/// One client's current token.
#[derive(Debug)]
pub struct Token(SecretString);

/// What may be known of a token without reading it.
#[derive(Debug, Clone)]
pub struct TokenFacts {
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
        let answer = self
            .client
            .get_parameter()
            .name(parameter)
            .with_decryption(true)
            .send()
            .await
            .map_err(failed_to(format!(
                "read the token from the SSM parameter {parameter}"
            )))?;
        let secret = answer.parameter().and_then(|parameter| parameter.value());
        Ok(Token(SecretString::from(secret.unwrap_or_default())))
    }

    /// Tells about the current token without reading it, so that whoever may not read
    /// tokens may still ask; `None` where there is no such parameter.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn facts(&self, parameter: &str) -> Result<Option<TokenFacts>, ServiceError> {
        let filter = ParameterStringFilter::builder()
            .key("Name")
            .option("Equals")
            .values(parameter)
            .build();
        let answer = self
            .client
            .describe_parameters()
            .set_parameter_filters(filter.ok().map(|filter| vec![filter]))
            .send()
            .await
            .map_err(failed_to(format!("describe the SSM parameter {parameter}")))?;
        Ok(answer.parameters().first().map(|parameter| TokenFacts {
            version: parameter.version(),
            written: parameter
                .last_modified_date()
                .and_then(|date| date.fmt(DateTimeFormat::DateTime).ok())
                .unwrap_or_default(),
        }))
    }
}

impl Token {
    /// Hands the token's text to `use_it`, once, on the caller's explicit wish.
    pub fn reveal<T>(&self, use_it: impl FnOnce(&str) -> T) -> T {
        use_it(self.0.expose_secret())
    }
}
