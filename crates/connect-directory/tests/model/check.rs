//! Compares the table, Connect and what the directory returns with each other and with the
//! model.

use std::collections::{BTreeMap, BTreeSet};

use connect_directory::{
    directory::Context,
    store::{Record, StoredUser, fold},
};
use serde_json::{Value, json};

use crate::{
    history::History,
    model::{Group, User},
    plan::{MAPPED_GROUPS, second_name},
    world::{CLIENT, World, creation_of},
};

/// The lanes of the members of a group.
const LANES: usize = 8;

/// The items of the table, by key: `pk`, `sk`.
type Items = BTreeMap<(String, String), Value>;

/// A group as its items have it.
#[derive(Default)]
struct GroupItems {
    state: String,
    generation: String,
    /// Absent: a security profile.
    name: Option<String>,
    /// The name that determines the security profiles of the members.
    mapped: Option<String>,
    external_id: Option<String>,
    has_own_item: bool,
    /// The generations of the gates that are open.
    gates: Vec<String>,
    members: BTreeSet<String>,
}

impl GroupItems {
    /// Whether the group exists for identity providers. A security profile does without an
    /// item.
    fn exists(&self) -> bool {
        match self.name {
            Some(_) => self.state == "active",
            None => matches!(self.state.as_str(), "" | "seen" | "active"),
        }
    }
}

fn text<'a>(item: &'a Value, name: &str) -> &'a str {
    item[name]["S"].as_str().unwrap_or_default()
}

impl World {
    /// What is wrong, once everything that was pending is carried out.
    pub async fn compare(&self) -> Vec<String> {
        let mut problems = Vec::new();
        // Writes the items of new security profiles.
        let listed = self.directory().groups(self.context(false)).await;
        listed.unwrap();
        let items: Items = self
            .cloud
            .items()
            .await
            .into_iter()
            .map(|item| {
                let key = (text(&item, "pk").to_owned(), text(&item, "sk").to_owned());
                (key, item)
            })
            .collect();
        let records = self.records(&items).await;
        let groups = groups(&items);
        self.check_users(&items, &records, &mut problems).await;
        check_groups(&items, &records, &groups, &mut problems);
        self.check_connect(&records, &groups, &mut problems).await;
        self.check_view(&records, &groups, &mut problems).await;
        self.check_promises(&records, &groups, &mut problems);
        problems
    }

    async fn records(&self, items: &Items) -> BTreeMap<String, Record> {
        let directory = self.directory();
        let mut records = BTreeMap::new();
        for (partition, _) in items.keys() {
            if let Some(id) = partition.strip_prefix("USER#") {
                let record = directory.store().get_record(id).await.unwrap();
                records.insert(id.to_owned(), record.unwrap());
            }
        }
        records
    }

    /// Nothing is left of a request, and the copies are those of the users.
    async fn check_users(
        &self,
        items: &Items,
        records: &BTreeMap<String, Record>,
        problems: &mut Vec<String>,
    ) {
        let mut expected: BTreeSet<(String, String)> = BTreeSet::new();
        for (id, record) in records {
            let user = &record.user;
            let item = &items[&(format!("USER#{id}"), "USER".to_owned())];
            for left in [
                "claim",
                "claims",
                "claimUntil",
                "claimUsernames",
                "pending",
                "removed",
            ] {
                if item.get(left).is_some() {
                    problems.push(format!("{id}: {left} is left: {}", item[left]));
                }
            }
            if record.connect.uncertain || !record.connect.former_usernames.is_empty() {
                problems.push(format!("{id}: what Connect has is not certain"));
            }
            let name = format!("USERNAME#{}", fold(user.user_name()));
            let mut copies = vec![(name, "USERNAME".to_owned())];
            copies.extend(user.external_ids.iter().map(|(client, external_id)| {
                (format!("EXTERNALID#{client}#{external_id}"), id.clone())
            }));
            for key in copies {
                let copy = items.get(&key);
                let differs =
                    |name: &&str| copy.is_none_or(|copy| copy.get(*name) != item.get(*name));
                let attributes = [
                    "id",
                    "version",
                    "created",
                    "lastModified",
                    "document",
                    "externalIds",
                    "groups",
                ];
                let differing: Vec<&str> = attributes.into_iter().filter(differs).collect();
                if !differing.is_empty() {
                    problems.push(format!("{id}: the copy {key:?} differs in {differing:?}"));
                }
                expected.insert(key);
            }
            for email in user.email_keys() {
                expected.insert((format!("EMAIL#{email}"), id.clone()));
            }
        }
        let found: BTreeSet<(String, String)> = items
            .keys()
            .filter(|(partition, _)| {
                let kinds = ["USERNAME#", "EXTERNALID#", "EMAIL#"];
                kinds.iter().any(|kind| partition.starts_with(kind))
            })
            .cloned()
            .collect();
        if found != expected {
            let difference: Vec<_> = found.symmetric_difference(&expected).collect();
            problems.push(format!("copies without a user, or missing: {difference:?}"));
        }
        let listed = self.directory().store().ids().await.unwrap();
        if !listed.iter().eq(records.keys()) {
            problems.push(format!("listing: {listed:?}, users: {:?}", records.keys()));
        }
    }

    async fn check_connect(
        &self,
        records: &BTreeMap<String, Record>,
        groups: &BTreeMap<String, GroupItems>,
        problems: &mut Vec<String>,
    ) {
        let state = self.cloud.simulator.state();
        let profiles = state["securityProfiles"].as_object().unwrap();
        let names: BTreeMap<&str, &str> = profiles
            .iter()
            .map(|(id, value)| {
                let name = value["profile"]["SecurityProfileName"].as_str().unwrap();
                (id.as_str(), name)
            })
            .collect();
        let mut by_owner: BTreeMap<String, Value> = BTreeMap::new();
        let mut usernames = BTreeSet::new();
        for user in self.cloud.connect_users() {
            let username = user["Username"].as_str().unwrap().to_owned();
            if !usernames.insert(username.clone()) {
                problems.push(format!("Connect has {username} twice"));
            }
            let owner = user["Tags"]["scim:id"].as_str().unwrap_or_default();
            if by_owner.insert(owner.to_owned(), user.clone()).is_some() {
                problems.push(format!("{owner} has two Connect users"));
            }
            if !records.contains_key(owner) {
                problems.push(format!(
                    "Connect has {username} of {owner}, who does not exist"
                ));
            }
        }
        for (id, record) in records {
            let user = &record.user;
            let held = by_owner.get(id).map(|user| {
                let ids = user["SecurityProfileIds"].as_array().unwrap();
                ids.iter()
                    .map(|id| names[id.as_str().unwrap()])
                    .collect::<BTreeSet<&str>>()
            });
            let wanted = match (user.is_active(), self.plan.deprovision) {
                (true, _) => Some(granted(user, groups, &names)),
                (false, "suspend") => held.is_some().then(|| BTreeSet::from(["Suspended"])),
                (false, _) => None,
            };
            if held != wanted {
                problems.push(format!(
                    "{id} ({}, active: {}): Connect has {held:?} instead of {wanted:?}",
                    user.user_name(),
                    user.is_active(),
                ));
            }
            let Some(in_connect) = by_owner.get(id).filter(|_| user.is_active()) else {
                continue;
            };
            if in_connect["Username"] != user.user_name() {
                problems.push(format!("{id}: the username is {}", in_connect["Username"]));
            }
            if in_connect["IdentityInfo"]["LastName"] != user.document["name"]["familyName"] {
                problems.push(format!("{id}: {}", in_connect["IdentityInfo"]));
            }
            if in_connect["Tags"]["scim:external-id"] != json!(user.external_ids.get(CLIENT)) {
                problems.push(format!("{id}: {}", in_connect["Tags"]));
            }
        }
    }

    /// What SCIM returns of users and groups.
    async fn check_view(
        &self,
        records: &BTreeMap<String, Record>,
        groups: &BTreeMap<String, GroupItems>,
        problems: &mut Vec<String>,
    ) {
        let directory = self.directory();
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
        let context = Context {
            now: self.now(),
            deadline,
            stop: deadline,
            client: CLIENT,
        };
        let ids: Vec<String> = records.keys().cloned().collect();
        let users = directory.store().users(&ids).await.unwrap();
        if !users.iter().eq(records.values().map(|record| &record.user)) {
            problems.push("a list of users differs from the users".to_owned());
        }
        let shown = directory.groups(context).await.unwrap();
        for group in &shown {
            let id = &group.stored.id;
            let members = directory.store().members(id).await.unwrap();
            let shown: BTreeSet<String> =
                members.into_iter().map(|member| member.user_id).collect();
            let of_users: BTreeSet<String> = records
                .iter()
                .filter(|(_, record)| record.user.groups.contains_key(id))
                .map(|(user, _)| user.clone())
                .collect();
            if shown != of_users {
                problems.push(format!("{id}: members {shown:?}, users {of_users:?}"));
            }
        }
        let shown: BTreeMap<&String, &String> = shown
            .iter()
            .map(|group| (&group.stored.id, &group.display_name))
            .collect();
        for (id, group) in groups {
            if shown.contains_key(id) != group.exists() {
                problems.push(format!("{id}: listed: {}", shown.contains_key(id)));
            }
            if let (Some(shown), Some(name)) = (shown.get(id), &group.name)
                && *shown != name
            {
                problems.push(format!("{id}: listed as {shown} instead of {name}"));
            }
        }
    }

    /// Compares with what was acknowledged, and holds the model to what was found.
    fn check_promises(
        &self,
        records: &BTreeMap<String, Record>,
        groups: &BTreeMap<String, GroupItems>,
        problems: &mut Vec<String>,
    ) {
        fn check<T: PartialEq + Clone + std::fmt::Debug>(
            what: &str,
            history: &mut History<T>,
            found: T,
            now: u64,
            problems: &mut Vec<String>,
        ) {
            if !history.permits(&found) {
                problems.push(format!("{what} is {found:?}; the requests: {history:?}"));
            }
            history.observe(found, now);
        }

        let mut model = self.model();
        for (id, record) in records {
            model.add_user(id, creation_of(&record.user));
        }
        let now = model.tick();
        let deleted_profiles = model.deleted_profiles.clone();
        for (id, user) in &mut model.users {
            let record = records.get(id);
            let exists = record.is_some();
            check(
                &format!("{id} exists"),
                &mut user.exists,
                exists,
                now,
                problems,
            );
            let Some(record) = record else { continue };
            let found = &record.user;
            let document = &found.document;
            let User {
                name,
                active,
                entitlement,
                family_name,
                external_id,
                groups: memberships,
                ..
            } = user;
            let what = |attribute: &str| format!("{id}: {attribute}");
            let found_name = known_name(found.user_name());
            check(&what("userName"), name, found_name, now, problems);
            check(&what("active"), active, found.is_active(), now, problems);
            let profile = entitlement_of(found);
            check(&what("entitlements"), entitlement, profile, now, problems);
            let family = document["name"]["familyName"].as_str().unwrap();
            check(
                &what("familyName"),
                family_name,
                family.to_owned(),
                now,
                problems,
            );
            let external = found.external_ids[CLIENT].clone();
            check(&what("externalId"), external_id, external, now, problems);
            for id in found.groups.keys() {
                let never = || History::new(false, 0);
                memberships.entry(id.clone()).or_insert_with(never);
            }
            for (group, membership) in memberships {
                let is_member = found.groups.contains_key(group);
                if deleted_profiles.contains(group) {
                    if is_member {
                        problems.push(format!("{id}: in {group}, which is deleted in Connect"));
                    }
                    continue;
                }
                check(
                    &what(&format!("in {group}")),
                    membership,
                    is_member,
                    now,
                    problems,
                );
            }
        }
        for id in groups.keys() {
            let group = model.groups.entry(id.clone());
            group.or_insert_with(Group::missing);
        }
        for (id, group) in &mut model.groups {
            let what = |attribute: &str| format!("group {id}: {attribute}");
            let found = groups.get(id).filter(|found| found.exists());
            if deleted_profiles.contains(id) {
                if groups.contains_key(id) {
                    problems.push(format!("group {id}: items are left, deleted in Connect"));
                }
                continue;
            }
            let exists = found.is_some();
            check(&what("exists"), &mut group.exists, exists, now, problems);
            match found {
                Some(found) => {
                    let (name, external) = (found.name.clone(), found.external_id.clone());
                    check(&what("name"), &mut group.name, name, now, problems);
                    let history = &mut group.external_id;
                    check(&what("externalId"), history, external, now, problems);
                }
                None => *group = Group::missing(),
            }
        }
    }
}

fn known_name(name: &str) -> &'static str {
    let mut names = crate::plan::NAMES.into_iter();
    names.find(|known| *known == name).unwrap_or("another name")
}

fn known_profile(name: &str) -> &'static str {
    let mut profiles = crate::plan::ENTITLEMENTS.into_iter();
    profiles
        .find(|known| *known == name)
        .unwrap_or("another profile")
}

fn entitlement_of(user: &StoredUser) -> Option<&'static str> {
    let entitlements = user.document.get("entitlements")?;
    entitlements[0]["value"].as_str().map(known_profile)
}

/// The names of the security profiles that a user has by its groups and entitlements.
fn granted<'a>(
    user: &StoredUser,
    groups: &BTreeMap<String, GroupItems>,
    names: &BTreeMap<&'a str, &'a str>,
) -> BTreeSet<&'a str> {
    let mut granted = BTreeSet::new();
    for id in user.groups.keys() {
        let name = groups.get(id).and_then(|group| group.mapped.as_deref());
        match name {
            None => granted.extend(names.get(id.as_str())),
            Some(name) => {
                let mapped = MAPPED_GROUPS.iter().find(|(mapped, _)| *mapped == name);
                granted.extend(mapped.map_or(&[][..], |(_, profiles)| profiles));
            }
        }
    }
    granted.extend(entitlement_of(user));
    if granted.is_empty() {
        granted.insert("Agent");
    }
    granted
}

fn groups(items: &Items) -> BTreeMap<String, GroupItems> {
    let mut groups: BTreeMap<String, GroupItems> = BTreeMap::new();
    for ((partition, sort), item) in items {
        if partition == "GROUPS" {
            let (id, rest) = sort.split_once('#').unwrap();
            let group = groups.entry(id.to_owned()).or_default();
            let generation = text(item, "generation").to_owned();
            if rest == "GROUP" {
                text(item, "state").clone_into(&mut group.state);
                group.generation = generation;
                group.has_own_item = true;
                let name = |attribute: &str| {
                    let name = item.get(attribute);
                    name.map(|_| text(item, attribute).to_owned())
                };
                group.name = name("displayName");
                group.mapped = name("mappedName");
                let external_ids = text(item, "externalIds");
                group.external_id = serde_json::from_str(external_ids)
                    .ok()
                    .and_then(|ids: BTreeMap<String, String>| ids.get(CLIENT).cloned());
            } else if !generation.is_empty() {
                group.gates.push(generation);
            }
        } else if let Some(rest) = partition.strip_prefix("GROUP#") {
            let (id, _) = rest.rsplit_once('#').unwrap();
            let group = groups.entry(id.to_owned()).or_default();
            group.members.insert(sort.clone());
        }
    }
    groups
}

/// Memberships have both their entries, and gates are open for the groups that exist.
fn check_groups(
    items: &Items,
    records: &BTreeMap<String, Record>,
    groups: &BTreeMap<String, GroupItems>,
    problems: &mut Vec<String>,
) {
    let of_users: BTreeSet<(&String, &String)> = records
        .iter()
        .flat_map(|(id, record)| record.user.groups.keys().map(move |group| (group, id)))
        .collect();
    let of_groups: BTreeSet<(&String, &String)> = groups
        .iter()
        .flat_map(|(id, group)| group.members.iter().map(move |user| (id, user)))
        .collect();
    for (group, user) in of_users.symmetric_difference(&of_groups) {
        let side = match of_users.contains(&(*group, *user)) {
            true => "user",
            false => "group",
        };
        problems.push(format!(
            "{user} in {group} has the entry of the {side} only"
        ));
    }
    let mut names = BTreeSet::new();
    for (id, group) in groups {
        if !group.has_own_item {
            problems.push(format!("{id}: items are left without a group"));
        }
        let is_open =
            group.gates.len() == LANES && group.gates.iter().all(|gate| *gate == group.generation);
        match group.state.as_str() {
            "active" if !is_open => {
                problems.push(format!(
                    "{id}: the gates {:?} are not those of the group",
                    group.gates
                ));
            }
            "active" | "seen" => {}
            state => {
                if !matches!(state, "" | "deleted") {
                    problems.push(format!("{id}: {state}"));
                }
                if !group.members.is_empty() || !group.gates.is_empty() {
                    problems.push(format!("{id}: {state:?}, and members or gates are left"));
                }
            }
        }
        if let (Some(name), Some(mapped)) = (&group.name, &group.mapped)
            && name != mapped
            && *name != second_name(mapped)
        {
            problems.push(format!("{id}: {name} is mapped as {mapped}"));
        }
        if let Some(name) = &group.name {
            names.insert((format!("GROUPNAME#{}", fold(name)), id.as_str()));
        }
    }
    let found: BTreeSet<(String, &str)> = items
        .iter()
        .filter(|((partition, _), _)| partition.starts_with("GROUPNAME#"))
        .map(|((partition, _), item)| (partition.clone(), text(item, "id")))
        .collect();
    if names != found {
        problems.push(format!("names of groups: {found:?} instead of {names:?}"));
    }
}
