//! The queue to the reconciler: an SQS FIFO queue with one message group per user, so
//! that no two reconcilers work on one user.
//!
//! A message says which user, not what to do: the reconciler compares what is wanted with
//! what is. So a message that is lost, repeated or late does no harm; the sweep finds
//! users whose message was lost.

use aws_json_client::{Client, Error};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

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
        let body = json!(Message {
            user_id: user_id.to_owned()
        });
        let _: Value = self
            .client
            .call(
                "SendMessage",
                &json!({
                    "QueueUrl": self.url,
                    "MessageGroupId": user_id,
                    "MessageDeduplicationId": Uuid::new_v4().to_string(),
                    "MessageBody": body.to_string(),
                }),
            )
            .await?;
        Ok(())
    }
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
    /// The SCIM id that it names; absent: it is none of ours.
    pub user_id: Option<String>,
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

    /// Up to ten messages, which stay in the queue until [`DeadLetters::delete`]; none:
    /// the queue is empty, or others have its messages at this moment.
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
                    user_id: serde_json::from_str::<Message>(body)
                        .ok()
                        .map(|message| message.user_id),
                    receipt_handle: message["ReceiptHandle"].as_str()?.to_owned(),
                })
            })
            .collect())
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
