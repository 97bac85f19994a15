//! Maps the entries of the directory to the users and groups that the SCIM server should have.
//! No input and no output.
//!
//! An entry that cannot be mapped (no surname, a name that Identity Center would refuse, a
//! name that two people share) is reported, and its user or group is not changed. It is never
//! treated as a leaver. All other entries are mapped.
//!
//! The result does not depend on the order in which the directory gave its entries.

mod check;
mod configuration;
mod duplicates;
mod manager;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub use check::Problem;
pub use configuration::{GroupMapping, MappingConfiguration};
pub use source::{InvalidSource, Source};

use crate::attribute::{Attribute, Profile};
pub use crate::snapshot::Kind;
use crate::snapshot::{Attributes, EntryId, Group, Person, Snapshot, UnresolvedMember};
use crate::source::Flavor;

/// The attribute with an entry's security identifier, decoded by the reader.
const SECURITY_IDENTIFIER: &str = "objectsid";

/// The users and groups that the SCIM server should have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Desired {
    /// The users, by their entry.
    pub users: BTreeMap<EntryId, DesiredUser>,
    /// The groups, by their entry.
    pub groups: BTreeMap<EntryId, DesiredGroup>,
    /// The attributes that the sync fills; it leaves all others alone.
    pub managed: BTreeSet<Attribute>,
    /// Entries that were read but cannot be used, if their identifier is known. Their users and
    /// groups are not changed.
    pub unusable: BTreeSet<EntryId>,
    /// Active users that may or may not be in scope. Their users on the server stay as they are.
    pub uncertain: BTreeSet<EntryId>,
    /// The types of entries in scope whose identifier cannot be read. A leaver of such a type
    /// that the directory does not have under its own identifier may be one of these entries.
    pub unidentified: BTreeSet<Kind>,
    /// Entries and attributes that are not synchronized, with the reason.
    pub skipped: Vec<Skipped>,
    /// Member values of groups that lead to no entry.
    pub unresolved: Vec<UnresolvedMember>,
    /// Where each entry is in the directory, for reports.
    pub names: DistinguishedNames,
}

/// The distinguished names of entries. Personal data: `Debug` shows their number only.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct DistinguishedNames(pub BTreeMap<EntryId, String>);

impl fmt::Debug for DistinguishedNames {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        formatter
            .debug_tuple("DistinguishedNames")
            .field(&count)
            .finish()
    }
}

impl Desired {
    /// Whether an entry of this type exists in scope whose identifier cannot be read.
    pub(crate) fn has_unidentified(&self, kind: Kind) -> bool {
        self.unidentified.contains(&kind) || self.unidentified.contains(&Kind::Entry)
    }
}

/// A user as the directory has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct DesiredUser {
    /// Neither disabled nor expired.
    pub active: bool,
    /// The security identifier, where the directory has them.
    pub sid: Option<String>,
    /// The attribute values; `None` if the entry cannot be mapped. The user is not changed then,
    /// except that a disabled account is deactivated.
    pub profile: Option<Profile>,
    /// Attributes to leave as they are, because their value could not be used.
    pub kept: BTreeSet<Attribute>,
    /// Values that are as right as the one in `profile`: the server keeps one that it has.
    pub alternatives: BTreeMap<Attribute, BTreeSet<String>>,
}

/// A group as the directory has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct DesiredGroup {
    /// The security identifier, where the directory has them.
    pub sid: Option<String>,
    /// The name; none where it could not be said, so that the group keeps its name, or is not
    /// created. Its memberships follow the directory all the same.
    pub display_name: Option<String>,
    /// Names that are as right: the server keeps one that it has.
    pub other_names: BTreeSet<String>,
    /// The users in scope who are members.
    pub members: BTreeSet<EntryId>,
    /// Users in scope whose membership is left as it is.
    pub uncertain_members: BTreeSet<EntryId>,
}

/// An entry or attribute that is not synchronized, with the reason.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Skipped {
    /// The type of the entry.
    pub kind: Kind,
    /// The entry; `None` if its identifier cannot be read.
    pub entry: Option<EntryId>,
    /// The name that the user or group should have, as far as the directory has one. Personal data.
    pub name: Option<String>,
    /// The distinguished name. Personal data.
    pub distinguished_name: String,
    /// The attribute; `None` if it is the whole entry.
    pub attribute: Option<Attribute>,
    /// Whether leavers may be this entry, because its identifier cannot be read.
    pub is_unidentified: bool,
    /// The cause, and how to correct it. Contains no personal data.
    pub reason: String,
}

impl fmt::Debug for Skipped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Skipped")
            .field("kind", &self.kind)
            .field("entry", &self.entry)
            .field("attribute", &self.attribute)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

/// Which attributes of the directory fill which of the user.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    user: BTreeMap<Attribute, Vec<Source>>,
    group_name: Vec<Source>,
    named: BTreeMap<String, String>,
}

/// The section leaves out what no user can do without.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Identity Center makes no user without it.
    #[error("mapping.user.{0}: no sources, and Identity Center makes no user without a {0}")]
    RequiredAttribute(Attribute),
    /// No group has a name then.
    #[error("mapping.group.displayName: no sources, and a group needs a name")]
    GroupName,
}

impl Mapping {
    /// The defaults for a type of directory, overridden by the configuration.
    ///
    /// # Errors
    /// When a required attribute is left without sources.
    pub fn new(flavor: Flavor, configuration: &MappingConfiguration) -> Result<Self, Error> {
        let mut user = configuration::defaults(flavor);
        for (attribute, sources) in &configuration.user {
            user.insert(*attribute, sources.clone());
        }
        user.retain(|_, sources| !sources.is_empty());
        for attribute in Attribute::REQUIRED {
            if !user.contains_key(&attribute) {
                return Err(Error::RequiredAttribute(attribute));
            }
        }
        let group_name = match &configuration.group.display_name {
            Some(sources) if sources.is_empty() => return Err(Error::GroupName),
            Some(sources) => sources.clone(),
            None => configuration::default_group_name(),
        };
        let of_users = configuration
            .user
            .iter()
            .map(|(attribute, sources)| (format!("mapping.user.{attribute}"), sources));
        let of_groups = configuration.group.display_name.iter();
        let of_groups = of_groups.map(|sources| ("mapping.group.displayName".to_owned(), sources));
        let named = of_users
            .chain(of_groups)
            .flat_map(|(key, sources)| {
                names(sources)
                    .into_iter()
                    .map(move |name| (name, key.clone()))
            })
            .collect();
        Ok(Self {
            user,
            group_name,
            named,
        })
    }

    /// The attributes of the directory that the configuration names, in lower case, with the key
    /// that names them.
    #[must_use]
    pub fn named_attributes(&self) -> &BTreeMap<String, String> {
        &self.named
    }

    /// The attributes of people that have to be read, in lower case; besides these the
    /// reader gives what identifies an entry.
    #[must_use]
    pub fn user_attributes(&self) -> BTreeSet<String> {
        names(self.user.values().flatten())
    }

    /// The attributes of groups that have to be read, in lower case.
    #[must_use]
    pub fn group_attributes(&self) -> BTreeSet<String> {
        names(&self.group_name)
    }

    /// The attributes of people with the distinguished name of another entry, in lower case.
    #[must_use]
    pub fn references(&self) -> BTreeSet<String> {
        names(self.user.get(&Attribute::Manager).into_iter().flatten())
    }

    /// Maps a snapshot.
    #[must_use]
    pub fn apply(&self, snapshot: Snapshot) -> Desired {
        let mut desired = Desired {
            managed: self.user.keys().copied().collect(),
            unresolved: snapshot.unresolved,
            uncertain: snapshot.uncertain_users,
            ..Desired::default()
        };
        let mut names = BTreeMap::new();
        for person in snapshot.people {
            let user = self.person(&person, &mut desired.skipped);
            names.insert(person.id.clone(), person.distinguished_name);
            desired.users.insert(person.id, user);
        }
        for group in snapshot.groups {
            let (id, distinguished_name, group) = self.group(group, &mut desired.skipped);
            names.insert(id.clone(), distinguished_name);
            desired.groups.insert(id, group);
        }
        let unusable = snapshot.unusable.iter();
        let kept: Vec<&str> = unusable
            .map(|entry| entry.distinguished_name.as_str())
            .chain(
                snapshot
                    .reported_members
                    .iter()
                    .map(|member| member.distinguished_name.as_str()),
            )
            .collect();
        manager::resolve(&mut desired, &names, &kept);
        for entry in snapshot.unusable {
            match &entry.id {
                Some(id) => drop(desired.unusable.insert(id.clone())),
                None => drop(desired.unidentified.insert(entry.kind)),
            }
            desired.skipped.push(Skipped {
                kind: entry.kind,
                is_unidentified: entry.id.is_none(),
                entry: entry.id,
                name: None,
                distinguished_name: entry.distinguished_name,
                attribute: None,
                reason: entry.reason,
            });
        }
        desired
            .skipped
            .extend(snapshot.reported_members.into_iter().map(|member| Skipped {
                kind: member.kind,
                entry: member.id,
                name: None,
                distinguished_name: member.distinguished_name,
                attribute: None,
                is_unidentified: false,
                reason: member.reason,
            }));
        duplicates::settle(&mut desired, &names);
        desired.names = DistinguishedNames(names);
        duplicates::reserve(&mut desired);
        desired.skipped.sort_by(|a, b| {
            let key = |skipped: &Skipped| (skipped.kind, skipped.entry.clone(), skipped.attribute);
            key(a)
                .cmp(&key(b))
                .then_with(|| a.distinguished_name.cmp(&b.distinguished_name))
                .then_with(|| a.reason.cmp(&b.reason))
        });
        desired
    }

    /// An inactive person needs no value: nothing is reported, and what cannot be used is left
    /// as it is.
    fn person(&self, person: &Person, skipped: &mut Vec<Skipped>) -> DesiredUser {
        let mut profile = Profile::default();
        let mut kept = BTreeSet::new();
        let mut alternatives = BTreeMap::new();
        let mut complete = true;
        let mut problems: Vec<(Option<Attribute>, String)> = Vec::new();
        let mut skip = |attribute: Option<Attribute>, reason: String| {
            if person.active {
                problems.push((attribute, reason));
            }
        };
        for (&attribute, sources) in &self.user {
            let check = |value: &str| check::user(attribute, value);
            match values(sources, &person.attributes, &person.unreadable, check) {
                Ok(Some((value, others))) => {
                    profile.0.insert(attribute, value);
                    if !others.is_empty() {
                        alternatives.insert(attribute, others);
                    }
                }
                Ok(None) if attribute.is_required() => {
                    complete = false;
                    skip(
                        None,
                        format!(
                            "has no {attribute}, without which there is no user: fill {} in the \
                             directory, or name another source in mapping.user.{attribute}",
                            list(sources)
                        ),
                    );
                }
                Ok(None) => {}
                Err(problem) if attribute.is_required() => {
                    complete = false;
                    skip(
                        None,
                        format!("{attribute} {problem}: correct it in {}", list(sources)),
                    );
                }
                Err(problem) => {
                    kept.insert(attribute);
                    skip(
                        Some(attribute),
                        format!("{attribute} {problem}: correct it in {}", list(sources)),
                    );
                }
            }
        }
        let name = profile.get(Attribute::UserName);
        skipped.extend(problems.into_iter().map(|(attribute, reason)| Skipped {
            kind: Kind::User,
            entry: Some(person.id.clone()),
            name: name.map(str::to_owned),
            distinguished_name: person.distinguished_name.clone(),
            attribute,
            is_unidentified: false,
            reason,
        }));
        DesiredUser {
            active: person.active,
            sid: sid(&person.attributes),
            profile: complete.then_some(profile),
            kept,
            alternatives,
        }
    }

    fn group(&self, group: Group, skipped: &mut Vec<Skipped>) -> (EntryId, String, DesiredGroup) {
        let sources = list(&self.group_name);
        let names = match values(
            &self.group_name,
            &group.attributes,
            &group.unreadable,
            check::group,
        ) {
            Ok(Some(names)) => Ok(names),
            Ok(None) => Err(format!("has no name: fill {sources} in the directory")),
            Err(problem) => Err(format!("displayName {problem}: correct it in {sources}")),
        };
        let names = names.map_err(|reason| {
            skipped.push(Skipped {
                kind: Kind::Group,
                entry: Some(group.id.clone()),
                name: None,
                distinguished_name: group.distinguished_name.clone(),
                attribute: None,
                is_unidentified: false,
                reason,
            });
        });
        let (display_name, other_names) = names.ok().unzip();
        let desired = DesiredGroup {
            sid: sid(&group.attributes),
            display_name,
            other_names: other_names.unwrap_or_default(),
            members: group.members,
            uncertain_members: group.uncertain_members,
        };
        (group.id, group.distinguished_name, desired)
    }
}

/// The least value of the first source with a usable one, and the other usable values of that
/// source; without one, the problem of the first value.
fn values(
    sources: &[Source],
    attributes: &Attributes,
    unreadable: &BTreeSet<String>,
    check: impl Fn(&str) -> Result<(), Problem>,
) -> Result<Option<(String, BTreeSet<String>)>, Problem> {
    let mut first_problem = None;
    for source in sources {
        if source.attributes().any(|name| unreadable.contains(name)) {
            first_problem.get_or_insert(Problem::NotText);
            continue;
        }
        let mut usable = source.values(attributes);
        usable.retain(|value| {
            let problem = check(value).err();
            first_problem = first_problem.or(problem);
            problem.is_none()
        });
        let mut usable = usable.into_iter();
        if let Some(least) = usable.next() {
            return Ok(Some((least, usable.collect())));
        }
    }
    first_problem.map_or(Ok(None), Err)
}

fn sid(attributes: &Attributes) -> Option<String> {
    attributes.get(SECURITY_IDENTIFIER)?.first().cloned()
}

fn names<'a>(sources: impl IntoIterator<Item = &'a Source>) -> BTreeSet<String> {
    sources
        .into_iter()
        .flat_map(Source::attributes)
        .map(str::to_owned)
        .collect()
}

fn list(sources: &[Source]) -> String {
    let texts: Vec<String> = sources.iter().map(Source::to_string).collect();
    texts.join(" or ")
}

#[cfg(test)]
mod tests;
