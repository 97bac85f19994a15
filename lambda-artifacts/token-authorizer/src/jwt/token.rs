//! A JWT in JWS compact serialization (RFC 7515, section 7.1), taken apart.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};

use super::Rejection;
use super::claims::Claims;

/// The signature algorithms that are accepted (RFC 7518, section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

impl Algorithm {
    /// The algorithm of that name; names are case-sensitive.
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "PS256" => Some(Self::Ps256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
}

/// A JWT that was read and not verified. Without `Debug`, because of its claims.
pub struct Jwt<'a> {
    /// What it claims to be signed with.
    pub algorithm: Algorithm,
    /// Which of the issuer's keys.
    pub key_id: Option<String>,
    /// What it says.
    pub claims: Claims,
    /// What is signed.
    pub signed: &'a [u8],
    /// The signature.
    pub signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Whether there is a `crit` member, of whatever value (RFC 7515, section 4.1.11: it names
    /// extensions that must be understood, and none is).
    #[serde(default, rename = "crit", deserialize_with = "is_present")]
    has_critical: bool,
}

fn is_present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer)?;
    Ok(true)
}

impl<'a> Jwt<'a> {
    /// Takes a JWT apart.
    ///
    /// # Errors
    ///
    /// It is malformed, or of a kind that is not accepted.
    pub fn parse(text: &'a str) -> Result<Self, Rejection> {
        let (signed, signature) = text.rsplit_once('.').ok_or(Rejection::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(Rejection::Malformed)?;
        let header: Header = json(header)?;
        let algorithm = Algorithm::of(&header.alg).ok_or(Rejection::Algorithm)?;
        if header.has_critical {
            return Err(Rejection::Critical);
        }
        Ok(Self {
            algorithm,
            key_id: header.kid,
            claims: json(claims)?,
            signed: signed.as_bytes(),
            signature: decode(signature)?,
        })
    }
}

fn decode(segment: &str) -> Result<Vec<u8>, Rejection> {
    URL_SAFE_NO_PAD
        .decode(segment)
        .map_err(|_| Rejection::Malformed)
}

fn json<T: DeserializeOwned>(segment: &str) -> Result<T, Rejection> {
    serde_json::from_slice(&decode(segment)?).map_err(|_| Rejection::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(header: &str, claims: &str, signature: &str) -> String {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!(
            "{}.{}.{}",
            encode(header),
            encode(claims),
            encode(signature)
        )
    }

    const HEADER: &str = r#"{"alg":"RS256","kid":"one"}"#;
    const CLAIMS: &str = r#"{"iss":"i","aud":"a","exp":1}"#;

    #[test]
    fn a_jwt_is_taken_apart() {
        let text = jwt(HEADER, CLAIMS, "signature");
        let jwt = Jwt::parse(&text).ok().unwrap();
        assert_eq!(jwt.algorithm, Algorithm::Rs256);
        assert_eq!(jwt.key_id.as_deref(), Some("one"));
        assert_eq!(jwt.signature, b"signature");
        assert_eq!(jwt.signed, text.rsplit_once('.').unwrap().0.as_bytes());
    }

    #[test]
    fn what_is_no_acceptable_jwt_is_rejected() {
        for (text, expected) in [
            (String::new(), Rejection::Malformed),
            ("..".to_owned(), Rejection::Malformed),
            ("a.b".to_owned(), Rejection::Malformed),
            (
                jwt(HEADER, CLAIMS, "signature") + ".x",
                Rejection::Malformed,
            ),
            (jwt(HEADER, CLAIMS, "signature") + "=", Rejection::Malformed),
            (jwt("{}", CLAIMS, "s"), Rejection::Malformed),
            (jwt("[]", CLAIMS, "s"), Rejection::Malformed),
            (jwt(HEADER, "{}", "s"), Rejection::Malformed),
            (jwt(HEADER, "null", "s"), Rejection::Malformed),
            (
                jwt(HEADER, r#"{"iss":"i","aud":"a"}"#, "s"),
                Rejection::Malformed,
            ),
            (
                jwt(HEADER, r#"{"iss":["i"],"aud":"a","exp":1}"#, "s"),
                Rejection::Malformed,
            ),
            (
                jwt(HEADER, r#"{"iss":"i","aud":"a","exp":"1"}"#, "s"),
                Rejection::Malformed,
            ),
            (
                jwt(HEADER, r#"{"iss":"i","iss":"i","aud":"a","exp":1}"#, "s"),
                Rejection::Malformed,
            ),
            (jwt(r#"{"alg":"none"}"#, CLAIMS, ""), Rejection::Algorithm),
            (jwt(r#"{"alg":"HS256"}"#, CLAIMS, "s"), Rejection::Algorithm),
            (jwt(r#"{"alg":"rs256"}"#, CLAIMS, "s"), Rejection::Algorithm),
            (jwt(r#"{"alg":"RS512"}"#, CLAIMS, "s"), Rejection::Algorithm),
            (
                jwt(r#"{"alg":"RS256","crit":["b64"],"b64":false}"#, CLAIMS, "s"),
                Rejection::Critical,
            ),
            (
                jwt(r#"{"alg":"RS256","crit":null}"#, CLAIMS, "s"),
                Rejection::Critical,
            ),
            (
                jwt(r#"{"alg":"RS256","crit":[]}"#, CLAIMS, "s"),
                Rejection::Critical,
            ),
            (
                jwt(r#"{"alg":"RS256","crit":"x"}"#, CLAIMS, "s"),
                Rejection::Critical,
            ),
        ] {
            assert_eq!(Jwt::parse(&text).err(), Some(expected), "{text}");
        }
    }
}
