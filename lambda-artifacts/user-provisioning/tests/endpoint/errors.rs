//! What the identity provider's administrator reads.

use std::time::Duration;

use connect_simulator::{Fault, FaultRule, Operation};
use serde_json::{Value, json};
use test_support::proxy_event;

use crate::common::{AMAZON_CONNECT, Endpoint, handler, user};

#[tokio::test]
async fn a_taken_user_name_is_a_conflict_in_any_case() {
    let endpoint = Endpoint::start().await;
    endpoint.create(user("ada")).await.expect(201);
    let conflict = endpoint.create(user("ADA")).await.expect(409);
    assert_eq!(conflict.body["scimType"], "uniqueness");
    assert_eq!(conflict.body["status"], "409");
}

#[tokio::test]
async fn an_unknown_security_profile_is_refused_by_name_with_the_closest_one() {
    let endpoint = Endpoint::start().await;
    let mut misspelt = user("ada");
    misspelt["entitlements"] = json!([{"value": "CallCentreManager"}]);
    let refused = endpoint.create(misspelt).await.expect(400);
    assert_eq!(refused.body["scimType"], "invalidValue");
    assert_eq!(
        refused.body["detail"],
        "the Amazon Connect instance has no security profile \"CallCentreManager\"; did you mean \"CallCenterManager\"?"
    );
    let none = endpoint.get("/Users").await;
    assert_eq!(none.body["totalResults"], 0, "nothing is left of it");
}

#[tokio::test]
async fn an_ambiguous_hierarchy_group_is_refused() {
    let endpoint = Endpoint::start().await;
    let mut ambiguous = user("ada");
    ambiguous[AMAZON_CONNECT] = json!({"hierarchyGroup": "Support"});
    let refused = endpoint.create(ambiguous).await.expect(400);
    assert!(refused.body["detail"].as_str().unwrap().contains("several"));
}

#[tokio::test]
async fn a_user_name_that_connect_cannot_have_is_refused_before_it_is_asked() {
    let endpoint = Endpoint::start().await;
    for name in ["a", "with space", "ümlaut"] {
        let refused = endpoint.create(user(name)).await.expect(400);
        assert!(
            refused.body["detail"]
                .as_str()
                .unwrap()
                .starts_with("userName: ")
        );
    }
    assert_eq!(endpoint.connect_calls(), [""; 0]);
}

#[tokio::test]
async fn renaming_is_refused_where_it_is_not_wanted() {
    let endpoint = Endpoint::start().await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let refused = endpoint
        .patch(
            &id,
            json!([{"op": "replace", "path": "userName", "value": "countess"}]),
        )
        .await
        .expect(400);
    assert_eq!(refused.body["scimType"], "mutability");
    assert_eq!(
        endpoint.get(&format!("/Users/{id}")).await.body["userName"],
        "ada"
    );
}

#[tokio::test]
async fn a_body_that_is_not_json_is_a_scim_error() {
    let endpoint = Endpoint::start().await;
    let refused = endpoint
        .send("POST", "/Users", json!("not an object"))
        .await
        .expect(400);
    assert_eq!(
        refused.body["schemas"],
        json!(["urn:ietf:params:scim:api:messages:2.0:Error"])
    );
}

#[tokio::test]
async fn what_is_too_long_for_the_directory_is_refused_or_not_found() {
    let endpoint = Endpoint::start().await;
    let long = "x".repeat(5000);
    let mut user_with_long_id = user("ada");
    user_with_long_id["externalId"] = json!(long);
    endpoint.create(user_with_long_id).await.expect(400);
    let mut large = user("ada");
    large["title"] = json!("x".repeat(300_000));
    endpoint.create(large).await.expect(413);
    endpoint.get(&format!("/Users/{long}")).await.expect(404);
    endpoint
        .send("DELETE", &format!("/Users/{long}"), Value::Null)
        .await
        .expect(404);
    for attribute in ["userName", "externalId", "id"] {
        let target = format!("/Users?filter={attribute}%20eq%20%22{long}%22");
        let found = endpoint.get(&target).await.expect(200);
        assert_eq!(found.body["totalResults"], 0);
    }
}

#[tokio::test]
async fn a_directory_out_of_reach_is_503_with_the_time_to_wait() {
    let endpoint = Endpoint::start_without_directory().await;
    for (method, target, body) in [
        ("GET", "/Users/1", Value::Null),
        ("GET", "/Users", Value::Null),
        ("POST", "/Users", user("ada")),
        ("DELETE", "/Users/1", Value::Null),
    ] {
        let answer = endpoint.send(method, target, body).await.expect(503);
        assert!(answer.header("Retry-After").is_some());
        assert_eq!(answer.body["status"], "503");
    }
    assert_eq!(
        endpoint.connect_user("ada"),
        None,
        "Connect is not changed either"
    );
}

/// As often as one look-up asks.
fn throttle_the_list_of_security_profiles(endpoint: &Endpoint) {
    let operation = Operation::ListSecurityProfiles;
    let rule = FaultRule::next(3, operation, Fault::Throttle);
    endpoint.cloud.simulator.inject(rule);
}

#[tokio::test]
async fn a_new_user_whose_profiles_cannot_be_checked_is_asked_for_again_and_not_accepted() {
    let endpoint = Endpoint::start().await;
    let mut misspelt = user("ada");
    misspelt["entitlements"] = json!([{"value": "CallCentreManager"}]);
    throttle_the_list_of_security_profiles(&endpoint);
    let unavailable = endpoint.create(misspelt.clone()).await.expect(503);
    assert_eq!(unavailable.header("Retry-After"), Some("10"));
    let none = endpoint.get("/Users").await;
    assert_eq!(none.body["totalResults"], 0, "nothing is left of it");
    // The list is read again after as many seconds as the response says.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(10)).await;
    tokio::time::resume();
    endpoint.create(misspelt).await.expect(400);
}

#[tokio::test]
async fn a_new_user_who_names_no_profile_is_accepted_while_the_list_is_throttled() {
    let endpoint = Endpoint::start().await;
    throttle_the_list_of_security_profiles(&endpoint);
    endpoint.create(user("ada")).await.expect(201);
}

#[tokio::test]
async fn a_change_is_accepted_while_the_list_is_throttled_if_it_names_no_other_profile() {
    let mut endpoint = Endpoint::start().await;
    let mut ada = user("ada");
    ada["entitlements"] = json!([{"value": "QualityAnalyst"}, {"value": "Agent"}]);
    let id = endpoint.create(ada).await.expect(201).id();
    let set = |path: &str, value: Value| json!([{"op": "replace", "path": path, "value": value}]);
    for (change, status) in [
        (set("name.familyName", json!("King")), 200),
        (
            set("entitlements", json!([{"value": "QualityAnalyst"}])),
            200,
        ),
        (
            set("entitlements", json!([{"value": "CallCenterManager"}])),
            503,
        ),
        (set("active", json!(false)), 200),
    ] {
        // An instance that has no list yet.
        endpoint.handler = handler(endpoint.cloud.directory());
        throttle_the_list_of_security_profiles(&endpoint);
        let changed = endpoint.patch(&id, change.clone()).await;
        assert_eq!(changed.status, status, "{change}: {}", changed.body);
    }
    assert_eq!(endpoint.connect_user("ada"), None);
}

#[tokio::test]
async fn every_answer_names_its_request() {
    let endpoint = Endpoint::start().await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let target = format!("/Users/{id}");
    for (method, target, status) in [
        ("GET", target.as_str(), 200),
        ("GET", "/Users", 200),
        ("GET", "/Users?filter=%28", 400),
        ("GET", "/Users/nobody", 404),
        ("DELETE", target.as_str(), 204),
    ] {
        let answer = endpoint.send(method, target, Value::Null).await;
        let answer = answer.expect(status);
        assert_eq!(answer.header("X-Request-Id"), Some("r-1"), "{target}");
    }
}

#[tokio::test]
async fn a_user_that_another_request_is_changing_is_503_with_the_time_to_wait() {
    let endpoint = Endpoint::start().await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let rename = |name: &str| json!([{"op": "replace", "path": "name.familyName", "value": name}]);
    let (stepped, steps) = endpoint.stepped(&[]);
    // Reads the user and claims it.
    steps.hold_after(2);
    let other = async {
        steps.held().await;
        let busy = endpoint.patch(&id, rename("Byron")).await.expect(503);
        assert_eq!(busy.header("Retry-After"), Some("2"));
        steps.release();
    };
    let (changed, ()) = tokio::join!(stepped.patch(&id, rename("King")), other);
    assert_eq!(changed.expect(200).body["name"]["familyName"], "King");
}

#[tokio::test]
async fn only_events_of_the_api_with_a_known_client_are_answered() {
    let endpoint = Endpoint::start().await;
    let (stepped, steps) = endpoint.stepped(&[]);
    let authorizer = |principal: Value| json!({"authorizer": {"principalId": principal}});
    for (change, status) in [
        (json!({"authorizer": null}), 401),
        (json!({"authorizer": {}}), 401),
        (authorizer(Value::Null), 401),
        (authorizer(json!("")), 401),
        (authorizer(json!("-")), 401),
        (authorizer(json!("stranger")), 401),
        (authorizer(json!("IDP")), 401),
        (json!({"apiId": "other"}), 403),
        (json!({"apiId": null}), 403),
        (json!({}), 201),
    ] {
        endpoint.cloud.simulator.clear_calls();
        drop(steps.operations());
        let mut event = proxy_event("POST", "/Users", &[], &[], &user("mallory"));
        let context = event["requestContext"].as_object_mut().unwrap();
        context.extend(change.as_object().unwrap().clone());
        let answer = stepped.answer(event).await;
        assert_eq!(answer.status, status, "{change}: {}", answer.body);
        if status != 201 {
            let schemas = &answer.body["schemas"];
            assert_eq!(schemas[0], "urn:ietf:params:scim:api:messages:2.0:Error");
            assert_eq!(steps.operations(), [""; 0], "{change}");
            assert_eq!(endpoint.cloud.simulator.calls().len(), 0, "{change}");
        }
    }
    // No context at all.
    let event = json!({"httpMethod": "GET", "path": "/scim/v2/Users"});
    assert_eq!(stepped.answer(event).await.status, 403);
}
