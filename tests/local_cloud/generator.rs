//! Token generators that misbehave, for deployments that fail, hang and cannot be undone.

use std::fs;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;

use crate::project::artifacts;

/// Refuses what is in `REFUSED` with a reason that can be recognised, and takes `SECONDS`
/// for each request.
const BOOTSTRAP: &str = r#"#!/usr/bin/env python3
import json, os, sys, time, urllib.request
REFUSED, SECONDS = @REFUSED@, @SECONDS@
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    invocation = urllib.request.urlopen(api + "next")
    event = json.load(invocation)
    kind = event["RequestType"]
    print("asked to", kind, flush=True)
    time.sleep(SECONDS)
    answer = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= {"Status": "SUCCESS", "PhysicalResourceId": event.get("PhysicalResourceId", "none")}
    client = event["ResourceProperties"]["Client"]
    if kind in REFUSED or f"{kind} {client}" in REFUSED:
        print("there are no tokens left in the drawer", file=sys.stderr, flush=True)
        answer |= {"Status": "FAILED", "Reason": "no tokens today"}
    put = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT")
    urllib.request.urlopen(put)
    done = api + invocation.headers["Lambda-Runtime-Aws-Request-Id"] + "/response"
    urllib.request.urlopen(urllib.request.Request(done, b"{}", method="POST"))
"#;

/// The packages of this checkout, with a token generator that refuses some requests
/// (`Create`, `Update`, `Delete`, or of one client only: `Create okta`) and takes its
/// time, in a new directory.
pub fn packages(directory: &Path, refused: &[&str], seconds: f32) -> PathBuf {
    let bootstrap = BOOTSTRAP
        .replace("@REFUSED@", &json!(refused).to_string())
        .replace("@SECONDS@", &seconds.to_string());
    let mut package = zip::ZipWriter::new(Cursor::new(Vec::new()));
    package
        .start_file(
            "bootstrap",
            SimpleFileOptions::default().unix_permissions(0o755),
        )
        .unwrap();
    package.write_all(bootstrap.as_bytes()).unwrap();
    let package = package.finish().unwrap().into_inner();
    let digest = Sha256::digest(&package);

    let packages = tempfile::TempDir::with_prefix_in("packages-", directory)
        .unwrap()
        .keep();
    for entry in fs::read_dir(artifacts()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), packages.join(entry.file_name())).unwrap();
    }
    fs::write(packages.join("misbehaving.zip"), &package).unwrap();
    let manifest = packages.join("artifacts.json");
    let mut content: Value = serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
    content["functions"]["token-generator"] = json!({
        "file": "misbehaving.zip",
        "size": package.len(),
        "sha256": digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        "codeSha256": base64::engine::general_purpose::STANDARD.encode(digest),
    });
    fs::write(manifest, content.to_string()).unwrap();
    packages
}
