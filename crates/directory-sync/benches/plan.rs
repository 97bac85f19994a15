//! Planning at the size of a large company, and the calls that a sync makes.
//!
//! 100,000 users, 2,000 groups, 500,000 memberships. First the planning alone (mapping,
//! matching, difference) with nothing changed, its time and the process's peak memory; then
//! whole runs against the simulator: reads with nothing changed, writes with 1 % changed.
//!
//! `cargo bench -p directory-sync --bench plan`

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints its figures, and one that cannot go on has failed"
)]

use std::collections::BTreeSet;
use std::fs;
use std::time::Instant;

use directory_sync::attribute::{Attribute, Profile};
use directory_sync::configuration::Configuration;
use directory_sync::plan::matching::{LookedUp, Matching};
use directory_sync::plan::{Current, CurrentGroup, CurrentUser, ResourceId, plan};
use directory_sync::run::{Options, carry_out, compare};
use directory_sync::snapshot::{EntryId, Group, Person, Snapshot};
use directory_sync::target::Client;
use identity_center_simulator::{Options as SimulatorOptions, Simulator};
use serde_json::json;

const USERS: usize = 100_000;
const GROUPS: usize = 2_000;
const MEMBERS: usize = 250;

fn main() {
    planning();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(calls());
}

/// An objectGUID.
fn guid(kind: u32, index: usize) -> String {
    format!("{index:08x}-{kind:04x}-4350-9cd9-ade7070b02d5")
}

fn person(index: usize) -> Person {
    let attributes = [
        (
            "userprincipalname",
            format!("given.surname{index}@corp.example.test"),
        ),
        ("mail", format!("given.surname{index}@example.test")),
        ("givenname", format!("Given{index}")),
        ("sn", format!("Surname{index}")),
        ("displayname", format!("Surname{index}, Given{index}")),
        ("title", format!("Title {}", index % 50)),
        ("company", "Example Corporation".to_owned()),
        ("department", format!("Department {}", index % 300)),
        ("employeenumber", index.to_string()),
        (
            "objectsid",
            format!("S-1-5-21-4046252453-3960214896-2585853386-{index}"),
        ),
    ];
    Person {
        id: EntryId(guid(1, index)),
        distinguished_name: format!("CN=Surname{index},OU=Staff,DC=corp,DC=example,DC=test"),
        active: true,
        attributes: attributes
            .map(|(name, value)| (name.to_owned(), vec![value]))
            .into(),
        ..Person::default()
    }
}

/// The members of a group, spread over all users.
fn members(group: usize) -> impl Iterator<Item = usize> {
    (0..MEMBERS).map(move |index| (group * 613 + index * 397) % USERS)
}

fn snapshot() -> Snapshot {
    let groups = (0..GROUPS).map(|index| Group {
        id: EntryId(guid(2, index)),
        distinguished_name: format!("CN=aws-{index},OU=Groups,DC=corp,DC=example,DC=test"),
        attributes: [("cn".to_owned(), vec![format!("aws-{index}")])].into(),
        members: members(index).map(|user| EntryId(guid(1, user))).collect(),
        ..Group::default()
    });
    Snapshot {
        people: (0..USERS).map(person).collect(),
        groups: groups.collect(),
        ..Snapshot::default()
    }
}

fn configuration(endpoint: &str, rates: &str) -> Configuration {
    Configuration::parse(&format!(
        "owner: corp
source:
  servers: [ldaps://dc1.corp.example.test]
  bindName: reader@corp.example.test
  searchBases: ['DC=corp,DC=example,DC=test']
  users: {{memberOf: [aws-users]}}
target:
  endpoint: {endpoint}
{rates}"
    ))
    .unwrap()
}

/// The state of a server that matches the directory.
fn current(configuration: &Configuration) -> Current {
    let desired = configuration.mapping().unwrap().apply(snapshot());
    let users: Vec<CurrentUser> = desired
        .users
        .into_iter()
        .map(|(entry, user)| CurrentUser {
            id: ResourceId(format!("9067729b3d-{}", entry.0)),
            external_id: Some(configuration.owner.mark(&entry)),
            active: true,
            profile: user.profile.unwrap(),
        })
        .collect();
    let groups = desired.groups.iter().map(|(entry, group)| CurrentGroup {
        id: ResourceId(format!("9067729b3d-{}", entry.0)),
        external_id: Some(configuration.owner.mark(entry)),
        display_name: group.display_name.clone().unwrap(),
        members: None,
    });
    let mut current = Current::new(users, groups.collect());
    for index in 0..GROUPS {
        let group: usize = current.groups()[index].display_name[4..].parse().unwrap();
        let members = members(group)
            .map(|user| {
                current
                    .user_index(&format!("9067729b3d-{}", guid(1, user)))
                    .unwrap()
            })
            .collect();
        current.set_members(index, members);
    }
    current
}

fn planning() {
    let configuration = configuration("https://scim.example.test/", "");
    let policy = configuration.policy();
    let current = current(&configuration);
    let snapshot = snapshot();
    let begun = processor_seconds();
    let desired = configuration.mapping().unwrap().apply(snapshot);
    let mapped = processor_seconds() - begun;
    let matching = Matching::new(&desired, &current, &policy, &LookedUp::default());
    let plan = plan(&desired, &current, &matching, &policy);
    let planned = processor_seconds() - begun;
    assert_eq!(plan.operations().count(), 0);
    println!(
        "planning, nothing changed: {planned:.2} s of processor time, of which mapping \
         {mapped:.2} s; peak memory {} MB",
        peak_memory()
    );
}

/// Of this thread: a busy machine does not change it.
fn processor_seconds() -> f64 {
    let statistics = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanoseconds: f64 = statistics.split(' ').next().unwrap().parse().unwrap();
    nanoseconds / 1e9
}

/// In MB: the most that was resident since the process began.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        / 1024
}

async fn calls() {
    let simulator = Simulator::start(SimulatorOptions::default()).await.unwrap();
    let fast = configuration(
        simulator.endpoint(),
        "  writesPerSecond: 100000\n  readsPerSecond: 100000",
    );
    fill(&simulator, &fast);
    let options = Options::default();

    let begun = Instant::now();
    let client = Client::new(&fast.target, &simulator.token().into()).unwrap();
    let comparison = compare(snapshot(), &client, &fast, &options).await.unwrap();
    assert_eq!(comparison.plan.operations().count(), 0);
    let required = USERS.div_ceil(100) + GROUPS.div_ceil(100) + GROUPS * MEMBERS.div_ceil(100);
    println!(
        "reads, nothing changed: {} (pages require {required}); writes: {}; {:.1} s without the \
         service's rates, {:.0} s with them",
        simulator.reads(),
        simulator.writes(),
        begun.elapsed().as_secs_f64(),
        // Both lists at once; the members are users.
        (required - GROUPS.div_ceil(100)) as f64 / 40.0
    );

    // 1 %: 1,000 users change their title; 20 groups are renamed; of 5,000 memberships,
    // 2,500 end and 2,500 begin, in one group in ten.
    let mut changed = snapshot();
    for person in changed.people.iter_mut().step_by(USERS / 1000) {
        person
            .attributes
            .insert("title".to_owned(), vec!["New".to_owned()]);
    }
    for group in changed.groups.iter_mut().step_by(GROUPS / 20) {
        let name = format!("{}-renamed", group.attributes["cn"][0]);
        group.attributes.insert("cn".to_owned(), vec![name]);
    }
    let everybody: Vec<EntryId> = (0..USERS).map(|user| EntryId(guid(1, user))).collect();
    let mut membership_writes = 0;
    for (index, group) in changed.groups.iter_mut().enumerate().skip(5).step_by(10) {
        let leave = if index % 20 == 5 { 13 } else { 12 };
        let kept: BTreeSet<EntryId> = group.members.iter().skip(leave).cloned().collect();
        let joined = everybody
            .iter()
            .skip(index * 7)
            .filter(|user| !group.members.contains(*user))
            .take(leave);
        let joined: Vec<EntryId> = joined.cloned().collect();
        group.members = kept.into_iter().chain(joined).collect();
        membership_writes += 1;
    }
    let expected = 1000 + 20 + membership_writes;
    simulator.forget_calls();
    simulator.throttle(true);
    let slow = configuration(simulator.endpoint(), "");
    let reader = Client::new(&fast.target, &simulator.token().into()).unwrap();
    simulator.throttle(false);
    let comparison = compare(changed, &reader, &slow, &options).await.unwrap();
    simulator.throttle(true);
    let writer = Client::new(&slow.target, &simulator.token().into()).unwrap();
    let begun = Instant::now();
    let report = carry_out(comparison, &writer, &slow, &options).await;
    let took = begun.elapsed().as_secs_f64();
    // Phase after phase; in each, the users and the groups side by side.
    let dictated = membership_writes as f64 / 25.0 + 1000.0 / 25.0;
    println!(
        "1 % changed: {} writes for {expected} changes after batching, {} of them throttled; \
         {took:.1} s at the service's rates, which dictate {dictated:.1} s ({:+.1} %); result {:?}",
        simulator.writes(),
        simulator.throttled(),
        (took / dictated - 1.0) * 100.0,
        report.result
    );
}

/// Gives the simulator what a first run would have made.
fn fill(simulator: &Simulator, configuration: &Configuration) {
    let desired = configuration.mapping().unwrap().apply(snapshot());
    let mut ids = std::collections::HashMap::new();
    for (entry, user) in desired.users {
        let profile = user.profile.unwrap();
        let id = simulator.add_user(document(&profile, &configuration.owner.mark(&entry)));
        ids.insert(entry, id.unwrap());
    }
    for (entry, group) in desired.groups {
        let members: Vec<String> = group.members.iter().map(|user| ids[user].clone()).collect();
        let group = json!({
            "displayName": group.display_name,
            "externalId": configuration.owner.mark(&entry),
        });
        simulator.add_group(group, &members).unwrap();
    }
}

fn document(profile: &Profile, external_id: &str) -> serde_json::Value {
    let value = |attribute| profile.get(attribute).unwrap_or_default();
    json!({
        "externalId": external_id,
        "active": true,
        "userName": value(Attribute::UserName),
        "displayName": value(Attribute::DisplayName),
        "title": value(Attribute::Title),
        "name": {
            "givenName": value(Attribute::GivenName),
            "familyName": value(Attribute::FamilyName),
        },
        "emails": [{"value": value(Attribute::Email), "type": "work", "primary": true}],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "employeeNumber": value(Attribute::EmployeeNumber),
            "organization": value(Attribute::Organization),
            "department": value(Attribute::Department),
        },
    })
}
