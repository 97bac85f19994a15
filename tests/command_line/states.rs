//! States and answers that the local cloud cannot be brought to give, on a cloud that is
//! played: `deploy`, `watch` and `recover` in each, with and without a terminal.

use regex_lite::Regex;
use test_support::HttpAnswer;

use crate::cloud::{PlayedProject, PlayedStack, refusal, result};
use crate::outcome;

const SETTINGS: &str = "api: {accessLogs: false}";

fn stack(status: &'static str) -> Option<PlayedStack> {
    Some(PlayedStack {
        template: "Resources: {}".to_owned(),
        status,
    })
}

/// Stack events, newest first: `(name, status, reason)`, `scim` for the stack itself.
fn events(events: &[(&str, &str, &str)]) -> HttpAnswer {
    let members: String = events
        .iter()
        .enumerate()
        .map(|(index, (name, status, reason))| {
            let (kind, id) = match *name {
                "scim" => ("AWS::CloudFormation::Stack", STACK_ID),
                _ => ("AWS::Lambda::Function", *name),
            };
            format!(
                "<member><StackId>{STACK_ID}</StackId><StackName>scim</StackName>\
                 <EventId>{name}-{status}-{}</EventId>\
                 <LogicalResourceId>{name}</LogicalResourceId>\
                 <PhysicalResourceId>{id}</PhysicalResourceId><ResourceType>{kind}</ResourceType>\
                 <ResourceStatus>{status}</ResourceStatus>\
                 <ResourceStatusReason>{reason}</ResourceStatusReason>\
                 <ClientRequestToken>somebody-42</ClientRequestToken>\
                 <Timestamp>2026-11-01T08:00:00Z</Timestamp></member>",
                events.len() - index
            )
        })
        .collect();
    result(
        "DescribeStackEvents",
        &format!("<StackEvents>{members}</StackEvents>"),
    )
}

const STACK_ID: &str = "arn:aws:cloudformation:eu-central-1:111122223333:stack/scim/5d3e7c60";

/// `deploy` on a stack in a state, which must not change anything.
fn deploy_in(status: &'static str) -> String {
    let project = PlayedProject::answering(SETTINGS, stack(status), move |call, _| {
        (call == "DescribeStackEvents").then(|| events(&[("scim", status, "")]))
    });
    let told = outcome(project.command("deploy", &["--yes"]).timeout(PATIENCE));
    assert_eq!(project.writing_calls(), Vec::<String>::new(), "{status}");
    told
}

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

#[test]
fn a_stack_that_another_operation_holds_is_left_alone() {
    for status in [
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "IMPORT_IN_PROGRESS",
        "IMPORT_ROLLBACK_IN_PROGRESS",
        "DELETE_IN_PROGRESS",
        "SOMETHING_NEW_IN_PROGRESS",
    ] {
        assert_eq!(
            deploy_in(status),
            format!(
                "exit code: 8\n--- stdout\n--- stderr\n\
                 error: scim is busy: {status}, operation somebody-42\n\
                 hint: `connect-scim watch --env test` follows it; `deploy --wait` waits for it to end and deploys then\n"
            )
        );
    }
}

#[test]
fn a_state_that_needs_a_decision_is_left_alone() {
    insta::assert_snapshot!(deploy_in("IMPORT_ROLLBACK_FAILED"), @r"
    exit code: 7
    --- stdout
    --- stderr
    error: scim is in the state IMPORT_ROLLBACK_FAILED, which needs somebody's decision
    hint: connect-scim knows no way out of this state; look at the stack in the CloudFormation console
    ");
    insta::assert_snapshot!(deploy_in("A_STATE_OF_TOMORROW"), @r"
    exit code: 7
    --- stdout
    --- stderr
    error: scim is in the state A_STATE_OF_TOMORROW, which needs somebody's decision
    hint: connect-scim knows no way out of this state; look at the stack in the CloudFormation console
    ");
    insta::assert_snapshot!(deploy_in("ROLLBACK_FAILED"), @r"
    exit code: 7
    --- stdout
    --- stderr
    error: scim is in the state ROLLBACK_FAILED, which needs somebody's decision
    hint: `connect-scim recover --env test` says what it would do about it, and asks
    ");
    for status in ["IMPORT_ROLLBACK_FAILED", "A_STATE_OF_TOMORROW"] {
        let project = PlayedProject::new(SETTINGS, stack(status));
        let told = outcome(&mut project.bare_command("recover", &["--yes"]));
        assert!(told.starts_with("exit code: 7\n"), "{told}");
        assert!(told.contains("CloudFormation console"), "{told}");
        assert_eq!(project.writing_calls(), Vec::<String>::new());
    }
}

/// A first deployment that was rolled back, and of which a table was kept.
fn rolled_back() -> PlayedProject {
    PlayedProject::answering(
        SETTINGS,
        stack("ROLLBACK_COMPLETE"),
        |call, count| match call {
            "DescribeStackEvents" if count < 2 => {
                Some(events(&[("scim", "ROLLBACK_COMPLETE", "")]))
            }
            "DescribeStackEvents" => Some(events(&[
                ("scim", "DELETE_COMPLETE", ""),
                ("scim", "DELETE_IN_PROGRESS", ""),
            ])),
            "DescribeStacks" if count > 0 => Some(refusal(
                "ValidationError",
                "Stack with id scim does not exist",
            )),
            "ListStackResources" => Some(result(
                call,
                "<StackResourceSummaries>\
             <member><LogicalResourceId>DirectoryTable</LogicalResourceId><PhysicalResourceId>scim-DirectoryTable-1X</PhysicalResourceId><ResourceType>AWS::DynamoDB::Table</ResourceType><ResourceStatus>DELETE_SKIPPED</ResourceStatus></member>\
             <member><LogicalResourceId>Queue</LogicalResourceId><PhysicalResourceId>q</PhysicalResourceId><ResourceType>AWS::SQS::Queue</ResourceType><ResourceStatus>DELETE_COMPLETE</ResourceStatus></member>\
             </StackResourceSummaries>",
            )),
            "DeleteStack" => Some(result(call, "")),
            _ => None,
        },
    )
}

#[test]
fn what_may_hold_data_is_not_recreated_over() {
    let project = rolled_back();
    let told = outcome(&mut project.command("deploy", &["--yes"]));
    insta::assert_snapshot!(told, @r"
    exit code: 7
    --- stdout
    --- stderr
    error: scim was rolled back, and left data in the account: AWS::DynamoDB::Table scim-DirectoryTable-1X
    hint: `connect-scim recover --env test` deletes the stack and leaves that in the account; `deploy` makes a new one then
    ");
    assert_eq!(project.writing_calls(), Vec::<String>::new());
}

#[test]
fn recover_says_what_it_will_do_and_asks() {
    let project = rolled_back();
    let (code, shown) = project.on_terminal(80, "recover", &[], "no");
    assert_eq!(code, Some(1), "{shown}");
    insta::assert_snapshot!(shown, @r"
    this deletes what is left of the failed first deployment of scim
      AWS::DynamoDB::Table scim-DirectoryTable-1X stays in the account and no longer belongs to a stack
    type yes to go on: error: not confirmed; nothing was changed
    ");
    assert_eq!(project.writing_calls(), Vec::<String>::new());

    let project = rolled_back();
    let (code, shown) = project.on_terminal(80, "recover", &[], "yes");
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.ends_with("scim is deleted\n"), "{shown}");
    assert_eq!(project.writing_calls(), ["DeleteStack"]);
}

/// A change set for a new stack that CloudFormation refuses.
fn refused(describe_events: Option<&'static str>) -> PlayedProject {
    PlayedProject::answering(SETTINGS, None, move |call, _| match call {
        "CreateChangeSet" => Some(result(
            call,
            &format!(
                "<Id>arn:aws:cloudformation:eu-central-1:111122223333:changeSet/ours/1</Id><StackId>{STACK_ID}</StackId>"
            ),
        )),
        "DescribeChangeSet" => Some(result(
            call,
            "<Status>FAILED</Status><StatusReason>The following hook(s)/validation failed: [AWS::EarlyValidation::PropertyValidation].</StatusReason>",
        )),
        "DescribeEvents" => describe_events.map(|events| result(call, events)),
        "DeleteChangeSet" | "DeleteStack" => Some(result(call, "")),
        _ if !call.contains(' ') => None,
        // The bucket is there, and everything is in it.
        _ => Some(HttpAnswer::ok("")),
    })
}

#[test]
fn what_validation_found_is_told_with_its_path() {
    let project = refused(Some(
        "<OperationEvents><member><EventId>1</EventId><OperationId>o</OperationId><EventType>VALIDATION_ERROR</EventType>\
         <LogicalResourceId>DirectoryTable</LogicalResourceId><ValidationName>PROPERTY_VALIDATION</ValidationName>\
         <ValidationPath>/Resources/DirectoryTable/Properties/BillingMode</ValidationPath>\
         <ValidationStatusReason>PAY is not a valid value</ValidationStatusReason></member></OperationEvents>",
    ));
    let told = outcome(&mut project.command("deploy", &["--yes"]));
    let end = &told[told.find("error: ").unwrap_or_default()..];
    insta::assert_snapshot!(end, @r"
    error: CloudFormation refused the change set for scim: The following hook(s)/validation failed: [AWS::EarlyValidation::PropertyValidation].
      /Resources/DirectoryTable/Properties/BillingMode: PAY is not a valid value
    hint: nothing was changed; mend what the reason names and deploy again
    ");
    assert!(told.starts_with("exit code: 3\n"), "{told}");
    assert!(
        project
            .writing_calls()
            .contains(&"DeleteChangeSet".to_owned()),
        "{:?}",
        project.writing_calls()
    );
}

#[test]
fn where_nobody_may_see_what_validation_found_the_reason_is_told() {
    let project = refused(None);
    let told = outcome(&mut project.command("deploy", &["--yes"]));
    let end = &told[told.find("error: ").unwrap_or_default()..];
    insta::assert_snapshot!(end, @r"
    error: CloudFormation refused the change set for scim: The following hook(s)/validation failed: [AWS::EarlyValidation::PropertyValidation].
    hint: nothing was changed; mend what the reason names and deploy again
    ");
}

/// An update under way that ends at the third look.
fn under_way() -> PlayedProject {
    PlayedProject::answering(SETTINGS, stack("UPDATE_COMPLETE"), |call, count| {
        let begun = [
            ("UserProvisioningFunction", "UPDATE_IN_PROGRESS", ""),
            ("ReconcilerFunction", "UPDATE_IN_PROGRESS", ""),
            ("TokenAuthorizerFunction", "UPDATE_IN_PROGRESS", ""),
            ("scim", "UPDATE_IN_PROGRESS", ""),
            ("scim", "CREATE_COMPLETE", ""),
        ];
        let ended = [
            ("scim", "UPDATE_COMPLETE", ""),
            ("UserProvisioningFunction", "UPDATE_COMPLETE", ""),
            ("ReconcilerFunction", "UPDATE_COMPLETE", ""),
            ("TokenAuthorizerFunction", "UPDATE_COMPLETE", ""),
        ];
        match call {
            "DescribeStackEvents" if count < 2 => Some(events(&begun)),
            "DescribeStackEvents" => Some(events(&[&ended[..], &begun[..]].concat())),
            _ => None,
        }
    })
}

#[test]
fn watch_tells_plain_lines_without_a_terminal() {
    let told = outcome(&mut under_way().bare_command("watch", &[]));
    insta::assert_snapshot!(told, @r"
    exit code: 0
    --- stdout
    --- stderr
    08:00:00  UPDATE_IN_PROGRESS  AWS::CloudFormation::Stack  scim
    08:00:00  UPDATE_IN_PROGRESS  AWS::Lambda::Function  TokenAuthorizerFunction
    08:00:00  UPDATE_IN_PROGRESS  AWS::Lambda::Function  ReconcilerFunction
    08:00:00  UPDATE_IN_PROGRESS  AWS::Lambda::Function  UserProvisioningFunction
    08:00:00  UPDATE_COMPLETE  AWS::Lambda::Function  TokenAuthorizerFunction
    08:00:00  UPDATE_COMPLETE  AWS::Lambda::Function  ReconcilerFunction
    08:00:00  UPDATE_COMPLETE  AWS::Lambda::Function  UserProvisioningFunction
    08:00:00  UPDATE_COMPLETE  AWS::CloudFormation::Stack  scim
    scim is deployed (UPDATE_COMPLETE)
    ");
}

#[test]
fn watch_shows_on_a_terminal_what_is_under_way() {
    for columns in [60_u16, 200] {
        let (code, shown) = under_way().on_terminal(columns, "watch", &[], "");
        assert_eq!(code, Some(0), "{shown}");
        let names = "TokenAuthorizerFunction, ReconcilerFunction, UserProvisioningFunction";
        let seen = &names[..names.len().min(usize::from(columns) - 2)];
        assert!(shown.contains(seen), "{columns}: {shown:?}");
        assert_eq!(shown.contains(names), columns == 200, "{shown:?}");
        assert!(shown.contains("0 done"), "{shown:?}");
        assert!(
            !shown.contains("AWS::Lambda::Function"),
            "no line for what goes well: {shown:?}"
        );
        assert!(
            shown.ends_with("scim is deployed (UPDATE_COMPLETE)\n"),
            "{shown:?}"
        );
        let colour = Regex::new("\u{1b}\\[[0-9;]*m").unwrap();
        assert!(!colour.is_match(&shown), "NO_COLOR: {shown:?}");
    }
}

#[test]
fn service_role_and_topics_go_into_the_change_set() {
    let settings = "api: {accessLogs: false}\n\
        stack: {serviceRoleArn: 'arn:aws:iam::111122223333:role/CloudFormation', notificationTopicArns: ['arn:aws:sns:eu-central-1:111122223333:operations']}";
    let project = PlayedProject::answering(settings, None, |call, _| {
        (call.contains(' ')).then(|| HttpAnswer::ok(""))
    });
    let told = outcome(&mut project.command("deploy", &["--yes"]));
    let request = project
        .requests()
        .into_iter()
        .find(|request| request.body.starts_with("Action=CreateChangeSet&"));
    let Some(request) = request else {
        panic!("no change set was asked for: {told}");
    };
    for field in [
        "RoleARN=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2FCloudFormation",
        "NotificationARNs.member.1=arn%3Aaws%3Asns%3Aeu-central-1%3A111122223333%3Aoperations",
    ] {
        assert!(request.body.contains(field), "{field}: {}", request.body);
    }
}

#[test]
fn the_external_id_goes_with_the_role() {
    let settings = "api: {accessLogs: false}\nroleArn: 'arn:aws:iam::111122223333:role/Deployer'\nexternalId: company-4711";
    let project = PlayedProject::new(settings, None);
    let told = outcome(&mut project.bare_command("watch", &[]));
    assert!(told.starts_with("exit code: 9\n"), "{told}");
    let asked = project.requests();
    assert!(
        asked
            .iter()
            .any(|request| request.body.starts_with("Action=AssumeRole&")
                && request.body.contains("ExternalId=company-4711")),
        "{asked:?}"
    );
}

#[test]
fn a_profile_that_wants_a_second_factor_is_told_with_the_way() {
    let project = PlayedProject::new("profile: admin\napi: {accessLogs: false}", None);
    let config = project.path().join("config");
    std::fs::write(
        &config,
        "[profile base]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = example\n\
         [profile admin]\nrole_arn = arn:aws:iam::111122223333:role/Admin\nsource_profile = base\n\
         mfa_serial = arn:aws:iam::111122223333:mfa/jane\n",
    )
    .unwrap();
    let mut command = project.bare_command("watch", &[]);
    command
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY")
        .env("AWS_CONFIG_FILE", &config)
        // Whatever does not go to the played cloud goes nowhere.
        .env("HTTPS_PROXY", "http://127.0.0.1:9");
    let told = outcome(&mut command);
    assert!(told.starts_with("exit code: 9\n"), "{told}");
    assert!(
        told.contains("error: the profile admin wants a second factor (mfa_serial), and there is no session with one"),
        "{told}"
    );
    assert!(
        told.contains("aws configure export-credentials --profile admin"),
        "{told}"
    );
}
