//! From the names of profiles to their ids.
//!
//! Connect lists profiles at two calls per second, and they hardly ever change: the
//! lists are kept for five minutes. A name that is not in them may be new, so a miss
//! reads the list once more, but not more often than every ten seconds: an
//! identity provider that keeps sending a wrong name must not use up the quota.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use aws_json_client::Error;
use tokio::sync::Mutex;

use crate::{
    connect::{Connect, NamedResource},
    mapping::{SecurityProfiles, Wanted},
    user::ConnectUser,
};

/// How long a list is used.
const TIME_TO_LIVE: Duration = Duration::from_secs(300);

/// How long after a list was read a miss is taken at its word.
const REFRESH_INTERVAL: Duration = Duration::from_secs(10);

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

/// Which kind of name was not found.
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
    /// Connect did not give the list.
    #[error(transparent)]
    Connect(#[from] Error),
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
    lists: Arc<Mutex<Lists>>,
}

#[derive(Debug, Default)]
struct Lists {
    security_profiles: List,
    routing_profiles: List,
    hierarchy_groups: List,
}

#[derive(Debug, Default)]
struct List {
    items: Vec<NamedResource>,
    read_at: Option<Instant>,
}

impl List {
    fn is_older_than(&self, age: Duration) -> bool {
        self.read_at.is_none_or(|read_at| read_at.elapsed() >= age)
    }

    /// The resource of this name, or of this name in other case if that is only one.
    fn find(&self, name: &str) -> Option<&NamedResource> {
        self.items
            .iter()
            .find(|item| item.name == name)
            .or_else(|| {
                let folded = name.to_lowercase();
                let mut similar = self
                    .items
                    .iter()
                    .filter(|item| item.name.to_lowercase() == folded);
                similar.next().filter(|_| similar.next().is_none())
            })
    }

    fn closest(&self, name: &str) -> Vec<String> {
        let folded = name.to_lowercase();
        let mut scored: Vec<(f64, &str)> = self
            .items
            .iter()
            .map(|item| {
                let score = strsim::jaro_winkler(&folded, &item.name.to_lowercase());
                (score, item.name.as_str())
            })
            .filter(|(score, _)| *score > 0.7)
            .collect();
        scored.sort_by(|left, right| right.0.total_cmp(&left.0));
        scored
            .into_iter()
            .take(3)
            .map(|(_, name)| name.to_owned())
            .collect()
    }
}

impl Profiles {
    /// The profiles of this instance. Reads nothing yet.
    pub fn new(connect: Connect, defaults: Defaults) -> Self {
        Self {
            connect,
            defaults,
            lists: Arc::default(),
        }
    }

    /// The ids that a user's names stand for.
    ///
    /// # Errors
    /// When a name does not exist, and when Connect does not answer.
    pub async fn resolve(&self, wanted: &Wanted) -> Result<ProfileIds, ProfileError> {
        let mut lists = self.lists.lock().await;
        Ok(ProfileIds {
            security_profiles: self.resolve_security_profiles(&mut lists, wanted).await?,
            routing_profile: self.resolve_routing_profile(&mut lists, wanted).await?,
            hierarchy_group: self.resolve_hierarchy_group(&mut lists, wanted).await?,
        })
    }

    /// The ids of a suspended user: the profile that permits nothing, and of the rest
    /// what the names stand for or, where a name no longer exists, what the user has
    /// (`applied`): a leaver must not keep permissions because a profile was renamed.
    ///
    /// # Errors
    /// When the profile that permits nothing does not exist, when a name does not and
    /// nothing was applied, and when Connect does not answer.
    pub async fn resolve_suspended(
        &self,
        wanted: &Wanted,
        applied: Option<&ConnectUser>,
    ) -> Result<ProfileIds, ProfileError> {
        let mut lists = self.lists.lock().await;
        let security_profiles = match &self.defaults.suspended_security_profile {
            Some(name) => {
                let name = std::slice::from_ref(name);
                self.find_all(&mut lists, Kind::SecurityProfile, name)
                    .await?
            }
            None => self.resolve_security_profiles(&mut lists, wanted).await?,
        };
        let routing_profile = match self.resolve_routing_profile(&mut lists, wanted).await {
            Err(ProfileError::Unknown { .. } | ProfileError::Ambiguous(_)) if applied.is_some() => {
                applied
                    .map(|user| user.routing_profile_id.clone())
                    .unwrap_or_default()
            }
            resolved => resolved?,
        };
        let hierarchy_group = match self.resolve_hierarchy_group(&mut lists, wanted).await {
            Err(ProfileError::Unknown { .. } | ProfileError::Ambiguous(_)) => {
                applied.and_then(|user| user.hierarchy_group_id.clone())
            }
            resolved => resolved?,
        };
        Ok(ProfileIds {
            security_profiles,
            routing_profile,
            hierarchy_group,
        })
    }

    async fn resolve_routing_profile(
        &self,
        lists: &mut Lists,
        wanted: &Wanted,
    ) -> Result<String, ProfileError> {
        let name = wanted
            .routing_profile
            .as_ref()
            .unwrap_or(&self.defaults.routing_profile);
        let ids = self
            .find_all(lists, Kind::RoutingProfile, std::slice::from_ref(name))
            .await?;
        Ok(ids.into_iter().next().unwrap_or_default())
    }

    async fn resolve_hierarchy_group(
        &self,
        lists: &mut Lists,
        wanted: &Wanted,
    ) -> Result<Option<String>, ProfileError> {
        let Some(name) = &wanted.hierarchy_group else {
            return Ok(None);
        };
        let ids = self
            .find_all(lists, Kind::HierarchyGroup, std::slice::from_ref(name))
            .await?;
        Ok(ids.into_iter().next())
    }

    /// The security profiles of the instance, by name.
    ///
    /// # Errors
    /// When Connect does not answer and the list was never read.
    pub async fn security_profiles(&self) -> Result<Vec<NamedResource>, Error> {
        let mut lists = self.lists.lock().await;
        self.refresh(&mut lists, Kind::SecurityProfile, TIME_TO_LIVE)
            .await?;
        let mut profiles = lists.security_profiles.items.clone();
        profiles.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(profiles)
    }

    /// The security profile of this name, read anew if it is not in the list.
    ///
    /// # Errors
    /// [`ProfileError::Unknown`] with the closest names, or when Connect does not answer.
    pub async fn security_profile(&self, name: &str) -> Result<NamedResource, ProfileError> {
        let mut lists = self.lists.lock().await;
        let names = [name.to_owned()];
        self.find_all(&mut lists, Kind::SecurityProfile, &names)
            .await?;
        lists
            .security_profiles
            .find(name)
            .cloned()
            .ok_or_else(|| ProfileError::Unknown {
                kind: Kind::SecurityProfile,
                unknown: vec![(name.to_owned(), Vec::new())],
            })
    }

    /// The names that users can be given, as far as Connect says: where it does not
    /// answer, a list is empty. Names of several hierarchy groups are left out.
    pub async fn names(&self) -> Names {
        let mut lists = self.lists.lock().await;
        let mut names = [
            Kind::SecurityProfile,
            Kind::RoutingProfile,
            Kind::HierarchyGroup,
        ]
        .map(|kind| (kind, Vec::new()));
        for (kind, names) in &mut names {
            if self.refresh(&mut lists, *kind, TIME_TO_LIVE).await.is_ok() {
                let mut found: Vec<&str> = lists
                    .of(*kind)
                    .items
                    .iter()
                    .map(|item| item.name.as_str())
                    .collect();
                found.sort_unstable();
                *names = found
                    .chunk_by(|left, right| left == right)
                    .filter_map(|same| match same {
                        [name] => Some((*name).to_owned()),
                        _ => None,
                    })
                    .collect();
            }
        }
        let [security_profiles, routing_profiles, hierarchy_groups] = names.map(|(_, names)| names);
        Names {
            security_profiles,
            routing_profiles,
            hierarchy_groups,
        }
    }

    async fn resolve_security_profiles(
        &self,
        lists: &mut Lists,
        wanted: &Wanted,
    ) -> Result<BTreeSet<String>, ProfileError> {
        let default = std::slice::from_ref(&self.defaults.security_profile);
        let names: &[String] = match &wanted.security_profiles {
            SecurityProfiles::Named(names) => names,
            SecurityProfiles::Default => default,
            SecurityProfiles::Fallback(parts) => {
                self.refresh(lists, Kind::SecurityProfile, TIME_TO_LIVE)
                    .await?;
                let names_profiles = parts
                    .iter()
                    .any(|part| lists.security_profiles.find(part).is_some());
                if names_profiles { parts } else { default }
            }
        };
        if names.len() > MAXIMUM_SECURITY_PROFILES {
            return Err(ProfileError::TooMany(names.len()));
        }
        self.find_all(lists, Kind::SecurityProfile, names).await
    }

    async fn find_all(
        &self,
        lists: &mut Lists,
        kind: Kind,
        names: &[String],
    ) -> Result<BTreeSet<String>, ProfileError> {
        self.refresh(lists, kind, TIME_TO_LIVE).await?;
        if names.iter().any(|name| lists.of(kind).find(name).is_none()) {
            self.refresh(lists, kind, REFRESH_INTERVAL).await?;
        }
        let list = lists.of(kind);
        let mut ids = BTreeSet::new();
        let mut unknown = Vec::new();
        for name in names {
            match list.find(name) {
                Some(item) => {
                    let same_name = list.items.iter().filter(|other| other.name == item.name);
                    if kind == Kind::HierarchyGroup && same_name.count() > 1 {
                        return Err(ProfileError::Ambiguous(name.clone()));
                    }
                    ids.insert(item.id.clone());
                }
                None => unknown.push((name.clone(), list.closest(name))),
            }
        }
        if unknown.is_empty() {
            Ok(ids)
        } else {
            Err(ProfileError::Unknown { kind, unknown })
        }
    }

    /// Reads the list unless it is younger than `age`. An old list is better than none
    /// while Connect does not answer.
    async fn refresh(&self, lists: &mut Lists, kind: Kind, age: Duration) -> Result<(), Error> {
        if !lists.of(kind).is_older_than(age) {
            return Ok(());
        }
        let answer = match kind {
            Kind::SecurityProfile => self.connect.security_profiles().await,
            Kind::RoutingProfile => self.connect.routing_profiles().await,
            Kind::HierarchyGroup => self.connect.hierarchy_groups().await,
        };
        let list = lists.of(kind);
        match answer {
            Ok(items) => {
                *list = List {
                    items,
                    read_at: Some(Instant::now()),
                };
                Ok(())
            }
            Err(error) if error.is_retryable() && list.read_at.is_some() && age == TIME_TO_LIVE => {
                tracing::warn!(%error, "using an old list of names");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

impl Lists {
    fn of(&mut self, kind: Kind) -> &mut List {
        match kind {
            Kind::SecurityProfile => &mut self.security_profiles,
            Kind::RoutingProfile => &mut self.routing_profiles,
            Kind::HierarchyGroup => &mut self.hierarchy_groups,
        }
    }
}
