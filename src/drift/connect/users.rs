//! Every user of the directory beside the one in Connect, and every user in Connect beside
//! the directory.
//!
//! An instance may have ten thousand users, and Connect takes two calls a second. So the
//! whole is read in pages of a search, five hundred users each, and of a list, a thousand
//! each; only a user for whom these raise a suspicion is read whole. The suspicion has to be
//! confirmed before it is told: the index behind the search lags, it lacks addresses, and
//! the identity provider goes on changing users meanwhile.
//!
//! Connect is compared with the last write first: only a difference from it is an edit by
//! another principal. A user who is as last written, and of whom something else is wanted by
//! now, waits for changed settings to be applied; all such users are one finding.
//!
//! A finding names users by their ids, never by name: it is printed into logs of pipelines.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use aws_json_client::Error;
use connect_directory::connect::FoundUser;
use connect_directory::directory::{Comparison, Directory, DirectoryError, GrantingGroup};
use connect_directory::facet::{Facet, facets};
use connect_directory::plan::plan;
use connect_directory::store::{Record, StoreError};
use connect_directory::user::{AppliedUser, ConnectUser, owner};
use jiff::{SignedDuration, Timestamp};

use super::{CONNECT, Policy};
use crate::drift::finding::{Certainty, Finding, Severity};

/// How many users are read whole at most; Connect takes two such calls a second.
const MOST_CONFIRMED: usize = 100;

/// How many users are reconciled in a minute: Connect takes two calls a second.
const USERS_PER_MINUTE: usize = 120;

/// The check of settings that are not applied to users yet.
pub(crate) const NOT_APPLIED: &str = "not-applied";

/// How long after its beginning one of our own changes may reach Connect: for as long as
/// its claim on the user holds.
const OWN_CHANGE: SignedDuration = SignedDuration::from_secs(35);

/// What Connect tells of all users.
struct Seen {
    /// What the search found of those that still exist, by id.
    found: HashMap<String, FoundUser>,
    /// When each existing user was last changed by anybody: seconds since 1970.
    changed: HashMap<String, Option<f64>>,
}

/// Why the users could not be checked.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error("Amazon Connect does not answer: {0}")]
    Connect(#[from] Error),
    #[error("the directory table does not answer: {0}")]
    Store(#[from] StoreError),
}

/// Looks at every user of both sides.
pub(super) async fn detect(directory: &Directory, policy: &Policy) -> Vec<Finding> {
    match look(directory, policy).await {
        Ok(findings) => findings,
        Err(error) => {
            vec![Finding::not_checked(CONNECT, "unreadable", "DirectoryTable", error).part("users")]
        }
    }
}

async fn look(directory: &Directory, policy: &Policy) -> Result<Vec<Finding>, Unreadable> {
    // First the directory: whoever is made in Connect after that carries the id of a user
    // who is looked for in it again.
    let records = directory.records().await?;
    let seen = Seen::read(directory).await?;
    let now = Timestamp::now();

    let mut findings = Vec::new();
    let mut suspects = Vec::new();
    let mut settled = Vec::new();
    for record in &records {
        match &record.pending_since {
            Some(since) => findings.extend(pending(record, since, policy, now)),
            None => settled.push(record),
        }
    }
    let mut unapplied = 0;
    let applied = directory.are_applied(&settled).await?;
    for (record, is_applied) in settled.into_iter().zip(applied) {
        match is_applied {
            Ok(is_applied) => unapplied += usize::from(!is_applied),
            Err(error) => {
                findings.push(unresolved(record, &error));
                continue;
            }
        }
        if may_be_edited(record, &seen) || seen.was_changed_by_others(record) {
            suspects.push(record);
        }
    }
    findings.extend(not_applied(unapplied, policy));
    // Only now, so that an untouched instance costs no list of names.
    let names = if suspects.is_empty() {
        BTreeMap::new()
    } else {
        directory.names_by_id().await?
    };
    for (position, record) in suspects.into_iter().enumerate() {
        if position < MOST_CONFIRMED {
            findings.extend(confirmed(directory, record, &names, policy).await?);
        } else {
            findings.push(unconfirmed(record, &seen, policy));
        }
    }
    findings.extend(unmanaged(directory, &records, &seen).await?);
    Ok(findings)
}

impl Seen {
    /// First the search, then the list, which does not lag: who is in the index and not in
    /// the list is gone.
    async fn read(directory: &Directory) -> Result<Self, Error> {
        let found = directory.connect().search_users().await?;
        let listed = directory.connect().users().await?;
        let changed: HashMap<_, _> = listed
            .into_iter()
            .map(|user| (user.id, user.last_modified_time))
            .collect();
        let found = found
            .into_iter()
            .filter(|user| changed.contains_key(&user.id))
            .map(|user| (user.id.clone(), user))
            .collect();
        Ok(Self { found, changed })
    }

    /// Whether the user was changed after the directory last wrote to it: perhaps in what a
    /// search does not tell.
    fn was_changed_by_others(&self, record: &Record) -> bool {
        let Some(applied) = &record.connect.applied else {
            return false;
        };
        let Some(changed) = self.changed.get(&applied.user_id).copied().flatten() else {
            return false;
        };
        let written = record.connect.written_at.as_deref();
        match written.and_then(|written| written.parse::<Timestamp>().ok()) {
            Some(written) => changed > (written + OWN_CHANGE).as_millisecond() as f64 / 1000.0,
            None => true,
        }
    }
}

/// Whether Connect may have something else than what was last written of a user, as far as a
/// search tells: without addresses and proficiencies.
fn may_be_edited(record: &Record, seen: &Seen) -> bool {
    let Some(applied) = &record.connect.applied else {
        return false;
    };
    let written = &applied.user;
    let Some(found) = seen.found.get(&applied.user_id) else {
        return true;
    };
    let mut found = AppliedUser::observed(found.clone().into(), written, Some(written)).user;
    found.identity.email.clone_from(&written.identity.email);
    found
        .identity
        .secondary_email
        .clone_from(&written.identity.secondary_email);
    found.identity.mobile.clone_from(&written.identity.mobile);
    found.proficiencies.clone_from(&written.proficiencies);
    !plan(Some(&found), Some(written)).is_empty()
}

/// Users who are in Connect as last written, under settings that have changed since.
fn not_applied(users: usize, policy: &Policy) -> Option<Finding> {
    if users == 0 {
        return None;
    }
    let counted = if users == 1 {
        "1 user has".to_owned()
    } else {
        format!("{users} users have")
    };
    let minutes = users.div_ceil(USERS_PER_MINUTE);
    Some(
        Finding::drift(
            CONNECT,
            Severity::Medium,
            NOT_APPLIED,
            "users",
            "settings that have changed are not applied to users in Amazon Connect yet",
        )
        .expected("the result of the deployed settings")
        .actual(format!("{counted} the last written values"))
        .cure(format!(
            "`connect-scim users reconcile --all --env {}` applies the settings to users, at two users per second: about {minutes} minute{} for these",
            policy.environment,
            if minutes == 1 { "" } else { "s" },
        )),
    )
}

fn pending(record: &Record, since: &str, policy: &Policy, now: Timestamp) -> Option<Finding> {
    let waiting = now.duration_since(since.parse().ok()?).as_mins();
    (waiting > i64::from(policy.pending_max_minutes)).then(|| {
        let reason = record.connect.last_error.as_deref().unwrap_or("unknown");
        Finding::drift(
            CONNECT,
            Severity::Medium,
            "pending",
            &record.user.id,
            "a user has been waiting for Amazon Connect for too long",
        )
        .expected(format!("at most {} minutes", policy.pending_max_minutes))
        .actual(format!("{waiting} minutes, because of {reason}"))
        .cure(reconcile(record, policy))
    })
}

fn unresolved(record: &Record, error: &DirectoryError) -> Finding {
    let reason = match error {
        // It names a profile, nobody.
        DirectoryError::Profile(message) => message.clone(),
        DirectoryError::Unchecked(code) => format!("the profiles could not be listed ({code})"),
        _ => "what is wanted of it cannot be worked out; `connect-scim users show` says why"
            .to_owned(),
    };
    Finding::not_checked(CONNECT, "unresolved", &record.user.id, reason)
}

/// What is to be told of a suspect after both sides were read again.
async fn confirmed(
    directory: &Directory,
    record: &Record,
    names: &BTreeMap<String, String>,
    policy: &Policy,
) -> Result<Vec<Finding>, Unreadable> {
    let record = match directory.store().get_record(&record.user.id).await? {
        // Somebody is at it: the next run will see what came of it.
        None => return Ok(Vec::new()),
        Some(record) if record.removed || record.pending_since.is_some() => return Ok(Vec::new()),
        Some(record) => record,
    };
    let comparison = directory.compare_known(&record).await?;
    let groups = directory.granting_groups(&record).await?;
    Ok(differences(&record, &comparison, names, &groups, policy))
}

/// The edits by others: values that differ from the last write and from the current settings.
fn differences(
    record: &Record,
    comparison: &Comparison,
    names: &BTreeMap<String, String>,
    groups: &[GrantingGroup],
    policy: &Policy,
) -> Vec<Finding> {
    let desired = match &comparison.desired {
        Ok(desired) => desired.as_ref(),
        Err(error) => return vec![unresolved(record, error)],
    };
    let written = record.connect.applied.as_ref().map(|applied| &applied.user);
    let actual = comparison.actual.as_ref().map(|actual| &actual.user);
    match (written, actual) {
        // A user that was never written is not applied yet; another one of the same name is
        // not managed.
        (None, _) => Vec::new(),
        (Some(_), None) if desired.is_none() => Vec::new(),
        (Some(_), None) => vec![missing(record, policy)],
        (Some(_), Some(_)) => {
            let edited: BTreeSet<String> = facets(written, actual, written, names)
                .into_iter()
                .filter(Facet::differs)
                .map(|facet| facet.name)
                .collect();
            let mut findings: Vec<Finding> = facets(desired, actual, written, names)
                .iter()
                .filter(|facet| facet.differs() && edited.contains(&facet.name))
                .map(|facet| changed(record, facet, policy))
                .collect();
            for finding in &mut findings {
                if finding.check() == "security-profiles"
                    && let Some(desired) = desired
                {
                    finding.expected = Some(with_groups(desired, names, groups));
                }
            }
            // Several tags are one finding.
            findings.dedup_by(|one, other| one.id == other.id);
            findings
        }
    }
}

/// `Agent, CallCenterManager (by the group APP-LEADS)`.
fn with_groups(
    desired: &ConnectUser,
    names: &BTreeMap<String, String>,
    groups: &[GrantingGroup],
) -> String {
    let ids = desired.security_profile_ids.iter();
    let mut profiles: Vec<&String> = ids.map(|id| names.get(id).unwrap_or(id)).collect();
    profiles.sort();
    let profile = |name: &String| {
        let granting: Vec<&str> = groups
            .iter()
            .filter(|group| group.security_profiles.contains(name))
            .map(|group| group.name.as_str())
            .collect();
        match granting[..] {
            [] => name.clone(),
            [group] => format!("{name} (by the group {group})"),
            _ => format!("{name} (by the groups {})", granting.join(", ")),
        }
    };
    let profiles: Vec<String> = profiles.into_iter().map(profile).collect();
    profiles.join(", ")
}

fn missing(record: &Record, policy: &Policy) -> Finding {
    let finding = Finding::drift(
        CONNECT,
        Severity::Medium,
        "missing",
        &record.user.id,
        "somebody deleted a user in Amazon Connect whom the identity provider wants",
    );
    of_user(finding, record)
        .expected("a user in Amazon Connect")
        .actual("(none)")
        .cure(reconcile(record, policy))
}

/// Names and addresses are not told, nor the values of tags: people read who may not.
fn changed(record: &Record, facet: &Facet, policy: &Policy) -> Finding {
    let is_tag = facet.name.starts_with("tag ")
        || matches!(
            facet.name.as_str(),
            "managed by" | "SCIM id" | "external id"
        );
    let name = if is_tag { "tags" } else { &*facet.name };
    let check = name.replace(' ', "-");
    let severity = match check.as_str() {
        "security-profiles" | "e-mail" | "secondary-e-mail" => Severity::High,
        _ => Severity::Medium,
    };
    let (expected, actual) = match check.as_str() {
        "security-profiles" | "routing-profile" | "hierarchy-group" | "proficiencies" => {
            let shown = |value: &Option<String>| value.clone().unwrap_or("(none)".to_owned());
            (shown(&facet.desired), shown(&facet.actual))
        }
        _ => (
            "as the directory has it".to_owned(),
            "something else".to_owned(),
        ),
    };
    let finding = Finding::drift(
        CONNECT,
        severity,
        &check,
        &record.user.id,
        format!("somebody changed a user in Amazon Connect: {name}"),
    );
    of_user(finding, record)
        .expected(expected)
        .actual(actual)
        .cure(reconcile(record, policy))
}

/// A suspect of whom there are too many to be read one by one.
fn unconfirmed(record: &Record, seen: &Seen, policy: &Policy) -> Finding {
    let applied = record.connect.applied.as_ref();
    let exists = applied.is_some_and(|applied| seen.changed.contains_key(&applied.user_id));
    let mut finding = if exists {
        Finding::drift(
            CONNECT,
            Severity::Medium,
            "changed",
            &record.user.id,
            "somebody seems to have changed a user in Amazon Connect",
        )
        .cure(reconcile(record, policy))
    } else {
        missing(record, policy)
    };
    finding.certainty = Certainty::Reported;
    finding
}

/// Users in Connect who are none of the directory's.
async fn unmanaged(
    directory: &Directory,
    records: &[Record],
    seen: &Seen,
) -> Result<Vec<Finding>, Unreadable> {
    let known: HashSet<&str> = records
        .iter()
        .filter_map(|record| Some(&*record.connect.applied.as_ref()?.user_id))
        .collect();
    let unfinished: HashSet<&str> = records
        .iter()
        .filter(|record| record.pending_since.is_some())
        .map(|record| &*record.user.id)
        .collect();
    let mut strangers: Vec<&String> = seen
        .changed
        .keys()
        .filter(|id| !known.contains(id.as_str()))
        .collect();
    strangers.sort();
    let mut findings = Vec::new();
    let mut described = 0;
    for id in strangers {
        let tags = match seen.found.get(id) {
            Some(found) => found.tags.clone(),
            None if described == MOST_CONFIRMED => BTreeMap::new(),
            // Not in the index yet.
            None => {
                described += 1;
                match directory.connect().describe_user(id).await {
                    Ok(user) => user.tags,
                    Err(error) if error.code() == Some("ResourceNotFoundException") => continue,
                    Err(error) => return Err(error.into()),
                }
            }
        };
        let owner = owner(&tags);
        if let Some(owner) = owner {
            if unfinished.contains(owner) {
                continue;
            }
            let record = directory.store().get_record(owner).await?;
            let is_its_user = |record: &Record| {
                let applied = record.connect.applied.as_ref();
                record.pending_since.is_some()
                    || applied.is_some_and(|applied| applied.user_id == *id)
            };
            if record.as_ref().is_some_and(is_its_user) {
                continue;
            }
        }
        findings.push(stranger(id, owner));
    }
    Ok(findings)
}

fn stranger(id: &str, owner: Option<&str>) -> Finding {
    let finding = Finding::drift(
        CONNECT,
        Severity::Medium,
        "unmanaged",
        id,
        match owner {
            None => "Amazon Connect has a user that the identity provider did not make",
            Some(_) => {
                "a user in Amazon Connect is marked as one of the directory's, which has another one or none in its place"
            }
        },
    );
    finding
        .service_id(id)
        .expected("only users of the directory")
        .actual(match owner {
            None => "no SCIM id".to_owned(),
            Some(owner) => format!("the SCIM id {owner}"),
        })
        .cure("`connect-scim users list --unmanaged` names it; take it over with `users import`, remove it with `drift --mend --users --remove-unmanaged-users`, or accept it under `drift.accepted`")
}

/// A finding of the user whom the directory knows in Connect by another id.
fn of_user(finding: Finding, record: &Record) -> Finding {
    match &record.connect.applied {
        Some(applied) => finding.service_id(&applied.user_id),
        None => finding,
    }
}

fn reconcile(record: &Record, policy: &Policy) -> String {
    format!(
        "`connect-scim users show --env {environment} {id}` shows both sides; `connect-scim users reconcile --env {environment} {id}` makes Connect as the directory",
        environment = policy.environment,
        id = record.user.id,
    )
}

#[cfg(test)]
mod tests {
    use connect_directory::store::{ConnectState, StoredUser};
    use serde_json::json;

    use super::*;
    use crate::drift::resource::tests::ids;

    fn user(first_name: &str, profile: &str) -> AppliedUser {
        let user = json!({
            "username": "canary@example.com",
            "identity": {"FirstName": first_name},
            "securityProfileIds": [profile],
            "routingProfileId": "r1",
            "tags": {"scim:id": "7"},
        });
        AppliedUser {
            user_id: "a0".to_owned(),
            user: serde_json::from_value::<ConnectUser>(user).unwrap(),
        }
    }

    fn record() -> Record {
        Record {
            user: StoredUser {
                id: "7".to_owned(),
                version: 1,
                created: String::new(),
                last_modified: String::new(),
                ..StoredUser::default()
            },
            connect: ConnectState {
                applied: Some(user("Canary", "s1")),
                written_at: Some("2026-06-01T00:00:00.000Z".to_owned()),
                ..ConnectState::default()
            },
            ..Record::default()
        }
    }

    fn policy() -> Policy {
        Policy {
            environment: "prod".to_owned(),
            editing_profiles: Vec::new(),
            pending_max_minutes: 30,
        }
    }

    /// The findings about a user of whom `user("Canary", "s1")` was last written.
    fn found(desired: Option<AppliedUser>, actual: Option<AppliedUser>) -> Vec<Finding> {
        let comparison = Comparison {
            desired: Ok(desired.map(|desired| desired.user)),
            actual,
        };
        let names =
            [("s1", "Agent"), ("s2", "Admin")].map(|(id, name)| (id.to_owned(), name.to_owned()));
        let groups = [GrantingGroup {
            name: "APP-AGENTS".to_owned(),
            security_profiles: vec!["Agent".to_owned()],
        }];
        differences(&record(), &comparison, &names.into(), &groups, &policy())
    }

    #[test]
    fn what_differs_is_told_by_facet_and_without_names() {
        let wanted = || Some(user("Canary", "s1"));
        let cases = [
            (wanted(), wanted(), &[][..]),
            (wanted(), None, &["connect.missing:7"]),
            (None, None, &[]),
            (
                wanted(),
                Some(user("Other", "s1")),
                &["connect.first-name:7"],
            ),
            (
                wanted(),
                Some(user("Canary", "s2")),
                &["connect.security-profiles:7"],
            ),
        ];
        for (desired, actual, expected) in cases {
            let findings = found(desired, actual);
            assert_eq!(ids(&findings), expected);
            let text = format!("{findings:?}");
            assert!(
                !text.contains("Canary") && !text.contains("Other"),
                "{text}"
            );
            assert!(!text.contains("canary"), "{text}");
        }
    }

    #[test]
    fn only_what_differs_from_the_last_write_is_an_edit() {
        let written = || Some(user("Canary", "s1"));
        let other_profile = || Some(user("Canary", "s2"));
        // The settings have changed, and Connect has the last written values.
        assert_eq!(found(other_profile(), written()), []);
        assert_eq!(found(None, written()), []);
        // An administrator has made the change of the settings by hand.
        assert_eq!(found(other_profile(), other_profile()), []);
        // The settings have changed, and an administrator has edited another property.
        let findings = found(other_profile(), Some(user("Other", "s1")));
        assert_eq!(ids(&findings), ["connect.first-name:7"]);
    }

    #[test]
    fn users_who_lack_changed_settings_are_one_finding_with_their_number() {
        assert_eq!(not_applied(0, &policy()), None);
        let finding = not_applied(1878, &policy()).unwrap();
        assert_eq!(finding.id, "connect.not-applied:users");
        assert_eq!(finding.severity, Severity::Medium);
        assert_eq!(
            finding.actual.as_deref(),
            Some("1878 users have the last written values")
        );
        assert!(
            finding
                .cure
                .starts_with("`connect-scim users reconcile --all --env prod`")
                && finding.cure.contains("about 16 minutes"),
            "{}",
            finding.cure
        );
        let one = not_applied(1, &policy()).unwrap();
        assert!(one.cure.contains("about 1 minute for"), "{}", one.cure);
    }

    #[test]
    fn profiles_are_told_by_name_and_several_tags_are_one_finding() {
        let mut stripped = user("Canary", "s2");
        stripped.user.tags.clear();
        let mut wanted = user("Canary", "s1");
        wanted
            .user
            .tags
            .insert("scim:external-id".to_owned(), "00u1".to_owned());
        let findings = found(Some(wanted), Some(stripped));
        assert_eq!(
            ids(&findings),
            ["connect.security-profiles:7", "connect.tags:7"]
        );
        assert_eq!(
            findings[0].expected.as_deref(),
            Some("Agent (by the group APP-AGENTS)")
        );
        assert_eq!(findings[0].actual.as_deref(), Some("Admin"));
        assert_eq!(findings[0].severity, Severity::High);
    }

    #[test]
    fn whoever_waits_for_too_long_is_told() {
        let now: Timestamp = "2026-06-01T01:00:00Z".parse().unwrap();
        for (since, is_told) in [
            ("2026-06-01T00:31:00.000Z", false),
            ("2026-06-01T00:20:00.000Z", true),
        ] {
            let finding = pending(&record(), since, &policy(), now);
            assert_eq!(finding.is_some(), is_told, "{since}");
        }
    }

    #[test]
    fn a_change_after_our_own_is_somebody_elses() {
        let written = "2026-06-01T00:00:00Z".parse::<Timestamp>().unwrap();
        for (seconds_later, by_others) in [(-5.0, false), (20.0, false), (36.0, true)] {
            let changed = written.as_second() as f64 + seconds_later;
            let seen = Seen {
                found: HashMap::new(),
                changed: [("a0".to_owned(), Some(changed))].into(),
            };
            assert_eq!(
                seen.was_changed_by_others(&record()),
                by_others,
                "{seconds_later}"
            );
        }
    }
}
