//! The reconciler, invoked as Lambda's event source mapping does: one message at a time,
//! two invocations at once, messages deleted when they are finished.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use reconciler::{event::Event, handler::Handler};
use serde_json::{Value, json};
use test_support::{Cloud, deadline};

/// `Timeout` of the function in the template.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The queue's, in the template; seconds. A user given back to the queue is not seen again
/// by a short run.
pub const VISIBILITY_TIMEOUT: u32 = 180;

/// Works on messages until `over` is set and none is left. A share of the invocations
/// is killed in the middle. Returns how many users were given back to the queue.
pub async fn work(cloud: &Cloud, kills: f64, over: &AtomicBool) -> usize {
    let mut given_back = 0;
    let mut function = Handler::new(cloud.directory());
    loop {
        let was_over = over.load(Ordering::Relaxed);
        let received: Value = cloud
            .sqs
            .call(
                "ReceiveMessage",
                &json!({"QueueUrl": cloud.queue_url, "MaxNumberOfMessages": 1, "WaitTimeSeconds": 1}),
            )
            .await
            .unwrap();
        let Some(message) = received["Messages"].get(0) else {
            if was_over {
                return given_back;
            }
            continue;
        };
        let event: Event = serde_json::from_value(json!({
            "Records": [{"messageId": message["MessageId"], "body": message["Body"]}],
        }))
        .unwrap();
        let work = function.handle(event, deadline(TIMEOUT));
        let answer = if rand::random_bool(kills) {
            let life = Duration::from_millis(rand::random_range(0..300));
            match tokio::time::timeout(life, work).await {
                Ok(answer) => answer.unwrap(),
                Err(_) => {
                    function = Handler::new(cloud.directory());
                    continue;
                }
            }
        } else {
            work.await.unwrap()
        };
        if answer.batch_item_failures.is_empty() {
            let _: Value = cloud
                .sqs
                .call(
                    "DeleteMessage",
                    &json!({"QueueUrl": cloud.queue_url, "ReceiptHandle": message["ReceiptHandle"]}),
                )
                .await
                .unwrap();
        } else {
            given_back += 1;
        }
    }
}
