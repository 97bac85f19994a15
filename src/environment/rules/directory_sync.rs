//! What keys may not say together in a directory sync.

use std::collections::BTreeSet;

use directory_sync::configuration::Configuration;

use super::{MOST_ASSIGNMENT_RESOURCES, OF_ENDPOINTS, Violation, complain, path};
use crate::environment::yaml::Step;
use crate::environment::{Assignments, Cloud, Environment, Task};

/// Most characters of an SSM parameter of the tier Advanced, which brings the configuration to
/// the task.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html>
const LONGEST_PARAMETER: usize = 8192;

/// Most subnets of a task.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AwsVpcConfiguration.html>
const MOST_SUBNETS: usize = 16;

pub(super) fn violations(
    environment: &Environment,
    sync: &Configuration,
    written: &dyn Fn(&str) -> bool,
    found: &mut Vec<Violation>,
) {
    for key in OF_ENDPOINTS.into_iter().filter(|key| written(key)) {
        complain(
            found,
            path(&[key]),
            format!("`{key}` is of endpoints, and has no effect with `directorySync`"),
            "remove it",
        );
    }
    for (key, is_set) in [
        ("watch", environment.drift.watch.is_some()),
        ("simulatePrincipals", environment.drift.simulate_principals),
    ] {
        if is_set {
            complain(
                found,
                path(&["drift", key]),
                format!(
                    "`drift.{key}` is about edits of Connect users, and has no effect with `directorySync`"
                ),
                "remove it",
            );
        }
    }
    configuration(sync, found);
    if let Some(assignments) = &environment.assignments {
        if environment.cloud == Cloud::Local {
            complain(
                found,
                path(&["assignments"]),
                "`assignments` cannot go with `cloud: local`: it has no IAM Identity Center",
                "remove it, or write `cloud: aws`",
            );
        }
        self::assignments(assignments, found);
    }
    match &environment.task {
        Some(task) => self::task(task, found),
        None => complain(
            found,
            path(&["task"]),
            "`task` is missing: a directory sync must say where in the network it runs",
            "add `task:` with `network:`, and below it `vpcId`, `subnetIds` and `directoryCidrs`",
        ),
    }
}

fn configuration(sync: &Configuration, found: &mut Vec<Violation>) {
    if let Err(error) = sync.check() {
        complain(
            found,
            path(&["directorySync"]),
            format!("`directorySync`: {error}"),
            "`docs/directory-sync.md` has an example of every key",
        );
    }
    let secrets = &sync.secrets;
    let secret = "remove the line, and hand the secret over with `connect-scim sync secret set`";
    for (block, key, is_set, help) in [
        (
            "secrets",
            "bindPasswordFile",
            secrets.bind_password_file.is_some(),
            secret,
        ),
        ("secrets", "tokenFile", secrets.token_file.is_some(), secret),
        (
            "cache",
            "file",
            sync.cache
                .as_ref()
                .is_some_and(|cache| cache.file.is_some()),
            "name an object in S3 instead: `s3: {bucket: …, key: …}`",
        ),
        (
            "source",
            "certificateAuthorityFile",
            sync.source.certificate_authority_file.is_some(),
            "put the certificates themselves into `directorySync.source.certificateAuthorities`",
        ),
    ] {
        if is_set {
            complain(
                found,
                path(&["directorySync", block, key]),
                format!("`directorySync.{block}.{key}` names a file, and the task has none"),
                help,
            );
        }
    }
    for (key, actual, usual) in [
        (
            "bindPasswordVariable",
            &secrets.bind_password_variable,
            "DIRECTORY_SYNC_BIND_PASSWORD",
        ),
        (
            "tokenVariable",
            &secrets.token_variable,
            "DIRECTORY_SYNC_TOKEN",
        ),
    ] {
        if actual != usual {
            complain(
                found,
                path(&["directorySync", "secrets", key]),
                format!("`directorySync.secrets.{key}` is {actual}, and the task has {usual}"),
                "remove the line",
            );
        }
    }
    let length = serde_json::to_string(sync).map_or(0, |text| text.len());
    if length > LONGEST_PARAMETER {
        complain(
            found,
            path(&["directorySync"]),
            format!(
                "`directorySync` makes {length} characters, and the SSM parameter that brings it to the task takes {LONGEST_PARAMETER}"
            ),
            "name groups by a pattern instead of one by one, or split the directory into two syncs",
        );
    }
}

fn assignments(assignments: &Assignments, found: &mut Vec<Violation>) {
    let mut resources = assignments.permission_sets.len();
    for (group, entries) in &assignments.groups {
        let mut seen = BTreeSet::new();
        for (index, entry) in entries.iter().enumerate() {
            let at = |key: &str| {
                let mut path = path(&["assignments", "groups", group.get()]);
                path.extend([Step::Item(index), Step::Key(key.to_owned())]);
                path
            };
            let name = &entry.permission_set;
            if !assignments.permission_sets.contains_key(name) {
                complain(
                    found,
                    at("permissionSet"),
                    format!("`assignments.permissionSets` has no `{name}`"),
                    "name one of those that it has, or add it",
                );
            }
            resources += entry.accounts.len();
            for account in &entry.accounts {
                if !seen.insert((name, account)) {
                    complain(
                        found,
                        at("accounts"),
                        format!("the group `{group}` gets into {account} with {name} twice"),
                        "remove one of them",
                    );
                }
            }
        }
    }
    if resources > MOST_ASSIGNMENT_RESOURCES {
        complain(
            found,
            path(&["assignments"]),
            format!(
                "`assignments` makes {resources} resources: a stack has room for {MOST_ASSIGNMENT_RESOURCES} of them"
            ),
            "split it, with the directory sync, into two files with different groups",
        );
    }
}

fn task(task: &Task, found: &mut Vec<Violation>) {
    if !task.cpu.offers(task.memory_mb.get()) {
        complain(
            found,
            path(&["task", "memoryMb"]),
            format!(
                "`task.memoryMb` is {}, which Fargate does not offer with `cpu: {}`",
                task.memory_mb,
                u32::from(task.cpu)
            ),
            "Fargate offers 512, 1024 and 2048 with 256, 1024 to 4096 with 512, 2048 to 8192 with 1024, 4096 to 16384 with 2048 and 8192 to 30720 with 4096, in steps of 1024",
        );
    }
    if task.jitter_minutes.get() >= task.every_minutes.get() {
        complain(
            found,
            path(&["task", "jitterMinutes"]),
            format!(
                "`task.jitterMinutes` is {}, and a run begins every {} minutes",
                task.jitter_minutes, task.every_minutes
            ),
            "make it less than `task.everyMinutes`",
        );
    }
    let network = &task.network;
    if network.subnet_ids.is_empty() || network.subnet_ids.len() > MOST_SUBNETS {
        complain(
            found,
            path(&["task", "network", "subnetIds"]),
            format!("`task.network.subnetIds` must name 1 to {MOST_SUBNETS} subnets"),
            "name two private subnets in different availability zones",
        );
    }
    if network.directory_cidrs.is_empty() {
        complain(
            found,
            path(&["task", "network", "directoryCidrs"]),
            "`task.network.directoryCidrs` is empty: the task could reach no directory",
            "name the address ranges of the directory's servers, such as 10.0.0.0/16",
        );
    }
}
