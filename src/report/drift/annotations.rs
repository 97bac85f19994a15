//! Drift as GitHub Actions shows it beside the run.

use super::{EnvironmentText, attribution};
use crate::drift::{Kind, Report, Severity};
use crate::report::github::{Annotation, Level};

/// An annotation for each finding that counts.
#[must_use]
pub fn annotations(report: &Report, file: &EnvironmentText) -> Vec<Annotation> {
    report
        .findings
        .iter()
        .filter_map(|finding| {
            let level = match (finding.kind, finding.severity) {
                (Kind::Drift, Severity::High) => Level::Error,
                (Kind::Drift, _) | (Kind::NotChecked, _) => Level::Warning,
                _ => return None,
            };
            let changed = attribution(finding)
                .map(|attribution| format!("\nchanged: {attribution}"))
                .unwrap_or_default();
            Some(Annotation {
                level,
                title: format!("{}: {}", report.stack_name, finding.id),
                message: format!("{}{changed}\nto mend it: {}", finding.what, finding.cure),
                place: Some((file.file.clone(), Some((file.line_of(finding), 1)))),
            })
        })
        .collect()
}
