//! Environments with a directory sync: the same commands, another stack.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use connect_scim::cloud::service::{CLOUDWATCH, ECR, LOGS};
use container_image::{Credentials, Image, Registry};
use directory_sync::run::embedded_metrics;
use identity_center_simulator::Simulator;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::aws::Aws;
use crate::container::{RegistryServer, run, unpack};
use crate::deploy::connect_users;
use crate::project::{Project, Run, finish, finish_with_input, image};
use crate::slapd::{PASSWORD, Slapd};

/// The stack of [`ENVIRONMENT`].
pub const STACK: &str = "sync-local";

/// `environments/sync.yaml`; nobody answers at its addresses.
pub const ENVIRONMENT: &str = "cloud: local
region: us-east-1
stackName: sync-local
directorySync:
  owner: corp
  source:
    flavor: openLdap
    servers: [ldaps://127.0.0.1:1]
    bindName: cn=reader,dc=example,dc=test
    searchBases: ['dc=example,dc=test']
    users:
      memberOf: [aws-users]
    groups:
      names: ['aws-*']
  target:
    endpoint: http://127.0.0.1:1/scim/v2/
task:
  network:
    vpcId: vpc-0123456789abcdef0
    subnetIds: [subnet-0123456789abcdef0]
    directoryCidrs: [10.0.0.0/16]
";

/// A checkout with such an environment, and a local cloud.
pub fn project() -> Project {
    let project = Project::new();
    project.write_environment("sync", ENVIRONMENT);
    project.run(&["local", "up"]).expect_code(0);
    project
}

impl Project {
    /// A command that needs the image, with that built once for all tests.
    pub fn with_image(&self, arguments: &[&str]) -> Run {
        let artifacts = image().to_str().unwrap();
        self.run(&[arguments, &["--env", "sync", "--artifacts", artifacts]].concat())
    }

    fn hand_over(&self, secret: &str, value: &str) -> Run {
        let arguments = ["sync", "secret", "set", secret, "--env", "sync"];
        finish_with_input(&mut self.command(&arguments), value)
    }

    fn outputs_of_sync(&self) -> Value {
        let outputs = self.run(&["outputs", "--env", "sync", "--format", "json"]);
        serde_json::from_str(&outputs.expect_code(0).stdout).unwrap()
    }
}

#[test]
fn a_directory_sync_is_planned_deployed_looked_at_and_destroyed_like_an_endpoint() {
    let project = project();
    let aws = Aws::of(&project);
    let plan = project.with_image(&["plan"]).expect_code(4);
    assert!(
        plan.stdout.contains("AWS::ECS::TaskDefinition"),
        "{}",
        plan.stdout
    );

    let deployed = project.with_image(&["deploy"]).expect_code(0);
    assert!(
        deployed.stderr.contains("pushed directory-sync"),
        "{}",
        deployed.stderr
    );
    assert!(
        deployed.stderr.contains("sync secret set"),
        "{}",
        deployed.stderr
    );
    let outputs = project.outputs_of_sync();
    let repository = outputs["RepositoryName"].as_str().unwrap();
    let pushed = aws.call(
        ECR,
        "DescribeImages",
        &json!({"repositoryName": repository}),
    );
    let digest = pushed["imageDetails"][0]["imageDigest"].as_str().unwrap();
    let template = aws.kept_by_cloudformation(STACK);
    assert!(template.contains(&format!("@{digest}")), "{digest}");

    let again = project.with_image(&["deploy"]).expect_code(0);
    assert!(again.stderr.contains("nothing changed"), "{}", again.stderr);
    project.with_image(&["plan"]).expect_code(0);

    // An image that somebody deleted comes back.
    let image = json!({"repositoryName": repository, "imageIds": [{"imageDigest": digest}]});
    aws.call(ECR, "BatchDeleteImage", &image);
    let again = project.with_image(&["deploy"]).expect_code(0);
    assert!(
        again.stderr.contains("pushed directory-sync"),
        "{}",
        again.stderr
    );

    project.write_environment(
        "sync",
        &ENVIRONMENT.replace("task:", "task:\n  jitterMinutes: 9"),
    );
    let plan = project
        .with_image(&["plan", "--format", "json"])
        .expect_code(4);
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    let changed: Vec<_> = plan["resources"].as_array().unwrap().iter().collect();
    assert_eq!(changed.len(), 1, "{plan:#}");
    assert_eq!(changed[0]["logicalId"], "Schedule");
    project.with_image(&["deploy"]).expect_code(0);

    project
        .run(&["destroy", "--env", "sync", "--yes"])
        .expect_code(0);
    assert_eq!(aws.stacks(), Vec::<String>::new());
}

#[test]
fn status_tells_of_secrets_and_of_the_last_run_and_neither_shows_a_secret() {
    let project = project();
    let aws = Aws::of(&project);
    project.with_image(&["deploy"]).expect_code(0);
    let missing = project
        .run(&["sync", "plan", "--env", "sync"])
        .expect_code(9);
    assert!(
        missing
            .stderr
            .contains("sync secret set bind-password --env sync"),
        "{}",
        missing.stderr
    );
    let status = project.run(&["status", "--env", "sync"]).expect_code(0);
    assert!(
        status.stdout.contains("last run  NONE"),
        "{}",
        status.stdout
    );

    let mut printed = String::new();
    for (secret, value) in [
        ("bind-password", " canary-password \n"),
        ("token", "canary-token\n"),
    ] {
        let run = project.hand_over(secret, value).expect_code(0);
        write!(printed, "{}{}", run.stdout, run.stderr).unwrap();
    }
    let outputs = project.outputs_of_sync();
    let token = aws.secret(outputs["TokenSecretArn"].as_str().unwrap());
    let token: Value = serde_json::from_str(&token).unwrap();
    assert_eq!(token["token"], "canary-token");
    assert!(
        token["expires"]
            .as_str()
            .unwrap()
            .parse::<jiff::civil::Date>()
            .is_ok(),
        "{token}"
    );
    assert_eq!(
        aws.secret(outputs["BindPasswordSecretArn"].as_str().unwrap()),
        " canary-password "
    );
    project.hand_over("token", "").expect_code(2);

    // What the task would write; nothing runs containers here.
    let group = &outputs["LogGroupName"];
    let now = Timestamp::now();
    let line = embedded_metrics(
        &"corp".parse().unwrap(),
        None,
        Duration::from_secs(1),
        "2027-01-01".parse().ok(),
        now,
    );
    aws.call(
        LOGS,
        "CreateLogStream",
        &json!({"logGroupName": group, "logStreamName": "run/1"}),
    );
    let event = json!([{"timestamp": now.as_millisecond(), "message": line}]);
    let events = json!({"logGroupName": group, "logStreamName": "run/1", "logEvents": event});
    aws.call(LOGS, "PutLogEvents", &events);
    let status = project.run(&["status", "--env", "sync"]).expect_code(0);
    assert!(
        status.stdout.contains("last run  FAILED"),
        "{}",
        status.stdout
    );
    assert!(status.stdout.contains("days left"), "{}", status.stdout);
    let unreachable = project
        .run(&["sync", "plan", "--env", "sync"])
        .expect_code(1);
    for run in [
        status,
        unreachable,
        project.run(&["logs", "--env", "sync"]).expect_code(0),
    ] {
        write!(printed, "{}{}", run.stdout, run.stderr).unwrap();
    }
    printed += &aws.kept_by_cloudformation(STACK);
    assert!(!printed.contains("canary"), "{printed}");
}

/// CloudWatch makes metrics of the line that a run ends with; the local cloud does not, so
/// the test does what the line asks for.
#[test]
fn a_run_that_fails_raises_its_alarm() {
    let project = project();
    let aws = Aws::of(&project);
    project.with_image(&["deploy"]).expect_code(0);
    let alarms = || {
        let alarms = aws.call(
            CLOUDWATCH,
            "DescribeAlarms",
            &json!({"AlarmNamePrefix": STACK}),
        );
        let alarms = alarms["MetricAlarms"].as_array().unwrap().clone();
        let state = |alarm: &Value| (alarm["AlarmName"].clone(), alarm["StateValue"].clone());
        alarms.iter().map(state).collect::<Vec<_>>()
    };
    let is_raised = |name: &str| {
        let name = format!("{STACK}-{name}");
        alarms().contains(&(json!(name), json!("ALARM")))
    };
    assert!(!is_raised("failed-run"), "{:?}", alarms());
    let line = embedded_metrics(
        &"corp".parse().unwrap(),
        None,
        Duration::from_secs(1),
        Timestamp::now().to_string().parse().ok(),
        Timestamp::now(),
    );
    let line: Value = serde_json::from_str(&line).unwrap();
    let directive = &line["_aws"]["CloudWatchMetrics"][0];
    let dimension = directive["Dimensions"][0][0].as_str().unwrap();
    for metric in directive["Metrics"].as_array().unwrap() {
        let name = metric["Name"].as_str().unwrap();
        let datum = json!({
            "MetricName": name,
            "Dimensions": [{"Name": dimension, "Value": line[dimension]}],
            "Value": line[name],
            "Timestamp": Timestamp::now().as_second(),
        });
        let data = json!({"Namespace": directive["Namespace"], "MetricData": [datum]});
        aws.call(CLOUDWATCH, "PutMetricData", &data);
    }
    assert!(is_raised("failed-run"), "{:?}", alarms());
    assert!(is_raised("token-expiry"), "{:?}", alarms());
    assert!(!is_raised("deletions-refused"), "{:?}", alarms());
}

#[test]
fn commands_about_endpoints_say_that_this_is_none() {
    let project = Project::new();
    project.write_environment("sync", ENVIRONMENT);
    for arguments in [
        &["smoke"] as &[&str],
        &["token", "show"],
        &["users", "list"],
        &["guardrails", "audit"],
    ] {
        let run = project
            .run(&[arguments, &["--env", "sync"]].concat())
            .expect_code(2);
        assert!(
            run.stderr.contains("sync-local is a directory sync"),
            "{}",
            run.stderr
        );
    }
    let run = project
        .run(&["sync", "plan", "--env", "local"])
        .expect_code(2);
    assert!(run.stderr.contains("is an endpoint"), "{}", run.stderr);
}

#[test]
fn a_sync_runs_from_here_between_a_real_directory_and_an_identity_store() {
    let slapd = Slapd::start(ENTRIES, "");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(Simulator::start(
        identity_center_simulator::Options::default(),
    ));
    let server = server.unwrap();
    let authority = std::fs::read_to_string(slapd.authority()).unwrap();
    let indented = authority.replace('\n', "\n      ");
    let project = Project::new();
    project.write_environment(
        "sync",
        &ENVIRONMENT
            .replace(
                "ldaps://127.0.0.1:1",
                &format!("ldaps://127.0.0.1:{}", slapd.tls_port),
            )
            .replace("http://127.0.0.1:1/scim/v2/", server.endpoint())
            .replace(
                "    users:",
                &format!("    certificateAuthorities: |\n      {indented}\n    users:"),
            ),
    );
    let sync = |verb: &str| {
        let mut command = project.command(&["sync", verb, "--env", "sync", "--names"]);
        command
            .env("DIRECTORY_SYNC_BIND_PASSWORD", PASSWORD)
            .env("DIRECTORY_SYNC_TOKEN", server.token());
        finish(&mut command)
    };
    let plan = sync("plan").expect_code(4);
    assert!(plan.stdout.contains("ann"), "{}", plan.stdout);
    assert_eq!(server.writes(), 0);
    let run = sync("run").expect_code(0);
    assert!(
        run.stderr.contains("reading the directory\n"),
        "{}",
        run.stderr
    );
    assert_eq!(server.users().len(), 2);
    assert_eq!(server.members("aws-users").unwrap().len(), 2);
    sync("verify").expect_code(0);
    server.forget_calls();
    sync("run").expect_code(0);
    assert_eq!(server.writes(), 0);
}

/// Profiles of the simulator's instance.
const AGENT: &str = "5eed0001-0000-4000-8000-000000000002";
const MANAGER: &str = "5eed0001-0000-4000-8000-000000000003";

/// One directory feeds Identity Center and Amazon Connect.
#[test]
fn a_sync_feeds_the_endpoint_of_amazon_connect() {
    let slapd = Slapd::start(ENTRIES, "");
    let project = Project::new();
    project.deploy();
    project.change_simulator(&json!({"throttle": null}));
    let authority = std::fs::read_to_string(slapd.authority()).unwrap();
    let indented = authority.replace('\n', "\n      ");
    let server = format!("ldaps://127.0.0.1:{}", slapd.tls_port);
    let authorities = format!("    certificateAuthorities: |\n      {indented}\n    users:");
    let outputs = project.outputs();
    let endpoint = format!(
        "{}/\n    service: scim",
        outputs["OktaBaseUrl"].as_str().unwrap()
    );
    project.write_environment(
        "sync",
        &ENVIRONMENT
            .replace("ldaps://127.0.0.1:1", &server)
            .replace("http://127.0.0.1:1/scim/v2/", &endpoint)
            .replace("    users:", &authorities)
            .replace("names: ['aws-*']", "names: [CallCenterManager]")
            .replace("\ntask:", "\n  matchBy: userName\ntask:"),
    );
    let token = project.token();
    let sync = |verb: &str| {
        let mut command = project.command(&["sync", verb, "--env", "sync"]);
        command
            .env("DIRECTORY_SYNC_BIND_PASSWORD", PASSWORD)
            .env("DIRECTORY_SYNC_TOKEN", &token);
        finish(&mut command)
    };
    sync("run").expect_code(0);
    sync("verify").expect_code(0);
    let names: BTreeSet<String> = connect_users(&project)
        .iter()
        .map(|user| user["Username"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["ann", "bob"].map(str::to_owned).into());
    let profiles = |name: &str| {
        let users = connect_users(&project);
        let user = users.iter().find(|user| user["Username"] == name);
        user.unwrap()["SecurityProfileIds"].clone()
    };
    assert_eq!(profiles("ann"), json!([MANAGER]));
    assert_eq!(profiles("bob"), json!([AGENT]));
}

/// Most bytes that the image may have: a task that is started anew each time pulls it each
/// time.
const MOST_BYTES: usize = 12_000_000;

#[test]
fn the_image_comes_back_from_a_registry_and_runs_as_nobody_on_a_read_only_root() {
    let (image, _) = Image::read_layout(&image().join("directory-sync")).unwrap();
    assert!(image.size() <= MOST_BYTES, "{} bytes", image.size());
    let directory = tempfile::tempdir().unwrap();
    let server = RegistryServer::start(None);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let registry = Registry::new(
        &server.address,
        "scim/directory-sync",
        Credentials::Anonymous,
    );
    let (root, mut configuration) = runtime.block_on(async {
        registry.push(&image).await.unwrap();
        unpack(&server, &image, directory.path()).await
    });
    assert_eq!(configuration["config"]["User"], "65532:65532");
    let sync: Value = serde_yaml::from_str(ENVIRONMENT).unwrap();
    let given = [
        format!("DIRECTORY_SYNC_CONFIGURATION={}", sync["directorySync"]),
        "DIRECTORY_SYNC_BIND_PASSWORD=canary-password".to_owned(),
        "DIRECTORY_SYNC_TOKEN=canary-token".to_owned(),
        "DIRECTORY_SYNC_LOG_FORMAT=json".to_owned(),
        "DIRECTORY_SYNC_METRICS=true".to_owned(),
    ];
    let variables = configuration["config"]["Env"].as_array_mut().unwrap();
    variables.extend(given.map(Value::String));
    let output = run(&root, &configuration);
    let (figures, log) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(output.status.code(), Some(1), "{figures}{log}");
    assert!(figures.contains(r#""FailedRuns":1"#), "{figures}{log}");
    assert!(log.contains("127.0.0.1:1"), "{figures}{log}");
    assert!(!format!("{figures}{log}").contains("canary"));
}

/// Two people in one group.
const ENTRIES: &str = "dn: uid=ann,ou=People,dc=example,dc=test
objectClass: inetOrgPerson
uid: ann
cn: Ann Archer
givenName: Ann
sn: Archer
displayName: Ann Archer
mail: ann@example.test

dn: uid=bob,ou=People,dc=example,dc=test
objectClass: inetOrgPerson
uid: bob
cn: Bob Baker
givenName: Bob
sn: Baker
displayName: Bob Baker
mail: bob@example.test

dn: cn=CallCenterManager,ou=Groups,dc=example,dc=test
objectClass: groupOfNames
cn: CallCenterManager
member: uid=ann,ou=People,dc=example,dc=test

dn: cn=aws-users,ou=Groups,dc=example,dc=test
objectClass: groupOfNames
cn: aws-users
member: uid=ann,ou=People,dc=example,dc=test
member: uid=bob,ou=People,dc=example,dc=test

";
