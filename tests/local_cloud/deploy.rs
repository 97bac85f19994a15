//! The whole way: deploy, use the endpoint, deploy again, change one thing, destroy.

use serde_json::{Value, json};

use crate::aws::Aws;
use crate::endpoint::Endpoint;
use crate::project::Project;

/// A user as Okta creates one.
pub fn jane() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "jane.doe@example.com",
        "name": {"givenName": "Jane", "familyName": "Doe"},
        "emails": [{"primary": true, "value": "jane.doe@example.com", "type": "work"}],
        "displayName": "Jane Doe",
        "externalId": "00ujl29u0le5T6Aj10h7",
        "entitlements": [{"value": "Agent"}],
        "active": true
    })
}

#[test]
fn deploy_use_change_and_destroy() {
    let project = Project::new();

    let first = project.deploy();
    assert!(first.stdout.contains("OktaBaseUrl"), "{}", first.stdout);
    assert!(
        first.stderr.contains("token show --env local --reveal"),
        "{}",
        first.stderr
    );

    use_the_endpoint(&project);

    let aws = Aws::of(&project);
    let stack = "connect-scim-local";
    let seen = aws.alarms_and_dashboards();
    assert!(
        seen.contains(&format!("alarm {stack}-dead-letters")),
        "{seen:?}"
    );
    assert!(seen.contains(&format!("dashboard {stack}")), "{seen:?}");
    let events = aws.events(stack);
    let change_sets = aws.change_sets(stack);
    let second = project.deploy();
    assert!(
        second.stderr.contains("nothing changed"),
        "{}",
        second.stderr
    );
    assert_eq!(second.stdout, first.stdout, "the outputs are the same");
    assert_eq!(aws.events(stack), events, "no operation was started");
    assert_eq!(
        aws.change_sets(stack),
        change_sets,
        "no change set was made"
    );

    only_the_throttle_changes(&project, &aws, stack);

    project.run(&["destroy", "--env", "local"]).expect_code(2);
    let destroyed = project
        .run(&["destroy", "--env", "local", "--yes"])
        .expect_code(0);
    assert!(
        destroyed.stderr.contains("is deleted"),
        "{}",
        destroyed.stderr
    );
    // The account's logging role belongs to the account; other APIs may have come to use it.
    let leftovers: Vec<_> = aws
        .leftovers()
        .into_iter()
        .filter(|name| !name.starts_with("role connect-scim-local-ApiGatewayLoggingRole-"))
        .collect();
    assert_eq!(leftovers, Vec::<String>::new());
    project
        .run(&["destroy", "--env", "local", "--yes"])
        .expect_code(0);
}

/// Discovery, create, find, patch, replace, deactivate, list and delete, through API
/// Gateway with the token from SSM.
fn use_the_endpoint(project: &Project) {
    let scim = Endpoint::of(project);

    let configuration = scim.get("/ServiceProviderConfig").expect(200);
    assert_eq!(configuration.body["patch"]["supported"], true);
    for document in ["/Schemas", "/ResourceTypes"] {
        assert!(
            scim.get(document).expect(200).body["totalResults"]
                .as_u64()
                .unwrap()
                > 0
        );
    }

    let created = scim.post("/Users", &jane()).expect(201);
    let id = created.body["id"].as_str().unwrap().to_owned();
    let location = created.location.unwrap();
    assert_eq!(created.body["meta"]["location"], location.as_str());
    let path = format!("/Users/{id}");

    // The URL in `Location` is reachable as it stands.
    assert_eq!(scim.get(&location).expect(200).body["id"], id.as_str());
    assert_eq!(
        scim.get(&path).expect(200).body["userName"],
        "jane.doe@example.com"
    );
    scim.post("/Users", &jane()).expect_scim_error(409);
    scim.get("/Users/8d1b8f39-0000-4000-8000-000000000000")
        .expect_scim_error(404);

    for filter in [
        "userName%20eq%20%22jane.doe%40example.com%22",
        "userName%20eq%20%22JANE.DOE%40EXAMPLE.COM%22",
        "externalId%20eq%20%2200ujl29u0le5T6Aj10h7%22",
    ] {
        let found = scim
            .get(&format!("/Users?filter={filter}&startIndex=1&count=100"))
            .expect(200);
        assert_eq!(found.body["totalResults"], 1, "{filter}");
        assert_eq!(found.body["Resources"][0]["id"], id.as_str());
    }
    let nobody = scim
        .get("/Users?filter=userName%20eq%20%22nobody%22")
        .expect(200);
    assert_eq!(nobody.body["totalResults"], 0);

    let connect = connect_users(project);
    assert_eq!(connect.len(), 1);
    assert_eq!(connect[0]["Username"], "jane.doe@example.com");
    assert_eq!(connect[0]["IdentityInfo"]["LastName"], "Doe");

    // Entra ID: capital operations, a boolean as a string, an attribute by its path.
    let patch = |operations: Value| json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
    let renamed = patch(json!([{"op": "Replace", "path": "name.familyName", "value": "Smith"}]));
    assert_eq!(
        scim.patch(&path, &renamed).expect(200).body["name"]["familyName"],
        "Smith"
    );
    assert_eq!(
        connect_users(project)[0]["IdentityInfo"]["LastName"],
        "Smith"
    );

    // Okta: no path.
    let deactivated = patch(json!([{"op": "replace", "value": {"active": false}}]));
    assert_eq!(
        scim.patch(&path, &deactivated).expect(200).body["active"],
        false
    );
    assert_eq!(
        connect_users(project),
        Vec::<Value>::new(),
        "a deactivated user is gone from Connect"
    );
    assert_eq!(
        scim.get(&path).expect(200).body["active"],
        false,
        "and stays readable"
    );

    let mut back = jane();
    back["name"]["familyName"] = json!("Roe");
    assert_eq!(scim.put(&path, &back).expect(200).body["active"], true);
    assert_eq!(connect_users(project)[0]["IdentityInfo"]["LastName"], "Roe");

    let list = scim.get("/Users").expect(200);
    assert_eq!(list.body["totalResults"], 1);
    scim.delete(&path).expect(204);
    scim.get(&path).expect_scim_error(404);
    scim.delete(&path).expect_scim_error(404);
    assert_eq!(connect_users(project), Vec::<Value>::new());
}

/// The users in the simulated Connect instance.
pub fn connect_users(project: &Project) -> Vec<Value> {
    let url = format!("{}/_simulator/state", project.simulator_url());
    let mut answer = ureq::get(&url).call().unwrap();
    let state: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    let users = state["users"].as_object().unwrap();
    users.values().map(|user| user["user"].clone()).collect()
}

/// MiniStack reports an event for every resource of an update, changed or not, so the
/// templates before and after tell what changed.
fn only_the_throttle_changes(project: &Project, aws: &Aws, stack: &str) {
    let before = aws.resources(stack);
    project.edit_environment("\napi:\n", "\napi:\n  throttle: {rate: 20, burst: 40}\n");
    let run = project.deploy();
    // What refers to the stage or to the usage plan is listed as changed too.
    assert!(
        run.stderr.contains(": 0 to add, ") && run.stderr.contains(" to change, 0 to remove"),
        "{}",
        run.stderr
    );
    let after = aws.resources(stack);
    let mut changed: Vec<&str> = after
        .iter()
        .filter(|(id, resource)| before.get(*id) != Some(*resource))
        .map(|(id, _)| id.as_str())
        .collect();
    changed.sort_unstable();
    assert_eq!(changed, ["ApiStage", "UsagePlanIdp"]);
    assert_eq!(before.len(), after.len());
}
