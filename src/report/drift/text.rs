//! Drift as text.

use std::fmt::Write as _;

use owo_colors::OwoColorize as _;

use super::{acceptance, attribution, groups, summary};
use crate::drift::{Certainty, Finding, Report, Severity};

/// The report for a terminal.
///
/// Coloured: the stream strips what its reader cannot show.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut text = String::new();
    let mut line = |line: String| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{line}");
    };
    if !report.findings.is_empty() {
        let subject = format!(
            "{} in account {}, {}",
            report.stack_name, report.account, report.region
        );
        line(subject.bold().to_string());
    }
    for (heading, findings) in groups(report) {
        line(String::new());
        line(heading.bold().to_string());
        for finding in findings {
            lines(finding).into_iter().for_each(&mut line);
        }
    }
    if !report.findings.is_empty() {
        line(String::new());
    }
    line(summary(report));
    for note in &report.notes {
        line(format!("note: {note}"));
    }
    text
}

fn lines(finding: &Finding) -> Vec<String> {
    let word = finding.severity.word();
    let severity = match finding.severity {
        Severity::High => word.red().bold().to_string(),
        Severity::Medium => word.yellow().bold().to_string(),
        Severity::Low => word.cyan().to_string(),
    };
    let hedge = match finding.certainty {
        Certainty::Reported => " (as the service reports it)",
        Certainty::Certain | Certainty::Unknown => "",
    };
    let mut lines = vec![
        format!("  {severity}  {}{hedge}", finding.what),
        format!("    id        {}", finding.id.dimmed()),
    ];
    let values = [
        ("expected", &finding.expected),
        ("actual  ", &finding.actual),
    ];
    for (label, value) in values {
        if let Some(value) = value {
            lines.push(format!("    {label}  {value}"));
        }
    }
    if let Some(attribution) = attribution(finding) {
        lines.push(format!("    changed   {attribution}"));
    }
    match acceptance(finding) {
        None => lines.push(format!("    mend      {}", finding.cure)),
        Some(acceptance) => lines.push(format!("    accepted  {acceptance}")),
    }
    lines
}
