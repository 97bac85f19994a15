//! From a change that Connect throttles, through the queue, to the user in Connect;
//! against real DynamoDB and SQS APIs (MiniStack) and the Connect simulator.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use connect_directory::{
    directory::{Context, Directory},
    store::{StoredUser, iso},
};
use connect_simulator::{Fault, FaultRule, Operation};
use jiff::{SignedDuration, Timestamp};
use lambda_support::metrics;
use reconciler::{event::Event, handler::Handler};
use serde_json::{Value, json};
use test_support::{CapturedLog, Cloud, deadline as deadline_in};
use tokio::time::Instant;
use tracing_subscriber::layer::SubscriberExt;

struct Setup {
    directory: Directory,
    handler: Handler,
    cloud: Cloud,
}

impl Setup {
    async fn start() -> Self {
        let cloud = Cloud::unthrottled().await.with_queue(1).await;
        let directory = cloud.directory();
        Self {
            handler: Handler::new(directory.clone()),
            directory,
            cloud,
        }
    }

    /// Lets all calls of an operation fail until the faults are cleared.
    fn fail(&self, operation: Option<Operation>, fault: Fault) {
        self.cloud.simulator.inject(FaultRule {
            operation,
            fault,
            probability: 1.0,
            next: None,
        });
    }

    /// Creates a user, as of a while ago, whom Connect does not get.
    async fn create_throttled(&self, user_name: &str, age: Duration) -> String {
        self.fail(Some(Operation::CreateUser), Fault::Throttle);
        // Of its own, so that the reconciler has no reason to wait.
        let directory = self.cloud.directory().stopping_at_throttle();
        let (id, pending) = create(&directory, user_name, age).await;
        assert!(pending && !self.is_in_connect(user_name));
        self.cloud.simulator.clear_faults();
        id
    }

    async fn set(&self, id: &str, attribute: &str, value: &str) {
        self.set_to(id, attribute, json!({"S": value})).await;
    }

    /// Changes the item of a user in the table.
    async fn set_to(&self, id: &str, attribute: &str, value: Value) {
        let update = json!({
            "TableName": self.cloud.table,
            "Key": {"pk": {"S": format!("USER#{id}")}, "sk": {"S": "USER"}},
            "UpdateExpression": "SET #attribute = :value",
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeNames": {"#attribute": attribute},
            "ExpressionAttributeValues": {":value": value},
        });
        let updated: Result<Value, _> = self.cloud.dynamodb.call("UpdateItem", &update).await;
        updated.unwrap();
    }

    /// Creates a user in Connect.
    async fn create(&self, user_name: &str) -> String {
        let (id, pending) = create(&self.directory, user_name, Duration::ZERO).await;
        assert!(!pending);
        id
    }

    /// What Lambda would be invoked with by the queue.
    async fn receive(&self) -> Event {
        let received: Value = self
            .cloud
            .sqs
            .call(
                "ReceiveMessage",
                &json!({"QueueUrl": self.cloud.queue_url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1}),
            )
            .await
            .unwrap();
        let records: Vec<Value> = received["Messages"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|message| json!({"messageId": message["MessageId"], "body": message["Body"]}))
            .collect();
        serde_json::from_value(json!({ "Records": records })).unwrap()
    }

    fn is_in_connect(&self, username: &str) -> bool {
        self.cloud.connect_user(username).is_some()
    }
}

/// Creates a user, as of a while ago. The answer is its id, and whether Connect lacks it.
async fn create(directory: &Directory, user_name: &str, age: Duration) -> (String, bool) {
    let document = json!({
        "userName": user_name,
        "name": {"givenName": "Ada", "familyName": "Lovelace"},
        "active": true,
    });
    let user = StoredUser {
        document: document.as_object().unwrap().clone(),
        ..StoredUser::default()
    };
    let deadline = Instant::now() + Duration::from_secs(8);
    let context = Context {
        now: Timestamp::now() - SignedDuration::try_from(age).unwrap(),
        deadline,
        stop: deadline,
        client: "idp",
    };
    let written = directory.create(user, None, context).await.unwrap();
    (written.user.id, written.pending)
}

fn deadline() -> u64 {
    deadline_in(Duration::from_secs(60))
}

#[tokio::test]
async fn a_throttled_user_is_finished_through_the_queue() {
    let setup = Setup::start().await;
    setup.create_throttled("ada", Duration::ZERO).await;

    let event = setup.receive().await;
    assert_eq!(event.records.len(), 1);
    let answer = setup.handler.handle(event, deadline()).await.unwrap();
    assert!(answer.batch_item_failures.is_empty());
    assert!(setup.is_in_connect("ada"));
}

#[tokio::test]
async fn a_user_whom_connect_keeps_throttling_is_finished_by_the_same_message() {
    let setup = Setup::start().await;
    setup.create_throttled("ada", Duration::ZERO).await;
    setup
        .cloud
        .simulator
        .inject(FaultRule::next(4, Operation::CreateUser, Fault::Throttle));
    let event = setup.receive().await;
    let answer = setup.handler.handle(event, deadline()).await.unwrap();
    assert!(answer.batch_item_failures.is_empty());
    assert!(setup.is_in_connect("ada"));
}

#[tokio::test]
async fn a_message_comes_again_while_connect_fails_and_a_message_without_a_user_fails() {
    let setup = Setup::start().await;
    setup.create_throttled("ada", Duration::ZERO).await;
    let event = setup.receive().await;
    let message_id = event.records[0].message_id.clone();

    setup.cloud.simulator.inject(FaultRule::next(
        1000,
        Operation::CreateUser,
        Fault::Error { status: 503 },
    ));
    let answer = setup
        .handler
        .handle(event, deadline_in(Duration::from_secs(12)))
        .await
        .unwrap();
    assert_eq!(answer.batch_item_failures[0].item_identifier, message_id);

    let nonsense = json!({"Records": [{"messageId": "m", "body": "nonsense"}]});
    let answer = setup
        .handler
        .handle(serde_json::from_value(nonsense).unwrap(), deadline())
        .await
        .unwrap();
    assert_eq!(answer.batch_item_failures[0].item_identifier, "m");
}

#[tokio::test]
async fn the_sweep_finishes_users_who_have_waited_for_long_and_leaves_the_others_to_the_queue() {
    let setup = Setup::start().await;
    setup
        .create_throttled("old", Duration::from_secs(600))
        .await;
    setup.create_throttled("new", Duration::ZERO).await;

    let scheduled: Event =
        serde_json::from_value(json!({"source": "aws.scheduler", "detail": {}})).unwrap();
    setup.handler.handle(scheduled, deadline()).await.unwrap();
    assert!(setup.is_in_connect("old"));
    assert!(!setup.is_in_connect("new"));
}

#[tokio::test]
async fn the_sweep_measures_who_is_pending_and_since_when() {
    let log = CapturedLog::default();
    let writer = log.clone();
    let layer = metrics::layer("scim-dev".to_owned(), move || writer.clone());
    // With a single subscriber tracing asks that of the thread which meets an event first,
    // and that thread may be another test's.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let setup = Setup::start().await;
    setup.create("reads-the-lists").await;
    setup
        .create_throttled("refused", Duration::from_secs(600))
        .await;
    setup.create_throttled("new", Duration::from_secs(60)).await;
    let mut settings = setup.cloud.simulator.settings();
    settings.user_quota = 0;
    setup.cloud.simulator.configure(settings);
    setup
        .handler
        .handle(Event::default(), deadline())
        .await
        .unwrap();

    let lines = log.lines();
    let [sweep, invocation] = &lines[..] else {
        panic!("{lines:?}");
    };
    assert_eq!(sweep["PendingUsers"], 2);
    let age = sweep["OldestPendingAge"].as_u64().unwrap();
    assert!((600..660).contains(&age), "{age}");
    assert_eq!(invocation["ConnectCalls"], 1);
    assert_eq!(invocation["ConnectThrottles"], 0);
    assert_eq!(invocation["Stack"], "scim-dev");
}

#[tokio::test]
async fn a_message_for_a_user_who_is_gone_or_in_order_is_finished() {
    let setup = Setup::start().await;
    let id = setup.create("ada").await;
    setup.cloud.simulator.clear_calls();
    let event = json!({"Records": [
        {"messageId": "1", "body": json!({"userId": id}).to_string()},
        {"messageId": "2", "body": json!({"userId": id}).to_string()},
        {"messageId": "3", "body": json!({"userId": "nobody"}).to_string()},
    ]});
    let answer = setup
        .handler
        .handle(serde_json::from_value(event).unwrap(), deadline())
        .await
        .unwrap();
    assert!(answer.batch_item_failures.is_empty());
    assert!(setup.cloud.simulator.calls().is_empty());
}

#[tokio::test]
async fn a_user_whom_connect_refuses_for_good_is_not_asked_for_in_every_sweep() {
    let setup = Setup::start().await;
    setup.create("reads-the-lists").await;
    setup
        .create_throttled("ada", Duration::from_secs(600))
        .await;
    let mut settings = setup.cloud.simulator.settings();
    settings.user_quota = 0;
    setup.cloud.simulator.configure(settings);
    setup.cloud.simulator.clear_calls();
    for _ in 0..3 {
        setup
            .handler
            .handle(Event::default(), deadline())
            .await
            .unwrap();
    }
    assert_eq!(setup.cloud.simulator.calls().len(), 1);
}

#[tokio::test]
async fn what_does_not_fit_into_the_time_comes_again() {
    let setup = Setup::start().await;
    let event = json!({"Records": [{"messageId": "1", "body": "{\"userId\": \"u\"}"}]});
    let answer = setup
        .handler
        .handle(serde_json::from_value(event).unwrap(), 0)
        .await
        .unwrap();
    assert_eq!(answer.batch_item_failures.len(), 1);
}

#[tokio::test]
async fn a_malformed_user_fails_the_sweep_after_all_others_were_swept() {
    let log = CapturedLog::default();
    let writer = log.clone();
    let layer = metrics::layer("scim-dev".to_owned(), move || writer.clone());
    // See `the_sweep_measures_who_is_pending_and_since_when`.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let events = CapturedLog::default();
    let event_writer = events.clone();
    let subscriber = tracing_subscriber::registry()
        .with(layer)
        .with(tracing_subscriber::fmt::layer().with_writer(move || event_writer.clone()));
    let _guard = tracing::subscriber::set_default(subscriber);

    let setup = Setup::start().await;
    let mut ids = Vec::new();
    for (position, name) in ["first", "second", "third", "fourth"].iter().enumerate() {
        let age = Duration::from_secs(600 - position as u64);
        ids.push(setup.create_throttled(name, age).await);
    }
    for malformed in [0, 2] {
        setup
            .set(&ids[malformed], "connect", r#"{"applied":{"userId":"#)
            .await;
    }

    let failed = setup.handler.handle(Event::default(), deadline()).await;
    assert_eq!(
        failed.unwrap_err().to_string(),
        "2 pending users could not be read from or written to the directory table"
    );
    for (name, is_swept) in [
        ("first", false),
        ("second", true),
        ("third", false),
        ("fourth", true),
    ] {
        assert_eq!(setup.is_in_connect(name), is_swept, "{name}");
    }
    let measured = log
        .lines()
        .into_iter()
        .find(|line| !line["UnreadableUsers"].is_null());
    let measured = measured.unwrap();
    assert_eq!(measured["UnreadableUsers"], 2);
    assert_eq!(measured["PendingUsers"], 2);
    let text = events.text();
    let reported = |id: &str| {
        text.lines()
            .any(|line| line.contains("a pending user cannot be swept") && line.contains(id))
    };
    assert_eq!(
        ids.iter().map(|id| reported(id)).collect::<Vec<_>>(),
        [true, false, true, false]
    );
}

#[tokio::test]
async fn no_attribute_of_an_item_stops_the_sweep() {
    let setup = Setup::start().await;
    let first = setup
        .create_throttled("first", Duration::from_secs(700))
        .await;
    let item = setup.cloud.items().await;
    let item = item
        .iter()
        .find(|item| item["pk"]["S"] == format!("USER#{first}"));
    let attributes = item.unwrap().as_object().unwrap().clone();
    for (position, attribute) in attributes.keys().enumerate() {
        if ["pk", "sk", "pending"].contains(&attribute.as_str()) {
            continue;
        }
        let malformed = setup
            .create_throttled(&format!("malformed-{position}"), Duration::from_secs(600))
            .await;
        setup.set(&malformed, attribute, "{").await;
        let other = format!("other-{position}");
        setup
            .create_throttled(&other, Duration::from_secs(500))
            .await;
        // It fails for some attributes and not for others.
        let _ = setup.handler.handle(Event::default(), deadline()).await;
        assert!(setup.is_in_connect(&other), "{attribute}");
    }
}

#[tokio::test]
async fn a_refused_user_who_is_to_lose_access_is_tried_again_after_five_minutes() {
    let setup = Setup::start().await;
    let refused = |minutes: i64| {
        let at = Timestamp::now() - SignedDuration::from_mins(minutes);
        json!({"uncertain": true, "lastError": "Invalid", "refusedAt": iso(at)}).to_string()
    };
    for (name, removed, active, minutes, is_tried) in [
        ("removed-6", true, true, 6, true),
        ("removed-4", true, true, 4, false),
        ("inactive-6", false, false, 6, true),
        ("inactive-4", false, false, 4, false),
        ("active-6", false, true, 6, false),
        ("active-61", false, true, 61, true),
    ] {
        let id = setup.create_throttled(name, Duration::from_secs(600)).await;
        if removed {
            setup.set_to(&id, "removed", json!({"BOOL": true})).await;
        }
        if !active {
            let document = json!({"userName": name, "active": false});
            setup.set(&id, "document", &document.to_string()).await;
        }
        setup.set(&id, "connect", &refused(minutes)).await;
        setup.cloud.simulator.clear_calls();
        setup
            .handler
            .handle(Event::default(), deadline())
            .await
            .unwrap();
        let is_called = !setup.cloud.simulator.calls().is_empty();
        assert_eq!(is_called, is_tried, "{name}");
    }
}

#[tokio::test]
async fn no_hanging_operation_keeps_an_invocation_until_its_timeout() {
    let operations = [
        None,
        Some(Operation::ListSecurityProfiles),
        Some(Operation::ListRoutingProfiles),
        Some(Operation::ListUserHierarchyGroups),
        Some(Operation::CreateUser),
        Some(Operation::SearchUsers),
    ];
    let invocations = operations.map(async |operation| {
        let setup = Setup::start().await;
        for name in ["ada", "grace", "joan"] {
            setup.create_throttled(name, Duration::from_secs(600)).await;
        }
        let event = setup.receive().await;
        let milliseconds = 60_000;
        setup.fail(operation, Fault::Delay { milliseconds });
        for event in [event, Event::default()] {
            // Lists that were never read.
            let handler = Handler::new(setup.cloud.directory());
            let timeout = Duration::from_secs(14);
            let invocation = handler.handle(event, deadline_in(timeout));
            let ended = tokio::time::timeout(timeout, invocation).await;
            assert!(ended.is_ok(), "{operation:?}");
        }
    });
    let [a, b, c, d, e, f] = invocations.map(Box::pin);
    tokio::join!(a, b, c, d, e, f);
}

#[tokio::test]
async fn attempts_are_made_less_often_while_connect_fails() {
    let setup = Setup::start().await;
    setup.create("reads-the-lists").await;
    setup.create_throttled("ada", Duration::ZERO).await;
    let event = setup.receive().await;
    setup.fail(Some(Operation::CreateUser), Fault::Throttle);
    setup.cloud.simulator.clear_calls();
    let timeout = Duration::from_secs(20);
    let answer = setup
        .handler
        .handle(event, deadline_in(timeout))
        .await
        .unwrap();
    assert_eq!(answer.batch_item_failures.len(), 1);
    let calls = setup.cloud.simulator.calls().len();
    assert!((1..=5).contains(&calls), "{calls} calls in 15 seconds");
}
