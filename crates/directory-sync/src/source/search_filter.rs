//! Search filters (RFC 4515): those of the configuration, and those made from names.

use std::borrow::Cow;
use std::collections::BTreeSet;

use ldap3::asn1::{ASNTag as _, PL, StructureTag};
use ldap3::{ldap_escape, parse_filter};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A filter that a server can be sent, in parentheses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SearchFilter(String);

impl SearchFilter {
    /// The filter's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The attributes that it asks for, each once.
    pub(super) fn attributes(&self) -> BTreeSet<String> {
        let mut attributes = BTreeSet::new();
        if let Ok(tag) = parse_filter(&self.0) {
            collect_attributes(tag.into_structure(), &mut attributes);
        }
        attributes
    }
}

/// Filter (RFC 4511, section 4.5.1.7).
fn collect_attributes(filter: StructureTag, attributes: &mut BTreeSet<String>) {
    let description = match (filter.id, filter.payload) {
        // and, or, not
        (0..=2, PL::C(terms)) => {
            for term in terms {
                collect_attributes(term, attributes);
            }
            return;
        }
        // present
        (7, PL::P(description)) => Some(description),
        // extensibleMatch: [2] type
        (9, PL::C(parts)) => parts
            .into_iter()
            .find(|part| part.id == 2)
            .and_then(primitive),
        // Assertions, which begin with the description.
        (_, PL::C(parts)) => parts.into_iter().next().and_then(primitive),
        (_, PL::P(_)) => None,
    };
    // Options are no part of the name.
    let description = description.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let name = description
        .as_deref()
        .and_then(|text| text.split(';').next());
    attributes.extend(name.filter(|name| !name.is_empty()).map(str::to_owned));
}

fn primitive(tag: StructureTag) -> Option<Vec<u8>> {
    match tag.payload {
        PL::P(bytes) => Some(bytes),
        PL::C(_) => None,
    }
}

/// Why a text is no [`SearchFilter`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no search filter (RFC 4515); write for example `(department=Support)` or \
     `(&(company=Acme)(!(title=Trainee)))`, without space between the parentheses"
)]
pub struct InvalidSearchFilter(String);

impl TryFrom<String> for SearchFilter {
    type Error = InvalidSearchFilter;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let trimmed = text.trim();
        let filter = if trimmed.starts_with('(') {
            trimmed.to_owned()
        } else {
            format!("({trimmed})")
        };
        match parse_filter(&filter) {
            Ok(_) => Ok(Self(filter)),
            Err(()) => Err(InvalidSearchFilter(text)),
        }
    }
}

impl From<SearchFilter> for String {
    fn from(filter: SearchFilter) -> Self {
        filter.0
    }
}

impl JsonSchema for SearchFilter {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SearchFilter".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1 })
    }
}

/// Entries of `class`, a filter, whose attribute equals one of the values, whatever these
/// contain.
pub(super) fn any_of<'a>(
    class: &str,
    attribute: &str,
    values: impl IntoIterator<Item = &'a str>,
) -> String {
    let mut filter = format!("(&{class}(|");
    for value in values {
        filter.push('(');
        filter.push_str(attribute);
        filter.push('=');
        filter.push_str(&ldap_escape(value));
        filter.push(')');
    }
    filter.push_str("))");
    filter
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_filter_without_parentheses_gets_them() {
        let filter = SearchFilter::try_from("department=Support".to_owned()).unwrap();
        assert_eq!(filter.as_str(), "(department=Support)");
    }

    #[test]
    fn what_a_server_could_not_take_is_refused() {
        for text in [
            "",
            "()",
            "(a=b",
            "(a=b))",
            "(&(a=b) (c=d))",
            "department",
            "(a=(b))",
        ] {
            assert!(SearchFilter::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_filter_names_its_attributes() {
        let text = "(&(a=b)(|(!(c=*))(d>=1)(e<=1)(f~=x)(g=x*y)(cn;lang-de=z))(memberOf:1.2.3:=cn=x)(:dn:2.4.6.8:=x)(A=b))";
        let filter = SearchFilter::try_from(text.to_owned()).unwrap();
        let found: Vec<String> = filter.attributes().into_iter().collect();
        assert_eq!(found, ["A", "a", "c", "cn", "d", "e", "f", "g", "memberOf"]);
    }

    /// The values of the equality matches of an [`any_of`], as a server reads them.
    fn values(filter: &str) -> Vec<Vec<u8>> {
        fn constructed(tag: StructureTag) -> Vec<StructureTag> {
            match tag.payload {
                PL::C(tags) => tags,
                PL::P(_) => panic!("not constructed"),
            }
        }
        let parsed = parse_filter(filter).unwrap().into_structure();
        let alternatives = constructed(parsed).pop().unwrap();
        constructed(alternatives)
            .into_iter()
            .map(
                |equality| match constructed(equality).pop().unwrap().payload {
                    PL::P(value) => value,
                    PL::C(_) => panic!("not a value"),
                },
            )
            .collect()
    }

    proptest! {
        #[test]
        fn no_value_can_change_what_a_filter_asks(
            texts in prop::collection::vec("\\PC*|[()*\\\\\\x00&|!=]{0,8}", 1..5)
        ) {
            let filter = any_of("(objectClass=group)", "cn", texts.iter().map(String::as_str));
            let expected: Vec<Vec<u8>> =
                texts.iter().map(|text| text.clone().into_bytes()).collect();
            prop_assert_eq!(values(&filter), expected);
        }
    }
}
