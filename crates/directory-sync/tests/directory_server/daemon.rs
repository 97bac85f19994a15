//! Directory servers as child processes that never outlive the tests.

use std::ffi::OsStr;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// What the servers and their tools are in, on Debian.
const PACKAGES: &str = "samba samba-dsdb-modules samba-vfs-modules winbind samba-ad-provision \
                        ldb-tools ldap-utils slapd openssl";

/// A server takes a second or two on a quiet machine.
const TIME_TO_START: Duration = Duration::from_secs(120);

/// Ends the server when its standard input ends, which it does with the process of the tests,
/// however that ends; then removes the server's directory.
const WATCH: &str = r#"
directory=$1; shift
"$@" > "$directory/log" 2>&1 &
child=$!
read -r _
kill -KILL "$child"
wait "$child"
rm -rf "$directory"
"#;

/// A running server with a directory of its own.
pub struct Daemon {
    watch: Child,
    directory: PathBuf,
}

impl Daemon {
    /// Starts it; what it prints goes to `log` in its directory.
    pub fn start(directory: TempDir, program: &str, arguments: &[&OsStr]) -> Self {
        let directory = directory.keep();
        let watch = Command::new("sh")
            .args(["-c", WATCH, "sh"])
            .arg(&directory)
            .arg(find(program))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // An interrupt from the keyboard is for the tests.
            .process_group(0)
            .spawn()
            .expect("cannot start a shell");
        Self { watch, directory }
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Waits until it listens.
    pub fn wait_for(&self, port: u16) {
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if started.elapsed() > TIME_TO_START {
                let log = std::fs::read_to_string(self.directory.join("log"));
                panic!(
                    "nothing listens on port {port}: {}",
                    log.unwrap_or_default()
                );
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        // It ends by itself then; if it cannot be waited for, there is nothing to do.
        let _ = self.watch.wait();
    }
}

/// Runs a program to its end.
pub fn run(program: &str, arguments: &[&OsStr]) -> String {
    let output = Command::new(find(program))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("cannot run {program}: {error}"));
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{program} {arguments:?} failed; does `apt-get install {PACKAGES}` help?\n{stdout}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    stdout
}

/// Where a program is. The servers are in directories that only root has in its `PATH`.
pub fn find(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(program))
        .find(|file| file.is_file())
        .unwrap_or_else(|| {
            panic!(
                "the tests against real directory servers need `{program}`: apt-get install \
                 --no-install-recommends {PACKAGES}"
            )
        })
}

/// Not one of those that outgoing connections take, as which one could be in use again before
/// the server gets hold of it.
pub fn free_port() -> u16 {
    (0..100)
        .map(|_| rand::random_range(15_000..=32_000))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("cannot listen on 127.0.0.1")
}
