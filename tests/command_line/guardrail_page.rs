//! The page of `connect-scim guardrails verify --format html`, opened in a browser.

use connect_scim::guardrail::USER_EDITS;

use crate::browser::Browser;
use crate::cloud::{BASE, PlayedProject, PlayedStack, result};

const RESOURCES: [&str; 10] = [
    "DirectoryTable",
    "GuardrailPolicy",
    "ReconcileDeadLetterQueue",
    "ReconcileQueue",
    "ReconcilerRole",
    "ReconcilerSchedule",
    "RestApi",
    "TokenAuthorizerRole",
    "TokenGeneratorRole",
    "UserProvisioningRole",
];

/// Each of two principals is allowed some actions and denied others, in both ways, and of
/// some nobody knows.
#[test]
fn the_page_is_readable_at_phone_and_desk_width_and_by_keyboard() {
    let Some(browser) = Browser::find() else {
        return;
    };
    let project = project(BASE);
    let page = page(&project);
    // A box for each state and part that there is, and the frame of the matrix.
    let dom = browser.expect_readable(&page, project.path(), 4);
    assert!(dom.contains("<title>Guardrail: scim</title>"), "{dom:.500}");
    assert_eq!(
        dom.matches("<td class=\"decision ").count(),
        2 * USER_EDITS.len()
    );
}

#[test]
fn the_pages_of_several_targets_become_one() {
    let project = project(&format!(
        "{BASE}\ntargets: {{london: {{}}, paris: {{stackName: other}}}}"
    ));
    let page = page(&project);
    for target in ["london", "paris"] {
        assert!(page.contains(&format!("<p class=\"subject\">{target}</p>")));
    }
    assert_eq!(page.matches("<main>").count(), 1);
    assert_eq!(
        page.matches("<td class=\"decision ").count(),
        4 * USER_EDITS.len()
    );
}

fn project(lines: &str) -> PlayedProject {
    let stack = PlayedStack {
        template: "{}".to_owned(),
        status: "UPDATE_COMPLETE",
    };
    PlayedProject::answering(lines, Some(stack), |call, before| match call {
        "ListStackResources" => Some(result(call, &resources())),
        "SimulatePrincipalPolicy" => Some(result(call, &decisions(before))),
        _ => None,
    })
}

fn page(project: &PlayedProject) -> String {
    let arn = |name: &str| format!("arn:aws:iam::111122223333:role/{name}");
    let output = project
        .bare_command("guardrails verify", &["--format", "html"])
        .args(["--principal", &arn("UserProvisioningRole-1")])
        .args([
            "--principal",
            &arn("aws-reserved/sso.amazonaws.com/Administrator"),
        ])
        .output()
        .unwrap();
    let messages = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{messages}");
    String::from_utf8(output.stdout).unwrap()
}

fn resources() -> String {
    let members: String = RESOURCES
        .iter()
        .map(|name| {
            format!(
                "<member><LogicalResourceId>{name}</LogicalResourceId>\
                 <PhysicalResourceId>{name}-1</PhysicalResourceId>\
                 <ResourceType>AWS::IAM::Role</ResourceType>\
                 <LastUpdatedTimestamp>2026-11-01T08:00:00Z</LastUpdatedTimestamp>\
                 <ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>"
            )
        })
        .collect();
    format!("<StackResourceSummaries>{members}</StackResourceSummaries>")
}

/// Every action, whichever was asked for.
fn decisions(before: usize) -> String {
    let missing = "<MissingContextValues><member>aws:SourceIp</member></MissingContextValues>";
    let members: String = USER_EDITS
        .iter()
        .enumerate()
        .map(|(place, edit)| {
            let (decision, rest) = match (before + place) % 4 {
                0 => ("allowed", ""),
                1 => ("explicitDeny", ""),
                2 => ("implicitDeny", ""),
                _ => ("implicitDeny", missing),
            };
            format!(
                "<member><EvalActionName>{}</EvalActionName>\
                 <EvalDecision>{decision}</EvalDecision>{rest}</member>",
                edit.action
            )
        })
        .collect();
    format!("<IsTruncated>false</IsTruncated><EvaluationResults>{members}</EvaluationResults>")
}
