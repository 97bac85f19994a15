//! Requests over plain TCP.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Everything that the server sends for one request, as text; empty if it closes the
/// connection without an answer.
pub async fn send(url: &str, method: &str, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://"))
        .await
        .expect("the simulator listens");
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: simulator\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream
        .write_all(request.as_bytes())
        .await
        .expect("the simulator reads");
    let mut answer = String::new();
    // A reset is an answer as empty as an orderly end.
    let _ = stream.read_to_string(&mut answer).await;
    answer
}
