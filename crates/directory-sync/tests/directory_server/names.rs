//! Distinguished names in any spelling: the entry that the server resolves one to is meant.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;

use directory_sync::snapshot::Snapshot;
use directory_sync::source::{self, RequestedAttributes};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::ldif::line as quoted;
use crate::samba::{
    DOMAIN, DomainController, PASSWORD as DOMAIN_PASSWORD, READER as DOMAIN_READER,
};
use crate::slapd::{PASSWORD, READER, Slapd};
use crate::{members, read_with, value};

/// The relative name of an entry, and another spelling: for each step of the preparation of
/// strings (RFC 4518, section 2), and for each freedom that RFC 4514 gives.
const SPELLINGS: [(&str, &str); 18] = [
    // Transcode and escape.
    ("cn=Müller", "cn=M\\C3\\BCller"),
    ("cn=Comma\\, Name", "cn=Comma\\2c Name"),
    // Map: case, characters without meaning, spaces.
    ("cn=Ann Lee", "CN=ANN lee"),
    ("cn=Größe", "cn=GRÖSSE"),
    ("cn=Ὀδυσσεύς", "cn=ὈΔΥΣΣΕΎΣ"),
    ("cn=Soft\u{ad}hyphen", "cn=Softhyphen"),
    ("cn=Zero\u{200b}width", "cn=Zerowidth"),
    ("cn=No\u{a0}break", "cn=No break"),
    // Normalize.
    ("cn=José", "cn=Jose\u{301}"),
    ("cn=Jose\u{301} two", "cn=José two"),
    ("cn=\u{fb01}x", "cn=fix"),
    ("cn=Full\u{ff21}", "cn=FullA"),
    // Insignificant spaces.
    ("cn=Two  spaces", "cn=Two spaces"),
    ("cn=Around", "cn = Around "),
    // Types, and the order in a relative name.
    ("cn=Long", "commonName=Long"),
    ("cn=Oid", "2.5.4.3=Oid"),
    ("cn=Multi+uid=multi", "uid=multi+cn=Multi"),
    ("cn=Absent", "cn=Somebody else"),
];

/// The value of a relative name, unescaped enough for the spellings above.
fn common_name(relative: &str) -> String {
    let name = relative
        .split('+')
        .next()
        .expect("a split has a first part");
    name.split_once('=')
        .expect("a name has a type")
        .1
        .replace("\\,", ",")
}

/// An entry for each name, and for each a group of either class that names it by the other
/// spelling, and an entry that has it as manager.
fn ldif(names: &[(String, String)]) -> String {
    let mut ldif = String::new();
    for (number, (stored, spelled)) in names.iter().enumerate() {
        let people = "ou=People,dc=example,dc=test";
        let uid = if stored.contains("uid=") {
            "multi".to_owned()
        } else {
            format!("u{number}")
        };
        let _ = write!(
            ldif,
            "{}objectClass: inetOrgPerson\nuid: {uid}\nsn: s\n{}\n",
            quoted("dn", &format!("{stored},{people}")),
            quoted("cn", &common_name(stored)),
        );
        let spelled = format!("{spelled},{people}");
        let _ = write!(
            ldif,
            "dn: uid=m{number},{people}\nobjectClass: inetOrgPerson\nuid: m{number}\ncn: m\nsn: s\n{}\n",
            quoted("manager", &spelled)
        );
        for (class, attribute) in [
            ("groupOfNames", "member"),
            ("groupOfUniqueNames", "uniqueMember"),
        ] {
            let _ = write!(
                ldif,
                "dn: cn={attribute}-{number},ou=Groups,dc=example,dc=test\nobjectClass: {class}\n\
                 cn: {attribute}-{number}\n{}\n",
                quoted(attribute, &spelled)
            );
        }
    }
    ldif
}

/// Whether the server has an entry of this name.
fn resolves(slapd: &Slapd, name: &str) -> bool {
    let output = Command::new("ldapsearch")
        .args([
            "-x",
            "-LLL",
            "-H",
            &format!("ldap://127.0.0.1:{}", slapd.port),
        ])
        .args([
            "-D", READER, "-w", PASSWORD, "-s", "base", "-b", name, "1.1",
        ])
        .output()
        .expect("cannot run ldapsearch");
    output.status.success()
}

fn configuration(slapd: &Slapd, base: &str, users: &str) -> String {
    format!(
        "
flavor: openLdap
servers: ['ldap://127.0.0.1:{}']
allowPlaintext: true
bindName: {READER}
searchBases: ['{base}']
users: {users}
groups: {{ names: ['member-*', 'uniqueMember-*'] }}
",
        slapd.port
    )
}

const PEOPLE: &str = "{ searches: [{ base: 'ou=People,dc=example,dc=test' }] }";

/// For each name, whether its entry is the only member of both of its groups.
fn are_members(snapshot: &Snapshot, names: &[(String, String)]) -> Vec<bool> {
    let is_member = |attribute: &str, number: usize| {
        let found = members(snapshot, &format!("{attribute}-{number}"), "uid");
        let own = format!("u{number}");
        assert!(
            found.is_empty() || found == [own.as_str()] || found == ["multi"],
            "{found:?}"
        );
        !found.is_empty()
    };
    (0..names.len())
        .map(|number| {
            let by_name = is_member("member", number);
            assert_eq!(
                by_name,
                is_member("uniqueMember", number),
                "{:?}",
                names[number]
            );
            by_name
        })
        .collect()
}

/// Compares the members in both kinds of scope with what the server resolves.
fn check(slapd: &Slapd, names: &[(String, String)]) -> Vec<bool> {
    let expected: Vec<bool> = names
        .iter()
        .map(|(_, spelled)| resolves(slapd, &format!("{spelled},ou=People,dc=example,dc=test")))
        .collect();
    let groups: Vec<String> = (0..names.len())
        .map(|number| format!("member-{number}"))
        .collect();
    let of_groups = format!("{{ memberOf: [{}] }}", groups.join(", "));
    for users in [PEOPLE, &of_groups] {
        let configuration = configuration(slapd, "dc=example,dc=test", users);
        let snapshot = read_with(&configuration, PASSWORD).expect("the directory can be read");
        assert!(snapshot.unusable.is_empty());
        assert_eq!(are_members(&snapshot, names), expected, "{users} {names:?}");
    }
    expected
}

fn owned(names: &[(&str, &str)]) -> Vec<(String, String)> {
    names
        .iter()
        .map(|(stored, spelled)| ((*stored).to_owned(), (*spelled).to_owned()))
        .collect()
}

#[test]
fn a_member_in_any_spelling_that_the_server_resolves_is_the_entry() {
    let names = owned(&SPELLINGS);
    let slapd = Slapd::start(&ldif(&names), "");
    let expected = check(&slapd, &names);
    let resolved = expected.iter().filter(|resolved| **resolved).count();
    assert!(resolved >= 12 && !expected[names.len() - 1], "{expected:?}");
}

#[test]
fn a_manager_in_any_spelling_is_the_entry() {
    let names = owned(&SPELLINGS);
    let slapd = Slapd::start(&ldif(&names), "");
    let configuration = configuration(&slapd, "dc=example,dc=test", PEOPLE);
    let attributes = RequestedAttributes {
        users: ["uid", "manager"].map(str::to_owned).into(),
        references: ["manager".to_owned()].into(),
        ..RequestedAttributes::default()
    };
    let configuration = serde_yaml::from_str(&configuration).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let snapshot = runtime
        .block_on(source::read(
            &configuration,
            &PASSWORD.into(),
            &attributes,
            Timestamp::now(),
        ))
        .unwrap();
    let name_of: BTreeMap<&str, &str> = snapshot
        .people
        .iter()
        .map(|person| (value(person, "uid"), person.distinguished_name.as_str()))
        .collect();
    for (number, (stored, spelled)) in names.iter().enumerate() {
        let person = snapshot
            .people
            .iter()
            .find(|person| value(person, "uid") == format!("m{number}"))
            .unwrap();
        let uid = if stored.contains("uid=") {
            "multi".to_owned()
        } else {
            format!("u{number}")
        };
        let is_entry = value(person, "manager") == name_of[uid.as_str()];
        let expected = resolves(&slapd, &format!("{spelled},ou=People,dc=example,dc=test"));
        assert_eq!(is_entry, expected, "{stored} {spelled}");
    }
}

#[test]
fn a_base_in_any_spelling_that_the_server_resolves_is_the_entry() {
    let names = owned(&SPELLINGS[..1]);
    let slapd = Slapd::start(&ldif(&names), "");
    for spelled in [
        "OU=groups, DC=Example,dc=test",
        "organizationalUnitName=Groups,dc=example,domainComponent=test",
        "2.5.4.11=Groups,dc=example,dc=test",
        "ou=\\47roups,dc=example,dc=test",
    ] {
        let base = |users: &str| {
            configuration(&slapd, "dc=example,dc=test", users).replace(
                "groups: { names",
                &format!("groups: {{ searchBases: ['{spelled}'], names"),
            )
        };
        let named = format!("{{ memberOf: ['cn=member-0,{spelled}'] }}");
        for users in [PEOPLE, &named] {
            let snapshot = read_with(&base(users), PASSWORD).unwrap();
            assert_eq!(snapshot.groups.len(), 2, "{spelled}");
            assert_eq!(are_members(&snapshot, &names), [true], "{spelled}");
        }
    }
}

#[test]
fn any_two_spellings_that_the_server_resolves_to_one_entry_are_one_member() {
    // Pieces that servers may or may not hold equal.
    let piece = prop::sample::select(
        &[
            "a", "A", "é", "e\u{301}", "É", " ", "  ", "ﬁ", "fi", "ß", "ss", "Ｋ", "k", "σ", "ς",
            "\u{ad}",
        ][..],
    );
    let word = prop::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat());
    let names = prop::collection::vec((word.clone(), word), 40..41);
    let mut runner = TestRunner::new(Config {
        failure_persistence: None,
        ..Config::with_cases(2)
    });
    runner
        .run(&names, |words| {
            // The number keeps the entries apart, the letters the spaces inside.
            let names: Vec<(String, String)> = words
                .iter()
                .enumerate()
                .map(|(number, (stored, spelled))| {
                    (
                        format!("cn=x{stored}x{number}"),
                        format!("CN=X{spelled}x{number}"),
                    )
                })
                .collect();
            let slapd = Slapd::start(&ldif(&names), "");
            check(&slapd, &names);
            Ok(())
        })
        .unwrap();
}

/// A text in Python.
fn python(text: &str) -> String {
    let characters = text.chars().map(|one| format!("\\U{:08x}", u32::from(one)));
    format!("'{}'", characters.collect::<String>())
}

#[test]
fn active_directory_gives_members_by_the_names_of_their_entries() {
    let dc = DomainController::shared();
    let mut script = "unit('OU=Spellings')\n".to_owned();
    for (number, (stored, spelled)) in SPELLINGS.iter().enumerate() {
        if stored.contains('+') {
            continue;
        }
        let (name, spelled) = (python(&common_name(stored)), python(spelled));
        let _ = write!(
            script,
            "
dn = user('OU=Spellings', 'spelled{number}', {name})
if {number} == {}:
    directory.delete(dn)
try:
    group('OU=Spellings', 'spelled-{number}', {spelled} + ',OU=Spellings,' + domain)
    print({number})
except ldb.LdbError:
    pass
",
            SPELLINGS.len() - 1
        );
    }
    let printed = dc.run(&script);
    let accepted: Vec<&str> = printed.lines().collect();
    // It refuses most, and writes its own spelling of the others.
    assert!(accepted.len() >= 4, "{accepted:?}");
    let groups: Vec<String> = accepted
        .iter()
        .map(|number| format!("spelled-{number}"))
        .collect();
    let of_groups = format!("{{ memberOf: [{}] }}", groups.join(", "));
    let of_base = "{ searches: [{ base: 'ou=SPELLINGS,DOMAIN' }] }".replace("DOMAIN", DOMAIN);
    for users in [of_base, of_groups] {
        let configuration = format!(
            "
servers: ['ldaps://127.0.0.1']
certificateAuthorityFile: {}
bindName: {DOMAIN_READER}
searchBases: ['ou=SPELLINGS,{}']
users: {users}
groups: {{ names: ['spelled-*'] }}
connectTimeoutSeconds: 60
",
            dc.authority().display(),
            DOMAIN.to_lowercase(),
        );
        let snapshot = read_with(&configuration, DOMAIN_PASSWORD).unwrap();
        for number in &accepted {
            let found = members(&snapshot, &format!("spelled-{number}"), "samaccountname");
            assert_eq!(found, [format!("spelled{number}")], "{users}");
        }
    }
}
