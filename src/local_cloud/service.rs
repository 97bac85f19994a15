//! The two programs that make up the local cloud: how each is started, and how it is
//! asked whether it serves.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::record::Ports;
use super::{ACCESS_KEY_ID, ACCOUNT_ID, Error, Folder, SECRET_ACCESS_KEY};

/// The Python packages of MiniStack, every one pinned by hash.
pub(super) const REQUIREMENTS: &str = include_str!("requirements.txt");

/// Starts MiniStack, and answers for it whether somebody may call Connect.
pub(super) const MINISTACK_LAUNCHER: &str = include_str!("ministack.py");
/// Where the launcher answers.
const AUTHORIZER_PATH: &str = "/_connect-scim/authorize";

/// The directory that MiniStack writes to.
const MINISTACK_STATE: &str = "ministack";
/// The file that the Connect simulator writes to.
const CONNECT_SIMULATOR_STATE: &str = "connect-simulator.json";
/// What a cloud leaves behind that the next one must not see.
pub(super) const STATE: [&str; 2] = [MINISTACK_STATE, CONNECT_SIMULATOR_STATE];

/// How long an answer to a health check may take. MiniStack answers within 2 ms when idle,
/// and within some hundred while it works on a stack.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(5);

/// One of the two programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Service {
    /// The AWS services other than Amazon Connect.
    #[serde(rename = "ministack")]
    MiniStack,
    /// Amazon Connect.
    ConnectSimulator,
}

/// What to run. The process sees no other variables.
#[derive(Debug)]
pub(super) struct CommandLine {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
    pub(super) variables: BTreeMap<&'static str, OsString>,
}

impl Service {
    pub(super) const ALL: [Self; 2] = [Self::MiniStack, Self::ConnectSimulator];

    /// The name in file names and in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MiniStack => "ministack",
            Self::ConnectSimulator => "connect-simulator",
        }
    }

    /// Where the service answers.
    pub(super) fn url(self, ports: Ports) -> String {
        let port = match self {
            Self::MiniStack => ports.ministack,
            Self::ConnectSimulator => ports.connect_simulator,
        };
        format!("http://127.0.0.1:{port}")
    }

    /// Whether the service of this folder answers at its port.
    pub(super) fn answers(self, folder: &Folder, ports: Ports) -> bool {
        let url = self.url(ports);
        match self {
            Self::MiniStack => get(&format!("{url}/_ministack/health"))
                .and_then(|body| serde_json::from_str::<MiniStackHealth>(&body).ok())
                .is_some_and(|health| Path::new(&health.edition) == folder.path()),
            Self::ConnectSimulator => get(&format!("{url}/_simulator/health"))
                .and_then(|body| serde_json::from_str::<SimulatorHealth>(&body).ok())
                .is_some_and(|health| health.status == "ok"),
        }
    }
}

/// What is read of MiniStack's answer.
#[derive(Deserialize)]
struct MiniStackHealth {
    edition: String,
}

/// What is read of the simulator's answer.
#[derive(Deserialize)]
struct SimulatorHealth {
    status: String,
}

impl fmt::Display for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::MiniStack => "MiniStack",
            Self::ConnectSimulator => "Connect simulator",
        })
    }
}

/// An interpreter that has MiniStack, which is installed when it is not there.
pub(super) fn python(progress: &dyn Fn(&str)) -> Result<PathBuf, Error> {
    let bin = tool_cache::python_environment("ministack", REQUIREMENTS, progress)?;
    Ok(bin.join("python"))
}

/// MiniStack, run by `python`.
pub(super) fn ministack(
    folder: &Folder,
    ports: Ports,
    python: &Path,
) -> Result<CommandLine, Error> {
    let own = |name: &str| folder.file(MINISTACK_STATE).join(name);
    let temporary = own("tmp");
    // Python falls back on /tmp when it is not there.
    fs::create_dir_all(&temporary)
        .map_err(Error::io(|| format!("create {}", temporary.display())))?;
    let text = |value: &str| OsString::from(value);
    Ok(CommandLine {
        program: python.to_owned(),
        arguments: ["-I", "-c", MINISTACK_LAUNCHER].map(OsString::from).into(),
        variables: BTreeMap::from([
            ("BIND_HOST", text("127.0.0.1")),
            ("GATEWAY_PORT", text(&ports.ministack.to_string())),
            ("MINISTACK_HOST", text("127.0.0.1")),
            ("MINISTACK_ACCOUNT_ID", text(ACCOUNT_ID)),
            // Every call is authorised against IAM policies, those of the functions too.
            ("AUTH", text("true")),
            ("AWS_ACCESS_KEY_ID", text(ACCESS_KEY_ID)),
            ("AWS_SECRET_ACCESS_KEY", text(SECRET_ACCESS_KEY)),
            // Functions call back here.
            ("AWS_ENDPOINT_URL", text(&Service::MiniStack.url(ports))),
            // Comes back in the health check: so a stranger on the port is recognised.
            ("MINISTACK_EDITION", folder.path().into()),
            // No listeners besides the gateway, and no containers.
            ("SFTP_ENABLED", text("0")),
            ("IOT_MTLS_ENABLED", text("0")),
            ("DOCKER_HOST", text("unix:///nonexistent")),
            ("HOME", own("home").into()),
            ("TMPDIR", temporary.into()),
            ("STATE_DIR", own("state").into()),
            ("S3_DATA_DIR", own("s3").into()),
            ("LANG", text("C.UTF-8")),
            ("PATH", std::env::var_os("PATH").unwrap_or_default()),
        ]),
    })
}

/// The Connect simulator, run by this program itself.
pub(super) fn connect_simulator(folder: &Folder, ports: Ports) -> Result<CommandLine, Error> {
    let program = std::env::current_exe()
        .map_err(Error::io(|| "find the path of this program".to_owned()))?;
    Ok(CommandLine {
        program,
        arguments: vec![
            "local".into(),
            "connect-simulator".into(),
            "--port".into(),
            ports.connect_simulator.to_string().into(),
            "--state".into(),
            folder.file(CONNECT_SIMULATOR_STATE).into(),
            "--authorizer".into(),
            format!("{}{AUTHORIZER_PATH}", Service::MiniStack.url(ports)).into(),
        ],
        variables: BTreeMap::new(),
    })
}

/// The body of an answer, whatever its status; nothing when there is none.
fn get(url: &str) -> Option<String> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(HEALTH_TIMEOUT))
        .http_status_as_error(false)
        .max_redirects(0)
        // A proxy of the environment does not lead to the loopback interface.
        .proxy(None)
        .build()
        .into();
    agent.get(url).call().ok()?.body_mut().read_to_string().ok()
}
