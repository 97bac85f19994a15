//! One SCIM request and what came back.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

/// API Gateway waits 29 seconds for a function; whoever waits longer waits for nothing.
const TIMEOUT: Duration = Duration::from_secs(31);

/// A SCIM endpoint and a token.
#[derive(Debug)]
pub(super) struct Scim {
    agent: ureq::Agent,
    base_url: String,
    token: SecretString,
}

/// What an endpoint answered.
#[derive(Debug)]
pub(super) struct Answer {
    status: u16,
    body: Value,
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No answer came.
    #[error("the endpoint does not answer: {0}")]
    Unreachable(Box<ureq::Error>),
    /// Another status than expected.
    #[error("answered {actual} in place of {expected}{}", .detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default())]
    Status {
        /// What should have come.
        expected: u16,
        /// What came.
        actual: u16,
        /// The `detail` of the SCIM error.
        detail: Option<String>,
    },
    /// The status is right, and the answer is not.
    #[error("{0}")]
    Answer(String),
}

impl Failure {
    pub(super) fn wrong(what: impl Into<String>) -> Self {
        Self::Answer(what.into())
    }
}

impl From<ureq::Error> for Failure {
    fn from(error: ureq::Error) -> Self {
        Self::Unreachable(Box::new(error))
    }
}

impl Scim {
    pub(super) fn new(base_url: &str, token: SecretString) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .build();
        Self {
            agent: agent.into(),
            base_url: base_url.to_owned(),
            token,
        }
    }

    pub(super) fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let authorization = format!("Bearer {}", self.token.expose_secret());
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base_url))
            .header("Accept", "application/scim+json")
            .header("Authorization", authorization);
        let response = match body {
            Some(body) => {
                let request = request
                    .header("Content-Type", "application/scim+json; charset=utf-8")
                    .body(body.to_string())
                    .map_err(ureq::Error::from)?;
                self.agent.run(request)?
            }
            None => self
                .agent
                .run(request.body(()).map_err(ureq::Error::from)?)?,
        };
        read(response)
    }

    pub(super) fn get_without_token(&self, path: &str) -> Result<Answer, Failure> {
        read(self.agent.get(format!("{}{path}", self.base_url)).call()?)
    }
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Result<Answer, Failure> {
    let status = response.status().as_u16();
    let text = response.body_mut().read_to_string()?;
    Ok(Answer {
        status,
        body: serde_json::from_str(&text).unwrap_or(Value::Null),
    })
}

impl Answer {
    pub(super) fn status(&self) -> u16 {
        self.status
    }

    /// The body, if the status is the right one.
    pub(super) fn expect(self, expected: u16) -> Result<Value, Failure> {
        if self.status == expected {
            return Ok(self.body);
        }
        // SCIM has `detail`, API Gateway `message`.
        let detail = self.body["detail"]
            .as_str()
            .or(self.body["message"].as_str());
        Err(Failure::Status {
            expected,
            actual: self.status,
            detail: detail.map(str::to_owned),
        })
    }
}
