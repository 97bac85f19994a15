//! A deployment through everything that can go wrong on the way to the cloud. Afterwards
//! one more `deploy` brings the intended state, a third changes nothing, and nothing is
//! left behind.
//!
//! To keep this short without leaving steps out: what fails for a moment is tried on the
//! first call of *every* operation within one deployment, one test for each kind of fault.
//! What ends the deployer is tried after every call that changes something, each death in
//! the place to which the run before it got; a death between two such calls leaves the
//! cloud just as the one before it does.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::sync::mpsc;

use crate::aws::Aws;
use crate::endpoint::Endpoint;
use crate::generator;
use crate::project::{Project, finish};
use crate::proxy::{Call, Fault, Proxy};

const STACK: &str = "connect-scim-local";

fn project() -> (Project, Proxy) {
    let project = Project::new();
    project.run(&["local", "up"]).expect_code(0);
    let proxy = Proxy::before(&project);
    (project, proxy)
}

/// Whether a call is the first of its operation.
fn is_first(before: &[Call], call: &Call) -> bool {
    before.iter().all(|other| other.operation != call.operation)
}

/// The stack stands as it should, and nothing else was left.
#[track_caller]
fn expect_intended_state(project: &Project, what: &str) {
    project.deploy();
    let again = project.deploy();
    assert!(
        again.stderr.contains("nothing changed"),
        "{what}: {}",
        again.stderr
    );
    let aws = Aws::of(project);
    assert_eq!(aws.stacks(), [STACK], "{what}");
    assert_eq!(
        aws.pending_change_sets(STACK),
        Vec::<String>::new(),
        "{what}"
    );
    Endpoint::of(project).get("/Users").expect(200);
}

/// Does the same to the first call of every operation, of a first deployment and of an
/// update: each of the two succeeds nevertheless.
fn every_operation_meets(fault: Fault) {
    let (project, proxy) = project();
    for level in ["debug", "info"] {
        project.edit_environment("logLevel: debug", &format!("logLevel: {level}"));
        proxy.arm(move |before, call| is_first(before, call).then_some(fault));
        let run = project.deploy();
        let calls = proxy.disarm();
        let operations: BTreeSet<&str> = calls.iter().map(|call| call.operation.as_str()).collect();
        for operation in [
            "GetCallerIdentity",
            "CreateChangeSet",
            "DescribeChangeSet",
            "ExecuteChangeSet",
            "DescribeStackEvents",
            "DescribeStacks",
        ] {
            assert!(
                operations.contains(operation),
                "{operation} is not among {operations:?}"
            );
        }
        assert!(run.stderr.contains(" is deployed "), "{}", run.stderr);
    }
    expect_intended_state(&project, &format!("{fault:?}"));
}

#[test]
fn lost_requests_do_not_matter() {
    every_operation_meets(Fault::LoseRequest);
}

#[test]
fn lost_answers_do_not_matter() {
    every_operation_meets(Fault::LoseAnswer);
}

#[test]
fn throttling_does_not_matter() {
    every_operation_meets(Fault::Throttle);
}

#[test]
fn failures_of_the_services_do_not_matter() {
    every_operation_meets(Fault::FailInternally);
}

#[test]
fn truncated_answers_do_not_matter() {
    every_operation_meets(Fault::Truncate);
}

#[test]
fn late_answers_do_not_matter() {
    every_operation_meets(Fault::Delay);
}

#[test]
fn a_deployer_that_dies_after_every_change_is_finished_by_the_next() {
    let (project, proxy) = project();
    let mut changes: Vec<String> = Vec::new();
    loop {
        let (tell, told) = mpsc::channel();
        let survived = changes.clone();
        proxy.arm(move |_, call| {
            let is_new = call.is_mutation && !survived.contains(&call.operation);
            is_new.then(|| {
                // Whoever listened has been killed by now; later calls are its last breath.
                let _ = tell.send(call.operation.clone());
                Fault::Hang
            })
        });
        let mut child = project
            .deploy_command()
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let last = loop {
            if let Ok(operation) = told.recv_timeout(std::time::Duration::from_millis(20)) {
                break Some(operation);
            }
            if child.try_wait().unwrap().is_some() {
                break None;
            }
        };
        // The change arrives; its answer does not.
        std::thread::sleep(std::time::Duration::from_millis(100));
        child.kill().unwrap();
        child.wait().unwrap();
        proxy.disarm();
        let Some(last) = last else { break };
        changes.push(last);
        assert!(changes.len() < 40, "no end: {changes:?}");
    }
    for change in ["CreateChangeSet", "ExecuteChangeSet", "PUT package"] {
        assert!(
            changes.iter().any(|done| done == change),
            "no {change} in {changes:?}"
        );
    }
    expect_intended_state(&project, &format!("{changes:?}"));
}

/// Without these a deployment only warns, or does as if nothing had been set.
const DISPENSABLE: [&str; 2] = ["ListChangeSets", "GetStackPolicy"];

/// Where an answer that says nothing leaves the deployer in the dark: about who it is, what
/// stands there, and what it did.
const TELLING: [&str; 8] = [
    "GetCallerIdentity",
    "DescribeStacks",
    "GetTemplate",
    "GetStackPolicy",
    "CreateChangeSet",
    "DescribeChangeSet",
    "ExecuteChangeSet",
    "DescribeStackEvents",
];

#[test]
fn a_deployment_that_is_refused_or_garbled_at_any_step_is_finished_by_the_next() {
    let (project, proxy) = project();
    proxy.arm(|_, _| None);
    project.deploy();
    let mut steps: Vec<(String, Fault)> = Vec::new();
    for call in proxy.disarm() {
        let step = (call.operation, Fault::Deny);
        if !steps.contains(&step) {
            steps.push(step);
        }
    }
    steps.extend(TELLING.map(|operation| (operation.to_owned(), Fault::Corrupt)));
    let mut level = "debug";
    for (operation, fault) in steps {
        let next = if level == "debug" { "info" } else { "debug" };
        project.edit_environment(&format!("logLevel: {level}"), &format!("logLevel: {next}"));
        level = next;
        let target = operation.clone();
        let mut is_over = false;
        proxy.arm(move |_, call| {
            let is_meant = call.operation == target && (fault == Fault::Deny || !is_over);
            is_over |= is_meant;
            is_meant.then_some(fault)
        });
        let run = finish(&mut project.deploy_command());
        let was_met = proxy
            .disarm()
            .iter()
            .any(|call| call.operation == operation);
        if was_met && fault == Fault::Deny && !DISPENSABLE.contains(&operation.as_str()) {
            assert_eq!(run.code, Some(1), "{operation}: {}", run.stderr);
            assert!(
                run.stderr.contains("\nhint: ") && run.stderr.contains("error: "),
                "{operation}: {}",
                run.stderr
            );
        }
        if fault == Fault::Corrupt {
            assert_eq!(run.code, Some(0), "{operation}: {}", run.stderr);
        }
        let next = project.deploy();
        assert!(
            next.stderr.contains("connect-scim-local stands as")
                || next.stderr.contains("connect-scim-local is deployed"),
            "{operation}: {}",
            next.stderr
        );
    }
    expect_intended_state(&project, "refused and garbled");
}

#[test]
fn a_session_that_expires_while_waiting_is_told_with_the_way_back() {
    let (project, proxy) = project();
    let slow = generator::packages(project.path(), &[], 2.0);
    proxy.arm(|before, call| {
        let executed = before
            .iter()
            .any(|call| call.operation == "ExecuteChangeSet");
        (executed && call.operation == "DescribeStackEvents").then_some(Fault::Expire)
    });
    let mut command = project.command(&["deploy", "--env", "local", "--artifacts"]);
    let run = finish(command.arg(&slow)).expect_code(9);
    proxy.disarm();
    let begin = run.stderr.find("error: ").unwrap_or_default();
    let arn = regex_lite::Regex::new("arn:aws:cloudformation:[^ ]*: ").unwrap();
    insta::assert_snapshot!(arn.replace(&run.stderr[begin..], "[STACK]: "), @r"
    error: the deployment of connect-scim-local goes on in the cloud, but cannot be followed
      caused by: failed to read the events of the stack [STACK]: The security token has expired (ExpiredToken)
    hint: sign in again; `connect-scim watch --env local` follows it to its end
    ");
    let watched = project.run(&["watch", "--env", "local"]).expect_code(0);
    assert!(
        watched.stderr.contains("is deployed (CREATE_COMPLETE)"),
        "{}",
        watched.stderr
    );
}
