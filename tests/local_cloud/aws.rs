//! The local cloud's services, called directly: what a deployment made, changed and left.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_cloudformation::types::{ExecutionStatus, StackEvent};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use connect_scim::cloud::service::{CLOUDWATCH, LOGS};
use connect_scim::template::canonical;
use serde_json::{Value, json};

use crate::project::Project;
use aws_json_client::Service;

/// Permission for everything, as the document of a policy.
pub const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// The services of one local cloud.
pub struct Aws {
    runtime: tokio::runtime::Runtime,
    config: SdkConfig,
    url: String,
    key: (String, String),
}

impl Aws {
    /// The cloud of a project, as its root user.
    pub fn of(project: &Project) -> Self {
        Self::with_key(project, "test", "test")
    }

    /// The cloud of a project, as whoever has an access key.
    pub fn with_key(project: &Project, key: &str, secret: &str) -> Self {
        let url = project.cloud_url();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let http_client = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let config = runtime.block_on(
            aws_config::defaults(BehaviorVersion::v2026_01_12())
                .region(Region::new("us-east-1"))
                .endpoint_url(&url)
                .http_client(http_client)
                .credentials_provider(Credentials::new(key, secret, None, None, "test"))
                .load(),
        );
        Self {
            runtime,
            config,
            url,
            key: (key.to_owned(), secret.to_owned()),
        }
    }

    /// Waits for a call.
    pub fn wait<T>(&self, call: impl Future<Output = T>) -> T {
        self.runtime.block_on(call)
    }

    pub fn cloudformation(&self) -> aws_sdk_cloudformation::Client {
        aws_sdk_cloudformation::Client::new(&self.config)
    }

    pub fn iam(&self) -> aws_sdk_iam::Client {
        aws_sdk_iam::Client::new(&self.config)
    }

    pub fn sts(&self) -> aws_sdk_sts::Client {
        aws_sdk_sts::Client::new(&self.config)
    }

    pub fn lambda(&self) -> aws_sdk_lambda::Client {
        aws_sdk_lambda::Client::new(&self.config)
    }

    pub fn apigateway(&self) -> aws_sdk_apigateway::Client {
        aws_sdk_apigateway::Client::new(&self.config)
    }

    pub fn ssm(&self) -> aws_sdk_ssm::Client {
        aws_sdk_ssm::Client::new(&self.config)
    }

    /// Writes a SecureString, as somebody else than the stack does.
    pub fn put_secure_string(&self, name: &str, value: &str) {
        let put = self
            .ssm()
            .put_parameter()
            .name(name)
            .value(value)
            .r#type(aws_sdk_ssm::types::ParameterType::SecureString)
            .overwrite(true)
            .send();
        self.wait(put).unwrap();
    }

    /// Makes a secret, and returns its ARN.
    pub fn create_secret(&self, name: &str, value: &str) -> String {
        let input = json!({"Name": name, "SecretString": value});
        let created = self.call(Service::SECRETS_MANAGER, "CreateSecret", &input);
        created["ARN"].as_str().unwrap().to_owned()
    }

    /// What a secret holds.
    pub fn secret(&self, arn: &str) -> String {
        let value = self.call(
            Service::SECRETS_MANAGER,
            "GetSecretValue",
            &json!({"SecretId": arn}),
        );
        value["SecretString"].as_str().unwrap().to_owned()
    }

    /// Changes a secret.
    pub fn put_secret(&self, arn: &str, value: &str) {
        let input = json!({"SecretId": arn, "SecretString": value});
        self.call(Service::SECRETS_MANAGER, "PutSecretValue", &input);
    }

    /// Deletes a secret for good.
    pub fn delete_secret(&self, arn: &str) {
        let input = json!({"SecretId": arn, "ForceDeleteWithoutRecovery": true});
        self.call(Service::SECRETS_MANAGER, "DeleteSecret", &input);
    }

    /// Makes a user who may do what a policy says; their access key and its secret.
    pub fn create_user(&self, name: &str, policy: &Value) -> (String, String) {
        let iam = self.iam();
        self.wait(iam.create_user().user_name(name).send()).unwrap();
        let call = iam.put_user_policy().user_name(name).policy_name("test");
        self.wait(call.policy_document(policy.to_string()).send())
            .unwrap();
        let key = self.wait(iam.create_access_key().user_name(name).send());
        let key = key.unwrap().access_key.unwrap();
        (key.access_key_id, key.secret_access_key)
    }

    /// Makes a role that may do what a policy says; its ARN.
    pub fn create_role(&self, name: &str, policy: &Value) -> String {
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"cloudformation.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
        let iam = self.iam();
        let call = iam.create_role().role_name(name);
        let role = self.wait(call.assume_role_policy_document(trust).send());
        let call = iam.put_role_policy().role_name(name).policy_name("test");
        self.wait(call.policy_document(policy.to_string()).send())
            .unwrap();
        role.unwrap().role.unwrap().arn
    }

    /// The events of a stack as `(logical id, status)`, newest first.
    pub fn events(&self, stack: &str) -> Vec<(String, String)> {
        self.all_events(stack)
            .iter()
            .map(|event| {
                (
                    event.logical_resource_id().unwrap().to_owned(),
                    event.resource_status().unwrap().as_str().to_owned(),
                )
            })
            .collect()
    }

    fn all_events(&self, stack: &str) -> Vec<StackEvent> {
        let pages = self
            .cloudformation()
            .describe_stack_events()
            .stack_name(stack)
            .into_paginator()
            .items()
            .send()
            .try_collect();
        self.wait(pages).unwrap()
    }

    /// The stack's events, description and template, as text.
    pub fn kept_by_cloudformation(&self, stack: &str) -> String {
        let cloudformation = self.cloudformation();
        let events = self.wait(
            cloudformation
                .describe_stack_events()
                .stack_name(stack)
                .send(),
        );
        let stacks = self.wait(cloudformation.describe_stacks().stack_name(stack).send());
        let template = self.wait(cloudformation.get_template().stack_name(stack).send());
        format!(
            "{:?}\n{:?}\n{:?}",
            events,
            stacks.unwrap(),
            template.unwrap()
        )
    }

    /// The resources of a stack's template, in canonical form.
    pub fn resources(&self, stack: &str) -> serde_json::Map<String, Value> {
        let template = self
            .wait(
                self.cloudformation()
                    .get_template()
                    .stack_name(stack)
                    .send(),
            )
            .unwrap();
        let template = canonical(template.template_body().unwrap()).unwrap();
        template["Resources"].as_object().unwrap().clone()
    }

    /// Change sets of a stack.
    pub fn change_sets(&self, stack: &str) -> usize {
        let answer = self
            .wait(
                self.cloudformation()
                    .list_change_sets()
                    .stack_name(stack)
                    .send(),
            )
            .unwrap();
        answer.summaries().len()
    }

    /// The names of the change sets of a stack that nobody has executed. Those of a shell
    /// are not among them: on AWS the stack is the shell filled, in MiniStack it replaces it.
    pub fn pending_change_sets(&self, stack: &str) -> Vec<String> {
        let cloudformation = self.cloudformation();
        let stacks = cloudformation.describe_stacks().stack_name(stack).send();
        let stacks = self.wait(stacks).unwrap();
        let stack_id = stacks.stacks()[0].stack_id();
        let answer = self
            .wait(cloudformation.list_change_sets().stack_name(stack).send())
            .unwrap();
        answer
            .summaries()
            .iter()
            .filter(|change_set| change_set.stack_id() == stack_id)
            .filter(|change_set| {
                matches!(
                    change_set.execution_status(),
                    Some(ExecutionStatus::Available | ExecutionStatus::Unavailable)
                )
            })
            .map(|change_set| change_set.change_set_name().unwrap().to_owned())
            .collect()
    }

    /// The names of all stacks, empty shells included.
    pub fn stacks(&self) -> Vec<String> {
        let answer = self
            .wait(self.cloudformation().describe_stacks().send())
            .unwrap();
        answer
            .stacks()
            .iter()
            .map(|stack| stack.stack_name().unwrap().to_owned())
            .collect()
    }

    /// Waits until a stack is in a state.
    #[track_caller]
    pub fn await_status(&self, stack: &str, status: &str) {
        let begin = Instant::now();
        loop {
            let call = self.cloudformation().describe_stacks().stack_name(stack);
            let answer = self.wait(call.send()).unwrap();
            let current = answer.stacks()[0].stack_status().unwrap().as_str();
            if current == status {
                return;
            }
            assert!(
                begin.elapsed() < Duration::from_secs(60),
                "{stack} is {current}, not {status}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Puts a text into a bucket.
    pub fn put_object(&self, bucket: &str, key: &str, text: String) {
        let config = aws_sdk_s3::config::Builder::from(&self.config)
            .force_path_style(true)
            .build();
        let call = aws_sdk_s3::Client::from_conf(config)
            .put_object()
            .bucket(bucket)
            .key(key)
            .body(text.into_bytes().into());
        self.wait(call.send()).unwrap();
    }

    /// The keys of all versions of all objects in the artifact bucket, deletions included.
    pub fn artifact_versions(&self) -> Vec<String> {
        let config = aws_sdk_s3::config::Builder::from(&self.config)
            .force_path_style(true)
            .build();
        let call = aws_sdk_s3::Client::from_conf(config)
            .list_object_versions()
            .bucket("connect-scim-artifacts-000000000000-us-east-1");
        let listed = self.wait(call.send()).unwrap();
        let versions = listed.versions().iter().map(|version| version.key());
        let deletions = listed.delete_markers().iter().map(|marker| marker.key());
        versions
            .chain(deletions)
            .map(|key| key.unwrap().to_owned())
            .collect()
    }

    /// The names of everything that a stack could leave behind, by service.
    pub fn leftovers(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let roles = self.wait(self.iam().list_roles().send()).unwrap();
        names.extend(
            roles
                .roles()
                .iter()
                .map(|role| format!("role {}", role.role_name())),
        );
        let policies = self
            .wait(
                self.iam()
                    .list_policies()
                    .scope(aws_sdk_iam::types::PolicyScopeType::Local)
                    .send(),
            )
            .unwrap();
        names.extend(
            policies
                .policies()
                .iter()
                .map(|policy| format!("policy {}", policy.policy_name().unwrap())),
        );
        let parameters = self.wait(self.ssm().describe_parameters().send()).unwrap();
        names.extend(
            parameters
                .parameters()
                .iter()
                .map(|parameter| format!("parameter {}", parameter.name().unwrap())),
        );
        let functions = self
            .wait(
                aws_sdk_lambda::Client::new(&self.config)
                    .list_functions()
                    .send(),
            )
            .unwrap();
        names.extend(
            functions
                .functions()
                .iter()
                .map(|function| format!("function {}", function.function_name().unwrap())),
        );
        let apis = self
            .wait(
                aws_sdk_apigateway::Client::new(&self.config)
                    .get_rest_apis()
                    .send(),
            )
            .unwrap();
        names.extend(
            apis.items()
                .iter()
                .map(|api| format!("API {}", api.name().unwrap())),
        );
        for group in self.call(LOGS, "DescribeLogGroups", &json!({}))["logGroups"]
            .as_array()
            .unwrap()
        {
            names.insert(format!(
                "log group {}",
                group["logGroupName"].as_str().unwrap()
            ));
        }
        for table in self.call(Service::DYNAMODB, "ListTables", &json!({}))["TableNames"]
            .as_array()
            .unwrap()
        {
            names.insert(format!("table {}", table.as_str().unwrap()));
        }
        names.extend(self.alarms_and_dashboards());
        names
    }

    /// The names of all CloudWatch alarms and dashboards.
    pub fn alarms_and_dashboards(&self) -> Vec<String> {
        [
            ("DescribeAlarms", "MetricAlarms", "AlarmName", "alarm"),
            (
                "ListDashboards",
                "DashboardEntries",
                "DashboardName",
                "dashboard",
            ),
        ]
        .into_iter()
        .flat_map(|(operation, list, name, kind)| {
            let answer = self.call(CLOUDWATCH, operation, &json!({}));
            let items = answer[list].as_array().unwrap().clone();
            items
                .into_iter()
                .map(move |item| format!("{kind} {}", item[name].as_str().unwrap()))
        })
        .collect()
    }

    /// The text of every log line in every log group.
    pub fn logs(&self) -> String {
        let mut text = String::new();
        let groups = self.call(LOGS, "DescribeLogGroups", &json!({}));
        for group in groups["logGroups"].as_array().unwrap() {
            let name = &group["logGroupName"];
            let mut next_token = Value::Null;
            loop {
                let mut input = json!({"logGroupName": name});
                if next_token.is_string() {
                    input["nextToken"] = next_token;
                }
                let page = self.call(LOGS, "FilterLogEvents", &input);
                for event in page["events"].as_array().unwrap() {
                    text.push_str(event["message"].as_str().unwrap());
                    text.push('\n');
                }
                next_token = page["nextToken"].clone();
                if next_token.is_null() {
                    break;
                }
            }
        }
        text
    }

    /// Has the cloud record calls from now on, as CloudTrail does.
    pub fn record_calls(&self) {
        let setting = json!({"cloudtrail._recording_enabled": "true"});
        ureq::post(&format!("{}/_ministack/config", self.url))
            .content_type("application/json")
            .send(setting.to_string())
            .unwrap();
    }

    pub fn sns(&self) -> aws_sdk_sns::Client {
        aws_sdk_sns::Client::new(&self.config)
    }

    /// One call of a service of which nothing else here has a client.
    pub fn call(&self, service: Service, operation: &'static str, input: &Value) -> Value {
        self.attempt(service, operation, input).unwrap()
    }

    /// The same of a call that may be refused.
    pub fn attempt(
        &self,
        service: Service,
        operation: &'static str,
        input: &Value,
    ) -> Result<Value, aws_json_client::Error> {
        let environment = aws_json_client::Environment::from_variables(
            [
                ("AWS_REGION", "us-east-1"),
                ("AWS_ACCESS_KEY_ID", &self.key.0),
                ("AWS_SECRET_ACCESS_KEY", &self.key.1),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        )
        .unwrap();
        let client = aws_json_client::Client::builder(service, &environment)
            .endpoint_url(&self.url)
            .build();
        self.wait(client.call(operation, input))
    }
}
