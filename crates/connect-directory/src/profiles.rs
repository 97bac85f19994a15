//! From the names of profiles to their ids.
//!
//! Connect lists profiles at two calls per second, and they hardly ever change: the
//! lists are kept for five minutes. A name that is not in them may be new, so a miss
//! reads the list once more, but not more often than every ten seconds: an
//! identity provider that keeps sending a wrong name must not use up the quota.
//!
//! While Connect is slow, a list that was read before is used after 1.5 seconds of
//! waiting. A list that was never read fails by the deadline of the request. After a
//! failed read, requests do not wait for the next ten seconds.

mod cache;
mod list;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::Serialize;
use tokio::time::Instant;

use self::{
    cache::{Cache, Need},
    list::List,
};
use crate::{
    connect::{Connect, NamedResource},
    mapping::{Grants, SecurityProfiles, Wanted},
    reconcile::Failure,
    user::ConnectUser,
};

/// By how much the clocks of two functions may differ.
pub(crate) const CLOCK_SKEW: Duration = Duration::from_secs(2);

/// How long a list is waited for if the user can do without it.
const OPTIONAL_LIST_TIME: Duration = Duration::from_millis(1500);

/// The most security profiles that a user can have.
const MAXIMUM_SECURITY_PROFILES: usize = 10;

/// The names that stand where a SCIM User names none.
#[derive(Debug, Clone, Serialize)]
pub struct Defaults {
    /// The security profile of a user for whom none is named.
    pub security_profile: String,
    /// The routing profile of a user for whom none is named.
    pub routing_profile: String,
    /// The security profile that permits nothing, where inactive users are suspended.
    pub suspended_security_profile: Option<String>,
}

/// The ids that a SCIM User's names stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileIds {
    /// 1 to 10 security profiles.
    pub security_profiles: BTreeSet<String>,
    /// The routing profile.
    pub routing_profile: String,
    /// The hierarchy group, if one is named.
    pub hierarchy_group: Option<String>,
}

/// The names that users can be given, sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Security profiles.
    pub security_profiles: Vec<String>,
    /// Routing profiles.
    pub routing_profiles: Vec<String>,
    /// Hierarchy groups whose name is unambiguous.
    pub hierarchy_groups: Vec<String>,
}

/// What a name is the name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Security profile.
    SecurityProfile,
    /// Routing profile.
    RoutingProfile,
    /// Hierarchy group.
    HierarchyGroup,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::SecurityProfile => "security profile",
            Self::RoutingProfile => "routing profile",
            Self::HierarchyGroup => "hierarchy group",
        })
    }
}

/// Why names could not be resolved.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// Names that the instance does not have.
    #[error("{}", unknown_message(*kind, unknown))]
    Unknown {
        /// What they should name.
        kind: Kind,
        /// Each name with the closest ones that exist.
        unknown: Vec<(String, Vec<String>)>,
    },
    /// A name that the instance has more than once.
    #[error("the Amazon Connect instance has several hierarchy groups called \"{0}\"")]
    Ambiguous(String),
    /// More security profiles than Connect allows.
    #[error(
        "{0} security profiles are named; Amazon Connect allows a user {MAXIMUM_SECURITY_PROFILES}"
    )]
    TooMany(usize),
    /// The security profile of suspended users does not exist; its name.
    #[error(
        "the Amazon Connect instance has no security profile \"{0}\", which suspended users are to have"
    )]
    NoSuspendedProfile(String),
    /// The list is not known, and Connect did not return it.
    #[error("Amazon Connect does not return the list of names at the moment")]
    Unlisted(Failure),
}

impl From<Failure> for ProfileError {
    fn from(failure: Failure) -> Self {
        Self::Unlisted(failure)
    }
}

/// The ids of all security profiles of the instance, at some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityProfileIds {
    /// All of them: never empty, never a part.
    pub ids: BTreeSet<String>,
    /// The time since they were read.
    pub age: Duration,
}

impl SecurityProfileIds {
    /// Whether they were read after this time (ISO 8601), with some allowance for clocks
    /// that differ: what existed then is among them, unless it was deleted.
    pub(crate) fn is_newer_than(&self, time: &str, now: Timestamp) -> bool {
        let time: Option<Timestamp> = time.parse().ok();
        let passed = time.and_then(|time| Duration::try_from(now.duration_since(time)).ok());
        passed.is_some_and(|passed| passed > self.age + CLOCK_SKEW)
    }
}

fn unknown_message(kind: Kind, unknown: &[(String, Vec<String>)]) -> String {
    unknown
        .iter()
        .map(|(name, closest)| {
            let suggestion = match closest.as_slice() {
                [] => String::new(),
                names => format!("; did you mean \"{}\"?", names.join("\" or \"")),
            };
            format!("the Amazon Connect instance has no {kind} \"{name}\"{suggestion}")
        })
        .collect::<Vec<_>>()
        .join(". ")
}

/// The lists of an instance, kept for a while.
#[derive(Debug, Clone)]
pub struct Profiles {
    connect: Connect,
    defaults: Defaults,
    security_profiles: Arc<Cache>,
    routing_profiles: Arc<Cache>,
    hierarchy_groups: Arc<Cache>,
}

impl Profiles {
    /// The profiles of this instance. Reads nothing yet.
    pub fn new(connect: Connect, defaults: Defaults) -> Self {
        Self {
            connect,
            defaults,
            security_profiles: Cache::new("ListSecurityProfiles"),
            routing_profiles: Cache::new("ListRoutingProfiles"),
            hierarchy_groups: Cache::new("ListUserHierarchyGroups"),
        }
    }

    /// Discards all lists, so that the next use of each reads it again: Connect reported
    /// that an id does not exist.
    pub fn forget(&self) {
        for cache in [
            &self.security_profiles,
            &self.routing_profiles,
            &self.hierarchy_groups,
        ] {
            cache.forget();
        }
    }

    /// The ids that a user's names stand for.
    ///
    /// # Errors
    /// When a name does not exist, and when a list is not known and Connect does not
    /// return it by the deadline.
    pub async fn resolve(
        &self,
        wanted: &Wanted,
        deadline: Instant,
    ) -> Result<ProfileIds, ProfileError> {
        let (security_profiles, routing_profile, hierarchy_group) = tokio::join!(
            self.resolve_security_profiles(wanted, deadline),
            self.resolve_routing_profile(wanted, deadline),
            self.resolve_hierarchy_group(wanted, deadline),
        );
        Ok(ProfileIds {
            security_profiles: security_profiles?,
            routing_profile: routing_profile?,
            hierarchy_group: hierarchy_group?,
        })
    }

    /// The ids of a suspended user: the profile that permits nothing, and the named
    /// routing profile and hierarchy group or, where one is not named or cannot be
    /// resolved, the one that the user has (`applied`): a leaver must not keep permissions
    /// because a profile was renamed or a list cannot be read.
    ///
    /// # Errors
    /// When the profile that permits nothing does not exist
    /// ([`ProfileError::NoSuspendedProfile`]), and when the list of security profiles is
    /// not known and Connect does not return it by the deadline.
    pub async fn resolve_suspended(
        &self,
        wanted: Option<&Wanted>,
        applied: &ConnectUser,
        deadline: Instant,
    ) -> Result<ProfileIds, ProfileError> {
        let security_profiles = self.suspended_security_profile(deadline).await?;
        let unchanged = (
            applied.routing_profile_id.clone(),
            applied.hierarchy_group_id.clone(),
        );
        let (routing_profile, hierarchy_group) = match wanted {
            None => unchanged,
            Some(wanted) => {
                // The calls that take the permissions away need the other time.
                let soon = deadline.min(Instant::now() + OPTIONAL_LIST_TIME);
                let (routing_profile, hierarchy_group) = tokio::join!(
                    self.resolve_routing_profile(wanted, soon),
                    self.resolve_hierarchy_group(wanted, soon),
                );
                (
                    routing_profile.unwrap_or(unchanged.0),
                    hierarchy_group.unwrap_or(unchanged.1),
                )
            }
        };
        Ok(ProfileIds {
            security_profiles,
            routing_profile,
            hierarchy_group,
        })
    }

    async fn suspended_security_profile(
        &self,
        deadline: Instant,
    ) -> Result<BTreeSet<String>, ProfileError> {
        let name = self.defaults.suspended_security_profile.clone();
        let name = name.unwrap_or_default();
        let names = std::slice::from_ref(&name);
        match self.find_all(Kind::SecurityProfile, names, deadline).await {
            Err(ProfileError::Unknown { .. }) => Err(ProfileError::NoSuspendedProfile(name)),
            found => found,
        }
    }

    async fn resolve_routing_profile(
        &self,
        wanted: &Wanted,
        deadline: Instant,
    ) -> Result<String, ProfileError> {
        let name = wanted
            .routing_profile
            .as_ref()
            .unwrap_or(&self.defaults.routing_profile);
        let ids = self
            .find_all(Kind::RoutingProfile, std::slice::from_ref(name), deadline)
            .await?;
        Ok(ids.into_iter().next().unwrap_or_default())
    }

    async fn resolve_hierarchy_group(
        &self,
        wanted: &Wanted,
        deadline: Instant,
    ) -> Result<Option<String>, ProfileError> {
        let Some(name) = &wanted.hierarchy_group else {
            return Ok(None);
        };
        let ids = self
            .find_all(Kind::HierarchyGroup, std::slice::from_ref(name), deadline)
            .await?;
        Ok(ids.into_iter().next())
    }

    async fn resolve_security_profiles(
        &self,
        wanted: &Wanted,
        deadline: Instant,
    ) -> Result<BTreeSet<String>, ProfileError> {
        let granted = self.granted(&wanted.grants, deadline).await?;
        let default = std::slice::from_ref(&self.defaults.security_profile);
        let names: &[String] = match &wanted.security_profiles {
            SecurityProfiles::Named(names) => names,
            _ if !granted.is_empty() => &[],
            SecurityProfiles::Default => default,
            SecurityProfiles::Fallback(parts) => {
                let list = self
                    .list(Kind::SecurityProfile, Need::Known, deadline)
                    .await?;
                let names_profiles = parts.iter().any(|part| list.find(part).is_some());
                if names_profiles { parts } else { default }
            }
        };
        let mut ids = self
            .find_all(Kind::SecurityProfile, names, deadline)
            .await?;
        ids.extend(granted);
        if ids.len() > MAXIMUM_SECURITY_PROFILES {
            return Err(ProfileError::TooMany(ids.len()));
        }
        Ok(ids)
    }

    /// The ids of those security profiles that exist among the granted and the named ones;
    /// of the default one if there is none.
    ///
    /// # Errors
    /// When the default does not exist either, and when the list is not known and Connect
    /// does not return it by the deadline.
    pub(crate) async fn existing(
        &self,
        grants: &Grants,
        names: &[String],
        deadline: Instant,
    ) -> Result<BTreeSet<String>, ProfileError> {
        let mut ids = self.granted(grants, deadline).await?;
        let list = self
            .list(Kind::SecurityProfile, Need::Known, deadline)
            .await?;
        ids.extend(
            names
                .iter()
                .filter_map(|name| Some(list.find(name)?.id.clone())),
        );
        if ids.is_empty() {
            let default = std::slice::from_ref(&self.defaults.security_profile);
            return self
                .find_all(Kind::SecurityProfile, default, deadline)
                .await;
        }
        Ok(ids)
    }

    /// The ids of the security profiles that groups grant, as far as they exist: a right
    /// ends with the profile that gave it.
    async fn granted(
        &self,
        grants: &Grants,
        deadline: Instant,
    ) -> Result<BTreeSet<String>, ProfileError> {
        if grants.ids.is_empty() && grants.names.is_empty() {
            return Ok(BTreeSet::new());
        }
        let names: Vec<&String> = grants.names.iter().collect();
        let list = self
            .list_with(Kind::SecurityProfile, &names, deadline)
            .await?;
        let mut ids: BTreeSet<String> = list
            .items
            .iter()
            .filter(|profile| grants.ids.contains(&profile.id))
            .map(|profile| profile.id.clone())
            .collect();
        for name in names {
            match list.find(name) {
                Some(profile) => drop(ids.insert(profile.id.clone())),
                None => tracing::error!(
                    security_profile = name,
                    "`provisioning.groups` names a security profile that does not exist"
                ),
            }
        }
        Ok(ids)
    }

    /// Reads the security profiles again if these ids are not among those known and the
    /// list is older than `age`: the time since the groups of a user were last changed.
    ///
    /// # Errors
    /// When Connect does not return the list by the deadline.
    pub(crate) async fn look_for(
        &self,
        ids: &BTreeSet<String>,
        age: Duration,
        deadline: Instant,
    ) -> Result<(), Failure> {
        if ids.is_empty() {
            return Ok(());
        }
        let list = self
            .list(Kind::SecurityProfile, Need::Known, deadline)
            .await?;
        let is_known = |id: &String| list.items.iter().any(|profile| profile.id == *id);
        if !ids.iter().all(is_known) {
            self.list(Kind::SecurityProfile, Need::Within(age), deadline)
                .await?;
        }
        Ok(())
    }

    /// The name of a security profile, if a list that has it is known; nothing is read.
    pub(crate) fn known_name(&self, id: &str) -> Option<String> {
        let list = self.security_profiles.known(Duration::MAX)?;
        let profile = list.items.iter().find(|profile| profile.id == id)?;
        Some(profile.name.clone())
    }

    /// The ids of all security profiles, if a list that is at most this old is known;
    /// nothing is read.
    pub(crate) fn known_security_profile_ids(&self, age: Duration) -> Option<BTreeSet<String>> {
        let list = self.security_profiles.known(age)?;
        let ids: BTreeSet<String> = list.items.iter().map(|item| item.id.clone()).collect();
        (!ids.is_empty()).then_some(ids)
    }

    /// The security profiles of the instance, by name.
    ///
    /// # Errors
    /// When the list is not known and Connect does not return it by the deadline.
    pub async fn security_profiles(
        &self,
        deadline: Instant,
    ) -> Result<Vec<NamedResource>, Failure> {
        let list = self
            .list(Kind::SecurityProfile, Need::Known, deadline)
            .await?;
        let mut profiles = list.items.clone();
        profiles.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(profiles)
    }

    /// The ids of all security profiles, at most five minutes old or as they were last
    /// read.
    ///
    /// # Errors
    /// When the list is not known and Connect does not return it by the deadline, and when
    /// Connect returns none: each instance has some.
    pub async fn security_profile_ids(
        &self,
        deadline: Instant,
    ) -> Result<SecurityProfileIds, Failure> {
        let list = self
            .list(Kind::SecurityProfile, Need::Known, deadline)
            .await?;
        if list.items.is_empty() {
            return Err(Failure::Transient("NoSecurityProfiles".to_owned()));
        }
        Ok(SecurityProfileIds {
            ids: list.items.iter().map(|item| item.id.clone()).collect(),
            age: list.age(),
        })
    }

    /// The security profile of this name; the list is read again if it is not in it.
    ///
    /// # Errors
    /// [`ProfileError::Unknown`] with the closest names, or when Connect does not return
    /// the list by the deadline.
    pub async fn security_profile(
        &self,
        name: &str,
        deadline: Instant,
    ) -> Result<NamedResource, ProfileError> {
        let list = self
            .list_with(Kind::SecurityProfile, &[name], deadline)
            .await?;
        list.find(name)
            .cloned()
            .ok_or_else(|| ProfileError::Unknown {
                kind: Kind::SecurityProfile,
                unknown: vec![(name.to_owned(), list.closest(name))],
            })
    }

    /// The names that users can be given. A list that is not known and that Connect does
    /// not return by the deadline is empty. Names of several hierarchy groups are left out.
    pub async fn names(&self, deadline: Instant) -> Names {
        let of = async |kind| {
            let list = self.list(kind, Need::Known, deadline).await;
            list.map(|list| list.unambiguous_names())
                .unwrap_or_default()
        };
        let (security_profiles, routing_profiles, hierarchy_groups) = tokio::join!(
            of(Kind::SecurityProfile),
            of(Kind::RoutingProfile),
            of(Kind::HierarchyGroup),
        );
        Names {
            security_profiles,
            routing_profiles,
            hierarchy_groups,
        }
    }

    async fn find_all(
        &self,
        kind: Kind,
        names: &[String],
        deadline: Instant,
    ) -> Result<BTreeSet<String>, ProfileError> {
        self.list_with(kind, names, deadline)
            .await?
            .find_all(kind, names)
    }

    /// The list, read again if it has not all of these names.
    async fn list_with(
        &self,
        kind: Kind,
        names: &[impl AsRef<str>],
        deadline: Instant,
    ) -> Result<Arc<List>, Failure> {
        let list = self.list(kind, Need::Known, deadline).await?;
        if names.iter().all(|name| list.find(name.as_ref()).is_some()) {
            return Ok(list);
        }
        self.list(kind, Need::New, deadline).await
    }

    async fn list(&self, kind: Kind, need: Need, deadline: Instant) -> Result<Arc<List>, Failure> {
        let cache = match kind {
            Kind::SecurityProfile => &self.security_profiles,
            Kind::RoutingProfile => &self.routing_profiles,
            Kind::HierarchyGroup => &self.hierarchy_groups,
        };
        let read = || {
            let connect = self.connect.clone();
            async move {
                let items = match kind {
                    Kind::SecurityProfile => connect.security_profiles().await,
                    Kind::RoutingProfile => connect.routing_profiles().await,
                    Kind::HierarchyGroup => connect.hierarchy_groups().await,
                };
                items.map_err(|error| Failure::from(&error))
            }
        };
        cache.get(need, deadline, read).await
    }
}

#[cfg(test)]
mod tests;
