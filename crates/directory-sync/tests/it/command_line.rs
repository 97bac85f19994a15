//! The program itself, between a real slapd and the simulator.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::slapd::PASSWORD;
use crate::stage::{Stage, finish, program};

/// How long a busy machine may take for what comes at once.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_is_planned_run_and_verified() {
    let stage = Stage::new(3).await;
    let configuration = stage.configuration("");
    let (code, plan) = stage.json("plan", &configuration).await;
    assert_eq!((code, &plan["result"]), (4, &json!("changes")));
    assert_eq!(plan["version"], 1);
    assert_eq!(plan["summary"]["usersCreated"], 3);
    assert_eq!(stage.simulator.writes(), 0);
    assert_eq!(stage.json("verify", &configuration).await.0, 4);

    let mut run = stage.command("run", &configuration);
    run.arg("--metrics");
    let output = finish(run).await;
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    let (metrics, text) = text.split_once('\n').unwrap();
    let metrics: Value = serde_json::from_str(metrics).unwrap();
    assert_eq!(metrics["UsersCreated"], 3);
    assert_eq!(metrics["SuccessfulRuns"], 1);
    assert!(text.contains("users        3 created, 0 changed"), "{text}");
    assert!(text.ends_with("\nDone.\n"), "{text}");
    assert_eq!(stage.simulator.members("aws-all").unwrap().len(), 3);

    stage.simulator.forget_calls();
    let (code, run) = stage.json("run", &configuration).await;
    assert_eq!((code, &run["result"]), (0, &json!("equal")));
    assert_eq!(stage.simulator.writes(), 0);
    assert_eq!(stage.json("verify", &configuration).await.0, 0);

    let mut markdown = stage.command("plan", &configuration);
    markdown.args(["--format", "markdown"]);
    let output = finish(markdown).await;
    assert_eq!(output.status.code(), Some(0));
    assert!(
        output
            .stdout
            .starts_with(b"### Directory sync: The server is as the directory says")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_has_its_exit_code_and_says_what_to_do() {
    let stage = Stage::new(1).await;
    let configuration = stage.configuration("");
    let cases: [(&str, &str, &str, i32, &str); 4] = [
        ("", "", "", 0, ""),
        (
            "DIRECTORY_SYNC_TOKEN",
            "",
            "",
            9,
            "set the environment variable DIRECTORY_SYNC_TOKEN",
        ),
        (
            "DIRECTORY_SYNC_TOKEN",
            "wrong",
            "",
            9,
            "hint: compare the endpoint",
        ),
        (
            "DIRECTORY_SYNC_BIND_PASSWORD",
            "wrong",
            "",
            9,
            "does not let the account in",
        ),
    ];
    for (variable, value, argument, code, message) in cases {
        let mut command = stage.command("run", &configuration);
        if !variable.is_empty() {
            command.env(variable, value);
        }
        command.args(Some(argument).filter(|argument| !argument.is_empty()));
        let output = finish(command).await;
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{errors}");
        assert!(errors.contains(message), "{errors}");
        assert!(!errors.contains("example.test/"), "{errors}");
    }

    let output = finish({
        let mut command = program();
        command.args(["run", "--unknown"]);
        command
    })
    .await;
    assert_eq!(output.status.code(), Some(2));

    let wrong = stage.configuration("leavers: remove\n");
    let output = finish(stage.command("run", &wrong)).await;
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{errors}");
    assert!(
        errors.contains("leavers: unknown variant `remove`"),
        "{errors}"
    );

    let configuration = stage.configuration("");
    let text = std::fs::read_to_string(&configuration).unwrap();
    let nowhere = text.replace(&format!(":{}'", stage.slapd.tls_port), ":9'");
    std::fs::write(&configuration, nowhere).unwrap();
    let output = finish(stage.command("run", &configuration)).await;
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(
        errors.contains("no directory server can be used"),
        "{errors}"
    );
}

/// The program as a container starts it: without a file and without arguments but the verb.
fn contained(stage: &Stage, configuration: &str) -> Command {
    let mut command = program();
    command
        .arg("run")
        .env("DIRECTORY_SYNC_CONFIGURATION", configuration)
        .env("DIRECTORY_SYNC_METRICS", "true")
        .env("DIRECTORY_SYNC_LOG_FORMAT", "json")
        .env("DIRECTORY_SYNC_TOKEN_EXPIRES", "2020-01-01")
        .env("DIRECTORY_SYNC_BIND_PASSWORD", PASSWORD)
        .env("DIRECTORY_SYNC_TOKEN", stage.simulator.token());
    command
}

/// The figures, which are the first line of standard output.
fn figures(output: &Output) -> Value {
    let first = output.stdout.split(|byte| *byte == b'\n').next().unwrap();
    serde_json::from_slice(first).unwrap()
}

/// Lines of standard error, each of which is a JSON document.
fn log_lines(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stderr).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The text of a configuration without any file: the authority stands in it.
fn without_files(stage: &Stage) -> String {
    let text = std::fs::read_to_string(stage.configuration("")).unwrap();
    let authority = std::fs::read_to_string(stage.slapd.authority()).unwrap();
    let (before, after) = text.split_once("  certificateAuthorityFile: ").unwrap();
    let (_path, after) = after.split_once('\n').unwrap();
    let authority = authority.replace('\n', "\n    ");
    format!("{before}  certificateAuthorities: |\n    {authority}\n{after}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_needs_no_file() {
    let stage = Stage::new(2).await;
    let configuration = without_files(&stage);
    let output = finish(contained(&stage, &configuration)).await;
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    let figures = figures(&output);
    assert_eq!(figures["SuccessfulRuns"], 1);
    assert_eq!(figures["DirectorySync"], "corp");
    assert!(figures["TokenDaysLeft"].as_i64().unwrap() < 0);
    assert!(
        text.contains("warning: the server's token should have expired on 2020-01-01T00:00:00Z")
    );
    let log = log_lines(&output);
    assert_eq!(log[0]["message"], "the directory has been read");
    assert_eq!(log[0]["users.count"], 2);

    let mut again = contained(&stage, &configuration);
    again.env_remove("DIRECTORY_SYNC_METRICS");
    again.args(["--format", "json", "--token-expires", "9999-01-01"]);
    let output = finish(again).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["token"]["expires"], "9999-01-01T00:00:00Z");
    assert_eq!(report["token"]["renew"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_fails_early_has_figures_too() {
    let stage = Stage::new(1).await;
    let good = without_files(&stage);
    let port = format!(":{}'", stage.slapd.tls_port);
    let cases = [
        ("leavers", format!("{good}leavers: remove\n"), "", 3),
        ("token", good.clone(), "DIRECTORY_SYNC_TOKEN", 9),
        ("password", good.clone(), "DIRECTORY_SYNC_BIND_PASSWORD", 9),
        ("DATE", good.clone(), "DIRECTORY_SYNC_TOKEN_EXPIRES", 3),
        ("no directory server", good.replace(&port, ":9'"), "", 1),
    ];
    for (message, configuration, wrong, code) in cases {
        let mut command = contained(&stage, &configuration);
        if !wrong.is_empty() {
            command.env(wrong, "wrong");
        }
        let output = finish(command).await;
        assert_eq!(output.status.code(), Some(code), "{message}");
        let figures = figures(&output);
        assert_eq!(figures["FailedRuns"], 1, "{message}");
        assert_eq!(figures["DirectorySync"], "corp");
        let has_days = figures.get("TokenDaysLeft").is_some();
        assert_eq!(has_days, message != "DATE", "{message}");
        let log = log_lines(&output);
        let last = log.last().unwrap();
        assert_eq!(last["level"], "ERROR");
        assert!(
            last["message"]
                .as_str()
                .unwrap()
                .to_uppercase()
                .contains(&message.to_uppercase()),
            "{last}"
        );
    }

    let output = finish(contained(&stage, "")).await;
    assert_eq!(output.status.code(), Some(3));
    assert!(
        output.stdout.is_empty(),
        "nobody knows whose figures these are"
    );
    let mut nothing = program();
    nothing.arg("run");
    let output = finish(nothing).await;
    assert_eq!(output.status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_a_run_with_a_report() {
    let stage = Stage::new(60).await;
    let configuration = stage.configuration("  writesPerSecond: 4\n");
    let mut command = stage.command("run", &configuration);
    command
        .args(["--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let child = command.spawn().unwrap();
    let begun = Instant::now();
    while stage.simulator.writes() == 0 {
        assert!(begun.elapsed() < PATIENCE, "no write came");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut kill = Command::new("kill");
    kill.args(["-TERM", &child.id().to_string()]);
    assert!(finish(kill).await.status.success());
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap())
        .await
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(143), "{report}");
    assert_eq!(report["result"], "interrupted");
    let made = report["summary"]["usersCreated"].as_u64().unwrap();
    let left = report["summary"]["notAttempted"].as_u64().unwrap();
    assert_eq!(made + left, 61, "60 users and the group");
    assert_eq!(u64::try_from(stage.simulator.users().len()).unwrap(), made);
    let (code, _) = stage.json("run", &stage.configuration("")).await;
    assert_eq!(code, 0);
    assert_eq!(stage.simulator.members("aws-all").unwrap().len(), 60);
}
