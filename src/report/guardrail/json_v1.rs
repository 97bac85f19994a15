//! The guardrails' state as JSON, version 1.
//!
//! The version changes when a field goes, changes its type or its meaning. A new field or a
//! new word does not change it: readers ignore what they do not know.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::guardrail::{self, Audit, USER_EDITS, Verdict, Verification};

/// The version of this format.
pub const VERSION: u32 = 1;

/// What `connect-scim guardrails verify --format json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerificationReport {
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
    /// `holds`, `broken` or `notFullyChecked`.
    pub verdict: String,
    /// How many roles and users the account has; absent where it was not searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub searched: Option<usize>,
    /// Everybody who was simulated; whoever is not as it should be first.
    pub principals: Vec<Principal>,
    /// Everybody who deploys.
    pub deployers: Vec<Deployer>,
    /// What could not be checked.
    pub not_checked: Vec<NotChecked>,
}

/// A role or user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Principal {
    /// Its ARN.
    pub principal: String,
    /// `endpoint`, `deployer`, `exempt` or `other`.
    pub part: String,
    /// By action: `allowed`, `deniedExplicitly`, `deniedImplicitly` or `notChecked`.
    pub decisions: BTreeMap<String, String>,
    /// The actions that are allowed and must not be, or the other way round.
    pub unexpected: Vec<String>,
}

/// Somebody who deploys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployer {
    /// Its ARN.
    pub principal: String,
    /// How many actions a deployment needs.
    pub actions: usize,
    /// Those that it may not do.
    pub denied: Vec<String>,
}

/// Something that could not be checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NotChecked {
    /// What.
    pub subject: String,
    /// Why.
    pub reason: String,
}

impl From<&Verification> for VerificationReport {
    fn from(verification: &Verification) -> Self {
        Self {
            version: VERSION,
            environment: verification.environment.clone(),
            stack_name: verification.stack_name.clone(),
            account: verification.account.clone(),
            region: verification.region.clone(),
            verdict: match verification.verdict() {
                Verdict::Holds => "holds",
                Verdict::Broken => "broken",
                Verdict::NotFullyChecked => "notFullyChecked",
            }
            .to_owned(),
            searched: verification.searched,
            principals: verification.rows.iter().map(Principal::from).collect(),
            deployers: verification
                .deployments
                .iter()
                .map(|deployment| Deployer {
                    principal: deployment.principal.clone(),
                    actions: deployment.actions,
                    denied: deployment.denied.clone(),
                })
                .collect(),
            not_checked: verification
                .not_checked
                .iter()
                .map(|unknown| NotChecked {
                    subject: unknown.subject.clone(),
                    reason: unknown.reason.clone(),
                })
                .collect(),
        }
    }
}

impl From<&guardrail::Row> for Principal {
    fn from(row: &guardrail::Row) -> Self {
        let action = |place: usize| USER_EDITS[place].action.to_owned();
        let decisions = USER_EDITS.iter().zip(&row.decisions);
        Self {
            principal: row.principal.clone(),
            part: row.part.word().to_owned(),
            decisions: decisions
                .map(|(edit, decision)| (edit.action.to_owned(), decision.word().to_owned()))
                .collect(),
            unexpected: row.unexpected().into_iter().map(action).collect(),
        }
    }
}

/// What `connect-scim guardrails audit --format json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditReport {
    /// 1.
    pub version: u32,
    /// The environment, as it is named on a command line.
    pub environment: String,
    /// The Connect instance.
    pub instance_id: String,
    /// Every profile of the instance, by name.
    pub security_profiles: Vec<SecurityProfile>,
}

/// A security profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityProfile {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether `guardrails.editingProfiles` names it.
    pub accepted: bool,
    /// How many users have it.
    pub users: usize,
    /// Those of its permissions that edit users or profiles.
    pub editing_permissions: Vec<String>,
}

impl From<&Audit> for AuditReport {
    fn from(audit: &Audit) -> Self {
        Self {
            version: VERSION,
            environment: audit.environment.clone(),
            instance_id: audit.instance_id.clone(),
            security_profiles: audit
                .profiles
                .iter()
                .map(|profile| SecurityProfile {
                    id: profile.id.clone(),
                    name: profile.name.clone(),
                    accepted: profile.accepted,
                    users: profile.users,
                    editing_permissions: profile.editing.clone(),
                })
                .collect(),
        }
    }
}
