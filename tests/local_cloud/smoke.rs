//! `smoke`: the endpoint is tried as an identity provider uses it, and nothing is left.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::project::{Project, finish, finish_with_input};

#[test]
fn an_endpoint_that_works_passes_every_step_and_no_canary_is_left() {
    let project = Project::new();
    project.deploy();
    let read = project.run(&["smoke", "--env", "local"]).expect_code(0);
    insta::assert_snapshot!(without_times(&read.stdout), @r"
    ok    refuse a call without a token                   N ms
    ok    read the service provider configuration         N ms
    ok    read the resource types                         N ms
    ok    read the schemas                                N ms
    ok    read a page of users                            N ms
    ok    read a page of groups                           N ms
    ");

    let write = project
        .run(&["smoke", "--env", "local", "--write", "--format", "json"])
        .expect_code(0);
    let report: Value = serde_json::from_str(&write.stdout).unwrap();
    assert_eq!(report["ok"], true);
    let steps = report["steps"].as_array().unwrap();
    let titles: Vec<_> = steps
        .iter()
        .skip(6)
        .map(|step| step["step"].as_str().unwrap())
        .collect();
    assert_eq!(
        titles,
        [
            "create a canary user",
            "read the canary user",
            "find the canary user by name",
            "suspend the canary user",
            "remove the canary user",
        ]
    );
    assert!(steps.iter().all(|step| step["milliseconds"].is_u64()));
    assert_no_user(&project);
}

#[test]
fn the_step_that_fails_is_named() {
    let project = Project::new();
    project.deploy();
    let wrong = "A".repeat(43);
    let run = finish(
        project
            .command(&["smoke", "--env", "local", "--write"])
            .env("CONNECT_SCIM_TOKEN", &wrong),
    )
    .expect_code(1);
    insta::assert_snapshot!(without_times(&run.stdout), @r"
    ok    refuse a call without a token                   N ms
    FAIL  read the service provider configuration         N ms
    ");
    assert!(
        run.stderr.contains(
            "error: the endpoint failed to read the service provider configuration\n  caused by: answered 401 in place of 200: The bearer token is missing or wrong."
        ),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains(&wrong));

    let piped = finish_with_input(
        &mut project.command(&["smoke", "--env", "local", "--token-stdin"]),
        &project.token(),
    );
    piped.expect_code(0);
}

#[test]
fn a_client_with_jwts_needs_one() {
    let project = Project::new();
    project.deploy();
    project.edit_environment(
        "\nfunctions:\n",
        "\nclients:\n  entra:\n    jwt: {issuer: 'https://login.example.com/t', audience: 'api://scim'}\nfunctions:\n",
    );
    let run = project.run(&["smoke", "--env", "local"]).expect_code(2);
    insta::assert_snapshot!(run.stderr, @r"
    error: a token of the client entra is needed, and only https://login.example.com/t makes them
    hint: get one from the issuer and pipe it in with --token-stdin, or put it into the variable CONNECT_SCIM_TOKEN
    ");
}

#[test]
fn an_interrupted_trial_removes_its_canary() {
    let project = Project::new();
    project.deploy();
    let mut child = project
        .command(&["smoke", "--env", "local", "--write"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("ok    create a canary user")));
    kill_process(
        Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(),
        Signal::INT,
    )
    .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_no_user(&project);
}

#[track_caller]
fn assert_no_user(project: &Project) {
    let users = Endpoint::of(project).get("/Users").expect(200);
    assert_eq!(users.body["totalResults"], 0, "{:#}", users.body);
}

/// The report with `N` in place of each step's time.
fn without_times(report: &str) -> String {
    report
        .lines()
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let milliseconds = words[words.len() - 2];
            let padded = format!("{milliseconds:>6} ms");
            format!("{}\n", line.replace(&padded, "     N ms"))
        })
        .collect()
}
