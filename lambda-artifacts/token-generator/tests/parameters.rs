//! What becomes of the parameter, against MiniStack's SSM.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;

use aws_json_client::{Client, Environment, Service};
use common::{answer, deadline, event, hosts, response_url};
use serde_json::{Value, json};
use test_support::MiniStack;
use token_generator::handler::handle;

/// SSM, and the name of a parameter that no other test uses.
struct Store {
    ssm: Client,
    name: String,
    _ministack: Arc<MiniStack>,
}

impl Store {
    fn new(test: &str) -> Self {
        let ministack = MiniStack::shared();
        let environment = Environment::from_variables(ministack.variables()).unwrap();
        Self {
            ssm: Client::builder(Service::SSM, &environment)
                .max_attempts(1)
                .build(),
            name: format!("/connect-scim/{test}/token/idp"),
            _ministack: ministack,
        }
    }

    /// Has the function handle an event; CloudFormation's view of how it ended.
    async fn request(&self, adjust: impl FnOnce(&mut Value)) -> Value {
        let url = response_url();
        let mut event = event("Create", &self.name, "1", &url);
        adjust(&mut event);
        handle(&self.ssm, &hosts(&url), &event, deadline(30_000))
            .await
            .unwrap();
        answer(&url)
    }

    async fn create(&self) -> Value {
        self.request(|_| {}).await
    }

    async fn update(&self, name: &str, generations: [&str; 2]) -> Value {
        self.request(|event| {
            event["RequestType"] = json!("Update");
            event["PhysicalResourceId"] = json!(self.name);
            event["OldResourceProperties"] = event["ResourceProperties"].clone();
            event["OldResourceProperties"]["Generation"] = json!(generations[0]);
            event["ResourceProperties"]["Generation"] = json!(generations[1]);
            event["ResourceProperties"]["ParameterName"] = json!(name);
        })
        .await
    }

    async fn delete(&self, physical_resource_id: &str) -> Value {
        self.request(|event| {
            event["RequestType"] = json!("Delete");
            event["PhysicalResourceId"] = json!(physical_resource_id);
        })
        .await
    }

    /// The parameter as it is now, its value decrypted.
    async fn parameter(&self, name: &str) -> Option<Value> {
        let input = json!({"Names": [name], "WithDecryption": true});
        let output: Value = self.ssm.call("GetParameters", &input).await.unwrap();
        output["Parameters"].get(0).cloned()
    }
}

#[tokio::test]
async fn a_create_puts_a_secure_string_and_answers_with_its_name() {
    let store = Store::new("create");
    let answer = store.create().await;
    assert_eq!(answer["Status"], "SUCCESS");
    assert_eq!(answer["PhysicalResourceId"], store.name);

    let parameter = store.parameter(&store.name).await.unwrap();
    assert_eq!(parameter["Type"], "SecureString");
    assert_eq!(parameter["Version"], 1);
    let token = parameter["Value"].as_str().unwrap();
    assert_eq!(token.len(), 43);
    assert!(!answer.to_string().contains(token));
}

#[tokio::test]
async fn a_create_of_what_exists_keeps_the_token() {
    let store = Store::new("create-twice");
    store.create().await;
    let before = store.parameter(&store.name).await;
    let answer = store.create().await;
    assert_eq!(answer["Status"], "SUCCESS");
    assert_eq!(answer["PhysicalResourceId"], store.name);
    assert_eq!(store.parameter(&store.name).await, before);
}

#[tokio::test]
async fn an_update_leaves_the_token_alone_unless_the_generation_grew() {
    let store = Store::new("update");
    store.create().await;
    let before = store.parameter(&store.name).await;
    for generations in [["1", "1"], ["2", "1"]] {
        let answer = store.update(&store.name, generations).await;
        assert_eq!(answer["Status"], "SUCCESS");
        assert_eq!(answer["PhysicalResourceId"], store.name);
        assert_eq!(
            store.parameter(&store.name).await,
            before,
            "{generations:?}"
        );
    }
}

#[tokio::test]
async fn a_higher_generation_puts_a_new_version_and_a_retry_of_it_does_not() {
    let store = Store::new("rotate");
    store.create().await;
    let first = store.parameter(&store.name).await.unwrap();

    assert_eq!(
        store.update(&store.name, ["1", "2"]).await["Status"],
        "SUCCESS"
    );
    let second = store.parameter(&store.name).await.unwrap();
    assert_eq!(second["Version"], 2);
    assert_eq!(second["Type"], "SecureString");
    assert_ne!(second["Value"], first["Value"]);
    let previous = store.parameter(&format!("{}:1", store.name)).await.unwrap();
    assert_eq!(previous["Value"], first["Value"]);

    assert_eq!(
        store.update(&store.name, ["1", "2"]).await["Status"],
        "SUCCESS"
    );
    assert_eq!(store.parameter(&store.name).await, Some(second));

    assert_eq!(
        store.update(&store.name, ["2", "3"]).await["Status"],
        "SUCCESS"
    );
    assert_eq!(store.parameter(&store.name).await.unwrap()["Version"], 3);
}

#[tokio::test]
async fn a_rotation_makes_good_a_deleted_parameter() {
    let store = Store::new("rotate-deleted");
    assert_eq!(
        store.update(&store.name, ["1", "2"]).await["Status"],
        "SUCCESS"
    );
    assert_eq!(store.parameter(&store.name).await.unwrap()["Version"], 1);
}

#[tokio::test]
async fn a_new_name_is_a_new_token_and_the_old_one_waits_for_its_delete() {
    let store = Store::new("rename");
    store.create().await;
    let renamed = format!("{}-renamed", store.name);
    let answer = store.update(&renamed, ["1", "1"]).await;
    assert_eq!(answer["Status"], "SUCCESS");
    assert_eq!(answer["PhysicalResourceId"], renamed);
    let (old, new) = (
        store.parameter(&store.name).await.unwrap(),
        store.parameter(&renamed).await.unwrap(),
    );
    assert_ne!(old["Value"], new["Value"]);

    // CloudFormation's clean-up of the replaced resource.
    assert_eq!(store.delete(&store.name).await["Status"], "SUCCESS");
    assert_eq!(store.parameter(&store.name).await, None);
    assert_eq!(store.parameter(&renamed).await, Some(new));
}

#[tokio::test]
async fn a_delete_removes_the_parameter_and_a_second_one_is_no_failure() {
    let store = Store::new("delete");
    store.create().await;
    for _ in 0..2 {
        let answer = store.delete(&store.name).await;
        assert_eq!(answer["Status"], "SUCCESS");
        assert_eq!(answer["PhysicalResourceId"], store.name);
        assert_eq!(store.parameter(&store.name).await, None);
    }
}

#[tokio::test]
async fn the_delete_of_a_resource_that_was_never_created_touches_nothing() {
    let store = Store::new("never-created");
    store.create().await;
    for id in ["not-created", "scim-TokenIdp-1A2B3C4D"] {
        let answer = store.delete(id).await;
        assert_eq!(answer["Status"], "SUCCESS");
        assert_eq!(answer["PhysicalResourceId"], id);
    }
    assert!(store.parameter(&store.name).await.is_some());
}
