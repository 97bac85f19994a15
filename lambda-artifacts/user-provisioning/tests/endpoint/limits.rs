//! Values at the limits of the table, and malformed items.

use connect_directory::store::{MAXIMUM_GROUPS, MAXIMUM_KEY_LENGTH};
use serde_json::{Value, json};

use crate::common::{Endpoint, group, user};

const ACCEPTING: [(&str, &str); 1] = [("UNMAPPED_GROUPS", "accept")];

/// Values of this many bytes: with characters of one byte, and of two.
fn values(bytes: usize) -> [String; 2] {
    let two = "é".repeat(bytes / 2);
    [
        "a".repeat(bytes),
        if bytes % 2 == 1 {
            format!("{two}a")
        } else {
            two
        },
    ]
}

fn inactive(user_name: &str) -> Value {
    let mut user = user(user_name);
    user["active"] = json!(false);
    user
}

async fn bulk(endpoint: &Endpoint, method: &str, path: &str, data: Value) -> u16 {
    let mut operation = json!({"method": method, "path": path, "data": data});
    if method == "POST" {
        operation["bulkId"] = json!("b-1");
    }
    let request = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [operation],
    });
    let answer = endpoint.send("POST", "/Bulk", request).await.expect(200);
    let status = answer.body["Operations"][0]["status"].as_str().unwrap();
    status.parse().unwrap()
}

fn patch(operations: Value) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": operations,
    })
}

async fn sorted_items(endpoint: &Endpoint) -> Vec<String> {
    let items = endpoint.cloud.items().await;
    let mut items: Vec<String> = items.iter().map(Value::to_string).collect();
    items.sort();
    items
}

#[tokio::test]
async fn values_that_become_keys_are_accepted_up_to_the_limit_and_refused_beyond_it() {
    let endpoint = Endpoint::start_with(&ACCEPTING).await;
    let user_id = endpoint.create(inactive("ada")).await.expect(201).id();
    let plain = endpoint.send("POST", "/Groups", group("Plain", &[])).await;
    let group_id = plain.expect(201).id();
    let user_path = format!("/Users/{user_id}");
    let group_path = format!("/Groups/{group_id}");
    for (index, exceeds) in [false, true].into_iter().enumerate() {
        for value in values(MAXIMUM_KEY_LENGTH + index) {
            for attribute in ["userName", "externalId", "emails"] {
                let written = match attribute {
                    "emails" => json!([{"value": value}]),
                    _ => json!(value),
                };
                let mut put = inactive("ada");
                put[attribute] = written.clone();
                let mut post = inactive("grace");
                post[attribute] = written.clone();
                let set = patch(json!([{"op": "replace", "path": attribute, "value": written}]));
                let what = format!("{attribute} of {} bytes", value.len());
                let before = sorted_items(&endpoint).await;
                for (method, path, body) in [
                    ("POST", "/Users", post),
                    ("PUT", user_path.as_str(), put),
                    ("PATCH", user_path.as_str(), set),
                ] {
                    if exceeds {
                        let refused = endpoint.send(method, path, body.clone()).await;
                        let refused = refused.expect(400);
                        assert_eq!(refused.body["scimType"], "invalidValue", "{what}");
                        assert_eq!(bulk(&endpoint, method, path, body).await, 400, "{what}");
                    } else {
                        let answer = endpoint.send(method, path, body).await;
                        assert!(answer.status < 300, "{method} {what}: {}", answer.body);
                        if method == "POST" {
                            let path = format!("/Users/{}", answer.id());
                            endpoint
                                .send("DELETE", &path, Value::Null)
                                .await
                                .expect(204);
                        }
                    }
                }
                if exceeds {
                    assert_eq!(sorted_items(&endpoint).await, before, "{what}");
                } else {
                    endpoint
                        .send("PUT", &user_path, inactive("ada"))
                        .await
                        .expect(200);
                }
            }
            for attribute in ["displayName", "externalId", "members"] {
                let written = match attribute {
                    "members" => json!([{"value": value}]),
                    _ => json!(value),
                };
                let mut put = group("Plain", &[]);
                put[attribute] = written.clone();
                let mut post = group("Other", &[]);
                post[attribute] = written.clone();
                let set = patch(json!([{"op": "replace", "path": attribute, "value": written}]));
                let what = format!("{attribute} of {} bytes", value.len());
                // No user has such an id.
                let is_refused = exceeds || attribute == "members";
                let before = sorted_items(&endpoint).await;
                for (method, path, body) in [
                    ("POST", "/Groups", post),
                    ("PUT", group_path.as_str(), put),
                    ("PATCH", group_path.as_str(), set),
                ] {
                    if is_refused {
                        let refused = endpoint.send(method, path, body.clone()).await;
                        let refused = refused.expect(400);
                        assert_eq!(refused.body["scimType"], "invalidValue", "{what}");
                        assert_eq!(bulk(&endpoint, method, path, body).await, 400, "{what}");
                        continue;
                    }
                    let answer = endpoint.send(method, path, body).await;
                    assert!(answer.status < 300, "{method} {what}: {}", answer.body);
                    if method == "POST" {
                        let path = format!("/Groups/{}", answer.id());
                        endpoint
                            .send("DELETE", &path, Value::Null)
                            .await
                            .expect(204);
                    } else {
                        let path = group_path.as_str();
                        endpoint
                            .send("PUT", path, group("Plain", &[]))
                            .await
                            .expect(200);
                    }
                }
                if is_refused {
                    assert_eq!(sorted_items(&endpoint).await, before, "{what}");
                }
            }
        }
    }
}

#[tokio::test]
async fn ids_of_any_length_and_form_are_not_found() {
    let endpoint = Endpoint::start().await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let admin = endpoint.group_id("Admin").await;
    for unknown in [
        "a".repeat(3000),
        "%23GATE%230".to_owned(),
        format!("{admin}%23GATE%230"),
        "%20".to_owned(),
    ] {
        for (method, body) in [
            ("GET", Value::Null),
            ("DELETE", Value::Null),
            ("PUT", group("Admin", &[&id])),
            (
                "PATCH",
                patch(json!([{"op": "add", "path": "members", "value": [{"value": id}]}])),
            ),
        ] {
            let path = format!("/Groups/{unknown}");
            let answer = endpoint.send(method, &path, body).await;
            assert_eq!(answer.status, 404, "{method} {path}: {}", answer.body);
            let path = format!("/Users/{unknown}");
            if method == "GET" || method == "DELETE" {
                endpoint.send(method, &path, Value::Null).await.expect(404);
            }
        }
        for filter in ["members.value", "id"] {
            let filter = format!("{filter}%20eq%20%22{unknown}%22");
            let found = endpoint.get(&format!("/Groups?filter={filter}")).await;
            assert_eq!(found.expect(200).body["totalResults"], 0);
        }
    }
}

#[tokio::test]
async fn a_user_has_at_most_as_many_groups_as_fit_into_one_change() {
    let endpoint = Endpoint::start_with(&ACCEPTING).await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let mut groups = Vec::new();
    for number in 0..MAXIMUM_GROUPS {
        let group = group(&format!("G {number}"), &[&id]);
        groups.push(
            endpoint
                .send("POST", "/Groups", group)
                .await
                .expect(201)
                .id(),
        );
    }
    let one_more = endpoint
        .send("POST", "/Groups", group("One more", &[]))
        .await;
    let one_more = one_more.expect(201).id();
    let refused = endpoint.add_member(&one_more, &id).await.expect(400);
    assert_eq!(refused.body["scimType"], "invalidValue");
    endpoint
        .as_client("okta")
        .send("PUT", &format!("/Users/{id}"), user("ada"))
        .await
        .expect(200);
    let rename = json!([
        {"op": "replace", "path": "displayName", "value": "Countess"},
        {"op": "replace", "path": "active", "value": false},
    ]);
    endpoint.patch(&id, rename).await.expect(200);
    assert_eq!(endpoint.groups_of(&id).await.len(), MAXIMUM_GROUPS);
    let path = format!("/Users/{id}");
    endpoint
        .send("DELETE", &path, Value::Null)
        .await
        .expect(204);
    assert_eq!(endpoint.members(&groups[0]).await, [""; 0]);
}

/// Malformed attributes of an item: absent, cut off, or of another type.
const MALFORMED: [(&str, Option<&str>); 12] = [
    ("id", None),
    ("version", None),
    ("version", Some("x")),
    ("created", None),
    ("lastModified", None),
    ("document", None),
    ("document", Some("{\"userName\":\"grace\"")),
    (
        "document",
        Some("{\"userName\":\"grace\",\"name\":{\"givenName\":\"G\"}"),
    ),
    ("document", Some("[]")),
    ("externalIds", Some("{")),
    ("groups", Some("[1]")),
    ("connect", Some("{\"applied\":{\"userId\":")),
];

#[tokio::test]
async fn one_malformed_user_hides_no_other() {
    let endpoint = Endpoint::start().await;
    let mut ids = Vec::new();
    for name in ["ada", "grace", "joan"] {
        ids.push(endpoint.create(user(name)).await.expect(201).id());
    }
    let admin = endpoint.group_id("Admin").await;
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    let path = format!("/Groups/{admin}");
    endpoint
        .send("PUT", &path, group("Admin", &all))
        .await
        .expect(200);
    // The first one, and one in the middle.
    for broken in [0, 1] {
        let key = json!({"pk": {"S": format!("USER#{}", ids[broken])}, "sk": {"S": "USER"}});
        let get = json!({"TableName": endpoint.cloud.table, "Key": key});
        let item: Value = endpoint.cloud.dynamodb.call("GetItem", &get).await.unwrap();
        let others = [(broken + 1) % 3, (broken + 2) % 3].map(|index| ids[index].as_str());
        for (attribute, text) in MALFORMED {
            let what = format!("{attribute}: {text:?} of user {broken}");
            let value = text.map(|text| json!({ "S": text }));
            endpoint.edit_item(key.clone(), attribute, value).await;
            let may_read = attribute == "connect" || attribute == "id" && text.is_none();
            for target in [
                "/Users",
                "/Users?attributes=userName",
                "/Users?filter=name.familyName%20eq%20%22Lovelace%22",
                "/Users?sortBy=userName",
                "/Users?filter=emails.value%20eq%20%22ada@example.com%22",
                "/Users?count=10&cursor",
            ] {
                let list = endpoint.get(target).await.expect(200);
                let shown = list.body["Resources"].as_array();
                let shown = shown.unwrap_or_else(|| panic!("{what}: {target}"));
                let shown: Vec<&str> = shown
                    .iter()
                    .map(|user| user["id"].as_str().unwrap())
                    .collect();
                for other in others {
                    assert!(shown.contains(&other), "{what}: {target} shows {shown:?}");
                }
                let shows = shown.contains(&ids[broken].as_str());
                assert!(!shows || may_read, "{what}: {target}");
            }
            for other in others {
                endpoint.remove_member(&admin, other).await.expect(200);
                endpoint.add_member(&admin, other).await.expect(200);
                endpoint.get(&format!("/Users/{other}")).await.expect(200);
            }
            let records = endpoint.directory.records().await.unwrap();
            let listed = records
                .iter()
                .filter(|record| others.contains(&record.user.id.as_str()));
            assert_eq!(listed.count(), 2, "{what}");

            let put = json!({"TableName": endpoint.cloud.table, "Item": item["Item"]});
            let _: Value = endpoint.cloud.dynamodb.call("PutItem", &put).await.unwrap();
        }
    }
}
