//! What invokes the function, and what it answers.

use serde::{Deserialize, Serialize};

/// Messages from the queue; without any, an invocation by the schedule.
///
/// Source: "Using Lambda with Amazon SQS", example event, and "Implementing partial batch
/// responses".
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Event {
    /// The messages.
    #[serde(rename = "Records")]
    pub records: Vec<Record>,
}

/// One message.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// SQS's id of the message.
    pub message_id: String,
    /// A [`connect_directory::queue::Message`] in JSON.
    pub body: String,
}

/// Which messages are to come again. To anything but SQS it means nothing.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The messages that were not finished.
    pub batch_item_failures: Vec<BatchItemFailure>,
}

/// A message that was not finished.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchItemFailure {
    /// SQS's id of the message.
    pub item_identifier: String,
}
