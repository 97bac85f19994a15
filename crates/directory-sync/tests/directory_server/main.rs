//! The reader against real directory servers on this machine: Samba as the domain controller
//! of an Active Directory, and OpenLDAP's slapd.
//!
//! They come from Debian's packages (the message of a test that misses them names these), are
//! started by the tests, listen on the loopback interface and end with the tests.

mod active_directory;
mod certificates;
mod daemon;
mod faults;
mod ldif;
mod names;
mod open_ldap;
mod proxy;
mod samba;
mod slapd;
mod transport;

use directory_sync::snapshot::{EntryId, Group, Person, Snapshot};
use directory_sync::source::{self, Configuration, Error, RequestedAttributes};
use jiff::Timestamp;
use secrecy::SecretString;

/// Reads the directory that `configuration`, in YAML, describes.
fn read_with(configuration: &str, password: &str) -> Result<Snapshot, Error> {
    let configuration: Configuration =
        serde_yaml::from_str(configuration).expect("the configuration is a good one");
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let attributes = RequestedAttributes {
        users: names(&["uid", "sAMAccountName", "displayName", "Mail"]),
        groups: names(&["cn"]),
        ..RequestedAttributes::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime can be made");
    runtime.block_on(source::read(
        &configuration,
        &SecretString::from(password),
        &attributes,
        Timestamp::now(),
    ))
}

/// The first value of an attribute.
fn value<'a>(person: &'a Person, attribute: &str) -> &'a str {
    person.attributes[attribute][0].as_str()
}

/// The values of an attribute of all people, sorted.
fn values<'a>(snapshot: &'a Snapshot, attribute: &str) -> Vec<&'a str> {
    let mut values: Vec<_> = snapshot
        .people
        .iter()
        .map(|person| value(person, attribute))
        .collect();
    values.sort_unstable();
    values
}

/// The person with this value of an attribute.
fn person<'a>(snapshot: &'a Snapshot, attribute: &str, wanted: &str) -> &'a Person {
    snapshot
        .people
        .iter()
        .find(|person| value(person, attribute) == wanted)
        .unwrap_or_else(|| panic!("{wanted} is not in the snapshot"))
}

fn group<'a>(snapshot: &'a Snapshot, name: &str) -> &'a Group {
    snapshot
        .groups
        .iter()
        .find(|group| group.attributes["cn"][0] == name)
        .unwrap_or_else(|| panic!("{name} is not in the snapshot"))
}

/// The values of an attribute of a group's members, sorted.
fn members<'a>(snapshot: &'a Snapshot, name: &str, attribute: &str) -> Vec<&'a str> {
    let group = group(snapshot, name);
    let is_member = |id: &EntryId| group.members.contains(id);
    let mut members: Vec<_> = snapshot
        .people
        .iter()
        .filter(|person| is_member(&person.id))
        .map(|person| value(person, attribute))
        .collect();
    assert_eq!(members.len(), group.members.len(), "a member is no person");
    members.sort_unstable();
    members
}
