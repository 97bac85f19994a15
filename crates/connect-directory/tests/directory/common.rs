//! A directory with a table and an instance of its own.

use std::{sync::Arc, time::Duration};

use aws_json_client::{Client, Environment, Method, Request, Service};
use connect_attributes::Attributes;
use connect_directory::{
    connect::Connect,
    directory::{ChangeError, Context, Deprovision, Directory, Rename, Settings, Written},
    mapping::IdentityManagement,
    profiles::Defaults,
    reconcile::Adopt,
    store::Store,
};
use connect_simulator::{Fault, FaultRule, Operation, Options, Simulator};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use test_support::{MiniStack, directory_table};
use tokio::time::Instant;

pub struct Setup {
    pub directory: Directory,
    pub simulator: Simulator,
    connect: Client,
    _ministack: Arc<MiniStack>,
}

pub fn document(user_name: &str) -> Map<String, Value> {
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
        let ministack = MiniStack::shared();
        let simulator = Simulator::start(Options {
            settings: connect_simulator::Settings {
                throttle: None,
                ..connect_simulator::Settings::default()
            },
            ..Options::default()
        })
        .await
        .unwrap();
        let environment = Environment::from_variables(ministack.variables()).unwrap();
        let dynamodb = Client::new(Service::DYNAMODB, &environment);
        let table = format!("directory-{}", uuid::Uuid::new_v4());
        let _: Value = dynamodb
            .call("CreateTable", &directory_table(&table))
            .await
            .unwrap();
        let connect = Client::builder(Service::CONNECT, &environment)
            .endpoint_url(simulator.url())
            .initial_backoff(Duration::from_millis(5))
            .build();
        let instance = Connect::new(connect.clone(), &simulator.instance_arn()).unwrap();
        let settings = Settings {
            identity_management: IdentityManagement::Saml,
            attributes: Attributes::default(),
            defaults: Defaults {
                security_profile: "Agent".to_owned(),
                routing_profile: "Basic Routing Profile".to_owned(),
                suspended_security_profile: None,
            },
            deprovision: Deprovision::Delete,
            rename: Rename::Reject,
            adopt: Adopt::Matching,
        };
        Self {
            directory: Directory::new(Store::new(dynamodb, table), instance, None, settings),
            simulator,
            connect,
            _ministack: ministack,
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
        Context {
            now: self.at(later),
            deadline: Instant::now() + Duration::from_secs(6),
            client: "idp",
        }
    }

    pub fn inject(&self, operation: Operation, fault: Fault) {
        self.simulator.inject(FaultRule::next(1, operation, fault));
    }

    pub async fn create(&self, user_name: &str) -> String {
        let created = self
            .directory
            .create(document(user_name), None, self.context())
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
                    let mut document = user.document.clone();
                    document.insert(attribute.to_owned(), value);
                    Ok(document)
                },
                self.context_at(later),
            )
            .await
    }

    pub fn connect_user(&self, username: &str) -> Option<Value> {
        self.simulator.state()["users"]
            .as_object()
            .unwrap()
            .values()
            .map(|record| record["user"].clone())
            .find(|user| user["Username"] == username)
    }

    pub async fn delete_in_connect(&self, username: &str) {
        let user = self.connect_user(username).unwrap();
        let arn = self.simulator.instance_arn();
        let instance_id = arn.rsplit('/').next().unwrap();
        let user_id = user["Id"].as_str().unwrap();
        self.connect
            .send(Request::rest(
                "DeleteUser",
                Method::Delete,
                &["users", instance_id, user_id],
            ))
            .await
            .unwrap();
    }
}
