//! An administrator deletes, replaces and creates security profiles, routing profiles and
//! hierarchy groups.

use connect_directory::directory::Reconciled;
use connect_simulator::{AssignedKind, Fault, FaultRule, Operation};
use serde_json::json;

use crate::common::{AMAZON_CONNECT, Endpoint, user};

use AssignedKind::{HierarchyGroups, RoutingProfiles, SecurityProfiles};

/// A user who is inactive and a member of the security profile "Temp".
async fn inactive_member(endpoint: &Endpoint) -> (String, String) {
    let group = endpoint
        .cloud
        .simulator
        .create(SecurityProfiles, "Temp")
        .unwrap();
    let endpoint = endpoint.restarted(&[]);
    let id = endpoint.create(user("ada")).await.expect(201).id();
    endpoint.add_member(&group, &id).await.expect(200);
    assert_eq!(endpoint.security_profiles("ada"), ["Temp"]);
    endpoint.set_active(&id, false).await.expect(200);
    (id, group)
}

/// Waits until a list that is read from now on counts as newer than all earlier changes:
/// longer than clocks may differ.
async fn let_time_pass() {
    tokio::time::sleep(std::time::Duration::from_millis(2200)).await;
}

#[tokio::test]
async fn a_membership_ends_with_its_security_profile() {
    let endpoint = Endpoint::start().await;
    let (id, group) = inactive_member(&endpoint).await;
    let simulator = &endpoint.cloud.simulator;
    simulator.delete(SecurityProfiles, &group, None).unwrap();
    let_time_pass().await;

    let endpoint = endpoint.restarted(&[]);
    endpoint.set_active(&id, true).await.expect(200);
    assert_eq!(endpoint.security_profiles("ada"), ["Agent"], "the default");
    endpoint.get(&format!("/Groups/{group}")).await.expect(404);
    assert_eq!(endpoint.groups_of(&id).await, [""; 0]);

    // A profile of the same name is another one.
    let again = simulator.create(SecurityProfiles, "Temp").unwrap();
    let endpoint = endpoint.restarted(&[]);
    for active in [false, true] {
        endpoint.set_active(&id, active).await.expect(200);
    }
    assert_eq!(endpoint.security_profiles("ada"), ["Agent"]);
    assert_eq!(endpoint.members(&again).await, [""; 0]);
    assert_eq!(endpoint.groups_of(&id).await, [""; 0]);
    endpoint.add_member(&again, &id).await.expect(200);
    assert_eq!(endpoint.security_profiles("ada"), ["Temp"]);
    endpoint.remove_member(&again, &id).await.expect(200);
    assert_eq!(endpoint.security_profiles("ada"), ["Agent"]);
}

#[tokio::test]
async fn a_security_profile_of_the_same_name_grants_nothing_to_former_members() {
    let endpoint = Endpoint::start().await;
    let (id, group) = inactive_member(&endpoint).await;
    let simulator = &endpoint.cloud.simulator;
    simulator.delete(SecurityProfiles, &group, None).unwrap();
    let again = simulator.create(SecurityProfiles, "Temp").unwrap();
    let_time_pass().await;

    let endpoint = endpoint.restarted(&[]);
    endpoint.set_active(&id, true).await.expect(200);
    assert_eq!(endpoint.security_profiles("ada"), ["Agent"]);
    assert_eq!(endpoint.groups_of(&id).await, [""; 0]);
    assert_eq!(endpoint.members(&again).await, [""; 0]);
}

#[tokio::test]
async fn a_replaced_security_profile_has_no_members_and_the_sweep_removes_the_former_group() {
    let endpoint = Endpoint::start().await;
    let simulator = &endpoint.cloud.simulator;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let group = endpoint.group_id("CallCenterManager").await;
    endpoint.add_member(&group, &id).await.expect(200);
    let replaced = simulator.replace(SecurityProfiles, &group).unwrap();
    assert_eq!(endpoint.security_profiles("ada"), ["CallCenterManager"]);
    let_time_pass().await;

    let endpoint = endpoint.restarted(&[]);
    let ended = endpoint.directory.sweep_groups(endpoint.context()).await;
    assert_eq!(ended.unwrap(), 1);
    let reconciled = endpoint.directory.mend(&id, endpoint.context()).await;
    assert_eq!(reconciled.unwrap(), Reconciled::Synchronised);
    assert_eq!(endpoint.security_profiles("ada"), ["Agent"]);
    assert_eq!(endpoint.groups_of(&id).await, [""; 0]);
    assert_eq!(endpoint.members(&replaced).await, [""; 0]);
    let items = endpoint.cloud.items().await;
    let text = serde_json::Value::Array(items).to_string();
    assert!(!text.contains(&group), "nothing names the former profile");

    endpoint.add_member(&replaced, &id).await.expect(200);
    assert_eq!(endpoint.security_profiles("ada"), ["CallCenterManager"]);
    endpoint.remove_member(&replaced, &id).await.expect(200);
    assert_eq!(endpoint.security_profiles("ada"), ["Agent"]);
}

#[tokio::test]
async fn a_renamed_security_profile_keeps_its_members() {
    let endpoint = Endpoint::start().await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let group = endpoint.group_id("CallCenterManager").await;
    endpoint.add_member(&group, &id).await.expect(200);
    let simulator = &endpoint.cloud.simulator;
    simulator.rename(SecurityProfiles, &group, "Lead").unwrap();
    let endpoint = endpoint.restarted(&[]);
    for active in [false, true] {
        endpoint.set_active(&id, active).await.expect(200);
    }
    assert_eq!(endpoint.security_profiles("ada"), ["Lead"]);
    assert_eq!(endpoint.group_id("Lead").await, group);
    assert_eq!(endpoint.members(&group).await, [id.as_str()]);
    assert_eq!(endpoint.groups_of(&id).await, [group.as_str()]);
    endpoint.remove_member(&group, &id).await.expect(200);
    assert_eq!(endpoint.security_profiles("ada"), ["Agent"]);
}

#[tokio::test]
async fn no_membership_ends_while_the_security_profiles_cannot_be_read() {
    let endpoint = Endpoint::start().await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let group = endpoint.group_id("CallCenterManager").await;
    endpoint.add_member(&group, &id).await.expect(200);
    let_time_pass().await;

    let endpoint = endpoint.restarted(&[]);
    endpoint.cloud.simulator.inject(FaultRule::next(
        1000,
        Operation::ListSecurityProfiles,
        Fault::Error { status: 503 },
    ));
    for active in [false, true] {
        endpoint.set_active(&id, active).await.expect(200);
    }
    let rename = json!([{"op": "replace", "path": "name.familyName", "value": "King"}]);
    endpoint.patch(&id, rename).await.expect(200);
    endpoint
        .directory
        .sweep_groups(endpoint.context())
        .await
        .ok();
    endpoint
        .directory
        .mend(&id, endpoint.context())
        .await
        .unwrap();
    assert_eq!(endpoint.groups_of(&id).await, [group.as_str()]);
    let record = endpoint.record(&id).await;
    assert_eq!(record.user.groups.len(), 1);

    let endpoint = endpoint.restarted(&[]);
    let members = endpoint.directory.store().members(&group).await.unwrap();
    assert_eq!(members.len(), 1);
}

/// The kind of a replaced resource, the attribute that assigns it, and its name.
const REPLACED: [(AssignedKind, &str, &str); 3] = [
    (SecurityProfiles, "securityProfiles", "CallCenterManager"),
    (RoutingProfiles, "routingProfile", "Sales"),
    (HierarchyGroups, "hierarchyGroup", "Berlin"),
];

fn id_of(endpoint: &Endpoint, kind: AssignedKind, name: &str) -> String {
    let state = endpoint.cloud.simulator.state();
    let list = match kind {
        SecurityProfiles => "securityProfiles",
        RoutingProfiles => "routingProfiles",
        HierarchyGroups => "hierarchyGroups",
    };
    let all = state[list].as_object().unwrap();
    let mut ids = all.iter().filter(|(_, record)| {
        let text = record.to_string();
        text.contains(&format!("Name\":\"{name}\""))
    });
    ids.next()
        .unwrap_or_else(|| panic!("{name}: {state}"))
        .0
        .clone()
}

#[tokio::test]
async fn a_resource_replaced_under_its_name_is_assigned_although_the_list_is_cached() {
    for (kind, attribute, name) in REPLACED {
        let endpoint = Endpoint::start().await;
        let value = match kind {
            SecurityProfiles => json!([name]),
            _ => json!(name),
        };
        let mut ids = Vec::new();
        for user_name in ["ada", "grace"] {
            let mut user = user(user_name);
            user[AMAZON_CONNECT] = json!({ attribute: value });
            ids.push(endpoint.create(user).await.expect(201).id());
        }
        // The lists are cached, and one becomes wrong.
        let simulator = &endpoint.cloud.simulator;
        let former = id_of(&endpoint, kind, name);
        endpoint.set_active(&ids[0], false).await.expect(200);
        endpoint.set_active(&ids[1], false).await.expect(200);
        let replaced = simulator.replace(kind, &former).unwrap();

        // In a request.
        endpoint.set_active(&ids[0], true).await.expect(200);
        let ada = endpoint.connect_user("ada").unwrap().to_string();
        assert!(ada.contains(&replaced) && !ada.contains(&former), "{ada}");

        // In the reconciler, with cached lists.
        let replaced_again = {
            let endpoint = endpoint.restarted(&[]);
            endpoint.get("/Schemas").await.expect(200);
            let rule = FaultRule::next(3, Operation::CreateUser, Fault::Throttle);
            simulator.inject(rule);
            endpoint.set_active(&ids[1], true).await.expect(200);
            assert!(endpoint.record(&ids[1]).await.pending_since.is_some());
            let again = simulator.replace(kind, &replaced).unwrap();
            let reconciled = endpoint.reconcile(&ids[1]).await;
            assert_eq!(reconciled, Reconciled::Synchronised, "{kind:?}");
            again
        };
        let grace = endpoint.connect_user("grace").unwrap().to_string();
        assert!(grace.contains(&replaced_again), "{grace}");

        // As a change of an existing user.
        let endpoint = endpoint.restarted(&[]);
        let joan = endpoint.create(user("joan")).await.expect(201).id();
        endpoint.get("/Schemas").await.expect(200);
        let last = simulator.replace(kind, &replaced_again).unwrap();
        let give =
            json!([{"op": "add", "path": format!("{AMAZON_CONNECT}:{attribute}"), "value": value}]);
        endpoint.patch(&joan, give).await.expect(200);
        let joan = endpoint.connect_user("joan").unwrap().to_string();
        assert!(joan.contains(&last), "{joan}");
    }
}

#[tokio::test]
async fn a_resource_that_no_longer_exists_is_refused_by_name() {
    for (kind, attribute, name) in REPLACED {
        let endpoint = Endpoint::start().await;
        let name = format!("{name} Temp");
        let simulator = &endpoint.cloud.simulator;
        let former = simulator.create(kind, &name).unwrap();
        endpoint.get("/Schemas").await.expect(200);
        let id = endpoint.create(user("ada")).await.expect(201).id();
        simulator.delete(kind, &former, None).unwrap();
        let value = match kind {
            SecurityProfiles => json!([name]),
            _ => json!(name),
        };
        let give =
            json!([{"op": "add", "path": format!("{AMAZON_CONNECT}:{attribute}"), "value": value}]);
        let refused = endpoint.patch(&id, give).await.expect(400);
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(
            detail.contains(&name) && !detail.contains(&former),
            "{detail}"
        );
        assert!(endpoint.record(&id).await.pending_since.is_none());
    }
}
