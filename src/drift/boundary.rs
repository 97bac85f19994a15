//! Detector: principals that do not have the guardrail as their permissions boundary.
//!
//! No template says which principals have a boundary: `guardrails apply` sets it, and
//! CloudFormation does not know. So the environment is compared with IAM.

use std::collections::BTreeSet;

use super::deployed::DeployedStack;
use super::finding::{Detector, Finding, Severity};
use crate::cloud::Cloud;
use crate::guardrail::{Attachment, Kind};

/// The logical id of the policy.
const BOUNDARY: &str = "GuardrailBoundary";

/// The principals that the environment wants the boundary for.
#[derive(Debug, Clone)]
pub struct BoundaryPolicy {
    /// The environment, as a command line names it.
    pub environment: String,
    /// The principals.
    pub principals: BTreeSet<Attachment>,
}

/// Compares the boundary of each principal. Nothing where the stack has no such policy yet:
/// that is a change which has not been deployed.
pub async fn detect(cloud: &Cloud, stack: &DeployedStack, policy: &BoundaryPolicy) -> Vec<Finding> {
    let Some((_, boundary)) = stack.resource(BOUNDARY) else {
        return Vec::new();
    };
    let findings =
        policy
            .principals
            .iter()
            .map(async |principal| match principal.boundary(cloud).await {
                Ok(actual) => finding(
                    principal,
                    &boundary.physical_id,
                    actual,
                    &policy.environment,
                ),
                Err(error) if error.has_code("NoSuchEntity") => {
                    finding(principal, &boundary.physical_id, None, &policy.environment)
                }
                Err(error) => Some(
                    Finding::not_checked(Detector::Iam, "guard-boundary", BOUNDARY, error)
                        .part(&part(principal)),
                ),
            });
    let findings = futures_util::future::join_all(findings).await;
    findings.into_iter().flatten().collect()
}

fn part(principal: &Attachment) -> String {
    let kind = match principal.kind {
        Kind::UserBoundary => "user",
        _ => "role",
    };
    format!("{kind}/{}", principal.name)
}

fn finding(
    principal: &Attachment,
    expected: &str,
    actual: Option<String>,
    environment: &str,
) -> Option<Finding> {
    if actual.as_deref() == Some(expected) {
        return None;
    }
    let part = part(principal);
    let what = match &actual {
        None => format!(
            "the {} does not have the guardrail as its permissions boundary",
            part.replace('/', " ")
        ),
        Some(_) => format!(
            "the permissions boundary of the {} was replaced",
            part.replace('/', " ")
        ),
    };
    let fix = match &actual {
        None => format!("`connect-scim guardrails apply --env {environment}`"),
        Some(_) => format!(
            "remove the other boundary, then `connect-scim guardrails apply --env {environment}`"
        ),
    };
    Some(
        Finding::drift(
            Detector::Iam,
            Severity::High,
            "guard-boundary",
            BOUNDARY,
            what,
        )
        .part(&part)
        .expected(expected)
        .actual(actual.as_deref().unwrap_or("(none)"))
        .cure(fix),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_that_is_missing_or_another_is_drift_with_the_principal_in_its_id() {
        let boundary = "arn:aws:iam::111122223333:policy/scim-GuardrailBoundary-1A";
        let other = "arn:aws:iam::aws:policy/AdministratorAccess";
        let of = |kind, actual: Option<&str>| {
            let name = "Developer".to_owned();
            let principal = Attachment { kind, name };
            finding(&principal, boundary, actual.map(str::to_owned), "prod")
        };
        assert_eq!(of(Kind::RoleBoundary, Some(boundary)), None);
        let missing = of(Kind::RoleBoundary, None).unwrap();
        assert_eq!(
            missing.id,
            "iam.guard-boundary:GuardrailBoundary:role/Developer"
        );
        assert_eq!(missing.severity, Severity::High);
        assert_eq!(
            missing.what,
            "the role Developer does not have the guardrail as its permissions boundary"
        );
        let replaced = of(Kind::UserBoundary, Some(other)).unwrap();
        assert_eq!(
            replaced.id,
            "iam.guard-boundary:GuardrailBoundary:user/Developer"
        );
        assert_eq!(replaced.actual.as_deref(), Some(other));
        assert_eq!(
            replaced.what,
            "the permissions boundary of the user Developer was replaced"
        );
    }
}
