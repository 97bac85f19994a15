//! What goes over the wire and how answers are read, against a scripted HTTP server.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_json_client::{Client, Environment, ErrorKind, Method, Request, Service};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// One scripted answer: status, extra header lines, body; `None` drops the connection.
type Answer = Option<(u16, &'static str, &'static str)>;

/// A server that gives the scripted answers in order and keeps the requests it got.
struct Server {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let received = Arc::clone(&requests);
        tokio::spawn(async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read_request(&mut stream).await;
                received.lock().unwrap().push(request);
                if let Some((status, headers, body)) = answer {
                    let answer = format!(
                        "HTTP/1.1 {status} Scripted\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
                        body.len()
                    );
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            }
        });
        Self { url, requests }
    }

    fn client(&self, service: Service) -> Client {
        Client::builder(service, &environment())
            .endpoint_url(&self.url)
            .initial_backoff(Duration::from_millis(1))
            .attempt_timeout(Duration::from_millis(500))
            .build()
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn read_request(stream: &mut TcpStream) -> String {
    let mut received = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).await.unwrap();
        received.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&received).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = header(head, "content-length").map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return text;
            }
        }
        assert_ne!(count, 0, "the request ended early: {text}");
    }
}

fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    request
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(": "))
        .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn environment() -> Environment {
    let variables = [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_SESSION_TOKEN", "session"),
    ];
    Environment::from_variables(variables.map(|(name, value)| (name.to_owned(), value.to_owned())))
        .unwrap()
}

#[tokio::test]
async fn an_aws_json_operation_is_a_signed_post_with_a_target() {
    let server = Server::start(vec![Some((200, "", r#"{"Item":{"a":{"S":"b"}}}"#))]).await;
    let output: Value = server
        .client(Service::DYNAMODB)
        .call("GetItem", &json!({"TableName": "directory"}))
        .await
        .unwrap();
    assert_eq!(output["Item"]["a"]["S"], "b");

    let request = &server.requests()[0];
    assert!(request.starts_with("POST / HTTP/1.1\r\n"), "{request}");
    assert!(
        request.ends_with(r#"{"TableName":"directory"}"#),
        "{request}"
    );
    for (name, value) in [
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", "DynamoDB_20120810.GetItem"),
        ("x-amz-security-token", "session"),
    ] {
        assert_eq!(header(request, name), Some(value), "{request}");
    }
    assert!(
        header(request, "amz-sdk-request")
            .unwrap()
            .contains("attempt=1; max=3")
    );
    let authorization = header(request, "authorization").unwrap();
    assert!(
        authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
            && authorization.contains("/eu-central-1/dynamodb/aws4_request")
            && authorization.contains("Signature="),
        "{authorization}"
    );
}

#[tokio::test]
async fn a_rest_operation_has_its_method_path_and_query_and_no_target() {
    let server = Server::start(vec![Some((200, "", ""))]).await;
    let request = Request::rest(
        "UntagResource",
        Method::Delete,
        &["tags", "arn:aws:connect/x"],
    )
    .query("tagKeys", "a b");
    let output: Value = server
        .client(Service::CONNECT)
        .send(request)
        .await
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(
        output,
        json!({}),
        "an empty body reads as an empty document"
    );

    let request = &server.requests()[0];
    assert!(
        request.starts_with("DELETE /tags/arn%3Aaws%3Aconnect%2Fx?tagKeys=a%20b HTTP/1.1\r\n"),
        "{request}"
    );
    assert_eq!(header(request, "x-amz-target"), None);
    assert!(
        header(request, "authorization")
            .unwrap()
            .contains("/eu-central-1/connect/aws4_request")
    );
}

#[tokio::test]
async fn a_throttled_operation_is_sent_again_and_both_are_counted() {
    let server = Server::start(vec![
        Some((
            429,
            "x-amzn-errortype: ThrottlingException\r\n",
            r#"{"message":"Rate"}"#,
        )),
        Some((200, "", "{}")),
    ])
    .await;
    let response = server
        .client(Service::CONNECT)
        .send(Request::rest(
            "DescribeUser",
            Method::Get,
            &["users", "i", "u"],
        ))
        .await
        .unwrap();
    assert_eq!((response.attempts(), response.throttled()), (2, 1));
    assert_eq!(
        header(&server.requests()[1], "amz-sdk-request").map(|value| value.contains("attempt=2")),
        Some(true)
    );
}

#[tokio::test]
async fn a_used_up_quota_is_not_tried_again() {
    let server = Server::start(vec![Some((
        429,
        "x-amzn-errortype: LimitExceededException\r\n",
        r#"{"Message":"quota"}"#,
    ))])
    .await;
    let error = server
        .client(Service::CONNECT)
        .send(Request::rest("CreateUser", Method::Put, &["users", "i"]))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert_eq!(error.attempts(), 1);
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn error_codes_are_read_from_header_and_body_in_every_form() {
    for (headers, body) in [
        ("x-amzn-errortype: Gone\r\n", r#"{"message":"m"}"#),
        (
            "x-amzn-errortype: Gone:http://internal.amazon.com/\r\n",
            r#"{"Message":"m"}"#,
        ),
        ("", r#"{"__type":"com.amazonaws.ssm#Gone","message":"m"}"#),
        ("", r#"{"code":"Gone","message":"m"}"#),
    ] {
        let headers = format!("x-amzn-requestid: r-1\r\n{headers}");
        let server = Server::start(vec![Some((400, headers.leak(), body))]).await;
        let error = server
            .client(Service::SSM)
            .call::<Value>("GetParameter", &json!({}))
            .await
            .unwrap_err();
        assert_eq!(error.code(), Some("Gone"));
        assert_eq!(error.message(), Some("m"));
        assert_eq!(error.status(), Some(400));
        assert_eq!(error.request_id(), Some("r-1"));
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert!(!error.may_have_been_carried_out());
    }
}

#[tokio::test]
async fn an_error_prints_its_code_and_never_the_message_of_the_service() {
    let server = Server::start(vec![Some((
        409,
        "x-amzn-errortype: DuplicateResourceException\r\n",
        r#"{"Message":"The user canary@example.com is already there"}"#,
    ))])
    .await;
    let error = server
        .client(Service::CONNECT)
        .send(Request::rest("CreateUser", Method::Put, &["users", "i"]))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "CreateUser was refused: DuplicateResourceException, status 409 (attempts: 1)"
    );
    assert!(!format!("{error:?}").contains("canary"));
}

#[tokio::test]
async fn a_refusal_after_a_lost_answer_may_be_the_echo_of_a_success() {
    let server = Server::start(vec![
        None,
        Some((
            409,
            "x-amzn-errortype: DuplicateResourceException\r\n",
            "{}",
        )),
    ])
    .await;
    let error = server
        .client(Service::CONNECT)
        .send(Request::rest("CreateUser", Method::Put, &["users", "i"]))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert_eq!(error.attempts(), 2);
    assert!(error.may_have_been_carried_out());
}

#[tokio::test]
async fn failures_of_the_service_are_tried_as_often_as_allowed() {
    let server = Server::start(vec![Some((500, "", "{}")), Some((503, "", "not json"))]).await;
    let client = Client::builder(Service::DYNAMODB, &environment())
        .endpoint_url(&server.url)
        .initial_backoff(Duration::from_millis(1))
        .max_attempts(2)
        .build();
    let error = client
        .call::<Value>("GetItem", &json!({}))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!((error.attempts(), error.status()), (2, Some(503)));
    assert!(error.is_retryable() && error.may_have_been_carried_out());
}

#[tokio::test]
async fn a_closed_port_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::builder(Service::DYNAMODB, &environment())
        .endpoint_url(url)
        .initial_backoff(Duration::from_millis(1))
        .build();
    let error = client
        .call::<Value>("GetItem", &json!({}))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert_eq!(error.attempts(), 3);
}

#[tokio::test]
async fn an_output_of_another_shape_is_an_invalid_response() {
    let server = Server::start(vec![Some((200, "", r#"{"Count":"many"}"#))]).await;
    #[derive(Debug, serde::Deserialize)]
    struct Output {
        #[serde(rename = "Count")]
        _count: u32,
    }
    let error = server
        .client(Service::DYNAMODB)
        .call::<Output>("Query", &json!({}))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidResponse);
}
