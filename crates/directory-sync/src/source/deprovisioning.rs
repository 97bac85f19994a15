//! From random directories to the access that users have on the server afterwards: exactly those
//! who are gone or removed lose it, whatever else the directory contains.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use proptest::prelude::*;

use super::Flavor;
use super::decode::{Decoded, Group, Readable, User};
use super::directory::{Directory, Missing, Node, Scope};
use crate::identity::{Identifier, MatchBy};
use crate::mapping::{Mapping, MappingConfiguration};
use crate::plan::matching::LookedUp;
use crate::plan::tests::Server;
use crate::plan::tests::figures;
use crate::plan::{GoneGroups, Leavers, Policy, SafetyConfiguration, safety};
use crate::snapshot::{EntryId, Kind, Person, Snapshot, Unusable};

const PEOPLE: usize = 7;
const GROUPS: usize = 4;

/// Where a person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Below the base of the search.
    Staff,
    /// The same, and the account is disabled.
    Disabled,
    /// Outside of the base of the search.
    Elsewhere,
    /// There is no such entry.
    Deleted,
}

/// A member value of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    Person(usize),
    Group(usize),
    /// A `memberUid`.
    Uid(usize),
    /// The `memberUid` that the people 0 and 1 have both.
    SharedUid,
    Foreign,
    OtherServer,
    NoEntry,
    UnknownUid,
}

/// A directory. A group that is `None` does not exist.
#[derive(Debug, Clone)]
struct World {
    people: Vec<Place>,
    groups: Vec<Option<Vec<Value>>>,
    /// The type of an entry in scope whose identifier cannot be read.
    unidentified: Option<Kind>,
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => (0..PEOPLE).prop_map(Value::Person),
        2 => (0..GROUPS).prop_map(Value::Group),
        1 => (0..PEOPLE).prop_map(Value::Uid),
        1 => Just(Value::SharedUid),
        1 => Just(Value::Foreign),
        1 => Just(Value::OtherServer),
        1 => Just(Value::NoEntry),
        1 => Just(Value::UnknownUid),
    ]
}

fn world() -> impl Strategy<Value = World> {
    let place = prop_oneof![
        4 => Just(Place::Staff),
        1 => Just(Place::Disabled),
        1 => Just(Place::Elsewhere),
        2 => Just(Place::Deleted),
    ];
    // Values may be there twice, and groups contain each other.
    let group = prop::option::weighted(0.8, prop::collection::vec(value(), 0..8));
    let unidentified = prop::option::weighted(
        0.2,
        prop_oneof![Just(Kind::User), Just(Kind::Group), Just(Kind::Entry)],
    );
    (
        prop::collection::vec(place, PEOPLE),
        prop::collection::vec(group, GROUPS),
        unidentified,
    )
        .prop_map(|(people, mut groups, unidentified)| {
            // The group that puts its members into scope always exists.
            groups[0].get_or_insert_default();
            World {
                people,
                groups,
                unidentified,
            }
        })
}

fn person_name(person: usize) -> String {
    format!("CN=p{person},DC=x")
}

fn group_name(group: usize) -> String {
    format!("CN=g{group},OU=Groups,DC=x")
}

impl World {
    fn exists(&self, person: usize) -> bool {
        self.people[person] != Place::Deleted
    }

    fn is_active(&self, person: usize) -> bool {
        self.exists(person) && self.people[person] != Place::Disabled
    }

    /// The person that the shared `memberUid` means.
    fn only_sharer(&self) -> Option<usize> {
        let existing: Vec<usize> = (0..2).filter(|person| self.exists(*person)).collect();
        let active: Vec<usize> = (0..2).filter(|person| self.is_active(*person)).collect();
        match (&active[..], &existing[..]) {
            ([only], _) | (_, [only]) => Some(*only),
            _ => None,
        }
    }

    /// The people who may or may not be members of a group.
    fn uncertain(&self, group: usize) -> BTreeSet<usize> {
        if self.only_sharer().is_some() {
            return BTreeSet::new();
        }
        let mut groups = BTreeSet::from([group]);
        for _ in 0..=GROUPS {
            for group in groups.clone() {
                let values = self.groups[group].iter().flatten();
                groups.extend(values.filter_map(|value| match value {
                    Value::Group(other) => Some(*other),
                    _ => None,
                }));
            }
        }
        let mut values = groups
            .iter()
            .flat_map(|group| self.groups[*group].iter().flatten());
        if !values.any(|value| *value == Value::SharedUid) {
            return BTreeSet::new();
        }
        let certain = self.reached(group);
        let sharers = (0..2).filter(|person| self.exists(*person) && !certain.contains(person));
        sharers.collect()
    }

    /// The people who are reached from a group, by the plain definition.
    fn reached(&self, group: usize) -> BTreeSet<usize> {
        let mut groups = BTreeSet::from([group]);
        let mut people = BTreeSet::new();
        for _ in 0..=GROUPS {
            for group in groups.clone() {
                for value in self.groups[group].iter().flatten() {
                    match *value {
                        Value::Group(other) => drop(groups.insert(other)),
                        Value::Person(person) | Value::Uid(person) => drop(people.insert(person)),
                        Value::SharedUid => people.extend(self.only_sharer()),
                        _ => {}
                    }
                }
            }
        }
        people.retain(|person| self.exists(*person));
        people
    }

    fn in_scope(&self, by_search: bool) -> BTreeSet<usize> {
        if by_search {
            let is_staff =
                |person: &usize| matches!(self.people[*person], Place::Staff | Place::Disabled);
            (0..PEOPLE).filter(is_staff).collect()
        } else {
            // An inactive person gets no access by being in scope.
            let uncertain = self.uncertain(0).into_iter();
            let inactive = uncertain.filter(|person| !self.is_active(*person));
            self.reached(0).into_iter().chain(inactive).collect()
        }
    }

    /// The people that may or may not be in scope. Their users stay as they are.
    fn may_be_in_scope(&self, by_search: bool) -> BTreeSet<usize> {
        if by_search {
            return BTreeSet::new();
        }
        let uncertain = self.uncertain(0).into_iter();
        uncertain.filter(|person| self.is_active(*person)).collect()
    }

    fn read(&self, by_search: bool) -> Snapshot {
        let mut directory = Directory::default();
        let mut found = BTreeMap::new();
        for (person, place) in self.people.iter().enumerate() {
            if *place == Place::Deleted {
                continue;
            }
            let node = directory.insert(user(person, *place != Place::Disabled));
            if by_search && *place != Place::Elsewhere {
                found.insert(node, "DC=x");
            }
        }
        let mut groups = Vec::new();
        for (number, values) in self.groups.iter().enumerate() {
            if let Some(values) = values {
                groups.push(directory.insert(group(number, values)));
            }
        }
        for node in directory.unread_members(&groups) {
            let is_other = directory.distinguished_name(node).ends_with("DC=other");
            let missing = if is_other {
                Missing::OtherServer
            } else {
                Missing::NoEntry
            };
            directory.mark_missing(node, missing);
        }
        let member_of: Vec<Node> = if by_search { vec![] } else { vec![groups[0]] };
        let mut snapshot = directory.into_snapshot(&Scope {
            found: found.into_iter().collect(),
            member_of,
            groups,
        });
        snapshot
            .unusable
            .extend(self.unidentified.map(|kind| Unusable {
                kind,
                distinguished_name: "CN=hidden,DC=x".to_owned(),
                id: None,
                reason: "it has no identifier".to_owned(),
            }));
        snapshot
    }

    /// What the directory has of entries that are not in scope: it is not moved during the read.
    fn looked_up(&self) -> LookedUp {
        let people = (0..PEOPLE).filter(|person| self.exists(*person));
        let people = people.map(|person| EntryId(format!("p{person}")));
        let groups = (0..GROUPS).filter(|group| self.groups[*group].is_some());
        let groups = groups.map(|group| EntryId(format!("g{group}")));
        LookedUp {
            found: people
                .chain(groups)
                .map(|id| (Identifier::Entry(id.clone()), id))
                .collect(),
            in_scope: BTreeSet::new(),
        }
    }
}

fn user(person: usize, active: bool) -> Decoded {
    let attributes = [
        ("userprincipalname", format!("p{person}@example.test")),
        ("givenname", "Given".to_owned()),
        ("sn", "Surname".to_owned()),
        ("cn", format!("p{person}")),
    ];
    Decoded::User(User {
        person: Person {
            id: EntryId(format!("p{person}")),
            distinguished_name: person_name(person),
            active,
            attributes: attributes
                .map(|(name, value)| (name.to_owned(), vec![value]))
                .into(),
            ..Person::default()
        },
        expires: None,
        primary_group: None,
        uids: iter::once(format!("p{person}"))
            .chain((person < 2).then(|| "shared".to_owned()))
            .collect(),
    })
}

fn group(number: usize, values: &[Value]) -> Decoded {
    let (mut members, mut member_uids) = (Vec::new(), Vec::new());
    for value in values {
        match value {
            Value::Person(person) => members.push(person_name(*person)),
            Value::Group(group) => members.push(group_name(*group)),
            Value::Foreign => {
                members.push("CN=S-1-5-21-9-9-9-9,CN=ForeignSecurityPrincipals,DC=x".to_owned());
            }
            Value::OtherServer => members.push("CN=partner,DC=other".to_owned()),
            Value::NoEntry => members.push("CN=gone,DC=x".to_owned()),
            Value::Uid(person) => member_uids.push(format!("p{person}")),
            Value::UnknownUid => member_uids.push("unknown".to_owned()),
            Value::SharedUid => member_uids.push("Shared".to_owned()),
        }
    }
    let name = format!("g{number}");
    Decoded::Group(Group {
        distinguished_name: group_name(number),
        usable: Ok(Readable {
            id: EntryId(name.clone()),
            attributes: [("cn".to_owned(), vec![name.clone()])].into(),
            unreadable: BTreeSet::new(),
        }),
        names: vec![name],
        account_name: None,
        primary_key: None,
        members,
        member_uids,
    })
}

/// The user or group of the server with the mark of an entry, by its id.
fn user_of(server: &Server, person: usize) -> Option<&String> {
    let mark = format!("corp:p{person}");
    let mut users = server.users.iter();
    let (id, _) = users.find(|(_, user)| user.external_id.as_ref() == Some(&mark))?;
    Some(id)
}

fn members_of(server: &Server, group: usize) -> Option<BTreeSet<String>> {
    let mark = format!("corp:g{group}");
    let mut groups = server.groups.values();
    let (_, members) = groups.find(|(group, _)| group.external_id.as_ref() == Some(&mark))?;
    Some(members.clone())
}

fn sync(server: &Server, world: &World, by_search: bool, policy: &Policy) -> Server {
    let mapping = Mapping::new(Flavor::ActiveDirectory, &MappingConfiguration::default());
    let desired = mapping.unwrap().apply(world.read(by_search));
    let plan = server.plan_looked_up(&desired, policy, &world.looked_up());
    figures::check(server, &plan);
    let mut after = server.clone();
    after.carry_out(&plan);
    let lost = memberships(server).difference(&memberships(&after)).count();
    assert_eq!(lost, plan.removals.memberships);
    // The number in the message of the safety check is the one that allows the plan.
    let nothing = SafetyConfiguration {
        max_delete_percent: 0,
        max_delete_count: 0,
        allow_empty_source: true,
    };
    let confirmed = safety::check(&plan.removals, &nothing, Some(plan.removals.total()));
    assert_eq!(confirmed, Ok(()));
    after
}

fn memberships(server: &Server) -> BTreeSet<(&String, &String)> {
    let groups = server.groups.iter();
    groups
        .flat_map(|(group, (_, members))| members.iter().map(move |user| (group, user)))
        .collect()
}

/// A server with users and groups of others.
fn others() -> Server {
    Server::default()
        .user("x0", None, "other0@example.test")
        .user("x1", Some("00u1"), "other1@example.test")
        .group("y0", None, "others", &["x0", "x1"])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn exactly_those_who_are_gone_or_removed_lose_access(
        before in world(),
        after in world(),
        by_search in any::<bool>(),
        leavers in prop_oneof![
            Just(Leavers::Deactivate), Just(Leavers::Delete), Just(Leavers::Ignore)
        ],
        gone_groups in prop_oneof![
            Just(GoneGroups::Empty), Just(GoneGroups::Delete), Just(GoneGroups::Ignore)
        ],
        membership_batch in 1..4_usize,
    ) {
        let policy = Policy {
            owner: "corp".parse().unwrap(),
            match_by: MatchBy::ObjectGuid,
            take_over_leavers: false,
            leavers,
            gone_groups,
            membership_batch,
            unique_emails: true,
        };
        let first = World { unidentified: None, ..before };
        let before = sync(&others(), &first, by_search, &policy);
        // A user of another tool is a member of our groups, and one of ours of its group.
        let mut before = before;
        for (id, (_, members)) in &mut before.groups {
            members.insert("x0".to_owned());
            if id == "y0" {
                members.extend(before.users.keys().cloned());
            }
        }
        let server = sync(&before, &after, by_search, &policy);
        let in_scope = after.in_scope(by_search);
        let may_be_in_scope = after.may_be_in_scope(by_search);
        let may_be = |kind| after.unidentified.is_some_and(|other| other == kind || other == Kind::Entry);
        let is_held_back = |person: usize| !after.exists(person) && may_be(Kind::User);

        for person in 0..PEOPLE {
            let id = user_of(&before, person).or(user_of(&server, person));
            let was_active = user_of(&before, person).map(|id| before.users[id].active);
            let is_active = user_of(&server, person).map(|id| server.users[id].active);
            let expected = if in_scope.contains(&person) {
                match after.people[person] {
                    Place::Disabled => was_active.map(|_| false),
                    _ => Some(true),
                }
            } else if is_held_back(person) || may_be_in_scope.contains(&person) {
                was_active
            } else {
                match leavers {
                    Leavers::Deactivate => was_active.map(|_| false),
                    Leavers::Delete => None,
                    Leavers::Ignore => was_active,
                }
            };
            prop_assert_eq!(is_active, expected, "p{}", person);
            let Some(id) = id else { continue };
            for group in 0..GROUPS {
                let was_member = members_of(&before, group).is_some_and(|members| members.contains(id));
                let is_member = members_of(&server, group).is_some_and(|members| members.contains(id));
                let is_gone = is_active.is_none();
                let expected = if after.groups[group].is_some() {
                    if is_held_back(person)
                        || may_be_in_scope.contains(&person)
                        || in_scope.contains(&person) && after.uncertain(group).contains(&person)
                    {
                        was_member
                    } else {
                        !is_gone && in_scope.contains(&person) && after.reached(group).contains(&person)
                    }
                } else if may_be(Kind::Group) || gone_groups == GoneGroups::Ignore {
                    was_member && !is_gone
                } else if gone_groups == GoneGroups::Empty
                    && (is_held_back(person) || may_be_in_scope.contains(&person))
                {
                    // Nothing is written for a user that is held back.
                    was_member
                } else {
                    false
                };
                prop_assert_eq!(is_member, expected, "p{} in g{}", person, group);
            }
            let is_member_of_others = server.groups["y0"].1.contains(id);
            let was_member_of_others = before.groups["y0"].1.contains(id);
            prop_assert_eq!(is_member_of_others, was_member_of_others && is_active.is_some());
        }
        // Users, groups and memberships of others stay, unless their group is deleted.
        for id in ["x0", "x1"] {
            prop_assert_eq!(&server.users[id], &before.users[id]);
            prop_assert!(server.groups["y0"].1.contains(id));
        }
        for (id, (_, members)) in &server.groups {
            let was_member = before.groups.get(id).is_some_and(|(_, members)| members.contains("x0"));
            prop_assert_eq!(members.contains("x0"), was_member);
        }
        // A second run finds nothing to do.
        prop_assert_eq!(&sync(&server, &after, by_search, &policy), &server);
    }
}
