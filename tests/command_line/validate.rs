//! `connect-scim validate`.

use std::fs;

use crate::{connect_scim, outcome};

#[test]
fn every_file_of_the_project_is_valid() {
    insta::assert_snapshot!(outcome(connect_scim().args(["validate", "--all"])));
}

#[test]
fn a_valid_environment_is_one_line_and_exit_code_0() {
    insta::assert_snapshot!(outcome(connect_scim().args(["validate", "--env", "local"])));
}

#[test]
fn the_directory_is_found_from_below() {
    let command = &mut connect_scim();
    command
        .current_dir(crate::root().join("tests/command_line"))
        .args(["validate", "--env", "dev"]);
    insta::assert_snapshot!(outcome(command));
}

#[test]
fn an_unknown_environment_names_the_others_and_ends_with_exit_code_3() {
    insta::assert_snapshot!(outcome(connect_scim().args(["validate", "--env", "lokal"])));
}

#[test]
fn problems_are_drawn_without_colour_for_a_pipe_and_end_with_exit_code_3() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(
        directory.path().join("broken.yaml"),
        "cloud: local\nregion: us-east-1\nstackName: a\nstag: dev\nprotected: true\nconnect:\n  instanceId: 11111111-2222-4333-8444-555555555555\n",
    )
    .unwrap();
    let command = &mut connect_scim();
    command
        .current_dir(directory.path())
        .env_remove("NO_COLOR")
        .args(["validate", "--env", "./broken.yaml"]);
    insta::assert_snapshot!(outcome(command));
}

#[test]
fn all_files_are_checked_even_after_a_bad_one() {
    let directory = tempfile::tempdir().unwrap();
    let environments = directory.path().join("environments");
    fs::create_dir(&environments).unwrap();
    fs::write(environments.join("a.yaml"), "region: 5\n").unwrap();
    fs::write(environments.join("b.yaml"), "").unwrap();
    fs::copy(
        crate::root().join("environments/dev.yaml"),
        environments.join("c.yaml"),
    )
    .unwrap();
    let command = &mut connect_scim();
    command
        .current_dir(directory.path())
        .args(["validate", "--all"]);
    insta::assert_snapshot!(outcome(command));
}

#[test]
fn github_actions_shows_each_problem_beside_its_line() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("environments")).unwrap();
    fs::write(
        directory.path().join("environments/broken.yaml"),
        "region: us-east-1\nstackName: a\nstag: dev\n",
    )
    .unwrap();
    let command = &mut connect_scim();
    command
        .current_dir(directory.path())
        .env("GITHUB_ACTIONS", "true")
        .args(["validate", "--all", "--quiet"]);
    let told = outcome(command);
    let commands: Vec<_> = told.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!(
        commands,
        [
            "::error title=connect-scim,file=environments/broken.yaml,line=1,col=1::`connect` is missing: an endpoint needs its Connect instance%0Aadd `connect:` with the `instanceId`; or `directorySync:` and `task:` for a sync of a directory with IAM Identity Center",
            "::error title=connect-scim,file=environments/broken.yaml,line=3,col=1::unknown key `stag`%0Adid you mean `stage`?",
        ]
    );
}
