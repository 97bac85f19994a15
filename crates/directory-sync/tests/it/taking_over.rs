//! Moving over from AWS's PowerShell sample: what it leaves behind, taken over.

use directory_sync::configuration::Configuration;
use directory_sync::run::{Options as RunOptions, Report, RunResult, Summary, compare, describe};
use directory_sync::run::{markdown, text};
use identity_center_simulator::{Options, Simulator};
use serde_json::{Value, json};

use crate::company::{Company, Store, client, for_simulator, sync};

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

async fn plan(
    company: &Company,
    configuration: &Configuration,
    token: &str,
    names: bool,
) -> Report {
    let options = RunOptions {
        names,
        ..RunOptions::default()
    };
    let client = client(configuration, token);
    let comparison = compare(company.snapshot(), &client, configuration, &options)
        .await
        .unwrap();
    describe(&comparison, &client, configuration, &options)
}

#[tokio::test]
async fn the_plan_compares_the_users_of_the_sample_with_the_directory() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let ids: Vec<String> = [("ann", "1"), ("bob", "2"), ("left", "9")]
        .map(|(name, id)| simulator.add_user(sample_user(name, id)).unwrap())
        .into();
    simulator.add_group(json!({"displayName": "aws-admins"}), &ids);
    simulator.add_user(json!({"userName": "root@example.test"}));
    let company = Company::of_three();
    simulator.forget_calls();

    let mapping = "mapping: {user: {email: [userPrincipalName], \
                   formattedName: ['{givenName} {sn}']}}";
    let more = format!("matchBy: objectSid\n{mapping}");
    let configuration = for_simulator(&simulator, &more);
    let report = plan(&company, &configuration, simulator.token(), true).await;
    let figures: Value = serde_json::from_str(&report.json()).unwrap();
    assert_eq!(figures["takenOver"], json!({"users": 2, "groups": 1}));
    assert_eq!(figures["summary"]["usersCreated"], 1);
    assert_eq!(figures["foreign"]["users"], 2, "of the sample, and root");
    let left_behind = json!([{"id": ids[2], "name": "left@example.test"}]);
    assert_eq!(figures["leftBehind"], left_behind);
    let only_marks = report
        .entries
        .iter()
        .filter(|entry| entry.attributes == ["externalId"]);
    assert_eq!(only_marks.count(), 3, "{}", report.json());
    let shown = text(&report);
    assert!(shown.contains("~ change user ann@example.test 1: externalId\n"));
    assert!(shown.contains("+ create user cid@example.test 3\n"));
    // Before it stand the writes, in the order of the server's ids.
    let (_, shown) = shown.split_once("\n\n").unwrap();
    insta::with_settings!({filters => vec![("[0-9a-f-]{36,47}", "[id]")]}, {
        insta::assert_snapshot!(shown, @r"
        taken over   2 users, 1 group of another tool; 1 user left behind
        users        1 created, 2 changed, 0 deactivated, 0 reactivated, 0 deleted
        groups       1 created, 1 changed, 0 deleted
        memberships  3 added, 1 removed
        of others    2 users, 0 groups, 1 membership: not touched
        skipped      0
        calls        3 reads, 0 writes, 0 of them repeated

        Made by AWS's PowerShell sample, and nobody in scope is theirs (leavers with `takeOverLeavers: true`):
          user left@example.test [id]

        Nothing was written; `run` makes these changes.
        ");
    });
    assert!(markdown(&report).contains("- user left@example.test "));

    let report = plan(&company, &configuration, simulator.token(), false).await;
    assert!(
        !report.json().contains("left@"),
        "names are shown on request only"
    );
    assert_eq!(report.left_behind[0].id, ids[2]);

    let more = format!("{more}\ntakeOverLeavers: true");
    let configuration = for_simulator(&simulator, &more);
    let report = plan(&company, &configuration, simulator.token(), true).await;
    assert!(report.left_behind.is_empty());
    assert_eq!(report.summary.users_deactivated, 1);
    assert_eq!(simulator.writes(), 0);
}
