//! `connect-scim render`.

use std::fs;

use assert_cmd::Command;
use tempfile::TempDir;

use crate::{connect_scim, outcome};

/// The command in a directory without packages, and an environment file with more lines.
fn render(lines: &str, arguments: &[&str]) -> (TempDir, Command) {
    #[expect(clippy::unwrap_used, reason = "a test's panic is its report")]
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("test.yaml");
    #[expect(clippy::unwrap_used, reason = "a test's panic is its report")]
    fs::write(
        &file,
        format!(
            "account: \"111122223333\"\nregion: eu-central-1\nstackName: scim\n\
             connect:\n  instanceId: 11111111-2222-4333-8444-555555555555\n{lines}"
        ),
    )
    .unwrap();
    let mut command = connect_scim();
    command
        .current_dir(directory.path())
        .args(["render", "--env"])
        .arg(file)
        .args(arguments);
    (directory, command)
}

#[test]
fn the_template_alone_is_on_standard_output() {
    let (_directory, mut command) = render("", &[]);
    let output = command.output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("AWSTemplateFormatVersion:"), "{text:.100}");
    assert!(text.contains("S3Bucket: \"connect-scim-artifacts-111122223333-eu-central-1\""));
    assert!(text.contains("S3Key: \"unbuilt\""));
    insta::assert_snapshot!(
        String::from_utf8_lossy(&output.stderr),
        @"warning: the functions have not been built; their keys are shown as `unbuilt` (connect-scim build)"
    );
}

#[test]
fn json_is_the_same_template_in_canonical_form() {
    let (_directory, mut command) = render("", &["--format", "json"]);
    let output = command.output().unwrap();
    let template: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        template["Outputs"]["ApiId"]["Value"],
        serde_json::json!({"Ref": "RestApi"})
    );
}

#[test]
fn an_environment_that_makes_no_template_ends_with_exit_code_3() {
    let (_directory, mut command) = render(
        "  defaultRoutingProfile: \"{{resolve:ssm:/profile}}\"\n",
        &[],
    );
    insta::assert_snapshot!(outcome(&mut command), @r"
    exit code: 3
    --- stdout
    --- stderr
    warning: the functions have not been built; their keys are shown as `unbuilt` (connect-scim build)
    error: the value at /Resources/ReconcilerFunction/Properties/Environment/Variables/DEFAULT_ROUTING_PROFILE contains `{{resolve:`, which CloudFormation takes for a dynamic reference
    ");
}
