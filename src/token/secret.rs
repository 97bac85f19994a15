//! Tokens that a company's vault keeps in AWS Secrets Manager: to be read, never written.

use std::collections::BTreeMap;

use aws_json_client::{Client, Environment, Service};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Token;
use crate::cloud::{ServiceError, failed_call};

/// The label of the version that counts.
const CURRENT: &str = "AWSCURRENT";

/// The secrets of one account and region.
#[derive(Debug, Clone)]
pub struct Secrets(Client);

/// What may be known of a secret without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFacts {
    /// The id of its current version: a UUID.
    pub version: Option<String>,
    /// When it was last changed; its description and tags count as well.
    pub changed_at: Option<Timestamp>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SecretId<'a> {
    secret_id: &'a str,
}

/// Without `Debug`, because of the value.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SecretValue {
    secret_string: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    /// Seconds since 1970, with a fraction.
    last_changed_date: Option<f64>,
    created_date: Option<f64>,
    /// Set once it is to be deleted: from then on nobody can read it.
    deleted_date: Option<f64>,
    /// The labels of each version.
    #[serde(default)]
    version_ids_to_stages: BTreeMap<String, Vec<String>>,
}

impl Secrets {
    /// The secrets behind `environment`.
    #[must_use]
    pub fn new(environment: &Environment) -> Self {
        Self(Client::new(Service::SECRETS_MANAGER, environment))
    }

    /// The token in the current version of a secret; `None` where the secret is not text, or
    /// has no text of that `key`.
    ///
    /// # Errors
    /// When there is no such secret, the service refuses or cannot be reached.
    pub async fn read(&self, arn: &str, key: Option<&str>) -> Result<Option<Token>, ServiceError> {
        let value: SecretValue = self
            .0
            .call("GetSecretValue", &SecretId { secret_id: arn })
            .await
            .map_err(failed_call(format!("read the token from the secret {arn}")))?;
        Ok(value.secret_string.and_then(|text| token(text, key)))
    }

    /// Tells about a secret without reading it; `None` where there is no such secret.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn facts(&self, arn: &str) -> Result<Option<SecretFacts>, ServiceError> {
        let answer = self
            .0
            .call("DescribeSecret", &SecretId { secret_id: arn })
            .await
            .map_err(failed_call(format!("describe the secret {arn}")));
        match answer {
            Ok(description) => Ok(SecretFacts::of(description)),
            Err(error) if error.has_code("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl SecretFacts {
    fn of(description: Description) -> Option<Self> {
        if description.deleted_date.is_some() {
            return None;
        }
        let changed = description.last_changed_date.or(description.created_date);
        Some(Self {
            version: description
                .version_ids_to_stages
                .into_iter()
                .find(|(_, labels)| labels.iter().any(|label| label == CURRENT))
                .map(|(version, _)| version),
            changed_at: changed
                .and_then(|seconds| jiff::SignedDuration::try_from_secs_f64(seconds).ok())
                .and_then(|since| Timestamp::from_duration(since).ok()),
        })
    }
}

/// The token in a secret's text: all of it, or one member, as the authorizer reads it.
fn token(text: String, key: Option<&str>) -> Option<Token> {
    let Some(key) = key else {
        return Some(Token::as_kept(text));
    };
    let members: Value = serde_json::from_str(&text).ok()?;
    Some(Token::as_kept(members.get(key)?.as_str()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_token_is_the_whole_text_or_one_member_of_it() {
        for (text, key, expected) in [
            ("plain", None, Some("plain")),
            (r#"{"token":"a","other":1}"#, Some("token"), Some("a")),
            (r#"{"token":"a","other":1}"#, Some("other"), None),
            (r#"{"token":"a"}"#, Some("none"), None),
            ("plain", Some("token"), None),
        ] {
            let found = token(text.to_owned(), key);
            let found = found.map(|token| token.reveal(str::to_owned));
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn the_current_version_and_the_last_change_are_told() {
        let facts =
            |description: Value| SecretFacts::of(serde_json::from_value(description).unwrap());
        assert_eq!(facts(json!({"DeletedDate": 1_800_000_000.0})), None);
        let known = facts(json!({
            "CreatedDate": 1_700_000_000.0,
            "LastChangedDate": 1_800_000_000.25,
            "VersionIdsToStages": {"a": ["AWSPREVIOUS"], "b": ["AWSCURRENT", "mine"]}
        }))
        .unwrap();
        assert_eq!(known.version.as_deref(), Some("b"));
        assert_eq!(
            known.changed_at.map(Timestamp::as_millisecond),
            Some(1_800_000_000_250)
        );
        assert_eq!(
            facts(json!({})),
            Some(SecretFacts {
                version: None,
                changed_at: None
            })
        );
    }
}
