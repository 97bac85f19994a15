//! What only an operator does: comparing a user with Connect, bringing Connect back to
//! what is wanted whatever somebody else made of it.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use aws_json_client::Error;
use jiff::Timestamp;
use tokio::time::Instant;

use super::{
    Context, Directory, DirectoryError, Observation, Reconciled, Unresolved, wanted::MappedGroups,
};
use crate::{
    connect::{Connect, NOT_FOUND, User},
    plan::plan,
    reconcile::Presence,
    store::{Record, StoreError},
    user::{AppliedUser, ConnectUser},
};

/// How long an operator waits for a list of names.
const LIST_TIME: Duration = Duration::from_secs(30);

/// What is wanted of a user, and what Connect has.
pub struct Comparison {
    /// What is wanted; absent: no user. Or why that cannot be worked out.
    pub desired: Result<Option<ConnectUser>, DirectoryError>,
    /// What Connect has; absent: no user.
    pub actual: Option<AppliedUser>,
}

/// A group that a user is a member of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantingGroup {
    /// `displayName`.
    pub name: String,
    /// The names of the security profiles that its members get.
    pub security_profiles: Vec<String>,
}

impl Directory {
    /// The instance, for reading.
    pub fn connect(&self) -> &Connect {
        &self.reconciler.connect
    }

    /// The names of security profiles, routing profiles and hierarchy groups, by id.
    ///
    /// # Errors
    /// When Connect does not answer.
    pub async fn names_by_id(&self) -> Result<BTreeMap<String, String>, Error> {
        let connect = self.connect();
        let lists = [
            connect.security_profiles().await?,
            connect.routing_profiles().await?,
            connect.hierarchy_groups().await?,
        ];
        let resources = lists.into_iter().flatten();
        Ok(resources
            .map(|resource| (resource.id, resource.name))
            .collect())
    }

    /// Compares a user with Connect, which is read for it.
    ///
    /// # Errors
    /// When Connect does not answer.
    pub async fn compare(&self, record: &Record) -> Result<Comparison, Error> {
        let user = self.actual(record).await?;
        self.comparison(record, user).await
    }

    async fn comparison(&self, record: &Record, user: Option<User>) -> Result<Comparison, Error> {
        let actual = match user {
            None => None,
            Some(user) => {
                let proficiencies = self.connect().proficiencies(&user.id).await?;
                Some(AppliedUser::whole(user, proficiencies))
            }
        };
        let desired = match self.desired(record).await {
            Ok(Presence::Present(user)) => Ok(Some(user)),
            Ok(Presence::Suspended(user)) => Ok(actual.is_some().then_some(user)),
            Ok(Presence::Absent) => Ok(None),
            Err(error) => Err(error),
        };
        Ok(Comparison { desired, actual })
    }

    /// Everything kept of all users, oldest first, those included that still have to go
    /// from Connect.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn records(&self) -> Result<Vec<Record>, StoreError> {
        let mut ids = self.store.ids().await?;
        let pending = self.store.pending_ids(Timestamp::MAX).await?;
        let known: HashSet<&String> = ids.iter().collect();
        let removed: Vec<String> = pending
            .into_iter()
            .filter(|id| !known.contains(id))
            .collect();
        ids.extend(removed);
        self.store.records(&ids).await
    }

    /// For each user, whether the last write to Connect left what is wanted of it by now, or
    /// why that cannot be worked out. It differs after a change of the settings until the
    /// user is reconciled.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn are_applied(
        &self,
        records: &[&Record],
    ) -> Result<Vec<Result<bool, DirectoryError>>, StoreError> {
        let users = records.iter().map(|record| &record.user);
        let groups = self.mapped_groups(users).await?;
        let mut applied = Vec::with_capacity(records.len());
        for record in records {
            applied.push(self.is_applied(record, &groups).await);
        }
        Ok(applied)
    }

    async fn is_applied(
        &self,
        record: &Record,
        groups: &MappedGroups,
    ) -> Result<bool, DirectoryError> {
        let applied = record.connect.applied.as_ref().map(|applied| &applied.user);
        Ok(match self.desired_with(record, groups).await? {
            Presence::Present(desired) => plan(applied, Some(&desired)).is_empty(),
            Presence::Suspended(desired) => {
                applied.is_none() || plan(applied, Some(&desired)).is_empty()
            }
            Presence::Absent => applied.is_none(),
        })
    }

    /// Compares a user with the Connect user that it was last known to have, which is read
    /// for it; another one of the same name is none of it.
    ///
    /// # Errors
    /// When Connect does not answer.
    pub async fn compare_known(&self, record: &Record) -> Result<Comparison, Error> {
        let user = match &record.connect.applied {
            None => None,
            Some(applied) => match self.connect().describe_user(&applied.user_id).await {
                Err(error) if error.code() == Some(NOT_FOUND) => None,
                described => Some(described?),
            },
        };
        self.comparison(record, user).await
    }

    async fn actual(&self, record: &Record) -> Result<Option<User>, Error> {
        if let Some(applied) = &record.connect.applied {
            match self.connect().describe_user(&applied.user_id).await {
                Err(error) if error.code() == Some(NOT_FOUND) => {}
                described => return described.map(Some),
            }
        }
        self.connect().find_user(record.user.user_name()).await
    }

    pub(super) async fn desired(&self, record: &Record) -> Result<Presence, DirectoryError> {
        let groups = self.mapped_groups([&record.user]).await?;
        self.desired_with(record, &groups).await
    }

    async fn desired_with(
        &self,
        record: &Record,
        groups: &MappedGroups,
    ) -> Result<Presence, DirectoryError> {
        if record.removed {
            return Ok(Presence::Absent);
        }
        let deadline = Instant::now() + LIST_TIME;
        let context = Context {
            now: Timestamp::now(),
            deadline,
            stop: deadline,
            client: "",
        };
        let intent = self.intent(record, groups)?;
        match self.presence(record, &intent, context).await {
            Ok(presence) => Ok(presence),
            Err(Unresolved::Refused(error)) => Err(error),
            Err(Unresolved::Transient(code)) => Err(DirectoryError::Unchecked(code)),
        }
    }

    /// Brings Connect to what is wanted of a user, whatever it has: [`Directory::reconcile`],
    /// which trusts what was recorded, but reading Connect first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn mend(&self, id: &str, context: Context<'_>) -> Result<Reconciled, StoreError> {
        self.reconcile_from(id, Observation::Anew, context).await
    }

    /// The groups of a user, and the security profiles that each of them grants.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn granting_groups(&self, record: &Record) -> Result<Vec<GrantingGroup>, StoreError> {
        let groups = &record.user.groups;
        let own_names = groups.iter().filter(|(_, profile)| profile.is_none());
        let ids: Vec<&str> = own_names.map(|(id, _)| id.as_str()).collect();
        let names = self.store.group_names(ids).await?;
        let of_profiles = groups.values().flatten().map(|profile| GrantingGroup {
            name: profile.clone(),
            security_profiles: vec![profile.clone()],
        });
        let mapped = names.into_values().map(|name| GrantingGroup {
            security_profiles: self.settings.groups.profiles_of(&name).to_vec(),
            name: name.display,
        });
        Ok(of_profiles.chain(mapped).collect())
    }
}
