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

use tokio::time::Instant;

use self::{
    cache::{Cache, Need},
    list::List,
};
use crate::{
    connect::{Connect, NamedResource},
    mapping::{SecurityProfiles, Wanted},
    reconcile::Failure,
    user::ConnectUser,
};

/// The most security profiles that a user can have.
const MAXIMUM_SECURITY_PROFILES: usize = 10;

/// The names that stand where a SCIM User names none.
#[derive(Debug, Clone)]
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
    /// routing profile and hierarchy group or, where one cannot be resolved, the one that
    /// the user has (`applied`): a leaver must not keep permissions because a profile was
    /// renamed or a list cannot be read.
    ///
    /// # Errors
    /// When the profile that permits nothing does not exist
    /// ([`ProfileError::NoSuspendedProfile`]), when a routing profile cannot be resolved
    /// and nothing was applied, and when the list of security profiles is not known and
    /// Connect does not return it by the deadline.
    pub async fn resolve_suspended(
        &self,
        wanted: &Wanted,
        applied: Option<&ConnectUser>,
        deadline: Instant,
    ) -> Result<ProfileIds, ProfileError> {
        let (security_profiles, routing_profile, hierarchy_group) = tokio::join!(
            self.resolve_suspended_security_profiles(wanted, deadline),
            self.resolve_routing_profile(wanted, deadline),
            self.resolve_hierarchy_group(wanted, deadline),
        );
        Ok(ProfileIds {
            security_profiles: security_profiles?,
            routing_profile: match (routing_profile, applied) {
                (Err(_), Some(user)) => user.routing_profile_id.clone(),
                (resolved, _) => resolved?,
            },
            hierarchy_group: match (hierarchy_group, applied) {
                (Err(_), Some(user)) => user.hierarchy_group_id.clone(),
                (Err(ProfileError::Unknown { .. } | ProfileError::Ambiguous(_)), None) => None,
                (resolved, None) | (resolved @ Ok(_), Some(_)) => resolved?,
            },
        })
    }

    async fn resolve_suspended_security_profiles(
        &self,
        wanted: &Wanted,
        deadline: Instant,
    ) -> Result<BTreeSet<String>, ProfileError> {
        let Some(name) = &self.defaults.suspended_security_profile else {
            return self.resolve_security_profiles(wanted, deadline).await;
        };
        let kind = Kind::SecurityProfile;
        match self
            .find_all(kind, std::slice::from_ref(name), deadline)
            .await
        {
            Err(ProfileError::Unknown { .. }) => {
                Err(ProfileError::NoSuspendedProfile(name.clone()))
            }
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
        let default = std::slice::from_ref(&self.defaults.security_profile);
        let names: &[String] = match &wanted.security_profiles {
            SecurityProfiles::Named(names) => names,
            SecurityProfiles::Default => default,
            SecurityProfiles::Fallback(parts) => {
                let list = self
                    .list(Kind::SecurityProfile, Need::Known, deadline)
                    .await?;
                let names_profiles = parts.iter().any(|part| list.find(part).is_some());
                if names_profiles { parts } else { default }
            }
        };
        if names.len() > MAXIMUM_SECURITY_PROFILES {
            return Err(ProfileError::TooMany(names.len()));
        }
        self.find_all(Kind::SecurityProfile, names, deadline).await
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
