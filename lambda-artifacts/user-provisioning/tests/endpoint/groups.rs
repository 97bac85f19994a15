//! Groups, which are security profiles, as identity providers push them.

use serde_json::{Value, json};

use crate::common::{Answer, Endpoint, members, user};

async fn group_id(endpoint: &Endpoint, name: &str) -> String {
    endpoint.group_id(name).await
}

async fn patch(endpoint: &Endpoint, id: &str, operations: Value) -> Answer {
    endpoint.patch_group(id, operations).await
}

#[tokio::test]
async fn every_security_profile_is_a_group() {
    let endpoint = Endpoint::start().await;
    let groups = endpoint
        .get("/Groups?startIndex=1&count=100")
        .await
        .expect(200);
    assert_eq!(groups.body["totalResults"], 5);
    let id = group_id(&endpoint, "qualityanalyst").await;
    let group = endpoint.get(&format!("/Groups/{id}")).await.expect(200);
    assert_eq!(group.body["displayName"], "QualityAnalyst");
    endpoint.get("/Groups/nobody").await.expect(404);
    let none = endpoint
        .get("/Groups?filter=displayName%20eq%20%22Nobody%22")
        .await;
    assert_eq!(none.body["totalResults"], 0);
}

#[tokio::test]
async fn a_member_gets_the_security_profile_by_one_call_and_shows_the_group() {
    let endpoint = Endpoint::start().await;
    let user_id = endpoint.create(user("ada")).await.expect(201).id();
    let id = group_id(&endpoint, "QualityAnalyst").await;
    endpoint.connect_calls();
    let patched = patch(
        &endpoint,
        &id,
        json!([{"op": "add", "path": "members", "value": [{"value": user_id}]}]),
    )
    .await
    .expect(200);
    assert_eq!(endpoint.connect_calls(), ["UpdateUserSecurityProfiles"]);
    assert_eq!(members(&patched.body), [user_id.as_str()]);
    let reference = patched.body["members"][0]["$ref"].as_str().unwrap();
    assert!(reference.ends_with(&format!("/scim/v2/Users/{user_id}")));
    assert_eq!(endpoint.security_profiles("ada"), ["QualityAnalyst"]);
    let member = endpoint.get(&format!("/Users/{user_id}")).await.expect(200);
    assert_eq!(member.body["groups"][0]["value"], id.as_str());
    assert_eq!(member.body["groups"][0]["display"], "QualityAnalyst");

    // Again: nothing.
    patch(
        &endpoint,
        &id,
        json!([{"op": "add", "path": "members", "value": [{"value": user_id}]}]),
    )
    .await
    .expect(200);
    assert_eq!(endpoint.connect_calls(), [""; 0]);
}

#[tokio::test]
async fn okta_removes_and_adds_members_in_one_request() {
    let endpoint = Endpoint::start().await;
    let ada = endpoint.create(user("ada")).await.expect(201).id();
    let grace = endpoint.create(user("grace")).await.expect(201).id();
    let id = group_id(&endpoint, "Admin").await;
    let group = json!({"displayName": "Admin", "members": [{"value": ada}]});
    endpoint
        .send("PUT", &format!("/Groups/{id}"), with_schema(group))
        .await
        .expect(200);
    let patched = patch(
        &endpoint,
        &id,
        json!([
            {"op": "remove", "path": format!("members[value eq \"{ada}\"]")},
            {"op": "add", "path": "members", "value": [{"value": grace}]},
            {"op": "replace", "value": {"id": id, "displayName": "Admin"}},
        ]),
    )
    .await
    .expect(200);
    assert_eq!(members(&patched.body), [grace.as_str()]);
    assert_eq!(
        endpoint.security_profiles("ada"),
        ["Agent"],
        "the default again"
    );
    assert_eq!(endpoint.security_profiles("grace"), ["Admin"]);
}

#[tokio::test]
async fn entra_removes_members_by_a_list_of_values() {
    let endpoint = Endpoint::start().await;
    let ada = endpoint.create(user("ada")).await.expect(201).id();
    let grace = endpoint.create(user("grace")).await.expect(201).id();
    let id = group_id(&endpoint, "Admin").await;
    patch(
        &endpoint,
        &id,
        json!([{"op": "Add", "path": "members", "value": [{"$ref": null, "value": ada}, {"$ref": null, "value": grace}]}]),
    )
    .await
    .expect(200);
    let patched = patch(
        &endpoint,
        &id,
        json!([{"op": "Remove", "path": "members", "value": [{"$ref": null, "value": ada}]}]),
    )
    .await
    .expect(200);
    assert_eq!(members(&patched.body), [grace.as_str()]);
}

#[tokio::test]
async fn groups_and_entitlements_add_up() {
    let endpoint = Endpoint::start().await;
    let mut entitled = user("ada");
    entitled["entitlements"] = json!([{"value": "CallCenterManager"}]);
    let ada = endpoint.create(entitled).await.expect(201).id();
    let id = group_id(&endpoint, "QualityAnalyst").await;
    patch(
        &endpoint,
        &id,
        json!([{"op": "add", "path": "members", "value": [{"value": ada}]}]),
    )
    .await
    .expect(200);
    assert_eq!(
        endpoint.security_profiles("ada"),
        ["CallCenterManager", "QualityAnalyst"]
    );
}

#[tokio::test]
async fn membership_survives_deactivation() {
    let endpoint = Endpoint::start().await;
    let ada = endpoint.create(user("ada")).await.expect(201).id();
    let id = group_id(&endpoint, "Admin").await;
    patch(
        &endpoint,
        &id,
        json!([{"op": "add", "path": "members", "value": [{"value": ada}]}]),
    )
    .await
    .expect(200);
    for active in [false, true] {
        endpoint
            .patch(
                &ada,
                json!([{"op": "replace", "path": "active", "value": active}]),
            )
            .await
            .expect(200);
        let group = endpoint.get(&format!("/Groups/{id}")).await.expect(200);
        assert_eq!(members(&group.body), [ada.as_str()]);
    }
    assert_eq!(endpoint.security_profiles("ada"), ["Admin"]);
}

#[tokio::test]
async fn a_deleted_user_is_a_member_no_more() {
    let endpoint = Endpoint::start().await;
    let ada = endpoint.create(user("ada")).await.expect(201).id();
    let id = group_id(&endpoint, "Admin").await;
    patch(
        &endpoint,
        &id,
        json!([{"op": "add", "path": "members", "value": [{"value": ada}]}]),
    )
    .await
    .expect(200);
    endpoint
        .send("DELETE", &format!("/Users/{ada}"), Value::Null)
        .await
        .expect(204);
    let group = endpoint.get(&format!("/Groups/{id}")).await.expect(200);
    assert_eq!(members(&group.body), [""; 0]);
}

#[tokio::test]
async fn creating_a_group_links_a_profile_once_and_deleting_it_takes_its_members_out() {
    let endpoint = Endpoint::start().await;
    let ada = endpoint.create(user("ada")).await.expect(201).id();
    let group = with_schema(json!({
        "displayName": "Admin",
        "externalId": "e-admin",
        "members": [{"value": ada}],
    }));
    let created = endpoint
        .send("POST", "/Groups", group.clone())
        .await
        .expect(201);
    assert_eq!(created.body["externalId"], "e-admin");
    assert_eq!(endpoint.security_profiles("ada"), ["Admin"]);
    let again = endpoint.send("POST", "/Groups", group).await.expect(409);
    assert_eq!(again.body["scimType"], "uniqueness");
    let found = endpoint
        .get("/Groups?filter=externalId%20eq%20%22e-admin%22")
        .await
        .expect(200);
    assert_eq!(found.body["totalResults"], 1);

    let path = format!("/Groups/{}", created.id());
    endpoint
        .send("DELETE", &path, Value::Null)
        .await
        .expect(204);
    assert_eq!(endpoint.security_profiles("ada"), ["Agent"]);
    endpoint.get(&path).await.expect(404);
    assert_eq!(endpoint.get("/Groups").await.body["totalResults"], 4);
    let again = with_schema(json!({"displayName": "Admin"}));
    let again = endpoint.send("POST", "/Groups", again).await.expect(201);
    assert_eq!(again.id(), created.id());
}

#[tokio::test]
async fn okta_repeats_the_name_of_a_group_in_another_case_with_each_change_of_members() {
    let endpoint = Endpoint::start().await;
    let ada = endpoint.create(user("ada")).await.expect(201).id();
    let group = with_schema(json!({"displayName": "qualityanalyst "}));
    let created = endpoint.send("POST", "/Groups", group).await.expect(201);
    assert_eq!(created.body["displayName"], "QualityAnalyst");
    let id = created.id();
    let operations = json!([
        {"op": "replace", "value": {"id": id, "displayName": "QUALITYANALYST"}},
        {"op": "add", "path": "members", "value": [{"value": ada}]},
    ]);
    let patched = patch(&endpoint, &id, operations).await.expect(200);
    assert_eq!(patched.body["displayName"], "QualityAnalyst");
    assert_eq!(endpoint.security_profiles("ada"), ["QualityAnalyst"]);
    let group = with_schema(json!({"displayName": " qualityanalyst", "members": []}));
    let path = format!("/Groups/{id}");
    let replaced = endpoint.send("PUT", &path, group).await.expect(200);
    assert_eq!(replaced.body["displayName"], "QualityAnalyst");
    assert_eq!(members(&replaced.body), [""; 0]);
    let found = endpoint
        .get("/Groups?filter=displayName%20eq%20%22qualityanalyst%20%22")
        .await
        .expect(200);
    assert_eq!(found.body["totalResults"], 1);
}

#[tokio::test]
async fn a_group_without_a_profile_a_new_name_and_a_stranger_are_refused() {
    let endpoint = Endpoint::start().await;
    let unknown = with_schema(json!({"displayName": "Admn"}));
    let refused = endpoint.send("POST", "/Groups", unknown).await.expect(400);
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.contains("did you mean \"Admin\"?"), "{detail}");

    let id = group_id(&endpoint, "Admin").await;
    let renamed = patch(
        &endpoint,
        &id,
        json!([{"op": "replace", "value": {"displayName": "Boss"}}]),
    )
    .await
    .expect(400);
    assert_eq!(renamed.body["scimType"], "mutability");
    let stranger = json!([{"op": "add", "path": "members", "value": [{"value": "nobody"}]}]);
    patch(&endpoint, &id, stranger).await.expect(400);
}

fn with_schema(mut group: Value) -> Value {
    group["schemas"] = json!(["urn:ietf:params:scim:schemas:core:2.0:Group"]);
    group
}

#[tokio::test]
async fn a_group_has_a_version_and_a_change_of_another_one_is_refused() {
    let endpoint = Endpoint::start().await;
    let user_id = endpoint.create(user("ada")).await.expect(201).id();
    let target = format!("/Groups/{}", group_id(&endpoint, "QualityAnalyst").await);
    let empty = endpoint.get(&target).await.expect(200);
    let first = empty.header("ETag").unwrap().to_owned();
    assert_eq!(empty.body["meta"]["version"], first);
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "add", "path": "members", "value": [{"value": user_id}]}],
    });
    let change = |method: &'static str, body: Value, version: String| {
        let (endpoint, target) = (&endpoint, &target);
        async move {
            let headers = [("If-Match", version.as_str())];
            endpoint.send_with(method, target, body, &headers).await
        }
    };
    let changed = change("PATCH", body.clone(), first.clone())
        .await
        .expect(200);
    let second = changed.header("ETag").unwrap().to_owned();
    assert_ne!(second, first);
    assert_eq!(
        endpoint.get(&target).await.header("ETag"),
        Some(second.as_str())
    );

    let whole = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": "QualityAnalyst",
    });
    for (method, body) in [
        ("PATCH", body),
        ("PUT", whole.clone()),
        ("DELETE", Value::Null),
    ] {
        change(method, body, first.clone()).await.expect(412);
    }
    let unchanged = endpoint.get(&target).await.expect(200);
    assert_eq!(unchanged.body["meta"]["version"], second);
    let emptied = change("PUT", whole, second.clone()).await.expect(200);
    let third = &emptied.body["meta"]["version"];
    assert!(*third != first && *third != second, "{third}");
    change("DELETE", Value::Null, "*".to_owned())
        .await
        .expect(204);
}
