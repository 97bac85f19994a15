//! A table, a queue and a Connect instance of one's own.

use std::sync::Arc;

use aws_json_client::{Client, Environment, Service};
use connect_directory::{configuration::Configuration, directory::Directory};
use connect_simulator::{Options, Settings, Simulator};
use serde_json::{Value, json};
use test_support::{MiniStack, directory_table};

/// What the endpoint works on.
pub struct Cloud {
    /// Amazon Connect.
    pub simulator: Simulator,
    /// A client of DynamoDB beside the endpoint's.
    pub dynamodb: Client,
    /// A client of SQS beside the endpoint's.
    pub sqs: Client,
    /// The directory table's name.
    pub table: String,
    /// The queue to the reconciler.
    pub queue_url: String,
    environment: Environment,
    _ministack: Arc<MiniStack>,
}

impl Cloud {
    /// With an empty table, an empty queue and a Connect of these settings.
    /// `visibility_timeout` is the queue's, in seconds.
    ///
    /// # Panics
    /// When something does not start.
    pub async fn start(settings: Settings, visibility_timeout: u32) -> Self {
        let ministack = MiniStack::shared();
        let simulator = Simulator::start(Options {
            settings,
            ..Options::default()
        })
        .await
        .unwrap();
        let mut variables = ministack.variables();
        variables.push(("AWS_ENDPOINT_URL_CONNECT".to_owned(), simulator.url()));
        let environment = Environment::from_variables(variables).unwrap();
        let table = uuid::Uuid::new_v4().to_string();
        let dynamodb = Client::new(Service::DYNAMODB, &environment);
        let _: Value = dynamodb
            .call("CreateTable", &directory_table(&table))
            .await
            .unwrap();
        let sqs = Client::new(Service::SQS, &environment);
        let created: Value = sqs
            .call(
                "CreateQueue",
                &json!({
                    "QueueName": format!("{table}.fifo"),
                    "Attributes": {
                        "FifoQueue": "true",
                        "VisibilityTimeout": visibility_timeout.to_string(),
                        "DeduplicationScope": "messageGroup",
                        "FifoThroughputLimit": "perMessageGroupId",
                    },
                }),
            )
            .await
            .unwrap();
        Self {
            simulator,
            dynamodb,
            sqs,
            table,
            queue_url: created["QueueUrl"].as_str().unwrap().to_owned(),
            environment,
            _ministack: ministack,
        }
    }

    /// The directory as a new instance of a function has it: nothing cached, nothing
    /// connected.
    ///
    /// # Panics
    /// When the configuration is not what the functions expect.
    pub fn directory(&self) -> Directory {
        let configuration = Configuration::read(|name| {
            let value = match name {
                "DIRECTORY_TABLE" => self.table.clone(),
                "CONNECT_INSTANCE_ARN" => self.simulator.instance_arn(),
                "RECONCILE_QUEUE_URL" => self.queue_url.clone(),
                "IDENTITY_MANAGEMENT" => "SAML".to_owned(),
                "DEFAULT_SECURITY_PROFILE" => "Agent".to_owned(),
                "DEFAULT_ROUTING_PROFILE" => "Basic Routing Profile".to_owned(),
                "DEPROVISION" => "delete".to_owned(),
                "RENAME" => "reject".to_owned(),
                "ADOPT" => "matching".to_owned(),
                _ => return None,
            };
            Some(value)
        })
        .unwrap();
        configuration.directory(&self.environment).unwrap()
    }

    /// A client of a service, as the functions' own are.
    pub fn client(&self, service: Service) -> Client {
        Client::new(service, &self.environment)
    }

    /// Every item of the table.
    ///
    /// # Panics
    /// When the table cannot be read.
    pub async fn items(&self) -> Vec<Value> {
        let mut items = Vec::new();
        let mut scan = json!({"TableName": self.table});
        loop {
            let mut answer: Value = self.dynamodb.call("Scan", &scan).await.unwrap();
            items.append(answer["Items"].as_array_mut().unwrap());
            match answer["LastEvaluatedKey"].take() {
                Value::Null => return items,
                last => scan["ExclusiveStartKey"] = last,
            }
        }
    }

    /// The users in Connect.
    ///
    /// # Panics
    /// When the simulator's state has another shape.
    pub fn connect_users(&self) -> Vec<Value> {
        self.simulator.state()["users"]
            .as_object()
            .unwrap()
            .values()
            .map(|record| record["user"].clone())
            .collect()
    }
}
