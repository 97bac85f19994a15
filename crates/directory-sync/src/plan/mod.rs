//! Plans the fewest writes that make the server match the directory. No input and no output.
//!
//! The plan does not depend on the order of the entries on either side, and it is empty if
//! nothing differs. It never changes an object that the sync does not manage; see
//! [`crate::identity`] and [`matching`].

mod current;
mod groups;
mod managers;
pub mod matching;
mod names;
mod operation;
mod phases;
mod policy;
pub mod safety;
mod users;

use std::collections::BTreeSet;

use matching::{Matching, Standing};
use phases::Phases;
use serde::Serialize;

pub use current::{Current, CurrentGroup, CurrentUser, ResourceId};
pub use operation::{Operation, Reference, Subject, UserChanges};
pub use policy::{GoneGroups, Leavers, Policy};
pub use safety::{Refusal, Removals, SafetyConfiguration};

use crate::attribute::Attribute;
use crate::mapping::{Desired, Kind};
use crate::snapshot::EntryId;

/// The writes, and what there will be none for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The writes. Those of a phase do not depend on each other; each phase needs the ones
    /// before it.
    pub phases: Vec<Vec<Operation>>,
    /// Objects and attributes that cannot be changed because of other objects on the server.
    pub skipped: Vec<Skip>,
    /// The number of removals.
    pub removals: Removals,
    /// What belongs to others.
    pub foreign: Foreign,
    /// What another tool made, and becomes the sync's.
    pub taken_over: TakenOver,
    /// Users of AWS's PowerShell sample without an entry in scope.
    pub left_behind: Vec<Subject>,
    /// Users and groups that keep everything because of something that the account cannot read.
    pub held_back: Vec<HeldBack>,
    /// Users and groups that are reassigned to another entry with the same name, because their
    /// former entry is deleted.
    pub reassigned: Vec<Reassigned>,
}

/// A user or group that an entry adopts by its name. It keeps everything that is assigned to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reassigned {
    /// The type.
    pub kind: Kind,
    /// The user or group, with the new entry.
    pub subject: Subject,
    /// The entry before.
    pub old: EntryId,
}

/// A user or group that keeps everything, although its entry may be gone or inactive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldBack {
    /// The type.
    pub kind: Kind,
    /// The user or group.
    pub subject: Subject,
}

/// Objects of another tool that the plan adopts: it sets their `externalId` to the mark of the
/// sync.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TakenOver {
    /// Users.
    pub users: usize,
    /// Groups.
    pub groups: usize,
}

/// The number of objects on the server that the sync does not manage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Foreign {
    /// Users.
    pub users: usize,
    /// Groups.
    pub groups: usize,
    /// Memberships of such users in groups that the sync manages.
    pub memberships: usize,
}

/// An object or attribute that is not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip {
    /// The type of the object.
    pub kind: Kind,
    /// The entry that the object represents, or should.
    pub entry: Option<EntryId>,
    /// The object that is not changed; `None` if it does not exist yet.
    pub id: Option<ResourceId>,
    /// The object that has a value which cannot be taken.
    pub holder: Option<ResourceId>,
    /// The only attribute that is left; none where it is the whole object.
    pub attribute: Option<Attribute>,
    /// The cause, and how to correct it. Contains no personal data.
    pub reason: String,
}

impl Plan {
    /// All writes, in order.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.phases.iter().flatten()
    }
}

/// Plans the writes. `matching` is [`Matching::new`] of the same three, and `current` has the
/// members of [`Matching::groups_to_read`].
#[must_use]
pub fn plan(desired: &Desired, current: &Current, matching: &Matching, policy: &Policy) -> Plan {
    let mut phases = Phases::default();
    let mut skipped = doubles(matching, current, policy);
    let deleted = Deleted {
        users: matching::deleted(&matching.users, policy.leavers == Leavers::Delete),
        groups: matching::deleted(&matching.groups, policy.gone_groups == GoneGroups::Delete),
    };
    let users = users::plan(
        desired,
        current,
        &matching.users,
        policy,
        &deleted.users,
        &mut phases,
        &mut skipped,
    );
    let planner = groups::Planner {
        desired,
        current,
        matching,
        policy,
        users: &users,
        deleted: &deleted,
        user_indices: matching
            .users
            .objects
            .iter()
            .map(|(entry, index)| (entry, *index))
            .collect(),
    };
    let groups = planner.plan(&mut phases, &mut skipped);
    let count = |standings: &[Standing]| {
        let foreign = standings.iter().filter(|one| **one == Standing::Foreign);
        foreign.count()
    };
    Plan {
        phases: phases.finish(),
        skipped,
        removals: Removals {
            users: users.removed,
            users_before: users.before,
            renames: users.renamed,
            groups: groups.removed,
            groups_before: groups.before,
            memberships: groups.memberships_removed,
            memberships_before: groups.memberships_before,
            no_users: desired.users.is_empty(),
            no_groups: desired.groups.is_empty(),
        },
        foreign: Foreign {
            users: count(&matching.users.standings),
            groups: count(&matching.groups.standings),
            memberships: groups.foreign_memberships,
        },
        taken_over: taken_over(matching, current, policy),
        left_behind: matching
            .users
            .left_behind
            .iter()
            .map(|index| users::subject(&current.users()[*index], policy))
            .collect(),
        held_back: held_back(matching, current, policy),
        reassigned: reassigned(matching, current, policy),
    }
}

fn reassigned(matching: &Matching, current: &Current, policy: &Policy) -> Vec<Reassigned> {
    let of = |kind, subject: Subject, new: &EntryId| {
        Some(Reassigned {
            kind,
            old: subject.entry?,
            subject: Subject {
                entry: Some(new.clone()),
                id: subject.id,
                name: subject.name,
            },
        })
    };
    let users = matching.users.reassigned.iter().filter_map(|(index, new)| {
        let subject = users::subject(&current.users()[*index], policy);
        of(Kind::User, subject, new)
    });
    let groups = matching
        .groups
        .reassigned
        .iter()
        .filter_map(|(index, new)| {
            let subject = groups::subject(&current.groups()[*index], policy);
            of(Kind::Group, subject, new)
        });
    users.chain(groups).collect()
}

/// The objects that a plan deletes, by index.
struct Deleted {
    users: BTreeSet<usize>,
    groups: BTreeSet<usize>,
}

fn held_back(matching: &Matching, current: &Current, policy: &Policy) -> Vec<HeldBack> {
    let users = matching.users.held_back.iter().map(|index| HeldBack {
        kind: Kind::User,
        subject: users::subject(&current.users()[*index], policy),
    });
    let groups = matching.groups.held_back.iter().map(|index| HeldBack {
        kind: Kind::Group,
        subject: groups::subject(&current.groups()[*index], policy),
    });
    users.chain(groups).collect()
}

fn taken_over(matching: &Matching, current: &Current, policy: &Policy) -> TakenOver {
    let is_unmarked = |external_id: Option<&str>| {
        external_id.is_none_or(|id| policy.owner.marked_entry(id).is_none())
    };
    let users = matching.users.objects.values();
    let groups = matching.groups.objects.values();
    TakenOver {
        users: users
            .filter(|index| is_unmarked(current.users()[**index].external_id.as_deref()))
            .count(),
        groups: groups
            .filter(|index| is_unmarked(current.groups()[**index].external_id.as_deref()))
            .count(),
    }
}

fn doubles(matching: &Matching, current: &Current, policy: &Policy) -> Vec<Skip> {
    let users = matching.users.doubles.iter().map(|index| {
        let subject = users::subject(&current.users()[*index], policy);
        (Kind::User, "user", subject)
    });
    let groups = matching.groups.doubles.iter().map(|index| {
        let subject = groups::subject(&current.groups()[*index], policy);
        (Kind::Group, "group", subject)
    });
    let doubles = users.chain(groups).filter_map(|(kind, what, subject)| {
        let id = subject.id?;
        Some(Skip {
            kind,
            entry: subject.entry,
            holder: None,
            attribute: None,
            reason: format!(
                "{what} {id} has the externalId of another {what}: delete the one that is not used"
            ),
            id: Some(id),
        })
    });
    doubles.collect()
}

/// Who has a name that an entry should have, and what to do.
fn describe_holder(what: &str, id: &ResourceId, standing: Standing) -> String {
    match standing {
        Standing::Foreign => format!(
            "{what} {id} has it, and is not this sync's; take it over with `matchBy`, or rename \
             one of both"
        ),
        Standing::Matched => format!("{what} {id} of this sync has it, and keeps it"),
        Standing::Gone | Standing::Kept => {
            format!("{what} {id} of this sync has it, and is left as it is")
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
