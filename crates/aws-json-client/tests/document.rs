//! How public documents are fetched, against a scripted HTTP server.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use aws_json_client::{Client, DocumentClient, DocumentError, Service};
use serde_json::{Value, json};
use test_support::test_environment;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const LIMIT: usize = 512 * 1024;

/// A server that writes the head, and then the body as often as it is read, or once.
async fn serve(head: String, body: Vec<u8>, is_endless: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await.unwrap();
            stream.write_all(head.as_bytes()).await.unwrap();
            // The client may close the connection at any time.
            while stream.write_all(&body).await.is_ok() && is_endless {}
        }
    });
    url
}

async fn get(url: &str) -> Result<Value, DocumentError> {
    let client = Client::new(Service::SSM, &test_environment(url));
    DocumentClient::new(client.http_client()).get(url).await
}

/// A JSON string of this many bytes, quotation marks included.
fn document(length: usize) -> Vec<u8> {
    format!("\"{}\"", "x".repeat(length - 2)).into_bytes()
}

fn with_length(status: &str, length: usize) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n")
}

const WITHOUT_LENGTH: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn a_document_is_read_up_to_its_limit() {
    for (length, is_read) in [(4096, true), (LIMIT, true), (LIMIT + 1, false)] {
        for head in [with_length("200 OK", length), WITHOUT_LENGTH.to_owned()] {
            let url = serve(head, document(length), false).await;
            let expected = if is_read {
                Ok(json!("x".repeat(length - 2)))
            } else {
                Err(DocumentError::TooLarge)
            };
            assert!(get(&url).await == expected, "{length}");
        }
    }
}

#[tokio::test]
async fn an_endless_body_and_one_of_a_large_length_are_refused() {
    for head in [
        with_length("200 OK", 10_000_000_000),
        WITHOUT_LENGTH.to_owned(),
    ] {
        let url = serve(head, vec![b' '; 65_536], true).await;
        assert_eq!(get(&url).await, Err(DocumentError::TooLarge));
    }
}

#[tokio::test]
async fn the_body_of_an_error_is_not_read() {
    let head = with_length("503 Service Unavailable", 10_000_000_000);
    let url = serve(head, vec![b' '; 65_536], true).await;
    assert_eq!(get(&url).await, Err(DocumentError::Status(503)));
}

#[tokio::test]
async fn a_body_that_ends_early_stops_or_is_not_json_is_an_error() {
    let url = serve(with_length("200 OK", 100), b"{".to_vec(), false).await;
    assert_eq!(get(&url).await, Err(DocumentError::Unreachable));
    let url = serve(with_length("200 OK", 1), b"{".to_vec(), false).await;
    assert_eq!(get(&url).await, Err(DocumentError::Content));
}

#[tokio::test]
async fn a_body_that_does_not_arrive_ends_after_three_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await.unwrap();
        let head = with_length("200 OK", 100);
        stream.write_all(head.as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
    });
    let began = std::time::Instant::now();
    assert_eq!(get(&url).await, Err(DocumentError::Unreachable));
    let seconds = began.elapsed().as_secs();
    assert!((3..6).contains(&seconds), "{seconds}");
}
