//! A SCIM server in memory.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::attribute::fold;

/// A SCIM server: does what an operation says, and refuses what breaks its rules.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Server {
    pub(crate) users: BTreeMap<String, CurrentUser>,
    /// Members by id of the user.
    pub(crate) groups: BTreeMap<String, (CurrentGroup, BTreeSet<String>)>,
    pub(crate) made: usize,
}

impl Server {
    pub(crate) fn user(mut self, id: &str, external_id: Option<&str>, user_name: &str) -> Self {
        let user = CurrentUser {
            id: ResourceId(id.to_owned()),
            external_id: external_id.map(str::to_owned),
            active: true,
            profile: profile(user_name),
        };
        self.users.insert(id.to_owned(), user);
        self
    }

    pub(crate) fn group(
        mut self,
        id: &str,
        external_id: Option<&str>,
        name: &str,
        members: &[&str],
    ) -> Self {
        let group = CurrentGroup {
            id: ResourceId(id.to_owned()),
            external_id: external_id.map(str::to_owned),
            display_name: name.to_owned(),
            members: None,
        };
        let members = members.iter().map(|&id| id.to_owned()).collect();
        self.groups.insert(id.to_owned(), (group, members));
        self
    }

    /// The user `u1` with the mark of entry `1`, and so on.
    pub(crate) fn managed_user(self, entry: &str, user_name: &str) -> Self {
        self.user(
            &format!("u{entry}"),
            Some(&format!("corp:{entry}")),
            user_name,
        )
    }

    /// The group `g1` with the mark of entry `1`, and so on.
    pub(crate) fn managed_group(self, entry: &str, name: &str, members: &[&str]) -> Self {
        self.group(
            &format!("g{entry}"),
            Some(&format!("corp:{entry}")),
            name,
            members,
        )
    }

    pub(crate) fn with(mut self, id: &str, attribute: Attribute, value: &str) -> Self {
        let user = self.users.get_mut(id).unwrap();
        user.profile.0.insert(attribute, value.to_owned());
        self
    }

    pub(crate) fn inactive(mut self, id: &str) -> Self {
        self.users.get_mut(id).unwrap().active = false;
        self
    }

    pub(crate) fn current(&self, desired: &Desired, policy: &Policy) -> (Current, Matching) {
        self.current_looked_up(desired, policy, &LookedUp::default())
    }

    fn current_looked_up(
        &self,
        desired: &Desired,
        policy: &Policy,
        looked_up: &LookedUp,
    ) -> (Current, Matching) {
        let mut current = Current::new(
            self.users.values().rev().cloned().collect(),
            self.groups
                .values()
                .map(|(group, _)| group.clone())
                .collect(),
        );
        let matching = Matching::new(desired, &current, policy, looked_up);
        for index in matching.groups_to_read(policy) {
            let (_, members) = &self.groups[&current.groups()[index].id.0];
            let members = members
                .iter()
                .filter_map(|id| current.user_index(id))
                .collect();
            current.set_members(index, members);
        }
        (current, matching)
    }

    pub(crate) fn plan(&self, desired: &Desired, policy: &Policy) -> Plan {
        self.plan_looked_up(desired, policy, &LookedUp::default())
    }

    /// With looked-up entries that are not in scope.
    pub(crate) fn plan_looked_up(
        &self,
        desired: &Desired,
        policy: &Policy,
        looked_up: &LookedUp,
    ) -> Plan {
        let (current, matching) = self.current_looked_up(desired, policy, looked_up);
        plan(desired, &current, &matching, policy)
    }

    pub(crate) fn carry_out(&mut self, plan: &Plan) {
        let mut new = BTreeMap::new();
        for phase in &plan.phases {
            // Writes of a phase are independent: any order must do.
            for operation in phase.iter().rev() {
                self.write(operation, &mut new);
                self.check_names();
            }
        }
    }

    pub(crate) fn write(&mut self, operation: &Operation, new: &mut BTreeMap<EntryId, String>) {
        let id = |reference: &Reference, new: &BTreeMap<EntryId, String>| match reference {
            Reference::Existing(id) => id.0.clone(),
            Reference::New(entry) => new[entry].clone(),
        };
        let subject = operation.subject();
        let subject_id = subject.id.as_ref().map(|id| id.0.clone());
        match operation {
            Operation::CreateUser {
                external_id,
                profile,
                ..
            } => {
                self.made += 1;
                let id = format!("new{}", self.made);
                new.insert(subject.entry.clone().unwrap(), id.clone());
                let user = CurrentUser {
                    id: ResourceId(id.clone()),
                    external_id: Some(external_id.clone()),
                    active: true,
                    profile: profile.clone(),
                };
                self.users.insert(id, user);
            }
            Operation::UpdateUser { changes, .. } => {
                assert!(!changes.is_empty());
                let id = subject_id.unwrap_or_else(|| new[subject.entry.as_ref().unwrap()].clone());
                let user = self.users.get_mut(&id).unwrap();
                if let Some(manager) = &changes.new_manager {
                    let id = new[manager].clone();
                    user.profile.0.insert(Attribute::Manager, id);
                }
                user.active = changes.active.unwrap_or(user.active);
                if let Some(external_id) = &changes.external_id {
                    user.external_id = Some(external_id.clone());
                }
                user.profile.0.extend(changes.set.clone());
                for attribute in &changes.removed {
                    assert!(user.profile.0.remove(attribute).is_some());
                }
            }
            Operation::DeleteUser { .. } => {
                let id = subject_id.unwrap();
                self.users.remove(&id).unwrap();
                for (_, members) in self.groups.values_mut() {
                    members.remove(&id);
                }
            }
            Operation::CreateGroup {
                external_id,
                members,
                ..
            } => {
                assert!(members.len() <= 100);
                self.made += 1;
                let group_id = format!("new{}", self.made);
                new.insert(subject.entry.clone().unwrap(), group_id.clone());
                let group = CurrentGroup {
                    id: ResourceId(group_id.clone()),
                    external_id: Some(external_id.clone()),
                    display_name: subject.name.clone(),
                    members: None,
                };
                let members = members.iter().map(|member| id(member, new)).collect();
                self.groups.insert(group_id, (group, members));
            }
            Operation::UpdateGroup {
                display_name,
                external_id,
                ..
            } => {
                let (group, _) = self.groups.get_mut(&subject_id.unwrap()).unwrap();
                if let Some(name) = display_name {
                    group.display_name.clone_from(name);
                }
                if let Some(external_id) = external_id {
                    group.external_id = Some(external_id.clone());
                }
            }
            Operation::DeleteGroup { .. } => {
                self.groups.remove(&subject_id.unwrap()).unwrap();
            }
            Operation::ChangeMembers {
                group,
                added,
                removed,
                ..
            } => {
                assert!((1..=100).contains(&(added.len() + removed.len())));
                let (_, members) = self.groups.get_mut(&id(group, new)).unwrap();
                for member in removed {
                    assert!(members.remove(&member.0), "removes who is no member");
                }
                for member in added {
                    let id = id(member, new);
                    assert!(self.users.contains_key(&id));
                    assert!(members.insert(id), "adds who is a member");
                }
            }
        }
    }

    pub(crate) fn check_names(&self) {
        let mut names = BTreeSet::new();
        for user in self.users.values() {
            for attribute in [Attribute::UserName, Attribute::Email] {
                if let Some(name) = user.profile.get(attribute) {
                    assert!(names.insert((attribute.key(), fold(name))), "a name twice");
                }
            }
        }
        for (group, _) in self.groups.values() {
            assert!(
                names.insert(("group", fold(&group.display_name))),
                "a group's name twice"
            );
        }
    }
}
