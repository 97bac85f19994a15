//! `doctor`: all is well in the local cloud, and what is not is named with its cure.

use serde_json::{Value, json};

use crate::project::Project;

/// `(check, outcome)` of each line.
fn outcomes(stdout: &str) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(stdout).unwrap();
    report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| {
            let text = |key: &str| check[key].as_str().unwrap().to_owned();
            (text("check"), text("outcome"))
        })
        .collect()
}

#[test]
fn a_local_cloud_that_runs_is_well_before_and_after_a_deployment() {
    let project = Project::new();
    project.run(&["local", "up"]).expect_code(0);
    for deployed in [false, true] {
        if deployed {
            project.deploy();
        }
        let run = project
            .run(&["doctor", "--env", "local", "--format", "json"])
            .expect_code(0);
        let found = outcomes(&run.stdout);
        let names: Vec<&str> = found.iter().map(|(check, _)| check.as_str()).collect();
        assert_eq!(
            names,
            [
                "tools",
                "clock",
                "caller",
                "permissions",
                "Connect instance",
                "security profiles",
                "routing profiles",
                "users",
                "API logging role",
                "stack",
            ]
        );
        assert!(
            found.iter().all(|(_, outcome)| outcome == "ok"),
            "{}",
            run.stdout
        );
    }
}

#[test]
fn what_is_wrong_in_connect_and_in_the_account_is_told_at_once() {
    let project = Project::new();
    project.edit_environment("  createAccountLoggingRole: true\n", "");
    project.edit_environment(
        "\napi:\n",
        "  defaultSecurityProfile: Agents\n  defaultRoutingProfile: Basic Routing\n\napi:\n",
    );
    project.run(&["local", "up"]).expect_code(0);
    project.change_simulator(&json!({"identityManagement": "CONNECT_MANAGED"}));
    let run = project.run(&["doctor", "--env", "local"]).expect_code(1);
    for line in [
        "FAIL  Connect instance   users of simulated are managed by CONNECT_MANAGED, and the environment says SAML",
        "write `identityManagement: connectManaged` under `connect`",
        "FAIL  security profiles  the instance has no Agents (is Agent meant?)",
        "FAIL  routing profiles   the instance has no Basic Routing (is Basic Routing Profile meant?)",
        "FAIL  API logging role",
        "createAccountLoggingRole: true",
    ] {
        assert!(run.stdout.contains(line), "no {line:?}:\n{}", run.stdout);
    }
    assert!(
        run.stderr.contains("error: 4 of the checks failed"),
        "{}",
        run.stderr
    );
}

#[test]
fn an_instance_that_is_not_there_is_one_line() {
    let project = Project::new();
    let elsewhere = "99999999-2222-4333-8444-555555555555";
    project.edit_environment("11111111-2222-4333-8444-555555555555", elsewhere);
    project.run(&["local", "up"]).expect_code(0);
    let run = project.run(&["doctor", "--env", "local"]).expect_code(1);
    let line = format!("FAIL  Connect instance   there is no instance {elsewhere} in us-east-1");
    assert!(run.stdout.contains(&line), "{}", run.stdout);
}

#[test]
fn without_a_cloud_the_rest_is_told_all_the_same() {
    let project = Project::new();
    let run = project.run(&["doctor", "--env", "local"]).expect_code(1);
    assert!(run.stdout.starts_with("ok    tools"), "{}", run.stdout);
    assert!(
        run.stdout
            .contains("FAIL  cloud              the local cloud is not running"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("start it with `connect-scim local up`"));
}
