use proptest::prelude::*;

use super::*;
use crate::snapshot::{Attributes, Snapshot};
use crate::source::decode::Readable;

fn user(name: &str, primary_group: Option<&str>) -> Decoded {
    Decoded::User(User {
        person: Person {
            id: EntryId(name.to_owned()),
            distinguished_name: format!("CN={name},DC=x"),
            active: true,
            ..Person::default()
        },
        expires: None,
        primary_group: primary_group.map(str::to_owned),
        uids: vec![name.to_owned()],
    })
}

fn group(name: &str, members: &[&str], uids: &[&str]) -> Decoded {
    Decoded::Group(Group {
        distinguished_name: format!("CN={name},OU=Groups,DC=x"),
        usable: Ok(Readable {
            id: EntryId(name.to_owned()),
            attributes: Attributes::new(),
            unreadable: BTreeSet::new(),
        }),
        names: vec![name.to_owned()],
        account_name: None,
        primary_key: Some(format!("S-{name}")),
        members: members.iter().map(|name| (*name).to_owned()).collect(),
        member_uids: uids.iter().map(|uid| (*uid).to_owned()).collect(),
    })
}

fn in_groups(name: &str) -> String {
    format!("cn={name},ou=groups,dc=X")
}

/// The members of each group of the snapshot.
fn members(snapshot: &Snapshot) -> Vec<(&str, Vec<&str>)> {
    snapshot
        .groups
        .iter()
        .map(|group| {
            let members = group.members.iter().map(|id| id.0.as_str()).collect();
            (group.id.0.as_str(), members)
        })
        .collect()
}

fn snapshot(directory: Directory, found: &[Node], member_of: &[Node], groups: &[Node]) -> Snapshot {
    directory.into_snapshot(&Scope {
        found: found.iter().map(|node| (*node, "DC=x")).collect(),
        member_of: member_of.to_vec(),
        groups: groups.to_vec(),
    })
}

#[test]
fn circles_of_groups_end_and_everybody_in_them_is_a_member_of_each() {
    let mut directory = Directory::default();
    directory.insert(user("ada", None));
    directory.insert(user("bob", None));
    let one = directory.insert(group("one", &["cn=ada,dc=x", &in_groups("two")], &[]));
    let two = directory.insert(group(
        "two",
        &["CN=Bob,DC=x", &in_groups("one"), &in_groups("two")],
        &[],
    ));
    let snapshot = snapshot(directory, &[], &[one], &[one, two]);
    assert_eq!(snapshot.people.len(), 2);
    let both = vec!["ada", "bob"];
    assert_eq!(members(&snapshot), [("one", both.clone()), ("two", both)]);
    assert!(snapshot.unusable.is_empty());
}

#[test]
fn the_primary_group_has_members_whom_it_does_not_name() {
    let mut directory = Directory::default();
    let everybody = directory.insert(group("everybody", &[], &[]));
    let aws = directory.insert(group("aws", &[&in_groups("everybody")], &[]));
    let ada = directory.insert(user("ada", Some("S-everybody")));
    directory.insert(user("bob", Some("S-of another domain")));
    let keys: Vec<&str> = directory.primary_keys(&[aws]).into_iter().collect();
    assert_eq!(keys, ["S-aws", "S-everybody"]);
    let snapshot = snapshot(directory, &[ada], &[], &[aws, everybody]);
    assert_eq!(
        members(&snapshot),
        [("aws", vec!["ada"]), ("everybody", vec!["ada"])]
    );
}

#[test]
fn members_named_by_uid_are_found_and_the_others_told() {
    let mut directory = Directory::default();
    directory.insert(user("ada", None));
    let posix = directory.insert(group("posix", &[], &["Ada", "nobody"]));
    let uids: Vec<String> = directory.member_uids(&[posix]).into_iter().collect();
    assert_eq!(uids, ["Ada", "nobody"]);
    let snapshot = snapshot(directory, &[], &[posix], &[posix]);
    assert_eq!(members(&snapshot), [("posix", vec!["ada"])]);
    assert_eq!(unresolved(&snapshot), [("posix", "nobody", NO_SUCH_UID)]);
}

/// The group, the value and the reason of each member value that leads to no entry.
fn unresolved(snapshot: &Snapshot) -> Vec<(&str, &str, &'static str)> {
    let members = snapshot.unresolved.iter();
    members
        .map(|member| (&*member.group_name, &*member.member, member.reason))
        .collect()
}

const FOREIGN: &str = "CN=S-1-5-21-1-2-3-4,CN=ForeignSecurityPrincipals,DC=x";

#[test]
fn a_member_that_leads_to_no_entry_is_a_note_with_its_group_and_no_unusable_entry() {
    let mut directory = Directory::default();
    directory.insert(user("ada", None));
    let values = [FOREIGN, "CN=gone,DC=x", "CN=ada,DC=x", "CN=far,DC=y"];
    let inner = directory.insert(group("inner", &values, &["nobody"]));
    let aws = directory.insert(group("aws", &[&in_groups("inner"), "CN=gone,DC=x"], &[]));
    let unread = directory.unread_members(&[aws]);
    let missing = [Missing::NoEntry, Missing::OtherServer];
    assert_eq!(unread.len(), missing.len());
    for (node, missing) in unread.into_iter().zip(missing) {
        directory.mark_missing(node, missing);
    }
    assert!(directory.unread_members(&[aws]).is_empty());
    let expected = [
        ("aws", "CN=gone,DC=x", Missing::NoEntry.reason()),
        ("inner", FOREIGN, Missing::OtherDomain.reason()),
        ("inner", "CN=far,DC=y", Missing::OtherServer.reason()),
        ("inner", "CN=gone,DC=x", Missing::NoEntry.reason()),
        ("inner", "nobody", NO_SUCH_UID),
    ];
    for (missing, reason) in [
        (Missing::NoEntry, "no entry has this name"),
        (Missing::OtherServer, "outside of the naming contexts"),
        (Missing::OtherDomain, "another domain"),
        (Missing::Excluded, "`source.excludedSubtrees`"),
    ] {
        assert!(missing.reason().contains(reason), "{missing:?}");
    }
    let snapshot = snapshot(directory, &[], &[aws], &[inner]);
    assert_eq!(unresolved(&snapshot), expected);
    assert!(snapshot.unusable.is_empty());
    assert_eq!(members(&snapshot), [("inner", vec!["ada"])]);
}

#[test]
fn a_member_that_may_not_be_read_is_unusable_where_members_are_in_scope() {
    for is_in_scope in [true, false] {
        let mut directory = Directory::default();
        let aws = directory.insert(group("aws", &["CN=hidden,DC=x"], &[]));
        let unread = directory.unread_members(&[aws]);
        directory.mark_unreadable(unread[0]);
        let member_of: &[Node] = if is_in_scope { &[aws] } else { &[] };
        let snapshot = snapshot(directory, &[], member_of, &[aws]);
        let unusable: Vec<_> = snapshot
            .unusable
            .iter()
            .map(|entry| (entry.kind, &entry.id, &*entry.reason))
            .collect();
        let expected = (
            Kind::Entry,
            &None,
            "in the group `aws`: it exists, and the account may not read it; let the account \
             read it",
        );
        assert_eq!(unusable, &[expected][..usize::from(is_in_scope)]);
        assert!(snapshot.unresolved.is_empty());
        // A search decides about the scope: the member is reported and holds no one back.
        let reported: Vec<_> = snapshot
            .reported_members
            .iter()
            .map(|member| (member.kind, &member.id, &*member.reason))
            .collect();
        assert_eq!(reported, &[expected][..usize::from(!is_in_scope)]);
    }
}

#[test]
fn an_entry_without_an_identifier_counts_where_it_is_in_scope() {
    let unidentified = |name: &str| {
        Decoded::Unusable(Unusable {
            kind: Kind::User,
            distinguished_name: format!("CN={name},DC=x"),
            id: None,
            reason: "it has no identifier".to_owned(),
        })
    };
    let Decoded::Group(mut nameless) = group("nameless", &["CN=ada,DC=x"], &[]) else {
        unreachable!();
    };
    nameless.usable = Err(Unusable {
        kind: Kind::Group,
        distinguished_name: nameless.distinguished_name.clone(),
        id: None,
        reason: "it has no identifier".to_owned(),
    });
    let mut directory = Directory::default();
    directory.insert(user("ada", None));
    let found = directory.insert(unidentified("found"));
    directory.insert(unidentified("elsewhere"));
    directory.insert(Decoded::Group(nameless));
    let aws = directory.insert(group(
        "aws",
        &[&in_groups("nameless"), "CN=elsewhere,DC=x"],
        &[],
    ));
    let reasons = |snapshot: &Snapshot| -> Vec<String> {
        let reasons = snapshot.unusable.iter();
        reasons.map(|entry| entry.reason.clone()).collect()
    };
    // A group is only synchronized if it is in scope itself; members always count.
    let member_of = snapshot(directory, &[found], &[aws], &[]);
    assert_eq!(
        reasons(&member_of),
        [
            "in the group `aws`: it has no identifier",
            "below `DC=x`: it has no identifier"
        ]
    );
    assert_eq!(member_of.people.len(), 1);
}

#[test]
fn a_user_read_under_two_names_is_one_person() {
    let mut directory = Directory::default();
    let before = directory.insert(user("ada", None));
    let Decoded::User(mut moved) = user("ada", None) else {
        unreachable!();
    };
    moved.person.distinguished_name = "CN=ada,OU=Elsewhere,DC=x".to_owned();
    let after = directory.insert(Decoded::User(moved));
    let snapshot = snapshot(directory, &[before, after], &[], &[]);
    assert_eq!(snapshot.people.len(), 1);
    assert_eq!(
        snapshot.people[0].distinguished_name,
        "CN=ada,OU=Elsewhere,DC=x"
    );
}

#[test]
fn a_group_is_called_by_one_of_its_names_or_by_its_distinguished_name() {
    let mut directory = Directory::default();
    let aws = directory.insert(group("aws", &[], &[]));
    let names = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let called = directory.groups_named(&names(&["AWS", &in_groups("aws")]));
    assert_eq!(called.unwrap(), [aws, aws]);
    let missing = directory.groups_named(&names(&["azure"]));
    assert!(matches!(missing, Err(Error::GroupNotFound(_))));
    let missing = directory.groups_named(&names(&["CN=azure,DC=x"]));
    assert!(matches!(missing, Err(Error::GroupNotFound(_))));
    let Decoded::Group(mut twin) = group("aws", &[], &[]) else {
        unreachable!();
    };
    twin.distinguished_name = "CN=aws,OU=Other,DC=x".to_owned();
    directory.insert(Decoded::Group(twin));
    let ambiguous = directory.groups_named(&names(&["aws"]));
    assert!(matches!(ambiguous, Err(Error::GroupAmbiguous { found, .. }) if found.len() == 2));
}

#[test]
fn a_distinguished_name_that_two_groups_have_here_is_that_of_none() {
    let mut directory = Directory::default();
    let aws = directory.insert(group("aws", &[], &[]));
    let name = [in_groups("aws")];
    assert_eq!(directory.groups_named(&name).unwrap(), [aws]);
    let Decoded::Group(mut twin) = group("twin", &[], &[]) else {
        unreachable!();
    };
    twin.distinguished_name = "CN=AWS,OU=Groups,DC=x".to_owned();
    directory.insert(Decoded::Group(twin));
    let named = directory.groups_named(&name);
    assert!(matches!(named, Err(Error::GroupNotFound(_))));
}

/// A user with a `uid` and a primary group.
fn posix(name: &str, uid: &str, is_active: bool) -> Decoded {
    let Decoded::User(mut found) = user(name, None) else {
        unreachable!();
    };
    found.person.active = is_active;
    found.uids = vec![uid.to_owned()];
    Decoded::User(found)
}

fn reported(snapshot: &Snapshot) -> Vec<&str> {
    assert!(snapshot.unusable.is_empty());
    let ids = snapshot
        .reported_members
        .iter()
        .filter_map(|entry| entry.id.as_ref());
    ids.map(|id| id.0.as_str()).collect()
}

fn uncertain(snapshot: &Snapshot) -> Vec<&str> {
    let ids = snapshot.uncertain_users.iter();
    ids.map(|id| id.0.as_str()).collect()
}

#[test]
fn a_uid_that_several_users_have_gives_access_to_the_only_active_one() {
    for (active, expected, is_uncertain) in [
        ([true, true], &[][..], true),
        ([true, false], &["p0"], false),
        ([false, true], &["p1"], false),
        ([false, false], &[], true),
    ] {
        for is_nested in [false, true] {
            let mut directory = Directory::default();
            let found: Vec<Node> = active
                .iter()
                .enumerate()
                .map(|(index, active)| {
                    directory.insert(posix(&format!("p{index}"), "Shared", *active))
                })
                .collect();
            let inner = directory.insert(group("inner", &[], &["shared"]));
            let outer = directory.insert(group("outer", &[&in_groups("inner")], &[]));
            let scope = if is_nested { outer } else { inner };
            let snapshot = snapshot(directory, &found, &[], &[scope]);
            let case = format!("{active:?} {is_nested}");
            assert_eq!(members(&snapshot)[0].1, expected, "{case}");
            let uncertain = snapshot.groups[0].uncertain_members.len();
            assert_eq!(uncertain, if is_uncertain { 2 } else { 0 }, "{case}");
            // An inactive user needs no access, and is not reported.
            let is_reported = active == [true, true];
            let expected: &[&str] = if is_reported { &["p0", "p1"] } else { &[] };
            assert_eq!(reported(&snapshot), expected, "{case}");
        }
    }
}

#[test]
fn a_uid_that_several_users_have_puts_none_of_them_into_scope() {
    // Of three, whether each is active; who is in scope; who may be; who is reported.
    let cases: [(_, &[&str], &[&str]); 4] = [
        ([true, true, true], &[], &["p0", "p1", "p2"]),
        ([true, false, true], &["p1"], &["p0", "p2"]),
        ([false, false, false], &["p0", "p1", "p2"], &[]),
        ([false, true, false], &["p1"], &[]),
    ];
    for (active, in_scope, may_be) in cases {
        let mut directory = Directory::default();
        for (index, active) in active.into_iter().enumerate() {
            directory.insert(posix(&format!("p{index}"), "shared", active));
        }
        let aws = directory.insert(group("aws", &[], &["shared"]));
        let snapshot = snapshot(directory, &[], &[aws], &[aws]);
        let people: Vec<&str> = snapshot.people.iter().map(|user| &*user.id.0).collect();
        assert_eq!(people, in_scope, "{active:?}");
        assert_eq!(uncertain(&snapshot), may_be, "{active:?}");
        assert_eq!(reported(&snapshot), may_be, "{active:?}");
        for member in &snapshot.reported_members {
            assert_eq!(member.kind, Kind::User);
            assert!(member.reason.contains("3 entries have this uid"));
        }
    }
}

#[test]
fn a_uid_that_several_users_have_keeps_no_one_in_the_scope_of_a_search() {
    let mut directory = Directory::default();
    let found = directory.insert(posix("p0", "shared", true));
    directory.insert(posix("p1", "shared", true));
    let aws = directory.insert(group("aws", &[], &["shared"]));
    let snapshot = snapshot(directory, &[found], &[], &[aws]);
    assert_eq!(snapshot.people.len(), 1);
    assert!(uncertain(&snapshot).is_empty());
    assert_eq!(reported(&snapshot), ["p0", "p1"]);
}

#[test]
fn a_primary_group_that_is_one_of_several_has_uncertain_members() {
    let with_key = |name: &str| {
        let Decoded::Group(mut found) = group(name, &[], &[]) else {
            unreachable!();
        };
        found.primary_key = Some("1000".to_owned());
        Decoded::Group(found)
    };
    for is_found in [true, false] {
        let mut directory = Directory::default();
        let one = directory.insert(with_key("one"));
        let two = directory.insert(with_key("two"));
        let ada = directory.insert(user("ada", Some("1000")));
        let (found, member_of) = if is_found {
            (vec![ada], vec![])
        } else {
            (vec![], vec![one])
        };
        let snapshot = snapshot(directory, &found, &member_of, &[one, two]);
        let people: Vec<&str> = snapshot.people.iter().map(|user| &*user.id.0).collect();
        let expected: &[&str] = &["ada"];
        assert_eq!(people, &expected[..usize::from(is_found)]);
        assert_eq!(uncertain(&snapshot), &expected[..usize::from(!is_found)]);
        for group in &snapshot.groups {
            assert!(group.members.is_empty());
            let uncertain = &group.uncertain_members;
            assert_eq!(uncertain.len(), usize::from(is_found));
        }
        let kinds: Vec<Kind> = snapshot
            .reported_members
            .iter()
            .map(|one| one.kind)
            .collect();
        assert_eq!(kinds, [Kind::Group, Kind::Group]);
        assert_eq!(reported(&snapshot), ["one", "two"]);
    }
}

#[test]
fn entries_that_differ_for_the_server_only_are_not_taken_for_each_other() {
    let mut directory = Directory::default();
    let named = |id: &str, name: &str| {
        let Decoded::User(mut found) = user(id, None) else {
            unreachable!();
        };
        found.person.distinguished_name = format!("CN={name},DC=x");
        Decoded::User(found)
    };
    let lower = directory.insert(named("p0", "ada"));
    let upper = directory.insert(named("p1", "ADA"));
    assert_ne!(lower, upper);
    // Read again, each is itself.
    assert_eq!(directory.insert(named("p0", "ada")), lower);
    assert_eq!(directory.insert(named("p1", "ADA")), upper);
    let aws = directory.insert(group("aws", &["CN=ada,DC=x"], &[]));
    let snapshot = snapshot(directory, &[lower, upper], &[], &[aws]);
    assert_eq!(snapshot.people.len(), 2);
    assert!(snapshot.groups[0].members.is_empty());
    assert_eq!(snapshot.groups[0].uncertain_members.len(), 2);
    assert_eq!(reported(&snapshot), ["p0", "p1"]);
}

/// The same entry by another name.
fn renamed(entry: Decoded, name: &str) -> Decoded {
    match entry {
        Decoded::User(mut user) => {
            user.person.distinguished_name = name.to_owned();
            Decoded::User(user)
        }
        Decoded::Group(mut group) => {
            group.distinguished_name = name.to_owned();
            Decoded::Group(group)
        }
        other => other,
    }
}

#[test]
fn all_that_is_in_an_uncertain_group_is_uncertain() {
    let mut directory = Directory::default();
    let people = ["ada", "bob", "cid"].map(|name| directory.insert(user(name, None)));
    directory.insert(group("inner", &["CN=ada,DC=x", &in_groups("nested")], &[]));
    directory.insert(group("nested", &["CN=bob,DC=x"], &[]));
    let twin = renamed(group("twin", &[], &[]), "CN=INNER,OU=Groups,DC=x");
    directory.insert(twin);
    let aws = directory.insert(group("aws", &[&in_groups("inner"), "CN=cid,DC=x"], &[]));
    let snapshot = snapshot(directory, &people, &[], &[aws]);
    assert_eq!(members(&snapshot), [("aws", vec!["cid"])]);
    let uncertain = &snapshot.groups[0].uncertain_members;
    let uncertain: Vec<&str> = uncertain.iter().map(|id| &*id.0).collect();
    assert_eq!(uncertain, ["ada", "bob"]);
}

#[test]
fn of_two_entries_with_one_name_here_the_server_gives_the_one_that_is_meant() {
    let mut directory = Directory::default();
    let lower = directory.insert(user("ada", None));
    let upper = directory.insert(renamed(user("other", None), "CN=ADA,DC=x"));
    let aws = directory.insert(group("aws", &["CN=the other ada,DC=x"], &[]));
    let [asked] = directory.unread_members(&[aws])[..] else {
        panic!("one name is unknown");
    };
    directory.mark_same(asked, upper);
    let snapshot = snapshot(directory, &[lower, upper], &[], &[aws]);
    assert_eq!(members(&snapshot), [("aws", vec!["other"])]);
    assert!(snapshot.groups[0].uncertain_members.is_empty());
    assert!(reported(&snapshot).is_empty());
}

#[test]
fn a_number_that_several_groups_have_is_reported_if_one_of_them_matters() {
    let with_key = |name: &str| {
        let Decoded::Group(mut found) = group(name, &[], &[]) else {
            unreachable!();
        };
        found.primary_key = Some("1000".to_owned());
        Decoded::Group(found)
    };
    let mut directory = Directory::default();
    directory.insert(with_key("one"));
    directory.insert(with_key("two"));
    let aws = directory.insert(group("aws", &[], &[]));
    assert!(reported(&snapshot(directory, &[], &[], &[aws])).is_empty());
    // A group that was moved during the read is one group.
    let mut directory = Directory::default();
    let before = directory.insert(with_key("one"));
    let after = directory.insert(renamed(with_key("one"), "CN=one,OU=Elsewhere,DC=x"));
    let ada = directory.insert(user("ada", Some("1000")));
    let snapshot = snapshot(directory, &[ada], &[], &[before, after]);
    assert!(reported(&snapshot).is_empty());
    assert_eq!(members(&snapshot), [("one", vec!["ada"])]);
}

#[test]
fn the_entry_that_the_server_gives_for_a_name_is_the_member() {
    let mut directory = Directory::default();
    let aws = directory.insert(group("aws", &["CN=Jose\u{301},DC=x"], &[]));
    let [asked] = directory.unread_members(&[aws])[..] else {
        panic!("one name is unknown");
    };
    let found = directory.insert(user("José", None));
    directory.mark_same(asked, found);
    assert!(directory.unread_members(&[aws]).is_empty());
    assert_eq!(
        directory.name_of_entry("CN=Jose\u{301},DC=x"),
        Some("CN=José,DC=x")
    );
    let snapshot = snapshot(directory, &[], &[aws], &[aws]);
    assert_eq!(members(&snapshot), [("aws", vec!["José"])]);
    assert!(snapshot.unresolved.is_empty());
}

#[test]
fn an_entry_that_had_the_name_before_keeps_memberships_and_gets_none() {
    let mut directory = Directory::default();
    let ada = directory.insert(user("ada", None));
    let aws = directory.insert(group("aws", &["CN=before,DC=x"], &[]));
    let [asked] = directory.unread_members(&[aws])[..] else {
        panic!("one name is unknown");
    };
    directory.mark_missing(asked, Missing::NoEntry);
    directory.mark_renamed(asked, ada);
    let snapshot = snapshot(directory, &[ada], &[], &[aws]);
    assert!(snapshot.groups[0].members.is_empty());
    assert_eq!(
        snapshot.groups[0].uncertain_members,
        [EntryId("ada".to_owned())].into()
    );
    assert_eq!(snapshot.unresolved.len(), 1);
    assert!(reported(&snapshot).is_empty());
}

#[test]
fn an_entry_that_had_the_name_before_is_not_put_into_scope_and_its_user_stays() {
    let mut directory = Directory::default();
    let ada = directory.insert(user("ada", None));
    let aws = directory.insert(group("aws", &["CN=before,DC=x"], &[]));
    let [asked] = directory.unread_members(&[aws])[..] else {
        panic!("one name is unknown");
    };
    directory.mark_missing(asked, Missing::NoEntry);
    directory.mark_renamed(asked, ada);
    let snapshot = snapshot(directory, &[], &[aws], &[aws]);
    assert!(snapshot.people.is_empty());
    assert_eq!(uncertain(&snapshot), ["ada"]);
    assert!(reported(&snapshot).is_empty());
}

#[test]
fn a_member_that_is_neither_a_user_nor_a_group_is_reported_with_its_classes() {
    let mut directory = Directory::default();
    directory.insert(Decoded::Other(Other {
        distinguished_name: "CN=plain,DC=x".to_owned(),
        id: Some(EntryId("plain".to_owned())),
        classes: vec!["organizationalPerson".to_owned(), "person".to_owned()],
    }));
    directory.insert(Decoded::Other(Other {
        distinguished_name: "CN=elsewhere,DC=x".to_owned(),
        id: None,
        classes: Vec::new(),
    }));
    let aws = directory.insert(group("aws", &["cn=plain,dc=x"], &[]));
    let snapshot = snapshot(directory, &[], &[], &[aws]);
    assert_eq!(snapshot.reported_members.len(), 1);
    let other = &snapshot.reported_members[0];
    assert_eq!(other.kind, Kind::Entry);
    assert_eq!(other.id, Some(EntryId("plain".to_owned())));
    assert!(
        other
            .reason
            .contains("`aws`, but of the object classes organizationalPerson, person")
    );
    assert!(snapshot.unusable.is_empty(), "no leaver is held back");
}

#[test]
fn the_next_expiry_is_the_earliest_of_all_accounts() {
    let mut directory = Directory::default();
    assert_eq!(directory.next_expiry(), None);
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    for (name, expires) in [
        ("a", Some(at("2026-03-01T00:00:00Z"))),
        ("b", None),
        ("c", Some(at("2026-02-01T00:00:00Z"))),
    ] {
        let Decoded::User(mut found) = user(name, None) else {
            unreachable!();
        };
        found.expires = expires;
        directory.insert(Decoded::User(found));
    }
    assert_eq!(directory.next_expiry(), Some(at("2026-02-01T00:00:00Z")));
}

#[test]
fn groups_in_scope_are_below_a_base_and_called_by_a_pattern() {
    let mut directory = Directory::default();
    let mut insert = |name: &str, names: &[&str], unit: &str| {
        let Decoded::Group(mut found) = group(name, &[], &[]) else {
            unreachable!();
        };
        found.distinguished_name = format!("CN={name},OU={unit},DC=x");
        found.names = names.iter().map(|name| (*name).to_owned()).collect();
        directory.insert(Decoded::Group(found))
    };
    let plain = insert("aws-a", &["aws-a"], "Groups");
    let second_name = insert("b", &["b", "AWS-b"], "Groups");
    let other_pattern = insert("admins", &["admins"], "Groups");
    insert("aws-c", &["aws-c"], "Elsewhere");
    insert("azure", &["azure"], "Groups");
    insert("aws-d", &[], "Groups");
    let names = |names: &[&str]| GroupScope {
        names: names
            .iter()
            .map(|name| (*name).to_owned().try_into().unwrap())
            .collect(),
        ..GroupScope::default()
    };
    let bases = [DistinguishedName::try_from("ou=groups,dc=X".to_owned()).unwrap()];
    let found = directory.groups_in_scope(&bases, &names(&["aws-*", "admins"]));
    assert_eq!(found, [plain, second_name, other_pattern]);
    assert!(directory.groups_in_scope(&bases, &names(&[])).is_empty());
    assert!(directory.groups_in_scope(&[], &names(&["*"])).is_empty());
}

proptest! {
    /// Against the plain definition: who is reached by following memberships until nothing
    /// new is found.
    #[test]
    fn members_are_all_who_can_be_reached(
        edges in prop::collection::vec((0_usize..8, 0_usize..8), 0..24),
        people in prop::collection::vec((0_usize..8, 0_usize..6), 0..16),
    ) {
        let mut directory = Directory::default();
        for person in 0..6 {
            directory.insert(user(&format!("p{person}"), None));
        }
        for node in 0..8 {
            let nested = edges.iter().filter(|(from, _)| *from == node);
            let direct = people.iter().filter(|(from, _)| *from == node);
            let members: Vec<String> = nested
                .map(|(_, to)| in_groups(&format!("g{to}")))
                .chain(direct.map(|(_, to)| format!("CN=p{to},DC=x")))
                .collect();
            let members: Vec<&str> = members.iter().map(String::as_str).collect();
            directory.insert(group(&format!("g{node}"), &members, &[]));
        }
        let groups: Vec<Node> = directory.groups().map(|(node, _)| node).collect();
        let snapshot = snapshot(directory, &[], &groups, &groups);
        for (node, found) in snapshot.groups.iter().enumerate() {
            let mut reached = BTreeSet::from([node]);
            for _ in 0..8 {
                let more: Vec<usize> = edges
                    .iter()
                    .filter(|(from, _)| reached.contains(from))
                    .map(|(_, to)| *to)
                    .collect();
                reached.extend(more);
            }
            let expected: BTreeSet<EntryId> = people
                .iter()
                .filter(|(from, _)| reached.contains(from))
                .map(|(_, to)| EntryId(format!("p{to}")))
                .collect();
            prop_assert_eq!(&found.members, &expected);
        }
    }
}
