//! A directory with a table and an instance of its own.

use std::time::Duration;

use aws_json_client::{Client, Method, Request, Service};
use connect_directory::{
    connect::Connect,
    directory::{ChangeError, Context, Directory, Written},
    store::{Store, StoredUser},
};
use connect_simulator::{Fault, FaultRule, Operation};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use test_support::Cloud;
use tokio::time::Instant;

pub struct Setup {
    pub directory: Directory,
    pub cloud: Cloud,
}

pub fn new_user(user_name: &str) -> StoredUser {
    StoredUser {
        document: document(user_name),
        ..StoredUser::default()
    }
}

fn document(user_name: &str) -> Map<String, Value> {
    let document = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": user_name,
        "name": {"givenName": "Ada", "familyName": "Lovelace"},
        "active": true,
    });
    document.as_object().unwrap().clone()
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
        let settings = cloud.configuration(variables).settings;
        Self {
            directory: Directory::new(store, instance, None, settings),
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
        let deadline = Instant::now() + Duration::from_secs(6);
        Context {
            now: self.at(later),
            deadline,
            stop: deadline,
            client: "idp",
        }
    }

    pub fn inject(&self, operation: Operation, fault: Fault) {
        self.cloud
            .simulator
            .inject(FaultRule::next(1, operation, fault));
    }

    pub async fn create(&self, user_name: &str) -> String {
        let created = self
            .directory
            .create(new_user(user_name), None, self.context())
            .await
            .unwrap();
        assert!(!created.pending);
        created.user.id
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
        self.directory
            .update(
                id,
                |user| {
                    user.document.insert(attribute.to_owned(), value.clone());
                    Ok(())
                },
                self.context_at(later),
            )
            .await
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
