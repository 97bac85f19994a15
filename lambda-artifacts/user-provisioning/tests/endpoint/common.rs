//! An endpoint with a table and an instance of its own.

use std::{sync::Arc, time::Duration};

use aws_json_client::{Client, Service};
use connect_directory::{
    directory::{Context, Directory, Reconciled},
    store::Record,
};
use connect_simulator::{Fault, FaultRule, Operation};
use jiff::{SignedDuration, Timestamp};
use scim::protocol::parse_query;
use serde_json::{Value, json};
use test_support::{API_ID, CLIENT, Cloud, SteppedClient, deadline, proxy_event};
use tokio::time::Instant;
use user_provisioning::{
    caller::Callers,
    event::{ProxyEvent, ProxyResponse},
    handler::Handler,
};

pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub const AMAZON_CONNECT: &str = "urn:ietf:params:scim:schemas:extension:amazonconnect:2.0:User";

pub struct Endpoint {
    pub handler: Handler,
    /// The directory of the handler.
    pub directory: Directory,
    pub cloud: Arc<Cloud>,
    /// The client that sends the requests.
    pub client: &'static str,
    /// How long the function may run for one request.
    pub time: Duration,
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

/// A new instance of the function.
pub fn handler(directory: Directory) -> Handler {
    let callers = Callers::new(API_ID, [CLIENT, "okta", "entra"]);
    Handler::new(directory, callers, None)
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

    /// With the usual configuration and a queue to the reconciler.
    pub async fn start_with_queue() -> Self {
        let cloud = Cloud::unthrottled().await.with_queue(1).await;
        let directory = cloud.directory();
        Self::of(directory, Arc::new(cloud))
    }

    /// How many messages are in the queue to the reconciler.
    pub async fn messages(&self) -> u64 {
        let request = json!({
            "QueueUrl": self.cloud.queue_url,
            "AttributeNames": ["ApproximateNumberOfMessages"],
        });
        let sqs = &self.cloud.sqs;
        let queue: Value = sqs.call("GetQueueAttributes", &request).await.unwrap();
        let count = queue["Attributes"]["ApproximateNumberOfMessages"].as_str();
        count.unwrap().parse().unwrap()
    }

    /// From now on, Connect fails each change of a user.
    pub fn fail_connect(&self) {
        for operation in [
            Operation::CreateUser,
            Operation::DeleteUser,
            Operation::UpdateUserIdentityInfo,
            Operation::UpdateUserSecurityProfiles,
        ] {
            let fault = Fault::Error { status: 503 };
            let rule = FaultRule::next(1000, operation, fault);
            self.cloud.simulator.inject(rule);
        }
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
        Self::of(directory, Arc::new(cloud))
    }

    fn of(directory: Directory, cloud: Arc<Cloud>) -> Self {
        Self {
            handler: handler(directory.clone()),
            directory,
            cloud,
            client: CLIENT,
            time: Duration::from_secs(29),
        }
    }

    /// A new instance of the function, with these variables, and nothing cached.
    pub fn restarted(&self, variables: &[(&str, &str)]) -> Self {
        let configuration = self.cloud.configuration(variables);
        let directory = configuration.directory(self.cloud.environment()).unwrap();
        Self::of(directory, Arc::clone(&self.cloud))
    }

    /// A new instance of the function whose calls to DynamoDB can be held back.
    pub fn stepped(&self, variables: &[(&str, &str)]) -> (Self, SteppedClient) {
        let environment = self.cloud.environment();
        let http_client = Client::new(Service::DYNAMODB, environment).http_client();
        let steps = SteppedClient::new(http_client);
        let directory = self
            .cloud
            .configuration(variables)
            .directory_over(
                environment,
                aws_json_client::SharedHttpClient::new(steps.clone()),
            )
            .unwrap();
        (Self::of(directory, Arc::clone(&self.cloud)), steps)
    }

    /// The same instance of the function, for requests of another client.
    pub fn as_client(&self, client: &'static str) -> Self {
        Self {
            client,
            ..Self::of(self.directory.clone(), Arc::clone(&self.cloud))
        }
    }

    /// The context of work outside of a request, this time from now.
    pub fn context_after(&self, time: Duration) -> Context<'static> {
        let deadline = Instant::now() + Duration::from_secs(15);
        Context {
            now: Timestamp::now() + SignedDuration::try_from(time).unwrap(),
            deadline,
            stop: deadline,
            client: "reconciler",
        }
    }

    pub fn context(&self) -> Context<'static> {
        self.context_after(Duration::ZERO)
    }

    pub async fn reconcile(&self, id: &str) -> Reconciled {
        self.directory.reconcile(id, self.context()).await.unwrap()
    }

    /// Reconciles a user until Connect has the wanted state, with pauses as in the reconciler.
    pub async fn settle(&self, id: &str) {
        for _ in 0..10 {
            match self.reconcile(id).await {
                Reconciled::Synchronised => return,
                Reconciled::Pending(_) => {
                    tokio::time::sleep(self.directory.connect().pause()).await;
                }
                other => panic!("{id}: {other:?}"),
            }
        }
        panic!("{id} stays pending");
    }

    pub async fn record(&self, id: &str) -> Record {
        self.directory
            .store()
            .get_record(id)
            .await
            .unwrap()
            .unwrap()
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
        let mut event = proxy_event(method, path, &query, headers, &body);
        event["requestContext"]["authorizer"] = json!({"principalId": self.client});
        self.answer(event).await
    }

    /// The answer to an event of API Gateway.
    pub async fn answer(&self, event: Value) -> Answer {
        let event: ProxyEvent = serde_json::from_value(event).unwrap();
        let response = self.handler.handle(event, deadline(self.time)).await;
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

    /// How many resources a filter finds.
    pub async fn count(&self, resource: &str, filter: &str) -> u64 {
        let filter = filter.replace(' ', "%20").replace('"', "%22");
        let found = self.get(&format!("/{resource}?filter={filter}")).await;
        found.expect(200).body["totalResults"].as_u64().unwrap()
    }

    /// The id of the group of this name, as identity providers look it up.
    pub async fn group_id(&self, name: &str) -> String {
        let name = name.replace(' ', "%20");
        let target =
            format!("/Groups?excludedAttributes=members&filter=displayName%20eq%20%22{name}%22");
        let found = self.get(&target).await.expect(200);
        assert_eq!(found.body["totalResults"], 1, "{}", found.body);
        found.body["Resources"][0]["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub async fn patch_group(&self, id: &str, operations: Value) -> Answer {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": operations,
        });
        self.send("PATCH", &format!("/Groups/{id}"), body).await
    }

    pub async fn add_member(&self, group: &str, user: &str) -> Answer {
        let add = json!([{"op": "add", "path": "members", "value": [{"value": user}]}]);
        self.patch_group(group, add).await
    }

    pub async fn remove_member(&self, group: &str, user: &str) -> Answer {
        let path = format!("members[value eq \"{user}\"]");
        self.patch_group(group, json!([{"op": "remove", "path": path}]))
            .await
    }

    pub async fn set_active(&self, id: &str, active: bool) -> Answer {
        let replace = json!([{"op": "replace", "path": "active", "value": active}]);
        self.patch(id, replace).await
    }

    /// The members of a group; none where there is no such group.
    pub async fn members(&self, group: &str) -> Vec<String> {
        members(&self.get(&format!("/Groups/{group}")).await.body)
    }

    /// The ids of the groups that a user shows.
    pub async fn groups_of(&self, user: &str) -> Vec<String> {
        let user = self.get(&format!("/Users/{user}")).await.expect(200);
        let groups = user.body["groups"].as_array().into_iter().flatten();
        groups
            .map(|group| group["value"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Changes attributes of an item, past the endpoint; absent: removes the attribute.
    pub async fn edit_item(&self, key: Value, attribute: &str, value: Option<Value>) {
        let mut update = json!({
            "TableName": self.cloud.table,
            "Key": key,
            "ExpressionAttributeNames": {"#attribute": attribute},
            "UpdateExpression": "REMOVE #attribute",
        });
        if let Some(value) = value {
            update["UpdateExpression"] = json!("SET #attribute = :value");
            update["ExpressionAttributeValues"] = json!({":value": value});
        }
        let dynamodb = &self.cloud.dynamodb;
        let _: Value = dynamodb.call("UpdateItem", &update).await.unwrap();
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

/// The ids of a group's members, sorted.
pub fn members(group: &Value) -> Vec<String> {
    let mut members: Vec<String> = group["members"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|member| member["value"].as_str().unwrap().to_owned())
        .collect();
    members.sort_unstable();
    members
}

pub fn group(display_name: &str, members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": display_name,
        "members": members,
    })
}

/// The variables of an endpoint that suspends leavers.
pub const SUSPEND: [(&str, &str); 2] = [
    ("DEPROVISION", "suspend"),
    ("SUSPENDED_SECURITY_PROFILE", "Suspended"),
];

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
