//! Which names mean the same attribute.
//!
//! An attribute has an object identifier and any number of short names, all equal and compared
//! without regard to case (RFC 4512, section 2.5): a server returns `sn` when it is asked for
//! `surname`. The server's subschema lists them (RFC 4512, section 4.4). Where it cannot be read,
//! the names of the standard attributes are known.

use std::collections::{BTreeSet, HashMap};
use std::iter;

use ldap3::Scope as SearchScope;

use super::configuration::{Configuration, Flavor};
use super::connection::{Connection, Search};
use super::entry::{Attribute, Entry};
use super::{Error, RequestedAttributes};

/// Attributes with several names (RFC 4519, section 2; RFC 4524, section 2), and those that
/// OpenLDAP adds.
const STANDARD: [&[&str]; 19] = [
    &["cn", "commonName", "2.5.4.3"],
    &["sn", "surname", "2.5.4.4"],
    &["c", "countryName", "2.5.4.6"],
    &["l", "localityName", "2.5.4.7"],
    &["st", "stateOrProvinceName", "2.5.4.8"],
    &["street", "streetAddress", "2.5.4.9"],
    &["o", "organizationName", "2.5.4.10"],
    &["ou", "organizationalUnitName", "2.5.4.11"],
    &["facsimileTelephoneNumber", "fax", "2.5.4.23"],
    &["givenName", "gn", "2.5.4.42"],
    &["uid", "userid", "0.9.2342.19200300.100.1.1"],
    &["mail", "rfc822Mailbox", "0.9.2342.19200300.100.1.3"],
    &["drink", "favouriteDrink", "0.9.2342.19200300.100.1.5"],
    &[
        "homePhone",
        "homeTelephoneNumber",
        "0.9.2342.19200300.100.1.20",
    ],
    &["dc", "domainComponent", "0.9.2342.19200300.100.1.25"],
    &[
        "mobile",
        "mobileTelephoneNumber",
        "0.9.2342.19200300.100.1.41",
    ],
    &[
        "pager",
        "pagerTelephoneNumber",
        "0.9.2342.19200300.100.1.42",
    ],
    &["co", "friendlyCountryName", "0.9.2342.19200300.100.1.43"],
    &[
        "email",
        "emailAddress",
        "pkcs9email",
        "1.2.840.113549.1.9.1",
    ],
];

/// The attributes that a server knows.
pub(super) struct Schema {
    /// The names of each attribute, the one that the server returns first.
    types: Vec<Vec<String>>,
    /// The index into `types` by name, in lower case.
    by_name: HashMap<String, usize>,
    /// Whether an attribute that is not here does not exist.
    is_whole: bool,
}

impl Schema {
    fn new(types: Vec<Vec<String>>, is_whole: bool) -> Self {
        let by_name = types
            .iter()
            .enumerate()
            .flat_map(|(index, names)| names.iter().map(move |name| (name.to_lowercase(), index)))
            .collect();
        Self {
            types,
            by_name,
            is_whole,
        }
    }

    /// The standard attributes. In Active Directory, `streetAddress` is an attribute of its own,
    /// and others have one name each.
    pub(super) fn standard(flavor: Flavor) -> Self {
        let types = match flavor {
            Flavor::ActiveDirectory => Vec::new(),
            Flavor::OpenLdap => STANDARD
                .iter()
                .map(|names| names.iter().map(|name| (*name).to_owned()).collect())
                .collect(),
        };
        Self::new(types, false)
    }

    /// Reads the subschema, if the configuration has names that it may resolve, and checks them.
    ///
    /// # Errors
    /// The configuration names an attribute that the server does not have, or the connection was
    /// lost.
    pub(super) async fn read(
        configuration: &Configuration,
        requested: &RequestedAttributes,
        connection: &mut Connection,
    ) -> Result<Self, Error> {
        let named = named(configuration, requested);
        if named.is_empty() {
            return Ok(Self::standard(configuration.flavor));
        }
        let Some(types) = attribute_types(connection).await? else {
            tracing::warn!(
                "the schema of the directory cannot be read; attributes have standard names only"
            );
            return Ok(Self::standard(configuration.flavor));
        };
        let schema = Self::new(types, true);
        for (name, key) in named {
            schema.check(&name, &key)?;
        }
        Ok(schema)
    }

    /// # Errors
    /// The server has no such attribute.
    fn check(&self, name: &str, key: &str) -> Result<(), Error> {
        if !self.is_whole || self.index(name).is_some() {
            return Ok(());
        }
        let names = self.types.iter().flatten();
        let nearest = names
            .map(|known| {
                (
                    strsim::jaro_winkler(&known.to_lowercase(), &name.to_lowercase()),
                    known,
                )
            })
            .max_by(|(a, _), (b, _)| a.total_cmp(b));
        Err(Error::UnknownAttribute {
            key: key.to_owned(),
            name: name.to_owned(),
            nearest: nearest
                .filter(|(similarity, _)| *similarity > 0.8)
                .map(|(_, known)| known.clone()),
        })
    }

    /// Options, such as `lang-de` of `cn;lang-de`, are no part of the name.
    fn index(&self, name: &str) -> Option<usize> {
        let name = name.to_lowercase();
        let index = |name: &str| self.by_name.get(name).copied();
        index(&name).or_else(|| {
            // Active Directory has attributes of the standard under one name only.
            let standard = STANDARD
                .iter()
                .find(|names| names.iter().any(|known| known.eq_ignore_ascii_case(&name)))?;
            standard
                .iter()
                .find_map(|known| index(&known.to_lowercase()))
        })
    }

    /// The name to ask the server for.
    pub(super) fn canonical<'a>(&'a self, name: &'a str) -> &'a str {
        let names = self.index(name).map(|index| &self.types[index]);
        names
            .and_then(|names| names.first())
            .map_or(name, String::as_str)
    }

    /// Finds the attributes that `wanted` names in what the server returns.
    pub(super) fn names<'a>(&self, wanted: impl IntoIterator<Item = &'a str>) -> Names {
        let mut by_returned: HashMap<String, BTreeSet<String>> = HashMap::new();
        for name in wanted {
            let others = self.index(name).map(|index| &self.types[index]);
            let lower = name.to_lowercase();
            let others = others.into_iter().flatten().map(|name| name.to_lowercase());
            for returned in others.chain(iter::once(lower.clone())) {
                by_returned
                    .entry(returned)
                    .or_default()
                    .insert(lower.clone());
            }
        }
        by_returned.retain(|returned, wanted| !wanted.iter().eq([returned]));
        Names(by_returned)
    }
}

/// The names of the configuration file and of its filters, with the keys that have them.
fn named(
    configuration: &Configuration,
    requested: &RequestedAttributes,
) -> BTreeSet<(String, String)> {
    let users = &configuration.users;
    let conditions = [
        ("source.users.activeWhen", &users.active_when),
        ("source.users.inactiveWhen", &users.inactive_when),
    ];
    let of_conditions = conditions.into_iter().filter_map(|(key, condition)| {
        let name = condition.as_ref()?.attribute.clone();
        Some((name, key.to_owned()))
    });
    let of_filters = users.searches.iter().flat_map(|search| {
        let names = search.filter.iter().flat_map(|filter| filter.attributes());
        names.map(|name| (name, "source.users.searches".to_owned()))
    });
    let of_mapping = requested.named.iter();
    of_mapping
        .map(|(name, key)| (name.clone(), key.clone()))
        .chain(of_conditions)
        .chain(of_filters)
        .collect()
}

/// The attribute types of the subschema that the root DSE names (RFC 4512, section 5.1). `None`:
/// the account may not read them.
async fn attribute_types(connection: &mut Connection) -> Result<Option<Vec<Vec<String>>>, Error> {
    let mut subschema = None;
    let root = Search {
        base: "",
        scope: SearchScope::Base,
        filter: "(objectClass=*)",
        attributes: &["subschemaSubentry".to_owned()],
    };
    connection
        .search(&root, |entry| {
            subschema = entry.text("subschemasubentry").map(str::to_owned);
        })
        .await?;
    let Some(subschema) = subschema else {
        return Ok(None);
    };
    let mut types = Vec::new();
    let search = Search {
        base: &subschema,
        scope: SearchScope::Base,
        filter: "(objectClass=*)",
        attributes: &["attributeTypes".to_owned()],
    };
    let found = connection
        .search(&search, |entry| {
            let descriptions = entry.values("attributetypes");
            types.extend(descriptions.filter_map(|text| names(std::str::from_utf8(text).ok()?)));
        })
        .await;
    match found {
        Ok(()) => Ok((!types.is_empty()).then_some(types)),
        Err(Error::Search { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The short names and the object identifier of an attribute type description (RFC 4512, section
/// 4.1.2), such as `( 2.5.4.4 NAME ( 'sn' 'surname' ) SUP name )`.
fn names(description: &str) -> Option<Vec<String>> {
    let text = description.trim().strip_prefix('(')?.trim_start();
    let (identifier, rest) = text.split_once(char::is_whitespace)?;
    let mut names = Vec::new();
    let rest = rest.trim_start();
    if let Some(named) = rest.strip_prefix("NAME").map(str::trim_start) {
        let list = match named.strip_prefix('(') {
            Some(list) => list.split_once(')')?.0,
            None => &named[..named.strip_prefix('\'')?.find('\'')? + 2],
        };
        let quoted = list.split('\'').skip(1).step_by(2);
        names.extend(quoted.map(str::to_owned));
    }
    names.push(identifier.to_owned());
    Some(names)
}

/// Gives attributes the names by which they were asked for.
#[derive(Default)]
pub(super) struct Names(HashMap<String, BTreeSet<String>>);

impl Names {
    /// The names by which an attribute was asked for, all in lower case.
    pub(super) fn of<'a>(&'a self, returned: &'a str) -> impl Iterator<Item = &'a str> {
        let wanted = self.0.get(returned);
        let itself = wanted.is_none().then_some(returned);
        wanted
            .into_iter()
            .flatten()
            .map(String::as_str)
            .chain(itself)
    }

    /// Renames the attributes of an entry; one that was asked for by several names is there under
    /// each.
    pub(super) fn apply(&self, entry: &mut Entry) {
        let mut copies = Vec::new();
        for attribute in &mut entry.attributes {
            let Some(wanted) = self.0.get(&attribute.name) else {
                continue;
            };
            let mut wanted = wanted.iter();
            let Some(first) = wanted.next() else {
                continue;
            };
            copies.extend(wanted.map(|name| Attribute {
                name: name.clone(),
                ..attribute.clone()
            }));
            attribute.name.clone_from(first);
        }
        entry.attributes.extend(copies);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_type_has_all_its_names_and_its_identifier() {
        let cases: [(&str, &[&str]); 5] = [
            (
                "( 2.5.4.4 NAME ( 'sn' 'surname' ) DESC 'RFC2256: last (family) name' SUP name )",
                &["sn", "surname", "2.5.4.4"],
            ),
            ("( 2.5.4.12 NAME 'title' SUP name )", &["title", "2.5.4.12"]),
            (
                "(1.2.840.113556.1.4.1 NAME ('a''b')SYNTAX '1.3')",
                &["a", "b", "1.2.840.113556.1.4.1"],
            ),
            ("( 1.2.3 DESC 'NAME' )", &["1.2.3"]),
            ("(  1.2.3   NAME   'x'   )", &["x", "1.2.3"]),
        ];
        for (description, expected) in cases {
            assert_eq!(names(description).unwrap(), expected, "{description}");
        }
        for description in ["", "(", "( 1.2.3 NAME 'x", "( 1.2.3 NAME ( 'x'"] {
            assert_eq!(names(description), None, "{description}");
        }
    }

    fn schema() -> Schema {
        let types = [
            &["sn", "surname", "2.5.4.4"][..],
            &["givenName", "gn", "2.5.4.42"],
            &["mail", "0.9.2342.19200300.100.1.3"],
        ];
        let types = types.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        Schema::new(types.into(), true)
    }

    #[test]
    fn a_name_that_the_server_does_not_have_is_refused_with_the_nearest() {
        let schema = schema();
        for name in ["SN", "surname", "2.5.4.4", "rfc822Mailbox"] {
            assert!(schema.check(name, "key").is_ok(), "{name}");
        }
        let refused = |name| {
            schema
                .check(name, "mapping.user.givenName")
                .unwrap_err()
                .to_string()
        };
        assert!(refused("givenNmae").contains("the nearest is `givenName`"));
        assert!(refused("givenNmae").starts_with("mapping.user.givenName: "));
        assert!(!refused("xyzzy").contains("nearest"));
        assert!(
            Schema::standard(Flavor::OpenLdap)
                .check("xyzzy", "key")
                .is_ok()
        );
    }

    #[test]
    fn attributes_get_the_names_by_which_they_were_asked_for() {
        let names = schema().names(["surname", "2.5.4.4", "givenname", "rfc822Mailbox", "other"]);
        let attribute = |name: &str| Attribute {
            name: name.to_owned(),
            range: None,
            values: vec![b"x".to_vec()],
        };
        let mut entry = Entry {
            distinguished_name: String::new(),
            attributes: ["sn", "gn", "mail", "other", "more"].map(attribute).into(),
        };
        names.apply(&mut entry);
        let mut found: Vec<&str> = entry.attributes.iter().map(|one| &*one.name).collect();
        found.sort_unstable();
        assert_eq!(
            found,
            [
                "2.5.4.4",
                "givenname",
                "more",
                "other",
                "rfc822mailbox",
                "surname"
            ]
        );
        assert_eq!(names.of("sn").collect::<Vec<_>>(), ["2.5.4.4", "surname"]);
        assert_eq!(names.of("more").collect::<Vec<_>>(), ["more"]);
    }

    #[test]
    fn the_server_is_asked_for_the_name_that_it_returns() {
        let schema = schema();
        for (name, expected) in [("SURNAME", "sn"), ("2.5.4.42", "givenName"), ("x", "x")] {
            assert_eq!(schema.canonical(name), expected);
        }
    }

    #[test]
    fn without_a_schema_the_standard_names_are_known() {
        let schema = Schema::standard(Flavor::OpenLdap);
        for (name, expected) in [
            ("commonName", "cn"),
            ("surname", "sn"),
            ("countryName", "c"),
            ("localityName", "l"),
            ("stateOrProvinceName", "st"),
            ("streetAddress", "street"),
            ("organizationName", "o"),
            ("organizationalUnitName", "ou"),
            ("userid", "uid"),
            ("rfc822Mailbox", "mail"),
            ("favouriteDrink", "drink"),
            ("homeTelephoneNumber", "homePhone"),
            ("domainComponent", "dc"),
            ("mobileTelephoneNumber", "mobile"),
            ("pagerTelephoneNumber", "pager"),
            ("friendlyCountryName", "co"),
        ] {
            assert_eq!(schema.canonical(name), expected);
        }
        let directory = Schema::standard(Flavor::ActiveDirectory);
        assert_eq!(directory.canonical("streetAddress"), "streetAddress");
    }
}
