//! `logs`: a request's line is found, and one that comes is followed.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::project::Project;

const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn the_line_of_a_request_is_printed() {
    let project = Project::new();
    project.deploy();
    Endpoint::of(&project).get("/Users").expect(200);

    let text = logs_with(&project, " answered ");
    let answered = text
        .lines()
        .find(|line| line.contains(" answered "))
        .unwrap();
    for part in [
        "info   user-provisioning  answered",
        "client=idp",
        "operation=list",
        "status=200",
    ] {
        assert!(answered.contains(part), "{part}: {answered}");
    }
    assert!(text.contains("token-generator    token created"), "{text}");
    assert!(!text.contains("_aws") && !text.contains("RequestId:"));
    assert!(!text.contains('\u{1b}'), "no colour in a pipe");

    let json = project
        .run(&[
            "logs",
            "user-provisioning",
            "--env",
            "local",
            "--format",
            "json",
            "--filter",
            "answered",
        ])
        .expect_code(0);
    let lines: Vec<Value> = json
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 1, "{}", json.stdout);
    assert_eq!(lines[0]["source"], "user-provisioning");
    assert_eq!(lines[0]["event"]["status"], 200);

    let none = project
        .run(&[
            "logs",
            "reconciler",
            "--env",
            "local",
            "--filter",
            "nothing-like-this",
        ])
        .expect_code(0);
    assert_eq!(none.stdout, "");
    assert!(none.stderr.contains("--since goes back further"));
}

/// What `logs` prints once this is in it: lines reach the log a moment after the answer.
#[track_caller]
fn logs_with(project: &Project, text: &str) -> String {
    let begin = Instant::now();
    loop {
        let run = project.run(&["logs", "--env", "local"]).expect_code(0);
        if run.stdout.contains(text) {
            return run.stdout;
        }
        assert!(begin.elapsed() < PATIENCE, "no {text:?}: {}", run.stdout);
        thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn lines_are_printed_as_they_come_and_once() {
    let project = Project::new();
    project.deploy();
    let scim = Endpoint::of(&project);
    let mut child = project
        .command(&["logs", "--env", "local", "--follow", "--since", "1s"])
        .args(["--filter", "answered"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (sender, received) = mpsc::channel();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let reader = thread::spawn(move || {
        for line in stdout.lines().map_while(Result::ok) {
            let _nobody_waits_any_more = sender.send(line);
        }
    });
    scim.get("/Users").expect(200);
    let first = received.recv_timeout(PATIENCE).unwrap();
    assert!(first.contains("operation=list"), "{first}");
    scim.get("/Users/none").expect(404);
    let second = received.recv_timeout(PATIENCE).unwrap();
    assert!(second.contains("operation=get"), "{second}");
    assert!(received.recv_timeout(Duration::from_secs(1)).is_err());

    let id = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(id, Signal::INT).unwrap();
    let mut told = String::new();
    let mut stderr = child.stderr.take().unwrap();
    stderr.read_to_string(&mut told).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(told, "stopped following the logs\n");
    reader.join().unwrap();
}
