//! Leavers lose access, independent of other attributes of the request, the state of the
//! instance, and the settings.

use connect_directory::directory::Reconciled;
use connect_simulator::{Fault, FaultRule, Operation};
use serde_json::{Value, json};

use crate::common::{AMAZON_CONNECT, Answer, Endpoint, SUSPEND, group, user};

const DELETE: [(&str, &str); 1] = [("DEPROVISION", "delete")];

/// Requests that deactivate a user and change the userName.
const METHODS: [&str; 6] = [
    "PUT",
    "PATCH active first",
    "PATCH userName first",
    "PATCH without paths",
    "PATCH in two values",
    "bulk",
];

/// Other names of the leaver: one that Connect accepts, and two that it does not.
fn new_names(old: &str) -> [(String, bool); 3] {
    [
        (format!("new.{old}"), true),
        (format!("left {old}"), false),
        (format!("{}{old}", "0a1b2c3d".repeat(8)), false),
    ]
}

fn leaver(user_name: &str) -> Value {
    let mut leaver = user(user_name);
    leaver["entitlements"] = json!([{"value": "Admin"}]);
    leaver
}

/// Deactivates and renames a user in one request. Returns the response with the user.
async fn leave(endpoint: &Endpoint, method: &str, id: &str, name: &str) -> Answer {
    let active = json!({"op": "Replace", "path": "active", "value": "False"});
    let rename = json!({"op": "Replace", "path": "userName", "value": name});
    let answer = match method {
        "PUT" => {
            let mut user = leaver(name);
            user["active"] = json!(false);
            endpoint.send("PUT", &format!("/Users/{id}"), user).await
        }
        "PATCH active first" => endpoint.patch(id, json!([active, rename])).await,
        "PATCH userName first" => endpoint.patch(id, json!([rename, active])).await,
        "PATCH without paths" => {
            let value = json!({"active": false, "userName": name});
            let operation = json!({"op": "replace", "value": value});
            endpoint.patch(id, json!([operation])).await
        }
        "PATCH in two values" => {
            let operations = json!([
                {"op": "replace", "value": {"userName": name}},
                {"op": "replace", "value": {"active": false}},
            ]);
            endpoint.patch(id, operations).await
        }
        "bulk" => {
            let patch = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [rename, active],
            });
            let bulk = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
                "Operations": [{"method": "PATCH", "path": format!("/Users/{id}"), "data": patch}],
            });
            let answer = endpoint.send("POST", "/Bulk", bulk).await.expect(200);
            let operation = &answer.body["Operations"][0];
            assert_eq!(operation["status"], "200", "{method}: {}", answer.body);
            endpoint.get(&format!("/Users/{id}")).await
        }
        method => panic!("{method}"),
    };
    let answer = answer.expect(200);
    assert_eq!(answer.body["active"], false, "{method}");
    assert_eq!(answer.body["userName"], name, "{method}");
    answer
}

fn settings(rename: &'static str, suspends: bool) -> Vec<(&'static str, &'static str)> {
    let mut settings = match suspends {
        true => SUSPEND.to_vec(),
        false => DELETE.to_vec(),
    };
    settings.push(("RENAME", rename));
    settings
}

/// A user leaves under another name. A new user gets the old name and no rights of the
/// leaver.
async fn leave_and_be_replaced(endpoint: &Endpoint, suspends: bool, what: &str, case: Case<'_>) {
    let Case { method, old, new } = case;
    let id = endpoint.create(leaver(old)).await.expect(201).id();
    let before = endpoint.connect_user(old).unwrap();
    leave(endpoint, method, &id, new).await;

    match suspends {
        false => assert_eq!(endpoint.connect_user(old), None, "{what}"),
        true => {
            let suspended = endpoint.connect_user(old).unwrap();
            assert_eq!(suspended["Id"], before["Id"], "{what}");
            assert_eq!(endpoint.security_profiles(old), ["Suspended"], "{what}");
        }
    }
    assert_eq!(endpoint.connect_user(new), None, "{what}");

    let by_name = format!("userName eq \"{old}\"");
    assert_eq!(endpoint.count("Users", &by_name).await, 0, "{what}");
    let newcomer = endpoint.create(user(old)).await.expect(201).id();
    let created = endpoint.connect_user(old).unwrap();
    assert_ne!(created["Id"], before["Id"], "{what}");
    assert_eq!(created["Tags"]["scim:id"], newcomer.as_str(), "{what}");
    assert_eq!(endpoint.security_profiles(old), ["Agent"], "{what}");
    let left = endpoint.record(&id).await;
    assert!(left.connect.applied.is_none(), "{what}: no Connect user");
    assert!(left.pending_since.is_none(), "{what}");
}

struct Case<'a> {
    method: &'a str,
    old: &'a str,
    new: &'a str,
}

async fn leave_in_each_way(rename: &'static str, suspends: bool) {
    let endpoint = Endpoint::start_with(&settings(rename, suspends)).await;
    for (number, method) in METHODS.into_iter().enumerate() {
        for (kind, is_valid) in [true, false, false].into_iter().enumerate() {
            let old = format!("u{number}{kind}@example.net");
            let (new, _) = new_names(&old)[kind].clone();
            let what = format!("{rename}, suspends: {suspends}, {method}, {new}");
            let case = Case {
                method,
                old: &old,
                new: &new,
            };
            leave_and_be_replaced(&endpoint, suspends, &what, case).await;

            // A user without a Connect user can have any name that Connect accepts.
            let by_name = format!("userName eq \"{new}\"");
            assert_eq!(endpoint.count("Users", &by_name).await, 1, "{what}");
            let found = endpoint.directory.store().find_by_user_name(&new).await;
            let id = found.unwrap().unwrap().id;
            let back = endpoint.set_active(&id, true).await;
            assert_eq!(back.status, if is_valid { 200 } else { 400 }, "{what}");
            match is_valid {
                true => assert_eq!(endpoint.security_profiles(&new), ["Admin"], "{what}"),
                false => assert_eq!(endpoint.connect_user(&new), None, "{what}"),
            }
        }
    }
}

#[tokio::test]
async fn a_deactivation_with_another_user_name_is_accepted_where_renames_are_refused() {
    leave_in_each_way("reject", false).await;
}

#[tokio::test]
async fn a_deactivation_with_another_user_name_is_accepted_where_users_are_recreated() {
    leave_in_each_way("recreate", false).await;
}

#[tokio::test]
async fn a_suspended_user_keeps_the_connect_user_whatever_name_it_leaves_under() {
    leave_in_each_way("reject", true).await;
}

#[tokio::test]
async fn a_suspended_user_is_not_recreated_by_a_rename_while_it_is_inactive() {
    leave_in_each_way("recreate", true).await;
}

#[tokio::test]
async fn a_renamed_suspended_user_comes_back_under_the_old_name_or_as_renames_are_set() {
    for (rename, status) in [("reject", 400), ("recreate", 200)] {
        let endpoint = Endpoint::start_with(&settings(rename, true)).await;
        let id = endpoint.create(leaver("ada")).await.expect(201).id();
        let before = endpoint.connect_user("ada").unwrap();
        leave(&endpoint, "PUT", &id, "left.ada").await;

        let mut same = leaver("ada");
        let path = format!("/Users/{id}");
        endpoint.send("PUT", &path, same.clone()).await.expect(200);
        let restored = endpoint.connect_user("ada").unwrap();
        assert_eq!(restored["Id"], before["Id"], "{rename}");
        assert_eq!(endpoint.security_profiles("ada"), ["Admin"], "{rename}");

        leave(&endpoint, "PUT", &id, "left.ada").await;
        same["userName"] = json!("left.ada");
        let back = endpoint.send("PUT", &path, same).await.expect(status);
        if status == 200 {
            assert_eq!(endpoint.connect_user("ada"), None);
            assert_eq!(endpoint.security_profiles("left.ada"), ["Admin"]);
        } else {
            assert_eq!(back.body["scimType"], "mutability");
            assert_eq!(endpoint.security_profiles("ada"), ["Suspended"]);
        }
    }
}

#[tokio::test]
async fn an_inactive_user_gets_any_name_that_scim_allows_step_by_step() {
    for suspends in [false, true] {
        let endpoint = Endpoint::start_with(&settings("reject", suspends)).await;
        let id = endpoint.create(leaver("ada")).await.expect(201).id();
        let other = endpoint.create(user("grace")).await.expect(201).id();
        // The refused rename is repeated with the deactivation, then without it.
        let rename = |name: &str| json!([{"op": "replace", "path": "userName", "value": name}]);
        endpoint.patch(&id, rename("new")).await.expect(400);
        leave(&endpoint, "PUT", &id, "new").await;
        for name in ["x", "with space", "Ümlaut"] {
            let renamed = endpoint.patch(&id, rename(name)).await.expect(200);
            assert_eq!(renamed.body["userName"], name);
        }
        let taken = endpoint.patch(&id, rename("GRACE")).await.expect(409);
        assert_eq!(taken.body["scimType"], "uniqueness");
        leave(&endpoint, "PUT", &other, "grace.left").await;
        endpoint.patch(&id, rename("grace")).await.expect(200);
        match suspends {
            true => assert_eq!(endpoint.security_profiles("ada"), ["Suspended"]),
            false => assert_eq!(endpoint.connect_user("ada"), None),
        }
    }
}

/// Users leave while Connect throttles. One is replaced before the reconciler runs.
#[tokio::test]
async fn a_leaver_under_another_name_is_completed_after_connect_throttled() {
    for (rename, suspends) in [
        ("reject", false),
        ("recreate", false),
        ("reject", true),
        ("recreate", true),
    ] {
        let endpoint = Endpoint::start_with(&settings(rename, suspends)).await;
        let operation = match suspends {
            true => Operation::UpdateUserSecurityProfiles,
            false => Operation::DeleteUser,
        };
        let what = format!("{rename}, suspends: {suspends}");
        let [first, second] = ["ada", "grace"].map(|name| endpoint.create(leaver(name)));
        let (first, second) = (first.await.expect(201).id(), second.await.expect(201).id());
        for id in [&first, &second] {
            let rule = FaultRule::next(3, operation, Fault::Throttle);
            endpoint.cloud.simulator.inject(rule);
            // An instance of its own, which has not slowed down yet.
            let endpoint = endpoint.restarted(&settings(rename, suspends));
            leave(&endpoint, "PATCH userName first", id, &format!("left {id}")).await;
            assert!(endpoint.record(id).await.pending_since.is_some(), "{what}");
        }
        let endpoint = endpoint.restarted(&settings(rename, suspends));
        // The reconciler runs first.
        endpoint.settle(&first).await;
        match suspends {
            true => assert_eq!(endpoint.security_profiles("ada"), ["Suspended"], "{what}"),
            false => assert_eq!(endpoint.connect_user("ada"), None, "{what}"),
        }
        // The new user is created first.
        let newcomer = endpoint.create(user("grace")).await.expect(201).id();
        endpoint.settle(&newcomer).await;
        let created = endpoint.connect_user("grace").unwrap();
        assert_eq!(created["Tags"]["scim:id"], newcomer.as_str(), "{what}");
        assert_eq!(endpoint.security_profiles("grace"), ["Agent"], "{what}");
        endpoint.settle(&second).await;
        assert_eq!(endpoint.connect_user("grace"), Some(created), "{what}");
    }
}

#[tokio::test]
async fn a_newcomer_never_adopts_a_leaver_whatever_the_setting() {
    for adopt in ["never", "matching", "always"] {
        let mut settings = settings("reject", true);
        settings.push(("ADOPT", adopt));
        let endpoint = Endpoint::start_with(&settings).await;
        let id = endpoint.create(leaver("ada")).await.expect(201).id();
        let before = endpoint.connect_user("ada").unwrap();
        leave(&endpoint, "PUT", &id, "left.ada").await;
        // A rename into the name of the leaver, and an activation under it.
        let mut inactive = user("ada");
        inactive["active"] = json!(false);
        let newcomer = endpoint.create(inactive).await.expect(201).id();
        endpoint.set_active(&newcomer, true).await.expect(200);
        let created = endpoint.connect_user("ada").unwrap();
        assert_ne!(created["Id"], before["Id"], "{adopt}");
        assert_eq!(created["Tags"]["scim:id"], newcomer.as_str(), "{adopt}");
        assert_eq!(endpoint.security_profiles("ada"), ["Agent"], "{adopt}");
        endpoint
            .send("DELETE", &format!("/Users/{id}"), Value::Null)
            .await
            .expect(204);
        assert_eq!(endpoint.connect_user("ada"), Some(created), "{adopt}");
    }
}

#[tokio::test]
async fn a_user_is_created_while_the_deletion_of_a_user_of_the_same_name_ends() {
    for adopt in ["never", "always"] {
        let variables = [("ADOPT", adopt)];
        let endpoint = Endpoint::start_with(&variables).await;
        let (stepped, steps) = endpoint.stepped(&variables);
        // Reads the lists of names.
        stepped.get("/Groups").await.expect(200);
        for stop in 0.. {
            let name = format!("ada{stop}");
            let id = endpoint.create(leaver(&name)).await.expect(201).id();
            let rule = FaultRule::next(1, Operation::DeleteUser, Fault::AccessDenied);
            endpoint.cloud.simulator.inject(rule);
            let path = format!("/Users/{id}");
            endpoint
                .send("DELETE", &path, Value::Null)
                .await
                .expect(204);

            steps.hold_after(stop);
            let deletion_ends = async {
                steps.held().await;
                // The creation may be deleting the leaver itself.
                let reconciled = endpoint.reconcile(&id).await;
                assert!(matches!(reconciled, Reconciled::Gone | Reconciled::Busy));
                steps.release();
            };
            let creation = stepped.create(user(&name));
            tokio::pin!(creation);
            let created = tokio::select! {
                created = &mut creation => Err(created),
                () = deletion_ends => Ok(creation.await),
            };
            let was_stopped = created.is_ok();
            let created = created.unwrap_or_else(|created| created).expect(201).id();
            endpoint.settle(&created).await;
            let in_connect = endpoint.connect_user(&name).unwrap();
            assert_eq!(
                in_connect["Tags"]["scim:id"],
                created.as_str(),
                "{adopt} {stop}"
            );
            assert_eq!(
                endpoint.security_profiles(&name),
                ["Agent"],
                "{adopt} {stop}"
            );
            if !was_stopped {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_leaver_is_deleted_if_there_is_no_security_profile_for_suspended_users() {
    let variables = [
        ("DEPROVISION", "suspend"),
        ("SUSPENDED_SECURITY_PROFILE", "No such profile"),
    ];
    let endpoint = Endpoint::start_with(&variables).await;
    let id = endpoint.create(leaver("ada")).await.expect(201).id();
    let left = endpoint.set_active(&id, false).await.expect(200);
    assert_eq!(left.body["active"], false);
    assert_eq!(endpoint.connect_user("ada"), None);
    endpoint.set_active(&id, true).await.expect(200);
    assert_eq!(endpoint.security_profiles("ada"), ["Admin"]);
}

#[tokio::test]
async fn a_removal_that_connect_denies_is_accepted_and_completed_later() {
    for suspends in [false, true] {
        let endpoint = Endpoint::start_with(&settings("reject", suspends)).await;
        let ids = [
            endpoint.create(leaver("ada")).await.expect(201).id(),
            endpoint.create(leaver("grace")).await.expect(201).id(),
        ];
        for operation in [Operation::DeleteUser, Operation::UpdateUserSecurityProfiles] {
            let rule = FaultRule::next(2, operation, Fault::AccessDenied);
            endpoint.cloud.simulator.inject(rule);
        }
        let left = endpoint.set_active(&ids[0], false).await.expect(200);
        assert_eq!(left.body["active"], false);
        let path = format!("/Users/{}", ids[1]);
        endpoint
            .send("DELETE", &path, Value::Null)
            .await
            .expect(204);
        endpoint.get(&path).await.expect(404);
        for id in &ids {
            let record = endpoint.record(id).await;
            assert!(record.pending_since.is_some(), "suspends: {suspends}");
            assert!(record.connect.refused_at.is_some(), "suspends: {suspends}");
        }
        // Each operation was denied; the permission exists from now on.
        for id in &ids {
            while matches!(endpoint.reconcile(id).await, Reconciled::Refused(_)) {}
        }
        assert_eq!(endpoint.connect_user("grace"), None);
        match suspends {
            true => assert_eq!(endpoint.security_profiles("ada"), ["Suspended"]),
            false => assert_eq!(endpoint.connect_user("ada"), None),
        }
        let record = endpoint.record(&ids[0]).await;
        assert!(record.pending_since.is_none() && record.connect.refused_at.is_none());
    }
}

/// Fields of `provisioning.attributes`, and an attribute with a value that does not map.
const UNFIT: [(&str, &str, &str); 6] = [
    ("afterContactWorkSeconds", "title", "Team lead"),
    ("deskPhoneNumber", "title", "extension 12"),
    ("firstName", "title", TOO_LONG),
    ("lastName", "title", TOO_LONG),
    ("routingProfile", "title", "No such routing profile"),
    ("securityProfiles", "title", "No such security profile"),
];

const TOO_LONG: &str = "a first name of far more than one hundred characters, which Amazon Connect does not accept as the name of a user";

#[tokio::test]
async fn values_that_no_longer_map_do_not_keep_a_leaver_or_a_removed_member() {
    for suspends in [false, true] {
        let settings = settings("reject", suspends);
        let endpoint = Endpoint::start_with(&settings).await;
        let group = endpoint.group_id("QualityAnalyst").await;
        for (field, attribute, value) in UNFIT {
            let what = format!("{field}, suspends: {suspends}");
            let names = [format!("a.{field}"), format!("b.{field}")];
            let mut ids = Vec::new();
            for name in &names {
                let mut user = leaver(name);
                user[attribute] = json!(value);
                ids.push(endpoint.create(user).await.expect(201).id());
            }
            endpoint.add_member(&group, &ids[1]).await.expect(200);
            assert_eq!(
                endpoint.security_profiles(&names[1]),
                ["Admin", "QualityAnalyst"]
            );
            let mapping = json!({ field: attribute }).to_string();
            let mut changed = settings.clone();
            changed.push(("ATTRIBUTE_MAPPING", &mapping));
            let changed = endpoint.restarted(&changed);

            let left = changed.set_active(&ids[0], false).await.expect(200);
            assert_eq!(left.body["active"], false, "{what}");
            match suspends {
                false => assert_eq!(endpoint.connect_user(&names[0]), None, "{what}"),
                true => assert_eq!(
                    endpoint.security_profiles(&names[0]),
                    ["Suspended"],
                    "{what}"
                ),
            }

            // Values that do not map do not keep the right of a group that the user left.
            changed.remove_member(&group, &ids[1]).await.expect(200);
            let has = endpoint.security_profiles(&names[1]);
            assert!(
                !has.contains(&"QualityAnalyst".to_owned()),
                "{what}: {has:?}"
            );
            let record = changed.record(&ids[1]).await;
            assert!(record.user.groups.is_empty(), "{what}");
            let is_unfit = record.connect.refused_at.is_some();
            assert_eq!(is_unfit, record.pending_since.is_some(), "{what}");
            changed.set_active(&ids[1], false).await.expect(200);
        }
    }
}

#[tokio::test]
async fn proficiencies_and_tags_that_connect_would_refuse_do_not_keep_a_leaver() {
    for suspends in [false, true] {
        let endpoint = Endpoint::start_with(&settings("reject", suspends)).await;
        let id = endpoint.create(leaver("ada")).await.expect(201).id();
        let unknown = json!({
            "proficiencies": [{"attributeName": "No such", "attributeValue": "x", "level": 3}],
            "hierarchyGroup": "No such group",
        });
        let leave = json!([
            {"op": "replace", "path": AMAZON_CONNECT, "value": unknown},
            {"op": "replace", "path": "active", "value": false},
        ]);
        let left = endpoint.patch(&id, leave).await.expect(200);
        assert_eq!(left.body["active"], false);
        match suspends {
            true => assert_eq!(endpoint.security_profiles("ada"), ["Suspended"]),
            false => assert_eq!(endpoint.connect_user("ada"), None),
        }
    }
}

#[tokio::test]
async fn a_change_of_a_user_takes_what_only_former_settings_gave() {
    const TITLE: (&str, &str) = ("ATTRIBUTE_MAPPING", r#"{"securityProfiles": "title"}"#);
    const LEADS: (&str, &str) = ("GROUP_MAPPING", r#"{"Leads": ["Admin"]}"#);
    const ANALYSTS: (&str, &str) = ("GROUP_MAPPING", r#"{"Leads": ["QualityAnalyst"]}"#);
    let analyst = ("DEFAULT_SECURITY_PROFILE", "QualityAnalyst");
    let entitled = leaver("ada");
    let mut unnamed = leaver("ada");
    unnamed.as_object_mut().unwrap().remove("entitlements");
    for (user, before, after, expected) in [
        (&entitled, None, TITLE, "Agent"),
        (&unnamed, Some(LEADS), ANALYSTS, "QualityAnalyst"),
        (&unnamed, None, analyst, "QualityAnalyst"),
    ] {
        let before: Vec<(&str, &str)> = before.into_iter().collect();
        let endpoint = Endpoint::start_with(&before).await;
        let id = endpoint.create(user.clone()).await.expect(201).id();
        if before == [LEADS] {
            let group = group("Leads", &[&id]);
            endpoint.send("POST", "/Groups", group).await.expect(201);
        }
        let has = endpoint.security_profiles("ada");
        assert_ne!(has, [expected]);

        let endpoint = endpoint.restarted(&[after]);
        // A request without effect is none.
        let unchanged = json!([{"op": "replace", "path": "active", "value": true}]);
        endpoint.patch(&id, unchanged).await.expect(200);
        assert_eq!(endpoint.security_profiles("ada"), has);
        // Neither attribute has a meaning for Connect under the new settings.
        let removal = json!([
            {"op": "remove", "path": "entitlements"},
            {"op": "add", "path": "nickName", "value": "Ada"},
        ]);
        endpoint.patch(&id, removal).await.expect(200);
        assert_eq!(endpoint.security_profiles("ada"), [expected], "{after:?}");

        // From then on, such a change needs no call to Connect.
        endpoint.cloud.simulator.clear_calls();
        let nick_name = json!([{"op": "replace", "path": "nickName", "value": "Countess"}]);
        endpoint.patch(&id, nick_name).await.expect(200);
        assert_eq!(endpoint.cloud.simulator.calls().len(), 0, "{after:?}");
    }
}
