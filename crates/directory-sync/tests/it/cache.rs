//! What a run skips because of the last one, and when it must not.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use identity_center_simulator::Fault;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::stage::{Stage, finish};

const PROMOTION: &str = "dn: uid=u0,ou=People,dc=example,dc=test
changetype: modify
replace: title
title: Director
";

/// A run, by the shell's code, its report and the number of calls that it made.
struct Outcome {
    code: i32,
    report: Value,
    calls: usize,
}

impl Outcome {
    fn has_read_the_server(&self) -> bool {
        assert_eq!(self.report["equalSince"].is_null(), self.calls > 0);
        self.calls > 0
    }
}

async fn run(stage: &Stage, configuration: &Path, arguments: &[&str]) -> Outcome {
    let mut command = stage.command("run", configuration);
    command.args(arguments);
    outcome(stage, command).await
}

async fn outcome(stage: &Stage, mut command: Command) -> Outcome {
    stage.simulator.forget_calls();
    command.args(["--format", "json"]);
    let output = finish(command).await;
    let errors = String::from_utf8_lossy(&output.stderr);
    Outcome {
        code: output.status.code().unwrap(),
        report: serde_json::from_slice(&output.stdout).expect(&errors),
        calls: stage.simulator.reads() + stage.simulator.writes(),
    }
}

fn in_file(stage: &Stage, more: &str) -> String {
    let file = stage.directory.path().join("cache.json");
    format!("cache:\n  file: {}\n{more}", file.display())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_after_a_good_one_does_not_read_the_server_until_the_directory_changes() {
    let stage = Stage::new(3).await;
    let configuration = stage.configuration(&in_file(&stage, ""));
    assert!(run(&stage, &configuration, &[]).await.has_read_the_server());

    let mut metrics = stage.command("run", &configuration);
    metrics.arg("--metrics");
    stage.simulator.forget_calls();
    let output = finish(metrics).await;
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stage.simulator.reads(), 0);
    let text = String::from_utf8(output.stdout).unwrap();
    let (figures, text) = text.split_once('\n').unwrap();
    let figures: Value = serde_json::from_str(figures).unwrap();
    assert_eq!(figures["SuccessfulRuns"], 1);
    assert_eq!(figures["UnchangedRuns"], 1);
    assert!(
        text.starts_with("server       not read; equal since 2"),
        "{text}"
    );
    assert!(text.ends_with("\nThe directory has not changed; nothing to do.\n"));

    // People look at what both sides have: plan and verify always compare.
    stage.simulator.forget_calls();
    assert_eq!(stage.json("plan", &configuration).await.0, 0);
    assert_eq!(stage.json("verify", &configuration).await.0, 0);
    assert!(stage.simulator.reads() > 0);

    stage.modify(PROMOTION);
    let changed = run(&stage, &configuration, &[]).await;
    assert!(changed.has_read_the_server());
    assert_eq!(changed.report["summary"]["usersUpdated"], 1);
    assert!(!run(&stage, &configuration, &[]).await.has_read_the_server());

    let asked = run(&stage, &configuration, &["--full"]).await;
    assert!(asked.has_read_the_server());
    assert_eq!(asked.report["result"], "equal");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_is_in_doubt_is_thrown_away() {
    let stage = Stage::new(2).await;
    let plain = in_file(&stage, "");
    let configuration = stage.configuration(&plain);
    let file = stage.directory.path().join("cache.json");
    assert_eq!(run(&stage, &configuration, &[]).await.code, 0);
    assert!(!run(&stage, &configuration, &[]).await.has_read_the_server());

    let other = stage.configuration(&format!("leavers: delete\n{plain}"));
    assert!(run(&stage, &other, &[]).await.has_read_the_server());
    assert!(!run(&stage, &other, &[]).await.has_read_the_server());

    let good = std::fs::read_to_string(&file).unwrap();
    assert!(!good.contains("example"), "nothing of any person: {good}");
    let mut long_ago: Value = serde_json::from_str(&good).unwrap();
    long_ago["agreed"]["comparedAt"] = json!("2020-01-01T00:00:00Z");
    for doubtful in [
        "garbage".to_owned(),
        good[..good.len() / 2].to_owned(),
        long_ago.to_string(),
    ] {
        std::fs::write(&file, doubtful).unwrap();
        assert!(run(&stage, &other, &[]).await.has_read_the_server());
        assert!(!run(&stage, &other, &[]).await.has_read_the_server());
    }

    // A cache that cannot be used costs nothing but time.
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let unusable = run(&stage, &other, &[]).await;
    assert!(unusable.has_read_the_server());
    assert_eq!(unusable.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_not_good_in_everything_leaves_nothing_to_trust() {
    let stage = Stage::new(2).await;
    let configuration = stage.configuration(&in_file(&stage, ""));
    assert_eq!(run(&stage, &configuration, &[]).await.code, 0);

    // A change fails and is taken back: the directory wants what it wanted at first, but the
    // server may have anything.
    stage.modify(PROMOTION);
    stage.simulator.fail_write(0, Fault::Unauthorized);
    assert_eq!(run(&stage, &configuration, &[]).await.code, 9);
    stage.modify(&PROMOTION.replace("replace: title\ntitle: Director\n", "delete: title\n"));
    let next = run(&stage, &configuration, &[]).await;
    assert!(next.has_read_the_server());
    assert_eq!(next.code, 0);

    // An entry that is left out is told of in each run.
    stage.modify(
        "dn: uid=nameless,ou=People,dc=example,dc=test
changetype: add
objectClass: inetOrgPerson
uid: nameless
cn: Nameless
sn: Nameless
mail: nameless@example.test
",
    );
    for _ in 0..2 {
        let incomplete = run(&stage, &configuration, &[]).await;
        assert_eq!(incomplete.code, 5);
        assert_eq!(incomplete.report["summary"]["skipped"], 1);
    }
}

/// Amazon S3 with one object, and the address at which a container gets its role's credentials.
#[derive(Clone, Default)]
struct S3(Arc<Mutex<Object>>);

#[derive(Default)]
struct Object {
    body: Option<Bytes>,
    tag: usize,
    requests: Vec<String>,
    refuses: bool,
    /// Somebody else writes before the next conditional write.
    overtaken: bool,
}

impl S3 {
    async fn start() -> (Self, String) {
        let s3 = Self::default();
        let credentials = json!({
            "AccessKeyId": "AKIDTASK",
            "SecretAccessKey": "canary-key",
            "Token": "canary-session",
            "Expiration": "2027-01-01T00:00:00Z",
        });
        let router = Router::new()
            .route(
                "/credentials",
                get(|| async move { credentials.to_string() }),
            )
            .route("/bucket/directory-sync/corp.json", any(object))
            .with_state(s3.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (s3, address)
    }

    fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().requests)
    }
}

async fn object(State(s3): State<S3>, method: Method, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    let authorization = header("authorization").unwrap();
    let scope = "AWS4-HMAC-SHA256 Credential=AKIDTASK/";
    assert!(authorization.starts_with(scope), "{authorization}");
    assert!(authorization.contains("/eu-central-1/s3/aws4_request"));
    assert_eq!(header("x-amz-security-token").unwrap(), "canary-session");
    let hash: String = digest(&SHA256, &body)
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(header("x-amz-content-sha256").unwrap(), hash);

    let mut object = s3.0.lock().unwrap();
    let condition = header("if-match");
    if condition.is_some() && std::mem::take(&mut object.overtaken) {
        object.tag += 1;
    }
    let is_conditional = if condition.is_some() { " if" } else { "" };
    object.requests.push(format!("{method}{is_conditional}"));
    let tag = format!("\"{}\"", object.tag);
    if object.refuses {
        return StatusCode::FORBIDDEN.into_response();
    }
    match (method, &object.body) {
        (Method::GET, None) => StatusCode::NOT_FOUND.into_response(),
        (Method::GET, Some(body)) => ([("etag", tag)], body.clone()).into_response(),
        _ if condition.is_some_and(|condition| condition != tag) => {
            StatusCode::PRECONDITION_FAILED.into_response()
        }
        _ => {
            object.tag += 1;
            object.body = Some(body);
            [("etag", format!("\"{}\"", object.tag))].into_response()
        }
    }
}

fn on_fargate(stage: &Stage, configuration: &Path, address: &str) -> Command {
    let mut command = stage.command("run", configuration);
    for variable in [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_ENDPOINT_URL",
    ] {
        command.env_remove(variable);
    }
    command
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_ENDPOINT_URL_S3", address)
        .env(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            format!("{address}/credentials"),
        );
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cache_of_a_container_is_an_object_that_only_one_run_at_a_time_can_leave() {
    let stage = Stage::new(2).await;
    let (s3, address) = S3::start().await;
    let more = "cache:\n  s3: {bucket: bucket, key: directory-sync/corp.json}\n";
    let configuration = stage.configuration(more);
    let run = async || outcome(&stage, on_fargate(&stage, &configuration, &address)).await;

    assert!(run().await.has_read_the_server());
    assert_eq!(s3.take_requests(), ["GET", "PUT", "PUT if"]);
    assert!(!run().await.has_read_the_server());
    assert_eq!(s3.take_requests(), ["GET"]);

    // Another run has been here while this one compared: neither can be trusted.
    stage.modify(PROMOTION);
    s3.0.lock().unwrap().overtaken = true;
    assert_eq!(run().await.code, 0);
    assert_eq!(s3.take_requests(), ["GET", "PUT", "PUT if", "PUT"]);
    assert!(run().await.has_read_the_server());
    assert!(!run().await.has_read_the_server());

    s3.0.lock().unwrap().refuses = true;
    let output = finish(on_fargate(&stage, &configuration, &address)).await;
    assert_eq!(
        output.status.code(),
        Some(0),
        "nothing depends on the cache"
    );
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("the cache cannot be read: everything is compared"));
    assert!(errors.contains("s3:GetObject"), "{errors}");
    assert!(!errors.contains("canary"), "{errors}");
}

#[test]
fn a_cache_has_one_place() {
    let text = "owner: corp
source:
  servers: [ldaps://dc1.example.test]
  bindName: reader@example.test
  searchBases: ['DC=example,DC=test']
  users: {memberOf: [aws-users]}
target: {endpoint: 'https://scim.example.test/'}
";
    let cases = BTreeMap::from([
        ("cache: {file: a.json}", true),
        ("cache: {s3: {bucket: b, key: k}, fullEveryHours: 6}", true),
        ("cache: {}", false),
        ("cache: {file: a.json, s3: {bucket: b, key: k}}", false),
        ("cache: {s3: {bucket: b, key: ''}}", false),
        ("cache: {file: a.json, fullEveryHours: 0}", false),
    ]);
    for (more, good) in cases {
        let parsed = directory_sync::configuration::Configuration::parse(&format!("{text}{more}"));
        assert_eq!(parsed.is_ok(), good, "{more}");
    }
}
