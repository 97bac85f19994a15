//! What `local status` tells.

use std::path::PathBuf;

use serde::Serialize;

use super::process::Process;
use super::record::{Program, Record};
use super::{Error, Folder, Service};

/// The state of a local cloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The worst of the services' states.
    pub health: Health,
    /// Where everything of this cloud lies.
    pub folder: PathBuf,
    /// When it was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<jiff::Timestamp>,
    /// Whether another version of this program started it, so that `up` will replace it.
    pub outdated: bool,
    /// MiniStack and the Connect simulator.
    pub services: Vec<ServiceStatus>,
}

/// The state of one of the cloud's processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceStatus {
    /// Which one.
    pub service: Service,
    /// Whether it serves.
    pub health: Health,
    /// Its process, while it lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process_id: Option<i32>,
    /// Where it answers, or answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Its log.
    pub log: PathBuf,
}

/// Whether something runs and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Health {
    /// It answers.
    Running,
    /// It is not there and should not be.
    Stopped,
    /// It should be there and is not.
    Dead,
    /// It is there and does not answer.
    Silent,
}

impl Health {
    /// As in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Dead => "dead",
            Self::Silent => "silent",
        }
    }

    /// Whether nothing is wrong: it runs, or nobody wants it to.
    #[must_use]
    pub fn is_sound(self) -> bool {
        matches!(self, Self::Running | Self::Stopped)
    }
}

impl Status {
    pub(super) fn of(folder: &Folder) -> Result<Self, Error> {
        let record = Record::read(folder)?;
        let ports = record.as_ref().map(|record| record.ports);
        let run = record.and_then(|record| record.run);
        let services = Service::ALL
            .into_iter()
            .map(|service| {
                let process = Process::of(folder, service);
                let health = match (process.is_alive()?, ports) {
                    (true, Some(ports)) if service.answers(folder, ports) => Health::Running,
                    (true, _) => Health::Silent,
                    (false, _) if run.is_some() => Health::Dead,
                    (false, _) => Health::Stopped,
                };
                Ok(ServiceStatus {
                    service,
                    health,
                    process_id: process.pid()?.map(|pid| pid.as_raw_nonzero().get()),
                    url: ports.map(|ports| service.url(ports)),
                    log: process.log(),
                })
            })
            .collect::<Result<Vec<_>, Error>>()?;
        Ok(Self {
            health: services
                .iter()
                .map(|service| service.health)
                .max()
                .unwrap_or(Health::Stopped),
            folder: folder.path().to_owned(),
            outdated: run
                .as_ref()
                .is_some_and(|run| run.program != Program::current()),
            started_at: run.map(|run| run.started_at),
            services,
        })
    }
}
