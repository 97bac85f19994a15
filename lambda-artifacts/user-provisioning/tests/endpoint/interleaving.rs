//! A group is deleted while other requests change it. Each request is stopped between any
//! two of its calls to the table. The other request runs meanwhile, or the stopped request
//! ends there.

use std::time::Duration;

use connect_directory::directory::Reconciled;
use serde_json::{Value, json};
use test_support::SteppedClient;

use crate::common::{Answer, Endpoint, group, members, user};

/// Longer than a claim holds.
const LATER: Duration = Duration::from_secs(40);

/// Names of groups and the security profiles that they grant: a security profile, and a
/// mapped group.
const KINDS: [(&str, &str); 2] = [
    ("CallCenterManager", "CallCenterManager"),
    ("APP LEADS", "QualityAnalyst"),
];

const VARIABLES: [(&str, &str); 1] = [("GROUP_MAPPING", r#"{"APP LEADS": ["QualityAnalyst"]}"#)];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Add,
    Put,
    Post,
    Bulk,
    Delete,
}

/// An endpoint with a group and users, and an instance of it that is stopped step by step.
struct Race {
    endpoint: Endpoint,
    stepped: Endpoint,
    steps: SteppedClient,
    name: &'static str,
    profile: &'static str,
    /// A member from the beginning.
    old: String,
    /// The user that the requests add.
    new: String,
    /// The only member of a group that is created again.
    late: String,
}

impl Race {
    async fn start((name, profile): (&'static str, &'static str)) -> Self {
        let endpoint = Endpoint::start_with(&VARIABLES).await;
        let mut ids = Vec::new();
        for name in ["old", "new", "late"] {
            ids.push(endpoint.create(user(name)).await.expect(201).id());
        }
        let (stepped, steps) = endpoint.stepped(&VARIABLES);
        // Reads the lists of names.
        stepped.get("/Groups").await.expect(200);
        let [old, new, late] = <[String; 3]>::try_from(ids).unwrap();
        Self {
            endpoint,
            stepped,
            steps,
            name,
            profile,
            old,
            new,
            late,
        }
    }

    async fn find(&self) -> Option<String> {
        let name = self.name.replace(' ', "%20");
        let target = format!("/Groups?filter=displayName%20eq%20%22{name}%22");
        let found = self.endpoint.get(&target).await.expect(200);
        let id = found.body["Resources"][0]["id"].as_str();
        id.map(str::to_owned)
    }

    /// The group exists with one member, or does not exist.
    async fn prepare(&self, exists: bool) -> Option<String> {
        if let Some(id) = self.find().await {
            let path = format!("/Groups/{id}");
            let deleted = self.endpoint.send("DELETE", &path, Value::Null).await;
            deleted.expect(204);
        }
        if !exists {
            return None;
        }
        let created = self.post(&self.endpoint, &self.old).await.expect(201);
        assert_eq!(members(&created.body), [self.old.as_str()]);
        Some(created.id())
    }

    async fn post(&self, endpoint: &Endpoint, member: &str) -> Answer {
        let group = group(self.name, &[member]);
        endpoint.send("POST", "/Groups", group).await
    }

    /// Sends one request about the group of this id.
    async fn send(&self, endpoint: &Endpoint, act: Act, id: Option<&str>) -> Answer {
        let path = format!("/Groups/{}", id.unwrap_or("none"));
        match act {
            Act::Add => {
                let id = id.unwrap_or("none");
                endpoint.add_member(id, &self.new).await
            }
            Act::Put => {
                let group = group(self.name, &[&self.old, &self.new]);
                endpoint.send("PUT", &path, group).await
            }
            Act::Post => self.post(endpoint, &self.new).await,
            Act::Bulk => {
                let patch = json!({
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                    "Operations": [{"op": "add", "path": "members", "value": [{"value": self.new}]}],
                });
                let bulk = json!({
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
                    "Operations": [{"method": "PATCH", "path": path, "data": patch}],
                });
                let mut answer = endpoint.send("POST", "/Bulk", bulk).await.expect(200);
                let status = answer.body["Operations"][0]["status"].as_str().unwrap();
                answer.status = status.parse().unwrap();
                answer
            }
            Act::Delete => endpoint.send("DELETE", &path, Value::Null).await,
        }
    }

    /// The numbers of calls after which a request can be stopped: all, except within a run
    /// of reads that are sent together.
    async fn stops(&self, act: Act) -> Vec<usize> {
        let id = self.prepare(act != Act::Post).await;
        self.steps.hold_after(usize::MAX);
        self.send(&self.stepped, act, id.as_deref()).await;
        let operations = self.steps.operations();
        let is_run = |index: &usize| {
            *index > 0 && operations[*index] == "Query" && operations[*index - 1] == "Query"
        };
        let stops: Vec<usize> = (0..operations.len())
            .filter(|index| !is_run(index))
            .collect();
        assert!(stops.len() > 3, "{act:?}: {operations:?}");
        stops
    }

    /// Runs a request up to a stop, then `between`, then the end of the request.
    async fn stop_within<T>(
        &self,
        act: Act,
        id: Option<&str>,
        stop: usize,
        between: impl AsyncFnOnce() -> T,
    ) -> (Answer, T) {
        self.steps.hold_after(stop);
        let request = self.send(&self.stepped, act, id);
        let other = async {
            self.steps.held().await;
            let done = between().await;
            self.steps.release();
            done
        };
        tokio::join!(request, other)
    }

    /// Runs a request up to a stop, and ends it there.
    async fn crash_within(&self, act: Act, id: Option<&str>, stop: usize) {
        self.steps.hold_after(stop);
        tokio::select! {
            _ = self.send(&self.stepped, act, id) => {}
            () = self.steps.held() => {}
        }
        self.steps.release();
    }

    /// Members by the group, groups by the users, and rights in Connect are the same.
    /// Returns the members.
    async fn check(&self, what: &str) -> Vec<String> {
        let members = match self.find().await {
            Some(id) => self.endpoint.members(&id).await,
            None => Vec::new(),
        };
        for (username, id) in [("old", &self.old), ("new", &self.new), ("late", &self.late)] {
            let reconciled = self
                .endpoint
                .directory
                .reconcile(id, self.endpoint.context_after(LATER))
                .await
                .unwrap();
            assert_eq!(reconciled, Reconciled::Synchronised, "{what}");
            let is_member = members.contains(id);
            let shows = !self.endpoint.groups_of(id).await.is_empty();
            assert_eq!(shows, is_member, "{what}: {username} shows the group");
            let has = self.endpoint.security_profiles(username);
            let has = has.contains(&self.profile.to_owned());
            assert_eq!(has, is_member, "{what}: {username} has the right");
        }
        let items = self.endpoint.cloud.items().await;
        let items = items.iter().filter(|item| {
            let key = item["pk"]["S"].as_str().unwrap();
            key.starts_with("GROUP#")
        });
        assert_eq!(items.count(), members.len(), "{what}: items of members");
        members
    }

    /// Repeats a deletion until it is complete.
    async fn delete(&self, id: &str, what: &str) {
        for _ in 0..3 {
            let path = format!("/Groups/{id}");
            let deleted = self.endpoint.send("DELETE", &path, Value::Null).await;
            match deleted.status {
                204 | 404 => return,
                status => assert_eq!(status, 503, "{what}: {}", deleted.body),
            }
        }
        panic!("{what}: the deletion does not end");
    }
}

/// A change is stopped, the group is deleted, the change ends.
async fn change_meets_deletion(kind: (&'static str, &'static str), act: Act) {
    let race = Race::start(kind).await;
    for stop in race.stops(act).await {
        let what = format!("{act:?} of {} stopped at {stop}", race.name);
        let id = race.prepare(act != Act::Post).await;
        let (changed, deleted) = race
            .stop_within(act, id.as_deref(), stop, async || {
                let id = match &id {
                    Some(id) => Some(id.clone()),
                    None => race.find().await,
                }?;
                let deleted = race.send(&race.endpoint, Act::Delete, Some(&id)).await;
                Some((id, deleted.status))
            })
            .await;
        // The stopped request may hold a member.
        if let Some((id, status)) = &deleted {
            assert!(matches!(status, 204 | 404 | 503), "{what}: {status}");
            if *status == 503 {
                race.delete(id, &what).await;
            }
        }
        assert!(
            matches!(changed.status, 200 | 201 | 404 | 503),
            "{what}: {} {}",
            changed.status,
            changed.body
        );
        let members = race.check(&what).await;
        if act != Act::Post {
            assert_eq!(members, [""; 0], "{what}: the group was deleted");
            assert_eq!(race.find().await, None, "{what}");
        }
    }
}

#[tokio::test]
async fn no_addition_outlives_a_deletion_of_its_group() {
    change_meets_deletion(KINDS[0], Act::Add).await;
}

#[tokio::test]
async fn no_addition_outlives_a_deletion_of_a_mapped_group() {
    change_meets_deletion(KINDS[1], Act::Add).await;
}

#[tokio::test]
async fn no_replaced_member_outlives_a_deletion_of_its_group() {
    change_meets_deletion(KINDS[0], Act::Put).await;
}

#[tokio::test]
async fn no_member_of_a_new_group_outlives_its_deletion() {
    for kind in KINDS {
        change_meets_deletion(kind, Act::Post).await;
    }
}

#[tokio::test]
async fn no_addition_in_bulk_outlives_a_deletion_of_its_group() {
    change_meets_deletion(KINDS[0], Act::Bulk).await;
}

/// A deletion is stopped, the group is changed or created again, the deletion ends.
async fn deletion_meets_change(kind: (&'static str, &'static str), act: Act) {
    let race = Race::start(kind).await;
    for stop in race.stops(Act::Delete).await {
        let what = format!("deletion of {} stopped at {stop}, {act:?}", race.name);
        let id = race.prepare(true).await;
        let (deleted, changed) = race
            .stop_within(Act::Delete, id.as_deref(), stop, async || {
                race.send(&race.endpoint, act, id.as_deref()).await
            })
            .await;
        assert!(
            matches!(deleted.status, 204 | 404 | 503),
            "{what}: {} {}",
            deleted.status,
            deleted.body
        );
        let mut members = race.check(&what).await;
        match act {
            // The group exists again, with the members of that request and open to others.
            Act::Post if changed.status == 201 => {
                assert_eq!(members, [race.new.as_str()], "{what}");
                let id = race.find().await.unwrap();
                let added = race.endpoint.add_member(&id, &race.late).await;
                assert_eq!(added.status, 200, "{what}: {}", added.body);
                members = race.check(&what).await;
                assert_eq!(members.len(), 2, "{what}");
            }
            Act::Post if changed.status == 409 => assert_eq!(race.find().await, None, "{what}"),
            _ => {
                assert!(
                    matches!(changed.status, 200 | 204 | 404 | 409 | 503),
                    "{what}: {} {}",
                    changed.status,
                    changed.body
                );
                race.delete(id.as_deref().unwrap(), &what).await;
                assert_eq!(race.check(&what).await, [""; 0], "{what}");
                assert_eq!(race.find().await, None, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn a_deletion_removes_members_who_are_added_meanwhile() {
    for act in [Act::Add, Act::Put] {
        deletion_meets_change(KINDS[0], act).await;
    }
}

#[tokio::test]
async fn two_deletions_of_a_group_end_as_one() {
    for kind in KINDS {
        deletion_meets_change(kind, Act::Delete).await;
    }
}

#[tokio::test]
async fn a_group_that_is_created_again_during_its_deletion_has_its_own_members() {
    deletion_meets_change(KINDS[0], Act::Post).await;
}

#[tokio::test]
async fn a_mapped_group_that_is_created_again_during_its_deletion_has_its_own_members() {
    deletion_meets_change(KINDS[1], Act::Post).await;
}

/// An addition is stopped, the group is deleted and created again, the addition ends.
#[tokio::test]
async fn an_addition_to_an_earlier_group_does_not_reach_the_group_of_the_same_name() {
    let race = Race::start(KINDS[0]).await;
    for stop in race.stops(Act::Add).await {
        let what = format!("addition stopped at {stop}");
        let id = race.prepare(true).await;
        let (added, is_created) = race
            .stop_within(Act::Add, id.as_deref(), stop, async || {
                let id = id.as_deref();
                let deleted = race.send(&race.endpoint, Act::Delete, id).await;
                // The stopped request may hold a member.
                if deleted.status == 503 {
                    return false;
                }
                race.post(&race.endpoint, &race.late).await.expect(201);
                true
            })
            .await;
        if !is_created {
            race.post(&race.endpoint, &race.late).await.expect(201);
        }
        let members = race.check(&what).await;
        assert!(!members.contains(&race.old), "{what}");
        assert!(members.contains(&race.late), "{what}");
        if added.status == 404 {
            assert_eq!(members, [race.late.as_str()], "{what}");
        }
        // An addition changes the new group only if it reads that group.
        if members.contains(&race.new) {
            assert_eq!((stop, added.status), (0, 200), "{what}");
        }
    }
}

#[tokio::test]
async fn a_deletion_that_ends_early_is_completed_by_its_repetition_or_by_the_sweep() {
    for kind in KINDS {
        let race = Race::start(kind).await;
        for (number, stop) in race.stops(Act::Delete).await.into_iter().enumerate() {
            let what = format!("deletion of {} ended at {stop}", race.name);
            let id = race.prepare(true).await.unwrap();
            race.crash_within(Act::Delete, Some(&id), stop).await;
            let is_begun = race.find().await.is_none();
            let context = race.endpoint.context_after(LATER);
            if number % 2 == 0 {
                // The claim of the ended request has expired by then.
                race.endpoint.directory.sweep_groups(context).await.unwrap();
            }
            if is_begun && number % 2 == 1 {
                let deleted = race
                    .endpoint
                    .directory
                    .delete_group::<connect_directory::directory::GroupError>(
                        &id,
                        |_| Ok(()),
                        context,
                    )
                    .await;
                assert!(
                    matches!(
                        deleted,
                        Ok(_) | Err(connect_directory::directory::GroupError::NotFound)
                    ),
                    "{what}: {deleted:?}"
                );
            }
            let members = race.check(&what).await;
            let expected = if is_begun { 0 } else { 1 };
            assert_eq!(members.len(), expected, "{what}");
            let found = race.endpoint.get(&format!("/Groups/{id}")).await;
            assert_eq!(found.status, if is_begun { 404 } else { 200 }, "{what}");
        }
    }
}

#[tokio::test]
async fn orphaned_memberships_are_removed_by_an_operator() {
    let endpoint = Endpoint::start_with(&VARIABLES).await;
    let id = endpoint.create(user("ada")).await.expect(201).id();
    let admin = endpoint.group_id("Admin").await;
    let analyst = endpoint.group_id("QualityAnalyst").await;
    endpoint.add_member(&analyst, &id).await.expect(200);
    // Memberships of a deleted group of a security profile, of a mapped group that never
    // existed, and of a security profile that never existed.
    let deleted = endpoint.send("POST", "/Groups", group("Admin", &[])).await;
    deleted.expect(201);
    let path = format!("/Groups/{admin}");
    endpoint
        .send("DELETE", &path, Value::Null)
        .await
        .expect(204);
    let groups = json!({
        admin.as_str(): "Admin",
        analyst.as_str(): "QualityAnalyst",
        "0198c000-0000-7000-8000-000000000001": null,
        "no-such-profile": "CallCenterManager",
    });
    let key = json!({"pk": {"S": format!("USER#{id}")}, "sk": {"S": "USER"}});
    let value = json!({"S": groups.to_string()});
    endpoint.edit_item(key, "groups", Some(value)).await;
    let lane = u8::from_str_radix(&id[id.len() - 2..], 16).unwrap() % 8;
    let member = json!({"pk": {"S": format!("GROUP#{admin}#{lane}")}, "sk": {"S": id}});
    let put = json!({"TableName": endpoint.cloud.table, "Item": member});
    let _: Value = endpoint.cloud.dynamodb.call("PutItem", &put).await.unwrap();

    let repaired = endpoint
        .directory
        .mend(&id, endpoint.context())
        .await
        .unwrap();
    assert_eq!(repaired, Reconciled::Synchronised);
    assert_eq!(endpoint.groups_of(&id).await, [analyst.as_str()]);
    assert_eq!(endpoint.security_profiles("ada"), ["QualityAnalyst"]);
    // A group that is created again has no former members.
    let again = endpoint.send("POST", "/Groups", group("Admin", &[])).await;
    let again = again.expect(201);
    assert_eq!(endpoint.members(&again.id()).await, [""; 0]);
    assert_eq!(endpoint.members(&analyst).await, [id.as_str()]);
}
