//! Distinguished names (RFC 4514), compared without the server as far as all servers agree.
//!
//! A server need not write a name the same way twice: the members of a group may differ from
//! the entries they name in case, in spaces around separators and in how a comma is escaped.
//! Names with the same [`NameKey`] are equal. Names with different keys may still be: the case of
//! letters outside of ASCII, Unicode forms, spaces within a value and the other names of an
//! attribute type (RFC 4518, RFC 4512) are for the server to compare, as Active Directory keeps
//! apart what OpenLDAP holds equal. A name that leads to no entry is therefore looked up.

use std::borrow::Cow;
use std::fmt;

use ldap3::dn_escape;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The name of an entry, such as `OU=Staff,DC=corp,DC=example,DC=com`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DistinguishedName {
    text: String,
    key: NameKey,
}

impl DistinguishedName {
    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn key(&self) -> &NameKey {
        &self.key
    }
}

impl PartialEq for DistinguishedName {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for DistinguishedName {}

impl fmt::Display for DistinguishedName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// Why a text is no [`DistinguishedName`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no distinguished name (RFC 4514); write for example \
     `OU=Staff,DC=corp,DC=example,DC=com`"
)]
pub struct InvalidDistinguishedName(String);

impl TryFrom<String> for DistinguishedName {
    type Error = InvalidDistinguishedName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match canonical(&text) {
            Some(key) if !key.is_empty() => Ok(Self {
                key: NameKey(key),
                text,
            }),
            _ => Err(InvalidDistinguishedName(text)),
        }
    }
}

impl From<DistinguishedName> for String {
    fn from(name: DistinguishedName) -> Self {
        name.text
    }
}

impl JsonSchema for DistinguishedName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "DistinguishedName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "=" })
    }
}

/// What two spellings of the same name have in common, if every server holds them equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NameKey(String);

impl NameKey {
    /// The key of a name as a server gives it. One that RFC 4514 does not allow equals only
    /// itself.
    pub(crate) fn of(name: &str) -> Self {
        if is_plain(name) {
            return Self(name.to_ascii_lowercase());
        }
        Self(canonical(name).unwrap_or_else(|| name.to_owned()))
    }

    /// Whether the entry is the other one, or below it.
    pub(super) fn is_within(&self, base: &Self) -> bool {
        self.0
            .strip_suffix(base.0.as_str())
            .is_some_and(|rest| rest.is_empty() || base.0.is_empty() || rest.ends_with(','))
    }

    /// How many characters it has: the longer of two bases of an entry is the nearer one.
    pub(super) fn length(&self) -> usize {
        self.0.len()
    }

    /// Whether it represents an account of another domain, of which this domain has the security
    /// identifier only (MS-ADTS, section 6.1.1.4.10).
    pub(super) fn is_foreign_security_principal(&self) -> bool {
        self.0.contains(",cn=foreignsecurityprincipals,")
    }
}

/// Whether only the case of it varies, as is true of nearly all names that servers write: it
/// has one spelling but for that.
fn is_plain(name: &str) -> bool {
    name.split(',').all(|part| {
        let Some((attribute, value)) = part.split_once('=') else {
            return false;
        };
        let of_a_value =
            |byte: u8| byte.is_ascii_alphanumeric() || byte >= 0x80 || b"-._@ ".contains(&byte);
        !attribute.is_empty()
            && attribute.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && value.bytes().all(of_a_value)
            && !value.starts_with(' ')
            && !value.ends_with(' ')
    })
}

/// Case folded, spaces around separators left out, values escaped in one way only. `None`:
/// RFC 4514 does not allow it.
fn canonical(name: &str) -> Option<String> {
    let mut key = String::with_capacity(name.len());
    if name.trim().is_empty() {
        return Some(key);
    }
    for relative_name in split(name, b',') {
        let mut parts = split(relative_name, b'+')
            .map(canonical_part)
            .collect::<Option<Vec<_>>>()?;
        // Their order does not count.
        parts.sort();
        if !key.is_empty() {
            key.push(',');
        }
        key.push_str(&parts.join("+"));
    }
    Some(key)
}

/// `type=value`
fn canonical_part(part: &str) -> Option<String> {
    let (attribute, value) = part.split_once('=')?;
    let attribute = attribute_type(attribute)?;
    let value = unescaped(trimmed(value))?.to_ascii_lowercase();
    let mut part = attribute.to_ascii_lowercase();
    part.push('=');
    part.push_str(&dn_escape(value));
    Some(part)
}

fn attribute_type(text: &str) -> Option<&str> {
    let text = text.trim();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    (!text.is_empty() && text.bytes().all(allowed)).then_some(text)
}

/// The attributes and values of the relative name of an entry, such as `cn` in lower case and
/// `Ada Lovelace`. Empty if RFC 4514 does not allow the name.
pub(super) fn naming_values(name: &str) -> Vec<(String, String)> {
    let relative_name = split(name, b',').next().unwrap_or_default();
    split(relative_name, b'+')
        .map(|part| {
            let (attribute, value) = part.split_once('=')?;
            let attribute = attribute_type(attribute)?;
            Some((
                attribute.to_lowercase(),
                unescaped(trimmed(value))?.into_owned(),
            ))
        })
        .collect::<Option<_>>()
        .unwrap_or_default()
}

/// The name of the entry above; `None` for one at the top.
pub(super) fn parent(name: &str) -> Option<&str> {
    let relative_name = split(name, b',').next()?;
    name.get(relative_name.len() + 1..)
}

/// The parts between separators that are not escaped.
fn split(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut is_escaped = false;
        let end = text.bytes().position(|byte| {
            let ends = byte == separator && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            ends
        });
        match end {
            Some(end) => {
                rest = Some(&text[end + 1..]);
                Some(&text[..end])
            }
            None => rest.take(),
        }
    })
}

/// Without the spaces around it; an escaped one at the end belongs to the value.
fn trimmed(value: &str) -> &str {
    let value = value.trim_start_matches(' ');
    let end = value.trim_end_matches(' ');
    let backslashes = end.bytes().rev().take_while(|byte| *byte == b'\\').count();
    if backslashes % 2 == 1 && end.len() < value.len() {
        &value[..=end.len()]
    } else {
        end
    }
}

/// `\,` and `\2C` are both a comma. `None`: it ends within an escape, or is not UTF-8 after all.
fn unescaped(value: &str) -> Option<Cow<'_, str>> {
    if !value.contains('\\') {
        return Some(Cow::Borrowed(value));
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let digit = |at: usize| Some(char::from(*after.get(at)?).to_digit(16)? as u8);
        if let (Some(high), Some(low)) = (digit(0), digit(1)) {
            bytes.push(high << 4 | low);
            rest = &after[2..];
        } else {
            let (&escaped, after) = after.split_first()?;
            bytes.push(escaped);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_one_name_have_one_key() {
        let cases = [
            ("CN=Alice,DC=Example", "cn=alice,dc=example"),
            ("CN=Alice , DC=Example", "cn=alice,dc=example"),
            ("CN= Alice,DC= x", "cn=alice,dc=x"),
            ("CN=Alice ,DC=x ", "cn=alice,dc=x"),
            ("CN=Smith\\, Alice,DC=x", "cn=smith\\2c alice,dc=x"),
            ("CN=\\C3\\84rger,DC=x", "CN=Ärger,DC=x"),
            ("CN=a+UID=b,DC=x", "uid=B + cn=A,DC=x"),
            ("CN=a\\ ,DC=x", "CN=a\\20,DC=x"),
            ("CN=a\\\\ ,DC=x", "CN=a\\5c,DC=x"),
        ];
        for (one, other) in cases {
            assert_eq!(NameKey::of(one), NameKey::of(other), "{one} {other}");
            let name = DistinguishedName::try_from(one.to_owned()).unwrap();
            assert_eq!(name.to_string(), one);
        }
    }

    #[test]
    fn different_names_have_different_keys() {
        let cases = [
            ("CN=a,DC=x", "CN=a\\,DC\\=x"),
            ("CN=a b,DC=x", "CN=a  b,DC=x"),
            ("CN=a\\ ,DC=x", "CN=a,DC=x"),
            ("CN=a,CN=b", "CN=b,CN=a"),
        ];
        for (one, other) in cases {
            assert_ne!(NameKey::of(one), NameKey::of(other), "{one} {other}");
        }
    }

    #[test]
    fn an_escaped_comma_does_not_put_an_entry_below_a_base() {
        let base = NameKey::of("OU=Staff,DC=x");
        for (name, expected) in [
            ("CN=a,ou=staff,dc=X", true),
            ("OU=Staff,DC=x", true),
            ("CN=a\\,OU=Staff,DC=x", false),
            ("OU=OtherStaff,DC=x", false),
            ("CN=a,DC=x", false),
        ] {
            assert_eq!(NameKey::of(name).is_within(&base), expected, "{name}");
        }
    }

    #[test]
    fn a_relative_name_has_attributes_and_values() {
        let cases: [(&str, &[(&str, &str)]); 5] = [
            ("CN=Ada Lovelace,DC=x", &[("cn", "Ada Lovelace")]),
            (
                "uid=ada+Cn=Lovelace\\, Ada,DC=x",
                &[("uid", "ada"), ("cn", "Lovelace, Ada")],
            ),
            ("CN=\\C3\\84rger,DC=x", &[("cn", "Ärger")]),
            ("no name", &[]),
            ("a)(b=c,DC=x", &[]),
        ];
        for (name, expected) in cases {
            assert_eq!(parent(name), name.contains(',').then_some("DC=x"), "{name}");
            let found = naming_values(name);
            let found: Vec<_> = found.iter().map(|(a, v)| (&**a, &**v)).collect();
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn an_invalid_name_is_refused() {
        for text in [
            "",
            "corp.example.com",
            "DC=a,,DC=b",
            "=a",
            "DC=a\\",
            "CN=a,b",
        ] {
            let refused = DistinguishedName::try_from(text.to_owned());
            assert!(refused.is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_escaped_value_is_one_value_whatever_it_contains(value in "\\PC{1,20}|[ ,+\"\\\\<>;=#]{1,8}") {
            let name = format!("CN={},DC=x", dn_escape(value.as_str()));
            let key = NameKey::of(&name);
            prop_assert!(key.is_within(&NameKey::of("DC=x")));
            prop_assert_eq!(split(&key.0, b',').count(), 2);
            let first = split(&key.0, b',').next().unwrap();
            let read = unescaped(first.strip_prefix("cn=").unwrap()).unwrap().into_owned();
            prop_assert_eq!(read, value.to_ascii_lowercase());
        }

        #[test]
        fn a_plain_name_has_the_key_that_any_name_would_have(
            name in "([A-Za-z]{1,2}=[A-Za-z0-9 @._äÄ北,=+\\\\-]{0,6},?){1,3}"
        ) {
            if is_plain(&name) {
                prop_assert_eq!(Some(NameKey::of(&name).0), canonical(&name));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*") {
            let key = NameKey::of(&text);
            prop_assert!(key.is_within(&key));
        }
    }
}
