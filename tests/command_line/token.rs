//! `token revoke` on a cloud that is played: the local one has no call by which API Gateway
//! forgets whom it let in.

use test_support::HttpAnswer;

use crate::cloud::{BASE, PlayedProject, result};
use crate::outcome;

const FLUSH: &str = "DELETE /restapis/a1b2c3d4e5/stages/v1/cache/authorizers";

/// A deployed stack whose client has a token; API Gateway answers as told.
fn deployed(flushed: fn() -> HttpAnswer) -> PlayedProject {
    PlayedProject::answering(BASE, None, move |call, count| match call {
        "DescribeStacks" => Some(result(
            call,
            "<Stacks><member><StackName>scim</StackName><StackId>arn:scim</StackId>\
             <CreationTime>2026-11-01T08:00:00Z</CreationTime>\
             <StackStatus>UPDATE_COMPLETE</StackStatus><Outputs>\
             <member><OutputKey>ApiId</OutputKey><OutputValue>a1b2c3d4e5</OutputValue></member>\
             <member><OutputKey>StageName</OutputKey><OutputValue>v1</OutputValue></member>\
             <member><OutputKey>TokenParameterNameIdp</OutputKey>\
             <OutputValue>/connect-scim/scim/token/idp</OutputValue></member>\
             </Outputs></member></Stacks>",
        )),
        "DescribeParameters" => Some(HttpAnswer::ok(
            r#"{"Parameters": [{"Name": "/connect-scim/scim/token/idp", "Type": "SecureString", "Version": 1, "LastModifiedDate": 1790000000}]}"#,
        )),
        "PutParameter" => Some(HttpAnswer::ok(format!(r#"{{"Version": {}}}"#, count + 2))),
        FLUSH => Some(flushed()),
        _ => None,
    })
}

fn revoke(project: &PlayedProject) -> String {
    outcome(&mut project.bare_command("token revoke", &["--yes", "--no-wait"]))
}

#[test]
fn api_gateway_is_made_to_forget_whom_it_let_in() {
    let project = deployed(|| HttpAnswer::Respond(202, String::new()));
    insta::assert_snapshot!(revoke(&project), @r"
    exit code: 0
    --- stdout
    --- stderr
    This makes every token of idp worthless: its requests are refused until it gets the new token.
    idp has a new token that nobody knows, version 3 of /connect-scim/scim/token/idp
    An old token may be accepted for up to 360 seconds more, where an instance of the authorizer has it in memory.
    next:
      see the token      connect-scim token show --env test --client idp --reveal
      enter it at Okta   the application's Provisioning tab, Integration: docs/okta.md
      or at Entra ID     Provisioning, Admin Credentials, Secret Token, Test Connection: docs/entra-id.md
      try the endpoint   connect-scim smoke --env test --client idp
    ");
    assert_eq!(
        project.writing_calls(),
        ["DescribeParameters", "PutParameter", "PutParameter", FLUSH]
    );
}

#[test]
fn where_api_gateway_refuses_to_forget_the_seconds_that_remain_are_told() {
    let project = deployed(|| {
        HttpAnswer::Respond(
            403,
            r#"{"__type": "AccessDeniedException", "message": "not authorized to perform: apigateway:DELETE"}"#.to_owned(),
        )
    });
    insta::assert_snapshot!(revoke(&project), @r"
    exit code: 0
    --- stdout
    --- stderr
    This makes every token of idp worthless: its requests are refused until it gets the new token.
    idp has a new token that nobody knows, version 3 of /connect-scim/scim/token/idp
    warning: API Gateway was not made to forget the old tokens, which may be accepted for up to 360 seconds: failed to flush the authorizers' cache of the stage: not authorized to perform: apigateway:DELETE (AccessDeniedException)
    next:
      see the token      connect-scim token show --env test --client idp --reveal
      enter it at Okta   the application's Provisioning tab, Integration: docs/okta.md
      or at Entra ID     Provisioning, Admin Credentials, Secret Token, Test Connection: docs/entra-id.md
      try the endpoint   connect-scim smoke --env test --client idp
    ");
    assert!(project.writing_calls().contains(&FLUSH.to_owned()));
}
