//! Where in the environment file it stands what a finding is about.

use crate::drift::{Detector, Finding};

/// An environment file, as far as findings point into it.
#[derive(Debug, Clone, Default)]
pub struct EnvironmentText {
    /// The file, as it was named.
    pub file: String,
    /// Its text.
    pub text: String,
}

impl EnvironmentText {
    /// The file as a relative reference (RFC 3986).
    pub(super) fn uri(&self) -> String {
        self.file
            .replace('\\', "/")
            .replace('%', "%25")
            .replace(' ', "%20")
    }

    /// The line, from 1, of the key that says what the finding is about; the first where
    /// the file does not say it.
    pub(super) fn line_of(&self, finding: &Finding) -> usize {
        key(finding)
            .and_then(|key| {
                self.text.lines().position(|line| {
                    line.strip_prefix(key)
                        .is_some_and(|rest| rest.trim_start().starts_with(':'))
                })
            })
            .map_or(1, |index| index + 1)
    }
}

/// The key at the top of the file that says it.
fn key(finding: &Finding) -> Option<&'static str> {
    Some(match (finding.detector, finding.check()) {
        (Detector::Iam, "policy-document" | "guard-boundary" | "guard-detached") => "guardrails",
        (Detector::Token, "age") | (Detector::Alarm, _) => "alarms",
        (Detector::Token, _) | (Detector::Api, "Throttle" | "Quota" | "usage-plan") => "clients",
        (Detector::Api, _) => "api",
        (Detector::Function, _) => "functions",
        (Detector::Connect, "profile") => "guardrails",
        (Detector::Connect, _) => "connect",
        _ => return None,
    })
}
