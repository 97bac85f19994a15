//! The text of a token, which leaves this type only through [`Token::reveal`].

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::{ExposeSecret as _, SecretString};

/// 256 bits, as the token generator makes them.
const RANDOM_BYTES: usize = 32;

/// The floor of the authorizer and of API Gateway's `identityValidationExpression`: 32 bytes
/// in base64url.
const SHORTEST: usize = 43;

/// SSM holds no longer value in a standard parameter, and the authorizer reads none.
const LONGEST: usize = 4096;

/// A bearer token.
#[derive(Debug)]
pub struct Token(SecretString);

/// Why a text is no token. The text itself is never quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedToken {
    /// Nothing but white space.
    #[error("the token is empty")]
    Empty,
    /// Fewer characters than 32 random bytes make.
    #[error("the token has {length} characters; {SHORTEST} are the least")]
    TooShort {
        /// How many there are.
        length: usize,
    },
    /// More characters than a standard SSM parameter holds.
    #[error("the token has {length} characters; {LONGEST} are the most")]
    TooLong {
        /// How many there are.
        length: usize,
    },
    /// API Gateway would refuse it before anybody looks.
    #[error("the character at position {position} is none of A-Z, a-z, 0-9, - and _")]
    Character {
        /// Counted from 1.
        position: usize,
    },
}

/// The operating system has no random numbers to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system's random source failed")]
pub struct NoRandomness;

impl Token {
    /// A new token: 256 random bits in base64url, 43 characters.
    ///
    /// # Errors
    /// When the operating system's random source fails.
    pub fn generate() -> Result<Self, NoRandomness> {
        let mut bytes = [0; RANDOM_BYTES];
        SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_| NoRandomness)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes).into()))
    }

    /// Reads a token that somebody else made; white space around it is left out.
    ///
    /// # Errors
    /// When the endpoint would refuse every request with it.
    pub fn parse(text: &str) -> Result<Self, MalformedToken> {
        let text = text.trim();
        let wrong = |character: char| {
            !(character.is_ascii_alphanumeric() || character == '-' || character == '_')
        };
        if text.is_empty() {
            return Err(MalformedToken::Empty);
        }
        if let Some(position) = text.chars().position(wrong) {
            return Err(MalformedToken::Character {
                position: position + 1,
            });
        }
        match text.len() {
            length if length < SHORTEST => Err(MalformedToken::TooShort { length }),
            length if length > LONGEST => Err(MalformedToken::TooLong { length }),
            _ => Ok(Self(text.into())),
        }
    }

    /// A token as it is kept, whatever it looks like: what a person put there may be one
    /// that no request can carry, and has to be shown all the same.
    pub(super) fn as_kept(text: String) -> Self {
        Self(text.into())
    }

    /// Hands the token's text to `use_it`, once, on the caller's explicit wish.
    pub fn reveal<T>(&self, use_it: impl FnOnce(&str) -> T) -> T {
        use_it(self.0.expose_secret())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_token_is_one_that_the_endpoint_takes_and_unlike_the_next() {
        let one = Token::generate().unwrap();
        let other = Token::generate().unwrap();
        one.reveal(|one| {
            assert_eq!(one.len(), SHORTEST);
            assert!(Token::parse(one).is_ok());
            other.reveal(|other| assert_ne!(one, other));
        });
    }

    #[test]
    fn what_no_request_could_carry_is_refused() {
        let good = "0123456789abcdefghijklmnopqrstuvwxyzABCDE_-";
        for (text, expected) in [
            ("", Some(MalformedToken::Empty)),
            (" \n", Some(MalformedToken::Empty)),
            (good, None),
            (&format!("  {good}\r\n"), None),
            (&good[1..], Some(MalformedToken::TooShort { length: 42 })),
            (
                &good.repeat(96),
                Some(MalformedToken::TooLong { length: 4128 }),
            ),
            (
                &format!("Bearer {good}"),
                Some(MalformedToken::Character { position: 7 }),
            ),
            (
                &format!("{good}="),
                Some(MalformedToken::Character { position: 44 }),
            ),
            (
                &format!("ü{good}"),
                Some(MalformedToken::Character { position: 1 }),
            ),
        ] {
            assert_eq!(Token::parse(text).err(), expected, "{text:?}");
        }
    }

    #[test]
    fn neither_a_token_nor_the_refusal_of_one_shows_its_text() {
        let token = Token::parse(&"canary".repeat(8)).unwrap();
        assert!(!format!("{token:?}").contains("canary"));
        let refused = Token::parse("canary=").unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains("canary"));
    }
}
