//! Region, credentials and endpoint overrides, read once from environment variables.

use aws_credential_types::Credentials;

/// What the clients of all services share: where they run and as whom.
#[derive(Debug, Clone)]
pub struct Environment {
    pub(crate) region: String,
    pub(crate) credentials: Credentials,
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
            credentials,
            endpoint_urls,
        })
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
