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
