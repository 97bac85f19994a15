//! The page of `connect-scim plan --format html`, opened in a browser.
//!
//! Runs where Chromium is installed, and has to run where `CONNECT_SCIM_TEST_BROWSER` names
//! one, as in the project's own pipeline.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::cloud::PlayedProject;

/// Names the browser to use; the test fails if it cannot be.
const BROWSER_VARIABLE: &str = "CONNECT_SCIM_TEST_BROWSER";

const BASE: &str = "api: {accessLogs: false}";

/// Something of everything: a replacement, lost data, permissions, long values, and a name
/// that would be a script.
const CHANGED: &str = "api: {accessLogs: false, throttle: {rate: 20, burst: 40}}\n\
                       clients: {okta: {}, hr: {}}\n\
                       stage: blue\n\
                       provisioning: {deprovision: suspend, suspendedSecurityProfile: \"<script>alert(1)</script>\"}";

/// Measures a page in frames as wide as a phone and a desk, and goes through it by keyboard
/// order. `%PAGE%` is the page as an attribute.
const PROBE: &str = r#"<!doctype html><title>probe</title><pre id="result">nothing measured</pre>
<iframe id="phone" width="390" height="800" srcdoc="%PAGE%"></iframe>
<iframe id="desk" width="1280" height="800" srcdoc="%PAGE%"></iframe>
<script>
window.addEventListener("load", () => {
  const lines = ["phone", "desk"].map((id) => {
    const frame = document.getElementById(id);
    const page = frame.contentDocument;
    const root = page.documentElement;
    const summaries = [...page.querySelectorAll("summary")];
    const focused = summaries.filter((summary) => {
      summary.focus();
      return page.activeElement === summary;
    });
    const small = [...page.querySelectorAll("main *")].filter(
      (element) => parseFloat(frame.contentWindow.getComputedStyle(element).fontSize) < 12);
    return [id, "overflow", root.scrollWidth > frame.clientWidth,
      "reachable", focused.length === summaries.length && summaries.length > 10,
      "small", small.length, "scripts", page.scripts.length,
      "headings", page.querySelectorAll("h1").length].join(" ");
  });
  document.getElementById("result").textContent = lines.join("\n");
});
</script>
"#;

fn browser() -> Option<PathBuf> {
    if let Some(named) = env::var_os(BROWSER_VARIABLE).filter(|named| !named.is_empty()) {
        return Some(named.into());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .flat_map(|name| env::split_paths(&path).map(move |directory| directory.join(name)))
        .find(|candidate| candidate.is_file())
}

#[test]
fn the_page_is_readable_at_phone_and_desk_width_and_by_keyboard() {
    let Some(browser) = browser() else {
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
    let file = project.path().join("plan.html");
    fs::write(&file, &page).unwrap();
    let probe = project.path().join("probe.html");
    let attribute = page.replace('&', "&amp;").replace('"', "&quot;");
    fs::write(&probe, PROBE.replace("%PAGE%", &attribute)).unwrap();

    let open = |file: &PathBuf| {
        let output = Command::new(&browser)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--enable-logging=stderr",
                "--virtual-time-budget=5000",
                "--dump-dom",
            ])
            .arg(format!(
                "--user-data-dir={}",
                project.path().join("browser").display()
            ))
            .arg(format!("file://{}", file.display()))
            .output()
            .unwrap();
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{log}");
        (String::from_utf8_lossy(&output.stdout).into_owned(), log)
    };

    let (dom, log) = open(&file);
    assert!(dom.contains("<title>Plan: scim</title>"), "{dom:.500}");
    assert!(!log.contains(":CONSOLE"), "{log}");

    let (dom, log) = open(&probe);
    let result = dom
        .split_once("<pre id=\"result\">")
        .and_then(|(_, rest)| rest.split_once("</pre>"))
        .map(|(result, _)| result);
    assert_eq!(
        result,
        Some(
            "phone overflow false reachable true small 0 scripts 0 headings 1\n\
             desk overflow false reachable true small 0 scripts 0 headings 1"
        ),
        "{log}"
    );
}
