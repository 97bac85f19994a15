//! What members of a group with a name of its own have in Connect.

use std::{collections::BTreeSet, time::Duration};

use connect_directory::{
    directory::{Group, GroupChange, GroupError},
    store::{GroupState, StoreError},
};
use connect_simulator::AssignedKind;
use serde_json::{Value, json};

use crate::{
    LATER,
    common::{Setup, new_user},
};

/// Grants `Admin`.
const MAPPED: &str = "APP-LEADS";

fn variables() -> [(&'static str, &'static str); 1] {
    [("GROUP_MAPPING", r#"{"APP-LEADS": ["Admin"]}"#)]
}

/// Creates a user and the mapped group with it as a member. Returns both ids.
async fn member(setup: &Setup) -> (String, String) {
    let user = setup.create("ada").await;
    let change = GroupChange {
        display_name: MAPPED.to_owned(),
        added: BTreeSet::from([user.clone()]),
        ..GroupChange::default()
    };
    let created = setup.directory.create_group(&change, setup.context()).await;
    let (group, pending) = created.unwrap();
    assert_eq!(pending, 0);
    assert_ne!(setup.profiles("ada"), default_profiles(setup).await);
    (user, group.stored.id)
}

/// The security profiles of a user without groups.
async fn default_profiles(setup: &Setup) -> Value {
    let user = new_user("default");
    let _ = setup.directory.create(user, None, setup.context()).await;
    setup.profiles("default")
}

#[tokio::test]
async fn members_of_a_deleted_group_lose_what_it_granted() {
    let setup = Setup::with(&variables()).await;
    let (_, group) = member(&setup).await;
    let deleted = setup
        .directory
        .delete_group(&group, |_| Ok::<(), GroupError>(()), setup.context())
        .await;
    assert_eq!(deleted.unwrap(), 0);
    assert_eq!(setup.profiles("ada"), default_profiles(&setup).await);
}

#[tokio::test]
async fn a_change_of_a_member_while_its_group_is_being_deleted_ends_the_membership_in_connect() {
    let setup = Setup::with(&variables()).await;
    let (user, group) = member(&setup).await;
    let stored = setup.store().group(&group).await.unwrap().unwrap();
    let now = setup.at(Duration::ZERO);
    let begun = setup.store().begin_deletion(&stored, now);
    begun.await.unwrap();
    let title = json!("Countess");
    setup.set(&user, "title", title, LATER).await.unwrap();
    assert_eq!(setup.profiles("ada"), default_profiles(&setup).await);
    let stored = setup.store().group(&group).await.unwrap().unwrap();
    assert_eq!(stored.state, GroupState::Deleting);
}

#[tokio::test]
async fn a_late_step_of_a_deletion_leaves_the_group_that_was_created_again() {
    let setup = Setup::with(&[]).await;
    let ada = setup.create("ada").await;
    let bob = setup.create("bob").await;
    let found = setup
        .directory
        .groups_by_name("QualityAnalyst", setup.context());
    let group = found.await.unwrap().remove(0);
    let add = |id: &String| GroupChange {
        display_name: "QualityAnalyst".to_owned(),
        added: BTreeSet::from([id.clone()]),
        ..GroupChange::default()
    };
    let add_ada = add(&ada);
    let changed = setup
        .directory
        .change_group(&group, &add_ada, setup.context());
    changed.await.unwrap();
    let id = group.stored.id;
    let old = setup.store().group(&id).await.unwrap().unwrap();
    let now = setup.at(Duration::ZERO);
    setup.store().begin_deletion(&old, now).await.unwrap();
    let created = setup
        .directory
        .create_group(&add(&ada), setup.context())
        .await;
    let (created, _) = created.unwrap();

    let begun = setup.store().begin_deletion(&old, now).await;
    assert!(matches!(begun, Err(StoreError::NotFound)), "{begun:?}");
    let closed = setup.store().close_gates(&old).await;
    assert!(matches!(closed, Err(StoreError::NotFound)), "{closed:?}");
    setup.store().end_deletion(&old).await.unwrap();
    setup.store().forget_group(&old).await.unwrap();
    let add_bob = add(&bob);
    let changed = setup
        .directory
        .change_group(&created, &add_bob, setup.context());
    changed.await.unwrap();
    let members = setup.store().members(&id).await.unwrap();
    let members: Vec<String> = members.into_iter().map(|member| member.user_id).collect();
    assert_eq!(members, [ada, bob]);
}

/// A security profile that no request has changed yet, as read by a request.
async fn unchanged_security_profile(setup: &Setup) -> Group {
    let found = setup
        .directory
        .groups_by_name("QualityAnalyst", setup.context());
    let group = found.await.unwrap().remove(0);
    assert_eq!(group.stored.state, GroupState::Seen);
    group
}

#[tokio::test]
async fn a_late_change_does_not_bring_a_deleted_security_profile_back() {
    let setup = Setup::with(&[]).await;
    let ada = setup.create("ada").await;
    let group = unchanged_security_profile(&setup).await;
    let id = group.stored.id.as_str();
    let deleted = setup
        .directory
        .delete_group(id, |_| Ok::<(), GroupError>(()), setup.context())
        .await;
    deleted.unwrap();
    let change = GroupChange {
        display_name: group.display_name.clone(),
        added: BTreeSet::from([ada]),
        ..GroupChange::default()
    };
    let changed = setup
        .directory
        .change_group(&group, &change, setup.context())
        .await;
    assert!(matches!(changed, Err(GroupError::NotFound)), "{changed:?}");
    let found = setup.directory.group(id, setup.context()).await;
    assert!(matches!(found, Err(GroupError::NotFound)), "{found:?}");
    assert!(setup.store().members(id).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_first_changes_of_a_security_profile_keep_the_external_id() {
    let setup = Setup::with(&[]).await;
    let ada = setup.create("ada").await;
    let group = unchanged_security_profile(&setup).await;
    let id = group.stored.id.as_str();
    let link = GroupChange {
        display_name: group.display_name.clone(),
        external_id: Some("00g".to_owned()),
        ..GroupChange::default()
    };
    let linked = setup
        .directory
        .change_group(&group, &link, setup.context())
        .await;
    linked.unwrap();
    // This request read the group before.
    let add = GroupChange {
        display_name: group.display_name.clone(),
        added: BTreeSet::from([ada]),
        ..GroupChange::default()
    };
    let changed = setup
        .directory
        .change_group(&group, &add, setup.context())
        .await;
    assert!(matches!(changed, Err(GroupError::Changed)), "{changed:?}");
    let stored = setup.store().group(id).await.unwrap().unwrap();
    assert_eq!(stored.external_ids["idp"], "00g");
    assert!(setup.store().members(id).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_sweep_removes_what_a_late_step_leaves_of_a_deleted_security_profile() {
    let setup = Setup::with(&[]).await;
    let kind = AssignedKind::SecurityProfiles;
    let simulator = &setup.cloud.simulator;
    let id = simulator.create(kind, "Temporary").unwrap();
    let ada = setup.create("ada").await;
    let find = setup.directory.groups_by_name("Temporary", setup.context());
    let group = find.await.unwrap().remove(0);
    let add = GroupChange {
        display_name: group.display_name.clone(),
        added: BTreeSet::from([ada.clone()]),
        ..GroupChange::default()
    };
    let changed = setup
        .directory
        .change_group(&group, &add, setup.context())
        .await;
    changed.unwrap();
    let old = setup.store().group(&id).await.unwrap().unwrap();
    let agent = setup
        .directory
        .groups_by_name("Agent", setup.context())
        .await;
    let agent = agent.unwrap().remove(0).stored.id;
    simulator.delete(kind, &id, Some(&agent)).unwrap();

    // An instance of the function that has not listed the security profiles yet.
    let directory = setup.cloud.directory();
    let sweep = || directory.sweep_groups(setup.context_at(LATER));
    assert_eq!(sweep().await.unwrap(), 1);
    // Another sweep that began earlier goes on.
    setup.store().close_gates(&old).await.unwrap();
    assert!(has_items(&setup, &id).await);
    assert_eq!(sweep().await.unwrap(), 0);
    assert!(!has_items(&setup, &id).await);
    let user = setup.store().get_record(&ada).await.unwrap().unwrap().user;
    assert!(user.groups.is_empty());
}

/// Whether the table has an item of a group.
async fn has_items(setup: &Setup, id: &str) -> bool {
    let items = setup.cloud.items().await;
    items.iter().any(|item| item.to_string().contains(id))
}
