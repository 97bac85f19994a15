//! Clients read the values that they wrote, with as few calls to the table as possible.

use serde_json::{Value, json};

use crate::common::{Endpoint, group, members, user};

async fn external_id(endpoint: &Endpoint, target: &str) -> Option<String> {
    let resource = endpoint.get(target).await.expect(200);
    resource.body["externalId"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn each_client_has_an_external_id_of_its_own_for_users_and_groups() {
    let okta = Endpoint::start().await;
    let okta = Endpoint {
        client: "okta",
        ..okta
    };
    let entra = okta.as_client("entra");
    let id = okta.create(user("ada")).await.expect(201).id();
    let admin = okta.send("POST", "/Groups", group("Admin", &[])).await;
    let admin = admin.expect(201).id();
    for (resource, target) in [
        ("Users", format!("/Users/{id}")),
        ("Groups", format!("/Groups/{admin}")),
    ] {
        let set = |value: Value| {
            json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [{"op": "replace", "path": "externalId", "value": value}],
            })
        };
        for (client, external_id) in [
            (&okta, "00u1"),
            (&entra, "e-1"),
            (&okta, "same"),
            (&entra, "same"),
        ] {
            client
                .send("PATCH", &target, set(json!(external_id)))
                .await
                .expect(200);
            let filter = format!("externalId eq \"{external_id}\"");
            assert_eq!(client.count(resource, &filter).await, 1, "{filter}");
        }
        okta.send("PATCH", &target, set(json!("00u1")))
            .await
            .expect(200);
        assert_eq!(external_id(&okta, &target).await.as_deref(), Some("00u1"));
        assert_eq!(external_id(&entra, &target).await.as_deref(), Some("same"));
        for (client, found) in [(&okta, "00u1"), (&entra, "same")] {
            let other = if found == "same" { "00u1" } else { "same" };
            let count = |value: &str| {
                let filter = format!("externalId eq \"{value}\"");
                async move { client.count(resource, &filter).await }
            };
            assert_eq!(count(found).await, 1, "{resource}");
            assert_eq!(count(other).await, 0, "{resource}");
        }
        // One client's removal leaves the other's.
        let remove = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "remove", "path": "externalId"}],
        });
        entra.send("PATCH", &target, remove).await.expect(200);
        assert_eq!(external_id(&entra, &target).await, None);
        assert_eq!(external_id(&okta, &target).await.as_deref(), Some("00u1"));
        assert_eq!(entra.count(resource, "externalId eq \"same\"").await, 0);
    }
    let path = format!("/Users/{id}");
    okta.send("DELETE", &path, Value::Null).await.expect(204);
    assert_eq!(okta.count("Users", "externalId eq \"00u1\"").await, 0);
    let text = Value::Array(okta.cloud.items().await).to_string();
    assert!(!text.contains(&id), "an item names the deleted user");
}

#[tokio::test]
async fn a_renamed_client_finds_a_user_after_the_next_write_with_its_external_id() {
    let idp = Endpoint::start().await;
    let id = idp.create(user("ada")).await.expect(201).id();
    let okta = idp.as_client("okta");
    let by_external_id = "externalId eq \"external-ada\"";
    assert_eq!(okta.count("Users", by_external_id).await, 0);
    // The value that the client sent under its former name.
    let path = format!("/Users/{id}");
    let put = okta.send("PUT", &path, user("ada")).await.expect(200);
    assert_eq!(put.body["externalId"], "external-ada");
    assert_eq!(okta.count("Users", by_external_id).await, 1);
    assert_eq!(idp.count("Users", by_external_id).await, 1);

    let group = group("Admin", &[]);
    let mut group = group.clone();
    group["externalId"] = json!("00g");
    let admin = idp
        .send("POST", "/Groups", group.clone())
        .await
        .expect(201)
        .id();
    assert_eq!(okta.count("Groups", "externalId eq \"00g\"").await, 0);
    let path = format!("/Groups/{admin}");
    okta.send("PUT", &path, group).await.expect(200);
    assert_eq!(okta.count("Groups", "externalId eq \"00g\"").await, 1);
    assert_eq!(idp.count("Groups", "externalId eq \"00g\"").await, 1);
}

#[tokio::test]
async fn external_ids_survive_changes_of_members_and_of_other_attributes() {
    let okta = Endpoint::start().await.as_client("okta");
    let entra = okta.as_client("entra");
    let id = okta.create(user("ada")).await.expect(201).id();
    let path = format!("/Users/{id}");
    let mut theirs = user("ada");
    theirs["externalId"] = json!("e-ada");
    entra.send("PUT", &path, theirs).await.expect(200);
    let admin = okta.group_id("Admin").await;
    okta.add_member(&admin, &id).await.expect(200);
    entra.set_active(&id, false).await.expect(200);
    entra.remove_member(&admin, &id).await.expect(200);
    okta.set_active(&id, true).await.expect(200);
    // Connect has a tag for one of them: that of the first client by name.
    let tags = okta.connect_user("ada").unwrap()["Tags"].clone();
    assert_eq!(tags["scim:external-id"], "e-ada");
    for (client, external_id) in [(&okta, "external-ada"), (&entra, "e-ada")] {
        let filter = format!("externalId eq \"{external_id}\"");
        assert_eq!(client.count("Users", &filter).await, 1);
        let found = client.get(&path).await.expect(200);
        assert_eq!(found.body["externalId"], external_id);
        // The items for look-ups have the same content.
        let filter = filter.replace(' ', "%20").replace('"', "%22");
        let listed = client.get(&format!("/Users?filter={filter}")).await;
        assert_eq!(listed.body["Resources"][0], found.body);
        let listed = client.get("/Users?filter=userName%20eq%20%22ada%22").await;
        assert_eq!(listed.body["Resources"][0], found.body);
    }
}

#[tokio::test]
async fn a_change_that_changes_nothing_is_one_read() {
    let endpoint = Endpoint::start().await;
    let mut ada = user("ada");
    ada["displayName"] = json!("Ada L.");
    let id = endpoint.create(ada.clone()).await.expect(201).id();
    let admin = endpoint.group_id("Admin").await;
    endpoint.add_member(&admin, &id).await.expect(200);
    let (endpoint, steps) = endpoint.stepped(&[]);
    endpoint.get("/Groups").await.expect(200);
    let before = endpoint.get(&format!("/Users/{id}")).await;
    drop(steps.operations());
    let put = endpoint
        .send("PUT", &format!("/Users/{id}"), ada)
        .await
        .expect(200);
    assert_eq!(steps.operations(), ["GetItem"]);
    assert_eq!(put.body, before.body);
    for operations in [
        json!([{"op": "replace", "path": "active", "value": "True"}]),
        json!([{"op": "Replace", "value": {"displayName": "Ada L.", "active": true}}]),
        json!([{"op": "remove", "path": "nickName"}]),
    ] {
        let patched = endpoint.patch(&id, operations).await.expect(200);
        assert_eq!(steps.operations(), ["GetItem"]);
        assert_eq!(patched.body, before.body);
    }
    let unchanged = endpoint.add_member(&admin, &id).await.expect(200);
    let operations = steps.operations();
    let is_read = |operation: &String| matches!(operation.as_str(), "Query" | "GetItem");
    assert!(operations.iter().all(is_read), "{operations:?}");
    assert_eq!(members(&unchanged.body), [id.as_str()]);
}

#[tokio::test]
async fn changes_of_a_pending_user_send_one_message() {
    let endpoint = Endpoint::start_with_queue().await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let admin = endpoint.group_id("Admin").await;
    let analyst = endpoint.group_id("QualityAnalyst").await;
    endpoint.fail_connect();
    for number in 0..3 {
        let name = format!("King {number}");
        let change = json!([{"op": "replace", "path": "name.familyName", "value": name}]);
        endpoint.patch(&id, change).await.expect(200);
    }
    endpoint.add_member(&admin, &id).await.expect(200);
    endpoint.add_member(&analyst, &id).await.expect(200);
    endpoint.set_active(&id, false).await.expect(200);
    assert!(endpoint.record(&id).await.pending_since.is_some());
    assert_eq!(endpoint.messages().await, 1);
}

#[tokio::test]
async fn a_group_without_its_members_is_one_call_however_many_it_has() {
    let endpoint = Endpoint::start().await;
    let admin = endpoint.group_id("Admin").await;
    let (counted, steps) = endpoint.stepped(&[]);
    counted.get("/Groups").await.expect(200);
    let target = format!("/Groups/{admin}");
    let without = format!("{target}?excludedAttributes=members");
    let mut last = None;
    for number in 0..3 {
        drop(steps.operations());
        let shown = counted.get(&without).await.expect(200);
        assert_eq!(steps.operations(), ["Query"]);
        assert!(shown.body.get("members").is_none());
        let etag = shown.header("ETag").unwrap().to_owned();
        assert_eq!(shown.body["meta"]["version"], etag.as_str());
        let whole = counted.get(&target).await.expect(200);
        assert_eq!(whole.header("ETag"), Some(etag.as_str()));
        assert_ne!(last.as_ref(), Some(&etag), "each change is another version");
        last = Some(etag);
        let only_id = format!("{target}?attributes=id");
        drop(steps.operations());
        counted.get(&only_id).await.expect(200);
        assert_eq!(steps.operations(), ["Query"]);
        counted
            .get("/Groups?excludedAttributes=members")
            .await
            .expect(200);
        assert_eq!(steps.operations(), ["Query"]);
        let created = endpoint.create(user(&format!("u-{number}"))).await;
        endpoint
            .add_member(&admin, &created.expect(201).id())
            .await
            .expect(200);
    }
    // A look-up by name reads one group.
    drop(steps.operations());
    assert_eq!(counted.group_id("Admin").await, admin);
    let operations = steps.operations();
    assert!(operations.len() <= 3, "{operations:?}");
}

#[tokio::test]
async fn a_change_of_a_member_updates_last_modified_of_the_group() {
    let endpoint = Endpoint::start().await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let admin = endpoint.group_id("Admin").await;
    let target = format!("/Groups/{admin}");
    let times = async || {
        let group = endpoint.get(&target).await.expect(200);
        let meta = &group.body["meta"];
        let time = |name: &str| meta[name].as_str().unwrap().to_owned();
        (time("created"), time("lastModified"))
    };
    endpoint.add_member(&admin, &id).await.expect(200);
    let (created, first) = times().await;
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    endpoint.remove_member(&admin, &id).await.expect(200);
    let (still_created, second) = times().await;
    assert_eq!(still_created, created);
    assert!(second > first, "{second} after {first}");
    let changed = format!("meta.lastModified gt \"{first}\" and displayName eq \"Admin\"");
    assert_eq!(endpoint.count("Groups", &changed).await, 1);
    let changed = format!("meta.lastModified gt \"{second}\" and displayName eq \"Admin\"");
    assert_eq!(endpoint.count("Groups", &changed).await, 0);
    let all = endpoint.get("/Groups").await.expect(200);
    for group in all.body["Resources"].as_array().unwrap() {
        for name in ["created", "lastModified"] {
            assert!(group["meta"][name].is_string(), "{group}");
        }
    }
}

#[tokio::test]
async fn members_have_the_current_display_name_of_the_user() {
    let endpoint = Endpoint::start().await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let admin = endpoint.group_id("Admin").await;
    let add = json!([{"op": "add", "path": "members", "value": [{"value": id, "display": "Other name"}]}]);
    endpoint.patch_group(&admin, add).await.expect(200);
    let display = async || {
        let group = endpoint.get(&format!("/Groups/{admin}")).await;
        group.body["members"][0]["display"].clone()
    };
    assert_eq!(display().await, "Ada Lovelace");
    let rename = json!([{"op": "replace", "path": "displayName", "value": "Countess"}]);
    endpoint.patch(&id, rename).await.expect(200);
    assert_eq!(display().await, "Countess");
    let leave = json!([
        {"op": "replace", "path": "active", "value": false},
        {"op": "replace", "path": "displayName", "value": "Left"},
    ]);
    endpoint.patch(&id, leave).await.expect(200);
    assert_eq!(display().await, "Left");
    let shown = endpoint.get(&format!("/Users/{id}")).await;
    let reference = shown.body["groups"][0]["$ref"].as_str().unwrap();
    assert!(reference.ends_with(&format!("/scim/v2/Groups/{admin}")));

    let schema = endpoint
        .get("/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group")
        .await;
    let attributes = schema.body["attributes"].as_array().unwrap();
    let of = |name: &str, all: &[Value]| {
        let mut all = all.iter();
        all.find(|attribute| attribute["name"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(of("displayName", attributes)["uniqueness"], "server");
    let members = of("members", attributes);
    let members = members["subAttributes"].as_array().unwrap();
    assert_eq!(of("$ref", members)["referenceTypes"], json!(["User"]));
    assert_eq!(of("type", members)["canonicalValues"], json!(["User"]));
}

#[tokio::test]
async fn a_group_accepts_its_own_name_in_any_spelling_that_finds_it() {
    let endpoint = Endpoint::start().await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let group_id = endpoint.group_id("CallCenterManager").await;
    for name in [
        "callcentermanager",
        " CallCenterManager ",
        "CALLCENTERMANAGER",
    ] {
        let add = json!({"op": "add", "path": "members", "value": [{"value": id}]});
        for rename in [
            json!({"op": "replace", "path": "displayName", "value": name}),
            json!({"op": "replace", "value": {"id": group_id, "displayName": name}}),
        ] {
            let changed = endpoint.patch_group(&group_id, json!([rename, add])).await;
            let changed = changed.expect(200);
            assert_eq!(changed.body["displayName"], "CallCenterManager");
            assert_eq!(members(&changed.body), [id.as_str()]);
            endpoint.remove_member(&group_id, &id).await.expect(200);
        }
        let bulk = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{"method": "PUT", "path": format!("/Groups/{group_id}"), "data": group(name, &[&id])}],
        });
        let bulk = endpoint.send("POST", "/Bulk", bulk).await.expect(200);
        assert_eq!(bulk.body["Operations"][0]["status"], "200", "{name}");
        assert_eq!(endpoint.members(&group_id).await, [id.as_str()]);
    }
    for name in ["CallCenterManagers", "Call CenterManager", "Admin"] {
        let path = format!("/Groups/{group_id}");
        let renamed = endpoint.send("PUT", &path, group(name, &[])).await;
        assert_eq!(renamed.expect(400).body["scimType"], "mutability");
    }
    assert_eq!(endpoint.members(&group_id).await, [id.as_str()]);
}

#[tokio::test]
async fn one_entitlement_can_name_several_security_profiles() {
    let endpoint = Endpoint::start().await;
    let mut ada = user("ada");
    ada["entitlements"] = json!([{"value": "Agent, admin"}, {"value": "QualityAnalyst"}]);
    let created = endpoint.create(ada.clone()).await.expect(201);
    assert_eq!(created.body["entitlements"][0]["value"], "Agent, admin");
    assert_eq!(
        endpoint.security_profiles("ada"),
        ["Admin", "Agent", "QualityAnalyst"]
    );
    ada["userName"] = json!("grace");
    ada["entitlements"] = json!([{"value": "Agent,Admn"}]);
    let refused = endpoint.create(ada.clone()).await.expect(400);
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.contains("\"Admn\""), "{detail}");
    // A routing profile may have a comma in its name.
    ada["entitlements"] = json!([]);
    ada["roles"] = json!([{"value": "Sales,Basic Routing Profile"}]);
    endpoint.create(ada).await.expect(400);
}
