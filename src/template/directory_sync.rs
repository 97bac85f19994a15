//! What the template of a directory sync sees.

use std::collections::BTreeSet;

use directory_sync::cache::S3Object;
use serde::Serialize;
use serde_json::Value;

use super::Error;
use crate::environment::{Architecture, Environment};

/// Most characters of an SSM parameter of the tier Standard.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html>
const LONGEST_STANDARD_PARAMETER: usize = 4096;

/// The port of HTTPS, which ECR and CloudWatch Logs answer at.
const HTTPS: u16 = 443;

/// The variables of the template.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Context<'a> {
    /// The environment file, defaults filled in.
    environment: Value,
    /// Of the image's manifest: `sha256:…`.
    image_digest: &'a str,
    cpu_architecture: &'static str,
    /// JSON, which is YAML as well.
    configuration: String,
    parameter_tier: &'static str,
    owner: String,
    /// YAML of the dimensions that the run's metrics have.
    metric_dimensions: String,
    directories: Vec<Directory<'a>>,
    https_ports: BTreeSet<u16>,
    /// The object in S3 that keeps notes of the last run.
    cache: Option<&'a S3Object>,
    run_period_seconds: u32,
    /// After this the next run is due.
    event_age_seconds: u32,
}

/// One address range in which servers of the directory are, and a port of theirs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Directory<'a> {
    cidr: &'a str,
    is_ipv6: bool,
    port: u16,
}

impl<'a> Context<'a> {
    pub(super) fn new(environment: &'a Environment, image_digest: &'a str) -> Result<Self, Error> {
        let sync = environment.directory_sync()?;
        let (configuration, task) = (sync.configuration, sync.task);
        let text = serde_json::to_string(configuration).map_err(Error::Environment)?;
        let servers = configuration.source.servers.iter();
        let ports: BTreeSet<u16> = servers.map(|server| server.port()).collect();
        let cidrs = task
            .network
            .directory_cidrs
            .iter()
            .map(AsRef::<str>::as_ref);
        let directories = cidrs
            .flat_map(|cidr| {
                ports.iter().map(move |port| Directory {
                    cidr,
                    is_ipv6: cidr.contains(':'),
                    port: *port,
                })
            })
            .collect();
        let run_period_seconds = task.every_minutes.get() * 60;
        Ok(Self {
            environment: serde_json::to_value(environment).map_err(Error::Environment)?,
            image_digest,
            cpu_architecture: match task.architecture {
                Architecture::X86_64 => "X86_64",
                Architecture::Arm64 => "ARM64",
            },
            parameter_tier: if text.len() > LONGEST_STANDARD_PARAMETER {
                "Advanced"
            } else {
                "Standard"
            },
            configuration: text,
            owner: configuration.owner.to_string(),
            metric_dimensions: format!(
                "[{{Name: DirectorySync, Value: \"{}\"}}]",
                configuration.owner
            ),
            directories,
            https_ports: [HTTPS, configuration.target.endpoint.port()].into(),
            cache: configuration
                .cache
                .as_ref()
                .and_then(|cache| cache.s3.as_ref()),
            run_period_seconds,
            event_age_seconds: run_period_seconds,
        })
    }
}
