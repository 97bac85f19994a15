//! The bearer tokens, as SSM keeps them: one SecureString per client. The token generator
//! writes the first one during a deployment, an operator those that follow.
//!
//! The authorizer accepts the current version of a parameter, and for the overlap the one
//! before it. So a rotation is one new version; and a revocation is two, after which the
//! stolen token is neither. CloudFormation knows the parameter's name alone, and the token
//! generator keeps what it finds, so that no deployment undoes either.

mod place;
mod secret;
mod text;

use std::time::Duration;

use aws_sdk_ssm::primitives::DateTimeFormat;
use aws_sdk_ssm::types::{ParameterStringFilter, ParameterType};
use aws_smithy_types::retry::RetryConfig;
use jiff::Timestamp;

use crate::cloud::{self, Cloud, RepeatGarbledReads, ServiceError, ServiceErrorKind, failed_to};

pub use place::Place;
pub use secret::{SecretFacts, Secrets};
pub use text::{MalformedToken, NoRandomness, Token};

/// How often a new version is tried to be written.
const WRITE_ATTEMPTS: u32 = 4;
/// The wait before the second try; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(300);

/// For how long an instance of the authorizer takes a token for valid that it has read:
/// `CLIENT_TOKENS.max_age` of the function `token-authorizer`.
pub const AUTHORIZER_MEMORY: Duration = Duration::from_secs(60);

/// The token parameters of one account and region.
#[derive(Debug, Clone)]
pub struct Tokens {
    client: aws_sdk_ssm::Client,
    /// Sends a write once: the answer may be lost of one that was carried out.
    writer: aws_sdk_ssm::Client,
}

/// What may be known of a token without reading it.
#[derive(Debug, Clone)]
pub struct TokenFacts {
    /// What kind of parameter it is; `SecureString`, unless somebody made another one.
    pub parameter_type: String,
    /// The version of the parameter: how often a token was written.
    pub version: i64,
    /// When it was written: RFC 3339, UTC.
    pub written: String,
    /// The same, to calculate with.
    pub written_at: Option<Timestamp>,
    /// The parameter's description, which states the generation.
    description: Option<String>,
    /// The KMS key that the value is encrypted with.
    key_id: Option<String>,
}

/// How many versions a new token makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Predecessor {
    /// One: the token before it is accepted for the overlap.
    Overlaps,
    /// Two of the same text: every token before it is nobody's.
    Ends,
}

impl TokenFacts {
    /// Facts as a test needs them.
    #[cfg(test)]
    pub(crate) fn new(parameter_type: &str, version: i64, written_at: Timestamp) -> Self {
        Self {
            parameter_type: parameter_type.to_owned(),
            version,
            written: written_at.to_string(),
            written_at: Some(written_at),
            description: None,
            key_id: None,
        }
    }

    /// Whether the parameter is encrypted.
    #[must_use]
    pub fn is_secure_string(&self) -> bool {
        self.parameter_type == ParameterType::SecureString.as_str()
    }
}

impl Tokens {
    /// The tokens behind `cloud`.
    #[must_use]
    pub fn new(cloud: &Cloud) -> Self {
        let once = aws_sdk_ssm::config::Builder::from(cloud.config())
            .retry_config(RetryConfig::disabled())
            .interceptor(RepeatGarbledReads)
            .build();
        Self {
            client: cloud::client!(aws_sdk_ssm, cloud),
            writer: aws_sdk_ssm::Client::from_conf(once),
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
        Ok(Token::as_kept(secret.unwrap_or_default().to_owned()))
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
            parameter_type: parameter
                .r#type()
                .map(|kind| kind.as_str().to_owned())
                .unwrap_or_default(),
            version: parameter.version(),
            written: parameter
                .last_modified_date()
                .and_then(|date| date.fmt(DateTimeFormat::DateTime).ok())
                .unwrap_or_default(),
            written_at: parameter
                .last_modified_date()
                .and_then(|date| Timestamp::from_second(date.secs()).ok()),
            description: parameter.description().map(str::to_owned),
            key_id: parameter.key_id().map(str::to_owned),
        }))
    }

    /// Deletes a parameter, with every version of its token.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn delete(&self, parameter: &str) -> Result<(), ServiceError> {
        self.client
            .delete_parameter()
            .name(parameter)
            .send()
            .await
            .map_err(failed_to(format!("delete the SSM parameter {parameter}")))
            .map(drop)
    }

    /// Makes `token` the current one of its parameter, and returns the version that it has
    /// there. A parameter that somebody deleted is made again; `description` is for that one.
    ///
    /// # Errors
    /// When the service refuses, or cannot be reached again and again.
    pub async fn write(
        &self,
        parameter: &str,
        token: &Token,
        predecessor: Predecessor,
        description: &str,
    ) -> Result<i64, ServiceError> {
        let before = self.facts(parameter).await?;
        let description = before
            .as_ref()
            .and_then(|facts| facts.description.as_deref())
            .unwrap_or(description);
        let key_id = before.as_ref().and_then(|facts| facts.key_id.clone());
        let current = before.as_ref().map_or(0, |facts| facts.version);
        let last = match predecessor {
            Predecessor::Overlaps => current + 1,
            // The first version has none before it.
            Predecessor::Ends if current == 0 => 1,
            Predecessor::Ends => current + 2,
        };
        let mut written = current;
        while written < last {
            written = self
                .write_version(
                    parameter,
                    token,
                    written + 1,
                    description,
                    key_id.as_deref(),
                )
                .await?;
        }
        Ok(written)
    }

    /// Writes the version `wanted`. A write whose answer is lost may have been carried out;
    /// repeated, it would push the token that is in use out of the overlap. So the version is
    /// asked for first, and one that is there already is taken for ours.
    async fn write_version(
        &self,
        parameter: &str,
        token: &Token,
        wanted: i64,
        description: &str,
        key_id: Option<&str>,
    ) -> Result<i64, ServiceError> {
        let mut pause = FIRST_PAUSE;
        let mut attempt = 1;
        loop {
            let error = match self.put(parameter, token, description, key_id).await {
                Err(error) if error.is_transient() && attempt < WRITE_ATTEMPTS => error,
                outcome => return outcome,
            };
            tokio::time::sleep(pause).await;
            pause *= 2;
            attempt += 1;
            if error.kind == ServiceErrorKind::Unreachable
                && let Some(now) = self.facts(parameter).await?
                && now.version >= wanted
            {
                return Ok(now.version);
            }
        }
    }

    async fn put(
        &self,
        parameter: &str,
        token: &Token,
        description: &str,
        key_id: Option<&str>,
    ) -> Result<i64, ServiceError> {
        let request = self
            .writer
            .put_parameter()
            .name(parameter)
            .description(description)
            .set_key_id(key_id.map(str::to_owned))
            .r#type(ParameterType::SecureString)
            .overwrite(true);
        let answer = token
            .reveal(|text| request.value(text))
            .send()
            .await
            .map_err(failed_to(format!(
                "write the token into the SSM parameter {parameter}"
            )))?;
        Ok(answer.version())
    }
}
