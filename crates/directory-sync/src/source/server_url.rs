//! The URL of a directory server.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// `ldaps://HOST[:PORT]` or `ldap://HOST[:PORT]` (RFC 4516, section 2, without what names an
/// entry).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServerUrl {
    /// Encrypted from the first byte.
    tls: bool,
    host: String,
    port: u16,
}

impl ServerUrl {
    /// Whether TLS begins with the first byte: `ldaps`.
    pub(super) fn is_tls(&self) -> bool {
        self.tls
    }

    /// The TCP port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The name that the server's certificate must have.
    pub(super) fn host(&self) -> &str {
        &self.host
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "ldaps" } else { "ldap" };
        write!(formatter, "{scheme}://{}:{}", self.host, self.port)
    }
}

/// Why a text is no [`ServerUrl`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no server; write `ldaps://NAME` or `ldap://NAME`, with `:PORT` where it is not \
     636 or 389, and the name that stands in the server's certificate"
)]
pub struct InvalidServerUrl(String);

impl FromStr for ServerUrl {
    type Err = InvalidServerUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| InvalidServerUrl(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<ServerUrl> {
    let (scheme, rest) = text.split_once("://")?;
    let tls = match scheme {
        "ldaps" => true,
        "ldap" => false,
        _ => return None,
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = match rest.split_once(':') {
        Some((host, port)) => (host, port.parse().ok().filter(|port| *port != 0)?),
        None => (rest, if tls { 636 } else { 389 }),
    };
    let of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    (!host.is_empty() && host.bytes().all(of_a_name)).then(|| ServerUrl {
        tls,
        host: host.to_owned(),
        port,
    })
}

impl TryFrom<String> for ServerUrl {
    type Error = InvalidServerUrl;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ServerUrl> for String {
    fn from(url: ServerUrl) -> Self {
        url.to_string()
    }
}

impl JsonSchema for ServerUrl {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ServerUrl".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^ldaps?://[A-Za-z0-9._-]+(:[0-9]+)?/?$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_follows_from_the_scheme() {
        for (text, expected) in [
            (
                "ldaps://dc1.corp.example.com",
                "ldaps://dc1.corp.example.com:636",
            ),
            ("ldap://dc1/", "ldap://dc1:389"),
            ("ldap://127.0.0.1:3890", "ldap://127.0.0.1:3890"),
        ] {
            let url: ServerUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), expected);
            let scheme = if url.is_tls() { "ldaps" } else { "ldap" };
            let parts = format!("{scheme}://{}:{}", url.host(), url.port());
            assert_eq!(parts, expected);
        }
    }

    #[test]
    fn an_invalid_server_is_refused() {
        for text in [
            "dc1.corp.example.com",
            "https://dc1",
            "ldaps://",
            "ldaps://dc1:0",
            "ldaps://dc1:port",
            "ldaps://dc1/dc=example",
            "ldaps://user@dc1",
            "ldaps://[::1]",
        ] {
            assert!(text.parse::<ServerUrl>().is_err(), "{text}");
        }
    }
}
