//! An endpoint with a table and an instance of its own.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_json_client::{Client, Environment, Service};
use connect_directory::configuration::Configuration;
use connect_simulator::{Options, Settings, Simulator};
use scim::protocol::parse_query;
use serde_json::{Value, json};
use test_support::{MiniStack, directory_table};
use user_provisioning::{
    event::{ProxyEvent, ProxyResponse},
    handler::Handler,
};

pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub const AMAZON_CONNECT: &str = "urn:ietf:params:scim:schemas:extension:amazonconnect:2.0:User";

pub struct Endpoint {
    pub handler: Handler,
    pub simulator: Simulator,
    pub dynamodb: Client,
    pub table: String,
    _ministack: Arc<MiniStack>,
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
        let ministack = MiniStack::shared();
        let simulator = Simulator::start(Options {
            settings: Settings {
                throttle: None,
                ..Settings::default()
            },
            ..Options::default()
        })
        .await
        .unwrap();
        let table = format!("directory-{}", uuid::Uuid::new_v4());
        let environment = Environment::from_variables(ministack.variables()).unwrap();
        let dynamodb = Client::new(Service::DYNAMODB, &environment);
        let _: Value = dynamodb
            .call("CreateTable", &directory_table(&table))
            .await
            .unwrap();
        let mut seen = ministack.variables();
        seen.push(("AWS_ENDPOINT_URL_CONNECT".to_owned(), simulator.url()));
        if let Some(url) = dynamodb_url {
            seen.push(("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), url.to_owned()));
        }
        let environment_of_the_function = Environment::from_variables(seen).unwrap();
        let instance_arn = simulator.instance_arn();
        let configuration = Configuration::read(|name| {
            let set = variables.iter().find(|(candidate, _)| *candidate == name);
            let value = match (name, set) {
                (_, Some((_, value))) => value,
                ("DIRECTORY_TABLE", _) => table.as_str(),
                ("CONNECT_INSTANCE_ARN", _) => instance_arn.as_str(),
                ("IDENTITY_MANAGEMENT", _) => "SAML",
                ("DEFAULT_SECURITY_PROFILE", _) => "Agent",
                ("DEFAULT_ROUTING_PROFILE", _) => "Basic Routing Profile",
                ("DEPROVISION", _) => "delete",
                ("RENAME", _) => "reject",
                ("ADOPT", _) => "matching",
                _ => return None,
            };
            Some(value.to_owned())
        })
        .unwrap();
        Self {
            handler: Handler::new(
                configuration
                    .directory(&environment_of_the_function)
                    .unwrap(),
                None,
            ),
            simulator,
            dynamodb,
            table,
            _ministack: ministack,
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
        let response = self
            .handler
            .handle(event(method, target, &body, headers), deadline())
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
        let state = self.simulator.state();
        let mut user = state["users"]
            .as_object()
            .unwrap()
            .values()
            .map(|record| record["user"].clone())
            .find(|user| user["Username"] == username)?;
        user.as_object_mut().unwrap().remove("LastModifiedTime");
        Some(user)
    }

    /// The names of a Connect user's security profiles.
    pub fn security_profiles(&self, username: &str) -> Vec<String> {
        let state = self.simulator.state();
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
        let state = self.simulator.state();
        let user_id = self.connect_user(username).unwrap()["Id"].clone();
        let record = &state["users"][user_id.as_str().unwrap()];
        let mut proficiencies = record["proficiencies"].as_array().unwrap().clone();
        proficiencies.sort_by_key(ToString::to_string);
        Value::Array(proficiencies)
    }

    /// The names of the calls to Connect since the last time, in order.
    pub fn connect_calls(&self) -> Vec<String> {
        let calls = self
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
        self.simulator.clear_calls();
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

fn deadline() -> u64 {
    let end = SystemTime::now() + Duration::from_secs(29);
    u64::try_from(
        end.duration_since(SystemTime::UNIX_EPOCH)
            .unwrap()
            .as_millis(),
    )
    .unwrap()
}

fn event(method: &str, target: &str, body: &Value, headers: &[(&str, &str)]) -> ProxyEvent {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut parameters = json!({});
    for (name, value) in parse_query(query) {
        parameters[name] = json!([value]);
    }
    let mut multi_value_headers = json!({
        "Authorization": ["Bearer canary-token"],
        "Content-Type": ["application/scim+json"],
    });
    for (name, value) in headers {
        multi_value_headers[*name] = json!([value]);
    }
    serde_json::from_value(json!({
        "resource": "/{Users+}",
        "path": format!("/scim/v2{path}"),
        "httpMethod": method,
        "headers": null,
        "multiValueHeaders": multi_value_headers,
        "queryStringParameters": null,
        "multiValueQueryStringParameters": parameters,
        "pathParameters": {"Users": format!("scim/v2{path}")},
        "requestContext": {
            "requestId": "r-1",
            "apiId": "abc123",
            "stage": "dev",
            "domainName": "abc123.execute-api.eu-central-1.amazonaws.com",
            "path": format!("/dev/scim/v2{path}"),
            "authorizer": {"principalId": "idp", "client": "idp"},
        },
        "body": if body.is_null() { Value::Null } else { json!(body.to_string()) },
        "isBase64Encoded": false,
    }))
    .unwrap()
}

impl Endpoint {
    /// Takes all of SCIM's tags off a Connect user.
    pub async fn untag(&self, user_id: &str) {
        let arn = format!("{}/agent/{user_id}", self.simulator.instance_arn());
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
        let arn = format!("{}/agent/{user_id}", self.simulator.instance_arn());
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
        let environment = Environment::from_variables(
            [
                ("AWS_REGION", "us-east-1"),
                ("AWS_ACCESS_KEY_ID", "test"),
                ("AWS_SECRET_ACCESS_KEY", "test"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        )
        .unwrap();
        Client::builder(Service::CONNECT, &environment)
            .endpoint_url(self.simulator.url())
            .build()
            .send(request)
            .await
            .unwrap();
    }

    /// Removes all items of the table that mention a user.
    pub async fn forget(&self, id: &str) {
        let scanned: Value = self
            .dynamodb
            .call("Scan", &json!({"TableName": self.table}))
            .await
            .unwrap();
        for item in scanned["Items"].as_array().unwrap() {
            if item["id"]["S"] == id {
                let _: Value = self
                    .dynamodb
                    .call(
                        "DeleteItem",
                        &json!({
                            "TableName": self.table,
                            "Key": {"pk": item["pk"], "sk": item["sk"]},
                        }),
                    )
                    .await
                    .unwrap();
            }
        }
    }
}
