//! An identity provider's worker: sends requests one after the other, repeats what fails
//! for the moment, and puts off what keeps failing, as Okta and Entra ID do.

use std::time::Duration;

use endpoint_load::callers;
use serde_json::{Value, json};
use test_support::{Cloud, deadline, proxy_event};
use user_provisioning::{event::ProxyEvent, handler::Handler};

/// How often a request is sent before it is put off to the next cycle.
const ATTEMPTS: u32 = 3;

/// How long a worker waits before it repeats a request. `Retry-After` says 2 to 10
/// seconds; impatience makes the test harder.
const PAUSE: Duration = Duration::from_millis(200);

/// What Lambda grants the function.
const TIMEOUT: Duration = Duration::from_secs(29);

/// What a request came to.
pub enum Outcome {
    /// An answer that is not to be repeated.
    Answered(u16, Value),
    /// Nothing but failures, or the function was killed: whether it was done is unknown.
    PutOff,
}

impl Outcome {
    #[track_caller]
    pub fn expect(self, status: u16) {
        match self {
            Self::Answered(answered, body) => assert_eq!(answered, status, "{body}"),
            Self::PutOff => panic!("nothing but failures"),
        }
    }
}

/// A worker with an instance of the function to itself.
pub struct Worker<'a> {
    cloud: &'a Cloud,
    function: Handler,
    /// How likely a request is killed in the middle.
    pub kills: f64,
}

impl<'a> Worker<'a> {
    pub fn new(cloud: &'a Cloud, kills: f64) -> Self {
        Self {
            kills,
            ..Self::with(cloud, Handler::new(cloud.directory(), callers(), None))
        }
    }

    /// With an instance that is never killed.
    pub fn with(cloud: &'a Cloud, function: Handler) -> Self {
        Self {
            cloud,
            function,
            kills: 0.0,
        }
    }

    pub async fn send(&mut self, method: &str, target: &str, body: &Value) -> Outcome {
        self.send_with(method, target, &[], body).await
    }

    pub async fn send_with(
        &mut self,
        method: &str,
        target: &str,
        query: &[(&str, &str)],
        body: &Value,
    ) -> Outcome {
        for _ in 0..ATTEMPTS {
            let event = proxy_event(method, target, query, &[], body);
            let event: ProxyEvent = serde_json::from_value(event).unwrap();
            let work = self.function.handle(event, deadline(TIMEOUT));
            let response = if rand::random_bool(self.kills) {
                let life = Duration::from_millis(rand::random_range(0..300));
                match tokio::time::timeout(life, work).await {
                    Ok(response) => response,
                    Err(_) => {
                        self.function = Handler::new(self.cloud.directory(), callers(), None);
                        return Outcome::PutOff;
                    }
                }
            } else {
                work.await
            };
            if !matches!(response.status_code, 429 | 500..) {
                let body = serde_json::from_str(&response.body).unwrap_or_default();
                return Outcome::Answered(response.status_code, body);
            }
            tokio::time::sleep(PAUSE).await;
        }
        Outcome::PutOff
    }

    /// The id of the user of this name, if there is one.
    pub async fn find(&mut self, user_name: &str) -> Option<Option<String>> {
        let filter = format!("userName eq \"{user_name}\"");
        let found = self
            .send_with("GET", "/Users", &[("filter", &filter)], &Value::Null)
            .await;
        match found {
            Outcome::PutOff => None,
            Outcome::Answered(status, body) => {
                assert_eq!(status, 200, "{body}");
                assert!(body["totalResults"].as_u64().unwrap() <= 1, "{body}");
                Some(body["Resources"][0]["id"].as_str().map(str::to_owned))
            }
        }
    }

    /// Adds a user, or finds the one that a request of unknown outcome has added.
    pub async fn create(&mut self, user: &Value) -> Option<String> {
        match self.send("POST", "/Users", user).await {
            Outcome::PutOff => None,
            Outcome::Answered(201, body) => Some(body["id"].as_str().unwrap().to_owned()),
            Outcome::Answered(409, _) => self.find(user["userName"].as_str().unwrap()).await?,
            Outcome::Answered(status, body) => panic!("creating: {status} {body}"),
        }
    }

    pub async fn patch(&mut self, target: &str, operations: &Value) -> Option<()> {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": operations,
        });
        match self.send("PATCH", target, &body).await {
            Outcome::PutOff => None,
            Outcome::Answered(200 | 204, _) => Some(()),
            Outcome::Answered(status, body) => panic!("patching: {status} {body}"),
        }
    }

    pub async fn put(&mut self, target: &str, body: &Value) -> Option<()> {
        match self.send("PUT", target, body).await {
            Outcome::PutOff => None,
            Outcome::Answered(200, _) => Some(()),
            Outcome::Answered(status, body) => panic!("replacing: {status} {body}"),
        }
    }

    /// Deletes a user; one that is gone was deleted by a request of unknown outcome.
    pub async fn delete(&mut self, target: &str) -> Option<()> {
        match self.send("DELETE", target, &Value::Null).await {
            Outcome::PutOff => None,
            Outcome::Answered(204 | 404, _) => Some(()),
            Outcome::Answered(status, body) => panic!("deleting: {status} {body}"),
        }
    }
}
