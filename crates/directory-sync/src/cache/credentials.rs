//! The credentials for requests to S3: those of the environment, or the task role of a container.
//!
//! The addresses are those of "Container credential provider",
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>.

use std::collections::HashMap;
use std::env;

use aws_credential_types::Credentials;
use serde::Deserialize;

use super::store::StoreError;

/// The address at which ECS provides the credentials of the task role.
const ECS: &str = "http://169.254.170.2";

/// The response of that address. Has no `Debug`, because it contains secrets.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
}

/// Variables of the environment. Has no `Debug`, because some contain secrets.
pub(super) struct Environment(HashMap<String, String>);

impl Environment {
    pub(super) fn of_process() -> Self {
        let variables = env::vars_os();
        variables
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The value of a variable; `None` if it is not set or empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name).map(String::as_str);
        value.filter(|value| !value.is_empty())
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(variables: T) -> Self {
        Self(variables.into_iter().collect())
    }
}

/// Reads the credentials: those of the environment before those of the container, as the AWS
/// SDKs do.
pub(super) async fn read(
    http: &reqwest::Client,
    environment: &Environment,
) -> Result<Credentials, StoreError> {
    let variable = |name| environment.get(name);
    if let (Some(id), Some(secret)) = (
        variable("AWS_ACCESS_KEY_ID"),
        variable("AWS_SECRET_ACCESS_KEY"),
    ) {
        let token = variable("AWS_SESSION_TOKEN").map(str::to_owned);
        return Ok(Credentials::new(id, secret, token, None, "Environment"));
    }
    let relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    let address = relative
        .map(|path| format!("{ECS}{path}"))
        .or_else(|| variable("AWS_CONTAINER_CREDENTIALS_FULL_URI").map(str::to_owned))
        .ok_or(StoreError::NoCredentials)?;
    let mut request = http.get(address);
    if let Some(token) = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN") {
        request = request.header("authorization", token);
    }
    // The address gives access to the credentials.
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
