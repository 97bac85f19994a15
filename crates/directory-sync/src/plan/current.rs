//! The users and groups of the SCIM server at one moment: plain data between the client and the
//! planner.

use std::fmt;

use crate::attribute::Profile;

/// The `id` that the server gave a user or a group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct ResourceId(pub String);

impl fmt::Display for ResourceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A user as the server has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentUser {
    /// The server's id.
    pub id: ResourceId,
    /// What a client left there to recognise the user by.
    pub external_id: Option<String>,
    /// Whether the user may sign in.
    pub active: bool,
    /// The values, of all attributes that the sync could fill.
    pub profile: Profile,
}

/// A group as the server has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentGroup {
    /// The server's id.
    pub id: ResourceId,
    /// What a client left there to recognise the group by.
    pub external_id: Option<String>,
    /// The name.
    pub display_name: String,
    /// The members, as ascending indices into [`Current::users`]; none until they are read.
    pub members: Option<Vec<usize>>,
}

/// All users and groups of the server, in the order of their ids: a server may give them in
/// another order each time, and the plan must not depend on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Current {
    users: Vec<CurrentUser>,
    groups: Vec<CurrentGroup>,
}

impl Current {
    /// Takes each user and group once; members are not known yet.
    #[must_use]
    pub fn new(mut users: Vec<CurrentUser>, mut groups: Vec<CurrentGroup>) -> Self {
        users.sort_by(|a, b| a.id.cmp(&b.id));
        groups.sort_by(|a, b| a.id.cmp(&b.id));
        for group in &mut groups {
            group.members = None;
        }
        Self { users, groups }
    }

    /// The users.
    #[must_use]
    pub fn users(&self) -> &[CurrentUser] {
        &self.users
    }

    /// The groups.
    #[must_use]
    pub fn groups(&self) -> &[CurrentGroup] {
        &self.groups
    }

    /// The index of a user.
    #[must_use]
    pub fn user_index(&self, id: &str) -> Option<usize> {
        self.users
            .binary_search_by(|user| user.id.0.as_str().cmp(id))
            .ok()
    }

    /// The index of a group.
    #[must_use]
    pub fn group_index(&self, id: &str) -> Option<usize> {
        self.groups
            .binary_search_by(|group| group.id.0.as_str().cmp(id))
            .ok()
    }

    /// Says who the members of a group are, by indices of users.
    pub fn set_members(&mut self, group: usize, mut members: Vec<usize>) {
        members.sort_unstable();
        members.dedup();
        if let Some(group) = self.groups.get_mut(group) {
            group.members = Some(members);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_found_by_their_ids_in_any_order() {
        let user = |id: &str| CurrentUser {
            id: ResourceId(id.to_owned()),
            external_id: None,
            active: true,
            profile: Profile::default(),
        };
        let group = |id: &str| CurrentGroup {
            id: ResourceId(id.to_owned()),
            external_id: None,
            display_name: format!("name of {id}"),
            members: Some(vec![0]),
        };
        let mut current = Current::new(
            ["c", "a", "b"].map(user).into(),
            ["z", "x", "y"].map(group).into(),
        );
        for (index, (of_user, of_group)) in [("a", "x"), ("b", "y"), ("c", "z")].iter().enumerate()
        {
            assert_eq!(current.user_index(of_user), Some(index));
            assert_eq!(current.group_index(of_group), Some(index));
            assert_eq!(current.groups()[index].members, None);
        }
        assert_eq!(current.user_index("x"), None);
        assert_eq!(current.group_index("a"), None);
        current.set_members(1, vec![2, 0, 2]);
        current.set_members(9, vec![1]);
        assert_eq!(current.groups()[1].members, Some(vec![0, 2]));
        assert_eq!(current.groups()[0].members, None);
    }
}
