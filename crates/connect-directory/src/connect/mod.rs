//! Every call that this crate makes to Amazon Connect.

#[cfg(test)]
mod official_model;
mod pace;
mod shapes;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use aws_json_client::{Client, Error, ErrorKind, Method, Request, Response};
use serde::Serialize;

use pace::Paces;
pub use pace::jittered;
pub(crate) use shapes::CreateUser;
use shapes::{
    CreatedUser, DescribedUser, FoundUsers, NamedPage, ProficiencyPage, SearchCriteria,
    SearchUsers, StringCondition, TagResource, UpdateHierarchy, UpdateIdentityInfo,
    UpdatePhoneConfig, UpdateRoutingProfile, UpdateSecurityProfiles, UserPage, UserProficiencies,
};
pub use shapes::{
    FoundUser, IdentityInfo, NamedResource, PhoneConfig, PhoneType, Proficiency, ProficiencyName,
    User, UserSummary,
};

/// The largest page of `List…` operations.
const LIST_PAGE: &str = "1000";

/// The largest page of `ListUserProficiencies`.
const PROFICIENCY_PAGE: &str = "100";

/// The largest page of `SearchUsers`.
const SEARCH_PAGE: u32 = 500;

/// How often a throttled call is sent, the first time included.
const ATTEMPTS: u32 = 3;

/// How long a call waits for its turn after earlier ones failed.
const PATIENCE: Duration = Duration::from_secs(4);

/// The same where calls are not to be repeated.
const SHORT_PATIENCE: Duration = Duration::from_secs(1);

/// One Amazon Connect instance.
///
/// Clones share a pace for each operation: after a failure that passes, its next call waits,
/// longer after each further failure.
#[derive(Debug, Clone)]
pub struct Connect {
    client: Client,
    instance_arn: Arc<str>,
    usage: Arc<Counters>,
    paces: Arc<Paces>,
    stops_at_throttle: bool,
}

#[derive(Debug, Default)]
struct Counters {
    calls: AtomicU32,
    throttled: AtomicU32,
}

/// How much Connect was used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Requests sent, repetitions included.
    pub calls: u32,
    /// Those that Connect throttled.
    pub throttled: u32,
}

impl Usage {
    /// What was used since an earlier reading.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            calls: self.calls.wrapping_sub(earlier.calls),
            throttled: self.throttled.wrapping_sub(earlier.throttled),
        }
    }
}

/// The instance ARN is not one.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "not the ARN of an Amazon Connect instance: it must look like arn:aws:connect:<region>:<account>:instance/<id>"
)]
pub struct InstanceArnError;

impl Connect {
    /// The instance of this ARN, by a client of [`aws_json_client::Service::CONNECT`].
    ///
    /// # Errors
    /// When the ARN is not that of an instance.
    pub fn new(client: Client, instance_arn: &str) -> Result<Self, InstanceArnError> {
        match instance_arn.rsplit_once(":instance/") {
            Some((head, id)) if head.starts_with("arn:") && !id.is_empty() && !id.contains('/') => {
                Ok(Self {
                    client: client.without_throttling_retries(),
                    instance_arn: instance_arn.into(),
                    usage: Arc::default(),
                    paces: Arc::default(),
                    stops_at_throttle: false,
                })
            }
            _ => Err(InstanceArnError),
        }
    }

    /// The calls made through this value and its clones so far.
    pub fn usage(&self) -> Usage {
        Usage {
            calls: self.usage.calls.load(Ordering::Relaxed),
            throttled: self.usage.throttled.load(Ordering::Relaxed),
        }
    }

    /// The same instance, whose throttled calls fail at once, and whose calls are not sent
    /// if they would have to wait for more than a second: for a caller that repeats its work
    /// later, or hands it over.
    #[must_use]
    pub fn stopping_at_throttle(&self) -> Self {
        Self {
            stops_at_throttle: true,
            ..self.clone()
        }
    }

    /// The time until each operation can be called without waiting for its turn.
    pub fn pause(&self) -> Duration {
        self.paces.pause()
    }

    fn instance_id(&self) -> &str {
        self.instance_arn
            .rsplit_once('/')
            .map_or("", |(_, instance_id)| instance_id)
    }

    fn user_arn(&self, user_id: &str) -> String {
        format!("{}/agent/{user_id}", self.instance_arn)
    }

    /// Sends a request at the pace of its operation, and again if it is throttled.
    async fn send(&self, request: Request) -> Result<Response, Error> {
        let operation = request.operation();
        let (attempts, patience) = if self.stops_at_throttle {
            (1, SHORT_PATIENCE)
        } else {
            (ATTEMPTS, PATIENCE)
        };
        let mut attempt = 1;
        loop {
            self.paces.turn(operation, patience).await?;
            match self.send_once(request.clone()).await {
                Err(error) if error.is_retryable() => {
                    self.paces.failed(operation, &error);
                    let repeats = error.kind() == ErrorKind::Throttled
                        && !error.may_have_been_carried_out()
                        && attempt < attempts;
                    if !repeats {
                        return Err(error);
                    }
                    attempt += 1;
                }
                outcome => {
                    self.paces.succeeded(operation);
                    return outcome;
                }
            }
        }
    }

    async fn send_once(&self, request: Request) -> Result<Response, Error> {
        let operation = request.operation();
        let outcome = self.client.send(request).await;
        let (calls, throttled) = match &outcome {
            Ok(response) => (response.attempts(), response.throttled()),
            Err(error) => (error.attempts(), error.throttled()),
        };
        self.usage.calls.fetch_add(calls, Ordering::Relaxed);
        self.usage.throttled.fetch_add(throttled, Ordering::Relaxed);
        tracing::debug!(
            operation,
            calls,
            throttled,
            ok = outcome.is_ok(),
            "called Connect"
        );
        outcome
    }

    fn user_request(
        &self,
        operation: &'static str,
        method: Method,
        user_id: &str,
        facet: &[&str],
    ) -> Request {
        let mut segments = vec!["users", self.instance_id(), user_id];
        segments.extend_from_slice(facet);
        Request::rest(operation, method, &segments)
    }

    /// `CreateUser`. The answer is the new user's id.
    pub(crate) async fn create_user(&self, input: &CreateUser<'_>) -> Result<String, Error> {
        let request =
            Request::rest("CreateUser", Method::Put, &["users", self.instance_id()]).body(input)?;
        let created: CreatedUser = self.send(request).await?.json()?;
        Ok(created.user_id)
    }

    /// `DescribeUser`.
    ///
    /// # Errors
    /// Refused with `ResourceNotFoundException` when there is no such user.
    pub async fn describe_user(&self, user_id: &str) -> Result<User, Error> {
        let request = self.user_request("DescribeUser", Method::Get, user_id, &[]);
        let described: DescribedUser = self.send(request).await?.json()?;
        Ok(described.user)
    }

    /// `DeleteUser`.
    pub(crate) async fn delete_user(&self, user_id: &str) -> Result<(), Error> {
        self.send(self.user_request("DeleteUser", Method::Delete, user_id, &[]))
            .await
            .map(drop)
    }

    /// `UpdateUserIdentityInfo`.
    pub(crate) async fn update_identity_info(
        &self,
        user_id: &str,
        identity_info: &IdentityInfo,
    ) -> Result<(), Error> {
        let request = self
            .user_request(
                "UpdateUserIdentityInfo",
                Method::Post,
                user_id,
                &["identity-info"],
            )
            .body(&UpdateIdentityInfo { identity_info })?;
        self.send(request).await.map(drop)
    }

    /// `UpdateUserSecurityProfiles`: the user has exactly these afterwards.
    pub(crate) async fn update_security_profiles(
        &self,
        user_id: &str,
        security_profile_ids: Vec<&str>,
    ) -> Result<(), Error> {
        let request = self
            .user_request(
                "UpdateUserSecurityProfiles",
                Method::Post,
                user_id,
                &["security-profiles"],
            )
            .body(&UpdateSecurityProfiles {
                security_profile_ids,
            })?;
        self.send(request).await.map(drop)
    }

    /// `UpdateUserRoutingProfile`.
    pub(crate) async fn update_routing_profile(
        &self,
        user_id: &str,
        routing_profile_id: &str,
    ) -> Result<(), Error> {
        let request = self
            .user_request(
                "UpdateUserRoutingProfile",
                Method::Post,
                user_id,
                &["routing-profile"],
            )
            .body(&UpdateRoutingProfile { routing_profile_id })?;
        self.send(request).await.map(drop)
    }

    /// `UpdateUserHierarchy`; without a group the user leaves the hierarchy.
    pub(crate) async fn update_hierarchy(
        &self,
        user_id: &str,
        hierarchy_group_id: Option<&str>,
    ) -> Result<(), Error> {
        let request = self
            .user_request("UpdateUserHierarchy", Method::Post, user_id, &["hierarchy"])
            .body(&UpdateHierarchy { hierarchy_group_id })?;
        self.send(request).await.map(drop)
    }

    /// `UpdateUserPhoneConfig`.
    pub(crate) async fn update_phone_config(
        &self,
        user_id: &str,
        phone_config: &PhoneConfig,
    ) -> Result<(), Error> {
        let request = self
            .user_request(
                "UpdateUserPhoneConfig",
                Method::Post,
                user_id,
                &["phone-config"],
            )
            .body(&UpdatePhoneConfig { phone_config })?;
        self.send(request).await.map(drop)
    }

    /// `ListUserProficiencies`, all pages, sorted.
    pub(crate) async fn proficiencies(&self, user_id: &str) -> Result<Vec<Proficiency>, Error> {
        let mut proficiencies = Vec::new();
        let mut next_token: Option<String> = None;
        loop {
            let list = self.user_request(
                "ListUserProficiencies",
                Method::Get,
                user_id,
                &["proficiencies"],
            );
            let list = page_of(list, PROFICIENCY_PAGE, next_token.as_deref());
            let mut answer: ProficiencyPage = self.send(list).await?.json()?;
            proficiencies.append(&mut answer.user_proficiency_list);
            next_token = answer.next_token;
            if next_token.is_none() {
                proficiencies.sort();
                return Ok(proficiencies);
            }
        }
    }

    /// `AssociateUserProficiencies`: adds those that the user has not.
    pub(crate) async fn associate_proficiencies(
        &self,
        user_id: &str,
        added: &[Proficiency],
    ) -> Result<(), Error> {
        let facet = "associate-proficiencies";
        self.send_proficiencies("AssociateUserProficiencies", user_id, facet, added)
            .await
    }

    /// `UpdateUserProficiencies`: sets the levels of those that the user has.
    pub(crate) async fn update_proficiencies(
        &self,
        user_id: &str,
        changed: &[Proficiency],
    ) -> Result<(), Error> {
        let facet = "proficiencies";
        self.send_proficiencies("UpdateUserProficiencies", user_id, facet, changed)
            .await
    }

    /// `DisassociateUserProficiencies`.
    pub(crate) async fn disassociate_proficiencies(
        &self,
        user_id: &str,
        removed: &[ProficiencyName],
    ) -> Result<(), Error> {
        let facet = "disassociate-proficiencies";
        self.send_proficiencies("DisassociateUserProficiencies", user_id, facet, removed)
            .await
    }

    async fn send_proficiencies<T: Serialize>(
        &self,
        operation: &'static str,
        user_id: &str,
        facet: &str,
        user_proficiencies: &[T],
    ) -> Result<(), Error> {
        let request = self
            .user_request(operation, Method::Post, user_id, &[facet])
            .body(&UserProficiencies { user_proficiencies })?;
        self.send(request).await.map(drop)
    }

    /// `TagResource` on a user.
    pub(crate) async fn tag_user(
        &self,
        user_id: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<(), Error> {
        let arn = self.user_arn(user_id);
        let request = Request::rest("TagResource", Method::Post, &["tags", &arn])
            .body(&TagResource { tags })?;
        self.send(request).await.map(drop)
    }

    /// `UntagResource` on a user.
    pub(crate) async fn untag_user(&self, user_id: &str, keys: &[&str]) -> Result<(), Error> {
        let arn = self.user_arn(user_id);
        let request = keys.iter().fold(
            Request::rest("UntagResource", Method::Delete, &["tags", &arn]),
            |request, key| request.query("tagKeys", key),
        );
        self.send(request).await.map(drop)
    }

    /// The user of exactly this username, if there is one.
    ///
    /// `SearchUsers` finds one in a single call, but its index may lag behind (nothing is
    /// documented about its consistency), so a miss is confirmed by `ListUsers`. Only a
    /// name that Connect has just called taken is worth that.
    pub async fn find_user(&self, username: &str) -> Result<Option<User>, Error> {
        let by_name = SearchCriteria {
            string_condition: StringCondition {
                field_name: "Username",
                value: username,
                comparison_type: "EXACT",
            },
        };
        let found = self.search(10, None, Some(by_name)).await?.users;
        let mut user_id = found
            .into_iter()
            .find(|user| user.username == username)
            .map(|user| user.id);
        let mut next_token = None;
        while user_id.is_none() {
            let page = self.user_page(next_token.as_deref()).await?;
            user_id = page
                .user_summary_list
                .into_iter()
                .find(|user| user.username == username)
                .map(|user| user.id);
            next_token = page.next_token;
            if next_token.is_none() {
                break;
            }
        }
        match user_id {
            None => Ok(None),
            Some(user_id) => match self.describe_user(&user_id).await {
                Ok(user) => Ok(Some(user)),
                Err(error) if error.code() == Some(NOT_FOUND) => Ok(None),
                Err(error) => Err(error),
            },
        }
    }

    async fn search(
        &self,
        max_results: u32,
        next_token: Option<&str>,
        search_criteria: Option<SearchCriteria<'_>>,
    ) -> Result<FoundUsers, Error> {
        let request =
            Request::rest("SearchUsers", Method::Post, &["search-users"]).body(&SearchUsers {
                instance_id: self.instance_id(),
                max_results,
                next_token,
                search_criteria,
            })?;
        self.send(request).await?.json()
    }

    async fn user_page(&self, next_token: Option<&str>) -> Result<UserPage, Error> {
        let list = Request::rest(
            "ListUsers",
            Method::Get,
            &["users-summary", self.instance_id()],
        );
        self.send(page(list, next_token)).await?.json()
    }

    /// `ListUsers`, all pages: one call for each thousand users.
    ///
    /// # Errors
    /// When Connect does not answer.
    pub async fn users(&self) -> Result<Vec<UserSummary>, Error> {
        let mut users = Vec::new();
        let mut next_token: Option<String> = None;
        loop {
            let mut page = self.user_page(next_token.as_deref()).await?;
            users.append(&mut page.user_summary_list);
            next_token = page.next_token;
            if next_token.is_none() {
                return Ok(users);
            }
        }
    }

    /// `SearchUsers` without a condition, all pages: one call for each five hundred users.
    /// Its index may lag behind what [`Connect::users`] tells.
    ///
    /// # Errors
    /// When Connect does not answer.
    pub async fn search_users(&self) -> Result<Vec<FoundUser>, Error> {
        let mut users = Vec::new();
        let mut next_token: Option<String> = None;
        loop {
            let mut page = self
                .search(SEARCH_PAGE, next_token.as_deref(), None)
                .await?;
            users.append(&mut page.users);
            next_token = page.next_token;
            if next_token.is_none() {
                return Ok(users);
            }
        }
    }

    /// `ListSecurityProfiles`, all pages.
    pub async fn security_profiles(&self) -> Result<Vec<NamedResource>, Error> {
        self.list("ListSecurityProfiles", "security-profiles-summary")
            .await
    }

    /// `ListRoutingProfiles`, all pages.
    pub async fn routing_profiles(&self) -> Result<Vec<NamedResource>, Error> {
        self.list("ListRoutingProfiles", "routing-profiles-summary")
            .await
    }

    /// `ListUserHierarchyGroups`, all pages. Names may occur at several levels.
    pub async fn hierarchy_groups(&self) -> Result<Vec<NamedResource>, Error> {
        self.list("ListUserHierarchyGroups", "user-hierarchy-groups-summary")
            .await
    }

    async fn list(
        &self,
        operation: &'static str,
        path: &'static str,
    ) -> Result<Vec<NamedResource>, Error> {
        let mut items = Vec::new();
        let mut next_token: Option<String> = None;
        loop {
            let list = Request::rest(operation, Method::Get, &[path, self.instance_id()]);
            let mut answer: NamedPage =
                self.send(page(list, next_token.as_deref())).await?.json()?;
            items.append(&mut answer.items);
            next_token = answer.next_token;
            if next_token.is_none() {
                return Ok(items);
            }
        }
    }
}

/// The error code for a user that does not exist.
pub(crate) const NOT_FOUND: &str = "ResourceNotFoundException";

/// The error code for a username that is taken.
pub(crate) const DUPLICATE: &str = "DuplicateResourceException";

/// The error code for a quota of the instance that is used up. Its status, 429, is that
/// of a throttled call, but no repetition helps.
pub(crate) const LIMIT_EXCEEDED: &str = "LimitExceededException";

fn page(list: Request, next_token: Option<&str>) -> Request {
    page_of(list, LIST_PAGE, next_token)
}

fn page_of(list: Request, largest: &str, next_token: Option<&str>) -> Request {
    let list = list.query("maxResults", largest);
    match next_token {
        Some(token) => list.query("nextToken", token),
        None => list,
    }
}
