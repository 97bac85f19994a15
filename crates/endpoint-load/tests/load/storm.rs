//! Nothing is lost and nothing is doubled.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

use connect_simulator::{Fault, FaultRule, Settings, Throttle};
use futures_util::future::join_all;
use serde_json::{Value, json};
use test_support::Cloud;
use tokio::time::Instant;

use crate::{
    identity_provider::{Outcome, Worker},
    outcome::{Expected, compare, sweep},
    queue, users,
};

const WORKERS: usize = 8;

/// Cycles of the identity provider after the storm, until nothing is put off any more.
const CYCLES: usize = 8;

const PUSHED_GROUP: &str = "CallCenterManager";

/// What the identity provider does to one user, step by step.
#[derive(Clone)]
enum Step {
    Create,
    Patch(Value),
    Replace(Value),
    Delete,
    Push { member: bool },
}

/// A user with what is still to be done, and what it comes to.
#[derive(Clone)]
struct Person {
    user: Value,
    id: Option<String>,
    steps: Vec<Step>,
    expected: Expected,
}

fn set(path: &str, value: Value) -> Step {
    Step::Patch(json!([{"op": "Replace", "path": path, "value": value}]))
}

/// A person of one of seven fates.
fn person(number: usize) -> Person {
    let user_name = format!("user{number}");
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": user_name,
        "externalId": format!("external-{number}"),
        "name": {"givenName": "Ada", "familyName": format!("Lovelace {number}")},
        "active": true,
    });
    let mut expected = Expected::new(&format!("Lovelace {number}"));
    let push = |member| Step::Push { member };
    let steps = match number % 7 {
        0 => {
            expected.family_name = format!("King {number}");
            expected.profiles = vec!["QualityAnalyst", PUSHED_GROUP];
            expected.is_member = true;
            vec![
                Step::Create,
                set("name.familyName", json!(expected.family_name)),
                push(true),
                set("entitlements", json!([{"value": "QualityAnalyst"}])),
            ]
        }
        1 => {
            expected.active = false;
            expected.is_member = true;
            vec![Step::Create, push(true), set("active", json!("False"))]
        }
        2 => {
            expected.profiles = vec![PUSHED_GROUP];
            expected.is_member = true;
            vec![
                Step::Create,
                set("active", json!("False")),
                push(true),
                set("active", json!("True")),
            ]
        }
        3 => {
            expected.exists = false;
            vec![Step::Create, push(true), Step::Delete]
        }
        4 => {
            expected.routing_profile = "Sales";
            let mut replaced = user.clone();
            replaced["roles"] = json!([{"value": "Sales"}]);
            vec![
                Step::Create,
                Step::Replace(replaced),
                set("title", json!("Countess")),
            ]
        }
        5 => vec![Step::Create, Step::Delete, Step::Create],
        _ => vec![Step::Create, push(true), push(false)],
    };
    Person {
        user,
        id: None,
        steps,
        expected,
    }
}

/// Does what is left to do for a person, until something is to be put off.
async fn provision(worker: &mut Worker<'_>, group: &str, person: &mut Person) {
    while let Some(step) = person.steps.first().cloned() {
        let target = format!("/Users/{}", person.id.as_deref().unwrap_or_default());
        let done = match step {
            Step::Create => match worker.create(&person.user).await {
                Some(id) => {
                    person.id = Some(id);
                    Some(())
                }
                None => None,
            },
            Step::Patch(operations) => worker.patch(&target, &operations).await,
            Step::Replace(user) => worker.put(&target, &user).await,
            Step::Delete => worker.delete(&target).await,
            Step::Push { member } => {
                let value = json!([{"value": person.id}]);
                let operation = if member { "add" } else { "remove" };
                let operations = json!([{"op": operation, "path": "members", "value": value}]);
                worker.patch(&format!("/Groups/{group}"), &operations).await
            }
        };
        if done.is_none() {
            return;
        }
        person.steps.remove(0);
    }
}

async fn group_id(worker: &mut Worker<'_>) -> String {
    let Outcome::Answered(200, found) = worker.send("GET", "/Groups", &Value::Null).await else {
        panic!("the groups cannot be listed");
    };
    let groups = found["Resources"].as_array().unwrap();
    let group = groups
        .iter()
        .find(|group| group["displayName"] == PUSHED_GROUP)
        .unwrap();
    group["id"].as_str().unwrap().to_owned()
}

fn break_connect(cloud: &Cloud) {
    for (fault, probability) in [
        (Fault::Throttle, 0.05),
        (Fault::Error { status: 500 }, 0.04),
        (Fault::Error { status: 503 }, 0.02),
        (Fault::DropBefore, 0.03),
        (Fault::DropAfter, 0.05),
        (Fault::Delay { milliseconds: 700 }, 0.03),
    ] {
        cloud.simulator.inject(FaultRule {
            operation: None,
            fault,
            probability,
            next: None,
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_is_doubled_whatever_fails() {
    let people = users(630);
    let started = Instant::now();
    let settings = Settings {
        // Twenty times as fast as Connect's own, so that a run is short.
        throttle: Some(Throttle {
            rate_per_second: 40.0,
            burst: 5,
        }),
        user_quota: 100_000,
        ..Settings::default()
    };
    let cloud = &Cloud::start(settings)
        .await
        .with_queue(queue::VISIBILITY_TIMEOUT)
        .await;
    let group = &group_id(&mut Worker::new(cloud, 0.0)).await;
    break_connect(cloud);

    let operations: usize = (0..people).map(|number| person(number).steps.len()).sum();
    let over = AtomicBool::new(false);
    let storm = async {
        let shares = (0..WORKERS).map(|worker| async move {
            let mut worker_of_idp = Worker::new(cloud, 0.06);
            let mut share: Vec<Person> = (worker..people).step_by(WORKERS).map(person).collect();
            for person in &mut share {
                provision(&mut worker_of_idp, group, person).await;
            }
            share
        });
        let people: Vec<Person> = join_all(shares).await.into_iter().flatten().collect();
        over.store(true, Ordering::Relaxed);
        people
    };
    let (mut people, _, _) = tokio::join!(
        storm,
        queue::work(cloud, 0.06, &over),
        queue::work(cloud, 0.06, &over),
    );
    let put_off = people
        .iter()
        .filter(|person| !person.steps.is_empty())
        .count();
    eprintln!(
        "{operations} operations: storm over after {:?}, {put_off} put off",
        started.elapsed()
    );

    for _ in 0..CYCLES {
        sweep(cloud).await;
        let share = people.len().div_ceil(WORKERS).max(1);
        let shares = people.chunks_mut(share).map(|share| async {
            let mut worker = Worker::new(cloud, 0.0);
            for person in share {
                provision(&mut worker, group, person).await;
            }
        });
        join_all(shares).await;
    }
    sweep(cloud).await;
    assert!(
        people.iter().all(|person| person.steps.is_empty()),
        "some requests never succeed"
    );
    eprintln!("quiet after {:?}", started.elapsed());

    let expected: BTreeMap<String, (Option<String>, Expected)> = people
        .into_iter()
        .map(|person| {
            let user_name = person.user["userName"].as_str().unwrap().to_owned();
            (user_name, (person.id, person.expected))
        })
        .collect();
    compare(cloud, group, &expected).await;
}
