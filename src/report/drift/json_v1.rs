//! Drift as JSON, version 1.
//!
//! The version changes when a field goes, changes its type or its meaning. A new field or a
//! new word does not change it: readers ignore what they do not know.

use serde::Serialize;

use crate::drift;
use crate::drift::record::Counts;

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
    /// Drift first, then what was not checked, what is accepted, and what is not deployed yet;
    /// the worst first.
    pub findings: Vec<Finding>,
    /// Who checked the resources of each type.
    pub coverage: Vec<Coverage>,
    /// Ids under `drift.accepted` that no finding has.
    pub unused_acceptances: Vec<String>,
    /// What a reader should know of the report itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Who checked the resources of one type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Coverage {
    /// The type, such as `AWS::SQS::Queue`.
    #[serde(rename = "type")]
    pub resource_type: String,
    /// How many resources of it the stack has.
    pub resources: usize,
    /// The detectors' words; nobody: no one.
    pub checked_by: Vec<String>,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The same in every run for the same thing.
    pub id: String,
    /// `drift`, `notChecked`, `accepted` or `undeployedChange`.
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
    /// Since when it is so (ISO 8601, UTC), where CloudTrail tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The ARN of who did it, where CloudTrail tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The call that did it, where CloudTrail tells: `UpdateFunctionConfiguration`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// How to mend it.
    pub cure: String,
    /// Why it is accepted, and the last day on which it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acceptance: Option<Acceptance>,
}

/// That somebody has accepted a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Acceptance {
    /// Why, and by whom.
    pub reason: String,
    /// The last day (UTC) on which it is accepted: ISO 8601.
    pub expires: String,
}

impl From<&drift::Report> for Report {
    fn from(report: &drift::Report) -> Self {
        Self {
            version: VERSION,
            environment: report.environment.clone(),
            stack_name: report.stack_name.clone(),
            account: report.account.clone(),
            region: report.region.clone(),
            counts: Counts::of(report),
            findings: report.findings.iter().map(Finding::from).collect(),
            coverage: report.coverage.iter().map(Coverage::from).collect(),
            unused_acceptances: report.unused_acceptances.clone(),
            notes: report.notes.clone(),
        }
    }
}

impl From<&drift::Coverage> for Coverage {
    fn from(coverage: &drift::Coverage) -> Self {
        let checked_by = coverage.checked_by.iter();
        Self {
            resource_type: coverage.resource_type.clone(),
            resources: coverage.resources,
            checked_by: checked_by
                .map(|detector| detector.word().to_owned())
                .collect(),
        }
    }
}

impl From<&drift::Finding> for Finding {
    fn from(finding: &drift::Finding) -> Self {
        let attribution = finding.attribution.as_ref();
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
            since: attribution.map(|attribution| attribution.since.to_string()),
            by: attribution.map(|attribution| attribution.by.clone()),
            event: attribution.map(|attribution| attribution.event.clone()),
            cure: finding.cure.clone(),
            acceptance: finding.acceptance.as_ref().map(|acceptance| Acceptance {
                reason: acceptance.reason.to_string(),
                expires: acceptance.expires.to_string(),
            }),
        }
    }
}
