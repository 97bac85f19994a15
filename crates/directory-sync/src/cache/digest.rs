//! SHA-256 digests of the input of a run.

use std::fmt;
use std::hash::{Hash, Hasher};

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use crate::configuration::Configuration;
use crate::mapping::Desired;

/// A SHA-256 digest, as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Digest([u8; 32]);

impl Digest {
    /// The digest of the configuration and of the program version.
    pub(super) fn of_configuration(configuration: &Configuration) -> Self {
        let mut hasher = Sha256Hasher::new();
        env!("CARGO_PKG_VERSION").hash(&mut hasher);
        // Serializing plain data with string keys cannot fail.
        let json = serde_json::to_string(configuration).unwrap_or_default();
        json.hash(&mut hasher);
        hasher.digest()
    }

    /// The digest of all input of the planner. Rust may hash a value differently after a change of
    /// the compiler; the digest differs then, and both sides are compared.
    pub(crate) fn of_desired(desired: &Desired) -> Self {
        let mut hasher = Sha256Hasher::new();
        desired.hash(&mut hasher);
        hasher.digest()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&String::from(*self))
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl TryFrom<String> for Digest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err("a digest has 64 hexadecimal digits");
        }
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16)
                .map_err(|_| "a digest has 64 hexadecimal digits")?;
        }
        Ok(Self(bytes))
    }
}

/// `derive(Hash)` includes lengths and variants, so that different values produce different bytes.
struct Sha256Hasher(Context);

impl Sha256Hasher {
    fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    fn digest(self) -> Digest {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.0.finish().as_ref());
        Digest(bytes)
    }
}

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Not used: 64 bits do not exclude collisions.
    fn finish(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{EntryId, Kind};

    #[test]
    fn whatever_the_planner_looks_at_is_in_the_digest() {
        let entry = EntryId("1".to_owned());
        let base = Desired::default();
        let mut digests = vec![Digest::of_desired(&base)];
        let with = |change: &dyn Fn(&mut Desired)| {
            let mut desired = base.clone();
            change(&mut desired);
            Digest::of_desired(&desired)
        };
        digests.push(with(&|desired| desired.unidentified = [Kind::User].into()));
        digests.push(with(&|desired| {
            desired.unusable.insert(entry.clone());
        }));
        for (active, member) in [(true, false), (false, false), (true, true)] {
            digests.push(with(&|desired| {
                let user = crate::mapping::DesiredUser {
                    active,
                    ..Default::default()
                };
                desired.users.insert(entry.clone(), user);
                let group = crate::mapping::DesiredGroup {
                    members: member.then(|| entry.clone()).into_iter().collect(),
                    ..Default::default()
                };
                desired.groups.insert(entry.clone(), group);
            }));
        }
        for (at, digest) in digests.iter().enumerate() {
            assert!(!digests[..at].contains(digest), "{at}");
        }
        assert_eq!(Digest::of_desired(&base), digests[0]);
    }

    #[test]
    fn a_digest_is_read_as_it_is_written() {
        let digest = Digest::of_desired(&Desired::default());
        let text = String::from(digest);
        assert_eq!(format!("{digest:?}"), text);
        assert_eq!(Digest::try_from(text).unwrap(), digest);
        for wrong in ["", "0", &"g".repeat(64), &"é".repeat(32)] {
            assert!(Digest::try_from(wrong.to_owned()).is_err());
        }
    }
}
