//! What arrives in Connect, in how many calls, and what happens when Connect is slow,
//! refuses, or loses answers.

use connect_simulator::{Fault, FaultRule, Operation};
use serde_json::{Value, json};

use crate::common::{AMAZON_CONNECT, ENTERPRISE, Endpoint, user};

#[tokio::test]
async fn each_change_costs_the_fewest_calls() {
    let endpoint = Endpoint::start().await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let mut warm_up = user("warm-up");
    warm_up[AMAZON_CONNECT] = json!({"hierarchyGroup": "Berlin"});
    endpoint.create(warm_up).await.expect(201);
    endpoint.connect_calls();

    endpoint.create(user("grace")).await.expect(201);
    assert_eq!(endpoint.connect_calls(), ["CreateUser"], "create");

    let path = format!("/Users/{id}");
    endpoint.send("PUT", &path, user("ada")).await.expect(200);
    assert_eq!(
        endpoint.connect_calls(),
        [""; 0],
        "a PUT that changes nothing"
    );

    for (operation, expected) in [
        (json!({"path": "title", "value": "Countess"}), None),
        (
            json!({"path": "name.familyName", "value": "King"}),
            Some("UpdateUserIdentityInfo"),
        ),
        (
            json!({"path": "entitlements", "value": [{"value": "QualityAnalyst"}]}),
            Some("UpdateUserSecurityProfiles"),
        ),
        (
            json!({"path": "roles", "value": [{"value": "Sales"}]}),
            Some("UpdateUserRoutingProfile"),
        ),
        (
            json!({"path": format!("{AMAZON_CONNECT}:hierarchyGroup"), "value": "Berlin"}),
            Some("UpdateUserHierarchy"),
        ),
        (
            json!({"path": format!("{AMAZON_CONNECT}:afterContactWorkSeconds"), "value": 30}),
            Some("UpdateUserPhoneConfig"),
        ),
        (
            json!({"path": "externalId", "value": "e-2"}),
            Some("TagResource"),
        ),
        (
            json!({"path": format!("{AMAZON_CONNECT}:tags"), "value": [{"key": "team", "value": "Care"}]}),
            Some("TagResource"),
        ),
        (
            json!({"path": format!("{AMAZON_CONNECT}:tags[key eq \"team\"].value"), "value": "Sales"}),
            Some("TagResource"),
        ),
        (
            json!({"path": format!("{AMAZON_CONNECT}:tags"), "value": []}),
            Some("UntagResource"),
        ),
        (
            json!({"path": format!("{AMAZON_CONNECT}:proficiencies"), "value": [skill("Billing", 3), skill("Claims", 1)]}),
            Some("AssociateUserProficiencies"),
        ),
        (
            json!({"path": format!("{AMAZON_CONNECT}:proficiencies"), "value": [skill("Billing", 4), skill("Claims", 1)]}),
            Some("UpdateUserProficiencies"),
        ),
        (
            json!({"path": format!("{AMAZON_CONNECT}:proficiencies"), "value": []}),
            Some("DisassociateUserProficiencies"),
        ),
        (
            json!({"path": "active", "value": false}),
            Some("DeleteUser"),
        ),
        (json!({"path": "active", "value": true}), Some("CreateUser")),
    ] {
        let mut operation = operation;
        operation["op"] = json!("replace");
        endpoint.patch(&id, json!([operation])).await.expect(200);
        let calls = endpoint.connect_calls();
        assert_eq!(
            calls,
            expected.into_iter().collect::<Vec<_>>(),
            "{operation}"
        );
    }
}

fn skill(value: &str, level: u32) -> Value {
    json!({"attributeName": "Skill", "attributeValue": value, "level": level})
}

#[tokio::test]
async fn a_user_with_tags_is_created_in_one_call_and_one_with_proficiencies_in_two() {
    let endpoint = Endpoint::start().await;
    endpoint.create(user("warm-up")).await.expect(201);
    endpoint.connect_calls();

    let mut tagged = user("ada");
    tagged[AMAZON_CONNECT] = json!({"tags": [{"key": "team", "value": "Care"}]});
    endpoint.create(tagged).await.expect(201);
    assert_eq!(endpoint.connect_calls(), ["CreateUser"]);
    let tags = endpoint.connect_user("ada").unwrap()["Tags"].clone();
    assert_eq!(tags["team"], "Care");
    assert_eq!(tags["scim:managed-by"], "connect-scim");

    let mut skilled = user("grace");
    skilled[AMAZON_CONNECT] = json!({"proficiencies": [skill("Billing", 5), skill("Claims", 2)]});
    let created = endpoint.create(skilled.clone()).await.expect(201);
    assert_eq!(
        endpoint.connect_calls(),
        ["CreateUser", "AssociateUserProficiencies"]
    );
    assert_eq!(
        endpoint.proficiencies("grace"),
        json!([
            {"AttributeName": "Skill", "AttributeValue": "Billing", "Level": 5.0},
            {"AttributeName": "Skill", "AttributeValue": "Claims", "Level": 2.0},
        ])
    );
    let path = format!("/Users/{}", created.id());
    endpoint.send("PUT", &path, skilled).await.expect(200);
    assert_eq!(endpoint.connect_calls(), [""; 0]);
}

#[tokio::test]
async fn proficiencies_are_exchanged_in_one_call_each_removals_first() {
    let endpoint = Endpoint::start().await;
    let mut ada = user("ada");
    ada[AMAZON_CONNECT] = json!({"proficiencies": [skill("Billing", 5), skill("Claims", 2)]});
    let id = endpoint.create(ada.clone()).await.expect(201).id();
    endpoint.connect_calls();
    ada[AMAZON_CONNECT] = json!({"proficiencies": [skill("Technical", 1), skill("Claims", 3)]});
    let path = format!("/Users/{id}");
    endpoint.send("PUT", &path, ada).await.expect(200);
    assert_eq!(
        endpoint.connect_calls(),
        [
            "DisassociateUserProficiencies",
            "UpdateUserProficiencies",
            "AssociateUserProficiencies"
        ]
    );
    assert_eq!(
        endpoint.proficiencies("ada"),
        json!([
            {"AttributeName": "Skill", "AttributeValue": "Claims", "Level": 3.0},
            {"AttributeName": "Skill", "AttributeValue": "Technical", "Level": 1.0},
        ])
    );
}

#[tokio::test]
async fn a_proficiency_that_the_instance_does_not_know_leaves_no_user_behind() {
    let endpoint = Endpoint::start().await;
    let mut ada = user("ada");
    ada[AMAZON_CONNECT] = json!({"proficiencies": [skill("Juggling", 5)]});
    let refused = endpoint.create(ada).await.expect(400);
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.contains("predefined attribute"), "{detail}");
    assert_eq!(endpoint.connect_user("ada"), None);
    assert_eq!(endpoint.get("/Users").await.body["totalResults"], 0);
    endpoint.create(user("ada")).await.expect(201);
}

#[tokio::test]
async fn tags_of_others_are_left_alone() {
    let endpoint = Endpoint::start().await;
    let mut ada = user("ada");
    ada[AMAZON_CONNECT] = json!({"tags": [{"key": "team", "value": "Care"}]});
    let id = endpoint.create(ada).await.expect(201).id();
    let user_id = endpoint.connect_user("ada").unwrap()["Id"].clone();
    endpoint
        .tag(user_id.as_str().unwrap(), "cost-centre", "45")
        .await;
    // Connect is read anew after an answer was lost.
    endpoint.cloud.simulator.inject(FaultRule::next(
        4,
        Operation::UntagResource,
        Fault::DropAfter,
    ));
    let tags = format!("{AMAZON_CONNECT}:tags");
    let remove = json!([{"op": "remove", "path": tags}]);
    endpoint.patch(&id, remove).await.expect(200);
    let nothing = json!([{"op": "replace", "path": "title", "value": "Countess"}]);
    endpoint.patch(&id, nothing).await.expect(200);
    let tags = endpoint.connect_user("ada").unwrap()["Tags"].clone();
    assert_eq!(tags.get("team"), None);
    assert_eq!(tags["cost-centre"], "45");
}

#[tokio::test]
async fn the_environment_says_which_attribute_feeds_which_field() {
    let mapping =
        json!({"routingProfile": "userType", "securityProfiles": ["title", "entitlements"]});
    let endpoint = Endpoint::start_with(&[("ATTRIBUTE_MAPPING", &mapping.to_string())]).await;
    let mut ada = user("ada");
    ada["userType"] = json!("Sales");
    ada["title"] = json!("QualityAnalyst");
    ada["entitlements"] = json!(["Agent"]);
    ada["roles"] = json!(["No such profile"]);
    endpoint.create(ada).await.expect(201);
    assert_eq!(
        endpoint.security_profiles("ada"),
        ["Agent", "QualityAnalyst"]
    );
    let state = endpoint.cloud.simulator.state();
    let id = endpoint.connect_user("ada").unwrap()["RoutingProfileId"].clone();
    assert_eq!(
        state["routingProfiles"][id.as_str().unwrap()]["Name"],
        "Sales"
    );

    let schemas = endpoint.get("/Schemas").await.expect(200);
    let attribute = |name: &str| {
        let attributes = schemas.body["Resources"][0]["attributes"]
            .as_array()
            .unwrap();
        attributes
            .iter()
            .find(|attribute| attribute["name"] == name)
            .unwrap()
            .clone()
    };
    assert!(
        attribute("userType")["canonicalValues"]
            .to_string()
            .contains("Sales")
    );
    assert!(!attribute("roles").to_string().contains("Sales"));
}

/// Okta sends a password with every user, even if passwords are not synchronised.
#[tokio::test]
async fn okta_sends_a_password_that_counts_only_where_connect_can_take_it() {
    let mut ada = user("ada");
    ada["password"] = json!("1Secret-of-Okta");
    let only_password = json!([{"op": "replace", "value": {"password": "2Secret-of-Okta"}}]);
    let and_more =
        json!([{"op": "replace", "value": {"password": "2Secret-of-Okta", "title": "Countess"}}]);
    for (identity_management, changing) in [("SAML", 200), ("CONNECT_MANAGED", 400)] {
        let endpoint = Endpoint::start_with(&[("IDENTITY_MANAGEMENT", identity_management)]).await;
        let mut settings = endpoint.cloud.simulator.settings();
        settings.identity_management = serde_json::from_value(json!(identity_management)).unwrap();
        endpoint.cloud.simulator.configure(settings);
        let id = endpoint.create(ada.clone()).await.expect(201).id();
        let path = format!("/Users/{id}");
        endpoint.send("PUT", &path, ada.clone()).await.expect(200);
        let changed = endpoint.patch(&id, only_password.clone()).await;
        let changed = changed.expect(changing);
        if changing == 400 {
            assert_eq!(changed.body["scimType"], "mutability");
        }
        let changed = endpoint.patch(&id, and_more.clone()).await.expect(200);
        assert_eq!(changed.body["title"], "Countess");
        assert_eq!(changed.body.get("password"), None);
    }
    let endpoint = Endpoint::start().await;
    let config = endpoint.get("/ServiceProviderConfig").await.body;
    assert_eq!(config["changePassword"]["supported"], false);
}

#[tokio::test]
async fn department_names_profiles_only_if_nothing_else_does_and_may_be_a_department() {
    let endpoint = Endpoint::start().await;
    let with = |name: &str, department: &str, entitlements: &[&str]| {
        let mut user = user(name);
        user[ENTERPRISE] = json!({"department": department});
        if !entitlements.is_empty() {
            user["entitlements"] = json!(entitlements);
        }
        user
    };
    endpoint
        .create(with("u-1", "Agent, QualityAnalyst", &[]))
        .await
        .expect(201);
    assert_eq!(
        endpoint.security_profiles("u-1"),
        ["Agent", "QualityAnalyst"]
    );
    endpoint
        .create(with("u-2", "Research", &[]))
        .await
        .expect(201);
    assert_eq!(endpoint.security_profiles("u-2"), ["Agent"]);
    endpoint
        .create(with("u-3", "QualityAnalyst", &["CallCenterManager"]))
        .await
        .expect(201);
    assert_eq!(endpoint.security_profiles("u-3"), ["CallCenterManager"]);
    endpoint
        .create(with("u-4", "QualityAnalyst, Agnt", &[]))
        .await
        .expect(400);
}

#[tokio::test]
async fn a_suspended_user_keeps_its_connect_user_without_permissions() {
    let endpoint = Endpoint::start_with(&[
        ("DEPROVISION", "suspend"),
        ("SUSPENDED_SECURITY_PROFILE", "Suspended"),
    ])
    .await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let before = endpoint.connect_user("ada").unwrap();
    endpoint.connect_calls();
    endpoint
        .patch(
            &id,
            json!([{"op": "replace", "path": "active", "value": false}]),
        )
        .await
        .expect(200);
    assert_eq!(endpoint.connect_calls(), ["UpdateUserSecurityProfiles"]);
    let suspended = endpoint.connect_user("ada").unwrap();
    assert_eq!(suspended["Id"], before["Id"]);
    assert_ne!(
        suspended["SecurityProfileIds"],
        before["SecurityProfileIds"]
    );
    endpoint
        .patch(
            &id,
            json!([{"op": "replace", "path": "active", "value": true}]),
        )
        .await
        .expect(200);
    assert_eq!(endpoint.connect_user("ada"), Some(before));
}

#[tokio::test]
async fn a_leaver_goes_even_if_the_profiles_named_no_longer_exist() {
    let leave = json!([
        {"op": "replace", "path": "active", "value": false},
        {"op": "replace", "path": "roles", "value": [{"value": "No such routing profile"}]},
    ]);
    let endpoint = Endpoint::start().await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    endpoint.patch(&id, leave.clone()).await.expect(200);
    assert_eq!(endpoint.connect_user("ada"), None);

    let endpoint = Endpoint::start_with(&[
        ("DEPROVISION", "suspend"),
        ("SUSPENDED_SECURITY_PROFILE", "Suspended"),
    ])
    .await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let before = endpoint.connect_user("ada").unwrap();
    endpoint.patch(&id, leave).await.expect(200);
    assert_eq!(endpoint.security_profiles("ada"), ["Suspended"]);
    let suspended = endpoint.connect_user("ada").unwrap();
    assert_eq!(suspended["RoutingProfileId"], before["RoutingProfileId"]);
}

#[tokio::test]
async fn a_user_of_another_directory_is_taken_over_only_if_always_is_said() {
    let endpoint = Endpoint::start().await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    endpoint.forget(&id).await;
    let refused = endpoint.create(user("ada")).await.expect(409);
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.contains("another SCIM directory"), "{detail}");
}

#[tokio::test]
async fn a_lost_answer_to_create_makes_no_second_user() {
    let endpoint = Endpoint::start().await;
    endpoint
        .cloud
        .simulator
        .inject(FaultRule::next(1, Operation::CreateUser, Fault::DropAfter));
    endpoint.create(user("ada")).await.expect(201);
    let created = endpoint.connect_user("ada").unwrap();
    assert!(created["Tags"]["scim:id"].is_string());
}

#[tokio::test]
async fn a_foreign_user_of_the_same_name_is_taken_over_only_if_the_person_matches() {
    let endpoint = Endpoint::start().await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    // Takes the mark of ownership off, as if somebody had made the user by hand.
    let user_id = endpoint.connect_user("ada").unwrap()["Id"]
        .as_str()
        .unwrap()
        .to_owned();
    endpoint.untag(&user_id).await;
    endpoint.forget(&id).await;

    let mut stranger = user("ada");
    stranger["name"]["familyName"] = json!("Byron");
    let refused = endpoint.create(stranger).await.expect(409);
    assert!(
        refused.body["detail"]
            .as_str()
            .unwrap()
            .contains("SCIM does not manage")
    );

    let adopted = endpoint.create(user("ada")).await.expect(201);
    let now = endpoint.connect_user("ada").unwrap();
    assert_eq!(now["Id"], user_id.as_str());
    assert_eq!(now["Tags"]["scim:id"], adopted.id());
}

#[tokio::test]
async fn a_renamed_user_is_created_anew_where_that_is_wanted() {
    let endpoint = Endpoint::start_with(&[("RENAME", "recreate")]).await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    endpoint.connect_calls();
    let renamed = endpoint
        .patch(
            &id,
            json!([{"op": "replace", "path": "userName", "value": "countess"}]),
        )
        .await
        .expect(200);
    assert_eq!(renamed.body["id"], id.as_str());
    assert_eq!(endpoint.connect_calls(), ["DeleteUser", "CreateUser"]);
    assert_eq!(endpoint.connect_user("ada"), None);
    assert_eq!(
        endpoint.connect_user("countess").unwrap()["Tags"]["scim:id"],
        id.as_str()
    );
    let old = endpoint
        .get("/Users?filter=userName%20eq%20%22ada%22")
        .await;
    assert_eq!(old.body["totalResults"], 0);
    endpoint.create(user("ada")).await.expect(201);
}

#[tokio::test]
async fn a_user_is_accepted_while_connect_fails_and_a_later_change_brings_it_there() {
    let endpoint = Endpoint::start().await;
    endpoint.create(user("warm-up")).await.expect(201);
    endpoint
        .cloud
        .simulator
        .inject(FaultRule::next(3, Operation::CreateUser, Fault::Throttle));
    let id = endpoint.create(user("ada")).await.expect(201).id();
    assert_eq!(endpoint.connect_user("ada"), None);
    endpoint
        .patch(
            &id,
            json!([{"op": "replace", "path": "title", "value": "Countess"}]),
        )
        .await
        .expect(200);
    assert!(endpoint.connect_user("ada").is_some());
}

#[tokio::test]
async fn a_used_up_quota_is_named_and_leaves_nothing_behind() {
    let endpoint = Endpoint::start().await;
    let mut settings = endpoint.cloud.simulator.settings();
    settings.user_quota = 1;
    endpoint.cloud.simulator.configure(settings);
    endpoint.create(user("ada")).await.expect(201);
    endpoint.connect_calls();
    let refused = endpoint.create(user("grace")).await.expect(400);
    assert!(refused.body["detail"].as_str().unwrap().contains("quota"));
    assert_eq!(
        endpoint.connect_calls(),
        ["CreateUser"],
        "it is not tried again"
    );
    assert_eq!(endpoint.get("/Users").await.body["totalResults"], 1);
}

#[tokio::test]
async fn connect_decides_which_usernames_with_an_at_sign_exist() {
    let endpoint = Endpoint::start().await;
    let name = "ada@005xx000001Sv6e@00Dxx0000001gER";
    let refused = endpoint.create(user(name)).await.expect(400);
    assert_eq!(refused.body["scimType"], "invalidValue");
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("Amazon Connect refused the user: "),
        "{detail}"
    );

    let mut settings = endpoint.cloud.simulator.settings();
    settings.usernames_with_at_are_emails = false;
    endpoint.cloud.simulator.configure(settings);
    endpoint.create(user(name)).await.expect(201);
    assert!(endpoint.connect_user(name).is_some());
}

#[tokio::test]
async fn calls_no_longer_go_to_a_desk_phone_that_was_taken_away() {
    let endpoint = Endpoint::start().await;
    let mut ada = user("ada");
    ada[AMAZON_CONNECT] = json!({"deskPhoneNumber": "+4930123456"});
    let id = endpoint.create(ada).await.expect(201).id();
    let phone = |endpoint: &Endpoint| endpoint.connect_user("ada").unwrap()["PhoneConfig"].clone();
    assert_eq!(phone(&endpoint)["PhoneType"], "DESK_PHONE");
    endpoint.connect_calls();
    let path = format!("{AMAZON_CONNECT}:deskPhoneNumber");
    let taken = json!([{"op": "remove", "path": path}]);
    endpoint.patch(&id, taken.clone()).await.expect(200);
    assert_eq!(endpoint.connect_calls(), ["UpdateUserPhoneConfig"]);
    assert_eq!(phone(&endpoint)["PhoneType"], "SOFT_PHONE");
    assert!(phone(&endpoint).get("DeskPhoneNumber").is_none());
    let other = json!([{"op": "replace", "path": "name.familyName", "value": "King"}]);
    endpoint.patch(&id, other).await.expect(200);
    assert_eq!(endpoint.connect_calls(), ["UpdateUserIdentityInfo"]);
}
