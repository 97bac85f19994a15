//! Requests that end early, and calls to Connect without a known outcome.

use std::time::Duration;

use connect_directory::directory::Reconciled;
use connect_simulator::{Fault, FaultRule, Operation};
use serde_json::json;

use crate::common::{Endpoint, user};

/// Longer than a claim holds.
const LATER: Duration = Duration::from_secs(40);

/// Sends a request that ends when Connect has carried an operation out.
async fn crash_after(endpoint: &Endpoint, operation: Operation, request: impl Future) {
    let simulator = &endpoint.cloud.simulator;
    simulator.clear_calls();
    for fault in [
        Fault::DropAfter,
        Fault::Delay {
            milliseconds: 60_000,
        },
    ] {
        simulator.inject(FaultRule::next(1, operation, fault));
    }
    let carried_out = async {
        loop {
            let calls = simulator.calls();
            let mut calls = calls.iter();
            if calls.any(|call| call.operation == operation && call.dropped) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        _ = request => panic!("the request ended before the crash"),
        () = carried_out => {}
    }
}

/// Deactivates a user after the claim of a crashed request expired.
async fn deactivate_later(endpoint: &Endpoint, id: &str) {
    let context = endpoint.context_after(LATER);
    let deactivate = |user: &mut connect_directory::store::StoredUser| {
        user.document.insert("active".to_owned(), json!(false));
        Ok::<(), ()>(())
    };
    let updated = endpoint.directory.update(id, deactivate, context).await;
    assert!(updated.is_ok(), "a deactivation is always accepted");
    let reconciled = endpoint.directory.reconcile(id, context).await.unwrap();
    assert_eq!(reconciled, Reconciled::Synchronised);
}

#[tokio::test]
async fn a_user_whose_creation_was_not_confirmed_leaves_under_another_name() {
    for rename in ["reject", "recreate"] {
        let endpoint = Endpoint::start_with(&[("RENAME", rename)]).await;
        // Connect creates the user, and every response is lost.
        let rule = FaultRule::next(1, Operation::CreateUser, Fault::DropAfter);
        endpoint.cloud.simulator.inject(rule);
        let rule = FaultRule::next(10, Operation::CreateUser, Fault::DropBefore);
        endpoint.cloud.simulator.inject(rule);
        let id = endpoint.create(user("ada")).await.expect(201).id();
        assert!(endpoint.record(&id).await.connect.uncertain, "{rename}");
        assert!(endpoint.connect_user("ada").is_some(), "{rename}");

        // The name changes twice before the endpoint finds the Connect user.
        for name in ["left ada", "left ada again"] {
            // Connect does not list its users.
            for fault in [Fault::Throttle; 3] {
                let rule = FaultRule::next(1, Operation::SearchUsers, fault);
                endpoint.cloud.simulator.inject(rule);
            }
            let leave = json!([
                {"op": "replace", "path": "active", "value": false},
                {"op": "replace", "path": "userName", "value": name},
            ]);
            endpoint.patch(&id, leave).await.expect(200);
        }
        let endpoint = endpoint.restarted(&[("RENAME", rename)]);
        endpoint.settle(&id).await;
        assert_eq!(endpoint.connect_user("ada"), None, "{rename}");
        assert!(endpoint.cloud.connect_users().is_empty(), "{rename}");
        let record = endpoint.record(&id).await;
        assert!(record.connect.former_usernames.is_empty(), "{rename}");
    }
}

#[tokio::test]
async fn a_crash_in_a_rename_leaves_no_connect_user_behind_a_leaver() {
    for operation in [Operation::DeleteUser, Operation::CreateUser] {
        let endpoint = Endpoint::start_with(&[("RENAME", "recreate")]).await;
        let id = endpoint.create(user("ada")).await.expect(201).id();
        let rename = json!([{"op": "replace", "path": "userName", "value": "countess"}]);
        crash_after(&endpoint, operation, endpoint.patch(&id, rename)).await;
        assert_eq!(endpoint.record(&id).await.user.user_name(), "ada");
        deactivate_later(&endpoint, &id).await;
        assert!(endpoint.cloud.connect_users().is_empty(), "{operation:?}");
    }
}

#[tokio::test]
async fn two_crashes_in_renames_leave_no_connect_user_behind_a_leaver() {
    let endpoint = Endpoint::start_with(&[("RENAME", "recreate")]).await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let rename = json!([{"op": "replace", "path": "userName", "value": "countess"}]);
    crash_after(
        &endpoint,
        Operation::CreateUser,
        endpoint.patch(&id, rename),
    )
    .await;
    assert!(endpoint.connect_user("countess").is_some());

    // The next change has a third name, and ends before it reads the user from Connect.
    let rename = |user: &mut connect_directory::store::StoredUser| {
        user.document.insert("userName".to_owned(), json!("lady"));
        Ok::<(), ()>(())
    };
    let rule = FaultRule::next(
        1,
        Operation::DescribeUser,
        Fault::Delay {
            milliseconds: 60_000,
        },
    );
    endpoint.cloud.simulator.inject(rule);
    let second = endpoint
        .directory
        .update(&id, rename, endpoint.context_after(LATER));
    let claimed = async {
        while endpoint.record(&id).await.user.user_name() != "ada"
            || !claim_names(&endpoint, &id, "lady").await
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        _ = second => panic!("the request ended before the crash"),
        () = claimed => {}
    }

    let context = endpoint.context_after(LATER * 2);
    let deactivate = |user: &mut connect_directory::store::StoredUser| {
        user.document.insert("active".to_owned(), json!(false));
        Ok::<(), ()>(())
    };
    let updated = endpoint.directory.update(&id, deactivate, context).await;
    assert!(updated.is_ok());
    assert!(endpoint.cloud.connect_users().is_empty());
}

#[tokio::test]
async fn a_refused_rename_whose_creation_was_not_confirmed_leaves_no_connect_user() {
    let endpoint = Endpoint::start_with(&[("RENAME", "recreate")]).await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    // Connect creates the user, the response is lost, and the repetition is refused.
    for fault in [Fault::DropAfter, Fault::AccessDenied] {
        let rule = FaultRule::next(1, Operation::CreateUser, fault);
        endpoint.cloud.simulator.inject(rule);
    }
    let rename = json!([{"op": "replace", "path": "userName", "value": "countess"}]);
    let refused = endpoint.patch(&id, rename).await;
    assert!(refused.status >= 400, "{}", refused.body);
    assert!(endpoint.connect_user("countess").is_some());
    assert_eq!(endpoint.record(&id).await.user.user_name(), "ada");

    endpoint.set_active(&id, false).await.expect(200);
    endpoint.settle(&id).await;
    assert!(endpoint.cloud.connect_users().is_empty());
}

/// Whether the item of a user has this username in its claim.
async fn claim_names(endpoint: &Endpoint, id: &str, username: &str) -> bool {
    let items = endpoint.cloud.items().await;
    let mut items = items.iter();
    items.any(|item| {
        let is_user = item["pk"]["S"] == format!("USER#{id}");
        is_user && item.to_string().contains(&format!("\"{username}\""))
    })
}
