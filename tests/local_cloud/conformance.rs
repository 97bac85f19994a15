//! The deployed endpoint, held to suites that others wrote: scim2-tester (through
//! scim2-cli) and scim-sanity.
//!
//! A suite judges by the RFCs and by its author's reading of them. Where that reading
//! cannot hold for Amazon Connect, the finding is listed here with its reason. Any other
//! finding fails the test, be it an error, a deviation, a warning or a skipped check.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::project::{Project, finish};

/// What a suite found that is not a plain success: the check, and the start of what it
/// said about it.
type Finding = (&'static str, &'static str);

const SCIM2_TESTER: [Finding; 5] = [
    // The suite first adds the whole extension, then its attributes one by one, and
    // expects to find only what it added last. `add` to a multi-valued attribute adds to
    // the values that are there (RFC 7644, section 3.5.2.1).
    (
        "ERROR check_add_attribute",
        "PATCH modify() returned unexpected value for \
         'urn:ietf:params:scim:schemas:extension:amazonconnect:2.0:User:securityProfiles'.",
    ),
    (
        "ERROR check_add_attribute",
        "PATCH modify() returned unexpected value for \
         'urn:ietf:params:scim:schemas:extension:amazonconnect:2.0:User:tags'.",
    ),
    // `active` always has a value: if its removal meant true, it would give an inactive user
    // access again. The service provider defines its meaning (RFC 7643, section 4.1.1).
    (
        "ERROR check_remove_attribute",
        "PATCH modify() did not remove attribute 'active'",
    ),
    // The suite compares whole members with what it sent, including `display`, which is
    // read-only and has the user's name.
    (
        "ERROR check_add_attribute",
        "PATCH modify() returned unexpected value for 'members'.",
    ),
    (
        "ERROR check_replace_attribute",
        "PATCH modify() returned unexpected value for 'members'.",
    ),
];

const SCIM_SANITY: [Finding; 5] = [
    // Groups are security profiles, whose permissions only an administrator of Connect
    // can decide: a group of an unknown name, here a random one, is refused. The suite
    // then has no group to go on with.
    (
        "fail POST /Groups",
        "Expected HTTP 201, got 400 (RFC 7644 §3.3)",
    ),
    ("skip GET /Groups/{id}", "No id returned from POST"),
    // Resources of a draft (draft-abbey-scim-agent-extension), about software agents.
    ("skip Agent CRUD Lifecycle", "Agent not supported by server"),
    (
        "skip AgenticApplication CRUD Lifecycle",
        "AgenticApplication not supported by server",
    ),
    (
        "skip Agent Rapid Lifecycle",
        "Agent not supported or not in scope",
    ),
];

/// scim2-cli's entry point, with the same "random" choices in every run. The suite makes
/// up what it knows no example of; but Connect has only the proficiencies that somebody
/// defined in the instance, so it is told one that the simulator has.
const SCIM2: &str = r#"
import random
random.seed(0)
from scim2_tester import filling
proficiency = {"attribute_name": "Skill", "attribute_value": "Billing", "level": 3}
example = filling.get_random_example_value
def example_or_proficiency(path):
    binding = path.resolve()
    if binding and binding.target_model and binding.target_model.__name__ == "Proficiencies":
        return proficiency.get(binding.target_field_name)
    return example(path)
filling.get_random_example_value = example_or_proficiency
from scim2_cli import cli
cli()
"#;

#[test]
fn suites_of_others_find_nothing_unexplained() {
    let project = Project::new();
    // scim2-tester replaces `userName`, which Connect cannot change in place.
    project.edit_environment(
        "\nconnect:\n",
        "\nprovisioning:\n  rename: recreate\n\nconnect:\n",
    );
    project.deploy();
    project.change_simulator(&json!({"throttle": null}));
    let base = project.outputs()["OktaBaseUrl"]
        .as_str()
        .unwrap()
        .to_owned();
    let token = project.token();

    let report = suite(&["-m", "scim_sanity", "probe", &base, "--token", &token])
        .args(["--i-accept-side-effects", "--json-output"])
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    assert_explained(
        scim_sanity_findings(&report),
        &SCIM_SANITY,
        &format!("{report:#}"),
    );

    let header = format!("Authorization: Bearer {token}");
    let report = finish(suite(&["-c", SCIM2, "-u", &base, "-h", &header]).arg("test"));
    let checks = scim2_tester_checks(&report.stdout);
    assert!(
        checks.len() > 150,
        "the suite stopped early:\n{}\n{}",
        report.stdout,
        report.stderr
    );
    let findings = checks
        .into_iter()
        .filter(|(check, _)| {
            !["SUCCESS ", "COMPLIANT "]
                .iter()
                .any(|good| check.starts_with(good))
        })
        .collect();
    assert_explained(findings, &SCIM2_TESTER, &report.stdout);
}

/// A program of the environment with the suites.
fn suite(arguments: &[&str]) -> Command {
    let requirements =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/local_cloud/requirements.txt");
    let mut command = Command::new(test_support::python(&requirements));
    command
        .args(arguments)
        .env("PYTHONHASHSEED", "0")
        .stdin(Stdio::null());
    command
}

#[track_caller]
fn assert_explained(mut findings: Vec<(String, String)>, explained: &[Finding], report: &str) {
    findings.retain(|(check, reason)| {
        !explained
            .iter()
            .any(|(name, start)| check == name && reason.starts_with(start))
    });
    assert!(
        findings.is_empty(),
        "not explained: {findings:#?}\n{report}"
    );
}

/// `STATUS check`, then lines about it: the checks and what was said about each.
fn scim2_tester_checks(report: &str) -> Vec<(String, String)> {
    const STATUSES: [&str; 7] = [
        "SUCCESS",
        "COMPLIANT",
        "ACCEPTABLE",
        "DEVIATION",
        "SKIPPED",
        "ERROR",
        "CRITICAL",
    ];
    let mut checks: Vec<(String, String)> = Vec::new();
    for line in report.lines() {
        let status = line.split(' ').next().unwrap_or_default();
        if STATUSES.contains(&status) {
            checks.push((line.to_owned(), String::new()));
        } else if let Some((_, reason)) = checks.last_mut() {
            reason.push_str(line.trim());
            reason.push('\n');
        }
    }
    checks
}

fn scim_sanity_findings(report: &Value) -> Vec<(String, String)> {
    let text = |result: &Value, member: &str| {
        let value = result[member].as_str();
        value.unwrap_or_default().to_owned()
    };
    let results = report["results"].as_array().unwrap();
    assert_eq!(results.len(), 23, "{report:#}");
    results
        .iter()
        .filter(|result| result["status"] != "pass")
        .map(|result| {
            (
                format!("{} {}", text(result, "status"), text(result, "name")),
                text(result, "message"),
            )
        })
        .collect()
}
