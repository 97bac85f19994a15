//! Which security profiles the groups of the identity provider grant.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    profiles::ProfileError,
    store::{GroupName, fold},
};

/// `provisioning.groups` and `provisioning.unmappedGroups` of the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct GroupMapping {
    /// Names of security profiles, by the folded name of the group.
    profiles: BTreeMap<String, Vec<String>>,
    accepts_unmapped: bool,
}

impl GroupMapping {
    /// The mapping of these names of groups. `accepts_unmapped`: a group of any other name
    /// is stored, and grants nothing.
    pub fn new(profiles: BTreeMap<String, Vec<String>>, accepts_unmapped: bool) -> Self {
        Self {
            profiles: profiles
                .into_iter()
                .map(|(name, profiles)| (fold(&name), profiles))
                .collect(),
            accepts_unmapped,
        }
    }

    /// Whether there can be groups that are not security profiles, so that groups can be
    /// renamed.
    pub fn has_own_names(&self) -> bool {
        self.accepts_unmapped || !self.profiles.is_empty()
    }

    /// The names of the security profiles that a group grants. The name by which it was
    /// created decides; else its present one, which was not mapped when it was given.
    pub fn profiles_of(&self, name: &GroupName) -> &[String] {
        let of = |name: &str| self.profiles.get(&fold(name));
        of(&name.mapped)
            .or_else(|| of(&name.display))
            .map_or(&[], Vec::as_slice)
    }

    pub(super) fn is_mapped(&self, name: &str) -> bool {
        self.profiles.contains_key(&fold(name))
    }

    /// Whether a group of this name can be created.
    pub(super) fn accepts(&self, name: &str) -> bool {
        self.accepts_unmapped || self.is_mapped(name)
    }

    /// What to do about a name that is no security profile.
    pub(super) fn advice(&self, unknown: &ProfileError) -> String {
        format!(
            "a group is a security profile of Amazon Connect, or is mapped to some in `provisioning.groups`: {unknown}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping() -> GroupMapping {
        let profiles = BTreeMap::from([
            ("APP-AGENTS".to_owned(), vec!["Agent".to_owned()]),
            (
                "APP-LEADS".to_owned(),
                vec!["Agent".to_owned(), "Lead".to_owned()],
            ),
        ]);
        GroupMapping::new(profiles, false)
    }

    fn name(mapped: &str, display: &str) -> GroupName {
        GroupName {
            display: display.to_owned(),
            mapped: mapped.to_owned(),
        }
    }

    #[test]
    fn a_renamed_group_keeps_its_profiles_and_gets_no_others() {
        for (mapped, display, expected) in [
            ("APP-AGENTS", "APP-AGENTS", &["Agent"][..]),
            ("app-agents ", "Agents of Berlin", &["Agent"]),
            ("APP-AGENTS", "APP-LEADS", &["Agent"]),
            ("Plain", "APP-LEADS", &["Agent", "Lead"]),
            ("Plain", "Other", &[]),
        ] {
            let profiles = mapping().profiles_of(&name(mapped, display)).to_vec();
            assert_eq!(profiles, expected, "{mapped} as {display}");
        }
    }

    #[test]
    fn only_mapped_names_are_accepted_unless_the_environment_accepts_all() {
        let accepting = GroupMapping::new(BTreeMap::new(), true);
        assert!(mapping().accepts("app-leads"));
        assert!(!mapping().accepts("Plain"));
        assert!(accepting.accepts("Plain"));
        assert!(!accepting.is_mapped("Plain"));
        assert!(mapping().has_own_names() && accepting.has_own_names());
        assert!(!GroupMapping::default().has_own_names());
    }
}
