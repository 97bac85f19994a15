//! Reading 20,000 users compared to `ldapsearch`, which reads the same attributes of the same
//! server and does nothing with them but print them.
//!
//! ```text
//! cargo bench -p directory-sync --bench read
//! ```
//!
//! Each is run in turn, several times; the medians are compared. Then the same users are read
//! as the members of a group, which takes the group first and each of them by its name.

#![expect(
    clippy::print_stdout,
    reason = "a measurement is there to print what it measured"
)]

#[path = "../tests/directory_server/certificates.rs"]
mod certificates;
#[path = "../tests/directory_server/daemon.rs"]
mod daemon;
#[path = "../tests/directory_server/slapd.rs"]
mod slapd;

use std::fmt::{self, Write as _};
use std::process::Command;
use std::time::Instant;

use directory_sync::source::{self, Configuration, RequestedAttributes};
use jiff::Timestamp;
use secrecy::SecretString;

use self::slapd::{PASSWORD, READER, Slapd};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USERS: usize = 20_000;
const RUNS: usize = 9;

/// What a sync asks for, beside what the reader needs itself.
const ATTRIBUTES: [&str; 9] = [
    "cn",
    "sn",
    "givenName",
    "displayName",
    "mail",
    "title",
    "employeeNumber",
    "departmentNumber",
    "telephoneNumber",
];

/// Users below a base, and users in a group.
const FOUND: &str = "searches: [{ base: 'ou=People,dc=example,dc=test' }]";
const OF_GROUP: &str = "memberOf: [everybody]";

fn main() {
    let slapd = Slapd::start(&people(), "");
    // Of several threads one would wait for the socket and wake another for each entry.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    println!("{USERS} users, {RUNS} runs each, median");
    for (url, scope) in [
        (format!("ldap://127.0.0.1:{}", slapd.port), FOUND),
        (format!("ldaps://127.0.0.1:{}", slapd.tls_port), FOUND),
        (format!("ldaps://127.0.0.1:{}", slapd.tls_port), OF_GROUP),
    ] {
        let configuration = configuration(&url, &slapd, scope);
        let (mut ours, mut theirs) = (Measured::default(), Measured::default());
        for _ in 0..RUNS {
            ours.add(|| runtime.block_on(read(&configuration)));
            theirs.add(|| ldapsearch(&url, &slapd));
        }
        let name = url.split(':').next().unwrap_or_default();
        println!("{name}, {scope}");
        println!("  directory-sync {ours}\n  ldapsearch     {theirs}");
        println!(
            "  ratio {:.2}, of processor time {:.2}",
            ours.median() / theirs.median(),
            ours.processor / theirs.processor
        );
    }
}

/// Times in seconds.
#[derive(Default)]
struct Measured {
    elapsed: Vec<f64>,
    processor: f64,
}

impl Measured {
    fn add(&mut self, work: impl FnOnce() -> usize) {
        let (started, before) = (Instant::now(), processor_seconds());
        assert_eq!(work(), USERS);
        self.elapsed.push(started.elapsed().as_secs_f64());
        self.processor += processor_seconds() - before;
    }

    fn median(&self) -> f64 {
        let mut elapsed = self.elapsed.clone();
        elapsed.sort_by(f64::total_cmp);
        elapsed[elapsed.len() / 2]
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:6.0} ms, {:6.0} ms of processor time",
            self.median() * 1e3,
            self.processor / RUNS as f64 * 1e3
        )
    }
}

/// Of this process and of the children that have ended, not of the server (proc(5), fields 14 to
/// 17 of stat, in hundredths of a second).
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("this is Linux");
    let (_, fields) = stat.rsplit_once(')').expect("the name is in parentheses");
    let ticks: u32 = fields
        .split_whitespace()
        .skip(11)
        .take(4)
        .map(|field| field.parse::<u32>().expect("it is a number"))
        .sum();
    f64::from(ticks) / 100.0
}

async fn read(configuration: &Configuration) -> usize {
    let attributes = RequestedAttributes {
        users: ATTRIBUTES.map(str::to_owned).into(),
        ..RequestedAttributes::default()
    };
    let password = SecretString::from(PASSWORD);
    let snapshot = source::read(configuration, &password, &attributes, Timestamp::now())
        .await
        .expect("the directory can be read");
    snapshot.people.len()
}

fn configuration(url: &str, slapd: &Slapd, scope: &str) -> Configuration {
    let text = format!(
        "
flavor: openLdap
servers: ['{url}']
allowPlaintext: true
certificateAuthorityFile: {}
bindName: {READER}
searchBases: ['ou=Groups,dc=example,dc=test', 'ou=People,dc=example,dc=test']
users: {{ {scope} }}
",
        slapd.authority().display()
    );
    serde_yaml::from_str(&text).expect("the configuration is a good one")
}

fn ldapsearch(url: &str, slapd: &Slapd) -> usize {
    let output = Command::new(daemon::find("ldapsearch"))
        .env("LDAPTLS_CACERT", slapd.authority())
        .args(["-LLL", "-x", "-H", url, "-D", READER, "-w", PASSWORD])
        .args(["-E", "pr=500/noprompt", "-b", "dc=example,dc=test"])
        .args([
            "(objectClass=inetOrgPerson)",
            "objectClass",
            "entryUUID",
            "uid",
        ])
        .args(ATTRIBUTES)
        .output()
        .expect("cannot run ldapsearch");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().filter(|line| line.starts_with("dn: ")).count()
}

fn people() -> String {
    let mut ldif = String::new();
    let mut members = String::new();
    for number in 0..USERS {
        let _ = writeln!(
            members,
            "member: uid=user{number:05},ou=People,dc=example,dc=test"
        );
        let _ = write!(
            ldif,
            "dn: uid=user{number:05},ou=People,dc=example,dc=test
objectClass: inetOrgPerson
uid: user{number:05}
cn: Given{number} Family{number}
sn: Family{number}
givenName: Given{number}
displayName: Given{number} Family{number}
mail: given{number}.family{number}@example.test
title: Agent
employeeNumber: {number}
departmentNumber: Support
telephoneNumber: +49 30 {number:07}

"
        );
    }
    let _ = write!(
        ldif,
        "dn: cn=everybody,ou=Groups,dc=example,dc=test
objectClass: groupOfNames
cn: everybody
{members}"
    );
    ldif
}
