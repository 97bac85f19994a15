//! Names of the objects of a report.

use super::{Comparison, Options};
use crate::attribute::{Attribute, Profile};
use crate::mapping::Kind;
use crate::plan::matching::Matched;
use crate::plan::{CurrentUser, Operation, Reference, ResourceId, UserChanges};
use crate::snapshot::EntryId;

use super::report::{Change, Named};

/// Finds names on both sides. Names of users, distinguished names and values are only returned if
/// the caller of the run has asked for names.
pub(super) struct Naming<'a> {
    comparison: &'a Comparison,
    names: bool,
}

impl<'a> Naming<'a> {
    pub(super) fn new(comparison: &'a Comparison, options: &Options) -> Self {
        Self {
            comparison,
            names: options.names,
        }
    }

    /// A value that is only shown on request.
    pub(super) fn on_request<T>(&self, value: impl FnOnce() -> T) -> Option<T> {
        self.names.then(value)
    }

    /// The distinguished name of an entry in scope.
    pub(super) fn distinguished_name(&self, entry: &EntryId) -> Option<String> {
        let names = &self.comparison.desired.names.0;
        self.on_request(|| names.get(entry).cloned()).flatten()
    }

    /// The object of an entry, or the one that the run creates for it.
    pub(super) fn of_entry(&self, kind: Kind, entry: &EntryId) -> Named {
        let Comparison {
            current, matching, ..
        } = self.comparison;
        let object = |matched: &Matched| matched.objects.get(entry).copied();
        match kind {
            Kind::Group => match object(&matching.groups) {
                Some(index) => self.of_group(&current.groups()[index].id),
                None => self.new_group(entry),
            },
            Kind::User | Kind::Entry => match object(&matching.users) {
                Some(index) => self.of_user(&current.users()[index].id),
                None => self.new_user(entry),
            },
        }
    }

    /// A user of the server.
    pub(super) fn of_user(&self, id: &ResourceId) -> Named {
        let name = || user_name(&self.current_user(id)?.profile);
        Named {
            id: Some(id.0.clone()),
            entry: None,
            name: self.on_request(name).flatten(),
        }
    }

    /// A group of the server.
    pub(super) fn of_group(&self, id: &ResourceId) -> Named {
        let current = &self.comparison.current;
        let group = current.group_index(&id.0);
        Named {
            id: Some(id.0.clone()),
            entry: None,
            name: group.map(|index| current.groups()[index].display_name.clone()),
        }
    }

    fn new_user(&self, entry: &EntryId) -> Named {
        let user = self.comparison.desired.users.get(entry);
        let name = || user_name(user?.profile.as_ref()?);
        Named {
            id: None,
            entry: Some(entry.0.clone()),
            name: self.on_request(name).flatten(),
        }
    }

    fn new_group(&self, entry: &EntryId) -> Named {
        let group = self.comparison.desired.groups.get(entry);
        Named {
            id: None,
            entry: Some(entry.0.clone()),
            name: group.and_then(|group| group.display_name.clone()),
        }
    }

    fn reference(&self, user: &Reference) -> Named {
        match user {
            Reference::Existing(id) => self.of_user(id),
            Reference::New(entry) => self.new_user(entry),
        }
    }

    /// The members that an operation adds and removes, and the groups that a deleted user leaves.
    pub(super) fn memberships(&self, operation: &Operation) -> Memberships {
        let mut memberships = Memberships::default();
        match operation {
            Operation::CreateGroup { members, .. } => {
                memberships.added = members.iter().map(|user| self.reference(user)).collect();
            }
            Operation::ChangeMembers { added, removed, .. } => {
                memberships.added = added.iter().map(|user| self.reference(user)).collect();
                memberships.removed = removed.iter().map(|user| self.of_user(user)).collect();
            }
            Operation::DeleteGroup { members, .. } => {
                memberships.removed = members.iter().map(|user| self.of_user(user)).collect();
            }
            Operation::DeleteUser { groups, .. } => {
                memberships.left = groups.iter().map(|group| self.of_group(group)).collect();
            }
            Operation::CreateUser { .. }
            | Operation::UpdateUser { .. }
            | Operation::UpdateGroup { .. } => {}
        }
        memberships
    }

    /// The old and new values of an operation, on request.
    pub(super) fn changes(&self, operation: &Operation) -> Vec<Change> {
        let changes = self.on_request(|| match operation {
            Operation::CreateUser { profile, .. } => {
                let values = profile.0.iter();
                values
                    .map(|(attribute, new)| self.change(*attribute, None, Some(new)))
                    .collect()
            }
            Operation::UpdateUser {
                subject, changes, ..
            } => {
                let user = subject.id.as_ref().and_then(|id| self.current_user(id));
                self.changes_of_user(user, changes)
            }
            Operation::UpdateGroup {
                subject,
                display_name: Some(new),
                ..
            } => vec![Change {
                attribute: Attribute::DisplayName,
                old: Some(subject.name.clone()),
                new: Some(new.clone()),
            }],
            _ => Vec::new(),
        });
        changes.unwrap_or_default()
    }

    fn changes_of_user(&self, user: Option<&CurrentUser>, changes: &UserChanges) -> Vec<Change> {
        let old = |attribute: Attribute| user.and_then(|user| user.profile.get(attribute));
        let set = changes.set.iter();
        let set = set.map(|(attribute, new)| self.change(*attribute, old(*attribute), Some(new)));
        let removed = changes.removed.iter();
        let removed = removed.map(|attribute| self.change(*attribute, old(*attribute), None));
        let manager = changes.new_manager.iter().map(|entry| Change {
            new: Some(self.new_user(entry).name.unwrap_or_else(|| entry.0.clone())),
            ..self.change(Attribute::Manager, old(Attribute::Manager), None)
        });
        set.chain(removed).chain(manager).collect()
    }

    fn change(&self, attribute: Attribute, old: Option<&str>, new: Option<&str>) -> Change {
        // The value of `manager` is the id of a user.
        let shown = |value: &str| match attribute {
            Attribute::Manager => {
                let manager = self.of_user(&ResourceId(value.to_owned()));
                manager.name.unwrap_or_else(|| value.to_owned())
            }
            _ => value.to_owned(),
        };
        Change {
            attribute,
            old: old.map(shown),
            new: new.map(shown),
        }
    }

    fn current_user(&self, id: &ResourceId) -> Option<&'a CurrentUser> {
        let current = &self.comparison.current;
        Some(&current.users()[current.user_index(&id.0)?])
    }
}

/// The memberships of an operation.
#[derive(Default)]
pub(super) struct Memberships {
    pub(super) added: Vec<Named>,
    pub(super) removed: Vec<Named>,
    /// The groups in which a membership ends with its user.
    pub(super) left: Vec<Named>,
}

fn user_name(profile: &Profile) -> Option<String> {
    profile.get(Attribute::UserName).map(str::to_owned)
}
