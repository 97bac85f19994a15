//! Detector: what this commit would deploy, against what is deployed.
//!
//! A commit that was not deployed yet is no drift, and must not be taken for it: nobody
//! touched the cloud. It is told all the same, because all other detectors compare with
//! what is deployed, not with what this checkout says.

use super::finding::{Certainty, Detector, Finding, Kind, Severity};
use crate::plan::{Action, Plan};

/// One finding for each resource that `deploy` would touch, and one for the stack itself.
#[must_use]
pub fn findings(plan: &Plan) -> Vec<Finding> {
    let cure = format!(
        "`connect-scim plan --env {}` shows it, `deploy` brings it about",
        plan.subject.environment
    );
    let undeployed = |check: &str, resource: &str, what: String| Finding {
        kind: Kind::UndeployedChange,
        certainty: Certainty::Certain,
        cure: cure.clone(),
        ..Finding::drift(Detector::Template, Severity::Low, check, resource, what)
    };
    let mut findings: Vec<_> = plan
        .resources
        .iter()
        .map(|resource| {
            let verb = match resource.action {
                Action::Add => "make",
                Action::Modify => "change",
                Action::Remove => "remove",
            };
            undeployed(
                "undeployed",
                &resource.logical_id,
                format!("a deployment of this commit would {verb} it"),
            )
        })
        .collect();
    if !plan.stack.is_empty() {
        findings.push(undeployed(
            "undeployed",
            &plan.subject.stack_name,
            "a deployment of this commit would change settings of the stack itself".to_owned(),
        ));
    }
    findings
}
