//! `drift --mend --users --remove-unmanaged-users`: strangers in Amazon Connect are removed
//! after somebody has said how many, and nobody else is.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::deploy::connect_users;
use crate::endpoint::Endpoint;
use crate::project::{Project, Run, artifacts, finish};
use crate::terminal::Terminal;
use crate::users::Instance;

const REMOVE: [&str; 3] = ["--mend", "--users", "--remove-unmanaged-users"];

fn drift(project: &Project, more: &[&str]) -> Run {
    let mut command = project.command(&["drift", "--env", "local", "--artifacts"]);
    finish(command.arg(artifacts()).args(REMOVE).args(more))
}

fn names(project: &Project) -> Vec<String> {
    let mut names: Vec<String> = connect_users(project)
        .iter()
        .map(|user| user["Username"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

fn id(connect: &Instance<'_>, username: &str) -> String {
    connect.user(username)["Id"].as_str().unwrap().to_owned()
}

fn ada() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "ada@example.org",
        "name": {"givenName": "Ada", "familyName": "Lovelace"},
        "active": true,
    })
}

#[test]
fn strangers_are_removed_after_their_number_was_said_and_nobody_else_is() {
    let project = Project::new();
    project.deploy();
    let scim = Endpoint::of(&project);
    let connect = Instance::of(&project);
    scim.post("/Users", &ada()).expect(201);
    connect.create("stranger", &json!({}));
    connect.create("accepted", &json!({}));
    connect.create_with(&["Admin"], "administrator", &json!({}));
    let other_directory = json!({"scim:managed-by": "connect-scim", "scim:id": "7"});
    connect.create("of-another-directory", &other_directory);
    let (stranger, accepted) = (id(&connect, "stranger"), id(&connect, "accepted"));
    project.edit_environment(
        "functions:",
        &format!(
            "drift: {{accepted: [{{id: \"connect.unmanaged:{accepted}\", reason: OPS-1, expires: 2999-01-01}}]}}\nfunctions:"
        ),
    );
    let everybody = names(&project);

    // Without the number, or with another one, nothing is done.
    for more in [
        &[][..],
        &["--yes"],
        &["--yes", "--confirm-removals", "2"],
        &["--confirm-removals", "1"],
    ] {
        let refused = drift(&project, more).expect_code(10);
        assert!(
            refused
                .stderr
                .contains("1 user would be removed from Amazon Connect for good"),
            "{}",
            refused.stderr
        );
        assert!(
            refused.stderr.contains("--yes --confirm-removals 1"),
            "{}",
            refused.stderr
        );
        assert!(
            refused
                .stderr
                .contains("it belongs to another SCIM directory")
                && refused.stderr.contains("may be the last who can"),
            "{}",
            refused.stderr
        );
        // Names stay out of the log of a pipeline.
        assert!(!refused.stderr.contains("stranger"), "{}", refused.stderr);
        assert_eq!(names(&project), everybody);
    }
    let mut command = project.command(&["drift", "--env", "local", "--artifacts"]);
    let usage = command.arg(artifacts());
    finish(usage.args(["--mend", "--remove-unmanaged-users"])).expect_code(2);

    // A person sees who it is. One whom the identity provider makes meanwhile stays.
    connect.create("bob@example.org", &json!({}));
    let packages = artifacts().to_str().unwrap();
    let arguments = ["drift", "--env", "local", "--artifacts", packages];
    let mut terminal = Terminal::start(&project, &[&arguments[..], &REMOVE].concat());
    terminal.wait_for("type 2 to go on:");
    let mut bob = ada();
    bob["userName"] = json!("bob@example.org");
    bob["name"] = json!({"givenName": "Old", "familyName": "Timer"});
    scim.post("/Users", &bob).expect(201);
    terminal.type_line("2");
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(4), "{screen}");
    assert!(
        screen.contains("stranger") && screen.contains("bob@example.org"),
        "{screen}"
    );
    assert!(screen.contains("the directory has it by now"), "{screen}");
    assert!(
        screen.contains(&format!("removed the user {stranger} from Amazon Connect")),
        "{screen}"
    );
    assert!(screen.contains("1 of 2 users removed"), "{screen}");
    assert_eq!(
        names(&project),
        [
            "accepted",
            "ada@example.org",
            "administrator",
            "bob@example.org",
            "of-another-directory",
        ]
    );

    // Whoever is left is left to a person.
    let left = drift(&project, &["--yes", "--format", "json"]).expect_code(4);
    assert!(!left.stderr.contains("1/1"), "{}", left.stderr);
}

#[test]
fn whoever_interrupts_is_told_how_many_are_gone() {
    let project = Project::new();
    project.deploy();
    let connect = Instance::of(&project);
    for number in 0..6 {
        connect.create(&format!("stranger-{number}"), &json!({}));
    }
    let mut child = project
        .command(&["drift", "--env", "local", "--artifacts"])
        .arg(artifacts())
        .args(REMOVE)
        .args(["--yes", "--confirm-removals", "6"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut told = String::new();
    while told.matches("removed the user").count() < 2 {
        assert_ne!(stderr.read_line(&mut told).unwrap(), 0, "{told}");
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    stderr.read_to_string(&mut told).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{told}");

    let removed = told.matches("removed the user").count();
    assert!(
        told.contains(&format!("{removed} of 6 users removed from Amazon Connect")),
        "{told}"
    );
    let left = names(&project).len();
    let may_be_gone = usize::from(told.contains("was being removed"));
    assert!(
        left == 6 - removed || left + may_be_gone == 6 - removed,
        "{left} are left: {told}"
    );
    let rest = left.to_string();
    drift(&project, &["--yes", "--confirm-removals", &rest]).expect_code(0);
    assert_eq!(names(&project), Vec::<String>::new());
}
