//! `init` on a terminal: what is not given as a flag is asked for.

use std::fs;

use crate::project::Project;
use crate::terminal::Terminal;

#[test]
fn on_a_terminal_the_missing_answers_are_asked_for() {
    let project = Project::new();
    let mut terminal = Terminal::start(&project, &["init"]);
    terminal.wait_for("name of the environment");
    terminal.type_line("trial");
    terminal.wait_for("where does it run");
    // The first of the choices.
    terminal.type_line("");
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(0), "{screen}");
    let text = fs::read_to_string(project.path().join("environments/trial.yaml")).unwrap();
    assert!(text.contains("\ncloud: local\n"), "{text}");
    assert!(text.contains("\nstackName: connect-scim-trial\n"), "{text}");
    project.run(&["validate", "--env", "trial"]).expect_code(0);
}
