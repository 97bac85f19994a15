//! What an OpenLDAP directory holds, and its limits.

use std::fmt::Write as _;

use directory_sync::snapshot::Kind;
use directory_sync::source::Error;

use crate::slapd::{ADVISED, DEFAULT, LIMITED, PASSWORD, READER, Slapd};
use crate::{group, members, person, read_with, values};

/// Users `u0000` and following.
fn people(count: usize) -> String {
    let mut ldif = String::new();
    for number in 0..count {
        let _ = write!(
            ldif,
            "dn: uid=u{number:04},ou=People,dc=example,dc=test
objectClass: inetOrgPerson
uid: u{number:04}
cn: User {number}
sn: {number}
mail: u{number:04}@example.test

"
        );
    }
    ldif
}

fn configuration(slapd: &Slapd, account: &str, more: &str) -> String {
    format!(
        "
flavor: openLdap
servers: ['ldap://127.0.0.1:{}']
allowPlaintext: true
bindName: {account}
searchBases: ['dc=example,dc=test']
{more}
",
        slapd.port
    )
}

const EVERYBODY: &str = "users: { searches: [{ base: 'ou=People,dc=example,dc=test' }] }";

#[test]
fn pages_reach_everybody_behind_the_limit_of_the_server() {
    let slapd = Slapd::start(&people(2_500), "");
    let snapshot = read_with(&configuration(&slapd, READER, EVERYBODY), PASSWORD).unwrap();
    assert_eq!(snapshot.people.len(), 2_500);
    assert!(snapshot.people.iter().all(|person| person.active));
    let some = person(&snapshot, "uid", "u1234");
    assert_eq!(
        some.distinguished_name,
        "uid=u1234,ou=People,dc=example,dc=test"
    );
    assert_eq!(some.attributes["mail"], ["u1234@example.test"]);
    assert_eq!(some.attributes["entryuuid"], [some.id.0.as_str()]);
}

#[test]
fn a_result_that_the_server_cuts_short_is_an_error_that_names_the_limit() {
    let slapd = Slapd::start(&people(1_500), "");
    let small_pages = format!("{EVERYBODY}\npageSize: 50");
    let large_pages = format!("{EVERYBODY}\npageSize: 1000");
    // The limit of all pages together, whatever the size of a page is; and the limit of a page.
    let cases = [
        (LIMITED, EVERYBODY, 4, "size.prtotal=unlimited", "pageSize"),
        (DEFAULT, EVERYBODY, 4, "size.prtotal=unlimited", "pageSize"),
        (
            DEFAULT,
            &small_pages,
            4,
            "size.prtotal=unlimited",
            "pageSize",
        ),
        (READER, &large_pages, 11, "lower `pageSize`", "prtotal"),
    ];
    for (account, more, code, advice, other) in cases {
        let error = read_with(&configuration(&slapd, account, more), PASSWORD)
            .err()
            .expect("half a directory is no snapshot");
        let Error::Search { failure, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(failure.code, code, "{error}");
        let text = error.to_string();
        assert!(text.contains("the result is not whole"), "{text}");
        assert!(text.contains(advice) && !text.contains(other), "{text}");
    }
    for more in [EVERYBODY, &small_pages, &large_pages] {
        let snapshot = read_with(&configuration(&slapd, ADVISED, more), PASSWORD);
        let snapshot = snapshot.expect("the advised limits are enough");
        assert_eq!(snapshot.people.len(), 1_500);
    }
}

const GROUPS: &str = "
dn: cn=aws-admins,ou=Groups,dc=example,dc=test
objectClass: groupOfNames
cn: aws-admins
member: UID=U0000, OU=People,dc=example,dc=test
member: cn=aws-circle,ou=groups,dc=example,dc=test

dn: cn=aws-circle,ou=Groups,dc=example,dc=test
objectClass: groupOfUniqueNames
cn: aws-circle
uniqueMember: uid=u0001,ou=People,dc=example,dc=test#'0101'B
uniqueMember: cn=aws-admins,ou=Groups,dc=example,dc=test
uniqueMember: cn=outside,ou=Elsewhere,dc=example,dc=test

dn: cn=aws-posix,ou=Groups,dc=example,dc=test
objectClass: posixGroup
cn: aws-posix
gidNumber: 1000
memberUid: u0002
memberUid: nobody

dn: cn=outside,ou=Elsewhere,dc=example,dc=test
objectClass: groupOfNames
cn: outside
member: uid=u0003,ou=People,dc=example,dc=test
member: uid=gone,ou=People,dc=example,dc=test

dn: cn=azure,ou=Groups,dc=example,dc=test
objectClass: groupOfNames
cn: azure
member: uid=u0004,ou=People,dc=example,dc=test
";

#[test]
fn members_of_all_kinds_of_groups_are_followed_through_circles_and_out_of_the_bases() {
    let slapd = Slapd::start(&format!("{}{GROUPS}", people(6)), "");
    let configuration = configuration(
        &slapd,
        READER,
        "
users: { memberOf: [aws-admins, 'cn=AWS-posix,ou=groups,dc=example,dc=test'] }
groups: { names: ['AWS-*'] }
",
    )
    .replace(
        "['dc=example",
        "['ou=People,dc=example,dc=test', 'ou=Groups,dc=example",
    );
    let snapshot = read_with(&configuration, PASSWORD).unwrap();
    assert_eq!(
        values(&snapshot, "uid"),
        ["u0000", "u0001", "u0002", "u0003"]
    );
    assert_eq!(snapshot.groups.len(), 3);
    let circle = ["u0000", "u0001", "u0003"];
    assert_eq!(members(&snapshot, "aws-admins", "uid"), circle);
    assert_eq!(members(&snapshot, "aws-circle", "uid"), circle);
    assert_eq!(members(&snapshot, "aws-posix", "uid"), ["u0002"]);
    let unresolved: Vec<_> = snapshot
        .unresolved
        .iter()
        .map(|value| (&*value.group_name, &*value.member))
        .collect();
    assert_eq!(
        unresolved,
        [
            ("aws-posix", "nobody"),
            ("outside", "uid=gone,ou=People,dc=example,dc=test")
        ]
    );
    assert!(snapshot.unusable.is_empty());
}

#[test]
fn a_group_of_thousands_is_read_whole() {
    let mut ldif = people(4_000);
    ldif.push_str(
        "dn: cn=large,ou=Groups,dc=example,dc=test\nobjectClass: groupOfNames\ncn: large\n",
    );
    for number in 0..4_000 {
        let _ = writeln!(
            ldif,
            "member: uid=u{number:04},ou=People,dc=example,dc=test"
        );
    }
    let slapd = Slapd::start(&ldif, "");
    let more = "users: { memberOf: [large] }\ngroups: { names: [large] }";
    let snapshot = read_with(&configuration(&slapd, READER, more), PASSWORD).unwrap();
    assert_eq!(snapshot.people.len(), 4_000);
    assert_eq!(group(&snapshot, "large").members.len(), 4_000);
    assert!(snapshot.unusable.is_empty());
}

#[test]
fn the_directory_says_by_attributes_who_is_active() {
    let mut ldif = people(3);
    ldif = ldif.replace("uid: u0001\n", "uid: u0001\nemployeeType: Left\n");
    ldif = ldif.replace("uid: u0002\n", "uid: u0002\nemployeeType: staff\n");
    let slapd = Slapd::start(&ldif, "");
    let more = "
users:
  searches: [{ base: 'dc=example,dc=test' }]
  inactiveWhen: { attribute: employeeType, values: [left] }
";
    let snapshot = read_with(&configuration(&slapd, READER, more), PASSWORD).unwrap();
    let active = |uid| person(&snapshot, "uid", uid).active;
    assert_eq!(
        (active("u0000"), active("u0001"), active("u0002")),
        (true, false, true)
    );
    // What was not asked for is not kept.
    let attributes = &person(&snapshot, "uid", "u0001").attributes;
    assert!(!attributes.contains_key("employeetype"));
}

#[test]
fn several_searches_with_filters_add_up_and_nobody_is_there_twice() {
    let slapd = Slapd::start(&people(30), "");
    let more = "
users:
  searches:
    - { base: 'ou=People,dc=example,dc=test', filter: '(uid=u000*)' }
    - { base: 'dc=example,dc=test', filter: '(|(uid=u0009)(uid=u0010))' }
    - { base: 'ou=Elsewhere,dc=example,dc=test' }
";
    let snapshot = read_with(&configuration(&slapd, READER, more), PASSWORD).unwrap();
    assert_eq!(snapshot.people.len(), 11);
}

#[test]
fn a_base_or_a_group_that_does_not_exist_is_an_error_and_not_an_empty_scope() {
    let slapd = Slapd::start(&people(1), "");
    let missing_group = "users: { memberOf: [aws-users] }";
    let error = read_with(&configuration(&slapd, READER, missing_group), PASSWORD)
        .err()
        .expect("nobody would be in scope");
    assert!(
        matches!(&error, Error::GroupNotFound(name) if name == "aws-users"),
        "{error}"
    );
    let missing_base = "users: { searches: [{ base: 'ou=Gone,dc=example,dc=test' }] }";
    let error = read_with(&configuration(&slapd, READER, missing_base), PASSWORD)
        .err()
        .expect("nobody would be in scope");
    insta::assert_snapshot!(
        error.to_string().replace(&slapd.port.to_string(), "PORT"),
        @"ldap://127.0.0.1:PORT: the search below `ou=Gone,dc=example,dc=test` failed: there is no such entry, or the account may not read it (result code 32)"
    );
}

/// One member of each kind.
const KINDS: &str = "
dn: uid=ann,ou=People,dc=example,dc=test
objectClass: inetOrgPerson
objectClass: posixAccount
uid: ann
cn: Ann
sn: Ann
uidNumber: 1
gidNumber: 1000
homeDirectory: /

dn: uid=bob,ou=People,dc=example,dc=test
objectClass: inetOrgPerson
uid: bob
cn: Bob
sn: Bob

dn: uid=twin,ou=People,dc=example,dc=test
objectClass: inetOrgPerson
uid: twin
cn: Twin
sn: Twin

dn: uid=twin,ou=Elsewhere,dc=example,dc=test
objectClass: inetOrgPerson
uid: twin
cn: Twin
sn: Twin

dn: cn=Plain,ou=People,dc=example,dc=test
objectClass: organizationalPerson
cn: Plain
sn: Plain

dn: uid=service,ou=People,dc=example,dc=test
objectClass: account
objectClass: posixAccount
uid: service
cn: Service
uidNumber: 2
gidNumber: 2000
homeDirectory: /

dn: cn=aws-admins,ou=Groups,dc=example,dc=test
objectClass: groupOfNames
cn: aws-admins
member: uid=ann,ou=People,dc=example,dc=test
member: cn=Plain,ou=People,dc=example,dc=test
member: uid=service,ou=People,dc=example,dc=test
member: ou=Elsewhere,dc=example,dc=test
member: cn=aws-posix,ou=Groups,dc=example,dc=test

dn: cn=aws-posix,ou=Groups,dc=example,dc=test
objectClass: posixGroup
cn: aws-posix
gidNumber: 1000
memberUid: bob
memberUid: twin

dn: cn=aws-dynamic,ou=Groups,dc=example,dc=test
objectClass: groupOfURLs
cn: aws-dynamic
memberURL: ldap:///ou=People,dc=example,dc=test??one?(uid=bob)
";

/// Generates the `member` values of `groupOfURLs`.
const DYNAMIC_GROUPS: &str = "include /etc/ldap/schema/dyngroup.schema
moduleload dynlist
overlay dynlist
dynlist-attrset groupOfURLs memberURL member";

#[test]
fn every_member_is_a_user_a_group_or_reported() {
    let slapd = Slapd::start(KINDS, DYNAMIC_GROUPS);
    let groups = "groups: { names: ['aws-*'] }";
    for users in [EVERYBODY, "users: { memberOf: [aws-admins, aws-dynamic] }"] {
        let more = format!("{users}\n{groups}");
        let snapshot = read_with(&configuration(&slapd, READER, &more), PASSWORD).unwrap();
        assert_eq!(
            members(&snapshot, "aws-admins", "uid"),
            ["ann", "bob"],
            "{users}"
        );
        assert_eq!(
            members(&snapshot, "aws-posix", "uid"),
            ["ann", "bob"],
            "{users}"
        );
        assert_eq!(members(&snapshot, "aws-dynamic", "uid"), ["bob"], "{users}");
        let (twins, others): (Vec<_>, Vec<_>) = snapshot
            .reported_members
            .iter()
            .partition(|member| member.kind == Kind::User);
        let mut others: Vec<_> = others
            .into_iter()
            .map(|other| {
                let classes = other.reason.split("classes ").nth(1).unwrap();
                (
                    other.distinguished_name.as_str(),
                    classes.split(", which").next().unwrap(),
                )
            })
            .collect();
        others.sort_unstable();
        assert_eq!(
            others,
            [
                (
                    "cn=Plain,ou=People,dc=example,dc=test",
                    "organizationalPerson"
                ),
                ("ou=Elsewhere,dc=example,dc=test", "organizationalUnit"),
                (
                    "uid=service,ou=People,dc=example,dc=test",
                    "account, posixAccount"
                ),
            ]
        );
        // Two users have the `uid`, though one of them only is found by the search.
        let mut twins: Vec<_> = twins
            .into_iter()
            .map(|twin| (twin.distinguished_name.as_str(), twin.id.is_some()))
            .collect();
        twins.sort_unstable();
        assert_eq!(
            twins,
            [
                ("uid=twin,ou=Elsewhere,dc=example,dc=test", true),
                ("uid=twin,ou=People,dc=example,dc=test", true),
            ]
        );
        assert!(snapshot.unusable.is_empty());
        let uncertain = if users == EVERYBODY { 0 } else { 2 };
        assert_eq!(snapshot.uncertain_users.len(), uncertain, "{users}");
    }
}

#[test]
fn the_configuration_names_the_object_classes_of_users_and_groups() {
    let slapd = Slapd::start(KINDS, DYNAMIC_GROUPS);
    let more = "
users:
  searches: [{ base: 'ou=People,dc=example,dc=test' }]
  objectClasses: [inetOrgPerson, account]
groups: { names: ['aws-*'], objectClasses: [groupOfNames] }
";
    let snapshot = read_with(&configuration(&slapd, READER, more), PASSWORD).unwrap();
    assert_eq!(values(&snapshot, "uid"), ["ann", "bob", "service", "twin"]);
    assert_eq!(snapshot.groups.len(), 1);
    assert_eq!(members(&snapshot, "aws-admins", "uid"), ["ann", "service"]);
    assert_eq!(snapshot.reported_members.len(), 3);
}

/// An alias of a user, below the base of the search and in a group.
const ALIAS: &str = "
dn: cn=ann,ou=People,dc=example,dc=test
objectClass: alias
objectClass: extensibleObject
cn: ann
aliasedObjectName: uid=u0000,ou=Elsewhere,dc=example,dc=test

dn: uid=u0000,ou=Elsewhere,dc=example,dc=test
objectClass: inetOrgPerson
uid: u0000
cn: User
sn: User

dn: cn=aws-admins,ou=Groups,dc=example,dc=test
objectClass: groupOfNames
cn: aws-admins
member: cn=ann,ou=People,dc=example,dc=test
member: uid=u0000,ou=Elsewhere,dc=example,dc=test
";

#[test]
fn an_alias_is_not_followed_and_is_reported_as_a_member() {
    let slapd = Slapd::start(ALIAS, "");
    for (users, expected) in [
        (EVERYBODY, &[][..]),
        ("users: { memberOf: [aws-admins] }", &["u0000"]),
    ] {
        let more = format!("{users}\ngroups: {{ names: ['aws-*'] }}");
        let snapshot = read_with(&configuration(&slapd, READER, &more), PASSWORD).unwrap();
        assert_eq!(values(&snapshot, "uid"), expected, "{users}");
        assert_eq!(members(&snapshot, "aws-admins", "uid"), expected, "{users}");
        let [alias] = &snapshot.reported_members[..] else {
            panic!("one member is reported");
        };
        assert_eq!(
            alias.distinguished_name,
            "cn=ann,ou=People,dc=example,dc=test"
        );
        assert!(alias.reason.contains("alias"), "{}", alias.reason);
        assert!(snapshot.unusable.is_empty() && snapshot.unresolved.is_empty());
    }
}

#[test]
fn a_reference_outside_of_the_search_bases_does_not_matter() {
    let ldif = format!(
        "{}
dn: ou=Moved,ou=Elsewhere,dc=example,dc=test
objectClass: referral
objectClass: extensibleObject
ou: Moved
ref: ldap://berlin.example.net/ou=Moved,dc=example,dc=test

dn: cn=aws-admins,ou=Groups,dc=example,dc=test
objectClass: groupOfNames
cn: aws-admins
member: uid=u0000,ou=People,dc=example,dc=test
member: uid=gone,ou=Elsewhere,dc=example,dc=test
member: uid=gone,ou=Moved,ou=Elsewhere,dc=example,dc=test
",
        people(1)
    );
    let slapd = Slapd::start(&ldif, "");
    let groups = "groups: { names: ['aws-*'] }";
    for users in [EVERYBODY, "users: { memberOf: [aws-admins] }"] {
        let configuration = configuration(&slapd, READER, &format!("{users}\n{groups}")).replace(
            "['dc=example",
            "['ou=People,dc=example,dc=test', 'ou=Groups,dc=example",
        );
        let snapshot = read_with(&configuration, PASSWORD).unwrap();
        assert_eq!(members(&snapshot, "aws-admins", "uid"), ["u0000"]);
        let unresolved: Vec<_> = snapshot
            .unresolved
            .iter()
            .map(|value| (&*value.member, value.reason))
            .collect();
        let [(gone, no_entry), (moved, other_server)] = unresolved[..] else {
            panic!("{unresolved:?}");
        };
        assert_eq!(gone, "uid=gone,ou=Elsewhere,dc=example,dc=test");
        assert!(no_entry.starts_with("no entry has this name"));
        assert_eq!(moved, "uid=gone,ou=Moved,ou=Elsewhere,dc=example,dc=test");
        assert!(other_server.contains("outside of the naming contexts"));
    }
}
