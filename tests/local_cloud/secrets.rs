//! A canary: neither the token nor what SCIM says of people gets into anything that is
//! printed, logged or kept by CloudFormation.

use std::fs;

use serde_json::{Value, json};

use crate::aws::Aws;
use crate::endpoint::Endpoint;
use crate::project::Project;

/// Personal data that would be noticed anywhere.
const CANARIES: [&str; 5] = [
    "canaryuser",
    "Canarygiven",
    "Canaryfamily",
    "canary.mail@example.com",
    "canary-external-id",
];

fn canary() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "canaryuser",
        "name": {"givenName": "Canarygiven", "familyName": "Canaryfamily"},
        "emails": [{"primary": true, "value": "canary.mail@example.com", "type": "work"}],
        "externalId": "canary-external-id",
        "password": "Canarypassword1",
        "active": true
    })
}

#[test]
fn tokens_and_personal_data_appear_nowhere() {
    let project = Project::new();
    let mut printed = String::new();
    let deploy = project.deploy();
    printed += &(deploy.stdout + &deploy.stderr);
    let token = project.token();
    let scim = Endpoint::of(&project);

    let created = scim.post("/Users", &canary()).expect(201);
    let path = format!("/Users/{}", created.body["id"].as_str().unwrap());
    scim.post("/Users", &canary()).expect(409);
    scim.get("/Users?filter=userName%20eq%20%22canaryuser%22")
        .expect(200);
    scim.get("/Users?filter=userName%20equals%20%22canaryuser%22")
        .expect(400);
    let mut invalid = canary();
    invalid["userName"] = json!("canaryuser with spaces");
    scim.post("/Users", &invalid).expect(400);
    let mut unknown = canary();
    unknown["entitlements"] = json!([{"value": "Canarygiven"}]);
    scim.put(&path, &unknown).expect(400);
    scim.with_authorization(Some(&format!("Bearer {token}x")))
        .get("/Users")
        .expect(401);

    for arguments in [
        &["status", "--env", "local"] as &[&str],
        &["outputs", "--env", "local"],
        &["token", "show", "--env", "local"],
        &["render", "--env", "local"],
        &["smoke", "--env", "local", "--write"],
        &["logs", "--env", "local"],
        &["logs", "--env", "local", "--format", "json"],
        &["token", "rotate", "--env", "local"],
        &[
            "deploy",
            "--env",
            "local",
            "--format",
            "json",
            "--artifacts",
            crate::project::artifacts().to_str().unwrap(),
        ],
    ] {
        let run = project.run(arguments).expect_code(0);
        printed += &(run.stdout + &run.stderr);
    }
    scim.delete(&path).expect(204);

    let aws = Aws::of(&project);
    let logs = aws.logs();
    assert!(
        logs.contains("user_provisioning"),
        "the functions' logs are looked at: {logs}"
    );
    let kept = aws.kept_by_cloudformation("connect-scim-local");
    assert!(kept.contains("UserProvisioningFunction"));
    let simulator = fs::read_to_string(
        project
            .path()
            .join(".connect-scim/local/connect-simulator.log"),
    )
    .unwrap();

    for (place, text) in [
        ("output", printed),
        ("logs", logs),
        ("CloudFormation", kept),
        ("simulator", simulator),
    ] {
        assert!(!text.contains(&token), "the token is in: {place}");
        for canary in CANARIES.iter().chain(&["Canarypassword1"]) {
            let found = text.lines().find(|line| line.contains(canary));
            assert_eq!(found, None, "{canary} is in: {place}");
        }
    }
}
