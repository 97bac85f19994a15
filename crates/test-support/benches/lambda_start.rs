//! How long a function takes from the start of its process to its first poll of the
//! Lambda Runtime API, and how much memory it then holds.
//!
//! ```text
//! cargo build -p token-authorizer -p token-generator --profile lambda
//! cargo bench -p test-support --bench lambda_start -- target/lambda/token-authorizer target/lambda/token-generator
//! ```
//!
//! The time is what Lambda adds to a cold start for our code: it starts `bootstrap` and
//! waits for `GET /2018-06-01/runtime/invocation/next`. This program plays that API on
//! loopback, without an answer, so the function stays as it was when it first polled.
#![expect(clippy::print_stdout, reason = "a bench reports on stdout")]
#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const STARTS: usize = 20;

const PATIENCE: Duration = Duration::from_secs(10);

/// How exactly the first poll is seen.
const RESOLUTION: Duration = Duration::from_micros(100);

/// What Lambda and the template set. Nothing is called, so no value needs to be true.
const VARIABLES: &[(&str, &str)] = &[
    ("AWS_LAMBDA_FUNCTION_NAME", "function"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/function"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "stream"),
    ("AWS_REGION", "eu-central-1"),
    ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
    ("AWS_SESSION_TOKEN", "session"),
    ("LOG_LEVEL", "info"),
    (
        "TOKEN_CLIENTS",
        r#"[{"client":"idp","parameterName":"/token/idp","usageIdentifierKey":"0a1b-idp"}]"#,
    ),
    ("TOKEN_OVERLAP_MINUTES", "60"),
    ("DIRECTORY_TABLE", "directory"),
    (
        "CONNECT_INSTANCE_ARN",
        "arn:aws:connect:eu-central-1:111122223333:instance/0a1b2c3d-0000-4000-8000-000000000000",
    ),
    ("IDENTITY_MANAGEMENT", "SAML"),
    ("DEFAULT_SECURITY_PROFILE", "Agent"),
    ("DEFAULT_ROUTING_PROFILE", "Basic Routing Profile"),
    ("DEPROVISION", "delete"),
    ("RENAME", "reject"),
    ("ADOPT", "matching"),
];

struct Start {
    to_first_poll: Duration,
    resident_kib: u64,
}

/// Ends the function with the measurement, also when that panics.
struct Function(Child);

impl Drop for Function {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn main() {
    let bootstraps: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    if bootstraps.is_empty() {
        println!("name the executables to start, such as target/lambda/token-authorizer");
    }
    for bootstrap in bootstraps {
        let mut starts: Vec<Start> = (0..STARTS).map(|_| start(&bootstrap)).collect();
        starts.sort_by_key(|start| start.to_first_poll);
        let size = fs::metadata(&bootstrap).unwrap().len();
        let resident = starts.iter().map(|start| start.resident_kib).max().unwrap();
        println!(
            "{bootstrap}: {:.2} MB; first poll after {} (median of {STARTS}; {} to {}); resident {:.1} MB",
            size as f64 / 1e6,
            milliseconds(starts[STARTS / 2].to_first_poll),
            milliseconds(starts[0].to_first_poll),
            milliseconds(starts[STARTS - 1].to_first_poll),
            resident as f64 * 1024.0 / 1e6,
        );
    }
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1e3)
}

fn start(bootstrap: &str) -> Start {
    let runtime_api = TcpListener::bind("127.0.0.1:0").unwrap();
    runtime_api.set_nonblocking(true).unwrap();
    let started = Instant::now();
    let mut function = Function(
        Command::new(bootstrap)
            .env_clear()
            .envs(VARIABLES.iter().copied())
            .env(
                "AWS_LAMBDA_RUNTIME_API",
                runtime_api.local_addr().unwrap().to_string(),
            )
            .stdin(Stdio::null())
            .stdout(Stdio::inherit())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {bootstrap}: {error}")),
    );
    let connection = accept(&runtime_api, &mut function, started);
    let mut request = String::new();
    BufReader::new(&connection).read_line(&mut request).unwrap();
    let to_first_poll = started.elapsed();
    assert!(
        request.starts_with("GET /2018-06-01/runtime/invocation/next "),
        "{bootstrap} does not poll but sends {request:?}"
    );
    Start {
        to_first_poll,
        resident_kib: resident_kib(function.0.id()),
    }
}

fn accept(runtime_api: &TcpListener, function: &mut Function, started: Instant) -> TcpStream {
    loop {
        match runtime_api.accept() {
            Ok((connection, _)) => {
                connection.set_nonblocking(false).unwrap();
                return connection;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => panic!("the Runtime API cannot be played: {error}"),
        }
        if let Some(status) = function.0.try_wait().unwrap() {
            panic!("the function ended before its first poll: {status}");
        }
        assert!(started.elapsed() < PATIENCE, "the function does not poll");
        thread::sleep(RESOLUTION);
    }
}

/// `VmRSS`: what the process has in memory, pages shared with others included.
fn resident_kib(process: u32) -> u64 {
    fs::read_to_string(format!("/proc/{process}/status"))
        .unwrap()
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|value| value.trim().strip_suffix(" kB"))
        .and_then(|value| value.trim().parse().ok())
        .unwrap()
}
