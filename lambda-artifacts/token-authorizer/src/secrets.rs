//! Tokens in AWS Secrets Manager, which a company's vault writes.
//!
//! Secrets Manager keeps the version before the current one under a label of its own, so
//! that a rotation there has the same overlap as one of ours.

use aws_json_client::{Client as SecretsManager, Error};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::error;

use crate::clients::SecretSettings;
use crate::reading::KeptToken;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetSecretValue<'a> {
    secret_id: &'a str,
    version_stage: &'static str,
}

/// A version of a secret. Without `Debug`, because of the value.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    secret_string: Option<String>,
    /// Seconds since 1970, with a fraction.
    created_date: f64,
}

/// The current token; `None` where there is no such secret, or no token in it.
///
/// # Errors
///
/// Secrets Manager refused, failed or did not answer.
pub async fn current(
    secrets: &SecretsManager,
    secret: &SecretSettings,
) -> Result<Option<KeptToken>, Error> {
    get(secrets, secret, "AWSCURRENT").await
}

/// The token before the current one; `None` where there was none.
///
/// # Errors
///
/// See [`current`].
pub async fn previous(
    secrets: &SecretsManager,
    secret: &SecretSettings,
) -> Result<Option<KeptToken>, Error> {
    get(secrets, secret, "AWSPREVIOUS").await
}

async fn get(
    secrets: &SecretsManager,
    secret: &SecretSettings,
    version_stage: &'static str,
) -> Result<Option<KeptToken>, Error> {
    let input = GetSecretValue {
        secret_id: &secret.arn,
        version_stage,
    };
    let version: Version = match secrets.call("GetSecretValue", &input).await {
        Ok(version) => version,
        Err(failure) if failure.code() == Some("ResourceNotFoundException") => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let value = version
        .secret_string
        .and_then(|text| token(text, secret.key.as_deref()));
    if value.is_none() {
        error!(
            secret = secret.arn,
            "the secret does not hold the token as text under its key"
        );
    }
    Ok(value.map(|value| KeptToken {
        value,
        written: version.created_date,
    }))
}

/// The token in a secret's text: all of it, or one member.
fn token(text: String, key: Option<&str>) -> Option<String> {
    let Some(key) = key else {
        return Some(text);
    };
    let members: Value = serde_json::from_str(&text).ok()?;
    members.get(key)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::token;

    #[test]
    fn the_token_is_the_whole_text_or_one_member_of_it() {
        for (text, key, expected) in [
            ("plain", None, Some("plain")),
            (r#"{"token":"a","other":1}"#, Some("token"), Some("a")),
            (r#"{"token":"a","other":1}"#, Some("other"), None),
            (r#"{"token":"a"}"#, Some("none"), None),
            ("plain", Some("token"), None),
        ] {
            assert_eq!(token(text.to_owned(), key).as_deref(), expected, "{text}");
        }
    }
}
