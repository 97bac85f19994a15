//! Okta's requests in the order in which it sends them, through API Gateway.
//!
//! Source: <https://developer.okta.com/docs/reference/scim/scim-20/> and
//! <https://developer.okta.com/docs/concepts/scim/faqs/>.

use serde_json::{Value, json};

use crate::deploy::connect_users;
use crate::endpoint::Endpoint;
use crate::project::Project;

const HEADERS: &[(&str, &str)] = &[
    ("User-Agent", "Okta SCIM Client 1.0.0"),
    ("Accept", "application/scim+json"),
    ("Accept-Charset", "utf-8"),
];

fn user(number: usize) -> Value {
    let user_name = format!("agent{number}@example.com");
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": user_name,
        "name": {"givenName": "Test", "familyName": format!("Agent{number}")},
        "emails": [{"primary": true, "value": user_name, "type": "work"}],
        "displayName": format!("Test Agent{number}"),
        "locale": "en-US",
        "externalId": format!("00ujl29u0le5T6Aj1{number:03}"),
        "groups": [],
        // Sent although Okta is not set up to synchronise passwords.
        "password": "1mz050nq",
        "active": true
    })
}

fn patch(operations: Value) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": operations
    })
}

#[test]
fn okta_is_served_from_the_connection_test_to_the_import() {
    let project = Project::new();
    project.deploy();
    project.change_simulator(&json!({"throttle": null}));
    let scim = Endpoint::of(&project).sending(HEADERS);

    test_connection(&scim);
    let id = assign(&project, &scim);
    push_profile(&project, &scim, &id);
    push_group(&project, &scim, &id);
    deactivate_and_reactivate(&project, &scim, &id);
    import(&scim);
}

/// "Test Connector Configuration": a page of users, a page of groups.
fn test_connection(scim: &Endpoint) {
    let users = scim.get("/Users?startIndex=1&count=2").expect(200);
    assert!(users.content_type.starts_with("application/scim+json"));
    assert_eq!(
        users.body,
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": 0,
            "startIndex": 1,
            "itemsPerPage": 0,
            "Resources": []
        })
    );
    let groups = scim.get("/Groups?startIndex=1&count=100").expect(200);
    let names: Vec<&Value> = groups
        .resources()
        .iter()
        .map(|group| &group["displayName"])
        .collect();
    assert!(names.contains(&&json!("CallCenterManager")), "{names:?}");
}

/// Okta looks for the user, and creates it if it is not there.
fn assign(project: &Project, scim: &Endpoint) -> String {
    let lookup = r#"userName eq "agent1@example.com""#;
    let page = "/Users?startIndex=1&count=100";
    assert!(scim.find(page, lookup).resources().is_empty());

    let created = scim.post("/Users", &user(1)).expect(201);
    let id = created.id();
    assert_eq!(created.body["active"], true);
    assert_eq!(created.body["externalId"], "00ujl29u0le5T6Aj1001");
    assert_eq!(created.body["password"], Value::Null);
    assert_eq!(scim.get(&created.location.unwrap()).expect(200).id(), id);

    let again = scim.post("/Users", &user(1)).expect_scim_error(409);
    assert_eq!(again.body["scimType"], "uniqueness");
    assert_eq!(scim.find(page, lookup).resources()[0]["id"], id.as_str());

    let connect = connect_users(project);
    assert_eq!(connect.len(), 1);
    assert_eq!(connect[0]["Username"], "agent1@example.com");
    assert_eq!(connect[0]["Tags"]["scim:id"], id.as_str());
    assert_eq!(
        connect[0]["IdentityInfo"],
        json!({
            "FirstName": "Test",
            "LastName": "Agent1",
            "SecondaryEmail": "agent1@example.com"
        })
    );
    id
}

/// Okta reads the user and puts back what it read with its changes: `id` and `meta` too.
fn push_profile(project: &Project, scim: &Endpoint, id: &str) {
    let path = format!("/Users/{id}");
    let mut resource = scim.get(&path).expect(200).body;
    resource["name"]["familyName"] = json!("Renamed");
    resource["entitlements"] = json!([{"value": "QualityAnalyst"}]);
    let put = scim.put(&path, &resource).expect(200);
    assert_eq!(put.body["name"]["familyName"], "Renamed");
    assert_eq!(put.id(), id);

    let connect = connect_users(project);
    assert_eq!(connect[0]["IdentityInfo"]["LastName"], "Renamed");
    let analyst = group_id(scim, "QualityAnalyst");
    assert_eq!(connect[0]["SecurityProfileIds"], json!([analyst]));

    resource["entitlements"] = json!([{"value": "QualityAnalist"}]);
    let refused = scim.put(&path, &resource).expect_scim_error(400);
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.contains("QualityAnalyst"), "{detail}");
    resource["entitlements"] = json!([]);
    scim.put(&path, &resource).expect(200);
}

fn group_id(scim: &Endpoint, name: &str) -> String {
    let filter = format!("displayName eq \"{name}\"");
    let found = scim.find("/Groups?startIndex=1&count=100", &filter);
    assert_eq!(found.resources().len(), 1, "{:#}", found.body);
    found.resources()[0]["id"].as_str().unwrap().to_owned()
}

/// Group Push: link by name, members in and out, all members, unlink.
fn push_group(project: &Project, scim: &Endpoint, id: &str) {
    let name = "CallCenterManager";
    let manager = group_id(scim, name);
    let agent = group_id(scim, "Agent");
    let group = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": name,
        "members": []
    });
    assert_eq!(scim.post("/Groups", &group).expect(201).id(), manager);
    scim.post("/Groups", &group).expect_scim_error(409);
    let mut unknown = group.clone();
    unknown["displayName"] = json!("Call Center Managers");
    scim.post("/Groups", &unknown).expect_scim_error(400);

    let other = scim.post("/Users", &user(2)).expect(201).id();
    let path = format!("/Groups/{manager}");
    let profiles = |user_name: &str| {
        let users = connect_users(project);
        let user = users.into_iter().find(|user| user["Username"] == user_name);
        user.unwrap()["SecurityProfileIds"].clone()
    };
    let members = |operations| scim.patch(&path, &patch(operations)).expect(200);

    // The name comes with each change of the members, in an object with the id.
    members(json!([
        {"op": "replace", "value": {"id": manager, "displayName": name}},
        {"op": "add", "path": "members", "value": [{"value": id, "display": "agent1@example.com"}]}
    ]));
    assert_eq!(profiles("agent1@example.com"), json!([manager]));
    assert_eq!(profiles("agent2@example.com"), json!([agent]));
    let groups = &scim.get(&format!("/Users/{id}")).expect(200).body["groups"];
    assert_eq!(groups[0]["value"], manager.as_str());
    assert_eq!(groups[0]["display"], name);

    members(json!([
        {"op": "remove", "path": format!("members[value eq \"{id}\"]")},
        {"op": "add", "path": "members", "value": [{"value": other}]}
    ]));
    assert_eq!(profiles("agent1@example.com"), json!([agent]));
    assert_eq!(profiles("agent2@example.com"), json!([manager]));

    members(
        json!([{"op": "replace", "path": "members", "value": [{"value": id}, {"value": other}]}]),
    );
    assert_eq!(profiles("agent1@example.com"), json!([manager]));
    // "Push now" of a group without members.
    members(json!([{"op": "replace", "path": "members", "value": []}]));
    assert_eq!(profiles("agent2@example.com"), json!([agent]));

    // An integration made with the wizard replaces the group.
    let mut full = group.clone();
    full["members"] = json!([{"value": id, "display": "agent1@example.com"}]);
    let put = scim.put(&path, &full).expect(200);
    assert_eq!(put.body["members"][0]["value"], id);
    assert_eq!(profiles("agent1@example.com"), json!([manager]));

    scim.delete(&path).expect(204);
    scim.get(&path).expect_scim_error(404);
    assert_eq!(profiles("agent1@example.com"), json!([agent]));
}

/// By PATCH as catalogue applications do, by PUT as those made with the wizard. Okta
/// never deletes a user.
fn deactivate_and_reactivate(project: &Project, scim: &Endpoint, id: &str) {
    let path = format!("/Users/{id}");
    let in_connect = || {
        let users = connect_users(project);
        users.iter().any(|user| user["Tags"]["scim:id"] == id)
    };
    let change = |active: bool| patch(json!([{"op": "replace", "value": {"active": active}}]));

    scim.patch(&path, &change(false)).expect(200);
    assert!(!in_connect());
    assert_eq!(scim.get(&path).expect(200).body["active"], false);
    let found = scim.find("/Users", r#"userName eq "agent1@example.com""#);
    assert_eq!(found.resources()[0]["active"], false);
    scim.patch(&path, &change(true)).expect(200);
    assert!(in_connect());

    let mut resource = scim.get(&path).expect(200).body;
    for active in [false, true] {
        resource["active"] = json!(active);
        let put = scim.put(&path, &resource).expect(200);
        assert_eq!(put.body["active"], active);
        assert_eq!(in_connect(), active);
    }
}

/// Pages by `startIndex` until as many users came as `totalResults` says.
fn import(scim: &Endpoint) {
    for number in 3..=5 {
        scim.post("/Users", &user(number)).expect(201);
    }
    let mut imported = Vec::new();
    loop {
        let start = imported.len() + 1;
        let page = scim.get(&format!("/Users?startIndex={start}&count=2"));
        let page = page.expect(200).body;
        assert_eq!(page["startIndex"], start);
        assert_eq!(page["totalResults"], 5);
        let users = page["Resources"].as_array().unwrap();
        assert_eq!(page["itemsPerPage"], users.len());
        assert!(!users.is_empty() && users.len() <= 2, "{page:#}");
        for user in users {
            assert_eq!(user["active"], true);
            assert!(user["name"]["givenName"].is_string(), "{user:#}");
            assert!(user["emails"][0]["value"].is_string(), "{user:#}");
            imported.push(user["userName"].as_str().unwrap().to_owned());
        }
        if imported.len() >= 5 {
            break;
        }
    }
    imported.sort_unstable();
    let expected: Vec<String> = (1..=5).map(|n| format!("agent{n}@example.com")).collect();
    assert_eq!(imported, expected);
}
