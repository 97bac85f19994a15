//! Entity tags (RFC 7644 section 3.14, RFC 9110 sections 8.8.3 and 13.1).
//!
//! SCIM versions are weak tags and stand in `meta.version` as they stand in the `ETag`
//! header, `W/"…"`. All comparisons here are weak ones: several identity providers send
//! the version back without its `W/`.

use crate::error::ScimError;

/// A weak entity tag of an opaque version, fit for `meta.version`. Characters that a tag
/// cannot hold are left out.
#[must_use]
pub fn weak(version: &str) -> String {
    let opaque: String = version
        .chars()
        .filter(|next| next.is_ascii_graphic() && *next != '"')
        .collect();
    format!("W/\"{opaque}\"")
}

/// A weak entity tag of everything that a resource consists of, for stores that count no
/// versions: another list of texts has another tag.
#[must_use]
pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    weak(&format!("{:016x}", fnv1a(parts)))
}

/// FNV-1a of some texts: the same in all builds and on all machines. No proof of anything:
/// who wants to can make two lists of one hash.
pub(crate) fn fnv1a<'a>(parts: impl IntoIterator<Item = &'a str>) -> u64 {
    // A byte that no text has ends each.
    let bytes = parts
        .into_iter()
        .flat_map(|part| part.bytes().chain([0xff]));
    fnv1a_bytes(bytes)
}

fn fnv1a_bytes(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The tags of one condition.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    /// `*`: whatever is there.
    Any,
    /// One of these, without `W/` and quotation marks.
    Listed(Vec<String>),
}

impl Tags {
    fn parse(header: &str) -> Self {
        if header.trim() == "*" {
            return Self::Any;
        }
        Self::Listed(
            header
                .split(',')
                .map(|tag| opaque(tag).to_owned())
                .collect(),
        )
    }

    fn matches(&self, current: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(tags) => tags.iter().any(|tag| tag == opaque(current)),
        }
    }
}

fn opaque(tag: &str) -> &str {
    let tag = tag.trim();
    tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"')
}

/// The conditions that a client attaches to a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preconditions {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
}

impl Preconditions {
    /// Reads the values of `If-Match` and `If-None-Match`.
    #[must_use]
    pub fn new(if_match: Option<&str>, if_none_match: Option<&str>) -> Self {
        Self {
            if_match: if_match.map(Tags::parse),
            if_none_match: if_none_match.map(Tags::parse),
        }
    }

    /// Whether there are none: a store may then skip reading the version.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.if_match.is_none() && self.if_none_match.is_none()
    }

    /// Checks the conditions of a write against the version of the resource, which must
    /// exist.
    ///
    /// # Errors
    ///
    /// 412 if the resource is not the one that the client has seen.
    pub fn check_write(&self, version: &str) -> Result<(), ScimError> {
        let matched = self
            .if_match
            .as_ref()
            .is_none_or(|tags| tags.matches(version));
        let refused = self
            .if_none_match
            .as_ref()
            .is_some_and(|tags| tags.matches(version));
        if matched && !refused {
            Ok(())
        } else {
            Err(ScimError::precondition_failed())
        }
    }

    /// Whether a read answers 304: the client has this version already.
    ///
    /// # Errors
    ///
    /// 412 if `If-Match` asks for another version.
    pub fn check_read(&self, version: &str) -> Result<bool, ScimError> {
        if self
            .if_match
            .as_ref()
            .is_some_and(|tags| !tags.matches(version))
        {
            return Err(ScimError::precondition_failed());
        }
        Ok(self
            .if_none_match
            .as_ref()
            .is_some_and(|tags| tags.matches(version)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_other_parts_have_other_tags() {
        assert_eq!(of_parts([]), "W/\"cbf29ce484222325\"");
        assert_eq!(of_parts(["a", "b"]), of_parts(["a", "b"]));
        // The published values of FNV-1a (64 bits), before the byte that ends a part.
        assert_eq!(fnv1a_bytes(*b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a_bytes(*b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a_bytes(*b"foobar"), 0x8594_4171_f739_67e8);
        let tags = [
            of_parts(["ab"]),
            of_parts(["a", "b"]),
            of_parts(["b", "a"]),
            of_parts(["ab", ""]),
        ];
        for (position, tag) in tags.iter().enumerate() {
            assert!(!tags[..position].contains(tag), "{tag}");
        }
    }
}
