//! What is written for a change: the actions of transactions, without a server.

use std::collections::BTreeMap;

use aws_json_client::{Client, Service};
use jiff::Timestamp;
use serde_json::{Value, json};
use test_support::test_environment;

use super::{
    key::{
        MAXIMUM_EMAILS, MAXIMUM_GROUPS, email_partition, gate_key, group_key, key, member_key,
        user_key, user_name_key,
    },
    members::batch_length,
    record::{Claim, parse_record, parse_user, user_item},
    transaction::MAXIMUM_ACTIONS,
    *,
};

const ID: &str = "0190a1b2-0000-7000-8000-00000000000b";

fn store() -> Store {
    let environment = test_environment("http://127.0.0.1:9");
    Store::new(Client::new(Service::DYNAMODB, &environment), "table")
}

fn now() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

fn record() -> Record {
    let document = json!({
        "userName": "Ada",
        "displayName": "Ada Lovelace",
        "active": true,
        "emails": [{"value": "Ada@example.com"}, {"value": "ada@EXAMPLE.com"}],
    });
    Record {
        user: StoredUser {
            id: ID.to_owned(),
            version: 7,
            created: "2026-01-01T00:00:00.000Z".to_owned(),
            last_modified: "2026-02-01T00:00:00.000Z".to_owned(),
            document: document.as_object().unwrap().clone(),
            external_ids: BTreeMap::from([("okta".to_owned(), "00u1".to_owned())]),
            groups: BTreeMap::from([
                ("g1".to_owned(), None),
                ("p1".to_owned(), Some("Admin".to_owned())),
            ]),
        },
        connect: ConnectState {
            uncertain: true,
            former_usernames: ["old".to_owned()].into(),
            ..ConnectState::default()
        },
        pending_since: Some("2026-03-01T00:00:00.000Z".to_owned()),
        removed: false,
        claim: None,
    }
}

fn with(change: impl FnOnce(&mut Record)) -> Record {
    let mut record = record();
    change(&mut record);
    record
}

/// The key of each action, as `Put pk/sk`.
fn keys(actions: &[Value]) -> Vec<String> {
    actions
        .iter()
        .map(|action| {
            let (kind, action) = action.as_object().unwrap().iter().next().unwrap();
            let key = if kind == "Put" {
                &action["Item"]
            } else {
                &action["Key"]
            };
            let part = |name: &str| key[name]["S"].as_str().unwrap().to_owned();
            format!("{kind} {}/{}", part("pk"), part("sk"))
        })
        .collect()
}

#[test]
fn a_record_is_read_as_it_is_written() {
    for record in [
        record(),
        with(|record| record.removed = true),
        with(|record| record.pending_since = None),
        with(|record| record.connect = ConnectState::default()),
        with(|record| {
            record.user.groups.clear();
            record.user.external_ids.clear();
        }),
    ] {
        let item = user_item(&record, None).unwrap();
        assert!(parse_record(&item).unwrap() == record);
        assert!(parse_user(&item).unwrap() == record.user);
        assert_eq!(item["pk"], user_key(ID)["pk"]);
    }
}

#[test]
fn a_claim_is_part_of_the_item_and_marks_what_it_left_as_uncertain() {
    let claim = Claim {
        token: "t1".to_owned(),
        until: now(),
    };
    let record = with(|record| record.connect = ConnectState::default());
    let mut item = user_item(&record, Some(&claim)).unwrap();
    assert_eq!(item["claimUntil"]["N"], now().as_millisecond().to_string());
    assert_eq!(parse_record(&item).unwrap().claim.as_deref(), Some("t1"));

    let own = change::claimed_record(&item, "t1").unwrap();
    assert!(
        !own.connect.uncertain && own.claim.is_none(),
        "its own token"
    );
    item["claimUsernames"] = json!({"SS": ["new", "newer"]});
    let left = change::claimed_record(&item, "t2").unwrap();
    assert!(left.connect.uncertain && left.claim.is_none());
    let usernames = ["new".to_owned(), "newer".to_owned()];
    assert_eq!(left.connect.former_usernames, usernames.into());
    item["claim"] = json!({"S": "t2"});
    let repeated = change::claimed_record(&item, "t2").unwrap();
    assert!(
        repeated.connect.uncertain,
        "its own token hides no earlier one"
    );
    item.as_object_mut().unwrap().remove("claims");
    item.as_object_mut().unwrap().remove("claim");
    let free = change::claimed_record(&item, "t2").unwrap();
    assert!(!free.connect.uncertain && free.connect.former_usernames.is_empty());
}

#[test]
fn each_malformed_attribute_makes_a_record_unreadable() {
    for (name, value) in [
        ("version", json!({"N": "x"})),
        ("document", json!({"S": "{"})),
        ("connect", json!({"S": "{\"applied\":{\"userId\":"})),
        ("groups", json!({"S": "[]"})),
        ("externalIds", json!({"S": "[]"})),
        ("id", json!({"N": "1"})),
        ("created", Value::Null),
    ] {
        let mut item = user_item(&record(), None).unwrap();
        item[name] = value;
        assert!(
            matches!(parse_record(&item), Err(StoreError::Malformed)),
            "{name}"
        );
    }
}

#[test]
fn only_copies_that_changed_are_written() {
    let own = json!({"Put": {"Item": user_key(ID)}});
    let own_key = format!("Put USER#{ID}/USER");
    let changes = |after: &Record| {
        let changes = store()
            .changes(own.clone(), &record(), after, now())
            .unwrap();
        keys(&changes)
    };
    let same = [own_key.clone()];
    assert_eq!(changes(&record()), same);
    assert_eq!(changes(&with(|record| record.pending_since = None)), same);

    let copies = [
        own_key.clone(),
        "Put USERNAME#ada/USERNAME".to_owned(),
        format!("Put EXTERNALID#okta#00u1/{ID}"),
    ];
    let title = with(|record| {
        record
            .user
            .document
            .insert("title".to_owned(), json!("Countess"));
    });
    assert_eq!(changes(&title), copies);
    let spelling = with(|record| {
        record
            .user
            .document
            .insert("userName".to_owned(), json!("ADA"));
    });
    assert_eq!(changes(&spelling), copies);

    let renamed = with(|record| {
        record
            .user
            .document
            .insert("userName".to_owned(), json!("Augusta"));
        record
            .user
            .document
            .insert("displayName".to_owned(), json!("Augusta"));
        record.user.document.remove("emails");
        record.user.external_ids = BTreeMap::from([("entra".to_owned(), "e1".to_owned())]);
        record.user.groups.remove("g1");
    });
    assert_eq!(
        changes(&renamed),
        [
            own_key,
            "Delete USERNAME#ada/USERNAME".to_owned(),
            "Put USERNAME#augusta/USERNAME".to_owned(),
            format!("Delete EXTERNALID#okta#00u1/{ID}"),
            format!("Put EXTERNALID#entra#e1/{ID}"),
            format!("Delete EMAIL#ada@example.com/{ID}"),
            format!("Delete GROUP#g1#3/{ID}"),
            "Update GROUPS/g1#GATE#3".to_owned(),
            format!("Put GROUP#p1#3/{ID}"),
        ]
    );
}

#[test]
fn a_removed_user_leaves_nothing_that_points_to_it() {
    let own = json!({"Put": {"Item": user_key(ID)}});
    let removed = with(|record| record.removed = true);
    let changes = store()
        .changes(own.clone(), &record(), &removed, now())
        .unwrap();
    let deleted: Vec<String> = keys(&changes)
        .into_iter()
        .filter_map(|key| key.strip_prefix("Delete ").map(str::to_owned))
        .collect();
    assert_eq!(
        deleted,
        [
            "USERNAME#ada/USERNAME".to_owned(),
            format!("EXTERNALID#okta#00u1/{ID}"),
            format!("EMAIL#ada@example.com/{ID}"),
            format!("GROUP#g1#3/{ID}"),
            format!("GROUP#p1#3/{ID}"),
        ]
    );
    let again = store().changes(own, &removed, &removed, now()).unwrap();
    assert_eq!(again.len(), 1, "they were deleted before");
}

fn member_change(is_member: bool, change: impl FnOnce(&mut Record)) -> MemberChange {
    let before = with(|record| record.pending_since = None);
    let mut after = before.clone();
    change(&mut after);
    MemberChange {
        before,
        after,
        is_member,
    }
}

fn group(name: Option<&str>, state: GroupState) -> StoredGroup {
    let name = name.map(|name| GroupName {
        display: name.to_owned(),
        mapped: name.to_owned(),
    });
    StoredGroup {
        generation: "first".to_owned(),
        state,
        ..StoredGroup::new("g2", name, BTreeMap::new(), "now")
    }
}

fn profile() -> StoredGroup {
    group(None, GroupState::Active)
}

fn gate(group: &StoredGroup) -> Gate<'_> {
    Gate { group, lane: 3 }
}

#[test]
fn a_membership_is_one_transaction_with_the_copies_of_the_user() {
    let joined = member_change(true, |after| {
        after.user.version = 8;
        after.user.groups.insert("g2".to_owned(), None);
        after.pending_since = Some("2026-06-01T12:00:00.000Z".to_owned());
    });
    let actions = store().member_actions(gate(&profile()), &joined, now());
    assert_eq!(
        keys(&actions),
        [
            format!("Update USER#{ID}/USER"),
            "Put USERNAME#ada/USERNAME".to_owned(),
            format!("Put EXTERNALID#okta#00u1/{ID}"),
            format!("Put GROUP#g2#3/{ID}"),
        ]
    );
    assert_eq!(actions[3]["Put"]["Item"]["display"]["S"], "Ada Lovelace");
    let own = &actions[0]["Update"];
    assert_eq!(
        own["UpdateExpression"],
        "SET version = :version, lastModified = :modified, #groups = :groups, \
         #pending = :pending, pendingSince = if_not_exists(pendingSince, :since)"
    );
    assert_eq!(
        own["ConditionExpression"],
        "version = :before AND attribute_not_exists(removed) AND attribute_not_exists(#claim)"
    );
    let values = &own["ExpressionAttributeValues"];
    assert_eq!(values[":before"]["N"], "7");
    assert_eq!(values[":version"]["N"], "8");
    assert_eq!(
        values[":groups"]["S"],
        r#"{"g1":null,"g2":null,"p1":"Admin"}"#
    );
}

#[test]
fn the_last_membership_ends_without_a_mark_if_connect_is_not_concerned() {
    let left = member_change(false, |after| after.user.groups.clear());
    let actions = store().member_actions(gate(&profile()), &left, now());
    assert_eq!(keys(&actions)[3], format!("Delete GROUP#g2#3/{ID}"));
    let own = &actions[0]["Update"];
    assert_eq!(
        own["UpdateExpression"],
        "SET version = :version, lastModified = :modified REMOVE #groups"
    );
}

#[test]
fn an_expired_claim_is_replaced_so_that_its_holder_cannot_write() {
    let mut change = member_change(false, |after| after.user.groups.clear());
    change.before.claim = Some("left".to_owned());
    let own = store().member_actions(gate(&profile()), &change, now())[0]["Update"].take();
    let condition = own["ConditionExpression"].as_str().unwrap();
    assert!(condition.ends_with("AND claimUntil < :now"), "{condition}");
    let expression = own["UpdateExpression"].as_str().unwrap();
    assert!(expression.contains("#claim = :claim"), "{expression}");
    let values = &own["ExpressionAttributeValues"];
    assert_eq!(values[":now"]["N"], now().as_millisecond().to_string());
    assert_ne!(values[":claim"]["S"], "left");
}

#[test]
fn members_pass_the_gate_of_their_generation_and_deletions_a_closed_one() {
    let closed = "attribute_not_exists(generation)";
    let own = "generation = :generation";
    for (name, state, added, removed) in [
        (None, GroupState::Active, own, None),
        (None, GroupState::Deleting, own, Some(closed.to_owned())),
        (
            Some("APP"),
            GroupState::Active,
            own,
            Some("attribute_exists(pk)".to_owned()),
        ),
        (
            Some("APP"),
            GroupState::Deleting,
            own,
            Some(format!("attribute_exists(pk) AND {closed}")),
        ),
    ] {
        let group = group(name, state);
        let pass = |adds| store().pass(gate(&group), adds, now())["Update"].take();
        assert_eq!(pass(true)["ConditionExpression"], added);
        let values = &pass(true)["ExpressionAttributeValues"];
        assert_eq!(values[":generation"]["S"], "first");
        assert_eq!(
            pass(false).get("ConditionExpression"),
            removed.map(Value::from).as_ref(),
            "{name:?}, {state:?}"
        );
        for pass in [pass(true), pass(false)] {
            assert_eq!(pass["Key"], gate_key("g2", 3));
            let values = &pass["ExpressionAttributeValues"];
            assert_eq!(values[":now"]["S"], "2026-06-01T12:00:00.000Z");
        }
    }
}

#[test]
fn the_item_of_a_member_is_deleted_only_if_the_user_has_not_joined_since() {
    for (version, condition) in [
        (Some(7), "version = :version"),
        (
            None,
            "attribute_not_exists(pk) OR attribute_exists(removed)",
        ),
    ] {
        let user = NonMember {
            user_id: ID.to_owned(),
            version,
        };
        let check = store().check_unchanged(&user)["ConditionCheck"].take();
        assert_eq!(check["Key"], user_key(ID));
        assert_eq!(check["ConditionExpression"], condition);
        let values = check.get("ExpressionAttributeValues");
        assert_eq!(
            values,
            version.map(|_| json!({":version": {"N": "7"}})).as_ref()
        );
    }
}

#[test]
fn a_batch_fits_into_a_transaction() {
    let changes = |count: usize, size: usize| -> Vec<MemberChange> {
        let title = "x".repeat(size);
        let change = || {
            let mut change = member_change(false, |_| {});
            change
                .before
                .user
                .document
                .insert("title".to_owned(), json!(title));
            change
        };
        (0..count).map(|_| change()).collect()
    };
    // Four actions each, and one for the gate.
    for (count, size, expected) in [
        (0, 10, 0),
        (1, 10, 1),
        (24, 10, 24),
        (25, 10, 24),
        // Three copies of a megabyte are more than a transaction takes.
        (3, 1_000_000, 1),
        (5, 400_000, 2),
    ] {
        assert_eq!(
            batch_length(&changes(count, size)),
            expected,
            "{count} of {size}"
        );
    }
}

#[test]
fn the_largest_user_fits_into_one_transaction() {
    let emails: Vec<Value> = (0..MAXIMUM_EMAILS)
        .map(|number| json!({"value": format!("ada{number}@example.com")}))
        .collect();
    let largest = with(|record| {
        record
            .user
            .document
            .insert("emails".to_owned(), emails.into());
        record.user.groups = (0..MAXIMUM_GROUPS)
            .map(|number| (format!("g{number}"), None))
            .collect();
    });
    let removed = Record {
        removed: true,
        ..largest.clone()
    };
    let own = json!({"Put": {"Item": user_key(ID)}});
    let changes = store().changes(own, &largest, &removed, now()).unwrap();
    assert!(changes.len() <= MAXIMUM_ACTIONS, "{}", changes.len());
}

#[test]
fn keys_are_those_of_the_table() {
    assert_eq!(group_key("g1"), key("GROUPS", "g1#GROUP"));
    assert_eq!(member_key("g1", ID), key("GROUP#g1#3", ID));
    assert_eq!(user_name_key(" ADA "), user_name_key("ada"));
    assert_eq!(email_partition("a"), "EMAIL#a");
}
