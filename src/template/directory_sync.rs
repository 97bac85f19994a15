//! What the template of a directory sync sees.

use std::collections::BTreeSet;

use directory_sync::cache::S3Object;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Error, Options};
use crate::environment::{self, Architecture, Assignments, Environment};

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
    owner: String,
    /// YAML of the dimensions that the run's metrics have.
    metric_dimensions: String,
    directories: Vec<Directory<'a>>,
    https_ports: BTreeSet<u16>,
    /// The object in S3 that keeps notes of the last run.
    cache: Option<&'a S3Object>,
    permission_sets: Vec<PermissionSet<'a>>,
    assignments: Vec<Assignment<'a>>,
    run_period_seconds: u32,
}

/// One address range in which servers of the directory are, and a port of theirs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Directory<'a> {
    cidr: &'a str,
    is_ipv6: bool,
    port: u16,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PermissionSet<'a> {
    id: String,
    name: &'a str,
    #[serde(flatten)]
    permissions: &'a environment::PermissionSet,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Assignment<'a> {
    id: String,
    group: &'a str,
    group_id: &'a str,
    permission_set: &'a str,
    permission_set_id: String,
    account: &'a str,
}

/// A logical id that no other `parts` have: letters and digits only.
fn logical_id(prefix: &str, parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
        hash.update([0]);
    }
    let digest = hash.finalize();
    let digits = digest[..8].iter().map(|byte| format!("{byte:02x}"));
    format!("{prefix}{}", digits.collect::<String>())
}

fn permission_set_id(name: &str) -> String {
    logical_id("PermissionSet", &[name])
}

fn assignments<'a>(assignments: &'a Assignments, options: &'a Options) -> Vec<Assignment<'a>> {
    let mut found = Vec::new();
    for (group, entries) in &assignments.groups {
        let group = group.get();
        let Some(group_id) = options.groups.get(group) else {
            continue;
        };
        for entry in entries {
            let permission_set = entry.permission_set.get();
            found.extend(entry.accounts.iter().map(|account| Assignment {
                id: logical_id("Assignment", &[group, permission_set, account.get()]),
                group,
                group_id,
                permission_set,
                permission_set_id: permission_set_id(permission_set),
                account: account.get(),
            }));
        }
    }
    found
}

impl<'a> Context<'a> {
    pub(super) fn new(
        environment: &'a Environment,
        image_digest: &'a str,
        options: &'a Options,
    ) -> Result<Self, Error> {
        let wanted = environment.assignments.as_ref();
        let permission_sets = wanted.into_iter().flat_map(|wanted| {
            let sets = wanted.permission_sets.iter();
            sets.map(|(name, permissions)| PermissionSet {
                id: permission_set_id(name.get()),
                name: name.get(),
                permissions,
            })
        });
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
        Ok(Self {
            environment: serde_json::to_value(environment).map_err(Error::Environment)?,
            image_digest,
            cpu_architecture: match task.architecture {
                Architecture::X86_64 => "X86_64",
                Architecture::Arm64 => "ARM64",
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
            permission_sets: permission_sets.collect(),
            assignments: wanted
                .map(|wanted| assignments(wanted, options))
                .unwrap_or_default(),
            run_period_seconds: task.every_minutes.get() * 60,
        })
    }
}
