//! The figures that the safety limits depend on, as whole values.

use super::*;

/// Memberships as pairs of group and user.
fn memberships(server: &Server) -> BTreeSet<(String, String)> {
    let groups = server.groups.iter();
    groups
        .flat_map(|(group, (_, members))| members.iter().map(|user| (group.clone(), user.clone())))
        .collect()
}

/// How many memberships a plan ends on the server.
fn ended(server: &Server, plan: &Plan) -> usize {
    let mut after = server.clone();
    after.carry_out(plan);
    memberships(server).difference(&memberships(&after)).count()
}

/// How many memberships the operations of a plan name as ended.
fn named(plan: &Plan) -> usize {
    let operations = plan.operations();
    operations
        .map(|operation| match operation {
            Operation::DeleteUser { groups, .. } => groups.len(),
            Operation::DeleteGroup { members, .. } => members.len(),
            Operation::ChangeMembers { removed, .. } => removed.len(),
            _ => 0,
        })
        .sum()
}

pub(crate) fn check(server: &Server, plan: &Plan) {
    let removals = plan.removals;
    assert_eq!(removals.memberships, ended(server, plan));
    assert_eq!(removals.memberships, named(plan));
    assert!(removals.memberships <= removals.memberships_before);
    assert!(removals.users <= removals.users_before);
    assert!(removals.groups <= removals.groups_before);
    assert!(removals.renames <= removals.users_before);
}

/// A directory and a server in which every figure is different, and in which unmanaged users and
/// groups outnumber the managed ones.
fn world() -> (Desired, Server) {
    let directory = Directory::default()
        .user("1", "ann")
        .user("2", "bob")
        .user("3", "renamed")
        .user("4", "dea")
        .disabled("4")
        .user("5", "eve")
        .group("71", "readers", &["1", "2", "3"])
        .group("72", "admins", &["1"]);
    let mut server = Server::default();
    // Users 6 to 8 are not in the directory; 8 is inactive.
    let names = ["ann", "bob", "cid", "dea", "eve", "gone6", "gone7", "gone8"];
    for (index, name) in names.iter().enumerate() {
        server = server.managed_user(&(index + 1).to_string(), name);
    }
    server = server.inactive("u8");
    for id in 0..20 {
        server = server.user(&format!("x{id}"), None, &format!("other{id}"));
    }
    for id in 0..10 {
        server = server.group(
            &format!("y{id}"),
            None,
            &format!("others{id}"),
            &["u6", "u1", "x1"],
        );
    }
    let readers = ["u1", "u2", "u3", "u6", "u8", "x1", "x2"];
    let server = server
        .managed_group("71", "readers", &readers)
        .managed_group("72", "admins", &["u1", "u2", "u7"])
        .managed_group("73", "gone", &["u1", "u2", "u4", "u6", "x3"])
        .managed_group("74", "gone and empty", &[])
        .managed_group("75", "gone and empty as well", &[]);
    (directory.0, server)
}

#[test]
fn the_figures_of_a_plan_count_each_loss_of_access_once() {
    let (desired, server) = world();
    let figures = |leavers, gone_groups| {
        let policy = Policy {
            leavers,
            gone_groups,
            ..policy()
        };
        let plan = server.plan(&desired, &policy);
        check(&server, &plan);
        plan.removals
    };
    let base = Removals {
        users: 3,
        users_before: 7,
        renames: 1,
        groups: 1,
        groups_before: 5,
        memberships: 8,
        memberships_before: 12,
        no_users: false,
        no_groups: false,
    };
    // Two of readers (u6, u8), two of admins (u2, u7), four of the group that is gone; of this
    // one, u4 is disabled, and x3 belongs to others.
    assert_eq!(figures(Leavers::Deactivate, GoneGroups::Empty), base);
    // The membership of x3 ends with its group.
    let deleted_group = Removals {
        groups: 3,
        memberships: 9,
        memberships_before: 13,
        ..base
    };
    let found = figures(Leavers::Deactivate, GoneGroups::Delete);
    assert_eq!(found, deleted_group);
    let ignored_group = Removals {
        groups: 0,
        memberships: 4,
        ..base
    };
    let found = figures(Leavers::Deactivate, GoneGroups::Ignore);
    assert_eq!(found, ignored_group);
    let ignored_leavers = Removals { users: 1, ..base };
    assert_eq!(figures(Leavers::Ignore, GoneGroups::Empty), ignored_leavers);
    // Ten memberships in groups of others end with u6.
    let deleted_users = Removals {
        users: 4,
        users_before: 8,
        memberships: 18,
        memberships_before: 22,
        ..base
    };
    assert_eq!(figures(Leavers::Delete, GoneGroups::Empty), deleted_users);
    let all_deleted = Removals {
        groups: 3,
        memberships: 19,
        memberships_before: 23,
        ..deleted_users
    };
    assert_eq!(figures(Leavers::Delete, GoneGroups::Delete), all_deleted);
    // Of the group that is ignored, the membership of u6 ends with the user.
    let deleted_users_only = Removals {
        groups: 0,
        memberships: 15,
        ..deleted_users
    };
    let found = figures(Leavers::Delete, GoneGroups::Ignore);
    assert_eq!(found, deleted_users_only);
}

#[test]
fn memberships_of_others_that_stay_are_counted_apart() {
    let (desired, server) = world();
    for (gone_groups, expected) in [
        (GoneGroups::Empty, 3),
        (GoneGroups::Delete, 2),
        (GoneGroups::Ignore, 3),
    ] {
        let policy = Policy {
            gone_groups,
            ..policy()
        };
        let foreign = server.plan(&desired, &policy).foreign;
        let expected = Foreign {
            users: 20,
            groups: 10,
            memberships: expected,
        };
        assert_eq!(foreign, expected, "{gone_groups:?}");
    }
}

#[test]
fn the_same_loss_has_the_same_figure_whatever_causes_it() {
    let everyone = ["1", "2", "3", "4", "5", "6", "7", "8"];
    let directory = |people: &[&str], members: &[&str]| {
        let mut directory = Directory::default();
        for id in people {
            directory = directory.user(id, &format!("n{id}"));
        }
        directory
            .group("70", "kept", &["1"])
            .group("71", "all", members)
    };
    let mut server = Server::default();
    for id in everyone {
        server = server.managed_user(id, &format!("n{id}"));
    }
    let ids = everyone.map(|id| format!("u{id}"));
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let server = server
        .managed_group("70", "kept", &["u1"])
        .managed_group("71", "all", &ids);
    let mut without_group = directory(&everyone, &[]).0;
    without_group.groups.remove(&entry("71"));
    // Six of eight people lose the membership.
    let causes = [
        (
            "the people are deleted",
            directory(&["1", "2"], &["1", "2"]).0,
            6,
        ),
        (
            "the values are removed",
            directory(&everyone, &["1", "2"]).0,
            6,
        ),
        ("the group is deleted", without_group, 8),
    ];
    for (cause, desired, memberships) in causes {
        for leavers in [Leavers::Deactivate, Leavers::Delete, Leavers::Ignore] {
            for gone_groups in [GoneGroups::Empty, GoneGroups::Delete] {
                let policy = Policy {
                    leavers,
                    gone_groups,
                    ..policy()
                };
                let plan = server.plan(&desired, &policy);
                check(&server, &plan);
                let figures = (plan.removals.memberships, plan.removals.memberships_before);
                assert_eq!(
                    figures,
                    (memberships, 9),
                    "{cause} {leavers:?} {gone_groups:?}"
                );
                let safety = SafetyConfiguration::default();
                let total = plan.removals.total();
                let is_allowed =
                    |confirmed| safety::check(&plan.removals, &safety, confirmed).is_ok();
                assert!(!is_allowed(None), "{cause}");
                assert!(!is_allowed(Some(total - 1)), "{cause}");
                assert!(is_allowed(Some(total)), "{cause}");
            }
        }
    }
}

/// Carries out the plan for a directory, which consists of `expected`; the next plan is empty.
fn assert_plan(directory: &Directory, mut server: Server, expected: &[&str]) {
    let plan = server.plan(&directory.0, &policy());
    assert_eq!(lines(&plan), expected);
    server.carry_out(&plan);
    assert!(lines(&server.plan(&directory.0, &policy())).is_empty());
}

#[test]
fn a_deactivation_does_not_wait_for_a_user_name_that_is_in_use() {
    // Ann leaves and gets the name that bob has until he is renamed.
    let directory = Directory::default()
        .user("1", "bob")
        .disabled("1")
        .user("2", "bert");
    let server = Server::default()
        .managed_user("1", "ann")
        .managed_user("2", "bob");
    assert_plan(
        &directory,
        server,
        &[
            "0 update ann: active=false",
            "1 update bob: userName=bert displayName=bert",
            "2 update ann: userName=bob displayName=bob",
        ],
    );

    // A free name is part of the same write.
    let directory = Directory::default().user("1", "free").disabled("1");
    let server = Server::default().managed_user("1", "ann");
    let expected = "0 update ann: active=false userName=free displayName=free";
    assert_plan(&directory, server, &[expected]);
}

#[test]
fn an_e_mail_address_is_passed_on_in_order() {
    type Users<'a> = &'a [(&'a str, &'a str, &'a str)];
    let cases: [(Users<'_>, Users<'_>, &[&str]); 2] = [
        (
            &[("1", "ann", "b"), ("2", "bob", "c"), ("3", "cid", "d")],
            &[("1", "ann", "a"), ("2", "bob", "b"), ("3", "cid", "c")],
            &[
                "0 update cid: email=d",
                "1 update bob: email=c",
                "2 update ann: email=b",
            ],
        ),
        // From a leaver.
        (
            &[("1", "ann", "a"), ("2", "bob", "b")],
            &[("0", "left", "a"), ("1", "ann", "b"), ("2", "bob", "c")],
            &[
                "0 update left: active=false -email",
                "1 update ann: email=a",
                "2 update bob: email=b",
            ],
        ),
    ];
    for (wanted, current, expected) in cases {
        let (mut directory, mut server) = (Directory::default(), Server::default());
        for (id, name, email) in wanted {
            directory = directory.user(id, name).with(id, Attribute::Email, email);
        }
        for (id, name, email) in current {
            let user = format!("u{id}");
            server = server
                .managed_user(id, name)
                .with(&user, Attribute::Email, email);
        }
        assert_plan(&directory, server, expected);
    }
}

#[test]
fn a_free_e_mail_address_is_part_of_the_same_write() {
    let directory = Directory::default()
        .user("1", "ann")
        .with("1", Attribute::Email, "free")
        .with("1", Attribute::Title, "Head");
    let server = Server::default().managed_user("1", "ann");
    assert_plan(&directory, server, &["0 update ann: title=Head email=free"]);
}

#[test]
fn renames_count_for_active_users_that_stay_active() {
    let mut directory = Directory::default();
    let mut server = Server::default();
    for id in 0..10 {
        let id = id.to_string();
        directory = directory.user(&id, &format!("new{id}"));
        server = server.managed_user(&id, &format!("old{id}"));
    }
    // One leaves, one comes back, one keeps the name, and one name belongs to others.
    directory = directory.disabled("0").user("2", "old2");
    let server = server.inactive("u1").user("x", None, "new3");
    let removals = server.plan(&directory.0, &policy()).removals;
    assert_eq!(
        (removals.renames, removals.users, removals.users_before),
        (6, 1, 9)
    );
}
