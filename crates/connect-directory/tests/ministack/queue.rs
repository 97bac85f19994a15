//! The queue of messages that the reconciler failed on.

use std::collections::BTreeSet;

use connect_directory::queue::{DeadLetter, DeadLetters, Queue};
use serde_json::{Value, json};
use test_support::Cloud;

#[tokio::test]
async fn dead_letters_are_read_released_and_deleted() {
    let cloud = Cloud::unthrottled().await.with_queue(30).await;
    let queue = Queue::new(cloud.sqs.clone(), &cloud.queue_url);
    let letters = DeadLetters::new(cloud.sqs.clone(), &cloud.queue_url);
    queue.send("ada").await.unwrap();
    assert!(queue.send_all(&["grace".to_owned()]).await.is_empty());
    let malformed = json!({
        "QueueUrl": cloud.queue_url,
        "MessageGroupId": "other",
        "MessageDeduplicationId": "other",
        "MessageBody": "not of ours",
    });
    let _: Value = cloud.sqs.call("SendMessage", &malformed).await.unwrap();

    let contents = |letters: &[DeadLetter]| -> BTreeSet<_> {
        let contents = letters.iter().map(|letter| letter.content.clone());
        contents.collect()
    };
    let all = BTreeSet::from([
        Ok("ada".to_owned()),
        Ok("grace".to_owned()),
        Err("not of ours".to_owned()),
    ]);
    let received = letters.receive().await.unwrap();
    assert_eq!(contents(&received), all);
    assert_eq!(letters.hidden().await.unwrap(), 3);
    assert!(letters.receive().await.unwrap().is_empty());

    for letter in &received {
        letters.release(letter).await.unwrap();
    }
    assert_eq!(letters.hidden().await.unwrap(), 0);
    let again = letters.receive().await.unwrap();
    assert_eq!(contents(&again), all);
    for letter in &again {
        letters.delete(letter).await.unwrap();
    }
    assert_eq!(letters.hidden().await.unwrap(), 0);
    assert!(letters.receive().await.unwrap().is_empty());
}
