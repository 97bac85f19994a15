//! The `target:` section: which server is written to, and how it is spoken to.

use std::num::NonZeroU32;
use std::time::Duration;

use reqwest::Url;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The SCIM server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetConfiguration {
    /// Whose server it is.
    #[serde(default)]
    pub service: Service,
    /// The address of the SCIM endpoint, as the console of Identity Center shows it:
    /// `https://scim.eu-central-1.amazonaws.com/…/scim/v2/`.
    pub endpoint: Endpoint,
    /// Calls a second of each writing operation. Default: 25, what Identity Center allows.
    #[serde(default = "writes_per_second")]
    pub writes_per_second: NonZeroU32,
    /// Calls a second of each reading operation. Default: 40, what Identity Center allows.
    #[serde(default = "reads_per_second")]
    pub reads_per_second: NonZeroU32,
    /// Seconds that one answer may take. Default: 30.
    #[serde(default = "timeout_seconds")]
    pub timeout_seconds: NonZeroU32,
}

/// Whose server it is: Identity Center departs from RFC 7644.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Service {
    /// AWS IAM Identity Center.
    #[default]
    IdentityCenter,
    /// Any server that follows RFC 7644 and has PATCH.
    Scim,
}

const fn writes_per_second() -> NonZeroU32 {
    const { NonZeroU32::new(25).unwrap() }
}

const fn reads_per_second() -> NonZeroU32 {
    const { NonZeroU32::new(40).unwrap() }
}

const fn timeout_seconds() -> NonZeroU32 {
    const { NonZeroU32::new(30).unwrap() }
}

impl TargetConfiguration {
    pub(super) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds.get().into())
    }
}

/// The address of a SCIM endpoint. Unencrypted only on this machine: the token would be seen
/// on the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Endpoint(Url);

/// Not the address of a SCIM endpoint.
#[derive(Debug, thiserror::Error)]
pub enum InvalidEndpoint {
    /// Not an address at all.
    #[error("not a URL: {0}")]
    Url(String),
    /// The token would be seen on the network.
    #[error("must begin with https://: the token would be sent in the clear")]
    Unencrypted,
    /// What the sync adds would end up in the wrong place.
    #[error("must have no user, password, query or fragment")]
    Extras,
}

impl TryFrom<String> for Endpoint {
    type Error = InvalidEndpoint;

    fn try_from(text: String) -> Result<Self, InvalidEndpoint> {
        let mut url = Url::parse(&text).map_err(|error| InvalidEndpoint::Url(error.to_string()))?;
        let is_local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        if url.scheme() != "https" && !(url.scheme() == "http" && is_local) {
            return Err(InvalidEndpoint::Unencrypted);
        }
        if url.query().is_some()
            || url.fragment().is_some()
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return Err(InvalidEndpoint::Extras);
        }
        // The console shows it with the slash at the end, and people copy it without.
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Ok(Self(url))
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.0.into()
    }
}

impl Endpoint {
    /// The TCP port.
    #[must_use]
    pub fn port(&self) -> u16 {
        // Both schemes that an endpoint can have know theirs.
        self.0.port_or_known_default().unwrap_or_default()
    }

    /// The address, with a slash at its end.
    pub(super) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_encrypted_or_on_this_machine() {
        for (text, expected) in [
            (
                "https://scim.eu-central-1.amazonaws.com/t/scim/v2",
                Some("https://scim.eu-central-1.amazonaws.com/t/scim/v2/"),
            ),
            (
                "http://127.0.0.1:8080/scim/v2/",
                Some("http://127.0.0.1:8080/scim/v2/"),
            ),
            ("http://scim.example.com/scim/v2", None),
            ("https://user:password@scim.example.com/", None),
            ("https://scim.example.com/?a=b", None),
            ("ftp://127.0.0.1/", None),
            ("scim.example.com", None),
        ] {
            let endpoint = Endpoint::try_from(text.to_owned());
            assert_eq!(
                endpoint.ok().as_ref().map(Endpoint::as_str),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn an_endpoint_has_a_port_and_an_answer_a_time() {
        for (endpoint, port) in [
            ("https://scim.example.com/scim/v2/", 443),
            ("https://scim.example.com:8443/", 8443),
            ("http://127.0.0.1:8080/", 8080),
        ] {
            let text = format!("endpoint: {endpoint}");
            let configuration: TargetConfiguration = serde_yaml::from_str(&text).unwrap();
            assert_eq!(configuration.endpoint.port(), port);
            assert_eq!(configuration.timeout(), Duration::from_secs(30));
            assert_eq!(String::from(configuration.endpoint), endpoint);
        }
    }
}
