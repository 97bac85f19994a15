//! Drift as JUnit XML, which every system for pipelines shows as tests: a suite for each
//! detector, a test for each resource that it looks at.
//!
//! The elements and attributes are those that Ant's JUnit task writes, which Jenkins, GitLab
//! and GitHub's reporters agree on; there is no other standard.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{acceptance, attribution};
use crate::drift::{Detector, Finding, Kind, Report};
use crate::report::page::escape;

const CONTENT_BEGINS: &str = "<testsuites>\n";
const CONTENT_ENDS: &str = "</testsuites>\n";

/// The document.
#[must_use]
pub fn junit(report: &Report) -> String {
    let mut suites: BTreeMap<Detector, Vec<Test<'_>>> = BTreeMap::new();
    for part in &report.parts {
        let detector = Detector::of(&part.resource_type);
        let is_told = |finding: &Finding| finding.resource == part.logical_id;
        if let Some(detector) = detector.filter(|_| !report.findings.iter().any(is_told)) {
            let test = Test::Passed(&part.logical_id);
            suites.entry(detector).or_default().push(test);
        }
    }
    for finding in &report.findings {
        let tests = suites.entry(finding.detector).or_default();
        tests.push(Test::Finding(finding));
    }
    let mut xml = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{CONTENT_BEGINS}");
    for (detector, tests) in suites {
        suite(&mut xml, report, detector, &tests);
    }
    xml.push_str(CONTENT_ENDS);
    xml
}

/// One document with the suites of several, whose names tell the stacks apart. A target
/// whose run failed is an error of its own.
#[must_use]
pub fn join_junit<'a>(parts: impl Iterator<Item = (&'a str, &'a String)>) -> String {
    let mut joined = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{CONTENT_BEGINS}");
    for (target, document) in parts {
        let content = document
            .split_once(CONTENT_BEGINS)
            .and_then(|(_, rest)| rest.split_once(CONTENT_ENDS))
            .map(|(content, _)| content);
        match content {
            Some(content) => joined.push_str(content),
            None => {
                let target = escape(target);
                // Writing to a String cannot fail.
                let _ = writeln!(
                    joined,
                    "<testsuite name=\"{target}\" tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\">\n<testcase classname=\"{target}\" name=\"run\">\n<error message=\"the run failed; see what the command said\"/>\n</testcase>\n</testsuite>"
                );
            }
        }
    }
    joined.push_str(CONTENT_ENDS);
    joined
}

enum Test<'a> {
    /// A resource of which nothing was found.
    Passed(&'a str),
    Finding(&'a Finding),
}

fn suite(xml: &mut String, report: &Report, detector: Detector, tests: &[Test<'_>]) {
    let count = |kind: Kind| {
        tests
            .iter()
            .filter(|test| matches!(test, Test::Finding(finding) if finding.kind == kind))
            .count()
    };
    let name = format!(
        "{} in {} {}: {}",
        report.stack_name,
        report.account,
        report.region,
        detector.word()
    );
    // Writing to a String cannot fail.
    let _ = writeln!(
        xml,
        "<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\">",
        escape(&name),
        tests.len(),
        count(Kind::Drift),
        count(Kind::NotChecked) + count(Kind::Accepted),
    );
    let class = format!("{}.{}", report.stack_name, detector.word());
    for test in tests {
        let _ = match test {
            Test::Passed(resource) => writeln!(
                xml,
                "<testcase classname=\"{}\" name=\"{}\"/>",
                escape(&class),
                escape(resource)
            ),
            Test::Finding(finding) => writeln!(
                xml,
                "<testcase classname=\"{}\" name=\"{}\">\n{}\n</testcase>",
                escape(&class),
                escape(&finding.id),
                outcome(finding)
            ),
        };
    }
    xml.push_str("</testsuite>\n");
}

fn outcome(finding: &Finding) -> String {
    let what = escape(&finding.what);
    match finding.kind {
        Kind::Drift => format!(
            "<failure type=\"{}\" message=\"{what}\">{}</failure>",
            finding.severity.word(),
            escape(&body(finding))
        ),
        Kind::NotChecked => format!("<skipped message=\"{what}\"/>"),
        Kind::Accepted => format!(
            "<skipped message=\"accepted {}: {what}\"/>",
            escape(&acceptance(finding).unwrap_or_default())
        ),
        // A change that was not deployed yet breaks nothing.
        Kind::UndeployedChange => format!("<system-out>{what}</system-out>"),
    }
}

fn body(finding: &Finding) -> String {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "(none)".to_owned());
    format!(
        "expected: {}\nfound: {}{}\nto mend it: {}",
        value(&finding.expected),
        value(&finding.actual),
        attribution(finding)
            .map(|attribution| format!("\nchanged: {attribution}"))
            .unwrap_or_default(),
        finding.cure
    )
}
