//! The writes to groups and memberships.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::current::{Current, CurrentGroup, ResourceId};
use super::matching::{Matching, Standing, entries_by_object, with_standing};
use super::names::{Claim, Holders, Settled, Settlement, placeholder, settle};
use super::operation::{Operation, Reference, Subject};
use super::phases::Phases;
use super::policy::{GoneGroups, Policy};
use super::users::{self, Users};
use super::{Deleted, Skip, describe_holder};
use crate::attribute::{Attribute, fold};
use crate::mapping::{Desired, DesiredGroup, Kind};
use crate::snapshot::EntryId;

/// What happens to groups, in figures.
#[derive(Default)]
pub(super) struct Groups {
    /// Groups that are deleted or emptied.
    pub removed: usize,
    /// Groups that the sync looks after.
    pub before: usize,
    /// Memberships that end, whatever ends them.
    pub memberships_removed: usize,
    /// Memberships of the sync's users in its groups, and others that end.
    pub memberships_before: usize,
    /// Memberships of others in the sync's groups that stay.
    pub foreign_memberships: usize,
}

pub(super) struct Planner<'a> {
    pub desired: &'a Desired,
    pub current: &'a Current,
    pub matching: &'a Matching,
    pub policy: &'a Policy,
    pub users: &'a Users,
    pub deleted: &'a Deleted,
    /// The users by their entries: half a million look-ups in a large company.
    pub user_indices: HashMap<&'a EntryId, usize>,
}

/// A group that is renamed, marked or made.
struct Change<'a> {
    object: Option<usize>,
    entry: &'a EntryId,
    group: &'a DesiredGroup,
    display_name: Option<&'a str>,
    external_id: Option<String>,
}

impl Planner<'_> {
    /// Adds the writes to `phases`, and groups that cannot be written to `skipped`.
    pub(super) fn plan(&self, phases: &mut Phases, skipped: &mut Vec<Skip>) -> Groups {
        let matched = &self.matching.groups;
        let gone = with_standing(matched, Standing::Gone);
        let mut figures = Groups {
            before: matched
                .standings
                .iter()
                .filter(|standing| **standing != Standing::Foreign)
                .count(),
            ..Groups::default()
        };
        let of_groups = self.deleted.groups.iter().map(|index| {
            let group = &self.current.groups()[*index];
            let members = group.members.iter().flatten();
            Operation::DeleteGroup {
                subject: self.subject(group),
                members: members.map(|member| self.user_id(*member)).collect(),
            }
        });
        let deletions = self.deletions_of_users().chain(of_groups);
        phases.removals.extend(deletions);
        self.members_of_existing(&gone, phases, &mut figures);
        self.names(&gone, phases, skipped);
        figures
    }

    fn deletions_of_users(&self) -> impl Iterator<Item = Operation> {
        let mut groups: BTreeMap<usize, Vec<ResourceId>> = BTreeMap::new();
        for (index, group) in self.current.groups().iter().enumerate() {
            if self.deleted.groups.contains(&index) || self.deleted.users.is_empty() {
                continue;
            }
            for member in group.members.iter().flatten() {
                if self.deleted.users.contains(member) {
                    groups.entry(*member).or_default().push(group.id.clone());
                }
            }
        }
        self.deleted
            .users
            .iter()
            .map(move |index| Operation::DeleteUser {
                subject: users::subject(&self.current.users()[*index], self.policy),
                groups: groups.remove(index).unwrap_or_default(),
            })
    }

    fn user_id(&self, index: usize) -> ResourceId {
        self.current.users()[index].id.clone()
    }

    fn names(&self, gone: &BTreeSet<usize>, phases: &mut Phases, skipped: &mut Vec<Skip>) {
        let changes = self.changes();
        let held: HashMap<String, usize> = self
            .current
            .groups()
            .iter()
            .enumerate()
            .map(|(index, group)| (fold(&group.display_name), index))
            .collect();
        let claims: Vec<Claim> = changes.iter().map(|change| self.claim(change)).collect();
        // An emptied group is like an inactive user.
        let yielding = match self.policy.gone_groups {
            GoneGroups::Empty => gone.iter().copied().collect(),
            GoneGroups::Delete | GoneGroups::Ignore => HashSet::new(),
        };
        let holders = Holders {
            held: &held,
            deleted: &self.deleted.groups,
            yielding: &yielding,
        };
        let Settlement { settled, yielded } = settle(&holders, &claims);
        let rename = |index: usize, external_id: Option<String>, entry: Option<&EntryId>| {
            let group = &self.current.groups()[index];
            let subject = self.subject(group);
            Operation::UpdateGroup {
                subject: Subject {
                    entry: entry.cloned().or(subject.entry),
                    ..subject
                },
                display_name: Some(placeholder(&group.id.0, &held, &claims, fold)),
                external_id,
            }
        };
        for index in yielded {
            phases.update(0, rename(index, None, None));
        }
        for (index, mut change) in changes.into_iter().enumerate() {
            let wave = match settled[index] {
                Settled::Wave(wave) => wave,
                Settled::Circle(wave) => {
                    if let Some(object) = change.object {
                        // With the mark, by which the next run knows the group if this one is
                        // interrupted.
                        let mark = change.external_id.take();
                        phases.update(0, rename(object, mark, Some(change.entry)));
                    }
                    wave
                }
                Settled::Refused => {
                    let holder = claims[index].takes.as_ref().and_then(|name| held.get(name));
                    skipped.push(self.refusal(&change, holder.copied()));
                    if change.object.is_none() {
                        continue;
                    }
                    change.display_name = None;
                    0
                }
            };
            self.write(change, wave, phases);
        }
    }

    fn changes(&self) -> Vec<Change<'_>> {
        let matched = &self.matching.groups;
        self.desired
            .groups
            .iter()
            .filter_map(|(entry, group)| {
                let name = group.display_name.as_deref()?;
                let object = matched.objects.get(entry).copied();
                let before = object.map(|index| &self.current.groups()[index]);
                let mark = self.policy.owner.mark(entry);
                let change = Change {
                    object,
                    entry,
                    group,
                    display_name: before
                        .is_none_or(|before| {
                            let before = &before.display_name;
                            before != name && !group.other_names.contains(before)
                        })
                        .then_some(name),
                    external_id: (before.and_then(|group| group.external_id.as_ref())
                        != Some(&mark))
                    .then_some(mark),
                };
                (change.display_name.is_some() || change.external_id.is_some()).then_some(change)
            })
            .collect()
    }

    fn refusal(&self, change: &Change<'_>, holder: Option<usize>) -> Skip {
        let id = |index: usize| self.current.groups()[index].id.clone();
        let standing = |index: usize| self.matching.groups.standing(index);
        let described =
            holder.map(|holder| describe_holder("group", &id(holder), standing(holder)));
        Skip {
            kind: Kind::Group,
            entry: Some(change.entry.clone()),
            id: change.object.map(id),
            holder: holder.map(id),
            attribute: change.object.map(|_| Attribute::DisplayName),
            reason: format!(
                "displayName cannot be taken: {}",
                described.unwrap_or_else(|| "it is in use".to_owned())
            ),
        }
    }

    fn claim(&self, change: &Change<'_>) -> Claim {
        let takes = change.display_name.map(fold);
        let before = change.object.map(|index| &self.current.groups()[index]);
        let releases = before
            .map(|group| fold(&group.display_name))
            .filter(|name| takes.as_ref().is_some_and(|taken| taken != name));
        Claim {
            object: change.object,
            takes,
            releases,
            is_active: true,
        }
    }

    fn write(&self, change: Change<'_>, wave: usize, phases: &mut Phases) {
        if let Some(index) = change.object {
            if change.display_name.is_some() || change.external_id.is_some() {
                let subject = Subject {
                    entry: Some(change.entry.clone()),
                    ..self.subject(&self.current.groups()[index])
                };
                phases.update(
                    wave,
                    Operation::UpdateGroup {
                        subject,
                        display_name: change.display_name.map(str::to_owned),
                        external_id: change.external_id,
                    },
                );
            }
            return;
        }
        let (Some(name), Some(external_id)) = (change.display_name, change.external_id) else {
            return;
        };
        let subject = Subject {
            entry: Some(change.entry.clone()),
            id: None,
            name: name.to_owned(),
        };
        let (existing, new) = self.members(change.group);
        let existing = existing.into_iter().map(|user| self.reference(user));
        let mut members: Vec<Reference> = existing.chain(new).collect();
        let rest = members.split_off(members.len().min(self.policy.membership_batch));
        phases.create_groups.push(Operation::CreateGroup {
            subject: subject.clone(),
            external_id,
            members,
        });
        self.add(
            &subject,
            &Reference::New(change.entry.clone()),
            &rest,
            phases,
        );
    }

    /// The members that a group should have, as far as the server will have them: ascending
    /// indices of those who are there, and those who are made.
    fn members(&self, group: &DesiredGroup) -> (Vec<usize>, Vec<Reference>) {
        let (mut existing, mut new) = (Vec::new(), Vec::new());
        for entry in &group.members {
            if let Some(&index) = self.user_indices.get(entry) {
                existing.push(index);
            } else if self.users.created.contains(entry) {
                new.push(Reference::New(entry.clone()));
            }
        }
        existing.sort_unstable();
        (existing, new)
    }

    fn reference(&self, user: usize) -> Reference {
        Reference::Existing(self.user_id(user))
    }

    fn members_of_existing(
        &self,
        gone: &BTreeSet<usize>,
        phases: &mut Phases,
        figures: &mut Groups,
    ) {
        let entries = entries_by_object(&self.matching.groups);
        for (index, group) in self.current.groups().iter().enumerate() {
            let Some(members) = &group.members else {
                continue;
            };
            let entry = entries.get(&index).copied();
            let desired = entry.and_then(|entry| self.desired.groups.get(entry));
            let uncertain: HashSet<usize> = desired
                .into_iter()
                .flat_map(|group| &group.uncertain_members)
                .filter_map(|entry| self.user_indices.get(entry).copied())
                .collect();
            let is_deleted = self.deleted.groups.contains(&index);
            let is_emptied = self.policy.gone_groups == GoneGroups::Empty && gone.contains(&index);
            let is_foreign = self.matching.groups.standing(index) == Standing::Foreign;
            // None: this plan does not write the members of the group.
            let wanted = match desired {
                Some(wanted) => Some(self.members(wanted)),
                None => is_emptied.then(Default::default),
            };
            let mut removed = Vec::new();
            let mut ended = 0;
            for &member in members {
                let standing = self.matching.users.standing(member);
                let is_removed = matches!(standing, Standing::Matched | Standing::Gone)
                    && !uncertain.contains(&member)
                    && wanted
                        .as_ref()
                        .is_some_and(|(wanted, _)| wanted.binary_search(&member).is_err());
                // A membership ends with its group and with its user, without a write of its own.
                let ends_with_object = is_deleted || self.deleted.users.contains(&member);
                let ends = ends_with_object || is_removed;
                if is_removed && !ends_with_object {
                    removed.push(self.user_id(member));
                }
                let is_ours = !is_foreign && standing != Standing::Foreign;
                ended += usize::from(ends);
                figures.memberships_before += usize::from(is_ours || ends);
                figures.foreign_memberships += usize::from(!is_foreign && !is_ours && !ends);
            }
            figures.memberships_removed += ended;
            figures.removed += usize::from(is_deleted || is_emptied && ended > 0);
            let Some((wanted, new)) = wanted else {
                continue;
            };
            let added = wanted
                .into_iter()
                .filter(|user| members.binary_search(user).is_err())
                .map(|user| self.reference(user));
            let added: Vec<Reference> = added.chain(new).collect();
            let subject = Subject {
                entry: entry.cloned().or(self.subject(group).entry),
                ..self.subject(group)
            };
            self.change(&subject, group.id.clone(), removed, added, phases);
        }
    }

    /// Removals come first, filled up with additions that need not wait for anything.
    fn change(
        &self,
        subject: &Subject,
        group: ResourceId,
        removed: Vec<ResourceId>,
        added: Vec<Reference>,
        phases: &mut Phases,
    ) {
        let batch = self.policy.membership_batch.max(1);
        let group = Reference::Existing(group);
        let (mut existing, new): (Vec<Reference>, Vec<Reference>) = added
            .into_iter()
            .partition(|reference| matches!(reference, Reference::Existing(_)));
        for removed in removed.chunks(batch) {
            let spare = (batch - removed.len()).min(existing.len());
            phases.removals.push(Operation::ChangeMembers {
                subject: subject.clone(),
                group: group.clone(),
                added: existing.drain(..spare).collect(),
                removed: removed.to_vec(),
            });
        }
        existing.extend(new);
        self.add(subject, &group, &existing, phases);
    }

    fn add(&self, subject: &Subject, group: &Reference, added: &[Reference], phases: &mut Phases) {
        for added in added.chunks(self.policy.membership_batch.max(1)) {
            phases.additions.push(Operation::ChangeMembers {
                subject: subject.clone(),
                group: group.clone(),
                added: added.to_vec(),
                removed: Vec::new(),
            });
        }
    }

    fn subject(&self, group: &CurrentGroup) -> Subject {
        subject(group, self.policy)
    }
}

pub(super) fn subject(group: &CurrentGroup, policy: &Policy) -> Subject {
    let marked = group.external_id.as_deref();
    Subject {
        entry: marked.and_then(|id| policy.owner.marked_entry(id)),
        id: Some(group.id.clone()),
        name: group.display_name.clone(),
    }
}
