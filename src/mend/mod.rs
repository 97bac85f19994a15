//! Takes drift back: sets what was changed past the deployment to what was deployed.
//!
//! What to do is planned by pure functions from the findings and the deployed template, so
//! that it can be shown before it is done. It is done by calls of the services themselves.
//! CloudFormation's own way, a change set in the mode `REVERT_DRIFT`, neither sees replaced
//! code nor what was added beside the stack's resources (an inline policy, a method, a
//! stage), takes back what was accepted, and the local cloud does not have it. It is left
//! what it alone can do, because it keeps the id: to make a deleted resource again.

mod api;
mod function;
mod iam;
mod recreation;
mod resource;
mod task;
mod topic;

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::drift::{DeployedStack, Detector, Finding, Kind, NOT_APPLIED, is_open};
use crate::stack;

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

/// What may be done to users of Amazon Connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Users {
    /// Nothing.
    Leave,
    /// Those whom the directory knows become what it has.
    Reconcile,
    /// That, and those whom it does not know are removed.
    ReconcileAndRemove,
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
    /// Of a queue, the table, an alarm, a log group, a schedule, or what a task is made of.
    Resource(ResourceChange),
    /// Of a topic.
    Topic(TopicChange),
    /// Users of Amazon Connect become what the directory has.
    Users {
        /// Their SCIM ids.
        ids: BTreeSet<String>,
    },
    /// Users of Amazon Connect whom the directory does not know are removed.
    RemoveUsers {
        /// Their Connect user ids.
        ids: BTreeSet<String>,
    },
    /// CloudFormation makes deleted resources again.
    MakeAgain {
        /// Those resources.
        made: Vec<stack::ResourceChange>,
        /// What refers to them.
        adapted: Vec<stack::ResourceChange>,
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
            Self::RemoveUsers { ids } => write!(
                formatter,
                "remove from Amazon Connect, for good, {} whom the directory does not know",
                match ids.len() {
                    1 => "1 user".to_owned(),
                    count => format!("{count} users"),
                }
            ),
            Self::MakeAgain { made, adapted } => {
                let listed = |changes: &[stack::ResourceChange]| {
                    let names = changes.iter().map(ToString::to_string);
                    names.collect::<Vec<_>>().join(", ")
                };
                write!(formatter, "have CloudFormation {}", listed(made))?;
                match adapted.is_empty() {
                    true => Ok(()),
                    false => write!(formatter, "; and for that {}", listed(adapted)),
                }
            }
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
/// Connect are touched only as far as `users` says.
#[must_use]
pub fn plan(findings: &[Finding], stack: &DeployedStack, users: Users) -> Mending {
    let mut mending = Mending::default();
    let (mut differing, mut unmanaged) = (Vec::new(), Vec::new());
    for finding in findings {
        if finding.kind != Kind::Drift {
            continue;
        }
        let instead = match (user(finding), users) {
            (Some(User::Known), Users::Leave) => "add --users, which reconciles users; or ",
            (Some(User::Known), _) => {
                differing.push(finding);
                continue;
            }
            (Some(User::Unmanaged), Users::ReconcileAndRemove) => {
                unmanaged.push(finding);
                continue;
            }
            (Some(User::Unmanaged), Users::Reconcile) => {
                "add --remove-unmanaged-users, which removes it for good; or "
            }
            _ => "",
        };
        let Some(change) = change(finding, stack) else {
            mending.manual.push(Manual {
                finding: finding.id.clone(),
                advice: format!("{instead}{}", finding.cure),
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
    let mut of_users = |findings: &[&Finding], change: fn(BTreeSet<String>) -> Change| {
        if !findings.is_empty() {
            let ids = findings.iter().map(|finding| finding.resource.clone());
            mending.steps.push(Step {
                change: change(ids.collect()),
                findings: findings.iter().map(|one| one.id.clone()).collect(),
            });
        }
    };
    of_users(&differing, |ids| Change::Users { ids });
    of_users(&unmanaged, |ids| Change::RemoveUsers { ids });
    mending
}

impl Mending {
    /// The Connect user ids of those who are to be removed.
    #[must_use]
    pub fn users_to_remove(&self) -> Option<&BTreeSet<String>> {
        self.steps.iter().find_map(|step| match &step.change {
            Change::RemoveUsers { ids } => Some(ids),
            _ => None,
        })
    }

    /// Whether CloudFormation makes something again.
    #[must_use]
    pub fn makes_again(&self) -> bool {
        let mut steps = self.steps.iter();
        steps.any(|step| matches!(step.change, Change::MakeAgain { .. }))
    }

    /// Leaves a user whom the directory does not know to a person, for a reason.
    pub fn keep_user(&mut self, user_id: &str, reason: &str) {
        for step in &mut self.steps {
            let Change::RemoveUsers { ids } = &mut step.change else {
                continue;
            };
            if ids.remove(user_id) {
                let suffix = format!(":{user_id}");
                let manual = step.findings.extract_if(.., |id| id.ends_with(&suffix));
                self.manual.extend(manual.map(|finding| Manual {
                    finding,
                    advice: format!("not removed: {reason}"),
                }));
            }
        }
        self.steps.retain(|step| !step.findings.is_empty());
    }
}

/// Whom a finding is about.
enum User {
    /// One whom the directory knows by the id that the finding names.
    Known,
    /// One whom it does not know. Whose it is, a person has to say.
    Unmanaged,
}

fn user(finding: &Finding) -> Option<User> {
    match (finding.detector, finding.check()) {
        (Detector::Connect, "profile" | "IdentityManagementType" | NOT_APPLIED) => None,
        (Detector::Connect, "unmanaged") => Some(User::Unmanaged),
        (Detector::Connect, _) => Some(User::Known),
        _ => None,
    }
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
        | Detector::Schedule
        | Detector::Repository
        | Detector::Secret
        | Detector::Parameter => resource::change(finding, stack).map(Change::Resource),
        Detector::Topic => topic::change(finding, stack).map(Change::Topic),
        Detector::Template
        | Detector::Connect
        | Detector::CloudFormation
        | Detector::Task
        | Detector::Network => None,
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
