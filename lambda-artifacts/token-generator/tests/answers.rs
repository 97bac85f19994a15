//! CloudFormation is answered in every case.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use aws_json_client::{Client, Environment, Service};
use common::{answer, deadline, event, hosts, response_url};
use lambda_support::logging;
use serde_json::{Value, json};
use test_support::{CapturedLog, HttpAnswer, HttpServer};
use token_generator::handler::{NotAnswered, answer as answer_after, handle};
use token_generator::response_url::{NotDelivered, ResponseHosts};
use tracing::level_filters::LevelFilter;

const NAME: &str = "/connect-scim/dev/token/idp";

/// A client of the SSM that `server` plays.
fn ssm(server: &HttpServer) -> Client {
    let environment = Environment::from_variables([
        ("AWS_REGION".to_owned(), "eu-central-1".to_owned()),
        ("AWS_ACCESS_KEY_ID".to_owned(), "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY".to_owned(), "test".to_owned()),
    ])
    .unwrap();
    Client::builder(Service::SSM, &environment)
        .endpoint_url(server.url())
        .max_attempts(1)
        .build()
}

fn refusing(status: u16, code: &'static str) -> HttpServer {
    // As AWS does, the message quotes what was sent.
    HttpServer::start(move |request| {
        let body = json!({"__type": code, "message": format!("not this: {}", request.body)});
        HttpAnswer::Respond(status, body.to_string())
    })
}

/// Collects what this thread logs from now on, at the level `debug`.
fn capture(log: &CapturedLog) -> tracing::subscriber::DefaultGuard {
    let writer = log.clone();
    tracing::subscriber::set_default(logging::subscriber(
        &["token_generator"],
        LevelFilter::DEBUG,
        move || writer.clone(),
    ))
}

#[tokio::test]
async fn the_answer_is_a_put_without_a_content_type_to_the_url_as_it_came() {
    let (url, ssm_server) = (response_url(), HttpServer::start(|_| HttpAnswer::ok("{}")));
    handle(
        &ssm(&ssm_server),
        &hosts(&url),
        &event("Create", NAME, "1", &url),
        deadline(30_000),
    )
    .await
    .unwrap();
    let request = &url.requests()[0];
    assert_eq!(request.method, "PUT");
    assert_eq!(request.target, "/key?X-Amz-Signature=signature");
    assert_eq!(request.header("content-type"), None);
    assert_eq!(request.header("transfer-encoding"), None);
    assert_eq!(
        request.header("content-length"),
        Some(request.body.len().to_string().as_str())
    );
    assert_eq!(
        answer(&url),
        json!({
            "Status": "SUCCESS",
            "PhysicalResourceId": NAME,
            "StackId": "arn:aws:cloudformation:eu-central-1:000000000000:stack/scim/0a1b",
            "RequestId": "6b0c5f0e-0000-4000-8000-000000000001",
            "LogicalResourceId": "TokenIdp"
        })
    );
}

#[tokio::test]
async fn a_refusal_of_ssm_is_answered_with_its_code() {
    let (url, ssm_server) = (response_url(), refusing(400, "AccessDeniedException"));
    handle(
        &ssm(&ssm_server),
        &hosts(&url),
        &event("Create", NAME, "1", &url),
        deadline(30_000),
    )
    .await
    .unwrap();
    let answer = answer(&url);
    assert_eq!(answer["Status"], "FAILED");
    let reason = answer["Reason"].as_str().unwrap();
    assert!(reason.contains("PutParameter"), "{reason}");
    assert!(reason.contains("AccessDeniedException"), "{reason}");
}

#[tokio::test]
async fn the_token_is_in_no_answer_and_no_log_line_even_if_ssm_quotes_it() {
    for (status, code) in [(400, "ValidationException"), (500, "InternalServerError")] {
        let log = CapturedLog::default();
        let logging = capture(&log);
        let (url, ssm_server) = (response_url(), refusing(status, code));
        handle(
            &ssm(&ssm_server),
            &hosts(&url),
            &event("Create", NAME, "1", &url),
            deadline(30_000),
        )
        .await
        .unwrap();
        drop(logging);

        let text = log.text();
        assert!(text.contains("not done"), "{text}");
        for put in ssm_server.requests() {
            let put: Value = serde_json::from_str(&put.body).unwrap();
            let token = put["Value"].as_str().unwrap();
            assert_eq!(token.len(), 43);
            assert!(!text.contains(token), "in the log after {code}");
            assert!(
                !url.requests()[0].body.contains(token),
                "in the answer after {code}"
            );
        }
        assert!(!text.contains("X-Amz-Signature"), "{text}");
    }
}

#[tokio::test]
async fn a_rotation_whose_answer_is_lost_is_not_done_twice() {
    let description = Arc::new(Mutex::new(Value::Null));
    let kept = Arc::clone(&description);
    let ssm_server = HttpServer::start(move |request| {
        let input: Value = serde_json::from_str(&request.body).unwrap();
        let operation = request.header("x-amz-target").unwrap();
        if operation == "AmazonSSM.PutParameter" {
            *kept.lock().unwrap() = input["Description"].clone();
            return HttpAnswer::Disconnect;
        }
        let version = json!({"Version": 2, "Description": *kept.lock().unwrap()});
        HttpAnswer::ok(json!({"Parameters": [{"Version": 1}, version]}).to_string())
    });
    let url = response_url();
    let mut event = event("Update", NAME, "2", &url);
    event["PhysicalResourceId"] = json!(NAME);
    handle(&ssm(&ssm_server), &hosts(&url), &event, deadline(30_000))
        .await
        .unwrap();
    assert_eq!(answer(&url)["Status"], "SUCCESS");
    let puts = ssm_server
        .requests()
        .into_iter()
        .filter(|request| request.header("x-amz-target") == Some("AmazonSSM.PutParameter"));
    assert_eq!(puts.count(), 1);
}

#[tokio::test]
async fn an_ssm_that_hangs_is_answered_before_the_function_ends() {
    let url = response_url();
    let ssm_server = HttpServer::start(|_| {
        thread::sleep(Duration::from_secs(30));
        HttpAnswer::Disconnect
    });
    let started = Instant::now();
    handle(
        &ssm(&ssm_server),
        &hosts(&url),
        &event("Create", NAME, "1", &url),
        deadline(4_000),
    )
    .await
    .unwrap();
    assert!(started.elapsed() < Duration::from_millis(4_000));
    let answer = answer(&url);
    assert_eq!(answer["Status"], "FAILED");
    assert_eq!(answer["PhysicalResourceId"], NAME);
}

#[tokio::test]
async fn a_panic_is_answered() {
    let url = response_url();
    let mut event = event("Update", NAME, "2", &url);
    event["PhysicalResourceId"] = json!(NAME);
    answer_after(&hosts(&url), &event, deadline(10_000), |_| async {
        panic!("canary")
    })
    .await
    .unwrap();
    let answer = answer(&url);
    assert_eq!(answer["Status"], "FAILED");
    assert_eq!(answer["PhysicalResourceId"], NAME);
    assert!(!answer.to_string().contains("canary"));
}

#[tokio::test]
async fn malformed_events_are_answered_with_what_is_wrong() {
    for (path, value, complaint) in [
        ("/RequestType", json!("Replace"), "RequestType"),
        ("/ResourceProperties", json!(null), "ParameterName"),
        (
            "/ResourceProperties/ParameterName",
            json!("/a b"),
            "ParameterName",
        ),
        ("/ResourceProperties/Client", json!(""), "Client"),
        ("/ResourceProperties/Generation", json!("two"), "Generation"),
    ] {
        let (url, ssm_server) = (response_url(), refusing(500, "NobodyShouldCall"));
        let mut event = event("Create", NAME, "1", &url);
        *event.pointer_mut(path).unwrap() = value;
        handle(&ssm(&ssm_server), &hosts(&url), &event, deadline(10_000))
            .await
            .unwrap();
        let answer = answer(&url);
        assert_eq!(answer["Status"], "FAILED", "{path}");
        assert_eq!(answer["PhysicalResourceId"], "not-created", "{path}");
        assert_eq!(answer["LogicalResourceId"], "TokenIdp", "{path}");
        let reason = answer["Reason"].as_str().unwrap();
        assert!(reason.contains(complaint), "{path}: {reason}");
        assert!(ssm_server.requests().is_empty(), "{path}");
    }
}

#[tokio::test]
async fn an_event_with_nothing_but_a_url_is_answered() {
    let (url, ssm_server) = (response_url(), refusing(500, "NobodyShouldCall"));
    let event = json!({"ResponseURL": url.url(), "StackId": 7});
    handle(&ssm(&ssm_server), &hosts(&url), &event, deadline(10_000))
        .await
        .unwrap();
    assert_eq!(answer(&url)["Status"], "FAILED");
}

#[tokio::test]
async fn an_event_without_a_url_fails_and_nothing_is_done() {
    let ssm_server = refusing(500, "NobodyShouldCall");
    for event in [
        json!(null),
        json!("x"),
        json!({"RequestType": "Create", "ResponseURL": ""}),
    ] {
        let handled = handle(
            &ssm(&ssm_server),
            &hosts(&ssm_server),
            &event,
            deadline(10_000),
        )
        .await;
        assert!(
            matches!(handled, Err(NotAnswered::NoResponseUrl)),
            "{event}"
        );
    }
    assert!(ssm_server.requests().is_empty());
}

#[tokio::test]
async fn a_foreign_url_fails_at_once_without_being_quoted_and_nothing_is_done() {
    let servers = [(); 2].map(|()| HttpServer::start(|_| HttpAnswer::ok("{}")));
    let [ssm_server, url_server] = &servers;
    let on_aws = ResponseHosts::new("amazonaws.com", None);
    for url in [
        "https://bad host/?X-Amz-Signature=secret",
        "https://s3.amazonaws.com.example.com/?X-Amz-Signature=secret",
        &format!("{}/?X-Amz-Signature=secret", url_server.url()),
    ] {
        let mut event = event("Create", NAME, "1", url_server);
        event["ResponseURL"] = json!(url);
        let error = handle(&ssm(ssm_server), &on_aws, &event, deadline(10_000))
            .await
            .unwrap_err();
        assert!(matches!(error, NotAnswered::ForeignResponseUrl), "{url}");
        assert!(!format!("{error} {error:?}").contains("secret"));
    }
    for server in servers {
        assert!(server.requests().is_empty());
    }
}

#[tokio::test]
async fn the_answer_is_sent_again_until_it_is_taken() {
    let attempts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&attempts);
    let url = HttpServer::start(move |_| match counted.fetch_add(1, Ordering::SeqCst) {
        0 => HttpAnswer::Disconnect,
        1 => HttpAnswer::Respond(503, "SlowDown".into()),
        _ => HttpAnswer::ok(""),
    });
    let ssm_server = HttpServer::start(|_| HttpAnswer::ok("{}"));
    handle(
        &ssm(&ssm_server),
        &hosts(&url),
        &event("Create", NAME, "1", &url),
        deadline(30_000),
    )
    .await
    .unwrap();
    assert_eq!(attempts.load(Ordering::SeqCst), 3);
    let bodies: Vec<_> = url
        .requests()
        .into_iter()
        .map(|request| request.body)
        .collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    assert_eq!(ssm_server.requests().len(), 1, "the work is done once");
}

#[tokio::test]
async fn an_expired_url_is_not_tried_again_and_the_function_fails() {
    let url = HttpServer::start(|_| HttpAnswer::Respond(403, "Request has expired".into()));
    let ssm_server = HttpServer::start(|_| HttpAnswer::ok("{}"));
    let event = event("Create", NAME, "1", &url);
    let error = handle(&ssm(&ssm_server), &hosts(&url), &event, deadline(30_000))
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        NotAnswered::NotDelivered(NotDelivered::Refused { status: 403 })
    ));
    assert_eq!(url.requests().len(), 1);
}

#[tokio::test]
async fn a_url_that_never_answers_fails_before_the_function_ends() {
    let url = HttpServer::start(|_| HttpAnswer::Respond(500, String::new()));
    let ssm_server = HttpServer::start(|_| HttpAnswer::ok("{}"));
    let started = Instant::now();
    let event = event("Create", NAME, "1", &url);
    let error = handle(&ssm(&ssm_server), &hosts(&url), &event, deadline(4_000))
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        NotAnswered::NotDelivered(NotDelivered::OutOfTime)
    ));
    assert!(started.elapsed() < Duration::from_millis(4_000));
    assert!(url.requests().len() >= 3);
}
