//! Entries that end or cannot be resolved in a real directory, and the access that ends with them.

use serde_json::{Value, json};

use crate::stage::{Stage, finish};
use crate::steps::{Outcome, Steps};

const SEARCHES: &str = "users: {searches: [{base: 'ou=People,dc=example,dc=test'}]}
groups: {names: ['aws-*']}";

const MEMBER_OF: &str = "users: {memberOf: [aws-admins]}
groups: {names: ['aws-*']}";

#[tokio::test(flavor = "multi_thread")]
async fn a_member_value_of_a_deleted_user_stops_no_other_leaver() {
    let ldif = include_str!("cases/dangling-member.ldif");
    let mut steps = Steps::new(ldif, MEMBER_OF, "").await;
    for expected in [
        &["ann", "ben", "cem", "dina"][..],
        &["ben", "cem", "dina"],
        &["cem", "dina"],
    ] {
        let outcome = steps.next().await;
        assert_eq!(outcome.exit, 0, "{}", outcome.errors);
        assert_eq!(steps.active(), expected);
        assert_eq!(steps.members("aws-admins"), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_value_of_another_directory_stops_no_leaver() {
    let ldif = include_str!("cases/outside-member.ldif");
    let mut steps = Steps::new(ldif, SEARCHES, "").await;
    for expected in [&["ann", "ben", "cem"][..], &["ann", "cem"]] {
        let outcome = steps.next().await;
        assert_eq!(outcome.exit, 0, "{outcome:?}");
        assert_eq!(steps.active(), expected);
        assert_eq!(steps.members("aws-readers"), ["ann"]);
        assert_eq!(
            outcome.report["unresolved"][0]["reason"],
            "the name is outside of the naming contexts of this server"
        );
    }
}

/// Users below `ou=People`.
fn people(names: &[&str]) -> String {
    let entries = names.iter().map(|name| {
        format!(
            "dn: uid={name},ou=People,dc=example,dc=test
objectClass: inetOrgPerson
uid: {name}
cn: {name}
givenName: Given
sn: Surname

"
        )
    });
    entries.collect()
}

/// The value of an attribute that names no entry, and the reason that the report gives.
const UNRESOLVABLE: [(&str, &str, &str); 4] = [
    (
        "member",
        "uid=gone,ou=People,dc=example,dc=test",
        "no entry has this name: the member was deleted, or the account may not see it",
    ),
    (
        "member",
        "cn=S-1-5-21-1-2-3-1104,cn=ForeignSecurityPrincipals,dc=example,dc=test",
        "it stands for an account of another domain, which can only be read there",
    ),
    (
        "uniqueMember",
        "cn=partner,dc=partner,dc=test",
        "the name is outside of the naming contexts of this server",
    ),
    (
        "memberUid",
        "gone",
        "no user below the search bases has this uid",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn no_kind_of_unresolvable_member_stops_deprovisioning_in_any_scope() {
    for (attribute, value, reason) in UNRESOLVABLE {
        for source in [SEARCHES, MEMBER_OF] {
            let class = match attribute {
                "member" => "groupOfNames",
                "uniqueMember" => "groupOfUniqueNames",
                _ => "posixGroup\ngidNumber: 1000",
            };
            let name = |user: &str| match attribute {
                "memberUid" => user.to_owned(),
                _ => format!("uid={user},ou=People,dc=example,dc=test"),
            };
            let group = format!(
                "dn: cn=aws-admins,ou=Groups,dc=example,dc=test
objectClass: {class}
cn: aws-admins
{attribute}: {value}
{attribute}: {}
{attribute}: {}
{attribute}: {}

",
                name("ann"),
                name("ben"),
                name("cem")
            );
            let removed = format!(
                "dn: uid=ben,ou=People,dc=example,dc=test
changetype: delete

dn: cn=aws-admins,ou=Groups,dc=example,dc=test
changetype: modify
delete: {attribute}
{attribute}: {}
",
                name("cem")
            );
            let ldif = format!(
                "# step 1\n{}{group}# step 2\n{removed}",
                people(&["ann", "ben", "cem"])
            );
            let mut steps = Steps::new(&ldif, source, "").await;
            steps.next().await;
            assert_eq!(steps.members("aws-admins"), ["ann", "ben", "cem"]);
            let Outcome { exit, report, .. } = steps.next().await;
            assert_eq!(exit, 0, "{report}");
            assert_eq!(steps.members("aws-admins"), ["ann"]);
            // Whoever is only removed from the group stays in scope by a search.
            let active: &[&str] = if source == SEARCHES {
                &["ann", "cem"]
            } else {
                &["ann"]
            };
            assert_eq!(steps.active(), active, "{report}");
            assert!(report.get("heldBack").is_none());
            let notes = report["unresolved"].as_array().unwrap();
            let note = notes.iter().find(|note| note["reason"] == reason);
            assert_eq!(note.unwrap()["groupName"], "aws-admins", "{report}");
            assert_eq!(report["skipped"], json!([]));
            assert!(!report.to_string().contains(value) || attribute == "memberUid");

            let named = steps.run(&["--names"]).await.report;
            let is_named = |note: &Value| note["member"] == value;
            assert!(
                named["unresolved"].as_array().unwrap().iter().any(is_named),
                "{named}"
            );
        }
    }
}

/// The entry of `hidden`, and the access rule that hides something of it.
const HIDDEN: &str = "access to dn.exact=\"uid=hidden,ou=People,dc=example,dc=test\"";

#[tokio::test(flavor = "multi_thread")]
async fn a_leaver_that_may_be_an_unreadable_entry_is_held_back_and_the_run_has_failed() {
    let reader = "by dn.exact=\"cn=reader,dc=example,dc=test\"";
    let cases = [
        // The entry is found, and its identifier cannot be read.
        (
            SEARCHES,
            format!("{HIDDEN} attrs=entryUUID {reader} none by * read\n"),
            "below `ou=People,dc=example,dc=test`: it has no entryuuid that the account may read; \
             let the account read it",
        ),
        (
            MEMBER_OF,
            format!("{HIDDEN} attrs=entryUUID {reader} none by * read\n"),
            "in the group `aws-admins`: it has no entryuuid that the account may read; let the \
             account read it",
        ),
        // The entry is named by a group, and the server refuses to show it.
        (
            MEMBER_OF,
            format!("{HIDDEN} {reader} disclose by * read\n"),
            "in the group `aws-admins`: it exists, and the account may not read it; let the \
             account read it",
        ),
    ];
    for (source, rule, reason) in cases {
        let members = ["ann", "ben", "cem", "hidden"]
            .map(|name| format!("member: uid={name},ou=People,dc=example,dc=test\n"))
            .concat();
        let ldif = format!(
            "{}dn: cn=aws-admins,ou=Groups,dc=example,dc=test
objectClass: groupOfNames
cn: aws-admins
{members}",
            people(&["ann", "ben", "cem", "hidden"])
        );
        let rules = format!("{rule}access to * {reader} write by anonymous auth by * read");
        let stage = Stage::with_entries(&ldif, &rules).await;
        let configuration = stage.configuration_of(source, "");
        let (exit, report) = stage.json("run", &configuration).await;
        assert_eq!((exit, &report["result"]), (5, &json!("done")), "{report}");
        assert_eq!(report["skipped"][0]["reason"], reason);
        assert_eq!(report["skipped"][0]["holdsBack"], true);

        // Ben is deleted, and might be the hidden entry; cem leaves the scope, and is not.
        let out_of_scope = "dn: uid=ben,ou=People,dc=example,dc=test
changetype: delete

dn: cn=aws-admins,ou=Groups,dc=example,dc=test
changetype: modify
delete: member
member: uid=cem,ou=People,dc=example,dc=test

dn: uid=cem,ou=People,dc=example,dc=test
changetype: modrdn
newrdn: uid=cem
deleteoldrdn: 1
newsuperior: ou=Elsewhere,dc=example,dc=test
";
        stage.modify(out_of_scope);
        for verb in ["plan", "run", "verify"] {
            let mut command = stage.command(verb, &configuration);
            command.args(["--format", "json"]);
            let is_run = verb == "run";
            if is_run {
                command.arg("--metrics");
            }
            let output = finish(command).await;
            let text = String::from_utf8(output.stdout).unwrap();
            let (metrics, report) = if is_run {
                text.split_once('\n').unwrap()
            } else {
                ("{}", text.as_str())
            };
            let metrics: Value = serde_json::from_str(metrics).unwrap();
            let report: Value = serde_json::from_str(report).unwrap();
            assert_eq!(output.status.code(), Some(5), "{verb}: {report}");
            assert_eq!(report["result"], "heldBack", "{verb}");
            let ben = &stage.simulator.user("ben").unwrap()["id"];
            let held_back = report["heldBack"].as_array().unwrap();
            assert_eq!(held_back.len(), 1, "{report}");
            assert_eq!(&held_back[0]["id"], ben);
            assert!(held_back[0].get("name").is_none());
            assert_eq!(report["skipped"][0]["reason"], reason, "{verb}");
            if is_run {
                assert_eq!(metrics["FailedRuns"], 1);
                assert_eq!(metrics["SuccessfulRuns"], 0);
                assert_eq!(metrics["LeaversHeldBack"], 1);
            }
        }
        assert_eq!(stage.simulator.user("ben").unwrap()["active"], true);
        assert_eq!(stage.simulator.user("cem").unwrap()["active"], false);
        let members = stage.simulator.members("aws-admins").unwrap();
        assert!(members.contains("ben") && !members.contains("cem"));

        let mut named = stage.command("verify", &configuration);
        named.arg("--names");
        let text = String::from_utf8(finish(named).await.stdout).unwrap();
        assert!(text.contains("\n  user ben "), "{text}");
        assert!(text.contains("\nLeavers keep their access "), "{text}");
        assert!(!text.contains("nothing to do"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_goes_is_refused_until_its_memberships_are_confirmed() {
    let everyone = ["ann", "ben", "cem", "dina", "emil", "fay"];
    for (policy, groups) in [
        ("empty", vec!["aws-admins", "aws-readers"]),
        ("delete", vec!["aws-admins"]),
    ] {
        let ldif = include_str!("cases/removed-group.ldif");
        let mut steps = Steps::new(ldif, SEARCHES, &format!("goneGroups: {policy}\n")).await;
        let outcome = steps.next().await;
        assert_eq!(outcome.exit, 0);
        let outcome = steps.next().await;
        assert_eq!((outcome.exit, outcome.writes), (10, 0), "{outcome:?}");
        let removals = json!({
            "users": 0, "usersBefore": 6, "renames": 0, "groups": 1, "groupsBefore": 2,
            "memberships": 6, "membershipsBefore": 12, "noUsers": false, "noGroups": false,
        });
        assert_eq!(outcome.report["removals"], removals);
        let hint = outcome.report["hint"].as_str().unwrap();
        assert!(hint.contains("--confirm-deletes 7`"), "{hint}");
        assert_eq!(steps.members("aws-admins"), everyone);
        assert_eq!(steps.members("aws-readers"), everyone);

        let outcome = steps.run(&["--confirm-deletes", "6"]).await;
        assert_eq!((outcome.exit, outcome.writes), (10, 0));
        let outcome = steps.run(&["--confirm-deletes", "7"]).await;
        assert_eq!(outcome.exit, 0, "{outcome:?}");
        assert_eq!(outcome.report["summary"]["membershipsRemoved"], 6);
        assert_eq!(steps.members("aws-admins"), everyone);
        let left = steps.stage.simulator.groups().into_iter();
        let mut left: Vec<String> = left
            .map(|group| group["displayName"].as_str().unwrap().to_owned())
            .collect();
        left.sort_unstable();
        assert_eq!(left, groups);
        if policy == "empty" {
            assert!(steps.members("aws-readers").is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_mapping_that_renames_everyone_has_to_be_confirmed() {
    let names: Vec<String> = (0..60).map(|number| format!("u{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let ldif = people(&names).replace("sn: Surname\n", "sn: Surname\nmail: M\n");
    let mut ldif = ldif;
    for name in &names {
        ldif = ldif.replacen("mail: M", &format!("mail: {name}@example.test"), 1);
    }
    let stage = Stage::with_entries(&ldif, &crate::stage::writable()).await;
    let configuration = stage.configuration_of(SEARCHES, "");
    assert_eq!(stage.json("run", &configuration).await.0, 0);
    stage.modify(
        "dn: uid=u07,ou=People,dc=example,dc=test
changetype: modrdn
newrdn: uid=renamed
deleteoldrdn: 1
",
    );
    let (exit, report) = stage.json("run", &configuration).await;
    assert_eq!((exit, &report["removals"]["renames"]), (0, &json!(1)));

    let mapping = "mapping: {user: {userName: [mail]}}\n";
    let configuration = stage.configuration_of(SEARCHES, mapping);
    stage.simulator.forget_calls();
    let (exit, report) = stage.json("run", &configuration).await;
    assert_eq!((exit, stage.simulator.writes()), (10, 0), "{report}");
    assert_eq!(report["removals"]["renames"], 60);
    let mut confirmed = stage.command("run", &configuration);
    confirmed.args(["--confirm-deletes", "60"]);
    let output = finish(confirmed).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(stage.simulator.user("u00@example.test").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subtree_that_moves_to_another_server_ends_the_run_until_it_is_left_out() {
    let everyone = ["ann", "ben", "cem", "dina"];
    let ldif = include_str!("cases/referral.ldif");
    let mut steps = Steps::new(ldif, SEARCHES, "").await;
    let outcome = steps.next().await;
    assert_eq!(outcome.exit, 0);
    assert_eq!(steps.active(), everyone);
    let outcome = steps.next().await;
    assert_eq!((outcome.exit, outcome.writes), (1, 0), "{outcome:?}");
    for expected in [
        "below `dc=example,dc=test` is not complete",
        "ldap://berlin.example.net/ou=Berlin,ou=People,dc=example,dc=test",
        "source.excludedSubtrees",
    ] {
        assert!(outcome.errors.contains(expected), "{}", outcome.errors);
    }
    assert_eq!(steps.active(), everyone);

    // In the spelling of the server, and in another one.
    for excluded in [
        "ou=Berlin,ou=People,dc=example,dc=test",
        "organizationalUnitName=BERLIN, 2.5.4.11=People,dc=example,dc=test",
    ] {
        let source = format!("{SEARCHES}\nexcludedSubtrees: ['{excluded}']");
        steps.configuration = steps.stage.configuration_of(&source, "");
        let outcome = steps.run(&[]).await;
        assert_eq!(outcome.exit, 0, "{excluded}: {outcome:?}");
        assert_eq!(steps.active(), ["ann", "ben"]);
    }
}
