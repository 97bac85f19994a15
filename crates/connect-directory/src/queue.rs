//! The queue to the reconciler: an SQS FIFO queue with one message group per user, so
//! that no two reconcilers work on one user.
//!
//! A message says which user, not what to do: the reconciler compares what is wanted with
//! what is. So a message that is lost, repeated or late does no harm; the sweep finds
//! users whose message was lost.

use std::collections::HashSet;

use aws_json_client::{Client, Error};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// The most messages of a `SendMessageBatch` request.
const BATCH: usize = 10;

/// How many batches are sent at once.
const BATCHES_IN_FLIGHT: usize = 4;

/// A queue of users who are pending.
#[derive(Debug, Clone)]
pub struct Queue {
    client: Client,
    url: String,
}

/// The body of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// The SCIM id of the user.
    pub user_id: String,
}

impl Queue {
    /// The queue of this URL, by a client of [`aws_json_client::Service::SQS`].
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self {
            client,
            url: url.into(),
        }
    }

    /// Has a user reconciled.
    ///
    /// The deduplication id is random: SQS would drop a second message of the same id
    /// within five minutes even if the first had long been worked on.
    ///
    /// # Errors
    /// When the message cannot be sent.
    pub async fn send(&self, user_id: &str) -> Result<(), Error> {
        let mut request = message(user_id);
        request["QueueUrl"] = json!(self.url);
        let _: Value = self.client.call("SendMessage", &request).await?;
        Ok(())
    }

    /// Has many users reconciled, ten with each call. Returns the ids whose message was
    /// not sent or may not have been; the sweep finds these users.
    ///
    /// `SendMessageBatch` needs no other permission than `sqs:SendMessage`.
    pub async fn send_all(&self, user_ids: &[String]) -> Vec<String> {
        stream::iter(user_ids.chunks(BATCH))
            .map(|batch| self.send_batch(batch))
            .buffer_unordered(BATCHES_IN_FLIGHT)
            .collect::<Vec<_>>()
            .await
            .concat()
    }

    async fn send_batch(&self, user_ids: &[String]) -> Vec<String> {
        let entries = user_ids.iter().enumerate().map(|(position, user_id)| {
            let mut entry = message(user_id);
            entry["Id"] = json!(position.to_string());
            entry
        });
        let request = json!({
            "QueueUrl": self.url,
            "Entries": entries.collect::<Vec<_>>(),
        });
        let sent: Result<SentBatch, Error> = self.client.call("SendMessageBatch", &request).await;
        let sent: HashSet<String> = match sent {
            Ok(batch) => batch.successful.into_iter().map(|entry| entry.id).collect(),
            Err(error) => {
                tracing::warn!(%error, "messages to the reconciler were not sent");
                HashSet::new()
            }
        };
        user_ids
            .iter()
            .enumerate()
            .filter(|(position, _)| !sent.contains(&position.to_string()))
            .map(|(_, user_id)| user_id.clone())
            .collect()
    }
}

/// The output of `SendMessageBatch`, without the messages that failed.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SentBatch {
    #[serde(default)]
    successful: Vec<SentEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SentEntry {
    id: String,
}

/// The members that `SendMessage` and an entry of `SendMessageBatch` have in common.
fn message(user_id: &str) -> Value {
    let body = json!(Message {
        user_id: user_id.to_owned()
    });
    json!({
        "MessageGroupId": user_id,
        "MessageDeduplicationId": Uuid::new_v4().to_string(),
        "MessageBody": body.to_string(),
    })
}

/// The queue of messages that the reconciler failed on too often.
#[derive(Debug, Clone)]
pub struct DeadLetters {
    client: Client,
    url: String,
}

/// A message of [`DeadLetters`].
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// The message's id: the same each time that it is received.
    pub message_id: String,
    /// The SCIM id that it names, or the body of a message that names none.
    pub content: Result<String, String>,
    receipt_handle: String,
}

/// How long a received dead letter is hidden from other readers, in seconds: long enough
/// to send the users of a page back, after which it is deleted.
const HIDDEN_SECONDS: u32 = 60;

impl DeadLetters {
    /// The queue of this URL, by a client of [`aws_json_client::Service::SQS`].
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self {
            client,
            url: url.into(),
        }
    }

    /// How many messages are hidden from [`DeadLetters::receive`], approximately: another
    /// reader received them in the last minute and did not delete them.
    ///
    /// # Errors
    /// When the queue cannot be read.
    pub async fn hidden(&self) -> Result<u64, Error> {
        const HIDDEN: &str = "ApproximateNumberOfMessagesNotVisible";
        let request = json!({"QueueUrl": self.url, "AttributeNames": [HIDDEN]});
        let response: Value = self.client.call("GetQueueAttributes", &request).await?;
        let number = response["Attributes"][HIDDEN].as_str();
        Ok(number.and_then(|number| number.parse().ok()).unwrap_or(0))
    }

    /// Up to ten messages, which stay in the queue until [`DeadLetters::delete`]; none:
    /// the queue is empty, or its messages are hidden.
    ///
    /// # Errors
    /// When the queue cannot be read.
    pub async fn receive(&self) -> Result<Vec<DeadLetter>, Error> {
        let answer: Value = self
            .client
            .call(
                "ReceiveMessage",
                &json!({
                    "QueueUrl": self.url,
                    "MaxNumberOfMessages": 10,
                    "VisibilityTimeout": HIDDEN_SECONDS,
                    "WaitTimeSeconds": 1,
                }),
            )
            .await?;
        let messages = answer["Messages"].as_array().map_or(&[][..], Vec::as_slice);
        Ok(messages
            .iter()
            .filter_map(|message| {
                let body = message["Body"].as_str().unwrap_or_default();
                Some(DeadLetter {
                    message_id: message["MessageId"].as_str()?.to_owned(),
                    content: serde_json::from_str::<Message>(body)
                        .map(|message| message.user_id)
                        .map_err(|_| body.to_owned()),
                    receipt_handle: message["ReceiptHandle"].as_str()?.to_owned(),
                })
            })
            .collect())
    }

    /// Lets other readers receive a message at once, in place of after a minute.
    ///
    /// # Errors
    /// When the queue cannot be written.
    pub async fn release(&self, letter: &DeadLetter) -> Result<(), Error> {
        let request = json!({
            "QueueUrl": self.url,
            "ReceiptHandle": letter.receipt_handle,
            "VisibilityTimeout": 0,
        });
        let _: Value = self
            .client
            .call("ChangeMessageVisibility", &request)
            .await?;
        Ok(())
    }

    /// Removes a message for good.
    ///
    /// # Errors
    /// When the queue cannot be written.
    pub async fn delete(&self, letter: &DeadLetter) -> Result<(), Error> {
        let _: Value = self
            .client
            .call(
                "DeleteMessage",
                &json!({"QueueUrl": self.url, "ReceiptHandle": letter.receipt_handle}),
            )
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
