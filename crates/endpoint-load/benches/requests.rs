//! Time in our code per request: from the bytes of API Gateway's event to the bytes of
//! the answer, on one warm instance of the function.
//!
//! ```text
//! cargo bench -p endpoint-load --bench requests --profile lambda
//! ```
//!
//! The answers of DynamoDB and Connect are recorded first, from MiniStack and the
//! simulator, and then replayed inside this process: neither network nor store is in the
//! figures, but signing, building and reading every call is. One thread, as in Lambda.
#![expect(clippy::print_stdout, reason = "a bench reports on stdout")]
#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use aws_json_client::{Client, Environment, Method, Request, Service};
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
        SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use connect_directory::{
    connect::Connect,
    directory::{Deprovision, Directory, Rename, Settings},
    mapping::IdentityManagement,
    profiles::Defaults,
    reconcile::Adopt,
    store::Store,
};
use endpoint_load::{Cloud, deadline, proxy_event};
use serde_json::{Value, json};
use user_provisioning::{event::ProxyEvent, handler::Handler};

const PAGE: usize = 100;

/// Requests of one kind that are measured, and that go before.
const REQUESTS: usize = 4000;
const PAGES: usize = 400;
const WARM_UP: usize = 200;

/// What DynamoDB and Connect answered.
#[derive(Debug)]
struct Recorded {
    user: String,
    user_name: String,
    claimed: String,
    keys: String,
    page: String,
    security_profiles: String,
    routing_profiles: String,
}

impl Recorded {
    fn answer(&self, request: &HttpRequest) -> String {
        let body = request.body().bytes().unwrap_or_default();
        let mentions = |text: &str| body.windows(text.len()).any(|part| part == text.as_bytes());
        match request.headers().get("x-amz-target") {
            Some("DynamoDB_20120810.GetItem") if mentions("USERNAME#") => self.user_name.clone(),
            Some("DynamoDB_20120810.GetItem") => self.user.clone(),
            Some("DynamoDB_20120810.UpdateItem") => self.claimed.clone(),
            Some("DynamoDB_20120810.Query") => self.keys.clone(),
            Some("DynamoDB_20120810.BatchGetItem") => self.page.clone(),
            Some("DynamoDB_20120810.TransactWriteItems") => "{}".to_owned(),
            Some(other) => panic!("{other} is not recorded"),
            None if request.uri().contains("/security-profiles-summary/") => {
                self.security_profiles.clone()
            }
            None if request.uri().contains("/routing-profiles-summary/") => {
                self.routing_profiles.clone()
            }
            None if request.method() == "PUT" && request.uri().contains("/users/") => {
                json!({"UserId": "0a1b2c3d-0000-4000-8000-000000000000", "UserArn": "arn"})
                    .to_string()
            }
            None => panic!("{} is not recorded", request.uri()),
        }
    }
}

#[derive(Debug, Clone)]
struct Replay(Arc<Recorded>);

impl HttpConnector for Replay {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = SdkBody::from(self.0.answer(&request));
        let status = 200.try_into().unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, body)))
    }
}

impl HttpClient for Replay {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

fn user(number: usize) -> Value {
    json!({
        "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        ],
        "userName": format!("user{number}@example.com"),
        "externalId": format!("00u{number}"),
        "name": {"givenName": "Ada", "familyName": "Lovelace", "formatted": "Ada Lovelace"},
        "displayName": "Ada Lovelace",
        "emails": [{"value": format!("user{number}@example.com"), "type": "work", "primary": true}],
        "phoneNumbers": [{"value": "+4930123456", "type": "work"}],
        "title": "Countess",
        "locale": "en-GB",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "employeeNumber": number.to_string(),
            "organization": "Analytical Engines",
        },
        "active": true,
    })
}

async fn send(handler: &Handler, event: &str) -> String {
    let event: ProxyEvent = serde_json::from_str(event).unwrap();
    let response = handler
        .handle(event, deadline(Duration::from_secs(29)))
        .await;
    assert!(response.status_code < 300, "{}", response.body);
    serde_json::to_string(&response).unwrap()
}

/// Creates users for real, and asks DynamoDB and Connect what the function will ask them.
async fn record(cloud: &Cloud) -> (Recorded, String) {
    let handler = Handler::new(cloud.directory(), None);
    for number in 0..PAGE {
        let event = proxy_event("POST", "/Users", &[], &user(number));
        send(&handler, &event.to_string()).await;
    }
    let dynamodb = |operation: &'static str, input: Value| async move {
        let answer: Value = cloud.dynamodb.call(operation, &input).await.unwrap();
        answer
    };
    let table = &cloud.table;
    let keys = dynamodb(
        "Query",
        json!({
            "TableName": table,
            "IndexName": "listing",
            "KeyConditionExpression": "listing = :partition",
            "ExpressionAttributeValues": {":partition": {"S": "USER"}},
            "ProjectionExpression": "pk",
        }),
    )
    .await;
    let ids: Vec<Value> = keys["Items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| json!({"pk": item["pk"], "sk": {"S": "USER"}}))
        .collect();
    assert_eq!(ids.len(), PAGE);
    let page = dynamodb(
        "BatchGetItem",
        json!({"RequestItems": {table: {"Keys": ids}}}),
    )
    .await;
    let get = |pk: Value, sk: &str| json!({"TableName": table, "Key": {"pk": pk, "sk": {"S": sk}}});
    let user_name = "USERNAME#user0@example.com";
    let user_name = dynamodb("GetItem", get(json!({"S": user_name}), "USERNAME")).await;
    let user = dynamodb("GetItem", get(ids[0]["pk"].clone(), "USER")).await;
    let id = user["Item"]["id"]["S"].as_str().unwrap().to_owned();

    let instance_arn = cloud.simulator.instance_arn();
    let instance_id = instance_arn.rsplit('/').next().unwrap().to_owned();
    let connect = cloud.client(Service::CONNECT);
    let list = |operation: &'static str, path: &'static str| {
        let request = Request::rest(operation, Method::Get, &[path, &instance_id]);
        let connect = &connect;
        async move {
            let listed: Value = connect.send(request).await.unwrap().json().unwrap();
            listed.to_string()
        }
    };
    let recorded = Recorded {
        claimed: json!({"Attributes": user["Item"]}).to_string(),
        user: user.to_string(),
        user_name: user_name.to_string(),
        keys: keys.to_string(),
        page: page.to_string(),
        security_profiles: list("ListSecurityProfiles", "security-profiles-summary").await,
        routing_profiles: list("ListRoutingProfiles", "routing-profiles-summary").await,
    };
    (recorded, id)
}

/// The function, with nothing behind it but recorded answers.
fn replaying(cloud: &Cloud, recorded: Recorded) -> Handler {
    let environment = Environment::from_variables(
        [
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_SESSION_TOKEN", "session"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    )
    .unwrap();
    let http_client = SharedHttpClient::new(Replay(Arc::new(recorded)));
    let client = |service| {
        Client::builder(service, &environment)
            .http_client(http_client.clone())
            .build()
    };
    let connect = Connect::new(client(Service::CONNECT), &cloud.simulator.instance_arn()).unwrap();
    let settings = Settings {
        identity_management: IdentityManagement::Saml,
        attributes: Default::default(),
        defaults: Defaults {
            security_profile: "Agent".to_owned(),
            routing_profile: "Basic Routing Profile".to_owned(),
            suspended_security_profile: None,
        },
        deprovision: Deprovision::Delete,
        rename: Rename::Reject,
        adopt: Adopt::Matching,
    };
    let store = Store::new(client(Service::DYNAMODB), &cloud.table);
    Handler::new(Directory::new(store, connect, None, settings), None)
}

/// The time that this thread has run: what others take of a busy machine is not in it.
fn processor_time() -> Duration {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanoseconds = statistics.split_whitespace().next().unwrap();
    Duration::from_nanos(nanoseconds.parse().unwrap())
}

async fn measure(handler: &Handler, name: &str, requests: usize, event: &Value) {
    let event = event.to_string();
    for _ in 0..WARM_UP {
        send(handler, &event).await;
    }
    let mut times = Vec::with_capacity(requests);
    let used_before = processor_time();
    for _ in 0..requests {
        let sent = Instant::now();
        std::hint::black_box(send(handler, &event).await);
        times.push(sent.elapsed());
    }
    let used = processor_time() - used_before;
    times.sort_unstable();
    let at = |share: usize| times[requests * share / 100].as_secs_f64() * 1e3;
    println!(
        "| {name} | {:.3} | {:.3} | {:.0} |",
        at(50),
        at(99),
        requests as f64 / used.as_secs_f64()
    );
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let settings = connect_simulator::Settings {
        throttle: None,
        ..connect_simulator::Settings::default()
    };
    let cloud = Cloud::start(settings, 30).await;
    let (recorded, id) = record(&cloud).await;
    let handler = replaying(&cloud, recorded);

    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load of the machine: {load}");
    println!("| request | median ms | 99th percentile ms | per second of processor time |");
    println!("|---|---|---|---|");
    let patch = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "Replace", "path": "title", "value": "Engineer"}],
    });
    let target = format!("/Users/{id}");
    let filter = [("filter", "userName eq \"user0@example.com\"")];
    let page = [("startIndex", "1"), ("count", "100")];
    for (name, requests, event) in [
        (
            "create",
            REQUESTS,
            proxy_event("POST", "/Users", &[], &user(1)),
        ),
        (
            "get",
            REQUESTS,
            proxy_event("GET", &target, &[], &Value::Null),
        ),
        (
            "filter",
            REQUESTS,
            proxy_event("GET", "/Users", &filter, &Value::Null),
        ),
        (
            "PATCH",
            REQUESTS,
            proxy_event("PATCH", &target, &[], &patch),
        ),
        (
            "page of 100",
            PAGES,
            proxy_event("GET", "/Users", &page, &Value::Null),
        ),
    ] {
        measure(&handler, name, requests, &event).await;
    }
}
