//! Servers and networks that do not do what they should: every one is an error, never a
//! snapshot of half a directory.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use directory_sync::configuration::{Configuration, Secrets};
use directory_sync::exit::Exit;
use directory_sync::run::{Options, Report, RunResult};
use directory_sync::snapshot::Snapshot;
use directory_sync::source::Error;

use identity_center_simulator::{Options as SimulatorOptions, Simulator};

use tokio::runtime::Runtime;

use crate::proxy::{self, Behavior};
use crate::slapd::{PASSWORD, READER, Slapd};
use crate::{group, read_with};

const PEOPLE: usize = 1_200;

/// 1,200 users in three pages, all in one group.
fn directory() -> Slapd {
    let (mut ldif, mut members) = (String::new(), String::new());
    for number in 0..PEOPLE {
        let name = format!("uid=u{number},ou=People,dc=example,dc=test");
        let _ = write!(
            ldif,
            "dn: {name}\nobjectClass: inetOrgPerson\nuid: u{number}\ncn: {number}\nsn: {number}\n\n"
        );
        let _ = writeln!(members, "member: {name}");
    }
    let _ = write!(
        ldif,
        "dn: cn=all,ou=Groups,dc=example,dc=test\nobjectClass: groupOfNames\ncn: all\n{members}\n"
    );
    Slapd::start(&ldif, "")
}

fn read(port: u16) -> Result<Snapshot, Error> {
    read_without(port, "[]")
}

/// With a list of subtrees that are left out on purpose.
fn read_without(port: u16, excluded: &str) -> Result<Snapshot, Error> {
    let configuration = format!(
        "
flavor: openLdap
servers: ['ldap://127.0.0.1:{port}']
allowPlaintext: true
bindName: {READER}
searchBases: ['dc=example,dc=test']
excludedSubtrees: {excluded}
users: {{ searches: [{{ base: 'ou=People,dc=example,dc=test' }}] }}
groups: {{ names: [all] }}
operationTimeoutSeconds: 2
"
    );
    read_with(&configuration, PASSWORD)
}

#[test]
fn values_that_come_in_ranges_are_all_read() {
    let slapd = directory();
    // The last range has fewer values than the others, as many, or only one.
    for size in [500, 400, 1_199, 1_200, 7] {
        let port = proxy::start(slapd.port, Behavior::Ranges(size));
        let snapshot = read(port).unwrap();
        assert_eq!(
            group(&snapshot, "all").members.len(),
            PEOPLE,
            "ranges of {size}"
        );
    }
}

#[test]
fn a_range_without_the_rest_is_an_error() {
    let slapd = directory();
    let port = proxy::start(slapd.port, Behavior::FirstRangeOnly(500));
    let error = read(port).err().expect("700 members are missing");
    insta::assert_snapshot!(
        error.to_string().replace(&port.to_string(), "PORT"),
        @"ldap://127.0.0.1:PORT: the values of `member` of `cn=all,ou=Groups,dc=example,dc=test` end after 500, though there are more; run again"
    );
}

#[test]
fn a_connection_lost_anywhere_in_the_read_is_an_error() {
    let slapd = directory();
    // What the server has of itself, two bases, the group, and the users: 4 + 1,200 entries.
    for entries in [0, 1, 2, 3, 4, 5, 501, 502, 503, 1_000, 1_203] {
        let port = proxy::start(slapd.port, Behavior::CutAfter(entries));
        let error = read(port).err().expect("entries are missing");
        assert!(
            matches!(error, Error::ConnectionLost { .. }),
            "after {entries}: {error}"
        );
    }
    let port = proxy::start(slapd.port, Behavior::CutAfter(PEOPLE + 4));
    assert_eq!(read(port).unwrap().people.len(), PEOPLE);
}

#[test]
fn a_server_that_falls_silent_is_an_error() {
    let slapd = directory();
    let port = proxy::start(slapd.port, Behavior::SilentAfter(700));
    let error = read(port).err().expect("entries are missing");
    assert!(
        matches!(error, Error::Silence { seconds: 2, .. }),
        "{error}"
    );
}

#[test]
fn a_server_that_stops_is_an_error() {
    let slapd = directory();
    let port = slapd.port;
    drop(slapd);
    let error = read(port).err().expect("there is nothing to read");
    assert!(
        matches!(&error, Error::Unreachable(attempts) if attempts.len() == 1),
        "{error}"
    );
}

#[test]
fn what_answers_no_ldap_is_an_error() {
    let answers: [&[u8]; 6] = [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        // An empty message, one without an operation, one that is no sequence.
        b"\x30\x00",
        b"\x30\x03\x02\x01\x01",
        b"\x02\x01\x01",
        // A bind response without a result, and one whose text is no text.
        b"\x30\x05\x02\x01\x01\x61\x00",
        b"\x30\x0d\x02\x01\x01\x61\x08\x0a\x01\x00\x04\x00\x04\x01\xff",
    ];
    for answer in answers {
        let listener = TcpListener::bind("127.0.0.1:0").expect("cannot listen on 127.0.0.1");
        let port = listener.local_addr().expect("it is bound").port();
        thread::spawn(move || {
            let (mut client, _) = listener.accept().expect("the reader connects");
            let mut request = [0; 1_024];
            assert!(client.read(&mut request).expect("the reader asks") > 0);
            client.write_all(answer).expect("the reader listens");
        });
        let error = read(port).err().expect("there is nothing to read");
        let is_told = matches!(
            error,
            Error::Malformed { .. } | Error::ConnectionLost { .. }
        );
        assert!(is_told, "{answer:?}: {error}");
    }
}

/// Runs of the sync against a simulator.
struct Runs {
    runtime: Runtime,
    simulator: Simulator,
}

impl Runs {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let simulator = runtime
            .block_on(Simulator::start(SimulatorOptions::default()))
            .expect("it listens");
        Self { runtime, simulator }
    }

    fn run(&self, port: u16) -> Result<Report, directory_sync::run::Error> {
        let text = format!(
            "owner: corp
source:
  flavor: openLdap
  servers: ['ldap://127.0.0.1:{port}']
  allowPlaintext: true
  bindName: {READER}
  searchBases: ['dc=example,dc=test']
  users: {{ searches: [{{ base: 'ou=People,dc=example,dc=test' }}] }}
target:
  endpoint: {}
",
            self.simulator.endpoint()
        );
        let configuration = Configuration::parse(&text).expect("the configuration is good");
        let secrets = Secrets {
            bind_password: PASSWORD.into(),
            token: self.simulator.token().into(),
        };
        let options = Options::default();
        let run = directory_sync::run::run(&configuration, &secrets, &options);
        self.runtime.block_on(run)
    }
}

const ANN_AND_BEN: &str = "dn: uid=ann,ou=People,dc=example,dc=test
objectClass: inetOrgPerson
uid: ann
cn: ann
givenName: Given
sn: Surname

dn: uid=ben,ou=People,dc=example,dc=test
objectClass: inetOrgPerson
uid: ben
cn: ben
givenName: Given
sn: Surname
";

#[test]
fn a_user_that_is_moved_during_the_read_keeps_its_access() {
    let slapd = Slapd::start(ANN_AND_BEN, "");
    let runs = Runs::new();
    let report = runs.run(slapd.port).expect("both sides can be read");
    assert_eq!(report.summary.users_created, 2);
    let omitted = "uid=ben,ou=People,dc=example,dc=test";
    let port = proxy::start(slapd.port, Behavior::OmitFirst(omitted));
    let report = runs.run(port).expect("both sides can be read");
    assert_eq!(report.result, RunResult::Equal, "{}", report.json());
    let ben = runs.simulator.user("ben").expect("ben exists");
    assert_eq!(ben["active"], true);
}

#[test]
fn a_lookup_of_leavers_that_fails_ends_the_run_before_it_writes() {
    let slapd = Slapd::start(ANN_AND_BEN, "");
    let runs = Runs::new();
    runs.run(slapd.port).expect("both sides can be read");
    drop(slapd);
    let ann = ANN_AND_BEN.split_once("\n\n").expect("two entries").0;
    let slapd = Slapd::start(&format!("{ann}\n"), "");
    runs.simulator.forget_calls();
    // The entries of the new server have other identifiers, so both users are looked up.
    let port = proxy::start(slapd.port, Behavior::FirstConnectionOnly);
    let error = runs.run(port).expect_err("nobody can be looked up");
    assert_eq!(error.exit(), Exit::Failure, "{error}");
    assert_eq!(runs.simulator.writes(), 0);
    let report = runs.run(slapd.port).expect("both sides can be read");
    assert_eq!(report.removals.users, 1, "ben");
}

#[test]
fn a_reference_to_another_server_in_any_page_is_an_error_unless_its_area_is_left_out() {
    let slapd = directory();
    let url = "ldap://berlin.example.net/ou=Berlin,ou=People,dc=example,dc=test??sub";
    // At the end of the groups, and of each page of users.
    let mut bases = Vec::new();
    for entries in [2, 3, 600, 1_100] {
        let port = proxy::start(slapd.port, Behavior::ReferAfter(entries, url));
        let error = read(port).err().expect("an area was not explored");
        let Error::Referral { base, .. } = &error else {
            panic!("after {entries}: {error}");
        };
        bases.push(base.clone());
        assert!(
            error.to_string().contains(
                "refers to ldap://berlin.example.net/ou=Berlin,ou=People,dc=example,dc=test for"
            ),
            "{error}"
        );
        for (excluded, is_read) in [
            ("['OU=berlin,ou=people,dc=example,dc=test']", true),
            ("['ou=Bremen,ou=People,dc=example,dc=test']", false),
        ] {
            let port = proxy::start(slapd.port, Behavior::ReferAfter(entries, url));
            let snapshot = read_without(port, excluded);
            assert_eq!(snapshot.is_ok(), is_read, "{excluded}");
        }
    }
    bases.dedup();
    assert_eq!(
        bases,
        ["dc=example,dc=test", "ou=People,dc=example,dc=test"]
    );
}

#[test]
fn entries_in_a_subtree_that_is_left_out_are_out_of_scope() {
    let slapd = directory();
    for excluded in [
        "uid=u7,ou=People,dc=example,dc=test",
        "userid=U7,organizationalUnitName=People,dc=example,dc=test",
    ] {
        let snapshot = read_without(slapd.port, &format!("['{excluded}']"));
        let snapshot = snapshot.expect("the directory can be read");
        assert_eq!(snapshot.people.len(), PEOPLE - 1, "{excluded}");
        assert_eq!(group(&snapshot, "all").members.len(), PEOPLE - 1);
        let unresolved = &snapshot.unresolved[..];
        assert_eq!(unresolved.len(), 1);
        assert_eq!(unresolved[0].member, "uid=u7,ou=People,dc=example,dc=test");
    }
}
