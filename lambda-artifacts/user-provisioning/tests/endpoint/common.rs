//! An endpoint with a table and an instance of its own.

use std::time::Duration;

use aws_json_client::Service;
use scim::protocol::parse_query;
use serde_json::{Value, json};
use test_support::{Cloud, deadline, proxy_event};
use user_provisioning::{
    event::{ProxyEvent, ProxyResponse},
    handler::Handler,
};

pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub const AMAZON_CONNECT: &str = "urn:ietf:params:scim:schemas:extension:amazonconnect:2.0:User";

pub struct Endpoint {
    pub handler: Handler,
    pub cloud: Cloud,
}

/// An answer, read.
pub struct Answer {
    pub status: u16,
    pub body: Value,
    response: ProxyResponse,
}

impl Answer {
    pub fn id(&self) -> String {
        self.body["id"].as_str().unwrap().to_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers.get(name).map(String::as_str)
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }
}

impl Endpoint {
    /// With the usual configuration, and without a throttle in Connect.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With variables set as given.
    pub async fn start_with(variables: &[(&str, &str)]) -> Self {
        Self::start_at(variables, None).await
    }

    /// With DynamoDB at a port where nobody listens.
    pub async fn start_without_directory() -> Self {
        Self::start_at(&[], Some("http://127.0.0.1:9")).await
    }

    async fn start_at(variables: &[(&str, &str)], dynamodb_url: Option<&str>) -> Self {
        let cloud = Cloud::unthrottled().await;
        let environment =
            cloud.environment_with(dynamodb_url.map(|url| ("AWS_ENDPOINT_URL_DYNAMODB", url)));
        let directory = cloud
            .configuration(variables)
            .directory(&environment)
            .unwrap();
        Self {
            handler: Handler::new(directory, None),
            cloud,
        }
    }

    /// Sends a request as API Gateway passes it on; `target` is below `/scim/v2`.
    pub async fn send(&self, method: &str, target: &str, body: Value) -> Answer {
        self.send_with(method, target, body, &[]).await
    }

    pub async fn send_with(
        &self,
        method: &str,
        target: &str,
        body: Value,
        headers: &[(&str, &str)],
    ) -> Answer {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query = parse_query(query);
        let query: Vec<(&str, &str)> = query
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let event = proxy_event(method, path, &query, headers, &body);
        let event: ProxyEvent = serde_json::from_value(event).unwrap();
        let response = self
            .handler
            .handle(event, deadline(Duration::from_secs(29)))
            .await;
        Answer {
            status: response.status_code,
            body: serde_json::from_str(&response.body).unwrap_or_default(),
            response,
        }
    }

    pub async fn get(&self, target: &str) -> Answer {
        self.send("GET", target, Value::Null).await
    }

    pub async fn create(&self, user: Value) -> Answer {
        self.send("POST", "/Users", user).await
    }

    pub async fn patch(&self, id: &str, operations: Value) -> Answer {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": operations,
        });
        self.send("PATCH", &format!("/Users/{id}"), body).await
    }

    /// The Connect user of this username, without what changes by itself.
    pub fn connect_user(&self, username: &str) -> Option<Value> {
        let mut user = self.cloud.connect_user(username)?;
        user.as_object_mut().unwrap().remove("LastModifiedTime");
        Some(user)
    }

    /// The names of a Connect user's security profiles.
    pub fn security_profiles(&self, username: &str) -> Vec<String> {
        let state = self.cloud.simulator.state();
        let user = self.connect_user(username).unwrap();
        let mut names: Vec<String> = user["SecurityProfileIds"]
            .as_array()
            .unwrap()
            .iter()
            .map(|id| &state["securityProfiles"][id.as_str().unwrap()])
            .map(|record| {
                record["profile"]["SecurityProfileName"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        names.sort();
        names
    }

    /// The proficiencies of a Connect user, sorted.
    pub fn proficiencies(&self, username: &str) -> Value {
        let state = self.cloud.simulator.state();
        let user_id = self.connect_user(username).unwrap()["Id"].clone();
        let record = &state["users"][user_id.as_str().unwrap()];
        let mut proficiencies = record["proficiencies"].as_array().unwrap().clone();
        proficiencies.sort_by_key(ToString::to_string);
        Value::Array(proficiencies)
    }

    /// The names of the calls to Connect since the last time, in order.
    pub fn connect_calls(&self) -> Vec<String> {
        let calls = self
            .cloud
            .simulator
            .calls()
            .iter()
            .map(|call| {
                serde_json::to_value(call).unwrap()["operation"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        self.cloud.simulator.clear_calls();
        calls
    }
}

/// A user as identity providers send it.
pub fn user(user_name: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": user_name,
        "externalId": format!("external-{user_name}"),
        "name": {"givenName": "Ada", "familyName": "Lovelace"},
        "emails": [{"value": "ada@example.com", "type": "work", "primary": true}],
        "active": true,
    })
}

impl Endpoint {
    /// Takes all of SCIM's tags off a Connect user.
    pub async fn untag(&self, user_id: &str) {
        let arn = format!("{}/agent/{user_id}", self.cloud.simulator.instance_arn());
        let request = ["scim:managed-by", "scim:id", "scim:external-id"]
            .iter()
            .fold(
                aws_json_client::Request::rest(
                    "UntagResource",
                    aws_json_client::Method::Delete,
                    &["tags", &arn],
                ),
                |request, key| request.query("tagKeys", key),
            );
        self.as_somebody(request).await;
    }

    /// Puts a tag on a Connect user, as somebody else would.
    pub async fn tag(&self, user_id: &str, key: &str, value: &str) {
        let arn = format!("{}/agent/{user_id}", self.cloud.simulator.instance_arn());
        let request = aws_json_client::Request::rest(
            "TagResource",
            aws_json_client::Method::Post,
            &["tags", &arn],
        );
        let request = request.body(&json!({"tags": {key: value}})).unwrap();
        self.as_somebody(request).await;
    }

    /// Sends a request to Connect past the endpoint.
    async fn as_somebody(&self, request: aws_json_client::Request) {
        let connect = self.cloud.client(Service::CONNECT);
        connect.send(request).await.unwrap();
    }

    /// Removes all items of the table that mention a user.
    pub async fn forget(&self, id: &str) {
        for item in self.cloud.items().await {
            if item["id"]["S"] == id {
                let key = json!({"pk": item["pk"], "sk": item["sk"]});
                let deletion = json!({"TableName": self.cloud.table, "Key": key});
                let dynamodb = &self.cloud.dynamodb;
                let _: Value = dynamodb.call("DeleteItem", &deletion).await.unwrap();
            }
        }
    }
}
