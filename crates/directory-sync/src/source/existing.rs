//! Which entries exist, by what identifies them: a search that does not depend on the scope.

use std::collections::{BTreeMap, BTreeSet};

use ldap3::{Scope, ldap_escape};
use uuid::Uuid;

use super::configuration::{Configuration, Flavor};
use super::connection::{Connection, Search};
use super::entry::Entry;
use super::reader::{NAMES_PER_SEARCH, naming_contexts, nearest, outermost};
use super::{Error, identifier};
use crate::identity::Identifier;
use crate::snapshot::EntryId;

/// The entries that exist in the naming contexts of the search bases. An identifier without an
/// entry is not in the result.
pub(super) async fn find(
    configuration: &Configuration,
    connection: &mut Connection,
    identifiers: &BTreeSet<Identifier>,
) -> Result<BTreeMap<Identifier, EntryId>, Error> {
    let flavor = configuration.flavor;
    let equalities: Vec<String> = identifiers
        .iter()
        .filter_map(|identifier| equality(flavor, identifier))
        .collect();
    let contexts = naming_contexts(connection).await?;
    let mut areas: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for base in outermost(configuration.all_bases()) {
        let area = nearest(&contexts, base.key()).unwrap_or(base.as_str());
        areas.entry(area).or_default().push(base.as_str());
    }
    let mut found = BTreeMap::new();
    for some in equalities.chunks(NAMES_PER_SEARCH) {
        let filter = format!("(|{})", some.concat());
        for (area, bases) in &areas {
            match search(flavor, connection, area, &filter, &mut found).await {
                // An account that may not read the top of a naming context.
                Err(error) if error.hides_base() => {
                    for base in bases {
                        search(flavor, connection, base, &filter, &mut found).await?;
                    }
                }
                result => result?,
            }
        }
    }
    Ok(found)
}

async fn search(
    flavor: Flavor,
    connection: &mut Connection,
    base: &str,
    filter: &str,
    found: &mut BTreeMap<Identifier, EntryId>,
) -> Result<(), Error> {
    let search = Search {
        base,
        scope: Scope::Subtree,
        filter,
        attributes: &[flavor.id_attribute().to_owned(), "objectSid".to_owned()],
    };
    let take = |entry: Entry| {
        let Ok(id) = flavor.entry_id(&entry) else {
            return;
        };
        let sid = entry.values("objectsid").next().and_then(identifier::sid);
        found.extend(sid.map(|sid| (Identifier::Sid(sid), id.clone())));
        found.insert(Identifier::Entry(id.clone()), id);
    };
    connection.search_known(&search, take).await
}

/// `None`: no entry can have this identifier.
fn equality(flavor: Flavor, identifier: &Identifier) -> Option<String> {
    Some(match (flavor, identifier) {
        (Flavor::ActiveDirectory, Identifier::Entry(id)) => {
            let bytes = Uuid::try_parse(&id.0).ok()?.to_bytes_le();
            let bytes: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
            format!("(objectGUID={bytes})")
        }
        (Flavor::ActiveDirectory, Identifier::Sid(sid)) => {
            format!("(objectSid={})", ldap_escape(sid.as_str()))
        }
        (Flavor::OpenLdap, Identifier::Entry(id)) => {
            format!("(entryUUID={})", ldap_escape(id.0.as_str()))
        }
        (Flavor::OpenLdap, Identifier::Sid(_)) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_searched_for_in_the_form_that_the_server_compares() {
        let entry = |id: &str| Identifier::Entry(EntryId(id.to_owned()));
        let guid = "37750eb4-fab1-4350-9cd9-ade7070b02d5";
        let sid = Identifier::Sid("S-1-5-21-1-2-3-4".to_owned());
        let cases = [
            (
                Flavor::ActiveDirectory,
                entry(guid),
                Some(r"(objectGUID=\b4\0e\75\37\b1\fa\50\43\9c\d9\ad\e7\07\0b\02\d5)"),
            ),
            (Flavor::ActiveDirectory, entry("no guid"), None),
            (
                Flavor::ActiveDirectory,
                sid.clone(),
                Some("(objectSid=S-1-5-21-1-2-3-4)"),
            ),
            (
                Flavor::OpenLdap,
                entry(guid),
                Some("(entryUUID=37750eb4-fab1-4350-9cd9-ade7070b02d5)"),
            ),
            (Flavor::OpenLdap, entry("*)"), Some(r"(entryUUID=\2a\29)")),
            (Flavor::OpenLdap, sid, None),
        ];
        for (flavor, identifier, expected) in cases {
            let filter = equality(flavor, &identifier);
            assert_eq!(filter.as_deref(), expected, "{identifier:?}");
        }
    }
}
