//! The review gate of `connect-scim deploy`, with a terminal and without.

use std::fs;

use test_support::HttpAnswer;

use crate::cloud::{BASE, PlayedProject, THROTTLED, result};
use crate::outcome;

/// One more client: the authorizer may read one more token.
const TWO_CLIENTS: &str = "api: {accessLogs: false}\nclients: {idp: {}, hr: {}}";
/// Another stage: another URL, and resources that are replaced.
const RENAMED: &str = "api: {accessLogs: false}\nstage: blue";

/// The first call of a deployment that the gate has let pass: it looks for the bucket.
fn passed(project: &PlayedProject) -> bool {
    !project.writing_calls().is_empty()
}

#[test]
fn without_a_terminal_a_change_needs_yes() {
    let project = PlayedProject::deployed_as(BASE, THROTTLED);
    insta::assert_snapshot!(outcome(&mut project.command("deploy", &[])), @r"
    exit code: 10
    --- stdout
    --- stderr
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
    error: scim would change, and that has not been approved; nobody can be asked here, and nothing was changed
    hint: if that is what you want, add --yes
    ");
    assert!(!passed(&project));
    assert_ne!(
        project
            .command("deploy", &["--yes"])
            .output()
            .unwrap()
            .status
            .code(),
        Some(10)
    );
    assert!(passed(&project));
}

#[test]
fn without_a_terminal_a_creation_needs_yes_and_no_more() {
    let project = PlayedProject::new(BASE, None);
    let output = project.command("deploy", &[]).output().unwrap();
    assert_eq!(output.status.code(), Some(10));
    assert!(!passed(&project));
    assert_ne!(
        project
            .command("deploy", &["--yes"])
            .output()
            .unwrap()
            .status
            .code(),
        Some(10)
    );
    assert!(passed(&project));
}

#[test]
fn broadened_permissions_are_approved_by_name() {
    let project = PlayedProject::deployed_as(BASE, TWO_CLIENTS);
    insta::assert_snapshot!(outcome(&mut project.command("deploy", &["--yes"])), @r#"
    exit code: 10
    --- stdout
    --- stderr
    scim in account 111122223333, eu-central-1

    Resources
      ~ GuardrailPolicy  AWS::IAM::ManagedPolicy
          PolicyDocument.Statement[Endpoint].Resource:
            + !Sub arn:${AWS::Partition}:apigateway:*::/*${UsagePlanHr}*
            + !Sub arn:${AWS::Partition}:apigateway:*::/*${ApiKeyHr}*
      ~ TokenAuthorizerFunction  AWS::Lambda::Function
          Environment.Variables.TOKEN_CLIENTS: !Sub ["[{\"client\":\"idp\",\"parameterName\":\"/connect-scim/scim/token/idp\",\"usageIdentifierKey\":\"${StackUuid}-idp\"}]", {StackUuid: !Select [2, !Split [/, !Ref AWS::StackId]]}] → !Sub ["[{\"client\":\"hr\",\"parameterName\":\"/connect-scim/scim/token/hr\",\"usageIdentifierKey\":\"${StackUuid}-hr\"},{\"client\":\"idp\",\"parameterName\":\"/connect-scim/scim/token/idp\",\"usageIdentifierKey\":\"${StackUuid}-idp\"}]", {StackUuid: !Select [2, !Split [/, !Ref AWS::StackId]]}]
      ~ TokenAuthorizerRole  AWS::IAM::Role
          Policies[token-authorizer].PolicyDocument.Statement[ReadTokens].Resource:
            + !Sub arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/connect-scim/scim/token/hr
            + !Sub arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/connect-scim/scim/token/hr:*
      ~ UserProvisioningFunction  AWS::Lambda::Function
          Environment.Variables.CLIENTS: idp → hr,idp
      + ApiKeyHr  AWS::ApiGateway::ApiKey
      + TokenHr  Custom::ScimToken
      + UsagePlanHr  AWS::ApiGateway::UsagePlan
      + UsagePlanKeyHr  AWS::ApiGateway::UsagePlanKey

    API
      client hr is admitted: 25 requests per second, 50 at once

    Permissions (IAM)
      TokenAuthorizerRole, permissions  BROADENED
        ! + allow ssm:GetParameter
            on arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/connect-scim/scim/token/hr
            on arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/connect-scim/scim/token/hr:*
      GuardrailPolicy, permissions
        + deny all but apigateway:GET, cloudformation:Describe*, cloudformation:Detect*, cloudformation:Get*, cloudformation:List*, cloudwatch:Describe*, cloudwatch:Get*, cloudwatch:List*, events:Describe*, events:List*, iam:Generate*, iam:Get*, iam:List*, iam:Simulate*, lambda:Get*, lambda:List*, s3:Get*, s3:List*, sns:Get*, sns:List*, sts:*
            on arn:${AWS::Partition}:apigateway:*::/*${ApiKeyHr}*
            on arn:${AWS::Partition}:apigateway:*::/*${UsagePlanHr}*

    Stack
      Outputs.TokenParameterNameHr: (none) → {Description: The SSM parameter that holds the bearer token of client hr, Value: !Ref TokenHr}

    scim: 4 to add, 4 to change, 0 to remove, and the stack itself changes
    to be approved: --approve iam
    error: scim would change so that permissions are broadened; nobody can be asked here, and nothing was changed
    hint: if that is what you want, add --approve iam
    "#);
    let wrong = project
        .command("deploy", &["--yes", "--approve", "replace"])
        .output()
        .unwrap();
    assert_eq!(wrong.status.code(), Some(10));
    assert!(!passed(&project));
    let right = project
        .command("deploy", &["--yes", "--approve", "iam"])
        .output()
        .unwrap();
    assert_ne!(right.status.code(), Some(10));
    assert!(passed(&project));
}

#[test]
fn a_replacement_is_approved_by_name() {
    let project = PlayedProject::deployed_as(BASE, RENAMED);
    let output = project
        .command("deploy", &["--yes", "--approve", "iam"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(10));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("the endpoint's URL changes"), "{stderr}");
    assert!(
        stderr.ends_with("hint: if that is what you want, add --approve replace\n"),
        "{stderr}"
    );
    assert!(!passed(&project));
    let output = project
        .command("deploy", &["--yes", "--approve", "iam,replace"])
        .output()
        .unwrap();
    assert_ne!(output.status.code(), Some(10));
    assert!(passed(&project));
}

#[test]
fn nothing_to_do_needs_no_approval() {
    let project = PlayedProject::deployed_as(BASE, BASE);
    let output = project.command("deploy", &[]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn on_a_terminal_the_plan_is_shown_and_a_word_is_typed() {
    let project = PlayedProject::deployed_as(BASE, THROTTLED);
    let (code, shown) = project.on_terminal(60, "deploy", &[], "no");
    assert_eq!(code, Some(1));
    insta::assert_snapshot!(shown, @r"
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
    deploy this to scim in account 111122223333?
    type yes to go on: error: not confirmed; nothing was changed
    ");
    assert!(!passed(&project));
    let (_, shown) = project.on_terminal(60, "deploy", &[], "yes");
    assert!(!shown.contains("not confirmed"), "{shown}");
    assert!(passed(&project));
}

#[test]
fn on_a_terminal_what_has_to_be_approved_by_name_is_typed_by_name() {
    let project = PlayedProject::deployed_as(BASE, TWO_CLIENTS);
    let (code, shown) = project.on_terminal(200, "deploy", &["--yes"], "yes");
    assert_eq!(code, Some(1));
    insta::assert_snapshot!(shown, @r#"
    scim in account 111122223333, eu-central-1

    Resources
      ~ GuardrailPolicy  AWS::IAM::ManagedPolicy
          PolicyDocument.Statement[Endpoint].Resource:
            + !Sub arn:${AWS::Partition}:apigateway:*::/*${UsagePlanHr}*
            + !Sub arn:${AWS::Partition}:apigateway:*::/*${ApiKeyHr}*
      ~ TokenAuthorizerFunction  AWS::Lambda::Function
          Environment.Variables.TOKEN_CLIENTS:
            - …"[{\"client\":\"idp\",\"parameterName\":\"/connect-scim/scim/token/idp\",\"usageIdentifierKey\":\"${StackUuid}-idp\"}]", {StackUuid: !Select [2, !Split [/, !Ref AWS::StackId]]}]
            + …"[{\"client\":\"hr\",\"parameterName\":\"/connect-scim/scim/token/hr\",\"usageIdentifierKey\":\"${StackUuid}-hr\"},{\"client\":\"idp\",\"parameterName\":\"/connect-scim/scim/token/idp\",\"…
      ~ TokenAuthorizerRole  AWS::IAM::Role
          Policies[token-authorizer].PolicyDocument.Statement[ReadTokens].Resource:
            + !Sub arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/connect-scim/scim/token/hr
            + !Sub arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/connect-scim/scim/token/hr:*
      ~ UserProvisioningFunction  AWS::Lambda::Function
          Environment.Variables.CLIENTS: idp → hr,idp
      + ApiKeyHr  AWS::ApiGateway::ApiKey
      + TokenHr  Custom::ScimToken
      + UsagePlanHr  AWS::ApiGateway::UsagePlan
      + UsagePlanKeyHr  AWS::ApiGateway::UsagePlanKey

    API
      client hr is admitted: 25 requests per second, 50 at once

    Permissions (IAM)
      TokenAuthorizerRole, permissions  BROADENED
        ! + allow ssm:GetParameter
            on arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/connect-scim/scim/token/hr
            on arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/connect-scim/scim/token/hr:*
      GuardrailPolicy, permissions
        + deny all but apigateway:GET, cloudformation:Describe*, cloudformation:Detect*, cloudformation:Get*, cloudformation:List*, cloudwatch:Describe*, cloudwatch:Get*, cloudwatch:List*,
          events:Describe*, events:List*, iam:Generate*, iam:Get*, iam:List*, iam:Simulate*, lambda:Get*, lambda:List*, s3:Get*, s3:List*, sns:Get*, sns:List*, sts:*
            on arn:${AWS::Partition}:apigateway:*::/*${ApiKeyHr}*
            on arn:${AWS::Partition}:apigateway:*::/*${UsagePlanHr}*

    Stack
      Outputs.TokenParameterNameHr: (none) → {Description: The SSM parameter that holds the bearer token of client hr, Value: !Ref TokenHr}

    scim: 4 to add, 4 to change, 0 to remove, and the stack itself changes
    to be approved: --approve iam
    deploy this to scim in account 111122223333?
    iam: permissions are broadened
    type iam to approve that and go on: error: not confirmed; nothing was changed
    "#);
    assert!(!passed(&project));
    project.on_terminal(200, "deploy", &["--yes"], "iam");
    assert!(passed(&project));
}

#[test]
fn a_saved_plan_is_carried_out_without_asking_while_it_holds() {
    let project = PlayedProject::deployed_as(BASE, THROTTLED);
    let planned = project
        .command("plan", &["--out", "plan.json"])
        .output()
        .unwrap();
    assert_eq!(planned.status.code(), Some(4));
    let deployed = project
        .command("deploy", &["--plan", "plan.json"])
        .output()
        .unwrap();
    assert_ne!(deployed.status.code(), Some(10));
    assert!(passed(&project));
}

#[test]
fn a_saved_plan_is_refused_once_something_has_changed() {
    let project = PlayedProject::deployed_as(BASE, THROTTLED);
    project
        .command("plan", &["--out", "plan.json"])
        .output()
        .unwrap();

    project.write_environment(TWO_CLIENTS);
    insta::assert_snapshot!(outcome(&mut project.command("deploy", &["--plan", "plan.json"])), @r"
    exit code: 1
    --- stdout
    --- stderr
    error: plan.json cannot be carried out: the environment file or the templates have changed since; nothing was changed
    hint: review a new one: `connect-scim plan --env test --out plan.json`
    ");

    project.write_environment(THROTTLED);
    let somebody_elses = PlayedProject::deployed_as(TWO_CLIENTS, THROTTLED);
    fs::copy(
        project.path().join("plan.json"),
        somebody_elses.path().join("plan.json"),
    )
    .unwrap();
    let refused = outcome(&mut somebody_elses.command("deploy", &["--plan", "plan.json"]));
    assert!(refused.starts_with("exit code: 1\n"), "{refused}");
    assert!(
        refused.contains("the stack has been changed since"),
        "{refused}"
    );
    assert!(!passed(&project) && !passed(&somebody_elses));
}

#[test]
fn what_is_no_plan_is_refused() {
    let project = PlayedProject::deployed_as(BASE, THROTTLED);
    fs::write(project.path().join("plan.json"), "{\"version\": 2}").unwrap();
    insta::assert_snapshot!(outcome(&mut project.command("deploy", &["--plan", "plan.json"])), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: plan.json is a plan of version 2, which this connect-scim cannot carry out
    hint: `connect-scim plan --out FILE` makes one
    ");
    fs::write(project.path().join("plan.json"), "{}").unwrap();
    let refused = outcome(&mut project.command("deploy", &["--plan", "plan.json"]));
    assert!(refused.starts_with("exit code: 2\n"), "{refused}");
}

/// A change set that also does what no template tells: `more` is what a DescribeChangeSet
/// has besides the change that the plan shows.
fn with_change_set(more: &'static str) -> PlayedProject {
    PlayedProject::deployed_as_answering(BASE, THROTTLED, move |call, _| match call {
        "CreateChangeSet" => Some(result(
            call,
            "<Id>arn:aws:cloudformation:eu-central-1:111122223333:changeSet/ours/1</Id>\
             <StackId>arn:aws:cloudformation:eu-central-1:111122223333:stack/scim/5d3e7c60</StackId>",
        )),
        "DescribeChangeSet" => Some(result(
            call,
            &format!(
                "<Status>CREATE_COMPLETE</Status><Changes>\
                 <member><Type>Resource</Type><ResourceChange><Action>Modify</Action>\
                 <LogicalResourceId>UsagePlanIdp</LogicalResourceId>\
                 <ResourceType>AWS::ApiGateway::UsagePlan</ResourceType>\
                 <Replacement>False</Replacement></ResourceChange></member>{more}</Changes>"
            ),
        )),
        "DescribeStackEvents" => Some(result(call, "<StackEvents></StackEvents>")),
        "DeleteChangeSet" => Some(result(call, "")),
        // The bucket is there, and takes everything.
        _ if call.contains(' ') => Some(HttpAnswer::ok("")),
        _ => None,
    })
}

const REPLACED: &str = "<member><Type>Resource</Type><ResourceChange><Action>Modify</Action>\
    <LogicalResourceId>DirectoryTable</LogicalResourceId>\
    <ResourceType>AWS::DynamoDB::Table</ResourceType><Replacement>True</Replacement>\
    <Details><member><Evaluation>Static</Evaluation><ChangeSource>DirectModification</ChangeSource>\
    <Target><Attribute>Properties</Attribute><Name>KeySchema</Name>\
    <RequiresRecreation>Always</RequiresRecreation></Target></member></Details>\
    </ResourceChange></member>";

const REMOVED: &str = "<member><Type>Resource</Type><ResourceChange><Action>Remove</Action>\
    <LogicalResourceId>ReconcileQueue</LogicalResourceId>\
    <ResourceType>AWS::SQS::Queue</ResourceType></ResourceChange></member>";

fn has_called(project: &PlayedProject, call: &str) -> bool {
    project.writing_calls().iter().any(|made| made == call)
}

#[test]
fn a_replacement_that_only_the_change_set_shows_is_held_before_it_is_executed() {
    let project = with_change_set(REPLACED);
    let told = outcome(&mut project.command("deploy", &["--yes"]));
    let end = &told[told.find("CloudFormation would").unwrap_or_default()..];
    insta::assert_snapshot!(end, @r"
    CloudFormation would do more than the templates tell:
    scim in account 111122223333, eu-central-1

    Attention
      DATA LOSS  DirectoryTable is replaced by an empty one: all items in it are lost

    Resources
      -/+ DirectoryTable  AWS::DynamoDB::Table  is replaced
          KeySchema: (none) → (another value, which the service does not tell) (forces the replacement)

    scim: 0 to add, 1 to change (1 by replacement), 0 to remove
    to be approved: --approve replace
    error: scim would change so that resources are replaced or data is lost; nobody can be asked here, and nothing was changed
    hint: if that is what you want, add --approve replace
    ");
    assert!(told.starts_with("exit code: 10\n"), "{told}");
    assert!(has_called(&project, "DeleteChangeSet"));
    assert!(!has_called(&project, "ExecuteChangeSet"));

    let project = with_change_set(REPLACED);
    let told = outcome(&mut project.command("deploy", &["--yes", "--approve", "replace"]));
    assert!(told.contains("DirectoryTable"), "{told}");
    assert!(has_called(&project, "ExecuteChangeSet"), "{told}");
}

#[test]
fn a_removal_that_only_the_change_set_shows_is_held_before_it_is_executed() {
    let project = with_change_set(REMOVED);
    let told = outcome(&mut project.command("deploy", &["--yes"]));
    assert!(told.starts_with("exit code: 10\n"), "{told}");
    assert!(told.contains("DATA LOSS"), "{told}");
    assert!(!has_called(&project, "ExecuteChangeSet"));
}

#[test]
fn a_change_set_that_does_what_the_plan_says_needs_no_other_approval() {
    let project = with_change_set("");
    let told = outcome(&mut project.command("deploy", &["--yes"]));
    assert!(!told.contains("CloudFormation would"), "{told}");
    assert!(has_called(&project, "ExecuteChangeSet"), "{told}");
}

#[test]
fn on_a_terminal_it_is_asked_for_what_only_the_change_set_shows() {
    for (answer, goes_on) in [("no", false), ("replace", true)] {
        let project = with_change_set(REPLACED);
        let (_, shown) = project.on_terminal(100, "deploy", &["--yes"], answer);
        assert!(
            shown.contains("replace: resources are replaced or data is lost\ntype replace to approve that and go on: "),
            "{shown}"
        );
        assert_eq!(has_called(&project, "ExecuteChangeSet"), goes_on, "{shown}");
        assert_eq!(has_called(&project, "DeleteChangeSet"), !goes_on, "{shown}");
    }
}
