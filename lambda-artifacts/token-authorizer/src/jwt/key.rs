//! An issuer's public keys (RFC 7517), and what is signed with them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::Value;

use super::token::{Algorithm, Jwt};

/// As many keys of a set are looked at; real sets have a handful.
const MOST_KEYS: usize = 64;

/// An RFC 7517 key set as it is fetched.
#[derive(Debug, Deserialize)]
pub struct Document {
    keys: Vec<Value>,
}

/// The members of a key that are looked at (RFC 7517, section 4; RFC 7518, section 6).
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    r#use: Option<String>,
    alg: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// A key that can have signed a JWT.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PublicKey {
    id: Option<String>,
    /// The one algorithm that it is for, where the issuer says so.
    algorithm: Option<Algorithm>,
    material: Material,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Material {
    /// Modulus and exponent, big-endian without leading zeros.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// The uncompressed point of SEC 1: 0x04, x, y.
    P256(Vec<u8>),
}

/// What an issuer's keys say about a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is of one of them.
    Right,
    /// It should be of one of them, and is not.
    Wrong,
    /// None of them is meant.
    UnknownKey,
}

/// The keys of an issuer.
#[derive(Debug, Default)]
pub struct KeySet(Vec<PublicKey>);

impl From<Document> for KeySet {
    /// Takes the keys that can have signed a JWT, and leaves out all others: RFC 7517,
    /// section 5 wants unknown ones to do no harm.
    fn from(document: Document) -> Self {
        let keys = document.keys.into_iter().take(MOST_KEYS);
        Self(keys.filter_map(PublicKey::read).collect())
    }
}

impl KeySet {
    /// Whether there is no key that can have signed anything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Judges the signature of `jwt`. A JWT that names no key is taken for one of the only
    /// key of its algorithm.
    pub fn judge(&self, jwt: &Jwt<'_>) -> Verdict {
        let fitting = || self.0.iter().filter(|key| key.fits(jwt.algorithm));
        let meant: Vec<_> = match &jwt.key_id {
            Some(id) => fitting()
                .filter(|key| key.id.as_ref() == Some(id))
                .collect(),
            None if fitting().count() == 1 => fitting().collect(),
            None => Vec::new(),
        };
        if meant.is_empty() {
            Verdict::UnknownKey
        } else if meant.iter().any(|key| key.has_signed(jwt)) {
            Verdict::Right
        } else {
            Verdict::Wrong
        }
    }
}

impl PublicKey {
    fn read(jwk: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(jwk).ok()?;
        if jwk.r#use.is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let algorithm = match &jwk.alg {
            Some(name) => Some(Algorithm::of(name)?),
            None => None,
        };
        let material = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => Material::Rsa {
                n: number(&jwk.n?)?,
                e: number(&jwk.e?)?,
            },
            ("EC", Some("P-256")) => {
                Material::P256([vec![4], coordinate(&jwk.x?)?, coordinate(&jwk.y?)?].concat())
            }
            _ => return None,
        };
        Some(Self {
            id: jwk.kid,
            algorithm,
            material,
        })
    }

    fn fits(&self, algorithm: Algorithm) -> bool {
        let of_its_kind = match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => matches!(self.material, Material::Rsa { .. }),
            Algorithm::Es256 => matches!(self.material, Material::P256(_)),
        };
        of_its_kind && self.algorithm.is_none_or(|only| only == algorithm)
    }

    fn has_signed(&self, jwt: &Jwt<'_>) -> bool {
        let (message, signature) = (jwt.signed, &jwt.signature);
        let rsa = |n, e, parameters| {
            RsaPublicKeyComponents { n, e }.verify(parameters, message, signature)
        };
        match (jwt.algorithm, &self.material) {
            (Algorithm::Rs256, Material::Rsa { n, e }) => rsa(n, e, &RSA_PKCS1_2048_8192_SHA256),
            (Algorithm::Ps256, Material::Rsa { n, e }) => rsa(n, e, &RSA_PSS_2048_8192_SHA256),
            (Algorithm::Es256, Material::P256(point)) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            _ => return false,
        }
        .is_ok()
    }
}

/// A positive number, big-endian. Some issuers pad with zeros, which ring does not take.
fn number(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).map(<[u8]>::to_vec)
}

/// A coordinate of a point on P-256: 32 bytes, zeros included.
fn coordinate(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    (bytes.len() == 32).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// RFC 7515, appendix A.2.
    const RSA_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    const CLAIMS: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const RSA_SIGNATURE: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

    /// RFC 7515, appendix A.3.
    const EC_X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    const EC_Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
    const EC_SIGNATURE: &str =
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

    fn rsa() -> Value {
        json!({"kty": "RSA", "n": RSA_N, "e": "AQAB"})
    }

    fn ec() -> Value {
        json!({"kty": "EC", "crv": "P-256", "x": EC_X, "y": EC_Y})
    }

    fn with(mut key: Value, member: &str, value: &str) -> Value {
        key[member] = value.into();
        key
    }

    fn set(keys: &[Value]) -> KeySet {
        serde_json::from_value::<Document>(json!({ "keys": keys }))
            .unwrap()
            .into()
    }

    /// The example of the RFC, which has no audience and names no key.
    fn example(algorithm: Algorithm, key_id: Option<&str>, judge: impl Fn(&Jwt<'_>)) {
        let (header, signature) = match algorithm {
            Algorithm::Es256 => ("eyJhbGciOiJFUzI1NiJ9", EC_SIGNATURE),
            _ => ("eyJhbGciOiJSUzI1NiJ9", RSA_SIGNATURE),
        };
        let claims = json!({"iss": "joe", "aud": "", "exp": 1_300_819_380});
        judge(&Jwt {
            algorithm,
            key_id: key_id.map(str::to_owned),
            claims: serde_json::from_value(claims).unwrap(),
            signed: format!("{header}.{CLAIMS}").as_bytes(),
            signature: URL_SAFE_NO_PAD.decode(signature).unwrap(),
        });
    }

    #[test]
    fn the_examples_of_rfc_7515_are_verified() {
        let keys = set(&[rsa(), ec()]);
        for algorithm in [Algorithm::Rs256, Algorithm::Es256] {
            example(algorithm, None, |jwt| {
                assert_eq!(keys.judge(jwt), Verdict::Right, "{algorithm:?}");
            });
        }
        // The same signature for another algorithm of the same key.
        example(Algorithm::Ps256, None, |jwt| {
            assert_eq!(keys.judge(jwt), Verdict::Wrong);
        });
    }

    #[test]
    fn the_key_is_the_one_that_the_token_names_and_that_may_sign_so() {
        for (key, key_id, expected) in [
            (rsa(), None, Verdict::Right),
            (rsa(), Some("a"), Verdict::UnknownKey),
            (with(rsa(), "kid", "a"), Some("a"), Verdict::Right),
            (with(rsa(), "kid", "A"), Some("a"), Verdict::UnknownKey),
            (with(rsa(), "alg", "RS256"), None, Verdict::Right),
            (with(rsa(), "alg", "PS256"), None, Verdict::UnknownKey),
            (with(rsa(), "alg", "HS256"), None, Verdict::UnknownKey),
            (with(rsa(), "use", "sig"), None, Verdict::Right),
            (with(rsa(), "use", "enc"), None, Verdict::UnknownKey),
            (with(rsa(), "n", EC_X), None, Verdict::Wrong),
            (with(rsa(), "n", "="), None, Verdict::UnknownKey),
            (with(rsa(), "kty", "oct"), None, Verdict::UnknownKey),
            (ec(), None, Verdict::UnknownKey),
        ] {
            let keys = set(std::slice::from_ref(&key));
            example(Algorithm::Rs256, key_id, |jwt| {
                assert_eq!(keys.judge(jwt), expected, "{key} {key_id:?}");
            });
        }
    }

    #[test]
    fn a_token_that_names_no_key_is_not_tried_with_several() {
        let keys = set(&[with(rsa(), "kid", "a"), with(rsa(), "kid", "b")]);
        example(Algorithm::Rs256, None, |jwt| {
            assert_eq!(keys.judge(jwt), Verdict::UnknownKey);
        });
    }

    #[test]
    fn keys_of_other_kinds_do_no_harm() {
        let keys = set(&[
            json!({"kty": "OKP", "crv": "Ed25519", "x": EC_X}),
            json!({"kty": "EC", "crv": "secp256k1", "x": EC_X, "y": EC_Y}),
            json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": EC_Y}),
            json!({"kty": 1}),
            json!("key"),
            ec(),
        ]);
        assert_eq!(keys.0.len(), 1);
        example(Algorithm::Es256, None, |jwt| {
            assert_eq!(keys.judge(jwt), Verdict::Right);
        });
    }
}
