//! After any sequence of requests, a user whose last explicit state is inactive has no rights
//! in Connect.

use std::{cell::Cell, collections::BTreeSet};

use connect_directory::directory::Reconciled;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::common::{Endpoint, SUSPEND, group, user};

/// The `active` attribute in a request.
#[derive(Debug, Clone, PartialEq)]
enum Active {
    /// This JSON value.
    Sent(Value),
    /// Absent.
    Absent,
    /// Removed by an operation.
    Removed,
}

impl Active {
    /// The state that the value sets; `None` means no change.
    fn meaning(&self) -> Option<bool> {
        match self {
            Self::Sent(Value::Bool(active)) => Some(*active),
            Self::Sent(Value::String(text)) => Some(text.eq_ignore_ascii_case("true")),
            _ => None,
        }
    }

    fn operation(&self, with_path: bool) -> Option<Value> {
        match self {
            Self::Sent(value) if with_path => {
                Some(json!({"op": "Replace", "path": "active", "value": value}))
            }
            Self::Sent(value) => Some(json!({"op": "add", "value": {"active": value}})),
            Self::Removed => Some(json!({"op": "remove", "path": "active"})),
            Self::Absent => None,
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Post(Active),
    Put(Active, Name),
    Patch(Vec<(Active, bool)>, Option<Name>),
    Bulk(Vec<(Active, bool)>),
    Delete,
    Join(Group, Route),
    Leave(Group, Route),
}

/// A group, by the security profile that it grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    /// The group is the security profile.
    Admin,
    /// `provisioning.groups` maps the group to the security profile.
    CallCenterManager,
}

impl Group {
    fn name(self) -> &'static str {
        match self {
            Self::Admin => "Admin",
            Self::CallCenterManager => "APP LEADS",
        }
    }

    fn security_profile(self) -> &'static str {
        match self {
            Self::Admin => "Admin",
            Self::CallCenterManager => "CallCenterManager",
        }
    }
}

const MAPPING: (&str, &str) = ("GROUP_MAPPING", r#"{"APP LEADS": ["CallCenterManager"]}"#);

/// The request that changes the members of a group.
#[derive(Debug, Clone, Copy)]
enum Route {
    Patch,
    Put,
    Bulk,
}

#[derive(Debug, Clone, Copy)]
enum Name {
    First,
    Second,
    /// One that Connect does not accept.
    Invalid,
}

fn active() -> impl Strategy<Value = Active> {
    prop_oneof![
        1 => Just(Active::Sent(json!(true))),
        3 => Just(Active::Sent(json!(false))),
        1 => Just(Active::Sent(json!("True"))),
        2 => Just(Active::Sent(json!("False"))),
        1 => Just(Active::Sent(Value::Null)),
        1 => Just(Active::Absent),
        1 => Just(Active::Removed),
    ]
}

fn name() -> impl Strategy<Value = Name> {
    prop_oneof![3 => Just(Name::First), 1 => Just(Name::Second), 1 => Just(Name::Invalid)]
}

fn membership() -> impl Strategy<Value = (Group, Route)> {
    (
        prop_oneof![Just(Group::Admin), Just(Group::CallCenterManager)],
        prop_oneof![Just(Route::Patch), Just(Route::Put), Just(Route::Bulk)],
    )
}

fn step() -> impl Strategy<Value = Step> {
    let operations = || prop::collection::vec((active(), any::<bool>()), 1..4);
    prop_oneof![
        1 => active().prop_map(Step::Post),
        3 => (active(), name()).prop_map(|(active, name)| Step::Put(active, name)),
        4 => (operations(), prop::option::of(name()))
            .prop_map(|(operations, name)| Step::Patch(operations, name)),
        2 => operations().prop_map(Step::Bulk),
        1 => Just(Step::Delete),
        3 => membership().prop_map(|(group, route)| Step::Join(group, route)),
        2 => membership().prop_map(|(group, route)| Step::Leave(group, route)),
    ]
}

/// The state that the requests have set.
struct Model<'a> {
    endpoint: &'a Endpoint,
    number: usize,
    /// The groups of the user.
    groups: BTreeSet<Group>,
    /// The id, and whether the last explicit state is active; `None` if there is no user.
    user: Option<(String, bool)>,
}

impl Model<'_> {
    fn name(&self, name: Name) -> String {
        let number = self.number;
        match name {
            Name::First => format!("u{number}"),
            Name::Second => format!("v{number}"),
            Name::Invalid => format!("left u{number}"),
        }
    }

    fn document(&self, active: &Active, name: Name) -> Value {
        let mut document = user(&self.name(name));
        match active {
            Active::Sent(value) => document["active"] = value.clone(),
            _ => drop(document.as_object_mut().unwrap().remove("active")),
        }
        document["entitlements"] = json!([{"value": "QualityAnalyst"}]);
        document
    }

    /// Sends the request. A refused request sets nothing.
    async fn take(&mut self, step: &Step) {
        let endpoint = self.endpoint;
        let path = |id: &str| format!("/Users/{id}");
        let set = match (step, &self.user) {
            (Step::Post(_), Some(_)) => return,
            (Step::Post(active), None) => {
                let document = self.document(active, Name::First);
                let created = endpoint.create(document).await;
                if created.status == 201 {
                    let is_active = active.meaning().unwrap_or(true);
                    self.user = Some((created.id(), is_active));
                }
                return;
            }
            (_, None) => return,
            (Step::Put(active, name), Some((id, _))) => {
                let document = self.document(active, *name);
                let put = endpoint.send("PUT", &path(id), document).await;
                self.check_status(put.status, active.meaning(), *name);
                (put.status == 200).then(|| active.meaning()).flatten()
            }
            (Step::Patch(operations, name), Some((id, _))) => {
                let mut all: Vec<Value> = operations
                    .iter()
                    .filter_map(|(active, with_path)| active.operation(*with_path))
                    .collect();
                all.extend(name.map(
                    |name| json!({"op": "replace", "path": "userName", "value": self.name(name)}),
                ));
                if all.is_empty() {
                    return;
                }
                let patched = endpoint.patch(id, Value::Array(all)).await;
                let set = last(operations);
                self.check_status(patched.status, set, name.unwrap_or(Name::First));
                (patched.status == 200).then_some(set).flatten()
            }
            (Step::Bulk(operations), Some((id, _))) => {
                let path = path(id);
                let all: Vec<Value> = operations
                    .iter()
                    .filter_map(|(active, with_path)| active.operation(*with_path))
                    .map(|operation| {
                        let data = json!({
                            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                            "Operations": [operation],
                        });
                        json!({"method": "PATCH", "path": path, "data": data})
                    })
                    .collect();
                let bulk = json!({
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
                    "Operations": all,
                });
                let done = endpoint.send("POST", "/Bulk", bulk).await.expect(200);
                let done = done.body["Operations"].as_array().unwrap().clone();
                let applied = operations
                    .iter()
                    .filter(|(active, with_path)| active.operation(*with_path).is_some())
                    .zip(&done)
                    .filter(|(_, done)| done["status"] == "200");
                applied
                    .filter_map(|((active, _), _)| active.meaning())
                    .last()
            }
            (Step::Delete, Some((id, _))) => {
                endpoint
                    .send("DELETE", &path(id), Value::Null)
                    .await
                    .expect(204);
                self.user = None;
                self.groups.clear();
                return;
            }
            (Step::Join(group, route), Some((id, _))) => {
                self.change_member(*group, *route, id, true).await;
                self.groups.insert(*group);
                return;
            }
            (Step::Leave(group, route), Some((id, _))) => {
                self.change_member(*group, *route, id, false).await;
                self.groups.remove(group);
                return;
            }
        };
        if let (Some(set), Some((_, active))) = (set, &mut self.user) {
            *active = set;
        }
    }

    /// Adds a user to a group or removes it. Neither is refused.
    async fn change_member(&self, of: Group, route: Route, id: &str, is_member: bool) {
        let endpoint = self.endpoint;
        let group_id = endpoint.group_id(of.name()).await;
        let path = format!("/Groups/{group_id}");
        let members = if is_member { vec![id] } else { Vec::new() };
        match route {
            Route::Patch if is_member => drop(endpoint.add_member(&group_id, id).await.expect(200)),
            Route::Patch => drop(endpoint.remove_member(&group_id, id).await.expect(200)),
            Route::Put => {
                let put = group(of.name(), &members);
                endpoint.send("PUT", &path, put).await.expect(200);
            }
            Route::Bulk => {
                let put = group(of.name(), &members);
                let bulk = json!({
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
                    "Operations": [{"method": "PUT", "path": path, "data": put}],
                });
                let done = endpoint.send("POST", "/Bulk", bulk).await.expect(200);
                assert_eq!(done.body["Operations"][0]["status"], "200", "{}", done.body);
            }
        }
    }

    /// A request that ends with an inactive user is never refused.
    fn check_status(&self, status: u16, set: Option<bool>, name: Name) {
        let was_active = self.user.as_ref().is_some_and(|(_, active)| *active);
        if !set.unwrap_or(was_active) {
            assert_eq!(status, 200, "active {set:?} with {name:?}");
        }
    }

    async fn check(&self, suspends: bool) {
        let names = [Name::First, Name::Second, Name::Invalid].map(|name| self.name(name));
        let in_connect: Vec<&String> = names
            .iter()
            .filter(|name| self.endpoint.connect_user(name).is_some())
            .collect();
        let Some((id, active)) = &self.user else {
            assert!(in_connect.is_empty(), "a deleted user is {in_connect:?}");
            return;
        };
        let shown = self.endpoint.get(&format!("/Users/{id}")).await.expect(200);
        assert_eq!(shown.body["active"], *active, "{}", shown.body);
        assert!(in_connect.len() <= 1, "{in_connect:?}");
        if *active {
            assert_eq!(in_connect.len(), 1, "an active user is in Connect");
            let granted = self.groups.iter().map(|group| group.security_profile());
            let expected: BTreeSet<&str> = granted.chain(["QualityAnalyst"]).collect();
            let has = self.endpoint.security_profiles(in_connect[0]);
            assert!(has.iter().eq(&expected), "{has:?} instead of {expected:?}");
        } else if suspends {
            for name in in_connect {
                assert_eq!(self.endpoint.security_profiles(name), ["Suspended"]);
            }
        } else {
            assert!(in_connect.is_empty(), "an inactive user is {in_connect:?}");
        }
        let reconciled = self.endpoint.reconcile(id).await;
        assert_eq!(reconciled, Reconciled::Synchronised);
    }
}

fn last(operations: &[(Active, bool)]) -> Option<bool> {
    operations
        .iter()
        .rev()
        .find_map(|(active, _)| active.meaning())
}

fn inactive_users_have_no_rights(suspends: bool, rename: &'static str) {
    let runtime = Runtime::new().unwrap();
    let mut variables = vec![("RENAME", rename), MAPPING];
    if suspends {
        variables.extend(SUSPEND);
    }
    let endpoint = runtime.block_on(async {
        let endpoint = Endpoint::start_with(&variables).await;
        let leads = group(Group::CallCenterManager.name(), &[]);
        endpoint.send("POST", "/Groups", leads).await.expect(201);
        endpoint
    });
    let config = Config {
        cases: 20,
        failure_persistence: None,
        max_shrink_iters: 40,
        ..Config::default()
    };
    let number = Cell::new(0);
    let steps = prop::collection::vec(step(), 1..10);
    let outcome = TestRunner::new(config).run(&steps, |steps| {
        number.set(number.get() + 1);
        let mut model = Model {
            endpoint: &endpoint,
            number: number.get(),
            groups: BTreeSet::new(),
            user: None,
        };
        runtime.block_on(async {
            model.take(&Step::Post(Active::Absent)).await;
            for step in &steps {
                model.take(step).await;
                model.check(suspends).await;
            }
        });
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn any_sequence_of_requests_leaves_inactive_users_without_a_connect_user() {
    inactive_users_have_no_rights(false, "reject");
}

#[test]
fn any_sequence_of_requests_leaves_inactive_users_without_a_recreated_connect_user() {
    inactive_users_have_no_rights(false, "recreate");
}

#[test]
fn any_sequence_of_requests_leaves_inactive_users_suspended() {
    inactive_users_have_no_rights(true, "reject");
}

#[test]
fn any_sequence_of_requests_leaves_inactive_users_suspended_where_renames_recreate_users() {
    inactive_users_have_no_rights(true, "recreate");
}
