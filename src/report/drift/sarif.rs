//! Drift as SARIF 2.1.0, for what collects the results of analyses: GitHub's code scanning,
//! editors, dashboards.
//!
//! What drifted is in a cloud, and SARIF wants a place in a file: it is the environment
//! file, at the key that the finding is about where there is one. The resource is the
//! logical location.
//!
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{EnvironmentText, acceptance, summary};
use crate::drift::{Finding, Kind, Report, Severity};

/// Where the schema of the format is.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The document.
#[must_use]
pub fn sarif(report: &Report, file: &EnvironmentText) -> String {
    format!("{:#}\n", log(vec![run(report, file)]))
}

/// One document with the runs of several. A target whose run failed has one without
/// results that says so.
#[must_use]
pub fn join_sarif<'a>(parts: impl Iterator<Item = (&'a str, &'a String)>) -> String {
    let runs = parts
        .flat_map(|(target, document)| {
            let log: Value = serde_json::from_str(document).unwrap_or_default();
            log["runs"]
                .as_array()
                .cloned()
                .unwrap_or_else(|| vec![failed(target)])
        })
        .collect();
    format!("{:#}\n", log(runs))
}

fn log(runs: Vec<Value>) -> Value {
    json!({"$schema": SCHEMA, "version": "2.1.0", "runs": runs})
}

fn driver(rules: &[Value]) -> Value {
    json!({"driver": {
        "name": "connect-scim",
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": rules,
    }})
}

fn failed(target: &str) -> Value {
    json!({
        "tool": driver(&[]),
        "automationDetails": {"id": format!("drift/{target}/")},
        "invocations": [{
            "executionSuccessful": false,
            "exitCodeDescription": "the run failed; see what the command said",
        }],
        "results": [],
    })
}

fn run(report: &Report, file: &EnvironmentText) -> Value {
    let rules: BTreeSet<&str> = report.findings.iter().map(rule).collect();
    let described: Vec<_> = rules
        .iter()
        .map(|id| {
            json!({
                "id": id,
                "shortDescription": {"text": format!("{id} of a deployed stack is not as it was deployed")},
            })
        })
        .collect();
    let results: Vec<_> = report
        .findings
        .iter()
        .map(|finding| result(report, finding, &rules, file))
        .collect();
    let mut invocation = json!({"executionSuccessful": true});
    if !report.notes.is_empty() {
        let notes = report.notes.iter();
        invocation["toolExecutionNotifications"] = notes
            .map(|note| json!({"level": "note", "message": {"text": note}}))
            .collect();
    }
    json!({
        "tool": driver(&described),
        "automationDetails": {
            "id": format!("drift/{}/{}/", report.environment.replace(" --target ", "/"), report.stack_name),
            "description": {"text": summary(report)},
        },
        "invocations": [invocation],
        "results": results,
    })
}

/// What kind of finding it is: the detector and its check, without the resource.
fn rule(finding: &Finding) -> &str {
    finding.id.split(':').next().unwrap_or(&finding.id)
}

fn result(
    report: &Report,
    finding: &Finding,
    rules: &BTreeSet<&str>,
    file: &EnvironmentText,
) -> Value {
    let rule = rule(finding);
    // Only a failure has a level (section 3.27.9).
    let (kind, level) = match (finding.kind, finding.severity) {
        (Kind::Drift, Severity::High) => ("fail", "error"),
        (Kind::Drift, Severity::Medium) => ("fail", "warning"),
        (Kind::Drift, Severity::Low) => ("fail", "note"),
        (Kind::NotChecked, _) => ("open", "none"),
        (Kind::Accepted, _) => ("review", "none"),
        (Kind::UndeployedChange, _) => ("informational", "none"),
    };
    let mut text = format!("{}.", finding.what);
    for (label, value) in [("Expected", &finding.expected), ("Found", &finding.actual)] {
        if let Some(value) = value {
            text.push_str(&format!("\n{label}: {value}"));
        }
    }
    text.push_str(&format!("\nTo mend it: {}", finding.cure));
    let mut result = json!({
        "ruleId": rule,
        "ruleIndex": rules.iter().position(|id| *id == rule),
        "kind": kind,
        "level": level,
        "message": {"text": text},
        "locations": [{
            "physicalLocation": {
                "artifactLocation": {"uri": file.uri()},
                "region": {"startLine": file.line_of(finding)},
            },
            "logicalLocations": [{
                "name": finding.resource,
                "fullyQualifiedName": format!("{}/{}", report.stack_name, finding.resource),
                "kind": "resource",
            }],
        }],
        "partialFingerprints": {"findingId/v1": format!("{}/{}/{}", report.account, report.stack_name, finding.id)},
        "properties": {
            "severity": finding.severity.word(),
            "certainty": finding.certainty.word(),
        },
    });
    if let Some(attribution) = &finding.attribution {
        let properties = &mut result["properties"];
        properties["since"] = json!(attribution.since.to_string());
        properties["by"] = json!(attribution.by);
        properties["event"] = json!(attribution.event);
    }
    if let Some(acceptance) = acceptance(finding) {
        let suppression = json!({"kind": "external", "justification": acceptance});
        result["suppressions"] = json!([suppression]);
    }
    result
}
