//! The page of `connect-scim drift --format html`, opened in a browser.

use crate::browser::Browser;
use crate::cloud::{PlayedProject, PlayedStack, result};

/// The played stack has lost every resource, so that nothing can be checked.
#[test]
fn the_page_is_readable_at_phone_and_desk_width_and_by_keyboard() {
    let Some(browser) = Browser::find() else {
        return;
    };
    let stack = PlayedStack {
        template: PlayedProject::new("api: {accessLogs: false}", None).render(),
        status: "UPDATE_COMPLETE",
    };
    let project = PlayedProject::answering(
        "api: {accessLogs: false}\nstage: blue",
        Some(stack),
        |call, _| (call == "ListStackResources").then(|| result(call, "<StackResourceSummaries/>")),
    );
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
