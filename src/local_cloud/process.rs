//! A child process that outlives the deployer, and whom later deployers find again.
//!
//! A pid in a file does not tell whether the process lives: the number may meanwhile
//! belong to somebody else, and whoever was killed at the wrong moment never wrote it.
//! Therefore the sign of life is a lock on the log file. The deployer takes it and hands
//! it down with standard output and standard error; the kernel gives it back when the
//! last process that holds it has ended, in whatever way. Only while the lock is held is
//! the pid believed, and the shell that becomes the process writes it before anything
//! else happens.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::service::{CommandLine, Service};
use super::{Error, Folder};

/// Becomes the process after noting its pid, and lets it survive the terminal.
const SHELL_SCRIPT: &str = r#"trap '' HUP; echo $$ > "$0" && exec "$@""#;

/// How long a process may take to end when asked to.
const TERM_PATIENCE: Duration = Duration::from_secs(5);
/// How long the kernel may take to end it.
const KILL_PATIENCE: Duration = Duration::from_secs(5);
/// How long the shell may take from its start to the pid file.
const PID_PATIENCE: Duration = Duration::from_secs(5);

const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// One of the cloud's processes, running or not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process<'folder> {
    folder: &'folder Folder,
    service: Service,
}

impl<'folder> Process<'folder> {
    pub(super) fn of(folder: &'folder Folder, service: Service) -> Self {
        Self { folder, service }
    }

    /// Whether the process runs. `up`, `down` and `status` may ask at the same time: they
    /// share the lock among themselves, and only the process keeps it from them.
    pub(super) fn is_alive(self) -> Result<bool, Error> {
        let path = self.log();
        let log = match File::open(&path) {
            Ok(log) => log,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(Error::io(|| format!("open {}", path.display()))(error)),
        };
        match log.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => {
                Err(Error::io(|| format!("lock {}", path.display()))(error))
            }
        }
    }

    /// Starts the process in a process group of its own, so that Ctrl-C in the deployer's
    /// terminal does not reach it. None of the deployer's variables do either: the cloud
    /// must not get hold of somebody's real credentials.
    pub(super) fn start(self, command_line: &CommandLine) -> Result<(), Error> {
        let action = || format!("start {} (log {})", self.service, self.log().display());
        let start = || -> io::Result<()> {
            remove_if_there(&self.pid_file())?;
            match fs::rename(self.log(), self.previous_log()) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let log = File::create_new(self.log())?;
            log.lock()?;
            // Nobody waits for it: it outlives the deployer, and is then init's to reap.
            Command::new("/bin/sh")
                .args(["-c", SHELL_SCRIPT])
                .arg(self.pid_file())
                .arg(&command_line.program)
                .args(&command_line.arguments)
                .env_clear()
                .envs(&command_line.variables)
                .current_dir(self.folder.path())
                .stdin(Stdio::null())
                .stdout(log.try_clone()?)
                .stderr(log)
                .process_group(0)
                .spawn()?;
            Ok(())
        };
        start().map_err(Error::io(action))
    }

    /// Ends the process and what it started: first by asking, then by force.
    pub(super) fn stop(self) -> Result<(), Error> {
        if !self.is_alive()? {
            return Ok(());
        }
        let Some(group) = self.wait_for_pid()? else {
            return Err(self.not_stopped(format!(
                "{} does not name its process",
                self.pid_file().display()
            )));
        };
        for (signal, patience) in [(Signal::TERM, TERM_PATIENCE), (Signal::KILL, KILL_PATIENCE)] {
            self.signal(group, signal)?;
            // A stopped process hears of other signals than SIGKILL when it goes on.
            self.signal(group, Signal::CONT)?;
            if self.wait_for_end(patience)? {
                // Functions that MiniStack ran are of its group and may still be there.
                return self.signal(group, Signal::KILL);
            }
        }
        Err(self.not_stopped(format!("process {group:?} outlived SIGKILL")))
    }

    /// The pid, while the process is alive.
    pub(super) fn pid(self) -> Result<Option<Pid>, Error> {
        if !self.is_alive()? {
            return Ok(None);
        }
        let path = self.pid_file();
        match fs::read_to_string(&path) {
            Ok(content) => Ok(content
                .trim()
                .parse()
                .ok()
                // 1 is init, which nobody here has started.
                .filter(|pid| *pid > 1)
                .and_then(Pid::from_raw)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io(|| format!("read {}", path.display()))(error)),
        }
    }

    /// The last lines of the log, for a message about a process that failed.
    pub(super) fn log_end(self) -> String {
        const BYTES: u64 = 4096;
        const LINES: usize = 10;
        let read = || -> io::Result<String> {
            let mut log = File::open(self.log())?;
            let length = log.metadata()?.len();
            log.seek(SeekFrom::Start(length.saturating_sub(BYTES)))?;
            let mut end = Vec::new();
            log.take(BYTES).read_to_end(&mut end)?;
            let end = String::from_utf8_lossy(&end);
            let lines: Vec<_> = end.lines().collect();
            Ok(lines[lines.len().saturating_sub(LINES)..].join("\n"))
        };
        // Without a log there is nothing to add to the message.
        read().unwrap_or_default()
    }

    /// Where standard output and standard error go.
    pub(super) fn log(self) -> PathBuf {
        self.folder.file(&format!("{}.log", self.service.name()))
    }

    fn previous_log(self) -> PathBuf {
        self.folder
            .file(&format!("{}.previous.log", self.service.name()))
    }

    fn pid_file(self) -> PathBuf {
        self.folder.file(&format!("{}.pid", self.service.name()))
    }

    fn wait_for_pid(self) -> Result<Option<Pid>, Error> {
        let deadline = Instant::now() + PID_PATIENCE;
        loop {
            let pid = self.pid()?;
            if pid.is_some() || Instant::now() >= deadline {
                return Ok(pid);
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    fn wait_for_end(self, patience: Duration) -> Result<bool, Error> {
        let deadline = Instant::now() + patience;
        loop {
            if !self.is_alive()? {
                return Ok(true);
            }
            if Instant::now() >= deadline {
                return Ok(false);
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    fn signal(self, group: Pid, signal: Signal) -> Result<(), Error> {
        match kill_process_group(group, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(errno) => Err(self.not_stopped(errno.to_string())),
        }
    }

    fn not_stopped(self, reason: String) -> Error {
        Error::NotStopped {
            service: self.service,
            reason,
            log: self.log(),
        }
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
