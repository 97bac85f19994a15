//! Writes whose response was lost, and that are sent again: what the second attempt finds, what it
//! sends, and what the server has afterwards.

use std::collections::BTreeMap;

use directory_sync::attribute::{Attribute, Profile};
use directory_sync::plan::{ResourceId, UserChanges};
use directory_sync::target::{Client, Error, Operation};
use identity_center_simulator::{Fault, Options, Simulator};
use serde_json::{Value, json};

use crate::company::{client, for_simulator};

const MARK: &str = "corp:1";

async fn simulator() -> (Simulator, Client) {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let configuration = for_simulator(&simulator, "");
    let client = client(&configuration, simulator.token());
    (simulator, client)
}

/// Every attribute but the manager, who has to exist.
fn profile() -> Profile {
    let values = Attribute::ALL.into_iter().filter_map(|attribute| {
        let value = match attribute {
            Attribute::Manager => return None,
            Attribute::UserName | Attribute::Email => "ann@example.test".to_owned(),
            Attribute::ProfileUrl => "https://example.test/ann".to_owned(),
            Attribute::PreferredLanguage | Attribute::Locale => "en-US".to_owned(),
            Attribute::Timezone => "Europe/Berlin".to_owned(),
            _ => format!("{attribute} of ann"),
        };
        Some((attribute, value))
    });
    Profile(values.collect())
}

/// The calls that a client has made, without those that it has not.
fn calls(client: &Client) -> Vec<(Operation, usize)> {
    let calls = client.calls().into_iter();
    calls.filter(|(_, count)| *count > 0).collect()
}

/// A user of the simulator, without what the server sets.
fn user(simulator: &Simulator, name: &str) -> Value {
    let mut user = simulator.user(name).unwrap();
    for key in ["id", "meta"] {
        user.as_object_mut().unwrap().remove(key);
    }
    user
}

/// The user that a first attempt creates, without a second one.
async fn expected() -> Value {
    let (simulator, client) = simulator().await;
    client.create_user(MARK, &profile()).await.unwrap();
    assert_eq!(calls(&client), [(Operation::CreateUser, 1)]);
    assert_eq!(client.repeated(), 0);
    user(&simulator, "ann@example.test")
}

#[tokio::test]
async fn a_user_whose_response_was_lost_is_found_and_not_created_twice() {
    let (simulator, client) = simulator().await;
    simulator.fail_write(0, Fault::DropAfter);
    let made = client.create_user(MARK, &profile()).await.unwrap();
    assert!(made.was_there);
    assert_eq!(
        calls(&client),
        [(Operation::ListUsers, 1), (Operation::CreateUser, 2)]
    );
    assert_eq!(client.repeated(), 1);
    assert_eq!(simulator.users().len(), 1);
    assert_eq!(user(&simulator, "ann@example.test"), expected().await);
    assert_eq!(
        simulator.user("ann@example.test").unwrap()["id"],
        made.id.0.as_str()
    );
}

#[tokio::test]
async fn a_user_that_is_there_is_brought_to_the_wanted_values_in_one_write() {
    let expected = expected().await;
    for attribute in profile().0.into_keys() {
        let (simulator, first) = simulator().await;
        let mut other = profile();
        let value = match attribute {
            Attribute::UserName | Attribute::Email => "other@example.test",
            Attribute::ProfileUrl => "https://example.test/other",
            Attribute::PreferredLanguage | Attribute::Locale => "de-DE",
            Attribute::Timezone => "Europe/Paris",
            _ => "other",
        };
        other.0.insert(attribute, value.to_owned());
        first.create_user(MARK, &other).await.unwrap();
        let second = client(&for_simulator(&simulator, ""), simulator.token());
        let made = second.create_user(MARK, &profile()).await.unwrap();
        assert!(made.was_there, "{attribute}");
        assert_eq!(
            calls(&second),
            [
                (Operation::ListUsers, 1),
                (Operation::CreateUser, 1),
                (Operation::PatchUser, 1)
            ],
            "{attribute}"
        );
        assert_eq!(
            user(&simulator, "ann@example.test"),
            expected,
            "{attribute}"
        );
        assert_eq!(simulator.users().len(), 1);
    }
}

#[tokio::test]
async fn a_user_that_is_there_and_inactive_becomes_active_and_an_equal_one_is_not_written() {
    for is_active in [true, false] {
        let (simulator, first) = simulator().await;
        let made = first.create_user(MARK, &profile()).await.unwrap();
        if !is_active {
            let changes = UserChanges {
                active: Some(false),
                ..UserChanges::default()
            };
            first.update_user(&made.id, &changes).await.unwrap();
        }
        let second = client(&for_simulator(&simulator, ""), simulator.token());
        let again = second.create_user(MARK, &profile()).await.unwrap();
        assert_eq!(again.id, made.id);
        assert!(again.was_there);
        let mut expected_calls = vec![(Operation::ListUsers, 1), (Operation::CreateUser, 1)];
        expected_calls.extend((!is_active).then_some((Operation::PatchUser, 1)));
        assert_eq!(calls(&second), expected_calls);
        assert_eq!(user(&simulator, "ann@example.test"), expected().await);
    }
}

#[tokio::test]
async fn a_user_of_another_sync_is_not_adopted() {
    for mark in [Some("corp2:1"), Some("00u1"), None] {
        let (simulator, client) = simulator().await;
        let other = json!({"userName": "ann@example.test", "displayName": "other", "active": true,
            "externalId": mark, "name": {"givenName": "G", "familyName": "F"}});
        simulator.add_user(other).unwrap();
        let before = user(&simulator, "ann@example.test");
        let error = client.create_user(MARK, &profile()).await.unwrap_err();
        assert_eq!(error.status(), Some(409), "{mark:?}");
        assert_eq!(
            calls(&client),
            [(Operation::ListUsers, 1), (Operation::CreateUser, 1)]
        );
        assert_eq!(user(&simulator, "ann@example.test"), before);
    }
}

#[tokio::test]
async fn a_refusal_that_is_no_conflict_looks_for_nothing() {
    let (simulator, client) = simulator().await;
    let mut invalid = profile();
    invalid
        .0
        .insert(Attribute::UserName, "Administrator".to_owned());
    let error = client.create_user(MARK, &invalid).await.unwrap_err();
    assert_eq!(error.status(), Some(400), "{error}");
    assert_eq!(calls(&client), [(Operation::CreateUser, 1)]);

    assert!(simulator.users().is_empty());

    let client = self::client(&for_simulator(&simulator, ""), simulator.token());
    let error = client
        .create_group(MARK, "Administrator", &[])
        .await
        .unwrap_err();
    assert_eq!(error.status(), Some(400), "{error}");
    assert_eq!(calls(&client), [(Operation::CreateGroup, 1)]);
    assert!(simulator.groups().is_empty());
}

/// Ids of users, created past the client under test.
async fn members(simulator: &Simulator, names: &[&str]) -> Vec<ResourceId> {
    let ids = names.iter().map(|name| {
        let user = json!({"userName": name, "displayName": name, "active": true,
            "name": {"givenName": "G", "familyName": "F"}});
        ResourceId(simulator.add_user(user).unwrap())
    });
    ids.collect()
}

/// The groups of the simulator: externalId and members by name.
fn groups(simulator: &Simulator) -> BTreeMap<String, (Value, Vec<String>)> {
    let groups = simulator.groups().into_iter().map(|group| {
        let name = group["displayName"].as_str().unwrap().to_owned();
        let members = simulator.members(&name).unwrap().into_iter().collect();
        (name, (group["externalId"].clone(), members))
    });
    groups.collect()
}

#[tokio::test]
async fn a_group_that_is_there_gets_the_wanted_name_and_members() {
    // The name that a first attempt left, its members, and the writes of the second attempt.
    let cases: [(&str, &[usize], &[usize], usize); 5] = [
        ("aws-admins", &[], &[], 0),
        ("aws-admins", &[0, 1], &[0, 1], 1),
        ("aws-admins", &[], &[0, 1], 1),
        ("aws-before", &[], &[], 1),
        ("aws-before", &[0], &[0, 1], 2),
    ];
    for (name, there, wanted, writes) in cases {
        let (simulator, first) = simulator().await;
        let users = members(&simulator, &["ann", "bob"]).await;
        let ids = |indices: &[usize]| -> Vec<ResourceId> {
            indices.iter().map(|index| users[*index].clone()).collect()
        };
        let made = first.create_group(MARK, name, &ids(there)).await.unwrap();
        let second = client(&for_simulator(&simulator, ""), simulator.token());
        let again = second.create_group(MARK, "aws-admins", &ids(wanted)).await;
        let again = again.unwrap();
        assert_eq!((again.id, again.was_there), (made.id, true));
        let mut expected = vec![(Operation::ListGroups, 1), (Operation::CreateGroup, 1)];
        expected.extend((writes > 0).then_some((Operation::PatchGroup, writes)));
        expected.sort_unstable();
        assert_eq!(calls(&second), expected, "{name} {there:?} {wanted:?}");
        let names: Vec<String> = ["ann", "bob"][..wanted.len()]
            .iter()
            .map(|name| (*name).to_owned())
            .collect();
        let expected = [("aws-admins".to_owned(), (json!(MARK), names))];
        assert_eq!(groups(&simulator), expected.into());
    }
}

#[tokio::test]
async fn a_group_whose_response_was_lost_has_its_members_once() {
    let (simulator, client) = simulator().await;
    let users = members(&simulator, &["ann", "bob"]).await;
    simulator.fail_write(0, Fault::DropAfter);
    let made = client.create_group(MARK, "aws-admins", &users).await;
    assert!(made.unwrap().was_there);
    let names = vec!["ann".to_owned(), "bob".to_owned()];
    let expected = [("aws-admins".to_owned(), (json!(MARK), names))];
    assert_eq!(groups(&simulator), expected.into());
    assert_eq!(client.repeated(), 1);
}

#[tokio::test]
async fn a_group_of_another_sync_is_not_adopted() {
    for mark in [Some("corp2:1"), None] {
        let (simulator, client) = simulator().await;
        let users = members(&simulator, &["ann"]).await;
        simulator
            .add_group(
                json!({"displayName": "aws-admins", "externalId": mark}),
                &[],
            )
            .unwrap();
        let before = groups(&simulator);
        let error = client.create_group(MARK, "aws-admins", &users).await;
        assert_eq!(error.unwrap_err().status(), Some(409), "{mark:?}");
        assert_eq!(
            calls(&client),
            [(Operation::ListGroups, 1), (Operation::CreateGroup, 1)]
        );
        assert_eq!(groups(&simulator), before);
    }
}

#[tokio::test]
async fn every_other_write_is_done_once_and_sent_twice() {
    let (simulator, first) = simulator().await;
    let users = members(&simulator, &["bob"]).await;
    let user = first.create_user(MARK, &profile()).await.unwrap().id;
    let group = first
        .create_group(MARK, "aws-admins", &users)
        .await
        .unwrap()
        .id;
    let second = || client(&for_simulator(&simulator, ""), simulator.token());
    let check = |client: &Client, operation: Operation, result: Result<(), Error>| {
        result.unwrap();
        assert_eq!(calls(client), [(operation, 2)]);
        assert_eq!(client.repeated(), 1, "{operation}");
    };

    let client = second();
    simulator.fail_write(0, Fault::DropAfter);
    let changes = UserChanges {
        set: [(Attribute::Title, "Head".to_owned())].into(),
        removed: [Attribute::NickName].into(),
        ..UserChanges::default()
    };
    let result = client.update_user(&user, &changes).await;
    check(&client, Operation::PatchUser, result);
    let found = simulator.user("ann@example.test").unwrap();
    assert_eq!(found["title"], "Head");
    assert!(found.get("nickName").is_none());

    let client = second();
    simulator.fail_write(0, Fault::DropAfter);
    let added = [user.clone()];
    let result = client.change_members(&group, &added, &users).await;
    check(&client, Operation::PatchGroup, result);
    assert_eq!(
        Vec::from_iter(simulator.members("aws-admins").unwrap()),
        ["ann@example.test"]
    );

    let client = second();
    simulator.fail_write(0, Fault::DropAfter);
    let result = client.update_group(&group, Some("aws-owners"), None).await;
    check(&client, Operation::PatchGroup, result);
    assert!(groups(&simulator).contains_key("aws-owners"));

    let client = second();
    simulator.fail_write(0, Fault::DropAfter);
    let result = client.delete_group(&group).await;
    check(&client, Operation::DeleteGroup, result);
    assert!(simulator.groups().is_empty());

    let client = second();
    simulator.fail_write(0, Fault::DropAfter);
    let result = client.delete_user(&user).await;
    check(&client, Operation::DeleteUser, result);
    assert_eq!(simulator.users().len(), 1);

    // A change of what is gone is refused; it cannot be said to be done.
    let error = second().update_user(&user, &changes).await.unwrap_err();
    assert_eq!(error.status(), Some(404));
}
