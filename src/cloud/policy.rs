//! Policies as IAM hands them out.

use serde_json::Value;

/// A policy document as IAM hands it out: JSON, URL-encoded by RFC 3986. What cannot be
/// read is told as it stands, and equals no document.
#[must_use]
pub fn decoded_policy(text: &str) -> Value {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut position = 0;
    while let Some(&byte) = bytes.get(position) {
        let code = (byte == b'%')
            .then(|| text.get(position + 1..position + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        plain.push(code.unwrap_or(byte));
        position += if code.is_some() { 3 } else { 1 };
    }
    serde_json::from_slice(&plain).unwrap_or_else(|_| Value::from(text))
}
