//! DynamoDB in the process of the test.

use std::fmt;

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

/// An HTTP client that responds to calls of DynamoDB from an empty database of its own, and
/// sends the calls of Amazon Connect to their URL.
///
/// The database is an emulator that its authors compare with AWS. It never reports a conflict
/// of transactions or throttles. Calls of other services fail the test.
#[derive(Clone)]
pub struct InProcessDynamoDb {
    database: Database,
    inner: SharedHttpClient,
}

impl InProcessDynamoDb {
    /// An empty database. `inner` sends the calls of Amazon Connect.
    ///
    /// # Panics
    /// If SQLite cannot allocate memory.
    #[must_use]
    pub fn new(inner: SharedHttpClient) -> Self {
        Self {
            database: Database::memory().expect("a database in memory can be opened"),
            inner,
        }
    }
}

impl fmt::Debug for InProcessDynamoDb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("InProcessDynamoDb")
            .finish_non_exhaustive()
    }
}

impl HttpClient for InProcessDynamoDb {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(InProcessConnector {
            database: self.database.clone(),
            inner: self.inner.http_connector(settings, components),
        })
    }
}

struct InProcessConnector {
    database: Database,
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
        let operation = target
            .strip_prefix("DynamoDB_20120810.")
            .unwrap_or_else(|| panic!("{target} needs a Cloud with MiniStack"))
            .to_owned();
        let database = self.database.clone();
        HttpConnectorFuture::new(async move {
            // As on a network, other requests go on before and after the call.
            tokio::task::yield_now().await;
            let body = request.body().bytes().unwrap_or_default();
            let (status, body) = respond(&database, &operation, body);
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
