//! A deployment that fails: the exit code and the last lines tell why, and the next
//! deployment recovers by itself.

use crate::endpoint::Endpoint;
use crate::generator;
use crate::project::{Project, finish};

#[test]
fn a_failed_deployment_ends_with_its_first_cause_and_the_next_one_recovers() {
    let project = Project::new();
    let refusing = generator::packages(project.path(), &["Create"], 0.0);
    let mut command = project.command(&["deploy", "--env", "local", "--artifacts"]);
    let run = finish(command.arg(&refusing)).expect_code(6);
    let end: Vec<&str> = run.stderr.lines().rev().take(2).collect();
    assert_eq!(
        end,
        [
            "hint: the stack is back where it was; mend the cause and deploy again",
            "Custom::ScimToken TokenIdp CREATE_FAILED: no tokens today",
        ]
    );
    assert!(
        run.stderr
            .contains("\nerror: connect-scim-local ended in the state ROLLBACK_COMPLETE\n"),
        "{}",
        run.stderr
    );
    assert!(
        !run.stderr.contains("cancelled"),
        "noise is left out: {}",
        run.stderr
    );
    assert!(run.stdout.is_empty(), "{}", run.stdout);

    let recovered = project.deploy();
    assert!(
        recovered
            .stderr
            .contains("deleting what is left of it and creating it anew"),
        "{}",
        recovered.stderr
    );
    Endpoint::of(&project).get("/Users").expect(200);
}
