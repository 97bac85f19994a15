//! What holds of every plan: directories and servers at random.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// A directory and a server at random, with few names so that they meet.
#[derive(Debug, Clone)]
struct World {
    desired: Desired,
    server: Server,
    policy: Policy,
}

fn world() -> impl Strategy<Value = World> {
    let people = prop::collection::btree_map(
        0..8_u8,
        (
            0..8_u8,
            any::<bool>(),
            any::<bool>(),
            0..4_u8,
            prop::option::of(0..8_u8),
        ),
        0..8,
    );
    let groups = prop::collection::btree_map(
        0..5_u8,
        (0..5_u8, prop::collection::btree_set(0..8_u8, 0..6)),
        0..5,
    );
    let users = prop::collection::vec(
        (
            prop::option::of(0..8_u8),
            0..8_u8,
            any::<bool>(),
            0..4_u8,
            0..3_u8,
        ),
        0..10,
    );
    let server_groups = prop::collection::vec(
        (
            prop::option::of(0..5_u8),
            0..5_u8,
            prop::collection::btree_set(0..10_usize, 0..8),
        ),
        0..6,
    );
    let choices = (0..3_u8, 0..3_u8, 0..3_u8, 1..4_usize, any::<bool>());
    (
        people,
        groups,
        users,
        server_groups,
        choices,
        0..8_u8,
        0..10_u8,
    )
        .prop_map(
            |(people, groups, users, server_groups, choices, unusable, unidentified)| {
                let mut directory = Directory::default().user("x", "x");
                directory.0.users.clear();
                let mut names = BTreeSet::new();
                let mut emails = BTreeSet::new();
                let in_scope: BTreeSet<u8> = people.keys().copied().collect();
                for (id, (name, active, mapped, email, manager)) in people {
                    directory = directory.user(&id.to_string(), &format!("n{name}"));
                    // As the mapping settles it: only somebody in scope.
                    if let Some(manager) = manager.filter(|manager| in_scope.contains(manager)) {
                        let manager = manager.to_string();
                        directory = directory.with(&id.to_string(), Attribute::Manager, &manager);
                    }
                    // As the mapping settles it: no name is wanted twice.
                    if !mapped || !names.insert(name) {
                        directory = directory.unmappable(&id.to_string());
                    } else if email > 0 && emails.insert(email) {
                        directory =
                            directory.with(&id.to_string(), Attribute::Email, &format!("e{email}"));
                    }
                    if !active {
                        directory = directory.disabled(&id.to_string());
                    }
                }
                let mut group_names = BTreeSet::new();
                for (id, (name, members)) in groups {
                    let members: Vec<String> = members
                        .iter()
                        .map(u8::to_string)
                        .filter(|id| directory.0.users.contains_key(&entry(id)))
                        .collect();
                    let members: Vec<&str> = members.iter().map(String::as_str).collect();
                    directory = directory.group(&format!("k{id}"), &format!("g{name}"), &members);
                    if !group_names.insert(name) {
                        directory
                            .0
                            .groups
                            .get_mut(&entry(&format!("k{id}")))
                            .unwrap()
                            .display_name = None;
                    }
                }
                if !directory
                    .0
                    .users
                    .contains_key(&entry(&unusable.to_string()))
                {
                    directory.0.unusable.insert(entry(&unusable.to_string()));
                }
                if let Some(kind) =
                    [Kind::User, Kind::Group, Kind::Entry].get(usize::from(unidentified))
                {
                    directory.0.unidentified.insert(*kind);
                }

                let mut server = Server::default();
                let (mut names, mut emails) = (BTreeSet::new(), BTreeSet::new());
                for (index, (mark, name, active, email, kind)) in users.into_iter().enumerate() {
                    if !names.insert(name) {
                        continue;
                    }
                    let id = format!("u{index}");
                    let external_id = match (mark, kind) {
                        (Some(mark), 0 | 1) => Some(format!("corp:{mark}")),
                        (Some(mark), _) => Some(format!("S-1-5-21-1-2-3-{mark}")),
                        (None, 0) => Some("00u1".to_owned()),
                        (None, _) => None,
                    };
                    server = server.user(&id, external_id.as_deref(), &format!("n{name}"));
                    let user = server.users.get_mut(&id).unwrap();
                    user.active = active;
                    if kind != 1 {
                        let manager = format!("u{}", email);
                        user.profile.0.insert(Attribute::Manager, manager);
                    }
                    if email > 0 && emails.insert(email) {
                        user.profile.0.insert(Attribute::Email, format!("e{email}"));
                    }
                }
                let mut names = BTreeSet::new();
                for (index, (mark, name, members)) in server_groups.into_iter().enumerate() {
                    if names.insert(name) {
                        let mark = mark.map(|mark| format!("corp:k{mark}"));
                        server = server.group(
                            &format!("h{index}"),
                            mark.as_deref(),
                            &format!("g{name}"),
                            &[],
                        );
                        let known = members.iter().map(|index| format!("u{index}"));
                        let known = known.filter(|id| server.users.contains_key(id)).collect();
                        server.groups.get_mut(&format!("h{index}")).unwrap().1 = known;
                    }
                }
                let (match_by, leavers, gone_groups, membership_batch, take_over_leavers) = choices;
                let policy = Policy {
                    match_by: [MatchBy::ObjectGuid, MatchBy::ObjectSid, MatchBy::UserName]
                        [usize::from(match_by)],
                    leavers: [Leavers::Deactivate, Leavers::Delete, Leavers::Ignore]
                        [usize::from(leavers)],
                    gone_groups: [GoneGroups::Empty, GoneGroups::Delete, GoneGroups::Ignore]
                        [usize::from(gone_groups)],
                    membership_batch,
                    take_over_leavers,
                    ..policy()
                };
                World {
                    desired: directory.0,
                    server,
                    policy,
                }
            },
        )
}

/// What a user on the server stands for after a run, told from its mark alone.
fn marked(user: &CurrentUser) -> Option<EntryId> {
    user.external_id.as_ref()?.strip_prefix("corp:").map(entry)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn carrying_a_plan_out_leaves_nothing_to_do(world in world()) {
        let mut server = world.server.clone();
        let plan = server.plan(&world.desired, &world.policy);
        figures::check(&server, &plan);
        server.carry_out(&plan);
        let again = server.plan(&world.desired, &world.policy);
        prop_assert!(lines(&again).is_empty(), "{:?}\nafter {:?}", lines(&again), lines(&plan));
    }

    #[test]
    fn stopped_after_any_write_a_second_run_ends_the_same(world in world(), stop in 0..20_usize) {
        let first = world.server.plan(&world.desired, &world.policy);
        let mut whole = world.server.clone();
        whole.carry_out(&first);
        let mut stopped = world.server.clone();
        let (mut new, mut left) = (BTreeMap::new(), stop);
        for operation in first.operations() {
            if left == 0 { break; }
            left -= 1;
            stopped.write(operation, &mut new);
        }
        stopped.carry_out(&stopped.plan(&world.desired, &world.policy));
        prop_assert!(lines(&stopped.plan(&world.desired, &world.policy)).is_empty());
        // Ids differ with the order of creation; what matters does not.
        let shape = |server: &Server| {
            let users: BTreeSet<_> = server.users.values()
                .map(|user| {
                    let mut profile = user.profile.0.clone();
                    if let Some(id) = profile.get_mut(&Attribute::Manager)
                        && let Some(manager) = server.users.get(id)
                    {
                        *id = manager.profile.get(Attribute::UserName).unwrap().to_owned();
                    }
                    (user.external_id.clone(), user.active, profile)
                })
                .collect();
            let groups: BTreeSet<_> = server.groups.values()
                .map(|(group, members)| {
                    let members: BTreeSet<_> = members.iter()
                        .map(|id| server.users[id].profile.get(Attribute::UserName).map(str::to_owned))
                        .collect();
                    (group.external_id.clone(), group.display_name.clone(), members)
                })
                .collect();
            (users, groups)
        };
        prop_assert_eq!(shape(&whole), shape(&stopped));
    }

    /// The model says for each object alone what has to become of it, without an order,
    /// waves or batches.
    #[test]
    fn the_end_is_what_a_naive_model_says(world in world()) {
        let World { desired, server: before, policy } = &world;
        let mut after = before.clone();
        let plan = before.plan(desired, policy);
        after.carry_out(&plan);
        let (current, matching) = before.current(desired, policy);

        for (index, user) in current.users().iter().enumerate() {
            let standing = matching.users.standing(index);
            let now = after.users.get(&user.id.0);
            match standing {
                Standing::Foreign | Standing::Kept => prop_assert_eq!(now, Some(user)),
                Standing::Gone => match policy.leavers {
                    Leavers::Delete => prop_assert!(now.is_none()),
                    Leavers::Deactivate => prop_assert!(!now.unwrap().active),
                    // An inactive user gives up what an active one needs.
                    Leavers::Ignore if !user.active => {
                        let now = now.unwrap();
                        for (attribute, value) in &now.profile.0 {
                            let is_placeholder = *attribute == Attribute::UserName && *value == user.id.0;
                            prop_assert!(is_placeholder || user.profile.0.get(attribute) == Some(value));
                        }
                    }
                    Leavers::Ignore => prop_assert_eq!(now, Some(user)),
                },
                Standing::Matched => {}
            }
        }
        let skipped = |kind: Kind, entry: &EntryId| {
            plan.skipped.iter().any(|skip| skip.kind == kind && skip.entry.as_ref() == Some(entry))
        };
        // The user of an entry, if it has one.
        let user_of = |entry: &EntryId| {
            let matched = matching.users.objects.get(entry)
                .map(|index| current.users()[*index].id.0.clone());
            let made = after.users.values().find(|user| {
                user.id.0.starts_with("new") && marked(user).as_ref() == Some(entry)
            });
            let id = matched.or_else(|| made.map(|user| user.id.0.clone()))?;
            after.users.get_key_value(&id).map(|(id, _)| id)
        };
        for (entry, wanted) in &desired.users {
            let users: Vec<&CurrentUser> = after.users.values()
                .filter(|user| marked(user).as_ref() == Some(entry))
                .collect();
            if skipped(Kind::User, entry) || matching.users.doubles.iter().any(|index| marked(&current.users()[*index]).as_ref() == Some(entry)) {
                continue;
            }
            match (&wanted.profile, wanted.active, users.first()) {
                (Some(profile), true, Some(user)) => {
                    prop_assert_eq!(users.len(), 1);
                    prop_assert!(user.active);
                    let mut profile = profile.clone();
                    if let Some(manager) = profile.0.remove(&Attribute::Manager)
                        && let Some(id) = user_of(&EntryId(manager))
                    {
                        profile.0.insert(Attribute::Manager, id.clone());
                    }
                    prop_assert_eq!(&user.profile, &profile);
                }
                (Some(_), true, None) => prop_assert!(false, "an active person without a user"),
                (_, false, Some(user)) => prop_assert!(!user.active),
                (None, true, _) | (_, false, None) => {}
            }
        }
        for (entry, wanted) in &desired.groups {
            let Some(name) = &wanted.display_name else { continue };
            if skipped(Kind::Group, entry) { continue; }
            let doubles = after.groups.values()
                .filter(|(group, _)| group.external_id.as_deref() == Some(&format!("corp:{}", entry.0)))
                .count();
            if doubles > 1 { continue; }
            let (_, members) = after.groups.values()
                .find(|(group, _)| &group.display_name == name)
                .unwrap();
            // Everybody who should be a member and has a user is one; whoever else is one
            // is somebody else's, or one whom nothing is known of.
            let expected: BTreeSet<&String> = wanted.members.iter().filter_map(user_of).collect();
            let ours: BTreeSet<&String> = members.iter()
                .filter(|id| {
                    let standing = current.user_index(id).map(|index| matching.users.standing(index));
                    !matches!(standing, Some(Standing::Foreign | Standing::Kept))
                })
                .collect();
            prop_assert_eq!(ours, expected);
        }
        for (id, (group, members)) in &before.groups {
            let index = current.groups().iter().position(|other| other.id.0 == *id).unwrap();
            if matching.groups.standing(index) == Standing::Foreign {
                let (now, now_members) = &after.groups[id];
                prop_assert_eq!(now, group);
                prop_assert!(now_members.is_subset(members));
                prop_assert!(members.difference(now_members).all(|user| !after.users.contains_key(user)));
            }
        }
        // One write for each user who changes, and one of its own where access is taken away
        // before a name can be had, where an address or a manager has to be waited for, and
        // where a circle of names begins.
        for user in current.users() {
            let writes: Vec<&UserChanges> = plan.operations()
                .filter_map(|operation| match operation {
                    Operation::UpdateUser { subject, changes, .. }
                        if subject.id.as_ref() == Some(&user.id) => Some(changes),
                    _ => None,
                })
                .collect();
            let access_alone = UserChanges { active: Some(false), ..UserChanges::default() };
            let of_access = writes.iter().filter(|changes| ***changes == access_alone).count();
            let is_address_alone = |changes: &UserChanges| {
                let address_alone = UserChanges { set: changes.set.clone(), ..UserChanges::default() };
                *changes == address_alone && changes.set.keys().eq([&Attribute::Email])
            };
            let of_address = writes.iter().filter(|changes| is_address_alone(changes)).count();
            let is_manager_alone = |changes: &UserChanges| {
                changes.new_manager.is_some() || changes.set.is_empty() && changes.active.is_none()
                    && changes.external_id.is_none()
                    && changes.removed.iter().eq([&Attribute::Manager])
            };
            let of_manager = writes.iter().filter(|changes| is_manager_alone(changes)).count();
            let of_circle = writes.iter()
                .filter(|changes| changes.set.get(&Attribute::UserName) == Some(&user.id.0))
                .count();
            prop_assert!(of_access <= 1 && of_address <= 1 && of_manager <= 1 && of_circle <= 1);
            prop_assert!(writes.len() - of_access - of_address - of_manager - of_circle <= 1);
        }
    }

    #[test]
    fn the_order_of_the_server_does_not_matter(world in world()) {
        let plan_of = |reversed: bool| {
            let mut users: Vec<CurrentUser> = world.server.users.values().cloned().collect();
            let mut groups: Vec<CurrentGroup> = world.server.groups.values().map(|(group, _)| group.clone()).collect();
            if reversed {
                users.reverse();
                groups.reverse();
            }
            let mut current = Current::new(users, groups);
            let matching = Matching::new(&world.desired, &current, &world.policy, &LookedUp::default());
            for index in matching.groups_to_read(&world.policy) {
                let (_, members) = &world.server.groups[&current.groups()[index].id.0];
                let mut members: Vec<usize> = members.iter().filter_map(|id| current.user_index(id)).collect();
                if reversed { members.reverse(); }
                current.set_members(index, members);
            }
            plan(&world.desired, &current, &matching, &world.policy)
        };
        prop_assert_eq!(plan_of(false), plan_of(true));
    }
}
