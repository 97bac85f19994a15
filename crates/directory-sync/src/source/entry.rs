//! An entry of a search result, as it came over the wire.

use ldap3::asn1::{PL, StructureTag};

/// An entry. Values are bytes, whose meaning depends on the attribute.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) distinguished_name: String,
    pub(super) attributes: Vec<Attribute>,
}

/// An attribute, or a range of its values.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Attribute {
    /// In lower case. Options other than the range remain part of it, as in `cn;lang-de`.
    pub(super) name: String,
    /// Which of the values these are, where the server gives no more at a time.
    pub(super) range: Option<ValueRange>,
    pub(super) values: Vec<Vec<u8>>,
}

/// `range=0-1499`, or `range=1500-*` when there are no further values (MS-ADTS, section
/// 3.1.1.3.1.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ValueRange {
    pub(super) first: u64,
    /// `None`: the values after `first` are all there are.
    pub(super) last: Option<u64>,
}

impl Entry {
    /// Takes apart a SearchResultEntry (RFC 4511, section 4.5.2). `None`: it is not one.
    pub(super) fn parse(tag: StructureTag) -> Option<Self> {
        let mut parts = constructed(tag)?.into_iter();
        let distinguished_name = text(parts.next()?)?;
        let attributes = constructed(parts.next()?)?
            .into_iter()
            .map(Attribute::parse)
            .collect::<Option<_>>()?;
        Some(Self {
            distinguished_name,
            attributes,
        })
    }

    /// All values of an attribute, by its name in lower case.
    pub(super) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.attributes
            .iter()
            .filter(move |attribute| attribute.name == name)
            .flat_map(|attribute| attribute.values.iter().map(Vec::as_slice))
    }

    /// The first value of an attribute, where it is text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        let found = attributes.find(|attribute| attribute.name == name)?;
        std::str::from_utf8(found.values.first()?).ok()
    }

    /// Whether it is of an object class, in lower case.
    pub(super) fn is_of_class(&self, class: &str) -> bool {
        self.values("objectclass")
            .any(|value| value.eq_ignore_ascii_case(class.as_bytes()))
    }
}

impl Attribute {
    fn parse(tag: StructureTag) -> Option<Self> {
        let mut parts = constructed(tag)?.into_iter();
        let (name, range) = split_range(text(parts.next()?)?);
        let values = constructed(parts.next()?)?
            .into_iter()
            .map(primitive)
            .collect::<Option<_>>()?;
        Some(Self {
            name,
            range,
            values,
        })
    }
}

/// `member;range=0-1499` is values 0 to 1499 of `member`.
fn split_range(mut description: String) -> (String, Option<ValueRange>) {
    // Names are ASCII (RFC 4512, section 2.5).
    description.make_ascii_lowercase();
    let mut range = None;
    if !description.contains(";range=") {
        return (description, range);
    }
    let name: Vec<&str> = description
        .split(';')
        .filter(
            |option| match option.strip_prefix("range=").and_then(value_range) {
                Some(found) => {
                    range = Some(found);
                    false
                }
                None => true,
            },
        )
        .collect();
    (name.join(";"), range)
}

fn value_range(text: &str) -> Option<ValueRange> {
    let (first, last) = text.split_once('-')?;
    let last = match last {
        "*" => None,
        last => Some(last.parse().ok()?),
    };
    Some(ValueRange {
        first: first.parse().ok()?,
        last,
    })
}

fn constructed(tag: StructureTag) -> Option<Vec<StructureTag>> {
    match tag.payload {
        PL::C(tags) => Some(tags),
        PL::P(_) => None,
    }
}

fn primitive(tag: StructureTag) -> Option<Vec<u8>> {
    match tag.payload {
        PL::P(bytes) => Some(bytes),
        PL::C(_) => None,
    }
}

fn text(tag: StructureTag) -> Option<String> {
    String::from_utf8(primitive(tag)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_differs_from_other_options() {
        let range = |first, last| Some(ValueRange { first, last });
        let cases = [
            ("member", "member", None),
            ("member;range=0-1499", "member", range(0, Some(1499))),
            ("member;range=1500-*", "member", range(1500, None)),
            ("cn;lang-de", "cn;lang-de", None),
            ("Member;Range=0-*", "member", range(0, None)),
            ("member;range=x-*", "member;range=x-*", None),
        ];
        for (description, name, expected) in cases {
            let found = split_range(description.to_owned());
            assert_eq!(found, (name.to_owned(), expected));
        }
    }

    #[test]
    fn an_entry_has_its_name_and_the_values_of_its_attributes() {
        let tag = |payload| StructureTag {
            class: ldap3::asn1::TagClass::Universal,
            id: 4,
            payload,
        };
        let text = |text: &str| tag(PL::P(text.as_bytes().to_vec()));
        let attribute = |name: &str, values: &[&str]| {
            let values = values.iter().map(|value| text(value)).collect();
            tag(PL::C(vec![text(name), tag(PL::C(values))]))
        };
        let attributes = vec![
            attribute("objectClass", &["top", "Person"]),
            attribute("member;range=0-1", &["cn=a", "cn=b"]),
            attribute("description", &[]),
        ];
        let entry = Entry::parse(tag(PL::C(vec![text("cn=Ann"), tag(PL::C(attributes))])));
        let entry = entry.unwrap();
        assert_eq!(entry.distinguished_name, "cn=Ann");
        assert_eq!(entry.text("objectclass"), Some("top"));
        assert!(entry.is_of_class("PERSON") && !entry.is_of_class("group"));
        let members: Vec<_> = entry.values("member").collect();
        assert_eq!(members, [b"cn=a", b"cn=b"]);
        let last = entry.attributes[1].range.and_then(|range| range.last);
        assert_eq!(last, Some(1));
        assert_eq!(entry.text("description"), None);
        assert_eq!(entry.text("mail"), None);
    }

    #[test]
    fn an_invalid_entry_is_refused() {
        let primitive = StructureTag {
            class: ldap3::asn1::TagClass::Application,
            id: 4,
            payload: PL::P(vec![1]),
        };
        let empty = StructureTag {
            payload: PL::C(vec![]),
            ..primitive.clone()
        };
        let nested = StructureTag {
            payload: PL::C(vec![primitive.clone(), primitive.clone()]),
            ..primitive.clone()
        };
        for tag in [primitive, empty, nested] {
            assert!(Entry::parse(tag).is_none());
        }
    }
}
