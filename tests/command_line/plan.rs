//! `connect-scim plan`.

use std::fs;
use std::path::Path;

use connect_scim::report::plan::json_v1;
use serde_json::Value;

use crate::cloud::{BASE, PlayedProject, PlayedStack, THROTTLED, result};
use crate::{connect_scim, outcome, root};

#[test]
fn nothing_to_do_is_exit_code_0() {
    let project = PlayedProject::deployed_as(BASE, BASE);
    insta::assert_snapshot!(outcome(&mut project.command("plan", &[])), @r"
    exit code: 0
    --- stdout
    nothing to do: scim stands as test says
    --- stderr
    ");
}

#[test]
fn one_changed_throttle_is_shown_with_what_follows_from_it() {
    let project = PlayedProject::deployed_as(BASE, THROTTLED);
    insta::assert_snapshot!(outcome(&mut project.command("plan", &[])), @r"
    exit code: 4
    --- stdout
    scim in account 111122223333, eu-central-1

    Resources
      ~ ApiStage  AWS::ApiGateway::Stage
          MethodSettings[/*].ThrottlingRateLimit: 25 → 20
      ~ UsagePlanIdp  AWS::ApiGateway::UsagePlan
          Throttle.RateLimit: 25 → 20

    API
      all clients together: requests per second 25 → 20
      client idp: requests per second 25 → 20

    scim: 0 to add, 2 to change, 0 to remove
    --- stderr
    ");
    assert_eq!(project.writing_calls(), Vec::<String>::new());
}

#[test]
fn json_has_values_and_a_version() {
    let project = PlayedProject::deployed_as(BASE, THROTTLED);
    insta::assert_snapshot!(outcome(&mut project.command("plan", &["--format", "json"])), @r#"
    exit code: 4
    --- stdout
    {
      "account": "111122223333",
      "action": "update",
      "api": [
        "all clients together: requests per second 25 → 20",
        "client idp: requests per second 25 → 20"
      ],
      "approvals": [],
      "code": [],
      "counts": {
        "add": 0,
        "change": 2,
        "remove": 0,
        "replace": 0
      },
      "environment": "test",
      "fromChangeSet": false,
      "notices": [],
      "permissions": [],
      "region": "eu-central-1",
      "resources": [
        {
          "action": "modify",
          "logicalId": "ApiStage",
          "properties": [
            {
              "after": 20,
              "before": 25,
              "name": "MethodSettings[/*].ThrottlingRateLimit",
              "path": "/Properties/MethodSettings/0/ThrottlingRateLimit",
              "replacement": "none"
            }
          ],
          "replacement": "none",
          "type": "AWS::ApiGateway::Stage"
        },
        {
          "action": "modify",
          "logicalId": "UsagePlanIdp",
          "properties": [
            {
              "after": 20,
              "before": 25,
              "name": "Throttle.RateLimit",
              "path": "/Properties/Throttle/RateLimit",
              "replacement": "none"
            }
          ],
          "replacement": "none",
          "type": "AWS::ApiGateway::UsagePlan"
        }
      ],
      "stack": [],
      "stackName": "scim",
      "version": 1
    }
    --- stderr
    "#);
}

#[test]
fn a_stack_that_does_not_exist_is_planned_without_making_a_shell() {
    for stack in [
        None,
        Some(PlayedStack {
            template: String::new(),
            status: "REVIEW_IN_PROGRESS",
        }),
    ] {
        let project = PlayedProject::new(BASE, stack);
        let output = project
            .command("plan", &["--format", "json"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(4));
        let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(plan["action"], "create");
        assert_eq!(plan["approvals"], serde_json::json!([]));
        assert!(plan["counts"]["add"].as_u64().unwrap() > 50);
        assert_eq!(project.writing_calls(), Vec::<String>::new());
    }
}

#[test]
fn a_busy_stack_is_planned_with_a_warning() {
    let project = PlayedProject::new(
        BASE,
        Some(PlayedStack {
            template: "Resources: {}".to_owned(),
            status: "UPDATE_IN_PROGRESS",
        }),
    );
    let output = project.command("plan", &[]).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    insta::assert_snapshot!(
        String::from_utf8_lossy(&output.stderr),
        @"warning: scim is in the state UPDATE_IN_PROGRESS: what follows may not hold for long"
    );
}

#[test]
fn every_option_is_explained() {
    insta::assert_snapshot!(outcome(connect_scim().args(["plan", "--help"])), @r"
    exit code: 0
    --- stdout
    Show what a deployment would change, down to the single property; changes nothing

    Usage: connect-scim plan [OPTIONS] --env <NAME|PATH>

    Options:
          --color <COLOR>
              When to use colour

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never

              [env: CONNECT_SCIM_COLOR=]
              [default: auto]

          --env <NAME|PATH>
              The name of a file in environments/ (without .yaml), or the path of one

              [env: CONNECT_SCIM_ENV=]

      -q, --quiet
              Print data, warnings and errors only

          --target <NAME>
              Which of the file's `targets`, where it has several

              [env: CONNECT_SCIM_TARGET=]

          --artifacts <DIR>
              Packages made by `build --out DIR`, for a pipeline that builds once; without them the
              functions are built here

          --format <FORMAT>
              How to print it

              Possible values:
              - text:     For people
              - json:     One JSON object; its schema is docs/plan.schema.json
              - markdown: For a comment on a pull request: details folded, within what GitHub takes
              - html:     One page that needs nothing else, for a browser

              [default: text]

          --out <FILE>
              Save the plan, for `deploy --plan FILE` to carry out exactly this

          --change-set
              Ask CloudFormation for its view of the changes as well

      -h, --help
              Print help (see a summary with '-h')

    The plan is computed here: the template that was deployed last is compared with the one that
    `render` prints. That is quick and leaves nothing behind, for a stack that does not exist yet as
    well. With --change-set CloudFormation is asked for its view of an existing stack too, by a change
    set that is deleted again; where it gives a value or says whether a resource is replaced, that wins.

    Exit code 0: nothing to do. Exit code 4: changes are pending.
    --- stderr
    ");
}

#[test]
fn the_schema_is_up_to_date() {
    let schema = format!("{:#}\n", json_v1::json_schema());
    let stored = root().join("docs/plan.schema.json");
    let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plan.schema.json");
    fs::write(&fresh, &schema).unwrap();
    assert!(
        fs::read_to_string(&stored).is_ok_and(|stored| stored == schema),
        "docs/plan.schema.json is stale; refresh it with\n  cp {} {}",
        fresh.display(),
        stored.display()
    );
}

#[test]
fn what_is_set_for_the_stack_as_a_whole_is_a_change_by_itself() {
    let project = PlayedProject::deployed_as_answering(
        BASE,
        "api: {accessLogs: false}\n\
         stack: {notificationTopicArns: ['arn:aws:sns:eu-central-1:111122223333:operations']}",
        |_, _| None,
    );
    insta::assert_snapshot!(outcome(&mut project.command("plan", &[])), @r"
    exit code: 4
    --- stdout
    scim in account 111122223333, eu-central-1

    Stack
      NotificationTopics:
        + arn:aws:sns:eu-central-1:111122223333:operations

    scim: 0 to add, 0 to change, 0 to remove, and the stack itself changes
    --- stderr
    ");
}

#[test]
fn another_service_role_is_shown() {
    let role = "arn:aws:iam::111122223333:role/CloudFormation";
    let lines = format!("{BASE}\nstack: {{serviceRoleArn: '{role}'}}");
    let told = outcome(&mut PlayedProject::deployed_as(BASE, &lines).command("plan", &[]));
    assert!(told.starts_with("exit code: 4\n"), "{told}");
    assert!(
        told.contains(&format!("\nStack\n  ServiceRole: (none) → {role}\n")),
        "{told}"
    );
}

/// What DescribeStacks tells of a stack that cannot be deleted, and its policy.
fn protected(policy: &'static str, lines: &str) -> PlayedProject {
    const PROTECTED: &str = "api: {accessLogs: false}\nprotected: true";
    PlayedProject::deployed_as_answering(PROTECTED, lines, move |call, _| match call {
        "DescribeStacks" => Some(result(
            call,
            "<Stacks><member><StackName>scim</StackName>\
             <StackId>arn:aws:cloudformation:eu-central-1:111122223333:stack/scim/5d3e7c60</StackId>\
             <CreationTime>2026-11-01T08:00:00Z</CreationTime>\
             <EnableTerminationProtection>true</EnableTerminationProtection>\
             <StackStatus>UPDATE_COMPLETE</StackStatus></member></Stacks>",
        )),
        "GetStackPolicy" => Some(result(
            call,
            &format!("<StackPolicyBody>{policy}</StackPolicyBody>"),
        )),
        _ => None,
    })
}

#[test]
fn a_stack_policy_that_does_not_keep_the_directory_is_a_change_by_itself() {
    let open = r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"}]}"#;
    let lines = "api: {accessLogs: false}\nprotected: true";
    insta::assert_snapshot!(outcome(&mut protected(open, lines).command("plan", &[])), @r"
    exit code: 4
    --- stdout
    scim in account 111122223333, eu-central-1

    Stack
      StackPolicy: every update is allowed → no update replaces or deletes the directory

    scim: 0 to add, 0 to change, 0 to remove, and the stack itself changes
    --- stderr
    ");
}

#[test]
fn a_stack_policy_that_somebody_else_wrote_stays() {
    let theirs = r#"{"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "Update:*", "Resource": "*"}]}"#;
    let lines = "api: {accessLogs: false}\nprotected: true";
    let told = outcome(&mut protected(theirs, lines).command("plan", &[]));
    assert!(told.starts_with("exit code: 0\n"), "{told}");
}

#[test]
fn a_stack_policy_that_nobody_may_read_matters_only_where_something_is_protected() {
    let told = outcome(&mut PlayedProject::deployed_as(BASE, BASE).command("plan", &[]));
    assert!(told.starts_with("exit code: 0\n"), "{told}");
    let lines = "api: {accessLogs: false}\nprotected: true";
    let told = outcome(&mut PlayedProject::deployed_as(lines, lines).command("plan", &[]));
    assert!(told.starts_with("exit code: 1\n"), "{told}");
    assert!(told.contains("read the policy of the stack"), "{told}");
}
