//! What the endpoint works on: a directory table, a queue and a Connect instance of a
//! test's own.

use std::sync::Arc;

use aws_json_client::{Client, Environment, Service, SharedHttpClient};
use connect_directory::{configuration::Configuration, directory::Directory};
use connect_simulator::{Options, Settings, Simulator};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{InProcessAws, MiniStack, directory_table, test_environment};

/// An empty table and a new Connect instance; a queue where a test asks for one.
///
/// Everything here panics when something does not start or does not answer.
pub struct Cloud {
    /// Amazon Connect.
    pub simulator: Simulator,
    /// A client of DynamoDB beside the endpoint's.
    pub dynamodb: Client,
    /// A client of SQS beside the endpoint's.
    pub sqs: Client,
    /// The directory table's name.
    pub table: String,
    /// The URL of the queue to the reconciler; empty where there is none.
    pub queue_url: String,
    environment: Environment,
    ministack: Option<Arc<MiniStack>>,
    in_process: Option<InProcessAws>,
}

impl Cloud {
    /// With a Connect of these settings, and without a queue.
    pub async fn start(settings: Settings) -> Self {
        let ministack = MiniStack::shared();
        let simulator = simulator(settings).await;
        let environment = on_ministack(&ministack, &simulator, None);
        Self::with(simulator, environment, Some(ministack), None).await
    }

    /// With a Connect that never throttles.
    pub async fn unthrottled() -> Self {
        Self::start(unthrottled()).await
    }

    /// With a table and a queue in the process of the test in place of MiniStack, and a
    /// Connect that never throttles.
    pub async fn in_process() -> Self {
        let simulator = simulator(unthrottled()).await;
        let environment = test_environment(&simulator.url());
        let http_client = Client::new(Service::CONNECT, &environment).http_client();
        let aws = InProcessAws::new(http_client);
        let environment = environment.http_client(SharedHttpClient::new(aws.clone()));
        Self::with(simulator, environment, None, Some(aws)).await
    }

    /// The bodies of the messages that were sent to queues in the process of the test.
    ///
    /// # Panics
    /// The cloud is not in the process of the test.
    pub fn messages(&self) -> Vec<String> {
        let aws = self.in_process.as_ref();
        aws.expect("the queue is in the process").messages()
    }

    async fn with(
        simulator: Simulator,
        environment: Environment,
        ministack: Option<Arc<MiniStack>>,
        in_process: Option<InProcessAws>,
    ) -> Self {
        let table = Uuid::new_v4().to_string();
        let dynamodb = Client::new(Service::DYNAMODB, &environment);
        dynamodb
            .call::<Value>("CreateTable", &directory_table(&table))
            .await
            .expect("a table can be created");
        Self {
            simulator,
            dynamodb,
            sqs: Client::new(Service::SQS, &environment),
            table,
            queue_url: String::new(),
            environment,
            ministack,
            in_process,
        }
    }

    /// With a queue of this visibility timeout in seconds.
    #[must_use]
    pub async fn with_queue(mut self, visibility_timeout: u32) -> Self {
        let queue = json!({
            "QueueName": format!("{}.fifo", self.table),
            "Attributes": {
                "FifoQueue": "true",
                "VisibilityTimeout": visibility_timeout.to_string(),
                "DeduplicationScope": "messageGroup",
                "FifoThroughputLimit": "perMessageGroupId",
            },
        });
        let created: Value = self
            .sqs
            .call("CreateQueue", &queue)
            .await
            .expect("a queue can be created");
        created["QueueUrl"]
            .as_str()
            .expect("a queue has a URL")
            .clone_into(&mut self.queue_url);
        self
    }

    /// The environment that finds everything here.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The same with one more variable, on MiniStack.
    pub fn environment_with(&self, variable: Option<(&str, &str)>) -> Environment {
        let ministack = self.ministack.as_ref();
        let ministack = ministack.expect("the test has a MiniStack");
        on_ministack(ministack, &self.simulator, variable)
    }

    /// A client of a service, as the functions' own are.
    pub fn client(&self, service: Service) -> Client {
        Client::new(service, &self.environment)
    }

    /// What the template would set for the functions: a SAML instance and the choices of
    /// the example environment, but for the variables that are given.
    pub fn configuration(&self, variables: &[(&str, &str)]) -> Configuration {
        let instance_arn = self.simulator.instance_arn();
        let usual = [
            ("DIRECTORY_TABLE", self.table.as_str()),
            ("CONNECT_INSTANCE_ARN", instance_arn.as_str()),
            ("RECONCILE_QUEUE_URL", self.queue_url.as_str()),
            ("IDENTITY_MANAGEMENT", "SAML"),
            ("DEFAULT_SECURITY_PROFILE", "Agent"),
            ("DEFAULT_ROUTING_PROFILE", "Basic Routing Profile"),
            ("DEPROVISION", "delete"),
            ("RENAME", "reject"),
            ("ADOPT", "matching"),
        ];
        Configuration::read(|name| {
            let mut all = variables.iter().chain(&usual);
            let (_, value) = all.find(|(candidate, _)| *candidate == name)?;
            Some((*value).to_owned())
        })
        .expect("the configuration is what the functions expect")
    }

    /// The directory as a new instance of a function has it: nothing cached, nothing
    /// connected.
    pub fn directory(&self) -> Directory {
        self.configuration(&[])
            .directory(&self.environment)
            .expect("the instance has an ARN")
    }

    /// The same, whose calls go through an HTTP client of the test's.
    pub fn directory_over(&self, http_client: SharedHttpClient) -> Directory {
        self.configuration(&[])
            .directory_over(&self.environment, http_client)
            .expect("the instance has an ARN")
    }

    /// Every item of the table.
    pub async fn items(&self) -> Vec<Value> {
        let mut items = Vec::new();
        let mut scan = json!({"TableName": self.table});
        loop {
            let mut answer: Value = self
                .dynamodb
                .call("Scan", &scan)
                .await
                .expect("the table can be read");
            if let Value::Array(page) = answer["Items"].take() {
                items.extend(page);
            }
            match answer["LastEvaluatedKey"].take() {
                Value::Null => return items,
                last => scan["ExclusiveStartKey"] = last,
            }
        }
    }

    /// The users in Connect.
    pub fn connect_users(&self) -> Vec<Value> {
        let state = self.simulator.state();
        let users = state["users"].as_object().expect("the state has users");
        users
            .values()
            .map(|record| record["user"].clone())
            .collect()
    }

    /// The Connect user of this username.
    pub fn connect_user(&self, username: &str) -> Option<Value> {
        let mut users = self.connect_users().into_iter();
        users.find(|user| user["Username"] == username)
    }
}

fn unthrottled() -> Settings {
    Settings {
        throttle: None,
        ..Settings::default()
    }
}

async fn simulator(settings: Settings) -> Simulator {
    let options = Options {
        settings,
        ..Options::default()
    };
    Simulator::start(options)
        .await
        .expect("the Connect simulator starts")
}

fn on_ministack(
    ministack: &MiniStack,
    simulator: &Simulator,
    variable: Option<(&str, &str)>,
) -> Environment {
    let mut variables = ministack.variables();
    variables.push(("AWS_ENDPOINT_URL_CONNECT".to_owned(), simulator.url()));
    variables.extend(variable.map(|(name, value)| (name.to_owned(), value.to_owned())));
    Environment::from_variables(variables).expect("the variables are complete")
}
