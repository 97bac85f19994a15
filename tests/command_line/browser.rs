//! Pages opened in a browser.
//!
//! Runs where Chromium is installed, and has to run where `CONNECT_SCIM_TEST_BROWSER` names
//! one, as in the project's own pipeline.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Names the browser to use; the test fails if it cannot be.
const BROWSER_VARIABLE: &str = "CONNECT_SCIM_TEST_BROWSER";

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
    const controls = [...page.querySelectorAll("summary, input, a, [tabindex]")];
    const focused = controls.filter((control) => {
      control.focus();
      return page.activeElement === control;
    });
    const small = [...page.querySelectorAll("main *")].filter(
      (element) => parseFloat(frame.contentWindow.getComputedStyle(element).fontSize) < 12);
    return [id, "overflow", root.scrollWidth > frame.clientWidth,
      "reachable", focused.length === controls.length && controls.length >= %CONTROLS%,
      "small", small.length, "scripts", page.scripts.length,
      "headings", page.querySelectorAll("h1").length].join(" ");
  });
  document.getElementById("result").textContent = lines.join("\n");
});
</script>
"#;

/// A browser without a window.
pub struct Browser(PathBuf);

impl Browser {
    /// The browser, if there is one.
    pub fn find() -> Option<Self> {
        if let Some(named) = env::var_os(BROWSER_VARIABLE).filter(|named| !named.is_empty()) {
            return Some(Self(named.into()));
        }
        let path = env::var_os("PATH").unwrap_or_default();
        ["chromium", "chromium-browser", "google-chrome"]
            .iter()
            .flat_map(|name| env::split_paths(&path).map(move |directory| directory.join(name)))
            .find(|candidate| candidate.is_file())
            .map(Self)
    }

    /// Expects that a page says nothing on the console, is as wide as a phone and a desk,
    /// and that all its controls, of which there are at least so many, can be reached by
    /// keyboard. Returns what the browser made of it.
    #[track_caller]
    pub fn expect_readable(&self, page: &str, directory: &Path, controls: usize) -> String {
        let file = directory.join("page.html");
        fs::write(&file, page).unwrap();
        let probe = directory.join("probe.html");
        let attribute = page.replace('&', "&amp;").replace('"', "&quot;");
        let text = PROBE
            .replace("%CONTROLS%", &controls.to_string())
            .replace("%PAGE%", &attribute);
        fs::write(&probe, text).unwrap();

        let (page, log) = self.open(&file, directory);
        assert!(!log.contains(":CONSOLE"), "{log}");
        let (dom, log) = self.open(&probe, directory);
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
        page
    }

    fn open(&self, file: &Path, directory: &Path) -> (String, String) {
        let output = Command::new(&self.0)
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
                directory.join("browser").display()
            ))
            .arg(format!("file://{}", file.display()))
            .output()
            .unwrap();
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{log}");
        (String::from_utf8_lossy(&output.stdout).into_owned(), log)
    }
}
