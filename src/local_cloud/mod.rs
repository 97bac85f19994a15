//! The local cloud: the real services' stand-ins, on this machine.
//!
//! MiniStack runs CloudFormation, API Gateway, Lambda, IAM, SSM, S3, SQS and DynamoDB, and
//! enforces IAM policies; nothing emulates the users of Amazon Connect, so a simulator of
//! this project does. Both are child processes that outlive the deployer, listen on
//! loopback ports, and keep everything in one folder of the checkout: several checkouts
//! have several clouds.
//!
//! The two live and die together, and always start empty. MiniStack can save its state,
//! but only in an orderly shutdown; after a crash or a power cut the saved state is old,
//! and stack, functions and directory table would contradict the simulated Connect
//! instance. A cloud that is known to be empty is mended by the next `deploy`.
//!
//! All functions here block, for at most some milliseconds when the cloud runs.

mod connect_simulator;
mod error;
mod folder;
mod process;
mod record;
mod service;
mod status;
mod url;

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;

pub use connect_simulator::serve as serve_connect;
pub use error::{Error, StartFailure};
pub use folder::Folder;
pub use service::Service;
pub use status::{Health, ServiceStatus, Status};
pub use url::base_url_pattern;

use process::Process;
use record::{Ports, Program, Record, Run};

/// The account of the local cloud.
const ACCOUNT_ID: &str = "000000000000";
/// The credentials of the account's root user: no secret, they open nothing else.
const ACCESS_KEY_ID: &str = "test";
const SECRET_ACCESS_KEY: &str = "test";

/// How long a process may take until it serves. MiniStack needs about a third of a second
/// on an idle machine, and a multiple on its very first start.
const START_PATIENCE: Duration = Duration::from_secs(60);
/// How long a process that lives may stay silent before it is replaced, and what is in the
/// cloud lost: it may have been started a moment ago by a deployer that was killed, or have
/// much to do on a machine that has much to do.
const SILENCE_PATIENCE: Duration = Duration::from_secs(20);
/// Somebody else may take a port between its choice and its use, so a start is repeated.
const START_ATTEMPTS: u32 = 3;

const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A local cloud that runs.
#[derive(Debug, Clone)]
pub struct LocalCloud {
    ports: Ports,
    is_new: bool,
}

impl LocalCloud {
    /// Finds the cloud of `folder`, or starts it. A cloud of which a process died, hangs or
    /// was started by another version of this program is replaced by an empty one.
    ///
    /// `progress` is told what takes time, in sentences for people.
    ///
    /// # Errors
    /// When the cloud cannot be started, or what is left of an old one not be stopped.
    pub fn ensure_running(folder: &Folder, progress: &dyn Fn(&str)) -> Result<Self, Error> {
        let _lock = folder.lock(progress)?;
        let record = Record::read(folder)?;
        if let Some(Record {
            ports,
            run: Some(run),
        }) = &record
        {
            match Trouble::find(folder, *ports, run)? {
                None => {
                    return Ok(Self {
                        ports: *ports,
                        is_new: false,
                    });
                }
                Some(trouble) => progress(&format!(
                    "{trouble}: replacing the local cloud by an empty one"
                )),
            }
        } else {
            progress("Starting the local cloud");
        }
        let ports = start(folder, record.map(|record| record.ports), progress)?;
        Ok(Self {
            ports,
            is_new: true,
        })
    }

    /// The cloud of `folder`, if it runs; nothing is started or replaced.
    ///
    /// # Errors
    /// When the folder's files cannot be read.
    pub fn find(folder: &Folder) -> Result<Option<Self>, Error> {
        if status(folder)?.health != Health::Running {
            return Ok(None);
        }
        Ok(Record::read(folder)?.map(|record| Self {
            ports: record.ports,
            is_new: false,
        }))
    }

    /// Whether this call started the cloud, so that there is nothing in it.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Where every AWS service but Connect answers (`AWS_ENDPOINT_URL`), without a slash at the end.
    #[must_use]
    pub fn endpoint_url(&self) -> String {
        Service::MiniStack.url(self.ports)
    }

    /// Where Amazon Connect answers (`AWS_ENDPOINT_URL_CONNECT`), without a slash at the end.
    #[must_use]
    pub fn simulator_url(&self) -> String {
        Service::ConnectSimulator.url(self.ports)
    }

    /// The account's root user.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, None, "local cloud")
    }

    /// The account: 12 digits.
    #[must_use]
    pub fn account_id(&self) -> &'static str {
        ACCOUNT_ID
    }

    /// The URL of a deployed API without a path, with the placeholders `{apiId}` and
    /// `{stage}`: the local counterpart of `api.baseUrl` in an environment file.
    #[must_use]
    pub fn base_url_pattern(&self) -> String {
        base_url_pattern(&self.endpoint_url())
    }

    /// An invoke URL of API Gateway on AWS, as in a template's outputs, as it is reachable
    /// here; nothing for any other value.
    #[must_use]
    pub fn local_invoke_url(&self, url: &str) -> Option<String> {
        url::local_invoke_url(&self.endpoint_url(), url)
    }
}

/// Stops the cloud of `folder` and removes what was in it; its ports stay remembered.
/// Returns whether there was one.
///
/// # Errors
/// When a process cannot be stopped or a file not be removed.
pub fn stop(folder: &Folder, progress: &dyn Fn(&str)) -> Result<bool, Error> {
    if !folder.path().exists() {
        return Ok(false);
    }
    let _lock = folder.lock(progress)?;
    let record = Record::read(folder)?;
    let was_running = clear(folder)?;
    let was_recorded = record.as_ref().is_some_and(|record| record.run.is_some());
    if let Some(Record { ports, .. }) = record {
        Record { ports, run: None }.write(folder)?;
    }
    Ok(was_running || was_recorded)
}

/// Looks at the cloud of `folder`, without changing anything and without waiting for a
/// command that does.
///
/// # Errors
/// When the folder's files cannot be read.
pub fn status(folder: &Folder) -> Result<Status, Error> {
    Status::of(folder)
}

/// Why a cloud cannot go on.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("Another version of connect-scim started the local cloud")]
    OtherProgram,
    #[error("{0} is no longer running")]
    Dead(Service),
    #[error("{0} does not answer")]
    Silent(Service),
}

impl Trouble {
    fn find(folder: &Folder, ports: Ports, run: &Run) -> Result<Option<Self>, Error> {
        if run.program != Program::current() {
            return Ok(Some(Self::OtherProgram));
        }
        for service in Service::ALL {
            match wait_until_serving(folder, service, ports, SILENCE_PATIENCE)? {
                Wait::Serving => {}
                Wait::Ended => return Ok(Some(Self::Dead(service))),
                Wait::Silent => return Ok(Some(Self::Silent(service))),
            }
        }
        Ok(None)
    }
}

/// What waiting for a process came to.
enum Wait {
    Serving,
    Ended,
    Silent,
}

fn wait_until_serving(
    folder: &Folder,
    service: Service,
    ports: Ports,
    patience: Duration,
) -> Result<Wait, Error> {
    let deadline = Instant::now() + patience;
    loop {
        if !Process::of(folder, service).is_alive()? {
            return Ok(Wait::Ended);
        }
        if service.answers(folder, ports) {
            return Ok(Wait::Serving);
        }
        if Instant::now() >= deadline {
            return Ok(Wait::Silent);
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// Replaces whatever is left of an old cloud by a new one. The caller holds the lock.
fn start(
    folder: &Folder,
    mut remembered: Option<Ports>,
    progress: &dyn Fn(&str),
) -> Result<Ports, Error> {
    let python = service::python(progress)?;
    let mut attempt = 1;
    loop {
        clear(folder)?;
        let ports = Ports::choose(remembered)?;
        match start_once(folder, ports, &python) {
            Ok(()) => return Ok(ports),
            Err(Error::NotStarted {
                failure: StartFailure::Ended,
                ..
            }) if attempt < START_ATTEMPTS => {}
            Err(error) => {
                // What failed to start does not keep its port or its memory.
                clear(folder)?;
                return Err(error);
            }
        }
        attempt += 1;
        remembered = None;
    }
}

fn start_once(folder: &Folder, ports: Ports, python: &Path) -> Result<(), Error> {
    let run = Run {
        started_at: jiff::Timestamp::now(),
        program: Program::current(),
    };
    Record {
        ports,
        run: Some(run),
    }
    .write(folder)?;
    let command_lines = [
        (
            Service::MiniStack,
            service::ministack(folder, ports, python)?,
        ),
        (
            Service::ConnectSimulator,
            service::connect_simulator(folder, ports)?,
        ),
    ];
    for (service, command_line) in &command_lines {
        Process::of(folder, *service).start(command_line)?;
    }
    for service in Service::ALL {
        let process = Process::of(folder, service);
        let failure = match wait_until_serving(folder, service, ports, START_PATIENCE)? {
            Wait::Serving => continue,
            Wait::Ended => StartFailure::Ended,
            Wait::Silent => StartFailure::Silent,
        };
        return Err(Error::NotStarted {
            service,
            failure,
            log_end: process.log_end(),
            log: process.log(),
        });
    }
    Ok(())
}

/// Stops both processes and removes their state; the logs of the last run stay. Returns
/// whether a process was running.
fn clear(folder: &Folder) -> Result<bool, Error> {
    let mut was_running = false;
    for service in Service::ALL {
        let process = Process::of(folder, service);
        was_running |= process.is_alive()?;
        process.stop()?;
    }
    for state in service::STATE {
        folder.remove(state)?;
    }
    Ok(was_running)
}
