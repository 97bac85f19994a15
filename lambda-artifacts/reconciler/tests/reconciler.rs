//! From a change that Connect throttles, through the queue, to the user in Connect;
//! against real DynamoDB and SQS APIs (MiniStack) and the Connect simulator.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use connect_directory::{
    directory::{Context, Directory},
    store::StoredUser,
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

    fn throttle(&self, operation: Operation) {
        self.cloud
            .simulator
            .inject(FaultRule::next(3, operation, Fault::Throttle));
    }

    /// Creates a user, as of a while ago.
    async fn create(&self, user_name: &str, age: Duration) -> (String, bool) {
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
        let written = self.directory.create(user, None, context).await.unwrap();
        (written.user.id, written.pending)
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

fn deadline() -> u64 {
    deadline_in(Duration::from_secs(60))
}

#[tokio::test]
async fn a_throttled_user_is_finished_through_the_queue() {
    let setup = Setup::start().await;
    setup.throttle(Operation::CreateUser);
    let (_, pending) = setup.create("ada", Duration::ZERO).await;
    assert!(pending && !setup.is_in_connect("ada"));

    let event = setup.receive().await;
    assert_eq!(event.records.len(), 1);
    let answer = setup.handler.handle(event, deadline()).await.unwrap();
    assert!(answer.batch_item_failures.is_empty());
    assert!(setup.is_in_connect("ada"));
}

#[tokio::test]
async fn a_user_whom_connect_keeps_throttling_is_finished_by_the_same_message() {
    let setup = Setup::start().await;
    setup
        .cloud
        .simulator
        .inject(FaultRule::next(10, Operation::CreateUser, Fault::Throttle));
    setup.create("ada", Duration::ZERO).await;
    let event = setup.receive().await;
    let answer = setup.handler.handle(event, deadline()).await.unwrap();
    assert!(answer.batch_item_failures.is_empty());
    assert!(setup.is_in_connect("ada"));
}

#[tokio::test]
async fn a_message_comes_again_while_connect_fails_and_a_message_without_a_user_fails() {
    let setup = Setup::start().await;
    setup.throttle(Operation::CreateUser);
    setup.create("ada", Duration::ZERO).await;
    let event = setup.receive().await;
    let message_id = event.records[0].message_id.clone();

    setup.cloud.simulator.inject(FaultRule::next(
        1000,
        Operation::CreateUser,
        Fault::Error { status: 503 },
    ));
    let answer = setup
        .handler
        .handle(event, deadline_in(Duration::from_secs(8)))
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
    setup.throttle(Operation::CreateUser);
    setup.create("old", Duration::from_secs(600)).await;
    setup.throttle(Operation::CreateUser);
    setup.create("new", Duration::ZERO).await;

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
    setup.throttle(Operation::CreateUser);
    setup.create("refused", Duration::from_secs(600)).await;
    setup.throttle(Operation::CreateUser);
    setup.create("new", Duration::from_secs(60)).await;
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
    let (id, _) = setup.create("ada", Duration::ZERO).await;
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
    setup.throttle(Operation::CreateUser);
    setup.create("ada", Duration::from_secs(600)).await;
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
