//! Credentials that are missing, invalid or somebody else's, and a cloud that cannot be
//! reached: nothing is changed, the exit code tells, the hint helps.

use std::process::Command;

use crate::project::{Project, Run, artifacts, finish};

/// An environment on AWS; the variables of each test decide where AWS is.
fn project() -> Project {
    let project = Project::new();
    project.write_environment(
        "prod",
        "account: \"111122223333\"\n\
         region: us-east-1\n\
         stackName: connect-scim-prod\n\
         connect: {instanceId: 11111111-2222-4333-8444-555555555555}\n\
         api: {accessLogs: false}\n",
    );
    project
}

fn deploy(project: &Project, endpoint: &str, access_key_id: &str) -> Run {
    let mut command = deploy_command(project);
    command
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_ACCESS_KEY_ID", access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", "secret");
    finish(&mut command)
}

/// `deploy --env prod`, with nowhere to find credentials.
fn deploy_command(project: &Project) -> Command {
    let mut command = project.command(&["deploy", "--env", "prod", "--yes", "--artifacts"]);
    command
        .arg(artifacts())
        .env("HOME", project.path())
        .env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

#[test]
fn the_wrong_account_is_refused_before_anything_is_changed() {
    let project = project();
    project.run(&["local", "up"]).expect_code(0);
    // MiniStack takes a key of twelve digits for the root user of that account.
    let run = deploy(&project, &project.cloud_url(), "999988887777").expect_code(9);
    assert!(
        run.stderr.contains("account 999988887777"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr
            .contains("the environment is account 111122223333"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr
            .contains("hint: use credentials of account 111122223333"),
        "{}",
        run.stderr
    );

    let run = deploy(&project, &project.cloud_url(), "111122223333").expect_code(0);
    assert!(
        run.stderr.contains("connect-scim-prod is deployed"),
        "{}",
        run.stderr
    );
}

#[test]
fn invalid_credentials_are_told_from_other_failures() {
    let project = project();
    project.run(&["local", "up"]).expect_code(0);
    let run = deploy(&project, &project.cloud_url(), "AKIAUNKNOWNUNKNOWN00").expect_code(9);
    assert!(
        run.stderr.contains("InvalidClientTokenId"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("hint: sign in again"), "{}", run.stderr);
}

#[test]
fn missing_credentials_are_told_from_other_failures() {
    let project = project();
    let run = finish(&mut deploy_command(&project)).expect_code(9);
    assert!(run.stderr.contains("hint: sign in again"), "{}", run.stderr);
}

#[test]
fn a_cloud_that_cannot_be_reached_is_told_with_what_to_check() {
    let project = project();
    let run = deploy(&project, "http://127.0.0.1:9", "111122223333").expect_code(1);
    assert!(
        run.stderr.contains("hint: check the network"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_command_that_only_looks_does_not_start_the_local_cloud() {
    let project = Project::new();
    let run = project.run(&["outputs", "--env", "local"]).expect_code(1);
    assert!(
        run.stderr.contains("the local cloud is not running"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("deploy --env local"), "{}", run.stderr);
    assert!(run.stdout.is_empty());
}
