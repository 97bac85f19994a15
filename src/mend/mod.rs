//! Takes drift back: sets what was changed past the deployment to what was deployed.
//!
//! What to do is planned by pure functions from the findings and the deployed template, so
//! that it can be shown before it is done. It is done by calls of the services themselves.
//! CloudFormation's own way, a change set in the mode `REVERT_DRIFT`, neither sees replaced
//! code nor what was added beside the stack's resources (an inline policy, a method, a
//! stage), and the local cloud does not have it. What CloudFormation alone can make again,
//! because it keeps the id, is left to a person: a resource that was deleted.

mod api;
mod function;
mod iam;
mod resource;
mod topic;

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::drift::{DeployedStack, Detector, Finding, Kind, is_open};

pub use api::ApiChange;
pub use function::FunctionChange;
pub use iam::IamChange;
pub use resource::ResourceChange;
pub use topic::TopicChange;

/// What has to be done to take drift back.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mending {
    /// What is done, in this order.
    pub steps: Vec<Step>,
    /// What a person has to do.
    pub manual: Vec<Manual>,
}

/// One thing that is done.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What is done.
    pub change: Change,
    /// The ids of the findings that it mends.
    pub findings: Vec<String>,
}

/// A finding that this program does not mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manual {
    /// Its id.
    pub finding: String,
    /// What a person does.
    pub advice: String,
}

/// One change of the cloud. Displays as what it does: `attach the policy … to …`.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Of a role or a policy.
    Iam(IamChange),
    /// Of a function.
    Function(FunctionChange),
    /// Of the API.
    Api(ApiChange),
    /// Of a queue, the table, an alarm, a log group or a schedule.
    Resource(ResourceChange),
    /// Of a topic.
    Topic(TopicChange),
    /// Users of Amazon Connect become what the directory has.
    Users {
        /// Their SCIM ids.
        ids: BTreeSet<String>,
    },
    /// A new token for a client, whose parameter is gone or was never secret.
    Token {
        /// The client.
        client: String,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Iam(change) => change.fmt(formatter),
            Self::Function(change) => change.fmt(formatter),
            Self::Api(change) => change.fmt(formatter),
            Self::Resource(change) => change.fmt(formatter),
            Self::Topic(change) => change.fmt(formatter),
            Self::Users { ids } => write!(
                formatter,
                "bring users of Amazon Connect to what the directory has: {}",
                Vec::from_iter(ids.iter().map(String::as_str)).join(", ")
            ),
            Self::Token { client } => write!(
                formatter,
                "write a new token for the client {client}, which has to be entered at the identity provider"
            ),
        }
    }
}

impl Change {
    /// The stage goes first, because it is what callers meet; an authorizer that a method
    /// uses cannot be removed, and goes last.
    fn turn(&self) -> u8 {
        match self {
            Self::Api(ApiChange::Stage { .. }) => 0,
            Self::Api(ApiChange::RemoveAuthorizer { .. }) => 2,
            _ => 1,
        }
    }
}

/// What has to be done about findings, the worst first. Only drift is mended: what could
/// not be checked is not known, and what is not deployed yet is deployed. Users of Amazon
/// Connect are touched only if `users` says so.
#[must_use]
pub fn plan(findings: &[Finding], stack: &DeployedStack, users: bool) -> Mending {
    let mut mending = Mending::default();
    let mut differing = Vec::new();
    for finding in findings {
        if finding.kind != Kind::Drift {
            continue;
        }
        if is_about_a_known_user(finding) {
            if users {
                differing.push(finding);
            } else {
                mending.manual.push(Manual {
                    finding: finding.id.clone(),
                    advice: format!("add --users, which reconciles users; or {}", finding.cure),
                });
            }
            continue;
        }
        let Some(change) = change(finding, stack) else {
            mending.manual.push(Manual {
                finding: finding.id.clone(),
                advice: finding.cure.clone(),
            });
            continue;
        };
        let id = finding.id.clone();
        match mending.steps.iter_mut().find(|step| step.change == change) {
            Some(step) => step.findings.push(id),
            None => mending.steps.push(Step {
                change,
                findings: vec![id],
            }),
        }
    }
    mending.steps.sort_by_key(|step| step.change.turn());
    if !differing.is_empty() {
        let ids: BTreeSet<_> = differing
            .iter()
            .map(|finding| finding.resource.clone())
            .collect();
        mending.steps.push(Step {
            change: Change::Users { ids },
            findings: differing.iter().map(|one| one.id.clone()).collect(),
        });
    }
    mending
}

/// Whether it is about a user whom the directory knows by the id that the finding names. Of
/// a user whom it does not know a person has to say whose it is.
fn is_about_a_known_user(finding: &Finding) -> bool {
    finding.detector == Detector::Connect
        && !matches!(
            finding.check(),
            "unmanaged" | "profile" | "IdentityManagementType"
        )
}

fn change(finding: &Finding, stack: &DeployedStack) -> Option<Change> {
    match finding.detector {
        Detector::Function => function::change(finding, stack).map(Change::Function),
        Detector::Api => api::change(finding, stack).map(Change::Api),
        Detector::Iam => iam::change(finding, stack).map(Change::Iam),
        Detector::Token => token(finding, stack),
        Detector::Queue
        | Detector::Table
        | Detector::Alarm
        | Detector::Logs
        | Detector::Schedule => resource::change(finding, stack).map(Change::Resource),
        Detector::Topic => topic::change(finding, stack).map(Change::Topic),
        Detector::Template | Detector::Connect | Detector::CloudFormation => None,
    }
}

/// A token that is too old still works; when to rotate it is for a person to say, who has
/// to be at the identity provider then.
fn token(finding: &Finding, stack: &DeployedStack) -> Option<Change> {
    let (_, token) = stack.resource(&finding.resource)?;
    matches!(finding.check(), "deleted" | "not-encrypted").then_some(())?;
    Some(Change::Token {
        client: text(&token.properties["Client"])?,
    })
}

/// A text of the template that could be worked out.
fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// A value of the template that could be worked out; `None` where it could not.
fn known(value: &Value) -> Option<Value> {
    (!is_open(value)).then(|| value.clone())
}

#[cfg(test)]
mod tests;
