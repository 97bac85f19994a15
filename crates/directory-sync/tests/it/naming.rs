//! What a report names, on request and without one.

use directory_sync::configuration::Configuration;
use directory_sync::run::{
    Named, Options as RunOptions, Report, compare, describe, markdown, report_schema, text,
};
use directory_sync::snapshot::{EntryId, Kind, Snapshot, UnresolvedMember, Unusable};
use identity_center_simulator::{Options, Simulator};
use serde_json::{Value, json};

use crate::company::{Company, client, for_simulator, sync};

/// A server after a first run, and the directory later: every operation and every kind of skip.
async fn world() -> (Simulator, Snapshot) {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let mut company = Company::default()
        .employ("1", "ann")
        .employ("2", "bob")
        .employ("3", "cid")
        .employ("4", "dea")
        .employ("5", "eve")
        .employ("6", "fay")
        .employ("7", "gus")
        .group("71", "aws-admins", &["1", "2"])
        .group("72", "aws-readers", &["1", "2", "3"])
        .group("73", "aws-old", &["1", "3"]);
    let configuration = for_simulator(&simulator, "");
    sync(&company, &configuration, simulator.token()).await;
    company.people.get_mut("4").unwrap().active = false;
    sync(&company, &configuration, simulator.token()).await;
    let ivy = json!({"userName": "ivy@example.test", "displayName": "ivy", "active": true,
        "name": {"givenName": "G", "familyName": "F"}});
    simulator.add_user(ivy).unwrap();
    simulator.add_group(json!({"displayName": "aws-taken"}), &[]);

    // Ann is renamed, bob leaves, cid is disabled, dea comes back.
    company.set("1", "userprincipalname", "root.admin@example.test");
    company.set("1", "title", "Head");
    company.leave("2");
    company.people.get_mut("3").unwrap().active = false;
    company.people.get_mut("4").unwrap().active = true;
    // Eve's entry is deleted and created again.
    company.leave("5");
    company = company.employ("15", "eve");
    // Fay and gus share an address, and the title of gus cannot be used.
    company.set("6", "mail", "team@example.test");
    company.set("7", "mail", "team@example.test");
    company.set("7", "title", "Canary\u{7}");
    // Hal has no surname, ivy's name is taken, and jan joins.
    company = company
        .employ("8", "hal")
        .employ("9", "ivy")
        .employ("10", "jan");
    company.set("8", "sn", "");
    company.groups.get_mut("71").unwrap().1 = ["1".to_owned(), "10".to_owned()].into();
    company.groups.get_mut("72").unwrap().0 = "aws-viewers".to_owned();
    company.groups.remove("73");
    let company = company
        .group("74", "aws-new", &["1", "10"])
        .group("75", "aws-taken", &["1"]);
    let mut snapshot = company.snapshot();
    snapshot.unresolved = vec![UnresolvedMember {
        group: Some(EntryId("71".to_owned())),
        group_name: "aws-admins".to_owned(),
        member: "CN=canary,DC=example,DC=test".to_owned(),
        reason: "no entry has this name",
    }];
    (simulator, snapshot)
}

async fn plan(
    snapshot: &Snapshot,
    configuration: &Configuration,
    simulator: &Simulator,
    names: bool,
) -> Report {
    let options = RunOptions {
        names,
        ..RunOptions::default()
    };
    let client = client(configuration, simulator.token());
    let comparison = compare(snapshot.clone(), &client, configuration, &options)
        .await
        .unwrap();
    describe(&comparison, &client, configuration, &options)
}

/// The order of the server's ids changes with each run.
fn sort(report: &mut Report) {
    let key = |object: &Named| (object.name.clone(), object.entry.clone());
    for entry in &mut report.entries {
        entry.added_members.sort_by_key(key);
        entry.removed_members.sort_by_key(key);
        entry.left_groups.sort_by_key(key);
    }
    report
        .entries
        .sort_by_key(|entry| (entry.kind, entry.entry.clone(), entry.action));
}

/// Ids of the server change with each run.
fn with_stable_ids(text: &str) -> String {
    let id = regex::Regex::new("[0-9a-f]{10}-[0-9a-f-]{36}").unwrap();
    id.replace_all(text, "[id]").into_owned()
}

/// The JSON form is what its published schema describes.
fn check_schema(report: &Report) {
    let schema: Value = serde_json::from_str(&report_schema()).unwrap();
    let document: Value = serde_json::from_str(&report.json()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
}

const LESS: &str = "safety: {maxDeletePercent: 100}";
const DELETE: &str = "safety: {maxDeletePercent: 100}\nleavers: delete\ngoneGroups: delete";

#[tokio::test]
async fn a_plan_names_every_member_value_and_holder_on_request() {
    let (simulator, snapshot) = world().await;
    for (policy, more) in [("deactivate", LESS), ("delete", DELETE)] {
        let configuration = for_simulator(&simulator, more);
        for (names, suffix) in [(true, "named"), (false, "unnamed")] {
            let mut report = plan(&snapshot, &configuration, &simulator, names).await;
            sort(&mut report);
            let name = |format: &str| format!("{policy}_{suffix}_{format}");
            insta::assert_snapshot!(name("text"), with_stable_ids(&text(&report)));
            insta::assert_snapshot!(name("json"), with_stable_ids(&report.json()));
            check_schema(&report);
            insta::assert_snapshot!(name("markdown"), with_stable_ids(&markdown(&report)));
            if !names {
                for shown in [text(&report), report.json(), markdown(&report)] {
                    for personal in [
                        "@example.test",
                        "CN=",
                        "Surname",
                        "canary",
                        "Canary",
                        "Head",
                    ] {
                        assert!(!shown.contains(personal), "{personal}: {shown}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn users_and_groups_that_are_held_back_are_listed_by_id_and_name() {
    let (simulator, mut snapshot) = world().await;
    let configuration = for_simulator(&simulator, LESS);
    for kind in [Kind::User, Kind::Group] {
        snapshot.unusable.push(Unusable {
            kind,
            distinguished_name: format!("CN=canary {kind:?},DC=example,DC=test"),
            id: None,
            reason: "below `DC=example,DC=test`: it has no objectguid".to_owned(),
        });
    }
    let bob = simulator.user("bob@example.test").unwrap()["id"].clone();
    for names in [true, false] {
        let report = plan(&snapshot, &configuration, &simulator, names).await;
        let held_back: Vec<_> = report
            .held_back
            .iter()
            .map(|leaver| (leaver.kind, leaver.entry.as_deref(), leaver.name.as_deref()))
            .collect();
        let name = |name: &'static str| names.then_some(name);
        let expected = [
            (Kind::User, Some("2"), name("bob@example.test")),
            (Kind::User, Some("5"), name("eve@example.test")),
            (Kind::Group, Some("73"), Some("aws-old")),
        ];
        let sorted = {
            let mut sorted = held_back.clone();
            sorted.sort_unstable();
            sorted
        };
        assert_eq!(sorted, expected);
        assert!(report.held_back.iter().any(|leaver| leaver.id == bob));
        check_schema(&report);
        for shown in [text(&report), report.json(), markdown(&report)] {
            assert_eq!(shown.contains("canary"), names, "{shown}");
            assert!(shown.contains("it has no objectguid"), "{shown}");
        }
        assert!(!text(&report).contains("nothing to do"));
    }
}

#[tokio::test]
async fn a_report_with_names_is_not_shortened() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let configuration = for_simulator(&simulator, "");
    let ids: Vec<String> = (100..180).map(|id| id.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut company = Company::default().group("1", "aws-all", &ids);
    for id in &ids {
        company = company.employ(id, &format!("u{id}"));
    }
    let lines = |report: &Report, start: &str| {
        let text = text(report);
        text.lines().filter(|line| line.starts_with(start)).count()
    };
    for (names, users, more) in [(true, 80, 0), (false, 50, 1)] {
        let report = plan(&company.snapshot(), &configuration, &simulator, names).await;
        assert_eq!(lines(&report, "+ create user"), users);
        assert_eq!(lines(&report, "… and 31 more writes"), more);
        assert_eq!(report.entries.len(), 81);
    }
    sync(&company, &configuration, simulator.token()).await;
    company.groups.get_mut("1").unwrap().1.clear();
    for (names, members, more) in [(true, 80, 0), (false, 50, 1)] {
        let report = plan(&company.snapshot(), &configuration, &simulator, names).await;
        assert_eq!(lines(&report, "    - "), members);
        assert_eq!(lines(&report, "    … and 30 more lines"), more);
        assert_eq!(report.entries[0].removed_members.len(), 80);
    }
}
