//! Region, credentials and endpoint overrides: read once from environment variables, or
//! taken over from a program that found them by other means.

use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider},
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::Service;

/// What the clients of all services share: where they run and as whom.
#[derive(Debug, Clone)]
pub struct Environment {
    pub(crate) region: String,
    pub(crate) credentials: SharedCredentialsProvider,
    /// Whether the provider is asked once and again shortly before the credentials expire,
    /// instead of for every call.
    pub(crate) caches_credentials: bool,
    pub(crate) http_client: Option<SharedHttpClient>,
    /// Variables that begin with `AWS_ENDPOINT_URL`, unless they are to be ignored.
    pub(crate) endpoint_urls: Vec<(String, String)>,
}

/// Why the environment does not suffice to call AWS.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the environment variable {variable} is not set: no AWS service can be called without it")]
pub struct EnvironmentError {
    /// The variable that is missing or empty.
    pub variable: &'static str,
}

impl Environment {
    /// Reads the process's environment, as Lambda sets it.
    ///
    /// # Errors
    /// When the region or the credentials are missing.
    pub fn from_process() -> Result<Self, EnvironmentError> {
        // `vars_os`, because `vars` panics on a value that is not UTF-8.
        Self::from_variables(std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }))
    }

    /// Reads the given variables. An empty value counts as absent.
    ///
    /// # Errors
    /// When the region or the credentials are missing.
    pub fn from_variables(
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, EnvironmentError> {
        let variables: Vec<(String, String)> = variables
            .into_iter()
            .filter(|(name, value)| name.starts_with("AWS_") && !value.is_empty())
            .collect();
        let find = |name: &str| {
            variables
                .iter()
                .find(|(candidate, _)| candidate == name)
                .map(|(_, value)| value.clone())
        };
        let require = |variable: &'static str| find(variable).ok_or(EnvironmentError { variable });

        let region = find("AWS_REGION")
            .or_else(|| find("AWS_DEFAULT_REGION"))
            .ok_or(EnvironmentError {
                variable: "AWS_REGION",
            })?;
        let credentials = Credentials::new(
            require("AWS_ACCESS_KEY_ID")?,
            require("AWS_SECRET_ACCESS_KEY")?,
            find("AWS_SESSION_TOKEN"),
            None,
            "Environment",
        );
        let ignored = find("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let endpoint_urls = if ignored {
            Vec::new()
        } else {
            variables
                .into_iter()
                .filter(|(name, _)| name.starts_with("AWS_ENDPOINT_URL"))
                .collect()
        };
        Ok(Self {
            region,
            credentials: SharedCredentialsProvider::new(credentials),
            caches_credentials: false,
            http_client: None,
            endpoint_urls,
        })
    }

    /// A region and a provider of credentials, such as those of an SDK configuration, with
    /// the regional endpoints. Credentials that expire are fetched anew.
    pub fn new(region: impl Into<String>, credentials: impl ProvideCredentials + 'static) -> Self {
        Self {
            region: region.into(),
            credentials: SharedCredentialsProvider::new(credentials),
            caches_credentials: true,
            http_client: None,
            endpoint_urls: Vec::new(),
        }
    }

    /// Sends to this URL: what is for `service`, or, without one, what has no URL of its own.
    #[must_use]
    pub fn endpoint_url(mut self, service: Option<Service>, url: impl Into<String>) -> Self {
        let variable = service.map_or_else(
            || "AWS_ENDPOINT_URL".to_owned(),
            |service| format!("AWS_ENDPOINT_URL_{}", service.id),
        );
        self.endpoint_urls.push((variable, url.into()));
        self
    }

    /// Sends through this HTTP client, unless a client has one of its own.
    #[must_use]
    pub fn http_client(mut self, client: SharedHttpClient) -> Self {
        self.http_client = Some(client);
        self
    }

    /// The AWS region, such as `eu-central-1`.
    pub fn region(&self) -> &str {
        &self.region
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Result<Environment, EnvironmentError> {
        Environment::from_variables(
            variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
    }

    #[test]
    fn a_missing_or_empty_variable_is_named() {
        for (variables, missing) in [
            (vec![], "AWS_REGION"),
            (vec![("AWS_REGION", "eu-west-1")], "AWS_ACCESS_KEY_ID"),
            (
                vec![("AWS_REGION", "eu-west-1"), ("AWS_ACCESS_KEY_ID", "")],
                "AWS_ACCESS_KEY_ID",
            ),
            (
                vec![("AWS_REGION", "eu-west-1"), ("AWS_ACCESS_KEY_ID", "AKID")],
                "AWS_SECRET_ACCESS_KEY",
            ),
        ] {
            assert_eq!(
                environment(&variables).unwrap_err(),
                EnvironmentError { variable: missing }
            );
        }
    }

    #[test]
    fn the_secret_key_and_session_token_are_not_in_the_debug_output() {
        let environment = environment(&[
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "AKID"),
            ("AWS_SECRET_ACCESS_KEY", "canary-secret"),
            ("AWS_SESSION_TOKEN", "canary-token"),
        ])
        .unwrap();
        assert!(!format!("{environment:?}").contains("canary"));
    }
}
