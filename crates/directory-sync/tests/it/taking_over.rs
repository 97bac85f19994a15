//! Moving over from AWS's PowerShell sample: what it leaves behind, taken over.

use directory_sync::run::{RunResult, Summary};
use identity_center_simulator::{Options, Simulator};
use serde_json::{Value, json};

use crate::company::{Company, Store, for_simulator, sync};

/// A user as the sample writes it: its security identifier as the externalId, the user
/// principal name as the e-mail address, `primary` as text, no schemas.
fn sample_user(name: &str, relative_id: &str) -> Value {
    json!({
        "externalId": format!("S-1-5-21-1-2-3-{relative_id}"),
        "userName": format!("{name}@example.test"),
        "displayName": format!("{name} of Example"),
        "title": "Clerk",
        "active": true,
        "name": {
            "givenName": format!("Given {name}"),
            "familyName": format!("Surname {name}"),
            "formatted": format!("Given {name} Surname {name}"),
        },
        "emails": [{"value": format!("{name}@example.test"), "type": "work", "primary": "true"}],
    })
}

#[tokio::test]
async fn the_state_of_the_powershell_sample_is_taken_over_without_a_duplicate() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let ids: Vec<String> = [("ann", "1"), ("bob", "2"), ("cid", "3"), ("left", "9")]
        .map(|(name, id)| simulator.add_user(sample_user(name, id)).unwrap())
        .into();
    simulator.add_group(
        json!({"displayName": "aws-admins"}),
        &[ids[0].clone(), ids[3].clone()],
    );
    simulator.add_group(json!({"displayName": "aws-readers"}), &ids[..2]);
    simulator.add_group(json!({"displayName": "AWSControlTowerAdmins"}), &ids[..1]);
    let company = Company::of_three();

    let configuration = for_simulator(&simulator, "matchBy: objectSid");
    let report = sync(&company, &configuration, simulator.token()).await;
    assert_eq!(report.result, RunResult::Done, "{}", report.json());
    assert_eq!(
        report.summary,
        Summary {
            users_updated: 3,
            groups_updated: 2,
            memberships_added: 1,
            ..Summary::default()
        }
    );
    let store = Store::of(&simulator);
    assert_eq!(store.users.len(), 4);
    assert_eq!(store.users["ann@example.test"].0, "corp:1");
    assert_eq!(store.users["left@example.test"].0, "S-1-5-21-1-2-3-9");
    assert_eq!(store.members("aws-readers"), ["ann", "bob", "cid"]);
    assert_eq!(store.groups["AWSControlTowerAdmins"].0, "");

    // The sample never removes anybody; what it left behind is taken on when asked for.
    let configuration = for_simulator(
        &simulator,
        "matchBy: objectSid\ntakeOverLeavers: true\nleavers: delete",
    );
    let report = sync(&company, &configuration, simulator.token()).await;
    assert_eq!(report.summary.users_deleted, 1);
    let store = Store::of(&simulator);
    assert_eq!(store.members("aws-admins"), ["ann"]);

    simulator.forget_calls();
    let configuration = for_simulator(&simulator, "");
    let report = sync(&company, &configuration, simulator.token()).await;
    assert_eq!(
        report.result,
        RunResult::Equal,
        "the default recognises the marks"
    );
    assert_eq!(simulator.writes(), 0);
}
