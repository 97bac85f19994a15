//! The searches of a read, in their order.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use ldap3::{Scope as SearchScope, ldap_escape};

use super::configuration::Flavor;
use super::connection::{Connection, Search};
use super::decode::Decoder;
use super::directory::{Directory, Missing, Node, Scope};
use super::distinguished_name::{DistinguishedName, NameKey, naming_values, parent};
use super::entry::Entry;
use super::error::{INSUFFICIENT_ACCESS_RIGHTS, INVALID_DN_SYNTAX, NO_SUCH_OBJECT, REFERRAL};
use super::flavor::Classes;
use super::schema::Schema;
use super::search_filter::any_of;
use super::{Configuration, Error, RequestedAttributes, Whole, identifier};

/// How many entries one search looks for by their names. A name takes some hundred bytes; the
/// servers' limits for a request are megabytes.
pub(super) const NAMES_PER_SEARCH: usize = 100;

/// A read under way.
pub(super) struct Reader<'a> {
    configuration: &'a Configuration,
    connection: Connection,
    decoder: Decoder<'a>,
    user_attributes: Vec<String>,
    group_attributes: Vec<String>,
    /// Attributes of users with names of other entries.
    references: BTreeSet<String>,
    /// The names that the server gives the bases of the configuration, by these.
    bases: HashMap<&'a str, DistinguishedName>,
    /// The parts of the directory that this server has (RFC 4512, section 5.1).
    naming_contexts: Vec<String>,
    directory: Directory,
    /// Found by the searches for users, with the base of the search.
    found: HashMap<Node, &'a str>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        configuration: &'a Configuration,
        requested: &RequestedAttributes,
        schema: &Schema,
        connection: Connection,
        now: Timestamp,
    ) -> Self {
        let flavor = configuration.flavor;
        let users = &configuration.users;
        let lower = |names: &BTreeSet<String>| -> BTreeSet<String> {
            names.iter().map(|name| name.to_lowercase()).collect()
        };
        let conditions = [&users.active_when, &users.inactive_when];
        let of_conditions = conditions
            .into_iter()
            .flatten()
            .map(|condition| condition.attribute.as_str());
        let wanted = flavor
            .user_attributes()
            .iter()
            .chain(flavor.group_attributes());
        let wanted = wanted
            .copied()
            .chain(requested.users.iter().map(String::as_str))
            .chain(requested.groups.iter().map(String::as_str))
            .chain(of_conditions.clone());
        let names = schema.names(wanted);
        let requested_of_users = requested.users.iter().map(String::as_str);
        let requested_of_groups = requested.groups.iter().map(String::as_str);
        Self {
            configuration,
            connection,
            decoder: Decoder {
                flavor,
                classes: Classes::of(configuration),
                users,
                user_attributes: lower(&requested.users),
                group_attributes: lower(&requested.groups),
                group_names: &configuration.groups.names,
                names,
                now,
            },
            user_attributes: distinct(
                flavor
                    .user_attributes()
                    .iter()
                    .copied()
                    .chain(of_conditions)
                    .chain(requested_of_users)
                    .map(|name| schema.canonical(name)),
            ),
            group_attributes: distinct(
                flavor
                    .group_attributes()
                    .iter()
                    .copied()
                    .chain(requested_of_groups)
                    .map(|name| schema.canonical(name)),
            ),
            references: lower(&requested.references),
            bases: HashMap::new(),
            naming_contexts: Vec::new(),
            directory: Directory::default(),
            found: HashMap::new(),
        }
    }

    /// Asks the server which parts of the directory it has, to know where to look for members
    /// outside of the search bases. A server that does not say has the search bases.
    pub(super) async fn learn_naming_contexts(&mut self) -> Result<(), Error> {
        self.naming_contexts = naming_contexts(&mut self.connection).await?;
        let bases = &self.configuration.search_bases;
        self.naming_contexts
            .extend(bases.iter().map(ToString::to_string));
        Ok(())
    }

    /// Asks the server for its own spelling of the bases, with which names of entries are compared.
    /// A search below one that does not exist fails later.
    pub(super) async fn resolve_bases(&mut self) -> Result<(), Error> {
        let configuration = self.configuration;
        for base in configuration.all_bases().chain(configuration.group_bases()) {
            if self.bases.contains_key(base.as_str()) {
                continue;
            }
            let search = Search {
                base: base.as_str(),
                scope: SearchScope::Base,
                filter: "(objectClass=*)",
                // None (RFC 4511, section 4.5.1.8).
                attributes: &["1.1".to_owned()],
            };
            let mut name = None;
            let take = |entry: Entry| name = Some(entry.distinguished_name);
            match self.connection.search(&search, take).await {
                Ok(()) | Err(Error::Search { .. }) => {}
                Err(error) => return Err(error),
            }
            let resolved = name.and_then(|name| DistinguishedName::try_from(name).ok());
            let resolved = resolved.unwrap_or_else(|| base.clone());
            self.bases.insert(base.as_str(), resolved);
        }
        let excluded = &configuration.excluded_subtrees;
        self.connection.resolve_excluded(excluded).await
    }

    /// The bases as the server spells them.
    fn resolved(&self, bases: &[DistinguishedName]) -> Vec<DistinguishedName> {
        let resolved = bases.iter().map(|base| {
            let known = self.bases.get(base.as_str());
            known.unwrap_or(base).clone()
        });
        resolved.collect()
    }

    /// Reads all groups below the bases: those in scope, and those that are in them. Where no
    /// group matters, none.
    pub(super) async fn read_groups(&mut self) -> Result<(), Error> {
        let configuration = self.configuration;
        if configuration.users.member_of.is_empty() && configuration.groups.names.is_empty() {
            return Ok(());
        }
        let filter = self.decoder.classes.group_filter();
        for base in outermost(self.bases_of_groups().iter()) {
            let search = Search {
                base: base.as_str(),
                scope: SearchScope::Subtree,
                filter: &filter,
                attributes: &self.group_attributes,
            };
            let (directory, decoder) = (&mut self.directory, &self.decoder);
            let take = |entry| {
                directory.insert(decoder.decode(entry));
            };
            self.connection.search(&search, take).await?;
        }
        Ok(())
    }

    /// Reads the users whom searches put into scope.
    pub(super) async fn read_users(&mut self) -> Result<(), Error> {
        for wanted in &self.configuration.users.searches {
            let users = self.decoder.classes.user_filter();
            let filter = match &wanted.filter {
                Some(filter) => format!("(&{users}{})", filter.as_str()),
                None => users,
            };
            let search = Search {
                base: wanted.base.as_str(),
                scope: SearchScope::Subtree,
                filter: &filter,
                attributes: &self.user_attributes,
            };
            let (directory, decoder) = (&mut self.directory, &self.decoder);
            let found = &mut self.found;
            let take = |entry| {
                let node = directory.insert(decoder.decode(entry));
                found.insert(node, wanted.base.as_str());
            };
            self.connection.search(&search, take).await?;
        }
        Ok(())
    }

    /// Finds the groups that the configuration names.
    pub(super) async fn resolve_scope(&mut self) -> Result<Scope<'a>, Error> {
        let named = &self.configuration.users.member_of;
        let mut outside: Vec<Node> = named
            .iter()
            .filter(|name| DistinguishedName::try_from((*name).clone()).is_ok())
            .map(|name| self.directory.number(name))
            .collect();
        outside.retain(|node| self.directory.is_unread(*node));
        self.look_up(&outside).await?;
        Ok(Scope {
            found: std::mem::take(&mut self.found),
            member_of: self.directory.groups_named(named)?,
            groups: self.directory.groups_in_scope(
                &self.resolved(self.configuration.group_bases()),
                &self.configuration.groups,
            ),
        })
    }

    /// Reads the members of groups that have not been read yet: the users whom groups put into
    /// scope, nested groups outside of the search bases, and members that may not exist.
    pub(super) async fn read_members(&mut self, scope: &Scope<'_>) -> Result<(), Error> {
        loop {
            let mut missing: BTreeSet<Node> = self
                .directory
                .unread_members(&scope.member_of)
                .into_iter()
                .collect();
            missing.extend(self.directory.unread_members(&scope.groups));
            if missing.is_empty() {
                break;
            }
            let missing: Vec<Node> = missing.into_iter().collect();
            self.look_up(&missing).await?;
        }
        self.read_primary_members(scope).await?;
        self.read_members_by_uid(scope).await
    }

    /// A primary group does not name its members: they name it (MS-ADA3, attribute
    /// primaryGroupID; RFC 2307, section 2.2, attribute gidNumber).
    async fn read_primary_members(&mut self, scope: &Scope<'_>) -> Result<(), Error> {
        let keys = self.directory.primary_keys(&scope.member_of).into_iter();
        let (attribute, keys): (_, BTreeSet<String>) = match self.decoder.flavor {
            Flavor::ActiveDirectory => (
                "primaryGroupID",
                keys.filter_map(identifier::relative_identifier)
                    .map(str::to_owned)
                    .collect(),
            ),
            Flavor::OpenLdap => ("gidNumber", keys.map(str::to_owned).collect()),
        };
        self.search_users_by(attribute, &keys).await
    }

    /// Reads all users with these values, also those out of scope: a `uid` may have several users.
    async fn read_members_by_uid(&mut self, scope: &Scope<'_>) -> Result<(), Error> {
        let groups: Vec<Node> = scope
            .member_of
            .iter()
            .chain(&scope.groups)
            .copied()
            .collect();
        let uids = self.directory.member_uids(&groups);
        self.search_users_by("uid", &uids).await
    }

    /// Reads the entries that attributes of users in scope name, and gives the attributes the
    /// names that the server gives these entries.
    pub(super) async fn read_references(&mut self, scope: &Scope<'_>) -> Result<(), Error> {
        if self.references.is_empty() {
            return Ok(());
        }
        let users = self.directory.users_in_scope(scope);
        let mut unread = BTreeSet::new();
        for user in &users {
            for name in self.referenced(*user) {
                let node = self.directory.number(&name);
                if self.directory.is_unread(node) {
                    unread.insert(node);
                }
            }
        }
        let unread: Vec<Node> = unread.into_iter().collect();
        self.look_up(&unread).await?;
        for user in users {
            let names: HashMap<String, String> = self
                .referenced(user)
                .into_iter()
                .filter_map(|name| {
                    let resolved = self.directory.name_of_entry(&name)?.to_owned();
                    Some((name, resolved))
                })
                .collect();
            let Some(person) = self.directory.person_mut(user) else {
                continue;
            };
            for attribute in &self.references {
                let values = person.attributes.get_mut(attribute);
                for value in values.into_iter().flatten() {
                    if let Some(name) = names.get(value) {
                        value.clone_from(name);
                    }
                }
            }
        }
        Ok(())
    }

    /// The names of entries that the attributes of a user have.
    fn referenced(&mut self, user: Node) -> Vec<String> {
        let Some(person) = self.directory.person_mut(user) else {
            return Vec::new();
        };
        let values = self
            .references
            .iter()
            .filter_map(|name| person.attributes.get(name));
        values.flatten().cloned().collect()
    }

    /// Reads the users below the search bases whose attribute has one of the values.
    async fn search_users_by(
        &mut self,
        attribute: &str,
        values: &BTreeSet<String>,
    ) -> Result<(), Error> {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let users = self.decoder.classes.user_filter();
        let bases = self.resolved(&self.configuration.search_bases);
        let bases = outermost(bases.iter());
        for some in values.chunks(NAMES_PER_SEARCH) {
            let filter = any_of(&users, attribute, some.iter().copied());
            for base in &bases {
                let search = Search {
                    base: base.as_str(),
                    scope: SearchScope::Subtree,
                    filter: &filter,
                    attributes: &self.user_attributes,
                };
                let (directory, decoder) = (&mut self.directory, &self.decoder);
                let take = |entry| {
                    directory.insert(decoder.decode(entry));
                };
                self.connection.search(&search, take).await?;
            }
        }
        Ok(())
    }

    /// Reads entries by their names, whatever they are.
    async fn look_up(&mut self, nodes: &[Node]) -> Result<(), Error> {
        let attributes = distinct(
            self.user_attributes
                .iter()
                .chain(&self.group_attributes)
                .map(String::as_str),
        );
        let mut by_context: BTreeMap<&str, Vec<Node>> = BTreeMap::new();
        for node in nodes {
            if self.connection.is_excluded(self.directory.key(*node)) {
                self.directory.mark_missing(*node, Missing::Excluded);
                continue;
            }
            // A name in no context may be another spelling of one in a context.
            if let Some(context) = nearest(&self.naming_contexts, self.directory.key(*node)) {
                by_context.entry(context).or_default().push(*node);
            }
        }
        for (context, nodes) in by_context {
            for some in nodes.chunks(NAMES_PER_SEARCH) {
                let names = some
                    .iter()
                    .map(|node| self.directory.distinguished_name(*node));
                let filter = any_of("", self.decoder.flavor.name_attribute(), names);
                let search = Search {
                    base: context,
                    scope: SearchScope::Subtree,
                    filter: &filter,
                    attributes: &attributes,
                };
                let (directory, decoder) = (&mut self.directory, &self.decoder);
                let take = |entry| {
                    directory.insert(decoder.decode(entry));
                };
                match self.connection.search_known(&search, take).await {
                    Err(error) if error.hides_base() => {}
                    result => result?,
                }
            }
        }
        for node in nodes {
            if self.directory.is_unread(*node) {
                self.look_up_alone(*node, &attributes).await?;
            }
        }
        Ok(())
    }

    /// Reads one entry by its name, to learn why a search for the name did not find it.
    async fn look_up_alone(&mut self, node: Node, attributes: &[String]) -> Result<(), Error> {
        let name = self.directory.distinguished_name(node).to_owned();
        let search = Search {
            base: &name,
            scope: SearchScope::Base,
            filter: "(objectClass=*)",
            attributes,
        };
        let (directory, decoder) = (&mut self.directory, &self.decoder);
        let mut found = None;
        let take = |entry| found = Some(directory.insert(decoder.decode(entry)));
        let result = self.connection.search(&search, take).await;
        let code = result.as_ref().err().and_then(Error::search_code);
        match code {
            Some(NO_SUCH_OBJECT | INVALID_DN_SYNTAX) => {
                let is_here = nearest(&self.naming_contexts, self.directory.key(node)).is_some();
                if is_here {
                    self.directory.mark_missing(node, Missing::NoEntry);
                    self.look_up_renamed(node, attributes).await?;
                } else {
                    self.directory.mark_missing(node, Missing::OtherServer);
                }
            }
            Some(REFERRAL) => self.directory.mark_missing(node, Missing::OtherServer),
            Some(INSUFFICIENT_ACCESS_RIGHTS) => self.directory.mark_unreadable(node),
            _ => {
                result?;
                match found {
                    // The server decides which spellings are those of one name.
                    Some(entry) => self.directory.mark_same(node, entry),
                    // It knows the entry, and does not show it.
                    None => self.directory.mark_unreadable(node),
                }
            }
        }
        Ok(())
    }

    /// Looks for the entry that had a name before it was renamed and kept the value (`modrdn` with
    /// `deleteoldrdn: 0`), where the server does not maintain references. The old name gives
    /// no access, but an existing membership stays.
    async fn look_up_renamed(&mut self, node: Node, attributes: &[String]) -> Result<(), Error> {
        let name = self.directory.distinguished_name(node).to_owned();
        let values = naming_values(&name);
        let Some(parent) = parent(&name) else {
            return Ok(());
        };
        if values.is_empty() || self.decoder.flavor == Flavor::ActiveDirectory {
            return Ok(());
        }
        let equalities: String = values
            .iter()
            .map(|(attribute, value)| format!("({attribute}={})", ldap_escape(value.as_str())))
            .collect();
        let search = Search {
            base: parent,
            scope: SearchScope::OneLevel,
            filter: &format!("(&{equalities})"),
            attributes,
        };
        let mut found = Vec::new();
        // What other servers have below the parent does not matter.
        let result = self
            .connection
            .search_known(&search, |entry| found.push(entry));
        match result.await {
            Ok(()) | Err(Error::Search { .. }) => {}
            Err(error) => return Err(error),
        }
        if found.len() == 1
            && let Some(entry) = found.pop()
            && !self
                .connection
                .is_excluded(&NameKey::of(&entry.distinguished_name))
        {
            let entry = self.directory.insert(self.decoder.decode(entry));
            self.directory.mark_renamed(node, entry);
        }
        Ok(())
    }

    /// Puts the snapshot together.
    pub(super) async fn finish(self, scope: &Scope<'_>) -> Whole {
        let server = self.connection.server().to_string();
        self.connection.close().await;
        let next_expiry = self.directory.next_expiry();
        let snapshot = self.directory.into_snapshot(scope);
        tracing::info!(
            directory.server = server,
            users.count = snapshot.people.len(),
            groups.count = snapshot.groups.len(),
            unusable.count = snapshot.unusable.len(),
            unresolved.count = snapshot.unresolved.len(),
            "the directory has been read"
        );
        Whole {
            snapshot,
            next_expiry,
        }
    }

    /// Where groups are searched for.
    fn bases_of_groups(&self) -> Vec<DistinguishedName> {
        let configuration = self.configuration;
        let mut bases = self.resolved(&configuration.search_bases);
        bases.extend(self.resolved(configuration.group_bases()));
        bases
    }
}

/// The naming contexts of a server (RFC 4512, section 5.1); empty if it does not name them.
pub(super) async fn naming_contexts(connection: &mut Connection) -> Result<Vec<String>, Error> {
    let search = Search {
        base: "",
        scope: SearchScope::Base,
        filter: "(objectClass=*)",
        attributes: &["namingContexts".to_owned()],
    };
    let mut contexts = Vec::new();
    let take = |entry: Entry| {
        let values = entry.values("namingcontexts");
        contexts.extend(values.map(|value| String::from_utf8_lossy(value).into_owned()));
    };
    connection.search(&search, take).await?;
    Ok(contexts)
}

/// Without bases that are below another one, whose entries would be read twice.
pub(super) fn outermost<'a>(
    bases: impl Iterator<Item = &'a DistinguishedName>,
) -> Vec<&'a DistinguishedName> {
    let mut outermost: Vec<&DistinguishedName> = Vec::new();
    for base in bases {
        if outermost
            .iter()
            .any(|other| base.key().is_within(other.key()))
        {
            continue;
        }
        outermost.retain(|other| !other.key().is_within(base.key()));
        outermost.push(base);
    }
    outermost
}

/// The longest of the contexts that an entry is within.
pub(super) fn nearest<'a>(contexts: &'a [String], key: &NameKey) -> Option<&'a str> {
    contexts
        .iter()
        .map(|context| (context.as_str(), NameKey::of(context)))
        .filter(|(_, context)| key.is_within(context))
        .max_by_key(|(_, context)| context.length())
        .map(|(context, _)| context)
}

/// Each name once, without regard to case.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    names
        .filter(|name| seen.insert(name.to_lowercase()))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_base_is_searched_twice() {
        let bases = ["OU=a,DC=x", "DC=y", "DC=x", "ou=b,ou=a,dc=X", "dc=X"]
            .map(|name| DistinguishedName::try_from(name.to_owned()).unwrap());
        let outermost: Vec<_> = outermost(bases.iter())
            .iter()
            .map(|base| base.as_str())
            .collect();
        assert_eq!(outermost, ["DC=y", "DC=x"]);
    }

    #[test]
    fn an_entry_is_looked_for_in_the_nearest_context() {
        let contexts = ["CN=Configuration,DC=x", "DC=x", "DC=y"].map(str::to_owned);
        let nearest = |name| nearest(&contexts, &NameKey::of(name));
        assert_eq!(
            nearest("CN=a,CN=configuration,DC=X"),
            Some("CN=Configuration,DC=x")
        );
        assert_eq!(nearest("CN=a,DC=x"), Some("DC=x"));
        assert_eq!(nearest("CN=a,DC=z"), None);
    }
}
