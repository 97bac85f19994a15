//! Limits of Identity Center for values: lengths and characters of the Identity Store's
//! model (<https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_CreateUser.html>),
//! so that an invalid value is reported before anything is sent.

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
    /// With a character that the attribute may not have: a control or format character, an
    /// unusual space, or in a name without spaces, a space.
    #[error(
        "has the character U+{:04X} at position {position}, which Identity Center does not accept",
        u32::from(*character)
    )]
    Character {
        /// The character.
        character: char,
        /// Its position among the characters of the value, from 1.
        position: usize,
    },
    /// Without a character.
    #[error("is empty")]
    Empty,
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
            characters(value, is_word)?;
            not_reserved(value)
        }
        Attribute::Email => {
            length(value, LENGTH)?;
            characters(value, is_word)?;
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
    text(name)?;
    not_reserved(name)
}

/// "Administrator and AWSAdministrators are reserved names and can't be used for users or groups"
/// (CreateUser and CreateGroup).
fn not_reserved(name: &str) -> Result<(), Problem> {
    let mut reserved = ["Administrator", "AWSAdministrators"].into_iter();
    if reserved.any(|reserved| name.eq_ignore_ascii_case(reserved)) {
        return Err(Problem::Reserved);
    }
    Ok(())
}

fn text(value: &str) -> Result<(), Problem> {
    length(value, LENGTH)?;
    characters(value, is_text)
}

/// Names the first character for which `is_allowed` does not hold, where it does not hold for
/// all of them.
fn characters(value: &str, is_allowed: impl Fn(&str) -> bool) -> Result<(), Problem> {
    if is_allowed(value) {
        return Ok(());
    }
    let mut buffer = [0; 4];
    let refused = value
        .chars()
        .position(|character| !is_allowed(character.encode_utf8(&mut buffer)));
    let found = refused.and_then(|index| Some((index, value.chars().nth(index)?)));
    Err(
        found.map_or(Problem::Empty, |(index, character)| Problem::Character {
            character,
            position: index + 1,
        }),
    )
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
        // Characters count, and not bytes.
        let [just, long] = [128, 129].map(|length| "ä".repeat(length));
        let [all, longer] = [1024, 1025].map(|length| "ä".repeat(length));
        let refused = |character, position| {
            Err(Problem::Character {
                character,
                position,
            })
        };
        let cases = [
            (Attribute::UserName, "alice@example.test", Ok(())),
            (Attribute::UserName, "åse.ørsted", Ok(())),
            (Attribute::UserName, "alice smith", refused(' ', 6)),
            (Attribute::UserName, "Administrator", Err(Problem::Reserved)),
            (
                Attribute::UserName,
                "AWSadministrators",
                Err(Problem::Reserved),
            ),
            (Attribute::UserName, &just, Ok(())),
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
            (Attribute::GivenName, "A\u{0}B", refused('\0', 2)),
            (Attribute::Title, "Ä\u{200b}B", refused('\u{200b}', 2)),
            (Attribute::Title, "", Err(Problem::Empty)),
            (Attribute::Title, &all, Ok(())),
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
            (
                Attribute::Email,
                "@example.test",
                Err(Problem::NotAnAddress),
            ),
            (Attribute::Email, "a b@example.test", refused(' ', 2)),
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
        let problem = group("a\u{7}b").unwrap_err();
        assert_eq!(
            problem.to_string(),
            "has the character U+0007 at position 2, which Identity Center does not accept"
        );
    }

    #[test]
    fn reserved_names_are_refused_to_groups_in_any_case() {
        for name in ["Administrator", "AWSAdministrators", "awsadministrators"] {
            assert_eq!(group(name), Err(Problem::Reserved), "{name}");
        }
        assert_eq!(group("Administrators"), Ok(()));
    }
}
