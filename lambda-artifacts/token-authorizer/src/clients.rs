//! Whom the function knows, from its environment variables.

use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;

/// JSON: a list of [`Client`]s.
pub const CLIENTS_VARIABLE: &str = "TOKEN_CLIENTS";

/// Whole minutes for which a rotated token's predecessor is still accepted.
pub const OVERLAP_VARIABLE: &str = "TOKEN_OVERLAP_MINUTES";

/// A client of the API: an identity provider with a token of its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Client {
    /// Its name, which becomes the principal of its requests.
    #[serde(rename = "client")]
    pub name: String,
    /// The SSM parameter that holds its token.
    pub parameter_name: String,
    /// The value of its API key, by which its usage plan is found. Not a credential:
    /// API Gateway takes the key from the authorizer only.
    pub usage_identifier_key: Option<String>,
}

/// The function's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// At least one.
    pub clients: Vec<Client>,
    /// How long a rotated token's predecessor is still accepted.
    pub overlap: Duration,
}

/// A variable is missing or wrong.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// No clients.
    #[error(
        "{CLIENTS_VARIABLE} is not set or empty: it lists the clients and where their tokens are"
    )]
    NoClients,
    /// Not the JSON that it should be.
    #[error("{CLIENTS_VARIABLE} is not a list of clients: {0}")]
    Clients(#[source] serde_json::Error),
    /// Not a number.
    #[error("{OVERLAP_VARIABLE} must be a whole number of minutes")]
    Overlap,
}

impl Settings {
    /// Reads the settings by `variable`, which gives an environment variable's value.
    ///
    /// # Errors
    ///
    /// Which variable is missing or wrong. Without clients the function would refuse
    /// everybody, so it does not even start.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let clients = variable(CLIENTS_VARIABLE).unwrap_or_default();
        if clients.trim().is_empty() {
            return Err(SettingsError::NoClients);
        }
        let clients: Vec<Client> =
            serde_json::from_str(&clients).map_err(SettingsError::Clients)?;
        if clients.is_empty() {
            return Err(SettingsError::NoClients);
        }
        let minutes: u32 = match variable(OVERLAP_VARIABLE).as_deref() {
            None | Some("") => 0,
            Some(minutes) => minutes.trim().parse().map_err(|_| SettingsError::Overlap)?,
        };
        Ok(Self {
            clients,
            overlap: Duration::from_secs(u64::from(minutes) * 60),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(clients: Option<&str>, overlap: Option<&str>) -> Result<Settings, String> {
        Settings::read(|name| match name {
            CLIENTS_VARIABLE => clients.map(str::to_owned),
            OVERLAP_VARIABLE => overlap.map(str::to_owned),
            _ => None,
        })
        .map_err(|error| error.to_string())
    }

    #[test]
    fn clients_and_overlap_are_read() {
        assert_eq!(
            read(
                Some(
                    r#"[{"client":"idp","parameterName":"/token/idp","usageIdentifierKey":"0a-idp"},
                        {"client":"hr","parameterName":"/token/hr"}]"#
                ),
                Some("90")
            ),
            Ok(Settings {
                clients: vec![
                    Client {
                        name: "idp".into(),
                        parameter_name: "/token/idp".into(),
                        usage_identifier_key: Some("0a-idp".into()),
                    },
                    Client {
                        name: "hr".into(),
                        parameter_name: "/token/hr".into(),
                        usage_identifier_key: None,
                    },
                ],
                overlap: Duration::from_secs(5400),
            })
        );
    }

    #[test]
    fn without_an_overlap_a_rotated_token_is_dead_at_once() {
        let settings = read(Some(r#"[{"client":"a","parameterName":"/a"}]"#), None).unwrap();
        assert_eq!(settings.overlap, Duration::ZERO);
    }

    #[test]
    fn wrong_settings_name_the_variable() {
        let clients = r#"[{"client":"a","parameterName":"/a"}]"#;
        for (clients, overlap, variable) in [
            (None, None, CLIENTS_VARIABLE),
            (Some(" "), None, CLIENTS_VARIABLE),
            (Some("[]"), None, CLIENTS_VARIABLE),
            (Some(r#"[{"client":"a"}]"#), None, CLIENTS_VARIABLE),
            (Some("idp"), None, CLIENTS_VARIABLE),
            (Some(clients), Some("an hour"), OVERLAP_VARIABLE),
            (Some(clients), Some("-1"), OVERLAP_VARIABLE),
        ] {
            let error = read(clients, overlap).unwrap_err();
            assert!(
                error.starts_with(variable),
                "{clients:?} {overlap:?}: {error}"
            );
        }
    }
}
