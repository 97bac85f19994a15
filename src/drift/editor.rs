//! Detector: principals that can edit users, whatever gave them the permission.
//!
//! The policies of the stack may all be as they were deployed, and still somebody new may
//! edit users: a role that was made since, a policy that was attached elsewhere, a guardrail
//! that nobody attached. Only the policy engine knows, so it is asked, for everybody.

use std::fmt;

use super::finding::{Detector, Finding, Severity};
use crate::guardrail::{Part, Row, USER_EDITS, Verification, name};

/// The resource that should have kept them from it.
const GUARDRAIL: &str = "GuardrailPolicy";

/// Those who can and should not, those of the endpoint who cannot, and whom nobody could
/// simulate.
#[must_use]
pub fn findings(verification: &Verification) -> Vec<Finding> {
    let wrong = verification.rows.iter().filter_map(finding);
    let unknown = verification.not_checked.iter().map(|unknown| {
        Finding::not_checked(
            Detector::Iam,
            "editor",
            GUARDRAIL,
            format!("{}: {}", unknown.subject, unknown.reason),
        )
        .part(&unknown.subject)
    });
    wrong.chain(unknown).collect()
}

/// The simulation as a whole failed.
#[must_use]
pub fn not_checked(reason: &impl fmt::Display) -> Finding {
    Finding::not_checked(Detector::Iam, "editor", GUARDRAIL, reason)
}

fn finding(row: &Row) -> Option<Finding> {
    let unexpected = row.unexpected();
    if unexpected.is_empty() {
        return None;
    }
    let actions: Vec<&str> = unexpected
        .iter()
        .map(|place| USER_EDITS[*place].action)
        .collect();
    let who = name(&row.principal);
    let (severity, what, cure) = match row.part {
        Part::Endpoint => (
            Severity::Medium,
            format!("{who} is the endpoint's, and can no longer edit users"),
            "`connect-scim guardrails verify` shows by what it is denied",
        ),
        Part::Deployer | Part::Exempt | Part::Other => (
            Severity::High,
            format!("{who} can edit users"),
            "attach the guardrail (`guardrails.attachTo`, `connect-scim guardrails apply`), take the permission away, or name it in `guardrails.exemptPrincipals`",
        ),
    };
    let (expected, actual) = match row.part {
        Part::Endpoint => ("allowed", "denied"),
        Part::Deployer | Part::Exempt | Part::Other => ("denied", "allowed"),
    };
    Some(
        Finding::drift(Detector::Iam, severity, "editor", GUARDRAIL, what)
            .part(who)
            .expected(format!("{expected}: {}", actions.join(", ")))
            .actual(actual)
            .cure(cure),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guardrail::{Decision, NotChecked};

    fn row(part: Part, decision: Decision) -> Row {
        Row {
            principal: format!("arn:aws:iam::111122223333:role/ops/{}", part.word()),
            part,
            decisions: vec![decision; USER_EDITS.len()],
        }
    }

    #[test]
    fn whoever_can_edit_users_and_should_not_is_a_finding_of_its_own() {
        let verification = Verification {
            environment: "prod".to_owned(),
            stack_name: "scim".to_owned(),
            account: "111122223333".to_owned(),
            region: "eu-central-1".to_owned(),
            searched: Some(4),
            rows: vec![
                row(Part::Other, Decision::Allowed),
                row(Part::Deployer, Decision::DeniedExplicitly),
                row(Part::Exempt, Decision::Allowed),
                row(Part::Endpoint, Decision::DeniedExplicitly),
            ],
            deployments: Vec::new(),
            not_checked: vec![NotChecked {
                subject: "role/gone".to_owned(),
                reason: "NoSuchEntity".to_owned(),
            }],
        };
        let found: Vec<_> = findings(&verification)
            .into_iter()
            .map(|finding| (finding.id, finding.what))
            .collect();
        let texts: Vec<String> = found
            .iter()
            .map(|(id, what)| format!("{id} {what}"))
            .collect();
        insta::assert_snapshot!(texts.join("\n"), @r"
        iam.editor:GuardrailPolicy:role/ops/other role/ops/other can edit users
        iam.editor:GuardrailPolicy:role/ops/endpoint role/ops/endpoint is the endpoint's, and can no longer edit users
        iam.editor:GuardrailPolicy:role/gone could not be checked: role/gone: NoSuchEntity
        ");
    }
}
