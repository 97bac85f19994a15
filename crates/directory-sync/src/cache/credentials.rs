//! Whose requests to S3 are: the task role of a container, or what stands in the environment.
//!
//! The addresses are those of "Container credential provider",
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>.

use std::env;

use aws_credential_types::Credentials;
use serde::Deserialize;

use super::store::StoreError;

/// Where ECS gives a task the credentials of its role.
const ECS: &str = "http://169.254.170.2";

/// The answer of that address. Has no `Debug`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
}

/// Reads the credentials: those of the environment before those of the container, as the AWS
/// SDKs do.
pub(super) async fn read(http: &reqwest::Client) -> Result<Credentials, StoreError> {
    let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
    if let (Some(id), Some(secret)) = (
        variable("AWS_ACCESS_KEY_ID"),
        variable("AWS_SECRET_ACCESS_KEY"),
    ) {
        let token = variable("AWS_SESSION_TOKEN");
        return Ok(Credentials::new(id, secret, token, None, "Environment"));
    }
    let relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    let address = relative
        .map(|path| format!("{ECS}{path}"))
        .or_else(|| variable("AWS_CONTAINER_CREDENTIALS_FULL_URI"))
        .ok_or(StoreError::NoCredentials)?;
    let mut request = http.get(address);
    if let Some(token) = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN") {
        request = request.header("authorization", token);
    }
    // The address is as good as the credentials.
    let no_answer = |error: reqwest::Error| StoreError::NoAnswer(error.without_url());
    let response = request.send().await.map_err(no_answer)?;
    let status = response.status().as_u16();
    let body = response.bytes().await.map_err(no_answer)?;
    let answer: Answer =
        serde_json::from_slice(&body).map_err(|_| StoreError::Credentials { status })?;
    Ok(Credentials::new(
        answer.access_key_id,
        answer.secret_access_key,
        answer.token,
        None,
        "Container",
    ))
}
