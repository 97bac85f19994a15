//! Groups with names of the identity provider, mapped to security profiles.

use connect_directory::directory::Reconciled;
use serde_json::{Value, json};

use crate::common::{Endpoint, group, members, user};

const MAPPING: &str = r#"{
    "APP-AGENTS": ["Agent"],
    "APP-ANALYSTS": ["QualityAnalyst"],
    "APP-LEADS": ["QualityAnalyst", "CallCenterManager"]
}"#;

const MAPPED: [(&str, &str); 1] = [("GROUP_MAPPING", MAPPING)];

const ACCEPTING: [(&str, &str); 2] = [("GROUP_MAPPING", MAPPING), ("UNMAPPED_GROUPS", "accept")];

async fn create_group(endpoint: &Endpoint, name: &str, members: &[&str]) -> String {
    let group = group(name, members);
    endpoint
        .send("POST", "/Groups", group)
        .await
        .expect(201)
        .id()
}

fn rename(name: &str) -> Value {
    json!([{"op": "replace", "value": {"displayName": name}}])
}

#[tokio::test]
async fn a_user_has_the_security_profiles_of_all_groups_together() {
    let endpoint = Endpoint::start_with(&MAPPED).await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let leads = create_group(&endpoint, "app-leads", &[&id]).await;
    assert_eq!(
        endpoint.security_profiles("ada"),
        ["CallCenterManager", "QualityAnalyst"]
    );
    let analysts = create_group(&endpoint, "APP-ANALYSTS", &[&id]).await;
    let agents = create_group(&endpoint, "APP-AGENTS", &[&id]).await;
    let admin = endpoint.group_id("Admin").await;
    endpoint.add_member(&admin, &id).await.expect(200);
    assert_eq!(
        endpoint.security_profiles("ada"),
        ["Admin", "Agent", "CallCenterManager", "QualityAnalyst"]
    );
    let mut shown = endpoint.groups_of(&id).await;
    let mut all = vec![
        leads.clone(),
        analysts.clone(),
        agents.clone(),
        admin.clone(),
    ];
    shown.sort();
    all.sort();
    assert_eq!(shown, all);

    // Another group still grants one of the two profiles.
    endpoint.remove_member(&leads, &id).await.expect(200);
    assert_eq!(
        endpoint.security_profiles("ada"),
        ["Admin", "Agent", "QualityAnalyst"]
    );
    let path = format!("/Groups/{analysts}");
    endpoint
        .send("DELETE", &path, Value::Null)
        .await
        .expect(204);
    endpoint.get(&path).await.expect(404);
    assert_eq!(endpoint.security_profiles("ada"), ["Admin", "Agent"]);
    let empty = group("APP-AGENTS", &[]);
    let path = format!("/Groups/{agents}");
    endpoint.send("PUT", &path, empty).await.expect(200);
    endpoint.remove_member(&admin, &id).await.expect(200);
    assert_eq!(endpoint.security_profiles("ada"), ["Agent"], "the default");
    assert_eq!(endpoint.groups_of(&id).await, [""; 0]);
}

#[tokio::test]
async fn a_mapped_group_is_found_by_its_name_and_shows_it_in_its_members() {
    let endpoint = Endpoint::start_with(&MAPPED).await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let mut leads = group("APP-LEADS", &[&id]);
    leads["externalId"] = json!("00g-leads");
    let created = endpoint.send("POST", "/Groups", leads.clone()).await;
    let created = created.expect(201);
    assert_eq!(created.body["externalId"], "00g-leads");
    let again = endpoint.send("POST", "/Groups", leads).await.expect(409);
    assert_eq!(again.body["scimType"], "uniqueness");
    let found = endpoint.group_id("app-leads").await;
    assert_eq!(found, created.id());
    for (filter, count) in [
        ("externalId eq \"00g-leads\"", 1),
        ("displayName eq \"APP-AGENTS\"", 0),
        (&format!("members.value eq \"{id}\""), 1),
        (
            &format!("members[value eq \"{id}\"] and displayName sw \"APP\""),
            1,
        ),
    ] {
        assert_eq!(endpoint.count("Groups", filter).await, count, "{filter}");
    }
    let shown = endpoint.get(&format!("/Users/{id}")).await.expect(200);
    let shown = &shown.body["groups"][0];
    assert_eq!(shown["display"], "APP-LEADS");
    let reference = shown["$ref"].as_str().unwrap();
    assert!(reference.ends_with(&format!("/scim/v2/Groups/{found}")));
    let listed = endpoint.get("/Users").await.expect(200);
    assert_eq!(listed.body["Resources"][0]["groups"][0], *shown);
    let unmapped = group("APP-OTHERS", &[]);
    let refused = endpoint.send("POST", "/Groups", unmapped).await.expect(400);
    assert_eq!(refused.body["scimType"], "invalidValue");
}

#[tokio::test]
async fn a_renamed_group_keeps_its_rights_and_gets_no_others() {
    let endpoint = Endpoint::start_with(&ACCEPTING).await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let analysts = create_group(&endpoint, "APP-ANALYSTS", &[&id]).await;
    let renamed = endpoint
        .patch_group(&analysts, rename("Analysts of Berlin"))
        .await;
    let renamed = renamed.expect(200);
    assert_eq!(renamed.body["displayName"], "Analysts of Berlin");
    assert_eq!(members(&renamed.body), [id.as_str()]);
    assert_eq!(endpoint.security_profiles("ada"), ["QualityAnalyst"]);
    assert_eq!(endpoint.group_id("analysts of berlin").await, analysts);
    let by_name = "displayName eq \"APP-ANALYSTS\"";
    assert_eq!(endpoint.count("Groups", by_name).await, 0);
    let shown = endpoint.get(&format!("/Users/{id}")).await;
    assert_eq!(shown.body["groups"][0]["display"], "Analysts of Berlin");

    // Neither a mapped group nor a plain one gets other rights by a rename.
    let plain = create_group(&endpoint, "Plain", &[&id]).await;
    for group in [&analysts, &plain] {
        let refused = endpoint.patch_group(group, rename("app-leads")).await;
        assert_eq!(refused.expect(400).body["scimType"], "mutability");
    }
    assert_eq!(endpoint.security_profiles("ada"), ["QualityAnalyst"]);
    // Back to the name by which it was mapped.
    endpoint
        .patch_group(&analysts, rename("APP-ANALYSTS"))
        .await
        .expect(200);
    assert_eq!(endpoint.security_profiles("ada"), ["QualityAnalyst"]);
    // The name of another group is taken.
    let taken = endpoint.patch_group(&analysts, rename("PLAIN")).await;
    assert_eq!(taken.expect(409).body["scimType"], "uniqueness");
    let put = group("Plain renamed", &[&id]);
    let path = format!("/Groups/{plain}");
    endpoint.send("PUT", &path, put).await.expect(200);
    create_group(&endpoint, "Plain", &[]).await;
}

#[tokio::test]
async fn a_plain_group_grants_nothing_until_its_name_is_mapped() {
    let endpoint = Endpoint::start_with(&ACCEPTING).await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let plain = create_group(&endpoint, "Plain", &[&id]).await;
    assert_eq!(endpoint.security_profiles("ada"), ["Agent"]);
    assert_eq!(endpoint.groups_of(&id).await, [plain.as_str()]);
    let mapped = [("GROUP_MAPPING", r#"{"plain": ["QualityAnalyst"]}"#)];
    let endpoint = endpoint.restarted(&mapped);
    let repaired = endpoint.directory.mend(&id, endpoint.context()).await;
    assert_eq!(repaired.unwrap(), Reconciled::Synchronised);
    assert_eq!(endpoint.security_profiles("ada"), ["QualityAnalyst"]);
}

#[tokio::test]
async fn a_name_that_a_plain_group_no_longer_has_grants_it_nothing() {
    let endpoint = Endpoint::start_with(&ACCEPTING).await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let renamed = create_group(&endpoint, "Visitors", &[&id]).await;
    endpoint
        .patch_group(&renamed, rename("Guests"))
        .await
        .expect(200);
    // The operator maps the former name, which the renamed group no longer has.
    let mapped = [
        ("GROUP_MAPPING", r#"{"Visitors": ["Admin"]}"#),
        ("UNMAPPED_GROUPS", "accept"),
    ];
    let endpoint = endpoint.restarted(&mapped);
    let repaired = endpoint.directory.mend(&id, endpoint.context()).await;
    assert_eq!(repaired.unwrap(), Reconciled::Synchronised);
    assert_eq!(endpoint.security_profiles("ada"), ["Agent"]);
    create_group(&endpoint, "Visitors", &[&id]).await;
    assert_eq!(endpoint.security_profiles("ada"), ["Admin"]);
}

#[tokio::test]
async fn removing_an_entry_of_the_mapping_removes_the_rights() {
    let endpoint = Endpoint::start_with(&MAPPED).await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let leads = create_group(&endpoint, "APP-LEADS", &[&id]).await;
    let fewer = [("GROUP_MAPPING", r#"{"APP-LEADS": ["QualityAnalyst"]}"#)];
    let changed = endpoint.restarted(&fewer);
    changed
        .directory
        .mend(&id, changed.context())
        .await
        .unwrap();
    assert_eq!(endpoint.security_profiles("ada"), ["QualityAnalyst"]);
    let none = endpoint.restarted(&[]);
    none.directory.mend(&id, none.context()).await.unwrap();
    assert_eq!(endpoint.security_profiles("ada"), ["Agent"]);
    // The group remains, and its members can be removed.
    assert_eq!(none.members(&leads).await, [id.as_str()]);
    none.remove_member(&leads, &id).await.expect(200);
    assert_eq!(none.groups_of(&id).await, [""; 0]);
}

#[tokio::test]
async fn a_mapping_to_a_security_profile_that_does_not_exist_stops_nothing_else() {
    let mapping =
        r#"{"APP-LEADS": ["No such profile", "QualityAnalyst"], "APP-NONE": ["No such profile"]}"#;
    let endpoint = Endpoint::start_with(&[("GROUP_MAPPING", mapping)]).await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    create_group(&endpoint, "APP-LEADS", &[&id]).await;
    assert_eq!(endpoint.security_profiles("ada"), ["QualityAnalyst"]);
    let none = create_group(&endpoint, "APP-NONE", &[&id]).await;
    assert_eq!(endpoint.security_profiles("ada"), ["QualityAnalyst"]);
    endpoint.remove_member(&none, &id).await.expect(200);
    endpoint.set_active(&id, false).await.expect(200);
    assert_eq!(endpoint.connect_user("ada"), None);
}

#[tokio::test]
async fn changes_of_a_group_by_two_clients_at_once_are_both_kept() {
    let endpoint = Endpoint::start_with(&ACCEPTING).await;
    let id = create_group(&endpoint, "Plain", &[]).await;
    let (stepped, steps) = endpoint.stepped(&ACCEPTING);
    let stepped = Endpoint {
        client: "okta",
        ..stepped
    };
    stepped.get("/Groups").await.expect(200);
    for stop in 0..4 {
        let own = format!("okta-{stop}");
        let other = format!("entra-{stop}");
        let name = format!("Plain {stop}");
        steps.hold_after(stop * 5 + 1);
        let set = json!([{"op": "replace", "value": {"externalId": own}}]);
        let request = stepped.patch_group(&id, set);
        let between = async {
            tokio::select! {
                () = steps.held() => {}
                () = tokio::time::sleep(std::time::Duration::from_secs(1)) => {}
            }
            let value = json!({"displayName": name, "externalId": other});
            let entra = endpoint.as_client("entra");
            let set = json!([{"op": "replace", "value": value}]);
            entra.patch_group(&id, set).await.expect(200);
            steps.release();
        };
        let (set, ()) = tokio::join!(request, between);
        set.expect(200);
        for (client, external_id) in [("okta", &own), ("entra", &other)] {
            let group = endpoint
                .as_client(client)
                .get(&format!("/Groups/{id}"))
                .await;
            assert_eq!(group.body["externalId"], *external_id, "{stop}: {client}");
            assert_eq!(group.body["displayName"], *name, "{stop}");
        }
        assert_eq!(endpoint.group_id(&name).await, id, "{stop}");
    }
}

#[tokio::test]
async fn a_group_that_is_no_longer_mapped_grants_nothing_to_a_user_that_leaves_it() {
    let endpoint = Endpoint::start_with(&MAPPED).await;
    let fewer = [("GROUP_MAPPING", r#"{"APP-LEADS": ["CallCenterManager"]}"#)];
    let leads = create_group(&endpoint, "APP-LEADS", &[]).await;
    for (number, variables) in [&fewer[..], &[]].into_iter().enumerate() {
        let name = format!("ada-{number}");
        let granted = ["CallCenterManager", "QualityAnalyst"];
        let id = endpoint.create(user(&name)).await.expect(201).id();
        endpoint.add_member(&leads, &id).await.expect(200);
        assert_eq!(endpoint.security_profiles(&name), granted);
        // No operator reconciles the users after the change of the mapping.
        let changed = endpoint.restarted(variables);
        changed.remove_member(&leads, &id).await.expect(200);
        assert_eq!(changed.security_profiles(&name), ["Agent"]);
    }
}
