//! A deployment that fails: the exit code and the last lines tell why, and the next
//! deployment recovers by itself.

use std::fs;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;

use crate::endpoint::Endpoint;
use crate::project::{Project, artifacts, finish};

/// A token generator that refuses to make tokens, with a reason that can be recognised.
const REFUSING: &str = r#"#!/usr/bin/env python3
import json, os, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    invocation = urllib.request.urlopen(api + "next")
    event = json.load(invocation)
    answer = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= {"Status": "FAILED", "Reason": "no tokens today", "PhysicalResourceId": "none"}
    if event["RequestType"] == "Delete":
        answer["Status"] = "SUCCESS"
    put = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT")
    urllib.request.urlopen(put)
    done = api + invocation.headers["Lambda-Runtime-Aws-Request-Id"] + "/response"
    urllib.request.urlopen(urllib.request.Request(done, b"{}", method="POST"))
"#;

#[test]
fn a_failed_deployment_ends_with_its_first_cause_and_the_next_one_recovers() {
    let project = Project::new();
    let refusing = with_refusing_token_generator(project.path());
    let mut command = project.command(&["deploy", "--env", "local", "--artifacts"]);
    let run = finish(command.arg(&refusing)).expect_code(6);
    let end: Vec<&str> = run.stderr.lines().rev().take(3).collect();
    assert_eq!(
        end,
        [
            "hint: the stack is back where it was; mend the cause and deploy again",
            "Custom::ScimToken TokenIdp CREATE_FAILED: no tokens today",
            "error: connect-scim-local ended in the state ROLLBACK_COMPLETE",
        ]
    );
    assert!(run.stdout.is_empty(), "{}", run.stdout);

    let recovered = project.deploy();
    assert!(
        recovered
            .stderr
            .contains("deleting what is left of it and creating it anew"),
        "{}",
        recovered.stderr
    );
    Endpoint::of(&project).get("/Users").expect(200);
}

/// The packages of this checkout with another token generator.
fn with_refusing_token_generator(directory: &Path) -> PathBuf {
    let mut package = zip::ZipWriter::new(Cursor::new(Vec::new()));
    package
        .start_file(
            "bootstrap",
            SimpleFileOptions::default().unix_permissions(0o755),
        )
        .unwrap();
    package.write_all(REFUSING.as_bytes()).unwrap();
    let package = package.finish().unwrap().into_inner();
    let digest = Sha256::digest(&package);

    let refusing = directory.join("refusing");
    fs::create_dir(&refusing).unwrap();
    for entry in fs::read_dir(artifacts()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), refusing.join(entry.file_name())).unwrap();
    }
    fs::write(refusing.join("refusing.zip"), &package).unwrap();
    let manifest = refusing.join("artifacts.json");
    let mut content: Value = serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
    content["functions"]["token-generator"] = json!({
        "file": "refusing.zip",
        "size": package.len(),
        "sha256": digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        "codeSha256": base64::engine::general_purpose::STANDARD.encode(digest),
    });
    fs::write(manifest, content.to_string()).unwrap();
    refusing
}
