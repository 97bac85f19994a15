//! `drift --mend --users --remove-unmanaged-users`: removes users of Amazon Connect whom the
//! directory does not know.
//!
//! Whoever is removed is gone for good: made again, it is another user to Connect and to its
//! reports. So some stay, whatever was asked for: who may edit users in the admin website,
//! because it may be the last one who can; who carries the marks of another SCIM directory,
//! because this one may be the empty one of two; and who has become the directory's since
//! the plan was shown. That is why each is looked at again, in Connect and in the directory,
//! just before its turn.

use std::collections::{BTreeSet, HashMap};

use aws_json_client::{Client, Error as CallError, Method, Request, Service};
use connect_directory::connect::User;
use connect_directory::store::{Record, StoreError, fold};
use connect_directory::user::owner;

use super::{Deployed, client, counted, pace};
use crate::cli::EnvironmentArg;
use crate::commands::Error;
use crate::connect_instance::Instances;
use crate::printer::Printer;

/// Connect has no such user.
const NOT_FOUND: &str = "ResourceNotFoundException";

/// Who asks may not.
const ACCESS_DENIED: &str = "AccessDeniedException";

const EDITS_USERS: &str = "it may edit users in the admin website, and may be the last who can: remove it in Amazon Connect";
const GONE: &str = "it is gone already";
const KNOWN: &str = "the directory has it by now";
const KNOWN_NAME: &str = "a user of the directory has this userName: `users reconcile` brings them together where `adopt` allows it";
const OTHER_DIRECTORY: &str = "it belongs to another SCIM directory: `users import --orphaned` takes it over if that one is no more";

/// Users who are to be removed, as they were when they were looked at.
pub(in crate::commands) struct Removal {
    deployed: Deployed,
    connect: Client,
    /// The ids of the security profiles that edit users.
    editing_profiles: BTreeSet<String>,
    users: Vec<User>,
    kept: Vec<Kept>,
}

/// A user who is not removed.
pub(in crate::commands) struct Kept {
    /// The Connect user id.
    pub(in crate::commands) id: String,
    /// Why.
    pub(in crate::commands) reason: &'static str,
}

/// What became of one user.
enum Fate {
    Removed,
    Gone,
    Stays(&'static str),
}

/// Why a user could not be removed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("Amazon Connect: {0}")]
    Connect(#[from] CallError),
    #[error("the directory table: {0}")]
    Store(#[from] StoreError),
}

impl Removal {
    /// Looks at the users with these Connect ids.
    ///
    /// # Errors
    /// When the directory or Amazon Connect cannot be read.
    pub(in crate::commands) async fn plan(
        environment: &EnvironmentArg,
        ids: &BTreeSet<String>,
    ) -> Result<Self, Error> {
        let deployed = Deployed::open(environment).await?;
        let services = deployed.target.service_environment()?;
        let directory = &deployed.directory;
        let instances = Instances::new(&services);
        let profiles = instances.security_profiles(&deployed.instance_id).await?;
        let editing_profiles: BTreeSet<String> = profiles
            .into_iter()
            .filter(|profile| profile.editing_permissions().next().is_some())
            .map(|profile| profile.id)
            .collect();
        let records = directory.records().await?;
        let mut found: HashMap<String, User> = directory
            .connect()
            .search_users()
            .await?
            .into_iter()
            .map(|user| (user.id.clone(), user.into()))
            .collect();
        let (mut users, mut kept) = (Vec::new(), Vec::new());
        for id in ids {
            let user = match found.remove(id) {
                Some(user) => user,
                // Not in the search's index yet.
                None => match directory.connect().describe_user(id).await {
                    Err(error) if error.code() == Some(NOT_FOUND) => {
                        kept.push(Kept {
                            id: id.clone(),
                            reason: GONE,
                        });
                        continue;
                    }
                    described => described?,
                },
            };
            match reason_to_stay(&user, records.iter(), &editing_profiles) {
                None => users.push(user),
                Some(reason) => kept.push(Kept {
                    id: id.clone(),
                    reason,
                }),
            }
        }
        users.sort_by(|one, other| one.username.cmp(&other.username));
        Ok(Self {
            connect: client(Service::CONNECT, &services),
            deployed,
            editing_profiles,
            users,
            kept,
        })
    }

    /// How many are removed.
    pub(in crate::commands) fn len(&self) -> usize {
        self.users.len()
    }

    /// Who is not.
    pub(in crate::commands) fn kept(&self) -> &[Kept] {
        &self.kept
    }

    /// Who is removed, by id and name: for the eyes of a person, not for a pipeline's log.
    pub(in crate::commands) fn names(&self) -> impl Iterator<Item = String> {
        let users = self.users.iter();
        users.map(|user| format!("{} {}", user.id, user.username))
    }

    /// Removes them one by one, and tells of each; a failure concerns nobody else, unless
    /// it is that the caller may not.
    ///
    /// # Errors
    /// When the directory cannot be read, or Amazon Connect denies it.
    pub(in crate::commands) async fn run(&self, printer: &Printer) -> Result<(), Error> {
        let records = self.deployed.directory.records().await?;
        let mut tally = Tally {
            printer,
            of: self.users.len(),
            removed: 0,
            under_way: None,
        };
        let mut pace = pace();
        for user in &self.users {
            pace.tick().await;
            tally.under_way = Some(&user.id);
            let fate = self.remove(&user.id, &records).await;
            tally.under_way = None;
            match fate {
                Ok(Fate::Removed) => {
                    tally.removed += 1;
                    printer.notice(&format!("removed the user {} from Amazon Connect", user.id));
                }
                Ok(Fate::Gone) => {
                    printer.message(&format!("the user {} was gone already", user.id));
                }
                Ok(Fate::Stays(reason)) => {
                    printer.warning(&format!("the user {} stays: {reason}", user.id));
                }
                Err(Failure::Connect(error)) if error.code() == Some(ACCESS_DENIED) => {
                    return Err(error.into());
                }
                Err(error) => {
                    printer.warning(&format!("the user {} is not removed: {error}", user.id));
                }
            }
        }
        Ok(())
    }

    async fn remove(&self, id: &str, records: &[Record]) -> Result<Fate, Failure> {
        let directory = &self.deployed.directory;
        let user = match directory.connect().describe_user(id).await {
            Err(error) if error.code() == Some(NOT_FOUND) => return Ok(Fate::Gone),
            described => described?,
        };
        // What the identity provider did in the last minutes is not among the records yet.
        let mut fresh = Vec::new();
        if let Some(owner) = owner(&user.tags) {
            fresh.extend(directory.store().get_record(owner).await?);
        }
        if let Some(namesake) = directory.store().find_by_user_name(&user.username).await? {
            fresh.extend(directory.store().get_record(&namesake.id).await?);
        }
        let known = fresh.iter().chain(records);
        if let Some(reason) = reason_to_stay(&user, known, &self.editing_profiles) {
            return Ok(Fate::Stays(reason));
        }
        let path = ["users", &self.deployed.instance_id, id];
        let request = Request::rest("DeleteUser", Method::Delete, &path);
        match self.connect.send(request).await {
            Err(error) if error.code() == Some(NOT_FOUND) => Ok(Fate::Gone),
            Err(error) => Err(error.into()),
            Ok(_) => Ok(Fate::Removed),
        }
    }
}

/// Why a user is not removed, if it is not.
fn reason_to_stay<'a>(
    user: &User,
    mut records: impl Iterator<Item = &'a Record> + Clone,
    editing_profiles: &BTreeSet<String>,
) -> Option<&'static str> {
    let has_it = |record: &'a Record| {
        let applied = record.connect.applied.as_ref();
        applied.is_some_and(|applied| applied.user_id == user.id)
    };
    if records.clone().any(has_it) {
        return Some(KNOWN);
    }
    let edits = |id: &String| editing_profiles.contains(id);
    if user.security_profile_ids.iter().any(edits) {
        return Some(EDITS_USERS);
    }
    let name = fold(&user.username);
    if records
        .clone()
        .any(|record| fold(record.user.user_name()) == name)
    {
        return Some(KNOWN_NAME);
    }
    let owner = owner(&user.tags)?;
    match records.find(|record| record.user.id == owner) {
        None => Some(OTHER_DIRECTORY),
        // The directory is making it.
        Some(record) if record.pending_since.is_some() => Some(KNOWN),
        // The marks are a copy: the owner has another user.
        Some(_) => None,
    }
}

/// Counts, and tells the count at the end, also where that is an interruption.
struct Tally<'a> {
    printer: &'a Printer,
    of: usize,
    removed: usize,
    under_way: Option<&'a str>,
}

impl Drop for Tally<'_> {
    fn drop(&mut self) {
        let mut told = format!(
            "{} of {} removed from Amazon Connect",
            self.removed,
            counted(self.of)
        );
        if let Some(id) = self.under_way {
            told.push_str(&format!(
                "; {id} was being removed: `connect-scim users list --unmanaged` tells whether it is still there"
            ));
        }
        self.printer.notice(&told);
    }
}

#[cfg(test)]
mod tests {
    use connect_directory::store::{ConnectState, StoredUser};
    use connect_directory::user::{AppliedUser, ownership_tags};
    use serde_json::json;

    use super::*;

    fn user(id: &str, username: &str, profile: &str, owner: Option<&str>) -> User {
        let tags = owner.map(|owner| ownership_tags(owner, None));
        serde_json::from_value(json!({
            "Id": id, "Username": username, "SecurityProfileIds": [profile],
            "Tags": tags.unwrap_or_default(),
        }))
        .unwrap()
    }

    fn record(id: &str, user_name: &str, connect_user: Option<&str>) -> Record {
        let document = json!({"userName": user_name});
        let applied = connect_user.map(|user_id| AppliedUser {
            user_id: user_id.to_owned(),
            user: serde_json::from_value(json!({
                "username": user_name, "identity": {}, "securityProfileIds": [],
                "routingProfileId": "r", "tags": {},
            }))
            .unwrap(),
        });
        Record {
            user: StoredUser {
                id: id.to_owned(),
                version: 1,
                created: String::new(),
                last_modified: String::new(),
                document: document.as_object().unwrap().clone(),
                ..StoredUser::default()
            },
            pending_since: applied
                .is_none()
                .then(|| "2026-01-01T00:00:00.000Z".to_owned()),
            connect: ConnectState {
                applied,
                ..ConnectState::default()
            },
            ..Record::default()
        }
    }

    #[test]
    fn only_a_user_that_is_nobodys_and_edits_nobody_goes() {
        let records = [record("1", "ada", Some("a")), record("2", "bob", None)];
        let editing = BTreeSet::from(["admin".to_owned()]);
        for (user, expected) in [
            (user("x", "eve", "agent", None), None),
            (user("a", "ada", "agent", Some("1")), Some(KNOWN)),
            (user("a", "renamed", "agent", None), Some(KNOWN)),
            (user("x", "eve", "admin", None), Some(EDITS_USERS)),
            (user("x", "Ada", "agent", None), Some(KNOWN_NAME)),
            (user("x", "eve", "agent", Some("9")), Some(OTHER_DIRECTORY)),
            (user("x", "eve", "agent", Some("2")), Some(KNOWN)),
            // The marks of Ada, whose user is another one.
            (user("x", "eve", "agent", Some("1")), None),
        ] {
            let reason = reason_to_stay(&user, records.iter(), &editing);
            assert_eq!(reason, expected, "{} {}", user.id, user.username);
        }
    }
}
