//! The users, groups and memberships.

use std::collections::{BTreeMap, BTreeSet};

use scim::Resource;
use scim::schema::{ResourceType, core};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::Error;
use crate::options::Options;

/// An identity store.
#[derive(Debug)]
pub(crate) struct State {
    pub users: BTreeMap<String, Resource>,
    pub groups: BTreeMap<String, Group>,
    pub user_type: ResourceType,
    pub group_type: ResourceType,
    pub options: Options,
    /// Unique names, for the time that a look-up takes at 100,000 users.
    names: BTreeMap<(&'static str, String), String>,
    memberships: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub resource: Resource,
    /// Ids of users.
    pub members: BTreeSet<String>,
}

impl State {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            user_type: core::user(),
            group_type: core::group(),
            options,
            names: BTreeMap::new(),
            memberships: BTreeMap::new(),
        }
    }

    /// An id of the service's form.
    pub(crate) fn new_id() -> String {
        format!("9067729b3d-{}", Uuid::new_v4())
    }

    /// Stores a user, with its id in the resource.
    ///
    /// # Errors
    /// When another user has one of its unique names.
    pub(crate) fn put_user(&mut self, id: &str, mut resource: Resource) -> Result<(), Error> {
        let names = user_names(&resource);
        self.take_names(id, &names)?;
        finish(&mut resource, id, "User");
        self.users.insert(id.to_owned(), resource);
        Ok(())
    }

    pub(crate) fn put_group(&mut self, id: &str, mut resource: Resource) -> Result<(), Error> {
        let names = group_names(&resource);
        self.take_names(id, &names)?;
        finish(&mut resource, id, "Group");
        resource.remove("members");
        let members = self.groups.remove(id).map(|group| group.members);
        let group = Group {
            resource,
            members: members.unwrap_or_default(),
        };
        self.groups.insert(id.to_owned(), group);
        Ok(())
    }

    fn take_names(&mut self, id: &str, names: &[(&'static str, String)]) -> Result<(), Error> {
        let taken = |name| self.names.get(name).is_some_and(|holder| holder != id);
        if names.iter().any(taken) {
            return Err(Error::Conflict);
        }
        let before = self.users.get(id).map(user_names);
        let before = before.or_else(|| {
            self.groups
                .get(id)
                .map(|group| group_names(&group.resource))
        });
        for name in before.into_iter().flatten() {
            self.names.remove(&name);
        }
        for name in names {
            self.names.insert(name.clone(), id.to_owned());
        }
        Ok(())
    }

    pub(crate) fn delete_user(&mut self, id: &str) -> Result<(), Error> {
        let user = self.users.remove(id).ok_or(Error::NotFound)?;
        for name in user_names(&user) {
            self.names.remove(&name);
        }
        for group in self.memberships.remove(id).unwrap_or_default() {
            if let Some(group) = self.groups.get_mut(&group) {
                group.members.remove(id);
            }
        }
        Ok(())
    }

    pub(crate) fn delete_group(&mut self, id: &str) -> Result<(), Error> {
        let group = self.groups.remove(id).ok_or(Error::NotFound)?;
        for name in group_names(&group.resource) {
            self.names.remove(&name);
        }
        for member in group.members {
            if let Some(groups) = self.memberships.get_mut(&member) {
                groups.remove(id);
            }
        }
        Ok(())
    }

    pub(crate) fn add_member(&mut self, group: &str, user: &str) {
        if let Some(group_state) = self.groups.get_mut(group) {
            group_state.members.insert(user.to_owned());
            let groups = self.memberships.entry(user.to_owned()).or_default();
            groups.insert(group.to_owned());
        }
    }

    pub(crate) fn remove_member(&mut self, group: &str, user: &str) {
        if let Some(group_state) = self.groups.get_mut(group) {
            group_state.members.remove(user);
        }
        if let Some(groups) = self.memberships.get_mut(user) {
            groups.remove(group);
        }
    }

    pub(crate) fn groups_of(&self, user: &str) -> BTreeSet<String> {
        self.memberships.get(user).cloned().unwrap_or_default()
    }
}

fn finish(resource: &mut Resource, id: &str, kind: &str) {
    resource.insert("id".to_owned(), id.into());
    let now = jiff::Timestamp::now().to_string();
    let created = resource
        .get("meta")
        .and_then(|meta| meta.get("created"))
        .cloned()
        .unwrap_or_else(|| now.clone().into());
    resource.insert(
        "meta".to_owned(),
        json!({"resourceType": kind, "created": created, "lastModified": now}),
    );
}

fn text<'a>(resource: &'a Resource, name: &str) -> Option<&'a str> {
    resource.get(name).and_then(Value::as_str)
}

fn user_names(resource: &Resource) -> Vec<(&'static str, String)> {
    let email = resource
        .get("emails")
        .and_then(|emails| emails.get(0)?.get("value")?.as_str());
    [
        ("userName", text(resource, "userName")),
        ("externalId", text(resource, "externalId")),
        ("email", email),
    ]
    .into_iter()
    .filter_map(|(kind, name)| Some((kind, name?.to_lowercase())))
    .collect()
}

fn group_names(resource: &Resource) -> Vec<(&'static str, String)> {
    [
        ("displayName", text(resource, "displayName")),
        ("groupExternalId", text(resource, "externalId")),
    ]
    .into_iter()
    .filter_map(|(kind, name)| Some((kind, name?.to_lowercase())))
    .collect()
}
