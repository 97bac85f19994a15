//! Pages of users.

use serde_json::json;

use crate::common::{AMAZON_CONNECT, Endpoint, user};

#[tokio::test]
async fn pages_are_in_the_order_of_creation_and_know_the_total() {
    let endpoint = Endpoint::start().await;
    for number in 1..=5 {
        endpoint
            .create(user(&format!("user-{number}")))
            .await
            .expect(201);
    }
    let page = endpoint
        .get("/Users?startIndex=2&count=2")
        .await
        .expect(200);
    assert_eq!(page.body["totalResults"], 5);
    assert_eq!(page.body["startIndex"], 2);
    assert_eq!(page.body["itemsPerPage"], 2);
    assert_eq!(page.body["Resources"][0]["userName"], "user-2");
    assert_eq!(page.body["Resources"][1]["userName"], "user-3");

    let past_the_end = endpoint
        .get("/Users?startIndex=9&count=2")
        .await
        .expect(200);
    assert_eq!(past_the_end.body["totalResults"], 5);
    assert_eq!(past_the_end.body["startIndex"], 9);
    assert_eq!(past_the_end.body["itemsPerPage"], 0);
}

#[tokio::test]
async fn a_cursor_leads_through_all_users_once() {
    let endpoint = Endpoint::start().await;
    for number in 1..=5 {
        endpoint
            .create(user(&format!("user-{number}")))
            .await
            .expect(201);
    }
    let mut names = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = endpoint
            .get(&format!("/Users?cursor={cursor}&count=2"))
            .await
            .expect(200);
        for user in page.body["Resources"].as_array().unwrap() {
            names.push(user["userName"].as_str().unwrap().to_owned());
        }
        match page.body["nextCursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(names, ["user-1", "user-2", "user-3", "user-4", "user-5"]);
}

#[tokio::test]
async fn reading_never_asks_connect_once_its_names_are_known() {
    let endpoint = Endpoint::start().await;
    endpoint.get("/Schemas").await.expect(200);
    let id = endpoint.create(user("ada")).await.expect(201).id();
    endpoint.connect_calls();
    endpoint.get(&format!("/Users/{id}")).await.expect(200);
    endpoint.get("/Users").await.expect(200);
    endpoint
        .get("/Users?filter=userName%20eq%20%22ada%22")
        .await
        .expect(200);
    endpoint.get("/Users?filter=title%20pr").await.expect(200);
    endpoint.get("/Groups").await.expect(200);
    endpoint.get("/Schemas").await.expect(200);
    assert_eq!(endpoint.connect_calls(), [""; 0]);
}

/// A page is written from the text that is stored, a single user is not.
#[tokio::test]
async fn a_page_shows_each_user_as_it_is_shown_alone() {
    let endpoint = Endpoint::start().await;
    let mut ada = user("ada");
    ada["password"] = json!("Canary-password-1");
    ada["displayName"] = json!("Ada \"Countess\" }{ Lovelace\n\u{fc}");
    ada["entitlements"] = json!([{"value": "QualityAnalyst"}]);
    ada[AMAZON_CONNECT] = json!({"autoAccept": true});
    let id = endpoint.create(ada).await.expect(201).id();
    endpoint.create(user("bea")).await.expect(201);
    let groups = endpoint.get("/Groups?count=1").await.expect(200);
    let group = groups.body["Resources"][0]["id"].as_str().unwrap();
    let member = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "add", "path": "members", "value": [{"value": id}]}],
    });
    let target = format!("/Groups/{group}");
    endpoint.send("PATCH", &target, member).await.expect(200);

    let page = endpoint.get("/Users").await.expect(200);
    let apart = endpoint
        .get("/Users?excludedAttributes=x")
        .await
        .expect(200);
    assert_eq!(page.body, apart.body);
    let shown = page.body["Resources"].as_array().unwrap();
    assert_eq!(shown.len(), 2);
    for user in shown {
        let id = user["id"].as_str().unwrap();
        let alone = endpoint.get(&format!("/Users/{id}")).await.expect(200);
        assert_eq!(*user, alone.body);
    }
    let head = endpoint.send("HEAD", "/Users", json!(null)).await;
    assert_eq!(head.expect(200).body, json!(null));
}

#[tokio::test]
async fn pages_of_large_users_end_early_and_show_everyone_once() {
    // Lambda returns at most 6 MB, in which the body is a text with escaped quotation marks.
    const LIMIT: usize = 6_000_000;
    let endpoint = Endpoint::start().await;
    let mut all = Vec::new();
    for number in 0..14 {
        let mut large = user(&format!("large-{number}"));
        large["active"] = false.into();
        large["title"] = "\"".repeat(110_000).into();
        all.push(endpoint.create(large).await.expect(201).id());
    }
    for attributes in ["", "&attributes=title"] {
        for by_cursor in [true, false] {
            let mut found: Vec<String> = Vec::new();
            let mut position = "cursor=".to_owned();
            while found.len() < all.len() {
                if !by_cursor {
                    position = format!("startIndex={}", found.len() + 1);
                }
                let page = endpoint
                    .get(&format!("/Users?count=100&{position}{attributes}"))
                    .await
                    .expect(200);
                assert!(json!(page.body.to_string()).to_string().len() < LIMIT);
                assert_eq!(page.body["totalResults"], all.len());
                let users = page.body["Resources"].as_array().unwrap();
                assert!(!users.is_empty());
                found.extend(
                    users
                        .iter()
                        .map(|user| user["id"].as_str().unwrap().to_owned()),
                );
                if by_cursor && found.len() < all.len() {
                    let next = page.body["nextCursor"].as_str().unwrap();
                    position = format!("cursor={next}");
                } else {
                    assert_eq!(page.body.get("nextCursor"), None);
                }
            }
            assert_eq!(found, all);
        }
    }
}
