//! `drift --mend`: what somebody changed past the deployment is taken back, after somebody
//! has said yes.

use aws_sdk_apigateway::types::{
    ApiStage, GatewayResponseType, IntegrationType, Op, PatchOperation,
};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::Environment;
use aws_sdk_ssm::types::ParameterType;
use serde_json::{Value, json};

use aws_json_client::Service;
use connect_scim::cloud::service::{CLOUDWATCH, EVENTS, LOGS};

use crate::aws::{Aws, EVERYTHING};
use crate::endpoint::Endpoint;
use crate::project::{Project, Run, artifacts, finish};
use crate::terminal::Terminal;
use crate::users::Instance;

const STACK: &str = "connect-scim-local";
const FUNCTION: &str = "connect-scim-local-reconciler";
const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

#[test]
fn every_tampering_is_mended_and_nothing_is_without_a_yes() {
    let project = Project::new();
    project.edit_environment("\nguardrails:\n", "\ndrift:\n  watch: {}\n\nguardrails:\n");
    project.deploy();
    let tamperer = Tamperer::of(&project);
    tamperer.role();
    let before = findings(&drift(&project, &["--format", "json"]));
    assert!(!before.is_empty());

    let run = drift(&project, &["--mend"]).expect_code(10);
    assert!(
        run.stderr.contains("To mend connect-scim-local"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("add --yes"), "{}", run.stderr);
    let packages = artifacts().to_str().unwrap();
    let arguments = ["drift", "--env", "local", "--artifacts", packages, "--mend"];
    let mut terminal = Terminal::start(&project, &arguments);
    terminal.wait_for("type yes to go on:");
    terminal.type_line("no");
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(1), "{screen}");
    assert!(screen.contains("nothing was changed"), "{screen}");
    assert_eq!(findings(&drift(&project, &["--format", "json"])), before);

    tamperer.function();
    tamperer.api();
    tamperer.guardrail();
    tamperer.resources();
    tamperer.token();
    let before = findings(&drift(&project, &["--format", "json"]));
    let mended = drift(&project, &["--mend", "--yes", "--format", "json"]).expect_code(0);
    assert_eq!(findings(&mended), Vec::<String>::new());
    for id in before {
        assert!(mended.stderr.contains(&id), "{id}:\n{}", mended.stderr);
    }
    assert!(!mended.stderr.contains("not done"), "{}", mended.stderr);
    assert!(
        mended.stderr.contains("idp has a new token") && mended.stderr.contains("enter it at Okta"),
        "{}",
        mended.stderr
    );
    project.run(&["smoke", "--env", "local"]).expect_code(0);

    let idle = drift(&project, &["--mend"]).expect_code(0);
    assert!(!idle.stderr.contains("To mend"), "{}", idle.stderr);
}

#[test]
fn users_are_mended_only_if_it_is_said() {
    let project = Project::new();
    project.deploy();
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "ada@example.org",
        "name": {"givenName": "Ada", "familyName": "Lovelace"},
        "active": true,
    });
    Endpoint::of(&project).post("/Users", &user);
    Instance::of(&project).delete("ada@example.org");

    let left = drift(&project, &["--mend", "--yes", "--format", "json"]).expect_code(4);
    let ids = findings(&left);
    assert!(
        ids.len() == 1 && ids[0].starts_with("connect.missing:"),
        "{ids:?}"
    );
    assert!(left.stderr.contains("add --users"), "{}", left.stderr);
    let mended = drift(&project, &["--mend", "--users", "--yes"]).expect_code(0);
    assert!(
        mended.stderr.contains("1/1 done: bring users"),
        "{}",
        mended.stderr
    );
}

/// The local cloud takes a drift-aware change set for one of the usual kind.
#[test]
fn a_deleted_queue_is_left_to_a_person_where_there_are_no_drift_aware_change_sets() {
    let project = Project::new();
    project.deploy();
    let tamperer = Tamperer::of(&project);
    let queue = json!({"QueueUrl": tamperer.ids["ReconcileDeadLetterQueue"]});
    tamperer.aws.call(Service::SQS, "DeleteQueue", &queue);
    let left = drift(&project, &["--mend", "--yes"]).expect_code(4);
    assert!(
        left.stderr
            .contains("queue.deleted:ReconcileDeadLetterQueue\n    make it again"),
        "{}",
        left.stderr
    );
    assert!(!left.stderr.contains("CloudFormation"), "{}", left.stderr);
    let change_sets = tamperer.aws.cloudformation().list_change_sets();
    let listed = tamperer
        .aws
        .wait(change_sets.stack_name(STACK).send())
        .unwrap();
    assert!(listed.summaries().iter().all(|one| {
        let name = one.change_set_name().unwrap_or_default();
        !name.starts_with("connect-scim-mend-")
    }));
}

fn drift(project: &Project, more: &[&str]) -> Run {
    let mut command = project.command(&["drift", "--env", "local", "--no-trail", "--artifacts"]);
    finish(command.arg(artifacts()).args(more))
}

fn findings(run: &Run) -> Vec<String> {
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| finding["id"].as_str().unwrap().to_owned())
        .collect()
}

/// Somebody who goes past the deployment.
struct Tamperer {
    aws: Aws,
    resources: serde_json::Map<String, Value>,
    ids: std::collections::HashMap<String, String>,
}

impl Tamperer {
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
        let ids = aws
            .wait(call)
            .unwrap()
            .into_iter()
            .filter_map(|resource| {
                Some((
                    resource.logical_resource_id?,
                    resource.physical_resource_id?,
                ))
            })
            .collect();
        let resources = aws.resources(STACK);
        Self {
            aws,
            resources,
            ids,
        }
    }

    fn role(&self) {
        let (aws, iam) = (&self.aws, self.aws.iam());
        let role = &self.ids["UserProvisioningRole"];
        let call = iam.put_role_policy().role_name(role).policy_name("extra");
        aws.wait(call.policy_document(EVERYTHING).send()).unwrap();
        let own = aws.wait(iam.list_role_policies().role_name(role).send());
        let own = own.unwrap();
        let own = own.policy_names().iter().find(|name| *name != "extra");
        let call = iam.put_role_policy().role_name(role);
        let call = call.policy_name(own.unwrap()).policy_document(EVERYTHING);
        aws.wait(call.send()).unwrap();
        let call = iam
            .attach_role_policy()
            .role_name(role)
            .policy_arn(READ_ONLY);
        aws.wait(call.send()).unwrap();
        let call = iam
            .put_role_permissions_boundary()
            .role_name(role)
            .permissions_boundary(READ_ONLY);
        aws.wait(call.send()).unwrap();
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999999999999:root"},"Action":"sts:AssumeRole"}]}"#;
        let call = iam.update_assume_role_policy().role_name(role);
        aws.wait(call.policy_document(trust).send()).unwrap();
    }

    fn guardrail(&self) {
        let (aws, iam) = (&self.aws, self.aws.iam());
        // As many versions as there can be, so that one has to go for the mended one.
        for _ in 0..4 {
            let call = iam
                .create_policy_version()
                .policy_arn(&self.ids["GuardrailPolicy"])
                .policy_document(EVERYTHING)
                .set_as_default(true);
            aws.wait(call.send()).unwrap();
        }
    }

    fn function(&self) {
        let (aws, lambda) = (&self.aws, self.aws.lambda());
        let other = std::fs::read_dir(artifacts())
            .unwrap()
            .map(|file| file.unwrap().path())
            .find(|path| {
                let name = path.file_name().unwrap().to_str().unwrap();
                name.starts_with("token-generator-")
            })
            .unwrap();
        let call = lambda
            .update_function_code()
            .function_name(FUNCTION)
            .zip_file(Blob::new(std::fs::read(other).unwrap()));
        aws.wait(call.send()).unwrap();
        let variables = Environment::builder().variables("EXTRA", "x").build();
        let call = lambda
            .update_function_configuration()
            .function_name(FUNCTION)
            .memory_size(1024)
            .environment(variables);
        aws.wait(call.send()).unwrap();
        let call = lambda
            .add_permission()
            .function_name(FUNCTION)
            .statement_id("open")
            .action("lambda:InvokeFunction")
            .principal("999999999999");
        aws.wait(call.send()).unwrap();
        let permission = self
            .resources
            .iter()
            .find(|(_, resource)| resource["Type"] == "AWS::Lambda::Permission")
            .map(|(logical_id, _)| &self.ids[logical_id])
            .unwrap();
        for function in ["UserProvisioningFunction", "TokenAuthorizerFunction"] {
            let call = lambda
                .remove_permission()
                .function_name(&self.ids[function])
                .statement_id(permission);
            let _only_one_of_them_has_it = aws.wait(call.send());
        }
    }

    fn api(&self) {
        let (aws, gateway) = (&self.aws, self.aws.apigateway());
        let (api, stage) = (&self.ids["RestApi"], &self.ids["ApiStage"]);
        let resources = aws.wait(gateway.get_resources().rest_api_id(api).send());
        let resources = resources.unwrap();
        let root = resources.items().iter().find(|one| one.path() == Some("/"));
        let call = gateway
            .create_resource()
            .rest_api_id(api)
            .parent_id(root.unwrap().id().unwrap());
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

        // The one method, without its authorizer.
        let users = &self.ids["UsersResource"];
        let call = gateway.put_method().rest_api_id(api).resource_id(users);
        let call = call.http_method("ANY").authorization_type("NONE");
        aws.wait(call.send()).unwrap();

        let replace = |path: &str, value: &str| {
            let patch = PatchOperation::builder().op(Op::Replace);
            patch.path(path).value(value).build()
        };
        let made = aws.wait(gateway.create_deployment().rest_api_id(api).send());
        let call = gateway
            .update_stage()
            .rest_api_id(api)
            .stage_name(stage)
            .patch_operations(replace("/deploymentId", &made.unwrap().id.unwrap()))
            .patch_operations(replace("/*/*/throttling/rateLimit", "9999"))
            .patch_operations(replace("/~1open/GET/throttling/rateLimit", "9999"))
            .patch_operations(replace("/tracingEnabled", "true"));
        aws.wait(call.send()).unwrap();
        let call = gateway
            .put_gateway_response()
            .rest_api_id(api)
            .response_type(GatewayResponseType::Throttled)
            .status_code("200");
        aws.wait(call.send()).unwrap();
        let another = gateway
            .create_stage()
            .rest_api_id(api)
            .stage_name("another")
            .deployment_id(self.deployment());
        aws.wait(another.send()).unwrap();
        let door = ApiStage::builder().api_id(api).stage(stage).build();
        let call = gateway.create_usage_plan().name("another").api_stages(door);
        aws.wait(call.send()).unwrap();
    }

    fn resources(&self) {
        let (aws, ids) = (&self.aws, &self.ids);
        let attributes = json!({"VisibilityTimeout": "7", "RedrivePolicy": ""});
        let queue = json!({"QueueUrl": ids["ReconcileQueue"], "Attributes": attributes});
        aws.call(Service::SQS, "SetQueueAttributes", &queue);
        let mut alarms = ids.iter().filter(|(id, _)| id.ends_with("Alarm"));
        let (_, disabled) = alarms.next().unwrap();
        let (_, deleted) = alarms.next().unwrap();
        let names = |name: &str| json!({"AlarmNames": [name]});
        aws.call(CLOUDWATCH, "DisableAlarmActions", &names(disabled));
        aws.call(CLOUDWATCH, "DeleteAlarms", &names(deleted));
        let dashboard = json!({"DashboardNames": [ids["Dashboard"]]});
        aws.call(CLOUDWATCH, "DeleteDashboards", &dashboard);
        let group = &ids["ReconcilerLogGroup"];
        let kept = json!({"logGroupName": group});
        aws.call(LOGS, "DeleteRetentionPolicy", &kept);
        let filter = json!({
            "logGroupName": group, "filterName": "spy", "filterPattern": "",
            "destinationArn": "arn:aws:lambda:us-east-1:000000000000:function:spy",
        });
        aws.call(LOGS, "PutSubscriptionFilter", &filter);
        let rule = &ids["ReconcilerSchedule"];
        aws.call(EVENTS, "DisableRule", &json!({"Name": rule}));
        let target =
            json!({"Id": "spy", "Arn": "arn:aws:lambda:us-east-1:000000000000:function:spy"});
        aws.call(
            EVENTS,
            "PutTargets",
            &json!({"Rule": rule, "Targets": [target]}),
        );
        let pattern = json!({"source": ["aws.connect"]}).to_string();
        let narrowed = json!({"Name": ids["UserEditsRule"], "EventPattern": pattern});
        aws.call(EVENTS, "PutRule", &narrowed);
        let policy = json!({"Version": "2012-10-17", "Statement": []}).to_string();
        for (name, value) in [("Policy", &*policy), ("DisplayName", "Payroll")] {
            let topic = aws.sns().set_topic_attributes();
            let topic = topic.topic_arn(&ids["UserEditsTopic"]).attribute_name(name);
            aws.wait(topic.attribute_value(value).send()).unwrap();
        }
    }

    fn deployment(&self) -> String {
        let deployment = self
            .ids
            .iter()
            .find(|(id, _)| id.starts_with("ApiDeployment"));
        deployment.map(|(_, id)| id.clone()).unwrap()
    }

    fn token(&self) {
        let (aws, ssm) = (&self.aws, self.aws.ssm());
        let parameter = self.resources["TokenIdp"]["Properties"]["ParameterName"]
            .as_str()
            .unwrap();
        let call = ssm.delete_parameter().name(parameter);
        aws.wait(call.send()).unwrap();
        let call = ssm.put_parameter().name(parameter).value("canary-token");
        aws.wait(call.r#type(ParameterType::String).send()).unwrap();
    }
}
