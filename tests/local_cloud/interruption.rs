//! The deployer dies or is told to leave: the next run finishes the job.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::endpoint::Endpoint;
use crate::project::Project;

#[test]
fn a_deployer_killed_at_any_moment_is_finished_by_the_next() {
    let project = Project::new();
    project.run(&["local", "up"]).expect_code(0);
    for milliseconds in [30, 100, 180, 260, 340, 450, 600, 800] {
        let mut child = project
            .deploy_command()
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(milliseconds));
        child.kill().unwrap();
        child.wait().unwrap();

        project.deploy();
        Endpoint::of(&project).get("/Users").expect(200);
        let again = project.deploy();
        assert!(
            again.stderr.contains("nothing changed"),
            "after {milliseconds} ms: {}",
            again.stderr
        );
        project
            .run(&["destroy", "--env", "local", "--yes"])
            .expect_code(0);
    }
}

#[test]
fn an_interrupted_deployer_says_what_goes_on_and_the_next_one_follows_it() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let project = Project::new();
        project.run(&["local", "up"]).expect_code(0);
        let mut child = project
            .deploy_command()
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut told = String::new();
        while !told.contains("CREATE_IN_PROGRESS") {
            assert_ne!(
                stderr.read_line(&mut told).unwrap(),
                0,
                "the deployer ended: {told}"
            );
        }
        kill_process(Pid::from_child(&child), signal).unwrap();
        stderr.read_to_string(&mut told).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{told}");
        assert!(
            told.contains("the deployment of connect-scim-local goes on in the cloud"),
            "{told}"
        );
        assert!(
            told.contains("hint: `connect-scim watch --env local` follows it to its end"),
            "{told}"
        );

        project.deploy();
        Endpoint::of(&project).get("/Users").expect(200);
    }
}

#[test]
fn two_deployments_at_once_end_in_one_stack() {
    let project = Project::new();
    project.run(&["local", "up"]).expect_code(0);
    let children: Vec<_> = (0..2)
        .map(|_| {
            project
                .deploy_command()
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let codes: Vec<_> = children
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().unwrap();
            (
                output.status.code().unwrap(),
                String::from_utf8(output.stderr).unwrap(),
            )
        })
        .collect();
    let ends: Vec<_> = codes
        .iter()
        .map(|(code, stderr)| (code, stderr.lines().rev().take(3).collect::<Vec<_>>()))
        .collect();
    assert!(codes.iter().any(|(code, _)| *code == 0), "{ends:?}");
    assert!(
        codes.iter().all(|(code, _)| [0, 8].contains(code)),
        "{ends:?}"
    );
    let again = project.deploy();
    assert!(again.stderr.contains("nothing changed"), "{}", again.stderr);
}
