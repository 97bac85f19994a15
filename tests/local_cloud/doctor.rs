//! `doctor`: all is well in the local cloud, and what is not is named with its cure.

use serde_json::{Value, json};

use crate::aws::Aws;
use crate::project::{Project, finish};

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

/// A policy that allows everything but these actions.
fn everything_but(actions: &[&str]) -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "NotAction": actions, "Resource": "*"},
    ]})
}

/// `doctor` by a user of the cloud; a `service_role` for CloudFormation.
fn examined(project: &Project, user: &(String, String), service_role: Option<&str>) -> String {
    let role = service_role.map_or(String::new(), |arn| {
        format!("stack: {{serviceRoleArn: '{arn}'}}\n")
    });
    project.write_environment(
        "prod",
        &format!(
            "account: \"000000000000\"\n\
             region: us-east-1\n\
             stackName: connect-scim-prod\n\
             connect: {{instanceId: 11111111-2222-4333-8444-555555555555}}\n\
             api: {{accessLogs: false}}\n{role}"
        ),
    );
    let mut command = project.command(&["doctor", "--env", "prod"]);
    command
        .env("AWS_ENDPOINT_URL", project.cloud_url())
        .env("AWS_ACCESS_KEY_ID", &user.0)
        .env("AWS_SECRET_ACCESS_KEY", &user.1);
    // Nothing on this endpoint knows of Connect.
    finish(&mut command).expect_code(1).stdout
}

#[test]
fn an_action_that_is_missing_is_named_with_the_cure() {
    let project = Project::new();
    project.run(&["local", "up"]).expect_code(0);
    let aws = Aws::of(&project);
    let user = "arn:aws:iam::000000000000:user";

    let able = aws.create_user("able", &everything_but(&["ec2:RunInstances"]));
    let told = examined(&project, &able, None);
    assert!(
        told.contains(&format!("ok    permissions        {user}/able may do all ")),
        "{told}"
    );

    let unable = aws.create_user(
        "unable",
        &json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "NotAction": ["sqs:CreateQueue"], "Resource": "*"},
            {"Effect": "Deny", "Action": ["lambda:AddPermission"], "Resource": "*"},
        ]}),
    );
    let told = examined(&project, &unable, None);
    for line in [
        format!("FAIL  permissions        {user}/unable: no policy allows sqs:CreateQueue; a policy denies lambda:AddPermission\n"),
        "                         allow these actions to the principal, or deploy with a role that has them (`roleArn`)\n".to_owned(),
    ] {
        assert!(told.contains(&line), "no {line:?}:\n{told}");
    }
}

#[test]
fn with_a_service_role_it_is_the_role_that_needs_the_permissions_of_the_resources() {
    let project = Project::new();
    project.run(&["local", "up"]).expect_code(0);
    let aws = Aws::of(&project);
    let role = aws.create_role("Maker", &everything_but(&["dynamodb:CreateTable"]));
    let makes_nothing = [
        "sqs:*",
        "dynamodb:*",
        "events:*",
        "iam:CreateRole",
        "lambda:CreateFunction",
    ];

    let passing = aws.create_user("passing", &everything_but(&makes_nothing));
    let told = examined(&project, &passing, Some(&role));
    for line in [
        "ok    permissions        arn:aws:iam::000000000000:user/passing may do all ",
        &format!("FAIL  service role       {role}: no policy allows dynamodb:CreateTable\n"),
        "allow these actions to the role, or name another one in `stack.serviceRoleArn`\n",
    ] {
        assert!(told.contains(line), "no {line:?}:\n{told}");
    }

    let keeping = aws.create_user("keeping", &everything_but(&["iam:PassRole"]));
    let told = examined(&project, &keeping, Some(&role));
    let line = "FAIL  permissions        arn:aws:iam::000000000000:user/keeping: no policy allows iam:PassRole\n";
    assert!(told.contains(line), "{told}");

    let nobody = "arn:aws:iam::000000000000:role/Nobody";
    let told = examined(&project, &passing, Some(nobody));
    assert!(told.contains("service role       "), "{told}");
    assert!(!told.contains("ok    service role"), "{told}");
}
