//! Concurrent requests, crashes and lost answers, with a table in the process of the test and
//! the Connect simulator.
//!
//! A crash is a request that is dropped in the middle; time passes by the context's
//! clock.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
mod copy;
mod groups;
mod import;
mod requests;
mod settings;

use std::{sync::Arc, time::Duration};

use connect_directory::{
    directory::{ChangeError, Context, DirectoryError, Reconciled},
    store::StoreError,
};
use connect_simulator::{Fault, FaultRule, Operation};
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::Instant};

use crate::common::{Setup, new_user};

/// Longer than a claim holds.
const LATER: Duration = Duration::from_secs(40);

#[tokio::test]
async fn a_crash_while_connect_creates_leaves_one_user_that_the_sweep_completes() {
    let setup = Setup::start().await;
    let create = setup
        .directory
        .create(new_user("ada"), None, setup.context());
    setup.crash(Operation::CreateUser, create).await;
    assert!(
        setup.cloud.connect_user("ada").is_some(),
        "Connect did it, and nobody was told"
    );

    let pending = setup.store().pending_ids(setup.at(LATER)).await.unwrap();
    assert_eq!(pending.len(), 1);
    let context = setup.context_at(LATER);
    let reconciled = setup
        .directory
        .reconcile(&pending[0], context)
        .await
        .unwrap();
    assert_eq!(reconciled, Reconciled::Synchronised);
    assert_eq!(
        setup.cloud.connect_user("ada").unwrap()["Tags"]["scim:id"],
        pending[0].as_str()
    );
    assert!(
        setup
            .store()
            .pending_ids(setup.at(LATER))
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_crash_while_connect_changes_is_put_back_to_what_was_accepted() {
    let setup = Setup::start().await;
    let id = setup.create("ada").await;
    let accepted = setup.cloud.connect_user("ada").unwrap();
    let promote = setup.set(
        &id,
        "entitlements",
        json!([{"value": "Admin"}]),
        Duration::ZERO,
    );
    setup
        .crash(Operation::UpdateUserSecurityProfiles, promote)
        .await;
    assert_ne!(
        setup.cloud.connect_user("ada").unwrap()["SecurityProfileIds"],
        accepted["SecurityProfileIds"],
        "Connect did it, and nobody was told"
    );

    let reconciled = setup
        .directory
        .reconcile(&id, setup.context_at(LATER))
        .await
        .unwrap();
    assert_eq!(reconciled, Reconciled::Synchronised);
    assert_eq!(
        setup.cloud.connect_user("ada").unwrap()["SecurityProfileIds"],
        accepted["SecurityProfileIds"]
    );
}

#[tokio::test]
async fn the_request_that_is_repeated_after_a_crash_succeeds() {
    let setup = Setup::start().await;
    let id = setup.create("ada").await;
    let deactivate = setup.set(&id, "active", json!(false), Duration::ZERO);
    setup.crash(Operation::DeleteUser, deactivate).await;
    setup.set(&id, "active", json!(false), LATER).await.unwrap();
    assert_eq!(setup.cloud.connect_user("ada"), None);
}

#[tokio::test]
async fn two_crashed_renames_leave_one_user_in_connect() {
    let setup = Setup::with(&[("RENAME", "recreate")]).await;
    let id = setup.create("ada").await;
    let first = setup.set(&id, "userName", json!("bob"), Duration::ZERO);
    setup.crash(Operation::CreateUser, first).await;
    let second = setup.set(&id, "userName", json!("cleo"), LATER);
    setup.crash(Operation::SearchUsers, second).await;
    assert!(setup.cloud.connect_user("bob").is_some());

    // A reconciliation that ends before Connect responds.
    let delay = Fault::Delay {
        milliseconds: 60_000,
    };
    setup.inject(Operation::SearchUsers, delay);
    let context = Context {
        deadline: Instant::now() + Duration::from_millis(500),
        ..setup.context_at(2 * LATER)
    };
    let reconciled = setup.directory.reconcile(&id, context).await.unwrap();
    assert!(matches!(reconciled, Reconciled::Pending(_)));
    let context = setup.context_at(2 * LATER);
    let reconciled = setup.directory.reconcile(&id, context).await.unwrap();
    assert_eq!(reconciled, Reconciled::Synchronised);
    let users = setup.cloud.connect_users();
    let names: Vec<&Value> = users.iter().map(|user| &user["Username"]).collect();
    assert_eq!(names, ["ada"]);
}

#[tokio::test]
async fn a_user_that_another_request_holds_is_busy() {
    let setup = Setup::start().await;
    let id = setup.create("ada").await;
    setup.inject(
        Operation::UpdateUserIdentityInfo,
        Fault::Delay { milliseconds: 4500 },
    );
    let name = json!({"givenName": "Ada", "familyName": "King"});
    let slow = setup.set(&id, "name", name, Duration::ZERO);
    let second = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        setup
            .set(&id, "title", json!("Countess"), Duration::ZERO)
            .await
    };
    let (slow, second) = tokio::join!(slow, second);
    slow.unwrap();
    assert!(matches!(
        second,
        Err(ChangeError::Directory(DirectoryError::Store(
            StoreError::Busy
        )))
    ));
}

#[tokio::test]
async fn a_request_waits_for_another_one_that_ends_within_the_limit() {
    let setup = Setup::start().await;
    let id = setup.create("ada").await;
    setup.inject(
        Operation::UpdateUserIdentityInfo,
        Fault::Delay { milliseconds: 2400 },
    );
    let name = json!({"givenName": "Ada", "familyName": "King"});
    let slow = setup.set(&id, "name", name.clone(), Duration::ZERO);
    let second = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        setup
            .set(&id, "title", json!("Countess"), Duration::ZERO)
            .await
    };
    let (slow, second) = tokio::join!(slow, second);
    slow.unwrap();
    let document = second.unwrap().user.document;
    assert_eq!(document["name"], name);
    assert_eq!(document["title"], "Countess");
}

#[tokio::test]
async fn concurrent_changes_of_one_user_are_all_kept_and_connect_has_the_last() {
    const ATTRIBUTES: [&str; 6] = [
        "title",
        "nickName",
        "locale",
        "timezone",
        "userType",
        "displayName",
    ];
    let setup = Arc::new(Setup::start().await);
    let id = setup.create("ada").await;
    let mut changes = JoinSet::new();
    for attribute in ATTRIBUTES {
        let (setup, id) = (Arc::clone(&setup), id.clone());
        changes.spawn(async move {
            let value = json!(format!("new {attribute}"));
            setup
                .set(&id, attribute, value, Duration::ZERO)
                .await
                .unwrap();
        });
    }
    changes.join_all().await;
    let user = setup.store().get(&id).await.unwrap().unwrap();
    assert_eq!(user.version, 7);
    for attribute in ATTRIBUTES {
        assert_eq!(user.document[attribute], format!("new {attribute}"));
    }
}

#[tokio::test]
async fn a_removal_is_kept_while_connect_is_out_of_reach_and_the_name_can_come_again() {
    let setup = Setup::start().await;
    let id = setup.create("ada").await;
    setup.cloud.simulator.inject(FaultRule::next(
        3,
        Operation::DeleteUser,
        Fault::Error { status: 503 },
    ));
    setup
        .directory
        .delete(&id, |_| Ok::<(), Value>(()), setup.context())
        .await
        .unwrap();
    assert!(
        setup.store().get(&id).await.unwrap().is_none(),
        "the identity provider sees no user"
    );
    assert!(
        setup
            .store()
            .find_by_user_name("ada")
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        setup.cloud.connect_user("ada").is_some(),
        "Connect still has one"
    );

    let again = setup
        .directory
        .create(new_user("ada"), None, setup.context())
        .await
        .unwrap();
    assert!(!again.pending, "the old user was deleted in Connect for it");
    assert_eq!(
        setup.cloud.connect_user("ada").unwrap()["Tags"]["scim:id"],
        again.user.id.as_str()
    );
    let gone = setup
        .directory
        .reconcile(&id, setup.context())
        .await
        .unwrap();
    assert_eq!(gone, Reconciled::Gone);
}

#[tokio::test]
async fn a_lost_answer_to_any_call_is_made_good() {
    for operation in [
        Operation::UpdateUserSecurityProfiles,
        Operation::UpdateUserRoutingProfile,
        Operation::UpdateUserIdentityInfo,
        Operation::DeleteUser,
    ] {
        let setup = Setup::start().await;
        let id = setup.create("ada").await;
        setup
            .cloud
            .simulator
            .inject(FaultRule::next(3, operation, Fault::DropAfter));
        let (attribute, value) = match operation {
            Operation::UpdateUserSecurityProfiles => ("entitlements", json!([{"value": "Admin"}])),
            Operation::UpdateUserRoutingProfile => ("roles", json!([{"value": "Sales"}])),
            Operation::DeleteUser => ("active", json!(false)),
            _ => ("name", json!({"givenName": "Ada", "familyName": "King"})),
        };
        setup
            .set(&id, attribute, value, Duration::ZERO)
            .await
            .unwrap();
        setup
            .directory
            .reconcile(&id, setup.context())
            .await
            .unwrap();
        let record = setup.store().get_record(&id).await.unwrap().unwrap();
        assert!(
            record.pending_since.is_none() && !record.connect.uncertain,
            "{operation:?}"
        );
        match setup.cloud.connect_user("ada") {
            None => assert_eq!(operation, Operation::DeleteUser),
            Some(user) => assert_eq!(user["Tags"]["scim:id"], id.as_str()),
        }
    }
}

#[tokio::test]
async fn a_user_deleted_in_connect_behind_our_back_comes_back_with_the_next_change() {
    let setup = Setup::start().await;
    let id = setup.create("ada").await;
    setup.delete_in_connect("ada").await;
    let name = json!({"givenName": "Ada", "familyName": "King"});
    setup.set(&id, "name", name, Duration::ZERO).await.unwrap();
    assert_eq!(
        setup.cloud.connect_user("ada").unwrap()["IdentityInfo"]["LastName"],
        "King"
    );
}

#[tokio::test]
async fn reconciling_what_is_in_order_changes_nothing() {
    let setup = Setup::start().await;
    let id = setup.create("ada").await;
    setup.cloud.simulator.clear_calls();
    for _ in 0..3 {
        let reconciled = setup
            .directory
            .reconcile(&id, setup.context())
            .await
            .unwrap();
        assert_eq!(reconciled, Reconciled::Synchronised);
    }
    assert!(setup.cloud.simulator.calls().is_empty());
    let nobody = setup
        .directory
        .reconcile("nobody", setup.context())
        .await
        .unwrap();
    assert_eq!(nobody, Reconciled::Gone);
}
