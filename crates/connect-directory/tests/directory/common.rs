//! A directory with a table and an instance of its own.

use std::time::Duration;

use aws_json_client::{Client, Method, Request, Service};
use connect_directory::{
    connect::Connect,
    directory::{ChangeError, Context, Directory, Written},
    queue::Queue,
    store::{Store, StoredUser},
};
use connect_simulator::{Fault, FaultRule, Operation};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use test_support::Cloud;
use tokio::time::Instant;

pub struct Setup {
    pub directory: Directory,
    pub cloud: Cloud,
}

pub fn new_user(user_name: &str) -> StoredUser {
    user_with(user_name, &json!({}))
}

/// A user with more attributes than the usual ones.
pub fn user_with(user_name: &str, more: &Value) -> StoredUser {
    let document = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": user_name,
        "name": {"givenName": "Ada", "familyName": "Lovelace"},
        "active": true,
    });
    let mut document = document.as_object().unwrap().clone();
    document.extend(more.as_object().unwrap().clone());
    StoredUser {
        document,
        external_ids: [("idp".to_owned(), format!("00u-{user_name}"))].into(),
        ..StoredUser::default()
    }
}

/// A request that begins now.
pub fn context() -> Context<'static> {
    context_at(Timestamp::now())
}

fn context_at(now: Timestamp) -> Context<'static> {
    let deadline = Instant::now() + Duration::from_secs(6);
    Context {
        now,
        deadline,
        stop: deadline,
        client: "idp",
    }
}

pub async fn create(directory: &Directory, user_name: &str, more: &Value) -> String {
    let user = user_with(user_name, more);
    let created = directory.create(user, None, context()).await.unwrap();
    assert!(!created.pending);
    created.user.id
}

/// Sets an attribute of a user, as a request at this time does.
pub async fn set(
    directory: &Directory,
    id: &str,
    attribute: &str,
    value: Value,
    context: Context<'static>,
) -> Result<Written, ChangeError<Value>> {
    let change = |user: &mut StoredUser| {
        user.document.insert(attribute.to_owned(), value.clone());
        Ok(())
    };
    directory.update(id, change, context).await
}

impl Setup {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With these variables of the functions' environment.
    pub async fn with(variables: &[(&str, &str)]) -> Self {
        let cloud = Cloud::in_process().await;
        let connect = Client::builder(Service::CONNECT, cloud.environment())
            .initial_backoff(Duration::from_millis(5))
            .build();
        let instance = Connect::new(connect, &cloud.simulator.instance_arn()).unwrap();
        let store = Store::new(cloud.dynamodb.clone(), &cloud.table);
        let queue = Queue::new(cloud.client(Service::SQS), "https://queue");
        let settings = cloud.configuration(variables).settings;
        Self {
            directory: Directory::new(store, instance, Some(queue), settings),
            cloud,
        }
    }

    pub fn store(&self) -> &Store {
        self.directory.store()
    }

    pub fn at(&self, later: Duration) -> Timestamp {
        Timestamp::now() + SignedDuration::try_from(later).unwrap()
    }

    pub fn context(&self) -> Context<'static> {
        self.context_at(Duration::ZERO)
    }

    pub fn context_at(&self, later: Duration) -> Context<'static> {
        context_at(self.at(later))
    }

    pub fn inject(&self, operation: Operation, fault: Fault) {
        self.cloud
            .simulator
            .inject(FaultRule::next(1, operation, fault));
    }

    pub async fn create(&self, user_name: &str) -> String {
        create(&self.directory, user_name, &json!({})).await
    }

    /// Lets Connect carry an operation out, loses the answer, and kills the request
    /// before it can ask again.
    pub async fn crash(&self, operation: Operation, request: impl Future) {
        self.inject(operation, Fault::DropAfter);
        self.inject(
            operation,
            Fault::Delay {
                milliseconds: 60_000,
            },
        );
        let is_carried_out = async {
            while !self
                .cloud
                .simulator
                .calls()
                .iter()
                .any(|call| call.operation == operation && call.dropped)
            {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            _ = request => panic!("the request ended before it could crash"),
            () = is_carried_out => {}
        }
        self.cloud.simulator.clear_faults();
    }

    pub async fn set(
        &self,
        id: &str,
        attribute: &str,
        value: Value,
        later: Duration,
    ) -> Result<Written, ChangeError<Value>> {
        let context = self.context_at(later);
        set(&self.directory, id, attribute, value, context).await
    }

    /// The ids of the security profiles that a user has in Connect.
    pub fn profiles(&self, username: &str) -> Value {
        let mut user = self.cloud.connect_user(username).unwrap();
        user["SecurityProfileIds"].take()
    }

    pub async fn delete_in_connect(&self, username: &str) {
        let user = self.cloud.connect_user(username).unwrap();
        let arn = self.cloud.simulator.instance_arn();
        let instance_id = arn.rsplit('/').next().unwrap();
        let user_id = user["Id"].as_str().unwrap();
        self.cloud
            .client(Service::CONNECT)
            .send(Request::rest(
                "DeleteUser",
                Method::Delete,
                &["users", instance_id, user_id],
            ))
            .await
            .unwrap();
    }
}
