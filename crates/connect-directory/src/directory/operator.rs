//! What only an operator does: comparing a user with Connect, bringing Connect back to
//! what is wanted whatever somebody else made of it, taking users over.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use aws_json_client::Error;
use jiff::Timestamp;
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    Context, Directory, DirectoryError, Observation, Reconciled, Unresolved, Written,
    wanted::{Intent, MappedGroups},
};
use crate::{
    connect::{Connect, FoundUser, NOT_FOUND, User},
    import,
    plan::plan,
    reconcile::{Failure, Presence, Refusal},
    store::{ConnectState, Record, StoreError, StoredUser, iso, new_id},
    user::{AppliedUser, ConnectUser, EXTERNAL_ID_TAG, owner},
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

    /// Whether the last write to Connect left what is wanted of a user by now. It differs
    /// after a change of the settings until the user is reconciled.
    ///
    /// # Errors
    /// When it cannot be worked out what is wanted.
    pub async fn is_applied(&self, record: &Record) -> Result<bool, DirectoryError> {
        let applied = record.connect.applied.as_ref().map(|applied| &applied.user);
        Ok(match self.desired(record).await? {
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

    async fn desired(&self, record: &Record) -> Result<Presence, DirectoryError> {
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
        let groups = self.mapped_groups([&record.user]).await?;
        let intent = self.intent(record, &groups)?;
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

    /// Whether a Connect user can be taken over, as far as a search tells: without its
    /// addresses.
    ///
    /// # Errors
    /// As of [`Directory::import`], apart from those of the store.
    pub async fn check_import(
        &self,
        user: &FoundUser,
        names: &BTreeMap<String, String>,
        context: Context<'_>,
    ) -> Result<(), DirectoryError> {
        let id = Uuid::nil().to_string();
        self.prepare_import(user.clone().into(), names, id, context)
            .await?;
        Ok(())
    }

    /// Takes a Connect user over: adds a SCIM user of the same name, addresses and
    /// profiles, and marks the Connect user as SCIM's, which changes nothing else of it.
    /// `names` are those of [`Directory::names_by_id`].
    ///
    /// The tags of a directory that was lost give the user the SCIM id and external id
    /// back by which the identity provider knows it.
    ///
    /// # Errors
    /// When a SCIM user has the userName or owns the Connect user, the Connect user cannot
    /// be one of SCIM as it is, Connect refuses, or the store fails. Nothing is left of a
    /// refused import in the directory.
    pub async fn import(
        &self,
        user: User,
        names: &BTreeMap<String, String>,
        context: Context<'_>,
    ) -> Result<Written, DirectoryError> {
        let id = self.id_for(owner(&user.tags), context).await?;
        let import = self.prepare_import(user, names, id, context).await?;
        let mut claimed = self.store.create(import.record, context.now, true).await?;
        let mut after = claimed.record.clone();
        claimed.record.pending_since = None;
        let outcome = self
            .bring(&mut after, &import.intent, import.presence, None, context)
            .await;
        match outcome {
            Err(Failure::Refused(refusal)) => {
                self.store.delete_user(&claimed, context.now).await?;
                Err(DirectoryError::Refused(refusal))
            }
            outcome => Ok(self.settle(&claimed, after, outcome, context).await?),
        }
    }

    async fn prepare_import(
        &self,
        user: User,
        names: &BTreeMap<String, String>,
        id: String,
        context: Context<'_>,
    ) -> Result<Import, DirectoryError> {
        let document = import::resource(
            &user,
            names,
            self.settings.identity_management,
            &self.settings.attributes,
        )
        .map_err(|error| DirectoryError::Profile(error.to_string()))?;
        let external_id = user.tags.get(EXTERNAL_ID_TAG).cloned();
        let now = iso(context.now);
        let mut record = Record {
            user: StoredUser {
                id,
                version: 1,
                created: now.clone(),
                last_modified: now.clone(),
                document,
                external_ids: external_id
                    .map(|id| (context.client.to_owned(), id))
                    .into_iter()
                    .collect(),
                groups: BTreeMap::new(),
            },
            connect: ConnectState::default(),
            pending_since: Some(now),
            removed: false,
            claim: None,
        };
        let intent = self.intent(&record, &MappedGroups::new())?;
        let presence = self.desired(&record).await?;
        let Presence::Present(desired) = &presence else {
            return Err(DirectoryError::Refused(Refusal::Invalid(
                "the attributes that the environment names make it inactive".to_owned(),
            )));
        };
        let applied = AppliedUser::observed(user, desired, None);
        let changes = import::changes(desired, &applied.user, names);
        if !changes.is_empty() {
            return Err(DirectoryError::Refused(Refusal::Invalid(format!(
                "SCIM would change its {}: no attribute of `provisioning.attributes` holds what it has; name one, or change the user in Amazon Connect first",
                changes.join(", ")
            ))));
        }
        record.connect.applied = Some(applied);
        Ok(Import {
            record,
            intent,
            presence,
        })
    }

    /// The SCIM id for a Connect user: the one in its tags, if it has one and nobody here
    /// has it; else a new one.
    async fn id_for(
        &self,
        owner: Option<&str>,
        context: Context<'_>,
    ) -> Result<String, DirectoryError> {
        let is_id = |owner: &&str| Uuid::try_parse(owner).is_ok_and(|id| id.to_string() == *owner);
        let Some(owner) = owner.filter(is_id) else {
            return Ok(new_id(context.now).to_string());
        };
        if self.store.get_record(owner).await?.is_some() {
            return Err(DirectoryError::Refused(Refusal::UserNameTaken(
                "a user of the directory owns it already".to_owned(),
            )));
        }
        Ok(owner.to_owned())
    }
}

/// A user about to be taken over: it differs from what is wanted by its tags only.
struct Import {
    record: Record,
    intent: Intent,
    presence: Presence,
}
