//! `protected`: what guards a production stack and its directory, and how it is lifted.

use std::process::Command;

use serde_json::Value;

use crate::aws::Aws;
use crate::project::{Project, artifacts, finish};

const STACK: &str = "connect-scim-prod";

fn write(project: &Project, protected: bool) {
    project.write_environment(
        "prod",
        &format!(
            "account: \"000000000000\"\n\
             region: us-east-1\n\
             stackName: {STACK}\n\
             protected: {protected}\n\
             connect: {{instanceId: 11111111-2222-4333-8444-555555555555}}\n\
             api: {{accessLogs: false}}\n"
        ),
    );
}

/// `VERB --env prod`, with the local cloud in the place of AWS.
fn command(project: &Project, verb: &str) -> Command {
    let mut command = project.command(&[verb, "--env", "prod"]);
    if verb != "plan" {
        command.arg("--yes");
    }
    command
        .env("AWS_ENDPOINT_URL", project.cloud_url())
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test");
    if verb == "deploy" || verb == "plan" {
        command.arg("--artifacts").arg(artifacts());
    }
    command
}

/// Whether the stack cannot be deleted, and its policy.
fn guards(aws: &Aws) -> (bool, Option<Value>) {
    let cloudformation = aws.cloudformation();
    let stacks = cloudformation.describe_stacks().stack_name(STACK).send();
    let stacks = aws.wait(stacks).unwrap();
    let policy = cloudformation.get_stack_policy().stack_name(STACK).send();
    let policy = aws.wait(policy).unwrap();
    (
        stacks.stacks()[0].enable_termination_protection().unwrap(),
        policy
            .stack_policy_body()
            .map(|body| serde_json::from_str(body).unwrap()),
    )
}

#[test]
fn a_protected_stack_keeps_itself_and_its_directory_until_that_is_lifted() {
    let project = Project::new();
    project.run(&["local", "up"]).expect_code(0);
    let aws = Aws::of(&project);

    write(&project, true);
    finish(&mut command(&project, "deploy")).expect_code(0);
    let guarded = guards(&aws);
    let (terminates, policy) = guarded.clone();
    assert!(terminates);
    let policy = policy.unwrap();
    assert_eq!(policy["Statement"][1]["Effect"], "Deny");
    assert_eq!(
        policy["Statement"][1]["Resource"],
        "LogicalResourceId/DirectoryTable"
    );
    let refused = finish(&mut command(&project, "destroy")).expect_code(1);
    assert!(
        refused.stderr.contains("is protected"),
        "{}",
        refused.stderr
    );
    let again = finish(&mut command(&project, "deploy")).expect_code(0);
    assert!(again.stderr.contains("nothing changed"), "{}", again.stderr);

    // Somebody lifts both by hand, which is a change like any other.
    let open = r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"}]}"#;
    let cloudformation = aws.cloudformation();
    let call = cloudformation.set_stack_policy().stack_name(STACK);
    aws.wait(call.stack_policy_body(open).send()).unwrap();
    let call = cloudformation.update_termination_protection();
    let call = call.stack_name(STACK).enable_termination_protection(false);
    aws.wait(call.send()).unwrap();
    let planned = finish(&mut command(&project, "plan")).expect_code(4);
    for line in [
        "StackPolicy: every update is allowed → no update replaces or deletes the directory",
        "TerminationProtection: false → true",
    ] {
        assert!(planned.stdout.contains(line), "{}", planned.stdout);
    }
    finish(&mut command(&project, "deploy")).expect_code(0);
    assert_eq!(guards(&aws), guarded);
    finish(&mut command(&project, "plan")).expect_code(0);

    write(&project, false);
    finish(&mut command(&project, "deploy")).expect_code(0);
    let (terminates, policy) = guards(&aws);
    assert!(!terminates);
    assert_eq!(
        policy.unwrap()["Statement"].as_array().unwrap().len(),
        1,
        "everything is allowed again"
    );
}
