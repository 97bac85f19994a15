//! Detector: token parameters that are missing, not encrypted, or older than they may be.
//!
//! Nothing here reads a token: whoever may not read tokens can run it.

use jiff::Timestamp;

use super::deployed::{DeployedStack, Resource};
use super::finding::{Detector, Finding, Severity};
use super::properties::shown;
use crate::cloud::Cloud;
use crate::token::{TokenFacts, Tokens};

const TOKEN: Detector = Detector::Token;

/// What the environment asks of its tokens.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The environment, as it is named on a command line.
    pub environment: String,
    /// The age in days from which on a token is too old.
    pub max_age_days: u32,
}

/// Looks at the parameter of every token of the stack.
pub async fn detect(cloud: &Cloud, stack: &DeployedStack, policy: &Policy) -> Vec<Finding> {
    let tokens = Tokens::new(cloud);
    let mut findings = Vec::new();
    for token in stack.resources("Custom::ScimToken") {
        let parameter = shown(&token.properties["ParameterName"]);
        match tokens.facts(&parameter).await {
            Ok(facts) => findings.extend(finding(
                &token,
                &parameter,
                facts.as_ref(),
                policy,
                Timestamp::now(),
            )),
            Err(error) => findings.push(Finding::not_checked(
                TOKEN,
                "unreadable",
                &token.logical_id,
                error,
            )),
        }
    }
    findings
}

fn finding(
    token: &Resource,
    parameter: &str,
    facts: Option<&TokenFacts>,
    policy: &Policy,
    now: Timestamp,
) -> Option<Finding> {
    let rotate = format!(
        "`connect-scim token rotate --env {} --client {}`",
        policy.environment,
        shown(&token.properties["Client"])
    );
    let id = &token.logical_id;
    let Some(facts) = facts else {
        return Some(
            Finding::drift(
                TOKEN,
                Severity::Medium,
                "deleted",
                id,
                format!("the parameter {parameter} was deleted: its client is refused"),
            )
            .expected("a SecureString")
            .actual("(none)")
            .cure(format!(
                "{rotate} writes a new one; enter it at the identity provider"
            )),
        );
    };
    if !facts.is_secure_string() {
        return Some(
            Finding::drift(TOKEN, Severity::High, "not-encrypted", id, format!("the parameter {parameter} is not encrypted: whoever may read parameters can read the token"))
                .expected("SecureString")
                .actual(facts.parameter_type.as_str())
                .cure(format!("take the token for known: `aws ssm delete-parameter --name {parameter}`, then {rotate}")),
        );
    }
    let age_days = now.duration_since(facts.written_at?).as_hours() / 24;
    (age_days >= i64::from(policy.max_age_days)).then(|| {
        Finding::drift(
            TOKEN,
            Severity::Low,
            "age",
            id,
            format!("the token in {parameter} is old"),
        )
        .expected(format!("younger than {} days", policy.max_age_days))
        .actual(format!("{age_days} days"))
        .cure(format!(
            "{rotate}; enter the new one at the identity provider"
        ))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_is_there_encrypted_and_young_or_it_is_found() {
        let token = Resource {
            logical_id: "TokenOkta".to_owned(),
            physical_id: "p".to_owned(),
            properties: json!({"ParameterName": "/scim/okta", "Client": "okta"}),
        };
        let policy = Policy {
            environment: "prod".to_owned(),
            max_age_days: 90,
        };
        let facts = |parameter_type: &str, written: &str| {
            let written_at = written.parse().unwrap();
            Some(TokenFacts::new(parameter_type, 1, written_at))
        };
        let cases = [
            (facts("SecureString", "2026-06-01T00:00:00Z"), None),
            (
                facts("SecureString", "2026-03-10T00:00:00Z"),
                Some("token.age:TokenOkta"),
            ),
            (
                facts("String", "2026-06-01T00:00:00Z"),
                Some("token.not-encrypted:TokenOkta"),
            ),
            (None, Some("token.deleted:TokenOkta")),
        ];
        for (facts, id) in cases {
            let now = "2026-06-08T00:00:00Z".parse().unwrap();
            let found = finding(&token, "/scim/okta", facts.as_ref(), &policy, now);
            assert_eq!(found.as_ref().map(|finding| finding.id.as_str()), id);
            assert!(found.is_none_or(|finding| finding.cure.contains("--env prod --client okta")));
        }
    }
}
