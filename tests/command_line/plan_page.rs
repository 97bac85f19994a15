//! The page of `connect-scim plan --format html`, opened in a browser.

use crate::browser::Browser;
use crate::cloud::PlayedProject;

const BASE: &str = "api: {accessLogs: false}";

/// Something of everything: a replacement, lost data, permissions, long values, and a name
/// that would be a script.
const CHANGED: &str = "api: {accessLogs: false, throttle: {rate: 20, burst: 40}}\n\
                       clients: {okta: {}, hr: {}}\n\
                       stage: blue\n\
                       provisioning: {deprovision: suspend, suspendedSecurityProfile: \"<script>alert(1)</script>\"}";

#[test]
fn the_page_is_readable_at_phone_and_desk_width_and_by_keyboard() {
    let Some(browser) = Browser::find() else {
        return;
    };
    let project = PlayedProject::deployed_as(BASE, CHANGED);
    let output = project
        .command("plan", &["--format", "html"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4));
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(
        page.contains("&lt;script&gt;"),
        "the name is in it, as text"
    );
    let dom = browser.expect_readable(&page, project.path(), 10);
    assert!(dom.contains("<title>Plan: scim</title>"), "{dom:.500}");
}
