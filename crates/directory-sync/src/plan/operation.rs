//! One write to the SCIM server.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::current::ResourceId;
use crate::attribute::{Attribute, Profile};
use crate::snapshot::EntryId;

/// A user as an operation names it: either is there already, or an earlier operation of the
/// same plan makes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reference {
    /// The server has it.
    Existing(ResourceId),
    /// Made by this plan, for this entry.
    New(EntryId),
}

/// Which object an operation is about, for the report.
#[derive(Clone, PartialEq, Eq)]
pub struct Subject {
    /// The entry that it represents; `None` for an object that never had this sync's mark.
    pub entry: Option<EntryId>,
    /// The SCIM `id`; `None` for an object that the plan creates.
    pub id: Option<ResourceId>,
    /// The name. Of a user, personal data.
    pub name: String,
}

impl fmt::Debug for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Subject")
            .field("entry", &self.entry)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The parts of an address: it is one value to the server.
const ADDRESS: [Attribute; 5] = [
    Attribute::StreetAddress,
    Attribute::Locality,
    Attribute::Region,
    Attribute::PostalCode,
    Attribute::Country,
];

/// The changes to a user. All other attributes keep their values.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct UserChanges {
    /// Whether the user may sign in.
    pub active: Option<bool>,
    /// The mark.
    pub external_id: Option<String>,
    /// New values. Of an address, all parts if one changes: it is written as one value.
    pub set: BTreeMap<Attribute, String>,
    /// Attributes that lose their value.
    pub removed: BTreeSet<Attribute>,
    /// A manager whose user this plan creates; one that already has a user is in `set`, by the
    /// server's id.
    pub new_manager: Option<EntryId>,
}

/// Shows which attributes change, and no value.
impl fmt::Debug for UserChanges {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("UserChanges")
            .field("active", &self.active)
            .field("external_id", &self.external_id)
            .field("set", &self.set.keys())
            .field("removed", &self.removed)
            .field("new_manager", &self.new_manager)
            .finish()
    }
}

impl UserChanges {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Where a part of an address changes, sets the whole address: to the new parts, and the parts
    /// of `before` that stay. It is one value to the server.
    pub(crate) fn join_address(&mut self, before: &Profile) {
        let touched = |attribute: &Attribute| {
            self.set.contains_key(attribute) || self.removed.contains(attribute)
        };
        if !ADDRESS.iter().any(touched) {
            return;
        }
        let address: BTreeMap<Attribute, String> = ADDRESS
            .into_iter()
            .filter(|attribute| !self.removed.contains(attribute))
            .filter_map(|attribute| {
                let value = self.set.get(&attribute).map(String::as_str);
                let value = value.or_else(|| before.get(attribute))?;
                Some((attribute, value.to_owned()))
            })
            .collect();
        if !address.is_empty() {
            self.removed
                .retain(|attribute| !ADDRESS.contains(attribute));
            self.set.extend(address);
        }
    }
}

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Makes an active user.
    CreateUser {
        /// The user.
        subject: Subject,
        /// The mark.
        external_id: String,
        /// The values.
        profile: Profile,
    },
    /// Changes a user.
    UpdateUser {
        /// The user; without an id, one that this plan creates.
        subject: Subject,
        /// What changes.
        changes: UserChanges,
        /// Whether the user is gone from the directory.
        is_leaver: bool,
    },
    /// Deletes a user.
    DeleteUser {
        /// The user.
        subject: Subject,
        /// The groups in which a membership ends with the user. Without groups that are deleted.
        groups: Vec<ResourceId>,
    },
    /// Makes a group.
    CreateGroup {
        /// The group.
        subject: Subject,
        /// The mark.
        external_id: String,
        /// The first members: at most as many as one request may change.
        members: Vec<Reference>,
    },
    /// Renames or marks a group.
    UpdateGroup {
        /// The group.
        subject: Subject,
        /// The new name.
        display_name: Option<String>,
        /// The mark.
        external_id: Option<String>,
    },
    /// Deletes a group.
    DeleteGroup {
        /// The group.
        subject: Subject,
        /// The users whose membership ends with the group.
        members: Vec<ResourceId>,
    },
    /// Adds and removes members: together at most as many as one request may change.
    ChangeMembers {
        /// The group.
        subject: Subject,
        /// The group, for the request.
        group: Reference,
        /// Who becomes a member.
        added: Vec<Reference>,
        /// Who is one no longer.
        removed: Vec<ResourceId>,
    },
}

impl Operation {
    /// Which object it is about.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        match self {
            Self::CreateUser { subject, .. }
            | Self::UpdateUser { subject, .. }
            | Self::DeleteUser { subject, .. }
            | Self::CreateGroup { subject, .. }
            | Self::UpdateGroup { subject, .. }
            | Self::DeleteGroup { subject, .. }
            | Self::ChangeMembers { subject, .. } => subject,
        }
    }
}
