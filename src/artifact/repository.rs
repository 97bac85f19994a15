//! The image repository: Amazon ECR, on the image's way to the task.
//!
//! ECR gives whoever may push a password for twelve hours (`GetAuthorizationToken`), and is
//! a registry like others from there on. The local cloud is one as well, at its own address
//! instead of the registry's name.

use aws_json_client::Client;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use container_image::{Credentials, Registry};
use serde::Deserialize;
use serde_json::json;

use super::ContainerImage;
use crate::cloud::service::ECR;
use crate::cloud::{self, Cloud, ServiceError, failed_call};

/// Why an image did not get into its repository.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// There are no credentials.
    #[error(transparent)]
    Cloud(#[from] cloud::Error),
    /// ECR gave no password.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// ECR answered, but not with a password.
    #[error("ECR gave no authorization token that can be used")]
    NoToken,
    /// The registry did not take the image.
    #[error(transparent)]
    Registry(#[from] container_image::PushError),
}

impl PushError {
    /// Whether the repository is not there, or not yet.
    #[must_use]
    pub fn is_no_repository(&self) -> bool {
        matches!(
            self,
            Self::Registry(container_image::PushError::NoRepository { .. })
        )
    }

    /// What to do next, if there is something.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Cloud(error) => error.hint(),
            Self::Service(error) => error.hint(),
            Self::NoToken => Some("run the same command again".to_owned()),
            Self::Registry(error) => error.hint(),
        }
    }
}

/// What [`push`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// What a task definition names the image by: registry, repository and digest.
    pub reference: String,
    /// Whether the repository did not have it.
    pub changed: bool,
}

/// Pushes an image into a repository of the account, which must exist. What the repository
/// has already is not sent again.
///
/// # Errors
/// When the repository is not there ([`PushError::is_no_repository`]), the credentials may
/// not push, or ECR is out of reach.
pub async fn push(
    cloud: &Cloud,
    repository: &str,
    image: &ContainerImage,
) -> Result<Pushed, PushError> {
    let authorization = authorize(cloud).await?;
    let host = host(&authorization.endpoint);
    let address = match cloud.config().endpoint_url() {
        Some(url) if cloud.is_local() => self::host(url),
        _ => host,
    };
    let credentials = Credentials::Password {
        user: authorization.user,
        password: authorization.password,
    };
    let changed = Registry::new(address, repository, credentials)
        .push(image.contents())
        .await?;
    Ok(Pushed {
        reference: format!("{host}/{repository}@{}", image.digest()),
        changed,
    })
}

/// Who may push, and where: a secret, so without `Debug`.
struct Authorization {
    user: String,
    password: String,
    /// The URL of the registry.
    endpoint: String,
}

/// `GetAuthorizationToken`
/// (<https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html>).
async fn authorize(cloud: &Cloud) -> Result<Authorization, PushError> {
    let client = Client::new(ECR, &cloud.service_environment()?);
    let answer: Answer = client
        .call("GetAuthorizationToken", &json!({}))
        .await
        .map_err(failed_call("ask ECR for an authorization token"))?;
    let data = answer.authorization_data.into_iter().next();
    data.and_then(decode).ok_or(PushError::NoToken)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    authorization_data: Vec<AuthorizationData>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuthorizationData {
    /// User, colon, password; in base64.
    authorization_token: String,
    proxy_endpoint: String,
}

fn decode(data: AuthorizationData) -> Option<Authorization> {
    let token = STANDARD.decode(data.authorization_token).ok()?;
    let token = String::from_utf8(token).ok()?;
    let (user, password) = token.split_once(':')?;
    Some(Authorization {
        user: user.to_owned(),
        password: password.to_owned(),
        endpoint: data.proxy_endpoint,
    })
}

/// Host and port of a URL.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(token: &str) -> AuthorizationData {
        serde_json::from_value(json!({
            "authorizationToken": token,
            "proxyEndpoint": "https://123456789012.dkr.ecr.eu-central-1.amazonaws.com",
            "expiresAt": 1_700_000_000,
        }))
        .unwrap()
    }

    #[test]
    fn the_token_is_a_user_and_a_password() {
        let authorization = decode(data(&STANDARD.encode("AWS:pass:word"))).unwrap();
        assert_eq!(authorization.user, "AWS");
        assert_eq!(authorization.password, "pass:word");
        assert_eq!(
            host(&authorization.endpoint),
            "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
        );
        assert!(decode(data("not base64!")).is_none());
        assert!(decode(data(&STANDARD.encode("no colon"))).is_none());
    }

    #[test]
    fn the_local_clouds_registry_is_at_its_own_address() {
        assert_eq!(host("http://127.0.0.1:4566"), "127.0.0.1:4566");
        assert_eq!(host("http://127.0.0.1:4566/"), "127.0.0.1:4566");
    }
}
