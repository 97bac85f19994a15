//! Drift as one page of HTML: the outcome, a picture of the stack, and each finding with
//! what was expected beside what is there.
//!
//! The filter by severity is CSS alone; where a browser does not know `:has()`, all findings
//! are shown.

use super::picture::picture;
use super::{KINDS, acceptance, attribution, summary};
use crate::drift::{Certainty, Finding, Kind, Report, Severity};
use crate::report::page::{Page, code, escape};

const STYLE: &str = include_str!("page.css");

const SEVERITIES: [Severity; 3] = [Severity::High, Severity::Medium, Severity::Low];

/// The page.
#[must_use]
pub fn html(report: &Report) -> String {
    let subject = format!(
        "Drift of {} in account {}, {}",
        report.stack_name, report.account, report.region
    );
    let mut page = Page::new(&format!("Drift: {}", report.stack_name), STYLE);
    page.header(&subject, &summary(report), None);
    let findings: Vec<(&Finding, String)> = report
        .findings
        .iter()
        .enumerate()
        .map(|(index, finding)| (finding, anchor(report, index)))
        .collect();
    for note in &report.notes {
        page.line(&format!("<p class=\"caption\">Note: {}.</p>", escape(note)));
    }
    page.picture(report, &findings);
    if !findings.is_empty() {
        page.line("<div class=\"findings\">");
        page.filter(report);
        for (kind, heading) in KINDS {
            page.findings(heading, &findings, |finding| finding.kind == kind);
        }
        page.line("</div>");
    }
    page.finish()
}

/// The id of a finding's element, one of its own on a page of several stacks as well.
fn anchor(report: &Report, index: usize) -> String {
    format!(
        "{}-{}-{}-{index}",
        report.stack_name, report.account, report.region
    )
}

impl Page {
    fn picture(&mut self, report: &Report, findings: &[(&Finding, String)]) {
        if report.parts.is_empty() {
            return;
        }
        let marked: Vec<_> = findings
            .iter()
            .filter(|(finding, _)| matches!(finding.kind, Kind::Drift | Kind::NotChecked))
            .map(|(finding, anchor)| (*finding, anchor.clone()))
            .collect();
        self.section("The stack", |page| {
            page.line(&picture(&report.parts, &marked));
            page.line("<p class=\"caption\">Every resource of the deployed template, by concern. Lines: what refers to what across concerns. ▲ drifted, ? not checked; each leads to its finding.</p>");
        });
    }

    fn filter(&mut self, report: &Report) {
        self.line("<form autocomplete=\"off\">\n<fieldset class=\"filter\"><legend>Show</legend>");
        for severity in SEVERITIES {
            let findings = report.findings.iter();
            let count = findings
                .filter(|finding| finding.severity == severity)
                .count();
            let word = severity.word();
            self.line(&format!(
                "<label><input type=\"checkbox\" class=\"show-{word}\" checked> {word} ({count})</label>"
            ));
        }
        self.line("</fieldset>\n</form>");
    }

    fn findings(
        &mut self,
        heading: &str,
        findings: &[(&Finding, String)],
        is_meant: impl Fn(&Finding) -> bool,
    ) {
        let findings: Vec<_> = findings
            .iter()
            .filter(|(finding, _)| is_meant(finding))
            .collect();
        if findings.is_empty() {
            return;
        }
        self.section(&escape(heading), |page| {
            for (finding, anchor) in findings {
                page.finding(finding, anchor);
            }
        });
    }

    fn finding(&mut self, finding: &Finding, anchor: &str) {
        let severity = finding.severity.word();
        let open = match finding.kind {
            Kind::Drift | Kind::NotChecked => " open",
            Kind::Accepted | Kind::UndeployedChange => "",
        };
        self.line(&format!(
            "<details class=\"finding {severity}\" id=\"{}\"{open}>\n<summary><span class=\"badge\">{severity}</span> {} <span class=\"type\">{}</span></summary>",
            escape(anchor),
            escape(&finding.what),
            escape(&finding.resource)
        ));
        if finding.expected.is_some() || finding.actual.is_some() {
            self.sides(finding);
        }
        if let Some(attribution) = attribution(finding) {
            self.line(&format!(
                "<p><strong>Changed:</strong> {}</p>",
                escape(&attribution)
            ));
        }
        self.line(&format!(
            "<p><strong>To mend it:</strong> {}</p>",
            with_commands(&finding.cure)
        ));
        if let Some(acceptance) = acceptance(finding) {
            self.line(&format!(
                "<p><strong>Accepted</strong> {}</p>",
                escape(&acceptance)
            ));
        }
        let certainty = match finding.certainty {
            Certainty::Certain => "",
            Certainty::Reported => ", as the service reports it",
            Certainty::Unknown => ", not known",
        };
        self.line(&format!(
            "<p class=\"caption\">{}{certainty}</p>\n</details>",
            code(&finding.id)
        ));
    }

    /// What was expected beside what is there, with the lines marked that differ.
    fn sides(&mut self, finding: &Finding) {
        let expected = lines(finding.expected.as_deref());
        let actual = lines(finding.actual.as_deref());
        let before = common(expected.iter(), actual.iter());
        let after = common(
            expected[before..].iter().rev(),
            actual[before..].iter().rev(),
        );
        self.line("<div class=\"sides\">");
        for (class, heading, lines) in [
            ("expected", "Expected", &expected),
            ("found", "Found", &actual),
        ] {
            let differ = before..lines.len() - after;
            let marked: Vec<_> = lines
                .iter()
                .enumerate()
                .map(|(index, line)| {
                    let line = escape(line);
                    if differ.contains(&index) {
                        format!("<mark>{line}</mark>")
                    } else {
                        line
                    }
                })
                .collect();
            self.line(&format!(
                "<div class=\"{class}\"><h4>{heading}</h4><pre>{}</pre></div>",
                marked.join("\n")
            ));
        }
        self.line("</div>");
    }
}

/// The lines of a value. A policy document on one line cannot be read.
fn lines(value: Option<&str>) -> Vec<String> {
    let Some(value) = value else {
        return Vec::new();
    };
    let text = match serde_json::from_str::<serde_json::Value>(value) {
        Ok(structure) if structure.is_object() || structure.is_array() => format!("{structure:#}"),
        _ => value.to_owned(),
    };
    text.lines().map(str::to_owned).collect()
}

/// How many lines are the same from the beginning.
fn common<'a>(
    one: impl Iterator<Item = &'a String>,
    other: impl Iterator<Item = &'a String>,
) -> usize {
    one.zip(other)
        .take_while(|(one, other)| one == other)
        .count()
}

/// A text in which commands stand between backticks.
fn with_commands(text: &str) -> String {
    text.split('`')
        .enumerate()
        .map(|(index, part)| match index % 2 {
            0 => escape(part),
            _ => code(part),
        })
        .collect()
}
