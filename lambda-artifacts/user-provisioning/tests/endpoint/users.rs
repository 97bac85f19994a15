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
