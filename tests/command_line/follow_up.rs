//! What `deploy` does and prints after an update, on a cloud that is played: the local one
//! has no call that flushes API Gateway's authorizer cache.

use std::sync::atomic::{AtomicBool, Ordering};

use test_support::HttpAnswer;

use crate::cloud::{PlayedProject, result};
use crate::outcome;

const STACK: &str = "arn:aws:cloudformation:eu-central-1:111122223333:stack/scim/5d3e7c60";
const FLUSH: &str = "DELETE /restapis/a1b2c3d4e5/stages/v1/cache/authorizers";

const TWO_CLIENTS: &str = "api: {accessLogs: false}\nclients: {idp: {}, entra: {}}";
const ONE_CLIENT: &str = "api: {accessLogs: false}\nclients: {idp: {}}";
const RENAMED_CLIENT: &str = "api: {accessLogs: false}\nclients: {idp: {}, okta: {}}";
const THROTTLED: &str =
    "api: {accessLogs: false, throttle: {rate: 20, burst: 50}}\nclients: {idp: {}}";
const SUSPENDING: &str = "api: {accessLogs: false}\nclients: {idp: {}}\nprovisioning: {deprovision: suspend, suspendedSecurityProfile: Suspended, groups: {Leads: Admin}}";

/// Deploys `lines` to a stack that was deployed from `deployed`.
fn deploy(
    deployed: &str,
    lines: &str,
    options: &[&str],
    flushed: fn() -> HttpAnswer,
) -> (PlayedProject, String) {
    let was_executed = AtomicBool::new(false);
    let project = PlayedProject::deployed_as_answering(deployed, lines, move |call, _| {
        Some(match call {
            "CreateChangeSet" => result(
                call,
                &format!("<Id>{STACK}/change-set</Id><StackId>{STACK}</StackId>"),
            ),
            "DescribeChangeSet" => result(
                call,
                "<Status>CREATE_COMPLETE</Status><Changes><member><Type>Resource</Type>\
                 <ResourceChange><Action>Modify</Action><LogicalResourceId>ApiStage</LogicalResourceId>\
                 <ResourceType>AWS::ApiGateway::Stage</ResourceType><Replacement>False</Replacement>\
                 </ResourceChange></member></Changes>",
            ),
            "ExecuteChangeSet" => {
                was_executed.store(true, Ordering::Relaxed);
                result(call, "")
            }
            "DescribeStackEvents" => {
                let event = |id: u8, status: &str| {
                    format!(
                        "<member><StackId>{STACK}</StackId><EventId>{id}</EventId><StackName>scim</StackName>\
                         <LogicalResourceId>scim</LogicalResourceId><PhysicalResourceId>{STACK}</PhysicalResourceId>\
                         <ResourceType>AWS::CloudFormation::Stack</ResourceType>\
                         <Timestamp>2026-11-01T08:00:0{id}Z</Timestamp><ResourceStatus>{status}</ResourceStatus></member>"
                    )
                };
                let mut events = event(1, "CREATE_COMPLETE");
                if was_executed.load(Ordering::Relaxed) {
                    events.insert_str(0, &event(2, "UPDATE_COMPLETE"));
                }
                result(call, &format!("<StackEvents>{events}</StackEvents>"))
            }
            "DescribeStacks" => result(
                call,
                &format!(
                    "<Stacks><member><StackName>scim</StackName><StackId>{STACK}</StackId>\
                     <CreationTime>2026-11-01T08:00:00Z</CreationTime>\
                     <StackStatus>UPDATE_COMPLETE</StackStatus><Outputs>\
                     <member><OutputKey>ApiId</OutputKey><OutputValue>a1b2c3d4e5</OutputValue></member>\
                     <member><OutputKey>StageName</OutputKey><OutputValue>v1</OutputValue></member>\
                     </Outputs></member></Stacks>"
                ),
            ),
            "SetStackPolicy" => result(call, ""),
            FLUSH => flushed(),
            // The bucket exists and accepts everything.
            _ if call.contains(' ') => HttpAnswer::ok(""),
            _ => return None,
        })
    });
    let options = [&["--yes", "--approve", "iam,replace"], options].concat();
    let told = outcome(&mut project.command("deploy", &options));
    assert!(told.starts_with("exit code: 0\n"), "{told}");
    (project, told)
}

fn accepted() -> HttpAnswer {
    HttpAnswer::Respond(202, String::new())
}

fn has_flushed(project: &PlayedProject) -> bool {
    let calls = project.writing_calls();
    let executed = calls.iter().position(|call| call == "ExecuteChangeSet");
    let flushed = calls.iter().position(|call| call == FLUSH);
    assert!(executed.is_some());
    flushed.is_some_and(|flushed| Some(flushed) > executed)
}

#[test]
fn removing_or_renaming_a_client_flushes_the_authorizer_cache_after_the_deployment() {
    for lines in [ONE_CLIENT, RENAMED_CLIENT] {
        let (project, told) = deploy(TWO_CLIENTS, lines, &[], accepted);
        assert!(has_flushed(&project), "{told}");
        assert!(
            told.contains("the former credentials of entra are no longer accepted"),
            "{told}"
        );
    }
}

#[test]
fn other_deployments_leave_the_authorizer_cache_alone() {
    for (deployed, lines) in [(ONE_CLIENT, THROTTLED), (ONE_CLIENT, TWO_CLIENTS)] {
        let (project, told) = deploy(deployed, lines, &[], accepted);
        assert!(!has_flushed(&project), "{told}");
    }
}

#[test]
fn a_cache_that_is_not_flushed_is_a_warning_with_the_remaining_time() {
    let denied = || HttpAnswer::Respond(403, r#"{"message": "not authorized"}"#.to_owned());
    let expected = "the former credentials of entra may be accepted for up to 300 seconds after the deployment";
    let (_, told) = deploy(TWO_CLIENTS, ONE_CLIENT, &[], denied);
    assert!(told.contains(expected), "{told}");
    let (project, told) = deploy(TWO_CLIENTS, ONE_CLIENT, &["--detach"], accepted);
    assert!(told.contains(expected), "{told}");
    assert!(!has_flushed(&project));
}

#[test]
fn changed_settings_of_users_are_followed_by_the_command_that_applies_them() {
    let expected = "provisioning.deprovision, provisioning.suspendedSecurityProfile, provisioning.groups changed. To apply this to existing users, at two users per second (1,000 users take 9 minutes):\n  connect-scim users reconcile --all --env test";
    for options in [&[][..], &["--detach"]] {
        let (_, told) = deploy(ONE_CLIENT, SUSPENDING, options, accepted);
        assert!(told.contains(expected), "{told}");
        assert!(
            told.contains("Leads grants Admin, once its members are reconciled"),
            "{told}"
        );
    }
    let (_, told) = deploy(ONE_CLIENT, THROTTLED, &[], accepted);
    assert!(!told.contains("existing users"), "{told}");
}
