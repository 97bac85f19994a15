//! How many calls SSM gets to see, and what happens when it does not answer.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use aws_json_client::{Client as Ssm, Environment, Service};
use lambda_runtime::Diagnostic;
use lambda_support::logging;
use serde_json::{Value, json};
use test_support::{CapturedLog, HttpAnswer, HttpServer};
use token_authorizer::authorizer::{Authorizer, Refusal};
use token_authorizer::clients::{Client, Settings, SignIn};
use token_authorizer::freshness::{CLIENT_TOKENS, OUTAGE_PAUSE};
use token_authorizer::policy::{Allow, AuthorizerEvent};
use token_authorizer::reading::Stores;
use tracing::level_filters::LevelFilter;

/// The client whose parameter SSM refuses to show.
const REFUSED: usize = 7;

/// An SSM in which parameter `/token/N` holds `token(N)`, until it is put out of order.
struct FakeSsm {
    server: HttpServer,
    out_of_order: Arc<AtomicBool>,
}

fn token(client: usize) -> String {
    format!("canary-{client:0>40}")
}

fn unknown_token(attempt: usize) -> String {
    format!("wrong-{attempt:0>40}")
}

impl FakeSsm {
    fn start() -> Self {
        let out_of_order = Arc::new(AtomicBool::new(false));
        let failing = Arc::clone(&out_of_order);
        let server = HttpServer::start(move |request| {
            if failing.load(Ordering::SeqCst) {
                let body = json!({"__type": "InternalServerError", "message": token(0)});
                return HttpAnswer::Respond(500, body.to_string());
            }
            // Long enough that concurrent requests meet.
            thread::sleep(Duration::from_millis(20));
            let input: Value = serde_json::from_str(&request.body).unwrap();
            assert_eq!(input["WithDecryption"], true);
            let name = input["Name"].as_str().unwrap();
            let client: usize = name.rsplit('/').next().unwrap().parse().unwrap();
            if client == REFUSED {
                let body = json!({"__type": "AccessDeniedException", "Message": token(client)});
                return HttpAnswer::Respond(400, body.to_string());
            }
            let parameter = json!({
                "Name": name,
                "Type": "SecureString",
                "Value": token(client),
                "Version": 1,
                "LastModifiedDate": 1_700_000_000.123_f64,
                "DataType": "text"
            });
            HttpAnswer::ok(json!({"Parameter": parameter}).to_string())
        });
        Self {
            server,
            out_of_order,
        }
    }

    fn authorizer(&self, clients: usize) -> Authorizer {
        let environment = Environment::from_variables([
            ("AWS_REGION".to_owned(), "eu-central-1".to_owned()),
            ("AWS_ACCESS_KEY_ID".to_owned(), "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY".to_owned(), "test".to_owned()),
        ])
        .unwrap();
        let ssm = Ssm::builder(Service::SSM, &environment)
            .endpoint_url(self.server.url())
            .max_attempts(1)
            .build();
        let clients = (0..clients)
            .map(|client| Client {
                name: format!("client-{client}"),
                sign_in: SignIn::Token {
                    parameter_name: format!("/token/{client}"),
                },
                usage_identifier_key: Some(format!("key-{client}")),
            })
            .collect();
        let overlap = Duration::from_secs(3600);
        let secrets = ssm.clone();
        Authorizer::new(Settings { clients, overlap }, Stores { ssm, secrets })
    }

    fn calls(&self) -> usize {
        self.server.requests().len()
    }

    fn break_down(&self, out_of_order: bool) {
        self.out_of_order.store(out_of_order, Ordering::SeqCst);
    }
}

async fn request(authorizer: &Authorizer, token: &str, now: SystemTime) -> Result<Allow, Refusal> {
    let event: AuthorizerEvent = serde_json::from_value(json!({
        "type": "TOKEN",
        "authorizationToken": format!("Bearer {token}"),
        "methodArn": "arn:aws:execute-api:eu-central-1:000000000000:a1b2c3/dev/GET/Users"
    }))
    .unwrap();
    authorizer.authorize(&event, now).await
}

#[tokio::test]
async fn known_tokens_are_served_from_memory() {
    let ssm = FakeSsm::start();
    let authorizer = ssm.authorizer(2);
    let now = SystemTime::now();
    for _ in 0..100 {
        assert!(request(&authorizer, &token(0), now).await.is_ok());
        assert!(request(&authorizer, &token(1), now).await.is_ok());
    }
    assert_eq!(ssm.calls(), 2, "one for each client");
    assert!(
        request(&authorizer, &token(0), now + CLIENT_TOKENS.max_age)
            .await
            .is_ok()
    );
    assert_eq!(ssm.calls(), 4);
}

#[tokio::test]
async fn a_flood_of_wrong_tokens_is_no_flood_of_calls() {
    let ssm = FakeSsm::start();
    let authorizer = ssm.authorizer(1);
    let start = SystemTime::now();
    // A hundred a second for ten seconds.
    for attempt in 0..1_000 {
        let now = start + Duration::from_millis(10 * attempt);
        let attempt = usize::try_from(attempt).unwrap();
        let refused = request(&authorizer, &unknown_token(attempt), now).await;
        assert_eq!(refused, Err(Refusal::Unauthorized));
    }
    assert_eq!(ssm.calls(), CLIENT_TOKENS.allowance as usize + 9);
    let now = start + Duration::from_secs(10);
    assert!(
        request(&authorizer, &token(0), now).await.is_ok(),
        "in the flood"
    );
}

#[tokio::test]
async fn concurrent_requests_share_one_read() {
    let ssm = FakeSsm::start();
    let authorizer = Arc::new(ssm.authorizer(1));
    let now = SystemTime::now();
    let requests: Vec<_> = (0..50)
        .map(|_| {
            let authorizer = Arc::clone(&authorizer);
            tokio::spawn(async move { request(&authorizer, &token(0), now).await })
        })
        .collect();
    for request in requests {
        assert!(request.await.unwrap().is_ok());
    }
    assert_eq!(ssm.calls(), 1);
}

#[tokio::test]
async fn what_is_no_bearer_token_costs_no_call() {
    let ssm = FakeSsm::start();
    let authorizer = ssm.authorizer(1);
    for token in [
        "",
        "short",
        "with space 0123456789012345678901234567890123456789",
    ] {
        let refused = request(&authorizer, token, SystemTime::now()).await;
        assert_eq!(refused, Err(Refusal::Unauthorized), "{token:?}");
    }
    assert_eq!(ssm.calls(), 0);
}

#[tokio::test]
async fn a_client_whose_parameter_is_refused_does_not_shut_out_the_others() {
    let ssm = FakeSsm::start();
    let authorizer = ssm.authorizer(REFUSED + 2);
    let now = SystemTime::now();
    assert!(request(&authorizer, &token(REFUSED - 1), now).await.is_ok());
    assert!(request(&authorizer, &token(REFUSED + 1), now).await.is_ok());
    // It may be that client's: the function cannot say that it is wrong.
    for token in [token(REFUSED), unknown_token(0)] {
        assert_eq!(
            request(&authorizer, &token, now).await,
            Err(Refusal::TokensUnavailable)
        );
    }
}

#[tokio::test]
async fn the_answer_names_the_client_and_its_key() {
    let ssm = FakeSsm::start();
    let authorizer = ssm.authorizer(3);
    let allow = request(&authorizer, &token(1), SystemTime::now())
        .await
        .unwrap();
    assert_eq!(
        serde_json::to_value(allow).unwrap(),
        json!({
            "principalId": "client-1",
            "policyDocument": {
                "Version": "2012-10-17",
                "Statement": [{
                    "Action": "execute-api:Invoke",
                    "Effect": "Allow",
                    "Resource": "arn:aws:execute-api:eu-central-1:000000000000:a1b2c3/dev/*/*"
                }]
            },
            "context": {"client": "client-1"},
            "usageIdentifierKey": "key-1"
        })
    );
}

#[tokio::test]
async fn without_ssm_and_without_tokens_nobody_gets_in() {
    let ssm = FakeSsm::start();
    ssm.break_down(true);
    let authorizer = ssm.authorizer(1);
    let now = SystemTime::now();
    let refused = request(&authorizer, &token(0), now).await;
    assert_eq!(refused, Err(Refusal::TokensUnavailable));
    ssm.break_down(false);
    assert!(request(&authorizer, &token(0), now).await.is_ok());
}

#[tokio::test]
async fn in_an_outage_known_tokens_work_for_a_while_and_then_nobody_gets_in() {
    let ssm = FakeSsm::start();
    let authorizer = ssm.authorizer(1);
    let start = SystemTime::now();
    assert!(request(&authorizer, &token(0), start).await.is_ok());
    ssm.break_down(true);

    let stale = start + CLIENT_TOKENS.max_age;
    for millisecond in 0..100 {
        let now = stale + Duration::from_millis(millisecond);
        assert!(request(&authorizer, &token(0), now).await.is_ok());
    }
    assert_eq!(ssm.calls(), 2, "SSM is left alone for a pause");
    // Perhaps SSM knows it: the function cannot say that it is wrong.
    assert_eq!(
        request(&authorizer, &unknown_token(0), stale).await,
        Err(Refusal::TokensUnavailable)
    );

    let expired = start + CLIENT_TOKENS.max_age_in_outage;
    assert_eq!(
        request(&authorizer, &token(0), expired).await,
        Err(Refusal::TokensUnavailable)
    );
    ssm.break_down(false);
    let recovered = expired + OUTAGE_PAUSE;
    assert!(request(&authorizer, &token(0), recovered).await.is_ok());
}

#[test]
fn api_gateway_answers_401_to_this_very_message() {
    let diagnostic = Diagnostic::from(Refusal::Unauthorized);
    assert_eq!(diagnostic.error_message, "Unauthorized");
    assert_ne!(
        Diagnostic::from(Refusal::TokensUnavailable).error_message,
        "Unauthorized"
    );
}

#[tokio::test]
async fn no_token_is_in_a_log_line_or_in_debug_output() {
    let log = CapturedLog::default();
    let writer = log.clone();
    let logging = tracing::subscriber::set_default(logging::subscriber(
        &["token_authorizer"],
        LevelFilter::DEBUG,
        move || writer.clone(),
    ));
    let ssm = FakeSsm::start();
    let authorizer = ssm.authorizer(1);
    let now = SystemTime::now();
    assert!(request(&authorizer, &token(0), now).await.is_ok());
    assert!(request(&authorizer, &unknown_token(1), now).await.is_err());
    ssm.break_down(true);
    assert!(
        request(&authorizer, &token(0), now + CLIENT_TOKENS.max_age)
            .await
            .is_ok()
    );
    drop(logging);

    let text = log.text();
    assert!(text.contains("could not be read"), "{text}");
    let debug = format!("{authorizer:?}");
    for (place, text) in [("log", text), ("debug output", debug)] {
        assert!(!text.contains("canary"), "{place}: {text}");
        assert!(!text.contains("wrong-"), "{place}: {text}");
    }
}
