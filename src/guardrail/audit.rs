//! Which security profiles let their holders edit users in Connect's admin website, where
//! IAM has no say.

use crate::connect_instance::SecurityProfile;

/// The security profiles of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// The environment, as it is named on a command line.
    pub environment: String,
    /// The Connect instance.
    pub instance_id: String,
    /// Every profile, by name.
    pub profiles: Vec<AuditedProfile>,
    /// How many users have at least one profile that edits users.
    pub users_who_edit: usize,
}

/// A security profile, as far as editing users is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditedProfile {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether the environment names it among those that may edit users.
    pub accepted: bool,
    /// How many users have it.
    pub users: usize,
    /// Those of its permissions that edit users or profiles.
    pub editing: Vec<String>,
    /// The others.
    pub kept: Vec<String>,
}

impl Audit {
    /// Judges the profiles of an instance. `accepted` are the names of those that may edit
    /// users; `holders` the profiles of each user, by id.
    #[must_use]
    pub fn new(
        environment: &str,
        instance_id: &str,
        profiles: &[SecurityProfile],
        accepted: &[&str],
        holders: &[Vec<String>],
    ) -> Self {
        let profiles: Vec<_> = profiles
            .iter()
            .map(|profile| {
                let editing: Vec<String> =
                    profile.editing_permissions().map(str::to_owned).collect();
                let kept = profile.permissions.iter();
                AuditedProfile {
                    id: profile.id.clone(),
                    name: profile.name.clone(),
                    accepted: accepted.contains(&profile.name.as_str()),
                    users: holders
                        .iter()
                        .filter(|held| held.contains(&profile.id))
                        .count(),
                    kept: kept
                        .filter(|name| !editing.contains(name))
                        .cloned()
                        .collect(),
                    editing,
                }
            })
            .collect();
        let edits = |id: &String| {
            profiles
                .iter()
                .any(|profile| profile.id == *id && !profile.editing.is_empty())
        };
        Self {
            users_who_edit: holders.iter().filter(|held| held.iter().any(edits)).count(),
            environment: environment.to_owned(),
            instance_id: instance_id.to_owned(),
            profiles,
        }
    }

    /// The profiles that edit users.
    pub fn editing(&self) -> impl Iterator<Item = &AuditedProfile> {
        self.profiles
            .iter()
            .filter(|profile| !profile.editing.is_empty())
    }

    /// Those of them that the environment does not name.
    pub fn open(&self) -> impl Iterator<Item = &AuditedProfile> {
        self.editing().filter(|profile| !profile.accepted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_that_edit_users_are_open_unless_they_are_named() {
        let profile = |id: &str, name: &str, permissions: &[&str]| SecurityProfile {
            id: id.to_owned(),
            name: name.to_owned(),
            permissions: permissions.iter().map(ToString::to_string).collect(),
        };
        let profiles = [
            profile("1", "Admin", &["Users.Create", "Users.View"]),
            profile("2", "Agent", &["BasicAgentAccess"]),
            profile("3", "Manager", &["AccessMetrics", "Users.Edit"]),
        ];
        let held = |ids: &[&str]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
        let holders = [held(&["1", "3"]), held(&["3"]), held(&["2"])];
        let audit = Audit::new("prod", "i", &profiles, &["Admin"], &holders);
        let open: Vec<_> = audit.open().collect();
        assert_eq!(open.len(), 1);
        assert_eq!((open[0].name.as_str(), open[0].users), ("Manager", 2));
        assert_eq!(open[0].kept, ["AccessMetrics"]);
        assert_eq!(audit.editing().count(), 2);
        assert_eq!(audit.users_who_edit, 2);
    }
}
