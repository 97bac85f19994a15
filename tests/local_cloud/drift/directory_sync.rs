//! Drift of a directory sync: one deployment, tampered with by `drift/sync_tamperings.py`.

use serde_json::Value;

use super::somebody::Somebody;
use super::{NONE, ids, report};
use crate::directory_sync::{ENVIRONMENT, STACK, project};
use crate::project::{Project, Run};

#[test]
fn a_directory_sync_has_no_finding_until_it_is_tampered_with_and_is_mended_or_deployed_again() {
    let project = project();
    project.with_image(&["deploy"]).expect_code(0);
    for _ in 0..3 {
        expect(&project, "untouched", &NONE);
    }
    let untouched = report(&drift(&project, &["--format", "json"]));
    for checked in untouched["coverage"].as_array().unwrap() {
        assert_ne!(checked["checkedBy"], serde_json::json!([]), "{checked}");
    }

    let mut somebody = Somebody::with(&project, "sync_tamperings.py", STACK);
    for run in ["mended", "mended again"] {
        let before = applied(&somebody.say(&format!("apply {run}")));
        expect(&project, run, &before);
        for format in ["text", "json", "markdown", "html", "junit", "sarif"] {
            let told = drift(&project, &["--format", format]).expect_code(4);
            let shown = told.stdout + &told.stderr;
            // The target of the schedule is told whole; the configuration is not.
            assert!(!shown.contains("canary.example"), "{run}: {shown}");
        }
        let mended = drift(&project, &["--mend", "--yes"]).expect_code(0);
        for id in &before {
            assert!(mended.stderr.contains(id), "{id}: {}", mended.stderr);
        }
        expect(&project, &format!("{run}, mended"), &NONE);
        somebody.say("undo");
    }

    let run = "left to a person";
    let before = applied(&somebody.say(&format!("apply {run}")));
    expect(&project, run, &before);
    let left = drift(&project, &["--mend", "--yes"]).expect_code(4);
    for advice in [
        "`connect-scim deploy` pushes it again",
        "`connect-scim deploy` registers a new one",
    ] {
        assert!(left.stderr.contains(advice), "{}", left.stderr);
    }
    // As the advice says.
    let changed = ENVIRONMENT.replace("task:", "task:\n  memoryMb: 2048");
    project.write_environment("sync", &changed);
    project.with_image(&["deploy"]).expect_code(0);
    expect(&project, "deployed again", &NONE);
}

fn drift(project: &Project, more: &[&str]) -> Run {
    project.with_image(&[&["drift", "--no-trail"], more].concat())
}

/// Expects exactly these findings, and the exit code that goes with them.
#[track_caller]
fn expect(project: &Project, when: &str, expected: &[impl AsRef<str>]) {
    let expected: Vec<&str> = expected.iter().map(AsRef::as_ref).collect();
    let run = drift(project, &["--format", "json"]);
    assert_eq!(ids(&report(&run)), expected, "{when}: {}", run.stdout);
    let code = if expected.is_empty() { 0 } else { 4 };
    assert_eq!(run.code, Some(code), "{when}: {}", run.stderr);
}

/// The ids of what is to be found, in their order.
fn applied(tamperings: &Value) -> Vec<String> {
    let ids = tamperings.as_object().unwrap().values();
    let mut ids: Vec<_> = ids
        .flat_map(|ids| ids.as_array().unwrap())
        .map(|id| id.as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}
