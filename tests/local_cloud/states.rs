//! Every state that the local cloud can be brought into: what `deploy` says and does, and
//! how `recover` leads out of it.

use aws_sdk_cloudformation::types::{ChangeSetType, OnFailure};

use crate::aws::Aws;
use crate::generator;
use crate::project::{Project, Run, finish};

const STACK: &str = "connect-scim-local";

/// A template that needs nothing, and one with a resource that cannot be made.
const SOUND: &str = "Resources: {Topic: {Type: AWS::SNS::Topic}}";
const UNSOUND: &str = "Resources: {Topic: {Type: AWS::SNS::Topic}, Broken: {Type: Custom::Broken, DependsOn: Topic, Properties: {ServiceToken: 'arn:aws:lambda:us-east-1:000000000000:function:nobody'}}}";

fn deploy_with(project: &Project, packages: &std::path::Path) -> Run {
    let mut command = project.command(&["deploy", "--env", "local", "--artifacts"]);
    finish(command.arg(packages))
}

fn recover(project: &Project, arguments: &[&str]) -> Run {
    let mut all = vec!["recover", "--env", "local"];
    all.extend(arguments);
    project.run(&all)
}

/// The end of what was told: the error with its reasons, and the hint.
fn end(run: &Run) -> String {
    let begin = run.stderr.find("error: ").unwrap_or_default();
    run.stderr[begin..].to_owned()
}

/// Adds a line to the environment file.
fn add(project: &Project, line: &str) {
    let file = project.path().join("environments/local.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        file,
        format!(
            "{text}
{line}
"
        ),
    )
    .unwrap();
}

#[test]
fn a_rollback_that_failed_is_continued_without_what_cannot_be_undone() {
    let project = Project::new();
    let stubborn = generator::packages(project.path(), &["Update"], 0.0);
    deploy_with(&project, &stubborn).expect_code(0);
    add(&project, "clients: {idp: {tokenGeneration: 2}}");

    let failed = deploy_with(&project, &stubborn).expect_code(7);
    insta::assert_snapshot!(end(&failed), @r"
    error: connect-scim-local ended in the state UPDATE_ROLLBACK_FAILED
    not undone: Custom::ScimToken TokenIdp UPDATE_FAILED: no tokens today
    the last lines of connect-scim-local-token-generator's log:
      asked to Create
      asked to Update
      there are no tokens left in the drawer
    Custom::ScimToken TokenIdp UPDATE_FAILED: no tokens today
    hint: mend the cause, then `connect-scim recover --env local`
    ");

    let watched = project.run(&["watch", "--env", "local"]).expect_code(7);
    assert_eq!(
        end(&watched),
        end(&failed),
        "the last operation, as it was told"
    );

    let refused = deploy_with(&project, &stubborn).expect_code(7);
    insta::assert_snapshot!(refused.stderr, @r"
    error: connect-scim-local is in the state UPDATE_ROLLBACK_FAILED, which needs somebody's decision
    hint: `connect-scim recover --env local` says what it would do about it, and asks
    ");

    let nobody_to_ask = recover(&project, &[]).expect_code(2);
    insta::assert_snapshot!(nobody_to_ask.stderr, @r"
    not undone: Custom::ScimToken TokenIdp UPDATE_FAILED: no tokens today
    this continues the rollback of connect-scim-local to where it was before the update
    error: nobody can be asked here, and --yes was not given
    hint: add --yes if that is what you want
    ");
    let not_stuck = recover(&project, &["--skip", "DirectoryTable", "--yes"]).expect_code(2);
    insta::assert_snapshot!(not_stuck.stderr, @r"
    error: DirectoryTable cannot be skipped
    hint: only what failed to be undone can be skipped: TokenIdp
    ");

    let still_stuck = recover(&project, &["--yes"]).expect_code(7);
    assert!(
        end(&still_stuck)
            .starts_with("error: connect-scim-local ended in the state UPDATE_ROLLBACK_FAILED"),
        "{}",
        still_stuck.stderr
    );
    let recovered = recover(&project, &["--skip", "TokenIdp", "--yes"]).expect_code(0);
    assert!(
        recovered.stderr.ends_with(
            "connect-scim-local is in the state UPDATE_ROLLBACK_COMPLETE; `connect-scim deploy --env local` can go on\n"
        ),
        "{}",
        recovered.stderr
    );
    project.deploy();
    let needless = recover(&project, &[]).expect_code(0);
    insta::assert_snapshot!(needless.stderr, @r"connect-scim-local needs no recovery in the state UPDATE_COMPLETE; `connect-scim deploy --env local` can go on");
}

#[test]
fn a_first_deployment_that_could_not_be_undone_is_deleted() {
    let project = Project::new();
    add(&project, "clients: {first: {}, second: {}}");
    let stubborn = generator::packages(project.path(), &["Create second", "Delete"], 0.0);
    let failed = deploy_with(&project, &stubborn).expect_code(7);
    assert!(
        end(&failed).starts_with("error: connect-scim-local ended in the state ROLLBACK_FAILED"),
        "{}",
        failed.stderr
    );
    let refused = deploy_with(&project, &stubborn).expect_code(7);
    assert!(
        refused.stderr.contains("recover --env local"),
        "{}",
        refused.stderr
    );

    // Only a stack that failed to be deleted can be deleted without some of its resources.
    let too_early = recover(&project, &["--skip", "TokenFirst", "--yes"]).expect_code(2);
    assert!(
        too_early.stderr.contains("TokenFirst cannot be skipped"),
        "{}",
        too_early.stderr
    );
    let recovered = recover(&project, &["--yes"]).expect_code(0);
    assert!(
        recovered.stderr.contains(
            "this deletes what is left of the failed first deployment of connect-scim-local\n"
        ),
        "{}",
        recovered.stderr
    );
    assert!(
        recovered
            .stderr
            .ends_with("connect-scim-local is deleted\n"),
        "{}",
        recovered.stderr
    );
    project.deploy();
}

#[test]
fn what_was_left_as_it_failed_is_rolled_back() {
    let project = Project::new();
    project.run(&["local", "up"]).expect_code(0);
    let aws = Aws::of(&project);
    let cloudformation = aws.cloudformation();
    aws.wait(
        cloudformation
            .create_stack()
            .stack_name(STACK)
            .template_body(UNSOUND)
            .on_failure(OnFailure::DoNothing)
            .send(),
    )
    .unwrap();
    aws.await_status(STACK, "CREATE_FAILED");
    let refused = finish(&mut project.deploy_command()).expect_code(7);
    assert!(
        refused.stderr.contains("CREATE_FAILED"),
        "{}",
        refused.stderr
    );
    recover(&project, &["--yes"]).expect_code(0);
    // What is left of it is deleted by the deployment itself.
    project.deploy();

    let template = aws
        .wait(cloudformation.get_template().stack_name(STACK).send())
        .unwrap();
    let body = template.template_body().unwrap().replace(
        "Resources:\n",
        "Resources:\n  Broken: {Type: Custom::Broken, Properties: {ServiceToken: 'arn:aws:lambda:us-east-1:000000000000:function:nobody'}}\n",
    );
    let bucket_url = format!(
        "{}/connect-scim-artifacts-000000000000-us-east-1/broken.template",
        project.cloud_url()
    );
    aws.put_object(
        "connect-scim-artifacts-000000000000-us-east-1",
        "broken.template",
        body,
    );
    aws.wait(
        cloudformation
            .update_stack()
            .stack_name(STACK)
            .template_url(bucket_url)
            .capabilities(aws_sdk_cloudformation::types::Capability::CapabilityNamedIam)
            .disable_rollback(true)
            .send(),
    )
    .unwrap();
    aws.await_status(STACK, "UPDATE_FAILED");
    let refused = finish(&mut project.deploy_command()).expect_code(7);
    assert!(
        refused.stderr.contains("UPDATE_FAILED"),
        "{}",
        refused.stderr
    );
    let recovered = recover(&project, &["--yes"]).expect_code(0);
    assert!(
        recovered.stderr.contains("UPDATE_ROLLBACK_COMPLETE"),
        "{}",
        recovered.stderr
    );
    let again = project.deploy();
    assert!(again.stderr.contains("nothing changed"), "{}", again.stderr);
}

#[test]
fn an_empty_shell_is_filled_and_a_strangers_change_set_stays() {
    let project = Project::new();
    project.run(&["local", "up"]).expect_code(0);
    let aws = Aws::of(&project);
    let strangers = |name: &str, kind: ChangeSetType| {
        let call = aws
            .cloudformation()
            .create_change_set()
            .stack_name(STACK)
            .change_set_name(name)
            .change_set_type(kind)
            .template_body(SOUND);
        aws.wait(call.send()).unwrap();
    };
    strangers("of-the-shell", ChangeSetType::Create);
    let watched = project.run(&["watch", "--env", "local"]).expect_code(1);
    assert!(
        watched.stderr.contains("there is no stack"),
        "{}",
        watched.stderr
    );
    project.deploy();

    strangers("somebody-elses", ChangeSetType::Update);
    let again = project.deploy();
    assert!(again.stderr.contains("nothing changed"), "{}", again.stderr);
    assert_eq!(aws.pending_change_sets(STACK), ["somebody-elses"]);
}

#[test]
fn a_deletion_that_failed_is_finished_without_what_stays() {
    let project = Project::new();
    let stubborn = generator::packages(project.path(), &["Delete"], 0.0);
    deploy_with(&project, &stubborn).expect_code(0);
    let failed = project
        .run(&["destroy", "--env", "local", "--yes"])
        .expect_code(7);
    assert!(
        end(&failed).starts_with("error: connect-scim-local ended in the state DELETE_FAILED\nnot undone: Custom::ScimToken TokenIdp DELETE_FAILED: no tokens today\n"),
        "{}",
        failed.stderr
    );
    let recovered = recover(&project, &["--skip", "TokenIdp", "--yes"]).expect_code(0);
    assert!(
        recovered
            .stderr
            .contains("this deletes what is left of connect-scim-local\n"),
        "{}",
        recovered.stderr
    );
    let needless = recover(&project, &[]).expect_code(0);
    assert_eq!(needless.stderr, "there is no stack connect-scim-local\n");
}
