//! Drift as Markdown.

use std::fmt::Write as _;

use super::{acceptance, attribution, groups, summary};
use crate::drift::Report;

/// The report for a pull request, a ticket or a job summary.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "## Drift of `{}`\n\nAccount {}, {}. {}.",
        report.stack_name,
        report.account,
        report.region,
        cell(&summary(report))
    );
    for note in &report.notes {
        let _ = writeln!(text, "\nNote: {}.", cell(note));
    }
    for (heading, findings) in groups(report) {
        let _ = writeln!(
            text,
            "\n### {heading}\n\n| Severity | What | Expected | Actual | Changed | How to mend | Id |\n|---|---|---|---|---|---|---|"
        );
        for finding in findings {
            let value = |value: &Option<String>| value.as_deref().map(code).unwrap_or_default();
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} |",
                finding.severity.word(),
                cell(&finding.what),
                value(&finding.expected),
                value(&finding.actual),
                cell(&attribution(finding).unwrap_or_default()),
                cell(&acceptance(finding).map_or_else(
                    || finding.cure.clone(),
                    |acceptance| format!("accepted {acceptance}"),
                )),
                code(&finding.id),
            );
        }
    }
    text
}

/// A text that keeps within its cell, and is not taken for HTML.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
        .replace('<', "&lt;")
        .replace(['\n', '\r'], " ")
}

/// A value as it stands: with a fence longer than any run of backticks in it.
fn code(value: &str) -> String {
    let longest = value
        .split(|character| character != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let space = if longest > 0 { " " } else { "" };
    let value = value.replace('|', "\\|").replace(['\n', '\r'], " ");
    format!("{fence}{space}{value}{space}{fence}")
}
