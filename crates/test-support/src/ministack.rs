//! MiniStack as a child process: SSM, DynamoDB and the rest of AWS for wire tests.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use rand::Rng as _;
use tempfile::TempDir;

use crate::python;

/// Pins MiniStack for the local cloud and the tests alike.
const REQUIREMENTS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../src/local_cloud/requirements.txt"
);

/// It takes 3 seconds on a quiet machine.
const TIME_TO_START: Duration = Duration::from_secs(120);

static SHARED: Mutex<Weak<MiniStack>> = Mutex::new(Weak::new());

/// A running MiniStack that enforces IAM, with the credentials `test`/`test` as the root of
/// account `000000000000`. It ends when the value is dropped.
pub struct MiniStack {
    process: Child,
    port: u16,
    directory: TempDir,
}

impl MiniStack {
    /// The one that the tests of this process share; each test takes names of its own.
    ///
    /// # Panics
    ///
    /// It does not start.
    pub fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = shared.upgrade() {
            return running;
        }
        let started = Arc::new(Self::start());
        *shared = Arc::downgrade(&started);
        started
    }

    fn start() -> Self {
        let interpreter = python(Path::new(REQUIREMENTS));
        let port = free_port();
        let directory = tempfile::tempdir().expect("cannot create a temporary directory");
        let log = std::fs::File::create(directory.path().join("log"))
            .expect("cannot write into the temporary directory");
        let url = format!("http://127.0.0.1:{port}");
        let process = Command::new(interpreter)
            .args(["-m", "ministack"])
            .current_dir(directory.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", directory.path())
            .env("TMPDIR", directory.path())
            .env("AUTH", "true")
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("AWS_ENDPOINT_URL", &url)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file can be used twice"))
            .stderr(log)
            .spawn()
            .expect("cannot start MiniStack");
        let mut ministack = Self {
            process,
            port,
            directory,
        };
        ministack.wait();
        ministack
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The variables with which an AWS client finds it, as root.
    pub fn variables(&self) -> Vec<(String, String)> {
        [
            ("AWS_ENDPOINT_URL", self.url().as_str()),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    fn wait(&mut self) {
        let started = Instant::now();
        while !self.is_healthy() {
            let ended = self.process.try_wait().ok().flatten();
            if ended.is_some() || started.elapsed() > TIME_TO_START {
                let log = std::fs::read_to_string(self.directory.path().join("log"));
                panic!("MiniStack does not start: {}", log.unwrap_or_default());
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn is_healthy(&self) -> bool {
        let ask = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            stream.write_all(
                b"GET /_ministack/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            )?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }
}

impl Drop for MiniStack {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing left to do then.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A free port of 127.0.0.1 for a server that is about to be started.
///
/// Not one of those that outgoing connections take, as which one could be in use again
/// before the server gets hold of it.
///
/// # Panics
/// When none of a hundred can be listened on.
#[must_use]
pub fn free_port() -> u16 {
    let mut random = rand::rng();
    (0..100)
        .map(|_| random.random_range(15_000..=32_000))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("cannot listen on 127.0.0.1")
}
