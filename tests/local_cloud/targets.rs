//! One environment file with several targets: every stack of its own, wave after wave.

use serde_json::Value;

use crate::project::{Project, Run, artifacts, finish};

const ENVIRONMENT: &str = r#"cloud: local
stackName: scim
connect: { instanceId: 11111111-2222-4333-8444-555555555555 }
api: { createAccountLoggingRole: true, requireApiKey: false }
targets:
  virginia: { region: us-east-1 }
  ireland:
    region: eu-west-1
    artifacts: { bucket: not-there }
  tokyo: { region: ap-northeast-1, wave: 2 }
"#;

fn project() -> Project {
    let project = Project::new();
    project.write_environment("world", ENVIRONMENT);
    project
}

fn run(project: &Project, verb: &str, more: &[&str]) -> Run {
    let mut command = project.command(&[verb, "--env", "world", "--artifacts"]);
    finish(command.arg(artifacts()).args(more))
}

/// Target and outcome of each line of the summary.
fn summary(run: &Run) -> Vec<(String, String)> {
    let table = run.stdout.split("TARGET").last().unwrap();
    let rows = table.lines().skip(1).map(|row| {
        let cells: Vec<_> = row
            .split("  ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty())
            .collect();
        (cells[0].to_owned(), cells[4].to_owned())
    });
    rows.collect()
}

fn pairs(expected: [(&str, &str); 3]) -> Vec<(String, String)> {
    expected
        .map(|(target, outcome)| (target.to_owned(), outcome.to_owned()))
        .to_vec()
}

#[test]
fn a_failing_target_stops_later_waves_and_is_made_up_for_by_the_next_run() {
    let project = project();
    project.run(&["local", "up"]).expect_code(0);

    let planned = run(&project, "plan", &[]).expect_code(4);
    let headings: Vec<_> = planned
        .stdout
        .lines()
        .filter(|line| ["ireland", "virginia", "tokyo"].contains(line))
        .collect();
    assert_eq!(headings, ["ireland", "virginia", "tokyo"]);

    let first = run(&project, "deploy", &[]).expect_code(1);
    assert_eq!(
        summary(&first),
        pairs([
            ("ireland", "failed"),
            ("virginia", "done"),
            ("tokyo", "not started")
        ]),
        "{}",
        first.stdout
    );
    assert!(
        first
            .stderr
            .contains("ireland: error: the artifact bucket not-there does not exist"),
        "{}",
        first.stderr
    );
    assert!(
        first.stderr.contains("failed: ireland; not started: tokyo"),
        "{}",
        first.stderr
    );
    let status = |target: &str| {
        project
            .run(&["status", "--env", "world", "--target", target])
            .code
    };
    assert_eq!(status("virginia"), Some(0));
    assert_ne!(status("tokyo"), Some(0));

    project.write_environment(
        "world",
        &ENVIRONMENT.replace("    artifacts: { bucket: not-there }\n", ""),
    );
    let second = run(&project, "deploy", &["--format", "json"]).expect_code(0);
    let lines: Vec<Value> = second
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let (last, lines) = lines.split_last().unwrap();
    assert!(lines.iter().all(|line| line["target"].is_string()));
    let changed = |target: &str| {
        lines
            .iter()
            .find(|line| line["target"] == target && line["type"] == "result")
            .map(|line| line["changed"].clone())
    };
    assert_eq!(changed("virginia"), Some(false.into()));
    assert_eq!(changed("ireland"), Some(true.into()));
    assert_eq!(changed("tokyo"), Some(true.into()));
    let codes: Vec<_> = last["targets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|target| target["exitCode"].clone())
        .collect();
    assert_eq!(codes, [0, 0, 0]);

    let third = run(&project, "deploy", &[]).expect_code(0);
    assert_eq!(
        summary(&third),
        pairs([("ireland", "done"), ("virginia", "done"), ("tokyo", "done")])
    );
    run(&project, "plan", &["--quiet"]).expect_code(0);
}

#[test]
fn a_command_that_looks_at_one_stack_asks_which() {
    let project = project();
    let run = project.run(&["outputs", "--env", "world"]).expect_code(3);
    assert!(
        run.stderr
            .contains("has several targets: ireland, virginia, tokyo"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("--target NAME"), "{}", run.stderr);
}
