//! `local up`, `down` and `status` with their real processes: each test has a checkout, and
//! thereby a cloud, of its own.

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::checkout::{Checkout, Health};

#[test]
fn up_finds_the_cloud_that_runs_and_down_leaves_nothing_of_it() {
    let checkout = Checkout::new();
    let first = checkout.succeed("up");
    assert!(first.stderr.contains("is empty"), "{}", first.stderr);
    let started = checkout.status();
    assert_eq!(started.health, Health::Running);

    // Also from a directory below.
    let second = checkout.run_in("crates/scim", "up");
    assert_eq!(second.stdout, first.stdout);
    assert!(second.stderr.contains("already"), "{}", second.stderr);
    assert_eq!(checkout.status(), started);
    assert_eq!(checkout.processes(), started.process_ids());

    assert!(checkout.succeed("down").stderr.contains("stopped"));
    assert!(checkout.processes().is_empty());
    assert_eq!(checkout.status().health, Health::Stopped);
    assert!(checkout.succeed("down").stderr.contains("was not running"));

    let third = checkout.succeed("up");
    assert_eq!(third.stdout, first.stdout, "the address stays");
    assert!(third.stderr.contains("is empty"), "{}", third.stderr);
}

#[test]
fn the_processes_are_out_of_reach_of_ctrl_c_and_keep_their_files_together() {
    let checkout = Checkout::new();
    checkout.succeed("up");
    let status = checkout.status();
    for process_id in status.process_ids() {
        let stat = fs::read_to_string(format!("/proc/{process_id}/stat")).unwrap();
        let group = stat.rsplit(") ").next().unwrap().split(' ').nth(2).unwrap();
        assert_eq!(group, process_id.to_string(), "a group of its own");
        let environment = fs::read_to_string(format!("/proc/{process_id}/environ")).unwrap();
        assert!(!environment.contains("canary"), "{environment}");
    }
    let names = |directory: &str| -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(checkout.path(directory))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("."), [".connect-scim", "crates", "environments"]);
    assert_eq!(names(".connect-scim"), [".gitignore", "local"]);

    checkout.succeed("down");
    assert_eq!(
        names(".connect-scim/local"),
        [
            "cloud.json",
            "connect-simulator.log",
            "connect-simulator.pid",
            "lock",
            "ministack.log",
            "ministack.pid"
        ]
    );
}

#[test]
fn a_call_without_a_signature_is_refused() {
    let checkout = Checkout::new();
    checkout.succeed("up");
    let url = checkout.status().url("ministack");
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let response = agent
        .get(format!("{url}/2015-03-31/functions"))
        .call()
        .unwrap();
    assert_eq!(response.status(), 403);
}

#[test]
fn a_killed_ministack_takes_the_simulator_with_it() {
    let checkout = Checkout::new();
    let first = checkout.succeed("up");
    let before = checkout.status();
    let state = checkout.path(".connect-scim/local/ministack/tmp/left-behind");
    fs::write(&state, "").unwrap();

    before.kill("ministack", Signal::KILL);
    assert_eq!(checkout.status().health, Health::Dead);
    assert_eq!(checkout.run("status").exit_code, 1);

    let second = checkout.succeed("up");
    assert!(
        second.stderr.contains("MiniStack is no longer running"),
        "{}",
        second.stderr
    );
    assert!(second.stderr.contains("empty"), "{}", second.stderr);
    assert_eq!(second.stdout, first.stdout, "the address stays");
    assert!(!state.exists());
    let after = checkout.status();
    assert_eq!(after.health, Health::Running);
    assert_eq!(checkout.processes(), after.process_ids());
    for process_id in after.process_ids() {
        assert!(!before.process_ids().contains(&process_id));
    }
}

#[test]
fn a_process_that_does_not_answer_is_replaced() {
    let checkout = Checkout::new();
    checkout.succeed("up");
    let before = checkout.status();
    before.kill("connect-simulator", Signal::STOP);

    let up = checkout.succeed("up");
    assert!(up.stderr.contains("does not answer"), "{}", up.stderr);
    let after = checkout.status();
    assert_eq!(after.health, Health::Running);
    assert_eq!(checkout.processes(), after.process_ids());
}

#[test]
fn a_stale_pid_file_harms_nobody() {
    let checkout = Checkout::new();
    checkout.succeed("up");
    let status = checkout.status();
    status.kill("ministack", Signal::KILL);
    status.kill("connect-simulator", Signal::KILL);

    let mut stranger = Command::new("sleep")
        .arg("600")
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    for service in ["ministack", "connect-simulator"] {
        let pid_file = checkout.path(&format!(".connect-scim/local/{service}.pid"));
        fs::write(pid_file, format!("{}\n", stranger.id())).unwrap();
    }
    let down = checkout.run("down");
    let up = checkout.run("up");
    let is_unharmed = stranger.try_wait().unwrap().is_none();
    stranger.kill().unwrap();
    stranger.wait().unwrap();

    assert!(is_unharmed);
    assert_eq!((down.exit_code, up.exit_code), (0, 0), "{}", up.stderr);
}

#[test]
fn a_port_that_somebody_else_took_is_exchanged() {
    let checkout = Checkout::new();
    checkout.succeed("up");
    let before = checkout.status();
    checkout.succeed("down");
    let address = before.url("ministack").replace("http://", "");
    let _stranger = TcpListener::bind(&address).unwrap();

    checkout.succeed("up");
    let after = checkout.status();
    assert_eq!(after.health, Health::Running);
    assert_ne!(after.url("ministack"), before.url("ministack"));
    assert_eq!(
        after.url("connect-simulator"),
        before.url("connect-simulator")
    );
}

#[test]
fn a_cloud_of_another_version_is_replaced() {
    let checkout = Checkout::new();
    checkout.succeed("up");
    let before = checkout.status();
    let record = checkout.path(".connect-scim/local/cloud.json");
    let content = fs::read_to_string(&record).unwrap();
    let current = format!("\"{}+", env!("CARGO_PKG_VERSION"));
    assert!(content.contains(&current), "{content}");
    fs::write(&record, content.replace(&current, "\"0.0.1+")).unwrap();

    let up = checkout.succeed("up");
    assert!(up.stderr.contains("Another version"), "{}", up.stderr);
    let after = checkout.status();
    assert_eq!(checkout.processes(), after.process_ids());
    assert_ne!(after.process_ids(), before.process_ids());
}

#[test]
fn two_checkouts_have_two_clouds() {
    let (one, other) = (Checkout::new(), Checkout::new());
    one.succeed("up");
    other.succeed("up");
    assert_ne!(
        one.status().url("ministack"),
        other.status().url("ministack")
    );

    one.succeed("down");
    assert_eq!(one.status().health, Health::Stopped);
    assert_eq!(other.status().health, Health::Running);
}

#[test]
fn several_ups_at_once_start_one_cloud() {
    let checkout = Checkout::new();
    let outputs: Vec<_> = thread::scope(|scope| {
        let ups: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| checkout.succeed("up")))
            .collect();
        ups.into_iter().map(|up| up.join().unwrap()).collect()
    });
    let starters = outputs
        .iter()
        .filter(|output| output.stderr.contains("is empty"))
        .count();
    assert_eq!(starters, 1);
    assert!(outputs.iter().all(|up| up.stdout == outputs[0].stdout));
    assert_eq!(checkout.processes(), checkout.status().process_ids());
}

#[test]
fn an_up_that_was_killed_is_repaired_by_the_next() {
    let checkout = Checkout::new();
    // From before the first file to after the last process.
    for milliseconds in [0, 5, 10, 20, 40, 80, 160, 320] {
        let mut up = checkout.command("up").spawn().unwrap();
        thread::sleep(Duration::from_millis(milliseconds));
        up.kill().unwrap();
        up.wait().unwrap();

        checkout.succeed("up");
        let status = checkout.status();
        assert_eq!(status.health, Health::Running, "{milliseconds} ms");
        assert_eq!(checkout.processes(), status.process_ids());
        if milliseconds % 3 == 2 {
            // Every other time the cloud that is there has to be replaced.
            status.kill("ministack", Signal::KILL);
        } else {
            checkout.succeed("down");
        }
    }
}
