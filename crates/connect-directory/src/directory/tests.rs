//! What is decided without a call: no server is needed.

use std::{collections::BTreeMap, time::Duration};

use aws_json_client::{Client, Service};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use test_support::test_environment;
use tokio::time::Instant;

use super::{
    steps::{has_left, needs_message, note_outcome},
    wanted::{Intent, MappedGroups, accept_unresolved, age, grants},
    *,
};
use crate::{
    reconcile::Failure,
    store::{ConnectState, Record},
    user::{AppliedUser, ConnectUser},
};

const NOW: &str = "2026-06-01T12:00:00.000Z";

fn context() -> Context<'static> {
    let deadline = Instant::now() + Duration::from_secs(1);
    Context {
        now: NOW.parse().unwrap(),
        deadline,
        stop: deadline,
        client: "okta",
    }
}

/// A directory whose calls would all fail.
fn directory(deprovision: Deprovision) -> Directory {
    let environment = test_environment("http://127.0.0.1:9");
    let arn = "arn:aws:connect:eu-central-1:444455556666:instance/i";
    let connect = Connect::new(Client::new(Service::CONNECT, &environment), arn).unwrap();
    let store = Store::new(Client::new(Service::DYNAMODB, &environment), "table");
    let groups = BTreeMap::from([("APP-LEADS".to_owned(), vec!["Lead".to_owned()])]);
    let settings = Settings {
        identity_management: IdentityManagement::Saml,
        attributes: Attributes::default(),
        groups: GroupMapping::new(groups, false),
        defaults: Defaults {
            security_profile: "Agent".to_owned(),
            routing_profile: "Basic".to_owned(),
            suspended_security_profile: Some("Suspended".to_owned()),
        },
        deprovision,
        rename: Rename::Reject,
        adopt: Adopt::Never,
    };
    Directory::new(store, connect, None, settings)
}

fn document(document: Value) -> Map<String, Value> {
    document.as_object().unwrap().clone()
}

fn record(user_name: &str, active: bool) -> Record {
    Record {
        user: StoredUser {
            id: "u1".to_owned(),
            version: 3,
            last_modified: NOW.to_owned(),
            document: document(json!({"userName": user_name, "active": active})),
            ..StoredUser::default()
        },
        ..Record::default()
    }
}

fn applied(username: &str) -> AppliedUser {
    let user: ConnectUser = serde_json::from_value(json!({
        "username": username,
        "identity": {},
        "securityProfileIds": ["s1"],
        "routingProfileId": "r1",
        "tags": {},
    }))
    .unwrap();
    AppliedUser {
        user_id: "c1".to_owned(),
        user,
    }
}

fn kind(intent: &Intent) -> &'static str {
    match intent {
        Intent::Absent => "absent",
        Intent::Suspended(None) => "suspended as it is",
        Intent::Suspended(Some(_)) => "suspended",
        Intent::Active(_) => "active",
    }
}

#[test]
fn no_rule_keeps_a_user_who_is_inactive_or_deleted() {
    // Connect takes no username of one character, nor these settings.
    let too_short = |active| record("x", active);
    let mut bad_settings = record("ada", false);
    bad_settings.user.document.insert(
        "urn:ietf:params:scim:schemas:extension:amazonconnect:2.0:User".to_owned(),
        json!({"afterContactWorkSeconds": "soon"}),
    );
    let mut removed = record("x", true);
    removed.removed = true;
    for (record, deleting, suspending) in [
        (record("ada", true), Some("active"), Some("active")),
        (record("ada", false), Some("absent"), Some("suspended")),
        (too_short(true), None, None),
        (too_short(false), Some("absent"), Some("suspended as it is")),
        (bad_settings, Some("absent"), Some("suspended as it is")),
        (removed, Some("absent"), Some("absent")),
    ] {
        for (deprovision, expected) in [
            (Deprovision::Delete, deleting),
            (Deprovision::Suspend, suspending),
        ] {
            let intent = directory(deprovision).intent(&record, &MappedGroups::new());
            let what = format!("{deprovision:?} {}", record.user.user_name());
            assert_eq!(intent.ok().as_ref().map(kind), expected, "{what}");
        }
    }
}

#[test]
fn groups_grant_by_id_or_by_the_mapping_of_their_name() {
    let mut user = record("ada", true).user;
    user.groups = BTreeMap::from([
        ("p1".to_owned(), Some("Admin".to_owned())),
        ("g1".to_owned(), None),
        ("g2".to_owned(), None),
    ]);
    let mapped = MappedGroups::from([
        ("g1".to_owned(), vec!["Lead".to_owned()]),
        ("g3".to_owned(), vec!["Other".to_owned()]),
    ]);
    let grants = grants(&user, &mapped);
    assert_eq!(grants.ids, ["p1".to_owned()].into());
    assert_eq!(grants.names, ["Lead".to_owned()].into());
}

#[test]
fn groups_without_an_item_are_left_and_profiles_only_by_a_list() {
    let mut user = record("ada", true).user;
    user.groups = BTreeMap::from([
        ("p1".to_owned(), Some("Admin".to_owned())),
        ("g1".to_owned(), None),
        ("g2".to_owned(), None),
    ]);
    let mapped = MappedGroups::from([("g1".to_owned(), Vec::new())]);
    let directory = directory(Deprovision::Delete);
    directory.leave_missing_groups(&mut user, &mapped, context().now);
    let left: Vec<&str> = user.groups.keys().map(String::as_str).collect();
    assert_eq!(left, ["g1", "p1"], "no list of profiles is known");
}

#[test]
fn a_change_that_connect_does_not_see_is_settled() {
    let deleting = directory(Deprovision::Delete);
    let settled =
        |before: &Record, after: &Record| deleting.is_settled(before, after, &MappedGroups::new());
    let with = |name: &str, value: Value| {
        let mut changed = record("ada", true);
        changed.user.document.insert(name.to_owned(), value);
        changed
    };
    let active = record("ada", true);
    let pending = Record {
        pending_since: Some(NOW.to_owned()),
        ..active.clone()
    };
    let uncertain = Record {
        connect: ConnectState {
            uncertain: true,
            ..ConnectState::default()
        },
        ..active.clone()
    };
    let mut identified = active.clone();
    identified
        .user
        .external_ids
        .insert("okta".to_owned(), "00u1".to_owned());
    let mut member = active.clone();
    member
        .user
        .groups
        .insert("p1".to_owned(), Some("Admin".to_owned()));
    let inactive = record("ada", false);
    let mut inactive_in_connect = inactive.clone();
    inactive_in_connect.connect.applied = Some(applied("ada"));
    for (what, before, after, expected) in [
        ("nothing", &active, &active, true),
        ("a title", &active, &with("title", json!("Countess")), true),
        (
            "a name",
            &active,
            &with("name", json!({"givenName": "Ada"})),
            false,
        ),
        ("an external id", &active, &identified, false),
        ("a group", &active, &member, false),
        ("nothing, pending", &pending, &pending, false),
        ("nothing, uncertain", &uncertain, &uncertain, false),
        ("a deactivation", &active, &inactive, false),
        (
            "a rename of an inactive user",
            &inactive,
            &record("other", false),
            true,
        ),
        ("a reactivation", &inactive, &active, false),
        (
            "a name that does not map",
            &active,
            &record("x", true),
            false,
        ),
    ] {
        assert_eq!(settled(before, after), expected, "{what}");
    }
    let suspending = directory(Deprovision::Suspend);
    let renamed = Record {
        user: record("other", false).user,
        ..inactive_in_connect.clone()
    };
    let settled = suspending.is_settled(&inactive_in_connect, &renamed, &MappedGroups::new());
    assert!(!settled, "the suspended user may change");
    let settled = suspending.is_settled(&inactive, &record("other", false), &MappedGroups::new());
    assert!(settled, "there is no suspended user");
}

#[test]
fn an_unchecked_name_is_accepted_only_if_it_was_checked_before() {
    let directory = directory(Deprovision::Delete);
    let intent = |record: &Record| directory.intent(record, &MappedGroups::new()).unwrap();
    let entitled = |names: &[&str]| {
        let mut record = record("ada", true);
        let names: Vec<Value> = names.iter().map(|name| json!({"value": name})).collect();
        record
            .user
            .document
            .insert("entitlements".to_owned(), names.into());
        intent(&record)
    };
    let inactive = intent(&record("ada", false));
    for (before, after, accepted) in [
        (None, entitled(&[]), true),
        (None, entitled(&["Admin"]), false),
        (
            Some(entitled(&["Admin", "Lead"])),
            entitled(&["Admin"]),
            true,
        ),
        (Some(entitled(&["Lead"])), entitled(&["Admin"]), false),
        (Some(inactive.clone()), entitled(&["Admin"]), false),
        (Some(entitled(&["Admin"])), inactive, true),
    ] {
        let code = accept_unresolved(before.as_ref(), &after, "Throttled".to_owned());
        match code {
            Ok(code) => assert!(accepted && code == "Throttled"),
            Err(DirectoryError::Unchecked(code)) => assert!(!accepted && code == "Throttled"),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn the_age_of_a_user_allows_for_clocks_that_differ() {
    let user = |last_modified: &str| StoredUser {
        last_modified: last_modified.to_owned(),
        ..StoredUser::default()
    };
    let now: Timestamp = NOW.parse().unwrap();
    for (last_modified, seconds) in [
        ("2026-06-01T11:59:50.000Z", 8),
        ("2026-06-01T11:59:59.000Z", 0),
        ("2026-06-01T12:00:30.000Z", 0),
        ("", 0),
    ] {
        let age = age(&user(last_modified), now);
        assert_eq!(age, Duration::from_secs(seconds), "{last_modified}");
    }
}

#[test]
fn a_user_has_left_when_deleted_or_inactive_under_another_name() {
    let mut removed = record("ada", true);
    removed.removed = true;
    for (record, expected) in [
        (record("ada", true), false),
        (record("other", true), false),
        (record("ADA", false), false),
        (record("other", false), true),
        (removed, true),
    ] {
        assert_eq!(has_left(&record, "ada"), expected);
    }
}

#[test]
fn the_outcome_of_a_change_is_kept() {
    let earlier = "2026-05-01T00:00:00.000Z";
    let pending = Record {
        pending_since: Some(earlier.to_owned()),
        connect: ConnectState {
            last_error: Some("Throttled".to_owned()),
            refused_at: Some(earlier.to_owned()),
            former_usernames: ["old".to_owned()].into(),
            ..ConnectState::default()
        },
        ..record("ada", true)
    };
    let noted = |outcome, change: fn(&mut Record)| {
        let mut after = pending.clone();
        change(&mut after);
        note_outcome(&pending, &mut after, outcome, context());
        after
    };
    let done = noted(Ok(()), |_| {});
    assert_eq!(done.pending_since, None);
    assert!(done.connect == ConnectState::default());

    let busy = Err(Failure::Transient("Throttled".to_owned()));
    let busy = noted(busy, |after| after.connect.uncertain = true);
    assert_eq!(busy.pending_since.as_deref(), Some(earlier));
    assert_eq!(busy.connect.last_error.as_deref(), Some("Throttled"));
    assert_eq!(busy.connect.refused_at, None);
    assert_eq!(busy.connect.former_usernames.len(), 1, "still uncertain");

    let refused = Err(Failure::Refused(Refusal::Invalid("why".to_owned())));
    let refused = noted(refused, |after| {
        after.pending_since = None;
        after.connect.applied = Some(applied("ada"));
    });
    assert_eq!(refused.pending_since.as_deref(), Some(NOW));
    assert_eq!(refused.connect.last_error.as_deref(), Some("Invalid"));
    assert_eq!(refused.connect.refused_at.as_deref(), Some(NOW));
    assert_eq!(refused.connect.written_at.as_deref(), Some(NOW));
    assert!(refused.connect.former_usernames.is_empty());
}

#[test]
fn a_pending_user_has_one_message_unless_it_was_used_up() {
    let user = |pending: bool, refused: bool| Record {
        pending_since: pending.then(|| NOW.to_owned()),
        connect: ConnectState {
            refused_at: refused.then(|| NOW.to_owned()),
            ..ConnectState::default()
        },
        ..Record::default()
    };
    for (before, after, expected) in [
        (user(false, false), user(false, false), false),
        (user(true, false), user(false, false), false),
        (user(false, false), user(true, false), true),
        (user(true, false), user(true, false), false),
        (user(true, true), user(true, false), true),
    ] {
        assert_eq!(needs_message(&before, &after), expected);
    }
}

#[test]
fn every_setting_that_decides_what_a_user_is_in_connect_identifies_it() {
    type Change = fn(&mut Settings);
    let settings = || directory(Deprovision::Delete).settings;
    let usual = settings().fingerprint();
    assert_eq!(usual.len(), 16);
    let changes: [(Change, bool); 9] = [
        (|_| {}, false),
        (|settings| settings.rename = Rename::Recreate, false),
        (|settings| settings.adopt = Adopt::Always, false),
        (
            |settings| settings.identity_management = IdentityManagement::ConnectManaged,
            true,
        ),
        (|settings| settings.deprovision = Deprovision::Suspend, true),
        (|settings| settings.groups = GroupMapping::default(), true),
        (
            |settings| settings.defaults.routing_profile = "Sales".to_owned(),
            true,
        ),
        (
            |settings| settings.defaults.suspended_security_profile = None,
            true,
        ),
        (
            |settings| {
                let written = json!({"securityProfiles": "title"});
                settings.attributes = serde_json::from_value(written).unwrap();
            },
            true,
        ),
    ];
    for (number, (change, differs)) in changes.into_iter().enumerate() {
        let mut changed = settings();
        change(&mut changed);
        assert_eq!(changed.fingerprint() != usual, differs, "change {number}");
    }
}

#[test]
fn connect_has_passwords_unless_users_sign_in_by_saml() {
    for (identity_management, expected) in [
        (IdentityManagement::Saml, false),
        (IdentityManagement::ConnectManaged, true),
    ] {
        let mut directory = directory(Deprovision::Delete);
        directory.settings.identity_management = identity_management;
        assert_eq!(directory.has_passwords(), expected);
    }
}

#[test]
fn a_user_of_other_settings_is_not_settled() {
    let directory = directory(Deprovision::Delete);
    let own = Some(directory.fingerprint.clone());
    for (settings, expected) in [
        (own, true),
        (Some("other".to_owned()), false),
        (None, false),
    ] {
        let mut before = record("ada", true);
        before.connect.applied = Some(applied("ada"));
        before.connect.settings = settings;
        let mut after = before.clone();
        let title = json!("Countess");
        after.user.document.insert("title".to_owned(), title);
        let settled = directory.is_settled(&before, &after, &MappedGroups::new());
        assert_eq!(settled, expected, "{:?}", before.connect.settings);
        let unchanged = directory.is_settled(&before, &before, &MappedGroups::new());
        assert!(unchanged, "a request that changes nothing");
    }
}
