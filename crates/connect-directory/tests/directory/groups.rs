//! What members of a group with a name of its own have in Connect.

use std::{collections::BTreeSet, time::Duration};

use connect_directory::{
    directory::{Group, GroupChange, GroupError, Reconciled},
    store::{GroupState, StoreError, Whom},
};
use connect_simulator::{AssignedKind, Fault, FaultRule, Operation};
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

/// An error of a group as one word.
fn named(error: &GroupError) -> &'static str {
    match error {
        GroupError::Unmapped(_) => "unmapped",
        GroupError::NameTaken => "taken",
        GroupError::Rename => "rename",
        GroupError::RenameToMapped => "rename to mapped",
        GroupError::NotFound => "not found",
        GroupError::Changed => "changed",
        GroupError::Member(_) => "member",
        GroupError::Refused(_) => "refused",
        GroupError::OutOfTime => "out of time",
        GroupError::Unlisted(_) => "unlisted",
        GroupError::Store(_) => "store",
    }
}

fn group_named(name: &str, added: &[&String], removed: &[&String]) -> GroupChange {
    let ids = |ids: &[&String]| ids.iter().map(|id| (*id).clone()).collect();
    GroupChange {
        display_name: name.to_owned(),
        added: ids(added),
        removed: ids(removed),
        ..GroupChange::default()
    }
}

async fn create_group(setup: &Setup, change: &GroupChange) -> Result<(Group, u32), &'static str> {
    let created = setup.directory.create_group(change, setup.context()).await;
    created.map_err(|error| named(&error))
}

async fn change_group(
    setup: &Setup,
    group: &Group,
    change: &GroupChange,
) -> Result<(Group, u32), &'static str> {
    let changed = setup.directory.change_group(group, change, setup.context());
    changed.await.map_err(|error| named(&error))
}

async fn find(setup: &Setup, name: &str) -> Vec<Group> {
    let found = setup.directory.groups_by_name(name, setup.context()).await;
    found.unwrap()
}

async fn members(setup: &Setup, id: &str) -> Vec<String> {
    let members = setup.store().members(id).await.unwrap();
    members.into_iter().map(|member| member.user_id).collect()
}

#[tokio::test]
async fn groups_are_security_profiles_and_those_of_own_names() {
    let setup = Setup::with(&variables()).await;
    let listed = || async {
        let groups = setup.directory.groups(setup.context()).await.unwrap();
        let names: Vec<String> = groups
            .iter()
            .map(|group| group.display_name.clone())
            .collect();
        assert!(names.is_sorted());
        names
    };
    let before = listed().await;
    assert!(before.contains(&"Agent".to_owned()) && !before.contains(&MAPPED.to_owned()));
    let agent = find(&setup, "AGENT").await.remove(0);
    assert!(agent.is_security_profile());
    let later = setup
        .directory
        .group(&agent.stored.id, setup.context_at(LATER));
    assert_eq!(later.await.unwrap().stored.created, agent.stored.created);

    let (own, _) = create_group(&setup, &group_named(MAPPED, &[], &[]))
        .await
        .unwrap();
    assert!(!own.is_security_profile());
    assert_eq!(listed().await.len(), before.len() + 1);
    assert_eq!(find(&setup, "app-leads").await[0].stored.id, own.stored.id);
    assert!(find(&setup, "Nothing").await.is_empty());
    let ids = [own.stored.id.as_str(), agent.stored.id.as_str(), "missing"];
    let names = setup.directory.group_names(ids).await.unwrap();
    assert_eq!(names, [(own.stored.id.clone(), MAPPED.to_owned())].into());
    assert!(setup.directory.group_mapping().has_own_names());

    for group in [&own, &agent] {
        let id = group.stored.id.as_str();
        let delete = || {
            let check = |_: &Group| Ok::<(), GroupError>(());
            setup.directory.delete_group(id, check, setup.context())
        };
        let refuse = |_: &Group| Err::<(), _>(GroupError::Rename);
        let refused = setup
            .directory
            .delete_group(id, refuse, setup.context())
            .await;
        assert_eq!(refused.map_err(|error| named(&error)), Err("rename"));
        assert_eq!(find(&setup, &group.display_name).await.len(), 1);
        assert_eq!(delete().await.unwrap(), 0);
        assert!(find(&setup, &group.display_name).await.is_empty());
        let found = setup.directory.group(id, setup.context()).await;
        assert_eq!(
            found.map_err(|error| named(&error)).unwrap_err(),
            "not found"
        );
        assert_eq!(
            delete().await.map_err(|error| named(&error)),
            Err("not found")
        );
    }
    let mut left = before;
    left.retain(|name| name != "Agent");
    assert_eq!(listed().await, left);
    // The name is free again.
    let (again, _) = create_group(&setup, &group_named(MAPPED, &[], &[]))
        .await
        .unwrap();
    assert_ne!(again.stored.id, own.stored.id);
    let (again, _) = create_group(&setup, &group_named("Agent", &[], &[]))
        .await
        .unwrap();
    assert_eq!(again.stored.id, agent.stored.id);
    assert_eq!(again.stored.created, agent.stored.created);
}

#[tokio::test]
async fn a_group_is_created_only_once_and_only_of_known_users_and_names() {
    for (variables, name, expected) in [
        (&[][..], "Agent", Ok(())),
        (&[], MAPPED, Err("unmapped")),
        (&variables()[..], MAPPED, Ok(())),
        (&[("UNMAPPED_GROUPS", "accept")], "Anything", Ok(())),
    ] {
        let setup = Setup::with(variables).await;
        let missing = "missing".to_owned();
        let too_long = "m".repeat(901);
        if expected.is_ok() {
            for id in [&missing, &too_long] {
                let created = create_group(&setup, &group_named(name, &[id], &[])).await;
                assert_eq!(created.unwrap_err(), "member", "{name}");
            }
        }
        let change = group_named(name, &[], &[]);
        let created = create_group(&setup, &change).await;
        assert_eq!(created.map(drop), expected, "{name}");
        if expected.is_ok() {
            let again = create_group(&setup, &group_named(&name.to_uppercase(), &[], &[])).await;
            assert_eq!(again.unwrap_err(), "taken", "{name}");
        }
    }
}

#[tokio::test]
async fn a_rename_grants_no_rights_and_takes_no_name_of_another_group() {
    const MAPPING: &str = r#"{"APP-LEADS": ["Admin"], "APP-OTHERS": ["Agent"]}"#;
    let setup = Setup::with(&[("GROUP_MAPPING", MAPPING), ("UNMAPPED_GROUPS", "accept")]).await;
    let create = |name: &'static str| {
        let setup = &setup;
        async move {
            create_group(setup, &group_named(name, &[], &[]))
                .await
                .unwrap()
                .0
        }
    };
    create("Taken").await;
    let plain = create("Plain").await;
    let mapped = create(MAPPED).await;
    let profile = find(&setup, "QualityAnalyst").await.remove(0);
    for (group, name, expected) in [
        (&profile, "QualityAnalyst", Ok("QualityAnalyst")),
        (&profile, "qualityanalyst", Ok("QualityAnalyst")),
        (&profile, "Other", Err("rename")),
        (&plain, "PLAIN", Ok("PLAIN")),
        (&plain, "Plain 2", Ok("Plain 2")),
        (&plain, "Taken", Err("taken")),
        (&plain, "app-leads", Err("rename to mapped")),
        (&mapped, "Leads", Ok("Leads")),
        (&mapped, "APP-OTHERS", Err("rename to mapped")),
        (&mapped, "APP-LEADS", Ok("APP-LEADS")),
    ] {
        let group = setup
            .directory
            .group(&group.stored.id, setup.context())
            .await
            .unwrap();
        let before = group.stored.name.clone();
        let changed = change_group(&setup, &group, &group_named(name, &[], &[])).await;
        let what = format!("{} to {name}", group.display_name);
        let changed = changed.map(|(group, _)| group);
        let found = changed.as_ref().map(|group| group.display_name.as_str());
        assert_eq!(found.map_err(|error| *error), expected, "{what}");
        if let (Ok(changed), Some(before)) = (changed, before) {
            let own = changed.stored.name.unwrap();
            let is_mapped = before.mapped == MAPPED;
            assert_eq!(own.mapped == MAPPED, is_mapped, "{what}");
            if !is_mapped && name == "Plain 2" {
                assert_eq!(own.mapped, "Plain 2");
            }
        }
    }
}

#[tokio::test]
async fn an_external_id_belongs_to_its_client_and_a_stale_group_is_not_changed() {
    let setup = Setup::with(&variables()).await;
    let mut change = group_named(MAPPED, &[], &[]);
    change.external_id = Some("00g1".to_owned());
    let (first, _) = create_group(&setup, &change).await.unwrap();
    let other = connect_directory::directory::Context {
        client: "other",
        ..setup.context()
    };
    change.external_id = Some("o1".to_owned());
    let changed = setup.directory.change_group(&first, &change, other);
    let (second, _) = changed.await.unwrap();
    let ids = |group: &Group| group.stored.external_ids.clone();
    assert_eq!(ids(&second).len(), 2);
    assert!(second.stored.last_modified >= first.stored.last_modified);
    change.external_id = None;
    let stale = change_group(&setup, &first, &change).await;
    assert_eq!(stale.unwrap_err(), "changed");
    let (third, _) = change_group(&setup, &second, &change).await.unwrap();
    assert_eq!(ids(&third), [("other".to_owned(), "o1".to_owned())].into());
}

#[tokio::test]
async fn members_join_and_leave_with_their_rights() {
    let setup = Setup::with(&variables()).await;
    let ada = setup.create("ada").await;
    let bob = setup.create("bob").await;
    let (group, pending) = create_group(&setup, &group_named(MAPPED, &[&ada, &bob], &[]))
        .await
        .unwrap();
    assert_eq!(pending, 0);
    let id = group.stored.id.as_str();
    assert_eq!(members(&setup, id).await, [ada.clone(), bob.clone()]);
    let default = default_profiles(&setup).await;
    for name in ["ada", "bob"] {
        assert_ne!(setup.profiles(name), default);
    }
    let version = |id: String| {
        let setup = &setup;
        async move { setup.store().get(&id).await.unwrap().unwrap().version }
    };
    let before = version(ada.clone()).await;
    let nobody = "nobody".to_owned();
    for (added, removed, left) in [
        (vec![&ada], vec![], vec![&ada, &bob]),
        (vec![], vec![&bob], vec![&ada]),
        (vec![], vec![&bob, &nobody], vec![&ada]),
        (vec![&bob], vec![&ada], vec![&bob]),
        (vec![], vec![&bob], vec![]),
    ] {
        let group = setup.directory.group(id, setup.context()).await.unwrap();
        let change = group_named(MAPPED, &added, &removed);
        let (changed, pending) = change_group(&setup, &group, &change).await.unwrap();
        assert_eq!(pending, 0);
        assert!(changed.stored.version > group.stored.version || added == [&ada]);
        let left: Vec<String> = left.into_iter().cloned().collect();
        assert_eq!(members(&setup, id).await, left);
        for (user, name) in [(&ada, "ada"), (&bob, "bob")] {
            let has_rights = setup.profiles(name) != default;
            assert_eq!(has_rights, left.contains(user), "{name} {change:?}");
            let stored = setup.store().get(user).await.unwrap().unwrap();
            assert_eq!(stored.groups.contains_key(id), left.contains(user));
        }
    }
    assert_eq!(version(ada).await, before + 1, "it left once");
    let group = setup.directory.group(id, setup.context()).await.unwrap();
    let unknown = group_named(MAPPED, &[&nobody], &[]);
    assert_eq!(
        change_group(&setup, &group, &unknown).await.unwrap_err(),
        "member"
    );
}

#[tokio::test]
async fn a_user_is_a_member_of_at_most_30_groups() {
    let setup = Setup::with(&[("UNMAPPED_GROUPS", "accept")]).await;
    let ada = setup.create("ada").await;
    for number in 0..=30 {
        let created = create_group(&setup, &group_named(&format!("G{number}"), &[&ada], &[])).await;
        let expected = if number < 30 { Ok(()) } else { Err("member") };
        assert_eq!(created.map(drop), expected, "{number}");
    }
    let user = setup.store().get(&ada).await.unwrap().unwrap();
    assert_eq!(user.groups.len(), 30);
    let first = find(&setup, "G0").await.remove(0);
    change_group(&setup, &first, &group_named("G0", &[], &[&ada]))
        .await
        .unwrap();
    let last = find(&setup, "G30").await.remove(0);
    change_group(&setup, &last, &group_named("G30", &[&ada], &[]))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_membership_that_connect_refuses_ends_and_one_that_fails_is_pending() {
    let operation = Operation::UpdateUserSecurityProfiles;
    for (fault, expected) in [
        (Fault::AccessDenied, Err("refused")),
        (Fault::Error { status: 503 }, Ok(1)),
    ] {
        let setup = Setup::with(&variables()).await;
        let ada = setup.create("ada").await;
        let default = default_profiles(&setup).await;
        let (group, _) = create_group(&setup, &group_named(MAPPED, &[], &[]))
            .await
            .unwrap();
        let id = group.stored.id.clone();
        let fail = || {
            setup
                .cloud
                .simulator
                .inject(FaultRule::next(1_000, operation, fault))
        };
        fail();
        let change = group_named(MAPPED, &[&ada], &[]);
        let changed = change_group(&setup, &group, &change).await;
        assert_eq!(changed.map(|(_, pending)| pending), expected);
        let is_member = expected.is_ok();
        assert_eq!(members(&setup, &id).await.len(), usize::from(is_member));
        assert_eq!(setup.cloud.messages().len(), usize::from(is_member));
        setup.cloud.simulator.clear_faults();
        setup
            .directory
            .reconcile(&ada, setup.context())
            .await
            .unwrap();
        assert_eq!(setup.profiles("ada") != default, is_member);
        if !is_member {
            continue;
        }
        // A removal stays, whatever Connect does.
        fail();
        let group = setup.directory.group(&id, setup.context()).await.unwrap();
        let change = group_named(MAPPED, &[], &[&ada]);
        let changed = change_group(&setup, &group, &change).await;
        assert_eq!(changed.map(|(_, pending)| pending), Ok(1));
        assert!(members(&setup, &id).await.is_empty());
    }
}

#[tokio::test]
async fn many_members_are_left_to_the_reconciler_after_a_second() {
    let setup = Setup::with(&variables()).await;
    let mut ids = Vec::new();
    for number in 0..17 {
        ids.push(setup.create(&format!("user{number}")).await);
    }
    let delay = Fault::Delay { milliseconds: 100 };
    let operation = Operation::UpdateUserSecurityProfiles;
    for (count, is_complete) in [(16, true), (17, false)] {
        let setup = &setup;
        let users: Vec<&String> = ids[..count].iter().collect();
        let (group, _) = create_group(setup, &group_named(MAPPED, &[], &[]))
            .await
            .unwrap();
        let slow = FaultRule::next(1_000, operation, delay);
        setup.cloud.simulator.inject(slow);
        let change = group_named(MAPPED, &users, &[]);
        let (_, pending) = change_group(setup, &group, &change).await.unwrap();
        assert_eq!(pending == 0, is_complete, "{count}: {pending}");
        assert_eq!(setup.cloud.messages().len(), pending as usize);
        assert_eq!(members(setup, &group.stored.id).await.len(), count);
        let check = |_: &Group| Ok::<(), GroupError>(());
        let id = group.stored.id.as_str();
        setup.cloud.simulator.clear_faults();
        setup
            .directory
            .delete_group(id, check, setup.context())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn the_sweep_completes_a_deletion_and_leaves_new_security_profiles() {
    let setup = Setup::with(&variables()).await;
    let (user, id) = member(&setup).await;
    let stored = setup.store().group(&id).await.unwrap().unwrap();
    let now = setup.at(Duration::ZERO);
    setup.store().begin_deletion(&stored, now).await.unwrap();
    // A security profile that the list of the function is too old for.
    let simulator = &setup.cloud.simulator;
    let new = simulator
        .create(AssignedKind::SecurityProfiles, "New")
        .unwrap();
    let other = setup.cloud.directory();
    let open = other.open_security_profiles([new.as_str()], setup.context());
    open.await.unwrap();
    assert_eq!(
        setup.directory.sweep_groups(setup.context()).await.unwrap(),
        1
    );
    assert!(setup.store().group(&id).await.unwrap().is_none());
    assert!(setup.store().group(&new).await.unwrap().is_some());
    assert!(members(&setup, &id).await.is_empty());
    let user = setup.store().get(&user).await.unwrap().unwrap();
    assert!(user.groups.is_empty());
    assert_eq!(setup.profiles("ada"), default_profiles(&setup).await);
    assert_eq!(
        setup.directory.sweep_groups(setup.context()).await.unwrap(),
        0
    );
}

#[tokio::test]
async fn a_member_that_another_request_holds_is_waited_for_up_to_three_seconds() {
    for (is_released, expected) in [(true, Ok(0)), (false, Err("store"))] {
        let setup = Setup::with(&variables()).await;
        let ada = setup.create("ada").await;
        let (group, _) = create_group(&setup, &group_named(MAPPED, &[], &[]))
            .await
            .unwrap();
        let now = setup.at(Duration::ZERO);
        let claimed = setup.store().claim(&ada, now, Whom::Present, None).await;
        let claimed = claimed.unwrap();
        let change = group_named(MAPPED, &[&ada], &[]);
        let release = async {
            tokio::time::sleep(Duration::from_millis(400)).await;
            if is_released {
                let finished = setup.store().finish(&claimed, &claimed.record, now).await;
                finished.unwrap();
            }
        };
        let (changed, ()) = tokio::join!(change_group(&setup, &group, &change), release);
        assert_eq!(changed.map(|(_, pending)| pending), expected);
        let is_member = !members(&setup, &group.stored.id).await.is_empty();
        assert_eq!(is_member, is_released);
    }
}

#[tokio::test]
async fn a_repair_ends_memberships_of_groups_that_are_being_deleted() {
    let setup = Setup::with(&variables()).await;
    let (user, group) = member(&setup).await;
    let before = setup.store().get(&user).await.unwrap().unwrap();
    let unchanged = setup.directory.mend(&user, setup.context()).await;
    assert_eq!(unchanged.unwrap(), Reconciled::Synchronised);
    let stored = setup.store().get(&user).await.unwrap().unwrap();
    assert_eq!(stored.version, before.version);

    let stored = setup.store().group(&group).await.unwrap().unwrap();
    let now = setup.at(LATER);
    setup.store().begin_deletion(&stored, now).await.unwrap();
    let repaired = setup.directory.mend(&user, setup.context_at(LATER)).await;
    assert_eq!(repaired.unwrap(), Reconciled::Synchronised);
    let after = setup.store().get(&user).await.unwrap().unwrap();
    assert!(after.groups.is_empty());
    assert_eq!(after.version, before.version + 1);
    assert!(after.last_modified > before.last_modified);
    assert_eq!(setup.profiles("ada"), default_profiles(&setup).await);
}

#[tokio::test]
async fn a_leaver_gives_its_username_up_to_the_user_who_has_it_now() {
    for (deprovision, is_left) in [("suspend", true), ("delete", false)] {
        let variables = [
            ("DEPROVISION", deprovision),
            ("SUSPENDED_SECURITY_PROFILE", "Suspended"),
        ];
        let setup = Setup::with(&variables).await;
        let leaver = setup.create("ada").await;
        for (attribute, value) in [("active", json!(false)), ("userName", json!("ada-left"))] {
            let changed = setup.set(&leaver, attribute, value, Duration::ZERO).await;
            assert!(!changed.unwrap().pending);
        }
        assert_eq!(setup.cloud.connect_user("ada").is_some(), is_left);
        let new = setup.create("ada").await;
        let user = setup.cloud.connect_user("ada").unwrap();
        assert_eq!(user["Tags"]["scim:id"], new);
        let record = setup.store().get_record(&leaver).await.unwrap().unwrap();
        assert!(record.connect.applied.is_none() && record.pending_since.is_none());
    }
}

#[tokio::test]
async fn a_member_item_without_a_membership_is_deleted_with_the_removal() {
    for is_deleted in [false, true] {
        let setup = Setup::with(&variables()).await;
        let (user, id) = member(&setup).await;
        let items = setup.cloud.items().await.into_iter();
        let is_member = |item: &Value| {
            let partition = item["pk"]["S"].as_str().unwrap();
            partition.starts_with("GROUP#") && item["sk"]["S"] == *user
        };
        let item = items.into_iter().find(is_member).unwrap();
        let group = setup.directory.group(&id, setup.context()).await.unwrap();
        let removal = group_named(MAPPED, &[], &[&user]);
        change_group(&setup, &group, &removal).await.unwrap();
        if is_deleted {
            let check = |_: &_| Ok::<(), ()>(());
            let deleted = setup.directory.delete(&user, check, setup.context());
            assert!(deleted.await.is_ok());
        }
        let put = json!({"TableName": setup.cloud.table, "Item": item});
        let dynamodb = &setup.cloud.dynamodb;
        dynamodb.call::<Value>("PutItem", &put).await.unwrap();
        let left = members(&setup, &id).await;
        assert_eq!(left, std::slice::from_ref(&user));
        let group = setup.directory.group(&id, setup.context()).await.unwrap();
        change_group(&setup, &group, &removal).await.unwrap();
        assert!(members(&setup, &id).await.is_empty());
    }
}
