//! What is remembered of a local cloud between two commands: `cloud.json`.

use std::fs;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::RangeInclusive;

use rand::Rng as _;
use serde::{Deserialize, Serialize};

use super::{Error, Folder, service};

const FILE: &str = "cloud.json";

/// Where ports are looked for: above those of well-known services, and below those from
/// which Linux and macOS serve outgoing connections, one of which could otherwise have
/// the port when MiniStack wants it.
const PORTS: RangeInclusive<u16> = 15_000..=32_000;
/// So many ports are tried before the system is asked for any.
const PORT_ATTEMPTS: usize = 50;

/// The content of `cloud.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    /// Outlive the cloud, so that its address stays the same where possible.
    pub(super) ports: Ports,
    /// Absent after `down`.
    pub(super) run: Option<Run>,
}

/// The loopback ports of the processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ports {
    pub(super) ministack: u16,
    pub(super) connect_simulator: u16,
}

/// One life of the cloud. Written before its processes start, so that whoever comes
/// after a deployer that was killed in between knows what to expect of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Run {
    pub(super) started_at: jiff::Timestamp,
    pub(super) program: Program,
}

/// Tells apart the programs that can have started a cloud: the version of the deployer and
/// a digest of MiniStack's pinned packages.
///
/// A rebuilt deployer of the same version takes over the cloud that is there: while
/// somebody works on the deployer, the stack they deploy to should not vanish with every
/// build. Whoever works on the simulator itself restarts it by `local down`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Program(String);

impl Program {
    /// This deployer.
    pub(super) fn current() -> Self {
        use sha2::{Digest as _, Sha256};
        let digest: String = Sha256::new()
            .chain_update(service::REQUIREMENTS)
            .chain_update(service::MINISTACK_LAUNCHER)
            .finalize()
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self(format!("{}+{digest}", env!("CARGO_PKG_VERSION")))
    }
}

impl Record {
    /// Reads the record. A file that is not there or not understood (cut short, written by
    /// a later version) is no record: the cloud is then started anew.
    pub(super) fn read(folder: &Folder) -> Result<Option<Self>, Error> {
        let path = folder.file(FILE);
        match fs::read(&path) {
            Ok(content) => Ok(serde_json::from_slice(&content).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io(|| format!("read {}", path.display()))(error)),
        }
    }

    /// Writes the record, whole or not at all.
    pub(super) fn write(&self, folder: &Folder) -> Result<(), Error> {
        let path = folder.file(FILE);
        let write = || -> io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(folder.path())?;
            file.write_all(&serde_json::to_vec_pretty(self)?)?;
            file.persist(&path)?;
            Ok(())
        };
        write().map_err(Error::io(|| format!("write {}", path.display())))
    }
}

impl Ports {
    /// The remembered ports where they are free, others where not.
    pub(super) fn choose(remembered: Option<Self>) -> Result<Self, Error> {
        // Both are held until both are chosen, or the second could equal the first.
        let ministack = free_port(remembered.map(|ports| ports.ministack))?;
        let connect_simulator = free_port(remembered.map(|ports| ports.connect_simulator))?;
        let port = |listener: TcpListener| {
            listener
                .local_addr()
                .map(|address| address.port())
                .map_err(Error::io(|| "find a free port on 127.0.0.1".to_owned()))
        };
        Ok(Self {
            ministack: port(ministack)?,
            connect_simulator: port(connect_simulator)?,
        })
    }
}

fn free_port(wanted: Option<u16>) -> Result<TcpListener, Error> {
    let mut random = rand::rng();
    wanted
        .into_iter()
        .chain((0..PORT_ATTEMPTS).map(|_| random.random_range(PORTS)))
        .find_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok())
        .map_or_else(|| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)), Ok)
        .map_err(Error::io(|| "find a free port on 127.0.0.1".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remembered_port_is_taken_again_unless_somebody_else_has_it() {
        let first = Ports::choose(None).unwrap();
        assert_eq!(Ports::choose(Some(first)).unwrap(), first);

        let stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = Ports {
            ministack: stranger.local_addr().unwrap().port(),
            ..first
        };
        let chosen = Ports::choose(Some(taken)).unwrap();
        assert_ne!(chosen.ministack, taken.ministack);
        assert_eq!(chosen.connect_simulator, first.connect_simulator);
    }

    #[test]
    fn a_record_that_is_cut_short_counts_as_none() {
        let directory = tempfile::tempdir().unwrap();
        let folder = Folder::find(directory.path());
        folder.create().unwrap();
        assert_eq!(Record::read(&folder).unwrap(), None);

        let record = Record {
            ports: Ports {
                ministack: 1,
                connect_simulator: 2,
            },
            run: Some(Run {
                started_at: jiff::Timestamp::UNIX_EPOCH,
                program: Program::current(),
            }),
        };
        record.write(&folder).unwrap();
        assert_eq!(Record::read(&folder).unwrap(), Some(record));

        let content = fs::read(folder.file(FILE)).unwrap();
        fs::write(folder.file(FILE), &content[..content.len() / 2]).unwrap();
        assert_eq!(Record::read(&folder).unwrap(), None);
    }
}
