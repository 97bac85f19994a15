use aws_json_client::{Client, Service};
use connect_attributes::Attributes;
use connect_simulator::{AssignedKind, Fault, FaultRule, Operation, Options, Settings, Simulator};
use serde_json::{Value, json};
use test_support::test_environment;

use super::*;
use crate::{
    connect::IdentityInfo,
    mapping::{AMAZON_CONNECT, Grants, IdentityManagement, map},
};

const AGENT: &str = "5eed0001-0000-4000-8000-000000000002";
const SUSPENDED: &str = "5eed0001-0000-4000-8000-000000000005";
const BASIC: &str = "5eed0002-0000-4000-8000-000000000001";
const SALES: &str = "5eed0002-0000-4000-8000-000000000002";
const BERLIN: &str = "5eed0005-0000-4000-8000-000000000001";

struct Setup {
    simulator: Simulator,
    profiles: Profiles,
}

impl Setup {
    async fn start() -> Self {
        Self::start_with(Some("Suspended")).await
    }

    async fn start_with(suspended: Option<&str>) -> Self {
        let settings = Settings {
            throttle: None,
            ..Settings::default()
        };
        let simulator = Simulator::start(Options {
            settings,
            ..Options::default()
        })
        .await
        .unwrap();
        let client = Client::builder(Service::CONNECT, &test_environment(&simulator.url()))
            .max_attempts(1)
            .build();
        let connect = Connect::new(client, &simulator.instance_arn()).unwrap();
        let defaults = Defaults {
            security_profile: "Agent".to_owned(),
            routing_profile: "Basic Routing Profile".to_owned(),
            suspended_security_profile: suspended.map(str::to_owned),
        };
        Self {
            simulator,
            profiles: Profiles::new(connect, defaults),
        }
    }

    async fn resolve(&self, document: Value) -> Result<ProfileIds, ProfileError> {
        self.profiles.resolve(&wanted(document), deadline()).await
    }

    async fn resolve_suspended(&self, document: Value) -> Result<ProfileIds, ProfileError> {
        self.profiles
            .resolve_suspended(Some(&wanted(document)), &applied(), deadline())
            .await
    }

    fn fail(&self, operation: Operation) {
        self.simulator.inject(FaultRule {
            operation: Some(operation),
            fault: Fault::Error { status: 503 },
            probability: 1.0,
            next: None,
        });
    }

    fn lists(&self) -> usize {
        let calls = self.simulator.calls().len();
        self.simulator.clear_calls();
        calls
    }
}

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(8)
}

/// A SCIM User with these attributes.
fn wanted(document: Value) -> Wanted {
    let mut user = json!({"userName": "ada"});
    let members = user.as_object_mut().unwrap();
    members.extend(document.as_object().unwrap().clone());
    let attributes = Attributes::default();
    map(
        members,
        Grants::default(),
        IdentityManagement::Saml,
        &attributes,
    )
    .unwrap()
}

fn entitlements(names: &[String]) -> Value {
    let values: Vec<Value> = names.iter().map(|name| json!({"value": name})).collect();
    json!({"entitlements": values})
}

fn hierarchy(name: &str) -> Value {
    json!({AMAZON_CONNECT: {"hierarchyGroup": name}})
}

fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(ToString::to_string).collect()
}

fn applied() -> ConnectUser {
    ConnectUser {
        username: "ada".to_owned(),
        identity: IdentityInfo::default(),
        security_profile_ids: set(&["applied-security"]),
        routing_profile_id: "applied-routing".to_owned(),
        hierarchy_group_id: Some("applied-group".to_owned()),
        phone: None,
        proficiencies: Vec::new(),
        tags: std::collections::BTreeMap::new(),
    }
}

async fn advance(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn names_and_defaults_resolve_to_ids() {
    let setup = Setup::start().await;
    let resolved = setup.resolve(json!({})).await.unwrap();
    let expected = ProfileIds {
        security_profiles: set(&[AGENT]),
        routing_profile: BASIC.to_owned(),
        hierarchy_group: None,
    };
    assert_eq!(resolved, expected);

    let mut document = hierarchy("berlin");
    document["entitlements"] = json!([{"value": "Suspended"}, {"value": "agent"}]);
    document["roles"] = json!([{"value": "Sales"}]);
    let resolved = setup.resolve(document).await.unwrap();
    let expected = ProfileIds {
        security_profiles: set(&[AGENT, SUSPENDED]),
        routing_profile: SALES.to_owned(),
        hierarchy_group: Some(BERLIN.to_owned()),
    };
    assert_eq!(resolved, expected);
    assert_eq!(setup.lists(), 3, "one call for each list");
}

#[tokio::test]
async fn each_kind_of_name_that_does_not_exist_is_reported() {
    let setup = Setup::start().await;
    for (document, kind) in [
        (
            json!({"entitlements": [{"value": "x"}]}),
            Kind::SecurityProfile,
        ),
        (json!({"roles": [{"value": "x"}]}), Kind::RoutingProfile),
        (hierarchy("x"), Kind::HierarchyGroup),
    ] {
        let unknown = setup.resolve(document).await.unwrap_err();
        let expected = format!("the Amazon Connect instance has no {kind} \"x\"");
        assert_eq!(unknown.to_string(), expected);
    }
    let ambiguous = setup.resolve(hierarchy("Support")).await.unwrap_err();
    assert!(matches!(ambiguous, ProfileError::Ambiguous(_)));
}

#[tokio::test]
async fn a_user_has_at_most_ten_security_profiles() {
    let setup = Setup::start().await;
    let names: Vec<String> = (0..11).map(|number| format!("Profile {number}")).collect();
    for name in &names {
        let kind = AssignedKind::SecurityProfiles;
        setup.simulator.create(kind, name).unwrap();
    }
    let ten = setup.resolve(entitlements(&names[..10])).await.unwrap();
    assert_eq!(ten.security_profiles.len(), 10);
    let eleven = setup.resolve(entitlements(&names)).await.unwrap_err();
    assert_eq!(
        eleven.to_string(),
        "11 security profiles are named; Amazon Connect allows a user 10"
    );
}

#[tokio::test]
async fn a_department_counts_only_if_it_names_a_profile() {
    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let setup = Setup::start().await;
    for (department, expected) in [
        ("Suspended, Agent", Some(set(&[AGENT, SUSPENDED]))),
        ("Research", Some(set(&[AGENT]))),
        ("Suspended, Research", None),
    ] {
        let document = json!({ENTERPRISE: {"department": department}});
        let resolved = setup.resolve(document).await;
        let ids = resolved.ok().map(|ids| ids.security_profiles);
        assert_eq!(ids, expected, "{department}");
    }
}

#[tokio::test]
async fn a_suspended_user_keeps_what_cannot_be_resolved_apart_from_permissions() {
    let setup = Setup::start().await;
    let unknown = || json!({"roles": [{"value": "x"}], AMAZON_CONNECT: {"hierarchyGroup": "x"}});
    let known =
        || json!({"roles": [{"value": "Sales"}], AMAZON_CONNECT: {"hierarchyGroup": "Berlin"}});
    let ids = |routing_profile: &str, hierarchy_group: Option<&str>| ProfileIds {
        security_profiles: set(&[SUSPENDED]),
        routing_profile: routing_profile.to_owned(),
        hierarchy_group: hierarchy_group.map(str::to_owned),
    };
    for (document, expected) in [
        (known(), ids(SALES, Some(BERLIN))),
        (unknown(), ids("applied-routing", Some("applied-group"))),
        (hierarchy("Support"), ids(BASIC, Some("applied-group"))),
        (json!({}), ids(BASIC, None)),
    ] {
        let suspended = setup.resolve_suspended(document.clone()).await;
        assert_eq!(suspended.unwrap(), expected, "{document}");
    }
    let profiles = &setup.profiles;
    let suspended = profiles
        .resolve_suspended(None, &applied(), deadline())
        .await;
    assert_eq!(
        suspended.unwrap(),
        ids("applied-routing", Some("applied-group"))
    );
}

#[tokio::test]
async fn a_user_is_suspended_although_other_lists_cannot_be_read() {
    let setup = Setup::start().await;
    setup.simulator.inject(FaultRule {
        operation: Some(Operation::ListRoutingProfiles),
        fault: Fault::Delay {
            milliseconds: 60_000,
        },
        probability: 1.0,
        next: None,
    });
    setup.fail(Operation::ListUserHierarchyGroups);
    let began = Instant::now();
    let suspended = setup.resolve_suspended(hierarchy("Berlin")).await.unwrap();
    assert_eq!(suspended.security_profiles, set(&[SUSPENDED]));
    assert_eq!(suspended.routing_profile, "applied-routing");
    assert_eq!(suspended.hierarchy_group.as_deref(), Some("applied-group"));
    assert!(began.elapsed() < Duration::from_secs(5), "time is left");
}

#[tokio::test]
async fn no_user_is_suspended_if_the_list_of_security_profiles_cannot_be_read() {
    let setup = Setup::start().await;
    setup.fail(Operation::ListSecurityProfiles);
    let unlisted = setup.resolve_suspended(json!({})).await;
    let Err(ProfileError::Unlisted(Failure::Transient(code))) = unlisted else {
        panic!("{unlisted:?}");
    };
    assert_eq!(code, "InternalServiceException");
}

#[tokio::test]
async fn a_missing_profile_of_suspended_users_is_an_error_of_its_own() {
    let setup = Setup::start_with(Some("Leavers")).await;
    let missing = setup.resolve_suspended(json!({})).await;
    let Err(ProfileError::NoSuspendedProfile(name)) = missing else {
        panic!("{missing:?}");
    };
    assert_eq!(name, "Leavers");
}

#[tokio::test]
async fn what_groups_grant_is_added_and_replaces_the_default() {
    let setup = Setup::start().await;
    let granted = |ids: &[&str], names: &[&str]| Grants {
        ids: set(ids),
        names: set(names),
    };
    let named = || json!({"entitlements": [{"value": "Agent"}]});
    for (document, grants, expected) in [
        (json!({}), granted(&[SUSPENDED], &[]), &[SUSPENDED][..]),
        (json!({}), granted(&[], &["suspended"]), &[SUSPENDED]),
        (named(), granted(&[SUSPENDED], &[]), &[AGENT, SUSPENDED]),
        (json!({}), granted(&["deleted"], &[]), &[AGENT]),
    ] {
        let mut wanted = wanted(document.clone());
        wanted.grants = grants.clone();
        let resolved = setup.profiles.resolve(&wanted, deadline()).await;
        let ids = resolved.unwrap().security_profiles;
        assert_eq!(ids, set(expected), "{document} {grants:?}");
    }
}

#[tokio::test]
async fn a_new_name_is_found_ten_seconds_after_the_list_was_read() {
    let setup = Setup::start().await;
    let profiles = &setup.profiles;
    profiles
        .security_profile("agent", deadline())
        .await
        .unwrap();
    let kind = AssignedKind::SecurityProfiles;
    let id = setup.simulator.create(kind, "New").unwrap();
    let unknown = profiles.security_profile("New", deadline()).await;
    assert!(matches!(unknown, Err(ProfileError::Unknown { .. })));
    advance(10).await;
    let found = profiles.security_profile("New", deadline()).await.unwrap();
    assert_eq!((found.id, found.name.as_str()), (id, "New"));

    advance(10).await;
    let unknown = profiles.security_profile("Agemt", deadline()).await;
    let message = unknown.unwrap_err().to_string();
    assert!(message.ends_with("did you mean \"Agent\"?"), "{message}");
}

#[tokio::test]
async fn forgotten_lists_are_read_again() {
    let setup = Setup::start().await;
    let document = || {
        let mut document = hierarchy("Berlin");
        document["roles"] = json!([{"value": "Sales"}]);
        document
    };
    setup.resolve(document()).await.unwrap();
    let replace = |kind, id| setup.simulator.replace(kind, id).unwrap();
    let expected = ProfileIds {
        security_profiles: set(&[&replace(AssignedKind::SecurityProfiles, AGENT)]),
        routing_profile: replace(AssignedKind::RoutingProfiles, SALES),
        hierarchy_group: Some(replace(AssignedKind::HierarchyGroups, BERLIN)),
    };
    assert_ne!(setup.resolve(document()).await.unwrap(), expected);
    setup.profiles.forget();
    assert_eq!(setup.resolve(document()).await.unwrap(), expected);
}

#[tokio::test]
async fn all_security_profiles_are_listed_or_none() {
    let setup = Setup::start().await;
    let profiles = setup.profiles.security_profiles(deadline()).await.unwrap();
    let names: Vec<&str> = profiles
        .iter()
        .map(|profile| profile.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "Admin",
            "Agent",
            "CallCenterManager",
            "QualityAnalyst",
            "Suspended"
        ]
    );
    advance(7).await;
    let known = setup
        .profiles
        .security_profile_ids(deadline())
        .await
        .unwrap();
    let ids: BTreeSet<String> = profiles.into_iter().map(|profile| profile.id).collect();
    assert_eq!(known.ids, ids);
    assert!((7..10).contains(&known.age.as_secs()), "{:?}", known.age);

    setup.profiles.forget();
    for id in ids {
        let kind = AssignedKind::SecurityProfiles;
        setup.simulator.delete(kind, &id, None).unwrap();
    }
    let none = setup.profiles.security_profile_ids(deadline()).await;
    assert_eq!(
        none,
        Err(Failure::Transient("NoSecurityProfiles".to_owned()))
    );
}

#[tokio::test]
async fn names_of_lists_that_cannot_be_read_are_empty() {
    let setup = Setup::start().await;
    setup.fail(Operation::ListRoutingProfiles);
    let names = setup.profiles.names(deadline()).await;
    assert_eq!(names.security_profiles.len(), 5);
    assert_eq!(names.routing_profiles, [""; 0]);
    assert_eq!(names.hierarchy_groups, ["Berlin", "Dublin", "Sales"]);
}

#[test]
fn a_list_is_newer_than_a_time_before_it_was_read_less_what_clocks_may_differ() {
    let list = SecurityProfileIds {
        ids: BTreeSet::new(),
        age: Duration::from_secs(10),
    };
    let now: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
    for (time, expected) in [
        ("2026-06-01T11:59:47.999Z", true),
        ("2026-06-01T11:59:48.000Z", false),
        ("2026-06-01T11:59:55.000Z", false),
        ("2026-06-01T12:00:30.000Z", false),
        ("2025-06-01T12:00:00.000Z", true),
        ("", false),
    ] {
        assert_eq!(list.is_newer_than(time, now), expected, "{time}");
    }
}

#[tokio::test]
async fn a_list_is_read_again_for_an_id_that_it_should_have_and_has_not() {
    let setup = Setup::start().await;
    let id = |id: &str| BTreeSet::from([id.to_owned()]);
    let (soon, long) = (Duration::ZERO, Duration::from_secs(3600));
    for (ids, age, reads) in [
        (BTreeSet::new(), soon, 0),
        (id(AGENT), soon, 1),
        (id(AGENT), soon, 1),
        (id("deleted"), long, 1),
        (id("deleted"), soon, 2),
    ] {
        setup
            .profiles
            .look_for(&ids, age, deadline())
            .await
            .unwrap();
        assert_eq!(setup.simulator.calls().len(), reads, "{ids:?} {age:?}");
    }
}
