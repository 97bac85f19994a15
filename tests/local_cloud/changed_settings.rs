//! Settings that a deployment changes under existing users: the plan names them, drift does
//! not take them for edits, and `users reconcile --all` applies them.

use serde_json::{Value, json};

use crate::endpoint::Endpoint;
use crate::project::{Project, Run, artifacts, finish};

const MAPPED: &str = "provisioning: {groups: {APP-LEADS: Admin}}\nclients: {idp: {}}\nfunctions:";
const CHANGED: &str =
    "provisioning: {groups: {APP-LEADS: CallCenterManager}}\nclients: {okta: {}}\nfunctions:";

fn shown(project: &Project, user: &str) -> Value {
    let arguments = ["users", "show", user, "--env", "local", "--format", "json"];
    let run = project.run(&arguments).expect_code(0);
    serde_json::from_str(&run.stdout).unwrap()
}

fn actual_profiles(shown: &Value) -> &Value {
    let facets = shown["facets"].as_array().unwrap();
    let mut facets = facets.iter();
    &facets
        .find(|facet| facet["name"] == "security profiles")
        .unwrap()["actual"]
}

fn drift(project: &Project) -> Vec<Value> {
    let mut command = project.command(&["drift", "--env", "local", "--format", "json"]);
    let run: Run = finish(command.arg("--artifacts").arg(artifacts()));
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["id"].as_str().unwrap().starts_with("connect."))
        .cloned()
        .collect()
}

#[test]
fn a_changed_mapping_and_a_renamed_client_are_planned_applied_and_no_edit() {
    let project = Project::new();
    project.edit_environment("functions:", MAPPED);
    project.deploy();
    project.change_simulator(&json!({"throttle": null}));
    let scim = Endpoint::of(&project);
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "ada@example.com",
        "externalId": "00uada",
        "name": {"givenName": "Ada", "familyName": "Lovelace"},
        "active": true,
    });
    let id = scim.post("/Users", &user).expect(201).id();
    let group = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": "APP-LEADS",
        "members": [{"value": id}],
    });
    scim.post("/Groups", &group).expect(201);
    let before = shown(&project, "ada@example.com");
    assert_eq!(actual_profiles(&before), "Admin");
    assert_eq!(
        before["groups"],
        json!([{"name": "APP-LEADS", "securityProfiles": ["Admin"]}])
    );

    project.edit_environment(MAPPED, CHANGED);
    let mut plan = project.command(&["plan", "--env", "local", "--artifacts"]);
    let plan = finish(plan.arg(artifacts())).expect_code(4).stdout;
    let plan = plan.split_whitespace().collect::<Vec<_>>().join(" ");
    for notice in [
        "provisioning.groups does not reach existing users by the deployment; afterwards, run `connect-scim users reconcile --all --env local`",
        "group APP-LEADS grants CallCenterManager and no longer grants Admin, once its members are reconciled",
        "group APP-LEADS has 1 member",
        "client idp is removed, and the directory has 1 external id of it",
    ] {
        assert!(plan.contains(notice), "{notice}: {plan}");
    }

    let deployed = project.deploy();
    assert!(
        deployed.stderr.contains("provisioning.groups changed"),
        "{}",
        deployed.stderr
    );
    // The local API Gateway cannot flush its cache.
    assert!(
        deployed
            .stderr
            .contains("the former credentials of idp may be accepted"),
        "{}",
        deployed.stderr
    );
    let findings = drift(&project);
    let ids: Vec<&Value> = findings.iter().map(|finding| &finding["id"]).collect();
    assert_eq!(ids, ["connect.not-applied:users"]);
    assert_eq!(actual_profiles(&shown(&project, &id)), "Admin");

    project
        .run(&["users", "reconcile", "--all", "--yes", "--env", "local"])
        .expect_code(0);
    assert_eq!(actual_profiles(&shown(&project, &id)), "CallCenterManager");
    assert_eq!(drift(&project), [Value::Null; 0]);

    // The new client finds the user by an external id that it has written.
    let okta = Endpoint::of(&project);
    okta.put(&format!("/Users/{id}"), &user).expect(200);
    let found = okta.find("/Users", "externalId eq \"00uada\"");
    assert_eq!(found.resources()[0]["id"], id.as_str());
}
