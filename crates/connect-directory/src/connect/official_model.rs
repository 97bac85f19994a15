//! Holds every request to the API model that AWS publishes with its own client.

use std::{
    collections::BTreeMap,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use aws_json_client::{Client, Service};
use serde_json::{Value, json};
use test_support::{HttpAnswer, HttpServer, test_environment};

use super::{
    Connect, CreateUser, IdentityInfo, PhoneConfig, PhoneType, Proficiency, ProficiencyName,
};

/// Something in every answer that any of the operations is read for.
const ANSWER: &str = r#"{"UserId": "u", "User": {"Id": "u", "Username": "ada"}, "Users": []}"#;

#[tokio::test(flavor = "multi_thread")]
async fn every_request_fits_the_model_that_aws_publishes() {
    let server = HttpServer::start(|_| HttpAnswer::ok(ANSWER));
    let connect = Connect::new(
        Client::new(Service::CONNECT, &test_environment(&server.url())),
        "arn:aws:connect:us-east-1:111122223333:instance/11111111-2222-4333-8444-555555555555",
    )
    .unwrap();
    call_everything(&connect).await;

    let requests: Vec<Value> = server
        .requests()
        .iter()
        .map(|request| {
            json!({
                "method": request.method,
                "target": request.target,
                "body": serde_json::from_str::<Value>(&request.body).unwrap_or_default(),
            })
        })
        .collect();
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests");
    let mut check = Command::new(test_support::python(&tests.join("requirements.txt")))
        .arg(tests.join("official_model/check_connect_requests.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let input = json!(requests).to_string();
    check
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = check.wait_with_output().unwrap();
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{report}");
    let operations: Vec<&str> = report.lines().collect();
    assert_eq!(
        operations,
        [
            "CreateUser",
            "DescribeUser",
            "UpdateUserIdentityInfo",
            "UpdateUserSecurityProfiles",
            "UpdateUserRoutingProfile",
            "UpdateUserHierarchy",
            "UpdateUserHierarchy",
            "UpdateUserPhoneConfig",
            "AssociateUserProficiencies",
            "UpdateUserProficiencies",
            "DisassociateUserProficiencies",
            "ListUserProficiencies",
            "TagResource",
            "UntagResource",
            "SearchUsers",
            "ListUsers",
            "SearchUsers",
            "ListUsers",
            "ListSecurityProfiles",
            "ListRoutingProfiles",
            "ListUserHierarchyGroups",
            "DeleteUser",
        ]
    );
}

async fn call_everything(connect: &Connect) {
    let identity_info = IdentityInfo {
        first_name: Some("Ada".to_owned()),
        last_name: Some("Lovelace".to_owned()),
        email: Some("ada@example.com".to_owned()),
        secondary_email: Some("ada@example.org".to_owned()),
        mobile: Some("+4930123456".to_owned()),
    };
    let phone_config = PhoneConfig {
        phone_type: PhoneType::DeskPhone,
        auto_accept: Some(true),
        after_contact_work_time_limit: Some(30),
        desk_phone_number: Some("+4930123456".to_owned()),
        persistent_connection: Some(false),
    };
    let tags = BTreeMap::from([("scim:id".to_owned(), "1".to_owned())]);
    let create = CreateUser {
        username: "ada",
        password: Some("Passw0rd"),
        identity_info: &identity_info,
        phone_config: &phone_config,
        security_profile_ids: vec!["s"],
        routing_profile_id: "r",
        hierarchy_group_id: Some("h"),
        tags: &tags,
    };
    connect.create_user(&create).await.unwrap();
    connect.describe_user("u").await.unwrap();
    connect
        .update_identity_info("u", &identity_info)
        .await
        .unwrap();
    connect
        .update_security_profiles("u", vec!["s"])
        .await
        .unwrap();
    connect.update_routing_profile("u", "r").await.unwrap();
    connect.update_hierarchy("u", Some("h")).await.unwrap();
    connect.update_hierarchy("u", None).await.unwrap();
    connect
        .update_phone_config("u", &phone_config)
        .await
        .unwrap();
    let proficiencies = [Proficiency {
        attribute_name: "Language".to_owned(),
        attribute_value: "German".to_owned(),
        level: 4,
    }];
    let names = [ProficiencyName {
        attribute_name: "Language".to_owned(),
        attribute_value: "German".to_owned(),
    }];
    connect
        .associate_proficiencies("u", &proficiencies)
        .await
        .unwrap();
    connect
        .update_proficiencies("u", &proficiencies)
        .await
        .unwrap();
    connect
        .disassociate_proficiencies("u", &names)
        .await
        .unwrap();
    connect.proficiencies("u").await.unwrap();
    connect.tag_user("u", &tags).await.unwrap();
    connect
        .untag_user("u", &["scim:id", "scim:external-id"])
        .await
        .unwrap();
    assert!(connect.find_user("ada").await.unwrap().is_none());
    connect.search_users().await.unwrap();
    connect.users().await.unwrap();
    connect.security_profiles().await.unwrap();
    connect.routing_profiles().await.unwrap();
    connect.hierarchy_groups().await.unwrap();
    connect.delete_user("u").await.unwrap();
}
