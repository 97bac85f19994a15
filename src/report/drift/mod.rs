//! How drift is shown: as text on a terminal, JSON for programs, Markdown for a ticket, a
//! page of HTML, JUnit and SARIF for what collects results, annotations on GitHub.
//!
//! All of them say the same in the same order. Understandable without colour.

mod annotations;
mod html;
pub mod json_v1;
mod junit;
mod markdown;
mod picture;
mod place;
mod sarif;
mod text;

use crate::drift::{Finding, Kind, Report};

pub use annotations::annotations;
pub use html::html;
pub use junit::{join_junit, junit};
pub use markdown::markdown;
pub use place::EnvironmentText;
pub use sarif::{join_sarif, sarif};
pub use text::text;

/// The kinds in the order in which they are read, each with its heading.
const KINDS: [(Kind, &str); 4] = [
    (Kind::Drift, "Drift"),
    (Kind::NotChecked, "Not checked"),
    (Kind::Accepted, "Accepted"),
    (
        Kind::UndeployedChange,
        "Not deployed yet (no drift: this checkout differs from what is deployed)",
    ),
];

/// The findings under the headings that have any.
fn groups(report: &Report) -> impl Iterator<Item = (&'static str, Vec<&Finding>)> {
    KINDS.into_iter().filter_map(|(kind, heading)| {
        let findings: Vec<_> = report
            .findings
            .iter()
            .filter(|finding| finding.kind == kind)
            .collect();
        (!findings.is_empty()).then_some((heading, findings))
    })
}

/// Until when a finding is accepted, and why.
fn acceptance(finding: &Finding) -> Option<String> {
    let acceptance = finding.acceptance.as_ref()?;
    Some(format!(
        "until {}: {}",
        acceptance.expires, acceptance.reason
    ))
}

/// Since when something is as it is, and who did it.
fn attribution(finding: &Finding) -> Option<String> {
    let attribution = finding.attribution.as_ref()?;
    Some(format!(
        "{} by {} ({})",
        attribution.since, attribution.by, attribution.event
    ))
}

/// The outcome in one sentence.
fn summary(report: &Report) -> String {
    let (stack, checked) = (&report.stack_name, report.count(Kind::NotChecked));
    let number = |count: usize, one: &str, many: &str| match count {
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    };
    let mut summary = match (report.count(Kind::Drift), checked) {
        (0, 0) => format!("{stack} is as it was deployed"),
        (0, _) => format!("{stack}: no drift where it could be checked"),
        (drift, _) => format!("{stack}: {} of drift", number(drift, "finding", "findings")),
    };
    if checked > 0 {
        summary.push_str(&format!(
            ", {} not checked",
            number(checked, "thing", "things")
        ));
    }
    let accepted = report.count(Kind::Accepted);
    if accepted > 0 {
        summary.push_str(&format!(", {accepted} accepted"));
    }
    let undeployed = report.count(Kind::UndeployedChange);
    if undeployed > 0 {
        summary.push_str(&format!(
            "; {} not deployed yet",
            number(undeployed, "change", "changes")
        ));
    }
    summary
}

#[cfg(test)]
mod tests;
