//! A sync that runs every few minutes and finds nothing changed: what a run takes that reads
//! both sides, one that reads the directory alone because of its cache, and one that only asks
//! the domain controller whether anything was written. The simulator of Identity Center
//! throttles as the service does.
//!
//! Needs root and the ports 389 and 636 (Samba).
//!
//! ```text
//! cargo bench -p directory-sync --bench frequent
//! ```

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints its figures, and one that cannot go on has failed"
)]

#[path = "../tests/directory_server/certificates.rs"]
mod certificates;
#[path = "../tests/directory_server/daemon.rs"]
mod daemon;
#[path = "../tests/directory_server/samba.rs"]
mod samba;
#[path = "../tests/directory_server/slapd.rs"]
#[expect(dead_code, reason = "shared with the tests of the reader")]
mod slapd;

use std::fmt::Write as _;
use std::time::Instant;

use directory_sync::configuration::{Configuration, Secrets};
use directory_sync::exit::Exit;
use directory_sync::run::{Options, run};
use identity_center_simulator::{Options as SimulatorOptions, Simulator};

use self::samba::{DOMAIN, DomainController};
use self::slapd::Slapd;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RUNS: usize = 7;
const MEMBERS: usize = 100;
const USERS_OF_SAMBA: usize = 2_000;
const USERS_OF_SLAPD: usize = 20_000;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let slapd = Slapd::start(&people(), "");
    let source = format!(
        "
  flavor: openLdap
  servers: ['ldaps://127.0.0.1:{}']
  certificateAuthorityFile: {}
  bindName: {}
  searchBases: ['dc=example,dc=test']
  users: {{searches: [{{base: 'ou=People,dc=example,dc=test'}}]}}
  groups: {{names: ['aws-*']}}",
        slapd.tls_port,
        slapd.authority().display(),
        slapd::READER
    );
    println!("OpenLDAP, {USERS_OF_SLAPD} users");
    runtime.block_on(measure(&source, slapd::PASSWORD));

    let samba = DomainController::shared();
    samba.run(&accounts());
    let source = format!(
        "
  servers: ['ldaps://127.0.0.1']
  certificateAuthorityFile: {}
  bindName: {}
  searchBases: ['{DOMAIN}']
  users: {{searches: [{{base: 'OU=Frequent,{DOMAIN}'}}]}}
  groups: {{names: ['aws-*']}}",
        samba.authority().display(),
        samba::READER
    );
    println!("Active Directory (Samba), {USERS_OF_SAMBA} users");
    runtime.block_on(measure(&source, samba::PASSWORD));
}

async fn measure(source: &str, password: &str) {
    let simulator = Simulator::start(SimulatorOptions::default()).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("cache.json");
    let configuration = |rates: &str, cache: &str| {
        let endpoint = simulator.endpoint();
        let text = format!(
            "owner: bench\nsource:{source}\ntarget:\n  endpoint: {endpoint}\n{rates}\n{cache}"
        );
        Configuration::parse(&text).unwrap()
    };
    let secrets = Secrets {
        bind_password: password.into(),
        token: simulator.token().into(),
    };
    let options = Options::default();
    let filling = configuration("  writesPerSecond: 100000\n  readsPerSecond: 100000", "");
    let report = run(&filling, &secrets, &options).await.unwrap();
    assert_eq!(report.exit(), Exit::Success, "{}", report.json());
    simulator.throttle(true);
    let in_file = format!("cache:\n  file: {}\n", file.display());
    for (name, cache) in [
        ("both sides", String::new()),
        ("the directory", in_file.clone()),
        (
            "nothing unless written",
            format!("{in_file}  readDirectory: ifChanged\n"),
        ),
    ] {
        let configuration = configuration("", &cache);
        let mut elapsed = Vec::new();
        for number in 0..=RUNS {
            simulator.forget_calls();
            let begun = Instant::now();
            let report = run(&configuration, &secrets, &options).await.unwrap();
            assert_eq!(report.exit(), Exit::Success);
            assert_eq!(simulator.writes(), 0);
            // The first run fills the cache.
            if number > 0 {
                elapsed.push(begun.elapsed().as_secs_f64());
            }
        }
        elapsed.sort_by(f64::total_cmp);
        println!(
            "  reads {name}: {:.0} ms, {} calls",
            elapsed[RUNS / 2] * 1e3,
            simulator.reads()
        );
    }
}

fn people() -> String {
    let mut ldif = String::new();
    for number in 0..USERS_OF_SLAPD {
        let _ = write!(
            ldif,
            "dn: uid=user{number:05},ou=People,dc=example,dc=test
objectClass: inetOrgPerson
uid: user{number:05}
cn: Given{number} Family{number}
sn: Family{number}
givenName: Given{number}
mail: given{number}.family{number}@example.test
title: Agent

"
        );
    }
    for group in 0..USERS_OF_SLAPD / MEMBERS {
        let _ = write!(
            ldif,
            "dn: cn=aws-{group},ou=Groups,dc=example,dc=test\nobjectClass: groupOfNames\ncn: aws-{group}\n"
        );
        for member in 0..MEMBERS {
            let number = group * MEMBERS + member;
            let _ = writeln!(
                ldif,
                "member: uid=user{number:05},ou=People,dc=example,dc=test"
            );
        }
        ldif.push('\n');
    }
    ldif
}

fn accounts() -> String {
    format!(
        r#"
directory.transaction_start()
unit("OU=Frequent")
users = []
for number in range({USERS_OF_SAMBA}):
    users.append(user(
        "OU=Frequent", f"user{{number:05}}", givenName=f"Given{{number}}", sn=f"Family{{number}}",
        userPrincipalName=f"user{{number:05}}@corp.example.test", title="Agent"))
for start in range(0, {USERS_OF_SAMBA}, {MEMBERS}):
    group("OU=Frequent", f"aws-{{start}}", *users[start:start + {MEMBERS}])
directory.transaction_commit()
"#
    )
}
