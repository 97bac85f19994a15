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
