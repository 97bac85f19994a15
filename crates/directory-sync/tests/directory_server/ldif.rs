//! Lines of LDIF (RFC 2849).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// `attribute: value`, in Base64 where the value needs it.
pub fn line(attribute: &str, value: &str) -> String {
    let is_plain = value
        .bytes()
        .all(|byte| byte == b' ' || byte.is_ascii_graphic())
        && !value.starts_with([' ', ':', '<'])
        && !value.ends_with(' ');
    if is_plain {
        format!("{attribute}: {value}\n")
    } else {
        format!("{attribute}:: {}\n", STANDARD.encode(value))
    }
}
