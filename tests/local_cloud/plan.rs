//! `plan` against a real CloudFormation, and `deploy` of what was planned.

use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::aws::Aws;
use crate::project::{Project, artifacts, finish};
use crate::proxy::{Fault, Proxy};

const STACK: &str = "connect-scim-local";

fn plan_command(project: &Project, arguments: &[&str]) -> Command {
    let mut command = project.command(&["plan", "--env", "local", "--artifacts"]);
    command.arg(artifacts()).args(arguments);
    command
}

/// The plan as JSON, and the exit code.
fn plan(project: &Project, arguments: &[&str]) -> (Value, Option<i32>) {
    let mut command = plan_command(project, &[&["--format", "json"], arguments].concat());
    let run = finish(&mut command);
    let plan = serde_json::from_str(&run.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", run.stdout, run.stderr));
    (plan, run.code)
}

/// `Resource: property` of everything that a plan changes.
fn properties(plan: &Value) -> Vec<String> {
    let list = |value: &Value| value.as_array().unwrap().clone();
    list(&plan["resources"])
        .iter()
        .flat_map(|resource| {
            let id = resource["logicalId"].as_str().unwrap().to_owned();
            list(&resource["properties"])
                .into_iter()
                .map(move |property| format!("{id}: {}", property["name"].as_str().unwrap()))
        })
        .collect()
}

#[test]
fn a_plan_leaves_nothing_behind_and_a_deployment_does_what_it_says() {
    let project = Project::new();
    project.run(&["local", "up"]).expect_code(0);
    let aws = Aws::of(&project);

    let (new, code) = plan(&project, &[]);
    assert_eq!((code, &new["action"]), (Some(4), &json!("create")));
    let absent = aws
        .wait(
            aws.cloudformation()
                .describe_stacks()
                .stack_name(STACK)
                .send(),
        )
        .unwrap_err();
    assert!(format!("{absent:?}").contains("does not exist"), "no shell");
    assert_eq!(aws.leftovers().len(), 0);

    project.deploy();
    let (nothing, code) = plan(&project, &[]);
    assert_eq!((code, &nothing["action"]), (Some(0), &json!("nothing")));

    let change_sets = aws.change_sets(STACK);
    let objects = aws.artifact_versions();
    project.edit_environment("\napi:\n", "\napi:\n  throttle: {rate: 25, burst: 40}\n");
    let (one, code) = plan(&project, &[]);
    assert_eq!(code, Some(4));
    assert_eq!(
        properties(&one),
        [
            "ApiStage: MethodSettings[/*].ThrottlingBurstLimit",
            "UsagePlanIdp: Throttle.BurstLimit",
        ]
    );
    assert_eq!(one["resources"][0]["properties"][0]["before"], 50);
    assert_eq!(one["resources"][0]["properties"][0]["after"], 40);

    let (asked, code) = plan(&project, &["--change-set"]);
    assert_eq!((code, &asked["fromChangeSet"]), (Some(4), &json!(true)));
    for property in properties(&one) {
        assert!(properties(&asked).contains(&property), "{asked:#}");
    }
    assert_eq!(asked["approvals"], json!([]), "{asked:#}");
    assert_eq!(aws.change_sets(STACK), change_sets, "it was deleted again");
    assert_eq!(aws.artifact_versions(), objects, "its template as well");

    project.deploy();
    assert_eq!(plan(&project, &[]).1, Some(0));
}

#[test]
fn an_interrupted_plan_leaves_neither_a_change_set_nor_its_template() {
    let project = Project::new();
    project.deploy();
    let aws = Aws::of(&project);
    let left = |aws: &Aws| (aws.pending_change_sets(STACK), aws.artifact_versions());
    let before = left(&aws);
    project.edit_environment("\napi:\n", "\napi:\n  throttle: {rate: 25, burst: 40}\n");

    let proxy = Proxy::before(&project);
    let (tell, told) = mpsc::channel();
    let mut hung = false;
    proxy.arm(move |_, call| {
        let hangs = call.operation == "DescribeChangeSet" && !hung;
        hung |= hangs;
        hangs.then(|| {
            let _nobody_listens_any_more = tell.send(());
            Fault::Hang
        })
    });
    let mut child = plan_command(&project, &["--change-set"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    told.recv_timeout(Duration::from_secs(60)).unwrap();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    proxy.disarm();
    assert_eq!(left(&aws), before);
}

#[test]
fn a_saved_plan_is_carried_out_unless_somebody_was_faster() {
    let project = Project::new();
    project.deploy();
    let file = project.path().join("plan.json");
    let file = file.to_str().unwrap();
    let throttle = |burst: u32| format!("\napi:\n  throttle: {{rate: 25, burst: {burst}}}\n");
    let deploy_plan = || {
        let mut command = project.deploy_command();
        command.args(["--plan", file]);
        finish(&mut command)
    };

    project.edit_environment("\napi:\n", &throttle(40));
    finish(&mut plan_command(&project, &["--out", file])).expect_code(4);
    deploy_plan().expect_code(0);
    assert_eq!(plan(&project, &[]).1, Some(0));
    let again = deploy_plan().expect_code(0);
    assert!(again.stderr.contains("nothing changed"), "{}", again.stderr);

    project.edit_environment(&throttle(40), &throttle(30));
    finish(&mut plan_command(&project, &["--out", file])).expect_code(4);
    project.edit_environment(&throttle(30), &throttle(20));
    project.deploy();
    project.edit_environment(&throttle(20), &throttle(30));
    let events = Aws::of(&project).events(STACK);
    let refused = deploy_plan().expect_code(1);
    assert!(
        refused
            .stderr
            .contains("the stack has been changed since; nothing was changed"),
        "{}",
        refused.stderr
    );
    assert_eq!(Aws::of(&project).events(STACK), events);
}
