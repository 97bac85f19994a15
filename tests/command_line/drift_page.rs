//! The page of `connect-scim drift --format html`, opened in a browser.

use serde_json::Value;

use crate::browser::Browser;
use crate::cloud::{BASE, PlayedProject, PlayedStack, result};

#[test]
fn the_page_is_readable_at_phone_and_desk_width_and_by_keyboard() {
    let Some(browser) = Browser::find() else {
        return;
    };
    let project = project("stage: blue");
    let output = project
        .command("drift", &["--format", "html"])
        .output()
        .unwrap();
    let messages = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{messages}");
    let page = String::from_utf8(output.stdout).unwrap();
    let dom = browser.expect_readable(&page, project.path(), 20);
    assert!(dom.contains("<title>Drift: scim</title>"), "{dom:.500}");
    assert!(dom.contains("<svg"), "the picture is drawn");
}

#[test]
fn reports_are_saved_by_their_endings_and_those_of_several_targets_joined() {
    for (lines, runs) in [
        ("", 1),
        ("targets: {london: {}, paris: {stackName: other}}", 2),
    ] {
        let project = project(lines);
        let saves = [
            "--save",
            "drift.html",
            "--save=drift.sarif",
            "--save",
            "drift.txt",
        ];
        let output = project.command("drift", &saves).output().unwrap();
        let messages = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(5), "{messages}");
        let saved = |file: &str| std::fs::read_to_string(project.path().join(file)).unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(saved("drift.txt") == printed, "{printed}");
        assert_eq!(saved("drift.html").matches("<h1>").count(), runs);
        let sarif: Value = serde_json::from_str(&saved("drift.sarif")).unwrap();
        assert_eq!(sarif["runs"].as_array().unwrap().len(), runs);
    }
    let project = project("");
    let output = project.command("drift", &["--save", "drift.doc"]).output();
    assert_eq!(output.unwrap().status.code(), Some(2));
}

/// The played stack has lost every resource, so that nothing can be checked.
fn project(lines: &str) -> PlayedProject {
    let stack = PlayedStack {
        template: PlayedProject::new(BASE, None).render(),
        status: "UPDATE_COMPLETE",
    };
    PlayedProject::answering(&format!("{BASE}\n{lines}"), Some(stack), |call, _| {
        (call == "ListStackResources").then(|| result(call, "<StackResourceSummaries/>"))
    })
}
