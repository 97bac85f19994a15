//! What cannot be taken back is asked for on a terminal, where a person says yes, says no,
//! or has second thoughts and presses Ctrl-C.

use serde_json::json;

use crate::deploy::{connect_users, jane};
use crate::endpoint::Endpoint;
use crate::project::Project;
use crate::terminal::Terminal;
use crate::users::Instance;

/// Runs a command, lets a person hesitate in both ways, and then say `yes`; `unchanged` has
/// to hold until then.
#[track_caller]
fn only_after_yes(
    project: &Project,
    arguments: &[&str],
    prompt: &str,
    yes: &str,
    unchanged: impl Fn(),
) {
    let mut terminal = Terminal::start(project, arguments);
    terminal.wait_for(prompt);
    terminal.type_line("y");
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(1), "{screen}");
    assert!(
        screen.contains("not confirmed; nothing was changed"),
        "{screen}"
    );
    unchanged();

    let mut terminal = Terminal::start(project, arguments);
    terminal.wait_for(prompt);
    terminal.press_ctrl_c();
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(130), "{screen}");
    let told = "interrupted; nothing is going on in the cloud";
    let line = screen.lines().find(|line| line.contains(told));
    assert!(
        line.is_some_and(|line| !line.contains(prompt)),
        "not told on a line of its own:\n{screen}"
    );
    unchanged();

    let mut terminal = Terminal::start(project, arguments);
    terminal.wait_for(prompt);
    terminal.type_line(yes);
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(0), "{screen}");
}

#[test]
fn what_cannot_be_taken_back_happens_only_after_a_yes() {
    let project = Project::new();
    project.deploy();
    let scim = Endpoint::of(&project);
    let users = || scim.get("/Users").expect(200).body["totalResults"].clone();

    Instance::of(&project).create("bob", &json!({}));
    only_after_yes(
        &project,
        &["users", "import", "--all", "--env", "local"],
        "type 1 to go on:",
        "1",
        || assert_eq!(users(), 0),
    );
    assert_eq!(users(), 1);

    let mut inactive = jane();
    inactive["active"] = json!(false);
    scim.post("/Users", &inactive).expect(201);
    only_after_yes(
        &project,
        &["users", "purge", "--inactive-for", "0", "--env", "local"],
        "type 1 to go on:",
        "1",
        || assert_eq!(users(), 2),
    );
    assert_eq!(users(), 1);
    assert_eq!(connect_users(&project).len(), 1);

    only_after_yes(
        &project,
        &["destroy", "--env", "local"],
        "type connect-scim-local to go on:",
        "connect-scim-local",
        || {
            scim.get("/Users").expect(200);
        },
    );
    let again = project.run(&["status", "--env", "local"]).expect_code(1);
    assert!(
        again.stderr.contains("there is no stack"),
        "{}",
        again.stderr
    );
}
