//! `drift --mend` where a role was deleted: CloudFormation makes it again by a drift-aware
//! change set, if it has such ones, and if they do nothing else.

use std::sync::atomic::{AtomicBool, Ordering};

use test_support::HttpAnswer;

use crate::cloud::{BASE, PlayedProject, PlayedStack, refusal, result};

const STACK: &str = "arn:aws:cloudformation:eu-central-1:111122223333:stack/scim/5d3e7c60";
const MODE: &str = "<DeploymentMode>REVERT_DRIFT</DeploymentMode>";

/// The change set as CloudFormation describes it.
fn change_set(mode: &str, changes: &[(&str, &str, &str, &str)]) -> String {
    let members: String = changes
        .iter()
        .map(|(action, replacement, logical_id, resource_type)| {
            format!(
                "<member><Type>Resource</Type><ResourceChange><Action>{action}</Action>\
                 <Replacement>{replacement}</Replacement>\
                 <LogicalResourceId>{logical_id}</LogicalResourceId>\
                 <ResourceType>{resource_type}</ResourceType></ResourceChange></member>"
            )
        })
        .collect();
    format!("<Status>CREATE_COMPLETE</Status>{mode}<Changes>{members}</Changes>")
}

fn event(id: u8, status: &str) -> String {
    format!(
        "<member><StackId>{STACK}</StackId><EventId>{id}</EventId><StackName>scim</StackName>\
         <LogicalResourceId>scim</LogicalResourceId><PhysicalResourceId>{STACK}</PhysicalResourceId>\
         <ResourceType>AWS::CloudFormation::Stack</ResourceType>\
         <Timestamp>2026-11-01T08:00:0{id}Z</Timestamp><ResourceStatus>{status}</ResourceStatus></member>"
    )
}

/// A project whose stack has lost the role of the reconciler, and a CloudFormation that
/// describes every change set as `described`.
fn project(described: impl Fn() -> HttpAnswer + Send + Sync + 'static) -> PlayedProject {
    let stack = PlayedStack {
        template: PlayedProject::new(BASE, None).render(),
        status: "UPDATE_COMPLETE",
    };
    let was_executed = AtomicBool::new(false);
    PlayedProject::answering(BASE, Some(stack), move |call, _| {
        let is_mended = was_executed.load(Ordering::Relaxed);
        Some(match call {
            "ListStackResources" => result(
                call,
                &format!(
                    "<StackResourceSummaries><member>\
                     <LogicalResourceId>ReconcilerRole</LogicalResourceId>\
                     <PhysicalResourceId>role-{}</PhysicalResourceId>\
                     <ResourceType>AWS::IAM::Role</ResourceType>\
                     <LastUpdatedTimestamp>2026-11-01T08:00:00Z</LastUpdatedTimestamp>\
                     <ResourceStatus>CREATE_COMPLETE</ResourceStatus></member></StackResourceSummaries>",
                    if is_mended { "new" } else { "old" }
                ),
            ),
            "GetRole" if !is_mended => refusal("NoSuchEntity", "there is no such role"),
            "CreateChangeSet" => result(
                call,
                &format!("<Id>{STACK}/change-set</Id><StackId>{STACK}</StackId>"),
            ),
            "DescribeChangeSet" => described(),
            "DeleteChangeSet" => result(call, ""),
            "ExecuteChangeSet" => {
                was_executed.store(true, Ordering::Relaxed);
                result(call, "")
            }
            "DescribeStackEvents" => {
                let before = event(1, "CREATE_COMPLETE");
                let events = match is_mended {
                    true => event(2, "UPDATE_COMPLETE") + &before,
                    false => before,
                };
                result(call, &format!("<StackEvents>{events}</StackEvents>"))
            }
            _ => return None,
        })
    })
}

/// Runs `drift --mend …`, and hands back what it said and which calls were made that
/// change something.
fn mend(project: &PlayedProject, more: &[&str], code: i32) -> (String, Vec<String>) {
    let output = project
        .command("drift", &[&["--mend"], more].concat())
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{told}");
    let calls = project.writing_calls();
    let of_change_sets = |call: &String| call.ends_with("ChangeSet");
    (told, calls.into_iter().filter(of_change_sets).collect())
}

const ROLE: (&str, &str, &str, &str) = ("Add", "False", "ReconcilerRole", "AWS::IAM::Role");
const FUNCTION: (&str, &str, &str, &str) = (
    "Modify",
    "False",
    "ReconcilerFunction",
    "AWS::Lambda::Function",
);
const METHOD: (&str, &str, &str, &str) =
    ("Modify", "True", "UsersMethod", "AWS::ApiGateway::Method");

#[test]
fn a_deleted_role_is_made_again_and_looked_at_by_its_new_name() {
    let project = project(|| result("DescribeChangeSet", &change_set(MODE, &[ROLE, FUNCTION])));
    let (told, calls) = mend(&project, &[], 10);
    assert_eq!(calls, ["CreateChangeSet", "DeleteChangeSet"], "{told}");

    // Of a stack that is played nearly nothing can be read.
    let (told, calls) = mend(&project, &["--yes"], 5);
    assert!(
        told.contains(
            "1. have CloudFormation make ReconcilerRole (AWS::IAM::Role); \
             and for that change ReconcilerFunction (AWS::Lambda::Function)\n     iam.deleted:ReconcilerRole"
        ),
        "{told}"
    );
    assert!(told.contains("1/1 done: have CloudFormation"), "{told}");
    assert_eq!(
        calls[2..],
        ["CreateChangeSet", "ExecuteChangeSet"],
        "{told}"
    );
    let asked = |words: &[&str]| {
        let requests = project.requests();
        requests
            .iter()
            .any(|request| words.iter().all(|word| request.body.contains(word)))
    };
    assert!(asked(&[
        "Action=CreateChangeSet",
        "DeploymentMode=REVERT_DRIFT",
        "UsePreviousTemplate=true",
    ]));
    assert!(asked(&["Action=GetRole", "RoleName=role-new"]));
}

#[test]
fn a_change_set_that_would_do_more_is_not_executed() {
    let project = project(|| result("DescribeChangeSet", &change_set(MODE, &[ROLE, METHOD])));
    let (told, calls) = mend(&project, &["--yes"], 4);
    assert_eq!(calls, ["CreateChangeSet", "DeleteChangeSet"], "{told}");
    assert!(
        told.contains("would also replace UsersMethod (AWS::ApiGateway::Method)"),
        "{told}"
    );
}

#[test]
fn without_drift_aware_change_sets_a_person_makes_the_role_again() {
    let described: [fn() -> String; 2] = [
        || change_set("", &[FUNCTION]),
        || {
            "<Status>FAILED</Status><StatusReason>The submitted information didn't contain changes.</StatusReason>"
                .to_owned()
        },
    ];
    for described in described {
        let project = project(move || result("DescribeChangeSet", &described()));
        let (told, calls) = mend(&project, &["--yes"], 4);
        assert_eq!(calls, ["CreateChangeSet", "DeleteChangeSet"], "{told}");
        assert!(
            told.contains("iam.deleted:ReconcilerRole\n    make it again under the same name"),
            "{told}"
        );
    }
}

#[test]
fn a_refusal_is_told_with_its_reason() {
    let project = project(|| {
        let reason =
            "<Status>FAILED</Status><StatusReason>AWS::Foo::Bar cannot be read</StatusReason>";
        result("DescribeChangeSet", &format!("{reason}{MODE}"))
    });
    let (told, calls) = mend(&project, &["--yes"], 4);
    assert_eq!(calls, ["CreateChangeSet", "DeleteChangeSet"], "{told}");
    assert!(
        told.contains(
            "CloudFormation was asked to make it again, and refused: AWS::Foo::Bar cannot be read"
        ),
        "{told}"
    );
}
