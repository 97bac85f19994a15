//! Drift: an untouched stack has none, and whatever somebody changes past the deployment
//! is found and called by its name.

use std::collections::HashMap;

use aws_sdk_apigateway::types::{ApiStage, IntegrationType, Op, PatchOperation};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::Environment;
use aws_sdk_ssm::types::ParameterType;
use serde_json::Value;

use crate::aws::Aws;
use crate::project::{Project, Run, artifacts, finish};

const STACK: &str = "connect-scim-local";
const FUNCTION: &str = "connect-scim-local-reconciler";
const NONE: [&str; 0] = [];
const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

#[test]
fn an_untouched_stack_has_no_finding_and_each_tampering_is_found_by_its_id() {
    let project = Project::new();
    project.deploy();
    for _ in 0..3 {
        expect(&project, "untouched", &NONE);
    }
    let cloud = Cloud::of(&project);
    cloud.functions(&project);
    cloud.roles_and_policies(&project);
    cloud.api(&project);
    cloud.token(&project);
    expect(&project, "all undone", &NONE);

    project.edit_environment("\napi:\n", "\napi:\n  throttle: {rate: 20, burst: 40}\n");
    let report = report(&drift(&project, &["--format", "json"]).expect_code(0));
    assert_eq!(report["counts"]["drift"], 0);
    assert_eq!(
        ids(&report),
        [
            "template.undeployed:ApiStage",
            "template.undeployed:UsagePlanIdp"
        ],
        "not deployed yet is no drift"
    );

    cloud.roll_guardrail();
    expect(
        &project,
        "policy rolled",
        &[
            "iam.policy-document:GuardrailPolicy",
            "template.undeployed:ApiStage",
            "template.undeployed:UsagePlanIdp",
        ],
    );
}

#[test]
fn without_a_stack_there_is_nothing_to_compare_with() {
    let project = Project::new();
    project.run(&["local", "up"]).expect_code(0);
    let run = drift(&project, &[]).expect_code(1);
    assert!(
        run.stderr.contains("there is no stack connect-scim-local"),
        "{}",
        run.stderr
    );
}

fn drift(project: &Project, more: &[&str]) -> Run {
    let mut command = project.command(&["drift", "--env", "local", "--artifacts"]);
    finish(command.arg(artifacts()).args(more))
}

fn report(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap()
}

fn ids(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let mut ids: Vec<_> = findings
        .map(|finding| finding["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

/// Expects exactly these findings, and the exit code that goes with them.
#[track_caller]
fn expect(project: &Project, tampering: &str, expected: &[&str]) {
    let run = drift(project, &["--format", "json"]);
    assert_eq!(ids(&report(&run)), expected, "{tampering}: {}", run.stdout);
    let code = if expected.is_empty() { 0 } else { 4 };
    assert_eq!(run.code, Some(code), "{tampering}: {}", run.stderr);
}

/// The cloud in the hands of somebody who goes past the deployment.
struct Cloud {
    aws: Aws,
    ids: HashMap<String, String>,
}

impl Cloud {
    fn of(project: &Project) -> Self {
        let aws = Aws::of(project);
        let call = aws
            .cloudformation()
            .list_stack_resources()
            .stack_name(STACK)
            .into_paginator()
            .items()
            .send()
            .try_collect();
        let resources = aws.wait(call).unwrap();
        let ids = resources
            .into_iter()
            .map(|resource| {
                (
                    resource.logical_resource_id.unwrap(),
                    resource.physical_resource_id.unwrap(),
                )
            })
            .collect();
        Self { aws, ids }
    }

    fn functions(&self, project: &Project) {
        let (aws, lambda) = (&self.aws, self.aws.lambda());
        let replace = |package: &str| {
            let files = std::fs::read_dir(artifacts()).unwrap();
            let file = files
                .map(|file| file.unwrap().path())
                .find(|path| {
                    path.file_name()
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .starts_with(package)
                })
                .unwrap();
            let call = lambda
                .update_function_code()
                .function_name(FUNCTION)
                .zip_file(Blob::new(std::fs::read(file).unwrap()));
            aws.wait(call.send()).unwrap();
        };
        replace("token-generator-");
        expect(
            project,
            "code replaced",
            &["function.code:ReconcilerFunction"],
        );
        replace("reconciler-");

        let read = lambda.get_function_configuration().function_name(FUNCTION);
        let read = aws.wait(read.send()).unwrap();
        let memory = read.memory_size().unwrap();
        let before = read.environment().unwrap().variables().unwrap().clone();
        let set = |variables: HashMap<String, String>, memory: i32| {
            let call = lambda
                .update_function_configuration()
                .function_name(FUNCTION)
                .memory_size(memory)
                .environment(
                    Environment::builder()
                        .set_variables(Some(variables))
                        .build(),
                );
            aws.wait(call.send()).unwrap();
        };
        let mut more = before.clone();
        more.insert("EXTRA".to_owned(), "canary-secret".to_owned());
        set(more, memory * 2);
        expect(
            project,
            "variable added, memory raised",
            &[
                "function.MemorySize:ReconcilerFunction",
                "function.environment:ReconcilerFunction:EXTRA",
            ],
        );
        for format in ["text", "json", "markdown"] {
            let run = drift(project, &["--format", format]).expect_code(4);
            assert!(run.stdout.contains("EXTRA"), "{format}: {}", run.stdout);
            assert!(!run.stdout.contains("canary-secret"), "{format}");
        }
        set(before, memory);

        let open = lambda
            .add_permission()
            .function_name(FUNCTION)
            .statement_id("open")
            .action("lambda:InvokeFunction")
            .principal("999999999999");
        aws.wait(open.send()).unwrap();
        expect(
            project,
            "another caller",
            &["function.caller:ReconcilerFunction:open"],
        );
        let close = lambda
            .remove_permission()
            .function_name(FUNCTION)
            .statement_id("open");
        aws.wait(close.send()).unwrap();
    }

    fn roles_and_policies(&self, project: &Project) {
        const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";
        let (aws, iam) = (&self.aws, self.aws.iam());
        let role = &self.ids["UserProvisioningRole"];

        let call = iam.put_role_policy().role_name(role).policy_name("extra");
        aws.wait(call.policy_document(EVERYTHING).send()).unwrap();
        expect(
            project,
            "inline policy added",
            &["iam.inline-policy:UserProvisioningRole:extra"],
        );
        let call = iam
            .delete_role_policy()
            .role_name(role)
            .policy_name("extra");
        aws.wait(call.send()).unwrap();

        let call = iam
            .attach_role_policy()
            .role_name(role)
            .policy_arn(READ_ONLY);
        aws.wait(call.send()).unwrap();
        expect(
            project,
            "managed policy attached",
            &[&format!(
                "iam.attached-policy:UserProvisioningRole:{READ_ONLY}"
            )],
        );
        let call = iam
            .detach_role_policy()
            .role_name(role)
            .policy_arn(READ_ONLY);
        aws.wait(call.send()).unwrap();

        let trust = |principal: &str| {
            let document = format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole"}}]}}"#
            );
            let call = iam.update_assume_role_policy().role_name(role);
            aws.wait(call.policy_document(document).send()).unwrap();
        };
        trust(r#"{"Service":"lambda.amazonaws.com","AWS":"arn:aws:iam::999999999999:root"}"#);
        expect(
            project,
            "trust widened",
            &["iam.trust:UserProvisioningRole"],
        );
        trust(r#"{"Service":"lambda.amazonaws.com"}"#);
    }

    /// There is no way back in MiniStack, which knows no SetDefaultPolicyVersion.
    fn roll_guardrail(&self) {
        let (aws, iam) = (&self.aws, self.aws.iam());
        let call = iam
            .create_policy_version()
            .policy_arn(&self.ids["GuardrailPolicy"])
            .policy_document(EVERYTHING)
            .set_as_default(true);
        aws.wait(call.send()).unwrap();
    }

    fn api(&self, project: &Project) {
        let (aws, gateway) = (&self.aws, self.aws.apigateway());
        let (api, stage) = (&self.ids["RestApi"], &self.ids["ApiStage"]);
        let deployed = self
            .ids
            .iter()
            .find(|(id, _)| id.starts_with("ApiDeployment"))
            .map(|(_, deployment)| deployment.clone())
            .unwrap();
        let patch = |path: &str, value: &str| {
            PatchOperation::builder()
                .op(Op::Replace)
                .path(path)
                .value(value)
                .build()
        };
        let move_to = |deployment: &str| {
            let call = gateway.update_stage().rest_api_id(api).stage_name(stage);
            let call = call.patch_operations(patch("/deploymentId", deployment));
            aws.wait(call.send()).unwrap();
        };
        let deploy = || {
            let made = aws.wait(gateway.create_deployment().rest_api_id(api).send());
            made.unwrap().id.unwrap()
        };
        move_to(&deploy());
        expect(project, "stage moved", &["api.DeploymentId:ApiStage"]);
        move_to(&deployed);

        let resources = aws
            .wait(gateway.get_resources().rest_api_id(api).send())
            .unwrap();
        let root = resources
            .items()
            .iter()
            .find(|one| one.path() == Some("/"))
            .unwrap();
        let call = gateway
            .create_resource()
            .rest_api_id(api)
            .parent_id(root.id().unwrap());
        let open = aws.wait(call.path_part("open").send()).unwrap().id.unwrap();
        let call = gateway.put_method().rest_api_id(api).resource_id(&open);
        let call = call.http_method("GET").authorization_type("NONE");
        aws.wait(call.send()).unwrap();
        let call = gateway
            .put_integration()
            .rest_api_id(api)
            .resource_id(&open);
        let call = call.http_method("GET").r#type(IntegrationType::Mock);
        aws.wait(call.send()).unwrap();
        expect(project, "method added", &["api.method:RestApi:GET /open"]);
        move_to(&deploy());
        expect(
            project,
            "method added and deployed",
            &[
                "api.DeploymentId:ApiStage",
                "api.method:RestApi:GET /open",
                "api.served-method:ApiStage:GET /open",
            ],
        );
        move_to(&deployed);
        let call = gateway
            .delete_resource()
            .rest_api_id(api)
            .resource_id(&open);
        aws.wait(call.send()).unwrap();

        let door = ApiStage::builder().api_id(api).stage(stage).build();
        let call = gateway.create_usage_plan().name("another").api_stages(door);
        let plan = aws.wait(call.send()).unwrap().id.unwrap();
        expect(
            project,
            "another usage plan",
            &[&format!("api.usage-plan:RestApi:{plan}")],
        );
        let close = PatchOperation::builder().op(Op::Remove).path("/apiStages");
        let close = close.value(format!("{api}:{stage}")).build();
        let call = gateway.update_usage_plan().usage_plan_id(&plan);
        aws.wait(call.patch_operations(close).send()).unwrap();
        let call = gateway.delete_usage_plan().usage_plan_id(&plan);
        aws.wait(call.send()).unwrap();
    }

    fn token(&self, project: &Project) {
        let (aws, ssm) = (&self.aws, self.aws.ssm());
        let parameter = aws.resources(STACK)["TokenIdp"]["Properties"]["ParameterName"]
            .as_str()
            .unwrap()
            .to_owned();
        let delete = || {
            let call = ssm.delete_parameter().name(&parameter);
            aws.wait(call.send()).unwrap();
        };
        delete();
        expect(project, "token deleted", &["token.deleted:TokenIdp"]);
        let call = ssm.put_parameter().name(&parameter).value("canary-token");
        aws.wait(call.r#type(ParameterType::String).send()).unwrap();
        expect(
            project,
            "token in plain text",
            &["token.not-encrypted:TokenIdp"],
        );
        delete();
        project
            .run(&["token", "rotate", "--env", "local"])
            .expect_code(0);
    }
}
