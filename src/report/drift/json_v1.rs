//! Drift as JSON, version 1.
//!
//! The version changes when a field goes, changes its type or its meaning. A new field or a
//! new word does not change it: readers ignore what they do not know.

use serde::Serialize;

use crate::drift::{self, Kind};

/// The version of this format.
pub const VERSION: u32 = 1;

/// What `connect-scim drift --format json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// 1.
    pub version: u32,
    /// The environment, as it is named on a command line.
    pub environment: String,
    /// The stack's name.
    pub stack_name: String,
    /// The 12-digit account id.
    pub account: String,
    /// The region.
    pub region: String,
    /// How many findings there are of each kind.
    pub counts: Counts,
    /// Drift first, then what was not checked, then what is not deployed yet; the worst first.
    pub findings: Vec<Finding>,
}

/// How many findings there are of each kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// The cloud is not as it was deployed.
    pub drift: usize,
    /// Nobody knows.
    pub not_checked: usize,
    /// This checkout differs from what is deployed.
    pub undeployed_change: usize,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The same in every run for the same thing.
    pub id: String,
    /// `drift`, `notChecked` or `undeployedChange`.
    pub kind: String,
    /// `high`, `medium` or `low`.
    pub severity: String,
    /// The word with which the id begins.
    pub detector: String,
    /// The resource's name in the template.
    pub resource: String,
    /// What it is, in a sentence.
    pub what: String,
    /// What should be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
    /// `certain`, `reported` or `unknown`.
    pub certainty: String,
    /// How to mend it.
    pub cure: String,
}

impl From<&drift::Report> for Report {
    fn from(report: &drift::Report) -> Self {
        Self {
            version: VERSION,
            environment: report.environment.clone(),
            stack_name: report.stack_name.clone(),
            account: report.account.clone(),
            region: report.region.clone(),
            counts: Counts {
                drift: report.count(Kind::Drift),
                not_checked: report.count(Kind::NotChecked),
                undeployed_change: report.count(Kind::UndeployedChange),
            },
            findings: report.findings.iter().map(Finding::from).collect(),
        }
    }
}

impl From<&drift::Finding> for Finding {
    fn from(finding: &drift::Finding) -> Self {
        Self {
            id: finding.id.clone(),
            kind: finding.kind.word().to_owned(),
            severity: finding.severity.word().to_owned(),
            detector: finding.detector.word().to_owned(),
            resource: finding.resource.clone(),
            what: finding.what.clone(),
            expected: finding.expected.clone(),
            actual: finding.actual.clone(),
            certainty: finding.certainty.word().to_owned(),
            cure: finding.cure.clone(),
        }
    }
}
