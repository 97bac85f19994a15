use proptest::prelude::*;

use super::*;
use crate::snapshot::{ReportedMember, Unusable};

fn attributes(values: &[(&str, &str)]) -> Attributes {
    values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()]))
        .collect()
}

fn person(id: &str, values: &[(&str, &str)]) -> Person {
    Person {
        id: EntryId(id.to_owned()),
        distinguished_name: format!("CN={id},DC=corp,DC=example,DC=test"),
        active: true,
        attributes: attributes(values),
        ..Person::default()
    }
}

fn mapping() -> Mapping {
    Mapping::new(Flavor::ActiveDirectory, &MappingConfiguration::default()).unwrap()
}

const ADA: &[(&str, &str)] = &[
    ("userprincipalname", "ada@example.test"),
    ("givenname", "Ada"),
    ("sn", "Lovelace"),
    ("cn", "Lovelace, Ada"),
    ("company", "Engines"),
    ("objectsid", "S-1-5-21-1-2-3-1104"),
];

fn apply(people: Vec<Person>) -> Desired {
    mapping().apply(Snapshot {
        people,
        ..Snapshot::default()
    })
}

fn reasons(desired: &Desired) -> Vec<&str> {
    desired
        .skipped
        .iter()
        .map(|skipped| &*skipped.reason)
        .collect()
}

/// The names of the skipped entries in the directory.
fn names_of_skipped(desired: &Desired) -> Vec<Option<&str>> {
    let skipped = desired.skipped.iter();
    skipped.map(|skipped| skipped.name.as_deref()).collect()
}

#[test]
fn active_directory_fills_what_identity_center_requires() {
    let desired = apply(vec![person("1", ADA)]);
    let user = &desired.users[&EntryId("1".to_owned())];
    let values: Vec<(&str, &str)> = user
        .profile
        .as_ref()
        .unwrap()
        .0
        .iter()
        .map(|(attribute, value)| (attribute.key(), value.as_str()))
        .collect();
    assert_eq!(
        values,
        [
            ("userName", "ada@example.test"),
            ("givenName", "Ada"),
            ("familyName", "Lovelace"),
            ("displayName", "Lovelace, Ada"),
            ("email", "ada@example.test"),
            ("organization", "Engines"),
        ]
    );
    assert_eq!(user.sid.as_deref(), Some("S-1-5-21-1-2-3-1104"));
    assert!(desired.skipped.is_empty());
}

#[test]
fn open_ldap_has_defaults_of_its_own() {
    let mapping = Mapping::new(Flavor::OpenLdap, &MappingConfiguration::default()).unwrap();
    let attributes = mapping.user_attributes();
    for name in ["uid", "mail", "sn", "givenname", "o"] {
        assert!(attributes.contains(name), "{name}");
    }
    assert!(!attributes.contains("userprincipalname"));
    assert_eq!(mapping.group_attributes(), ["cn".to_owned()].into());
}

#[test]
fn a_configuration_names_only_what_differs() {
    let configuration: MappingConfiguration = serde_yaml::from_str(
        "user:\n  userName: [mail, sAMAccountName]\n  displayName: ['{sn}, {givenName}']\n  title: []\n",
    )
    .unwrap();
    let mapping = Mapping::new(Flavor::ActiveDirectory, &configuration).unwrap();
    let desired = mapping.apply(Snapshot {
        people: vec![person(
            "1",
            &[
                ("samaccountname", "ada"),
                ("givenname", "Ada"),
                ("sn", "Lovelace"),
                ("title", "Countess"),
            ],
        )],
        ..Snapshot::default()
    });
    let profile = desired.users[&EntryId("1".to_owned())]
        .profile
        .as_ref()
        .unwrap();
    assert_eq!(profile.get(Attribute::UserName), Some("ada"));
    assert_eq!(profile.get(Attribute::DisplayName), Some("Lovelace, Ada"));
    assert!(!desired.managed.contains(&Attribute::Title));
}

#[test]
fn a_configuration_without_a_required_attribute_is_refused() {
    let configuration: MappingConfiguration =
        serde_yaml::from_str("user: {familyName: []}").unwrap();
    let error = Mapping::new(Flavor::ActiveDirectory, &configuration).unwrap_err();
    assert!(error.to_string().starts_with("mapping.user.familyName: "));
    let configuration: MappingConfiguration =
        serde_yaml::from_str("group: {displayName: []}").unwrap();
    assert!(Mapping::new(Flavor::OpenLdap, &configuration).is_err());
}

#[test]
fn the_attributes_that_a_file_names_have_their_keys() {
    let configuration = serde_yaml::from_str(
        "user: {givenName: ['{gn} {middle}'], manager: [manager], title: []}\n\
         group: {displayName: [ou]}",
    )
    .unwrap();
    let mapping = Mapping::new(Flavor::OpenLdap, &configuration).unwrap();
    let named: Vec<(&str, &str)> = mapping
        .named_attributes()
        .iter()
        .map(|(name, key)| (name.as_str(), key.as_str()))
        .collect();
    assert_eq!(
        named,
        [
            ("gn", "mapping.user.givenName"),
            ("manager", "mapping.user.manager"),
            ("middle", "mapping.user.givenName"),
            ("ou", "mapping.group.displayName"),
        ]
    );
    assert_eq!(mapping.references(), ["manager".to_owned()].into());
    let defaults = self::mapping();
    assert!(defaults.named_attributes().is_empty() && defaults.references().is_empty());
}

#[test]
fn unknown_keys_and_sources_are_refused_with_their_position() {
    for (text, reason) in [
        ("user: {userNames: [mail]}", "unknown variant `userNames`"),
        ("user: {userName: ['{mail']}", "braces"),
        ("users: {}", "unknown field `users`"),
    ] {
        let error = serde_yaml::from_str::<MappingConfiguration>(text).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn a_person_without_a_surname_is_reported_and_the_rest_goes_on() {
    let nameless = person(
        "2",
        &[
            ("userprincipalname", "x@example.test"),
            ("givenname", "X"),
            ("cn", "X"),
        ],
    );
    let desired = apply(vec![nameless, person("1", ADA)]);
    assert!(desired.users[&EntryId("1".to_owned())].profile.is_some());
    assert!(desired.users[&EntryId("2".to_owned())].profile.is_none());
    assert_eq!(
        reasons(&desired),
        [
            "has no familyName, without which there is no user: fill sn in the directory, or name \
             another source in mapping.user.familyName"
        ]
    );
    assert_eq!(names_of_skipped(&desired), [Some("x@example.test")]);
}

#[test]
fn an_optional_value_that_cannot_be_used_is_left_as_it_is() {
    let mut values = ADA.to_vec();
    values.push(("title", "A\u{7}B"));
    let desired = apply(vec![person("1", &values)]);
    let user = &desired.users[&EntryId("1".to_owned())];
    assert!(user.profile.is_some());
    assert_eq!(user.kept, [Attribute::Title].into());
    assert_eq!(
        reasons(&desired),
        [
            "title has the character U+0007 at position 2, which Identity Center does not accept: \
          correct it in title"
        ]
    );
}

#[test]
fn a_source_that_cannot_be_used_makes_room_for_the_next() {
    let mut values = ADA.to_vec();
    values.push(("mail", "not an address"));
    let desired = apply(vec![person("1", &values)]);
    let profile = desired.users[&EntryId("1".to_owned())]
        .profile
        .as_ref()
        .unwrap();
    assert_eq!(profile.get(Attribute::Email), Some("ada@example.test"));
    assert!(desired.skipped.is_empty());
}

#[test]
fn a_user_name_that_two_entries_share_in_any_case_goes_to_neither() {
    let mut other = ADA.to_vec();
    other[0].1 = "ADA@example.test";
    let desired = apply(vec![person("1", ADA), person("2", &other)]);
    assert!(desired.users.values().all(|user| user.profile.is_none()));
    assert_eq!(desired.skipped.len(), 2);
    assert!(
        desired.skipped[0]
            .reason
            .contains("2 entries have this userName (1, 2)")
    );
    assert_eq!(
        names_of_skipped(&desired),
        [Some("ada@example.test"), Some("ADA@example.test")]
    );
}

#[test]
fn three_of_the_entries_that_share_a_name_are_listed() {
    for (count, listed) in [(3, "(0, 1, 2)"), (4, "(0, 1, 2, …)"), (5, "(0, 1, 2, …)")] {
        let people = (0..count).map(|id| person(&format!("{id}"), ADA));
        let desired = apply(people.collect());
        assert_eq!(desired.skipped.len(), count);
        let reason = &desired.skipped[0].reason;
        let expected = format!("{count} entries have this userName {listed},");
        assert!(reason.starts_with(&expected), "{reason}");
    }
}

#[test]
fn a_mapping_that_is_written_is_read_again() {
    let text = "user: {userName: [mail], displayName: ['{sn}, {givenName}']}";
    let configuration: MappingConfiguration = serde_yaml::from_str(text).unwrap();
    let written = serde_yaml::to_string(&configuration).unwrap();
    assert_eq!(
        serde_yaml::from_str::<MappingConfiguration>(&written).unwrap(),
        configuration
    );
}

#[test]
fn a_disabled_account_makes_room_for_the_active_one_of_the_same_name() {
    let mut disabled = person("1", ADA);
    disabled.active = false;
    let desired = apply(vec![disabled, person("2", ADA)]);
    assert!(desired.users[&EntryId("1".to_owned())].profile.is_none());
    assert!(desired.users[&EntryId("2".to_owned())].profile.is_some());
    assert!(desired.skipped.is_empty());
}

#[test]
fn an_inactive_entry_needs_no_value_and_conflicts_with_no_one() {
    let name = ("userprincipalname", "ada@example.test");
    let complete = |extra| [ADA, &[extra]].concat();
    let cases = [
        ("no surname", vec![name, ("givenname", "Ada")], false),
        ("no userName", ADA[1..].to_vec(), false),
        (
            "a reserved userName",
            complete(("userprincipalname", "Administrator")),
            false,
        ),
        ("an invalid surname", complete(("sn", "A\u{7}B")), false),
        ("an invalid title", complete(("title", "A\u{7}B")), true),
    ];
    for (case, values, is_complete) in cases {
        let mut inactive = person("1", &values);
        let reported = apply(vec![inactive.clone()]);
        assert!(!reported.skipped.is_empty(), "{case}");
        inactive.active = false;
        let desired = apply(vec![inactive]);
        assert!(desired.skipped.is_empty(), "{case}");
        let user = &desired.users[&EntryId("1".to_owned())];
        assert!(!user.active, "{case}");
        assert_eq!(user.profile.is_some(), is_complete, "{case}");
    }
}

#[test]
fn a_value_that_is_not_text_affects_its_attribute_only() {
    let configuration = serde_yaml::from_str("user: {nickName: [jpegPhoto]}").unwrap();
    let mapping = Mapping::new(Flavor::ActiveDirectory, &configuration).unwrap();
    let with_unreadable = |name: &str, active| {
        let mut person = person("1", ADA);
        person.active = active;
        person.attributes.remove(name);
        person.unreadable.insert(name.to_owned());
        mapping.apply(Snapshot {
            people: vec![person],
            ..Snapshot::default()
        })
    };
    let desired = with_unreadable("jpegphoto", true);
    let user = &desired.users[&EntryId("1".to_owned())];
    assert!(user.profile.is_some());
    assert_eq!(user.kept, [Attribute::NickName].into());
    assert_eq!(
        reasons(&desired),
        ["nickName is not text: correct it in jpegPhoto"]
    );
    let desired = with_unreadable("sn", true);
    assert!(desired.users.values().all(|user| user.profile.is_none()));
    assert_eq!(
        reasons(&desired),
        ["familyName is not text: correct it in sn"]
    );
    for name in ["jpegphoto", "sn"] {
        assert!(with_unreadable(name, false).skipped.is_empty());
    }

    let group = Group {
        id: EntryId("7".to_owned()),
        unreadable: ["cn".to_owned()].into(),
        members: [EntryId("1".to_owned())].into(),
        ..Group::default()
    };
    let desired = mapping.apply(Snapshot {
        groups: vec![group],
        ..Snapshot::default()
    });
    let group = &desired.groups[&EntryId("7".to_owned())];
    assert_eq!(group.display_name, None);
    assert_eq!(group.members.len(), 1, "memberships follow the directory");
    assert_eq!(
        reasons(&desired),
        ["displayName is not text: correct it in cn"]
    );
}

#[test]
fn an_e_mail_address_is_the_only_active_entrys_and_no_inactive_one_is_reported() {
    // (whether each of the sharers is active, whether each gets the address, reports)
    let cases: [(&[bool], &[bool], usize); 4] = [
        (&[true, false], &[true, false], 0),
        (&[true, false, false], &[true, false, false], 0),
        (&[true, true, false], &[false, false, false], 2),
        (&[false, false], &[false, false], 0),
    ];
    for (active, expected, reports) in cases {
        let people = active.iter().enumerate().map(|(index, active)| {
            let name = format!("u{index}@example.test");
            let mut values = ADA.to_vec();
            values[0].1 = &name;
            values.push(("mail", "Eva@example.test"));
            let mut person = person(&index.to_string(), &values);
            person.active = *active;
            person
        });
        let desired = apply(people.collect());
        let emails: Vec<bool> = desired
            .users
            .values()
            .map(|user| {
                user.profile
                    .as_ref()
                    .unwrap()
                    .get(Attribute::Email)
                    .is_some()
            })
            .collect();
        assert_eq!(emails, expected, "{active:?}");
        assert_eq!(desired.skipped.len(), reports, "{active:?}");
        let has_heir = expected.contains(&true);
        for user in desired.users.values() {
            assert_eq!(user.kept.contains(&Attribute::Email), !has_heir);
        }
    }
}

#[test]
fn a_shared_e_mail_address_is_left_alone_and_the_people_go_on() {
    let mut other = ADA.to_vec();
    other[0].1 = "ada2@example.test";
    other.push(("mail", "Ada@example.test"));
    let desired = apply(vec![person("1", ADA), person("2", &other)]);
    for user in desired.users.values() {
        assert_eq!(user.kept, [Attribute::Email].into());
        assert_eq!(user.profile.as_ref().unwrap().get(Attribute::Email), None);
    }
    assert_eq!(
        names_of_skipped(&desired),
        [Some("ada@example.test"), Some("ada2@example.test")]
    );
}

#[test]
fn a_manager_is_a_user_in_scope_named_in_any_spelling() {
    let configuration = serde_yaml::from_str("user: {manager: [manager]}").unwrap();
    let mapping = Mapping::new(Flavor::ActiveDirectory, &configuration).unwrap();
    let managers = [
        ("1", "cn=2, dc=CORP, dc=example, dc=test"),
        ("2", "CN=out of scope,DC=corp,DC=example,DC=test"),
        ("3", "CN=unreadable,DC=corp,DC=example,DC=test"),
        ("4", "no name"),
    ];
    let people = managers.map(|(id, manager)| {
        let name = format!("{id}@example.test");
        let mut values = ADA[1..].to_vec();
        values.extend([("userprincipalname", name.as_str()), ("manager", manager)]);
        person(id, &values)
    });
    let desired = mapping.apply(Snapshot {
        people: people.into(),
        unusable: vec![Unusable {
            kind: Kind::User,
            distinguished_name: "CN=unreadable,DC=corp,DC=example,DC=test".to_owned(),
            id: Some(EntryId("9".to_owned())),
            reason: "its mail is no text".to_owned(),
        }],
        ..Snapshot::default()
    });
    let found: Vec<(Option<&str>, bool)> = desired
        .users
        .values()
        .map(|user| {
            let profile = user.profile.as_ref().unwrap();
            let is_kept = user.kept.contains(&Attribute::Manager);
            (profile.get(Attribute::Manager), is_kept)
        })
        .collect();
    assert_eq!(
        found,
        [
            (Some("2"), false),
            (None, false),
            (None, true),
            (None, false)
        ]
    );
}

#[test]
fn other_values_are_as_right_unless_another_entry_has_to_have_them() {
    let values = |first: &str, mails: &[&str]| {
        let mut person = person(first, ADA);
        let name = format!("{first}@example.test");
        person
            .attributes
            .insert("userprincipalname".to_owned(), vec![name]);
        let mails = mails.iter().map(|mail| (*mail).to_owned()).collect();
        person.attributes.insert("mail".to_owned(), mails);
        person
    };
    let desired = apply(vec![
        values("1", &["d@x", "b@x", "c@x", "e@x", "no address"]),
        values("2", &["C@x"]),
        values("3", &["a@x", "E@x"]),
    ]);
    let user = &desired.users[&EntryId("1".to_owned())];
    assert_eq!(
        user.profile.as_ref().unwrap().get(Attribute::Email),
        Some("b@x")
    );
    let others = user.alternatives.iter().collect::<Vec<_>>();
    assert_eq!(others, [(&Attribute::Email, &["d@x".to_owned()].into())]);

    let group = |id: &str, names: &[&str]| Group {
        id: EntryId(id.to_owned()),
        attributes: [(
            "cn".to_owned(),
            names.iter().map(|name| (*name).to_owned()).collect(),
        )]
        .into(),
        ..Group::default()
    };
    let desired = mapping().apply(Snapshot {
        groups: vec![group("1", &["c", "b", "a"]), group("2", &["B"])],
        ..Snapshot::default()
    });
    let group = &desired.groups[&EntryId("1".to_owned())];
    assert_eq!(group.display_name.as_deref(), Some("a"));
    assert_eq!(group.other_names, ["c".to_owned()].into());
}

#[test]
fn groups_that_share_a_name_are_left_alone() {
    let group = |id: &str, name: &str| Group {
        id: EntryId(id.to_owned()),
        distinguished_name: format!("CN={name},OU={id}"),
        attributes: attributes(&[("cn", name)]),
        ..Group::default()
    };
    let desired = mapping().apply(Snapshot {
        groups: vec![
            group("1", "admins"),
            group("2", "Admins"),
            group("3", "readers"),
        ],
        ..Snapshot::default()
    });
    let named: Vec<&str> = desired
        .groups
        .iter()
        .filter(|(_, group)| group.display_name.is_some())
        .map(|(id, _)| id.0.as_str())
        .collect();
    assert_eq!(named, ["3"]);
    assert_eq!(names_of_skipped(&desired), [Some("admins"), Some("Admins")]);
}

#[test]
fn entries_without_a_readable_identifier_are_counted() {
    let unusable = |id: Option<&str>| Unusable {
        kind: Kind::User,
        distinguished_name: "CN=x".to_owned(),
        id: id.map(|id| EntryId(id.to_owned())),
        reason: "no objectGUID".to_owned(),
    };
    let desired = mapping().apply(Snapshot {
        unusable: vec![unusable(None), unusable(Some("7"))],
        ..Snapshot::default()
    });
    assert!(desired.has_unidentified(Kind::User));
    assert!(!desired.has_unidentified(Kind::Group));
    assert_eq!(desired.unusable, [EntryId("7".to_owned())].into());
    let skipped: Vec<(Option<&str>, bool)> = desired
        .skipped
        .iter()
        .map(|skipped| {
            let id = skipped.entry.as_ref().map(|id| id.0.as_str());
            (id, skipped.is_unidentified)
        })
        .collect();
    assert_eq!(skipped, [(None, true), (Some("7"), false)]);
}

#[test]
fn a_reported_member_holds_no_one_back_and_stays_the_manager() {
    let configuration = serde_yaml::from_str("user: {manager: [manager]}").unwrap();
    let mapping = Mapping::new(Flavor::ActiveDirectory, &configuration).unwrap();
    let manager = "CN=boss,DC=corp,DC=example,DC=test";
    let values = [ADA, &[("manager", manager)]].concat();
    let of = |distinguished_name: &str| {
        mapping.apply(Snapshot {
            people: vec![person("1", &values)],
            uncertain_users: [EntryId("9".to_owned())].into(),
            reported_members: vec![ReportedMember {
                kind: Kind::User,
                id: None,
                distinguished_name: distinguished_name.to_owned(),
                reason: "2 entries have this uid".to_owned(),
            }],
            ..Snapshot::default()
        })
    };
    for (name, is_kept) in [(manager, true), ("CN=other,DC=x", false)] {
        let desired = of(name);
        let user = &desired.users[&EntryId("1".to_owned())];
        assert_eq!(user.kept.contains(&Attribute::Manager), is_kept);
        assert!(!desired.has_unidentified(Kind::User) && desired.unusable.is_empty());
        assert_eq!(desired.uncertain, [EntryId("9".to_owned())].into());
        let [skipped] = &desired.skipped[..] else {
            panic!("one member is reported");
        };
        assert!(!skipped.is_unidentified && skipped.kind == Kind::User);
        assert_eq!(skipped.distinguished_name, name);
    }
}

#[test]
fn a_skipped_entry_prints_without_names() {
    let nameless = person("canary", &[]);
    let desired = apply(vec![nameless]);
    let text = format!("{desired:?}");
    assert!(!text.contains("CN=canary"), "{text}");
    assert!(
        text.contains("Skipped { kind: User") && text.contains("has no userName"),
        "{text}"
    );
    assert!(text.contains("DistinguishedNames(1)"), "{text}");
    assert!(!format!("{:?}", apply(vec![person("1", ADA)])).contains("Lovelace"));
}

proptest! {
    #[test]
    fn the_order_of_entries_does_not_matter(
        names in prop::collection::vec((0..6_u8, 0..6_u8, any::<bool>()), 0..12),
        seed in any::<u64>(),
    ) {
        let people: Vec<Person> = names
            .iter()
            .enumerate()
            .map(|(index, (name, mail, active))| {
                let name = format!("u{name}@example.test");
                let mail = format!("m{mail}@example.test");
                let mut person = person(
                    &index.to_string(),
                    &[("userprincipalname", &name), ("mail", &mail), ("givenname", "G"), ("sn", "S"), ("cn", "C")],
                );
                person.active = *active;
                person
            })
            .collect();
        let mut shuffled = people.clone();
        let length = shuffled.len().max(1) as u64;
        for index in 0..shuffled.len() {
            let other = (seed.wrapping_mul(index as u64 + 1) % length) as usize;
            shuffled.swap(index, other);
        }
        prop_assert_eq!(apply(people), apply(shuffled));
    }

    #[test]
    fn the_order_of_values_does_not_matter(
        values in prop::collection::vec(
            (prop::sample::select(&["userprincipalname", "mail", "cn", "title", "sn", "givenname", "company"][..]),
                prop::sample::select(&["a@x", "B@x", "b@x", " c@x ", "", "d\u{200b}", "e\u{7}f"][..])),
            0..30,
        ),
        order in any::<prop::sample::Index>(),
    ) {
        let attributes = |values: &[(&str, &str)]| {
            let mut attributes = Attributes::new();
            for (name, value) in values {
                let values = attributes.entry((*name).to_owned()).or_default();
                values.push((*value).to_owned());
            }
            attributes
        };
        let mut permuted = values.clone();
        permuted.reverse();
        permuted.rotate_left(order.index(values.len().max(1)));
        let of = |values: &[(&str, &str)]| {
            let person = Person { attributes: attributes(values), ..person("1", &[]) };
            let group = Group {
                id: EntryId("7".to_owned()),
                attributes: attributes(values),
                ..Group::default()
            };
            mapping().apply(Snapshot {
                people: vec![person],
                groups: vec![group],
                ..Snapshot::default()
            })
        };
        prop_assert_eq!(of(&values), of(&permuted));
    }
}
