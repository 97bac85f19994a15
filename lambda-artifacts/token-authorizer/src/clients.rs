//! Whom the function knows, from its environment variables.

use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;

/// JSON: a list of [`Client`]s.
pub const CLIENTS_VARIABLE: &str = "TOKEN_CLIENTS";

/// Whole minutes for which a rotated token's predecessor is still accepted.
pub const OVERLAP_VARIABLE: &str = "TOKEN_OVERLAP_MINUTES";

/// A client of the API: an identity provider with a way of its own to sign in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "ClientEntry")]
pub struct Client {
    /// Its name, which becomes the principal of its requests.
    pub name: String,
    /// How its requests are recognised.
    pub sign_in: SignIn,
    /// The value of its API key, by which its usage plan is found. Not a credential:
    /// API Gateway takes the key from the authorizer only.
    pub usage_identifier_key: Option<String>,
}

/// How a client's requests are recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignIn {
    /// By the token that an SSM parameter holds.
    Token {
        /// The parameter's name.
        parameter_name: String,
    },
    /// By the token that a secret of Secrets Manager holds.
    Secret(SecretSettings),
    /// By JWTs of an issuer.
    Jwt(JwtSettings),
}

/// Which secret holds a client's token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretSettings {
    /// The secret's ARN.
    pub arn: String,
    /// The member that is the token, where the secret is a JSON object.
    pub key: Option<String>,
}

/// Which JWTs are a client's.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JwtSettings {
    /// What `iss` must be.
    pub issuer: String,
    /// What must be in `aud`.
    pub audience: String,
    /// What must be in `scp`, `scope` or `roles`.
    pub required_scope: Option<String>,
    /// What `azp`, `appid`, `client_id` or `cid` must be.
    pub required_client_id: Option<String>,
    /// Where the issuer's keys are; without it, where its OpenID configuration says.
    pub jwks_url: Option<String>,
}

/// A [`Client`] as it stands in the variable.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClientEntry {
    client: String,
    parameter_name: Option<String>,
    secret_arn: Option<String>,
    secret_key: Option<String>,
    usage_identifier_key: Option<String>,
    jwt: Option<JwtSettings>,
}

impl TryFrom<ClientEntry> for Client {
    type Error = &'static str;

    fn try_from(entry: ClientEntry) -> Result<Self, &'static str> {
        let sign_in = match (entry.parameter_name, entry.secret_arn, entry.jwt) {
            (Some(parameter_name), None, None) => SignIn::Token { parameter_name },
            (None, Some(arn), None) => SignIn::Secret(SecretSettings {
                arn,
                key: entry.secret_key,
            }),
            (None, None, Some(jwt)) => SignIn::Jwt(jwt),
            _ => return Err("a client needs one of `parameterName`, `secretArn` and `jwt`"),
        };
        Ok(Self {
            name: entry.client,
            sign_in,
            usage_identifier_key: entry.usage_identifier_key,
        })
    }
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
                        {"client":"hr","parameterName":"/token/hr"},
                        {"client":"entra","jwt":{"issuer":"https://i/","audience":"a"}}]"#
                ),
                Some("90")
            ),
            Ok(Settings {
                clients: vec![
                    Client {
                        name: "idp".into(),
                        sign_in: SignIn::Token {
                            parameter_name: "/token/idp".into(),
                        },
                        usage_identifier_key: Some("0a-idp".into()),
                    },
                    Client {
                        name: "hr".into(),
                        sign_in: SignIn::Token {
                            parameter_name: "/token/hr".into(),
                        },
                        usage_identifier_key: None,
                    },
                    Client {
                        name: "entra".into(),
                        sign_in: SignIn::Jwt(JwtSettings {
                            issuer: "https://i/".into(),
                            audience: "a".into(),
                            required_scope: None,
                            required_client_id: None,
                            jwks_url: None,
                        }),
                        usage_identifier_key: None,
                    },
                ],
                overlap: Duration::from_secs(5400),
            })
        );
    }

    #[test]
    fn a_client_may_have_its_token_in_a_secret() {
        let clients = r#"[{"client":"a","secretArn":"arn:aws:s","secretKey":"token"}]"#;
        let settings = read(Some(clients), None).unwrap();
        assert_eq!(
            settings.clients[0].sign_in,
            SignIn::Secret(SecretSettings {
                arn: "arn:aws:s".into(),
                key: Some("token".into()),
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
            (
                Some(r#"[{"client":"a","parameterName":"/a","secretArn":"arn:aws:b"}]"#),
                None,
                CLIENTS_VARIABLE,
            ),
            (
                Some(
                    r#"[{"client":"a","parameterName":"/a","jwt":{"issuer":"i","audience":"a"}}]"#,
                ),
                None,
                CLIENTS_VARIABLE,
            ),
            (
                Some(r#"[{"client":"a","jwt":{"issuer":"i"}}]"#),
                None,
                CLIENTS_VARIABLE,
            ),
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
