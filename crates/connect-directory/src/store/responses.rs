//! What each response of DynamoDB means, and which calls are made at all.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicUsize, Ordering},
};

use aws_json_client::{Client, Service, SharedHttpClient};
use jiff::Timestamp;
use serde_json::{Value, json};
use test_support::{HttpAnswer, PlayedClient, test_environment};

use super::{
    key::{MAXIMUM_KEY_LENGTH, user_key},
    record::user_item,
    transaction::CONFLICT_ATTEMPTS,
    *,
};

const ATTEMPTS: usize = CONFLICT_ATTEMPTS as usize;

fn store_of(service: &PlayedClient) -> Store {
    let client = Client::builder(Service::DYNAMODB, &test_environment("http://127.0.0.1:9"))
        .http_client(SharedHttpClient::new(service.clone()))
        .max_attempts(1)
        .build();
    Store::new(client, "table")
}

/// A table that gives these responses in order, and the last one from then on.
fn table(responses: Vec<HttpAnswer>) -> PlayedClient {
    let next = AtomicUsize::new(0);
    PlayedClient::new(move |_| {
        let number = next.fetch_add(1, Ordering::Relaxed);
        responses[number.min(responses.len() - 1)].clone()
    })
}

fn done(output: &Value) -> HttpAnswer {
    HttpAnswer::ok(output.to_string())
}

fn error(code: &str, more: Value) -> HttpAnswer {
    let mut body = json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}")});
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    HttpAnswer::Respond(400, body.to_string())
}

fn conflict() -> HttpAnswer {
    error("TransactionConflictException", Value::Null)
}

fn cancelled(reasons: &[&str]) -> HttpAnswer {
    let reasons: Vec<Value> = reasons.iter().map(|code| json!({"Code": code})).collect();
    error(
        "TransactionCanceledException",
        json!({"CancellationReasons": reasons}),
    )
}

fn record(id: &str) -> Record {
    let mut record = Record::default();
    id.clone_into(&mut record.user.id);
    record
}

fn item(id: &str) -> Value {
    user_item(&record(id), None).unwrap()
}

/// An outcome as one word.
fn named<T>(outcome: &Result<T, StoreError>) -> &'static str {
    match outcome {
        Ok(_) => "done",
        Err(StoreError::UserNameTaken) => "userName taken",
        Err(StoreError::NameTaken) => "displayName taken",
        Err(StoreError::NotFound) => "not found",
        Err(StoreError::Busy) => "busy",
        Err(StoreError::ClaimLost) => "claim lost",
        Err(StoreError::DynamoDb(_)) => "failed",
        Err(StoreError::Malformed) => "malformed",
    }
}

fn bodies(service: &PlayedClient) -> Vec<Value> {
    let requests = service.requests().into_iter();
    requests
        .map(|request| serde_json::from_str(&request.body).unwrap())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_claim_fails_for_a_user_who_is_held_deleted_or_missing() {
    let now = Timestamp::UNIX_EPOCH;
    let held = |item: Value| error("ConditionalCheckFailedException", json!({"Item": item}));
    let missing = || error("ConditionalCheckFailedException", Value::Null);
    let mut removed = item("u1");
    removed["removed"] = json!({"BOOL": true});
    let claimed = || done(&json!({"Attributes": item("u1")}));
    let (present, all) = (Whom::Present, Whom::PresentOrRemoved);
    for (responses, whom, expected, calls) in [
        (vec![claimed()], present, "done", 1),
        (vec![held(item("u1"))], present, "busy", 1),
        (vec![held(item("u1"))], all, "busy", 1),
        (vec![held(removed.clone())], present, "not found", 1),
        (vec![held(removed)], all, "busy", 1),
        (vec![missing()], present, "not found", 1),
        (vec![missing()], all, "not found", 1),
        (vec![conflict(), conflict(), claimed()], present, "done", 3),
        (vec![conflict()], present, "busy", ATTEMPTS),
        (
            vec![error("ValidationException", Value::Null)],
            present,
            "failed",
            1,
        ),
        (
            vec![done(&json!({"Attributes": {}}))],
            present,
            "malformed",
            1,
        ),
    ] {
        let what = format!("{responses:?} {whom:?}");
        let service = table(responses);
        let outcome = store_of(&service).claim("u1", now, whom, None).await;
        assert_eq!(named(&outcome), expected, "{what}");
        assert_eq!(service.requests().len(), calls, "{what}");
    }
}

#[tokio::test]
async fn a_claim_is_conditional_and_ends_after_35_seconds() {
    let now = Timestamp::from_second(1_000).unwrap();
    for (whom, username) in [
        (Whom::Present, None),
        (Whom::PresentOrRemoved, None),
        (Whom::Present, Some("ada")),
    ] {
        let service = table(vec![done(&json!({"Attributes": item("u1")}))]);
        store_of(&service)
            .claim("u1", now, whom, username)
            .await
            .unwrap();
        let input = bodies(&service).remove(0);
        assert_eq!(input["Key"], user_key("u1"));
        let values = &input["ExpressionAttributeValues"];
        assert_eq!(values[":now"]["N"], "1000000");
        assert_eq!(values[":until"]["N"], "1035000");
        assert_eq!(values[":tokens"]["SS"][0], values[":token"]["S"]);
        let condition = input["ConditionExpression"].as_str().unwrap();
        let is_present = condition.ends_with("AND attribute_not_exists(removed)");
        assert_eq!(is_present, whom == Whom::Present);
        let expression = input["UpdateExpression"].as_str().unwrap();
        let has_username = expression.ends_with("ADD claims :tokens, claimUsernames :usernames");
        assert_eq!(has_username, username.is_some());
        let usernames = username.map(|name| json!({"SS": [name]}));
        assert_eq!(values.get(":usernames"), usernames.as_ref());
    }
}

#[tokio::test(start_paused = true)]
async fn a_transaction_fails_by_the_reasons_of_its_actions() {
    for (responses, expected, calls) in [
        (vec![done(&json!({}))], "done", 1),
        (
            vec![cancelled(&["ConditionalCheckFailed", "None"])],
            "claim lost",
            1,
        ),
        (
            vec![cancelled(&["None", "ConditionalCheckFailed"])],
            "userName taken",
            1,
        ),
        (
            vec![cancelled(&[
                "ConditionalCheckFailed",
                "ConditionalCheckFailed",
            ])],
            "claim lost",
            1,
        ),
        (
            vec![cancelled(&[
                "TransactionConflict",
                "ConditionalCheckFailed",
            ])],
            "userName taken",
            1,
        ),
        (
            vec![
                cancelled(&["None", "TransactionConflict"]),
                done(&json!({})),
            ],
            "done",
            2,
        ),
        (
            vec![cancelled(&["None", "TransactionConflict"])],
            "busy",
            ATTEMPTS,
        ),
        (vec![cancelled(&["None", "ThrottlingError"])], "failed", 1),
        (vec![error("ValidationException", Value::Null)], "failed", 1),
    ] {
        let what = format!("{responses:?}");
        let service = table(responses);
        let outcome = store_of(&service).transact(&[json!({}), json!({})]).await;
        assert_eq!(named(&outcome), expected, "{what}");
        let inputs = bodies(&service);
        assert_eq!(inputs.len(), calls, "{what}");
        let tokens: BTreeSet<String> = inputs
            .iter()
            .map(|input| input["ClientRequestToken"].to_string())
            .collect();
        assert_eq!(
            tokens.len(),
            calls,
            "each attempt is a transaction of its own"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn each_write_of_a_user_or_group_reports_what_its_conditions_say() {
    let first = || cancelled(&["ConditionalCheckFailed", "None"]);
    let second = || cancelled(&["None", "ConditionalCheckFailed"]);
    let failed = || error("ValidationException", Value::Null);
    let now = Timestamp::UNIX_EPOCH;
    let id = "0190a1b2-0000-7000-8000-00000000000b";
    let claimed = || Claimed {
        record: record(id),
        claim: Claim {
            token: "t".to_owned(),
            until: now,
        },
    };
    let group = StoredGroup::new("g1", None, BTreeMap::new(), "now");
    for (response, expected) in [
        (
            done(&json!({})),
            [
                "done", "done", "done", "done", "done", "done", "done", "done", "done",
            ],
        ),
        (
            first(),
            [
                "not found",
                "claim lost",
                "busy",
                "claim lost",
                "busy",
                "busy",
                "busy",
                "done",
                "done",
            ],
        ),
        (
            second(),
            [
                "userName taken",
                "userName taken",
                "userName taken",
                "userName taken",
                "displayName taken",
                "displayName taken",
                "displayName taken",
                "busy",
                "done",
            ],
        ),
        (failed(), ["failed"; 9]),
    ] {
        let store = store_of(&table(vec![response.clone()]));
        let (before, after) = (record(id), record(id));
        let outcomes = [
            named(&store.create(record(id), now, true).await),
            named(&store.finish(&claimed(), &after, now).await),
            named(&store.replace(&before, &after, now).await),
            named(&store.delete_user(&claimed(), now).await),
            named(&store.open_group(&group).await),
            named(&store.open_seen_group(&group).await),
            named(&store.update_group(&group, &group).await),
            named(&store.forget_group(&group).await),
            named(&store.forget_gates("g1").await),
        ];
        assert_eq!(outcomes, expected, "{response:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_of_a_group_is_repeated_after_a_conflict() {
    let failed = || error("ConditionalCheckFailedException", Value::Null);
    let other = || error("ValidationException", Value::Null);
    let now = Timestamp::UNIX_EPOCH;
    let group = StoredGroup::new("g1", None, BTreeMap::new(), "now");
    for (responses, begun, ended, calls) in [
        (vec![done(&json!({}))], "done", "done", 1),
        (vec![failed()], "not found", "done", 1),
        (vec![conflict(), done(&json!({}))], "done", "done", 2),
        (vec![conflict(), failed()], "not found", "done", 2),
        (vec![conflict()], "busy", "busy", ATTEMPTS),
        (vec![other()], "failed", "failed", 1),
    ] {
        let what = format!("{responses:?}");
        let service = table(responses.clone());
        let outcome = store_of(&service).begin_deletion(&group, now).await;
        assert_eq!(named(&outcome), begun, "{what}");
        assert_eq!(service.requests().len(), calls, "{what}");
        let outcome = store_of(&table(responses)).end_deletion(&group).await;
        assert_eq!(named(&outcome), ended, "{what}");
    }
}

#[tokio::test]
async fn a_security_profile_that_is_known_stays_as_it_is() {
    let now = Timestamp::UNIX_EPOCH;
    let ids = ["p1".to_owned(), "p#2".to_owned(), "p3".to_owned()];
    for (response, expected, calls) in [
        (done(&json!({})), "done", 2),
        (
            error("ConditionalCheckFailedException", Value::Null),
            "done",
            2,
        ),
        (error("ValidationException", Value::Null), "failed", 1),
    ] {
        let service = table(vec![response]);
        let noted = store_of(&service).note_groups(&ids, now).await;
        assert_eq!(named(&noted), expected);
        assert_eq!(service.requests().len(), calls);
    }
}

#[tokio::test(start_paused = true)]
async fn keys_that_were_not_processed_are_asked_for_again() {
    let batch = |ids: &[&str], left: Value| {
        let items: Vec<Value> = ids.iter().map(|id| item(id)).collect();
        done(&json!({"Responses": {"table": items}, "UnprocessedKeys": left}))
    };
    let left = json!({"table": {"Keys": [user_key("u2")], "ConsistentRead": true}});
    let ids = ["u1".to_owned(), "u2".to_owned()];

    let service = table(vec![
        batch(&["u1"], left.clone()),
        batch(&["u2"], json!({})),
    ]);
    let records = store_of(&service).records(&ids).await.unwrap();
    let found: Vec<&str> = records
        .iter()
        .map(|record| record.user.id.as_str())
        .collect();
    assert_eq!(found, ids);
    assert_eq!(bodies(&service)[1]["RequestItems"], left);

    let service = table(vec![batch(&[], left)]);
    let records = store_of(&service).records(&ids).await;
    assert_eq!(named(&records), "busy");
    assert_eq!(service.requests().len(), ATTEMPTS);
}

#[tokio::test]
async fn all_pages_of_a_query_are_read() {
    let page = |id: &str, last: Value| {
        let key = json!({"pk": {"S": format!("USER#{id}")}, "pendingSince": {"S": "x"}});
        done(&json!({"Items": [key], "LastEvaluatedKey": last}))
    };
    let last = user_key("u1");
    let service = table(vec![page("u1", last.clone()), page("u2", Value::Null)]);
    let pending = store_of(&service).pending().await.unwrap();
    let ids: Vec<&str> = pending.iter().map(|user| user.id.as_str()).collect();
    assert_eq!(ids, ["u1", "u2"]);
    assert_eq!(
        pending[0].since,
        Timestamp::MIN,
        "a time that cannot be read is old"
    );
    let inputs = bodies(&service);
    assert_eq!(inputs[0].get("ExclusiveStartKey"), None);
    assert_eq!(inputs[1]["ExclusiveStartKey"], last);
    assert_eq!(inputs[0]["IndexName"], "pending");

    let empty = json!({"Items": [{}], "LastEvaluatedKey": {"pk": {"S": "LISTING"}}});
    let service = table(vec![done(&empty), done(&json!({"Items": []}))]);
    assert!(store_of(&service).listing().await.unwrap().is_empty());
    assert_eq!(
        bodies(&service)[1]["ExclusiveStartKey"]["pk"]["S"],
        "LISTING"
    );
}

#[tokio::test]
async fn only_users_who_were_pending_before_a_time_are_found_by_it() {
    let since = ["2026-01-01T00:00:00.000Z", "2026-01-01T00:00:01.000Z"];
    let user = |number: usize| json!({"pk": {"S": format!("USER#u{number}")}, "pendingSince": {"S": since[number]}});
    let other = json!({"pk": {"S": "GROUP#g"}, "pendingSince": {"S": since[0]}});
    for (before, expected) in [
        (since[0].parse().unwrap(), 0),
        (since[1].parse().unwrap(), 1),
        (Timestamp::MAX, 2),
    ] {
        let service = table(vec![done(&json!({"Items": [user(0), user(1), other]}))]);
        let ids = store_of(&service).pending_ids(before).await.unwrap();
        assert_eq!(ids.len(), expected, "{before}");
    }
}

#[tokio::test]
async fn values_that_cannot_be_a_key_are_not_looked_for() {
    let longest = "i".repeat(MAXIMUM_KEY_LENGTH);
    let too_long = format!("{longest}i");
    for (value, calls) in [(longest.as_str(), 1), (&too_long, 0)] {
        let nothing = || table(vec![done(&json!({"Items": []}))]);
        for look_up in 0..8 {
            let service = nothing();
            let store = store_of(&service);
            match look_up {
                0 => assert!(store.get(value).await.unwrap().is_none()),
                1 => assert!(store.get_record(value).await.unwrap().is_none()),
                2 => assert!(store.find_by_user_name(value).await.unwrap().is_none()),
                3 => {
                    let found = store.find_by_external_id("idp", value).await;
                    assert!(found.unwrap().is_empty());
                }
                4 => assert!(store.find_by_email(value).await.unwrap().is_empty()),
                5 => assert!(store.group(value).await.unwrap().is_none()),
                6 => assert!(store.find_group_by_name(value).await.unwrap().is_none()),
                _ => {
                    let found = store.members(value).await.unwrap();
                    assert!(found.is_empty());
                    let calls = calls * usize::from(LANES);
                    assert_eq!(service.requests().len(), calls);
                    continue;
                }
            }
            assert_eq!(service.requests().len(), calls, "look-up {look_up}");
        }
    }
}

#[tokio::test]
async fn a_removed_user_is_found_only_as_a_record() {
    let mut removed = item("u1");
    removed["removed"] = json!({"BOOL": true});
    for (item, is_present) in [(item("u1"), true), (removed, false)] {
        let store = store_of(&table(vec![done(&json!({"Item": item}))]));
        assert_eq!(store.get("u1").await.unwrap().is_some(), is_present);
        assert!(store.get_record("u1").await.unwrap().is_some());
        let batch = json!({"Responses": {"table": [item]}});
        let store = store_of(&table(vec![done(&batch)]));
        let ids = ["u1".to_owned()];
        assert_eq!(
            store.users(&ids).await.unwrap().len(),
            usize::from(is_present)
        );
        assert_eq!(store.all_exist(&ids).await.unwrap(), is_present);
        assert_eq!(store.records(&ids).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_malformed_user_does_not_hide_the_others() {
    let mut malformed = item("u1");
    malformed["version"] = json!({"N": "x"});
    let batch = json!({"Responses": {"table": [malformed, item("u2")]}});
    let ids = ["u1".to_owned(), "u2".to_owned(), "u3".to_owned()];
    let service = table(vec![done(&batch)]);
    let store = store_of(&service);
    let users = store.users(&ids).await.unwrap();
    assert_eq!(users.len(), 1);
    assert_eq!(users[0].id, "u2");
    assert_eq!(store.records(&ids).await.unwrap().len(), 1);
    assert_eq!(
        named(&store_of(&table(vec![conflict()])).users(&ids).await),
        "failed"
    );
}

#[tokio::test]
async fn of_a_batch_of_members_those_are_written_whose_conditions_hold() {
    let now = Timestamp::UNIX_EPOCH;
    let group = StoredGroup::new("g1", None, BTreeMap::new(), "now");
    let gate = Gate {
        group: &group,
        lane: 0,
    };
    let changes = || -> Vec<MemberChange> {
        let change = |id: &str| MemberChange {
            before: record(id),
            after: record(id),
            is_member: true,
        };
        ["u1", "u2", "u3"].map(change).into()
    };
    let none = "None";
    let unmet = "ConditionalCheckFailed";
    // The gate, and three actions of each user.
    let second = [none, none, none, none, unmet, none, none, none, none, none];
    let gone = [unmet, none, none, none, none, none, none, none, none, none];
    for (responses, expected, calls) in [
        (vec![done(&json!({}))], Some(vec![true, true, true]), 1),
        (
            vec![cancelled(&second), done(&json!({}))],
            Some(vec![true, false, true]),
            2,
        ),
        (vec![cancelled(&gone)], None, 1),
        (vec![error("ValidationException", Value::Null)], None, 1),
    ] {
        let service = table(responses);
        let written = store_of(&service)
            .write_members(gate, &changes(), now)
            .await;
        assert_eq!(written.ok(), expected);
        let inputs = bodies(&service);
        assert_eq!(inputs.len(), calls);
        let actions = inputs[calls - 1]["TransactItems"].as_array().unwrap();
        assert_eq!(actions.len(), if calls == 2 { 7 } else { 10 });
    }
}

#[tokio::test]
async fn of_a_batch_of_leftovers_those_are_deleted_whose_users_are_unchanged() {
    let now = Timestamp::UNIX_EPOCH;
    let group = StoredGroup::new("g1", None, BTreeMap::new(), "now");
    let gate = Gate {
        group: &group,
        lane: 0,
    };
    let users = |count: usize| -> Vec<NonMember> {
        let user = |number| NonMember {
            user_id: format!("u{number}"),
            version: Some(1),
        };
        (0..count).map(user).collect()
    };
    let (none, unmet) = ("None", "ConditionalCheckFailed");
    let second = [none, none, none, unmet, none, none, none];
    let gone = [unmet, none, none, none, none, none, none];
    for (responses, count, expected, calls) in [
        (vec![done(&json!({}))], 3, Some(vec![]), 1),
        (
            vec![cancelled(&second), done(&json!({}))],
            3,
            Some(vec!["u1".to_owned()]),
            2,
        ),
        (vec![cancelled(&gone)], 3, None, 1),
        (vec![error("ValidationException", Value::Null)], 3, None, 1),
        // One action is the gate's, and two are of each user.
        (vec![done(&json!({}))], 49, Some(vec![]), 1),
        (vec![done(&json!({}))], 50, Some(vec![]), 2),
    ] {
        let service = table(responses);
        let changed = store_of(&service)
            .delete_members(gate, &users(count), now)
            .await;
        assert_eq!(changed.ok(), expected, "{count}");
        assert_eq!(service.requests().len(), calls, "{count}");
    }
    let invalid = [NonMember {
        user_id: "u#1".to_owned(),
        version: None,
    }];
    let service = table(vec![conflict()]);
    let changed = store_of(&service).delete_members(gate, &invalid, now).await;
    assert!(changed.unwrap().is_empty());
    assert!(service.requests().is_empty());
}

#[tokio::test]
async fn a_deletion_begins_only_with_the_group_as_it_was_read() {
    let now = Timestamp::UNIX_EPOCH;
    let own = "generation = :generation AND #state <> :other";
    for (state, condition, other) in [
        (
            GroupState::Seen,
            "attribute_not_exists(pk) OR #state = :other",
            "seen",
        ),
        (GroupState::Active, own, "deleted"),
        (GroupState::Deleting, own, "deleted"),
        (GroupState::Deleted, own, "deleted"),
    ] {
        let group = StoredGroup {
            state,
            ..StoredGroup::new("g1", None, BTreeMap::new(), "now")
        };
        let service = table(vec![done(&json!({}))]);
        store_of(&service)
            .begin_deletion(&group, now)
            .await
            .unwrap();
        let input = bodies(&service).remove(0);
        assert_eq!(input["ConditionExpression"], condition, "{state:?}");
        let values = &input["ExpressionAttributeValues"];
        assert_eq!(values[":other"]["S"], other, "{state:?}");
        assert_eq!(values[":generation"]["S"], group.generation);
    }
}

#[tokio::test]
async fn a_user_is_restored_after_its_copies_and_listed_last() {
    let item = |partition: &str, more: &str| {
        let line = format!(r#"{{"pk":{{"S":"{partition}"}},"sk":{{"S":"x"}}{more}}}"#);
        Item::parse(&line).unwrap()
    };
    let items = [
        item("LISTING", r#","ids":{"BS":["AAAA"]}"#),
        item("USER#u1", ""),
        item("USERNAME#ada", ""),
        item("GROUP#g1#0", ""),
    ];
    let service = table(vec![done(&json!({"Items": []}))]);
    let restored = store_of(&service).restore(&items, false, |_| {}).await;
    assert!(matches!(restored, Err(RestoreError::Differs(4))));
    let inputs = bodies(&service);
    let actions = inputs[1]["TransactItems"].as_array().unwrap();
    let partitions: Vec<&Value> = actions
        .iter()
        .map(|action| match action.get("Put") {
            Some(put) => &put["Item"]["pk"]["S"],
            None => &action["Update"]["Key"]["pk"]["S"],
        })
        .collect();
    assert_eq!(
        partitions,
        ["USERNAME#ada", "GROUP#g1#0", "USER#u1", "LISTING"]
    );
}
