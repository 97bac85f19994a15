use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::attribute::{Profile, fold};
use crate::identity::MatchBy;
use crate::mapping::{DesiredGroup, DesiredUser};

fn entry(id: &str) -> EntryId {
    EntryId(id.to_owned())
}

fn policy() -> Policy {
    Policy {
        owner: "corp".parse().unwrap(),
        match_by: MatchBy::ObjectGuid,
        take_over_leavers: false,
        leavers: Leavers::Deactivate,
        gone_groups: GoneGroups::Empty,
        membership_batch: 100,
        unique_emails: true,
    }
}

fn profile(user_name: &str) -> Profile {
    Profile(
        [
            (Attribute::UserName, user_name),
            (Attribute::GivenName, "Given"),
            (Attribute::FamilyName, "Family"),
            (Attribute::DisplayName, user_name),
        ]
        .map(|(attribute, value)| (attribute, value.to_owned()))
        .into(),
    )
}

/// A directory in the making.
#[derive(Default)]
struct Directory(Desired);

impl Directory {
    fn user(mut self, id: &str, user_name: &str) -> Self {
        self.0.managed = [
            Attribute::UserName,
            Attribute::GivenName,
            Attribute::FamilyName,
            Attribute::DisplayName,
            Attribute::Title,
            Attribute::Email,
        ]
        .into();
        let user = DesiredUser {
            active: true,
            sid: Some(format!("S-1-5-21-1-2-3-{id}")),
            profile: Some(profile(user_name)),
            kept: BTreeSet::new(),
        };
        self.0.users.insert(entry(id), user);
        self
    }

    fn with(mut self, id: &str, attribute: Attribute, value: &str) -> Self {
        let user = self.0.users.get_mut(&entry(id)).unwrap();
        let profile = user.profile.as_mut().unwrap();
        profile.0.insert(attribute, value.to_owned());
        self
    }

    fn disabled(mut self, id: &str) -> Self {
        self.0.users.get_mut(&entry(id)).unwrap().active = false;
        self
    }

    fn unmappable(mut self, id: &str) -> Self {
        self.0.users.get_mut(&entry(id)).unwrap().profile = None;
        self
    }

    fn group(mut self, id: &str, name: &str, members: &[&str]) -> Self {
        let group = DesiredGroup {
            sid: None,
            display_name: Some(name.to_owned()),
            members: members.iter().map(|id| entry(id)).collect(),
        };
        self.0.groups.insert(entry(id), group);
        self
    }
}

/// A SCIM server: does what an operation says, and refuses what breaks its rules.
#[derive(Clone, Debug, Default, PartialEq)]
struct Server {
    users: BTreeMap<String, CurrentUser>,
    /// Members by id of the user.
    groups: BTreeMap<String, (CurrentGroup, BTreeSet<String>)>,
    made: usize,
}

impl Server {
    fn user(mut self, id: &str, external_id: Option<&str>, user_name: &str) -> Self {
        let user = CurrentUser {
            id: ResourceId(id.to_owned()),
            external_id: external_id.map(str::to_owned),
            active: true,
            profile: profile(user_name),
        };
        self.users.insert(id.to_owned(), user);
        self
    }

    fn group(mut self, id: &str, external_id: Option<&str>, name: &str, members: &[&str]) -> Self {
        let group = CurrentGroup {
            id: ResourceId(id.to_owned()),
            external_id: external_id.map(str::to_owned),
            display_name: name.to_owned(),
            members: None,
        };
        let members = members.iter().map(|&id| id.to_owned()).collect();
        self.groups.insert(id.to_owned(), (group, members));
        self
    }

    fn current(&self, desired: &Desired, policy: &Policy) -> (Current, Matching) {
        let mut current = Current::new(
            self.users.values().rev().cloned().collect(),
            self.groups
                .values()
                .map(|(group, _)| group.clone())
                .collect(),
        );
        let matching = Matching::new(desired, &current, policy);
        for index in matching.groups_to_read(desired, policy) {
            let (_, members) = &self.groups[&current.groups()[index].id.0];
            let members = members
                .iter()
                .filter_map(|id| current.user_index(id))
                .collect();
            current.set_members(index, members);
        }
        (current, matching)
    }

    fn plan(&self, desired: &Desired, policy: &Policy) -> Plan {
        let (current, matching) = self.current(desired, policy);
        plan(desired, &current, &matching, policy)
    }

    fn carry_out(&mut self, plan: &Plan) {
        let mut new = BTreeMap::new();
        for phase in &plan.phases {
            // Writes of a phase are independent: any order must do.
            for operation in phase.iter().rev() {
                self.write(operation, &mut new);
                self.check_names();
            }
        }
    }

    fn write(&mut self, operation: &Operation, new: &mut BTreeMap<EntryId, String>) {
        let id = |reference: &Reference, new: &BTreeMap<EntryId, String>| match reference {
            Reference::Existing(id) => id.0.clone(),
            Reference::New(entry) => new[entry].clone(),
        };
        let subject = operation.subject();
        let subject_id = subject.id.as_ref().map(|id| id.0.clone());
        match operation {
            Operation::CreateUser {
                external_id,
                profile,
                ..
            } => {
                self.made += 1;
                let id = format!("new{}", self.made);
                new.insert(subject.entry.clone().unwrap(), id.clone());
                let user = CurrentUser {
                    id: ResourceId(id.clone()),
                    external_id: Some(external_id.clone()),
                    active: true,
                    profile: profile.clone(),
                };
                self.users.insert(id, user);
            }
            Operation::UpdateUser { changes, .. } => {
                assert!(!changes.is_empty());
                let user = self.users.get_mut(&subject_id.unwrap()).unwrap();
                user.active = changes.active.unwrap_or(user.active);
                if let Some(external_id) = &changes.external_id {
                    user.external_id = Some(external_id.clone());
                }
                user.profile.0.extend(changes.set.clone());
                for attribute in &changes.removed {
                    assert!(user.profile.0.remove(attribute).is_some());
                }
            }
            Operation::DeleteUser { .. } => {
                let id = subject_id.unwrap();
                self.users.remove(&id).unwrap();
                for (_, members) in self.groups.values_mut() {
                    members.remove(&id);
                }
            }
            Operation::CreateGroup {
                external_id,
                members,
                ..
            } => {
                assert!(members.len() <= 100);
                self.made += 1;
                let group_id = format!("new{}", self.made);
                new.insert(subject.entry.clone().unwrap(), group_id.clone());
                let group = CurrentGroup {
                    id: ResourceId(group_id.clone()),
                    external_id: Some(external_id.clone()),
                    display_name: subject.name.clone(),
                    members: None,
                };
                let members = members.iter().map(|member| id(member, new)).collect();
                self.groups.insert(group_id, (group, members));
            }
            Operation::UpdateGroup {
                display_name,
                external_id,
                ..
            } => {
                let (group, _) = self.groups.get_mut(&subject_id.unwrap()).unwrap();
                if let Some(name) = display_name {
                    group.display_name.clone_from(name);
                }
                if let Some(external_id) = external_id {
                    group.external_id = Some(external_id.clone());
                }
            }
            Operation::DeleteGroup { .. } => {
                self.groups.remove(&subject_id.unwrap()).unwrap();
            }
            Operation::ChangeMembers {
                group,
                added,
                removed,
                ..
            } => {
                assert!((1..=100).contains(&(added.len() + removed.len())));
                let (_, members) = self.groups.get_mut(&id(group, new)).unwrap();
                for member in removed {
                    assert!(members.remove(&member.0), "removes who is no member");
                }
                for member in added {
                    let id = id(member, new);
                    assert!(self.users.contains_key(&id));
                    assert!(members.insert(id), "adds who is a member");
                }
            }
        }
    }

    fn check_names(&self) {
        let mut names = BTreeSet::new();
        for user in self.users.values() {
            for attribute in [Attribute::UserName, Attribute::Email] {
                if let Some(name) = user.profile.get(attribute) {
                    assert!(names.insert((attribute.key(), fold(name))), "a name twice");
                }
            }
        }
        for (group, _) in self.groups.values() {
            assert!(
                names.insert(("group", fold(&group.display_name))),
                "a group's name twice"
            );
        }
    }
}

/// A plan as lines, for the tests below.
fn lines(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for (phase, operation) in plan
        .phases
        .iter()
        .enumerate()
        .flat_map(|(index, phase)| phase.iter().map(move |operation| (index, operation)))
    {
        let name = &operation.subject().name;
        lines.push(match operation {
            Operation::CreateUser { external_id, .. } => {
                format!("{phase} create {name} {external_id}")
            }
            Operation::UpdateUser { changes, .. } => {
                let mut parts = Vec::new();
                parts.extend(changes.active.map(|active| format!("active={active}")));
                parts.extend(changes.external_id.clone());
                parts.extend(
                    changes
                        .set
                        .iter()
                        .map(|(attribute, value)| format!("{attribute}={value}")),
                );
                parts.extend(
                    changes
                        .removed
                        .iter()
                        .map(|attribute| format!("-{attribute}")),
                );
                format!("{phase} update {name}: {}", parts.join(" "))
            }
            Operation::DeleteUser { .. } => format!("{phase} delete {name}"),
            Operation::CreateGroup { members, .. } => {
                format!("{phase} create group {name} with {}", members.len())
            }
            Operation::UpdateGroup {
                display_name,
                external_id,
                ..
            } => {
                format!("{phase} update group {name}: {display_name:?} {external_id:?}")
            }
            Operation::DeleteGroup { .. } => format!("{phase} delete group {name}"),
            Operation::ChangeMembers { added, removed, .. } => {
                format!(
                    "{phase} members of {name}: +{} -{}",
                    added.len(),
                    removed.len()
                )
            }
        });
    }
    lines
}

fn reasons(plan: &Plan) -> Vec<&str> {
    plan.skipped
        .iter()
        .map(|skip| skip.reason.as_str())
        .collect()
}

#[test]
fn an_empty_server_gets_users_first_and_groups_with_their_members() {
    let directory = Directory::default()
        .user("1", "ann")
        .user("2", "bob")
        .group("7", "admins", &["1", "2"])
        .group("8", "nobody", &[]);
    let mut server = Server::default();
    let first = server.plan(&directory.0, &policy());
    assert_eq!(
        lines(&first),
        [
            "0 create ann corp:1",
            "0 create bob corp:2",
            "1 create group admins with 2",
            "1 create group nobody with 0"
        ]
    );
    server.carry_out(&first);
    assert!(server.plan(&directory.0, &policy()).is_empty());
}

#[test]
fn exactly_what_differs_is_changed() {
    let directory = Directory::default()
        .user("1", "ann")
        .with("1", Attribute::Title, "Head")
        .user("2", "bob")
        .user("3", "cid")
        .disabled("3");
    let mut server = Server::default()
        .user("u1", Some("corp:1"), "anna")
        .user("u2", Some("corp:2"), "bob")
        .user("u3", Some("corp:3"), "cid");
    let bob = server.users.get_mut("u2").unwrap();
    bob.active = false;
    bob.profile.0.insert(Attribute::Title, "Old".to_owned());
    bob.profile
        .0
        .insert(Attribute::NickName, "not ours to fill".to_owned());
    assert_eq!(
        lines(&server.plan(&directory.0, &policy())),
        [
            "0 update cid: active=false",
            "1 update anna: userName=ann displayName=ann title=Head",
            "1 update bob: active=true -title",
        ]
    );
}

#[test]
fn leavers_are_deactivated_deleted_or_left() {
    let directory = Directory::default()
        .user("1", "ann")
        .group("7", "all", &["1"]);
    let server = Server::default()
        .user("u1", Some("corp:1"), "ann")
        .user("u2", Some("corp:2"), "bob")
        .group("g7", Some("corp:7"), "all", &["u1", "u2"]);
    for (leavers, expected) in [
        (
            Leavers::Deactivate,
            &["0 update bob: active=false", "0 members of all: +0 -1"][..],
        ),
        (Leavers::Delete, &["0 delete bob"]),
        (Leavers::Ignore, &["0 members of all: +0 -1"]),
    ] {
        let policy = Policy {
            leavers,
            ..policy()
        };
        assert_eq!(lines(&server.plan(&directory.0, &policy)), expected);
    }
}

#[test]
fn gone_groups_are_emptied_deleted_or_left() {
    let directory = Directory::default().user("1", "ann");
    let server = Server::default()
        .user("u1", Some("corp:1"), "ann")
        .group("g7", Some("corp:7"), "all", &["u1"])
        .group("g8", Some("corp:8"), "none", &[]);
    for (gone_groups, expected) in [
        (GoneGroups::Empty, &["0 members of all: +0 -1"][..]),
        (
            GoneGroups::Delete,
            &["0 delete group all", "0 delete group none"],
        ),
        (GoneGroups::Ignore, &[]),
    ] {
        let policy = Policy {
            gone_groups,
            ..policy()
        };
        assert_eq!(lines(&server.plan(&directory.0, &policy)), expected);
    }
}

#[test]
fn what_is_not_marked_is_never_changed() {
    let directory = Directory::default()
        .user("1", "ann")
        .group("7", "all", &["1"]);
    let server = Server::default()
        .user("u2", None, "root")
        .user("u3", Some("00u1"), "okta")
        .user("u4", Some("corp2:1"), "other")
        .user("u1", Some("corp:1"), "ann")
        .group("g1", None, "AWSControlTowerAdmins", &["u1", "u2"])
        .group("g7", Some("corp:7"), "all", &["u1", "u2"]);
    let plan = server.plan(&directory.0, &policy());
    assert!(plan.is_empty(), "{:?}", lines(&plan));
    assert_eq!(
        plan.foreign,
        Foreign {
            users: 3,
            groups: 1,
            memberships: 1
        }
    );
}

#[test]
fn a_name_of_somebody_else_is_reported_and_not_taken() {
    let directory = Directory::default()
        .user("1", "root")
        .user("2", "bob")
        .group("7", "Admins", &["2"]);
    let server = Server::default()
        .user("u1", None, "Root")
        .user("u2", Some("corp:2"), "bob")
        .group("g1", None, "admins", &[]);
    let plan = server.plan(&directory.0, &policy());
    assert!(plan.is_empty());
    assert_eq!(
        reasons(&plan),
        [
            "userName cannot be taken: user u1 has it, and is not this sync's; take it over with \
             `matchBy`, or rename one of both",
            "displayName cannot be taken: group g1 has it, and is not this sync's; take it over \
             with `matchBy`, or rename one of both"
        ]
    );
}

#[test]
fn users_of_the_powershell_sample_are_taken_over_by_their_sid() {
    let directory =
        Directory::default()
            .user("1", "ann@example.test")
            .group("7", "aws-admins", &["1"]);
    let mut server = Server::default()
        .user("u1", Some("S-1-5-21-1-2-3-1"), "ann@example.test")
        .user("u2", Some("S-1-5-21-1-2-3-2"), "left@example.test")
        .user("u3", Some("S-1-5-21-9-9-9-3"), "other-domain@example.test")
        .group("g7", None, "aws-admins", &["u1", "u2"]);
    let mut policy = Policy {
        match_by: MatchBy::ObjectSid,
        ..policy()
    };
    assert_eq!(
        lines(&server.plan(&directory.0, &policy)),
        [
            "0 update ann@example.test: corp:1",
            "0 update group aws-admins: None Some(\"corp:7\")"
        ]
    );
    policy.take_over_leavers = true;
    let plan = server.plan(&directory.0, &policy);
    assert_eq!(
        lines(&plan),
        [
            "0 update left@example.test: active=false",
            "0 members of aws-admins: +0 -1",
            "1 update ann@example.test: corp:1",
            "1 update group aws-admins: None Some(\"corp:7\")"
        ]
    );
    server.carry_out(&plan);
    assert!(server.plan(&directory.0, &policy).is_empty());
}

#[test]
fn users_are_taken_over_by_guid_or_by_name_as_asked() {
    let guid = "37750eb4-fab1-4350-9cd9-ade7070b02d5";
    let directory = Directory::default().user(guid, "ann");
    let by_guid = Server::default().user("u1", Some(&guid.to_uppercase()), "ann");
    assert_eq!(
        lines(&by_guid.plan(&directory.0, &policy())),
        [format!("0 update ann: corp:{guid}")]
    );
    let by_name = Policy {
        match_by: MatchBy::UserName,
        ..policy()
    };
    for external_id in [None, Some("00u1")] {
        let server = Server::default().user("u1", external_id, "ANN");
        assert_eq!(
            lines(&server.plan(&directory.0, &by_name)),
            [format!(
                "0 update ANN: corp:{guid} userName=ann displayName=ann"
            )]
        );
    }
    let of_another_sync = Server::default().user("u1", Some("corp2:9"), "ann");
    assert!(of_another_sync.plan(&directory.0, &by_name).is_empty());
}

#[test]
fn a_person_deleted_and_made_again_gets_a_new_user_where_leavers_are_deleted() {
    let directory = Directory::default()
        .user("2", "ann")
        .group("7", "all", &["2"]);
    let server = Server::default().user("u1", Some("corp:1"), "ann").group(
        "g7",
        Some("corp:7"),
        "all",
        &["u1"],
    );
    let delete = Policy {
        leavers: Leavers::Delete,
        ..policy()
    };
    assert_eq!(
        lines(&server.plan(&directory.0, &delete)),
        [
            "0 delete ann",
            "1 create ann corp:2",
            "2 members of all: +1 -0"
        ]
    );
    for leavers in [Leavers::Deactivate, Leavers::Ignore] {
        let policy = Policy {
            leavers,
            ..policy()
        };
        assert_eq!(
            lines(&server.plan(&directory.0, &policy)),
            ["0 update ann: corp:2"],
            "the name is taken, so the user is taken over"
        );
    }
}

#[test]
fn a_person_who_cannot_be_mapped_is_left_alone_but_loses_access_with_the_account() {
    let server =
        Server::default()
            .user("u1", Some("corp:1"), "ann")
            .user("u2", Some("corp:2"), "bob");
    let mut directory = Directory::default()
        .user("1", "ann")
        .unmappable("1")
        .user("2", "bob")
        .unmappable("2")
        .disabled("2");
    directory.0.unusable.insert(entry("9"));
    let server = server.user("u9", Some("corp:9"), "unreadable");
    assert_eq!(
        lines(&server.plan(&directory.0, &policy())),
        ["0 update bob: active=false"]
    );
}

#[test]
fn nobody_has_left_while_an_entry_cannot_be_told() {
    let mut directory = Directory::default()
        .user("1", "ann")
        .group("7", "all", &["1"]);
    directory.0.unidentified = 1;
    let server = Server::default()
        .user("u1", Some("corp:1"), "ann")
        .user("u2", Some("corp:2"), "bob")
        .group("g7", Some("corp:7"), "all", &["u1", "u2"])
        .group("g8", Some("corp:8"), "gone", &["u1"]);
    let plan = server.plan(&directory.0, &policy());
    assert!(plan.is_empty());
    assert_eq!(plan.skipped.len(), 2);
    assert!(reasons(&plan)[0].starts_with("1 users seem to be gone"));
}

#[test]
fn an_attribute_that_is_kept_is_not_changed() {
    let mut directory = Directory::default().user("1", "ann");
    let user = directory.0.users.get_mut(&entry("1")).unwrap();
    user.kept.insert(Attribute::Email);
    let mut server = Server::default().user("u1", Some("corp:1"), "ann");
    let email = (Attribute::Email, "ann@example.test".to_owned());
    server
        .users
        .get_mut("u1")
        .unwrap()
        .profile
        .0
        .extend([email]);
    assert!(server.plan(&directory.0, &policy()).is_empty());
}

#[test]
fn an_address_is_written_as_a_whole() {
    let mut directory =
        Directory::default()
            .user("1", "ann")
            .with("1", Attribute::Locality, "Bonn");
    directory
        .0
        .managed
        .extend([Attribute::Locality, Attribute::Region]);
    let mut server = Server::default().user("u1", Some("corp:1"), "ann");
    server.users.get_mut("u1").unwrap().profile.0.extend([
        (Attribute::Locality, "Berlin".to_owned()),
        (Attribute::Region, "BE".to_owned()),
        (Attribute::Country, "DE".to_owned()),
    ]);
    assert_eq!(
        lines(&server.plan(&directory.0, &policy())),
        ["0 update ann: locality=Bonn country=DE"]
    );
}

#[test]
fn membership_changes_fill_requests_of_a_hundred() {
    let ids: Vec<String> = (0..350).map(|index| format!("{index:03}")).collect();
    let mut directory = Directory::default();
    let mut server = Server::default();
    for id in &ids {
        directory = directory.user(id, id);
        if id.as_str() < "340" {
            server = server.user(&format!("u{id}"), Some(&format!("corp:{id}")), id);
        }
    }
    // 150 leave the group, 30 come who are there, and ten who are new.
    let (leaving, coming) = (&ids[..150], &ids[310..]);
    let leaving: Vec<String> = leaving.iter().map(|id| format!("u{id}")).collect();
    let leaving: Vec<&str> = leaving.iter().map(String::as_str).collect();
    let coming: Vec<&str> = coming.iter().map(String::as_str).collect();
    let directory = directory.group("7", "all", &coming);
    let mut server = server.group("g7", Some("corp:7"), "all", &leaving);
    let plan = server.plan(&directory.0, &policy());
    let members: Vec<String> = lines(&plan)
        .into_iter()
        .filter(|line| line.contains("members"))
        .collect();
    assert_eq!(
        members,
        [
            "0 members of all: +0 -100",
            "0 members of all: +30 -50",
            "2 members of all: +10 -0"
        ]
    );
    server.carry_out(&plan);
    assert!(server.plan(&directory.0, &policy()).is_empty());
}

#[test]
fn a_new_group_of_more_than_a_hundred_is_made_with_a_hundred() {
    let mut directory = Directory::default();
    let ids: Vec<String> = (0..250).map(|index| format!("{index:03}")).collect();
    for id in &ids {
        directory = directory.user(id, id);
    }
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let directory = directory.group("7", "all", &ids);
    let plan = Server::default().plan(&directory.0, &policy());
    assert_eq!(
        lines(&plan)[250..],
        [
            "1 create group all with 100",
            "2 members of all: +100 -0",
            "2 members of all: +50 -0"
        ]
    );
}

#[test]
fn two_objects_with_one_mark_are_reported() {
    let directory = Directory::default().user("1", "ann");
    let server =
        Server::default()
            .user("u1", Some("corp:1"), "ann")
            .user("u2", Some("corp:1"), "ann2");
    let plan = server.plan(&directory.0, &policy());
    assert!(plan.is_empty());
    assert_eq!(
        reasons(&plan),
        ["user u2 has the externalId of another user: delete the one that is not used"]
    );
}

#[test]
fn plans_print_without_names() {
    let directory = Directory::default()
        .user("1", "canary")
        .group("7", "all", &["1"]);
    let plan = Server::default().plan(&directory.0, &policy());
    assert!(!format!("{:?}", plan.skipped).contains("canary"));
    assert!(!format!("{:?}", plan.phases[0]).contains("canary"));
    let server = Server::default().user("u1", Some("corp:1"), "before");
    let plan = server.plan(&directory.0, &policy());
    assert!(!format!("{:?}", plan.phases[0]).contains("canary"));
}

/// A directory and a server at random, with few names so that they meet.
#[derive(Debug, Clone)]
struct World {
    desired: Desired,
    server: Server,
    policy: Policy,
}

fn world() -> impl Strategy<Value = World> {
    let people = prop::collection::btree_map(
        0..8_u8,
        (0..8_u8, any::<bool>(), any::<bool>(), 0..4_u8),
        0..8,
    );
    let groups = prop::collection::btree_map(
        0..5_u8,
        (0..5_u8, prop::collection::btree_set(0..8_u8, 0..6)),
        0..5,
    );
    let users = prop::collection::vec(
        (
            prop::option::of(0..8_u8),
            0..8_u8,
            any::<bool>(),
            0..4_u8,
            0..3_u8,
        ),
        0..10,
    );
    let server_groups = prop::collection::vec(
        (
            prop::option::of(0..5_u8),
            0..5_u8,
            prop::collection::btree_set(0..10_usize, 0..8),
        ),
        0..6,
    );
    let choices = (0..3_u8, 0..3_u8, 0..3_u8, 1..4_usize, any::<bool>());
    (
        people,
        groups,
        users,
        server_groups,
        choices,
        0..8_u8,
        0..10_u8,
    )
        .prop_map(
            |(people, groups, users, server_groups, choices, unusable, unidentified)| {
                let mut directory = Directory::default().user("x", "x");
                directory.0.users.clear();
                let mut names = BTreeSet::new();
                let mut emails = BTreeSet::new();
                for (id, (name, active, mapped, email)) in people {
                    directory = directory.user(&id.to_string(), &format!("n{name}"));
                    // As the mapping settles it: no name is wanted twice.
                    if !mapped || !names.insert(name) {
                        directory = directory.unmappable(&id.to_string());
                    } else if email > 0 && emails.insert(email) {
                        directory =
                            directory.with(&id.to_string(), Attribute::Email, &format!("e{email}"));
                    }
                    if !active {
                        directory = directory.disabled(&id.to_string());
                    }
                }
                let mut group_names = BTreeSet::new();
                for (id, (name, members)) in groups {
                    let members: Vec<String> = members
                        .iter()
                        .map(u8::to_string)
                        .filter(|id| directory.0.users.contains_key(&entry(id)))
                        .collect();
                    let members: Vec<&str> = members.iter().map(String::as_str).collect();
                    directory = directory.group(&format!("k{id}"), &format!("g{name}"), &members);
                    if !group_names.insert(name) {
                        directory
                            .0
                            .groups
                            .get_mut(&entry(&format!("k{id}")))
                            .unwrap()
                            .display_name = None;
                    }
                }
                if !directory
                    .0
                    .users
                    .contains_key(&entry(&unusable.to_string()))
                {
                    directory.0.unusable.insert(entry(&unusable.to_string()));
                }
                directory.0.unidentified = usize::from(unidentified == 0);

                let mut server = Server::default();
                let (mut names, mut emails) = (BTreeSet::new(), BTreeSet::new());
                for (index, (mark, name, active, email, kind)) in users.into_iter().enumerate() {
                    if !names.insert(name) {
                        continue;
                    }
                    let id = format!("u{index}");
                    let external_id = match (mark, kind) {
                        (Some(mark), 0 | 1) => Some(format!("corp:{mark}")),
                        (Some(mark), _) => Some(format!("S-1-5-21-1-2-3-{mark}")),
                        (None, 0) => Some("00u1".to_owned()),
                        (None, _) => None,
                    };
                    server = server.user(&id, external_id.as_deref(), &format!("n{name}"));
                    let user = server.users.get_mut(&id).unwrap();
                    user.active = active;
                    if email > 0 && emails.insert(email) {
                        user.profile.0.insert(Attribute::Email, format!("e{email}"));
                    }
                }
                let mut names = BTreeSet::new();
                for (index, (mark, name, members)) in server_groups.into_iter().enumerate() {
                    if names.insert(name) {
                        let mark = mark.map(|mark| format!("corp:k{mark}"));
                        server = server.group(
                            &format!("h{index}"),
                            mark.as_deref(),
                            &format!("g{name}"),
                            &[],
                        );
                        let known = members.iter().map(|index| format!("u{index}"));
                        let known = known.filter(|id| server.users.contains_key(id)).collect();
                        server.groups.get_mut(&format!("h{index}")).unwrap().1 = known;
                    }
                }
                let (match_by, leavers, gone_groups, membership_batch, take_over_leavers) = choices;
                let policy = Policy {
                    match_by: [MatchBy::ObjectGuid, MatchBy::ObjectSid, MatchBy::UserName]
                        [usize::from(match_by)],
                    leavers: [Leavers::Deactivate, Leavers::Delete, Leavers::Ignore]
                        [usize::from(leavers)],
                    gone_groups: [GoneGroups::Empty, GoneGroups::Delete, GoneGroups::Ignore]
                        [usize::from(gone_groups)],
                    membership_batch,
                    take_over_leavers,
                    ..policy()
                };
                World {
                    desired: directory.0,
                    server,
                    policy,
                }
            },
        )
}

/// What a user on the server stands for after a run, told from its mark alone.
fn marked(user: &CurrentUser) -> Option<EntryId> {
    user.external_id.as_ref()?.strip_prefix("corp:").map(entry)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn carrying_a_plan_out_leaves_nothing_to_do(world in world()) {
        let mut server = world.server.clone();
        let plan = server.plan(&world.desired, &world.policy);
        server.carry_out(&plan);
        let again = server.plan(&world.desired, &world.policy);
        prop_assert!(again.is_empty(), "{:?}\nafter {:?}", lines(&again), lines(&plan));
    }

    #[test]
    fn stopped_after_any_write_a_second_run_ends_the_same(world in world(), stop in 0..20_usize) {
        let first = world.server.plan(&world.desired, &world.policy);
        let mut whole = world.server.clone();
        whole.carry_out(&first);
        let mut stopped = world.server.clone();
        let (mut new, mut left) = (BTreeMap::new(), stop);
        for operation in first.operations() {
            if left == 0 { break; }
            left -= 1;
            stopped.write(operation, &mut new);
        }
        stopped.carry_out(&stopped.plan(&world.desired, &world.policy));
        prop_assert!(stopped.plan(&world.desired, &world.policy).is_empty());
        // Ids differ with the order of creation; what matters does not.
        let shape = |server: &Server| {
            let users: BTreeSet<_> = server.users.values()
                .map(|user| (user.external_id.clone(), user.active, user.profile.0.clone()))
                .collect();
            let groups: BTreeSet<_> = server.groups.values()
                .map(|(group, members)| {
                    let members: BTreeSet<_> = members.iter()
                        .map(|id| server.users[id].profile.get(Attribute::UserName).map(str::to_owned))
                        .collect();
                    (group.external_id.clone(), group.display_name.clone(), members)
                })
                .collect();
            (users, groups)
        };
        prop_assert_eq!(shape(&whole), shape(&stopped));
    }

    /// The model says for each object alone what has to become of it, without an order,
    /// waves or batches.
    #[test]
    fn the_end_is_what_a_naive_model_says(world in world()) {
        let World { desired, server: before, policy } = &world;
        let mut after = before.clone();
        let plan = before.plan(desired, policy);
        after.carry_out(&plan);
        let (current, matching) = before.current(desired, policy);

        for (index, user) in current.users().iter().enumerate() {
            let standing = matching.users.standing(index);
            let now = after.users.get(&user.id.0);
            match standing {
                Standing::Foreign | Standing::Kept => prop_assert_eq!(now, Some(user)),
                Standing::Gone => match policy.leavers {
                    Leavers::Delete => prop_assert!(now.is_none()),
                    Leavers::Deactivate => prop_assert!(!now.unwrap().active),
                    Leavers::Ignore => prop_assert_eq!(now, Some(user)),
                },
                Standing::Matched => {}
            }
        }
        let skipped = |kind: Kind, entry: &EntryId| {
            plan.skipped.iter().any(|skip| skip.kind == kind && skip.entry.as_ref() == Some(entry))
        };
        for (entry, wanted) in &desired.users {
            let users: Vec<&CurrentUser> = after.users.values()
                .filter(|user| marked(user).as_ref() == Some(entry))
                .collect();
            if skipped(Kind::User, entry) || matching.users.doubles.iter().any(|index| marked(&current.users()[*index]).as_ref() == Some(entry)) {
                continue;
            }
            match (&wanted.profile, wanted.active, users.first()) {
                (Some(profile), true, Some(user)) => {
                    prop_assert_eq!(users.len(), 1);
                    prop_assert!(user.active);
                    prop_assert_eq!(&user.profile, profile);
                }
                (Some(_), true, None) => prop_assert!(false, "an active person without a user"),
                (_, false, Some(user)) => prop_assert!(!user.active),
                (None, true, _) | (_, false, None) => {}
            }
        }
        for (entry, wanted) in &desired.groups {
            let Some(name) = &wanted.display_name else { continue };
            if skipped(Kind::Group, entry) { continue; }
            let doubles = after.groups.values()
                .filter(|(group, _)| group.external_id.as_deref() == Some(&format!("corp:{}", entry.0)))
                .count();
            if doubles > 1 { continue; }
            let (_, members) = after.groups.values()
                .find(|(group, _)| &group.display_name == name)
                .unwrap();
            // Everybody who should be a member and has a user is one; whoever else is one
            // is somebody else's, or one whom nothing is known of.
            let expected: BTreeSet<&String> = wanted.members.iter()
                .filter_map(|member| {
                    let matched = matching.users.objects.get(member)
                        .map(|index| current.users()[*index].id.0.clone());
                    let made = after.users.values().find(|user| {
                        user.id.0.starts_with("new") && marked(user).as_ref() == Some(member)
                    });
                    let id = matched.or_else(|| made.map(|user| user.id.0.clone()))?;
                    after.users.get_key_value(&id).map(|(id, _)| id)
                })
                .collect();
            let ours: BTreeSet<&String> = members.iter()
                .filter(|id| {
                    let standing = current.user_index(id).map(|index| matching.users.standing(index));
                    !matches!(standing, Some(Standing::Foreign | Standing::Kept))
                })
                .collect();
            prop_assert_eq!(ours, expected);
        }
        for (id, (group, members)) in &before.groups {
            let index = current.groups().iter().position(|other| other.id.0 == *id).unwrap();
            if matching.groups.standing(index) == Standing::Foreign {
                let (now, now_members) = &after.groups[id];
                prop_assert_eq!(now, group);
                prop_assert!(now_members.is_subset(members));
                prop_assert!(members.difference(now_members).all(|user| !after.users.contains_key(user)));
            }
        }
        // No more writes than objects that change, and full requests for members.
        for user in current.users() {
            let writes = plan.operations()
                .filter(|operation| matches!(operation, Operation::UpdateUser { subject, .. } if subject.id.as_ref() == Some(&user.id)))
                .count();
            prop_assert!(writes <= 2);
        }
    }

    #[test]
    fn the_order_of_the_server_does_not_matter(world in world()) {
        let plan_of = |reversed: bool| {
            let mut users: Vec<CurrentUser> = world.server.users.values().cloned().collect();
            let mut groups: Vec<CurrentGroup> = world.server.groups.values().map(|(group, _)| group.clone()).collect();
            if reversed {
                users.reverse();
                groups.reverse();
            }
            let mut current = Current::new(users, groups);
            let matching = Matching::new(&world.desired, &current, &world.policy);
            for index in matching.groups_to_read(&world.desired, &world.policy) {
                let (_, members) = &world.server.groups[&current.groups()[index].id.0];
                let mut members: Vec<usize> = members.iter().filter_map(|id| current.user_index(id)).collect();
                if reversed { members.reverse(); }
                current.set_members(index, members);
            }
            plan(&world.desired, &current, &matching, &world.policy)
        };
        prop_assert_eq!(plan_of(false), plan_of(true));
    }
}
