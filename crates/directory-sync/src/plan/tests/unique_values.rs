//! Values that the server takes only once: who has them after a run, and that they change hands.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const ATTRIBUTES: [Attribute; 2] = [Attribute::UserName, Attribute::Email];

/// What a user is to the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    Active,
    Inactive,
    /// Without an entry; still active on the server.
    ActiveLeaver,
    /// Without an entry, and inactive since an earlier run.
    InactiveLeaver,
    Unmanaged,
}

/// A user `u1` that holds `shared`, and an entry `2` that wants it: a user `u2` of the server
/// with `is_new` unset.
fn claim(
    attribute: Attribute,
    holder: Holder,
    claimant_is_active: bool,
    is_new: bool,
) -> (Directory, Server) {
    let name = |attribute, value: &str| match attribute {
        Attribute::UserName => profile(value),
        _ => {
            let mut profile = profile(&format!("name of {value}"));
            profile.0.insert(Attribute::Email, value.to_owned());
            profile
        }
    };
    let mut directory = Directory::default().user("2", "unused").user("9", "other");
    let claimant = directory.0.users.get_mut(&entry("2")).unwrap();
    claimant.profile = Some(name(attribute, "shared"));
    claimant
        .profile
        .as_mut()
        .unwrap()
        .0
        .insert(Attribute::Title, "claimant".to_owned());
    if attribute == Attribute::Email {
        let name = "claimant".to_owned();
        claimant
            .profile
            .as_mut()
            .unwrap()
            .0
            .insert(Attribute::UserName, name);
    }
    claimant.active = claimant_is_active;
    let mark = (holder != Holder::Unmanaged).then_some("corp:1");
    let mut server =
        Server::default()
            .user("u1", mark, "unused")
            .user("u9", Some("corp:9"), "other");
    let user = server.users.get_mut("u1").unwrap();
    user.profile = name(attribute, "Shared");
    user.active = holder != Holder::InactiveLeaver;
    if matches!(holder, Holder::Active | Holder::Inactive) {
        directory = directory.user("1", "unused");
        let wanted = directory.0.users.get_mut(&entry("1")).unwrap();
        wanted.active = holder == Holder::Active;
        // As the mapping settles it: an inactive entry has no part in a value that is shared.
        wanted.profile = None;
    }
    if !is_new {
        server = server.user("u2", Some("corp:2"), "before");
    }
    (directory, server)
}

fn value<'a>(server: &'a Server, id: &str, attribute: Attribute) -> Option<&'a str> {
    server.users.get(id)?.profile.get(attribute)
}

#[test]
fn an_active_entry_gets_the_value_of_an_inactive_user_of_the_sync() {
    use Holder::*;
    for attribute in ATTRIBUTES {
        for leavers in [Leavers::Deactivate, Leavers::Delete, Leavers::Ignore] {
            for holder in [Active, Inactive, ActiveLeaver, InactiveLeaver, Unmanaged] {
                for (claimant_is_active, is_new) in
                    [(true, true), (true, false), (false, true), (false, false)]
                {
                    let case =
                        format!("{attribute} {leavers:?} {holder:?} {claimant_is_active} {is_new}");
                    let policy = Policy {
                        leavers,
                        ..policy()
                    };
                    let (directory, mut server) =
                        claim(attribute, holder, claimant_is_active, is_new);
                    let plan = server.plan(&directory.0, &policy);
                    server.carry_out(&plan);
                    assert!(
                        lines(&server.plan(&directory.0, &policy)).is_empty(),
                        "{case}"
                    );

                    let has_value = server.users.values().any(|user| {
                        user.profile.get(attribute) == Some("shared")
                            && user.external_id.as_deref() == Some("corp:2")
                    });
                    let is_given_up = match holder {
                        Active | Unmanaged => false,
                        Inactive | InactiveLeaver => true,
                        ActiveLeaver => leavers != Leavers::Ignore,
                    };
                    // A person that is deleted and created again takes the user over.
                    let is_taken_over = attribute == Attribute::UserName
                        && is_new
                        && matches!(holder, ActiveLeaver | InactiveLeaver)
                        && leavers != Leavers::Delete;
                    // A deleted user gives its value up to anyone.
                    let is_deleted = matches!(holder, ActiveLeaver | InactiveLeaver)
                        && leavers == Leavers::Delete;
                    let expected =
                        is_taken_over || is_given_up && claimant_is_active || is_deleted && !is_new;
                    assert_eq!(has_value, expected, "{case}: {:?}", lines(&plan));
                    let is_reported = claimant_is_active && !expected;
                    assert_eq!(reasons(&plan).len(), usize::from(is_reported), "{case}");
                    if holder == Unmanaged {
                        assert_eq!(value(&server, "u1", attribute), Some("Shared"), "{case}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_value_is_removed_from_a_deactivated_user_before_it_is_given_to_another() {
    let (directory, server) = claim(Attribute::Email, Holder::ActiveLeaver, true, false);
    assert_eq!(
        lines(&server.plan(&directory.0, &policy())),
        [
            "0 update name of Shared: active=false -email",
            "1 update before: userName=claimant displayName=name of shared title=claimant",
            "2 update before: email=shared",
        ]
    );
    let (directory, server) = claim(Attribute::UserName, Holder::InactiveLeaver, true, false);
    assert_eq!(
        lines(&server.plan(&directory.0, &policy())),
        [
            "0 update Shared: userName=u1",
            "1 update before: userName=shared displayName=shared title=claimant",
        ]
    );
}

#[test]
fn an_emptied_group_gives_its_name_up_and_an_ignored_one_keeps_it() {
    let directory = Directory::default()
        .user("1", "ann")
        .group("7", "admins", &["1"]);
    let server = Server::default()
        .user("u1", Some("corp:1"), "ann")
        .group("g7", Some("corp:7"), "before", &["u1"])
        .group("g8", Some("corp:8"), "Admins", &["u1"]);
    for (gone_groups, expected, reports) in [
        (
            GoneGroups::Empty,
            &[
                "0 members of Admins: +0 -1",
                "1 update group Admins: Some(\"g8\") None",
                "2 update group before: Some(\"admins\") None",
            ][..],
            0,
        ),
        (
            GoneGroups::Delete,
            &[
                "0 delete group Admins",
                "1 update group before: Some(\"admins\") None",
            ],
            0,
        ),
        (GoneGroups::Ignore, &[], 1),
    ] {
        let policy = Policy {
            gone_groups,
            ..policy()
        };
        let mut server = server.clone();
        let plan = server.plan(&directory.0, &policy);
        assert_eq!(lines(&plan), expected);
        assert_eq!(reasons(&plan).len(), reports);
        server.carry_out(&plan);
        assert!(lines(&server.plan(&directory.0, &policy)).is_empty());
    }
}

/// The type of the objects of a circle.
#[derive(Debug, Clone, Copy)]
enum Circle {
    UserNames,
    Emails,
    Both,
    Groups,
}

/// Objects 0 to `count` of the server have the values 0 to `count`, each of the first
/// `in_circle` gets that of the next one, and each of the others that of the one before it: the
/// last object of the chain ends at a free value.
fn circle(kind: Circle, count: usize, in_circle: usize) -> (Directory, Server) {
    let (mut directory, mut server) = (Directory::default(), Server::default());
    let emails = |profile: &mut Profile, value: usize| {
        profile.0.insert(Attribute::Email, format!("e{value}"));
    };
    for index in 0..count {
        let after = if index < in_circle {
            (index + 1) % in_circle
        } else {
            index + 1
        };
        let (id, entry_id) = (format!("u{index}"), index.to_string());
        let mark = format!("corp:{index}");
        let (old, new) = match kind {
            Circle::UserNames | Circle::Both => (index, after),
            Circle::Emails | Circle::Groups => (index, index),
        };
        directory = directory.user(&entry_id, &format!("n{new}"));
        server = server.user(&id, Some(&mark), &format!("n{old}"));
        if matches!(kind, Circle::Emails | Circle::Both) {
            let user = directory.0.users.get_mut(&entry(&entry_id)).unwrap();
            emails(user.profile.as_mut().unwrap(), after);
            emails(&mut server.users.get_mut(&id).unwrap().profile, index);
        }
        let (old, new) = match kind {
            Circle::Groups => (index, after),
            _ => (index, index),
        };
        let (id, mark) = (format!("g{index}"), format!("corp:k{index}"));
        directory = directory.group(&format!("k{index}"), &format!("G{new}"), &[&entry_id]);
        server = server.group(
            &id,
            Some(&mark),
            &format!("G{old}"),
            &[&format!("u{index}")],
        );
    }
    (directory, server)
}

#[test]
fn values_that_circulate_change_hands_in_one_run_whenever_it_is_interrupted() {
    for kind in [
        Circle::UserNames,
        Circle::Emails,
        Circle::Both,
        Circle::Groups,
    ] {
        for (count, in_circle) in [(2, 2), (3, 3), (7, 7), (3, 2), (6, 4)] {
            let (directory, server) = circle(kind, count, in_circle);
            let plan = server.plan(&directory.0, &policy());
            let case = format!("{kind:?} {count} {in_circle}: {:?}", lines(&plan));
            assert!(plan.skipped.is_empty(), "{case}");
            let mut whole = server.clone();
            whole.carry_out(&plan);
            for (id, user) in &whole.users {
                let entry_id = entry(&id[1..]);
                assert_eq!(
                    Some(&user.profile),
                    directory.0.users[&entry_id].profile.as_ref()
                );
                assert_eq!(user.external_id, Some(format!("corp:{}", entry_id.0)));
            }
            for (id, (group, members)) in &whole.groups {
                let wanted = &directory.0.groups[&entry(&format!("k{}", &id[1..]))];
                assert_eq!(Some(&group.display_name), wanted.display_name.as_ref());
                assert_eq!(*members, [format!("u{}", &id[1..])].into());
            }
            assert!(
                lines(&whole.plan(&directory.0, &policy())).is_empty(),
                "{case}"
            );
            for stop in 1..plan.operations().count() {
                let mut stopped = server.clone();
                let mut new = BTreeMap::new();
                for operation in plan.operations().take(stop) {
                    stopped.write(operation, &mut new);
                    stopped.check_names();
                }
                let rest = stopped.plan(&directory.0, &policy());
                stopped.carry_out(&rest);
                assert_eq!(stopped, whole, "{case} stopped after {stop}");
            }
        }
    }
}

#[test]
fn a_circle_needs_one_write_more_than_its_objects_and_the_mark_comes_first() {
    let directory = Directory::default().user("1", "ann").user("2", "bob");
    let server = Server::default()
        .user("u1", None, "bob")
        .user("u2", Some("corp:2"), "ann");
    let by_name = Policy {
        match_by: MatchBy::ObjectSid,
        ..policy()
    };
    let mut server = server;
    server.users.get_mut("u1").unwrap().external_id = Some("S-1-5-21-1-2-3-1".to_owned());
    let plan = server.plan(&directory.0, &by_name);
    assert_eq!(
        lines(&plan),
        [
            "0 update bob: corp:1 userName=u1",
            "1 update ann: userName=bob displayName=bob",
            "2 update bob: userName=ann displayName=ann",
        ]
    );
}

proptest! {
    #[test]
    fn any_permutation_of_values_among_objects_is_carried_out(
        values in Just((0..8_usize).collect::<Vec<_>>()).prop_shuffle(),
        kind in prop_oneof![Just(Circle::UserNames), Just(Circle::Emails), Just(Circle::Groups)],
    ) {
        let (mut directory, mut server) = circle(kind, values.len(), values.len());
        for (index, value) in values.iter().enumerate() {
            let user = directory.0.users.get_mut(&entry(&index.to_string())).unwrap();
            let profile = &mut user.profile.as_mut().unwrap().0;
            match kind {
                Circle::Groups => {
                    let group = directory.0.groups.get_mut(&entry(&format!("k{index}"))).unwrap();
                    group.display_name = Some(format!("G{value}"));
                }
                Circle::Emails => drop(profile.insert(Attribute::Email, format!("e{value}"))),
                _ => drop(profile.insert(Attribute::UserName, format!("n{value}"))),
            }
        }
        let plan = server.plan(&directory.0, &policy());
        prop_assert!(plan.skipped.is_empty());
        server.carry_out(&plan);
        prop_assert!(lines(&server.plan(&directory.0, &policy())).is_empty());
    }
}
