//! What Identity Center takes as a value: lengths and characters of the Identity Store's
//! model (<https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_CreateUser.html>),
//! so that what it would refuse is reported before anything is sent.

use std::sync::LazyLock;

use regex::Regex;

use crate::attribute::Attribute;

/// Letters, marks, symbols, numbers and punctuation; no spaces and no control characters.
static WORD: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[\p{L}\p{M}\p{S}\p{N}\p{P}]+$"));

/// The same with spaces, the ideographic one too.
static TEXT: LazyLock<Regex> =
    LazyLock::new(|| pattern("^[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}\\t\\n\\r \u{a0}\u{3000}]+$"));

#[expect(clippy::expect_used, reason = "constants; the tests use both")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern of this file")
}

/// The longest user name, in characters.
const USER_NAME_LENGTH: usize = 128;

/// The longest other value, in characters.
const LENGTH: usize = 1024;

/// Why a value would be refused. Names no value: values are personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Longer than the attribute may be.
    #[error("has {length} characters, and {limit} are allowed")]
    TooLong {
        /// Characters it has.
        length: usize,
        /// Characters it may have.
        limit: usize,
    },
    /// With a space or a control character.
    #[error("has a space or a control character")]
    Space,
    /// With a control character.
    #[error("has a control character")]
    Control,
    /// Without an at sign between two parts.
    #[error("is not an e-mail address")]
    NotAnAddress,
    /// Bytes that are not UTF-8, such as a photo.
    #[error("is not text")]
    NotText,
    /// A name that Identity Center keeps for itself.
    #[error("is a name that Identity Center reserves")]
    Reserved,
}

/// Checks the value of a user's attribute.
pub(super) fn user(attribute: Attribute, value: &str) -> Result<(), Problem> {
    match attribute {
        Attribute::UserName => {
            length(value, USER_NAME_LENGTH)?;
            if !is_word(value) {
                return Err(Problem::Space);
            }
            // "Administrator and AWSAdministrators are reserved names" (CreateUser).
            if ["administrator", "awsadministrators"].contains(&value.to_lowercase().as_str()) {
                return Err(Problem::Reserved);
            }
            Ok(())
        }
        Attribute::Email => {
            length(value, LENGTH)?;
            if !is_word(value) {
                return Err(Problem::Space);
            }
            match value.rsplit_once('@') {
                Some((local, domain)) if !local.is_empty() && !domain.is_empty() => Ok(()),
                _ => Err(Problem::NotAnAddress),
            }
        }
        _ => text(value),
    }
}

/// Checks the name of a group.
pub(super) fn group(name: &str) -> Result<(), Problem> {
    text(name)
}

fn text(value: &str) -> Result<(), Problem> {
    length(value, LENGTH)?;
    if is_text(value) {
        Ok(())
    } else {
        Err(Problem::Control)
    }
}

/// Most values are ASCII, all printable characters of which are allowed; a directory has a
/// million of them, and the patterns take a hundred times as long.
fn is_word(value: &str) -> bool {
    if value.is_ascii() {
        return !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic());
    }
    WORD.is_match(value)
}

fn is_text(value: &str) -> bool {
    if value.is_ascii() {
        let allowed = |byte: u8| byte.is_ascii_graphic() || b"\t\n\r ".contains(&byte);
        return !value.is_empty() && value.bytes().all(allowed);
    }
    TEXT.is_match(value)
}

fn length(value: &str, limit: usize) -> Result<(), Problem> {
    let length = value.chars().count();
    if length > limit {
        return Err(Problem::TooLong { length, limit });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_held_to_the_limits_of_identity_center() {
        let long = "a".repeat(129);
        let longer = "a".repeat(1025);
        let cases = [
            (Attribute::UserName, "alice@example.test", Ok(())),
            (Attribute::UserName, "åse.ørsted", Ok(())),
            (Attribute::UserName, "alice smith", Err(Problem::Space)),
            (Attribute::UserName, "Administrator", Err(Problem::Reserved)),
            (
                Attribute::UserName,
                &long,
                Err(Problem::TooLong {
                    length: 129,
                    limit: 128,
                }),
            ),
            (Attribute::GivenName, "Ann Marie", Ok(())),
            (Attribute::GivenName, "山田\u{3000}太郎", Ok(())),
            (Attribute::GivenName, "A\u{0}B", Err(Problem::Control)),
            (Attribute::Title, "A\u{200b}B", Err(Problem::Control)),
            (
                Attribute::Title,
                &longer,
                Err(Problem::TooLong {
                    length: 1025,
                    limit: 1024,
                }),
            ),
            (Attribute::Email, "a@example.test", Ok(())),
            (
                Attribute::Email,
                "a.example.test",
                Err(Problem::NotAnAddress),
            ),
            (Attribute::Email, "a@", Err(Problem::NotAnAddress)),
            (Attribute::Email, "a b@example.test", Err(Problem::Space)),
        ];
        for (attribute, value, result) in cases {
            assert_eq!(user(attribute, value), result, "{attribute}: {value:?}");
        }
    }

    #[test]
    fn every_ascii_character_is_judged_as_the_patterns_do() {
        for byte in 0..128_u8 {
            let text = char::from(byte).to_string();
            assert_eq!(is_word(&text), WORD.is_match(&text), "{byte}");
            assert_eq!(is_text(&text), TEXT.is_match(&text), "{byte}");
        }
        assert!(!is_word("") && !is_text(""));
    }

    #[test]
    fn names_of_groups_may_have_spaces() {
        assert_eq!(group("AWS administrators (all)"), Ok(()));
        assert_eq!(group("a\u{7}b"), Err(Problem::Control));
    }
}
