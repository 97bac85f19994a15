//! A new token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use thiserror::Error;

/// 256 bits, as the identity providers' guides ask for.
const TOKEN_BYTES: usize = 32;

/// The operating system has no randomness to give.
#[derive(Debug, Clone, Copy, Error)]
#[error("the operating system's random source failed: {0}")]
pub struct NoRandomness(getrandom::Error);

/// Makes a token: 32 bytes of the operating system's random source in base64url
/// without padding, 43 characters of `[A-Za-z0-9_-]`.
///
/// # Errors
///
/// The random source failed.
pub fn generate() -> Result<SecretString, NoRandomness> {
    let mut bytes = [0; TOKEN_BYTES];
    getrandom::fill(&mut bytes).map_err(NoRandomness)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes).into())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_token_passes_the_validation_expression_of_the_api() {
        let token = generate().unwrap();
        let token = token.expose_secret();
        assert_eq!(token.len(), 43);
        assert!(
            token
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        );
    }

    #[test]
    fn no_two_tokens_are_alike_and_none_is_in_debug_output() {
        let (one, other) = (generate().unwrap(), generate().unwrap());
        assert_ne!(one.expose_secret(), other.expose_secret());
        assert!(!format!("{one:?}").contains(one.expose_secret()));
    }
}
