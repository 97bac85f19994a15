//! An HTTP server on loopback that plays a service: a closure answers, and every
//! request is kept.
//!
//! Blocking threads instead of a runtime, so that it keeps answering while the runtime
//! under test is the thing that hangs or panics.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use aws_json_client::Environment;

/// An environment with test credentials, in which every service is at this URL.
///
/// # Panics
///
/// Never: the variables are complete.
#[must_use]
pub fn test_environment(url: &str) -> Environment {
    let variables = [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_ENDPOINT_URL", url),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Environment::from_variables(variables).expect("the variables are complete")
}

/// A request as it came in.
#[derive(Debug, Clone)]
pub struct HttpRequest {
    /// `PUT`
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub body: String,
}

impl HttpRequest {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(candidate, _)| candidate == name)
            .map(|(_, value)| value.as_str())
    }
}

/// What the server does about a request.
#[derive(Debug, Clone)]
pub enum HttpAnswer {
    /// Answers with a status and a body.
    Respond(u16, String),
    /// Closes the connection without an answer.
    Disconnect,
}

impl HttpAnswer {
    /// Status 200 and `body`.
    pub fn ok(body: impl Into<String>) -> Self {
        Self::Respond(200, body.into())
    }
}

type Handler = dyn Fn(&HttpRequest) -> HttpAnswer + Send + Sync;

/// A running server. It ends with the test process.
pub struct HttpServer {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<HttpRequest>>>,
}

impl HttpServer {
    /// Starts on a free port of 127.0.0.1. Each request is answered on a thread of its
    /// own, so a handler may sleep.
    ///
    /// # Panics
    ///
    /// No port can be listened on.
    pub fn start(handler: impl Fn(&HttpRequest) -> HttpAnswer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("cannot listen on 127.0.0.1");
        let address = listener.local_addr().expect("a listener has an address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        let handler: Arc<Handler> = Arc::new(handler);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (handler, kept) = (Arc::clone(&handler), Arc::clone(&kept));
                // A client that goes away in mid-request is the test's own doing.
                thread::spawn(move || serve(&stream, &*handler, &kept));
            }
        });
        Self { address, requests }
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far, in the order in which they came.
    ///
    /// # Panics
    ///
    /// A handler panicked.
    pub fn requests(&self) -> Vec<HttpRequest> {
        self.requests.lock().expect("a handler panicked").clone()
    }
}

fn serve(
    stream: &TcpStream,
    handler: &Handler,
    kept: &Mutex<Vec<HttpRequest>>,
) -> std::io::Result<()> {
    let request = read(stream)?;
    kept.lock()
        .expect("a handler panicked")
        .push(request.clone());
    let HttpAnswer::Respond(status, body) = handler(&request) else {
        return Ok(());
    };
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status} Played\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn read(stream: &TcpStream) -> std::io::Result<HttpRequest> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(HttpRequest {
        method,
        target,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(server: &HttpServer, request: &str) -> String {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn a_request_is_answered_and_kept() {
        let server = HttpServer::start(|request| HttpAnswer::Respond(201, request.body.clone()));
        let answer = send(
            &server,
            "PUT /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi",
        );
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
        assert!(answer.ends_with("\r\n\r\nhi"), "{answer}");
        let requests = server.requests();
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].method, "PUT");
        assert_eq!(requests[0].target, "/a?b=c");
        assert_eq!(requests[0].header("host"), Some("x"));
    }

    #[test]
    fn a_connection_can_be_dropped() {
        let server = HttpServer::start(|_| HttpAnswer::Disconnect);
        assert_eq!(send(&server, "GET / HTTP/1.1\r\n\r\n"), "");
    }
}
