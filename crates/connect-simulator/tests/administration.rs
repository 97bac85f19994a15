//! An administrator's changes, in the process and over HTTP.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::send;
use connect_simulator::{AssignedKind, Options, Simulator};
use serde_json::{Value, json};

const INSTANCE: &str = "11111111-2222-4333-8444-555555555555";

/// A resource of each kind, its place in the state, and the place of its name.
const KINDS: [(AssignedKind, &str, &str, &str); 3] = [
    (
        AssignedKind::SecurityProfiles,
        "security-profiles",
        "5eed0001-0000-4000-8000-000000000002",
        "/securityProfiles/{id}/profile/SecurityProfileName",
    ),
    (
        AssignedKind::RoutingProfiles,
        "routing-profiles",
        "5eed0002-0000-4000-8000-000000000001",
        "/routingProfiles/{id}/Name",
    ),
    (
        AssignedKind::HierarchyGroups,
        "hierarchy-groups",
        "5eed0005-0000-4000-8000-000000000002",
        "/hierarchyGroups/{id}/Name",
    ),
];

/// A simulator with one user, who has a resource of each kind.
async fn start() -> Simulator {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let [security_profile, routing_profile, hierarchy_group] = KINDS.map(|(_, _, id, _)| id);
    let ada = json!({
        "Username": "ada",
        "IdentityInfo": {"FirstName": "Ada", "LastName": "Lovelace"},
        "SecurityProfileIds": [security_profile],
        "RoutingProfileId": routing_profile,
        "HierarchyGroupId": hierarchy_group,
    });
    let path = format!("/users/{INSTANCE}");
    let created = send(&simulator.url(), "PUT", &path, &ada.to_string()).await;
    assert!(created.starts_with("HTTP/1.1 200"));
    simulator
}

/// The ids that the user has of the three kinds.
fn assigned(simulator: &Simulator) -> [String; 3] {
    let state = simulator.state();
    let users = state["users"].as_object().unwrap();
    let user = &users.values().next().unwrap()["user"];
    [
        &user["SecurityProfileIds"][0],
        &user["RoutingProfileId"],
        &user["HierarchyGroupId"],
    ]
    .map(|id| id.as_str().unwrap().to_owned())
}

fn name(simulator: &Simulator, path: &str, id: &str) -> Option<String> {
    let state = simulator.state();
    let name = state.pointer(&path.replace("{id}", id))?;
    Some(name.as_str()?.to_owned())
}

#[tokio::test]
async fn a_replaced_resource_has_its_users_and_its_name_under_a_new_id() {
    let simulator = start().await;
    for (place, (kind, _, id, path)) in KINDS.into_iter().enumerate() {
        let before = name(&simulator, path, id);
        let new = simulator.replace(kind, id).unwrap();
        assert_ne!(new, id);
        assert_eq!(assigned(&simulator)[place], new);
        assert_eq!(name(&simulator, path, &new), before, "{kind:?}");
        assert_eq!(name(&simulator, path, id), None, "{kind:?}");
    }
}

#[tokio::test]
async fn a_resource_with_users_is_deleted_only_if_they_get_another_one() {
    let simulator = start().await;
    for (place, (kind, _, id, path)) in KINDS.into_iter().enumerate() {
        let refused = simulator.delete(kind, id, None).unwrap_err();
        assert_eq!(refused.code, "ResourceInUseException", "{kind:?}");
        assert!(name(&simulator, path, id).is_some(), "{kind:?}");

        let other = simulator.create(kind, "Other").unwrap();
        simulator.delete(kind, id, Some(&other)).unwrap();
        assert_eq!(assigned(&simulator)[place], other);
        assert_eq!(name(&simulator, path, id), None, "{kind:?}");
        let refused = simulator.delete(kind, id, None).unwrap_err();
        assert_eq!(refused.code, "ResourceNotFoundException", "{kind:?}");
    }
}

#[tokio::test]
async fn names_of_profiles_are_unique_and_names_of_groups_are_not() {
    let simulator = start().await;
    for (kind, taken, is_unique) in [
        (AssignedKind::SecurityProfiles, "Admin", true),
        (AssignedKind::RoutingProfiles, "Sales", true),
        (AssignedKind::HierarchyGroups, "Support", false),
    ] {
        let id = simulator.create(kind, "New").unwrap();
        simulator.rename(kind, &id, "Renamed").unwrap();
        let created = simulator.create(kind, taken).map(drop);
        let renamed = simulator.rename(kind, &id, taken);
        for outcome in [created, renamed] {
            let code = outcome.err().map(|error| error.code);
            let expected = is_unique.then_some("DuplicateResourceException");
            assert_eq!(code, expected, "{kind:?}");
        }
        assert!(simulator.create(kind, "").is_err(), "{kind:?}");
    }
}

#[tokio::test]
async fn a_created_security_profile_permits_nothing() {
    let simulator = start().await;
    let created = simulator.create(AssignedKind::SecurityProfiles, "New");
    let state = simulator.state();
    let record = &state["securityProfiles"][created.unwrap()];
    assert_eq!(record["permissions"], json!([]));
    assert_eq!(record["profile"]["SecurityProfileName"], "New");
}

#[tokio::test]
async fn each_change_is_a_route() {
    let simulator = start().await;
    let url = simulator.url();
    let request = async |method: &str, path: &str, body: &str| {
        let answer = send(&url, method, &format!("/_simulator/{path}"), body).await;
        let status = answer["HTTP/1.1 ".len()..][..3].to_owned();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        (status, body)
    };
    for (_, kind, id, _) in KINDS {
        let (status, created) = request("POST", kind, r#"{"name": "New"}"#).await;
        assert_eq!(status, "200", "{kind}");
        let new = created["id"].as_str().unwrap();
        let path = format!("{kind}/{new}");
        let (status, _) = request("PATCH", &path, r#"{"name": "Renamed"}"#).await;
        assert_eq!(status, "200", "{kind}");

        let (status, refused) = request("DELETE", &format!("{kind}/{id}"), "").await;
        assert_eq!(status, "409", "{kind}");
        let problem = refused["problem"].as_str().unwrap();
        assert!(problem.starts_with("ResourceInUseException"), "{problem}");
        let path = format!("{kind}/{id}?instead={new}");
        let (status, _) = request("DELETE", &path, "").await;
        assert_eq!(status, "200", "{kind}");

        let (status, replaced) = request("POST", &format!("{kind}/{new}/replace"), "").await;
        assert_eq!(status, "200", "{kind}");
        assert_ne!(replaced["id"], *new);
        assert_eq!(
            request("DELETE", &format!("{kind}/{new}"), "").await.0,
            "404"
        );
    }
    assert_eq!(
        request("POST", "unknown", r#"{"name": "New"}"#).await.0,
        "400"
    );
}
