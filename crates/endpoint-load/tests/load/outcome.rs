//! After the storm: what a crash left behind is swept up, and then the table, Connect and
//! the identity provider's idea must be one.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use connect_directory::directory::{Context, Reconciled};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use test_support::Cloud;
use tokio::time::Instant;

/// Longer than a claim holds: so much later the sweep works, by its clock.
const LATER: SignedDuration = SignedDuration::from_secs(40);

/// Rounds of the sweep. Connect fails one call in five.
const ROUNDS: usize = 30;

/// Users that the sweep reconciles at once.
const AT_ONCE: usize = 8;

/// What is to become of a user.
#[derive(Clone)]
pub struct Expected {
    pub exists: bool,
    pub active: bool,
    pub family_name: String,
    pub routing_profile: &'static str,
    pub profiles: Vec<&'static str>,
    pub is_member: bool,
}

impl Expected {
    pub fn new(family_name: &str) -> Self {
        Self {
            exists: true,
            active: true,
            family_name: family_name.to_owned(),
            routing_profile: "Basic Routing Profile",
            profiles: vec!["Agent"],
            is_member: false,
        }
    }
}

/// Reconciles whoever is pending until nobody is. Nothing else may be at work: by the
/// sweep's clock every claim has expired.
pub async fn sweep(cloud: &Cloud) {
    let directory = cloud.directory();
    for _ in 0..ROUNDS {
        let now = Timestamp::now() + LATER;
        let pending = directory.store().pending_ids(now).await.unwrap();
        if pending.is_empty() {
            return;
        }
        for some in pending.chunks(AT_ONCE) {
            let outcomes = some.iter().map(|id| {
                let deadline = Instant::now() + Duration::from_secs(15);
                let context = Context {
                    now,
                    deadline,
                    stop: deadline,
                    client: "reconciler",
                };
                directory.reconcile(id, context)
            });
            for outcome in join_all(outcomes).await {
                let outcome = outcome.unwrap();
                assert!(
                    !matches!(outcome, Reconciled::Refused(_) | Reconciled::Busy),
                    "{outcome:?}"
                );
            }
        }
    }
    panic!("the sweep never ends");
}

fn names(cloud: &Cloud, kind: &str, record: &str, name: &str) -> BTreeMap<String, String> {
    let state = cloud.simulator.state();
    let profiles = state[kind].as_object().unwrap();
    profiles
        .iter()
        .map(|(id, value)| {
            let value = if record.is_empty() {
                value
            } else {
                &value[record]
            };
            (id.clone(), value[name].as_str().unwrap().to_owned())
        })
        .collect()
}

/// Panics unless table and Connect have exactly what is expected.
pub async fn compare(
    cloud: &Cloud,
    group: &str,
    expected: &BTreeMap<String, (Option<String>, Expected)>,
) {
    let security_profiles = names(cloud, "securityProfiles", "profile", "SecurityProfileName");
    let routing_profiles = names(cloud, "routingProfiles", "", "Name");
    let mut connect: BTreeMap<String, Value> = BTreeMap::new();
    for user in cloud.connect_users() {
        let user_name = user["Username"].as_str().unwrap().to_owned();
        assert!(connect.insert(user_name, user).is_none(), "doubled");
    }
    let directory = cloud.directory();
    let mut keys = BTreeSet::new();
    let mut listed = BTreeSet::new();
    let mut members = BTreeSet::new();
    for (user_name, (id, expected)) in expected {
        let stored = directory
            .store()
            .find_by_user_name(user_name)
            .await
            .unwrap();
        let in_connect = connect.remove(user_name);
        if !expected.exists {
            assert!(stored.is_none(), "{user_name} is still in the table");
            assert_eq!(in_connect, None);
            continue;
        }
        let stored = stored.unwrap_or_else(|| panic!("{user_name} is lost"));
        assert_eq!(Some(&stored.id), id.as_ref(), "{user_name}");
        listed.insert(stored.id.clone());
        keys.extend([
            format!("USER#{}/USER", stored.id),
            format!("USERNAME#{user_name}/USERNAME"),
            format!("EXTERNALID#idp#external-{}/{}", &user_name[4..], stored.id),
        ]);
        if expected.is_member {
            members.insert(stored.id.clone());
        }
        let record = directory
            .store()
            .get_record(&stored.id)
            .await
            .unwrap()
            .unwrap();
        assert!(record.user == stored, "{user_name}: the copy differs");
        assert!(record.pending_since.is_none() && !record.connect.uncertain && !record.removed);
        assert_eq!(stored.document["active"], expected.active, "{user_name}");
        assert_eq!(stored.document["name"]["familyName"], expected.family_name);
        assert_eq!(
            stored.groups.contains_key(group),
            expected.is_member,
            "{user_name}"
        );

        let Some(applied) = record.connect.applied else {
            assert!(!expected.active, "{user_name} was not brought to Connect");
            assert_eq!(in_connect, None, "{user_name} is still in Connect");
            continue;
        };
        assert!(
            expected.active,
            "{user_name} is still taken to be in Connect"
        );
        let user = in_connect.unwrap_or_else(|| panic!("{user_name} is not in Connect"));
        assert_eq!(user["Id"], applied.user_id);
        assert_eq!(user["Tags"], json!(applied.user.tags));
        assert_eq!(user["Tags"]["scim:id"], stored.id);
        assert_eq!(user["IdentityInfo"]["LastName"], expected.family_name);
        let routing_profile = &routing_profiles[user["RoutingProfileId"].as_str().unwrap()];
        assert_eq!(routing_profile, expected.routing_profile, "{user_name}");
        let has: BTreeSet<&str> = user["SecurityProfileIds"]
            .as_array()
            .unwrap()
            .iter()
            .map(|id| security_profiles[id.as_str().unwrap()].as_str())
            .collect();
        assert_eq!(
            has,
            expected.profiles.iter().copied().collect(),
            "{user_name}"
        );
    }
    assert!(connect.is_empty(), "Connect has more: {:?}", connect.keys());
    let stored = directory.store().members(group).await.unwrap();
    let stored: BTreeSet<String> = stored.into_iter().map(|member| member.user_id).collect();
    assert_eq!(stored, members, "the members");
    let listing = directory.store().ids().await.unwrap();
    assert_eq!(BTreeSet::from_iter(listing), listed, "the listing");
    let found: BTreeSet<String> = cloud
        .items()
        .await
        .iter()
        .map(|item| {
            let part = |name: &str| item[name]["S"].as_str().unwrap().to_owned();
            format!("{}/{}", part("pk"), part("sk"))
        })
        .filter(|key| !key.starts_with("LISTING/") && !key.starts_with("GROUPS/"))
        .collect();
    let (of_members, found): (BTreeSet<String>, BTreeSet<String>) =
        found.into_iter().partition(|key| key.starts_with("GROUP#"));
    assert_eq!(of_members.len(), members.len(), "items of members");
    assert_eq!(found, keys, "items of users");
}
