//! The planner against a server that carries out each operation and refuses those that violate its
//! rules.

mod cases;
pub(crate) mod figures;
mod properties;
pub(crate) mod server;
mod unique_values;

use std::collections::BTreeSet;

use matching::LookedUp;
pub(crate) use server::Server;

use super::*;
use crate::attribute::Profile;
use crate::identity::{Identifier, MatchBy};
use crate::mapping::{DesiredGroup, DesiredUser};

fn entry(id: &str) -> EntryId {
    EntryId(id.to_owned())
}

fn policy() -> Policy {
    Policy {
        owner: "corp".parse().unwrap(),
        match_by: MatchBy::ObjectGuid,
        take_over_leavers: false,
        leavers: Leavers::Deactivate,
        gone_groups: GoneGroups::Empty,
        membership_batch: 100,
        unique_emails: true,
    }
}

fn profile(user_name: &str) -> Profile {
    Profile(
        [
            (Attribute::UserName, user_name),
            (Attribute::GivenName, "Given"),
            (Attribute::FamilyName, "Family"),
            (Attribute::DisplayName, user_name),
        ]
        .map(|(attribute, value)| (attribute, value.to_owned()))
        .into(),
    )
}

/// A directory in the making.
#[derive(Default)]
struct Directory(Desired);

impl Directory {
    fn user(mut self, id: &str, user_name: &str) -> Self {
        self.0.managed = [
            Attribute::UserName,
            Attribute::GivenName,
            Attribute::FamilyName,
            Attribute::DisplayName,
            Attribute::Title,
            Attribute::Email,
            Attribute::Manager,
        ]
        .into();
        let user = DesiredUser {
            active: true,
            sid: Some(format!("S-1-5-21-1-2-3-{id}")),
            profile: Some(profile(user_name)),
            ..DesiredUser::default()
        };
        self.0.users.insert(entry(id), user);
        self
    }

    fn with(mut self, id: &str, attribute: Attribute, value: &str) -> Self {
        let user = self.0.users.get_mut(&entry(id)).unwrap();
        let profile = user.profile.as_mut().unwrap();
        profile.0.insert(attribute, value.to_owned());
        self
    }

    fn disabled(mut self, id: &str) -> Self {
        self.0.users.get_mut(&entry(id)).unwrap().active = false;
        self
    }

    fn unmappable(mut self, id: &str) -> Self {
        self.0.users.get_mut(&entry(id)).unwrap().profile = None;
        self
    }

    fn group(mut self, id: &str, name: &str, members: &[&str]) -> Self {
        let group = DesiredGroup {
            display_name: Some(name.to_owned()),
            members: members.iter().map(|id| entry(id)).collect(),
            ..DesiredGroup::default()
        };
        self.0.groups.insert(entry(id), group);
        self
    }
}

/// A plan as lines, for the tests below.
fn lines(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for (phase, operation) in plan
        .phases
        .iter()
        .enumerate()
        .flat_map(|(index, phase)| phase.iter().map(move |operation| (index, operation)))
    {
        let name = &operation.subject().name;
        lines.push(match operation {
            Operation::CreateUser { external_id, .. } => {
                format!("{phase} create {name} {external_id}")
            }
            Operation::UpdateUser { changes, .. } => {
                let mut parts = Vec::new();
                parts.extend(changes.active.map(|active| format!("active={active}")));
                parts.extend(changes.external_id.clone());
                parts.extend(
                    changes
                        .set
                        .iter()
                        .map(|(attribute, value)| format!("{attribute}={value}")),
                );
                parts.extend(
                    changes
                        .new_manager
                        .iter()
                        .map(|new| format!("manager={}", new.0)),
                );
                parts.extend(
                    changes
                        .removed
                        .iter()
                        .map(|attribute| format!("-{attribute}")),
                );
                format!("{phase} update {name}: {}", parts.join(" "))
            }
            Operation::DeleteUser { .. } => format!("{phase} delete {name}"),
            Operation::CreateGroup { members, .. } => {
                format!("{phase} create group {name} with {}", members.len())
            }
            Operation::UpdateGroup {
                display_name,
                external_id,
                ..
            } => {
                format!("{phase} update group {name}: {display_name:?} {external_id:?}")
            }
            Operation::DeleteGroup { .. } => format!("{phase} delete group {name}"),
            Operation::ChangeMembers { added, removed, .. } => {
                format!(
                    "{phase} members of {name}: +{} -{}",
                    added.len(),
                    removed.len()
                )
            }
        });
    }
    lines
}

fn reasons(plan: &Plan) -> Vec<&str> {
    plan.skipped
        .iter()
        .map(|skip| skip.reason.as_str())
        .collect()
}
