//! What each request for a user leaves in the directory, in Connect and in the queue.

use std::time::Duration;

use aws_json_client::Service;
use connect_directory::{
    directory::{ChangeError, Directory, DirectoryError, GroupChange, Reconciled},
    reconcile::Refusal,
    store::{Record, StoreError, StoredUser},
};
use connect_simulator::{AssignedKind, Fault, FaultRule, Operation};
use serde_json::{Value, json};

use crate::{
    LATER,
    common::{Setup, new_user, user_with},
};

const UNAVAILABLE: Fault = Fault::Error { status: 503 };

fn fail(setup: &Setup, operation: Operation, fault: Fault) {
    let rule = FaultRule::next(1_000, operation, fault);
    setup.cloud.simulator.inject(rule);
}

/// The names of the operations that Connect was called with since the last call of this
/// function.
fn calls(setup: &Setup) -> Vec<Operation> {
    let calls = setup.cloud.simulator.calls();
    setup.cloud.simulator.clear_calls();
    calls.into_iter().map(|call| call.operation).collect()
}

async fn record(setup: &Setup, id: &str) -> Record {
    setup.store().get_record(id).await.unwrap().unwrap()
}

/// The number of items, without the lists of ids, which stay when they are empty.
async fn items(setup: &Setup) -> usize {
    let items = setup.cloud.items().await.into_iter();
    items.filter(|item| item["pk"]["S"] != "LISTING").count()
}

/// Attributes with a proficiency of this level.
fn language(level: f64) -> Value {
    let language = json!({
        "attributeName": "connect:Language",
        "attributeValue": "connect:English",
        "level": level,
    });
    json!({
        "urn:ietf:params:scim:schemas:extension:amazonconnect:2.0:User": {
            "proficiencies": [language],
        },
    })
}

/// An error of a change as one word.
fn named<E>(error: &ChangeError<E>) -> &'static str {
    match error {
        ChangeError::Caller(_) => "caller",
        ChangeError::Directory(error) => kind(error),
    }
}

fn kind(error: &DirectoryError) -> &'static str {
    match error {
        DirectoryError::Mapping(_) => "mapping",
        DirectoryError::Profile(_) => "profile",
        DirectoryError::Rename => "rename",
        DirectoryError::Unchecked(_) => "unchecked",
        DirectoryError::Refused(Refusal::UserNameTaken(_)) => "taken in Connect",
        DirectoryError::Refused(_) => "refused",
        DirectoryError::Store(StoreError::UserNameTaken) => "taken",
        DirectoryError::Store(StoreError::NotFound) => "not found",
        DirectoryError::Store(_) => "store",
    }
}

#[tokio::test]
async fn a_refused_creation_leaves_nothing_and_a_failed_one_is_pending() {
    let entitled = |name: &str| json!({"entitlements": [{"value": name}]});
    for (user, fault, expected) in [
        (user_with("ada", &json!({})), None, "done"),
        (user_with("ada", &entitled("Admin")), None, "done"),
        (
            user_with("ada", &json!({"active": false})),
            None,
            "inactive",
        ),
        (user_with("x", &json!({"active": false})), None, "inactive"),
        (user_with("x", &json!({})), None, "mapping"),
        (user_with("ada", &entitled("Nobody")), None, "profile"),
        (user_with("TAKEN", &json!({})), None, "taken"),
        (
            user_with("ada", &json!({})),
            Some((Operation::CreateUser, Fault::AccessDenied)),
            "refused",
        ),
        // Connect has created the user by then.
        (
            user_with("ada", &language(3.0)),
            Some((Operation::AssociateUserProficiencies, Fault::AccessDenied)),
            "refused",
        ),
        (
            user_with("ada", &json!({})),
            Some((Operation::CreateUser, UNAVAILABLE)),
            "pending",
        ),
        (
            user_with("ada", &json!({})),
            Some((Operation::ListRoutingProfiles, UNAVAILABLE)),
            "done",
        ),
    ] {
        let setup = Setup::start().await;
        setup.create("taken").await;
        let before = items(&setup).await;
        if let Some((operation, fault)) = fault {
            fail(&setup, operation, fault);
        }
        let name = user.user_name().to_owned();
        let created = setup.directory.create(user, None, setup.context()).await;
        let found = setup.store().find_by_user_name(&name).await.unwrap();
        let in_connect = setup.cloud.connect_user(&name).is_some();
        let messages = setup.cloud.messages().len();
        match created {
            Ok(written) => {
                let id = found.expect("the user is stored").id;
                assert_eq!(id, written.user.id);
                assert_eq!(written.user.version, 1);
                assert_eq!(written.pending, expected == "pending", "{name}");
                assert_eq!(in_connect, expected == "done", "{name} {expected}");
                assert_eq!(messages, usize::from(written.pending));
                let record = record(&setup, &id).await;
                assert_eq!(record.pending_since.is_some(), written.pending);
                assert_eq!(record.connect.applied.is_some(), in_connect);
            }
            Err(error) => {
                assert_eq!(kind(&error), expected, "{error}");
                assert!(!in_connect && messages == 0);
                assert_eq!(items(&setup).await, before, "{expected}");
            }
        }
    }
}

#[tokio::test]
async fn a_user_whose_creation_was_not_confirmed_leaves_connect_with_the_deletion() {
    let setup = Setup::start().await;
    setup.inject(Operation::CreateUser, Fault::DropAfter);
    fail(&setup, Operation::SearchUsers, UNAVAILABLE);
    let created = setup
        .directory
        .create(new_user("ada"), None, setup.context())
        .await
        .unwrap();
    assert!(created.pending);
    setup.cloud.simulator.clear_faults();
    let id = created.user.id;
    let deleted = setup
        .directory
        .delete(&id, |_| Ok::<(), ()>(()), setup.context());
    assert!(deleted.await.is_ok());
    assert_eq!(setup.cloud.connect_user("ada"), None);
}

/// Sets attributes of a user.
async fn update(setup: &Setup, id: &str, changed: &Value) -> Result<bool, &'static str> {
    let change = |user: &mut StoredUser| {
        user.document.extend(changed.as_object().unwrap().clone());
        Ok::<(), ()>(())
    };
    let updated = setup.directory.update(id, change, setup.context()).await;
    updated
        .map(|written| written.pending)
        .map_err(|error| named(&error))
}

#[tokio::test]
async fn a_change_is_kept_as_a_whole_or_not_at_all() {
    use Operation::{DeleteUser, UpdateUserIdentityInfo, UpdateUserSecurityProfiles};
    let king = json!({"name": {"givenName": "Ada", "familyName": "King"}});
    let admin = json!({"entitlements": [{"value": "Admin"}]});
    let both = json!({"entitlements": [{"value": "Admin"}], "name": {"givenName": "A", "familyName": "K"}});
    let denied = Fault::AccessDenied;
    for (changed, fault, expected, pending_after) in [
        (json!({}), None, Ok(false), false),
        (json!({"title": "Countess"}), None, Ok(false), false),
        (king.clone(), None, Ok(false), false),
        (admin.clone(), None, Ok(false), false),
        (json!({"active": false}), None, Ok(false), false),
        (json!({"userName": "ADA"}), None, Ok(false), false),
        (json!({"userName": "other"}), None, Err("rename"), false),
        (json!({"userName": "bob"}), None, Err("rename"), false),
        (json!({"userName": "x"}), None, Err("mapping"), false),
        (
            json!({"entitlements": [{"value": "Nobody"}]}),
            None,
            Err("profile"),
            false,
        ),
        (
            king.clone(),
            Some((UpdateUserIdentityInfo, UNAVAILABLE)),
            Ok(true),
            true,
        ),
        (
            king.clone(),
            Some((UpdateUserIdentityInfo, denied)),
            Err("refused"),
            false,
        ),
        (
            admin,
            Some((UpdateUserSecurityProfiles, denied)),
            Err("refused"),
            false,
        ),
        // The first call was carried out, the second is refused.
        (
            both,
            Some((UpdateUserIdentityInfo, denied)),
            Err("refused"),
            true,
        ),
        (
            json!({"active": false}),
            Some((DeleteUser, UNAVAILABLE)),
            Ok(true),
            true,
        ),
        (
            json!({"active": false}),
            Some((DeleteUser, denied)),
            Ok(true),
            true,
        ),
    ] {
        let what = format!("{changed} {fault:?}");
        let setup = Setup::start().await;
        setup.create("bob").await;
        let id = setup.create("ada").await;
        let before = record(&setup, &id).await;
        if let Some((operation, fault)) = fault {
            fail(&setup, operation, fault);
        }
        assert_eq!(update(&setup, &id, &changed).await, expected, "{what}");
        let after = record(&setup, &id).await;
        assert!(after.claim.is_none(), "{what}");
        let is_changed = expected.is_ok() && changed != json!({});
        assert_eq!(after.user.version, 1 + u64::from(is_changed), "{what}");
        assert_eq!(
            after.user.document != before.user.document,
            is_changed,
            "{what}"
        );
        assert_eq!(after.pending_since.is_some(), pending_after, "{what}");
        assert_eq!(
            setup.cloud.messages().len(),
            usize::from(expected == Ok(true)),
            "{what}"
        );

        setup.cloud.simulator.clear_faults();
        let reconciled = setup.directory.reconcile(&id, setup.context()).await;
        assert_eq!(reconciled.unwrap(), Reconciled::Synchronised, "{what}");
        let record = record(&setup, &id).await;
        assert!(record.pending_since.is_none() && record.connect.last_error.is_none());
        let comparison = setup.directory.compare(&record).await.unwrap();
        let actual = comparison.actual.map(|applied| applied.user);
        let desired = comparison.desired.unwrap();
        assert_eq!(actual.is_some(), desired.is_some(), "{what}");
        if let (Some(actual), Some(desired)) = (actual, desired) {
            assert_eq!(
                actual.identity.last_name, desired.identity.last_name,
                "{what}"
            );
            assert_eq!(
                actual.security_profile_ids, desired.security_profile_ids,
                "{what}"
            );
        }
    }
}

#[tokio::test]
async fn a_rename_replaces_the_user_if_the_name_is_free() {
    for (name, expected, in_connect) in [
        ("cleo", Ok(false), "cleo"),
        ("BOB", Err("taken"), "ada"),
        ("held", Err("taken in Connect"), "ada"),
    ] {
        let setup = Setup::with(&[("RENAME", "recreate"), ("ADOPT", "never")]).await;
        setup.create("bob").await;
        let held = setup.create("held").await;
        let id = setup.create("ada").await;
        // A user of Connect whom SCIM does not have.
        let unmanaged = setup.cloud.connect_user("held").unwrap();
        let removed = setup
            .directory
            .delete(&held, |_| Ok::<(), ()>(()), setup.context());
        assert!(removed.await.is_ok());
        if name == "held" {
            recreate_unmanaged(&setup, &unmanaged).await;
        }
        calls(&setup);
        assert_eq!(
            update(&setup, &id, &json!({"userName": name})).await,
            expected,
            "{name}"
        );
        let is_asked = calls(&setup).contains(&Operation::CreateUser);
        assert_eq!(is_asked, expected != Err("taken"), "{name}");
        setup
            .directory
            .reconcile(&id, setup.context())
            .await
            .unwrap();
        let user = setup
            .cloud
            .connect_user(in_connect)
            .expect("the user is in Connect");
        assert_eq!(user["Tags"]["scim:id"], id, "{name}");
        assert_eq!(
            setup.cloud.connect_user("ada").is_some(),
            in_connect == "ada"
        );
    }
}

/// Creates a user in Connect as an administrator does.
async fn recreate_unmanaged(setup: &Setup, user: &Value) {
    use aws_json_client::{Method, Request};
    let arn = setup.cloud.simulator.instance_arn();
    let instance_id = arn.rsplit('/').next().unwrap();
    let body = json!({
        "Username": user["Username"],
        "IdentityInfo": {"FirstName": "Some", "LastName": "Other"},
        "PhoneConfig": user["PhoneConfig"],
        "SecurityProfileIds": user["SecurityProfileIds"],
        "RoutingProfileId": user["RoutingProfileId"],
    });
    let request = Request::rest("CreateUser", Method::Put, &["users", instance_id]);
    let client = setup.cloud.client(Service::CONNECT);
    client.send(request.body(&body).unwrap()).await.unwrap();
}

#[tokio::test]
async fn an_existing_user_is_adopted_as_the_environment_says() {
    for (adopt, first_name, expected) in [
        ("never", "Some", Err("taken in Connect")),
        ("matching", "some", Ok(())),
        ("matching", "Ada", Err("taken in Connect")),
        ("always", "Ada", Ok(())),
    ] {
        let setup = Setup::with(&[("ADOPT", adopt)]).await;
        setup.create("pattern").await;
        let mut unmanaged = setup.cloud.connect_user("pattern").unwrap();
        unmanaged["Username"] = json!("ada");
        recreate_unmanaged(&setup, &unmanaged).await;
        let name = json!({"name": {"givenName": first_name, "familyName": "Other"}});
        let user = user_with("ada", &name);
        let created = setup.directory.create(user, None, setup.context()).await;
        let outcome = created.as_ref().map(drop).map_err(|error| kind(error));
        assert_eq!(outcome, expected, "{adopt} {first_name}");
        let user = setup.cloud.connect_user("ada").unwrap();
        let owner = created
            .map(|created| json!(created.user.id))
            .unwrap_or_default();
        assert_eq!(user["Tags"]["scim:id"], owner);
    }
}

#[tokio::test]
async fn a_closure_that_refuses_leaves_the_user_as_it_was() {
    let setup = Setup::start().await;
    let id = setup.create("ada").await;
    let before = record(&setup, &id).await;
    let refused = setup
        .directory
        .update(&id, |_| Err::<(), _>("no"), setup.context())
        .await;
    assert_eq!(
        refused.map(drop).map_err(|error| named(&error)),
        Err("caller")
    );
    let refused = setup
        .directory
        .delete(&id, |_| Err::<(), _>("no"), setup.context())
        .await;
    assert_eq!(refused.map_err(|error| named(&error)), Err("caller"));
    assert!(record(&setup, &id).await == before);
    let missing = setup
        .directory
        .delete("missing", |_| Ok::<(), ()>(()), setup.context());
    assert_eq!(
        missing.await.map_err(|error| named(&error)),
        Err("not found")
    );
    assert_eq!(
        update(&setup, "missing", &json!({})).await,
        Err("not found")
    );
}

#[tokio::test]
async fn a_deleted_user_is_invisible_and_leaves_connect_then_or_later() {
    for (fault, pending) in [
        (None, false),
        (Some(UNAVAILABLE), true),
        (Some(Fault::AccessDenied), true),
    ] {
        let setup = Setup::start().await;
        let id = setup.create("ada").await;
        if let Some(fault) = fault {
            fail(&setup, Operation::DeleteUser, fault);
        }
        let deleted = setup
            .directory
            .delete(&id, |_| Ok::<(), ()>(()), setup.context());
        assert_eq!(deleted.await.map_err(|error| named(&error)), Ok(pending));
        assert!(setup.store().get(&id).await.unwrap().is_none());
        assert!(setup.store().ids().await.unwrap().is_empty());
        assert!(
            setup
                .store()
                .find_by_user_name("ada")
                .await
                .unwrap()
                .is_none()
        );
        assert_eq!(setup.cloud.connect_user("ada").is_some(), pending);
        assert_eq!(setup.cloud.messages().len(), usize::from(pending));
        assert_eq!(
            setup.directory.records().await.unwrap().len(),
            usize::from(pending)
        );
        assert_eq!(update(&setup, &id, &json!({})).await, Err("not found"));

        setup.cloud.simulator.clear_faults();
        for id in setup.store().pending_ids(setup.at(LATER)).await.unwrap() {
            let reconciled = setup
                .directory
                .reconcile(&id, setup.context_at(LATER))
                .await;
            assert_eq!(reconciled.unwrap(), Reconciled::Gone);
        }
        assert_eq!(setup.cloud.connect_user("ada"), None);
        assert!(setup.directory.records().await.unwrap().is_empty());
        let gone = setup
            .directory
            .reconcile(&id, setup.context_at(LATER))
            .await;
        assert_eq!(gone.unwrap(), Reconciled::Gone);
    }
}

#[tokio::test]
async fn what_somebody_changed_in_connect_is_seen_and_repaired() {
    let setup = Setup::start().await;
    let id = setup.create("ada").await;
    let wanted = setup.cloud.connect_user("ada").unwrap();
    let known = record(&setup, &id).await;
    let comparison = setup.directory.compare_known(&known).await.unwrap();
    let actual = comparison.actual.unwrap().user;
    let desired = comparison.desired.unwrap().unwrap();
    assert_eq!(actual.security_profile_ids, desired.security_profile_ids);
    assert_eq!(actual.tags, desired.tags);

    let simulator = &setup.cloud.simulator;
    let other = simulator
        .create(AssignedKind::SecurityProfiles, "Other")
        .unwrap();
    let client = setup.cloud.client(Service::CONNECT);
    let arn = simulator.instance_arn();
    let path = [
        "users",
        arn.rsplit('/').next().unwrap(),
        wanted["Id"].as_str().unwrap(),
        "security-profiles",
    ];
    let request = aws_json_client::Request::rest(
        "UpdateUserSecurityProfiles",
        aws_json_client::Method::Post,
        &path,
    );
    let changed = json!({"SecurityProfileIds": [other]});
    client.send(request.body(&changed).unwrap()).await.unwrap();
    for comparison in [
        setup.directory.compare(&known).await.unwrap(),
        setup.directory.compare_known(&known).await.unwrap(),
    ] {
        let actual = comparison.actual.unwrap().user;
        assert_eq!(actual.security_profile_ids, [other.clone()].into());
        assert_eq!(
            json!(comparison.desired.unwrap().unwrap().security_profile_ids),
            wanted["SecurityProfileIds"]
        );
    }
    // A reconciliation trusts what was recorded.
    let reconciled = setup.directory.reconcile(&id, setup.context()).await;
    assert_eq!(reconciled.unwrap(), Reconciled::Synchronised);
    assert_eq!(setup.profiles("ada"), json!([other]));
    setup.directory.mend(&id, setup.context()).await.unwrap();
    assert_eq!(setup.profiles("ada"), wanted["SecurityProfileIds"]);

    setup.delete_in_connect("ada").await;
    let known = record(&setup, &id).await;
    assert!(
        setup
            .directory
            .compare(&known)
            .await
            .unwrap()
            .actual
            .is_none()
    );
    assert!(
        setup
            .directory
            .compare_known(&known)
            .await
            .unwrap()
            .actual
            .is_none()
    );
    calls(&setup);
    setup.directory.mend(&id, setup.context()).await.unwrap();
    assert!(calls(&setup).contains(&Operation::CreateUser));
    assert_eq!(setup.profiles("ada"), wanted["SecurityProfileIds"]);
}

#[tokio::test]
async fn a_pending_user_has_one_message_until_it_is_used_up() {
    let setup = Setup::start().await;
    let id = setup.create("ada").await;
    fail(&setup, Operation::UpdateUserIdentityInfo, UNAVAILABLE);
    for (last_name, messages) in [("King", 1), ("Byron", 1)] {
        let name = json!({"name": {"givenName": "Ada", "familyName": last_name}});
        assert_eq!(update(&setup, &id, &name).await, Ok(true));
        assert_eq!(setup.cloud.messages().len(), messages);
    }
    assert!(setup.cloud.messages()[0].contains(&id));
}

#[tokio::test]
async fn the_groups_that_grant_rights_to_a_user_are_named() {
    let setup = Setup::with(&[("GROUP_MAPPING", r#"{"APP-LEADS": ["Admin"]}"#)]).await;
    let id = setup.create("ada").await;
    let join = |name: &str| GroupChange {
        display_name: name.to_owned(),
        added: [id.clone()].into(),
        ..GroupChange::default()
    };
    let directory: &Directory = &setup.directory;
    directory
        .create_group(&join("APP-LEADS"), setup.context())
        .await
        .unwrap();
    let found = directory
        .groups_by_name("QualityAnalyst", setup.context())
        .await;
    let group = found.unwrap().remove(0);
    let join = join("QualityAnalyst");
    let joined = directory.change_group(&group, &join, setup.context());
    joined.await.unwrap();
    let granting = directory
        .granting_groups(&record(&setup, &id).await)
        .await
        .unwrap();
    let named: Vec<(String, Vec<String>)> = granting
        .into_iter()
        .map(|group| (group.name, group.security_profiles))
        .collect();
    let expected = [("QualityAnalyst", "QualityAnalyst"), ("APP-LEADS", "Admin")];
    assert_eq!(
        named,
        expected.map(|(name, profile)| (name.to_owned(), vec![profile.to_owned()]))
    );
}

#[tokio::test]
async fn the_second_request_for_a_user_waits_until_the_first_one_ends() {
    let setup = Setup::start().await;
    let id = setup.create("ada").await;
    let delay = Fault::Delay { milliseconds: 300 };
    setup.inject(Operation::UpdateUserIdentityInfo, delay);
    let name = json!({"name": {"givenName": "Ada", "familyName": "King"}});
    let second = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        update(&setup, &id, &json!({"active": false})).await
    };
    let (first, second) = tokio::join!(update(&setup, &id, &name), second);
    assert_eq!((first, second), (Ok(false), Ok(false)));
    assert_eq!(setup.cloud.connect_user("ada"), None);
}

#[tokio::test]
async fn proficiencies_are_read_only_where_scim_decides_them() {
    for (more, reads, expected) in [(language(3.0), 1, json!([3])), (json!({}), 0, json!([]))] {
        let setup = Setup::start().await;
        let user = user_with("ada", &more);
        let created = setup.directory.create(user, None, setup.context()).await;
        let id = created.unwrap().user.id;
        calls(&setup);
        setup.directory.mend(&id, setup.context()).await.unwrap();
        let made = calls(&setup);
        let read = Operation::ListUserProficiencies;
        assert_eq!(
            made.iter().filter(|call| **call == read).count(),
            reads,
            "{more}"
        );
        assert_eq!(made.len(), 1 + reads, "nothing is changed: {made:?}");
        if reads == 1 {
            fail(&setup, read, UNAVAILABLE);
            let pending = setup.directory.mend(&id, setup.context()).await.unwrap();
            assert!(matches!(pending, Reconciled::Pending(_)), "{pending:?}");
            assert!(!calls(&setup).contains(&Operation::CreateUser));
            setup.cloud.simulator.clear_faults();
        }
        let comparison = setup
            .directory
            .compare(&record(&setup, &id).await)
            .await
            .unwrap();
        let user = comparison.actual.unwrap().user;
        let levels: Vec<u8> = user.proficiencies.iter().map(|one| one.level).collect();
        assert_eq!(json!(levels), expected);

        // They are removed although SCIM decides none any more.
        fail(
            &setup,
            Operation::DisassociateUserProficiencies,
            UNAVAILABLE,
        );
        let none = json!({"urn:ietf:params:scim:schemas:extension:amazonconnect:2.0:User": {}});
        assert_eq!(update(&setup, &id, &none).await, Ok(reads == 1));
        setup.cloud.simulator.clear_faults();
        setup.directory.mend(&id, setup.context()).await.unwrap();
        let record = record(&setup, &id).await;
        let user = setup
            .directory
            .compare(&record)
            .await
            .unwrap()
            .actual
            .unwrap()
            .user;
        assert!(user.proficiencies.is_empty());
    }
}

#[tokio::test]
async fn a_user_whom_connect_had_before_stays_there_if_the_adoption_is_refused() {
    let setup = Setup::with(&[("ADOPT", "always")]).await;
    setup.create("pattern").await;
    let mut unmanaged = setup.cloud.connect_user("pattern").unwrap();
    unmanaged["Username"] = json!("ada");
    recreate_unmanaged(&setup, &unmanaged).await;
    let before = items(&setup).await;
    fail(
        &setup,
        Operation::UpdateUserIdentityInfo,
        Fault::AccessDenied,
    );
    let user = user_with("ada", &json!({}));
    let created = setup.directory.create(user, None, setup.context()).await;
    assert_eq!(kind(&created.map(drop).unwrap_err()), "refused");
    let user = setup.cloud.connect_user("ada").unwrap();
    assert_eq!(user["Tags"], json!({}));
    assert_eq!(user["IdentityInfo"]["LastName"], "Other");
    assert_eq!(items(&setup).await, before);
}
