//! The commands `guardrails …`, and what a guardrail does to real calls: the Connect
//! simulator asks the IAM engine of the local cloud whether the signer of a request may
//! make it.

#[path = "../guardrail/cases.rs"]
mod cases;

use std::thread;
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use aws_json_client::{Client, Environment, Error, Method, Request, Service};
use aws_sdk_iam::error::ProvideErrorMetadata;
use aws_sdk_iam::types::PolicyEvaluationDecisionType as Decision;
use connect_scim::cloud::service::{CLOUDWATCH, EVENTS, ORGANIZATIONS};
use connect_scim::guardrail::USER_EDITS;
use serde_json::{Value, json};

use crate::aws::{Aws, EVERYTHING};
use crate::deploy::{connect_users, jane};
use crate::endpoint::Endpoint;
use crate::project::{Project, artifacts, finish};

const INSTANCE: &str = "11111111-2222-4333-8444-555555555555";
const AGENT: &str = "5eed0001-0000-4000-8000-000000000002";
const MANAGER: &str = "5eed0001-0000-4000-8000-000000000003";
const ROUTING: &str = "5eed0002-0000-4000-8000-000000000001";

/// Whom `drift` finds able to edit users.
fn editors(project: &Project) -> Vec<String> {
    let mut drift = project.command(&["drift", "--env", "local", "--format", "json"]);
    drift.arg("--artifacts").arg(artifacts());
    let report: Value = serde_json::from_str(&finish(&mut drift).stdout).unwrap();
    let ids = report["findings"].as_array().unwrap().iter();
    let ids = ids.filter_map(|finding| finding["id"].as_str());
    let mut editors: Vec<String> = ids
        .filter_map(|id| id.strip_prefix("iam.editor:GuardrailPolicy:"))
        .map(str::to_owned)
        .collect();
    editors.sort();
    editors
}

/// The simulator keeps a decision for a second.
const DECISIONS_KEPT: Duration = Duration::from_millis(1_100);

#[test]
fn an_administrators_call_is_refused_by_the_guardrail_and_the_endpoints_goes_through() {
    let project = Project::new();
    project.deploy();
    project.change_simulator(&json!({"throttle": null}));
    let aws = Aws::of(&project);
    for role in ["Administrator", "Deployer"] {
        aws.role_that_may_do_everything(role);
    }
    aws.operator();

    // Without the guardrail administrators edit users, and the verification says so.
    let administrator = aws.session_of(&project, "Administrator");
    create_user(&aws, &administrator, "by-hand").unwrap();
    let before = verify(&project, 4);
    assert_eq!(before["verdict"], "broken");
    assert_eq!(
        unexpected(&before),
        ["role/Administrator", "role/Deployer", "user/operator"]
    );

    // `drift` says it as well, once it is asked to simulate.
    assert_eq!(editors(&project), Vec::<String>::new());
    project.edit_environment(
        "\nguardrails:\n",
        "\ndrift: {simulatePrincipals: true}\nguardrails:\n",
    );
    assert_eq!(
        editors(&project),
        ["role/Administrator", "role/Deployer", "user/operator"]
    );

    project.edit_environment(
        "\nguardrails:\n",
        "\nguardrails:\n  attachTo: {roles: [Administrator, Deployer], groups: [Operators]}\n  \
         deployers: ['arn:aws:iam::000000000000:role/Deployer']\n",
    );
    project.deploy();
    thread::sleep(DECISIONS_KEPT);

    let refused = create_user(&aws, &administrator, "by-hand-again").unwrap_err();
    assert_eq!(refused.status(), Some(403));
    assert_eq!(refused.code(), Some("AccessDeniedException"));
    let message = refused.message().unwrap();
    assert!(
        message.starts_with("User: arn:aws:sts::000000000000:assumed-role/Administrator/"),
        "{message}"
    );
    assert!(
        message.contains("is not authorized to perform: connect:CreateUser on resource: "),
        "{message}"
    );
    assert!(
        message.ends_with("with an explicit deny in an identity-based policy"),
        "{message}"
    );
    // Looking stays allowed.
    let list = Request::rest("ListUsers", Method::Get, &["users-summary", INSTANCE]);
    aws.wait(administrator.send(list)).unwrap();

    let endpoint = Endpoint::of(&project);
    endpoint.post("/Users", &jane()).expect(201);
    let users: Vec<Value> = connect_users(&project);
    let names: Vec<&str> = users
        .iter()
        .filter_map(|user| user["Username"].as_str())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(!names.contains(&"by-hand-again"), "{names:?}");

    assert_eq!(editors(&project), Vec::<String>::new());
    let after = verify(&project, 0);
    assert_eq!(after["verdict"], "holds");
    assert_eq!(unexpected(&after), Vec::<String>::new());
    let parts: Vec<(&str, &str)> = after["principals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let arn = row["principal"].as_str().unwrap();
            (
                arn.rsplit('/').next().unwrap(),
                row["part"].as_str().unwrap(),
            )
        })
        .collect();
    assert!(parts.contains(&("Deployer", "deployer")), "{parts:?}");
    assert!(parts.contains(&("operator", "other")), "{parts:?}");
    assert_eq!(
        parts.iter().filter(|(_, part)| *part == "endpoint").count(),
        2
    );
    assert_eq!(after["deployers"][0]["denied"], json!([]));

    // Somebody takes it off; a deployment would not notice, since its template is the same.
    aws.detach_guardrail(&project, "Administrator");
    verify(&project, 4);
    let apply = |arguments: &[&str]| {
        project.run(
            &[
                ["guardrails", "apply", "--env", "local"].as_slice(),
                arguments,
            ]
            .concat(),
        )
    };
    let planned = apply(&["--dry-run"]).expect_code(4);
    assert_eq!(
        planned.stdout,
        "attach the guardrail to the role Administrator\n"
    );
    let unasked = apply(&[]).expect_code(10);
    assert!(
        unasked.stderr.contains("1 attachment would change"),
        "{}",
        unasked.stderr
    );
    apply(&["--yes"]).expect_code(0);
    verify(&project, 0);
    assert!(
        apply(&[])
            .expect_code(0)
            .stderr
            .contains("in place: 3 attachments")
    );

    service_control_policy(&project, &aws);
}

/// The same statements as a service control policy.
fn service_control_policy(project: &Project, aws: &Aws) {
    let render = [
        "guardrails",
        "render",
        "--env",
        "local",
        "--scp",
        "--format",
        "minified",
    ];
    let rendered = project.run(&render).expect_code(0).stdout;
    let root = aws.call(ORGANIZATIONS, "ListRoots", &json!({}))["Roots"][0]["Id"].clone();
    let root = root.as_str().unwrap();
    let apply = |more: &[&str]| {
        let arguments = [
            "guardrails",
            "apply",
            "--env",
            "local",
            "--scp",
            "--attach-to",
            root,
        ];
        project.run(&[arguments.as_slice(), more].concat())
    };
    let planned = apply(&["--dry-run"]).expect_code(4);
    let name = "connect-scim-000000000000-us-east-1-connect-scim-local";
    assert!(
        planned
            .stdout
            .starts_with(&format!("create the service control policy {name} (")),
        "{}",
        planned.stdout
    );
    assert!(
        planned
            .stdout
            .ends_with(&format!("attach {name} to {root}\n")),
        "{}",
        planned.stdout
    );
    assert!(
        planned
            .stderr
            .contains("which no service control policy binds"),
        "{}",
        planned.stderr
    );
    apply(&[]).expect_code(10);
    apply(&["--yes"]).expect_code(0);
    assert!(
        apply(&["--dry-run"])
            .expect_code(0)
            .stderr
            .contains("is in place")
    );

    let policies = aws.call(
        ORGANIZATIONS,
        "ListPoliciesForTarget",
        &json!({"TargetId": root, "Filter": "SERVICE_CONTROL_POLICY"}),
    );
    let ours = policies["Policies"]
        .as_array()
        .unwrap()
        .iter()
        .find(|policy| policy["Name"] == name);
    let id = ours.unwrap()["Id"].clone();
    let described = aws.call(ORGANIZATIONS, "DescribePolicy", &json!({"PolicyId": id}));
    assert_eq!(
        described["Policy"]["Content"].as_str().unwrap(),
        rendered.trim_end()
    );

    // Somebody widens it.
    aws.call(
        ORGANIZATIONS,
        "UpdatePolicy",
        &json!({"PolicyId": id, "Content": EVERYTHING}),
    );
    let planned = apply(&["--dry-run"]).expect_code(4);
    assert!(
        planned
            .stdout
            .starts_with("update the service control policy"),
        "{}",
        planned.stdout
    );
    apply(&["--yes"]).expect_code(0);
    apply(&["--dry-run"]).expect_code(0);
    let nowhere = project.run(&[
        "guardrails",
        "apply",
        "--env",
        "local",
        "--scp",
        "--attach-to",
        "ou-none-12345678",
        "--yes",
    ]);
    let told = nowhere.expect_code(1).stderr;
    assert!(told.contains("TargetNotFoundException"), "{told}");
}

/// As a user: MiniStack has the ARN of a role's session for `aws:PrincipalArn`.
#[test]
fn a_bound_administrators_real_calls_are_denied_for_every_effect() {
    let project = Project::new();
    project.run(&["local", "up"]).expect_code(0);
    let root = Aws::of(&project);
    let everything: Value = serde_json::from_str(EVERYTHING).unwrap();
    let (key, secret) = root.create_user("administrator", &everything);
    root.create_user("break-glass", &everything);
    let guardrails = "\nguardrails:\n  attachTo: {users: [administrator]}\n  \
        exemptPrincipals: ['arn:aws:iam::000000000000:user/break-glass']\n";
    project.edit_environment("\nguardrails:\n", guardrails);
    project.deploy();
    let bound = Aws::with_key(&project, &key, &secret);
    let physical = |id: &str| {
        let resource = root.cloudformation().describe_stack_resource();
        let resource = resource.stack_name("connect-scim-local");
        let described = root.wait(resource.logical_resource_id(id).send()).unwrap();
        let detail = described.stack_resource_detail.unwrap();
        detail.physical_resource_id.unwrap()
    };

    let token = "/connect-scim/connect-scim-local/token/idp";
    let mut calls = vec![
        (
            Service::SSM,
            "GetParameter",
            json!({"Name": token, "WithDecryption": true}),
        ),
        (
            Service::SSM,
            "GetParameters",
            json!({"Names": [token], "WithDecryption": true}),
        ),
        (
            Service::SSM,
            "GetParameterHistory",
            json!({"Name": token, "WithDecryption": true}),
        ),
        (Service::SSM, "DeleteParameter", json!({"Name": token})),
        (
            Service::SSM,
            "LabelParameterVersion",
            json!({"Name": token, "Labels": ["mine"]}),
        ),
    ];
    for path in [
        "/",
        "/connect-scim",
        "/connect-scim/",
        "/connect-scim/connect-scim-local",
        "/connect-scim/connect-scim-local/",
        "/connect-scim/connect-scim-local/token",
        "/connect-scim/connect-scim-local/token/",
    ] {
        let input = json!({"Path": path, "Recursive": true, "WithDecryption": true});
        calls.push((Service::SSM, "GetParametersByPath", input));
    }
    let (rule, table) = (physical("ReconcilerSchedule"), physical("DirectoryTable"));
    calls.extend([
        (EVENTS, "DisableRule", json!({"Name": rule})),
        (EVENTS, "DeleteRule", json!({"Name": rule})),
        (
            CLOUDWATCH,
            "SetAlarmState",
            json!({
                "AlarmName": "connect-scim-local-missing-sweep",
                "StateValue": "OK",
                "StateReason": "quiet",
            }),
        ),
        (
            Service::DYNAMODB,
            "DeleteTable",
            json!({"TableName": table}),
        ),
        (
            Service::DYNAMODB,
            "PutItem",
            json!({"TableName": table, "Item": {"pk": {"S": "USER#1"}, "sk": {"S": "USER"}}}),
        ),
    ]);
    for id in ["ReconcileQueue", "ReconcileDeadLetterQueue"] {
        let url = physical(id);
        calls.push((Service::SQS, "PurgeQueue", json!({"QueueUrl": url})));
        calls.push((Service::SQS, "ReceiveMessage", json!({"QueueUrl": url})));
        let attributes = json!({"QueueUrl": url, "Attributes": {"VisibilityTimeout": "1"}});
        calls.push((Service::SQS, "SetQueueAttributes", attributes));
    }
    for (service, operation, input) in &calls {
        let refused = bound.attempt(*service, operation, input);
        let code = refused
            .as_ref()
            .map_err(|error| error.code().unwrap_or_default());
        assert!(
            code.is_err_and(|code| code.contains("AccessDenied")),
            "{operation} {input}: {refused:?}"
        );
    }

    let function = "connect-scim-local-user-provisioning";
    let role = physical("UserProvisioningRole");
    let policy = physical("GuardrailPolicy");
    let (iam, lambda) = (bound.iam(), bound.lambda());
    macro_rules! denied {
        ($($call:expr),* $(,)?) => {$(
            let refused = bound.wait($call.send()).unwrap_err();
            let code = ProvideErrorMetadata::code(&refused).unwrap_or_default();
            assert!(code.contains("AccessDenied"), "{}: {refused:?}", stringify!($call));
        )*};
    }
    denied![
        lambda.invoke().function_name(function),
        lambda.publish_version().function_name(function),
        lambda.delete_function_concurrency().function_name(function),
        lambda.delete_function().function_name(function),
        iam.update_assume_role_policy()
            .role_name(&role)
            .policy_document(EVERYTHING),
        iam.put_role_policy()
            .role_name(&role)
            .policy_name("more")
            .policy_document(EVERYTHING),
        iam.create_access_key().user_name("break-glass"),
        iam.detach_user_policy()
            .user_name("administrator")
            .policy_arn(&policy),
        iam.create_policy_version()
            .policy_arn(&policy)
            .policy_document(EVERYTHING),
        iam.delete_policy().policy_arn(&policy),
        bound
            .cloudformation()
            .delete_stack()
            .stack_name("connect-scim-local"),
        bound
            .apigateway()
            .delete_rest_api()
            .rest_api_id(physical("RestApi")),
    ];

    // Reading stays allowed, and so does what is not the endpoint's.
    let described = json!({"Name": rule});
    bound.attempt(EVENTS, "DescribeRule", &described).unwrap();
    let described = json!({"TableName": table});
    bound
        .attempt(Service::DYNAMODB, "DescribeTable", &described)
        .unwrap();
    let own = json!({"Name": "/warehouse/key", "Value": "1", "Type": "SecureString"});
    bound.attempt(Service::SSM, "PutParameter", &own).unwrap();
    let own = json!({"Path": "/warehouse", "WithDecryption": true});
    let listed = bound
        .attempt(Service::SSM, "GetParametersByPath", &own)
        .unwrap();
    assert_eq!(listed["Parameters"][0]["Value"], "1");
    bound
        .wait(lambda.get_function().function_name(function).send())
        .unwrap();
    project
        .run(&["smoke", "--env", "local", "--write"])
        .expect_code(0);
}

#[test]
fn a_permissions_boundary_stops_whoever_it_is_set_on() {
    let project = Project::new();
    project.run(&["local", "up"]).expect_code(0);
    let aws = Aws::of(&project);
    for role in ["Developer", "Bounded"] {
        aws.role_that_may_do_everything(role);
    }
    project.edit_environment(
        "\nguardrails:\n",
        "\nguardrails:\n  boundaryOf: {roles: [Developer]}\n",
    );
    project.deploy();
    project.change_simulator(&json!({"throttle": null}));
    let developer = aws.session_of(&project, "Developer");
    create_user(&aws, &developer, "before").unwrap();

    let apply = ["guardrails", "apply", "--env", "local", "--yes"];
    let applied = project.run(&apply).expect_code(0);
    assert_eq!(
        applied.stdout,
        "done: make the guardrail the permissions boundary of the role Developer\n"
    );
    thread::sleep(DECISIONS_KEPT);
    let refused = create_user(&aws, &developer, "after").unwrap_err();
    assert_eq!(refused.code(), Some("AccessDeniedException"));

    // Removed or replaced by someone who is not bound, it is reported.
    let boundary_findings = || -> Vec<String> {
        let mut drift = project.command(&["drift", "--env", "local", "--format", "json"]);
        drift.arg("--artifacts").arg(artifacts());
        let run = finish(&mut drift);
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        let ids = report["findings"].as_array().unwrap().iter();
        let ids = ids.filter_map(|finding| finding["id"].as_str());
        let found: Vec<String> = ids
            .filter(|id| id.starts_with("iam.guard-boundary:"))
            .map(str::to_owned)
            .collect();
        assert!(found.is_empty() || run.code == Some(4), "{:?}", run.code);
        found
    };
    let missing = ["iam.guard-boundary:GuardrailBoundary:role/Developer"];
    assert!(boundary_findings().is_empty());
    let iam = aws.iam();
    let remove = iam
        .delete_role_permissions_boundary()
        .role_name("Developer");
    aws.wait(remove.send()).unwrap();
    assert_eq!(boundary_findings(), missing);
    let replace = iam.put_role_permissions_boundary().role_name("Developer");
    let other = "arn:aws:iam::aws:policy/AdministratorAccess";
    aws.wait(replace.permissions_boundary(other).send())
        .unwrap();
    assert_eq!(boundary_findings(), missing);
    let remove = iam
        .delete_role_permissions_boundary()
        .role_name("Developer");
    aws.wait(remove.send()).unwrap();
    project.run(&apply).expect_code(0);
    assert!(boundary_findings().is_empty());

    // A principal has one boundary, and another one is not replaced.
    project.edit_environment("[Developer]", "[Developer, Bounded]");
    aws.wait(
        aws.iam()
            .put_role_permissions_boundary()
            .role_name("Bounded")
            .permissions_boundary("arn:aws:iam::aws:policy/ReadOnlyAccess")
            .send(),
    )
    .unwrap();
    let refused = project.run(&apply).expect_code(1);
    assert!(
        refused.stderr.contains(
            "the role Bounded has the permissions boundary arn:aws:iam::aws:policy/ReadOnlyAccess"
        ),
        "{}",
        refused.stderr
    );
}

#[test]
fn nobody_and_strangers_are_refused_by_the_simulator() {
    let project = Project::new();
    project.run(&["local", "up"]).expect_code(0);
    let aws = Aws::of(&project);
    let stranger = client(
        &project,
        Credentials::new("AKIASTRANGER00000000", "secret", None, None, "test"),
    );
    let refused = create_user(&aws, &stranger, "stranger").unwrap_err();
    assert_eq!(refused.code(), Some("UnrecognizedClientException"));
    let url = format!("{}/users-summary/{INSTANCE}", project.simulator_url());
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    assert_eq!(agent.get(&url).call().unwrap().status(), 403);
}

#[test]
fn the_engine_of_the_local_cloud_denies_and_allows_what_the_table_says() {
    let project = Project::new();
    project.run(&["local", "up"]).expect_code(0);
    let aws = Aws::of(&project);
    let created = aws
        .wait(
            aws.iam()
                .create_policy()
                .policy_name("Guardrail")
                .policy_document(cases::guardrail().0.to_string())
                .send(),
        )
        .unwrap();
    let policy = created.policy().and_then(|policy| policy.arn()).unwrap();
    for role in cases::PRINCIPALS {
        aws.role_that_may_do_everything(role);
        aws.wait(
            aws.iam()
                .attach_role_policy()
                .role_name(role)
                .policy_arn(policy)
                .send(),
        )
        .unwrap();
    }
    // Its simulator takes no condition keys.
    let cases = cases::cases().into_iter();
    let plain = cases.filter(|case| case.in_use != cases::Use::Boundary && case.context.is_empty());
    for case in plain {
        let answer = aws
            .wait(
                aws.iam()
                    .simulate_principal_policy()
                    .policy_source_arn(format!("{}role/{}", cases::IAM, case.principal))
                    .action_names(case.action)
                    .resource_arns(&case.resource)
                    .send(),
            )
            .unwrap();
        let expected = match case.allowed {
            true => Decision::Allowed,
            false => Decision::ExplicitDeny,
        };
        assert_eq!(
            *answer.evaluation_results()[0].eval_decision(),
            expected,
            "{} {} {}",
            case.principal,
            case.action,
            case.resource
        );
    }
}

#[test]
fn profiles_that_edit_users_are_found_and_mended_and_keep_everything_else() {
    let project = Project::new();
    project.edit_environment(
        "editingProfiles: [Admin, CallCenterManager]",
        "editingProfiles: [Admin]",
    );
    project.run(&["local", "up"]).expect_code(0);
    project.change_simulator(&json!({"throttle": null}));
    let aws = Aws::of(&project);
    let root = client(
        &project,
        Credentials::new("test", "test", None, None, "test"),
    );
    let path = ["security-profiles", INSTANCE, MANAGER];
    let application = json!({"Namespace": "wallboard", "ApplicationPermissions": ["ACCESS"]});
    let update = Request::rest("UpdateSecurityProfile", Method::Post, &path)
        .body(&json!({
            "Applications": [application],
            "AllowedAccessControlTags": {"site": "Berlin"},
            "TagRestrictedResources": ["User"],
        }))
        .unwrap();
    aws.wait(root.send(update)).unwrap();
    let create = user("manager", MANAGER);
    aws.wait(root.send(create)).unwrap();

    let audit = |more: &[&str]| {
        project.run(&[["guardrails", "audit", "--env", "local"].as_slice(), more].concat())
    };
    let found = audit(&[]).expect_code(4);
    assert!(
        found
            .stdout
            .contains("CallCenterManager  1      open      Users.Create, Users.Delete, Users.Edit"),
        "{}",
        found.stdout
    );
    assert!(
        found.stdout.contains("Admin              0      accepted"),
        "{}",
        found.stdout
    );
    audit(&["--fix"]).expect_code(10);
    let mended = audit(&["--fix", "--yes", "--format", "json"]).expect_code(0);
    assert!(
        mended.stderr.contains(
            "take Users.Create, Users.Delete, Users.Edit from CallCenterManager, which 1 user has"
        ),
        "{}",
        mended.stderr
    );
    let report: Value = serde_json::from_str(&mended.stdout).unwrap();
    let profiles = report["securityProfiles"].as_array().unwrap();
    let manager = profiles
        .iter()
        .find(|profile| profile["name"] == "CallCenterManager")
        .unwrap();
    assert_eq!(manager["editingPermissions"], json!([]));

    let get = |operation, path: &[&str]| -> Value {
        aws.wait(root.send(Request::rest(operation, Method::Get, path)))
            .unwrap()
            .json()
            .unwrap()
    };
    let described = get("DescribeSecurityProfile", &path);
    let profile = &described["SecurityProfile"];
    assert_eq!(
        profile["Description"],
        "A person who manages users, routing and metrics"
    );
    assert_eq!(
        profile["AllowedAccessControlTags"],
        json!({"site": "Berlin"})
    );
    assert_eq!(profile["TagRestrictedResources"], json!(["User"]));
    let applications = get(
        "ListSecurityProfileApplications",
        &["security-profiles-applications", INSTANCE, MANAGER],
    );
    assert_eq!(applications["Applications"], json!([application]));
    let permissions = get(
        "ListSecurityProfilePermissions",
        &["security-profiles-permissions", INSTANCE, MANAGER],
    );
    assert_eq!(
        permissions["Permissions"],
        json!([
            "AccessMetrics",
            "RoutingPolicies.Create",
            "RoutingPolicies.Edit",
            "RoutingPolicies.View",
            "Users.View"
        ])
    );
}

/// Prints how long it takes with `--nocapture`; the figure in benches/README.md is of 200.
#[test]
#[expect(clippy::print_stdout, reason = "a figure for benches/README.md")]
fn everybody_who_might_edit_users_is_simulated_however_many_they_are() {
    let count: usize =
        std::env::var("CONNECT_SCIM_PRINCIPALS").map_or(20, |count| count.parse().unwrap());
    let project = Project::new();
    project.deploy();
    let aws = Aws::of(&project);
    for number in 0..count {
        aws.role_that_may_do_everything(&format!("Administrator{number:03}"));
    }
    let begun = Instant::now();
    let found = verify(&project, 4);
    println!(
        "{count} principals x {} actions: {:.2} s",
        USER_EDITS.len(),
        begun.elapsed().as_secs_f64()
    );
    assert_eq!(unexpected(&found).len(), count);
}

/// What `guardrails verify` finds, which ends with `code`.
fn verify(project: &Project, code: i32) -> Value {
    let run = project
        .run(&["guardrails", "verify", "--env", "local", "--format", "json"])
        .expect_code(code);
    serde_json::from_str(&run.stdout).unwrap()
}

/// Whoever is not as it should be.
fn unexpected(report: &Value) -> Vec<String> {
    let rows = report["principals"].as_array().unwrap().iter();
    rows.filter(|row| row["unexpected"] != json!([]))
        .map(|row| {
            row["principal"]
                .as_str()
                .unwrap()
                .splitn(6, ':')
                .nth(5)
                .unwrap()
                .to_owned()
        })
        .collect()
}

fn user(username: &str, security_profile: &str) -> Request {
    Request::rest("CreateUser", Method::Put, &["users", INSTANCE])
        .body(&json!({
            "Username": username,
            "IdentityInfo": {"FirstName": "By", "LastName": "Hand"},
            "SecurityProfileIds": [security_profile],
            "RoutingProfileId": ROUTING,
        }))
        .unwrap()
}

fn create_user(aws: &Aws, connect: &Client, username: &str) -> Result<(), Error> {
    aws.wait(connect.send(user(username, AGENT))).map(drop)
}

/// Amazon Connect, as called by somebody.
fn client(project: &Project, credentials: Credentials) -> Client {
    let environment = Environment::new("us-east-1", credentials)
        .endpoint_url(Some(Service::CONNECT), project.simulator_url());
    Client::new(Service::CONNECT, &environment)
}

impl Aws {
    fn role_that_may_do_everything(&self, name: &str) {
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:root"},"Action":"sts:AssumeRole"}]}"#;
        let role = self
            .iam()
            .create_role()
            .role_name(name)
            .assume_role_policy_document(trust);
        self.wait(role.send()).unwrap();
        let policy = self
            .iam()
            .put_role_policy()
            .role_name(name)
            .policy_name("everything");
        self.wait(policy.policy_document(EVERYTHING).send())
            .unwrap();
    }

    /// A user who may do everything by a group.
    fn operator(&self) {
        let iam = self.iam();
        self.wait(iam.create_group().group_name("Operators").send())
            .unwrap();
        let policy = iam
            .put_group_policy()
            .group_name("Operators")
            .policy_name("everything");
        self.wait(policy.policy_document(EVERYTHING).send())
            .unwrap();
        self.wait(iam.create_user().user_name("operator").send())
            .unwrap();
        self.wait(
            iam.add_user_to_group()
                .group_name("Operators")
                .user_name("operator")
                .send(),
        )
        .unwrap();
    }

    /// Amazon Connect, as called by somebody who has taken on a role.
    fn session_of(&self, project: &Project, role: &str) -> Client {
        let answer = self
            .wait(
                self.sts()
                    .assume_role()
                    .role_arn(format!("arn:aws:iam::000000000000:role/{role}"))
                    .role_session_name("test")
                    .send(),
            )
            .unwrap();
        let session = answer.credentials().unwrap();
        let credentials = Credentials::new(
            session.access_key_id(),
            session.secret_access_key(),
            Some(session.session_token().to_owned()),
            None,
            "test",
        );
        client(project, credentials)
    }

    fn detach_guardrail(&self, project: &Project, role: &str) {
        let outputs = project.outputs();
        let policy = outputs["GuardrailPolicyArn"].as_str().unwrap();
        let detach = self
            .iam()
            .detach_role_policy()
            .role_name(role)
            .policy_arn(policy);
        self.wait(detach.send()).unwrap();
    }
}
