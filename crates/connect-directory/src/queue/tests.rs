use std::collections::BTreeSet;

use aws_json_client::Service;
use test_support::{HttpAnswer, HttpRequest, HttpServer, test_environment};

use super::*;

/// A queue that a closure plays, by the operation and the input of each request.
fn queue(
    respond: impl Fn(&str, &Value) -> HttpAnswer + Send + Sync + 'static,
) -> (HttpServer, Client) {
    let server = HttpServer::start(move |request: &HttpRequest| {
        let target = request.header("x-amz-target").unwrap_or_default();
        let input = serde_json::from_str(&request.body).unwrap_or_default();
        respond(target.trim_start_matches("AmazonSQS."), &input)
    });
    let client = Client::builder(Service::SQS, &test_environment(&server.url()))
        .max_attempts(1)
        .build();
    (server, client)
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("user-{number}")).collect()
}

/// The user and the other members of each message that a request sends.
fn sent(input: &Value) -> Vec<(String, Value)> {
    let single = [input.clone()];
    let entries = input["Entries"]
        .as_array()
        .map_or(&single[..], Vec::as_slice);
    entries
        .iter()
        .map(|entry| {
            let body: Message =
                serde_json::from_str(entry["MessageBody"].as_str().unwrap()).unwrap();
            assert_eq!(entry["MessageGroupId"], *body.user_id);
            (body.user_id, entry["MessageDeduplicationId"].clone())
        })
        .collect()
}

#[tokio::test]
async fn many_users_are_sent_ten_at_a_time_each_in_its_own_group() {
    for (count, calls) in [(0, 0), (1, 1), (10, 1), (11, 2), (95, 10)] {
        let (server, client) = queue(|operation, input| {
            assert_eq!(operation, "SendMessageBatch");
            let entries = input["Entries"].as_array().unwrap();
            let successful: Vec<Value> = entries
                .iter()
                .map(|entry| json!({"Id": entry["Id"], "MessageId": "m"}))
                .collect();
            HttpAnswer::ok(json!({"Successful": successful, "Failed": []}).to_string())
        });
        let failed = Queue::new(client, "https://queue")
            .send_all(&ids(count))
            .await;
        assert!(failed.is_empty(), "{failed:?}");
        let requests = server.requests();
        assert_eq!(requests.len(), calls);
        let messages: Vec<(String, Value)> = requests
            .iter()
            .map(|request| serde_json::from_str(&request.body).unwrap())
            .inspect(|input: &Value| assert_eq!(input["QueueUrl"], "https://queue"))
            .flat_map(|input| sent(&input))
            .collect();
        let users: BTreeSet<String> = messages.iter().map(|(user, _)| user.clone()).collect();
        assert_eq!(users, ids(count).into_iter().collect());
        let deduplication: HashSet<String> =
            messages.iter().map(|(_, id)| id.to_string()).collect();
        assert_eq!(deduplication.len(), count);
    }
}

#[tokio::test]
async fn users_whose_message_failed_are_returned_and_the_others_are_sent() {
    // The second batch fails as a whole, and in each other one the entry of position 3.
    let (_server, client) = queue(|_, input| {
        let users = sent(input);
        if users[0].0 == "user-10" {
            return HttpAnswer::Respond(400, r#"{"__type": "InvalidMessageContents"}"#.to_owned());
        }
        let entries = input["Entries"].as_array().unwrap();
        let successful: Vec<Value> = entries
            .iter()
            .filter(|entry| entry["Id"] != "3")
            .map(|entry| json!({"Id": entry["Id"]}))
            .collect();
        let failed = json!([{"Id": "3", "SenderFault": false, "Code": "InternalError"}]);
        HttpAnswer::ok(json!({"Successful": successful, "Failed": failed}).to_string())
    });
    let mut failed = Queue::new(client, "https://queue").send_all(&ids(25)).await;
    failed.sort();
    let mut expected = vec!["user-3".to_owned(), "user-23".to_owned()];
    expected.extend(ids(20).split_off(10));
    expected.sort();
    assert_eq!(failed, expected);
}

#[tokio::test]
async fn hidden_messages_are_counted() {
    let hidden = "ApproximateNumberOfMessagesNotVisible";
    for (attributes, expected) in [(json!({hidden: "3"}), 3), (json!({}), 0)] {
        let (_server, client) = queue(move |operation, input| {
            assert_eq!(operation, "GetQueueAttributes");
            assert_eq!(input["AttributeNames"], json!([hidden]));
            HttpAnswer::ok(json!({"Attributes": attributes}).to_string())
        });
        let letters = DeadLetters::new(client, "https://queue");
        assert_eq!(letters.hidden().await.unwrap(), expected);
    }
}

#[tokio::test]
async fn dead_letters_name_a_user_or_have_their_body() {
    let (server, client) = queue(|operation, input| {
        assert_eq!(input["QueueUrl"], "https://queue");
        let message = |id: &str, body: &str| json!({"MessageId": id, "ReceiptHandle": format!("receipt-{id}"), "Body": body});
        let output = match operation {
            "ReceiveMessage" => json!({"Messages": [
                message("1", r#"{"userId": "ada"}"#),
                message("2", "other"),
                {"MessageId": "3", "Body": "without a receipt"},
            ]}),
            _ => json!({}),
        };
        HttpAnswer::ok(output.to_string())
    });
    let letters = DeadLetters::new(client.clone(), "https://queue");
    let received = letters.receive().await.unwrap();
    let found: Vec<_> = received
        .iter()
        .map(|letter| (letter.message_id.as_str(), letter.content.clone()))
        .collect();
    let (ada, other) = (Ok("ada".to_owned()), Err("other".to_owned()));
    assert_eq!(found, [("1", ada), ("2", other)]);
    letters.release(&received[0]).await.unwrap();
    letters.delete(&received[1]).await.unwrap();
    Queue::new(client, "https://queue")
        .send("ada")
        .await
        .unwrap();

    let sent: Vec<(String, Value)> = server
        .requests()
        .iter()
        .map(|request| {
            let target = request.header("x-amz-target").unwrap();
            let input = serde_json::from_str(&request.body).unwrap();
            (target.trim_start_matches("AmazonSQS.").to_owned(), input)
        })
        .collect();
    let operations: Vec<&str> = sent
        .iter()
        .map(|(operation, _)| operation.as_str())
        .collect();
    let expected = [
        "ReceiveMessage",
        "ChangeMessageVisibility",
        "DeleteMessage",
        "SendMessage",
    ];
    assert_eq!(operations, expected);
    assert_eq!(sent[0].1["VisibilityTimeout"], 60);
    assert_eq!(sent[1].1["ReceiptHandle"], "receipt-1");
    assert_eq!(sent[1].1["VisibilityTimeout"], 0);
    assert_eq!(sent[2].1["ReceiptHandle"], "receipt-2");
    assert_eq!(self::sent(&sent[3].1)[0].0, "ada");
}

#[tokio::test]
async fn a_queue_that_refuses_is_an_error_of_every_call() {
    let refuse = || HttpAnswer::Respond(400, r#"{"__type": "QueueDoesNotExist"}"#.to_owned());
    let (_server, client) = queue(move |operation, _| match operation {
        "ReceiveMessage" => {
            let message = json!({"MessageId": "1", "ReceiptHandle": "r", "Body": "b"});
            HttpAnswer::ok(json!({"Messages": [message]}).to_string())
        }
        _ => refuse(),
    });
    let letters = DeadLetters::new(client.clone(), "https://queue");
    let letter = letters.receive().await.unwrap().remove(0);
    assert!(letters.hidden().await.is_err());
    assert!(letters.release(&letter).await.is_err());
    assert!(letters.delete(&letter).await.is_err());
    assert!(
        Queue::new(client, "https://queue")
            .send("ada")
            .await
            .is_err()
    );
}
