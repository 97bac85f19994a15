//! A directory with names that few tools expect, in real servers; the end state is computed from
//! the plan of the directory alone, without a distinguished name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use directory_sync::attribute::Attribute;
use directory_sync::configuration::Configuration;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::company::client;
use crate::ldif::line;
use crate::scim2_server::{Server, TOKEN};
use crate::stage::finish;
use crate::steps::Steps;

const PEOPLE: usize = 300;
const GROUPS: usize = 40;

const SOURCE: &str = "users:
  searches: [{base: 'ou=People,dc=example,dc=test'}]
  inactiveWhen: {attribute: employeeType, values: [left]}
groups: {names: ['aws*']}";

/// Parts of names, and whether a value of Identity Center may have them.
const PARTS: [(&str, bool); 22] = [
    ("plain", true),
    ("Comma, Inc", true),
    ("\"quoted\"", true),
    ("a+b", true),
    ("#hash", true),
    ("back\\slash", true),
    ("semi;colon", true),
    ("<angle>", true),
    ("key=value", true),
    ("two\nlines", true),
    ("escape\u{1b}", false),
    ("left\u{202e}right", false),
    ("zero\u{200b}width", false),
    ("👩‍💻", false),
    ("🚀", true),
    ("山田太郎", true),
    ("Jose\u{301}", true),
    ("Ἀθῆναι", true),
    ("Straße", true),
    ("ÅNGSTRÖM", true),
    ("#'0101'B", true),
    ("( * )", true),
];

#[derive(Clone)]
struct Person {
    name: String,
    unit: &'static str,
    is_active: bool,
    has_surname: bool,
    /// Whether the name has two parts, `cn` and `uid`.
    is_double: bool,
}

struct Group {
    name: String,
    is_usable: bool,
    unit: &'static str,
    class: usize,
    people: BTreeSet<usize>,
    groups: BTreeSet<usize>,
}

struct Model {
    people: Vec<Person>,
    groups: Vec<Group>,
}

/// Escapes everything, so that no character depends on a list of special ones.
fn escaped(value: &str) -> String {
    value.bytes().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "\\{byte:02X}");
        text
    })
}

impl Model {
    fn new(random: &mut StdRng) -> Self {
        let part = |random: &mut StdRng| PARTS[random.random_range(0..PARTS.len())];
        let people = (0..PEOPLE)
            .map(|number| Person {
                name: format!("{} {number} {}", part(random).0, part(random).0.trim()),
                unit: ["ou=People", "ou=O\\2C dd,ou=People"][random.random_range(0..2)],
                is_active: random.random_range(0..10) > 0,
                has_surname: random.random_range(0..30) > 0,
                is_double: random.random_range(0..5) == 0,
            })
            .collect();
        let groups = (0..GROUPS)
            .map(|number| {
                let (part, is_allowed) = part(random);
                // Two pairs share a name, in two units.
                let is_twin = number < 4;
                Group {
                    name: if is_twin {
                        format!("aws twin {}", number / 2)
                    } else {
                        format!("aws{number} {part}.")
                    },
                    is_usable: is_allowed && !is_twin,
                    unit: ["ou=Groups", "ou=Elsewhere"][number % 2],
                    class: random.random_range(0..3),
                    people: (0..random.random_range(0..12))
                        .map(|_| random.random_range(0..PEOPLE))
                        .collect(),
                    groups: (0..random.random_range(0..3))
                        .map(|_| random.random_range(0..GROUPS))
                        .collect(),
                }
            })
            .collect();
        Self { people, groups }
    }

    fn name_of_person(&self, number: usize) -> String {
        let person = &self.people[number];
        let relative = format!("cn={}", escaped(&person.name));
        let relative = if person.is_double {
            format!("{relative}+uid=p{number}")
        } else {
            relative
        };
        format!("{relative},{},dc=example,dc=test", person.unit)
    }

    /// The same in another spelling.
    fn other_name_of_person(&self, number: usize) -> String {
        let person = &self.people[number];
        let relative = format!("commonName = {}", escaped(&person.name));
        let relative = if person.is_double {
            format!("USERID=P{number} + {relative}")
        } else {
            relative
        };
        format!("{relative} , {}, DC=Example,dc=test", person.unit)
    }

    fn name_of_group(&self, number: usize) -> String {
        let group = &self.groups[number];
        format!(
            "cn={},{},dc=example,dc=test",
            escaped(&group.name),
            group.unit
        )
    }

    fn ldif(&self, random: &mut StdRng) -> String {
        let mut ldif = "# step 1\n\ndn: ou=O\\2C dd,ou=People,dc=example,dc=test\n\
                        objectClass: organizationalUnit\nou: O, dd\n\n"
            .to_owned();
        for (number, person) in self.people.iter().enumerate() {
            ldif += &line("dn", &self.name_of_person(number));
            let _ = write!(
                ldif,
                "objectClass: inetOrgPerson\nuid: p{number}\nsn: S{number}\n"
            );
            ldif += &line("cn", &person.name);
            let _ = writeln!(ldif, "mail: p{number}@example.test");
            if person.has_surname {
                let _ = writeln!(ldif, "givenName: G{number}");
            }
            if !person.is_active {
                ldif += "employeeType: left\n";
            }
            ldif.push('\n');
        }
        let mut groups: Vec<usize> = (0..GROUPS).collect();
        groups.reverse();
        for number in groups {
            let group = &self.groups[number];
            let (class, attribute) = [
                ("groupOfNames", "member"),
                ("groupOfUniqueNames", "uniqueMember"),
                ("posixGroup", "memberUid"),
            ][group.class];
            ldif += &line("dn", &self.name_of_group(number));
            let _ = writeln!(ldif, "objectClass: {class}");
            ldif += &line("cn", &group.name);
            if class == "posixGroup" {
                let _ = writeln!(ldif, "gidNumber: {}", 1000 + number);
            }
            for person in &group.people {
                let value = match (attribute, random.random_range(0..3)) {
                    ("memberUid", _) => format!("p{person}"),
                    (_, 0) => self.other_name_of_person(*person),
                    ("uniqueMember", 1) => format!("{}#'0101'B", self.name_of_person(*person)),
                    _ => self.name_of_person(*person),
                };
                ldif += &line(attribute, &value);
            }
            if class != "posixGroup" {
                for nested in &group.groups {
                    ldif += &line(attribute, &self.name_of_group(*nested));
                }
                if group.people.is_empty() && group.groups.is_empty() {
                    ldif += &line(attribute, "cn=nobody,dc=elsewhere");
                }
            }
            ldif.push('\n');
        }
        ldif
    }

    /// A user exists for everyone who is active and has all values.
    fn has_user(&self, number: usize) -> bool {
        self.people[number].is_active && self.people[number].has_surname
    }

    /// The user names of the members of each group that has a usable name.
    fn members(&self) -> BTreeMap<String, BTreeSet<String>> {
        let usable = self
            .groups
            .iter()
            .enumerate()
            .filter(|(_, group)| group.is_usable);
        usable
            .map(|(number, group)| {
                let mut reached = BTreeSet::from([number]);
                loop {
                    let more: BTreeSet<usize> = reached
                        .iter()
                        .filter(|group| self.groups[**group].class < 2)
                        .flat_map(|group| self.groups[*group].groups.iter().copied())
                        .collect();
                    let before = reached.len();
                    reached.extend(more);
                    if reached.len() == before {
                        break;
                    }
                }
                let people = reached.iter().flat_map(|group| &self.groups[*group].people);
                let users = people.filter(|person| self.has_user(**person));
                (
                    group.name.clone(),
                    users.map(|person| format!("p{person}")).collect(),
                )
            })
            .collect()
    }

    fn users(&self) -> Vec<String> {
        let mut users: Vec<String> = (0..PEOPLE)
            .filter(|number| self.has_user(*number))
            .map(|number| format!("p{number}"))
            .collect();
        users.sort();
        users
    }

    fn skipped(&self) -> usize {
        let people = self.people.iter();
        people
            .filter(|person| person.is_active && !person.has_surname)
            .count()
            + self.groups.iter().filter(|group| !group.is_usable).count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_with_odd_names_has_the_end_state_that_is_computed_without_it() {
    let mut random = StdRng::seed_from_u64(7);
    let model = Model::new(&mut random);
    let ldif = model.ldif(&mut random);
    // Also runs a second time, which must not write.
    let mut steps = Steps::new(&ldif, SOURCE, "").await;
    let outcome = steps.next().await;
    assert_eq!(outcome.exit, 5, "{}", outcome.errors);
    let skipped = outcome.report["skipped"].as_array().unwrap().iter();
    let skipped: BTreeSet<&str> = skipped.filter_map(|skip| skip["entry"].as_str()).collect();
    assert_eq!(skipped.len(), model.skipped(), "{:#}", outcome.report);
    assert_eq!(steps.active(), model.users());
    let simulator = &steps.stage.simulator;
    let groups: BTreeMap<String, BTreeSet<String>> = simulator
        .groups()
        .into_iter()
        .map(|group| {
            let name = group["displayName"].as_str().unwrap().to_owned();
            let members = simulator.members(&name).unwrap();
            (name, members)
        })
        .collect();
    assert_eq!(groups, model.members());

    // The same to a server that others wrote.
    let server = Server::start();
    let text = std::fs::read_to_string(&steps.configuration).unwrap();
    let text = text.replace(
        &format!("endpoint: {}", simulator.endpoint()),
        &format!(
            "service: scim\n  endpoint: {}\n  writesPerSecond: 1000\n  readsPerSecond: 1000",
            server.endpoint
        ),
    );
    let path = steps.stage.directory.path().join("scim.yaml");
    std::fs::write(&path, &text).unwrap();
    for verb in ["run", "verify"] {
        let mut command = steps.stage.command(verb, &path);
        command
            .env("DIRECTORY_SYNC_TOKEN", TOKEN)
            .args(["--format", "json"]);
        let output = finish(command).await;
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let expected = if verb == "run" { "done" } else { "equal" };
        assert_eq!(report["result"], expected, "{report:#}");
    }
    let configuration = Configuration::parse(&text).unwrap();
    let client = client(&configuration, TOKEN);
    let mut read = client.read().await.unwrap();
    let all: Vec<usize> = (0..read.current.groups().len()).collect();
    client
        .read_members(&mut read, &all, &vec![0; all.len()])
        .await
        .unwrap();
    let users = read.current.users();
    let name = |index: &usize| {
        users[*index]
            .profile
            .get(Attribute::UserName)
            .unwrap()
            .to_owned()
    };
    let mut active: Vec<String> = (0..users.len())
        .filter(|index| users[*index].active)
        .map(|index| name(&index))
        .collect();
    active.sort();
    assert_eq!(active, model.users());
    let groups: BTreeMap<String, BTreeSet<String>> = read
        .current
        .groups()
        .iter()
        .map(|group| {
            let members = group.members.as_ref().unwrap();
            (
                group.display_name.clone(),
                members.iter().map(name).collect(),
            )
        })
        .collect();
    assert_eq!(groups, model.members());
}
