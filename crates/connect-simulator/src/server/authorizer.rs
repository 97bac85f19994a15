//! The policy engine that is asked whether the signer of a request may make it.
//!
//! It is another process, so that every call would wait for it. A decision is kept for a
//! second: long enough for the calls of one user's change, too short for a test that
//! attaches a policy and looks what it does.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{Method, Request, Uri};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpStream;

use crate::authorization::Access;
use crate::error::{ErrorCode, ServiceError};
use crate::options::Identity;

/// How long a decision holds.
const KEPT_FOR: Duration = Duration::from_secs(1);
/// How many decisions are kept before the old ones are thrown away.
const MOST_KEPT: usize = 10_000;
/// How long the engine may take.
const PATIENCE: Duration = Duration::from_secs(30);
const LARGEST_ANSWER: usize = 64 * 1024;

/// Who signed a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Signer {
    /// No secret.
    pub(crate) access_key_id: String,
    /// What temporary credentials have besides.
    pub(crate) session_token: Option<String>,
}

/// The way to the engine.
pub(crate) struct Authorizer {
    url: Uri,
    kept: Mutex<HashMap<(Signer, Access), (Instant, Decision)>>,
}

/// What the engine answers.
#[derive(Debug, Clone, Deserialize)]
struct Decision {
    principal: Option<String>,
    denied: Option<Denied>,
    error: Option<Refused>,
}

#[derive(Debug, Clone, Deserialize)]
struct Denied {
    resource: String,
    explicit: bool,
}

#[derive(Debug, Clone, Deserialize)]
struct Refused {
    message: String,
}

impl Authorizer {
    pub(crate) fn new(url: Uri) -> Self {
        Self {
            url,
            kept: Mutex::default(),
        }
    }

    /// Refuses a call that its signer may not make.
    pub(crate) async fn check(
        &self,
        signer: Option<&Signer>,
        access: Access,
        identity: &Identity,
    ) -> Result<(), ServiceError> {
        let Some(signer) = signer else {
            return Err(ServiceError::new(
                ErrorCode::MissingAuthenticationToken,
                "Missing Authentication Token",
            ));
        };
        let question = (signer.clone(), access);
        let decision = match self.kept(&question) {
            Some(decision) => decision,
            None => {
                let answer =
                    tokio::time::timeout(PATIENCE, self.ask(&question.0, &question.1, identity));
                let decision = match answer.await {
                    Ok(Ok(decision)) => decision,
                    Ok(Err(error)) => return Err(unreachable(&self.url, &error)),
                    Err(elapsed) => return Err(unreachable(&self.url, &elapsed)),
                };
                self.keep(question.clone(), decision.clone());
                decision
            }
        };
        decision.into_result(&question.1.action)
    }

    fn kept(&self, question: &(Signer, Access)) -> Option<Decision> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, decision) = kept.get(question)?;
        (since.elapsed() < KEPT_FOR).then(|| decision.clone())
    }

    fn keep(&self, question: (Signer, Access), decision: Decision) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_KEPT {
            kept.retain(|_, (since, _)| since.elapsed() < KEPT_FOR);
        }
        kept.insert(question, (Instant::now(), decision));
    }

    async fn ask(
        &self,
        signer: &Signer,
        access: &Access,
        identity: &Identity,
    ) -> Result<Decision, Box<dyn std::error::Error + Send + Sync>> {
        let authority = self.url.authority().ok_or("the URL has no host")?;
        let stream = TcpStream::connect(authority.as_str()).await?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let question = json!({
            "accessKeyId": signer.access_key_id,
            "sessionToken": signer.session_token,
            "action": access.action,
            "resources": access.resources,
            "context": {"connect:InstanceId": identity.instance_id},
        });
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.url.path())
            .header(HOST, authority.as_str())
            .header(CONTENT_TYPE, "application/json")
            .body(Body::from(question.to_string()))?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = to_bytes(Body::new(response.into_body()), LARGEST_ANSWER).await?;
        connection.abort();
        if !status.is_success() {
            return Err(format!("it answered {status}").into());
        }
        Ok(serde_json::from_slice(&body)?)
    }
}

impl Decision {
    /// The words are those of AWS.
    fn into_result(self, action: &str) -> Result<(), ServiceError> {
        if let Some(Refused { message }) = self.error {
            return Err(ServiceError::new(ErrorCode::UnrecognizedClient, message));
        }
        let Some(Denied { resource, explicit }) = self.denied else {
            return Ok(());
        };
        let principal = self.principal.unwrap_or_default();
        let why = match explicit {
            true => "with an explicit deny in an identity-based policy".to_owned(),
            false => format!("because no identity-based policy allows the {action} action"),
        };
        Err(ServiceError::new(
            ErrorCode::AccessDenied,
            format!(
                "User: {principal} is not authorized to perform: {action} on resource: {resource} {why}"
            ),
        ))
    }
}

fn unreachable(url: &Uri, error: &dyn std::fmt::Display) -> ServiceError {
    ServiceError::new(
        ErrorCode::InternalService(500),
        format!("the policy engine at {url} cannot be asked: {error}"),
    )
}
