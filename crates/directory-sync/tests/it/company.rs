//! A company's directory, and the sync of it to a server.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use directory_sync::configuration::Configuration;
use directory_sync::run::{Options, Report, carry_out, compare};
use directory_sync::snapshot::{EntryId, Group, Person, Snapshot};
use directory_sync::target::{Client, RetryPolicy};
use identity_center_simulator::Simulator;
use serde_json::Value;

/// A directory that can be edited. Ids are short; what they look like does not matter.
#[derive(Clone, Default)]
pub struct Company {
    pub people: BTreeMap<String, Employee>,
    pub groups: BTreeMap<String, (String, BTreeSet<String>)>,
}

#[derive(Clone)]
pub struct Employee {
    pub active: bool,
    pub attributes: BTreeMap<String, String>,
}

impl Company {
    /// Ann, Bob and Cid; `aws-admins` is Ann's, `aws-readers` everybody's.
    pub fn of_three() -> Self {
        Self::default()
            .employ("1", "ann")
            .employ("2", "bob")
            .employ("3", "cid")
            .group("71", "aws-admins", &["1"])
            .group("72", "aws-readers", &["1", "2", "3"])
    }

    pub fn employ(mut self, id: &str, name: &str) -> Self {
        let attributes = [
            ("userprincipalname", format!("{name}@example.test")),
            ("givenname", format!("Given {name}")),
            ("sn", format!("Surname {name}")),
            ("cn", format!("{name} of Example")),
            ("title", "Clerk".to_owned()),
            ("objectsid", format!("S-1-5-21-1-2-3-{id}")),
        ];
        let attributes = attributes.map(|(name, value)| (name.to_owned(), value));
        let employee = Employee {
            active: true,
            attributes: attributes.into(),
        };
        self.people.insert(id.to_owned(), employee);
        self
    }

    pub fn group(mut self, id: &str, name: &str, members: &[&str]) -> Self {
        let members = members.iter().map(|&id| id.to_owned()).collect();
        self.groups
            .insert(id.to_owned(), (name.to_owned(), members));
        self
    }

    pub fn set(&mut self, id: &str, attribute: &str, value: &str) {
        let employee = self.people.get_mut(id).unwrap();
        employee
            .attributes
            .insert(attribute.to_owned(), value.to_owned());
    }

    pub fn leave(&mut self, id: &str) {
        self.people.remove(id);
        for (_, members) in self.groups.values_mut() {
            members.remove(id);
        }
    }

    pub fn snapshot(&self) -> Snapshot {
        let people = self.people.iter().map(|(id, employee)| Person {
            id: EntryId(id.clone()),
            distinguished_name: format!("CN={id},OU=Staff,DC=example,DC=test"),
            active: employee.active,
            attributes: employee
                .attributes
                .iter()
                .map(|(name, value)| (name.clone(), vec![value.clone()]))
                .collect(),
            ..Person::default()
        });
        let groups = self.groups.iter().map(|(id, (name, members))| Group {
            id: EntryId(id.clone()),
            distinguished_name: format!("CN={name},OU=Groups,DC=example,DC=test"),
            attributes: [("cn".to_owned(), vec![name.clone()])].into(),
            members: members.iter().map(|id| EntryId(id.clone())).collect(),
            ..Group::default()
        });
        Snapshot {
            people: people.collect(),
            groups: groups.collect(),
            ..Snapshot::default()
        }
    }
}

/// A configuration for a server; `more` is YAML of its root.
pub fn configuration(endpoint: &str, service: &str, more: &str) -> Configuration {
    Configuration::parse(&format!(
        "owner: corp
source:
  servers: [ldaps://dc1.example.test]
  bindName: reader@example.test
  searchBases: ['DC=example,DC=test']
  users: {{memberOf: [aws-users]}}
target:
  service: {service}
  endpoint: {endpoint}
  writesPerSecond: 1000
  readsPerSecond: 1000
  timeoutSeconds: 60
{more}"
    ))
    .unwrap()
}

/// A configuration for the simulator.
pub fn for_simulator(simulator: &Simulator, more: &str) -> Configuration {
    configuration(simulator.endpoint(), "identityCenter", more)
}

/// A client that does not wait long between repetitions.
pub fn client(configuration: &Configuration, token: &str) -> Client {
    let retries = RetryPolicy {
        times: 6,
        first_delay: Duration::from_millis(5),
    };
    Client::with_retries(&configuration.target, &token.into(), retries).unwrap()
}

/// One run.
pub async fn sync(company: &Company, configuration: &Configuration, token: &str) -> Report {
    sync_with(company, configuration, token, &Options::default()).await
}

pub async fn sync_with(
    company: &Company,
    configuration: &Configuration,
    token: &str,
    options: &Options,
) -> Report {
    let client = client(configuration, token);
    let comparison = compare(company.snapshot(), &client, configuration, options)
        .await
        .unwrap();
    carry_out(comparison, &client, configuration, options).await
}

/// What matters of an identity store, without ids and times.
#[derive(Debug, PartialEq)]
pub struct Store {
    pub users: BTreeMap<String, (String, bool, String)>,
    pub groups: BTreeMap<String, (String, BTreeSet<String>)>,
}

impl Store {
    pub fn of(simulator: &Simulator) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let users = simulator.users().into_iter().map(|user| {
            let active = user["active"] == true;
            let rest = (text(&user["externalId"]), active, text(&user["title"]));
            (text(&user["userName"]), rest)
        });
        let groups = simulator.groups().into_iter().map(|group| {
            let name = text(&group["displayName"]);
            let members = simulator.members(&name).unwrap();
            (name, (text(&group["externalId"]), members))
        });
        Self {
            users: users.collect(),
            groups: groups.collect(),
        }
    }

    pub fn members(&self, group: &str) -> Vec<&str> {
        let (_, members) = &self.groups[group];
        members
            .iter()
            .map(|name| name.trim_end_matches("@example.test"))
            .collect()
    }
}
