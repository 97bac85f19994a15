//! Makes Connect have what is wanted of one user: carries out the [plan](crate::plan),
//! and sorts what goes wrong into what the identity provider must hear and what passes.
//!
//! - *Refused*: an invalid value, a name that is taken, a used-up quota, a permission
//!   that the endpoint lacks. Repeating it changes nothing; somebody has to act.
//! - *Transient*: throttling, a failure of the service, no answer. It passes.
//!
//! Connect's user operations have no idempotency token. All but `CreateUser` are
//! idempotent by nature; a `CreateUser` that was carried out although its answer was
//! lost shows as `DuplicateResourceException` on the next one, and is recognised by the
//! SCIM id in the tags that the user was created with.

use aws_json_client::{Error, ErrorKind};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    connect::{
        Connect, CreateUser, DUPLICATE, IdentityInfo, LIMIT_EXCEEDED, NOT_FOUND, PhoneConfig, User,
    },
    directory::has_left,
    mapping::IdentityManagement,
    plan::{Call, after, plan},
    store::{ConnectState, Record, Store, StoreError, fold},
    user::{AppliedUser, ConnectUser, owner},
};

/// How often a plan is made anew because Connect turned out to be in another state.
const ROUNDS: u32 = 4;

/// Whether Connect users that were there before are taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adopt {
    /// Their username is taken.
    Never,
    /// Those whose first and last name match as well are.
    Matching,
    /// All of the same username are.
    Always,
}

/// What is wanted of a user in Connect.
#[derive(Clone, PartialEq)]
pub enum Presence {
    /// The user, as described.
    Present(ConnectUser),
    /// The user without permissions if there is one; else none.
    Suspended(ConnectUser),
    /// No user.
    Absent,
}

impl Presence {
    /// The username that is wanted in Connect; none where no user is.
    pub(crate) fn username(&self) -> Option<&str> {
        self.described().map(|user| user.username.as_str())
    }

    fn described(&self) -> Option<&ConnectUser> {
        match self {
            Self::Present(user) | Self::Suspended(user) => Some(user),
            Self::Absent => None,
        }
    }

    fn desired(&self, applied: Option<&AppliedUser>) -> Option<&ConnectUser> {
        match self {
            Self::Present(user) => Some(user),
            Self::Suspended(user) => applied.is_some().then_some(user),
            Self::Absent => None,
        }
    }
}

/// Why Connect does not have what is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Somebody has to act.
    Refused(Refusal),
    /// It passes; the error code, or what stands for it.
    Transient(String),
}

/// Why bringing a user to Connect stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// See [`Failure`].
    Failed(Failure),
    /// Connect does not know an id that the plan names: a profile was deleted since the
    /// names were read. Otherwise the refusal is final.
    UnknownId(Refusal),
    /// The username is that of the Connect user of a leaver, whose SCIM id this is.
    HeldByLeaver(String),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Failed(failure) => failure,
            Stop::UnknownId(refusal) => Self::Refused(refusal),
            Stop::HeldByLeaver(_) => Self::Transient("UserNameIsBeingReleased".to_owned()),
        }
    }
}

/// What the identity provider's administrator should read. The details may quote
/// Connect, which may quote input: not for logs.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Somebody else has the username in Connect.
    #[error("{0}")]
    UserNameTaken(String),
    /// Connect does not accept a value.
    #[error("{0}")]
    Invalid(String),
    /// A quota of the Connect instance is used up.
    #[error("{0}")]
    QuotaExceeded(String),
    /// The endpoint may not do this, or the instance is not as it is configured.
    #[error("{0}")]
    Misconfigured(String),
}

impl Refusal {
    /// One word, for logs and for the record.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UserNameTaken(_) => "UserNameTaken",
            Self::Invalid(_) => "Invalid",
            Self::QuotaExceeded(_) => "QuotaExceeded",
            Self::Misconfigured(_) => "Misconfigured",
        }
    }
}

impl std::fmt::Debug for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.code())
    }
}

/// Brings single users in Connect to what is wanted.
#[derive(Debug, Clone)]
pub(crate) struct Reconciler {
    pub connect: Connect,
    pub store: Store,
    pub identity_management: IdentityManagement,
    pub adopt: Adopt,
}

/// One user to be brought to what is wanted.
pub(crate) struct Task<'a> {
    pub scim_id: &'a str,
    /// The usernames to look for where no Connect id is known.
    pub usernames: &'a [String],
    pub presence: &'a Presence,
    /// The password that the identity provider chose, for a user to be created.
    pub password: Option<&'a SecretString>,
    /// When to leave the rest to others.
    pub deadline: Instant,
}

impl Reconciler {
    /// Brings a user to what is wanted, and `state` to what was found and done.
    pub(crate) async fn bring(
        &self,
        state: &mut ConnectState,
        task: &Task<'_>,
    ) -> Result<(), Stop> {
        if state.uncertain {
            self.observe(state, task).await?;
        }
        for _ in 0..ROUNDS {
            let applied = state.applied.as_ref();
            let desired = task.presence.desired(applied);
            let calls = plan(applied.map(|applied| &applied.user), desired);
            if self.carry_out(calls, state, task).await? {
                return Ok(());
            }
        }
        Err(Failure::Transient("Unsettled".to_owned()).into())
    }

    /// Reads from Connect what `state` is not certain of.
    async fn observe(&self, state: &mut ConnectState, task: &Task<'_>) -> Result<(), Failure> {
        let mut found = None;
        if let Some(applied) = &state.applied {
            let described = self.connect.describe_user(&applied.user_id);
            found = match within(task.deadline, described).await {
                Ok(user) => Some(user),
                Err(Trouble::Service(error)) if error.code() == Some(NOT_FOUND) => None,
                Err(trouble) => return Err(trouble.into_failure("DescribeUser")),
            };
        }
        for username in task.usernames {
            if found.is_some() {
                break;
            }
            found = within(task.deadline, self.connect.find_user(username))
                .await
                .map_err(|trouble| trouble.into_failure("SearchUsers"))?
                .filter(|user| owner(&user.tags) == Some(task.scim_id));
        }
        let before = state.applied.as_ref().map(|before| &before.user);
        let seen = match (found, task.presence.described()) {
            (None, _) => None,
            (Some(user), None) => Some(AppliedUser::seen(user)),
            (Some(user), Some(desired)) => self.look_at(user, desired, before, task).await?,
        };
        state.applied = seen;
        state.uncertain = false;
        Ok(())
    }

    /// An existing user as far as SCIM has a say; none if it is deleted meanwhile. It costs
    /// a call if SCIM has a say in proficiencies.
    async fn look_at(
        &self,
        user: User,
        desired: &ConnectUser,
        before: Option<&ConnectUser>,
        task: &Task<'_>,
    ) -> Result<Option<AppliedUser>, Failure> {
        let mut seen = AppliedUser::observed(user, desired, before);
        let decides_proficiencies = !desired.proficiencies.is_empty()
            || before.is_some_and(|before| !before.proficiencies.is_empty());
        if decides_proficiencies {
            let list = self.connect.proficiencies(&seen.user_id);
            match within(task.deadline, list).await {
                Ok(proficiencies) => seen.user.proficiencies = proficiencies,
                Err(Trouble::Service(error)) if error.code() == Some(NOT_FOUND) => return Ok(None),
                Err(trouble) => return Err(trouble.into_failure("ListUserProficiencies")),
            }
        }
        Ok(Some(seen))
    }

    /// Makes the calls in order. The answer is whether the plan still held at the end.
    async fn carry_out(
        &self,
        calls: Vec<Call>,
        state: &mut ConnectState,
        task: &Task<'_>,
    ) -> Result<bool, Stop> {
        for call in calls {
            let user_id = state
                .applied
                .as_ref()
                .map(|applied| applied.user_id.clone())
                .unwrap_or_default();
            let outcome = within(task.deadline, self.make(&call, &user_id, task)).await;
            match outcome {
                Ok(user_id) => state.applied = after(state.applied.take(), call, &user_id),
                Err(Trouble::Service(error)) => match (&call, error.code()) {
                    (Call::Delete, Some(NOT_FOUND)) => state.applied = None,
                    (Call::Create(_), Some(DUPLICATE)) => {
                        let taken_over = self.take_over(task).await;
                        // It may be this user, created by an attempt whose response was lost.
                        state.uncertain = error.may_have_been_carried_out()
                            || matches!(taken_over, Err(Stop::Failed(Failure::Transient(_))));
                        state.applied = Some(taken_over?);
                        state.uncertain = false;
                        return Ok(false);
                    }
                    (Call::Create(_), Some(NOT_FOUND)) => return Err(unknown_id(&error)),
                    (_, Some(NOT_FOUND)) => {
                        // The user is gone, or what the call names is: a profile, or a
                        // proficiency that the user was thought to have.
                        let believed = state.applied.clone();
                        state.uncertain = true;
                        self.observe(state, task).await?;
                        if state.applied.is_some() && state.applied == believed {
                            return Err(unknown_id(&error));
                        }
                        return Ok(false);
                    }
                    _ => {
                        state.uncertain |= error.may_have_been_carried_out();
                        return Err(Failure::from(&error).into());
                    }
                },
                Err(trouble) => {
                    state.uncertain = true;
                    return Err(trouble.into_failure(call.operation()).into());
                }
            }
        }
        Ok(true)
    }

    /// Makes one call. The answer is the id of the user that it was about.
    async fn make(&self, call: &Call, user_id: &str, task: &Task<'_>) -> Result<String, Error> {
        let connect = &self.connect;
        match call {
            Call::Create(user) => return self.create(user, task).await,
            Call::Delete => connect.delete_user(user_id).await,
            Call::SecurityProfiles(ids) => {
                let ids = ids.iter().map(String::as_str).collect();
                connect.update_security_profiles(user_id, ids).await
            }
            Call::Hierarchy(id) => connect.update_hierarchy(user_id, id.as_deref()).await,
            Call::RoutingProfile(id) => connect.update_routing_profile(user_id, id).await,
            Call::Identity(identity) => connect.update_identity_info(user_id, identity).await,
            Call::Phone(phone) => connect.update_phone_config(user_id, phone).await,
            Call::RemoveProficiencies(names) => {
                connect.disassociate_proficiencies(user_id, names).await
            }
            Call::UpdateProficiencies(changed) => {
                connect.update_proficiencies(user_id, changed).await
            }
            Call::AddProficiencies(added) => connect.associate_proficiencies(user_id, added).await,
            Call::Tag(tags) => connect.tag_user(user_id, tags).await,
            Call::Untag(keys) => {
                let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
                connect.untag_user(user_id, &keys).await
            }
        }?;
        Ok(user_id.to_owned())
    }

    async fn create(&self, user: &ConnectUser, task: &Task<'_>) -> Result<String, Error> {
        let generated;
        let password = match (self.identity_management, task.password) {
            (IdentityManagement::Saml, _) => None,
            (IdentityManagement::ConnectManaged, Some(password)) => Some(password.expose_secret()),
            (IdentityManagement::ConnectManaged, None) => {
                generated = generate_password();
                Some(generated.expose_secret())
            }
        };
        let default_phone = PhoneConfig::default();
        self.connect
            .create_user(&CreateUser {
                username: &user.username,
                password,
                identity_info: &user.identity,
                phone_config: user.phone.as_ref().unwrap_or(&default_phone),
                security_profile_ids: user
                    .security_profile_ids
                    .iter()
                    .map(String::as_str)
                    .collect(),
                routing_profile_id: &user.routing_profile_id,
                hierarchy_group_id: user.hierarchy_group_id.as_deref(),
                tags: &user.tags,
            })
            .await
    }

    /// The Connect user that has the wanted username already, if it is this user's or
    /// may become it.
    async fn take_over(&self, task: &Task<'_>) -> Result<AppliedUser, Stop> {
        let Some(desired) = task.presence.described() else {
            return Err(Failure::Transient("Unsettled".to_owned()).into());
        };
        let found = within(task.deadline, self.connect.find_user(&desired.username))
            .await
            .map_err(|trouble| trouble.into_failure("SearchUsers"))?;
        let Some(found) = found else {
            // Deleted in between, or not yet listed.
            return Err(Failure::Transient(DUPLICATE.to_owned()).into());
        };
        let Some(existing) = self.look_at(found, desired, None, task).await? else {
            return Err(Failure::Transient(DUPLICATE.to_owned()).into());
        };
        let holder = match existing.owner() {
            None => Holder::Unmanaged,
            Some(owner) if owner == task.scim_id => return Ok(existing),
            Some(owner) => match self.store.get_record(owner).await {
                Ok(record) => Holder::of(owner, record.as_ref(), &desired.username),
                Err(error) => return Err(Failure::Transient(store_code(&error)).into()),
            },
        };
        if holder == Holder::Unknown {
            // A deleted user leaves Connect first and the table then, so a Connect user that
            // was found before may be gone by now.
            let described = self.connect.describe_user(&existing.user_id);
            match within(task.deadline, described).await {
                Ok(_) => {}
                Err(Trouble::Service(error)) if error.code() == Some(NOT_FOUND) => {
                    return Err(Failure::Transient(DUPLICATE.to_owned()).into());
                }
                Err(trouble) => return Err(trouble.into_failure("DescribeUser").into()),
            }
        }
        let is_same = is_same_person(&existing.user.identity, &desired.identity);
        adoption(holder, self.adopt, is_same)?;
        Ok(existing)
    }
}

/// Who has a username in Connect that another user is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Holder {
    /// No SCIM directory.
    Unmanaged,
    /// A SCIM user whom this directory does not have: of another deployment, or of a
    /// directory that no longer exists.
    Unknown,
    /// A SCIM user of this directory who left and has another userName by now.
    Leaver(String),
    /// A SCIM user who has another userName, which Connect does not have yet.
    Renamed,
    /// Another SCIM user of the same userName in other spelling.
    Other,
}

impl Holder {
    fn of(id: &str, record: Option<&Record>, username: &str) -> Self {
        match record {
            None => Self::Unknown,
            Some(record) if has_left(record, username) => Self::Leaver(id.to_owned()),
            Some(record) if fold(record.user.user_name()) != fold(username) => Self::Renamed,
            Some(_) => Self::Other,
        }
    }
}

/// Whether an existing Connect user becomes that of a SCIM user.
fn adoption(holder: Holder, adopt: Adopt, is_same_person: bool) -> Result<(), Stop> {
    let taken = |detail: &str| {
        let refusal = Refusal::UserNameTaken(detail.to_owned());
        Err(Failure::Refused(refusal).into())
    };
    match (holder, adopt) {
        (Holder::Leaver(id), _) => Err(Stop::HeldByLeaver(id)),
        (Holder::Renamed, _) => {
            Err(Failure::Transient("UserNameIsBeingReleased".to_owned()).into())
        }
        (Holder::Other, _) => taken("another SCIM user has this userName in Amazon Connect"),
        (Holder::Unknown | Holder::Unmanaged, Adopt::Always) => Ok(()),
        // Only the operator knows whether the other directory still exists.
        (Holder::Unknown, Adopt::Matching | Adopt::Never) => taken(
            "Amazon Connect has a user of this userName that another SCIM directory manages or managed: delete that user, or deploy with `adopt: always` if that directory no longer exists",
        ),
        (Holder::Unmanaged, Adopt::Matching) if is_same_person => Ok(()),
        (Holder::Unmanaged, Adopt::Matching) => taken(
            "Amazon Connect has a user of this userName with another first or last name, which SCIM does not manage: correct the name, delete that user, or deploy with `adopt: always`",
        ),
        (Holder::Unmanaged, Adopt::Never) => taken(
            "Amazon Connect has a user of this userName, which SCIM does not manage: delete that user, or deploy with `adopt: matching`",
        ),
    }
}

fn unknown_id(error: &Error) -> Stop {
    match Failure::from(error) {
        Failure::Refused(refusal) if !error.operation().ends_with("UserProficiencies") => {
            Stop::UnknownId(refusal)
        }
        failure => Stop::Failed(failure),
    }
}

fn is_same_person(existing: &IdentityInfo, desired: &IdentityInfo) -> bool {
    let same = |left: &Option<String>, right: &Option<String>| {
        let folded = |name: &Option<String>| name.as_deref().map(fold);
        folded(left) == folded(right)
    };
    same(&existing.first_name, &desired.first_name) && same(&existing.last_name, &desired.last_name)
}

/// Random, and within Connect's rules (8 to 64 characters; lower case, upper case, digit).
fn generate_password() -> SecretString {
    SecretString::from(format!("Aa1{}", Uuid::new_v4().simple()))
}

/// Why a call has no output.
enum Trouble {
    Service(Error),
    OutOfTime,
}

impl Trouble {
    fn into_failure(self, operation: &'static str) -> Failure {
        match self {
            Self::Service(error) => Failure::from(&error),
            Self::OutOfTime => Failure::Transient(format!("{operation}OutOfTime")),
        }
    }
}

async fn within<T>(
    deadline: Instant,
    call: impl Future<Output = Result<T, Error>>,
) -> Result<T, Trouble> {
    match tokio::time::timeout_at(deadline, call).await {
        Ok(outcome) => outcome.map_err(Trouble::Service),
        Err(_) => Err(Trouble::OutOfTime),
    }
}

impl From<&Error> for Failure {
    /// Sorts an error of Connect.
    fn from(error: &Error) -> Self {
        sort(
            error.kind(),
            error.operation(),
            error.code().unwrap_or("NoErrorCode"),
            error.status(),
            error.message(),
        )
    }
}

fn sort(
    kind: ErrorKind,
    operation: &str,
    code: &str,
    status: Option<u16>,
    message: Option<&str>,
) -> Failure {
    let quoted = message.unwrap_or(code);
    match kind {
        ErrorKind::Throttled | ErrorKind::Unavailable => Failure::Transient(code.to_owned()),
        ErrorKind::Unreachable | ErrorKind::InvalidResponse => {
            Failure::Transient("NoAnswer".to_owned())
        }
        ErrorKind::Unsendable => Failure::Refused(Refusal::Misconfigured(
            "the endpoint cannot sign requests to Amazon Connect".to_owned(),
        )),
        ErrorKind::Refused => Failure::Refused(match code {
            LIMIT_EXCEEDED => Refusal::QuotaExceeded(format!(
                "a quota of the Amazon Connect instance is used up ({}): {quoted}. Delete users, or ask AWS for more in Service Quotas",
                if operation == "CreateUser" {
                    "Users per instance"
                } else {
                    operation
                },
            )),
            DUPLICATE => Refusal::UserNameTaken(format!("Amazon Connect: {quoted}")),
            NOT_FOUND if operation.ends_with("UserProficiencies") => Refusal::Invalid(format!(
                "proficiencies: each must be a predefined attribute of the Amazon Connect instance and one of its values: {quoted}"
            )),
            NOT_FOUND => Refusal::Invalid(format!(
                "Amazon Connect no longer has something that the user needs: {quoted}"
            )),
            _ if matches!(status, Some(401 | 403)) => Refusal::Misconfigured(format!(
                "the endpoint is not permitted to call connect:{operation}: {code}"
            )),
            _ => Refusal::Invalid(format!("Amazon Connect refused the user: {quoted}")),
        }),
    }
}

fn store_code(error: &StoreError) -> String {
    match error {
        StoreError::DynamoDb(error) => error.code().unwrap_or("NoAnswer").to_owned(),
        _ => "DirectoryTable".to_owned(),
    }
}

#[cfg(test)]
mod tests;
