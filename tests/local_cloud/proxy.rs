//! A proxy between the deployer and the local cloud that does to requests and answers what
//! networks, busy services and expired sessions do.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::project::Project;

/// What is done to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is lost before it arrives.
    LoseRequest,
    /// It arrives; the answer is lost.
    LoseAnswer,
    /// The service is asked too often.
    Throttle,
    /// The service fails.
    FailInternally,
    /// The answer is cut in half.
    Truncate,
    /// The answer is not what the service wrote.
    Corrupt,
    /// The answer takes its time.
    Delay,
    /// The caller may not do this.
    Deny,
    /// The caller's session has expired.
    Expire,
    /// It arrives, and is never answered.
    Hang,
}

/// One request, in words: the operation where the protocol names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// `CreateChangeSet`, `PUT template`, `GET /account`, …
    pub operation: String,
    /// Whether it changes something.
    pub is_mutation: bool,
    /// What was sent.
    pub body: String,
}

type Decide = dyn FnMut(&[Call], &Call) -> Option<Fault> + Send;

/// The proxy of one project's cloud.
pub struct Proxy {
    state: Arc<Mutex<State>>,
}

struct State {
    calls: Vec<Call>,
    decide: Box<Decide>,
}

impl Proxy {
    /// Puts a proxy before the running cloud of a project.
    pub fn before(project: &Project) -> Self {
        let record = project.path().join(".connect-scim/local/cloud.json");
        let mut content: Value = serde_json::from_slice(&fs::read(&record).unwrap()).unwrap();
        let upstream = u16::try_from(content["ports"]["ministack"].as_u64().unwrap()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        content["ports"]["ministack"] = listener.local_addr().unwrap().port().into();
        fs::write(&record, content.to_string()).unwrap();

        let state = Arc::new(Mutex::new(State {
            calls: Vec::new(),
            decide: Box::new(|_, _| None),
        }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                // A deployer that was killed closes its connections.
                thread::spawn(move || serve(&stream, upstream, &state));
            }
        });
        Self { state }
    }

    /// From now on `decide` says what is done to each call, given those before it since now.
    pub fn arm(&self, decide: impl FnMut(&[Call], &Call) -> Option<Fault> + Send + 'static) {
        let mut state = lock(&self.state);
        state.calls.clear();
        state.decide = Box::new(decide);
    }

    /// From now on nothing is done; the calls since [`Proxy::arm`].
    pub fn disarm(&self) -> Vec<Call> {
        let mut state = lock(&self.state);
        state.decide = Box::new(|_, _| None);
        std::mem::take(&mut state.calls)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(mut stream: &TcpStream, upstream: u16, state: &Mutex<State>) -> std::io::Result<()> {
    let (head, body) = read_request(stream)?;
    let first_line = head.lines().next().unwrap_or_default().to_owned();
    // The health check is the local cloud's own, and not one of AWS's operations.
    let fault = if first_line.contains("/_ministack/") {
        None
    } else {
        let call = Call::read(&first_line, &body);
        let mut state = lock(state);
        let State { calls, decide } = &mut *state;
        let fault = decide(calls, &call);
        calls.push(call);
        fault
    };
    let service = Protocol::of(&first_line);
    match fault {
        Some(Fault::LoseRequest) => return Ok(()),
        Some(Fault::Throttle) => return service.throttle(stream),
        Some(Fault::FailInternally) => {
            return service.refuse(stream, 500, "InternalFailure", "something broke");
        }
        Some(Fault::Deny) => {
            return service.refuse(stream, 403, "AccessDenied", "User is not authorized");
        }
        Some(Fault::Expire) => {
            return service.refuse(
                stream,
                403,
                "ExpiredToken",
                "The security token has expired",
            );
        }
        Some(Fault::Delay) => thread::sleep(Duration::from_millis(500)),
        _ => {}
    }
    let mut answer = forward(upstream, &head, &body)?;
    match fault {
        Some(Fault::LoseAnswer) => return Ok(()),
        Some(Fault::Hang) => thread::sleep(Duration::from_secs(120)),
        Some(Fault::Truncate) => answer.truncate(answer.len() - body_of(&answer).len().div_ceil(2)),
        Some(Fault::Corrupt) => {
            let length = body_of(&answer).len();
            let begin = answer.len() - length;
            answer[begin..].fill(b'#');
        }
        _ => {}
    }
    stream.write_all(&answer)
}

/// The head with its empty line, and the body.
fn read_request(mut stream: &TcpStream) -> std::io::Result<(String, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        })
    };
    if header("expect").is_some() {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let length = header("content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok((head, body))
}

/// The service's whole answer, on a connection that ends with it.
fn forward(upstream: u16, head: &str, body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut cloud = TcpStream::connect(("127.0.0.1", upstream))?;
    for line in head.trim_end().lines() {
        let name = line.split(':').next().unwrap_or_default();
        if !["connection", "expect"].contains(&name.to_ascii_lowercase().as_str()) {
            write!(cloud, "{line}\r\n")?;
        }
    }
    cloud.write_all(b"connection: close\r\n\r\n")?;
    cloud.write_all(body)?;
    let mut answer = Vec::new();
    cloud.read_to_end(&mut answer)?;
    Ok(answer)
}

fn body_of(answer: &[u8]) -> &[u8] {
    let end_of_head = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    &answer[end_of_head.map_or(answer.len(), |end| end + 4)..]
}

/// How a service words a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Query,
    S3,
    Json,
}

impl Protocol {
    fn of(first_line: &str) -> Self {
        match first_line.split(' ').nth(1) {
            Some("/") => Self::Query,
            Some(path) if path.starts_with("/connect-scim-artifacts-") => Self::S3,
            _ => Self::Json,
        }
    }

    fn throttle(self, stream: &TcpStream) -> std::io::Result<()> {
        let (status, code) = match self {
            Self::Query => (400, "Throttling"),
            Self::S3 => (503, "SlowDown"),
            Self::Json => (429, "TooManyRequestsException"),
        };
        self.refuse(stream, status, code, "Rate exceeded")
    }

    fn refuse(
        self,
        mut stream: &TcpStream,
        status: u16,
        code: &str,
        message: &str,
    ) -> std::io::Result<()> {
        let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
        let body = match self {
            Self::Query => {
                format!("<ErrorResponse>{error}<RequestId>played</RequestId></ErrorResponse>")
            }
            Self::S3 => error,
            Self::Json => format!(r#"{{"message": "{message}"}}"#),
        };
        write!(
            stream,
            "HTTP/1.1 {status} Played\r\nx-amzn-errortype: {code}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
    }
}

impl Call {
    fn read(first_line: &str, body: &[u8]) -> Self {
        let mut words = first_line.split(' ');
        let (method, path) = (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        );
        let text = String::from_utf8_lossy(body);
        let action = text
            .split('&')
            .find_map(|pair| pair.strip_prefix("Action="))
            .map(str::to_owned);
        let operation = action.clone().unwrap_or_else(|| {
            // One package is like another, and one template like another.
            let kind = if path.ends_with(".template") || path.contains(".template?") {
                "template".to_owned()
            } else if path.contains(".zip") {
                "package".to_owned()
            } else {
                path.to_owned()
            };
            format!("{method} {kind}")
        });
        let reads = ["Describe", "Get", "List"];
        let is_mutation = match &action {
            Some(action) => !reads.iter().any(|verb| action.starts_with(verb)),
            None => !["GET", "HEAD"].contains(&method),
        };
        Self {
            operation,
            is_mutation,
            body: match action {
                Some(_) => text.into_owned(),
                None => String::new(),
            },
        }
    }
}
