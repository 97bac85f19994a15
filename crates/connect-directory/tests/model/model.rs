//! What the identity provider was promised: the reference that the directory is compared
//! with.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    history::{History, Write},
    plan::RECENT,
};

/// One thing that a request changes.
#[derive(Debug, Clone)]
pub enum Effect {
    Name(String, &'static str),
    Active(String, bool),
    Entitlement(String, Option<&'static str>),
    FamilyName(String, String),
    ExternalId(String, String),
    UserDeleted(String),
    Member {
        user: String,
        group: String,
        is_member: bool,
    },
    Group {
        id: String,
        exists: bool,
    },
    GroupName {
        id: String,
        name: String,
    },
    GroupExternalId {
        id: String,
        external_id: Option<String>,
    },
}

impl Effect {
    /// The group that the effect is on.
    pub fn group_id(&mut self) -> Option<&mut String> {
        match self {
            Self::Member { group: id, .. }
            | Self::Group { id, .. }
            | Self::GroupName { id, .. }
            | Self::GroupExternalId { id, .. } => Some(id),
            _ => None,
        }
    }
}

/// What a request came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Acknowledged,
    /// It has changed nothing.
    Refused(String),
    /// It was carried out, or a part of it, or nothing.
    Unknown(String),
}

/// A request to create a user. Its number is in the resource, so that the user of one whose
/// response is unknown is recognised.
#[derive(Debug, Clone)]
pub struct Creation {
    pub name: &'static str,
    pub active: bool,
    pub is_refused: bool,
}

#[derive(Debug, Clone)]
pub struct User {
    pub exists: History<bool>,
    pub name: History<&'static str>,
    pub active: History<bool>,
    pub entitlement: History<Option<&'static str>>,
    pub family_name: History<String>,
    pub external_id: History<String>,
    pub groups: BTreeMap<String, History<bool>>,
}

#[derive(Debug, Clone)]
pub struct Group {
    pub exists: History<bool>,
    /// `None`: the group is a security profile.
    pub name: History<Option<String>>,
    pub external_id: History<Option<String>>,
}

impl Group {
    /// A group that no request has created yet.
    pub fn missing() -> Self {
        Self {
            exists: History::new(false, 0),
            name: History::new(None, 0),
            external_id: History::new(None, 0),
        }
    }
}

pub const FAMILY_NAME: &str = "Lovelace";

#[derive(Debug, Default)]
pub struct Model {
    time: u64,
    pub users: BTreeMap<String, User>,
    /// The ids of all users, in the order in which they became known.
    known: Vec<String>,
    /// By id.
    pub groups: BTreeMap<String, Group>,
    /// The ids of security profiles that an administrator deleted.
    pub deleted_profiles: BTreeSet<String>,
    pub creations: BTreeMap<String, Creation>,
    /// What was done, for people.
    pub log: Vec<String>,
    /// What no request may come to.
    pub problems: Vec<String>,
}

impl Model {
    /// The next moment.
    pub fn tick(&mut self) -> u64 {
        self.time += 1;
        self.time
    }

    /// The ids of the users at these positions among those who were created last.
    pub fn recent(&self, positions: &[usize]) -> Vec<String> {
        let recent = &self.known[self.known.len().saturating_sub(RECENT)..];
        let mut ids: Vec<String> = positions
            .iter()
            .filter_map(|position| recent.get(position % recent.len().max(1)))
            .cloned()
            .collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// Adds the user of a creation, unless it is known.
    pub fn add_user(&mut self, id: &str, creation: &str) {
        let now = self.tick();
        if self.users.contains_key(id) {
            return;
        }
        let Some(created) = self.creations.get(creation) else {
            self.problems.push(format!("{id}: no request created it"));
            return;
        };
        if created.is_refused {
            self.problems
                .push(format!("{id} exists, and {creation} was refused"));
        }
        self.known.push(id.to_owned());
        self.users.insert(
            id.to_owned(),
            User {
                exists: History::new(true, now),
                name: History::new(created.name, now),
                active: History::new(created.active, now),
                entitlement: History::new(None, now),
                family_name: History::new(FAMILY_NAME.to_owned(), now),
                external_id: History::new(creation.to_owned(), now),
                groups: BTreeMap::new(),
            },
        );
    }

    /// Records what a request that ends now may have changed.
    pub fn record(&mut self, began: u64, effects: Vec<Effect>, is_acknowledged: bool) {
        let ended = self.tick();
        for effect in effects {
            self.record_one(effect, began, ended, is_acknowledged);
        }
    }

    fn record_one(&mut self, effect: Effect, began: u64, ended: u64, is_acknowledged: bool) {
        fn add<T: PartialEq + Clone>(history: &mut History<T>, value: T, write: &Write<()>) {
            history.add(Write {
                began: write.began,
                ended: write.ended,
                value,
                is_acknowledged: write.is_acknowledged,
            });
        }
        let write = &Write {
            began,
            ended,
            value: (),
            is_acknowledged,
        };
        fn of<'a>(users: &'a mut BTreeMap<String, User>, id: &str) -> &'a mut User {
            users.get_mut(id).expect("effects are of known users")
        }
        let users = &mut self.users;
        match effect {
            Effect::Name(id, name) => add(&mut of(users, &id).name, name, write),
            Effect::Active(id, active) => add(&mut of(users, &id).active, active, write),
            Effect::Entitlement(id, profile) => {
                add(&mut of(users, &id).entitlement, profile, write)
            }
            Effect::FamilyName(id, name) => add(&mut of(users, &id).family_name, name, write),
            Effect::ExternalId(id, value) => add(&mut of(users, &id).external_id, value, write),
            Effect::UserDeleted(id) => add(&mut of(users, &id).exists, false, write),
            Effect::Member {
                user: id,
                group,
                is_member,
            } => {
                let groups = &mut of(users, &id).groups;
                let membership = groups
                    .entry(group)
                    .or_insert_with(|| History::new(false, 0));
                add(membership, is_member, write);
            }
            Effect::Group { id, exists } => {
                if !exists {
                    let memberships = users
                        .values_mut()
                        .filter_map(|user| user.groups.get_mut(&id));
                    memberships.for_each(|membership| add(membership, false, write));
                }
                let group = self.groups.entry(id).or_insert_with(Group::missing);
                add(&mut group.exists, exists, write);
                if !exists {
                    add(&mut group.external_id, None, write);
                }
            }
            Effect::GroupName { id, name } => {
                let group = self.groups.entry(id).or_insert_with(Group::missing);
                add(&mut group.name, Some(name), write);
            }
            Effect::GroupExternalId { id, external_id } => {
                let group = self.groups.entry(id).or_insert_with(Group::missing);
                add(&mut group.external_id, external_id, write);
            }
        }
    }
}
