//! Users from the identity provider's side: what it sends, and what it then reads.

use serde_json::{Value, json};

use crate::common::{Endpoint, user};

#[tokio::test]
async fn a_created_user_is_answered_whole_and_stands_in_connect() {
    let endpoint = Endpoint::start().await;
    let created = endpoint.create(user("ada@example.com")).await.expect(201);
    let id = created.id();
    let location =
        format!("https://abc123.execute-api.eu-central-1.amazonaws.com/dev/scim/v2/Users/{id}");
    assert_eq!(created.header("Location"), Some(location.as_str()));
    assert_eq!(
        created.header("Content-Type"),
        Some("application/scim+json")
    );
    assert_eq!(created.header("ETag"), Some("W/\"1\""));
    assert_eq!(created.body["meta"]["location"], location);
    assert_eq!(created.body["userName"], "ada@example.com");
    assert_eq!(created.body["active"], true);

    let in_connect = endpoint.connect_user("ada@example.com").unwrap();
    assert_eq!(in_connect["IdentityInfo"]["FirstName"], "Ada");
    assert_eq!(
        in_connect["IdentityInfo"]["SecondaryEmail"],
        "ada@example.com"
    );
    assert_eq!(in_connect["Tags"]["scim:id"], id);
    assert_eq!(
        in_connect["Tags"]["scim:external-id"],
        "external-ada@example.com"
    );

    let read = endpoint.get(&format!("/Users/{id}")).await.expect(200);
    assert_eq!(read.body, created.body);
}

#[tokio::test]
async fn a_user_is_found_by_name_in_any_case_by_external_id_and_by_other_filters() {
    let endpoint = Endpoint::start().await;
    let id = endpoint.create(user("Ada.L")).await.expect(201).id();
    endpoint.create(user("grace.h")).await.expect(201);
    for filter in [
        "userName eq \"ada.l\"",
        "userName eq \"ADA.L\"",
        "externalId eq \"external-Ada.L\"",
        "id eq \"{id}\"",
        "userName sw \"ada\"",
        "emails[type eq \"work\"] and userName eq \"ada.l\"",
    ] {
        let filter = filter
            .replace("{id}", &id)
            .replace(' ', "%20")
            .replace('"', "%22");
        let found = endpoint
            .get(&format!("/Users?filter={filter}"))
            .await
            .expect(200);
        assert_eq!(found.body["totalResults"], 1, "{filter}: {}", found.body);
        assert_eq!(found.body["Resources"][0]["id"], id.as_str());
    }
    let none = endpoint
        .get("/Users?filter=userName%20eq%20%22nobody%22")
        .await
        .expect(200);
    assert_eq!(none.body["totalResults"], 0);
    assert_eq!(none.body["Resources"], json!([]));
}

#[tokio::test]
async fn okta_deactivates_without_a_path_and_the_user_stays_readable() {
    let endpoint = Endpoint::start().await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let patched = endpoint
        .patch(&id, json!([{"op": "replace", "value": {"active": false}}]))
        .await
        .expect(200);
    assert_eq!(patched.body["active"], false);
    assert_eq!(endpoint.connect_user("ada"), None);
    let read = endpoint.get(&format!("/Users/{id}")).await.expect(200);
    assert_eq!(read.body["active"], false);
    let found = endpoint
        .get("/Users?filter=userName%20eq%20%22ada%22")
        .await;
    assert_eq!(found.body["Resources"][0]["active"], false);

    endpoint
        .patch(&id, json!([{"op": "replace", "value": {"active": true}}]))
        .await
        .expect(200);
    assert!(
        endpoint.connect_user("ada").is_some(),
        "reactivation creates it again"
    );
}

#[tokio::test]
async fn entra_sends_active_as_the_string_false() {
    let endpoint = Endpoint::start().await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let patched = endpoint
        .patch(
            &id,
            json!([{"op": "Replace", "path": "active", "value": "False"}]),
        )
        .await
        .expect(200);
    assert_eq!(patched.body["active"], false);
}

#[tokio::test]
async fn a_replaced_user_keeps_its_id_and_creation_and_gets_a_new_version() {
    let endpoint = Endpoint::start().await;
    let created = endpoint.create(user("ada")).await.expect(201);
    let id = created.id();
    let mut changed = user("ada");
    changed["name"]["familyName"] = json!("King");
    let replaced = endpoint
        .send("PUT", &format!("/Users/{id}"), changed)
        .await
        .expect(200);
    assert_eq!(replaced.body["id"], id.as_str());
    assert_eq!(
        replaced.body["meta"]["created"],
        created.body["meta"]["created"]
    );
    assert_eq!(replaced.body["meta"]["version"], "W/\"2\"");
    assert_eq!(
        endpoint.connect_user("ada").unwrap()["IdentityInfo"]["LastName"],
        "King"
    );
}

#[tokio::test]
async fn a_put_without_active_does_not_reactivate() {
    let endpoint = Endpoint::start().await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    endpoint
        .patch(
            &id,
            json!([{"op": "replace", "path": "active", "value": false}]),
        )
        .await
        .expect(200);
    let mut silent = user("ada");
    silent.as_object_mut().unwrap().remove("active");
    let replaced = endpoint
        .send("PUT", &format!("/Users/{id}"), silent)
        .await
        .expect(200);
    assert_eq!(replaced.body["active"], false);
}

#[tokio::test]
async fn a_patch_that_unassigns_active_never_reactivates() {
    for deprovision in ["delete", "suspend"] {
        let endpoint = Endpoint::start_with(&[
            ("DEPROVISION", deprovision),
            ("SUSPENDED_SECURITY_PROFILE", "Suspended"),
        ])
        .await;
        let id = endpoint.create(user("ada")).await.expect(201).id();
        let off = json!({"op": "Replace", "path": "active", "value": "False"});
        endpoint.patch(&id, json!([off])).await.expect(200);
        let suspended = endpoint.connect_user("ada");
        for operation in [
            json!({"op": "Replace", "path": "active", "value": null}),
            json!({"op": "replace", "value": {"active": null, "displayName": "Ada L"}}),
            json!({"op": "replace", "path": "active", "value": ""}),
            json!({"op": "remove", "path": "active"}),
        ] {
            let patched = endpoint.patch(&id, json!([operation])).await.expect(200);
            assert_eq!(patched.body["active"], false, "{operation}");
            assert_eq!(endpoint.connect_user("ada"), suspended, "{operation}");
        }
        let read = endpoint.get(&format!("/Users/{id}")).await.expect(200);
        assert_eq!(read.body["displayName"], "Ada L");
        endpoint
            .patch(
                &id,
                json!([{"op": "replace", "path": "active", "value": true}]),
            )
            .await
            .expect(200);
        let both = json!([off, {"op": "replace", "value": {"active": null}}]);
        let patched = endpoint.patch(&id, both).await.expect(200);
        assert_eq!(patched.body["active"], false);
        assert_eq!(endpoint.connect_user("ada").is_some(), suspended.is_some());
        let refused = json!([{"op": "replace", "path": "active", "value": "perhaps"}]);
        let refused = endpoint.patch(&id, refused).await.expect(400);
        assert_eq!(refused.body["scimType"], "invalidValue");
        let inactive = endpoint
            .get("/Users?filter=active%20eq%20false")
            .await
            .expect(200);
        assert_eq!(inactive.body["totalResults"], 1);
    }
}

#[tokio::test]
async fn a_name_is_taken_exactly_in_the_spellings_that_find_it() {
    let endpoint = Endpoint::start_with(&[("IDENTITY_MANAGEMENT", "CONNECT_MANAGED")]).await;
    let mut settings = endpoint.cloud.simulator.settings();
    settings.identity_management = serde_json::from_value(json!("CONNECT_MANAGED")).unwrap();
    endpoint.cloud.simulator.configure(settings);
    let with_password = |name: &str| {
        let mut user = user(name);
        user["password"] = json!("1Secret-of-Okta");
        user
    };
    let rose = with_password("Rose@example.net ");
    let id = endpoint.create(rose).await.expect(201).id();
    for spelling in [
        "rose@example.net",
        " ROSE@example.net",
        "\u{ff52}ose@example.net",
        "rose@example.net\u{3000}",
    ] {
        let taken = endpoint.create(with_password(spelling)).await.expect(409);
        assert_eq!(taken.body["scimType"], "uniqueness", "{spelling:?}");
        let filter = format!("userName eq {}", json!(spelling)).replace(' ', "%20");
        let found = endpoint
            .get(&format!("/Users?filter={filter}"))
            .await
            .expect(200);
        assert_eq!(found.body["totalResults"], 1, "{spelling:?}");
        assert_eq!(found.body["Resources"][0]["id"], id);
        assert_eq!(found.body["Resources"][0]["userName"], "Rose@example.net ");
    }
}

#[tokio::test]
async fn a_deleted_user_is_gone_from_both_and_its_name_is_free() {
    let endpoint = Endpoint::start().await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let deleted = endpoint
        .send("DELETE", &format!("/Users/{id}"), Value::Null)
        .await
        .expect(204);
    assert_eq!(deleted.header("Content-Type"), None);
    assert_eq!(endpoint.connect_user("ada"), None);
    endpoint.get(&format!("/Users/{id}")).await.expect(404);
    endpoint
        .send("DELETE", &format!("/Users/{id}"), Value::Null)
        .await
        .expect(404);
    let again = endpoint.create(user("ada")).await.expect(201);
    assert_ne!(again.id(), id);
}

#[tokio::test]
async fn an_outdated_version_is_refused_and_changes_nothing() {
    let endpoint = Endpoint::start().await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let path = format!("/Users/{id}");
    let body = json!({"Operations": [{"op": "replace", "path": "title", "value": "Countess"}]});
    let send = async |tag: &'static str| {
        endpoint
            .send_with("PATCH", &path, body.clone(), &[("If-Match", tag)])
            .await
    };
    send("W/\"7\"").await.expect(412);
    send("W/\"1\"").await.expect(200);
    send("W/\"1\"").await.expect(412);
    let read = endpoint
        .send_with("GET", &path, Value::Null, &[("If-None-Match", "W/\"2\"")])
        .await;
    assert_eq!(read.status, 304);
}

#[tokio::test]
async fn discovery_names_the_extension_for_amazon_connect() {
    let endpoint = Endpoint::start().await;
    endpoint.get("/ServiceProviderConfig").await.expect(200);
    let types = endpoint.get("/ResourceTypes").await.expect(200);
    assert!(types.body.to_string().contains("amazonconnect"));
    let schema = endpoint
        .get("/Schemas/urn:ietf:params:scim:schemas:extension:amazonconnect:2.0:User")
        .await
        .expect(200);
    let routing_profile = &schema.body["attributes"][0];
    assert_eq!(
        routing_profile["canonicalValues"],
        json!(["Basic Routing Profile", "Sales", "Support"])
    );
}

#[tokio::test]
async fn a_stored_user_without_active_is_shown_and_found_as_active() {
    let endpoint = Endpoint::start().await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let mut document = endpoint.record(&id).await.user.document;
    document.remove("active");
    let document = json!({"S": json!(document).to_string()});
    for (pk, sk) in [
        (format!("USER#{id}"), "USER"),
        ("USERNAME#ada".to_owned(), "USERNAME"),
    ] {
        let key = json!({"pk": {"S": pk}, "sk": {"S": sk}});
        endpoint
            .edit_item(key, "document", Some(document.clone()))
            .await;
    }
    let path = format!("/Users/{id}");
    for target in [
        path.as_str(),
        "/Users",
        "/Users?filter=userName%20eq%20%22ada%22",
        "/Users?filter=active%20eq%20true",
    ] {
        let read = endpoint.get(target).await.expect(200);
        let shown = read.body.pointer("/Resources/0").unwrap_or(&read.body);
        assert_eq!(shown["active"], true, "{target}: {}", read.body);
    }
    // The next change writes it.
    let title = json!([{"op": "replace", "path": "title", "value": "Countess"}]);
    let patched = endpoint.patch(&id, title).await.expect(200);
    assert_eq!(patched.body["active"], true);
    assert_eq!(endpoint.record(&id).await.user.document["active"], true);
}
