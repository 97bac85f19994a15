//! Joiners, movers and leavers, run after run.

use directory_sync::exit::Exit;
use directory_sync::run::{Action, Options, Outcome, RunResult, Summary};
use identity_center_simulator::{Options as SimulatorOptions, Simulator};
use serde_json::json;

use crate::company::{Company, Store, for_simulator, sync, sync_with};

async fn simulator() -> Simulator {
    Simulator::start(SimulatorOptions::default()).await.unwrap()
}

#[tokio::test]
async fn a_second_run_right_after_a_first_makes_no_write() {
    let simulator = simulator().await;
    let configuration = for_simulator(&simulator, "");
    let company = Company::of_three();
    let report = sync(&company, &configuration, simulator.token()).await;
    assert_eq!(report.exit(), Exit::Success);
    assert_eq!(
        report.summary,
        Summary {
            users_created: 3,
            groups_created: 2,
            memberships_added: 4,
            ..Summary::default()
        }
    );
    assert_eq!(simulator.writes(), 5);
    let store = Store::of(&simulator);
    assert_eq!(store.members("aws-readers"), ["ann", "bob", "cid"]);
    assert_eq!(
        store.users["ann@example.test"],
        ("corp:1".to_owned(), true, "Clerk".to_owned())
    );

    simulator.forget_calls();
    let report = sync(&company, &configuration, simulator.token()).await;
    assert_eq!(report.result, RunResult::Equal);
    assert_eq!(report.exit(), Exit::Success);
    assert_eq!(simulator.writes(), 0);
    assert_eq!(
        simulator.reads(),
        4,
        "users, groups, and the members of two"
    );
}

#[tokio::test]
async fn a_new_user_has_all_that_identity_center_requires() {
    let simulator = simulator().await;
    let configuration = for_simulator(&simulator, "");
    sync(&Company::of_three(), &configuration, simulator.token()).await;
    let mut user = simulator.user("ann@example.test").unwrap();
    for key in ["id", "meta"] {
        user.as_object_mut().unwrap().remove(key);
    }
    assert_eq!(
        user,
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "externalId": "corp:1",
            "userName": "ann@example.test",
            "active": true,
            "name": {"givenName": "Given ann", "familyName": "Surname ann"},
            "displayName": "ann of Example",
            "title": "Clerk",
            "emails": [{"value": "ann@example.test", "type": "work", "primary": true}],
        })
    );
}

#[tokio::test]
async fn managers_are_users_made_in_the_same_run_or_before() {
    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let simulator = simulator().await;
    let mapping = "mapping: {user: {manager: [manager]}}\nleavers: delete";
    let configuration = for_simulator(&simulator, mapping);
    let distinguished_name = |id: &str| format!("CN={id},OU=Staff,DC=example,DC=test");
    let manager = |name: &str| {
        let user = simulator.user(&format!("{name}@example.test")).unwrap();
        user[ENTERPRISE]["manager"].clone()
    };
    let value = |name: &str| {
        let user = simulator.user(&format!("{name}@example.test")).unwrap();
        json!({"value": user["id"]})
    };
    let mut company = Company::of_three();
    company.set("1", "manager", &distinguished_name("2"));
    company.set("2", "manager", &distinguished_name("1"));
    let report = sync(&company, &configuration, simulator.token()).await;
    assert_eq!(report.exit(), Exit::Success, "{}", report.json());
    assert_eq!(report.summary.users_created, 3);
    assert_eq!(report.summary.users_updated, 2);
    assert_eq!(manager("ann"), value("bob"));
    assert_eq!(manager("bob"), value("ann"));
    let report = sync(&company, &configuration, simulator.token()).await;
    assert_eq!(report.result, RunResult::Equal);

    company = company.employ("4", "dea");
    company.set("4", "manager", &distinguished_name("2"));
    company.set("1", "manager", &distinguished_name("3"));
    simulator.forget_calls();
    let report = sync(&company, &configuration, simulator.token()).await;
    assert_eq!(report.exit(), Exit::Success, "{}", report.json());
    assert_eq!(simulator.writes(), 2, "one for each user");
    assert_eq!(manager("dea"), value("bob"));
    assert_eq!(manager("ann"), value("cid"));

    company.leave("2");
    sync(&company, &configuration, simulator.token()).await;
    assert_eq!(manager("dea"), json!(null));
    let report = sync(&company, &configuration, simulator.token()).await;
    assert_eq!(report.result, RunResult::Equal);
}

#[tokio::test]
async fn joiners_movers_and_leavers_are_followed() {
    let simulator = simulator().await;
    let configuration = for_simulator(&simulator, "");
    let mut company = Company::of_three();
    sync(&company, &configuration, simulator.token()).await;

    company = company.employ("4", "dea");
    company
        .groups
        .get_mut("72")
        .unwrap()
        .1
        .insert("4".to_owned());
    company.set("2", "title", "Head");
    company.groups.get_mut("71").unwrap().1 = ["2".to_owned()].into();
    company.leave("3");
    simulator.forget_calls();
    let report = sync(&company, &configuration, simulator.token()).await;
    assert_eq!(report.result, RunResult::Done);
    assert_eq!(
        report.summary,
        Summary {
            users_created: 1,
            users_updated: 1,
            users_deactivated: 1,
            memberships_added: 2,
            memberships_removed: 2,
            ..Summary::default()
        }
    );
    // Bob and Ann change places in one request; Dea has to be made before she is a member.
    assert_eq!(simulator.writes(), 6);
    let store = Store::of(&simulator);
    assert_eq!(store.members("aws-admins"), ["bob"]);
    assert_eq!(store.members("aws-readers"), ["ann", "bob", "dea"]);
    assert!(!store.users["cid@example.test"].1);
    assert_eq!(store.users["bob@example.test"].2, "Head");

    // Cid comes back, as the same entry.
    company = company.employ("3", "cid");
    let report = sync(&company, &configuration, simulator.token()).await;
    assert_eq!(report.summary.users_reactivated, 1);
    assert!(Store::of(&simulator).users["cid@example.test"].1);
}

#[tokio::test]
async fn renames_keep_the_user_and_the_group() {
    let simulator = simulator().await;
    let configuration = for_simulator(&simulator, "");
    let mut company = Company::of_three();
    sync(&company, &configuration, simulator.token()).await;
    let id = simulator.user("ann@example.test").unwrap()["id"].clone();

    // Ann marries, and a new Ann gets the name that she had.
    company.set("1", "userprincipalname", "ann.berg@example.test");
    company = company.employ("5", "ann");
    company.groups.get_mut("71").unwrap().0 = "aws-owners".to_owned();
    let report = sync(&company, &configuration, simulator.token()).await;
    assert_eq!(report.result, RunResult::Done, "{}", report.json());
    assert_eq!(simulator.user("ann.berg@example.test").unwrap()["id"], id);
    let store = Store::of(&simulator);
    assert_eq!(store.users["ann@example.test"].0, "corp:5");
    assert_eq!(store.members("aws-owners"), ["ann.berg"]);
    assert!(!store.groups.contains_key("aws-admins"));
}

#[tokio::test]
async fn names_that_change_hands_are_written_in_the_right_order() {
    let simulator = simulator().await;
    let configuration = for_simulator(&simulator, "");
    let mut company = Company::of_three();
    sync(&company, &configuration, simulator.token()).await;
    for (id, name) in [("1", "bob"), ("2", "cid"), ("3", "dea")] {
        company.set(id, "userprincipalname", &format!("{name}@example.test"));
    }
    let report = sync(&company, &configuration, simulator.token()).await;
    assert_eq!(report.result, RunResult::Done, "{}", report.json());
    assert_eq!(simulator.refused(), 0);
    let store = Store::of(&simulator);
    assert_eq!(store.users["bob@example.test"].0, "corp:1");
    assert_eq!(store.users["cid@example.test"].0, "corp:2");
}

#[tokio::test]
async fn a_person_deleted_and_created_again_regains_access() {
    for (leavers, is_same_user) in [("deactivate", true), ("delete", false)] {
        let simulator = simulator().await;
        let configuration = for_simulator(&simulator, &format!("leavers: {leavers}"));
        let mut company = Company::of_three();
        sync(&company, &configuration, simulator.token()).await;
        let id = simulator.user("ann@example.test").unwrap()["id"].clone();
        company.leave("1");
        company = company.employ("9", "ann").group("71", "aws-admins", &["9"]);
        let report = sync(&company, &configuration, simulator.token()).await;
        assert_eq!(report.result, RunResult::Done, "{}", report.json());
        let user = simulator.user("ann@example.test").unwrap();
        assert_eq!(user["externalId"], "corp:9");
        assert_eq!(user["id"] == id, is_same_user, "{leavers}");
        assert_eq!(Store::of(&simulator).members("aws-admins"), ["ann"]);
    }
}

#[tokio::test]
async fn shared_mail_addresses_are_reported_and_the_rest_goes_on() {
    let simulator = simulator().await;
    let configuration = for_simulator(&simulator, "");
    let mut company = Company::of_three();
    sync(&company, &configuration, simulator.token()).await;
    company.set("1", "mail", "team@example.test");
    company.set("2", "mail", "team@example.test");
    company.set("3", "title", "Head");
    let report = sync(&company, &configuration, simulator.token()).await;
    assert_eq!(report.result, RunResult::Done);
    assert_eq!(report.exit(), Exit::Incomplete);
    assert_eq!(report.skipped.len(), 2);
    assert_eq!(report.summary.users_updated, 1);
    let user = simulator.user("ann@example.test").unwrap();
    assert_eq!(user["emails"][0]["value"], "ann@example.test");
}

#[tokio::test]
async fn users_groups_and_memberships_of_others_are_not_touched() {
    let simulator = simulator().await;
    let configuration = for_simulator(&simulator, "leavers: delete\ngoneGroups: delete");
    let company = Company::of_three();
    sync(&company, &configuration, simulator.token()).await;
    let root = simulator
        .add_user(
            json!({"userName": "break-glass", "displayName": "B", "active": true,
            "name": {"givenName": "B", "familyName": "G"}}),
        )
        .unwrap();
    let ours = simulator.user("ann@example.test").unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    simulator.add_group(
        json!({"displayName": "AWSControlTowerAdmins"}),
        &[root.clone(), ours],
    );
    let admins = simulator
        .groups()
        .into_iter()
        .find(|group| group["displayName"] == "aws-admins")
        .unwrap();
    simulator.add_member(admins["id"].as_str().unwrap(), &root);
    let before = Store::of(&simulator);

    let report = sync(&company, &configuration, simulator.token()).await;
    assert_eq!(report.result, RunResult::Equal);
    assert_eq!(
        (
            report.foreign.users,
            report.foreign.groups,
            report.foreign.memberships
        ),
        (1, 1, 1)
    );
    assert_eq!(Store::of(&simulator), before);

    // Not even when our own go.
    let mut company = company;
    company.leave("1");
    company.groups.remove("71");
    sync(&company, &configuration, simulator.token()).await;
    let after = Store::of(&simulator);
    assert!(after.users.contains_key("break-glass"));
    assert!(!after.users.contains_key("ann@example.test"));
    assert_eq!(after.members("AWSControlTowerAdmins"), ["break-glass"]);
    assert!(!after.groups.contains_key("aws-admins"));
}

#[tokio::test]
async fn a_run_that_takes_too_much_away_is_refused_and_can_be_confirmed() {
    let simulator = simulator().await;
    let configuration = for_simulator(&simulator, "");
    let mut company = Company::default();
    for id in 10..60 {
        company = company.employ(&id.to_string(), &format!("u{id}"));
    }
    sync(&company, &configuration, simulator.token()).await;
    for id in 10..20 {
        company.leave(&id.to_string());
    }
    simulator.forget_calls();
    let report = sync(&company, &configuration, simulator.token()).await;
    assert_eq!(report.result, RunResult::Refused);
    assert_eq!(report.exit(), Exit::ApprovalNeeded);
    assert_eq!(simulator.writes(), 0);
    assert!(
        report
            .refusal
            .as_deref()
            .unwrap()
            .starts_with("10 users of 50, ")
    );
    assert!(
        report
            .hint
            .as_deref()
            .unwrap()
            .contains("--confirm-deletes 10")
    );

    let options = Options {
        confirmed_deletes: Some(10),
        ..Options::default()
    };
    let report = sync_with(&company, &configuration, simulator.token(), &options).await;
    assert_eq!(report.result, RunResult::Done);
    assert_eq!(report.summary.users_deactivated, 10);
}

#[tokio::test]
async fn an_empty_directory_is_refused() {
    let simulator = simulator().await;
    let configuration = for_simulator(&simulator, "");
    sync(&Company::of_three(), &configuration, simulator.token()).await;
    simulator.forget_calls();
    let options = Options {
        confirmed_deletes: Some(1000),
        ..Options::default()
    };
    let report = sync_with(
        &Company::default(),
        &configuration,
        simulator.token(),
        &options,
    )
    .await;
    assert_eq!(report.result, RunResult::Refused);
    assert_eq!(simulator.writes(), 0);
    let allowed = for_simulator(&simulator, "safety: {allowEmptySource: true}");
    let report = sync(&Company::default(), &allowed, simulator.token()).await;
    assert_eq!(report.summary.users_deactivated, 3);
}

#[tokio::test]
async fn a_user_made_meanwhile_with_our_mark_is_adopted_and_another_is_reported() {
    let simulator = simulator().await;
    let configuration = for_simulator(&simulator, "");
    let company = Company::of_three();
    let client = crate::company::client(&configuration, simulator.token());
    let options = Options::default();
    let comparison =
        directory_sync::run::compare(company.snapshot(), &client, &configuration, &options)
            .await
            .unwrap();
    let user = |name: &str, external_id: Option<&str>| {
        json!({"userName": format!("{name}@example.test"), "displayName": name, "active": true,
            "externalId": external_id, "name": {"givenName": "G", "familyName": "F"}})
    };
    simulator.add_user(user("ann", Some("corp:1"))).unwrap();
    simulator.add_user(user("bob", None)).unwrap();
    let report =
        directory_sync::run::carry_out(comparison, &client, &configuration, &options).await;
    assert_eq!(report.result, RunResult::Failed);
    assert_eq!(report.exit(), Exit::Incomplete);
    let outcomes: Vec<_> = report
        .entries
        .iter()
        .filter(|entry| entry.action == Action::Create)
        .map(|entry| {
            (
                entry.entry.as_deref().unwrap(),
                entry.outcome,
                entry.reason.is_some(),
            )
        })
        .collect();
    assert_eq!(
        outcomes,
        [
            ("1", Outcome::Done, true),
            ("2", Outcome::Failed, true),
            ("3", Outcome::Done, false),
            ("71", Outcome::Done, false),
            ("72", Outcome::Done, true),
        ]
    );
    let store = Store::of(&simulator);
    assert_eq!(
        store.users["ann@example.test"].2, "Clerk",
        "brought to our values"
    );
    assert_eq!(store.users["bob@example.test"].0, "", "not ours");
    assert_eq!(store.members("aws-readers"), ["ann", "cid"]);
}

#[tokio::test]
async fn members_that_could_not_be_created_are_left_out_and_named() {
    let simulator = simulator().await;
    let configuration = for_simulator(&simulator, "");
    let mut company = Company::of_three();
    sync(&company, &configuration, simulator.token()).await;
    company = company.employ("4", "dea").employ("5", "eve");
    for (group, members) in [("71", &["4"][..]), ("72", &["4", "5"])] {
        let known = &mut company.groups.get_mut(group).unwrap().1;
        known.extend(members.iter().map(|id| (*id).to_owned()));
    }
    let client = crate::company::client(&configuration, simulator.token());
    let options = Options {
        names: true,
        ..Options::default()
    };
    let comparison =
        directory_sync::run::compare(company.snapshot(), &client, &configuration, &options)
            .await
            .unwrap();
    // Another tool creates a user of the same name meanwhile.
    let dea = json!({"userName": "dea@example.test", "displayName": "dea", "active": true,
        "name": {"givenName": "G", "familyName": "F"}});
    simulator.add_user(dea).unwrap();
    let report =
        directory_sync::run::carry_out(comparison, &client, &configuration, &options).await;
    assert_eq!(report.result, RunResult::Failed, "{}", report.json());
    assert_eq!(
        (report.summary.failed, report.summary.not_attempted),
        (1, 1)
    );
    assert_eq!(report.summary.memberships_added, 1);
    let mut members: Vec<_> = report
        .entries
        .iter()
        .filter(|entry| entry.action == Action::ChangeMembers)
        .collect();
    members.sort_by_key(|entry| &entry.name);
    let members: Vec<_> = members
        .into_iter()
        .map(|entry| {
            let added = entry.added_members.iter();
            let names: Vec<_> = added.filter_map(|member| member.name.as_deref()).collect();
            (entry.outcome, entry.added, names, entry.reason.as_deref())
        })
        .collect();
    assert_eq!(
        members,
        [
            (
                Outcome::NotAttempted,
                1,
                vec!["dea@example.test"],
                Some("the new members could not be made")
            ),
            (
                Outcome::Done,
                1,
                vec!["eve@example.test"],
                Some("without 1 new member: the users could not be created")
            ),
        ]
    );
    let store = Store::of(&simulator);
    assert_eq!(store.members("aws-admins"), ["ann"]);
    assert_eq!(store.members("aws-readers"), ["ann", "bob", "cid", "eve"]);
}

#[tokio::test]
async fn reserved_names_are_skipped_before_anything_is_sent() {
    let simulator = simulator().await;
    let configuration = for_simulator(&simulator, "mapping: {user: {userName: [title]}}");
    let mut company = Company::of_three();
    for (id, name) in [("1", "ann"), ("2", "bob"), ("3", "cid")] {
        company.set(id, "title", name);
    }
    sync(&company, &configuration, simulator.token()).await;
    simulator.forget_calls();

    // A rename and a creation of each.
    let before = company.clone();
    company.set("1", "title", "administrator");
    company = company.employ("4", "dan");
    company.set("4", "title", "AWSAdministrators");
    company.groups.get_mut("71").unwrap().0 = "AwsAdministrators".to_owned();
    company = company.group("73", "ADMINISTRATOR", &["2"]);
    let report = sync(&company, &configuration, simulator.token()).await;
    assert_eq!(report.exit(), Exit::Incomplete);
    assert_eq!(simulator.writes(), 0);
    let skipped: Vec<_> = report
        .skipped
        .iter()
        .map(|skip| skip.reason.as_str())
        .collect();
    assert_eq!(skipped.len(), 4, "{skipped:?}");
    for reason in skipped {
        assert!(
            reason.contains("is a name that Identity Center reserves"),
            "{reason}"
        );
    }
    let report = sync(&before, &configuration, simulator.token()).await;
    assert_eq!(report.result, RunResult::Equal);
}
