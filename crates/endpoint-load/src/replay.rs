//! What DynamoDB and Connect answered, to be answered again: a bench of the function has
//! neither network nor store in its figures then.

use std::sync::Arc;

use aws_json_client::{Method, Request, Service};
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};
use test_support::{Cloud, deadline, proxy_event};
use user_provisioning::{event::ProxyEvent, handler::Handler};

/// Users of a page.
const PAGE: usize = 100;

/// The answers to what the function asks about a directory of a hundred users.
#[derive(Debug)]
pub struct Recorded {
    /// The SCIM id of the user whom every look-up finds.
    pub id: String,
    user: String,
    user_name: String,
    claimed: String,
    listing: String,
    page: String,
    security_profiles: String,
    routing_profiles: String,
}

/// A user of the directory, and a request to create one.
#[must_use]
pub fn user(number: usize) -> Value {
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

impl Recorded {
    /// Creates users for real, and asks DynamoDB and Connect what the function will ask.
    ///
    /// # Panics
    /// When they do not answer.
    pub async fn new(cloud: &Cloud) -> Self {
        let handler = Handler::new(cloud.directory(), crate::callers(), None);
        for number in 0..PAGE {
            let event = proxy_event("POST", "/Users", &[], &[], &user(number));
            let event: ProxyEvent = serde_json::from_value(event).unwrap();
            let time = std::time::Duration::from_secs(29);
            let created = handler.handle(event, deadline(time)).await;
            assert_eq!(created.status_code, 201, "{}", created.body);
        }
        let table = &cloud.table;
        let dynamodb = |operation: &'static str, input: Value| async move {
            let answer: Value = cloud.dynamodb.call(operation, &input).await.unwrap();
            answer
        };
        let listing = json!({
            "TableName": table,
            "KeyConditionExpression": "pk = :listing",
            "ExpressionAttributeValues": {":listing": {"S": "LISTING"}},
            "ProjectionExpression": "ids",
        });
        let listing = dynamodb("Query", listing).await;
        let ids = cloud.directory().store().ids().await.unwrap();
        let key = |id: &String| json!({"pk": {"S": format!("USER#{id}")}, "sk": {"S": "USER"}});
        let keys: Vec<Value> = ids.iter().map(key).collect();
        assert_eq!(keys.len(), PAGE);
        let get = |key: &Value| json!({"TableName": table, "Key": key});
        let user = dynamodb("GetItem", get(&keys[0])).await;
        let user_name = "USERNAME#user0@example.com";
        let user_name = json!({"pk": {"S": user_name}, "sk": {"S": "USERNAME"}});
        let user_name = dynamodb("GetItem", get(&user_name)).await;
        let attributes = [
            "id",
            "version",
            "created",
            "lastModified",
            "document",
            "groups",
            "removed",
        ];
        let aliases: Value = attributes
            .map(|name| (format!("#{name}"), Value::from(name)))
            .into_iter()
            .collect();
        let projection: Vec<String> = attributes.map(|name| format!("#{name}")).to_vec();
        let page = json!({"RequestItems": {table: {
            "Keys": keys,
            "ProjectionExpression": projection.join(","),
            "ExpressionAttributeNames": aliases,
        }}});
        let page = dynamodb("BatchGetItem", page).await;

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
        Self {
            id: ids[0].clone(),
            claimed: json!({"Attributes": user["Item"]}).to_string(),
            user: user.to_string(),
            user_name: user_name.to_string(),
            listing: listing.to_string(),
            page: page.to_string(),
            security_profiles: list("ListSecurityProfiles", "security-profiles-summary").await,
            routing_profiles: list("ListRoutingProfiles", "routing-profiles-summary").await,
        }
    }

    /// The answer to a request. `target` is the header that names DynamoDB's operation.
    ///
    /// # Panics
    /// When nothing is recorded for it.
    #[must_use]
    pub fn answer(&self, target: Option<&str>, method: &str, uri: &str, body: &[u8]) -> String {
        let mentions = |text: &str| body.windows(text.len()).any(|part| part == text.as_bytes());
        match target {
            Some("DynamoDB_20120810.GetItem") if mentions("USERNAME#") => self.user_name.clone(),
            Some("DynamoDB_20120810.GetItem") => self.user.clone(),
            Some("DynamoDB_20120810.UpdateItem") => self.claimed.clone(),
            Some("DynamoDB_20120810.Query") => self.listing.clone(),
            Some("DynamoDB_20120810.BatchGetItem") => self.page.clone(),
            Some("DynamoDB_20120810.TransactWriteItems") => "{}".to_owned(),
            Some(other) => panic!("{other} is not recorded"),
            None if uri.contains("/security-profiles-summary/") => self.security_profiles.clone(),
            None if uri.contains("/routing-profiles-summary/") => self.routing_profiles.clone(),
            None if method == "PUT" && uri.contains("/users/") => {
                json!({"UserId": "0a1b2c3d-0000-4000-8000-000000000000", "UserArn": "arn"})
                    .to_string()
            }
            None => panic!("{uri} is not recorded"),
        }
    }
}

/// An HTTP client that answers by itself, without a network.
#[derive(Debug, Clone)]
pub struct Replay(pub Arc<Recorded>);

impl HttpConnector for Replay {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = self.0.answer(
            request.headers().get("x-amz-target"),
            request.method(),
            request.uri(),
            request.body().bytes().unwrap_or_default(),
        );
        let status = 200.try_into().unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(answer))))
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
