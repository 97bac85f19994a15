//! The tokens that are accepted, and the comparison with the one presented.
//!
//! Only digests are kept and compared. A token is 256 random bits, so its SHA-256 cannot
//! be inverted and a memory dump gives nobody away; and digests have one length, so the
//! comparison tells nothing about a token's length. Every digest is compared in full,
//! whichever matches, so the time it takes depends on the number of clients alone.

use std::time::SystemTime;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

/// The SHA-256 of a token.
#[derive(Clone, Copy)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// The digest of a token's text.
    pub fn of(token: &[u8]) -> Self {
        Self(Sha256::digest(token).into())
    }
}

impl std::fmt::Debug for TokenDigest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TokenDigest")
    }
}

/// A token that opens the API, and to whom.
#[derive(Debug, Clone, Copy)]
pub struct AcceptedToken {
    /// The position of its client in the settings.
    pub client: usize,
    /// The token.
    pub digest: TokenDigest,
    /// For a predecessor of the client's current token: the end of the overlap.
    pub until: Option<SystemTime>,
}

/// The client whose token `presented` is at the time `now`, as its position in the settings.
pub fn matching_client(
    accepted: &[AcceptedToken],
    presented: TokenDigest,
    now: SystemTime,
) -> Option<usize> {
    let mut found = Choice::from(0);
    // One more than the position, so that 0 is nobody.
    let mut matched = 0_u64;
    for token in accepted {
        let in_time = token.until.is_none_or(|until| now < until);
        let equal = token.digest.0.ct_eq(&presented.0) & Choice::from(u8::from(in_time));
        matched.conditional_assign(&(token.client as u64 + 1), equal & !found);
        found |= equal;
    }
    usize::try_from(matched).ok()?.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn accepted(client: usize, token: &str, until: Option<SystemTime>) -> AcceptedToken {
        AcceptedToken {
            client,
            digest: TokenDigest::of(token.as_bytes()),
            until,
        }
    }

    #[test]
    fn the_client_is_the_one_whose_token_it_is() {
        let tokens = [
            accepted(0, "zero", None),
            accepted(1, "one", None),
            accepted(2, "two", None),
        ];
        let now = SystemTime::now();
        for (presented, expected) in [
            ("zero", Some(0)),
            ("one", Some(1)),
            ("two", Some(2)),
            ("thr", None),
            ("", None),
        ] {
            let presented_digest = TokenDigest::of(presented.as_bytes());
            assert_eq!(
                matching_client(&tokens, presented_digest, now),
                expected,
                "{presented:?}"
            );
        }
        assert_eq!(matching_client(&[], TokenDigest::of(b"zero"), now), None);
    }

    #[test]
    fn the_first_of_two_clients_with_the_same_token_is_taken() {
        let tokens = [accepted(1, "same", None), accepted(0, "same", None)];
        assert_eq!(
            matching_client(&tokens, TokenDigest::of(b"same"), SystemTime::now()),
            Some(1)
        );
    }

    #[test]
    fn a_predecessor_is_accepted_until_the_very_end_of_the_overlap() {
        let end = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        let tokens = [accepted(0, "new", None), accepted(0, "old", Some(end))];
        let old = TokenDigest::of(b"old");
        assert_eq!(
            matching_client(&tokens, old, end - Duration::from_nanos(1)),
            Some(0)
        );
        assert_eq!(matching_client(&tokens, old, end), None);
        assert_eq!(
            matching_client(&tokens, TokenDigest::of(b"new"), end),
            Some(0)
        );
    }

    #[test]
    fn a_digest_shows_nothing_of_itself() {
        assert_eq!(format!("{:?}", TokenDigest::of(b"canary")), "TokenDigest");
    }
}
