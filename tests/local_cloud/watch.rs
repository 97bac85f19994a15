//! Deployments that are left to themselves, and how one comes back to them.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::generator;
use crate::project::{Project, finish};

/// A project whose first deployment takes so many seconds, and its deletion as well.
fn slow(seconds: f32) -> (Project, PathBuf) {
    let project = Project::new();
    project.run(&["local", "up"]).expect_code(0);
    let packages = generator::packages(project.path(), &[], seconds);
    (project, packages)
}

fn deploy(project: &Project, packages: &PathBuf, arguments: &[&str]) -> Command {
    let mut command = project.command(&["deploy", "--env", "local", "--artifacts"]);
    command.arg(packages).args(arguments);
    command
}

#[test]
fn a_detached_deployment_is_watched_to_its_end() {
    let (project, packages) = slow(4.0);
    let detached = finish(&mut deploy(&project, &packages, &["--detach"])).expect_code(0);
    assert!(
        detached
            .stderr
            .ends_with("this follows it to its end:\n  connect-scim watch --env local\n"),
        "{}",
        detached.stderr
    );
    assert!(detached.stdout.is_empty(), "{}", detached.stdout);

    // Another deployment does not wait unless it is told to, and names the first.
    project.edit_environment("logLevel: debug", "logLevel: info");
    let busy = finish(&mut deploy(&project, &packages, &[])).expect_code(8);
    assert!(
        busy.stderr
            .contains("connect-scim-local is busy: CREATE_IN_PROGRESS, operation connect-scim-"),
        "{}",
        busy.stderr
    );
    assert!(
        busy.stderr
            .contains("`connect-scim watch --env local` follows it"),
        "{}",
        busy.stderr
    );
    let recovered = project
        .run(&["recover", "--env", "local", "--yes"])
        .expect_code(8);
    assert!(recovered.stderr.contains("is busy"), "{}", recovered.stderr);

    let watched = project.run(&["watch", "--env", "local"]).expect_code(0);
    assert!(
        watched.stderr.contains("CREATE_IN_PROGRESS"),
        "{}",
        watched.stderr
    );
    assert!(
        watched
            .stderr
            .ends_with("connect-scim-local is deployed (CREATE_COMPLETE)\n"),
        "{}",
        watched.stderr
    );
    assert!(watched.stdout.contains("OktaBaseUrl"), "{}", watched.stdout);

    let ended = project
        .run(&["watch", "--env", "local", "--format", "json"])
        .expect_code(0);
    let last: Value = serde_json::from_str(ended.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["type"], "result");
    assert_eq!(last["status"], "CREATE_COMPLETE");
}

#[test]
fn when_the_time_is_up_the_deployment_goes_on() {
    let (project, packages) = slow(12.0);
    finish(&mut deploy(&project, &packages, &["--detach"])).expect_code(0);
    let late = finish(&mut deploy(&project, &packages, &["--timeout", "4s"])).expect_code(8);
    let end: Vec<&str> = late.stderr.lines().rev().take(2).collect();
    assert_eq!(
        end,
        [
            "hint: `connect-scim watch --env local` follows it to its end",
            "error: the time of 4s is up; the deployment of connect-scim-local goes on in the cloud",
        ]
    );
    project.edit_environment("logLevel: debug", "logLevel: info");
    // The time counts for waiting, too.
    let late = finish(&mut deploy(
        &project,
        &packages,
        &["--wait", "--timeout", "3s"],
    ))
    .expect_code(8);
    assert!(
        late.stderr
            .contains("another operation on connect-scim-local goes on in the cloud"),
        "{}",
        late.stderr
    );
    let waited = finish(&mut deploy(&project, &packages, &["--wait"])).expect_code(0);
    assert!(
        waited
            .stderr
            .contains("connect-scim-local is busy (CREATE_IN_PROGRESS, operation connect-scim-"),
        "{}",
        waited.stderr
    );
    assert!(
        waited
            .stderr
            .contains("connect-scim-local is deployed (UPDATE_COMPLETE)"),
        "{}",
        waited.stderr
    );
}

#[test]
fn a_deletion_can_be_watched() {
    let (project, packages) = slow(6.0);
    finish(&mut deploy(&project, &packages, &[])).expect_code(0);
    let destroy = ["destroy", "--env", "local", "--yes", "--timeout", "3s"];
    let late = project.run(&destroy).expect_code(8);
    assert!(
        late.stderr
            .contains("the deletion of connect-scim-local goes on in the cloud"),
        "{}",
        late.stderr
    );
    let watched = project.run(&["watch", "--env", "local"]).expect_code(0);
    assert!(
        watched.stderr.ends_with("connect-scim-local is deleted\n"),
        "{}",
        watched.stderr
    );
    let gone = project.run(&["watch", "--env", "local"]).expect_code(1);
    assert!(gone.stderr.contains("there is no stack"), "{}", gone.stderr);
}
