//! DynamoDB and a queue in the process of the test.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use aws_json_client::SharedHttpClient;
use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use dynoxide::{Database, DynoxideError};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// The bodies of messages.
type Messages = Arc<Mutex<Vec<String>>>;

/// An HTTP client that responds to calls of DynamoDB from an empty database of its own, keeps
/// the messages that are sent to SQS, and sends the calls of Amazon Connect to their URL.
///
/// The database is an emulator that its authors compare with AWS. It never reports a conflict
/// of transactions or throttles. Other calls fail the test.
#[derive(Clone)]
pub struct InProcessAws {
    database: Database,
    messages: Messages,
    inner: SharedHttpClient,
}

impl InProcessAws {
    /// An empty database. `inner` sends the calls of Amazon Connect.
    ///
    /// # Panics
    /// If SQLite cannot allocate memory.
    #[must_use]
    pub fn new(inner: SharedHttpClient) -> Self {
        Self {
            database: Database::memory().expect("a database in memory can be opened"),
            messages: Messages::default(),
            inner,
        }
    }

    /// The bodies of the messages that were sent so far, of all queues.
    ///
    /// # Panics
    /// When a call panicked.
    #[must_use]
    pub fn messages(&self) -> Vec<String> {
        self.messages.lock().expect("no call panicked").clone()
    }
}

impl fmt::Debug for InProcessAws {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("InProcessAws")
            .finish_non_exhaustive()
    }
}

impl HttpClient for InProcessAws {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(InProcessConnector {
            database: self.database.clone(),
            messages: Arc::clone(&self.messages),
            inner: self.inner.http_connector(settings, components),
        })
    }
}

struct InProcessConnector {
    database: Database,
    messages: Messages,
    inner: SharedHttpConnector,
}

impl fmt::Debug for InProcessConnector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("InProcessConnector")
            .finish_non_exhaustive()
    }
}

impl HttpConnector for InProcessConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Some(target) = request.headers().get("x-amz-target") else {
            return self.inner.call(request);
        };
        let target = target.to_owned();
        let (database, messages) = (self.database.clone(), Arc::clone(&self.messages));
        HttpConnectorFuture::new(async move {
            // As on a network, other requests go on before and after the call.
            tokio::task::yield_now().await;
            let body = request.body().bytes().unwrap_or_default();
            let (status, body) = match target.split_once('.') {
                Some(("DynamoDB_20120810", operation)) => respond(&database, operation, body),
                Some(("AmazonSQS", operation)) => (200, send(&messages, operation, body)),
                _ => panic!("{target} needs a Cloud with MiniStack"),
            };
            tokio::task::yield_now().await;
            let status = StatusCode::try_from(status).expect("a status of DynamoDB");
            Ok(HttpResponse::new(status, SdkBody::from(body)))
        })
    }
}

/// The status and the body of the response to a call.
fn respond(database: &Database, operation: &str, body: &[u8]) -> (u16, String) {
    match operation {
        "BatchGetItem" => carry_out(body, |input| database.batch_get_item(input)),
        "CreateTable" => carry_out(body, |input| database.create_table(input)),
        "DeleteItem" => carry_out(body, |input| database.delete_item(input)),
        "GetItem" => carry_out(body, |input| database.get_item(input)),
        "PutItem" => carry_out(body, |input| database.put_item(input)),
        "Query" => carry_out(body, |input| database.query(input)),
        "Scan" => carry_out(body, |input| database.scan(input)),
        "TransactWriteItems" => carry_out(body, |input| database.transact_write_items(input)),
        "UpdateItem" => carry_out(body, |input| database.update_item(input)),
        _ => panic!("{operation} needs a Cloud with MiniStack"),
    }
}

/// Keeps the messages of a call. The result is the body of the response.
fn send(messages: &Messages, operation: &str, body: &[u8]) -> String {
    let input: Value = serde_json::from_slice(body).expect("the input of an operation of SQS");
    let sent = match operation {
        "SendMessage" => std::slice::from_ref(&input),
        "SendMessageBatch" => input["Entries"].as_array().map_or(&[][..], Vec::as_slice),
        _ => panic!("{operation} needs a Cloud with MiniStack"),
    };
    let bodies = sent.iter().map(|message| {
        let body = message["MessageBody"].as_str();
        body.expect("a message has a body").to_owned()
    });
    messages.lock().expect("no call panicked").extend(bodies);
    let successful: Vec<Value> = sent
        .iter()
        .map(|entry| json!({"Id": entry["Id"]}))
        .collect();
    json!({"Successful": successful}).to_string()
}

fn carry_out<I: DeserializeOwned, O: Serialize>(
    body: &[u8],
    operation: impl FnOnce(I) -> Result<O, DynoxideError>,
) -> (u16, String) {
    let input = serde_json::from_slice(body).expect("the input of an operation of DynamoDB");
    match operation(input) {
        Ok(output) => {
            let output = serde_json::to_string(&output);
            (200, output.expect("the output of an operation is JSON"))
        }
        Err(error) => (error.status_code(), error.to_json()),
    }
}
