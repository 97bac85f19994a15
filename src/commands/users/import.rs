//! `users import`: takes over users that were in Connect before SCIM, so that the identity
//! provider finds them by userName and links them instead of meeting a conflict.
//!
//! The plan is made of the pages of a search, which lack e-mail addresses; each user is
//! read whole just before it is taken over, and checked again. What was taken over is the
//! directory's from then on, so the same command again goes on where it was interrupted.

use std::collections::{BTreeMap, HashSet};

use connect_directory::connect::FoundUser;
use connect_directory::directory::{AssignedBy, DirectoryError};
use connect_directory::store::{Record, StoreError, fold};
use connect_directory::user::owner;

use super::{Deployed, confirm, context, counted, duration, finish, pace, reason};
use crate::cli::{ProfilesBy, UsersImportArgs};
use crate::commands::token::pick_client;
use crate::commands::{Error, Outcome};
use crate::exit_code::Exit;
use crate::printer::Printer;
use crate::report::{UserOutcome, UserReporter};

/// Runs `users import`.
pub(super) async fn run(args: &UsersImportArgs, printer: &Printer) -> Result<Outcome, Error> {
    let deployed = Deployed::open(&args.environment).await?;
    let client = pick_client(&deployed.target.environment, args.client.as_deref())?.get();
    let known = Known::of(&deployed.directory.records().await?);
    let (found, mut left_out) = find(&deployed, args).await?;
    let names = deployed.directory.names_by_id().await?;

    let mut chosen = Vec::new();
    for user in found {
        match known.verdict(&user, args.orphaned) {
            Verdict::Import => {
                let context = context(client);
                match deployed
                    .directory
                    .check_import(&user, &names, assigned_by(args), context)
                    .await
                {
                    Ok(()) => chosen.push(user),
                    Err(error) => left_out.push(failed(&user, "refused", reason(&error))),
                }
            }
            // With --all these are the rule and would drown the rest.
            Verdict::Owned if args.all => {}
            Verdict::Owned => left_out.push(skipped(&user, "the directory has it already")),
            Verdict::Skip(reason) => left_out.push(skipped(&user, reason)),
        }
    }

    let somebody_is_refused = left_out.iter().any(|outcome| outcome.failed);
    if !args.yes {
        let outcome = tell_plan(&left_out, &chosen, &names, args, printer);
        if args.dry_run || chosen.is_empty() {
            return Ok(outcome);
        }
        let what = format!(
            "this takes over {}, which takes {}; of them in Amazon Connect, it changes the tags only.",
            counted(chosen.len()),
            duration(chosen.len()),
        );
        confirm(printer, false, &what, chosen.len()).await?;
        left_out.clear();
    }
    let mut reporter = UserReporter::new(printer, args.format, Some(chosen.len()));
    for outcome in &left_out {
        reporter.tell(outcome);
    }
    let by = assigned_by(args);
    take_over(&deployed, client, by, &chosen, &names, &mut reporter).await;
    let outcome = finish(reporter);
    Ok(if somebody_is_refused {
        Outcome(Exit::Failure)
    } else {
        outcome
    })
}

fn assigned_by(args: &UsersImportArgs) -> AssignedBy {
    match args.profiles_by {
        ProfilesBy::Groups => AssignedBy::Groups,
        ProfilesBy::Attributes => AssignedBy::Attributes,
    }
}

/// The users in question, and those of them that there are not.
async fn find(
    deployed: &Deployed,
    args: &UsersImportArgs,
) -> Result<(Vec<FoundUser>, Vec<UserOutcome>), Error> {
    let connect = deployed.directory.connect();
    if args.all {
        let mut users = connect.search_users().await?;
        users.sort_by(|left, right| left.username.cmp(&right.username));
        return Ok((users, Vec::new()));
    }
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for name in &args.user {
        match connect.find_user(name).await? {
            Some(user) => found.push(user.into()),
            None => missing.push(UserOutcome::missing(
                name,
                "Amazon Connect has no user of this name",
            )),
        }
    }
    Ok((found, missing))
}

/// What the directory has.
struct Known {
    connect_user_ids: HashSet<String>,
    ids: HashSet<String>,
    user_names: HashSet<String>,
}

/// What is to be done about a Connect user.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// It is taken over.
    Import,
    /// The directory has it.
    Owned,
    /// It is left alone, for this reason.
    Skip(&'static str),
}

impl Known {
    fn of(records: &[Record]) -> Self {
        let applied = |record: &Record| Some(record.connect.applied.as_ref()?.user_id.clone());
        Self {
            connect_user_ids: records.iter().filter_map(applied).collect(),
            ids: records
                .iter()
                .map(|record| record.user.id.clone())
                .collect(),
            user_names: records
                .iter()
                .map(|record| fold(record.user.user_name()))
                .collect(),
        }
    }

    fn verdict(&self, user: &FoundUser, orphaned: bool) -> Verdict {
        let owner = owner(&user.tags);
        if self.connect_user_ids.contains(&user.id)
            || owner.is_some_and(|owner| self.ids.contains(owner))
        {
            return Verdict::Owned;
        }
        if self.user_names.contains(&fold(&user.username)) {
            return Verdict::Skip(
                "a user of the directory has this userName; `users reconcile` brings them together where `adopt` allows it",
            );
        }
        if owner.is_some() && !orphaned {
            return Verdict::Skip(
                "it belongs to another SCIM directory; add --orphaned if that one is no more",
            );
        }
        Verdict::Import
    }
}

fn tell_plan(
    left_out: &[UserOutcome],
    chosen: &[FoundUser],
    names: &BTreeMap<String, String>,
    args: &UsersImportArgs,
    printer: &Printer,
) -> Outcome {
    let users = left_out.len() + chosen.len();
    let mut reporter = UserReporter::new(printer, args.format, Some(users));
    for outcome in left_out {
        reporter.tell(outcome);
    }
    for user in chosen {
        reporter.tell(&outcome(user, "planned", Some(details(user, names))));
    }
    finish(reporter)
}

/// Takes the users over one by one; a failure concerns nobody else.
async fn take_over(
    deployed: &Deployed,
    client: &str,
    assigned_by: AssignedBy,
    chosen: &[FoundUser],
    names: &BTreeMap<String, String>,
    reporter: &mut UserReporter<'_>,
) {
    let mut pace = pace();
    for user in chosen {
        pace.tick().await;
        reporter.tell(&take_over_one(deployed, client, assigned_by, user, names).await);
    }
}

async fn take_over_one(
    deployed: &Deployed,
    client: &str,
    assigned_by: AssignedBy,
    user: &FoundUser,
    names: &BTreeMap<String, String>,
) -> UserOutcome {
    let directory = &deployed.directory;
    let described = match directory.connect().describe_user(&user.id).await {
        Ok(described) => described,
        Err(error) => return failed(user, "failed", error.to_string()),
    };
    match directory
        .import(described, names, assigned_by, context(client))
        .await
    {
        Ok(written) => {
            let detail = written.pending.then(|| {
                "Amazon Connect did not take the tags yet; the reconciler sets them".to_owned()
            });
            UserOutcome {
                id: Some(written.user.id),
                ..outcome(user, "imported", detail)
            }
        }
        Err(error @ DirectoryError::Store(StoreError::DynamoDb(_))) => {
            failed(user, "failed", reason(&error))
        }
        Err(error) => failed(user, "refused", reason(&error)),
    }
}

fn outcome(user: &FoundUser, word: &'static str, detail: Option<String>) -> UserOutcome {
    UserOutcome {
        user_name: Some(user.username.clone()),
        id: None,
        outcome: word,
        failed: false,
        detail,
    }
}

fn skipped(user: &FoundUser, reason: &str) -> UserOutcome {
    outcome(user, "skipped", Some(reason.to_owned()))
}

fn failed(user: &FoundUser, word: &'static str, reason: String) -> UserOutcome {
    UserOutcome {
        failed: true,
        ..outcome(user, word, Some(reason))
    }
}

/// `Ada Lovelace; Agent, Admin; Basic Routing Profile`.
fn details(user: &FoundUser, names: &BTreeMap<String, String>) -> String {
    let name = |id: &String| names.get(id).unwrap_or(id).clone();
    let identity = &user.identity_info;
    let person: Vec<String> = [&identity.first_name, &identity.last_name]
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    let profiles: Vec<String> = user.security_profile_ids.iter().map(name).collect();
    [
        person.join(" "),
        profiles.join(", "),
        name(&user.routing_profile_id),
    ]
    .join("; ")
}

#[cfg(test)]
mod tests {
    use connect_directory::user::ownership_tags;

    use super::*;

    fn user(id: &str, username: &str, owner: Option<&str>) -> FoundUser {
        let tags = owner.map(|owner| ownership_tags(owner, None));
        serde_json::from_value(serde_json::json!({
            "Id": id,
            "Username": username,
            "Tags": tags.unwrap_or_default(),
        }))
        .unwrap()
    }

    #[test]
    fn only_users_that_are_nobodys_are_taken_over() {
        let set = |value: &str| HashSet::from([value.to_owned()]);
        let known = Known {
            connect_user_ids: set("a"),
            ids: set("1"),
            user_names: set("ada"),
        };
        for (found, orphaned, expected) in [
            (user("a", "ada", Some("1")), false, "owned"),
            (user("a", "ada", None), false, "owned"),
            (user("x", "ada2", Some("1")), false, "owned"),
            (user("x", "Ada", None), true, "skip"),
            (user("b", "bob", None), false, "import"),
            (user("b", "bob", Some("9")), false, "skip"),
            (user("b", "bob", Some("9")), true, "import"),
        ] {
            let verdict = match known.verdict(&found, orphaned) {
                Verdict::Import => "import",
                Verdict::Owned => "owned",
                Verdict::Skip(_) => "skip",
            };
            assert_eq!(verdict, expected, "{} {orphaned}", found.username);
        }
    }
}
