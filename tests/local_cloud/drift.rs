//! Drift: an untouched stack has none, and whatever somebody changes past the deployment
//! is found and called by its name.
//!
//! The tamperings stand in tables, such as `drift/tamperings.py`, and are made by AWS's own
//! client.

mod directory_sync;
mod somebody;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use connect_scim::cloud::service::LOGS;

use crate::aws::{Aws, EVERYTHING};
use crate::endpoint::Endpoint;
use crate::project::{Project, Run, artifacts, finish};
use somebody::Somebody;

const STACK: &str = "connect-scim-local";
const INSTANCE: &str = "11111111-2222-4333-8444-555555555555";
const NONE: [&str; 0] = [];

#[test]
fn an_untouched_stack_has_no_finding_and_each_tampering_is_found_by_its_id() {
    let project = guarded();
    let mut somebody = Somebody::with(&project, "tamperings.py", STACK);
    provision(&project, &somebody.say("users"));
    for _ in 0..10 {
        expect(&project, "untouched", &NONE);
    }
    let runs = somebody.say("runs");
    let mut tamperings = 0;
    for run in runs.as_array().unwrap() {
        let run = run.as_str().unwrap();
        let applied = somebody.say(&format!("apply {run}"));
        let applied = applied.as_object().unwrap();
        tamperings += applied.len();
        found(&project, run, applied);
        somebody.say("undo");
        expect(&project, &format!("{run}, undone"), &NONE);
    }
    assert!(tamperings >= 40, "{tamperings} tamperings");
}

#[test]
fn what_is_accepted_or_not_deployed_yet_does_not_count_and_the_result_is_kept() {
    let project = Project::new();
    project.deploy();
    project.change_simulator(&json!({"throttle": null}));
    let aws = Aws::of(&project);
    assert_eq!(status(&project)["drift"], Value::Null);

    // Kept only where it is asked for.
    expect(&project, "untouched", &NONE);
    assert_eq!(status(&project)["drift"], Value::Null);
    drift(&project, &["--record"]).expect_code(0);
    assert_eq!(status(&project)["drift"]["counts"]["drift"], 0);

    let call = aws
        .lambda()
        .update_function_configuration()
        .function_name("connect-scim-local-reconciler")
        .memory_size(512);
    aws.wait(call.send()).unwrap();
    let run = drift(&project, &["--record", "--format", "json"]).expect_code(4);
    assert_eq!(
        ids(&report(&run)),
        ["function.MemorySize:ReconcilerFunction"]
    );
    let kept = &status(&project)["drift"];
    assert_eq!(
        (&kept["exitCode"], &kept["counts"]["drift"]),
        (&json!(4), &json!(1))
    );
    let text = project.run(&["status", "--env", "local"]).expect_code(0);
    assert!(
        text.stdout
            .contains("drift     1 FINDING  within the last hour"),
        "{}",
        text.stdout
    );

    let accept = |from: &str, expires: &str| {
        let accepted = format!(
            "\ndrift:\n  accepted:\n    - {{id: 'function.MemorySize:*', reason: OPS-1, expires: {expires}}}\n    - {{id: 'api.stage:RestApi:x', reason: OPS-2, expires: 2099-12-31}}\n\nfunctions:\n"
        );
        project.edit_environment(from, &accepted);
    };
    accept("\nfunctions:\n", "2099-12-31");
    let run = drift(&project, &["--format", "json"]).expect_code(0);
    let accepted = report(&run);
    assert_eq!(accepted["findings"][0]["kind"], "accepted");
    assert_eq!(accepted["findings"][0]["acceptance"]["reason"], "OPS-1");
    assert_eq!(
        accepted["unusedAcceptances"],
        json!(["api.stage:RestApi:x"])
    );
    assert!(run.stderr.contains("api.stage:RestApi:x"), "{}", run.stderr);
    project.edit_environment("2099-12-31}\n    -", "2026-01-31}\n    -");
    let run = drift(&project, &[]).expect_code(4);
    assert!(
        run.stdout
            .contains("it was accepted until 2026-01-31: OPS-1"),
        "{}",
        run.stdout
    );

    let set_back = aws
        .lambda()
        .update_function_configuration()
        .function_name("connect-scim-local-reconciler")
        .memory_size(256);
    aws.wait(set_back.send()).unwrap();
    project.edit_environment("\napi:\n", "\napi:\n  throttle: {rate: 20, burst: 40}\n");
    let undeployed = report(&drift(&project, &["--format", "json"]).expect_code(0));
    assert_eq!(undeployed["counts"]["drift"], 0);
    assert_eq!(
        ids(&undeployed),
        [
            "template.undeployed:ApiStage",
            "template.undeployed:UsagePlanIdp"
        ],
        "not deployed yet is no drift"
    );

    project
        .run(&["destroy", "--env", "local", "--yes"])
        .expect_code(0);
    let parameters = aws.wait(aws.ssm().describe_parameters().send()).unwrap();
    assert!(parameters.parameters().is_empty(), "{parameters:?}");
}

#[test]
fn a_change_is_told_with_its_caller_and_time_where_cloudtrail_knows() {
    let project = Project::new();
    project.deploy();
    project.change_simulator(&json!({"throttle": null}));
    let aws = Aws::of(&project);
    aws.record_calls();
    let everything = serde_json::from_str(EVERYTHING).unwrap();
    let (key, secret) = aws.create_user("mallory", &everything);
    let mallory = Aws::with_key(&project, &key, &secret);
    // The local cloud knows users in CloudTrail by their keys.
    let arn = format!("arn:aws:iam::000000000000:user/{key}");

    let function = "connect-scim-local-reconciler";
    let memory = mallory.lambda().update_function_configuration();
    mallory
        .wait(memory.function_name(function).memory_size(512).send())
        .unwrap();
    let group = json!({"logGroupName": "/aws/lambda/connect-scim-local-reconciler"});
    mallory.call(LOGS, "DeleteRetentionPolicy", &group);
    // Recorded by the local cloud under no name that it has on AWS: nobody is blamed.
    let boundary = mallory.lambda().put_function_concurrency();
    let boundary = boundary.function_name(function);
    mallory
        .wait(boundary.reserved_concurrent_executions(0).send())
        .unwrap();

    let asked = |more: &[&str]| {
        let mut command = project.command(&["drift", "--env", "local", "--artifacts"]);
        finish(command.arg(artifacts()).args(more)).expect_code(4)
    };
    let report = report(&asked(&["--format", "json"]));
    let told: BTreeMap<&str, (&Value, &Value)> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            let id = finding["id"].as_str().unwrap();
            (id, (&finding["by"], &finding["event"]))
        })
        .collect();
    let (by, none) = (&json!(arn), &Value::Null);
    assert_eq!(
        told,
        BTreeMap::from([
            (
                "function.MemorySize:ReconcilerFunction",
                (by, &json!("UpdateFunctionConfiguration")),
            ),
            (
                "function.ReservedConcurrentExecutions:ReconcilerFunction",
                (none, none),
            ),
            (
                "logs.RetentionInDays:ReconcilerLogGroup",
                (by, &json!("DeleteRetentionPolicy")),
            ),
        ])
    );
    assert!(report.get("notes").is_none(), "{report}");
    for format in ["text", "markdown", "html", "junit", "sarif"] {
        let printed = asked(&["--format", format]).stdout;
        assert!(printed.contains(&arn), "{format}: {printed}");
    }
    let printed = asked(&["--no-trail"]).stdout;
    assert!(!printed.contains(&arn), "{printed}");

    let token = "/connect-scim/connect-scim-local/token/idp";
    let read = mallory.ssm().get_parameter().name(token);
    mallory.wait(read.with_decryption(true).send()).unwrap();
    let printed = asked(&["--token-readers"]).stdout;
    let told = format!("besides the endpoint, {arn} was the last to read {token}");
    assert!(printed.contains(&told), "{printed}");
}

#[test]
fn who_may_not_ask_cloudtrail_is_told_so_once_and_nothing_else_changes() {
    let project = Project::new();
    project.deploy();
    let aws = Aws::of(&project);
    let group = json!({"logGroupName": "/aws/lambda/connect-scim-local-reconciler"});
    aws.call(LOGS, "DeleteRetentionPolicy", &group);
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "cloudtrail:LookupEvents", "Resource": "*"},
    ]});
    let (key, secret) = aws.create_user("auditor", &policy);
    project.write_environment(
        "audit",
        &format!(
            "account: \"000000000000\"\n\
             region: us-east-1\n\
             stackName: {STACK}\n\
             connect: {{instanceId: {INSTANCE}}}\n"
        ),
    );
    let mut command = project.command(&["drift", "--env", "audit", "--artifacts"]);
    command
        .arg(artifacts())
        .env("AWS_ENDPOINT_URL", project.cloud_url())
        .env("AWS_ACCESS_KEY_ID", key)
        .env("AWS_SECRET_ACCESS_KEY", secret);
    let run = finish(&mut command).expect_code(4);
    let notes = run.stdout.matches("cloudtrail:LookupEvents").count();
    assert_eq!(notes, 1, "{}", run.stdout);
}

#[test]
fn without_a_stack_there_is_nothing_to_compare_with() {
    let project = Project::new();
    project.run(&["local", "up"]).expect_code(0);
    let run = drift(&project, &[]).expect_code(1);
    assert!(
        run.stderr.contains("there is no stack connect-scim-local"),
        "{}",
        run.stderr
    );
}

/// A stack whose guardrail binds an administrator.
fn guarded() -> Project {
    let project = Project::new();
    project.run(&["local", "up"]).expect_code(0);
    let aws = Aws::of(&project);
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:root"},"Action":"sts:AssumeRole"}]}"#;
    let role = aws.iam().create_role().role_name("Administrator");
    aws.wait(role.assume_role_policy_document(trust).send())
        .unwrap();
    project.edit_environment(
        "\nguardrails:\n",
        "\ndrift:\n  watch: {}\n\nguardrails:\n  attachTo: {roles: [Administrator]}\n",
    );
    project.deploy();
    project.change_simulator(&json!({"throttle": null}));
    project
}

/// Has the endpoint make users, as an identity provider would.
fn provision(project: &Project, names: &Value) {
    let scim = Endpoint::of(project);
    for name in names.as_array().unwrap() {
        let name = name.as_str().unwrap();
        let user = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": format!("{name}@example.com"),
            "name": {"givenName": "Canary-Name", "familyName": "Example"},
            "emails": [{"value": format!("{name}@example.org"), "type": "work", "primary": true}],
        });
        scim.post("/Users", &user).expect(201);
    }
}

fn drift(project: &Project, more: &[&str]) -> Run {
    let mut command = project.command(&["drift", "--env", "local", "--artifacts"]);
    // Each question to CloudTrail takes half a second; one test asks it.
    finish(command.arg(artifacts()).arg("--no-trail").args(more))
}

fn report(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap()
}

fn status(project: &Project) -> Value {
    let arguments = ["status", "--env", "local", "--format", "json"];
    report(&project.run(&arguments).expect_code(0))
}

fn ids(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let mut ids: Vec<_> = findings
        .map(|finding| finding["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

/// Expects exactly these findings, and the exit code that goes with them.
#[track_caller]
fn expect(project: &Project, when: &str, expected: &[&str]) {
    let run = drift(project, &["--format", "json"]);
    assert_eq!(ids(&report(&run)), expected, "{when}: {}", run.stdout);
    let code = if expected.is_empty() { 0 } else { 4 };
    assert_eq!(run.code, Some(code), "{when}: {}", run.stderr);
}

/// Expects what was applied and nothing else, in every format and without a secret or a name.
#[track_caller]
fn found(project: &Project, when: &str, applied: &Map<String, Value>) {
    let mut expected: Vec<&str> = applied
        .values()
        .flat_map(|ids| ids.as_array().unwrap())
        .map(|id| id.as_str().unwrap())
        .collect();
    expected.sort_unstable();
    expect(project, when, &expected);
    for format in ["text", "json", "markdown", "html", "junit", "sarif"] {
        let run = drift(project, &["--format", format]).expect_code(4);
        let printed = (run.stdout + &run.stderr).to_lowercase();
        assert!(!printed.contains("canary"), "{when}: {printed}");
    }
}
