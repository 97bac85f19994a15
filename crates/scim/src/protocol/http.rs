//! An HTTP request as data.

use std::fmt;

/// A request, free of any framework.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct HttpRequest {
    /// The method in capitals.
    pub method: String,
    /// The path below the service's mount point, still percent-encoded.
    pub path: String,
    /// The query parameters, decoded; [`parse_query`] makes them from a query string.
    pub query: Vec<(String, String)>,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Neither headers (the token) nor query and body (personal data) are shown.
impl fmt::Debug for HttpRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HttpRequest")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl HttpRequest {
    /// The first header of this name, compared without case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// The media types of answers (RFC 7644 section 3.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MediaType {
    /// `application/scim+json`
    #[default]
    ScimJson,
    /// `application/json`
    Json,
}

impl MediaType {
    /// Chooses by the `Accept` header: SCIM's type, unless the client names only plain
    /// JSON (OneLogin).
    #[must_use]
    pub fn negotiate(accept: Option<&str>) -> Self {
        let names = |name: &str| {
            accept.unwrap_or_default().split(',').any(|range| {
                let kind = range.split(';').next().unwrap_or_default();
                kind.trim().eq_ignore_ascii_case(name)
            })
        };
        if names("application/json") && !names("application/scim+json") {
            Self::Json
        } else {
            Self::ScimJson
        }
    }

    /// The value of `Content-Type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ScimJson => "application/scim+json",
            Self::Json => "application/json",
        }
    }
}

/// Decodes a query string: `+` is a space, `%XX` a byte; what is no UTF-8 becomes
/// U+FFFD.
#[must_use]
pub fn parse_query(query: &str) -> Vec<(String, String)> {
    let decode =
        |text: &str| String::from_utf8_lossy(&percent_decode(&text.replace('+', " "))).into_owned();
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// Decodes `%XX` once; a percent sign without two digits stays as it is.
pub(super) fn percent_decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let digit = |position: usize| {
        bytes
            .get(position)
            .and_then(|&byte| char::from(byte).to_digit(16))
    };
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut position = 0;
    while position < bytes.len() {
        let escaped = match (bytes[position], digit(position + 1), digit(position + 2)) {
            (b'%', Some(high), Some(low)) => u8::try_from(high * 16 + low).ok(),
            _ => None,
        };
        decoded.push(escaped.unwrap_or(bytes[position]));
        position += if escaped.is_some() { 3 } else { 1 };
    }
    decoded
}

/// Encodes everything but RFC 3986's unreserved characters.
pub(crate) fn percent_encode(text: &str) -> String {
    use fmt::Write;

    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
