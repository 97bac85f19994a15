//! The templates, held to software written by others: cfn-lint, which knows the schema
//! of every resource type, and AWS's service authorization reference.

#![expect(clippy::unwrap_used, reason = "a test's panic is its report")]

#[path = "../guardrail/cases.rs"]
mod cases;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use connect_scim::doctor::{ACTIONS, TOPIC};
use connect_scim::guardrail::{CONNECT_ACTIONS, EFFECTS, NOT_DENIED, READING_DENIED, USER_EDITS};
use connect_scim::plan::CREATE_ONLY;
use serde_json::{Value, json};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Environments beyond those in environments/, each with something of its own.
const VARIANTS: &[(&str, &str)] = &[
    (
        "clients",
        "clients: {okta: {}, entra-id: {tokenGeneration: 3, throttle: {rate: 0.5, burst: 1}}}",
    ),
    (
        "jwt",
        "clients: {entra: {jwt: {issuer: \"https://sts.windows.net/11111111-2222-4333-8444-555555555555/\", audience: 8adf8e6e-67b2-4cf2-a259-e3dc5476c621}}}",
    ),
    (
        "jwt-and-token",
        "clients: {okta: {}, hr: {jwt: {issuer: \"https://login.example.com\", audience: \"api://scim\", requiredScope: scim.write, jwksUrl: \"https://login.example.com/keys?a=b\"}}}",
    ),
    ("edge", "api: {endpointType: edge}"),
    ("no-access-logs", "api: {accessLogs: false}"),
    (
        "suspend",
        "provisioning: {deprovision: suspend, suspendedSecurityProfile: Suspended}",
    ),
    (
        "allowed-cidrs",
        "api: {allowedCidrs: [203.0.113.0/24, \"2001:db8::/32\"]}",
    ),
    ("quota", "api: {quota: {limit: 100000, period: day}}"),
    ("account-role", "api: {createAccountLoggingRole: true}"),
    (
        "arm64",
        "functions: {architecture: arm64, reservedConcurrency: 5}",
    ),
    ("xray", "api: {tracing: true}"),
    ("own-domain", "api: {baseUrl: \"https://scim.example.com\"}"),
    ("protected", "protected: true"),
    (
        "alarms",
        "alarms: {topicArn: \"arn:aws:sns:eu-central-1:111122223333:operations\", tokenMaxAgeDays: 90, pendingMaxMinutes: 30}",
    ),
    ("watch", "drift: {watch: {}}"),
    (
        "watch-encrypted",
        "drift: {watch: {kmsKeyArn: \"arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-4333-8444-555555555555\"}}",
    ),
    (
        "watch-elsewhere",
        "drift: {watch: {topicArn: \"arn:aws:sns:eu-central-1:111122223333:operations\"}}",
    ),
    (
        "guardrails",
        "guardrails: {attachTo: {roles: [Admin], groups: [Operators], users: [root.user]}, boundaryOf: {roles: [Developer]}, deployers: [\"arn:aws:iam::111122223333:role/ci/Deploy*\"], exemptPrincipals: [\"arn:aws:iam::111122223333:role/Break*\"]}",
    ),
];

/// Directory syncs, each with something of its own.
const DIRECTORY_SYNCS: &[(&str, &str)] = &[
    ("sync", ""),
    (
        "sync-assignments",
        "assignments: {instanceArn: \"arn:aws:sso:::instance/ssoins-1234567890abcdef\", identityStoreId: d-1234567890, permissionSets: {Administrator: {managedPolicies: [\"arn:aws:iam::aws:policy/AdministratorAccess\"], sessionHours: 1}, Reader: {description: \"Looks, and no more\", customerManagedPolicies: [Look]}}, groups: {aws-admins: [{permissionSet: Administrator, accounts: [\"111122223333\", \"444455556666\"]}, {permissionSet: Reader, accounts: [\"111122223333\"]}], \"Everybody & all\": [{permissionSet: Reader, accounts: [\"444455556666\"]}]}}",
    ),
    (
        "sync-alarms",
        "alarms: {topicArn: \"arn:aws:sns:eu-central-1:111122223333:operations\"}",
    ),
];

/// What every one of them has.
const DIRECTORY_SYNC: &str = "
directorySync:
  owner: corp
  source:
    servers: [ldaps://dc1.corp.example.com, \"ldap://dc2.corp.example.com:3389\"]
    bindName: reader@corp.example.com
    searchBases: [\"DC=corp,DC=example,DC=com\"]
    users: {memberOf: [aws-users]}
    groups: {names: [\"aws-*\"]}
  target:
    endpoint: https://scim.example.com:8443/tenant/scim/v2/
  cache: {s3: {bucket: sync-cache, key: corp.json}}
task:
  everyMinutes: 1440
  cpu: 512
  memoryMb: 2048
  network:
    vpcId: vpc-0123456789abcdef0
    subnetIds: [subnet-0123456789abcdef0]
    directoryCidrs: [10.20.0.0/24, \"fd00:20::/64\"]
    assignPublicIp: true
";

fn python() -> PathBuf {
    test_support::python(&Path::new(ROOT).join("tests/requirements.txt"))
}

/// Every environment file of the project, and the variants, written to `directory`.
fn environments(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(Path::new(ROOT).join("environments"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    assert!(!files.is_empty());
    let connect = "connect: {instanceId: 11111111-2222-4333-8444-555555555555}";
    let endpoints = VARIANTS.iter().map(|variant| (variant, connect));
    let syncs = DIRECTORY_SYNCS.iter();
    let syncs = syncs.map(|variant| (variant, DIRECTORY_SYNC));
    for ((name, lines), subject) in endpoints.chain(syncs) {
        let file = directory.join(format!("{name}.yaml"));
        fs::write(
            &file,
            format!(
                "account: \"111122223333\"\nregion: eu-central-1\nstackName: scim\n{subject}\n{lines}\n"
            ),
        )
        .unwrap();
        files.push(file);
    }
    files
}

fn render(environment: &Path, format: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_connect-scim"))
        .args(["render", "--format", format, "--env"])
        .arg(environment)
        .current_dir(ROOT)
        .env_remove("CONNECT_SCIM_ENV")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}: {}",
        environment.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn cfn_lint_finds_nothing_in_any_template() {
    let directory = tempfile::tempdir().unwrap();
    let templates: Vec<_> = environments(directory.path())
        .iter()
        .map(|environment| {
            let name = environment.file_stem().unwrap().to_string_lossy();
            let template = directory.path().join(format!("{name}.template.yaml"));
            fs::write(&template, render(environment, "yaml")).unwrap();
            template
        })
        .collect();
    let output = Command::new(python())
        .args([
            "-c",
            "import sys; from cfnlint.runner import main; sys.exit(main())",
            "--include-checks",
            "I",
            "--regions",
            "eu-central-1",
            "--template",
        ])
        .args(&templates)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn every_iam_action_exists_and_is_allowed_or_denied_on_resources_it_has() {
    let directory = tempfile::tempdir().unwrap();
    let templates: String = environments(directory.path())
        .iter()
        .map(|environment| render(environment, "json").replace('\n', " ") + "\n")
        .collect();
    assert_eq!(wrong_actions(&templates), "");
}

#[test]
fn the_permissions_that_doctor_asks_for_are_actions_on_resources_they_have() {
    let statements: Vec<Value> = ACTIONS
        .iter()
        .chain([TOPIC])
        .enumerate()
        .map(|(index, permission)| {
            json!({
                "Sid": format!("{index}"),
                "Effect": "Allow",
                "Action": permission.actions,
                "Resource": permission.resource_arn("aws", "eu-central-1", "123456789012", "scim"),
            })
        })
        .collect();
    let policy = json!({"Resources": {"Doctor": {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {"PolicyDocument": {"Statement": statements}},
    }}});
    assert_eq!(wrong_actions(&format!("{policy}\n")), "");
}

#[test]
fn every_documented_action_that_the_guardrail_denies_is_simulated() {
    let output = Command::new(python())
        .arg(Path::new(ROOT).join("tests/template/matching_actions.py"))
        .args(CONNECT_ACTIONS)
        .output()
        .unwrap();
    let listed = String::from_utf8(output.stdout).unwrap();
    let documented: BTreeSet<&str> = listed.lines().collect();
    let simulated: BTreeSet<&str> = USER_EDITS.iter().map(|edit| edit.action).collect();
    assert_eq!(simulated, documented);
}

#[test]
fn every_action_with_an_effect_that_the_guardrail_prevents_is_denied_or_listed_with_a_reason() {
    let (guardrail, _) = cases::guardrail();
    let effects: Vec<Value> = EFFECTS
        .iter()
        .map(|effect| {
            json!({
                "name": effect.name,
                "resources": effect.resources,
                "statements": effect.statements,
            })
        })
        .collect();
    let given = json!({
        "statements": guardrail["Statement"],
        "effects": effects,
        "notDenied": NOT_DENIED,
        "readingDenied": READING_DENIED,
    });
    let script = Path::new(ROOT).join("tests/template/classified_actions.py");
    assert_eq!(output_of(python(), &script, &given.to_string()), "");
}

#[test]
fn an_independent_engine_denies_and_allows_what_the_table_says_in_every_use_of_the_guardrail() {
    let cases: Vec<Value> = cases::cases()
        .into_iter()
        .map(|case| {
            json!({
                "use": format!("{:?}", case.in_use),
                "principal": case.principal,
                "action": case.action,
                "resource": case.resource,
                "context": case.context.iter().copied().collect::<BTreeMap<_, _>>(),
                "allowed": case.allowed,
            })
        })
        .collect();
    assert!(cases.len() > 900, "{}", cases.len());
    let (guardrail, boundary) = cases::guardrail();
    let given = json!({"guardrail": guardrail, "boundary": boundary, "cases": cases}).to_string();
    let requirements = Path::new(ROOT).join("tests/guardrail/requirements.txt");
    let script = Path::new(ROOT).join("tests/template/simulate.py");
    let engine = test_support::python(&requirements);
    assert_eq!(output_of(engine, &script, &given), "");
}

/// What a script prints that reads `given`.
fn output_of(python: PathBuf, script: &Path, given: &str) -> String {
    let mut running = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = running.stdin.take().unwrap();
    stdin.write_all(given.as_bytes()).unwrap();
    drop(stdin);
    let output = running.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// What the service authorization reference holds against templates, one a line.
fn wrong_actions(templates: &str) -> String {
    let script = Path::new(ROOT).join("tests/template/check_actions.py");
    output_of(python(), &script, templates)
}

#[test]
fn what_forces_a_replacement_is_what_the_schemas_of_the_types_in_use_say() {
    let directory = tempfile::tempdir().unwrap();
    let types: BTreeSet<String> = environments(directory.path())
        .iter()
        .flat_map(|environment| {
            let template: Value = serde_json::from_str(&render(environment, "json")).unwrap();
            let resources = template["Resources"].as_object().unwrap().clone();
            resources
                .into_iter()
                .map(|(_, resource)| resource["Type"].as_str().unwrap().to_owned())
        })
        .filter(|name| name.starts_with("AWS::"))
        .collect();
    let output = Command::new(python())
        .arg(Path::new(ROOT).join("tests/template/create_only.py"))
        .args(&types)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let schemas: BTreeMap<String, (Vec<String>, Vec<String>)> =
        serde_json::from_slice(&output.stdout).unwrap();
    let owned = |names: &[&str]| -> Vec<String> { names.iter().map(ToString::to_string).collect() };
    let table: BTreeMap<String, (Vec<String>, Vec<String>)> = CREATE_ONLY
        .iter()
        .map(|known| {
            (
                known.resource_type.to_owned(),
                (owned(known.always), owned(known.sometimes)),
            )
        })
        .collect();
    assert_eq!(table, schemas, "src/plan/create_only.rs is stale");
}
