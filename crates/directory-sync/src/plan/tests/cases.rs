//! Plans for single cases.

use super::*;

#[test]
fn an_empty_server_gets_users_first_and_groups_with_their_members() {
    let directory = Directory::default()
        .user("1", "ann")
        .user("2", "bob")
        .group("7", "admins", &["1", "2"])
        .group("8", "nobody", &[]);
    let mut server = Server::default();
    let first = server.plan(&directory.0, &policy());
    assert_eq!(
        lines(&first),
        [
            "0 create ann corp:1",
            "0 create bob corp:2",
            "1 create group admins with 2",
            "1 create group nobody with 0"
        ]
    );
    server.carry_out(&first);
    assert!(lines(&server.plan(&directory.0, &policy())).is_empty());
}

#[test]
fn exactly_what_differs_is_changed() {
    let directory = Directory::default()
        .user("1", "ann")
        .with("1", Attribute::Title, "Head")
        .user("2", "bob")
        .user("3", "cid")
        .disabled("3");
    let mut server = Server::default()
        .user("u1", Some("corp:1"), "anna")
        .user("u2", Some("corp:2"), "bob")
        .user("u3", Some("corp:3"), "cid");
    let bob = server.users.get_mut("u2").unwrap();
    bob.active = false;
    bob.profile.0.insert(Attribute::Title, "Old".to_owned());
    bob.profile
        .0
        .insert(Attribute::NickName, "not ours to fill".to_owned());
    assert_eq!(
        lines(&server.plan(&directory.0, &policy())),
        [
            "0 update cid: active=false",
            "1 update anna: userName=ann displayName=ann title=Head",
            "1 update bob: active=true -title",
        ]
    );
}

#[test]
fn leavers_are_deactivated_deleted_or_left() {
    let directory = Directory::default()
        .user("1", "ann")
        .group("7", "all", &["1"]);
    let server = Server::default()
        .user("u1", Some("corp:1"), "ann")
        .user("u2", Some("corp:2"), "bob")
        .group("g7", Some("corp:7"), "all", &["u1", "u2"]);
    for (leavers, expected) in [
        (
            Leavers::Deactivate,
            &["0 update bob: active=false", "0 members of all: +0 -1"][..],
        ),
        (Leavers::Delete, &["0 delete bob"]),
        (Leavers::Ignore, &["0 members of all: +0 -1"]),
    ] {
        let policy = Policy {
            leavers,
            ..policy()
        };
        assert_eq!(lines(&server.plan(&directory.0, &policy)), expected);
    }
}

#[test]
fn gone_groups_are_emptied_deleted_or_left() {
    let directory = Directory::default().user("1", "ann");
    let server = Server::default()
        .user("u1", Some("corp:1"), "ann")
        .group("g7", Some("corp:7"), "all", &["u1"])
        .group("g8", Some("corp:8"), "none", &[]);
    for (gone_groups, expected) in [
        (GoneGroups::Empty, &["0 members of all: +0 -1"][..]),
        (
            GoneGroups::Delete,
            &["0 delete group all", "0 delete group none"],
        ),
        (GoneGroups::Ignore, &[]),
    ] {
        let policy = Policy {
            gone_groups,
            ..policy()
        };
        assert_eq!(lines(&server.plan(&directory.0, &policy)), expected);
    }
}

#[test]
fn an_object_without_a_mark_is_never_changed() {
    let directory = Directory::default()
        .user("1", "ann")
        .group("7", "all", &["1"]);
    let server = Server::default()
        .user("u2", None, "root")
        .user("u3", Some("00u1"), "okta")
        .user("u4", Some("corp2:1"), "other")
        .user("u1", Some("corp:1"), "ann")
        .group("g1", None, "AWSControlTowerAdmins", &["u1", "u2"])
        .group("g7", Some("corp:7"), "all", &["u1", "u2"]);
    let plan = server.plan(&directory.0, &policy());
    assert!(lines(&plan).is_empty(), "{:?}", lines(&plan));
    assert_eq!(
        plan.foreign,
        Foreign {
            users: 3,
            groups: 1,
            memberships: 1
        }
    );
}

#[test]
fn a_name_of_an_unmanaged_user_is_reported_and_not_taken() {
    let directory = Directory::default()
        .user("1", "root")
        .user("2", "bob")
        .group("7", "Admins", &["2"]);
    let server = Server::default()
        .user("u1", None, "Root")
        .user("u2", Some("corp:2"), "bob")
        .group("g1", None, "admins", &[]);
    let plan = server.plan(&directory.0, &policy());
    assert!(lines(&plan).is_empty());
    assert_eq!(
        reasons(&plan),
        [
            "userName cannot be taken: user u1 has it, and is not this sync's; take it over with \
             `matchBy`, or rename one of both",
            "displayName cannot be taken: group g1 has it, and is not this sync's; take it over \
             with `matchBy`, or rename one of both"
        ]
    );
    let id = |id: &str| Some(ResourceId(id.to_owned()));
    let skipped = |plan: &Plan| -> Vec<_> {
        let skips = plan.skipped.iter();
        skips
            .map(|skip| {
                let Skip {
                    kind,
                    entry,
                    id,
                    holder,
                    attribute,
                    ..
                } = skip.clone();
                (kind, entry, id, holder, attribute)
            })
            .collect()
    };
    // Neither of both exists.
    assert_eq!(
        skipped(&plan),
        [
            (Kind::User, Some(entry("1")), None, id("u1"), None),
            (Kind::Group, Some(entry("7")), None, id("g1"), None),
        ]
    );
    // They exist by other names, and keep these.
    let server =
        server
            .user("u3", Some("corp:1"), "before")
            .group("g7", Some("corp:7"), "before", &["u2"]);
    let plan = server.plan(&directory.0, &policy());
    assert_eq!(lines(&plan), ["0 update before: displayName=root"]);
    let (name, display_name) = (Attribute::UserName, Attribute::DisplayName);
    assert_eq!(
        skipped(&plan),
        [
            (Kind::User, Some(entry("1")), id("u3"), id("u1"), Some(name)),
            (
                Kind::Group,
                Some(entry("7")),
                id("g7"),
                id("g1"),
                Some(display_name)
            ),
        ]
    );
}

#[test]
fn users_of_the_powershell_sample_are_taken_over_by_their_sid() {
    let directory =
        Directory::default()
            .user("1", "ann@example.test")
            .group("7", "aws-admins", &["1"]);
    let mut server = Server::default()
        .user("u1", Some("S-1-5-21-1-2-3-1"), "ann@example.test")
        .user("u2", Some("S-1-5-21-1-2-3-2"), "left@example.test")
        .user("u3", Some("S-1-5-21-9-9-9-3"), "other-domain@example.test")
        .group("g7", None, "aws-admins", &["u1", "u2"]);
    let mut policy = Policy {
        match_by: MatchBy::ObjectSid,
        ..policy()
    };
    assert_eq!(
        lines(&server.plan(&directory.0, &policy)),
        [
            "0 update ann@example.test: corp:1",
            "0 update group aws-admins: None Some(\"corp:7\")"
        ]
    );
    let plan = server.plan(&directory.0, &policy);
    let taken_over = TakenOver {
        users: 1,
        groups: 1,
    };
    assert_eq!(plan.taken_over, taken_over);
    let left_behind: Vec<&str> = plan.left_behind.iter().map(|user| &*user.name).collect();
    assert_eq!(left_behind, ["left@example.test"]);

    policy.take_over_leavers = true;
    let of_left = Identifier::Sid("S-1-5-21-1-2-3-2".to_owned());
    let (_, matching) = server.current(&directory.0, &policy);
    assert_eq!(matching.missing(), [of_left.clone()].into());
    let looked_up = LookedUp {
        found: [(of_left, entry("2"))].into(),
        in_scope: BTreeSet::new(),
    };
    let mut doubtful = directory.0.clone();
    doubtful.unusable.insert(entry("2"));
    let plan = server.plan_looked_up(&doubtful, &policy, &looked_up);
    assert_eq!(plan.removals.users, 0, "its entry cannot be used");
    assert_eq!(held_back(&plan), [(Kind::User, "u2")]);
    doubtful.unusable = [entry("3")].into();
    let plan = server.plan_looked_up(&doubtful, &policy, &looked_up);
    assert_eq!(plan.removals.users, 1, "another entry cannot be used");
    doubtful.unidentified.insert(Kind::User);
    let plan = server.plan_looked_up(&doubtful, &policy, &looked_up);
    assert_eq!(plan.removals.users, 1, "its entry is known");
    let plan = server.plan(&doubtful, &policy);
    assert_eq!(plan.removals.users, 0);
    assert_eq!(held_back(&plan), [(Kind::User, "u2")]);
    let plan = server.plan(&directory.0, &policy);
    assert!(plan.left_behind.is_empty());
    assert_eq!(
        lines(&plan),
        [
            "0 update left@example.test: active=false",
            "0 members of aws-admins: +0 -1",
            "1 update ann@example.test: corp:1",
            "1 update group aws-admins: None Some(\"corp:7\")"
        ]
    );
    server.carry_out(&plan);
    let plan = server.plan(&directory.0, &policy);
    assert!(lines(&plan).is_empty());
    assert_eq!(plan.taken_over, TakenOver::default(), "they have the mark");
}

#[test]
fn users_are_taken_over_by_guid_or_by_name_as_asked() {
    let guid = "37750eb4-fab1-4350-9cd9-ade7070b02d5";
    let directory = Directory::default().user(guid, "ann");
    let by_guid = Server::default().user("u1", Some(&guid.to_uppercase()), "ann");
    assert_eq!(
        lines(&by_guid.plan(&directory.0, &policy())),
        [format!("0 update ann: corp:{guid}")]
    );
    let by_name = Policy {
        match_by: MatchBy::UserName,
        ..policy()
    };
    for external_id in [None, Some("00u1")] {
        let server = Server::default().user("u1", external_id, "ANN");
        assert_eq!(
            lines(&server.plan(&directory.0, &by_name)),
            [format!(
                "0 update ANN: corp:{guid} userName=ann displayName=ann"
            )]
        );
    }
    let of_another_sync = Server::default().user("u1", Some("corp2:9"), "ann");
    assert!(lines(&of_another_sync.plan(&directory.0, &by_name)).is_empty());
}

#[test]
fn a_person_deleted_and_created_again_gets_a_new_user_if_leavers_are_deleted() {
    let directory = Directory::default()
        .user("2", "ann")
        .group("7", "all", &["2"]);
    let server = Server::default().user("u1", Some("corp:1"), "ann").group(
        "g7",
        Some("corp:7"),
        "all",
        &["u1"],
    );
    let delete = Policy {
        leavers: Leavers::Delete,
        ..policy()
    };
    assert_eq!(
        lines(&server.plan(&directory.0, &delete)),
        [
            "0 delete ann",
            "1 create ann corp:2",
            "2 members of all: +1 -0"
        ]
    );
    assert!(server.plan(&directory.0, &delete).reassigned.is_empty());
    for leavers in [Leavers::Deactivate, Leavers::Ignore] {
        let policy = Policy {
            leavers,
            ..policy()
        };
        let plan = server.plan(&directory.0, &policy);
        assert_eq!(
            lines(&plan),
            ["0 update ann: corp:2"],
            "the name is taken, so the user is taken over"
        );
        assert_eq!(reassigned(&plan), [(Kind::User, "u1", "1", "2")]);
    }
}

/// The objects that are reassigned, with both entries.
fn reassigned(plan: &Plan) -> Vec<(Kind, &str, &str, &str)> {
    let reassigned = plan.reassigned.iter();
    reassigned
        .map(|one| {
            let (id, new) = (one.subject.id.as_ref(), one.subject.entry.as_ref());
            (one.kind, &*id.unwrap().0, &*one.old.0, &*new.unwrap().0)
        })
        .collect()
}

#[test]
fn every_object_that_another_entry_adopts_by_its_name_is_listed_with_both_entries() {
    // Ann, bob and the group `all` are created again; cid is renamed, and dea joins.
    let directory = Directory::default()
        .user("11", "ANN")
        .user("12", "bob")
        .disabled("12")
        .user("3", "cid.new")
        .user("14", "dea")
        .group("17", "All", &["11"])
        .group("8", "kept", &[]);
    let mut server = Server::default()
        .user("u1", Some("corp:1"), "ann")
        .user("u2", Some("corp:2"), "bob")
        .user("u3", Some("corp:3"), "cid")
        .user("u4", None, "other")
        .group("g7", Some("corp:7"), "all", &["u1"])
        .group("g8", Some("corp:8"), "kept", &[]);
    server.users.get_mut("u2").unwrap().active = false;
    let plan = server.plan(&directory.0, &policy());
    assert_eq!(
        reassigned(&plan),
        [
            (Kind::User, "u1", "1", "11"),
            (Kind::User, "u2", "2", "12"),
            (Kind::Group, "g7", "7", "17"),
        ]
    );
    server.carry_out(&plan);
    let again = server.plan(&directory.0, &policy());
    assert!(lines(&again).is_empty() && again.reassigned.is_empty());

    let ignored = Policy {
        gone_groups: GoneGroups::Delete,
        leavers: Leavers::Delete,
        ..policy()
    };
    assert!(server.plan(&directory.0, &ignored).reassigned.is_empty());
}

#[test]
fn a_user_that_may_or_may_not_be_in_scope_keeps_everything_and_no_run_fails_for_it() {
    let (mut directory, server) = leaving();
    directory.0.uncertain = [entry("2"), entry("9")].into();
    for leavers in [Leavers::Deactivate, Leavers::Delete, Leavers::Ignore] {
        let policy = Policy {
            leavers,
            ..policy()
        };
        let plan = server.plan_looked_up(&directory.0, &policy, &looked_up(&["2", "3"], &[]));
        assert!(held_back(&plan).is_empty());
        let mut after = server.clone();
        after.carry_out(&plan);
        assert_eq!(after.users["u2"], server.users["u2"]);
        assert!(after.groups["g7"].1.contains("u2"));
        assert!(!after.groups["g7"].1.contains("u3"));
        assert_eq!(after.groups["g9"], server.groups["g9"]);
    }
    // A user without a mark, who is recognised by the security identifier.
    let directory = Directory::default().user("1", "ann");
    let server = Server::default().user("u2", Some("S-1-5-21-1-2-3-2"), "bob");
    let policy = Policy {
        match_by: MatchBy::ObjectSid,
        take_over_leavers: true,
        ..policy()
    };
    let found = LookedUp {
        found: [(Identifier::Sid("S-1-5-21-1-2-3-2".to_owned()), entry("2"))].into(),
        in_scope: BTreeSet::new(),
    };
    for (uncertain, users) in [(vec![], 1), (vec![entry("2")], 0)] {
        let mut desired = directory.0.clone();
        desired.uncertain = uncertain.into_iter().collect();
        let plan = server.plan_looked_up(&desired, &policy, &found);
        assert_eq!(plan.removals.users, users);
        assert!(held_back(&plan).is_empty());
    }
}

#[test]
fn a_person_who_cannot_be_mapped_is_left_alone_but_loses_access_with_the_account() {
    let server =
        Server::default()
            .user("u1", Some("corp:1"), "ann")
            .user("u2", Some("corp:2"), "bob");
    let mut directory = Directory::default()
        .user("1", "ann")
        .unmappable("1")
        .user("2", "bob")
        .unmappable("2")
        .disabled("2");
    directory.0.unusable.insert(entry("9"));
    let server = server.user("u9", Some("corp:9"), "unreadable");
    assert_eq!(
        lines(&server.plan(&directory.0, &policy())),
        ["0 update bob: active=false"]
    );
}

/// The looked-up entries that are not in scope.
fn looked_up(found: &[&str], in_scope: &[&str]) -> LookedUp {
    LookedUp {
        found: found
            .iter()
            .map(|id| (Identifier::Entry(entry(id)), entry(id)))
            .collect(),
        in_scope: in_scope.iter().map(|id| entry(id)).collect(),
    }
}

fn held_back(plan: &Plan) -> Vec<(Kind, &str)> {
    let objects = plan.held_back.iter();
    objects
        .map(|object| (object.kind, object.subject.id.as_ref().unwrap().0.as_str()))
        .collect()
}

/// Ann is in scope; the entries of bob, cid, dea and of the groups `gone` and `renamed` are not.
fn leaving() -> (Directory, Server) {
    let directory = Directory::default()
        .user("1", "ann")
        .group("7", "all", &["1"]);
    let server = Server::default()
        .user("u1", Some("corp:1"), "ann")
        .user("u2", Some("corp:2"), "bob")
        .user("u3", Some("corp:3"), "cid")
        .user("u4", Some("corp:4"), "dea")
        .group("g7", Some("corp:7"), "all", &["u1", "u2", "u3", "u4"])
        .group("g8", Some("corp:8"), "gone", &["u1"])
        .group("g9", Some("corp:9"), "renamed", &["u1"]);
    (directory, server)
}

#[test]
fn a_leaver_that_may_be_an_entry_without_an_identifier_is_held_back_alone() {
    let looked_up = looked_up(&["3", "4", "9"], &["4"]);
    let of_bob = (Kind::User, "u2");
    let of_gone = (Kind::Group, "g8");
    let cases = [
        (vec![], vec![]),
        (vec![Kind::User], vec![of_bob]),
        (vec![Kind::Group], vec![of_gone]),
        (vec![Kind::Entry], vec![of_bob, of_gone]),
        (vec![Kind::User, Kind::Group], vec![of_bob, of_gone]),
    ];
    for (unidentified, expected) in cases {
        let (mut directory, server) = leaving();
        directory.0.unidentified = unidentified.iter().copied().collect();
        let plan = server.plan_looked_up(&directory.0, &policy(), &looked_up);
        assert_eq!(held_back(&plan), expected, "{unidentified:?}");
        assert!(plan.skipped.is_empty());
        let is_held_back = |id| expected.iter().any(|(_, other)| *other == id);
        let mut lost = vec![];
        if !is_held_back("u2") {
            lost.push("0 update bob: active=false");
        }
        lost.push("0 update cid: active=false");
        // Dea was moved during the read, and keeps everything.
        lost.push(if is_held_back("u2") {
            "0 members of all: +0 -1"
        } else {
            "0 members of all: +0 -2"
        });
        if !is_held_back("g8") {
            lost.push("0 members of gone: +0 -1");
        }
        lost.push("0 members of renamed: +0 -1");
        assert_eq!(lines(&plan), lost, "{unidentified:?}");
    }
}

#[test]
fn exactly_the_entries_that_are_missing_are_looked_up() {
    let (directory, server) = leaving();
    let (_, matching) = server.current(&directory.0, &policy());
    let missing: Vec<Identifier> = ["2", "3", "4", "8", "9"]
        .map(|id| Identifier::Entry(entry(id)))
        .into();
    assert_eq!(Vec::from_iter(matching.missing()), missing);
}

#[test]
fn a_user_that_would_be_adopted_by_name_is_looked_up_first() {
    // The entry of u1 was moved during the read, and another entry has its name.
    let directory = Directory::default().user("2", "ann");
    let server = Server::default().user("u1", Some("corp:1"), "ann");
    let plan = server.plan_looked_up(&directory.0, &policy(), &looked_up(&["1"], &["1"]));
    assert!(lines(&plan).is_empty(), "{:?}", lines(&plan));
    let plan = server.plan_looked_up(&directory.0, &policy(), &looked_up(&["1"], &[]));
    assert_eq!(lines(&plan), ["0 update ann: corp:2"]);
}

#[test]
fn an_attribute_that_is_kept_is_not_changed() {
    let mut directory = Directory::default().user("1", "ann");
    let user = directory.0.users.get_mut(&entry("1")).unwrap();
    user.kept.insert(Attribute::Email);
    let mut server = Server::default().user("u1", Some("corp:1"), "ann");
    let email = (Attribute::Email, "ann@example.test".to_owned());
    server
        .users
        .get_mut("u1")
        .unwrap()
        .profile
        .0
        .extend([email]);
    assert!(lines(&server.plan(&directory.0, &policy())).is_empty());
}

#[test]
fn a_group_without_a_usable_name_keeps_its_name_and_loses_members() {
    let mut directory = Directory::default()
        .user("1", "ann")
        .user("2", "bob")
        .group("7", "unused", &["1"]);
    directory
        .0
        .groups
        .get_mut(&entry("7"))
        .unwrap()
        .display_name = None;
    let server = Server::default()
        .user("u1", Some("corp:1"), "ann")
        .user("u2", Some("corp:2"), "bob")
        .group("g7", Some("corp:7"), "all", &["u1", "u2"]);
    assert_eq!(
        lines(&server.plan(&directory.0, &policy())),
        ["0 members of all: +0 -1"]
    );
}

#[test]
fn the_server_keeps_a_value_that_is_as_right_as_the_chosen_one() {
    let mut directory = Directory::default()
        .user("1", "ann")
        .with("1", Attribute::Title, "A")
        .with("1", Attribute::Manager, "2")
        .user("2", "bob")
        .user("3", "cid")
        .group("7", "all", &[]);
    let ann = directory.0.users.get_mut(&entry("1")).unwrap();
    ann.alternatives = [
        (Attribute::Title, ["B".to_owned()].into()),
        (Attribute::Manager, ["3".to_owned()].into()),
    ]
    .into();
    let group = directory.0.groups.get_mut(&entry("7")).unwrap();
    group.other_names = ["everybody".to_owned()].into();
    let server = |title: &str, manager: &str, group: &str| {
        let mut server = Server::default()
            .user("u1", Some("corp:1"), "ann")
            .user("u2", Some("corp:2"), "bob")
            .user("u3", Some("corp:3"), "cid")
            .group("g7", Some("corp:7"), group, &[]);
        let profile = &mut server.users.get_mut("u1").unwrap().profile.0;
        profile.insert(Attribute::Title, title.to_owned());
        profile.insert(Attribute::Manager, manager.to_owned());
        server
    };
    for (title, manager, group) in [("A", "u2", "all"), ("B", "u3", "everybody")] {
        let plan = server(title, manager, group).plan(&directory.0, &policy());
        assert!(lines(&plan).is_empty(), "{:?}", lines(&plan));
    }
    assert_eq!(
        lines(&server("C", "u1", "others").plan(&directory.0, &policy())),
        [
            "0 update ann: title=A manager=u2",
            "0 update group others: Some(\"all\") None",
        ]
    );
}

#[test]
fn an_uncertain_member_stays_and_is_not_added() {
    let mut directory = Directory::default()
        .user("1", "ann")
        .user("2", "bob")
        .user("3", "cid")
        .group("7", "all", &["3"]);
    let group = directory.0.groups.get_mut(&entry("7")).unwrap();
    group.uncertain_members = ["1", "2"].map(entry).into();
    let server = Server::default()
        .user("u1", Some("corp:1"), "ann")
        .user("u2", Some("corp:2"), "bob")
        .user("u3", Some("corp:3"), "cid")
        .group("g7", Some("corp:7"), "all", &["u1", "u3"]);
    assert!(lines(&server.plan(&directory.0, &policy())).is_empty());
}

#[test]
fn an_object_is_recognised_by_another_of_the_names_of_its_entry() {
    let mut directory = Directory::default()
        .user("1", "ann")
        .user("2", "bob")
        .group("7", "all", &[]);
    let ann = directory.0.users.get_mut(&entry("1")).unwrap();
    ann.alternatives = [(
        Attribute::UserName,
        ["ann.berg".to_owned(), "Bob".to_owned()].into(),
    )]
    .into();
    let group = directory.0.groups.get_mut(&entry("7")).unwrap();
    group.other_names = ["everybody".to_owned()].into();
    let server = Server::default()
        .user("u1", None, "ann.berg")
        .user("u2", None, "bob")
        .group("g7", None, "Everybody", &[]);
    let by_name = Policy {
        match_by: MatchBy::UserName,
        ..policy()
    };
    assert_eq!(
        lines(&server.plan(&directory.0, &by_name)),
        [
            "0 update ann.berg: corp:1 displayName=ann",
            "0 update bob: corp:2",
            "0 update group Everybody: Some(\"all\") Some(\"corp:7\")",
        ]
    );
}

#[test]
fn an_address_is_written_as_a_whole() {
    let mut directory =
        Directory::default()
            .user("1", "ann")
            .with("1", Attribute::Locality, "Bonn");
    directory
        .0
        .managed
        .extend([Attribute::Locality, Attribute::Region]);
    let mut server = Server::default().user("u1", Some("corp:1"), "ann");
    server.users.get_mut("u1").unwrap().profile.0.extend([
        (Attribute::Locality, "Berlin".to_owned()),
        (Attribute::Region, "BE".to_owned()),
        (Attribute::Country, "DE".to_owned()),
    ]);
    assert_eq!(
        lines(&server.plan(&directory.0, &policy())),
        ["0 update ann: locality=Bonn country=DE"]
    );
}

#[test]
fn membership_changes_fill_requests_of_a_hundred() {
    let ids: Vec<String> = (0..350).map(|index| format!("{index:03}")).collect();
    let mut directory = Directory::default();
    let mut server = Server::default();
    for id in &ids {
        directory = directory.user(id, id);
        if id.as_str() < "340" {
            server = server.managed_user(id, id);
        }
    }
    // 150 leave the group, 30 come who are there, and ten who are new.
    let (leaving, coming) = (&ids[..150], &ids[310..]);
    let leaving: Vec<String> = leaving.iter().map(|id| format!("u{id}")).collect();
    let leaving: Vec<&str> = leaving.iter().map(String::as_str).collect();
    let coming: Vec<&str> = coming.iter().map(String::as_str).collect();
    let directory = directory.group("7", "all", &coming);
    let mut server = server.group("g7", Some("corp:7"), "all", &leaving);
    let plan = server.plan(&directory.0, &policy());
    let members: Vec<String> = lines(&plan)
        .into_iter()
        .filter(|line| line.contains("members"))
        .collect();
    assert_eq!(
        members,
        [
            "0 members of all: +0 -100",
            "0 members of all: +30 -50",
            "2 members of all: +10 -0"
        ]
    );
    server.carry_out(&plan);
    assert!(lines(&server.plan(&directory.0, &policy())).is_empty());
}

#[test]
fn a_new_group_of_more_than_a_hundred_is_made_with_a_hundred() {
    let mut directory = Directory::default();
    let ids: Vec<String> = (0..250).map(|index| format!("{index:03}")).collect();
    for id in &ids {
        directory = directory.user(id, id);
    }
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let directory = directory.group("7", "all", &ids);
    let plan = Server::default().plan(&directory.0, &policy());
    assert_eq!(
        lines(&plan)[250..],
        [
            "1 create group all with 100",
            "2 members of all: +100 -0",
            "2 members of all: +50 -0"
        ]
    );
}

#[test]
fn two_objects_with_one_mark_are_reported() {
    let directory = Directory::default().user("1", "ann");
    let server =
        Server::default()
            .user("u1", Some("corp:1"), "ann")
            .user("u2", Some("corp:1"), "ann2");
    let plan = server.plan(&directory.0, &policy());
    assert!(lines(&plan).is_empty());
    assert_eq!(
        reasons(&plan),
        ["user u2 has the externalId of another user: delete the one that is not used"]
    );
    let skip = &plan.skipped[0];
    assert_eq!((skip.kind, &skip.entry), (Kind::User, &Some(entry("1"))));
    let directory = Directory::default().group("7", "all", &[]);
    let server = Server::default()
        .group("g7", Some("corp:7"), "all", &[])
        .group("g8", Some("corp:7"), "all2", &[]);
    let plan = server.plan(&directory.0, &policy());
    assert!(lines(&plan).is_empty());
    assert_eq!(
        reasons(&plan),
        ["group g8 has the externalId of another group: delete the one that is not used"]
    );
    let skip = &plan.skipped[0];
    assert_eq!((skip.kind, &skip.entry), (Kind::Group, &Some(entry("7"))));
}

#[test]
fn plans_print_without_names() {
    let directory = Directory::default()
        .user("1", "canary")
        .group("7", "all", &["1"]);
    let plan = Server::default().plan(&directory.0, &policy());
    assert!(!format!("{:?}", plan.skipped).contains("canary"));
    let created = format!("{:?}", plan.phases[0]);
    assert!(!created.contains("canary"), "{created}");
    assert!(created.contains("Subject { entry: Some(EntryId(\"1\")), id: None, .. }"));
    let server = Server::default().user("u1", Some("corp:1"), "before");
    let plan = server.plan(&directory.0, &policy());
    let updated = format!("{:?}", plan.phases[0]);
    assert!(
        !updated.contains("canary") && !updated.contains("before"),
        "{updated}"
    );
    assert!(
        updated.contains(
            "UserChanges { active: None, external_id: None, set: [UserName, DisplayName], \
             removed: {}, new_manager: None }"
        ),
        "{updated}"
    );
}

#[test]
fn managers_are_named_by_the_ids_of_their_users() {
    // Ann and bob manage each other, and both manage one who is there already.
    let directory = Directory::default()
        .user("1", "ann")
        .with("1", Attribute::Manager, "2")
        .user("2", "bob")
        .with("2", Attribute::Manager, "1")
        .user("3", "cid")
        .with("3", Attribute::Manager, "1")
        .user("4", "dan")
        .with("4", Attribute::Manager, "3")
        .user("5", "eve")
        .with("5", Attribute::Manager, "6")
        .user("6", "fay")
        .disabled("6");
    let mut server =
        Server::default()
            .user("u3", Some("corp:3"), "cid")
            .user("u5", Some("corp:5"), "eve");
    for id in ["u3", "u5"] {
        let user = server.users.get_mut(id).unwrap();
        let gone = "u9".to_owned();
        user.profile.0.insert(Attribute::Manager, gone);
    }
    let plan = server.plan(&directory.0, &policy());
    assert_eq!(
        lines(&plan),
        [
            "0 create ann corp:1",
            "0 create bob corp:2",
            "0 create dan corp:4",
            "1 update ann: manager=2",
            "1 update bob: manager=1",
            "1 update cid: manager=1",
            "1 update eve: -manager",
        ],
        "nobody is made to be inactive, and so fay is nobody's manager"
    );
    server.carry_out(&plan);
    assert!(lines(&server.plan(&directory.0, &policy())).is_empty());
    let user = |name: &str| {
        let mut users = server.users.values();
        users
            .find(|user| user.profile.get(Attribute::UserName) == Some(name))
            .unwrap()
    };
    let manager = |name: &str| user(name).profile.get(Attribute::Manager);
    assert_eq!(manager("dan"), Some("u3"));
    assert_eq!(manager("ann"), Some(user("bob").id.0.as_str()));

    // A change of manager, between two who are there, is one write.
    let directory = Directory(directory.0).with("4", Attribute::Manager, "5");
    let plan = server.plan(&directory.0, &policy());
    assert_eq!(lines(&plan), ["0 update dan: manager=u5"]);
}
